//! A plan.

use std::collections::BTreeSet;
use std::fmt;

use crate::inventory::Version;
use crate::name::{EntryKey, SecretName, ValueId};

/// What would be done, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "an unread plan is not actionable"]
pub struct Plan {
    /// One step for each value, in the contract's order.
    pub steps: Vec<Step>,
    /// The writes; `after` of each names those that must come first.
    pub writes: Vec<Write>,
    /// Values that exist and must be read, because others are made from them.
    pub reads: BTreeSet<ValueId>,
}

/// What becomes of one value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// Which value.
    pub id: ValueId,
    /// The backend's name in the contract, for a value that is needed and kept in one.
    pub backend: Option<String>,
    /// Its stored name there.
    pub name: Option<SecretName>,
    /// What was seen. `None` for a value that is not needed.
    pub state: Option<State>,
    /// What is done.
    pub action: Action,
    /// Where the value comes from, in a few words.
    pub source: String,
    /// What it is for.
    pub description: Option<String>,
    /// Files that hold it.
    pub files: Vec<String>,
}

/// What was seen of a value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// The backend said that it is not there.
    Absent,
    /// Deleted, and its name is held.
    Deleted {
        /// When recovery ends, where the backend says.
        until: Option<String>,
    },
    /// There, and another text than facts and sources give now. Only a deep look sees it.
    Drifted {
        /// How it differs, in a few words.
        reason: String,
    },
    /// Switched off, expired, or without a usable version.
    Disabled {
        /// The backend's reason.
        reason: String,
    },
    /// A container without a first version.
    Empty,
    /// Something of that name exists; nobody looked further.
    Exists,
    /// We are not allowed to look.
    Hidden {
        /// What was denied.
        reason: String,
    },
    /// There, and stands for a value that is still to come. Only a deep look sees it.
    Placeholder,
    /// There, and a consumer could read it.
    Present,
    /// The look-up failed, or was not made.
    Unknown {
        /// What failed.
        reason: String,
    },
    /// One value where several are declared, or the reverse.
    WrongShape {
        /// What is there.
        found: String,
    },
}

impl State {
    /// The word in JSON and documentation.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Deleted { .. } => "deleted",
            Self::Disabled { .. } => "disabled",
            Self::Drifted { .. } => "drifted",
            Self::Empty => "empty",
            Self::Exists => "exists",
            Self::Hidden { .. } => "hidden",
            Self::Placeholder => "placeholder",
            Self::Present => "present",
            Self::Unknown { .. } => "unknown",
            Self::WrongShape { .. } => "wrong-shape",
        }
    }

    /// Whether a value is there, as far as anybody looked.
    pub fn is_there(&self) -> bool {
        matches!(self, Self::Exists | Self::Present)
    }

    /// Whether the backend said in its own words that no value is there.
    pub fn is_free(&self) -> bool {
        matches!(self, Self::Absent | Self::Empty)
    }
}

/// What is done with a value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// A person must give it.
    Ask,
    /// Nothing, until somebody removes the reason.
    Blocked(Blocked),
    /// It is made and stored.
    Create,
    /// Nothing: it exists.
    Keep,
    /// Nothing: a running service writes it later.
    Minted {
        /// Which.
        by: String,
    },
    /// Nothing: it is not needed here.
    NotNeeded(String),
    /// Nothing: the run is about other values.
    NotSelected {
        /// Whether it is there, so that others can be made from it.
        there: bool,
    },
    /// Nothing: it is optional, and nobody gave it.
    Optional,
    /// Nothing yet: it is made from values that are not there yet.
    Wait {
        /// Which.
        on: Vec<ValueId>,
        /// Whether only optional values are missing, so that nobody has to act.
        optional: bool,
    },
}

impl Action {
    /// The word in JSON and documentation.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Blocked(_) => "blocked",
            Self::Create => "create",
            Self::Keep => "keep",
            Self::Minted { .. } => "minted",
            Self::NotNeeded(_) => "not-needed",
            Self::NotSelected { .. } => "not-selected",
            Self::Optional => "optional",
            Self::Wait { .. } => "wait",
        }
    }

    /// Whether the value is there now.
    pub(super) fn is_there_already(&self) -> bool {
        matches!(self, Self::Keep | Self::NotSelected { there: true })
    }

    /// Whether the value is there once the plan is carried out.
    pub fn will_be_there(&self) -> bool {
        *self == Self::Create || self.is_there_already()
    }
}

/// Why nothing is done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Blocked {
    /// Deleted, and its name is held until it is brought back or gone for good.
    Deleted {
        /// Which value.
        id: ValueId,
        /// When recovery ends, where the backend says.
        until: Option<String>,
    },
    /// It exists, and must not, for this reason.
    Forbidden(String),
    /// Absent, while values that were made from it are stored.
    HalfPair {
        /// Those values.
        stored: Vec<ValueId>,
    },
    /// Absent, while a member of its group that comes later is stored.
    Group {
        /// Those members.
        stored: Vec<ValueId>,
    },
    /// A placeholder is stored.
    Placeholder {
        /// Of which value.
        id: ValueId,
        /// Whether a person gives the value.
        provided: bool,
    },
    /// It goes into a Secret that cannot be changed, and is made, through a backend, from what stands in it.
    Immutable,
    /// Made from, or belongs with, values that are absent and that this run is not about.
    NotSelected {
        /// Those that would have to be selected too.
        unselected: Vec<ValueId>,
        /// Those that would have to be left out of the excluded ones.
        excluded: Vec<ValueId>,
    },
    /// Absent and given, but a stored value was not made from what was given.
    NotMade {
        /// That stored value.
        product: ValueId,
    },
    /// Absent and given, but nobody can tell whether a stored value was made from what was given.
    Unproven {
        /// That stored value.
        product: ValueId,
        /// Why.
        reason: String,
    },
    /// Made from, or belongs with, a value that is blocked itself.
    Source(ValueId),
    /// What was seen does not allow a write.
    State(State),
    /// Kept in no backend, and alone under no key of a Secret that `seed` writes itself: nobody could read it again.
    Unkept,
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deleted { id, until } => {
                let until = until.clone();
                let state = State::Deleted { until };
                write!(f, "{state}, or `seed apply --restore {id}`")
            }
            Self::Forbidden(reason) => write!(f, "exists, and must not: {reason}"),
            Self::HalfPair { stored } => write!(
                f,
                "absent, but {} made from it: give the known value, which must match, or remove {} from the backend",
                are(stored),
                words(stored)
            ),
            Self::Group { stored } => {
                write!(
                    f,
                    "absent, but {} belongs with it: restore it, or remove the group",
                    are(stored)
                )
            }
            Self::Placeholder { id, provided } => {
                let word = if *provided {
                    format!("set {id}")
                } else {
                    "apply".to_owned()
                };
                write!(
                    f,
                    "{}: `seed {word} --fill-placeholders` fills it",
                    State::Placeholder
                )
            }
            Self::NotSelected {
                unselected,
                excluded,
            } => not_selected(f, unselected, excluded),
            Self::NotMade { product } => {
                write!(f, "the given value does not match the stored {product}")
            }
            Self::Unproven { product, reason } => write!(
                f,
                "given, but nobody can tell whether it matches the stored {product}: {reason}"
            ),
            Self::Source(id) => write!(f, "needs {id}, which is blocked"),
            Self::Immutable => f.write_str(
                "cannot be added to an immutable Secret, and a backend has to keep it after another key of the Secret is stored: take `immutable` away, or keep it in no backend",
            ),
            Self::State(state) => state.fmt(f),
            Self::Unkept => f.write_str(
                "kept in no backend, and nobody could read it again: deliver a Secret directly that holds it under a key of its own, or give it a backend",
            ),
        }
    }
}

fn not_selected(
    f: &mut fmt::Formatter<'_>,
    unselected: &[ValueId],
    excluded: &[ValueId],
) -> fmt::Result {
    let be = |ids: &[ValueId]| if ids.len() == 1 { "is" } else { "are" };
    let mut reasons = Vec::new();
    if !unselected.is_empty() {
        let flags: Vec<String> = unselected.iter().map(|id| format!("--only {id}")).collect();
        reasons.push(format!(
            "needs {}, which {} absent and not selected: add `{}`",
            words(unselected),
            be(unselected),
            flags.join(" ")
        ));
    }
    if !excluded.is_empty() {
        reasons.push(format!(
            "needs {}, which {} absent and left out by `--exclude`",
            words(excluded),
            be(excluded)
        ));
    }
    f.write_str(&reasons.join("; "))
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Deleted { until: Some(until) } => {
                write!(
                    f,
                    "deleted, recoverable until {until}: restore it in the backend"
                )
            }
            Self::Deleted { until: None } => {
                f.write_str("deleted, its name is held: restore it in the backend")
            }
            Self::Disabled { reason } => write!(f, "there, and never written into: {reason}"),
            Self::Drifted { reason } => write!(f, "drifted: it {reason}"),
            Self::Empty => f.write_str("empty: a name without a first value"),
            Self::Exists => f.write_str("exists, not looked into"),
            Self::Hidden { reason } => write!(f, "hidden, which is not absent: {reason}"),
            Self::Placeholder => f.write_str("a placeholder for a value that is still to come"),
            Self::Present => f.write_str("exists"),
            Self::Unknown { reason } => write!(f, "unknown, which is not absent: {reason}"),
            Self::WrongShape { found } => write!(f, "wrong shape: {found}"),
        }
    }
}

fn words(ids: &[ValueId]) -> String {
    ids.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn are(ids: &[ValueId]) -> String {
    format!(
        "{} {} stored and",
        words(ids),
        if ids.len() == 1 { "is" } else { "are" }
    )
}

/// One write to one entry. There is nothing left to choose in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Write {
    /// Which entry.
    pub entry: EntryKey,
    /// The backend's name in the contract.
    pub backend: String,
    /// The stored name.
    pub name: SecretName,
    /// How.
    pub kind: WriteKind,
    /// The values that go in, each after those of the same write that it is made from.
    pub values: Vec<ValueId>,
    /// Writes, by their place in [`Plan::writes`], that must have succeeded before.
    pub after: BTreeSet<usize>,
}

/// How an entry is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum WriteKind {
    /// Fields are added to what an earlier write of this plan stored.
    AddToOwn {
        /// That write, by its place in [`Plan::writes`].
        write: usize,
    },
    /// Fields are added to what is there, if it has not changed.
    Add {
        /// What was seen.
        expected: Version,
    },
    /// The entry is created, if nothing is there.
    Create,
    /// Placeholders give way to values, and fields may be added, if what is there has not changed.
    Replace {
        /// What was seen.
        expected: Version,
    },
    /// The same, in what an earlier write of this plan stored.
    ReplaceInOwn {
        /// That write, by its place in [`Plan::writes`].
        write: usize,
    },
}

impl WriteKind {
    /// The same write, in which a value may also take the place of a placeholder.
    pub(super) fn replacing(self) -> Self {
        match self {
            Self::Add { expected } | Self::Replace { expected } => Self::Replace { expected },
            Self::AddToOwn { write } | Self::ReplaceInOwn { write } => Self::ReplaceInOwn { write },
            Self::Create => Self::Create,
        }
    }

    /// Whether something that exists gives way.
    pub fn replaces(&self) -> bool {
        matches!(self, Self::Replace { .. } | Self::ReplaceInOwn { .. })
    }
}

/// How many values, and Secrets in the cluster, fare how.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// Would be created.
    pub create: usize,
    /// A person must give.
    pub ask: usize,
    /// Are made from values that a person must give.
    pub wait: usize,
    /// Are blocked.
    pub blocked: usize,
    /// Exist.
    pub keep: usize,
    /// Are written later by somebody else.
    pub minted: usize,
    /// Are optional and not given.
    pub optional: usize,
    /// Are not needed.
    pub not_needed: usize,
    /// Are not what the run is about.
    pub not_selected: usize,
}

impl Plan {
    /// Counts the steps. The keys of a Secret count as one.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        let secrets = self.secrets();
        let secrets = secrets.iter().map(super::SecretStep::action);
        for action in self.values().map(|step| &step.action).chain(secrets) {
            *match action {
                Action::Ask => &mut summary.ask,
                Action::Blocked(_) => &mut summary.blocked,
                Action::Create => &mut summary.create,
                Action::Keep => &mut summary.keep,
                Action::Minted { .. } => &mut summary.minted,
                Action::NotNeeded(_) => &mut summary.not_needed,
                Action::NotSelected { .. } => &mut summary.not_selected,
                Action::Optional | Action::Wait { optional: true, .. } => &mut summary.optional,
                Action::Wait {
                    optional: false, ..
                } => &mut summary.wait,
            } += 1;
        }
        summary
    }

    /// Looks a step up.
    pub fn step(&self, id: &ValueId) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == *id)
    }
}
