//! Texts that stand for "not yet".

use serde_json::{Value, json};

use crate::contract::reader::Context;
use crate::diagnostic::Diagnostic;
use crate::yaml::{Node, ScalarType};

/// Most characters of `<word>`, brackets and all.
const LONGEST_BRACKETED: usize = 64;

/// Which values stand for "not yet" rather than for themselves.
///
/// The default knows the empty text, `null`, `TODO`, everything that begins with `REPLACE`, `CHANGEME` or
/// `PLACEHOLDER`, and `<word>`: any text in angle brackets, at most 64 characters with them, without brackets or line
/// breaks inside. A contract that gives a list replaces the default; there `…` at the end means "begins with",
/// `<word>` has the meaning above, and everything else is the whole text.
///
/// Letters of ASCII are compared without regard to case, and white space around a value is ignored: `changeme` with a
/// newline from `echo` is as much a placeholder as `CHANGEME`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Placeholders(Vec<Mark>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Mark {
    /// `<word>`.
    Bracketed,
    /// The value begins so.
    Start(String),
    /// The value is this.
    Whole(String),
}

impl Placeholders {
    /// Reads what stands under `placeholder:`: a list of texts; `[]` means that no value is a placeholder.
    pub(crate) fn decode(cx: &mut Context<'_>, node: &Node) -> Option<Self> {
        cx.list(node, |cx, item| {
            // The default list has `null` as a text, so it may be written as it is shown.
            if item
                .as_scalar()
                .is_some_and(|scalar| scalar.kind() == ScalarType::Null)
            {
                return Some(Mark::Whole("null".to_owned()));
            }
            let mark = Mark::parse(&cx.text(item)?);
            if mark == Mark::Start(String::new()) {
                let diagnostic = Diagnostic::error("`…` alone would match every value", item.span);
                cx.push(diagnostic.help("put the beginning of the text before it"));
                return None;
            }
            Some(mark)
        })
        .map(Self)
    }

    /// Tells whether a value stands for "not yet". What is not UTF-8 does not.
    pub fn matches(&self, value: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(value) else {
            return false;
        };
        let text = text.trim();
        self.0.iter().any(|mark| mark.matches(text))
    }

    /// The list as it would be written in a contract.
    pub fn to_json(&self) -> Value {
        self.0
            .iter()
            .map(|mark| match mark {
                Mark::Bracketed => json!("<word>"),
                Mark::Start(text) => json!(format!("{text}…")),
                Mark::Whole(text) => json!(text),
            })
            .collect()
    }
}

impl Default for Placeholders {
    fn default() -> Self {
        let marks = [
            "",
            "null",
            "REPLACE…",
            "CHANGEME…",
            "PLACEHOLDER…",
            "TODO",
            "<word>",
        ];
        Self(marks.map(Mark::parse).to_vec())
    }
}

impl Mark {
    fn parse(text: &str) -> Self {
        match (text, text.strip_suffix('…')) {
            ("<word>", _) => Self::Bracketed,
            (_, Some(start)) => Self::Start(start.to_owned()),
            (text, None) => Self::Whole(text.to_owned()),
        }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Bracketed => is_bracketed(text),
            Self::Start(start) => text
                .get(..start.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(start)),
            Self::Whole(whole) => text.eq_ignore_ascii_case(whole.trim()),
        }
    }
}

fn is_bracketed(text: &str) -> bool {
    let inside = text
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'));
    text.chars().count() <= LONGEST_BRACKETED
        && inside.is_some_and(|word| !word.is_empty() && !word.contains(['<', '>', '\n', '\r']))
}
