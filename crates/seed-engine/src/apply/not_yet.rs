//! Stored values that stand for others that are still to come: nothing is made from them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seed_core::judge::{Finding, Stored, judge};
use seed_core::name::ValueId;
use seed_core::produce::Values;
use seed_core::resolve::{Resolved, ResolvedSource};
use seed_core::secret::SecretValue;

/// Why nothing is made from a placeholder.
pub(super) const REASON: &str = "it holds a placeholder for a value that is still to come";

/// Whether nothing may be made from a stored value: what would be made from "not yet" would stay, and keep the value
/// itself from ever being stored. What the contract itself makes is meant, whatever it looks like.
pub(super) fn stands_for_another(
    resolved: &Resolved,
    id: &ValueId,
    value: &Arc<SecretValue>,
) -> bool {
    let source = resolved.value(id).and_then(|value| value.source.as_ref());
    match source {
        Some(
            ResolvedSource::Generate { .. }
            | ResolvedSource::Mint { .. }
            | ResolvedSource::Provide(_),
        ) => {
            let values = Values::from([(id.clone(), Arc::clone(value))]);
            let stored = Stored {
                values: &values,
                states: &BTreeMap::new(),
            };
            judge(resolved, id, stored, &BTreeSet::new()).contains(&Finding::Placeholder)
        }
        Some(
            ResolvedSource::Compose(_)
            | ResolvedSource::Derive { .. }
            | ResolvedSource::Forbidden(_)
            | ResolvedSource::Value(_),
        )
        | None => false,
    }
}
