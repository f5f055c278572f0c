//! What is stored, and what tests want to be seen.

use std::collections::BTreeMap;

use seed_core::backend::Kind;
use seed_core::inventory::{Depth, Presence, Version, Wanted};
use seed_core::name::SecretName;

use super::kept::Kept;
use crate::{Error, ErrorKind, Marks, Operation, Result};

pub(super) struct State {
    pub(super) calls: BTreeMap<Operation, usize>,
    /// By the form under which two names count as the same.
    pub(super) entries: BTreeMap<String, Entry>,
    pub(super) failures: Vec<Failure>,
    pub(super) kind: Kind,
    pub(super) live: usize,
    pub(super) peak: usize,
    pub(super) presences: BTreeMap<String, Presence>,
    pub(super) writes: u64,
}

impl State {
    pub(super) fn of(kind: Kind) -> Self {
        Self {
            calls: BTreeMap::new(),
            entries: BTreeMap::new(),
            failures: Vec::new(),
            kind,
            live: 0,
            peak: 0,
            presences: BTreeMap::new(),
            writes: 0,
        }
    }

    pub(super) fn key(&self, name: &SecretName) -> String {
        self.kind.rule().identity(name.as_str())
    }

    pub(super) fn entry(&self, name: &SecretName) -> Option<&Entry> {
        self.entries.get(&self.key(name))
    }

    pub(super) fn current(
        &self,
        operation: Operation,
        name: &SecretName,
    ) -> Result<(&Version, &Kept)> {
        let (version, kept) = self
            .entry(name)
            .and_then(|entry| entry.versions.last())
            .ok_or_else(|| nothing(operation, name))?;
        Ok((version, kept))
    }

    /// Stores a version of an entry that may be new.
    pub(super) fn push(&mut self, name: &SecretName, kept: Kept, marks: &Marks) -> Version {
        let key = self.key(name);
        let entry = self.entries.entry(key).or_insert_with(|| Entry {
            name: name.clone(),
            labels: marks.to_labels(),
            versions: Vec::new(),
        });
        self.writes += 1;
        entry.push(self.writes, kept)
    }

    /// Stores a further version of an entry that is there.
    pub(super) fn grow(
        &mut self,
        operation: Operation,
        name: &SecretName,
        kept: Kept,
    ) -> Result<Version> {
        let key = self.key(name);
        let entry = self
            .entries
            .get_mut(&key)
            .ok_or_else(|| nothing(operation, name))?;
        self.writes += 1;
        Ok(entry.push(self.writes, kept))
    }

    pub(super) fn presence(&self, wanted: &Wanted) -> Presence {
        if let Some(presence) = self.presences.get(&self.key(&wanted.name)) {
            return presence.clone();
        }
        match self.current(Operation::Inventory, &wanted.name) {
            Err(_) => Presence::Absent,
            Ok(_) if wanted.depth == Depth::Quick => Presence::Exists,
            Ok((version, kept)) => Presence::Present {
                version: version.clone(),
                shape: kept.shape(wanted),
            },
        }
    }

    pub(super) fn refuse_presence(&self, operation: Operation, name: &SecretName) -> Result<()> {
        let creates = operation == Operation::Create;
        let (kind, message) = match self.presences.get(&self.key(name)) {
            Some(Presence::Deleted { .. }) if creates => {
                (ErrorKind::Conflict, "it is deleted, and its name is held")
            }
            Some(Presence::Deleted { .. }) => (ErrorKind::NotFound, "it is deleted"),
            Some(Presence::Disabled { .. }) if creates => {
                (ErrorKind::AlreadyExists, "it is disabled")
            }
            Some(Presence::Disabled { .. }) => (ErrorKind::Conflict, "it is disabled"),
            Some(Presence::Empty { .. }) if !creates => (ErrorKind::NotFound, "it has no version"),
            Some(Presence::Hidden { .. }) => (ErrorKind::Denied, "that is not allowed"),
            Some(Presence::Unknown { .. }) => (ErrorKind::Unavailable, "it cannot be reached"),
            Some(
                Presence::Absent
                | Presence::Empty { .. }
                | Presence::Exists
                | Presence::Present { .. },
            )
            | None => return Ok(()),
        };
        Err(Error::new(kind, operation, message).about(name))
    }
}

pub(super) struct Entry {
    pub(super) name: SecretName,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) versions: Vec<(Version, Kept)>,
}

impl Entry {
    pub(super) fn push(&mut self, write: u64, kept: Kept) -> Version {
        let version = Version::new(write.to_string());
        self.versions.push((version.clone(), kept));
        version
    }
}

fn nothing(operation: Operation, name: &SecretName) -> Error {
    let message = "nothing is stored under that name";
    Error::new(ErrorKind::NotFound, operation, message).about(name)
}

pub(super) struct Failure {
    pub(super) operation: Operation,
    pub(super) name: Option<SecretName>,
    pub(super) error: Error,
    pub(super) moment: Moment,
}

#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Moment {
    After,
    Before,
}
