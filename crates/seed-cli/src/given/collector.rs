//! What was given so far, and what is wrong with it.

use std::collections::BTreeMap;

use seed_core::given::Keys;
use seed_core::name::ValueId;
use seed_core::resolve::Resolved;
use seed_core::secret::SecretValue;

use super::Way;
use crate::error::{CliError, Result};

/// Values by their keys, each given in one way.
#[derive(Debug)]
pub(super) struct Collector<'a> {
    pub(super) resolved: &'a Resolved,
    pub(super) keys: Keys<'a>,
    pub(super) given: BTreeMap<ValueId, (Way, SecretValue)>,
    wrong: Vec<String>,
    hints: Vec<String>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(resolved: &'a Resolved) -> Self {
        Self {
            resolved,
            keys: Keys::new(resolved),
            given: BTreeMap::new(),
            wrong: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// Takes a value, unless it was given in another way already.
    pub(super) fn take(&mut self, id: ValueId, way: Way, value: SecretValue) {
        if let Some((first, _)) = self.given.get(&id) {
            if *first != way {
                let message = format!("`{id}` is given twice: in {first}, and in {way}");
                self.refuse(message);
            }
            return;
        }
        self.given.insert(id, (way, value));
    }

    /// Records what is wrong; everything is told at once.
    pub(super) fn refuse(&mut self, message: impl Into<String>) {
        self.wrong.push(message.into());
    }

    /// Records what to do about it.
    pub(super) fn hint(&mut self, hint: impl Into<String>) {
        let hint = hint.into();
        if !self.hints.contains(&hint) {
            self.hints.push(hint);
        }
    }

    /// What was given, when nothing is wrong with it.
    pub(super) fn finish(self) -> Result<BTreeMap<ValueId, (Way, SecretValue)>> {
        if self.wrong.is_empty() {
            return Ok(self.given);
        }
        let error = self.wrong.iter().fold(
            CliError::usage("cannot take the given values; nothing was written"),
            CliError::cause,
        );
        Err(self.hints.into_iter().fold(error, CliError::hint))
    }
}
