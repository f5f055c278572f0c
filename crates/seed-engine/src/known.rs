//! Everything that is stored, as far as it can be known.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use seed_core::judge::Stored;
use seed_core::name::ValueId;
use seed_core::plan::State;
use seed_core::report::Failure;
use seed_core::resolve::{Resolved, ResolvedValue};
use seed_provider::ErrorKind;

use crate::{Providers, ReadValues, Unread, read_values};

/// Values that were read, and what was seen of the others.
#[derive(Debug, Default)]
#[must_use = "a value that could not be read is not absent"]
pub struct Known {
    /// What was read; every value that was wanted and is not among them is unread.
    pub read: ReadValues,
    /// What was seen of each value, corrected by what reading it told.
    pub states: BTreeMap<ValueId, State>,
}

impl Known {
    /// What can be held against the contract.
    pub fn stored(&self) -> Stored<'_> {
        Stored {
            values: &self.read.values,
            states: &self.states,
        }
    }
}

/// Reads those of the wanted values that were seen to be there, and of the values that they are made from.
///
/// `seen` is what looking told. Only what the backend says in its own words makes a value absent: one of which nobody
/// looked, and one whose reading fails, are unknown. What must not exist is not read.
pub async fn know(
    resolved: &Resolved,
    providers: &Providers,
    seen: BTreeMap<ValueId, State>,
    wanted: BTreeSet<ValueId>,
    concurrency: Option<NonZeroUsize>,
) -> Known {
    let values = wanted.iter().filter_map(|id| resolved.value(id));
    let sources: BTreeSet<ValueId> = values.flat_map(|value| value.reads()).cloned().collect();
    let wanted: BTreeSet<ValueId> = wanted.into_iter().chain(sources).collect();
    let is_forbidden = |id: &ValueId| resolved.value(id).is_some_and(ResolvedValue::is_forbidden);
    let is_there = |id: &ValueId| seen.get(id).is_some_and(State::is_there);
    let readable = |id: &&ValueId| is_there(id) && !is_forbidden(id);
    let ids: Vec<ValueId> = wanted.iter().filter(readable).cloned().collect();
    let mut known = Known {
        read: read_values(resolved, providers, ids, concurrency).await,
        states: seen,
    };
    for (id, unread) in &known.read.unread {
        known.states.insert(id.clone(), state(unread));
    }
    for id in wanted {
        if !known.read.values.contains_key(&id) && !known.read.unread.contains_key(&id) {
            let unread = unread(known.states.get(&id));
            known.read.unread.insert(id, unread);
        }
    }
    known
}

/// What reading told about a value that was seen to be there.
fn state(unread: &Unread) -> State {
    let failure = match unread {
        Unread::Absent => return State::Absent,
        Unread::Failed(failure) => failure,
    };
    let request = failure.request_id.as_ref();
    let request = request.map_or_else(String::new, |id| format!(" (request id {id})"));
    let reason = format!("{}{request}", failure.message);
    if failure.kind == ErrorKind::WrongShape.as_str() {
        State::WrongShape { found: reason }
    } else if failure.kind == ErrorKind::Denied.as_str() {
        State::Hidden { reason }
    } else {
        State::Unknown { reason }
    }
}

/// What looking told about a value that was not read.
fn unread(state: Option<&State>) -> Unread {
    if state.is_some_and(State::is_free) {
        return Unread::Absent;
    }
    Unread::Failed(Failure {
        kind: ErrorKind::Unexpected.as_str(),
        message: state.map_or_else(|| "nobody looked".to_owned(), ToString::to_string),
        request_id: None,
    })
}
