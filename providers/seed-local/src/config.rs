//! Where the store is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a store and its identity are, and how long to wait for other processes.
#[derive(Clone)]
pub struct Config {
    pub(crate) file: PathBuf,
    pub(crate) identity: PathBuf,
    pub(crate) shown: String,
    pub(crate) patience: Duration,
}

impl Config {
    /// Takes the path of the store and that of the age identity that opens it. Neither needs to exist.
    ///
    /// A change waits up to 20 seconds for other processes that are writing.
    pub fn new(file: impl Into<PathBuf>, identity: impl Into<PathBuf>) -> Self {
        let file = file.into();
        Self {
            shown: file.display().to_string(),
            file,
            identity: identity.into(),
            patience: Duration::from_secs(20),
        }
    }

    /// Sets how people are shown the store's path, for instance as the contract has it.
    #[must_use]
    pub fn shown_as(mut self, path: impl Into<String>) -> Self {
        self.shown = path.into();
        self
    }

    /// Sets how long a change waits for other processes that are writing.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The path of the store.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The path of the identity.
    pub fn identity(&self) -> &Path {
        &self.identity
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("file", &self.file)
            .field("identity", &self.identity)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_is_an_allow_list() {
        assert_eq!(
            format!("{:?}", Config::new(".seed/dev.age", "id")),
            "Config { file: \".seed/dev.age\", identity: \"id\", patience: 20s, .. }"
        );
    }
}
