//! The end of a stage: a pause, and a second look at all that was written where a write is not known to stand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use seed_core::name::ValueId;
use seed_core::produce::Values;
use seed_provider::{Converge, Error, ErrorKind, Operation, Result, Settled};
use tokio::time::Instant;

use super::job::{Event, Job};
use super::write::Written;

/// How often values of an entry may give way to somebody else's before we give it up.
const ROUNDS: usize = 10;

/// How long a write waits for others of its stage.
const LONGEST: Duration = Duration::from_secs(20);

/// A write whose standing is not known yet.
pub(super) struct Pending {
    pub(super) task: usize,
    pub(super) write: usize,
    pub(super) written: Written,
}

/// What each backend answered, for its writes of a stage in their order.
pub(super) struct Answers {
    stage: usize,
    by_backend: BTreeMap<String, Result<Vec<Settled>>>,
}

/// Writes that are looked at together.
#[derive(Default)]
pub(super) struct Stage {
    /// What was written since the last look.
    pending: BTreeMap<String, Vec<Pending>>,
    /// When the first of that was.
    since: Option<Instant>,
    /// What is looked at just now, by the number of the stage.
    settling: BTreeMap<usize, BTreeMap<String, Vec<Pending>>>,
    /// How many stages there were.
    stages: usize,
    /// For writes whose values do not stand: which, and what was given for them.
    again: BTreeMap<usize, (Vec<ValueId>, Values)>,
    /// Values that ever gave way to somebody else's.
    gave_way: BTreeSet<ValueId>,
    /// How often a write's values gave way.
    rounds: BTreeMap<usize, usize>,
}

impl Stage {
    pub(super) fn add(&mut self, backend: &str, pending: Pending) {
        let pendings = self.pending.entry(backend.to_owned()).or_default();
        pendings.push(pending);
        self.since.get_or_insert_with(Instant::now);
    }

    /// Whether something has waited for so long that others, who wait for us, would give up. They cannot know how many
    /// writes of ours are still to come.
    pub(super) fn is_due(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= LONGEST)
    }

    /// What is written, and not yet known to stand.
    pub(super) fn open(&self) -> impl Iterator<Item = &Pending> {
        let settling = self.settling.values().flat_map(BTreeMap::values);
        self.pending.values().chain(settling).flatten()
    }

    /// Whether all that was written is known to stand, or not to.
    pub(super) fn is_clear(&self) -> bool {
        self.open().next().is_none()
    }

    /// One pause for all, then one look on each backend. The run's end does not cut it short: what was written by
    /// somebody who looked before it is there only after the pause.
    pub(super) fn begin<'a>(
        &mut self,
        job: &'a Job<'a>,
    ) -> Option<impl Future<Output = Answers> + Send + use<'a>> {
        if self.pending.is_empty() {
            return None;
        }
        let pending = std::mem::take(&mut self.pending);
        self.since = None;
        let mut looks = Vec::new();
        let mut longest = Duration::ZERO;
        for (name, pendings) in &pending {
            let Some(converger) = job.convergers.get(name) else {
                continue;
            };
            longest = longest.max(converger.pause());
            let written = pendings.iter().filter_map(|pending| {
                let name = job.plan.writes.get(pending.write)?.name.clone();
                let version = pending.written.stored.clone()?;
                Some(seed_provider::Written { name, version })
            });
            looks.push((name.clone(), converger, written.collect::<Vec<_>>()));
        }
        let stage = self.stages;
        self.stages += 1;
        self.settling.insert(stage, pending);
        let entries = looks.iter().map(|(_, _, written)| written.len()).sum();
        Some(async move {
            job.observer.event(Event::Waiting {
                pause: longest,
                entries,
            });
            tokio::time::sleep(longest).await;
            let looks = looks
                .into_iter()
                .map(|(name, converger, written)| look(name, converger, written));
            Answers {
                stage,
                by_backend: join_all(looks).await.into_iter().collect(),
            }
        })
    }

    /// Each write of the stage, with what is known of it now.
    pub(super) fn end(&mut self, mut answers: Answers) -> Vec<(Pending, Settled)> {
        let mut ended = Vec::new();
        let settling = self.settling.remove(&answers.stage);
        for (name, pendings) in settling.into_iter().flatten() {
            let answer = answers.by_backend.remove(&name);
            let mut answers = match answer {
                Some(Ok(settled)) => settled.into_iter(),
                Some(Err(err)) => vec![Settled::Unclear(err); pendings.len()].into_iter(),
                None => Vec::new().into_iter(),
            };
            for pending in pendings {
                // A backend that forgot one has not said that it stands.
                let answer = answers.next().unwrap_or_else(|| {
                    let message = "the backend did not say";
                    let err = Error::new(ErrorKind::Unexpected, Operation::Settle, message);
                    Settled::Unclear(err)
                });
                ended.push((pending, answer));
            }
        }
        ended
    }

    /// Nothing more is looked at.
    pub(super) fn abandon(&mut self) -> Vec<Pending> {
        let pending = std::mem::take(&mut self.pending);
        let settling = std::mem::take(&mut self.settling);
        let all = std::iter::once(pending).chain(settling.into_values());
        all.flat_map(BTreeMap::into_values).flatten().collect()
    }

    /// Lets a write be decided again; `values` of it are somebody else's.
    pub(super) fn look_again(&mut self, write: usize, values: Vec<ValueId>, given: Values) {
        *self.rounds.entry(write).or_default() += 1;
        self.gave_way.extend(values.iter().cloned());
        self.again.insert(write, (values, given));
    }

    pub(super) fn is_given_up(&self, write: usize) -> bool {
        self.rounds
            .get(&write)
            .is_some_and(|rounds| *rounds >= ROUNDS)
    }

    /// What is left to decide of a write that was sent before.
    pub(super) fn take_again(&mut self, write: usize) -> Option<(Vec<ValueId>, Values)> {
        self.again.remove(&write)
    }

    /// Values that ever gave way to somebody else's.
    pub(super) fn gave_way(&mut self) -> BTreeSet<ValueId> {
        std::mem::take(&mut self.gave_way)
    }
}

async fn look(
    name: String,
    converger: &Arc<dyn Converge>,
    written: Vec<seed_provider::Written>,
) -> (String, Result<Vec<Settled>>) {
    (name, converger.settle(&written).await)
}
