//! What is wrong with a contract, in a form that is easy to read in a snapshot.

use std::fmt::Write as _;

use seed_core::contract::parse;
use seed_core::diagnostic::{Diagnostics, Severity, Span};
use seed_core::resolve::{Request, resolve};

/// Everything that is wrong with a contract by itself, or else with its own defaults as facts and no environment.
pub(crate) fn complaints(source: &str) -> String {
    complaints_for(source, &Request::default())
}

/// The same for an environment, a backend and the like. The contract's defaults lie under the facts.
pub(crate) fn complaints_for(source: &str, request: &Request) -> String {
    let (contract, warnings) = match parse(source) {
        Ok(read) => read,
        Err(found) => return plain(source, &found),
    };
    let mut facts = contract.defaults.clone();
    facts.merge(request.facts.clone());
    let request = Request {
        facts,
        ..request.clone()
    };
    match resolve(&contract, source, &request) {
        Ok((_, more)) => format!("{}{}", plain(source, &warnings), plain(source, &more)),
        Err(found) => plain(source, &found),
    }
}

fn plain(source: &str, found: &Diagnostics) -> String {
    let mut text = String::new();
    for diagnostic in found.iter() {
        let at = diagnostic
            .span
            .map_or_else(String::new, |span| place(source, span));
        let severity = match diagnostic.severity {
            Severity::Error => "",
            Severity::Warning => "warning: ",
        };
        writeln!(text, "{at}{severity}{}", diagnostic.message).unwrap();
        if let Some(context) = &diagnostic.context {
            writeln!(
                text,
                "      {}{}",
                place(source, context.span),
                context.value
            )
            .unwrap();
        }
        if let Some(help) = &diagnostic.help {
            writeln!(text, "      help: {help}").unwrap();
        }
    }
    text
}

/// Line, column, and what is written there.
fn place(source: &str, span: Span) -> String {
    let before = &source[..span.start];
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    let written = source[span.start..span.end]
        .lines()
        .next()
        .unwrap_or_default();
    let shown: String = written.chars().take(30).collect();
    format!("{line}:{column} «{shown}» ")
}
