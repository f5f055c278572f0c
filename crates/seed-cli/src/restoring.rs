//! `--restore`: what was deleted is brought back before anything is created.

use std::collections::{BTreeMap, BTreeSet};

use seed_core::backend::Kind;
use seed_core::inventory::{Depth, Presence};
use seed_core::name::{EntryKey, ValueId};
use seed_core::plan::{Plan, State};
use seed_core::report::{Fate, Report};
use seed_core::resolve::{Place, Resolved};
use seed_engine::{Restored, Restoring};
use tokio_util::sync::CancellationToken;

use crate::backends::Backends;
use crate::error::{CliError, Result};
use crate::select::Named;
use crate::session::{self, GRACE, Seen, Wishes};
use crate::signals::Signals;

/// What became of entries that were to be brought back.
pub(crate) type Outcomes = BTreeMap<EntryKey, Restored>;

/// Refuses what no backend can do, before any call.
pub(crate) fn refuse_unable(
    resolved: &Resolved,
    backends: &Backends,
    named: &[Named],
) -> Result<()> {
    for Named { pattern, ids } in named {
        let kept: BTreeSet<&str> = ids.iter().filter_map(|id| backend(resolved, id)).collect();
        let able = kept
            .iter()
            .any(|name| backends.restorers.contains_key(*name));
        let why = if let Some(name) = kept.first().filter(|_| !able) {
            format!("the backend `{name}` cannot bring back what was deleted")
        } else if kept.is_empty() && ids.iter().any(|id| resolved.is_kept_nowhere(id)) {
            "it is kept in no backend, so nothing could bring it back".to_owned()
        } else {
            continue;
        };
        let message = format!("`--restore {pattern}`: {why}; nothing was read or written");
        let error = CliError::usage(message);
        let lost = ids
            .iter()
            .any(|id| session::kind_of(resolved, id) == Some(Kind::Kubernetes));
        return Err(if lost {
            error.hint("Kubernetes keeps nothing of a deleted Secret; without `--restore` it is created again")
        } else {
            error
        });
    }
    Ok(())
}

/// Brings back what is named and was seen to be deleted, and looks again.
pub(crate) async fn restore(
    resolved: &Resolved,
    backends: &Backends,
    named: &[Named],
    seen: &mut Seen,
    wishes: &Wishes,
    signals: &mut Signals,
) -> Outcomes {
    let entries = deleted(resolved, &seen.plan, named);
    if entries.is_empty() {
        return Outcomes::new();
    }
    let (cancel, abandon) = (CancellationToken::new(), CancellationToken::new());
    let job = Restoring {
        resolved,
        providers: &backends.providers,
        restorers: &backends.restorers,
        entries,
        concurrency: wishes.concurrency,
        cancel: cancel.clone(),
        abandon: abandon.clone(),
        grace: GRACE,
    };
    let outcomes = {
        let mut run = std::pin::pin!(seed_engine::restore(&job));
        loop {
            tokio::select! {
                outcomes = &mut run => break outcomes,
                () = signals.next() => {
                    if cancel.is_cancelled() {
                        abandon.cancel();
                    }
                    cancel.cancel();
                }
            }
        }
    };
    if !signals.received() {
        let looking = session::look(resolved, &backends.providers, Depth::Fields, wishes);
        tokio::select! {
            again = looking => *seen = again,
            // What is seen no more is told from what was seen before.
            () = signals.next() => {}
        }
    }
    hold_back(resolved, seen, wishes, &outcomes);
    outcomes
}

/// What became of values that were deleted, in the report of the run that followed.
pub(crate) fn tell(report: &mut Report, outcomes: &Outcomes) {
    report.bring_back(|entry| {
        Some(match outcomes.get(entry)? {
            Restored::Cancelled => Fate::Cancelled,
            Restored::Done => Fate::Restored { given: false },
            Restored::Failed(failure) => Fate::Failed(failure.clone()),
            Restored::Uncertain(failure) => Fate::Uncertain(failure.clone()),
        })
    });
}

/// An error of a run that had brought something back already.
pub(crate) fn after(err: CliError, outcomes: &Outcomes) -> CliError {
    let back = outcomes
        .iter()
        .filter(|(_, outcome)| matches!(outcome, Restored::Done | Restored::Uncertain(_)));
    let back: Vec<String> = back.map(|(entry, _)| format!("`{entry}`")).collect();
    if back.is_empty() {
        return err;
    }
    err.partial()
        .hint(format!("brought back before that: {}", back.join(", ")))
}

fn deleted(resolved: &Resolved, plan: &Plan, named: &[Named]) -> BTreeSet<EntryKey> {
    let ids: BTreeSet<&ValueId> = named.iter().flat_map(|named| &named.ids).collect();
    let steps = plan.steps.iter().filter(|step| ids.contains(&step.id));
    let deleted = steps.filter(|step| matches!(step.state, Some(State::Deleted { .. })));
    let may_exist = |id: &&ValueId| resolved.value(id).is_some_and(|it| !it.is_forbidden());
    let deleted = deleted.map(|step| &step.id).filter(may_exist);
    deleted.map(|id| id.entry.clone()).collect()
}

/// What was not brought back is not created either, even if it is gone for good meanwhile.
fn hold_back(resolved: &Resolved, seen: &mut Seen, wishes: &Wishes, outcomes: &Outcomes) {
    for (entry, outcome) in outcomes {
        let failure = match outcome {
            Restored::Failed(failure) | Restored::Uncertain(failure) => failure,
            Restored::Cancelled | Restored::Done => continue,
        };
        let place = resolved.entries.get(entry).and_then(|it| it.place.as_ref());
        let Some(Place::Backend { backend, name, .. }) = place else {
            continue;
        };
        let inventory = seen.inventories.entry(backend.clone()).or_default();
        if !matches!(inventory.get(name), Some(Presence::Present { .. })) {
            let reason = failure.message.clone();
            inventory.insert(name.clone(), Presence::Unknown { reason });
        }
    }
    seen.plan_again(resolved, wishes);
}

fn backend<'a>(resolved: &'a Resolved, id: &ValueId) -> Option<&'a str> {
    let value = resolved
        .value(id)
        .filter(|value| value.activity.is_active());
    let entry = value.and_then(|value| resolved.entries.get(&value.id.entry))?;
    match entry.place.as_ref()? {
        Place::Backend { backend, .. } => Some(backend),
        Place::Nowhere => None,
    }
}
