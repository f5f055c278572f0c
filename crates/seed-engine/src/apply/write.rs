//! One write: its values are made, sent, and, when somebody else was faster, decided again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use seed_core::inventory::Version;
use seed_core::name::ValueId;
use seed_core::plan::{State, Write};
use seed_core::produce::{Maker, Values, document};
use seed_core::report::{Failure, Fate};
use seed_core::resolve::{Availability, Resolved, ResolvedSource};
use seed_core::secret::SecretValue;
use seed_core::value::Derivation;

use super::job::Job;
use super::send::Sent;
use crate::failure;
use crate::read::{Located, Unread};

/// How often an entry may change under us before we give it up.
const ROUNDS: usize = 10;

/// What values are made on. Shared with the threads on which slow ones are made.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) resolved: Arc<Resolved>,
    available: Availability,
    unchecked: BTreeSet<ValueId>,
}

impl Ground {
    pub(super) fn new(job: &Job<'_>) -> Self {
        Self {
            resolved: Arc::clone(&job.resolved),
            available: Maker::counted_on(job.plan),
            unchecked: job.unchecked.clone(),
        }
    }

    pub(super) fn maker(&self) -> Maker<'_> {
        Maker {
            resolved: &self.resolved,
            available: &self.available,
            unchecked: &self.unchecked,
        }
    }
}

/// How an entry is written.
#[derive(Clone, Debug)]
pub(super) enum How {
    Add(Version),
    Create,
    Replace(Version),
}

/// What a write came to.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) fates: Vec<(ValueId, Fate)>,
    /// What is stored of the values that other writes need.
    pub(super) values: Values,
    /// Those of them that are stored and could not be read.
    pub(super) unread: BTreeMap<ValueId, Unread>,
    /// What the entry has become.
    pub(super) version: Option<Version>,
    /// The version that this write made, if it did.
    pub(super) stored: Option<Version>,
    /// What was made of given values, until it is known whether they stand.
    pub(super) given: Values,
    /// Values that somebody else stored, where those are looked at only when all of a stage is written.
    pub(super) taken: Vec<ValueId>,
}

impl Written {
    pub(super) fn of(fates: Vec<(ValueId, Fate)>) -> Self {
        Self {
            fates,
            ..Self::default()
        }
    }
}

pub(super) struct Writer<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) ground: &'a Arc<Ground>,
    pub(super) write: &'a Write,
    pub(super) at: Located<'a>,
    /// What the values are made from.
    pub(super) sources: Values,
    /// The values that other writes need.
    pub(super) wanted: BTreeSet<ValueId>,
    /// Whether something was sent whose answer is not there yet.
    pub(super) sent: Option<&'a AtomicBool>,
    pub(super) written: Written,
    /// Whether it waits for nobody else, and so leaves it to a later turn to look at what somebody else stored.
    pub(super) is_eager: bool,
    /// What is to be stored.
    pub(super) todo: Vec<ValueId>,
    /// What was stored of it and does not stand.
    pub(super) made: Values,
}

impl Writer<'_> {
    /// Writes, and decides again as long as somebody else is faster. Without `how` it looks first.
    pub(super) async fn run(mut self, mut how: Option<How>) -> Written {
        let mut todo = std::mem::take(&mut self.todo);
        let mut made = std::mem::take(&mut self.made);
        let mut taken = None;
        for round in 0..ROUNDS {
            if round > 0 && self.job.cancel.is_cancelled() {
                return self.all(&todo, &Fate::Cancelled);
            }
            if let Some(how) = how.take() {
                made = match self.make(&todo).await {
                    Ok(made) => made,
                    Err((id, failure)) => return self.without(&todo, &id, &failure),
                };
                let document = match document(self.at.entry, self.at.kind, &todo, &made) {
                    Ok(document) => document,
                    Err(err) => {
                        let failure = failure::of_value(&self.write.entry, &err);
                        return self.all(&todo, &Fate::Failed(failure));
                    }
                };
                match self.send(how, &document).await {
                    Sent::Stored(version) => return self.stored(&todo, &made, version),
                    Sent::Taken(_) if self.is_eager => {
                        self.written.given = self.given(&todo, &made);
                        self.written.taken = todo;
                        return self.written;
                    }
                    Sent::Taken(said) => taken = said.or(taken),
                    Sent::Failed(err) => {
                        return self.all(&todo, &Fate::Failed(failure::of_call(&err)));
                    }
                    Sent::Stopped => return self.all(&todo, &Fate::Cancelled),
                    Sent::Uncertain(failure) => {
                        return self.all(&todo, &Fate::Uncertain(failure));
                    }
                }
            }
            how = self.decide_again(&mut todo, &made).await;
            if how.is_none() {
                return self.written;
            }
        }
        let failure = failure::changed_again_and_again(self.at.name, taken.as_ref());
        self.all(&todo, &Fate::Failed(failure))
    }

    /// All values share one fate.
    fn all(mut self, ids: &[ValueId], fate: &Fate) -> Written {
        let fates = ids.iter().map(|id| (id.clone(), fate.clone()));
        self.written.fates.extend(fates);
        self.written
    }

    /// One value could not be made, so the entry is not written: a part of it would be no whole.
    fn without(mut self, ids: &[ValueId], failed: &ValueId, failure: &Failure) -> Written {
        for id in ids {
            let fate = if id == failed {
                Fate::Failed(failure.clone())
            } else {
                let because = failed.clone();
                Fate::Skipped {
                    because,
                    reason: None,
                }
            };
            self.written.fates.push((id.clone(), fate));
        }
        self.written
    }

    fn stored(mut self, ids: &[ValueId], made: &Values, version: Version) -> Written {
        self.written.stored = Some(version.clone());
        self.written.version = Some(version);
        if self.job.convergers.contains_key(self.at.backend) {
            let given = self.given(ids, made);
            self.written.given.extend(given);
        }
        for id in ids.iter().filter(|id| self.wanted.contains(*id)) {
            let value = made.get(id).map(|value| (id.clone(), Arc::clone(value)));
            self.written.values.extend(value);
        }
        let findings = self.job.findings;
        for id in ids {
            let filled = findings.states.get(id) == Some(&State::Placeholder);
            let fate = if filled { Fate::Filled } else { Fate::Created };
            self.written.fates.push((id.clone(), fate));
        }
        self.written
    }

    /// What was made of given values.
    fn given(&self, ids: &[ValueId], made: &Values) -> Values {
        let given = ids.iter().filter(|id| self.job.given.contains_key(*id));
        let given = given.filter_map(|id| Some((id.clone(), Arc::clone(made.get(id)?))));
        given.collect()
    }

    /// Makes values, each after those of the same write that it is made from.
    async fn make(&self, ids: &[ValueId]) -> Result<Values, (ValueId, Failure)> {
        let mut known = self.sources.clone();
        let mut made = Values::new();
        for id in ids {
            let value = self.make_one(id, &known).await;
            let value = Arc::new(value.map_err(|failure| (id.clone(), failure))?);
            known.insert(id.clone(), Arc::clone(&value));
            made.insert(id.clone(), value);
        }
        Ok(made)
    }

    async fn make_one(&self, id: &ValueId, known: &Values) -> Result<SecretValue, Failure> {
        let mut rng = (self.job.randomness)();
        let now = (self.job.now)();
        let made = if is_slow(&self.ground.resolved, id) {
            let ground = Arc::clone(self.ground);
            let (product, known) = (id.clone(), known.clone());
            // A hash takes as long as it is meant to: other writes must not wait for it.
            let hashed = tokio::task::spawn_blocking(move || {
                let maker = ground.maker();
                maker.produce(&product, &known, None, &mut *rng, now)
            });
            let cut = |_| failure::of_value(id, &"its computation was cut off");
            hashed.await.map_err(cut)?
        } else {
            let given = self.job.given.get(id);
            let maker = self.ground.maker();
            maker.produce(id, known, given, &mut *rng, now)
        };
        made.map_err(|err| failure::of_value(id, &err))
    }
}

/// Whether a value is made so slowly that it needs a thread of its own.
fn is_slow(resolved: &Resolved, id: &ValueId) -> bool {
    match resolved.value(id).and_then(|value| value.source.as_ref()) {
        Some(ResolvedSource::Derive { derivation, .. }) => match derivation {
            Derivation::Bcrypt { .. } | Derivation::Htpasswd { .. } => true,
            Derivation::Sha256 { .. } => false,
        },
        Some(
            ResolvedSource::Compose(_)
            | ResolvedSource::Forbidden(_)
            | ResolvedSource::Generate { .. }
            | ResolvedSource::Mint { .. }
            | ResolvedSource::Provide(_)
            | ResolvedSource::Value(_),
        )
        | None => false,
    }
}
