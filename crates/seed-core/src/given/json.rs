//! Values in JSON.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::file::{Content, Fault, Pair, Place};
use crate::secret::SecretValue;

pub(super) fn parse(text: &str) -> Result<Vec<Pair>, Fault> {
    let start = text.len() - text.trim_start().len();
    if !text.trim_start().starts_with('{') {
        return Err(Fault::at(
            Place::of(text, start),
            "a file with values is an object from keys to texts: `{\"key\": \"value\"}`",
        ));
    }
    members(text, text)
}

/// The members of an object that is a part of the whole text, or all of it.
fn members(whole: &str, part: &str) -> Result<Vec<Pair>, Fault> {
    let object: Object<'_> = serde_json::from_str(part).map_err(|err| broken(whole, part, &err))?;
    object
        .0
        .into_iter()
        .map(|(key, raw)| {
            let raw = raw.get();
            let content = match raw.as_bytes().first() {
                Some(b'"') => match serde_json::from_str::<String>(raw) {
                    Ok(text) => Content::Value(SecretValue::from(text)),
                    Err(err) => return Err(broken(whole, raw, &err)),
                },
                Some(b'{') => Content::Nested(members(whole, raw)?),
                Some(b'[') => Content::Other("a list"),
                Some(b't' | b'f') => Content::Other("a boolean"),
                Some(b'n') | None => Content::Other("null"),
                Some(_) => Content::Other("a number"),
            };
            Ok(Pair {
                key,
                place: Place::of(whole, offset(whole, raw)),
                content,
            })
        })
        .collect()
}

/// The parser's words for broken syntax hold nothing of the text; they are cut before its own place.
fn broken(whole: &str, part: &str, err: &serde_json::Error) -> Fault {
    let words = err.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    let start = Place::of(whole, offset(whole, part));
    let column = if err.line() > 1 { 1 } else { start.column };
    let place = Place {
        line: start.line + err.line().saturating_sub(1),
        column: column + err.column().saturating_sub(1),
    };
    Fault::at(place, format!("the JSON is broken: {words}"))
}

/// Where a part of a text begins in it.
fn offset(whole: &str, part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(whole.as_ptr().addr())
}

/// Members as they are written: none is lost when a key stands there twice.
struct Object<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}
