//! What a person should know about how calls were made.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Sentences, each told once.
#[derive(Debug, Default)]
pub(crate) struct Notes(Mutex<BTreeSet<String>>);

impl Notes {
    pub(crate) fn tell(&self, sentence: impl Into<String>) {
        self.told().insert(sentence.into());
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.told().iter().cloned().collect()
    }

    fn told(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
