//! Text that cannot steer a terminal.

use std::borrow::Cow;

/// Text with our own styles in it, and nothing else that a terminal obeys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Styled(String);

impl Styled {
    /// Wraps text in which every escape is ours.
    pub(super) fn new(text: &str) -> Self {
        Self(escape(text, |c| is_hidden(c) && c != '\u{1b}').into_owned())
    }

    /// The text, ready for a terminal.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Writes what a terminal would obey, or what would turn text around, as `\u001b`. Newlines and tabs stay.
///
/// The form is JSON's own, so that a document in JSON says the same afterwards.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    escape(text, is_hidden)
}

fn escape(text: &str, is_hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_hidden) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| {
        if is_hidden(c) {
            format!("\\u{:04x}", u32::from(c))
        } else {
            c.to_string()
        }
    };
    Cow::Owned(text.chars().map(shown).collect())
}

/// C0, DEL, C1, and what changes the direction of text.
pub(super) fn is_hidden(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && c != '\n' && c != '\t')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown() {
        assert_eq!(
            visible("a\u{1b}[31mred\r\u{9b}2J\u{7f}\u{202e}b\tc\nd é"),
            "a\\u001b[31mred\\u000d\\u009b2J\\u007f\\u202eb\tc\nd é"
        );
        let styled = Styled::new("\u{1b}[1merror:\u{1b}[0m a\u{9b}b\rc");
        assert_eq!(
            styled.as_str(),
            "\u{1b}[1merror:\u{1b}[0m a\\u009bb\\u000dc"
        );
    }

    proptest! {
        #[test]
        fn nothing_that_a_terminal_obeys_is_left(text in any::<String>()) {
            prop_assert!(!visible(&text).contains(is_hidden));
        }

        #[test]
        fn a_document_in_json_says_the_same(text in any::<String>()) {
            let document = serde_json::json!({ "text": text }).to_string();
            let read: serde_json::Value = serde_json::from_str(&visible(&document)).unwrap();
            prop_assert_eq!(read["text"].as_str(), Some(text.as_str()));
        }
    }
}
