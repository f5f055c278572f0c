//! Which values a run is about.

use std::collections::BTreeSet;

use crate::name::ValueId;

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

    /// Whether a value is among them.
    pub fn has(&self, id: &ValueId) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(id)) && !self.excluded.contains(id)
    }
}
