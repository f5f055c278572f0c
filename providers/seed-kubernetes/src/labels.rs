//! Marks as labels, and what is no label as annotations.

use std::collections::BTreeMap;

use seed_provider::Marks;
use serde_json::{Map, Value, json};

/// The metadata of a new object, or the first key that Kubernetes takes neither as a label nor as an annotation.
pub(crate) fn metadata(name: &str, marks: &Marks) -> Result<Map<String, Value>, String> {
    let marks = marks.to_labels();
    if let Some(key) = marks.keys().find(|key| !is_key(key)) {
        return Err(key.clone());
    }
    let is_label = |(_, value): &(String, String)| value.is_empty() || is_word(value);
    let (labels, annotations): (BTreeMap<_, _>, BTreeMap<_, _>) =
        marks.into_iter().partition(is_label);
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(name));
    metadata.insert("labels".to_owned(), json!(labels));
    if !annotations.is_empty() {
        metadata.insert("annotations".to_owned(), json!(annotations));
    }
    Ok(metadata)
}

/// Whether Kubernetes takes it as the key of a label or an annotation.
pub fn is_key(key: &str) -> bool {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let subdomain = |prefix: &str| {
        let part = |part: &str| {
            let edges = part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.ends_with(|c: char| c.is_ascii_alphanumeric());
            let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            edges && part.chars().all(lower)
        };
        prefix.len() <= 253 && prefix.split('.').all(part)
    };
    is_word(name) && prefix.is_none_or(subdomain)
}

fn is_word(text: &str) -> bool {
    let edge = |c: char| c.is_ascii_alphanumeric();
    let inside = |c: char| edge(c) || "-_.".contains(c);
    text.len() <= 63 && text.starts_with(edge) && text.ends_with(edge) && text.chars().all(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(key: &str, value: &str) -> Marks {
        let mut marks = Marks::of("llm-platform");
        marks.labels.insert(key.to_owned(), value.to_owned());
        marks
    }

    #[test]
    fn what_is_no_label_becomes_an_annotation() {
        let metadata = metadata("n", &marks("team", "ML and data")).unwrap();
        assert_eq!(
            Value::Object(metadata),
            json!({
                "name": "n",
                "labels": {"managed-by": "seed", "seed-contract": "llm-platform"},
                "annotations": {"team": "ML and data"},
            })
        );
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for key in ["a b", "-a", "a/", "A.B_/c", "a/b/c", &"x".repeat(64)] {
            assert_eq!(metadata("n", &marks(key, "x")), Err(key.to_owned()));
        }
        for key in ["a", "example.com/Team_1", &"x".repeat(63)] {
            assert!(metadata("n", &marks(key, "x")).is_ok(), "{key}");
        }
    }
}
