//! Between values and the documents that backends store.

use crate::backend::Kind;
use crate::document::{Document, FieldValue, Fields, encode};
use crate::name::ValueId;
use crate::resolve::{ResolvedEntry, ResolvedValue};
use crate::secret::SecretValue;
use crate::value::{decode_base64, encode_base64};

use super::fill::Values;

/// Why values cannot be stored. Holds nothing of any value but its length.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StoreError {
    /// The backend, or its reader, does not take an empty value.
    #[error("the value is empty, and {kind} does not store an empty one")]
    Empty {
        /// The backend.
        kind: Kind,
    },
    /// A value that belongs into the document is not there.
    #[error("`{0}` is not there")]
    Missing(ValueId),
    /// Bytes that are no text.
    #[error("`{id}` is not UTF-8 text, and {kind} stores only text here: give it `encode: base64`")]
    NotText {
        /// Which value.
        id: ValueId,
        /// The backend.
        kind: Kind,
    },
    /// Over the backend's limit.
    #[error("the entry has {bytes} bytes as it is stored; {kind} takes at most {max}")]
    TooLarge {
        /// Its size, encoded.
        bytes: usize,
        /// The backend.
        kind: Kind,
        /// The limit.
        max: usize,
    },
}

/// Why a value cannot be taken out of what is stored. Holds no value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReadBackError {
    /// The entry is there, but not the field.
    #[error("what is stored has no field `{0}`")]
    NoField(String),
    /// It should be base64.
    #[error("what is stored is not base64")]
    NotBase64,
    /// One value where several are declared, or the reverse.
    #[error("what is stored is not of the declared shape")]
    WrongShape,
}

/// Makes the document of a write that puts `ids` into an entry, in the contract's order.
///
/// On backends that keep a map the one value of an entry stands under its `value-key`.
pub fn document(
    entry: &ResolvedEntry,
    kind: Kind,
    ids: &[ValueId],
    values: &Values,
) -> Result<Document, StoreError> {
    let mut stored = Vec::new();
    for value in entry.values.iter().filter(|value| ids.contains(&value.id)) {
        let made = values.get(&value.id);
        let made = made.ok_or_else(|| StoreError::Missing(value.id.clone()))?;
        let field = value.id.field.as_ref();
        let field = field.or(kind.is_map().then_some(&entry.value_key));
        stored.push((field.cloned(), to_stored(value, kind, made)?));
    }
    let document = match stored.pop() {
        Some((None, value)) => Document::Single(value),
        last => {
            let fields = stored.into_iter().chain(last);
            Document::from_fields(fields.filter_map(|(field, value)| Some((field?, value))))
        }
    };
    refuse_size(kind, entry, &document)?;
    Ok(document)
}

/// The form in which a backend of this kind stores a value.
fn to_stored(
    value: &ResolvedValue,
    kind: Kind,
    made: &SecretValue,
) -> Result<SecretValue, StoreError> {
    if value.is_stored_base64(kind) {
        return Ok(encode_base64(made.expose()));
    }
    let binary = match &value.id.field {
        // A local store is no store of External Secrets Operator: it keeps every byte.
        _ if kind == Kind::Local => true,
        Some(_) => kind.stores_binary_fields(),
        None => kind.stores_binary(),
    };
    if made.expose_text().is_none() && !binary {
        let id = value.id.clone();
        return Err(StoreError::NotText { id, kind });
    }
    Ok(made.duplicate())
}

fn refuse_size(kind: Kind, entry: &ResolvedEntry, document: &Document) -> Result<(), StoreError> {
    let bytes = match document {
        Document::Single(value) if value.is_empty() && !kind.stores_empty() => {
            return Err(StoreError::Empty { kind });
        }
        Document::Single(value) => value.len(),
        Document::Fields(fields) => match kind {
            Kind::AwsSm | Kind::AzureKv | Kind::Gcpsm => match encode(document) {
                Ok(text) => text.len(),
                Err(_) => return Err(not_text(entry, kind)),
            },
            Kind::Kubernetes | Kind::Local | Kind::Vault => native_size(fields),
        },
    };
    match kind.rule().max_bytes {
        max if bytes > max => Err(StoreError::TooLarge { bytes, kind, max }),
        _ => Ok(()),
    }
}

fn not_text(entry: &ResolvedEntry, kind: Kind) -> StoreError {
    let id = ValueId::single(entry.key.clone());
    StoreError::NotText { id, kind }
}

fn native_size(fields: &Fields) -> usize {
    let size = |(name, value): (&str, &FieldValue)| name.len() + value.value().len();
    fields.iter().map(size).sum()
}

/// Takes a value out of what is stored, base64 decoded, so that others can be made from it.
///
/// A field that somebody stored as a number, a boolean or an object gives its JSON text.
pub fn read_back(
    entry: &ResolvedEntry,
    value: &ResolvedValue,
    kind: Kind,
    document: &Document,
) -> Result<SecretValue, ReadBackError> {
    let field = value.id.field.as_ref();
    let field = field.or(kind.is_map().then_some(&entry.value_key));
    let stored = match (document, field) {
        (Document::Single(value), None) => value,
        (Document::Fields(fields), Some(name)) => fields
            .get(name.as_str())
            .ok_or_else(|| ReadBackError::NoField(name.to_string()))?
            .value(),
        (Document::Fields(_), None) | (Document::Single(_), Some(_)) => {
            return Err(ReadBackError::WrongShape);
        }
    };
    if value.is_stored_base64(kind) {
        decode_base64(stored.expose()).ok_or(ReadBackError::NotBase64)
    } else {
        Ok(stored.duplicate())
    }
}
