//! Texts that stand for "not yet".

use std::sync::{Arc, LazyLock};

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
pub struct Placeholders(Arc<[Mark]>);

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
        .map(|marks| Self(marks.into()))
    }

    /// No value is a placeholder.
    pub(crate) fn none() -> Self {
        Self(Arc::new([]))
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

const USUAL_TEXTS: [&str; 7] = [
    "",
    "null",
    "REPLACE…",
    "CHANGEME…",
    "PLACEHOLDER…",
    "TODO",
    "<word>",
];

static USUAL: LazyLock<Arc<[Mark]>> = LazyLock::new(|| Arc::new(USUAL_TEXTS.map(Mark::parse)));

impl Default for Placeholders {
    fn default() -> Self {
        // Nearly every value has these, so they are made once.
        Self(Arc::clone(&USUAL))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::choice::testing::read;
    use super::*;

    fn decode(source: &str) -> Result<Placeholders, Vec<String>> {
        read(source, Placeholders::decode)
    }

    #[test]
    fn what_stands_for_not_yet_is_seen() {
        let longest = format!("<{}>", "é".repeat(62));
        for text in [
            "",
            " \n",
            "null",
            "NULL",
            "REPLACE",
            "REPLACE_ME",
            "replace-with-your-token",
            "CHANGEME",
            "changeme123\n",
            "PLACEHOLDER (see the wiki)",
            "TODO",
            "todo",
            "<word>",
            "<your token here>",
            &longest,
        ] {
            assert!(Placeholders::default().matches(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_stands_for_itself_is_kept() {
        let too_long = format!("<{}>", "x".repeat(63));
        for text in [
            "nullable",
            "TODO: rotate",
            "CHANGE",
            "xCHANGEME",
            "<>",
            "<a><b>",
            "<<a>>",
            "<a\nb>",
            "<a",
            "a>",
            &too_long,
            "é",
        ] {
            assert!(!Placeholders::default().matches(text.as_bytes()), "{text}");
        }
        assert!(!Placeholders::default().matches(&[0xff]));
    }

    #[test]
    fn a_list_replaces_the_default_and_an_empty_one_turns_it_off() {
        let own = decode("[tbd, \"FILL…\", null, \"<word>\", \"\"]").unwrap();
        for text in ["TBD", "fill this", "null", "<a>", ""] {
            assert!(own.matches(text.as_bytes()), "{text}");
        }
        for text in ["TODO", "CHANGEME", "tbd."] {
            assert!(!own.matches(text.as_bytes()), "{text}");
        }
        let off = decode("[]").unwrap();
        for text in ["", "CHANGEME", "<a>"] {
            assert!(!off.matches(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_would_match_everything_or_is_no_text_is_refused() {
        assert_eq!(
            decode("[…]").unwrap_err(),
            ["`…` alone would match every value: put the beginning of the text before it"]
        );
        assert_eq!(
            decode("TODO").unwrap_err(),
            ["expected a list, found text: write it in brackets: [TODO]"]
        );
        assert_eq!(
            decode("[1]").unwrap_err(),
            ["expected text, found the number `1`: put it in quotes: \"1\""]
        );
    }

    #[test]
    fn the_default_can_be_written_as_a_list() {
        let rendered = Placeholders::default().to_json().to_string();
        assert_eq!(
            rendered,
            r#"["","null","REPLACE…","CHANGEME…","PLACEHOLDER…","TODO","<word>"]"#
        );
        assert_eq!(decode(&rendered), Ok(Placeholders::default()));
    }

    proptest! {
        #[test]
        fn reading_gives_back_what_was_rendered(texts in proptest::collection::vec("[ -~é]{1,6}…?", 0..5)) {
            let placeholders = Placeholders(texts.iter().map(|text| Mark::parse(text)).collect());
            let rendered = placeholders.to_json().to_string();
            prop_assert_eq!(decode(&rendered), Ok(placeholders), "{}", rendered);
        }

        #[test]
        fn no_value_makes_matching_panic(value in any::<Vec<u8>>(), text in any::<String>()) {
            let placeholders = decode("[\"é…\", \"<word>\"]").unwrap();
            placeholders.matches(&value);
            placeholders.matches(text.as_bytes());
        }
    }
}
