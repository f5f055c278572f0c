//! Errors for programs. The same facts as for people.

use seed_core::diagnostic::{Diagnostic, Diagnostics, Position, Severity, Span};
use serde_json::{Value, json};

use super::words::count;
use crate::error::CliError;

/// The document of a command that failed before it had anything to tell.
pub(crate) fn failure(err: &CliError) -> Value {
    match err {
        CliError::Text { .. } => {
            json!({"version": 1, "error": error(err), "diagnostics": wrong(err)})
        }
        CliError::Plain(_) => json!({"version": 1, "error": error(err)}),
    }
}

/// What is wrong with a text, if that is what failed.
pub(super) fn wrong(err: &CliError) -> Vec<Value> {
    match err {
        CliError::Text {
            path,
            source,
            diagnostics: found,
        } => diagnostics(path, source, found),
        CliError::Plain(_) => Vec::new(),
    }
}

/// What failed beside what a document tells.
pub(super) fn errors(failures: &[CliError]) -> Vec<Value> {
    failures.iter().map(error).collect()
}

/// What failed, why, and what to do next.
pub(super) fn error(err: &CliError) -> Value {
    let exit_code = err.exit().code();
    match err {
        CliError::Text {
            path, diagnostics, ..
        } => {
            let errors = diagnostics.iter();
            let errors = errors
                .filter(|found| found.severity == Severity::Error)
                .count();
            json!({
                "message": format!("`{path}` has {}", count(errors, "error", "errors")),
                "causes": [],
                "hints": [],
                "exit_code": exit_code,
            })
        }
        CliError::Plain(plain) => json!({
            "message": plain.message,
            "causes": plain.causes,
            "hints": plain.hints,
            "exit_code": exit_code,
        }),
    }
}

/// What is wrong with a text, and where.
pub(crate) fn diagnostics(path: &str, source: &str, found: &Diagnostics) -> Vec<Value> {
    found
        .iter()
        .map(|found| diagnostic(path, source, found))
        .collect()
}

fn diagnostic(path: &str, source: &str, found: &Diagnostic) -> Value {
    let at = |span: Span| Position::of(source, span.start);
    let place = found.span.map(at);
    let context = found.context.as_ref().map(|context| {
        let place = at(context.span);
        json!({"message": context.value, "line": place.line, "column": place.column})
    });
    json!({
        "severity": found.severity.as_str(),
        "message": found.message,
        "help": found.help,
        "file": path,
        "line": place.map(|place| place.line),
        "column": place.map(|place| place.column),
        "context": context,
    })
}
