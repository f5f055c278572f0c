//! What is stored as the bytes of a version.

use seed_core::backend::Kind;
use seed_core::document::{self, Document, Fields, ShapeError};
use seed_core::name::SecretName;
use seed_core::secret::SecretValue;
use seed_provider::{Error, ErrorKind, Operation, Result, WantedShape};

/// Writes a document down, or says why it cannot be stored.
pub(crate) fn written(
    operation: Operation,
    name: &SecretName,
    document: &Document,
) -> Result<SecretValue> {
    let value = document::encode(document).map_err(|err| of_shape(err, operation, name))?;
    checked(operation, name, value)
}

/// Takes what is stored for what the contract declares.
pub(crate) fn read(
    value: SecretValue,
    operation: Operation,
    name: &SecretName,
    shape: WantedShape,
) -> Result<Document> {
    match shape {
        WantedShape::Single => Ok(Document::Single(value)),
        WantedShape::Fields => document::decode_fields(&value)
            .map(Document::Fields)
            .map_err(|err| of_shape(err, operation, name)),
    }
}

/// Adds fields and keeps every other byte.
pub(crate) fn with(
    stored: &SecretValue,
    operation: Operation,
    name: &SecretName,
    new: &Fields,
) -> Result<SecretValue> {
    let value = document::splice(stored, new).map_err(|err| of_shape(err, operation, name))?;
    checked(operation, name, value)
}

fn checked(operation: Operation, name: &SecretName, value: SecretValue) -> Result<SecretValue> {
    let invalid = |message| Err(Error::new(ErrorKind::Invalid, operation, message).about(name));
    match value.len() {
        0 => invalid("Secret Manager takes no empty value"),
        length if length > Kind::Gcpsm.rule().max_bytes => {
            invalid("the value is larger than the 65,536 bytes that Secret Manager takes")
        }
        _ => Ok(value),
    }
}

fn of_shape(err: ShapeError, operation: Operation, name: &SecretName) -> Error {
    let (kind, message) = match err {
        ShapeError::Duplicate => (
            ErrorKind::WrongShape,
            "what is stored is not a set of fields",
        ),
        ShapeError::FieldExists => (ErrorKind::AlreadyExists, "nothing was added"),
        ShapeError::NotAnObject => (ErrorKind::WrongShape, "what is stored has no fields"),
        ShapeError::NotText => (ErrorKind::Invalid, "a field must be text there"),
    };
    Error::new(kind, operation, message)
        .about(name)
        .caused_by(err)
}
