//! What was seen in a backend: names, versions and field names, never a value.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::name::{FieldName, SecretName};

/// An opaque token of a stored state. Only ever compared, and handed back as the expected one.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version(String);

impl Version {
    /// Wraps a backend's own token.
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// The backend's own token.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How closely to look.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Depth {
    /// Only whether something of that name exists, in the fewest calls.
    Quick,
    /// Whether it can be read by a consumer, without reading any value.
    Metadata,
    /// Also which fields there are, reading the entry where the backend keeps them in one value.
    Fields,
}

/// One entry to look up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wanted {
    /// The stored name.
    pub name: SecretName,
    /// The declared fields; empty for an entry with one value.
    pub fields: Vec<FieldName>,
    /// How closely to look.
    pub depth: Depth,
}

/// What is under a name. Absence is only ever the backend's own word for it; an error is [`Presence::Unknown`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Presence {
    /// The backend said so in its own words.
    Absent,
    /// Deleted, and the name is held; `until` is when it can no longer be recovered, as the backend words it.
    Deleted {
        /// When recovery ends, where the backend says.
        until: Option<String>,
    },
    /// There, but switched off, expired, or with all its versions destroyed.
    Disabled {
        /// The backend's reason, in a few words.
        reason: String,
    },
    /// A container without a first version.
    Empty {
        /// The container's own version, for a compare-and-swap.
        version: Version,
    },
    /// Something of that name exists; nobody looked further ([`Depth::Quick`]).
    Exists,
    /// We are not allowed to look. Never taken for absent.
    Hidden {
        /// What was denied, in a few words.
        reason: String,
    },
    /// There, and a consumer could read it.
    Present {
        /// The current version.
        version: Version,
        /// Whether it is one value or several.
        shape: Shape,
    },
    /// The look-up failed. Never taken for absent.
    Unknown {
        /// What failed, in a few words.
        reason: String,
    },
}

/// Whether an entry is one value or several.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Shape {
    /// Several values; these are the names that exist.
    Fields(BTreeSet<String>),
    /// The backend cannot tell without reading the value, and it was not read.
    NotRead,
    /// One value.
    Single,
}

/// The answers for a set of names. A name that was never asked for has no answer at all, which is not absence.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Inventory(BTreeMap<SecretName, Presence>);

impl Inventory {
    /// Starts with no answer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records the answer for a name.
    pub fn insert(&mut self, name: SecretName, presence: Presence) {
        self.0.insert(name, presence);
    }

    /// The answer for a name, or `None` when nobody asked.
    pub fn get(&self, name: &SecretName) -> Option<&Presence> {
        self.0.get(name)
    }

    /// All answers, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&SecretName, &Presence)> {
        self.0.iter()
    }
}

impl FromIterator<(SecretName, Presence)> for Inventory {
    fn from_iter<I: IntoIterator<Item = (SecretName, Presence)>>(answers: I) -> Self {
        Self(answers.into_iter().collect())
    }
}
