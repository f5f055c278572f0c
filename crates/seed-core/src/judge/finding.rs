//! What is wrong with a stored value, and what to do about it.

use std::fmt;

use super::follows::Mismatch;
use crate::name::ValueId;
use crate::resolve::{ResolvedSource, ResolvedValue};
use crate::value::{DeriveError, Deviation, Newline};

/// One thing to say about a stored value. Holds nothing of the value, not even its length.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Finding {
    /// It breaks a rule of its `check`.
    Check {
        /// The rule, by its word in the contract.
        rule: &'static str,
        /// Fit to stand after "the value".
        reason: String,
    },
    /// It differs from what facts and sources give now.
    Drifted(Mismatch),
    /// It exists, and must not, for this reason.
    Forbidden(String),
    /// What it should be made from is not there.
    HalfPair {
        /// Which value.
        of: ValueId,
    },
    /// It ends as no given value does under the contract's `newline`.
    LineBreak(Newline),
    /// It was not made from its source.
    Mismatch(Mismatch),
    /// The contract's prefix is not before it.
    NoPrefix(String),
    /// The contract's suffix is not after it.
    NoSuffix(String),
    /// It cannot be compared with a value that may be absent, and is.
    NotCompared {
        /// Which value.
        with: ValueId,
    },
    /// It cannot be compared, because another value was not read.
    NotJudged {
        /// Which value.
        unread: ValueId,
    },
    /// Its recipe makes no such value.
    NotOfRecipe {
        /// The recipe, such as `hex 32`.
        recipe: String,
    },
    /// A hash with other parameters than the contract's.
    Parameters(Deviation),
    /// It stands for a value that is still to come.
    Placeholder,
    /// A hash that takes too long to try.
    TooCostly {
        /// Its cost, a power of two.
        cost: u32,
    },
    /// One value where several are declared, or the reverse.
    WrongShape {
        /// What is there.
        found: String,
    },
}

/// How much a finding matters. Of several, the greatest counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Weight {
    /// Worth knowing; a person may have wanted it.
    Note,
    /// Nobody can tell whether the value is sound.
    NotJudged,
    /// The value works, and is another than the contract asks for now.
    Drifted,
    /// There is no value yet.
    Placeholder,
    /// The value does not work.
    Broken,
}

impl Finding {
    /// The word in JSON and documentation.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Check { .. } => "check",
            Self::Drifted(_) => "drifted",
            Self::Forbidden(_) => "forbidden",
            Self::HalfPair { .. } => "half-pair",
            Self::LineBreak(_) => "newline",
            Self::Mismatch(_) => "mismatch",
            Self::NoPrefix(_) => "prefix",
            Self::NoSuffix(_) => "suffix",
            Self::NotCompared { .. } => "not-compared",
            Self::NotJudged { .. } | Self::TooCostly { .. } => "not-judged",
            Self::NotOfRecipe { .. } => "recipe",
            Self::Parameters(_) => "parameters",
            Self::Placeholder => "placeholder",
            Self::WrongShape { .. } => "wrong-shape",
        }
    }

    /// How much it matters.
    pub fn weight(&self) -> Weight {
        match self {
            Self::LineBreak(_) | Self::NotCompared { .. } | Self::NotOfRecipe { .. } => {
                Weight::Note
            }
            Self::NotJudged { .. } | Self::TooCostly { .. } => Weight::NotJudged,
            Self::Drifted(_) | Self::Parameters(_) => Weight::Drifted,
            Self::Placeholder => Weight::Placeholder,
            Self::Check { .. }
            | Self::Forbidden(_)
            | Self::HalfPair { .. }
            | Self::Mismatch(_)
            | Self::NoPrefix(_)
            | Self::NoSuffix(_)
            | Self::WrongShape { .. } => Weight::Broken,
        }
    }

    /// What to do next, as a fragment; `None` where there is nothing to do.
    pub fn hint(&self, value: &ResolvedValue) -> Option<String> {
        let id = &value.id;
        let again = match &value.source {
            Some(ResolvedSource::Mint { by }) => format!("{by} has to write it"),
            Some(ResolvedSource::Provide(_)) if *self == Self::Placeholder => {
                format!("`seed set {id} --fill-placeholders` puts the value in its place")
            }
            Some(ResolvedSource::Provide(_)) => {
                format!("`seed set {id} --replace` puts the right value in its place")
            }
            Some(_) | None if *self == Self::Placeholder => {
                "`seed apply --fill-placeholders` puts the value in its place".to_owned()
            }
            Some(
                ResolvedSource::Compose(_)
                | ResolvedSource::Derive { .. }
                | ResolvedSource::Forbidden(_)
                | ResolvedSource::Generate { .. }
                | ResolvedSource::Value(_),
            )
            | None => "remove it from the backend, and `seed apply` makes it again".to_owned(),
        };
        match self {
            Self::Check { .. } => Some(format!(
                "{again}; `--skip-check {id}` if the rule no longer holds"
            )),
            Self::Drifted(_)
            | Self::LineBreak(_)
            | Self::Mismatch(_)
            | Self::NoPrefix(_)
            | Self::NoSuffix(_)
            | Self::Parameters(_)
            | Self::Placeholder => Some(again),
            Self::Forbidden(_) => Some("remove it from the backend".to_owned()),
            Self::HalfPair { of } => Some(format!(
                "give the known value of {of}, which must match, or remove this one from the backend"
            )),
            Self::NotJudged { unread } => Some(format!("make {unread} readable")),
            Self::WrongShape { .. } => {
                Some("store it as the contract declares it, or change the contract".to_owned())
            }
            Self::NotCompared { .. } | Self::NotOfRecipe { .. } | Self::TooCostly { .. } => None,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Check { rule, reason } => write!(f, "breaks `{rule}`: the value {reason}"),
            Self::Drifted(mismatch) | Self::Mismatch(mismatch) => mismatch.fmt(f),
            Self::Forbidden(why) => write!(f, "exists, and must not: {why}"),
            Self::HalfPair { of } => write!(f, "is made from {of}, which is not there"),
            Self::LineBreak(Newline::None) => {
                f.write_str("ends in a line break, which is taken off a given value")
            }
            Self::LineBreak(Newline::One) => {
                f.write_str("does not end in exactly one line break, as a given value does")
            }
            Self::NoPrefix(prefix) => write!(f, "does not begin with the prefix `{prefix}`"),
            Self::NoSuffix(suffix) => write!(f, "does not end with the suffix `{suffix}`"),
            Self::NotCompared { with } => {
                write!(
                    f,
                    "not compared with {with}, which is not there and need not be"
                )
            }
            Self::NotJudged { unread } => write!(f, "not judged: {unread} was not read"),
            Self::NotOfRecipe { recipe } => {
                write!(
                    f,
                    "is no value that `{recipe}` makes; somebody gave another"
                )
            }
            Self::Parameters(deviation) => deviation.fmt(f),
            Self::Placeholder => f.write_str("is a placeholder for a value that is still to come"),
            Self::TooCostly { cost } => {
                write!(f, "not judged: a hash of cost {cost} takes too long to try")
            }
            Self::WrongShape { found } => write!(f, "wrong shape: {found}"),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hash { of } => write!(f, "was not made from {of} as it is stored"),
            Self::Kind(deviation) => deviation.fmt(f),
            Self::Source { of, reason } => {
                write!(f, "was not made from {of} as it is stored, ")?;
                // Without the length that the error has.
                f.write_str(match reason {
                    DeriveError::Empty => "which is empty",
                    DeriveError::Nul => "which has a NUL byte",
                    DeriveError::TooLong { .. } => "which has more bytes than bcrypt reads",
                    DeriveError::Bcrypt | DeriveError::Cost { .. } | DeriveError::Unverified => {
                        "which bcrypt refuses"
                    }
                })
            }
            Self::Text => f.write_str("differs from what the contract and its sources give now"),
            Self::Unfilled(reason) => write!(f, "can no longer be put together: {reason}"),
        }
    }
}
