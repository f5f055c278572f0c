//! Text with values filled in.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::name::{EntryKey, ValueId};
use crate::resolve::{Alternative, Place, Resolved, ResolvedPart, ResolvedText};
use crate::secret::SecretValue;
use crate::value::{FilterError, apply};

/// Values by their id. Shared, because several others may be made from one.
pub type Values = BTreeMap<ValueId, Arc<SecretValue>>;

/// Why a text cannot be filled in. Holds no value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FillError {
    /// A filter cannot be applied.
    #[error("a filter of `{id}` fails: {reason}")]
    Filter {
        /// The filtered value.
        id: ValueId,
        /// Why.
        reason: FilterError,
    },
    /// A value that is needed is not there.
    #[error("`{0}` is not there, and the text needs it")]
    Missing(ValueId),
    /// The stored name of an entry that is stored nowhere.
    #[error("`{0}` is kept in no backend, so it has no stored name")]
    NoName(EntryKey),
}

/// Puts values into a text whose alternatives are chosen.
pub(crate) fn fill(
    resolved: &Resolved,
    text: &ResolvedText,
    values: &Values,
) -> Result<SecretValue, FillError> {
    let pieces = text
        .parts()
        .iter()
        .map(|part| piece(resolved, part, values));
    let pieces = pieces.collect::<Result<Vec<_>, _>>()?;
    // Joined in one go: the buffer never grows, so it leaves no copy behind.
    let pieces: Vec<&[u8]> = pieces.iter().map(Piece::bytes).collect();
    Ok(SecretValue::new(pieces.concat()))
}

enum Piece<'a> {
    Filtered(SecretValue),
    Literal(&'a str),
    Whole(&'a SecretValue),
}

impl Piece<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Filtered(value) => value.expose(),
            Self::Literal(text) => text.as_bytes(),
            Self::Whole(value) => value.expose(),
        }
    }
}

fn piece<'a>(
    resolved: &'a Resolved,
    part: &'a ResolvedPart,
    values: &'a Values,
) -> Result<Piece<'a>, FillError> {
    match part {
        ResolvedPart::Literal(text) => Ok(Piece::Literal(text)),
        ResolvedPart::Name(entry) => stored_name(resolved, entry).map(Piece::Literal),
        ResolvedPart::Value {
            alternatives,
            filters,
        } => {
            let id = match alternatives.first() {
                Some(Alternative::Literal(text)) => return Ok(Piece::Literal(text)),
                Some(Alternative::Optional(id) | Alternative::Required(id)) => id,
                None => return Ok(Piece::Literal("")),
            };
            let value = values
                .get(id)
                .ok_or_else(|| FillError::Missing(id.clone()))?;
            let mut filtered: Option<SecretValue> = None;
            for filter in filters {
                let bytes = filtered.as_ref().unwrap_or(value).expose();
                let next = apply(*filter, bytes);
                filtered = Some(next.map_err(|reason| FillError::Filter {
                    id: id.clone(),
                    reason,
                })?);
            }
            Ok(filtered.map_or(Piece::Whole(value), Piece::Filtered))
        }
    }
}

fn stored_name<'a>(resolved: &'a Resolved, entry: &EntryKey) -> Result<&'a str, FillError> {
    match resolved.entries.get(entry).and_then(|e| e.place.as_ref()) {
        Some(Place::Backend { name, .. }) => Ok(name.as_str()),
        Some(Place::Nowhere) | None => Err(FillError::NoName(entry.clone())),
    }
}
