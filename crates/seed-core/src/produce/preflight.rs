//! What can be known to be wrong before the first write.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fill::Values;
use super::make::{Maker, ProduceError};
use super::store::{StoreError, document};
use crate::name::ValueId;
use crate::plan::{Action, Plan};
use crate::resolve::Place;
use crate::secret::SecretValue;

/// A value that can be known to be wrong before the first write.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PreflightError {
    /// It cannot be made.
    #[error(transparent)]
    Produce(#[from] ProduceError),
    /// It cannot be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tries everything that needs neither a draw nor a read: given values and literals, their checks and their sizes.
///
/// A wrong input must stop a run before its first write.
pub fn preflight(
    maker: &Maker<'_>,
    plan: &Plan,
    given: &BTreeMap<ValueId, SecretValue>,
) -> Vec<(ValueId, PreflightError)> {
    let created = plan
        .steps
        .iter()
        .filter(|step| step.action == Action::Create);
    created
        .filter_map(|step| {
            let wrong = try_one(maker, &step.id, given.get(&step.id)).err()?;
            Some((step.id.clone(), wrong))
        })
        .collect()
}

/// Tries one value that a person gives, as [`preflight`] would.
pub fn try_given(
    maker: &Maker<'_>,
    id: &ValueId,
    given: &SecretValue,
) -> Result<(), PreflightError> {
    try_one(maker, id, Some(given))
}

fn try_one(
    maker: &Maker<'_>,
    id: &ValueId,
    given: Option<&SecretValue>,
) -> Result<(), PreflightError> {
    let unknown = || ProduceError::Unknown(id.clone());
    let entry = maker.resolved.entries.get(&id.entry).ok_or_else(unknown)?;
    let value = maker.resolved.value(id).ok_or_else(unknown)?;
    let Some(made) = maker.known(value, given)? else {
        return Ok(());
    };
    if let Some(Place::Backend { kind, .. }) = &entry.place {
        let values = Values::from([(id.clone(), Arc::new(made))]);
        document(entry, *kind, std::slice::from_ref(id), &values)?;
    }
    Ok(())
}
