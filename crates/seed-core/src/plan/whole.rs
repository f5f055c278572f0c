//! Secrets that are written to the cluster are written whole: what reads them must not find a half.

use std::collections::BTreeMap;

use super::decide::Decider;
use super::model::{Action, Blocked, Write, WriteKind};
use crate::name::ValueId;

/// Values that would be made, and must not be yet: what they go into cannot be written. Says why for each.
///
/// A key whose optional values are missing is left out, and holds nothing up.
pub(super) fn held(decider: &Decider<'_>, writes: &[Write]) -> BTreeMap<ValueId, Action> {
    let resolved = decider.input.resolved;
    let is_created = |id: &&ValueId| decider.actions.get(*id) == Some(&Action::Create);
    let mut held = BTreeMap::new();
    let secrets = resolved.entries.values();
    for entry in secrets.filter(|entry| entry.key.as_secret().is_some()) {
        let ids = || entry.values.iter().map(|value| &value.id);
        if let Some(why) = ids().find_map(|id| obstacle(id, decider.actions.get(id)?)) {
            held.extend(ids().filter(is_created).map(|id| (id.clone(), why.clone())));
        }
    }
    let second = writes
        .iter()
        .filter(|it| matches!(it.kind, WriteKind::AddToOwn { .. }));
    for write in second {
        let target = resolved.direct_target(&write.entry);
        if target.is_some_and(|target| target.immutable == Some(true)) {
            let why = Action::Blocked(Blocked::Immutable);
            held.extend(write.values.iter().map(|id| (id.clone(), why.clone())));
        }
    }
    let kept = resolved.cluster.iter().flat_map(|it| &it.keepers);
    for (id, keepers) in kept.filter(|(id, _)| is_created(id)) {
        if keepers.iter().any(|keeper| is_created(&keeper)) {
            continue;
        }
        let mut why = keepers
            .iter()
            .filter_map(|keeper| obstacle(keeper, decider.actions.get(keeper)?));
        let unkept = Action::Blocked(Blocked::Unkept);
        held.insert(id.clone(), why.next().unwrap_or(unkept));
    }
    held
}

/// What keeps a Secret from being written, for one of its keys.
fn obstacle(id: &ValueId, action: &Action) -> Option<Action> {
    match action {
        Action::Wait {
            optional: false, ..
        } => Some(action.clone()),
        Action::Blocked(_) => Some(Action::Blocked(Blocked::Source(id.clone()))),
        Action::Ask
        | Action::Create
        | Action::Keep
        | Action::Minted { .. }
        | Action::NotNeeded(_)
        | Action::NotSelected { .. }
        | Action::Optional
        | Action::Wait { optional: true, .. } => None,
    }
}
