//! Names and values for tests.

use seed_core::backend::Kind;
use seed_core::document::{Document, FieldValue, Fields};
use seed_core::inventory::{Depth, Wanted};
use seed_core::name::SecretName;

pub(crate) fn name(text: &str) -> SecretName {
    Kind::Vault.existing_name(text).unwrap()
}

pub(crate) fn single(text: &str) -> Document {
    Document::Single(text.to_owned().into())
}

pub(crate) fn fields(pairs: &[(&str, &str)]) -> Fields {
    let mut fields = Fields::new();
    for (name, text) in pairs {
        assert!(fields.insert(*name, FieldValue::Text((*text).to_owned().into())));
    }
    fields
}

pub(crate) fn wanted(text: &str, depth: Depth) -> Wanted {
    Wanted {
        name: name(text),
        fields: vec!["value".parse().unwrap()],
        depth,
    }
}
