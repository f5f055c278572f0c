//! The adapter and the stand-in: failures, credentials, places, states, claims, quotas.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may give up")]

#[path = "../support/mod.rs"]
mod support;

mod claims;
mod credentials;
mod failures;
mod places;
mod quotas;
mod states;

use seed_core::document::{FieldValue, Fields};

fn fields(pairs: &[(&str, &str)]) -> Fields {
    let mut fields = Fields::new();
    for (name, text) in pairs {
        assert!(fields.insert(*name, FieldValue::Text((*text).to_owned().into())));
    }
    fields
}
