//! Which values a run is about.

use std::collections::BTreeSet;

use crate::name::ValueId;
use crate::resolve::{Resolved, ResolvedValue};

/// Which values a run is about. All others are looked up, since bonds with them count, and left alone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Selection {
    /// Only these; `None` for all.
    pub only: Option<BTreeSet<ValueId>>,
    /// But not these.
    pub excluded: BTreeSet<ValueId>,
}

impl Selection {
    /// Every value.
    pub const ALL: Self = Self {
        only: None,
        excluded: BTreeSet::new(),
    };

    /// The same, with the Secrets in the cluster that hold one of the values: all of their keys, since they are written
    /// whole. A Secret that holds no value at all is chosen by no key.
    #[must_use]
    pub fn with_secrets(mut self, resolved: &Resolved) -> Self {
        let Some(only) = &mut self.only else {
            return self;
        };
        let entries = resolved.entries.values();
        for secret in entries.filter(|entry| entry.key.as_secret().is_some()) {
            let mut reads = secret.values.iter().flat_map(ResolvedValue::reads);
            if reads.any(|id| only.contains(id)) {
                only.extend(secret.values.iter().map(|value| value.id.clone()));
            }
        }
        self
    }

    /// Whether a value is among them.
    pub fn has(&self, id: &ValueId) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(id)) && !self.excluded.contains(id)
    }
}
