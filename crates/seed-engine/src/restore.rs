//! Bringing back what was deleted, for a person who asked for just that.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::join_all;
use seed_core::inventory::{Depth, Presence, Wanted};
use seed_core::name::EntryKey;
use seed_core::report::Failure;
use seed_core::resolve::Resolved;
use seed_provider::{Error, ErrorKind, Restore, stopping};
use tokio_util::sync::CancellationToken;

use crate::read::{Located, limit};
use crate::{Providers, Restorers, failure};

/// How often it is asked for: once, and once more when the answer was lost and nothing has changed.
const TRIES: usize = 2;

/// All that bringing entries back needs.
#[derive(Debug)]
pub struct Restoring<'a> {
    /// What is wanted.
    pub resolved: &'a Resolved,
    /// Where to look.
    pub providers: &'a Providers,
    /// Who can bring back.
    pub restorers: &'a Restorers,
    /// What was seen to be deleted.
    pub entries: BTreeSet<EntryKey>,
    /// How many calls at once each backend gets; `None` leaves it to the backend's own word.
    pub concurrency: Option<NonZeroUsize>,
    /// Stops: nothing new is started, and what is under way is waited for.
    pub cancel: CancellationToken,
    /// Ends the waiting.
    pub abandon: CancellationToken,
    /// How long what is under way is waited for after `cancel`.
    pub grace: Duration,
}

/// What became of an entry.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "what was not brought back must be said"]
pub enum Restored {
    /// It was not tried.
    Cancelled,
    /// It is there again.
    Done,
    /// It was not brought back.
    Failed(Failure),
    /// It may or may not be there again: an answer was lost, and looking did not settle it.
    Uncertain(Failure),
}

/// Brings entries back, and tells what became of each.
///
/// A lost answer is settled by looking. Nothing is created, and what is not deleted is left as it is.
pub async fn restore(job: &Restoring<'_>) -> BTreeMap<EntryKey, Restored> {
    let mut restored = BTreeMap::new();
    let mut backends: BTreeMap<&str, Vec<Located<'_>>> = BTreeMap::new();
    for key in &job.entries {
        match Located::find(job.resolved, job.providers, key) {
            Ok(at) => backends.entry(at.backend).or_default().push(at),
            Err(failure) => drop(restored.insert(key.clone(), Restored::Failed(failure))),
        }
    }
    let all = backends.into_values().map(|entries| {
        let limit = entries
            .first()
            .map_or(NonZeroUsize::MIN, |at| limit(at.provider, job.concurrency));
        let calls = futures::stream::iter(entries)
            .map(|at| async move { (at.entry.key.clone(), job.one(at).await) });
        calls.buffer_unordered(limit.get()).collect::<Vec<_>>()
    });
    restored.extend(join_all(all).await.into_iter().flatten());
    restored
}

impl Restoring<'_> {
    async fn one(&self, at: Located<'_>) -> Restored {
        let Some(restorer) = self.restorers.get(at.backend) else {
            let why = "its backend cannot bring back what was deleted";
            return Restored::Failed(failure::unplaced(&at.entry.key, why));
        };
        if self.cancel.is_cancelled() {
            return Restored::Cancelled;
        }
        tokio::select! {
            biased;
            done = stopping(self.cancel.clone(), settle(at, restorer.as_ref())) => done,
            () = self.given_up() => Restored::Uncertain(Failure {
                kind: ErrorKind::Indeterminate.as_str(),
                message: format!("restore `{}`: the run was stopped before the answer came", at.name),
                request_id: None,
            }),
        }
    }

    async fn given_up(&self) {
        self.cancel.cancelled().await;
        tokio::select! {
            () = self.abandon.cancelled() => {}
            () = tokio::time::sleep(self.grace) => {}
        }
    }
}

async fn settle(at: Located<'_>, restorer: &dyn Restore) -> Restored {
    let mut lost: Option<Error> = None;
    for _ in 0..TRIES {
        let Err(err) = restorer.restore(at.name).await else {
            return Restored::Done;
        };
        match (err.kind(), &lost) {
            (ErrorKind::Indeterminate, _) => {}
            // The first request may still arrive, whatever became of this one.
            (_, Some(lost)) => return Restored::Uncertain(failure::of_call(lost)),
            (_, None) if err.is_stopped() => return Restored::Cancelled,
            (_, None) => return Restored::Failed(failure::of_call(&err)),
        }
        match look(at).await {
            Some(
                Presence::Disabled { .. }
                | Presence::Empty { .. }
                | Presence::Exists
                | Presence::Present { .. },
            ) => return Restored::Done,
            Some(Presence::Deleted { .. }) => lost = lost.or(Some(err)),
            Some(Presence::Absent | Presence::Hidden { .. } | Presence::Unknown { .. }) | None => {
                return Restored::Uncertain(failure::of_call(lost.as_ref().unwrap_or(&err)));
            }
        }
    }
    match lost {
        Some(err) => Restored::Uncertain(failure::of_call(&err)),
        None => Restored::Done,
    }
}

async fn look(at: Located<'_>) -> Option<Presence> {
    let wanted = Wanted {
        name: at.name.clone(),
        fields: Vec::new(),
        depth: Depth::Metadata,
    };
    let inventory = at.provider.inventory(std::slice::from_ref(&wanted)).await;
    inventory.ok()?.get(at.name).cloned()
}
