//! What must be looked up.

use std::collections::BTreeMap;

use crate::inventory::{Depth, Wanted};
use crate::resolve::{Availability, Place, Resolved, ResolvedSource, ResolvedValue};

/// The entries to look up, for each backend in use, in the contract's order.
///
/// `depth` is for entries with fields; whether an entry with one value exists is never worth reading it.
pub fn wanted(resolved: &Resolved, depth: Depth) -> BTreeMap<String, Vec<Wanted>> {
    let mut wanted: BTreeMap<String, Vec<Wanted>> = BTreeMap::new();
    for entry in resolved.entries.values() {
        let Some(Place::Backend {
            backend,
            kind,
            name,
        }) = &entry.place
        else {
            continue;
        };
        let fields = if entry.has_fields {
            entry
                .values
                .iter()
                .filter(|value| entry.key.as_secret().is_none() || is_needed(value))
                .filter_map(|value| value.id.field.clone())
                .collect()
        } else if kind.is_map() {
            vec![entry.value_key.clone()]
        } else {
            Vec::new()
        };
        let depth = if entry.has_fields {
            depth
        } else {
            depth.min(Depth::Metadata)
        };
        wanted.entry(backend.clone()).or_default().push(Wanted {
            name: name.clone(),
            fields,
            depth,
        });
    }
    wanted
}

/// Whether a key of a Secret in the cluster is there in any case: one whose optional values are missing is left out, and
/// what somebody else keeps need not have it.
fn is_needed(value: &ResolvedValue) -> bool {
    match &value.source {
        Some(ResolvedSource::Compose(text)) => text.choose(&Availability::default()).is_ok(),
        Some(_) | None => true,
    }
}
