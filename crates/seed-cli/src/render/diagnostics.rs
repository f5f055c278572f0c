//! Errors in the look of rustc.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use seed_core::diagnostic::{Diagnostic, Diagnostics, Severity, Span};

use super::visible::{Styled, visible};
use crate::error::{CliError, Plain};

/// An error, ready to print.
pub(crate) fn error(error: &CliError) -> Styled {
    let text = match error {
        CliError::Text {
            path,
            source,
            diagnostics,
        } => texts(path, source, diagnostics),
        CliError::Plain(plain) => plain_error(plain),
    };
    Styled::new(&text)
}

/// Warnings about a text, ready to print; empty when there are none.
pub(crate) fn warnings(path: &str, source: &str, diagnostics: &Diagnostics) -> Styled {
    Styled::new(&texts(path, source, diagnostics))
}

fn plain_error(plain: &Plain) -> String {
    let mut text = format!(
        "{}{}\n",
        style("error:", anstyle::AnsiColor::Red),
        format_args!(" {}", visible(&plain.message))
    );
    for cause in &plain.causes {
        text.push_str(&format!("  caused by: {}\n", visible(cause)));
    }
    for hint in &plain.hints {
        text.push_str(&format!(
            "{} {}\n",
            style("hint:", anstyle::AnsiColor::Cyan),
            visible(hint)
        ));
    }
    text
}

fn style(word: &str, color: anstyle::AnsiColor) -> String {
    let style = anstyle::Style::new().bold().fg_color(Some(color.into()));
    format!("{style}{word}{style:#}")
}

fn texts(path: &str, source: &str, diagnostics: &Diagnostics) -> String {
    let renderer = Renderer::styled();
    let mut text = String::new();
    for diagnostic in diagnostics.iter() {
        text.push_str(&renderer.render(&groups(path, source, diagnostic)));
        text.push('\n');
    }
    text
}

fn groups<'d>(path: &'d str, source: &'d str, diagnostic: &'d Diagnostic) -> Vec<Group<'d>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str());
    let mut group = match diagnostic.span {
        Some(span) => {
            let primary = AnnotationKind::Primary.span(range(source, span));
            let mut snippet = Snippet::source(source).path(path).annotation(primary);
            if let Some(context) = &diagnostic.context {
                let place = AnnotationKind::Context.span(range(source, context.span));
                snippet = snippet.annotation(place.label(context.value.as_str()));
            }
            title.element(snippet)
        }
        None => title.element(annotate_snippets::Origin::path(path)),
    };
    if let Some(help) = &diagnostic.help {
        // The one text that the renderer takes for styled already.
        group = group.element(Level::HELP.message(visible(help)));
    }
    vec![group]
}

/// A range inside the text, one character wide at least, on one line.
fn range(source: &str, span: Span) -> std::ops::Range<usize> {
    let start = source.floor_char_boundary(span.start.min(source.len()));
    let end = source
        .floor_char_boundary(span.end.min(source.len()))
        .max(start);
    let line_end = source
        .get(start..end)
        .and_then(|text| text.find('\n'))
        .map_or(end, |at| start + at);
    if line_end > start {
        start..line_end
    } else {
        start..source.ceil_char_boundary((start + 1).min(source.len()))
    }
}
