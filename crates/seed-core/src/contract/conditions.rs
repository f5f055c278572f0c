//! Conditions: their text, and what is wrong with it at its place.

use indexmap::IndexMap;

use super::reader::Context;
use crate::condition::{Condition, ConditionError};
use crate::diagnostic::{Diagnostic, Span, Spanned};
use crate::yaml::Node;

/// Reads conditions by their names.
pub(super) fn conditions(
    cx: &mut Context<'_>,
    node: &Node,
) -> Option<IndexMap<String, Spanned<Condition>>> {
    let mut conditions = IndexMap::new();
    for (key, value) in cx.pairs(node)? {
        let name = key.text().unwrap_or_default();
        let identifier = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !identifier || ["config", "env", "true", "false", "null", "in", "has"].contains(&name) {
            cx.push(
                Diagnostic::error(format!("`{name}` cannot name a condition"), key.span)
                    .help("use letters, digits and `_`, but not `config` or `env`"),
            );
            continue;
        }
        if let Some(condition) = condition(cx, value) {
            conditions.insert(name.to_owned(), condition);
        }
    }
    Some(conditions)
}

/// Reads one CEL expression.
pub(super) fn condition(cx: &mut Context<'_>, node: &Node) -> Option<Spanned<Condition>> {
    // `when: true` is a boolean to YAML and a CEL literal to everybody else.
    let text = match node.as_scalar() {
        None => return cx.expected("a condition", node),
        Some(scalar) if scalar.text == "true" || scalar.text == "false" => {
            Spanned::new(scalar.text.clone(), node.span)
        }
        _ => cx.text(node)?,
    };
    match cx.condition(&text) {
        Ok(condition) => Some(Spanned::new(condition, node.span)),
        Err(err) => {
            cx.push(condition_diagnostic(&err, node.span, &text, cx.source));
            None
        }
    }
}

/// Puts an error of a condition at its place in the file.
pub(crate) fn condition_diagnostic(
    err: &ConditionError,
    span: Span,
    text: &str,
    source: &str,
) -> Diagnostic {
    let at = |start: usize, length: usize| {
        let inside = source
            .get(span.start..span.end)
            .and_then(|written| written.find(text));
        inside.map_or(span, |offset| {
            let start = (span.start + offset + start).min(span.end);
            Span::new(start, (start + length).min(span.end))
        })
    };
    match err {
        ConditionError::Syntax { at: offset, .. } => {
            // What is missing at the end is shown at the last character: behind it another line may begin.
            let last = text.char_indices().next_back().map_or(0, |(last, _)| last);
            let offset = (*offset).min(last);
            let found = text.get(offset..).and_then(|rest| rest.chars().next());
            let length = found.map_or(1, char::len_utf8);
            Diagnostic::error(err.to_string(), at(offset, length))
        }
        ConditionError::Function(name) => {
            let place = text
                .find(&format!("{name}("))
                .map_or(span, |offset| at(offset, name.len()));
            Diagnostic::error(err.to_string(), place).help(
                "CEL has `size`, `contains`, `startsWith`, `endsWith`, `matches`, `has`, `in`, `all` and `exists`",
            )
        }
        ConditionError::Fact { path, hyphen, .. } => {
            let place = text
                .find(path.as_str())
                .map_or(span, |offset| at(offset, path.len()));
            let diagnostic = Diagnostic::error(err.to_string(), place);
            match hyphen {
                Some(hyphen) => diagnostic.help(read_as_minus(hyphen)),
                None => diagnostic,
            }
        }
        ConditionError::Name(name) => {
            let place = text
                .find(name.as_str())
                .map_or(span, |offset| at(offset, name.len()));
            let diagnostic = Diagnostic::error(err.to_string(), place);
            match hyphenated_fact(text, name) {
                Some(fact) => diagnostic.help(read_as_minus(&fact)),
                None => {
                    diagnostic.help("define it under `conditions`, or write `config.…` for a fact")
                }
            }
        }
        ConditionError::Environment => Diagnostic::error(err.to_string(), span)
            .help("give one with `--env`, SEED_ENV, or top-level `env:`"),
        ConditionError::Evaluation(_) | ConditionError::NotBoolean { .. } => {
            Diagnostic::error(err.to_string(), span)
        }
    }
}

fn read_as_minus(fact: &str) -> String {
    format!("CEL reads the hyphen as a minus; write `{fact}`")
}

/// For a name that is the end of `config.features.llm-d`: the way to write that fact.
fn hyphenated_fact(text: &str, name: &str) -> Option<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let fact = text
        .split(|c: char| !word(c))
        .find(|word| word.starts_with("config.") && word.ends_with(&format!("-{name}")))?;
    let (parents, last) = fact.rsplit_once('.')?;
    Some(format!("{parents}[\"{last}\"]"))
}
