//! A report for programs. The same facts as for people, never a value.

use std::collections::BTreeSet;

use seed_core::name::ValueId;
use seed_core::report::{Failure, Fate, Outcome, Report, Verdict};
use seed_core::resolve::Resolved;
use serde_json::{Map, Value, json};

use super::action_json::reasons;
use super::error_json::errors;
use super::{manifests_json, plan_json};
use crate::backends::Asked;
use crate::error::CliError;
use crate::manifests::Emitted;
use crate::secret_files::FileFate;
use crate::{advice, session};

/// The report as one JSON document; `version` changes when its shape does.
pub(crate) fn report(
    resolved: &Resolved,
    report: &Report,
    unchecked: &BTreeSet<ValueId>,
    files: &[(String, FileFate)],
    emitted: Option<&Emitted>,
    asked: &Asked,
    failures: &[CliError],
) -> Value {
    let counts = report.counts();
    let mut document = json!({
        "version": 1,
        "contract": resolved.contract,
        "env": resolved.env,
        "backends": plan_json::backends(asked),
        "verdict": verdict(report.verdict()),
        "outcomes": report.values().map(|it| outcome(resolved, it, unchecked)).collect::<Vec<_>>(),
        "files": fates(files),
        "manifests": emitted.map(manifests_json::files),
        "errors": errors(failures),
        "notes": plan_json::notes(asked),
        "summary": {
            "created": counts.created,
            "restored": counts.restored,
            "kept": counts.kept,
            "lost": counts.lost,
            "dropped": counts.dropped,
            "failed": counts.failed,
            "uncertain": counts.uncertain,
            "skipped": counts.skipped,
            "cancelled": counts.cancelled,
            "ask": counts.ask,
            "wait": counts.wait,
            "blocked": counts.blocked,
            "minted": counts.minted,
            "optional": counts.optional,
            "not_needed": counts.not_needed,
            "not_selected": counts.not_selected,
        },
    });
    let secrets = || report.secrets().into_iter().map(secret).collect();
    plan_json::add_secrets(resolved, &mut document, secrets);
    document
}

/// What became of the contract's files, as a document of its own.
pub(crate) fn files(
    resolved: &Resolved,
    files: &[(String, FileFate)],
    asked: &Asked,
    failures: &[CliError],
) -> Value {
    json!({
        "version": 1,
        "contract": resolved.contract,
        "env": resolved.env,
        "files": fates(files),
        "errors": errors(failures),
        "notes": plan_json::notes(asked),
    })
}

pub(super) fn fates(files: &[(String, FileFate)]) -> Vec<Value> {
    let fates = files.iter();
    let fates = fates.map(|(path, fate)| json!({"path": path, "outcome": file(*fate)}));
    fates.collect()
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Blocked => "blocked",
        Verdict::Done => "done",
        Verdict::Failed => "failed",
        Verdict::Partial => "partial",
        Verdict::Waiting => "waiting",
    }
}

fn outcome(resolved: &Resolved, outcome: &Outcome, unchecked: &BTreeSet<ValueId>) -> Value {
    let mut members = Map::new();
    members.insert("key".to_owned(), json!(outcome.id.to_string()));
    members.insert("backend".to_owned(), json!(outcome.backend));
    members.insert(
        "name".to_owned(),
        json!(
            outcome
                .name
                .as_ref()
                .map(seed_core::name::SecretName::as_str)
        ),
    );
    let (word, mut more) = fate(&outcome.fate);
    if let Fate::Failed(failure) | Fate::Uncertain(failure) = &outcome.fate {
        let kind = session::kind_of(resolved, &outcome.id);
        more.push(("next", json!(advice::after(kind, failure))));
    }
    members.insert("outcome".to_owned(), json!(word));
    if matches!(outcome.fate, Fate::Created | Fate::Filled) && unchecked.contains(&outcome.id) {
        members.insert("unchecked".to_owned(), json!(true));
    }
    if outcome.contested {
        members.insert("contested".to_owned(), json!(true));
    }
    members.extend(more.into_iter().map(|(key, value)| (key.to_owned(), value)));
    Value::Object(members)
}

/// A Secret in the cluster, and what became of the key that matters most.
fn secret((name, told): (&str, &Fate)) -> Value {
    let (word, more) = fate(told);
    let mut members = Map::new();
    members.insert("secret".to_owned(), json!(name));
    members.insert("outcome".to_owned(), json!(word));
    members.extend(more.into_iter().map(|(key, value)| (key.to_owned(), value)));
    Value::Object(members)
}

fn fate(fate: &Fate) -> (&'static str, Vec<(&'static str, Value)>) {
    match fate {
        Fate::Cancelled => ("cancelled", Vec::new()),
        Fate::Created => ("created", Vec::new()),
        Fate::Filled => ("filled", Vec::new()),
        Fate::Failed(failure) => ("failed", failed(failure)),
        Fate::Kept { given } => ("kept", vec![("given", json!(given))]),
        Fate::Restored { given } => ("restored", vec![("given", json!(given))]),
        Fate::Lost { given: false } => ("lost", Vec::new()),
        Fate::Lost { given: true } => ("dropped", Vec::new()),
        Fate::Skipped { because, reason } => (
            "skipped",
            vec![
                ("because", json!(because.to_string())),
                ("reason", json!(reason)),
            ],
        ),
        Fate::Uncertain(failure) => ("uncertain", failed(failure)),
        Fate::Left(action) => (action.as_str(), reasons(action)),
    }
}

fn failed(failure: &Failure) -> Vec<(&'static str, Value)> {
    vec![
        ("kind", json!(failure.kind)),
        ("reason", json!(failure.message)),
        ("request_id", json!(failure.request_id)),
    ]
}

fn file(fate: FileFate) -> &'static str {
    match fate {
        FileFate::Cancelled => "cancelled",
        FileFate::Differs => "differs",
        FileFate::MadePrivate => "made-private",
        FileFate::Replaced => "replaced",
        FileFate::Unchanged => "unchanged",
        FileFate::Waits => "waits",
        FileFate::Written => "written",
    }
}
