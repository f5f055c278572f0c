//! One value from its source.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rand::CryptoRng;

use super::fill::{FillError, Values, fill};
use crate::name::ValueId;
use crate::plan::Plan;
use crate::resolve::{Availability, Resolved, ResolvedSource, ResolvedValue};
use crate::secret::SecretValue;
use crate::value::{
    Checks, DeriveError, DrawError, Form, NewlineChange, Violation, affix, apply_newline, derive,
    draw, escape_newlines, unescape_newlines,
};

/// Why a value cannot be made. Holds nothing of any value but its length.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProduceError {
    /// It breaks its `check`.
    #[error("the value {}", reasons(.0))]
    Check(Vec<Violation>),
    /// It cannot be derived.
    #[error("it cannot be derived from `{of}`: {reason}")]
    Derive {
        /// From which.
        of: ValueId,
        /// Why.
        reason: DeriveError,
    },
    /// No value could be drawn.
    #[error(transparent)]
    Draw(DrawError),
    /// There is nothing in it, and an empty value stands for one that is not there yet.
    #[error("the value is empty")]
    Empty,
    /// It is given, but made from others, or written by somebody else.
    #[error("the value is given, and the contract makes it from others or leaves it to a service")]
    NotAsked,
    /// Nobody gave it.
    #[error("nobody gave the value")]
    NotGiven,
    /// It stands for a value that is not there yet.
    #[error("the value is a placeholder for one that is still to come")]
    Placeholder,
    /// Its text cannot be filled in.
    #[error(transparent)]
    Text(#[from] FillError),
    /// The contract says that it is not made, or does not know it.
    #[error("the contract does not say how to make `{0}`")]
    Unknown(ValueId),
}

fn reasons(violations: &[Violation]) -> String {
    let reasons: Vec<&str> = violations.iter().map(|v| v.reason.as_str()).collect();
    reasons.join(" and ")
}

/// Makes values of one contract.
#[derive(Clone, Copy, Debug)]
pub struct Maker<'a> {
    /// What is wanted.
    pub resolved: &'a Resolved,
    /// Which values texts may count on, as [`counted_on`](Self::counted_on) gives them.
    pub available: &'a Availability,
    /// Values whose `check` is not tried.
    pub unchecked: &'a BTreeSet<ValueId>,
}

impl Maker<'_> {
    /// The values that texts may count on once a plan is carried out: those that exist, and those that it creates.
    ///
    /// A text whose optional value is among them is never made without it, even if that value's creation fails.
    pub fn counted_on(plan: &Plan) -> Availability {
        let there = plan.steps.iter().filter(|step| step.action.will_be_there());
        there.map(|step| step.id.clone()).collect()
    }

    /// The values that one is made from, alternatives chosen.
    pub fn sources(&self, id: &ValueId) -> BTreeSet<ValueId> {
        match self
            .resolved
            .value(id)
            .and_then(|value| value.source.as_ref())
        {
            Some(ResolvedSource::Compose(text)) => text
                .choose(self.available)
                .map(|chosen| chosen.values().cloned().collect())
                .unwrap_or_default(),
            Some(ResolvedSource::Derive { of, .. }) => BTreeSet::from([of.clone()]),
            Some(
                ResolvedSource::Forbidden(_)
                | ResolvedSource::Generate { .. }
                | ResolvedSource::Mint { .. }
                | ResolvedSource::Provide(_)
                | ResolvedSource::Value(_),
            )
            | None => BTreeSet::new(),
        }
    }

    /// Makes one value: what the application reads, before it is put into the form in which it is stored.
    ///
    /// `values` has at least those of [`sources`](Self::sources). A given value is used in place of a drawn one. `now`
    /// is in seconds since 1970-01-01T00:00:00Z.
    pub fn produce(
        &self,
        id: &ValueId,
        values: &Values,
        given: Option<&SecretValue>,
        rng: &mut dyn CryptoRng,
        now: i64,
    ) -> Result<SecretValue, ProduceError> {
        let unknown = || ProduceError::Unknown(id.clone());
        let value = self.resolved.value(id).ok_or_else(unknown)?;
        if let Some(known) = self.known(value, given)? {
            return Ok(known);
        }
        let checks = self.checks(value);
        match value.source.as_ref().ok_or_else(unknown)? {
            ResolvedSource::Generate { recipe, .. } => {
                let affixes = (value.prefix.as_str(), value.suffix.as_str());
                let drawn = draw(recipe, &checks, affixes, rng, now).map_err(ProduceError::Draw)?;
                Ok(formed(value, drawn))
            }
            ResolvedSource::Compose(text) => {
                let chosen = text.choose(self.available).map_err(FillError::Missing)?;
                finish(value, &checks, fill(self.resolved, &chosen, values)?)
            }
            ResolvedSource::Derive { derivation, of } => {
                let source = values.get(of);
                let source = source.ok_or_else(|| FillError::Missing(of.clone()))?;
                let derived = derive(derivation, source, rng).map_err(|reason| {
                    let of = of.clone();
                    ProduceError::Derive { of, reason }
                })?;
                finish(value, &checks, derived)
            }
            ResolvedSource::Provide(_) => Err(ProduceError::NotGiven),
            ResolvedSource::Forbidden(_)
            | ResolvedSource::Mint { .. }
            | ResolvedSource::Value(_) => Err(unknown()),
        }
    }

    /// Takes a given value through its forms, and tries its `check` unless that is skipped.
    pub fn accept(
        &self,
        id: &ValueId,
        given: &SecretValue,
    ) -> Result<Option<SecretValue>, ProduceError> {
        let unknown = || ProduceError::Unknown(id.clone());
        let value = self.resolved.value(id).ok_or_else(unknown)?;
        self.known(value, Some(given))
    }

    /// The value, where nothing needs to be drawn or read for it.
    pub(super) fn known(
        &self,
        value: &ResolvedValue,
        given: Option<&SecretValue>,
    ) -> Result<Option<SecretValue>, ProduceError> {
        let checks = self.checks(value);
        match (&value.source, given) {
            (Some(ResolvedSource::Generate { .. } | ResolvedSource::Provide(_)), Some(given)) => {
                accept_with(value, &checks, given).map(|(value, _)| Some(value))
            }
            (Some(ResolvedSource::Value(text)), None) => {
                finish(value, &checks, text.clone().into()).map(Some)
            }
            (_, Some(_)) => Err(ProduceError::NotAsked),
            (_, None) => Ok(None),
        }
    }

    /// The text, where all that it is made from is among `values`.
    pub(super) fn text(
        &self,
        value: &ResolvedValue,
        values: &Values,
    ) -> Result<Option<SecretValue>, ProduceError> {
        let Some(ResolvedSource::Compose(text)) = &value.source else {
            return Ok(None);
        };
        let Ok(chosen) = text.choose(self.available) else {
            return Ok(None);
        };
        if chosen.values().any(|id| !values.contains_key(id)) {
            return Ok(None);
        }
        let filled = fill(self.resolved, &chosen, values)?;
        finish(value, &self.checks(value), filled).map(Some)
    }

    fn checks<'v>(&self, value: &'v ResolvedValue) -> Cow<'v, Checks> {
        if self.unchecked.contains(&value.id) {
            Cow::Owned(Checks::default())
        } else {
            Cow::Borrowed(&value.checks)
        }
    }
}

/// Takes a given value through its forms, and tells what became of the newline at its end.
pub fn accept(
    value: &ResolvedValue,
    given: &SecretValue,
) -> Result<(SecretValue, NewlineChange), ProduceError> {
    accept_with(value, &value.checks, given)
}

/// Tells what becomes of the line breaks at the end of a given value, so that it can be said.
pub fn newline_change(value: &ResolvedValue, given: &SecretValue) -> NewlineChange {
    ended(value, given).1
}

fn accept_with(
    value: &ResolvedValue,
    checks: &Checks,
    given: &SecretValue,
) -> Result<(SecretValue, NewlineChange), ProduceError> {
    if value.placeholders.matches(given.expose()) {
        let empty = given.expose().trim_ascii().is_empty();
        return Err(if empty {
            ProduceError::Empty
        } else {
            ProduceError::Placeholder
        });
    }
    let (ended, change) = ended(value, given);
    check(checks, &ended)?;
    let whole = affix(&value.prefix, &ended, &value.suffix);
    Ok((formed(value, whole), change))
}

fn ended(value: &ResolvedValue, given: &SecretValue) -> (SecretValue, NewlineChange) {
    // However it was given, newline and check see the same lines.
    let lines = match value.form {
        Some(Form::EscapeNewlines) => unescape_newlines(given),
        None => given.duplicate(),
    };
    apply_newline(value.newline, &lines)
}

/// Checks and forms what is not drawn: it cannot be tried again.
fn finish(
    value: &ResolvedValue,
    checks: &Checks,
    made: SecretValue,
) -> Result<SecretValue, ProduceError> {
    check(checks, &made)?;
    Ok(formed(value, made))
}

fn check(checks: &Checks, value: &SecretValue) -> Result<(), ProduceError> {
    match checks.check(value.expose()) {
        broken if broken.is_empty() => Ok(()),
        broken => Err(ProduceError::Check(broken)),
    }
}

/// Puts what the application reads into its form.
pub(crate) fn formed(value: &ResolvedValue, made: SecretValue) -> SecretValue {
    match value.form {
        Some(Form::EscapeNewlines) => escape_newlines(&made),
        None => made,
    }
}
