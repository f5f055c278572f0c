//! What is stored as the one value of a secret: text.

use seed_core::backend::Kind;
use seed_core::document::{self, Document, Fields, ShapeError};
use seed_core::name::SecretName;
use seed_core::secret::SecretValue;
use seed_provider::{Error, ErrorKind, Operation, Result, WantedShape};

/// Writes a document down, or says why it cannot be stored.
pub(crate) fn encode(
    operation: Operation,
    name: &SecretName,
    document: &Document,
) -> Result<SecretValue> {
    let value = document::encode(document).map_err(|err| of_shape(err, operation, name))?;
    checked(operation, name, value)
}

/// Adds fields and keeps every other byte.
pub(crate) fn grown(
    operation: Operation,
    name: &SecretName,
    stored: &SecretValue,
    new: &Fields,
) -> Result<SecretValue> {
    let value = document::splice(stored, new).map_err(|err| of_shape(err, operation, name))?;
    checked(operation, name, value)
}

pub(crate) fn decode(
    operation: Operation,
    name: &SecretName,
    stored: SecretValue,
    shape: WantedShape,
) -> Result<Document> {
    match shape {
        WantedShape::Single => Ok(Document::Single(stored)),
        WantedShape::Fields => document::decode_fields(&stored)
            .map(Document::Fields)
            .map_err(|err| of_shape(err, operation, name)),
    }
}

fn checked(operation: Operation, name: &SecretName, value: SecretValue) -> Result<SecretValue> {
    let invalid = |message| Err(Error::new(ErrorKind::Invalid, operation, message).about(name));
    if value.expose_text().is_none() {
        return invalid("Key Vault keeps text only, and the value is not UTF-8");
    }
    if value.len() > Kind::AzureKv.rule().max_bytes {
        return invalid("the value is larger than the 25,600 bytes that Key Vault takes");
    }
    Ok(value)
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
