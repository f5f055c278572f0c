//! From `--only`, `--exclude` and other flags that name keys to values.

use std::collections::BTreeSet;

use globset::{Glob, GlobMatcher};
use seed_core::diagnostic::nearest;
use seed_core::name::ValueId;
use seed_core::plan::Selection;
use seed_core::resolve::{Activity, Resolved};

use crate::args::SelectArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;

/// The values that a run is about. That none of them is needed here is an error of its own.
pub(crate) fn selection(resolved: &Resolved, args: &SelectArgs) -> Result<Selection> {
    if args.only.is_empty() && args.exclude.is_empty() {
        return Ok(Selection::ALL);
    }
    let excluded = matching(resolved, "--exclude", &args.exclude)?;
    let only = if args.only.is_empty() {
        None
    } else {
        Some(matching(resolved, "--only", &args.only)?)
    };
    let selection = Selection { only, excluded }.with_secrets(resolved);
    let mut values = resolved.values().map(|(_, value)| value);
    if values.any(|value| value.activity.is_active() && selection.has(&value.id)) {
        Ok(selection)
    } else {
        Err(nothing(resolved, &selection))
    }
}

/// The values that are named in full: `entry#field`, or `entry` for all of its fields.
pub(crate) fn named(resolved: &Resolved, flag: &str, keys: &[String]) -> Result<BTreeSet<ValueId>> {
    let mut named = BTreeSet::new();
    for key in keys {
        named.extend(literal(resolved, flag, key)?);
    }
    Ok(named)
}

/// Values that a flag names with one word, which may be a pattern.
#[derive(Debug)]
pub(crate) struct Named {
    /// The word.
    pub(crate) pattern: String,
    /// The values.
    pub(crate) ids: BTreeSet<ValueId>,
}

/// The values to be brought back, for each word that names some. The run must be about them.
pub(crate) fn restored(
    resolved: &Resolved,
    patterns: &[String],
    selection: &Selection,
) -> Result<Vec<Named>> {
    let flag = "--restore";
    let named = patterns.iter().map(|pattern| {
        let mut ids = matching(resolved, flag, std::slice::from_ref(pattern))?;
        if ids.is_empty() {
            return Err(
                CliError::usage(format!("no key matches `{flag} {pattern}`"))
                    .hint("`seed plan` shows the keys"),
            );
        }
        ids.retain(|id| selection.has(id));
        if ids.is_empty() {
            return Err(CliError::usage(format!(
                "`{flag} {pattern}` names what `--only` and `--exclude` leave out"
            )));
        }
        let pattern = pattern.clone();
        Ok(Named { pattern, ids })
    });
    named.collect()
}

fn matching(resolved: &Resolved, flag: &str, patterns: &[String]) -> Result<BTreeSet<ValueId>> {
    let mut matching = BTreeSet::new();
    for pattern in patterns {
        if !pattern.contains(['*', '?', '[', ']', '{', '}', '\\']) {
            matching.extend(literal(resolved, flag, pattern)?);
            continue;
        }
        let glob = Glob::new(pattern).map_err(|err| {
            CliError::usage(format!("`{flag} {pattern}` is no pattern: {}", err.kind()))
                .hint("`*` stands for any text, `?` for one character, `[ab]` for one of some, `{a,b}` for either")
        })?;
        matching.extend(ids(resolved, &glob.compile_matcher()));
    }
    Ok(matching)
}

fn ids(resolved: &Resolved, glob: &GlobMatcher) -> impl Iterator<Item = ValueId> {
    ids_of_keys(resolved)
        .filter(|id| glob.is_match(id.to_string()) || glob.is_match(id.entry.as_str()))
        .cloned()
}

/// The values that have a key in the contract: Secrets in the cluster are chosen with what they hold.
fn ids_of_keys(resolved: &Resolved) -> impl Iterator<Item = &ValueId> {
    let ids = resolved.values().map(|(_, value)| &value.id);
    ids.filter(|id| id.entry.as_secret().is_none())
}

fn literal(resolved: &Resolved, flag: &str, key: &str) -> Result<Vec<ValueId>> {
    let found: Vec<ValueId> = ids_of_keys(resolved)
        .filter(|id| id.entry.as_str() == key || id.to_string() == key)
        .cloned()
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let message = format!("`{flag} {key}`: `{key}` is not declared under `secrets`");
    Err(undeclared(resolved, key, message))
}

/// A key that the contract does not declare, with the one that was probably meant.
pub(crate) fn undeclared(resolved: &Resolved, key: &str, message: String) -> CliError {
    let ids = || ids_of_keys(resolved);
    let keys = ids().map(|id| id.entry.to_string());
    let ids = ids().map(ToString::to_string);
    let known: Vec<String> = keys.chain(ids).collect();
    let error = CliError::usage(message);
    match nearest(key, known.iter().map(String::as_str)) {
        Some(meant) => error.hint(format!("did you mean `{meant}`?")),
        None => error.hint("`seed plan` shows what is declared"),
    }
}

fn nothing(resolved: &Resolved, selection: &Selection) -> CliError {
    let error = CliError::new(
        Exit::NothingSelected,
        "no key that is needed here is selected",
    );
    let selected = |id: &ValueId| selection.has(id);
    let inactive = resolved
        .values()
        .find_map(|(_, value)| match &value.activity {
            Activity::Inactive(why) if selected(&value.id) => Some((&value.id, why)),
            Activity::Active | Activity::Inactive(_) => None,
        });
    match (inactive, &selection.only) {
        (Some((id, why)), _) => error.hint(format!("`{id}` is not needed: {why}")),
        (None, Some(only)) if only.is_empty() => {
            error.hint("no key matches `--only`; `seed plan` shows the keys")
        }
        (None, Some(_) | None) => error.hint("`--exclude` leaves nothing"),
    }
}
