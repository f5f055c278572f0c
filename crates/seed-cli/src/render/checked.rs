//! What `seed check` found.

use serde_json::{Value, json};

use super::error_json::{error, wrong};
use super::words::count;
use crate::error::CliError;

/// A contract that was read.
#[derive(Clone, Debug)]
pub(crate) struct Checks {
    /// Its path, as shown.
    pub(crate) path: String,
    /// Its name.
    pub(crate) contract: String,
    /// What is odd about it, for programs.
    pub(crate) warnings: Vec<Value>,
    /// What facts decide; `None` when no environment is known.
    pub(crate) checked: Option<Checked>,
}

/// What was checked with facts.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    /// The environment, if there is one.
    pub(crate) env: Option<String>,
    /// The backends that it was checked for, the one in use first.
    pub(crate) backends: Vec<String>,
    /// How many secrets there are.
    pub(crate) secrets: usize,
    /// How many of them are needed.
    pub(crate) active_secrets: usize,
    /// How many targets are needed.
    pub(crate) active_targets: usize,
}

/// One line for people.
pub(crate) fn sound(found: &Checks) -> String {
    let Some(checked) = &found.checked else {
        return format!(
            "{}: the contract is sound. Facts, names and conditions are checked with `--env NAME`.\n",
            found.path
        );
    };
    let env = checked
        .env
        .as_ref()
        .map_or_else(String::new, |env| format!(" for env {env}"));
    format!(
        "{}: sound{env}, on {}. {} of {} and {} are active.\n",
        found.path,
        checked.backends.join(", "),
        checked.active_secrets,
        count(checked.secrets, "secret", "secrets"),
        count(checked.active_targets, "target", "targets"),
    )
}

/// The same for programs.
pub(crate) fn sound_json(found: &Checks) -> Value {
    let checked = found.checked.as_ref();
    json!({
        "version": 1,
        "sound": true,
        "file": found.path,
        "contract": found.contract,
        "facts_checked": checked.is_some(),
        "env": checked.and_then(|checked| checked.env.as_ref()),
        "backends": checked.map(|checked| &checked.backends),
        "secrets": checked.map(|checked| json!({"declared": checked.secrets, "active": checked.active_secrets})),
        "targets": checked.map(|checked| json!({"active": checked.active_targets})),
        "diagnostics": found.warnings,
        "counts": counts(&found.warnings),
    })
}

/// A contract that is not sound: what is wrong, with what was odd before it.
pub(crate) fn unsound_json(err: &CliError, found: Option<&Checks>) -> Value {
    let odd = found.map(|found| found.warnings.clone());
    let all: Vec<Value> = odd.into_iter().flatten().chain(wrong(err)).collect();
    json!({
        "version": 1,
        "sound": false,
        "error": error(err),
        "counts": counts(&all),
        "diagnostics": all,
    })
}

fn counts(diagnostics: &[Value]) -> Value {
    let of = |severity: &str| {
        let found = diagnostics.iter();
        found
            .filter(|found| found.get("severity").and_then(Value::as_str) == Some(severity))
            .count()
    };
    json!({"errors": of("error"), "warnings": of("warning")})
}
