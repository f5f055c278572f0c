//! Errors in the look of rustc.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use seed_core::diagnostic::{Diagnostic, Diagnostics, Severity, Span};

use super::visible::{Styled, visible};
use crate::error::{CliError, Plain};

/// More findings about one text help nobody; the rest is counted.
const MOST_SHOWN: usize = 50;
/// Longest message, in characters.
const MOST_CHARACTERS: usize = 600;

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
    let mut shown: Vec<&Diagnostic> = diagnostics.iter().collect();
    if shown.len() > MOST_SHOWN {
        shown.sort_by_key(|diagnostic| diagnostic.severity);
        shown.truncate(MOST_SHOWN);
    }
    for diagnostic in shown {
        let mut diagnostic = diagnostic.clone();
        diagnostic.message = shortened(&diagnostic.message);
        diagnostic.help = diagnostic.help.as_deref().map(shortened);
        text.push_str(&renderer.render(&groups(path, source, &diagnostic)));
        text.push('\n');
    }
    let more = diagnostics.len().saturating_sub(MOST_SHOWN);
    if more > 0 {
        text.push_str(&format!("and {more} more like these in {path}\n"));
    }
    text
}

/// A message that repeats a word of the text is as long as the word.
fn shortened(message: &str) -> String {
    match message.char_indices().nth(MOST_CHARACTERS) {
        Some((at, _)) => format!("{} …", message.get(..at).unwrap_or_default()),
        None => message.to_owned(),
    }
}

/// Lines of `source` from the first that a diagnostic points into to the last. The whole text, which may have millions
/// of lines, would be searched for each of them.
struct Window<'s> {
    text: &'s str,
    start: usize,
    line: usize,
}

impl<'s> Window<'s> {
    fn of(source: &'s str, spans: impl Iterator<Item = Span> + Clone) -> Self {
        let within = |at: usize| source.floor_char_boundary(at.min(source.len()));
        let first = within(spans.clone().map(|span| span.start).min().unwrap_or(0));
        let last = within(spans.map(|span| span.end).max().unwrap_or(0)).max(first);
        let (before, after) = (source.split_at(first).0, source.split_at(last).1);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        // The line below is kept too: an empty span at the end of a line is shown there.
        let end = after.match_indices('\n').nth(1);
        let end = end.map_or(source.len(), |(at, _)| last + at + 1);
        Self {
            text: source.get(start..end).unwrap_or_default(),
            start,
            line: before.matches('\n').count() + 1,
        }
    }

    fn range(&self, span: Span) -> std::ops::Range<usize> {
        let inside = |at: usize| at.saturating_sub(self.start);
        range(self.text, Span::new(inside(span.start), inside(span.end)))
    }
}

fn groups<'d>(path: &'d str, source: &'d str, diagnostic: &'d Diagnostic) -> Vec<Group<'d>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str());
    let mut group = match diagnostic.span {
        Some(span) => {
            let context = diagnostic.context.as_ref();
            let spans = context.map(|context| context.span).into_iter();
            let window = Window::of(source, spans.chain([span]));
            let primary = AnnotationKind::Primary.span(window.range(span));
            let mut snippet = Snippet::source(window.text)
                .path(path)
                .line_start(window.line)
                .annotation(primary);
            if let Some(context) = context {
                let place = AnnotationKind::Context.span(window.range(context.span));
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
    let newline = source
        .get(start..)
        .is_some_and(|rest| rest.starts_with(['\n', '\r']));
    if line_end > start {
        start..line_end
    } else if newline {
        start..start
    } else {
        start..source.ceil_char_boundary((start + 1).min(source.len()))
    }
}
