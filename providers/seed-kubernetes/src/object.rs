//! Secrets as the API has them. None of these types prints anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seed_core::document::{Document, FieldValue, Fields};
use seed_core::secret::SecretValue;
use serde::de::{Deserialize, Deserializer, IgnoredAny, Visitor};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

/// A Secret, with its values (`Encoded`) or without them (`Dropped`).
#[derive(serde::Deserialize)]
pub(crate) struct Secret<V> {
    /// Left out in lists.
    #[serde(default)]
    pub(crate) kind: Option<String>,
    pub(crate) metadata: Metadata,
    #[serde(default, rename = "type")]
    pub(crate) of_type: Option<String>,
    #[serde(default)]
    pub(crate) immutable: Option<bool>,
    /// Left out where there is none. A null stands for an empty value.
    #[serde(default = "Option::default")]
    pub(crate) data: Option<BTreeMap<String, Option<V>>>,
}

/// A value that is never looked at: it does not get past the reader of the answer.
pub(crate) type Dropped = IgnoredAny;

/// What is known of an object beside its content.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) resource_version: String,
    pub(crate) labels: Option<BTreeMap<String, String>>,
    pub(crate) annotations: Option<BTreeMap<String, String>>,
    pub(crate) owner_references: Option<Vec<Owner>>,
    pub(crate) deletion_timestamp: Option<String>,
}

/// Another object that this one belongs to.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Owner {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) controller: Option<bool>,
}

/// One page of a list.
#[derive(serde::Deserialize)]
pub(crate) struct Page {
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) metadata: PageMetadata,
    /// Required: a document without it is no list. An empty list of metadata has a null.
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) items: Vec<Secret<Dropped>>,
}

/// Where the next page is.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PageMetadata {
    #[serde(rename = "continue")]
    pub(crate) next: String,
    remaining_item_count: Option<i64>,
}

impl PageMetadata {
    /// Whether nothing is missing: what comes after the page is on the next one.
    pub(crate) fn is_whole(&self) -> bool {
        !self.next.is_empty() || self.remaining_item_count.unwrap_or_default() <= 0
    }
}

fn null_is_empty<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Secret<Dropped>>, D::Error> {
    let items: Option<_> = Deserialize::deserialize(deserializer)?;
    Ok(items.unwrap_or_default())
}

impl<V> Secret<V> {
    /// The names of its values.
    pub(crate) fn keys(&self) -> BTreeSet<String> {
        self.data.iter().flat_map(BTreeMap::keys).cloned().collect()
    }

    /// Whether it has no value at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.data.as_ref().is_none_or(BTreeMap::is_empty)
    }
}

impl Secret<Encoded> {
    /// All of its values.
    pub(crate) fn into_fields(self) -> Fields {
        let mut fields = Fields::new();
        for (key, value) in self.data.into_iter().flatten() {
            let value = value.map_or_else(|| SecretValue::new(Vec::new()), |value| value.0);
            // Keys of a map are different ones.
            let _new = fields.insert(key, FieldValue::Text(value));
        }
        fields
    }
}

/// A value, decoded as it is read.
pub(crate) struct Encoded(SecretValue);

impl<'de> Deserialize<'de> for Encoded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Base64)
    }
}

struct Base64;

impl Visitor<'_> for Base64 {
    type Value = Encoded;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("base64")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Encoded, E> {
        let bytes = STANDARD.decode(text).map_err(|_| E::custom("not base64"))?;
        Ok(Encoded(SecretValue::new(bytes)))
    }
}

/// The values of a document by the keys of a Secret.
pub(crate) fn data(document: &Document) -> Vec<(&str, &SecretValue)> {
    match document {
        Document::Single(value) => vec![(SINGLE, value)],
        Document::Fields(fields) => values(fields),
    }
}

/// Fields by the keys of a Secret.
pub(crate) fn values(fields: &Fields) -> Vec<(&str, &SecretValue)> {
    let values = fields.iter().map(|(key, field)| (key, field.value()));
    values.collect()
}

/// The key of a value that stands alone and was given none.
pub(crate) const SINGLE: &str = "value";

/// The text of an object with `data` in it, and of a patch that removes the keys in `gone`. The text alone holds values.
pub(crate) fn body(
    mut object: Map<String, Value>,
    data: &[(&str, &SecretValue)],
    gone: &[String],
) -> Zeroizing<Vec<u8>> {
    object.remove("data");
    let head = Value::Object(object).to_string();
    let size = |(key, value): &(&str, &SecretValue)| key.len() + value.len() / 3 * 4 + 16;
    let room = head.len() + data.iter().map(size).sum::<usize>() + 64;
    let names: usize = gone.iter().map(|key| key.len() + 16).sum();
    let mut text = Zeroizing::new(String::with_capacity(room + names));
    // The object is never empty, so a comma is right.
    text.push_str(head.strip_suffix('}').unwrap_or(&head));
    text.push_str(",\"data\":{");
    for (index, (key, value)) in data.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&json!(key).to_string());
        text.push_str(":\"");
        STANDARD.encode_string(value.expose(), &mut text);
        text.push('"');
    }
    for (index, key) in gone.iter().enumerate() {
        if index > 0 || !data.is_empty() {
            text.push(',');
        }
        text.push_str(&json!(key).to_string());
        text.push_str(":null");
    }
    text.push_str("}}");
    Zeroizing::new(std::mem::take(&mut *text).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_body_has_every_value_and_what_goes() {
        let value = SecretValue::new(vec![0, 0xff]);
        let empty = SecretValue::new(Vec::new());
        let data = [("a\"b", &value), ("c", &empty)];
        let head = object(json!({"kind": "Secret"}));
        let text = body(head.clone(), &data, &["d".to_owned()]);
        assert_eq!(
            std::str::from_utf8(&text).unwrap(),
            r#"{"kind":"Secret","data":{"a\"b":"AP8=","c":"","d":null}}"#
        );
        let text = body(head.clone(), &[], &["d".to_owned()]);
        assert_eq!(text.as_slice(), br#"{"kind":"Secret","data":{"d":null}}"#);
        let text = body(head, &[], &[]);
        assert_eq!(text.as_slice(), br#"{"kind":"Secret","data":{}}"#);
    }

    #[test]
    fn values_are_decoded_and_a_null_is_an_empty_one() {
        let text = r#"{"metadata":{"name":"n"},"data":{"a":"AP8=","b":null,"c":""}}"#;
        let secret: Secret<Encoded> = serde_json::from_str(text).unwrap();
        let fields = secret.into_fields();
        let bytes: Vec<(&str, &[u8])> = fields
            .iter()
            .map(|(key, field)| (key, field.value().expose()))
            .collect();
        assert_eq!(bytes, [("a", &[0, 0xff][..]), ("b", &[]), ("c", &[])]);
        let wrong = r#"{"metadata":{"name":"n"},"data":{"a":"canary!"}}"#;
        let err = serde_json::from_str::<Secret<Encoded>>(wrong);
        assert!(!err.err().unwrap().to_string().contains("canary"));
    }
}
