//! What is learnt by looking at values themselves, before a plan is carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seed_core::name::ValueId;
use seed_core::plan::{self, Input, Plan, State};
use seed_core::produce::{Maker, Values};
use seed_core::resolve::Resolved;
use seed_engine::{Providers, Unread};
use seed_provider::ErrorKind;

use crate::session::{Seen, Wishes};

/// Reads what the wishes need to be looked at, and plans again with what was learnt. A plain run reads nothing here.
pub(crate) async fn look(
    seen: &mut Seen,
    resolved: &Resolved,
    providers: &Providers,
    wishes: &Wishes,
) {
    if wishes.deep || wishes.fill {
        look_at(seen, resolved, providers, wishes).await;
        seen.plan_again(resolved, wishes);
    }
    if prove(seen, resolved, providers, wishes).await {
        seen.plan_again(resolved, wishes);
    }
    if wishes.compare && compare(seen, resolved, providers).await {
        seen.plan_again(resolved, wishes);
    }
}

/// Compares what several Secrets in the cluster hold of a value that only they keep, before more is made from it. Tells
/// whether they differ anywhere.
async fn compare(seen: &mut Seen, resolved: &Resolved, providers: &Providers) -> bool {
    let states = states(&seen.plan);
    let is_there = |id: &&ValueId| states.get(*id).is_some_and(State::is_there);
    let reads = seen.plan.reads.iter().cloned();
    let ids: Vec<ValueId> = reads
        .filter(|id| resolved.keepers(id).iter().filter(is_there).count() > 1)
        .collect();
    let read = seed_engine::read_values(resolved, providers, ids, None).await;
    let conflict = ErrorKind::Conflict.as_str();
    let differ =
        |unread: &Unread| matches!(unread, Unread::Failed(failure) if failure.kind == conflict);
    for (id, unread) in &read.unread {
        if differ(unread) {
            let reason =
                "is not the same in all Secrets that hold it; make it so, or remove the wrong ones";
            let reason = reason.to_owned();
            let state = State::Drifted { reason };
            seen.findings.states.insert(id.clone(), state);
        }
    }
    read.unread.values().any(differ)
}

/// Holds everything that is stored and selected against the contract.
async fn look_at(seen: &mut Seen, resolved: &Resolved, providers: &Providers, wishes: &Wishes) {
    let states = states(&seen.plan);
    let is_there = |id: &&ValueId| states.get(*id).is_some_and(State::is_there);
    // That it is there is all that is to know of what must not exist; its value is not read.
    let may_exist = |id: &&ValueId| resolved.value(id).is_some_and(|it| !it.is_forbidden());
    let wanted: BTreeSet<ValueId> = resolved
        .order
        .iter()
        .filter(|id| wishes.selection.has(id))
        .filter(is_there)
        .filter(may_exist)
        .cloned()
        .collect();
    let known = seed_engine::know(resolved, providers, states, wanted.clone(), None).await;
    for id in wanted
        .iter()
        .filter(|id| known.read.unread.contains_key(*id))
    {
        let unknown = |reason: &str| State::Unknown {
            reason: reason.to_owned(),
        };
        // Nothing that is read makes a value free: it was there a moment ago.
        let state = match known.states.get(id) {
            Some(state) if state.is_free() => unknown("it was there, and is gone again"),
            Some(state) if !state.is_there() => state.clone(),
            Some(_) | None => unknown("it was there, and could not be read"),
        };
        seen.findings.states.insert(id.clone(), state);
    }
    let given = wishes.given.keys().cloned().collect();
    let input = Input::new(resolved, &seen.inventories, &given).selecting(&wishes.selection);
    seen.findings.look_at(input, known.stored());
    seen.findings.fill = wishes.fill;
}

/// Compares given values that are absent with what is stored of those that are made from them. Tells whether there
/// was anything to compare.
async fn prove(
    seen: &mut Seen,
    resolved: &Resolved,
    providers: &Providers,
    wishes: &Wishes,
) -> bool {
    let given = wishes.given.keys().cloned().collect();
    let products = plan::to_prove(resolved, &seen.plan, &given);
    if products.is_empty() {
        return false;
    }
    let known = seed_engine::know(resolved, providers, states(&seen.plan), products, None).await;
    let available = Maker::counted_on(&seen.plan);
    let maker = Maker {
        resolved,
        available: &available,
        unchecked: &wishes.unchecked,
    };
    // What breaks its `check` is refused with a message of its own.
    let accepted: Values = wishes
        .given
        .iter()
        .filter_map(|(id, given)| {
            let value = maker.accept(id, given).ok().flatten()?;
            Some((id.clone(), Arc::new(value)))
        })
        .collect();
    seen.findings.proofs = plan::prove(resolved, &seen.plan, &accepted, known.stored());
    true
}

fn states(plan: &Plan) -> BTreeMap<ValueId, State> {
    let steps = plan.steps.iter();
    steps
        .filter_map(|step| Some((step.id.clone(), step.state.clone()?)))
        .collect()
}
