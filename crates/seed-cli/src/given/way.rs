//! How a value was given, as people are told.

use std::fmt;

use seed_core::given::Place;

/// How a value was given. Holds nothing of the value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// `--values`.
    File {
        /// As it was named; `stdin` for `-`.
        path: String,
        /// Where in it.
        place: Place,
    },
    /// `--from-env`, with the variable.
    FromEnv(String),
    /// The contract's `provide.file`.
    ProvidedFile(String),
    /// `SEED_VALUE_…`.
    Variable(String),
}

impl Way {
    /// Whether it must be said that a value came this way, because nobody named it for this run.
    pub(super) fn is_said(&self) -> bool {
        match self {
            Self::File { .. } => false,
            Self::FromEnv(_) | Self::ProvidedFile(_) | Self::Variable(_) => true,
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, place } => write!(f, "{path}:{place}"),
            Self::FromEnv(name) => write!(f, "${name} (`--from-env`)"),
            Self::ProvidedFile(path) => write!(f, "`{path}` (`provide.file`)"),
            Self::Variable(name) => write!(f, "${name}"),
        }
    }
}
