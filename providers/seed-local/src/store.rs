//! The content of a store: how it is written, and what may happen to it.
//!
//! The decrypted text is lines of JSON. The first names the format; each further one is an entry, by name:
//!
//! ```json
//! {"seed-local":1}
//! {"name":"api-key","labels":{"managed-by":"seed"},"versions":[{"single":"dmFsdWU="}]}
//! ```
//!
//! A version is known by its place in the list, from 1. Lines that nobody asks for are not decoded, and are written
//! again as they are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use seed_core::backend::Kind;
use seed_core::document::{Document, Fields};
use seed_core::inventory::{Presence, Version};
use seed_core::name::SecretName;
use seed_provider::{Error, ErrorKind, Marks, Operation, Result, Stored, WantedShape};
use serde::{Deserialize, Serialize};

use crate::entry::{Content, Entry};

/// Why a text is not the content of a store. Holds none of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ContentError {
    /// It is not what any version of ours writes.
    Corrupt,
    /// It is of another version.
    UnknownFormat(u32),
}

/// All entries of a store, most of them still text.
pub(crate) struct Book<'a> {
    entries: BTreeMap<Cow<'a, str>, Slot<'a>>,
    changed: bool,
}

enum Slot<'a> {
    Changed(Entry<'a>),
    Kept(&'a str),
}

impl<'a> Book<'a> {
    /// Starts without an entry.
    pub(crate) fn empty() -> Self {
        Self {
            entries: BTreeMap::new(),
            changed: false,
        }
    }

    /// Reads the decrypted text.
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, ContentError> {
        let text = std::str::from_utf8(text).map_err(|_| ContentError::Corrupt)?;
        let mut lines = text.split_terminator('\n');
        let head: Head = parse(lines.next().unwrap_or_default())?;
        if head.format != FORMAT {
            return Err(ContentError::UnknownFormat(head.format));
        }
        let mut book = Self::empty();
        for line in lines {
            let title: Title<'a> = parse(line)?;
            if book.entries.insert(title.name, Slot::Kept(line)).is_some() {
                return Err(ContentError::Corrupt);
            }
        }
        Ok(book)
    }

    /// Writes the text, in pieces that are not kept.
    pub(crate) fn write(&self, mut out: impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut out, &Head { format: FORMAT })?;
        out.write_all(b"\n")?;
        for slot in self.entries.values() {
            match slot {
                Slot::Changed(entry) => serde_json::to_writer(&mut out, entry)?,
                Slot::Kept(line) => out.write_all(line.as_bytes())?,
            }
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Tells whether there is anything to write.
    pub(crate) fn is_changed(&self) -> bool {
        self.changed
    }

    /// What is under a name. All is known here, so it does not matter how closely one looks.
    pub(crate) fn presence(&self, name: &SecretName) -> Presence {
        match self.find(Operation::Inventory, name) {
            Ok(None) => Presence::Absent,
            Ok(Some(entry)) => entry.presence(),
            Err(err) => Presence::Unknown {
                reason: err.message().to_owned(),
            },
        }
    }

    /// Reads one version, or the current one.
    pub(crate) fn read(
        &self,
        operation: Operation,
        name: &SecretName,
        version: Option<&Version>,
        shape: WantedShape,
    ) -> Result<Stored> {
        let entry = self.existing(operation, name)?;
        let version = version.cloned().unwrap_or_else(|| entry.version());
        let content = entry.at(&version).ok_or_else(|| {
            let message = "no such version is kept";
            Error::new(ErrorKind::NotFound, operation, message).about(name)
        })?;
        // What cannot be decoded is not absent.
        let document = content.decode().ok_or_else(|| corrupt(operation, name))?;
        let message = match (&document, shape) {
            (Document::Fields(_), WantedShape::Fields)
            | (Document::Single(_), WantedShape::Single) => {
                return Ok(Stored { document, version });
            }
            (Document::Fields(_), WantedShape::Single) => "several values are stored, not one",
            (Document::Single(_), WantedShape::Fields) => "one value is stored, not several",
        };
        Err(Error::new(ErrorKind::WrongShape, operation, message).about(name))
    }

    /// Adds an entry, if there is none of that name.
    pub(crate) fn create(
        &mut self,
        name: &SecretName,
        document: &Document,
        marks: &Marks,
    ) -> Result<Version> {
        let operation = Operation::Create;
        if self.entries.contains_key(name.as_str()) {
            let message = "something of that name exists";
            return Err(Error::new(ErrorKind::AlreadyExists, operation, message).about(name));
        }
        check(operation, name, document)?;
        let entry = Entry::new(name, document, marks);
        let version = entry.version();
        self.put(entry);
        Ok(version)
    }

    /// Adds fields to the current version of an entry, as a new version.
    pub(crate) fn add_fields(
        &mut self,
        name: &SecretName,
        new: &Fields,
        expected: &Version,
    ) -> Result<Version> {
        let operation = Operation::AddFields;
        let error = |kind, message: &'static str| Error::new(kind, operation, message).about(name);
        let mut entry = self.unchanged(operation, name, expected)?;
        let current = entry.at(expected).and_then(Content::decode);
        let mut fields = match current.ok_or_else(|| corrupt(operation, name))? {
            Document::Fields(fields) => fields,
            Document::Single(_) => {
                return Err(error(ErrorKind::WrongShape, "it has no fields to add to"));
            }
        };
        for (field, value) in new.iter() {
            if !fields.insert(field, value.duplicate()) {
                return Err(error(
                    ErrorKind::AlreadyExists,
                    "one of the fields exists; nothing was added",
                ));
            }
        }
        let document = Document::Fields(fields);
        check(operation, name, &document)?;
        let version = entry.push(&document);
        self.put(entry);
        Ok(version)
    }

    /// Adds a new version of an entry.
    pub(crate) fn replace(
        &mut self,
        name: &SecretName,
        document: &Document,
        expected: &Version,
    ) -> Result<Version> {
        let mut entry = self.unchanged(Operation::Replace, name, expected)?;
        check(Operation::Replace, name, document)?;
        let version = entry.push(document);
        self.put(entry);
        Ok(version)
    }

    fn put(&mut self, entry: Entry<'a>) {
        self.changed = true;
        self.entries
            .insert(entry.name.clone(), Slot::Changed(entry));
    }

    fn unchanged(
        &self,
        operation: Operation,
        name: &SecretName,
        expected: &Version,
    ) -> Result<Entry<'a>> {
        let entry = self.existing(operation, name)?;
        if entry.version() != *expected {
            let message = "it was changed meanwhile";
            return Err(Error::new(ErrorKind::Conflict, operation, message).about(name));
        }
        Ok(entry)
    }

    fn existing(&self, operation: Operation, name: &SecretName) -> Result<Entry<'a>> {
        self.find(operation, name)?.ok_or_else(|| {
            let message = "nothing is stored under that name";
            Error::new(ErrorKind::NotFound, operation, message).about(name)
        })
    }

    fn find(&self, operation: Operation, name: &SecretName) -> Result<Option<Entry<'a>>> {
        match self.entries.get(name.as_str()) {
            None => Ok(None),
            Some(Slot::Changed(entry)) => Ok(Some(entry.clone())),
            Some(Slot::Kept(line)) => match parse::<Entry<'a>>(line) {
                Ok(entry) if entry.has_versions() => Ok(Some(entry)),
                Ok(_) | Err(_) => Err(corrupt(operation, name)),
            },
        }
    }
}

/// Checks that a document fits into an entry.
pub(crate) fn check(operation: Operation, name: &SecretName, document: &Document) -> Result<()> {
    let invalid = |message: String| Error::new(ErrorKind::Invalid, operation, message).about(name);
    let largest = Kind::Local.rule().max_bytes;
    let size = size(document);
    if size > largest {
        return Err(invalid(format!(
            "it has {size} bytes, and the store takes at most {largest}"
        )));
    }
    Ok(())
}

/// The bytes of an entry: its values, and the names of its fields.
fn size(document: &Document) -> usize {
    match document {
        Document::Single(value) => value.len(),
        Document::Fields(fields) => fields
            .iter()
            .map(|(name, value)| name.len() + value.value().len())
            .sum(),
    }
}

fn corrupt(operation: Operation, name: &SecretName) -> Error {
    let message = "what the store has under that name cannot be understood";
    Error::new(ErrorKind::Unexpected, operation, message).about(name)
}

/// Reads one line. What is wrong with it is not told: the text of such errors may quote the line.
fn parse<'a, T: Deserialize<'a>>(line: &'a str) -> Result<T, ContentError> {
    serde_json::from_str(line).map_err(|_| ContentError::Corrupt)
}

/// The first line.
#[derive(Deserialize, Serialize)]
struct Head {
    #[serde(rename = "seed-local")]
    format: u32,
}

/// Only what is needed to find an entry.
#[derive(Deserialize)]
struct Title<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

/// The format that is written, and the only one that is read.
pub(crate) const FORMAT: u32 = 1;

#[cfg(test)]
mod tests {
    use seed_core::document::FieldValue;

    use super::*;

    fn name(name: &str) -> SecretName {
        Kind::Local.existing_name(name).unwrap()
    }

    fn single(text: &str) -> Document {
        Document::Single(text.to_owned().into())
    }

    fn fields(pairs: &[(&str, FieldValue)]) -> Fields {
        let mut fields = Fields::new();
        for (name, value) in pairs {
            assert!(fields.insert(*name, value.duplicate()));
        }
        fields
    }

    fn text(value: &str) -> FieldValue {
        FieldValue::Text(value.to_owned().into())
    }

    fn written(book: &Book<'_>) -> String {
        let mut text = Vec::new();
        book.write(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn the_format_is_as_documented() {
        let mut book = Book::empty();
        let marks = Marks::of("test");
        book.create(&name("b/key"), &single("value"), &marks)
            .unwrap();
        let raw = FieldValue::Raw("1.50".to_owned().into());
        let document = Document::Fields(fields(&[("n", raw)]));
        let first = book.create(&name("a"), &document, &marks).unwrap();
        let more = fields(&[("t", text("x"))]);
        book.add_fields(&name("a"), &more, &first).unwrap();
        let labels = r#""labels":{"managed-by":"seed","seed-contract":"test"}"#;
        let number = r#"{"name":"n","form":"json","value":"MS41MA=="}"#;
        let added = r#"{"name":"t","form":"text","value":"eA=="}"#;
        assert_eq!(
            written(&book),
            format!(
                "{{\"seed-local\":1}}\n\
                 {{\"name\":\"a\",{labels},\"versions\":[{{\"fields\":[{number}]}},{{\"fields\":[{number},{added}]}}]}}\n\
                 {{\"name\":\"b/key\",{labels},\"versions\":[{{\"single\":\"dmFsdWU=\"}}]}}\n"
            )
        );
    }

    #[test]
    fn what_is_read_and_not_touched_is_written_as_it_was() {
        let text = "{\"seed-local\":1}\n{ \"name\":\"a\", \"of-a-later-version\": true }\n";
        let mut book = Book::parse(text.as_bytes()).unwrap();
        assert!(!book.is_changed());
        assert_eq!(written(&book), text);
        book.create(&name("b"), &single("v"), &Marks::of("t"))
            .unwrap();
        assert!(book.is_changed());
        assert!(written(&book).starts_with(text));
        assert!(matches!(
            book.presence(&name("a")),
            Presence::Unknown { .. }
        ));
    }

    #[test]
    fn a_refused_change_leaves_nothing_to_write() {
        let stored = {
            let mut book = Book::empty();
            book.create(&name("a"), &single("first"), &Marks::of("t"))
                .unwrap();
            written(&book)
        };
        let mut book = Book::parse(stored.as_bytes()).unwrap();
        let kind = |result: Result<Version>| result.unwrap_err().kind();
        let again = book.create(&name("a"), &single("first"), &Marks::of("t"));
        assert_eq!(kind(again), ErrorKind::AlreadyExists);
        let stale = book.replace(&name("a"), &single("second"), &Version::new("2"));
        assert_eq!(kind(stale), ErrorKind::Conflict);
        let new = fields(&[("f", text("v"))]);
        let shape = book.add_fields(&name("a"), &new, &Version::new("1"));
        assert_eq!(kind(shape), ErrorKind::WrongShape);
        assert!(!book.is_changed());
    }

    #[test]
    fn an_entry_that_cannot_be_decoded_is_never_taken_for_absent() {
        for versions in [
            r#"[{"single":"%%%"}]"#,
            r#"[{"fields":[{"name":"a","form":"text","value":"%"}]}]"#,
            r#"[{"other":"dg=="}]"#,
            "[]",
        ] {
            let text = format!(
                "{{\"seed-local\":1}}\n{{\"name\":\"a\",\"labels\":{{}},\"versions\":{versions}}}\n"
            );
            let mut book = Book::parse(text.as_bytes()).unwrap();
            for shape in [WantedShape::Single, WantedShape::Fields] {
                let read = book.read(Operation::Read, &name("a"), None, shape);
                assert_eq!(
                    read.unwrap_err().kind(),
                    ErrorKind::Unexpected,
                    "{versions}"
                );
            }
            let created = book.create(&name("a"), &single("v"), &Marks::of("t"));
            assert_eq!(created.unwrap_err().kind(), ErrorKind::AlreadyExists);
            assert_ne!(book.presence(&name("a")), Presence::Absent);
        }
    }

    #[test]
    fn changes_of_one_batch_see_each_other() {
        let mut book = Book::empty();
        let first = book
            .create(&name("a"), &single("1"), &Marks::of("t"))
            .unwrap();
        let second = book.replace(&name("a"), &single("2"), &first).unwrap();
        let refused = book.replace(&name("a"), &single("3"), &first);
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Conflict);
        for (version, text) in [(&first, "1"), (&second, "2")] {
            let shape = WantedShape::Single;
            let read = book.read(Operation::ReadVersion, &name("a"), Some(version), shape);
            let stored = read.unwrap().document;
            assert!(matches!(stored, Document::Single(v) if v.expose() == text.as_bytes()));
        }
    }

    #[test]
    fn what_is_no_store_is_never_taken_for_an_empty_one() {
        let corrupt = Some(ContentError::Corrupt);
        for (text, error) in [
            ("", corrupt),
            ("\n", corrupt),
            ("{}\n", corrupt),
            ("{\"seed-local\":1}\nplain\n", corrupt),
            (
                "{\"seed-local\":1}\n{\"name\":\"a\"}\n{\"name\":\"a\"}\n",
                corrupt,
            ),
            ("{\"seed-local\":1}\n\n", corrupt),
            (
                "{\"seed-local\":2}\nplain\n",
                Some(ContentError::UnknownFormat(2)),
            ),
            ("{\"seed-local\":1}\n", None),
        ] {
            assert_eq!(Book::parse(text.as_bytes()).err(), error, "{text:?}");
        }
        assert_eq!(Book::parse(b"\xff").err(), corrupt);
    }
}
