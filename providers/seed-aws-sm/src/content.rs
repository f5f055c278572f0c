//! What is stored as the one value of a secret: text where it is text, bytes otherwise.

use aws_smithy_types::Blob;
use seed_core::backend::Kind;
use seed_core::document::{self, Document, Fields, ShapeError};
use seed_core::name::SecretName;
use seed_core::secret::SecretValue;
use seed_provider::{Error, ErrorKind, Operation, Result, WantedShape};

/// A value in one of the two forms that the service keeps.
pub(crate) struct Content {
    pub(crate) value: SecretValue,
    binary: bool,
}

impl Content {
    /// Writes a document down, or says why it cannot be stored.
    pub(crate) fn of(operation: Operation, name: &SecretName, document: &Document) -> Result<Self> {
        let value = document::encode(document).map_err(|err| of_shape(err, operation, name))?;
        let binary = value.expose_text().is_none();
        checked(operation, name, Self { value, binary })
    }

    /// Takes what the service gave. `None` when it gave nothing.
    pub(crate) fn taken(text: Option<String>, binary: Option<Blob>) -> Option<Self> {
        match (text, binary) {
            (Some(text), _) => Some(Self {
                value: text.into(),
                binary: false,
            }),
            (None, Some(blob)) => Some(Self {
                value: SecretValue::new(blob.into_inner()),
                binary: true,
            }),
            (None, None) => None,
        }
    }

    pub(crate) fn read(
        self,
        operation: Operation,
        name: &SecretName,
        shape: WantedShape,
    ) -> Result<Document> {
        match shape {
            WantedShape::Single => Ok(Document::Single(self.value)),
            WantedShape::Fields => document::decode_fields(&self.value)
                .map(Document::Fields)
                .map_err(|err| of_shape(err, operation, name)),
        }
    }

    /// Adds fields and keeps every other byte.
    pub(crate) fn with(
        &self,
        operation: Operation,
        name: &SecretName,
        new: &Fields,
    ) -> Result<Self> {
        let value =
            document::splice(&self.value, new).map_err(|err| of_shape(err, operation, name))?;
        let binary = self.binary;
        checked(operation, name, Self { value, binary })
    }

    /// The text to send, if it is text.
    pub(crate) fn text(&self) -> Option<String> {
        let text = self.value.expose_text().filter(|_| !self.binary);
        text.map(str::to_owned)
    }

    /// The bytes to send, if it is no text.
    pub(crate) fn bytes(&self) -> Option<Blob> {
        let binary = self.binary || self.value.expose_text().is_none();
        binary.then(|| Blob::new(self.value.expose()))
    }
}

fn checked(operation: Operation, name: &SecretName, content: Content) -> Result<Content> {
    let invalid = |message| Err(Error::new(ErrorKind::Invalid, operation, message).about(name));
    match content.value.len() {
        0 => invalid("Secrets Manager takes no empty value"),
        length if length > Kind::AwsSm.rule().max_bytes => {
            invalid("the value is larger than the 65,536 bytes that Secrets Manager takes")
        }
        _ => Ok(content),
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
