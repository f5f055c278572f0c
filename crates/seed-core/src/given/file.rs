//! From the bytes of a file to values by their keys.

use std::collections::BTreeMap;
use std::fmt;

use super::format::Format;
use super::keys::{KeyError, Keys};
use super::{dotenv, json, yaml};
use crate::name::ValueId;
use crate::secret::SecretValue;

/// Where something stands in a file with values.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

/// What is wrong with a file with values. Holds nothing that stands in the file, but names that the contract has too.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// Where, when it is not the file as a whole.
    pub place: Option<Place>,
    /// A lower-case fragment.
    pub reason: String,
}

/// A value that stands in a file.
#[derive(Debug)]
pub struct Found {
    /// Whose it is.
    pub id: ValueId,
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub value: SecretValue,
}

/// A name and what stands behind it, whatever the format.
pub(super) struct Pair {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) content: Content,
}

/// What stands behind a name.
pub(super) enum Content {
    /// The fields of an entry.
    Nested(Vec<Pair>),
    /// Text.
    Value(SecretValue),
    /// Something that is no text, as messages call it.
    Other(&'static str),
}

/// Reads a file with values; `None` lets the text say its format.
///
/// Everything that is wrong with it is told at once. Values that are not wrong are given all the same: whether anything is
/// done with them is the caller's to decide.
pub fn read_values(
    bytes: &[u8],
    format: Option<Format>,
    keys: &Keys<'_>,
) -> (Vec<Found>, Vec<Fault>) {
    let pairs = text_of(bytes).and_then(|text| {
        let format = format.unwrap_or_else(|| Format::of_text(text));
        match format {
            Format::Dotenv => Ok((format, dotenv::parse(text))),
            Format::Json => Ok((format, (json::parse(text)?, Vec::new()))),
            Format::Yaml => Ok((format, (yaml::parse(text)?, Vec::new()))),
        }
    });
    let (format, (pairs, faults)) = match pairs {
        Ok(read) => read,
        Err(fault) => return (Vec::new(), vec![fault]),
    };
    let mut reader = Reader {
        keys,
        variables: format == Format::Dotenv,
        found: Vec::new(),
        faults,
        places: BTreeMap::new(),
        entries: BTreeMap::new(),
    };
    for pair in pairs {
        reader.pair(pair);
    }
    reader.faults.sort_by_key(|fault| fault.place);
    (reader.found, reader.faults)
}

/// The text without a byte order mark.
fn text_of(bytes: &[u8]) -> Result<&str, Fault> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Fault::whole("it is UTF-16 text; save it as UTF-8"));
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => match text.find('\0') {
            Some(at) => Err(Fault::at(
                Place::of(text, at),
                "there is a NUL character, which no text has",
            )),
            None => Ok(text),
        },
        Err(err) => {
            let before = bytes.get(..err.valid_up_to()).unwrap_or_default();
            let before = std::str::from_utf8(before).unwrap_or_default();
            let place = Place::of(before, before.len());
            Err(Fault::at(
                place,
                "it is not UTF-8 text; a binary value can be given in the file that `provide.file` names",
            ))
        }
    }
}

struct Reader<'k> {
    keys: &'k Keys<'k>,
    /// Names are those of variables.
    variables: bool,
    found: Vec<Found>,
    faults: Vec<Fault>,
    /// Where each value was first given.
    places: BTreeMap<ValueId, Place>,
    /// Where each entry was first written, and whether nested.
    entries: BTreeMap<String, (Place, bool)>,
}

impl Reader<'_> {
    fn pair(&mut self, pair: Pair) {
        let Pair {
            key,
            place,
            content,
        } = pair;
        match content {
            Content::Nested(fields) => self.nested(&key, place, fields),
            Content::Other(what) => {
                let id = self.keys.by_key(&key);
                self.refuse_other(id, place, what);
            }
            Content::Value(value) => {
                let id = if self.variables {
                    self.keys.by_variable(&key)
                } else {
                    self.keys.by_key(&key)
                };
                let mixed = key
                    .split_once('#')
                    .is_some_and(|(entry, _)| self.mixed(entry, place, false));
                if !mixed {
                    self.take(id, place, value);
                }
            }
        }
    }

    fn nested(&mut self, entry: &str, place: Place, fields: Vec<Pair>) {
        if self.mixed(entry, place, true) {
            return;
        }
        if fields.is_empty() {
            self.fault(place, "there is nothing in this mapping");
        }
        for field in fields {
            let id = self.keys.by_field(entry, &field.key);
            match field.content {
                Content::Nested(_) => self.refuse_other(id, field.place, "a mapping"),
                Content::Other(what) => self.refuse_other(id, field.place, what),
                Content::Value(value) => self.take(id, field.place, value),
            }
        }
    }

    /// Whether an entry is written in both ways, which is refused: one of them is probably left over.
    fn mixed(&mut self, entry: &str, place: Place, nested: bool) -> bool {
        let (first, as_before) = *self
            .entries
            .entry(entry.to_owned())
            .or_insert((place, nested));
        if as_before == nested {
            return false;
        }
        self.fault(
            place,
            format!("this entry is written both nested and as `entry#field`, first at {first}"),
        );
        true
    }

    fn take(&mut self, id: Result<ValueId, KeyError>, place: Place, value: SecretValue) {
        let id = match id {
            Ok(id) => id,
            Err(err) => return self.fault(place, err.to_string()),
        };
        if let Some(first) = self.places.get(&id) {
            let reason = format!("`{id}` is written twice, first at {first}");
            return self.fault(place, reason);
        }
        if value.expose().contains(&0) {
            let reason = format!("the value of `{id}` has a NUL character, which no text has");
            return self.fault(place, reason);
        }
        self.places.insert(id.clone(), place);
        self.found.push(Found { id, place, value });
    }

    fn refuse_other(&mut self, id: Result<ValueId, KeyError>, place: Place, what: &str) {
        let reason = match id {
            Err(err) => err.to_string(),
            Ok(id) => {
                let quotes = if matches!(what, "a list" | "a mapping") {
                    ""
                } else {
                    "; put it in quotes, so that it stays as it is written"
                };
                format!("`{id}` is {what} here, and text is wanted{quotes}")
            }
        };
        self.fault(place, reason);
    }

    fn fault(&mut self, place: Place, reason: impl Into<String>) {
        self.faults.push(Fault::at(place, reason));
    }
}

impl Fault {
    pub(super) fn at(place: Place, reason: impl Into<String>) -> Self {
        Self {
            place: Some(place),
            reason: reason.into(),
        }
    }

    pub(super) fn whole(reason: impl Into<String>) -> Self {
        Self {
            place: None,
            reason: reason.into(),
        }
    }
}

impl Place {
    /// The place of a byte in a text.
    pub(super) fn of(text: &str, at: usize) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let last = before.rsplit('\n').next().unwrap_or_default();
        Self {
            line: before.matches('\n').count() + 1,
            column: last.chars().count() + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
