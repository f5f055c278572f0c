//! Entries as KV version 2 keeps them: a JSON object, in which one value stands under `value`.

use std::collections::{BTreeMap, BTreeSet};

use seed_core::backend::Kind;
use seed_core::document::{self, Document, FieldValue, Fields};
use seed_core::secret::SecretValue;
use seed_provider::{Error, ErrorKind, WantedShape};
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::answer::Answer;
use crate::fault::Ask;

/// The field of one value, when nobody said which.
pub(crate) const VALUE: &str = "value";

/// What is under a name.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Seen {
    /// A current version that can be read, and the names of its fields.
    Live(u64, BTreeSet<String>),
    /// The current version is deleted, and can come back.
    Deleted(u64),
    /// The current version is gone for good.
    Destroyed(u64),
    /// No version at all, in the service's own words.
    Nothing,
}

#[derive(Deserialize)]
struct Metadata {
    version: u64,
    #[serde(default)]
    deletion_time: String,
    #[serde(default)]
    destroyed: bool,
}

#[derive(Deserialize)]
struct Read<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Subkeys {
    subkeys: Option<BTreeMap<String, Box<RawValue>>>,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Written {
    version: u64,
}

/// The object that a document becomes, or why it cannot.
pub(crate) fn object(ask: Ask<'_>, document: &Document) -> Result<SecretValue, Error> {
    let too_large = |bytes| bytes > Kind::Vault.rule().max_bytes;
    let encoded = match document {
        Document::Single(value) => {
            if too_large(value.len()) {
                return Err(ask.error(ErrorKind::Invalid, TOO_LARGE));
            }
            let mut one = Fields::new();
            let _new = one.insert(VALUE, FieldValue::Text(value.duplicate()));
            document::encode(&Document::Fields(one))
        }
        Document::Fields(fields) => {
            if too_large(size(fields)) {
                return Err(ask.error(ErrorKind::Invalid, TOO_LARGE));
            }
            document::encode(document)
        }
    };
    encoded.map_err(|_| ask.error(ErrorKind::Invalid, "Vault takes text only"))
}

/// How large some fields are, as limits count them.
pub(crate) fn size(fields: &Fields) -> usize {
    let one = |(name, value): (&str, &FieldValue)| name.len() + value.value().len();
    fields.iter().map(one).sum()
}

/// The body of a write that expects a version.
pub(crate) fn write(cas: u64, object: &SecretValue) -> Zeroizing<Vec<u8>> {
    let head = format!("{{\"options\":{{\"cas\":{cas}}},\"data\":");
    // Room for all of it: a buffer that grows leaves copies behind.
    let mut body = Vec::with_capacity(head.len() + object.len() + 1);
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(object.expose());
    body.push(b'}');
    Zeroizing::new(body)
}

/// The version that a write made.
pub(crate) fn written(answer: &Answer) -> Option<u64> {
    answer.data().map(|Written { version }| version)
}

/// The text of the object that was read, and its version.
pub(crate) fn read(answer: &Answer) -> Option<(SecretValue, u64)> {
    let read: Read<'_> = serde_json::from_str(answer.raw_data()?).ok()?;
    let text = read.data?.get();
    text.starts_with('{')
        .then(|| (text.to_owned().into(), read.metadata.version))
}

/// The text of an object as the document that is wanted.
pub(crate) fn decode(
    ask: Ask<'_>,
    object: &SecretValue,
    shape: WantedShape,
) -> Result<Document, Error> {
    let fields = document::decode_fields(object)
        .map_err(|_| ask.error(ErrorKind::Unexpected, "what is stored is no JSON object"))?;
    match shape {
        WantedShape::Fields => Ok(Document::Fields(fields)),
        WantedShape::Single => {
            let one = fields.get(VALUE).filter(|_| fields.len() == 1);
            let wrong = || {
                ask.error(
                    ErrorKind::WrongShape,
                    "what is stored is not one field `value`",
                )
            };
            Ok(Document::Single(one.ok_or_else(wrong)?.value().duplicate()))
        }
    }
}

/// What an answer to `subkeys`, or to a read, says is there. `None` when it says nothing of the kind.
pub(crate) fn seen(answer: &Answer) -> Option<Seen> {
    let raw = answer.raw_data()?;
    let (metadata, fields) = match serde_json::from_str::<Subkeys>(raw) {
        Ok(Subkeys { subkeys, metadata }) if subkeys.is_some() => {
            (metadata, subkeys.map(|names| names.into_keys().collect()))
        }
        Ok(_) | Err(_) => {
            let read: Read<'_> = serde_json::from_str(raw).ok()?;
            let names = read.data.filter(|data| data.get() != "null").map(|data| {
                let names = serde_json::from_str::<BTreeMap<String, &RawValue>>(data.get());
                names.map(|names| names.into_keys().collect())
            });
            (read.metadata, names.transpose().ok()?)
        }
    };
    let version = metadata.version;
    match (answer.status, fields) {
        (200, Some(fields)) => Some(Seen::Live(version, fields)),
        (404, None) if metadata.destroyed => Some(Seen::Destroyed(version)),
        (404, None) if !metadata.deletion_time.is_empty() => Some(Seen::Deleted(version)),
        (_, Some(_) | None) => None,
    }
}

pub(crate) const TOO_LARGE: &str = "the entry is larger than 1 MiB";
