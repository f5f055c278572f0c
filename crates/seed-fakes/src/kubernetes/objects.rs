//! What the server checks of a Secret, and how it merges.
#![expect(
    clippy::indexing_slicing,
    reason = "what a document does not have is null"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::status;
use crate::Answer;

/// Refuses what the server's own validation refuses.
pub(super) fn validate(secret: &Value) -> Result<(), Answer> {
    let name = secret["metadata"]["name"].as_str().unwrap_or_default();
    if !is_subdomain(name) {
        let message = format!("Invalid value: \"{name}\": a lowercase RFC 1123 subdomain");
        return Err(status::invalid(
            name,
            "metadata.name",
            "FieldValueInvalid",
            &message,
        ));
    }
    let labels = secret["metadata"]["labels"].as_object();
    for value in labels.into_iter().flat_map(Map::values) {
        let value = value.as_str().unwrap_or("?");
        if !is_label(value) {
            let message = format!("Invalid value: \"{value}\": a valid label");
            return Err(status::invalid(
                name,
                "metadata.labels",
                "FieldValueInvalid",
                &message,
            ));
        }
    }
    let mut size = 0;
    for (key, value) in secret["data"].as_object().into_iter().flatten() {
        let plain = |c: u8| c.is_ascii_alphanumeric() || b"-._".contains(&c);
        let dots = key == "." || key.starts_with("..");
        if key.is_empty() || key.len() > 253 || dots || !key.bytes().all(plain) {
            let message = format!("Invalid value: \"{key}\": a valid config key");
            let field = format!("data[{key}]");
            return Err(status::invalid(name, &field, "FieldValueInvalid", &message));
        }
        let Ok(bytes) = STANDARD.decode(value.as_str().unwrap_or_default()) else {
            return Err(status::bad_request(
                "Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data",
            ));
        };
        size += bytes.len();
    }
    if size > 1_048_576 {
        let message = "Too long: may not be more than 1048576 bytes";
        return Err(status::invalid(name, "data", "FieldValueTooLong", message));
    }
    Ok(())
}

/// A JSON merge patch (RFC 7386).
pub(super) fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            if let Some(object) = into.as_object_mut() {
                object.remove(key);
            }
        } else if let Some(object) = into.as_object_mut() {
            merge(object.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// What is left of an object when only its metadata is asked for.
pub(super) fn partial(object: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": object["metadata"],
    })
}

fn is_subdomain(name: &str) -> bool {
    let part = |part: &str| {
        let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        part.starts_with(edge) && part.ends_with(edge) && part.chars().all(|c| edge(c) || c == '-')
    };
    !name.is_empty() && name.len() <= 253 && name.split('.').all(part)
}

fn is_label(value: &str) -> bool {
    let edge = |c: char| c.is_ascii_alphanumeric();
    value.is_empty()
        || (value.len() <= 63
            && value.starts_with(edge)
            && value.ends_with(edge)
            && value.chars().all(|c| edge(c) || "-_.".contains(c)))
}
