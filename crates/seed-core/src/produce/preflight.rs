//! What can be known to be wrong before the first write.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fill::Values;
use super::make::{Maker, ProduceError};
use super::store::{StoreError, document};
use crate::name::ValueId;
use crate::plan::{Action, Plan};
use crate::resolve::{Place, ResolvedEntry, ResolvedValue};
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

/// Tries everything that needs neither a draw nor a read: given values and literals, the texts that are made from
/// nothing else, their checks and their sizes.
///
/// A wrong input must stop a run before its first write.
pub fn preflight(
    maker: &Maker<'_>,
    plan: &Plan,
    given: &BTreeMap<ValueId, SecretValue>,
) -> Vec<(ValueId, PreflightError)> {
    let mut trial = Trial {
        maker,
        known: Values::new(),
        wrong: Vec::new(),
    };
    let steps = plan.steps.iter();
    let created: Vec<&ValueId> = steps
        .filter(|step| step.action == Action::Create)
        .map(|step| &step.id)
        .collect();
    let mut texts = Vec::new();
    for id in &created {
        if !trial.settles(id, try_one(maker, id, given.get(id))) {
            texts.push(*id);
        }
    }
    // Texts may be made from texts, in any order.
    loop {
        let before = texts.len();
        texts.retain(|id| !trial.settles(id, try_text(maker, id, &trial.known)));
        if texts.len() == before {
            break;
        }
    }
    trial.try_entries(&created);
    let place = |id: &ValueId| created.iter().position(|created| *created == id);
    trial.wrong.sort_by_cached_key(|(id, _)| place(id));
    trial.wrong
}

/// Tries one value that a person gives, as [`preflight`] would.
pub fn try_given(
    maker: &Maker<'_>,
    id: &ValueId,
    given: &SecretValue,
) -> Result<(), PreflightError> {
    try_one(maker, id, Some(given)).map(|_| ())
}

/// What was learnt so far.
struct Trial<'a> {
    maker: &'a Maker<'a>,
    known: Values,
    wrong: Vec<(ValueId, PreflightError)>,
}

impl Trial<'_> {
    /// Whether a value needs no further try.
    fn settles(
        &mut self,
        id: &ValueId,
        tried: Result<Option<Arc<SecretValue>>, PreflightError>,
    ) -> bool {
        match tried {
            Ok(None) => return false,
            Ok(Some(value)) => {
                self.known.insert(id.clone(), value);
            }
            Err(wrong) => self.wrong.push((id.clone(), wrong)),
        }
        true
    }

    /// Tries what is known of each entry as a whole: fields that each fit may be too much together.
    fn try_entries(&mut self, created: &[&ValueId]) {
        let mut entries: BTreeMap<_, Vec<ValueId>> = BTreeMap::new();
        for id in created.iter().filter(|id| self.known.contains_key(**id)) {
            entries.entry(&id.entry).or_default().push((*id).clone());
        }
        for (key, ids) in entries {
            let Some(entry) = self.maker.resolved.entries.get(key) else {
                continue;
            };
            if ids.len() > 1
                && let Err(wrong) = try_stored(entry, &ids, &self.known)
                && let Some(last) = ids.last()
            {
                self.wrong.push((last.clone(), wrong.into()));
            }
        }
    }
}

fn try_one(
    maker: &Maker<'_>,
    id: &ValueId,
    given: Option<&SecretValue>,
) -> Result<Option<Arc<SecretValue>>, PreflightError> {
    let (entry, value) = located(maker, id)?;
    storable(entry, id, maker.known(value, given)?)
}

/// Tries a text, unless anything that it is made from is not known.
fn try_text(
    maker: &Maker<'_>,
    id: &ValueId,
    known: &Values,
) -> Result<Option<Arc<SecretValue>>, PreflightError> {
    let (entry, value) = located(maker, id)?;
    storable(entry, id, maker.text(value, known)?)
}

fn located<'a>(
    maker: &Maker<'a>,
    id: &ValueId,
) -> Result<(&'a ResolvedEntry, &'a ResolvedValue), ProduceError> {
    let resolved = maker.resolved;
    let entry = resolved.entries.get(&id.entry);
    let found = entry.and_then(|entry| Some((entry, resolved.value(id)?)));
    found.ok_or_else(|| ProduceError::Unknown(id.clone()))
}

/// Tries to store a value, where there is one.
fn storable(
    entry: &ResolvedEntry,
    id: &ValueId,
    made: Option<SecretValue>,
) -> Result<Option<Arc<SecretValue>>, PreflightError> {
    let Some(made) = made.map(Arc::new) else {
        return Ok(None);
    };
    let values = Values::from([(id.clone(), Arc::clone(&made))]);
    try_stored(entry, std::slice::from_ref(id), &values)?;
    Ok(Some(made))
}

fn try_stored(entry: &ResolvedEntry, ids: &[ValueId], values: &Values) -> Result<(), StoreError> {
    match &entry.place {
        Some(Place::Backend { kind, .. }) => document(entry, *kind, ids, values).map(|_| ()),
        Some(Place::Nowhere) | None => Ok(()),
    }
}
