//! Which value a name means, and whether it may be given.

use std::collections::BTreeMap;

use crate::diagnostic::{list, nearest};
use crate::name::{EntryKey, ValueId};
use crate::resolve::{Resolved, ResolvedEntry, ResolvedSource, ResolvedValue};

/// The names under which the values of a contract can be given.
#[derive(Debug)]
pub struct Keys<'a> {
    resolved: &'a Resolved,
    variables: BTreeMap<String, Vec<&'a ResolvedValue>>,
}

/// Why a name stands for no value that can be given. Holds names of the contract only, never the name that was looked up.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// Two active keys have one variable name.
    #[error("{} have this name both; write them as `entry` or `entry#field` in a YAML or JSON file", list(.0.iter().map(String::as_str)))]
    Ambiguous(Vec<String>),
    /// It is made from others.
    #[error("`{0}` is composed of other values, so it cannot be given")]
    Composed(ValueId),
    /// It is made from another.
    #[error("`{id}` is derived from `{of}`, so it cannot be given")]
    Derived {
        /// Which value.
        id: ValueId,
        /// From which.
        of: ValueId,
    },
    /// It must not exist.
    #[error("`{id}` must not exist: {why}")]
    Forbidden {
        /// Which value.
        id: ValueId,
        /// Why.
        why: String,
    },
    /// The contract says it itself.
    #[error("`{0}` is a literal in the contract, so it cannot be given")]
    Literal(ValueId),
    /// A service writes it.
    #[error("`{id}` is written later by {by}, so it cannot be given")]
    Minted {
        /// Which value.
        id: ValueId,
        /// Which service.
        by: String,
    },
    /// The entry is one value.
    #[error("`{0}` is one value and has no fields")]
    NoFields(String),
    /// No key has this name.
    #[error("the contract has no key of this name{}", hint(.near.as_deref()))]
    Unknown {
        /// The name that was probably meant.
        near: Option<String>,
    },
    /// The entry has no such field.
    #[error("`{entry}` has no field of this name{}", hint(.near.as_deref()))]
    UnknownField {
        /// The entry.
        entry: String,
        /// The name that was probably meant.
        near: Option<String>,
    },
    /// The entry has several values.
    #[error("`{entry}` has fields: give {}", list(.fields.iter().map(String::as_str)))]
    WholeEntry {
        /// The entry.
        entry: String,
        /// Its values.
        fields: Vec<String>,
    },
}

fn hint(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

impl<'a> Keys<'a> {
    /// Looks at every value of a contract.
    pub fn new(resolved: &'a Resolved) -> Self {
        let mut variables: BTreeMap<String, Vec<&ResolvedValue>> = BTreeMap::new();
        for (_, value) in resolved.values() {
            variables
                .entry(value.id.variable())
                .or_default()
                .push(value);
        }
        Self {
            resolved,
            variables,
        }
    }

    /// The value that is written `entry` or `entry#field`. An inactive one is found too: it is never used.
    pub fn by_key(&self, key: &str) -> Result<ValueId, KeyError> {
        if let Some((entry, field)) = key.split_once('#') {
            return self.by_field(entry, field);
        }
        let entry = self.entry(key)?;
        match entry.values.as_slice() {
            [value] if !entry.has_fields => may_be_given(value),
            _ => Err(whole(entry)),
        }
    }

    /// The value of a field.
    pub fn by_field(&self, entry: &str, field: &str) -> Result<ValueId, KeyError> {
        let entry = self.entry(entry)?;
        if !entry.has_fields {
            return Err(KeyError::NoFields(entry.key.to_string()));
        }
        let names = || {
            entry
                .values
                .iter()
                .filter_map(|value| Some((value.id.field.as_ref()?, value)))
        };
        match names().find(|(name, _)| name.as_str() == field) {
            Some((_, value)) => may_be_given(value),
            None => Err(KeyError::UnknownField {
                entry: entry.key.to_string(),
                near: nearest(field, names().map(|(name, _)| name.as_str())).map(str::to_owned),
            }),
        }
    }

    /// The value with this variable name, without `SEED_VALUE_`. An inactive one is found when no active one has the name.
    pub fn by_variable(&self, name: &str) -> Result<ValueId, KeyError> {
        let Some(values) = self.variables.get(name) else {
            if let Some(entry) = self.with_fields(name) {
                return Err(whole(entry));
            }
            let names = self.variables.keys().map(String::as_str);
            let near = nearest(&name.to_ascii_uppercase(), names);
            return Err(KeyError::Unknown {
                near: near.map(str::to_owned),
            });
        };
        let active = values.iter().filter(|value| value.activity.is_active());
        match active.collect::<Vec<_>>().as_slice() {
            [] => match values.first() {
                Some(value) => Ok(value.id.clone()),
                None => Err(KeyError::Unknown { near: None }),
            },
            [value] => may_be_given(value),
            several => {
                let names = several.iter().map(|value| value.id.to_string());
                Err(KeyError::Ambiguous(names.collect()))
            }
        }
    }

    /// The entry with fields that would have this name if it were one value.
    fn with_fields(&self, name: &str) -> Option<&'a ResolvedEntry> {
        let mut entries = self.resolved.entries.values();
        entries
            .find(|entry| entry.has_fields && ValueId::single(entry.key.clone()).variable() == name)
    }

    fn entry(&self, key: &str) -> Result<&'a ResolvedEntry, KeyError> {
        let found = self.resolved.entries.values();
        let mut found = found.filter(|entry| entry.key.as_str() == key);
        found.next().ok_or_else(|| {
            let names = self.resolved.entries.keys().map(EntryKey::as_str);
            let near = nearest(key, names).map(str::to_owned);
            let of_variable = || {
                self.variables
                    .get(key)?
                    .first()
                    .map(|value| value.id.to_string())
            };
            KeyError::Unknown {
                near: near.or_else(of_variable),
            }
        })
    }
}

fn whole(entry: &ResolvedEntry) -> KeyError {
    KeyError::WholeEntry {
        entry: entry.key.to_string(),
        fields: entry
            .values
            .iter()
            .map(|value| value.id.to_string())
            .collect(),
    }
}

fn may_be_given(value: &ResolvedValue) -> Result<ValueId, KeyError> {
    let id = value.id.clone();
    match &value.source {
        Some(ResolvedSource::Compose(_)) => Err(KeyError::Composed(id)),
        Some(ResolvedSource::Derive { of, .. }) => Err(KeyError::Derived { id, of: of.clone() }),
        Some(ResolvedSource::Forbidden(why)) => Err(KeyError::Forbidden {
            id,
            why: why.clone(),
        }),
        Some(ResolvedSource::Mint { by }) => Err(KeyError::Minted { id, by: by.clone() }),
        Some(ResolvedSource::Value(_)) => Err(KeyError::Literal(id)),
        Some(ResolvedSource::Generate { .. } | ResolvedSource::Provide(_)) | None => Ok(id),
    }
}
