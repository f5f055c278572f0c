//! What is bound together: values made from each other, and groups that rotate together.

use std::collections::BTreeMap;

use crate::name::ValueId;
use crate::resolve::{Resolved, ResolvedRotate};

/// Who is made from whom, and who belongs with whom. Every look-up is cheap, however long a chain or large a group is.
pub(super) struct Bonds {
    /// What is made from a value, directly.
    made_from: BTreeMap<ValueId, Vec<ValueId>>,
    /// For a value, one that is made from it, directly or not, and that is stored or may be.
    stored_below: BTreeMap<ValueId, ValueId>,
    /// The group of each value that has one.
    group_of: BTreeMap<ValueId, usize>,
    /// For each group, its last member, in the order in which values are made, that is stored or may be.
    last_stored: BTreeMap<usize, (usize, ValueId)>,
}

impl Bonds {
    /// Finds all bonds. `is_free` tells whether the backend said that a value is not there.
    pub(super) fn new(resolved: &Resolved, is_free: impl Fn(&ValueId) -> bool) -> Self {
        let mut made_from: BTreeMap<ValueId, Vec<ValueId>> = BTreeMap::new();
        let mut stored_below: BTreeMap<ValueId, ValueId> = BTreeMap::new();
        // What is made from a value comes after it, so the way back has seen all of that.
        for id in resolved.order.iter().rev() {
            let Some(value) = resolved.value(id) else {
                continue;
            };
            let witness = if is_free(id) {
                stored_below.get(id).cloned()
            } else {
                Some(id.clone())
            };
            for source in value.reads() {
                made_from
                    .entry(source.clone())
                    .or_default()
                    .push(id.clone());
                if let Some(witness) = &witness {
                    stored_below.insert(source.clone(), witness.clone());
                }
            }
        }
        let group_of = groups(resolved);
        let mut last_stored = BTreeMap::new();
        for (position, id) in resolved.order.iter().enumerate() {
            if let Some(group) = group_of.get(id).filter(|_| !is_free(id)) {
                last_stored.insert(*group, (position, id.clone()));
            }
        }
        Self {
            made_from,
            stored_below,
            group_of,
            last_stored,
        }
    }

    /// Values made from this one that are stored or may be: of each that is made from it directly, itself or one below.
    pub(super) fn stored_below(
        &self,
        id: &ValueId,
        is_free: impl Fn(&ValueId) -> bool,
    ) -> Vec<ValueId> {
        if !self.stored_below.contains_key(id) {
            return Vec::new();
        }
        let direct = self.made_from.get(id).into_iter().flatten().rev();
        let mut stored: Vec<ValueId> = Vec::new();
        for made in direct {
            let witness = if is_free(made) {
                self.stored_below.get(made)
            } else {
                Some(made)
            };
            stored.extend(witness.filter(|witness| !stored.contains(witness)).cloned());
        }
        stored
    }

    /// The group of a value, if it has one.
    pub(super) fn group(&self, id: &ValueId) -> Option<usize> {
        self.group_of.get(id).copied()
    }

    /// A member of the value's group that comes after it and is stored or may be.
    pub(super) fn stored_after(&self, id: &ValueId, position: usize) -> Option<ValueId> {
        let (last, member) = self.last_stored.get(&self.group(id)?)?;
        (*last > position).then(|| member.clone())
    }
}

/// `with` is symmetric: everything that is connected is one group.
fn groups(resolved: &Resolved) -> BTreeMap<ValueId, usize> {
    let mut links: BTreeMap<&ValueId, Vec<&ValueId>> = BTreeMap::new();
    for (_, value) in resolved
        .values()
        .filter(|(_, value)| value.activity.is_active())
    {
        if let ResolvedRotate::With(members) = &value.rotate {
            for member in members {
                links.entry(&value.id).or_default().push(member);
                links.entry(member).or_default().push(&value.id);
            }
        }
    }
    let mut groups = BTreeMap::new();
    for (number, start) in links.keys().enumerate() {
        let mut open = vec![*start];
        while let Some(id) = open.pop() {
            if !groups.contains_key(id) {
                groups.insert(id.clone(), number);
                open.extend(links.get(id).into_iter().flatten());
            }
        }
    }
    groups
}
