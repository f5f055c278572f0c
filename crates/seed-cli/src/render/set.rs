//! What became of a value that a person gave.

use seed_core::name::{SecretName, ValueId};
use seed_core::resolve::{Place, Resolved};
use serde_json::{Value, json};

use super::error_json::errors;
use super::report_json::fates;
use super::{plan_json, report_text};
use crate::backends::Asked;
use crate::error::CliError;
use crate::secret_files::{self, FileFate};

/// What became of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SetOutcome {
    /// Nothing was there, and now it is.
    Created,
    /// It is in the place of a placeholder.
    Filled,
    /// It is in the place of another value.
    Replaced,
    /// It was there already.
    Unchanged,
}

/// All that there is to tell.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) outcome: SetOutcome,
    /// The contract's files that hold it.
    pub(crate) files: Vec<(String, FileFate)>,
    /// Values that waited for it.
    pub(crate) can_create: Vec<ValueId>,
    pub(crate) failures: Vec<CliError>,
}

impl Told {
    pub(crate) fn of(outcome: SetOutcome) -> Self {
        Self {
            outcome,
            files: Vec::new(),
            can_create: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Whether anything is another than before.
    pub(crate) fn wrote(&self) -> bool {
        self.outcome != SetOutcome::Unchanged || secret_files::any_written(&self.files)
    }
}

/// For people.
pub(crate) fn text(id: &ValueId, told: &Told) -> String {
    let (mark, words) = match told.outcome {
        SetOutcome::Created => ('+', "created"),
        SetOutcome::Filled => ('+', "put in the place of a placeholder"),
        SetOutcome::Replaced => ('+', "replaced"),
        SetOutcome::Unchanged => ('=', "exists, with this value; nothing was written"),
    };
    let mut text = format!("  {mark} {id}  {words}\n");
    if !told.files.is_empty() {
        let files = report_text::files(&told.files);
        let files: String = files.lines().map(|line| format!("  {line}\n")).collect();
        text.push_str(&format!("\n  Files:\n{files}"));
    }
    if !told.can_create.is_empty() {
        let names: Vec<String> = told.can_create.iter().map(|id| format!("`{id}`")).collect();
        text.push_str(&format!(
            "\n  `seed apply` can create now: {}\n",
            names.join(", ")
        ));
    }
    text
}

/// For programs.
pub(crate) fn document(resolved: &Resolved, id: &ValueId, told: &Told, asked: &Asked) -> Value {
    let place = resolved
        .entries
        .get(&id.entry)
        .and_then(|entry| entry.place.as_ref());
    let (backend, name) = match place {
        Some(Place::Backend { backend, name, .. }) => (Some(backend), Some(name)),
        Some(Place::Nowhere) | None => (None, None),
    };
    let can_create: Vec<String> = told.can_create.iter().map(ToString::to_string).collect();
    json!({
        "version": 1,
        "contract": resolved.contract,
        "env": resolved.env,
        "key": id.to_string(),
        "backends": plan_json::backends(asked),
        "backend": backend,
        "name": name.map(SecretName::as_str),
        "outcome": word(told.outcome),
        "files": fates(&told.files),
        "can_create": can_create,
        "errors": errors(&told.failures),
        "notes": plan_json::notes(asked),
    })
}

fn word(outcome: SetOutcome) -> &'static str {
    match outcome {
        SetOutcome::Created => "created",
        SetOutcome::Filled => "filled",
        SetOutcome::Replaced => "replaced",
        SetOutcome::Unchanged => "unchanged",
    }
}
