//! The adapter and the stand-in: calls, states, failures.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may give up")]

#[path = "../support/mod.rs"]
mod support;

mod canaries;
mod counts;
mod credentials;
mod doubts;
mod failures;
mod places;
mod states;

use seed_core::document::{Document, FieldValue, Fields};

fn single(text: &str) -> Document {
    Document::Single(text.to_owned().into())
}

fn fields(pairs: &[(&str, &str)]) -> Fields {
    let mut fields = Fields::new();
    for (name, text) in pairs {
        assert!(fields.insert(*name, FieldValue::Text((*text).to_owned().into())));
    }
    fields
}
