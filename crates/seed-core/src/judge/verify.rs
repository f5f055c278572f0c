//! Every value of a contract, held against what is stored.

use std::collections::BTreeSet;

use super::finding::{Finding, Weight};
use super::follows::Stored;
use super::value::judge;
use crate::name::ValueId;
use crate::plan::{Selection, State};
use crate::resolve::{Activity, Resolved, ResolvedSource, ResolvedValue};

/// What was found, value by value.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "what nobody reads was not verified"]
pub struct Verification {
    /// One for each value, in the contract's order.
    pub values: Vec<Verified>,
}

/// What was found of one value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verified {
    /// Which one.
    pub id: ValueId,
    /// How it stands.
    pub standing: Standing,
}

/// How a value stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It was judged; sound when nothing was found.
    Judged(Vec<Finding>),
    /// It is not there, and need not be.
    LeftOut(State),
    /// It is not there, or not to be used.
    Missing(State),
    /// It is not needed here.
    NotNeeded(String),
    /// The run is not about it.
    NotSelected,
    /// It was not read, which is not absence.
    Unread(State),
}

/// What a standing comes to.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Verdict {
    /// Nothing was found that matters.
    Sound,
    /// Not needed here.
    NotNeeded,
    /// The run is not about it.
    NotSelected,
    /// Not there, and need not be.
    LeftOut,
    /// Not there.
    Missing,
    /// There is something of that name that cannot be used: deleted and held, or switched off.
    Blocked,
    /// Another than the contract asks for now.
    Drifted,
    /// There is no value yet.
    Placeholder,
    /// It does not work.
    Broken,
    /// Read, but not to be judged without another value that was not read.
    NotJudged,
    /// It was not read.
    Unread,
}

/// How many values came to what.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Sound.
    pub sound: usize,
    /// Drifted.
    pub drifted: usize,
    /// Placeholders.
    pub placeholder: usize,
    /// Broken.
    pub broken: usize,
    /// Deleted and held, or switched off.
    pub blocked: usize,
    /// Not there.
    pub missing: usize,
    /// Not there, and need not be.
    pub left_out: usize,
    /// Not to be judged.
    pub not_judged: usize,
    /// Not read.
    pub unread: usize,
    /// Not needed here.
    pub not_needed: usize,
    /// Not selected.
    pub not_selected: usize,
}

/// Judges every selected value of a contract. `unchecked` are values whose `check` is not tried.
pub fn verify(
    resolved: &Resolved,
    stored: Stored<'_>,
    selection: &Selection,
    unchecked: &BTreeSet<ValueId>,
) -> Verification {
    let values = resolved.values().map(|(_, value)| Verified {
        id: value.id.clone(),
        standing: if selection.has(&value.id) {
            standing(resolved, value, stored, unchecked)
        } else {
            Standing::NotSelected
        },
    });
    Verification {
        values: values.collect(),
    }
}

fn standing(
    resolved: &Resolved,
    value: &ResolvedValue,
    stored: Stored<'_>,
    unchecked: &BTreeSet<ValueId>,
) -> Standing {
    if let Activity::Inactive(why) = &value.activity {
        return Standing::NotNeeded(why.clone());
    }
    if resolved.cluster.is_none() && resolved.is_kept_nowhere(&value.id) {
        return Standing::NotNeeded("kept in no backend, only in the cluster".to_owned());
    }
    if stored.values.contains_key(&value.id) {
        return Standing::Judged(judge(resolved, &value.id, stored, unchecked));
    }
    let state = stored.states.get(&value.id).cloned();
    let state = state.unwrap_or(State::Unknown {
        reason: "nobody looked".to_owned(),
    });
    match &value.source {
        Some(ResolvedSource::Forbidden(why)) => forbidden(why, state),
        Some(_) | None => unseen(state, value.may_be_absent()),
    }
}

/// What must not exist need not be read to be known as wrong.
fn forbidden(why: &str, state: State) -> Standing {
    match state {
        State::Absent | State::Deleted { .. } | State::Empty => {
            Standing::NotNeeded("it must not exist, and does not".to_owned())
        }
        State::Disabled { .. }
        | State::Drifted { .. }
        | State::Exists
        | State::Placeholder
        | State::Present => Standing::Judged(vec![Finding::Forbidden(why.to_owned())]),
        State::WrongShape { found } => {
            Standing::Judged(vec![Finding::Forbidden(format!("{why} ({found})"))])
        }
        State::Hidden { .. } | State::Unknown { .. } => Standing::Unread(state),
    }
}

fn unseen(state: State, may_be_absent: bool) -> Standing {
    match state {
        State::Absent | State::Deleted { .. } | State::Empty if may_be_absent => {
            Standing::LeftOut(state)
        }
        State::Absent | State::Deleted { .. } | State::Disabled { .. } | State::Empty => {
            Standing::Missing(state)
        }
        State::WrongShape { found } => Standing::Judged(vec![Finding::WrongShape { found }]),
        State::Drifted { .. }
        | State::Exists
        | State::Hidden { .. }
        | State::Placeholder
        | State::Present
        | State::Unknown { .. } => Standing::Unread(state),
    }
}

impl Standing {
    /// What it comes to.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Judged(findings) => match findings.iter().map(Finding::weight).max() {
                None | Some(Weight::Note) => Verdict::Sound,
                Some(Weight::NotJudged) => Verdict::NotJudged,
                Some(Weight::Drifted) => Verdict::Drifted,
                Some(Weight::Placeholder) => Verdict::Placeholder,
                Some(Weight::Broken) => Verdict::Broken,
            },
            Self::LeftOut(_) => Verdict::LeftOut,
            Self::Missing(State::Deleted { .. } | State::Disabled { .. }) => Verdict::Blocked,
            Self::Missing(_) => Verdict::Missing,
            Self::NotNeeded(_) => Verdict::NotNeeded,
            Self::NotSelected => Verdict::NotSelected,
            Self::Unread(_) => Verdict::Unread,
        }
    }

    /// The word in JSON and documentation: the verdict, or what was seen where nothing could be read.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Judged(_) => match self.verdict() {
                Verdict::Broken => "broken",
                Verdict::Drifted => "drifted",
                Verdict::NotJudged => "not-judged",
                Verdict::Placeholder => "placeholder",
                Verdict::Blocked
                | Verdict::LeftOut
                | Verdict::Missing
                | Verdict::NotNeeded
                | Verdict::NotSelected
                | Verdict::Sound
                | Verdict::Unread => "sound",
            },
            Self::LeftOut(state) | Self::Missing(state) | Self::Unread(state) => state.as_str(),
            Self::NotNeeded(_) => "not-needed",
            Self::NotSelected => "not-selected",
        }
    }
}

impl Verification {
    /// Counts the verdicts.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for value in &self.values {
            *match value.standing.verdict() {
                Verdict::Blocked => &mut counts.blocked,
                Verdict::Broken => &mut counts.broken,
                Verdict::Drifted => &mut counts.drifted,
                Verdict::LeftOut => &mut counts.left_out,
                Verdict::Missing => &mut counts.missing,
                Verdict::NotJudged => &mut counts.not_judged,
                Verdict::NotNeeded => &mut counts.not_needed,
                Verdict::NotSelected => &mut counts.not_selected,
                Verdict::Placeholder => &mut counts.placeholder,
                Verdict::Sound => &mut counts.sound,
                Verdict::Unread => &mut counts.unread,
            } += 1;
        }
        counts
    }
}
