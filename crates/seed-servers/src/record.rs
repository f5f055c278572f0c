//! What a server itself tells of the requests that it served.

use std::fmt;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// A server's own record of what it was asked.
pub trait Record: fmt::Debug {
    /// The requests that it served since the record was begun, in their order.
    fn served(&self) -> Result<Vec<Served>, String>;

    /// The record as it is stored, where no value should stand in it.
    fn text(&self) -> Result<Option<String>, String>;
}

/// One request, as the server has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Served {
    /// What was done, in the server's own word, such as `update` or `CreateSecret`.
    pub verb: String,
    /// To what, where the verb does not say it all.
    pub path: String,
    /// Whether it could change what is stored.
    pub writes: bool,
}

/// Reads a record that has one JSON object a line.
pub(crate) fn lines(text: &str) -> Result<Vec<Value>, String> {
    let lines = text.lines().map(serde_json::from_str);
    lines
        .collect::<Result<_, _>>()
        .map_err(|err| format!("a record that is no JSON: {err}"))
}

/// Reads the file of a record.
pub(crate) fn file(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|err| format!("{}: {err}", path.display()))
}

/// A member's text, or nothing.
pub(crate) fn text(object: &Value, pointer: &str) -> String {
    let text = object.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}
