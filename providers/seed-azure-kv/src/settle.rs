//! Finding out, after the pause, whose value stands.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use seed_core::document;
use seed_core::name::SecretName;
use seed_provider::{Converge, Error, ErrorKind, Operation, Result, Settled, Turns, Written};
use tokio::time::Instant;

use crate::adapter::{AzureKv, Moment};
use crate::claim::{Claim, Purpose as ClaimPurpose};
use crate::decide::{Decision, Seen, Why, decide};
use crate::put::{Draft, Sent};
use crate::recent::Record;

const OPERATION: Operation = Operation::Settle;

/// What one look showed, and what follows from it.
struct Verdict {
    versions: Vec<Seen>,
    decision: Decision,
    moment: Moment,
}

/// What one look came to.
enum Step {
    Again(&'static str),
    Done(Settled),
}

#[async_trait]
impl Converge for AzureKv {
    fn pause(&self) -> Duration {
        self.pause
    }

    async fn settle(&self, written: &[Written]) -> Result<Vec<Settled>> {
        self.proven().await?;
        let begin = Instant::now();
        let longest = self.longest();
        let mut settled: BTreeMap<usize, Settled> = BTreeMap::new();
        loop {
            let open = written.iter().enumerate();
            let open = open.filter(|(place, _)| !settled.contains_key(place));
            let steps: Vec<_> = open
                .map(|(place, written)| async move { (place, self.step(written, begin).await) })
                .collect();
            if steps.is_empty() {
                break;
            }
            let last = begin.elapsed() > longest;
            let looked: Vec<(usize, Step)> = stream::iter(steps)
                .buffer_unordered(self.at_once())
                .collect()
                .await;
            for (place, step) in looked {
                match (step, written.get(place)) {
                    (Step::Done(done), _) => {
                        settled.insert(place, done);
                    }
                    (Step::Again(why), Some(written)) if last => {
                        let message = format!(
                            "{why}; its versions tell more, and nothing was changed any more"
                        );
                        settled.insert(place, unclear(&written.name, message));
                    }
                    (Step::Again(_), _) => {}
                }
            }
            if settled.len() < written.len() {
                tokio::time::sleep(BETWEEN).await;
            }
        }
        Ok(settled.into_values().collect())
    }
}

impl AzureKv {
    async fn step(&self, written: &Written, begin: Instant) -> Step {
        let name = &written.name;
        match self.try_step(written, begin).await {
            Ok(step) => step,
            Err(err) => {
                let told = Error::new(err.kind(), OPERATION, err.message().to_owned()).about(name);
                Step::Done(Settled::Unclear(match err.request_id() {
                    Some(id) => told.with_request_id(id),
                    None => told,
                }))
            }
        }
    }

    async fn try_step(&self, written: &Written, begin: Instant) -> Result<Step> {
        let (name, ours) = (&written.name, written.version.as_str());
        let mut seen = self.decided(name, ours).await?;
        if let Decision::PutBack(_) = seen.decision {
            // What is decided now does not age in a queue.
            let turn = self.requests.turns(1, OPERATION, Some(name)).await?;
            if seen.moment.at.elapsed() > NEAR {
                seen = self.decided(name, ours).await?;
            }
            if let Decision::PutBack(first) = &seen.decision {
                self.put_back(&turn, name, first, seen.moment).await?;
                return Ok(Step::Again("the first value could not be put back in time"));
            }
        }
        Ok(match seen.decision {
            Decision::Ours { contested } => Step::Done(Settled::Ours { contested }),
            Decision::Followed(standing) => {
                Step::Done(self.followed(name, &seen.versions, ours, &standing).await?)
            }
            Decision::Theirs(standing) => {
                Step::Done(self.lost(name, &seen.versions, ours, &standing).await?)
            }
            Decision::PutBack(_) | Decision::Wait => Step::Again(
                "another run wrote over the first value and has not put it back in time",
            ),
            // What was just written may not be shown yet.
            Decision::Unclear(Why::Gone) if begin.elapsed() < self.pause => Step::Again(""),
            Decision::Unclear(why) => Step::Done(unclear(name, why.words())),
        })
    }

    async fn decided(&self, name: &SecretName, ours: &str) -> Result<Verdict> {
        let Record {
            versions,
            current,
            moment,
        } = self.history(OPERATION, name).await?;
        let decision = if self.doubts(moment) {
            Decision::Wait
        } else {
            decide(&versions, &current, ours, self.run, moment.time)
        };
        Ok(Verdict {
            versions,
            decision,
            moment,
        })
    }

    /// Puts the value of a version back. The look that said so began at `moment`.
    async fn put_back(
        &self,
        turn: &Turns,
        name: &SecretName,
        first: &str,
        moment: Moment,
    ) -> Result<()> {
        let stored = self.fetch(OPERATION, name, Some(first)).await?;
        let draft = Draft {
            value: &stored.value,
            kept: stored.kept,
            claim: self.claim(moment, ClaimPurpose::Copy(first.to_owned())),
        };
        match self.put(turn, OPERATION, name, draft, moment).await {
            Ok(Sent::Late(_) | Sent::Stored(_)) => Ok(()),
            // The next look tells.
            Err(err) if err.kind() == ErrorKind::Indeterminate => Ok(()),
            Ok(Sent::Returning(err)) | Err(err) => Err(err),
        }
    }

    /// Another run made a version from ours, and that stands. All of ours is in it, unless somebody replaced it.
    async fn followed(
        &self,
        name: &SecretName,
        versions: &[Seen],
        ours: &str,
        standing: &str,
    ) -> Result<Settled> {
        let own = self.fetch(OPERATION, name, Some(ours)).await?;
        let theirs = self.fetch(OPERATION, name, Some(standing)).await?;
        let fields = document::decode_fields(&own.value);
        let whole = match (fields, document::decode_fields(&theirs.value)) {
            (Ok(fields), Ok(theirs)) => fields.iter().all(|(name, value)| {
                let there = theirs.get(name);
                there.is_some_and(|there| there.value().same_as(value.value()))
            }),
            (Err(_), _) | (_, Err(_)) => own.value.same_as(&theirs.value),
        };
        if whole {
            return Ok(Settled::Ours { contested: true });
        }
        self.lost(name, versions, ours, standing).await
    }

    /// Another value stands. Fields that only ours had would be lost without a word.
    async fn lost(
        &self,
        name: &SecretName,
        versions: &[Seen],
        ours: &str,
        standing: &str,
    ) -> Result<Settled> {
        let claim = |id: &str| {
            let seen = versions.iter().find(|seen| seen.id == id);
            seen.and_then(|seen| seen.claim.clone())
        };
        let added = matches!(
            claim(ours),
            Some(Claim {
                purpose: ClaimPurpose::After(_),
                ..
            })
        );
        if added {
            let ours = self.fetch(OPERATION, name, Some(ours)).await?;
            let theirs = self.fetch(OPERATION, name, Some(standing)).await?;
            let fields = document::decode_fields(&ours.value);
            let theirs = document::decode_fields(&theirs.value);
            let kept = match (fields, theirs) {
                (Ok(fields), Ok(theirs)) => {
                    fields.iter().all(|(name, _)| theirs.get(name).is_some())
                }
                (Err(_), _) | (_, Err(_)) => false,
            };
            if !kept {
                return Ok(unclear(
                    name,
                    "somebody else wrote to it at the same time, and what they wrote stands; what this run wrote is not in it; run again",
                ));
            }
        }
        Ok(Settled::Theirs)
    }
}

impl Why {
    fn words(&self) -> String {
        match self {
            Self::Foreign(version) => format!(
                "somebody set version `{version}` while runs were writing; nothing was changed any more: look which value is meant"
            ),
            Self::Gone => "what this run wrote is not among its versions any more".to_owned(),
            Self::Paused => "this run was paused for so long that its claim is over, and others may have written meanwhile; nothing was changed any more: look which value is meant".to_owned(),
            Self::Touched(version) => format!(
                "somebody changed tags or attributes of version `{version}` while runs were writing; nothing was changed any more: look which value is meant"
            ),
        }
    }
}

fn unclear(name: &SecretName, why: impl Into<String>) -> Settled {
    Settled::Unclear(Error::new(ErrorKind::Conflict, OPERATION, why.into()).about(name))
}

const BETWEEN: Duration = Duration::from_millis(500);
/// A look that is not older needs no other one.
const NEAR: Duration = Duration::from_millis(500);
