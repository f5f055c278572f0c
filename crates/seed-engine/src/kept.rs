//! Values that no backend keeps: they are read from the Secrets that hold them.

use std::collections::BTreeSet;
use std::sync::Arc;

use seed_core::name::ValueId;
use seed_core::resolve::Resolved;

use crate::{ReadValues, Unread, failure};

/// What must be read for these values: themselves, or all keys of Secrets that hold them.
pub(crate) fn with_keepers(resolved: &Resolved, ids: &BTreeSet<ValueId>) -> BTreeSet<ValueId> {
    let mut placed = BTreeSet::new();
    for id in ids {
        match resolved.keepers(id) {
            [] => drop(placed.insert(id.clone())),
            keepers => placed.extend(keepers.iter().cloned()),
        }
    }
    placed
}

/// From what was read of the keys to the values that they hold. A value that is not the same under all of them is none.
pub(crate) fn gather(
    resolved: &Resolved,
    ids: &BTreeSet<ValueId>,
    read: &ReadValues,
) -> ReadValues {
    let mut gathered = ReadValues::default();
    for id in ids {
        match one(resolved, id, read) {
            Ok(value) => drop(gathered.values.insert(id.clone(), value)),
            Err(unread) => drop(gathered.unread.insert(id.clone(), unread)),
        }
    }
    gathered
}

fn one(
    resolved: &Resolved,
    id: &ValueId,
    read: &ReadValues,
) -> Result<Arc<seed_core::secret::SecretValue>, Unread> {
    let itself = [id.clone()];
    let holders = match resolved.keepers(id) {
        [] => &itself,
        keepers => keepers,
    };
    let mut found = holders
        .iter()
        .filter_map(|holder| Some((holder, read.values.get(holder)?)));
    if let Some((first, value)) = found.next() {
        return match found.find(|(_, other)| !other.same_as(value)) {
            None => Ok(Arc::clone(value)),
            Some((other, _)) => Err(Unread::Failed(failure::conflict(format!(
                "read `{id}`: `{first}` and `{other}` hold different values; make them the same, or remove the wrong one"
            )))),
        };
    }
    let unread = || holders.iter().filter_map(|holder| read.unread.get(holder));
    let failed = unread().find(|unread| **unread != Unread::Absent);
    Err(failed
        .or(unread().next())
        .cloned()
        .unwrap_or(Unread::Absent))
}
