//! Why a condition has no answer, without the facts that it read: those may come from a file that nobody may see.

use cel::{ExecutionError, OverloadError};

/// The evaluator's finding, in words for people who know CEL a little.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the evaluator may add errors; their own words could show facts"
)]
pub(crate) fn describe(err: &ExecutionError) -> String {
    match err {
        ExecutionError::NoSuchOverload(overload) => no_overload(overload),
        ExecutionError::NotSupportedAsMethod { method, .. } => {
            format!("`{method}` does not work on this kind of value")
        }
        ExecutionError::InvalidArgumentCount { expected, actual } => {
            format!("a function takes {expected} arguments, not {actual}")
        }
        ExecutionError::MissingArgumentOrTarget => "a function lacks its argument".to_owned(),
        ExecutionError::NoSuchKey(_) => "a mapping lacks the key that is asked for".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "a list is shorter than that".to_owned(),
        ExecutionError::ValuesNotComparable(..) => {
            "values of these kinds cannot be compared".to_owned()
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "it divides by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "a number becomes too large".to_owned(),
        ExecutionError::FunctionError { function, .. } => format!("`{function}` failed"),
        _ => "the values have kinds that do not fit".to_owned(),
    }
}

fn no_overload(overload: &OverloadError) -> String {
    let kinds: Vec<&str> = overload
        .argument_types()
        .iter()
        .map(|kind| kind_of(kind))
        .collect();
    format!(
        "`{}` does not work on {}",
        operator(overload.function()),
        kinds.join(" and ")
    )
}

/// The sign for what CEL's grammar calls `_>_`.
fn operator(function: &str) -> &str {
    match function {
        "_[_]" => "[]",
        "_?_:_" => "?:",
        "@in" => "in",
        other => other.trim_matches('_'),
    }
}

fn kind_of(kind: &str) -> &str {
    match kind {
        "string" => "text",
        "int" | "uint" | "double" | "float" => "a number",
        "bool" => "a boolean",
        "map" => "a mapping",
        "list" => "a list",
        "null" | "null_type" => "null",
        other => other,
    }
}
