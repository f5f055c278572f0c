//! How kinds of backend keep a document, and what they do not take.

use std::collections::BTreeSet;

use seed_core::backend::Kind;
use seed_core::document::{self, Document, Fields, ShapeError};
use seed_core::inventory::{Depth, Shape, Version, Wanted};
use seed_core::name::SecretName;
use seed_core::secret::SecretValue;

use crate::{Error, ErrorKind, Operation, Result, Stored, WantedShape};

/// A document as the kind of backend keeps it.
pub(super) enum Kept {
    Native(Document),
    Text(SecretValue),
}

impl Kept {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Native(Document::Single(value)) | Self::Text(value) => value.len(),
            Self::Native(Document::Fields(fields)) => fields
                .iter()
                .map(|(name, value)| name.len() + value.value().len())
                .sum(),
        }
    }

    pub(super) fn read(
        &self,
        operation: Operation,
        name: &SecretName,
        version: &Version,
        shape: WantedShape,
    ) -> Result<Stored> {
        let wrong = || {
            let message = match shape {
                WantedShape::Fields => "one value is stored, not several",
                WantedShape::Single => "several values are stored, not one",
            };
            Error::new(ErrorKind::WrongShape, operation, message).about(name)
        };
        let document = match (self, shape) {
            (Self::Text(text), WantedShape::Single) => Document::Single(text.duplicate()),
            (Self::Text(text), WantedShape::Fields) => Document::Fields(
                document::decode_fields(text).map_err(|err| wrong().caused_by(err))?,
            ),
            (Self::Native(Document::Single(value)), WantedShape::Single) => {
                Document::Single(value.duplicate())
            }
            (Self::Native(fields @ Document::Fields(_)), WantedShape::Fields) => fields.duplicate(),
            (Self::Native(_), WantedShape::Fields | WantedShape::Single) => return Err(wrong()),
        };
        let version = version.clone();
        Ok(Stored { document, version })
    }

    pub(super) fn shape(&self, wanted: &Wanted) -> Shape {
        let names = |fields: &Fields| {
            let names: BTreeSet<String> = fields.iter().map(|(name, _)| name.to_owned()).collect();
            Shape::Fields(names)
        };
        match self {
            Self::Native(Document::Fields(fields)) => names(fields),
            Self::Native(Document::Single(_)) => Shape::Single,
            // Any string is one value, so nobody needs to read it.
            Self::Text(_) if wanted.fields.is_empty() => Shape::Single,
            Self::Text(_) if wanted.depth != Depth::Fields => Shape::NotRead,
            Self::Text(text) => match document::decode_fields(text) {
                Ok(fields) => names(&fields),
                Err(_) => Shape::Single,
            },
        }
    }

    pub(super) fn with_fields(&self, new: &Fields) -> Result<Self, ShapeError> {
        Ok(match self {
            Self::Text(text) => Self::Text(document::splice(text, new)?),
            Self::Native(Document::Single(_)) => return Err(ShapeError::NotAnObject),
            Self::Native(Document::Fields(fields)) => {
                let mut grown = Fields::new();
                for (name, value) in fields.iter().chain(new.iter()) {
                    if !grown.insert(name, value.duplicate()) {
                        return Err(ShapeError::FieldExists);
                    }
                }
                Self::Native(Document::Fields(grown))
            }
        })
    }
}

pub(super) fn keeps_text(kind: Kind) -> bool {
    match kind {
        Kind::AwsSm | Kind::AzureKv | Kind::Gcpsm => true,
        Kind::Kubernetes | Kind::Local | Kind::Vault => false,
    }
}

pub(super) fn refuse_bytes(kind: Kind, document: &Document) -> Option<&'static str> {
    let not_text = |value: &SecretValue| value.expose_text().is_none();
    match document {
        Document::Single(value) if value.is_empty() && !kind.stores_empty() => {
            Some("the backend does not take an empty value")
        }
        Document::Single(value) if not_text(value) && !kind.stores_binary() => {
            Some("the backend takes text only")
        }
        Document::Fields(fields)
            if !kind.stores_binary_fields()
                && fields.iter().any(|(_, value)| not_text(value.value())) =>
        {
            Some("the backend takes text only in a field")
        }
        Document::Fields(_) | Document::Single(_) => None,
    }
}

pub(super) fn of_shape(err: ShapeError, operation: Operation, name: &SecretName) -> Error {
    let (kind, message) = match err {
        ShapeError::Duplicate => (
            ErrorKind::WrongShape,
            "what is stored is not a set of fields",
        ),
        ShapeError::FieldExists => (ErrorKind::AlreadyExists, "nothing was added"),
        ShapeError::NotAnObject => (ErrorKind::WrongShape, "it has no fields to add to"),
        ShapeError::NotText => (ErrorKind::Invalid, "the backend takes text only"),
    };
    Error::new(kind, operation, message).about(name)
}
