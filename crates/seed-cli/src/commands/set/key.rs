//! Whether a person may give the value of a key.

use seed_core::name::ValueId;
use seed_core::resolve::{Activity, Place, Resolved, ResolvedEntry, ResolvedSource, ResolvedValue};

use crate::commands::get;
use crate::error::{CliError, Result};

/// A value that a person may give, and where it is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'a> {
    pub(super) entry: &'a ResolvedEntry,
    pub(super) value: &'a ResolvedValue,
}

impl<'a> Key<'a> {
    /// Finds it, or says why nobody gives it, and what to do instead.
    pub(super) fn find(resolved: &'a Resolved, id: &ValueId) -> Result<Self> {
        let entry = resolved.entries.get(&id.entry);
        let (Some(entry), Some(value)) = (entry, resolved.value(id)) else {
            return Err(match entry.filter(|entry| entry.has_fields) {
                Some(entry) if id.field.is_none() => fields(entry),
                Some(_) | None => get::unknown(resolved, id),
            });
        };
        if let Activity::Inactive(why) = &value.activity {
            return Err(CliError::usage(format!("`{id}` is not needed here: {why}")));
        }
        if let Some(Place::Nowhere) = &entry.place {
            let message = format!("`{id}` is kept in no backend, only in the cluster");
            return Err(CliError::usage(message));
        }
        match &value.source {
            Some(ResolvedSource::Provide(_) | ResolvedSource::Generate { .. }) => {
                Ok(Self { entry, value })
            }
            Some(source) => Err(made_otherwise(value, source)),
            None => Err(CliError::usage(format!("`{id}` has no source"))),
        }
    }

    pub(super) fn id(&self) -> &'a ValueId {
        &self.value.id
    }
}

fn fields(entry: &ResolvedEntry) -> CliError {
    let names: Vec<String> = entry
        .values
        .iter()
        .map(|value| format!("`{}`", value.id))
        .collect();
    CliError::usage(format!("`{}` has fields: set one of them", entry.key))
        .hint(format!("they are {}", names.join(", ")))
}

fn made_otherwise(value: &ResolvedValue, source: &ResolvedSource) -> CliError {
    let id = &value.id;
    let sources: Vec<String> = value
        .reads()
        .into_iter()
        .map(|source| format!("`{source}`"))
        .collect();
    let sources = sources.join(", ");
    match source {
        ResolvedSource::Compose(_) | ResolvedSource::Derive { .. } => {
            CliError::usage(format!("`{id}` is made from {sources}, not given")).hint(format!(
                "`seed apply` makes `{id}` once what it is made from is there"
            ))
        }
        ResolvedSource::Value(_) => {
            CliError::usage(format!("`{id}` is a literal of the contract, not given"))
                .hint("change it in the contract")
        }
        ResolvedSource::Mint { by } => {
            CliError::usage(format!("`{id}` is written by {by}, not given"))
        }
        ResolvedSource::Forbidden(why) => CliError::usage(format!("`{id}` must not exist: {why}")),
        ResolvedSource::Generate { .. } | ResolvedSource::Provide(_) => {
            CliError::bug(format!("`{id}` can be given, and was refused"))
        }
    }
}
