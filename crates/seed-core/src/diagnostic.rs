//! What is wrong with a text, and where.

use std::fmt;

/// A range of bytes in a source text.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The range from `start` up to, but without, `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self {
            start,
            end: end.max(start),
        }
    }
}

/// A place in a text, as people count.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// Its line, from 1.
    pub line: usize,
    /// Its character in that line, from 1.
    pub column: usize,
}

impl Position {
    /// Where the byte at `offset` is.
    pub fn of(source: &str, offset: usize) -> Self {
        let before = source
            .get(..source.floor_char_boundary(offset))
            .unwrap_or_default();
        let (_, line) = before.rsplit_once('\n').unwrap_or(("", before));
        Self {
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
        }
    }
}

/// A value and where it was written. Two are equal when their values are.
#[derive(Clone, Debug)]
pub struct Spanned<T> {
    /// Where it was written.
    pub span: Span,
    /// What was written.
    pub value: T,
}

impl<T> Spanned<T> {
    /// Puts a value and its place together.
    pub fn new(value: T, span: Span) -> Self {
        Self { span, value }
    }
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Spanned<T> {}

impl<T> std::ops::Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Nothing can be done with this text.
    Error,
    /// It works, but probably not as meant.
    Warning,
}

impl Severity {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong, in the words of a lower-case fragment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where, if it has a place.
    pub span: Option<Span>,
    /// A second place that explains the first.
    pub context: Option<Box<Spanned<String>>>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(message: impl Into<String>, span: Span) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            span: Some(span),
            context: None,
            help: None,
        }
    }

    /// A warning at a place.
    pub fn warning(message: impl Into<String>, span: Span) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(message, span)
        }
    }

    /// An error without a place.
    pub fn general(message: impl Into<String>) -> Self {
        Self {
            span: None,
            ..Self::error(message, Span::default())
        }
    }

    /// Points at a second place.
    #[must_use]
    pub fn context(mut self, span: Span, label: impl Into<String>) -> Self {
        self.context = Some(Box::new(Spanned::new(label.into(), span)));
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Everything that is wrong with one text, in the order in which it stands there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Starts with nothing wrong.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one finding.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds all findings of another text pass.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All findings, sorted by place.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        let mut sorted: Vec<&Diagnostic> = self.0.iter().collect();
        sorted.sort_by_key(|diagnostic| diagnostic.span);
        sorted.into_iter()
    }

    /// Gives `value` back when nothing is an error, together with the warnings.
    pub fn into_result<T>(self, value: Option<T>) -> Result<(T, Self), Self> {
        match value {
            Some(value) if !self.has_errors() => Ok((value, self)),
            _ => Err(self),
        }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages: Vec<&str> = self
            .iter()
            .map(|diagnostic| diagnostic.message.as_str())
            .collect();
        f.write_str(&messages.join("; "))
    }
}

impl std::error::Error for Diagnostics {}

/// Longer words are not compared with others, in bytes.
const LONGEST_WORD: usize = 256;

/// The known word that was probably meant, if one is close.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let characters = word.chars().count();
    known
        .into_iter()
        .filter_map(|candidate| {
            let (shorter, longer) = (
                candidate.len().min(word.len()),
                candidate.len().max(word.len()),
            );
            let most = 1 + shorter / 4;
            // Comparing is a lot of work for long words, and in vain where the lengths differ by more.
            if longer > LONGEST_WORD || characters.abs_diff(candidate.chars().count()) > most {
                return None;
            }
            let distance = strsim::damerau_levenshtein(word, candidate);
            (distance <= most && distance < longer).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// The words of a circle, the middle of a long one left out.
pub fn around<T: fmt::Display>(circle: &[T], between: &str) -> String {
    const ENDS: usize = 4;
    let quoted = |part: &[T]| -> Vec<String> { part.iter().map(|it| format!("`{it}`")).collect() };
    match (circle.get(..ENDS), circle.len().checked_sub(ENDS)) {
        (Some(first), Some(rest)) if rest > ENDS => {
            let last = circle.get(rest..).unwrap_or_default();
            let middle = vec![format!("{} more", rest - ENDS)];
            [quoted(first), middle, quoted(last)].concat().join(between)
        }
        _ => quoted(circle).join(between),
    }
}

/// "a, b and c".
pub fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_counted_in_lines_and_characters() {
        let at = |offset| {
            let Position { line, column } = Position::of("aé\nb\n", offset);
            (line, column)
        };
        let places = [0, 1, 2, 3, 4, 5, 6, 99].map(at);
        assert_eq!(
            places,
            [
                (1, 1),
                (1, 2),
                (1, 2),
                (1, 3),
                (2, 1),
                (2, 2),
                (3, 1),
                (3, 1)
            ]
        );
    }
}
