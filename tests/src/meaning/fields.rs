//! Reading objects so that nothing in them is passed over.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The fields of one object, with its place.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    /// None where there is no object; then there are no fields.
    map: Option<&'a Map<String, Value>>,
    path: &'a str,
}

impl<'a> Fields<'a> {
    /// Takes an object that has no other fields than `known`, or none at all.
    pub(crate) fn new(
        value: Option<&'a Value>,
        path: &'a str,
        known: &[&str],
    ) -> Result<Self, String> {
        let map = value.filter(|value| !value.is_null()).map(|value| {
            value
                .as_object()
                .ok_or_else(|| format!("`{path}` is not an object"))
        });
        let map = map.transpose()?;
        let mut names = map.into_iter().flat_map(Map::keys);
        match names.find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(format!("`{path}.{name}` has no meaning here")),
            None => Ok(Self { map, path }),
        }
    }

    /// Returns a field that is there and not null.
    pub(crate) fn value(&self, name: &str) -> Option<&'a Value> {
        self.map?.get(name).filter(|value| !value.is_null())
    }

    /// Returns a text, if it is there. Go takes an empty one for absent.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, String> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(other) => Err(format!("`{}.{name}` is not text: {other}", self.path)),
        }
    }

    /// Returns a text, or the default that the operator would take.
    pub(crate) fn text_or(&self, name: &str, default: &str) -> Result<String, String> {
        Ok(self.text(name)?.unwrap_or(default).to_owned())
    }

    /// Returns a text that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<String, String> {
        let text = self.text(name)?;
        text.map(str::to_owned)
            .ok_or_else(|| format!("`{}.{name}` is missing", self.path))
    }

    /// Returns the items of a list; none where it is absent.
    pub(crate) fn list(&self, name: &str) -> Result<&'a [Value], String> {
        match self.value(name) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(format!("`{}.{name}` is not a list", self.path)),
        }
    }

    /// Returns the entries of a map of texts; none where it is absent.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<(&'a str, &'a str)>, String> {
        let entries = match self.value(name) {
            None => return Ok(Vec::new()),
            Some(value) => value.as_object(),
        };
        let wrong = || format!("`{}.{name}` is not a map of texts", self.path);
        let texts = entries.ok_or_else(wrong)?.iter().map(|(key, value)| {
            value
                .as_str()
                .map(|value| (key.as_str(), value))
                .ok_or_else(wrong)
        });
        texts.collect()
    }
}

/// Returns the fields that are compared as they are written, but for written-out defaults.
pub(crate) fn as_written(places: [&Fields<'_>; 2], names: &[&str]) -> BTreeMap<String, Value> {
    let all = places.into_iter().flat_map(|fields| {
        let found = names
            .iter()
            .filter_map(|name| Some((*name, fields.value(name)?)));
        found.filter(|(_, value)| **value != Value::Array(Vec::new()))
    });
    all.map(|(name, value)| (name.to_owned(), without_defaults(value)))
        .collect()
}

fn without_defaults(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(without_defaults).collect(),
        Value::Object(fields) => {
            let is_default = |name: &str, value: &Value| {
                OPTIONS
                    .iter()
                    .any(|(option, default)| name == *option && value == default)
            };
            let kept = fields
                .iter()
                .filter(|(name, value)| !is_default(name, value));
            kept.map(|(name, value)| (name.clone(), without_defaults(value)))
                .collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// What a `remoteRef` may say beside key and property, and what it means to leave it out.
pub(crate) const OPTIONS: [(&str, &str); 5] = [
    ("conversionStrategy", "Default"),
    ("decodingStrategy", "None"),
    ("metadataPolicy", "None"),
    ("nullBytePolicy", "Ignore"),
    ("version", ""),
];
