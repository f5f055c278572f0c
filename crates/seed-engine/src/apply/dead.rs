//! Backends that are not ours to use any more: a credential that expired amid a run, a mount that was taken away.

use std::collections::BTreeMap;

use seed_core::name::ValueId;
use seed_core::report::{Failure, Fate};
use seed_core::resolve::ResolvedCluster;
use seed_provider::ErrorKind;

use crate::read::Unread;

/// Backends to which nothing further is sent, by their names.
#[derive(Debug, Default)]
pub(super) struct Deaths(BTreeMap<String, Dead>);

/// Why a backend is asked nothing more.
#[derive(Debug)]
pub(super) struct Dead {
    /// The value whose failure told it.
    because: ValueId,
    kind: &'static str,
    reason: String,
}

impl Deaths {
    pub(super) fn get(&self, backend: &str) -> Option<&Dead> {
        self.0.get(backend)
    }

    /// Learns from a failure whether anything more would be sent in vain.
    pub(super) fn learn(&mut self, backend: &str, id: &ValueId, failure: &Failure) {
        if let Some(reason) = reason(backend, failure.kind) {
            self.bury(backend, id, failure.kind, reason);
        }
    }

    /// The same from a value that could not be read.
    pub(super) fn learn_from(&mut self, backend: &str, id: &ValueId, unread: &Unread) {
        match unread {
            // The outcome of a value that is there does not say why it could not be read.
            Unread::Failed(failure) if reason(backend, failure.kind).is_some() => {
                self.bury(backend, id, failure.kind, &unread.to_string());
            }
            Unread::Absent | Unread::Failed(_) => {}
        }
    }

    fn bury(&mut self, backend: &str, because: &ValueId, kind: &'static str, reason: &str) {
        let dead = Dead {
            because: because.clone(),
            kind,
            reason: reason.to_owned(),
        };
        self.0.entry(backend.to_owned()).or_insert(dead);
    }
}

impl Dead {
    /// What becomes of a value that would have been written.
    pub(super) fn fate(&self) -> Fate {
        Fate::Skipped {
            because: self.because.clone(),
            reason: Some(self.reason.clone()),
        }
    }

    /// What becomes of values that would have been read.
    pub(super) fn unread(&self) -> Unread {
        Unread::Failed(Failure {
            kind: self.kind,
            message: format!("not read, because of {}: {}", self.because, self.reason),
            request_id: None,
        })
    }
}

fn reason(backend: &str, kind: &str) -> Option<&'static str> {
    // Of a cluster's namespaces one may be gone, and the others not.
    let is_one_place = backend != ResolvedCluster::BACKEND;
    if kind == ErrorKind::Unauthenticated.as_str() {
        Some("the backend does not take the credential any more")
    } else if kind == ErrorKind::Misplaced.as_str() && is_one_place {
        Some("the backend is not what the contract names any more")
    } else {
        None
    }
}
