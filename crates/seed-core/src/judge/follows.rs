//! Whether a stored product follows from what is stored of its sources.

use std::collections::BTreeMap;

use crate::name::ValueId;
use crate::plan::State;
use crate::produce::{FillError, Values, fill, formed};
use crate::resolve::{
    Alternative, Availability, Resolved, ResolvedPart, ResolvedSource, ResolvedText, ResolvedValue,
};
use crate::secret::SecretValue;
use crate::value::{Derivation, DeriveError, Deviation, deviation, verify};

use super::inside::unformed;

/// What is known of what is stored.
///
/// A value that is in neither map, or whose state says something else than "not there", was not read: nothing is
/// concluded from it.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    /// What was read.
    pub values: &'a Values,
    /// What was seen of values. It counts for those only that are not among `values`.
    pub states: &'a BTreeMap<ValueId, State>,
}

/// Whether a value is what its source gives now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Follows {
    /// It is, or it has no source that it could follow from. A hash counts with any cost and version.
    Yes,
    /// It is not.
    No(Mismatch),
    /// Nobody can tell, from what is known.
    CannotTell(Doubt),
}

/// Why a value does not follow from its sources. Holds no value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Mismatch {
    /// A hash of something else.
    Hash {
        /// What it should be a hash of.
        of: ValueId,
    },
    /// It is nothing that the derivation could have made, whatever it was made from.
    Kind(Deviation),
    /// Nothing can be derived from the source as it is stored now.
    Source {
        /// Which source.
        of: ValueId,
        /// Why.
        reason: DeriveError,
    },
    /// A text that differs from what facts and sources give now.
    Text,
    /// The text can no longer be put together.
    Unfilled(FillError),
}

/// Why nobody can tell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Doubt {
    /// A hash that takes too long to try.
    Cost {
        /// Its cost, a power of two.
        cost: u32,
    },
    /// The backend says that this value is not there.
    Missing(ValueId),
    /// This value was not read.
    Unread(ValueId),
}

impl Stored<'_> {
    /// Whether the backend said that a value is not there.
    pub fn is_free(&self, id: &ValueId) -> bool {
        !self.values.contains_key(id) && self.states.get(id).is_some_and(State::is_free)
    }

    fn doubt(&self, id: &ValueId) -> Doubt {
        if self.is_free(id) {
            Doubt::Missing(id.clone())
        } else {
            Doubt::Unread(id.clone())
        }
    }

    fn value(&self, id: &ValueId) -> Result<&SecretValue, Doubt> {
        let value = self.values.get(id).map(AsRef::as_ref);
        value.ok_or_else(|| self.doubt(id))
    }
}

/// Tells whether a stored value follows from its sources, all in the form in which they are stored.
///
/// To try a value that somebody gives in place of an absent source, put it among `values` as
/// [`accept`](crate::produce::accept) returns it.
pub fn follows(resolved: &Resolved, id: &ValueId, stored: Stored<'_>) -> Follows {
    let Some(value) = resolved.value(id) else {
        return Follows::Yes;
    };
    let answer = match &value.source {
        Some(ResolvedSource::Compose(text)) => composed(resolved, value, text, stored),
        Some(ResolvedSource::Derive { derivation, of }) => derived(value, derivation, of, stored),
        Some(ResolvedSource::Value(text)) => literal(value, text, stored),
        Some(
            ResolvedSource::Forbidden(_)
            | ResolvedSource::Generate { .. }
            | ResolvedSource::Mint { .. }
            | ResolvedSource::Provide(_),
        )
        | None => return Follows::Yes,
    };
    match answer {
        Ok(None) => Follows::Yes,
        Ok(Some(mismatch)) => Follows::No(mismatch),
        Err(doubt) => Follows::CannotTell(doubt),
    }
}

type Answer = Result<Option<Mismatch>, Doubt>;

fn literal(value: &ResolvedValue, text: &str, stored: Stored<'_>) -> Answer {
    let found = stored.value(&value.id)?;
    Ok(differs(value, &text.to_owned().into(), found))
}

fn composed(
    resolved: &Resolved,
    value: &ResolvedValue,
    text: &ResolvedText,
    stored: Stored<'_>,
) -> Answer {
    let found = stored.value(&value.id)?;
    let available = available(text, stored)?;
    let chosen = text.choose(&available).map_err(Doubt::Missing)?;
    match fill(resolved, &chosen, stored.values) {
        Ok(now) => Ok(differs(value, &now, found)),
        Err(FillError::Missing(id)) => Err(stored.doubt(&id)),
        Err(reason @ (FillError::Filter { .. } | FillError::NoName(_))) => {
            Ok(Some(Mismatch::Unfilled(reason)))
        }
    }
}

/// Which values of a text are there. Every one that the choice depends on must be known.
fn available(text: &ResolvedText, stored: Stored<'_>) -> Result<Availability, Doubt> {
    for part in text.parts() {
        let ResolvedPart::Value { alternatives, .. } = part else {
            continue;
        };
        let mut ids = alternatives.iter().map_while(Alternative::value);
        if let Some(first) = ids.find(|id| !stored.is_free(id)) {
            stored.value(first)?;
        }
    }
    let there = |id: &&ValueId| stored.values.contains_key(*id);
    Ok(text.values().filter(there).cloned().collect())
}

fn derived(
    value: &ResolvedValue,
    derivation: &Derivation,
    of: &ValueId,
    stored: Stored<'_>,
) -> Answer {
    let found = unformed(value, stored.value(&value.id)?);
    // What is no hash at all follows from nothing, whether or not the source is there.
    if let Some(other) = deviation(derivation, &found).filter(|it| !it.is_of_parameters()) {
        return Ok(Some(Mismatch::Kind(other)));
    }
    match verify(derivation, stored.value(of)?, &found) {
        Ok(true) => Ok(None),
        Ok(false) => Ok(Some(Mismatch::Hash { of: of.clone() })),
        Err(DeriveError::Cost { cost }) => Err(Doubt::Cost { cost }),
        Err(
            reason @ (DeriveError::Bcrypt
            | DeriveError::Empty
            | DeriveError::Nul
            | DeriveError::TooLong { .. }
            | DeriveError::Unverified),
        ) => {
            let of = of.clone();
            Ok(Some(Mismatch::Source { of, reason }))
        }
    }
}

fn differs(value: &ResolvedValue, now: &SecretValue, found: &SecretValue) -> Option<Mismatch> {
    (!formed(value, now.duplicate()).same_as(found)).then_some(Mismatch::Text)
}
