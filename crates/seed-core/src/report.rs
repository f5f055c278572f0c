//! What became of a plan: one outcome for each value, and what the whole comes to. Holds no value.

use crate::name::{EntryKey, SecretName, ValueId};
use crate::plan::{Action, Blocked, Plan, Step};

/// What became of every value.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "a report that nobody reads hides failures"]
pub struct Report {
    /// One outcome for each value, in the contract's order.
    pub outcomes: Vec<Outcome>,
}

/// What became of one value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// Which value.
    pub id: ValueId,
    /// The backend's name in the contract, for a value that is needed and kept in one.
    pub backend: Option<String>,
    /// Its stored name there.
    pub name: Option<SecretName>,
    /// What became of it.
    pub fate: Fate,
    /// Whether somebody else wrote it at the same time, on a backend that takes every write.
    pub contested: bool,
}

/// What became of a value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fate {
    /// The run was stopped before it was stored.
    Cancelled,
    /// It was made and stored.
    Created,
    /// It was not stored.
    Failed(Failure),
    /// It was made and stored in the place of a placeholder.
    Filled,
    /// It existed before, and still does.
    Kept {
        /// Whether somebody gave a value for it, which was not used.
        given: bool,
    },
    /// The plan left it alone, and why.
    Left(Action),
    /// Somebody else stored it meanwhile, and that was kept.
    Lost {
        /// Whether a person's value, different from what is stored, was dropped for it.
        given: bool,
    },
    /// It was deleted, and is there again with the value that it had.
    Restored {
        /// Whether somebody gave a value for it, which was not used.
        given: bool,
    },
    /// It was not tried.
    Skipped {
        /// The value whose failure it was. May be the value of another entry, or another value of the same write.
        because: ValueId,
        /// What was wrong with that value, where its own outcome does not say it: it exists, but could not be read.
        reason: Option<String>,
    },
    /// It may or may not have been stored: an answer was lost, and looking did not settle it.
    Uncertain(Failure),
}

impl Fate {
    /// How much it matters: less is more.
    fn rank(&self) -> u8 {
        match self {
            Self::Uncertain(_) => 0,
            Self::Failed(_) => 1,
            Self::Cancelled | Self::Skipped { .. } => 2,
            // The reason itself, not that other keys of the Secret wait for it.
            Self::Left(Action::Blocked(Blocked::Source(id))) if id.entry.as_secret().is_some() => 4,
            Self::Left(Action::Blocked(_)) | Self::Lost { given: true } => 3,
            Self::Left(
                Action::Ask
                | Action::Create
                | Action::Wait {
                    optional: false, ..
                },
            ) => 5,
            Self::Created | Self::Filled | Self::Restored { .. } => 6,
            Self::Lost { given: false } => 7,
            Self::Kept { .. } => 8,
            Self::Left(
                Action::Keep
                | Action::Minted { .. }
                | Action::NotNeeded(_)
                | Action::NotSelected { .. }
                | Action::Optional
                | Action::Wait { optional: true, .. },
            ) => 9,
        }
    }
}

/// What failed, without a value and without a body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// The sort of failure, one word for JSON: the backend's, `contested` when somebody else wrote beside
    /// us, or `value` when the value itself could not be made.
    pub kind: &'static str,
    /// A lower-case fragment fit for "failed to …".
    pub message: String,
    /// The id under which the backend's operators find the request.
    pub request_id: Option<String>,
}

/// How many values fared how.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Were stored.
    pub created: usize,
    /// Were deleted, and were brought back.
    pub restored: usize,
    /// Existed before.
    pub kept: usize,
    /// Were stored by somebody else meanwhile.
    pub lost: usize,
    /// Were given by a person and not stored, because somebody else stored another one meanwhile.
    pub dropped: usize,
    /// Were not stored.
    pub failed: usize,
    /// May or may not have been stored.
    pub uncertain: usize,
    /// Were not tried, because another failed.
    pub skipped: usize,
    /// Were not tried, because the run was stopped.
    pub cancelled: usize,
    /// A person must give.
    pub ask: usize,
    /// Are made from values that are not there yet.
    pub wait: usize,
    /// Are blocked.
    pub blocked: usize,
    /// Are written later by somebody else.
    pub minted: usize,
    /// Are optional and not given.
    pub optional: usize,
    /// Are not needed.
    pub not_needed: usize,
    /// Are not what the run was about.
    pub not_selected: usize,
}

/// What a run comes to. The first that applies counts, in this order.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Verdict {
    /// Something was written, or may have been, and something failed or is uncertain.
    Partial,
    /// Something failed, and nothing was written.
    Failed,
    /// Something is blocked, or a person's value was not stored.
    Blocked,
    /// A person must give something.
    Waiting,
    /// Done, or nothing to do.
    Done,
}

impl Report {
    /// Puts the outcomes in the plan's order. `fate` tells what became of a value that was to be created.
    pub fn new(
        plan: &Plan,
        mut fate: impl FnMut(&Step) -> Fate,
        given: impl Fn(&ValueId) -> bool,
    ) -> Self {
        let outcome = |step: &Step| Outcome {
            id: step.id.clone(),
            backend: step.backend.clone(),
            name: step.name.clone(),
            fate: match &step.action {
                Action::Create => fate(step),
                Action::Keep => Fate::Kept {
                    given: given(&step.id),
                },
                left @ (Action::Ask
                | Action::Blocked(_)
                | Action::Minted { .. }
                | Action::NotNeeded(_)
                | Action::NotSelected { .. }
                | Action::Optional
                | Action::Wait { .. }) => Fate::Left(left.clone()),
            },
            contested: false,
        };
        Self {
            outcomes: plan.steps.iter().map(outcome).collect(),
        }
    }

    /// Tells what became of entries that were deleted and were to be brought back before the run.
    ///
    /// What stands in the way of a value beside that is told as it is.
    pub fn bring_back(&mut self, fate: impl Fn(&EntryKey) -> Option<Fate>) {
        for outcome in &mut self.outcomes {
            let Some(fate) = fate(&outcome.id.entry) else {
                continue;
            };
            match (&outcome.fate, &fate) {
                (Fate::Kept { given }, Fate::Restored { .. }) => {
                    outcome.fate = Fate::Restored { given: *given };
                }
                (Fate::Left(Action::Blocked(Blocked::Deleted { .. })), _)
                | (
                    Fate::Left(Action::Blocked(Blocked::State(_))),
                    Fate::Failed(_) | Fate::Uncertain(_),
                ) => outcome.fate = fate,
                (_, _) => {}
            }
        }
    }

    /// Looks an outcome up.
    pub fn outcome(&self, id: &ValueId) -> Option<&Outcome> {
        self.outcomes.iter().find(|outcome| outcome.id == *id)
    }

    /// The outcomes of values: all but those of keys of Secrets.
    pub fn values(&self) -> impl Iterator<Item = &Outcome> {
        let outcomes = self.outcomes.iter();
        outcomes.filter(|outcome| outcome.id.entry.as_secret().is_none())
    }

    /// What became of the Secrets that are written to the cluster: `namespace/name`, and the fate of the key that
    /// matters most.
    pub fn secrets(&self) -> Vec<(&str, &Fate)> {
        let mut secrets: Vec<(&str, &Fate)> = Vec::new();
        for outcome in &self.outcomes {
            let Some(name) = outcome.id.entry.as_secret() else {
                continue;
            };
            match secrets.last_mut().filter(|(last, _)| *last == name) {
                Some((_, fate)) if fate.rank() <= outcome.fate.rank() => {}
                Some((_, fate)) => *fate = &outcome.fate,
                None => secrets.push((name, &outcome.fate)),
            }
        }
        secrets
    }

    /// Counts the outcomes. The keys of a Secret count as one.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        let secrets = self.secrets().into_iter().map(|(_, fate)| fate);
        for fate in self.values().map(|outcome| &outcome.fate).chain(secrets) {
            *match fate {
                Fate::Cancelled => &mut counts.cancelled,
                Fate::Created | Fate::Filled => &mut counts.created,
                Fate::Failed(_) => &mut counts.failed,
                Fate::Restored { .. } => &mut counts.restored,
                Fate::Kept { .. } | Fate::Left(Action::Keep) => &mut counts.kept,
                Fate::Lost { given: false } => &mut counts.lost,
                Fate::Lost { given: true } => &mut counts.dropped,
                Fate::Skipped { .. } | Fate::Left(Action::Create) => &mut counts.skipped,
                Fate::Uncertain(_) => &mut counts.uncertain,
                Fate::Left(Action::Ask) => &mut counts.ask,
                Fate::Left(Action::Blocked(_)) => &mut counts.blocked,
                Fate::Left(Action::Minted { .. }) => &mut counts.minted,
                Fate::Left(Action::NotNeeded(_)) => &mut counts.not_needed,
                Fate::Left(Action::NotSelected { .. }) => &mut counts.not_selected,
                Fate::Left(Action::Optional | Action::Wait { optional: true, .. }) => {
                    &mut counts.optional
                }
                Fate::Left(Action::Wait {
                    optional: false, ..
                }) => &mut counts.wait,
            } += 1;
        }
        counts
    }

    /// Tells whether something was stored, as far as is certain.
    pub fn wrote_anything(&self) -> bool {
        // A Secret may have been written in part.
        let mut fates = self.outcomes.iter().map(|outcome| &outcome.fate);
        fates.any(|fate| matches!(fate, Fate::Created | Fate::Filled | Fate::Restored { .. }))
    }

    /// Tells whether something that was to be stored was not: it failed, or what it needs did, or the run was stopped.
    pub fn failed(&self) -> bool {
        let counts = self.counts();
        counts.failed + counts.skipped + counts.cancelled > 0
    }

    /// Tells whether it is open what became of something.
    pub fn uncertain(&self) -> bool {
        self.counts().uncertain > 0
    }

    /// What the run comes to.
    pub fn verdict(&self) -> Verdict {
        let counts = self.counts();
        let failed = counts.failed + counts.skipped + counts.cancelled > 0;
        if counts.uncertain > 0 || (failed && self.wrote_anything()) {
            Verdict::Partial
        } else if failed {
            Verdict::Failed
        } else if counts.blocked + counts.dropped > 0 {
            Verdict::Blocked
        } else if counts.ask > 0 {
            // What waits for something that a service mints later waits for no person.
            Verdict::Waiting
        } else {
            Verdict::Done
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::State;

    fn failure() -> Failure {
        Failure {
            kind: "denied",
            message: "create `a`: that is not allowed".to_owned(),
            request_id: None,
        }
    }

    fn skipped() -> Fate {
        Fate::Skipped {
            because: "a".parse().unwrap(),
            reason: None,
        }
    }

    fn blocked() -> Fate {
        Fate::Left(Action::Blocked(Blocked::State(State::Deleted {
            until: None,
        })))
    }

    fn wait(optional: bool) -> Fate {
        let on = vec!["a".parse().unwrap()];
        Fate::Left(Action::Wait { on, optional })
    }

    fn report(fates: Vec<Fate>) -> Report {
        let outcome = |(index, fate): (usize, Fate)| Outcome {
            id: format!("v{index}").parse().unwrap(),
            backend: None,
            name: None,
            fate,
            contested: false,
        };
        Report {
            outcomes: fates.into_iter().enumerate().map(outcome).collect(),
        }
    }

    fn every_fate() -> Vec<Fate> {
        vec![
            Fate::Cancelled,
            Fate::Created,
            Fate::Failed(failure()),
            Fate::Filled,
            Fate::Kept { given: false },
            Fate::Kept { given: true },
            Fate::Lost { given: false },
            Fate::Lost { given: true },
            Fate::Restored { given: false },
            skipped(),
            Fate::Uncertain(failure()),
            Fate::Left(Action::Ask),
            blocked(),
            Fate::Left(Action::Minted {
                by: "n8n".to_owned(),
            }),
            Fate::Left(Action::NotNeeded("off".to_owned())),
            Fate::Left(Action::NotSelected { there: true }),
            Fate::Left(Action::Optional),
            wait(true),
            wait(false),
        ]
    }

    #[test]
    fn each_outcome_alone_comes_to_what_the_exit_codes_say() {
        let verdicts: Vec<Verdict> = every_fate()
            .into_iter()
            .map(|fate| report(vec![fate]).verdict())
            .collect();
        assert_eq!(
            verdicts,
            [
                Verdict::Failed,  // cancelled
                Verdict::Done,    // created
                Verdict::Failed,  // failed
                Verdict::Done,    // filled
                Verdict::Done,    // kept
                Verdict::Done,    // kept, given and not used
                Verdict::Done,    // lost
                Verdict::Blocked, // lost, a person's value dropped
                Verdict::Done,    // restored
                Verdict::Failed,  // skipped
                Verdict::Partial, // uncertain: it may have been written
                Verdict::Waiting, // ask
                Verdict::Blocked, // blocked
                Verdict::Done,    // minted
                Verdict::Done,    // not needed
                Verdict::Done,    // not selected
                Verdict::Done,    // optional
                Verdict::Done,    // waits for something optional
                Verdict::Done,    // waits for a service, as nobody is asked
            ]
        );
    }

    #[test]
    fn a_failure_after_a_write_is_partial_and_before_everything_else() {
        for bad in [Fate::Failed(failure()), Fate::Cancelled, skipped()] {
            let alone = report(vec![Fate::Kept { given: false }, bad.clone(), blocked()]);
            assert_eq!(alone.verdict(), Verdict::Failed);
            let after = report(vec![Fate::Created, bad, Fate::Left(Action::Ask), blocked()]);
            assert_eq!(after.verdict(), Verdict::Partial);
            assert!(after.wrote_anything() && after.failed() && !after.uncertain());
        }
    }

    #[test]
    fn a_lost_race_wrote_nothing() {
        let report = report(vec![Fate::Lost { given: false }, Fate::Failed(failure())]);
        assert!(!report.wrote_anything());
        assert_eq!(report.verdict(), Verdict::Failed);
    }

    #[test]
    fn every_fate_is_counted_once() {
        let counts = report(every_fate()).counts();
        assert_eq!(
            counts,
            Counts {
                created: 2,
                restored: 1,
                kept: 2,
                lost: 1,
                dropped: 1,
                failed: 1,
                uncertain: 1,
                skipped: 1,
                cancelled: 1,
                ask: 1,
                wait: 1,
                blocked: 1,
                minted: 1,
                optional: 2,
                not_needed: 1,
                not_selected: 1,
            }
        );
    }

    proptest! {
        #[test]
        fn the_verdict_depends_on_no_order(fates in proptest::sample::subsequence(every_fate(), 0..=19).prop_shuffle()) {
            let mut reversed = fates.clone();
            reversed.reverse();
            prop_assert_eq!(report(fates).verdict(), report(reversed).verdict());
        }
    }
}
