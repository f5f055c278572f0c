//! Text with values in it, once facts are known.

use std::collections::BTreeSet;

use crate::name::{EntryKey, ValueId};
use crate::text::Filter;

/// Text whose facts are filled in and whose values are not.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ResolvedText(Vec<ResolvedPart>);

/// A piece of a [`ResolvedText`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ResolvedPart {
    /// Text that stands for itself.
    Literal(String),
    /// The stored name of an entry.
    Name(EntryKey),
    /// The first available of a few values.
    Value {
        /// Active ones only; never empty.
        alternatives: Vec<Alternative>,
        /// What is done to it.
        filters: Vec<Filter>,
    },
}

/// One of `a ?? b`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Alternative {
    /// Text, filters already applied.
    Literal(String),
    /// A value that is always there in the end.
    Required(ValueId),
    /// A value that may be absent.
    Optional(ValueId),
}

/// Which optional values there are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Availability(BTreeSet<ValueId>);

impl Availability {
    /// Whether an optional value is known to be there.
    pub fn has(&self, id: &ValueId) -> bool {
        self.0.contains(id)
    }
}

impl FromIterator<ValueId> for Availability {
    fn from_iter<I: IntoIterator<Item = ValueId>>(ids: I) -> Self {
        Self(ids.into_iter().collect())
    }
}

impl Alternative {
    /// The value, if it is one.
    pub fn value(&self) -> Option<&ValueId> {
        match self {
            Self::Literal(_) => None,
            Self::Optional(id) | Self::Required(id) => Some(id),
        }
    }

    fn is_available(&self, available: &Availability) -> bool {
        match self {
            Self::Literal(_) | Self::Required(_) => true,
            Self::Optional(id) => available.has(id),
        }
    }
}

impl ResolvedText {
    /// Puts pieces together; neighbouring literals become one.
    pub fn new(parts: impl IntoIterator<Item = ResolvedPart>) -> Self {
        let mut merged: Vec<ResolvedPart> = Vec::new();
        for part in parts {
            match (merged.last_mut(), part) {
                (_, ResolvedPart::Literal(text)) if text.is_empty() => {}
                (Some(ResolvedPart::Literal(before)), ResolvedPart::Literal(text)) => {
                    before.push_str(&text);
                }
                (_, part) => merged.push(part),
            }
        }
        Self(merged)
    }

    /// The pieces in their order.
    pub fn parts(&self) -> &[ResolvedPart] {
        &self.0
    }

    /// All values that may be read, in their order.
    pub fn values(&self) -> impl Iterator<Item = &ValueId> {
        self.0
            .iter()
            .flat_map(|part| match part {
                ResolvedPart::Value { alternatives, .. } => alternatives.as_slice(),
                ResolvedPart::Literal(_) | ResolvedPart::Name(_) => &[],
            })
            .filter_map(Alternative::value)
    }

    /// Chooses among alternatives. `Err` names an optional value without which there is no text.
    pub fn choose(&self, available: &Availability) -> Result<Self, ValueId> {
        let mut parts = Vec::new();
        for part in &self.0 {
            let ResolvedPart::Value {
                alternatives,
                filters,
            } = part
            else {
                parts.push(part.clone());
                continue;
            };
            match alternatives
                .iter()
                .find(|alternative| alternative.is_available(available))
            {
                Some(Alternative::Literal(text)) => parts.push(ResolvedPart::Literal(text.clone())),
                Some(chosen) => parts.push(ResolvedPart::Value {
                    alternatives: vec![chosen.clone()],
                    filters: filters.clone(),
                }),
                None => match alternatives.iter().find_map(Alternative::value) {
                    Some(missing) => return Err(missing.clone()),
                    None => parts.push(part.clone()),
                },
            }
        }
        Ok(Self::new(parts))
    }

    /// The one value that this text is, without anything around it or done to it.
    pub fn lone_value(&self) -> Option<&ValueId> {
        match self.0.as_slice() {
            [
                ResolvedPart::Value {
                    alternatives,
                    filters,
                },
            ] if filters.is_empty() => alternatives.first().and_then(Alternative::value),
            _ => None,
        }
    }

    /// The text, when no value is in it.
    pub fn as_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [ResolvedPart::Literal(text)] => Some(text),
            _ => None,
        }
    }
}
