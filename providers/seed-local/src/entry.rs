//! One entry of a store, as it is written.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seed_core::document::{Document, FieldValue, Fields};
use seed_core::inventory::{Presence, Shape, Version};
use seed_core::name::SecretName;
use seed_core::secret::SecretValue;
use seed_provider::Marks;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// An entry with its labels and all its versions, which may still be parts of the text that was read.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    labels: BTreeMap<String, String>,
    #[serde(borrow)]
    versions: Vec<Content<'a>>,
}

impl Entry<'_> {
    pub(crate) fn new(name: &SecretName, document: &Document, marks: &Marks) -> Self {
        Self {
            name: Cow::Owned(name.as_str().to_owned()),
            labels: marks.to_labels(),
            versions: vec![Content::encode(document)],
        }
    }

    /// Adds a version, and tells which.
    pub(crate) fn push(&mut self, document: &Document) -> Version {
        self.versions.push(Content::encode(document));
        self.version()
    }

    /// Tells whether there is any version, as there must be.
    pub(crate) fn has_versions(&self) -> bool {
        !self.versions.is_empty()
    }

    /// The current version.
    pub(crate) fn version(&self) -> Version {
        Version::new(self.versions.len().to_string())
    }

    /// One version, if it is kept.
    pub(crate) fn at(&self, version: &Version) -> Option<&Content<'_>> {
        let place: usize = version.as_str().parse().ok()?;
        self.versions.get(place.checked_sub(1)?)
    }

    pub(crate) fn presence(&self) -> Presence {
        let Some(current) = self.versions.last() else {
            return Presence::Unknown {
                reason: "the store has no version of it".to_owned(),
            };
        };
        let shape = match current {
            Content::Single(_) => Shape::Single,
            Content::Fields(fields) => {
                Shape::Fields(fields.iter().map(|field| field.name.clone()).collect())
            }
        };
        Presence::Present {
            version: self.version(),
            shape,
        }
    }
}

/// What one version holds.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Content<'a> {
    #[serde(borrow)]
    Fields(Vec<Field<'a>>),
    #[serde(borrow)]
    Single(Coded<'a>),
}

impl Content<'_> {
    fn encode(document: &Document) -> Self {
        match document {
            Document::Single(value) => Self::Single(Coded::encode(value)),
            Document::Fields(fields) => {
                Self::Fields(fields.iter().map(|(n, v)| Field::encode(n, v)).collect())
            }
        }
    }

    /// Decodes it, or tells that what is written is not a document.
    pub(crate) fn decode(&self) -> Option<Document> {
        Some(match self {
            Self::Single(value) => Document::Single(value.decode()?),
            Self::Fields(stored) => {
                let mut fields = Fields::new();
                for field in stored {
                    if !fields.insert(field.name.as_str(), field.decode()?) {
                        return None;
                    }
                }
                Document::Fields(fields)
            }
        })
    }
}

/// One field of a version.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field<'a> {
    name: String,
    form: Form,
    #[serde(borrow)]
    value: Coded<'a>,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    /// JSON text that is no string.
    Json,
    Text,
}

impl Field<'_> {
    fn encode(name: &str, value: &FieldValue) -> Self {
        Self {
            name: name.to_owned(),
            form: match value {
                FieldValue::Raw(_) => Form::Json,
                FieldValue::Text(_) => Form::Text,
            },
            value: Coded::encode(value.value()),
        }
    }

    fn decode(&self) -> Option<FieldValue> {
        let value = self.value.decode()?;
        Some(match self.form {
            Form::Json => FieldValue::Raw(value),
            Form::Text => FieldValue::Text(value),
        })
    }
}

/// A value in base64: a part of the text that was read, or a text of its own that is wiped when dropped.
#[derive(Clone)]
pub(crate) enum Coded<'a> {
    Kept(&'a str),
    New(Zeroizing<String>),
}

impl Coded<'_> {
    fn encode(value: &SecretValue) -> Self {
        Self::New(Zeroizing::new(STANDARD.encode(value.expose())))
    }

    fn decode(&self) -> Option<SecretValue> {
        STANDARD.decode(self.text()).ok().map(SecretValue::new)
    }

    fn text(&self) -> &str {
        match self {
            Self::Kept(text) => text,
            Self::New(text) => text,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Coded<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Base64 has no character that JSON would escape, so it is always there as it is.
        <&str>::deserialize(deserializer).map(Self::Kept)
    }
}

impl Serialize for Coded<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}
