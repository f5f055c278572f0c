//! What a backend entry holds, and how backends that keep one string keep several fields in it.

use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::name::FieldName;
use crate::secret::SecretValue;

/// The content of one backend entry.
#[derive(Debug)]
pub enum Document {
    /// Several named values, in the order in which they are stored.
    Fields(Fields),
    /// One value.
    Single(SecretValue),
}

/// One field of a [`Document::Fields`].
#[derive(Debug)]
pub enum FieldValue {
    /// JSON text of a number, a boolean, null, an array or an object that somebody else stored; kept byte for byte.
    Raw(SecretValue),
    /// A string, as `seed` always writes it. On backends with native binary fields these may be any bytes.
    Text(SecretValue),
}

impl FieldValue {
    /// The bytes, whichever form they have.
    pub fn value(&self) -> &SecretValue {
        match self {
            Self::Raw(value) | Self::Text(value) => value,
        }
    }

    /// Makes a second copy on purpose.
    #[must_use = "a copy of a secret that is not used should not be made"]
    pub fn duplicate(&self) -> Self {
        match self {
            Self::Raw(value) => Self::Raw(value.duplicate()),
            Self::Text(value) => Self::Text(value.duplicate()),
        }
    }
}

/// Named values in the order in which they are stored; names are unique.
#[derive(Debug, Default)]
pub struct Fields(Vec<(String, FieldValue)>);

impl Fields {
    /// Starts with no field.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a field. Returns `false`, and changes nothing, when the name is taken.
    #[must_use = "a field whose name is taken was not added"]
    pub fn insert(&mut self, name: impl Into<String>, value: FieldValue) -> bool {
        let name = name.into();
        if self.get(&name).is_some() {
            return false;
        }
        self.0.push((name, value));
        true
    }

    /// These fields with others in their place; what is new comes last. All others keep their bytes and their order.
    #[must_use = "the fields themselves stay as they are"]
    pub fn with(&self, new: &Self) -> Self {
        let kept = self.0.iter().map(|(name, value)| {
            let value = new.get(name).unwrap_or(value);
            (name.clone(), value.duplicate())
        });
        let added = new.0.iter().filter(|(name, _)| self.get(name).is_none());
        let added = added.map(|(name, value)| (name.clone(), value.duplicate()));
        Self(kept.chain(added).collect())
    }

    /// Looks a field up by its name.
    pub fn get(&self, name: &str) -> Option<&FieldValue> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// The fields in their order. Names come from the store and may be ones that a contract could not declare.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &FieldValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Document {
    /// Makes a document of declared fields, all text.
    pub fn from_fields(fields: impl IntoIterator<Item = (FieldName, SecretValue)>) -> Self {
        Self::Fields(Fields(
            fields
                .into_iter()
                .map(|(name, value)| (name.to_string(), FieldValue::Text(value)))
                .collect(),
        ))
    }

    /// Makes a second copy on purpose.
    #[must_use = "a copy of a secret that is not used should not be made"]
    pub fn duplicate(&self) -> Self {
        match self {
            Self::Single(value) => Self::Single(value.duplicate()),
            Self::Fields(fields) => Self::Fields(Fields(
                fields
                    .0
                    .iter()
                    .map(|(name, value)| (name.clone(), value.duplicate()))
                    .collect(),
            )),
        }
    }
}

/// Why a stored string is not what the contract declares. Never holds any of its text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ShapeError {
    /// The same member name twice: readers disagree about which one counts.
    #[error("the stored JSON object names a field twice")]
    Duplicate,
    /// A field that is to be added is there already.
    #[error("a field that was to be added exists")]
    FieldExists,
    /// Fields are declared, but the stored value is not a JSON object.
    #[error("the stored value is not a JSON object")]
    NotAnObject,
    /// A field must be a JSON string, and this value is not UTF-8.
    #[error("a value that is not UTF-8 cannot be a field of a JSON object")]
    NotText,
}

/// Writes a document the way gcpsm, aws-sm and azure-kv keep it: one value raw, several as a JSON object of strings.
pub fn encode(document: &Document) -> Result<SecretValue, ShapeError> {
    match document {
        Document::Single(value) => Ok(value.duplicate()),
        Document::Fields(fields) => splice_members(b"{}", fields),
    }
}

/// Reads several fields out of the one string of gcpsm, aws-sm and azure-kv.
///
/// A member that is not a string keeps its JSON text as [`FieldValue::Raw`].
pub fn decode_fields(stored: &SecretValue) -> Result<Fields, ShapeError> {
    let text = stored.expose_text().ok_or(ShapeError::NotAnObject)?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let members = reader
        .deserialize_map(Members)
        .map_err(|_| ShapeError::NotAnObject)?;
    reader.end().map_err(|_| ShapeError::NotAnObject)?;
    let mut fields = Fields::new();
    for (name, raw) in members {
        let value = match serde_json::from_str::<String>(raw.get()) {
            Ok(text) => FieldValue::Text(text.into()),
            Err(_) => FieldValue::Raw(raw.get().to_owned().into()),
        };
        if !fields.insert(name, value) {
            return Err(ShapeError::Duplicate);
        }
    }
    Ok(fields)
}

/// Adds fields to a stored JSON object and keeps every other byte of it.
pub fn splice(stored: &SecretValue, new: &Fields) -> Result<SecretValue, ShapeError> {
    let present = decode_fields(stored)?;
    if new.iter().any(|(name, _)| present.get(name).is_some()) {
        return Err(ShapeError::FieldExists);
    }
    splice_members(stored.expose(), new)
}

fn splice_members(object: &[u8], new: &Fields) -> Result<SecretValue, ShapeError> {
    let close = object
        .iter()
        .rposition(|byte| *byte == b'}')
        .ok_or(ShapeError::NotAnObject)?;
    let (before, after) = object.split_at(close);
    let mut empty = before.iter().rev().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    // Room for all of it, escapes included: a buffer that grows leaves copies behind.
    let room: usize = new
        .iter()
        .map(|(name, value)| 6 * (name.len() + value.value().len()) + 6)
        .sum();
    let mut text = zeroize::Zeroizing::new(Vec::with_capacity(object.len() + room));
    text.extend_from_slice(before);
    for (name, value) in new.iter() {
        if !std::mem::take(&mut empty) {
            text.push(b',');
        }
        push_json_string(name, &mut text)?;
        text.push(b':');
        match value {
            FieldValue::Raw(raw) => text.extend_from_slice(raw.expose()),
            FieldValue::Text(value) => {
                let value = value.expose_text().ok_or(ShapeError::NotText)?;
                push_json_string(value, &mut text)?;
            }
        }
    }
    text.extend_from_slice(after);
    Ok(SecretValue::new(std::mem::take(&mut *text)))
}

fn push_json_string(text: &str, to: &mut Vec<u8>) -> Result<(), ShapeError> {
    serde_json::to_writer(to, text).map_err(|_| ShapeError::NotText)
}

/// Collects members in order, duplicates included, which a map type would hide.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, Box<RawValue>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secret(text: &str) -> SecretValue {
        text.to_owned().into()
    }

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        let mut fields = Fields::new();
        for (name, value) in pairs {
            assert!(fields.insert(*name, FieldValue::Text(secret(value))));
        }
        fields
    }

    #[test]
    fn splicing_keeps_every_other_byte() {
        let stored = secret("{ \"port\": 1.50,\n  \"on\":true , \"name\" : \"x\\u0041\" }\n");
        let grown = splice(&stored, &fields(&[("new", "a\"b")])).unwrap();
        assert_eq!(
            grown.expose_text().unwrap(),
            "{ \"port\": 1.50,\n  \"on\":true , \"name\" : \"x\\u0041\" ,\"new\":\"a\\\"b\"}\n"
        );
    }

    #[test]
    fn splicing_refuses_a_field_that_exists() {
        let stored = secret("{\"a\":1}");
        assert_eq!(
            splice(&stored, &fields(&[("a", "2")])).unwrap_err(),
            ShapeError::FieldExists
        );
    }

    #[test]
    fn what_is_not_an_object_of_fields_is_refused() {
        for (text, want) in [
            ("plain", ShapeError::NotAnObject),
            ("[1]", ShapeError::NotAnObject),
            ("{} {}", ShapeError::NotAnObject),
            ("{\"a\":1,\"a\":2}", ShapeError::Duplicate),
        ] {
            assert_eq!(decode_fields(&secret(text)).unwrap_err(), want, "{text}");
        }
        assert_eq!(
            decode_fields(&SecretValue::new(vec![0xff])).unwrap_err(),
            ShapeError::NotAnObject
        );
    }

    #[test]
    fn numbers_keep_their_text() {
        let decoded = decode_fields(&secret("{\"n\":1.50,\"s\":\"1\"}")).unwrap();
        assert!(matches!(decoded.get("n"), Some(FieldValue::Raw(raw)) if raw.expose() == b"1.50"));
        assert!(matches!(decoded.get("s"), Some(FieldValue::Text(text)) if text.expose() == b"1"));
    }

    proptest! {
        #[test]
        fn decoding_gives_back_what_was_encoded(pairs in proptest::collection::btree_map(".{0,8}", ".{0,20}", 0..6)) {
            let pairs: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            let stored = encode(&Document::Fields(fields(&pairs))).unwrap();
            let decoded = decode_fields(&stored).unwrap();
            let back: Vec<(&str, &str)> =
                decoded.iter().map(|(name, value)| (name, value.value().expose_text().unwrap())).collect();
            prop_assert_eq!(back, pairs);
        }
    }
}
