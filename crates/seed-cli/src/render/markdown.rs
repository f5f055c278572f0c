//! Words of others in Markdown.

use super::visible::is_hidden;

/// Text that stands for itself: whatever it says, it makes no table, link, image, mention or element, and ends no fence.
///
/// It is set as code, in which no site looks for mentions and addresses, and everything that Markdown or HTML could take
/// for its own is written by its number. Blanks, newlines and what cannot be seen become one blank.
pub(super) fn code(text: &str) -> String {
    let blank = |c: char| c.is_whitespace() || c.is_control() || is_hidden(c);
    let words: Vec<&str> = text.split(blank).filter(|word| !word.is_empty()).collect();
    let mut written = String::from("<code>");
    for c in words.join(" ").chars() {
        if is_plain(c) {
            written.push(c);
        } else {
            written.push_str(&format!("&#{};", u32::from(c)));
        }
    }
    written.push_str("</code>");
    written
}

/// Letters, digits and what has no meaning anywhere in a line.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || " ,()/-".contains(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a reader of HTML sees.
    fn read(written: &str) -> String {
        let inside = written.strip_prefix("<code>").unwrap();
        let mut rest = inside.strip_suffix("</code>").unwrap();
        let mut text = String::new();
        while let Some((before, after)) = rest.split_once("&#") {
            let (number, after) = after.split_once(';').unwrap();
            text.push_str(before);
            text.push(char::from_u32(number.parse().unwrap()).unwrap());
            rest = after;
        }
        text + rest
    }

    #[test]
    fn nothing_means_anything() {
        for (text, written) in [
            ("hex 32, prefix sk-", "hex 32, prefix sk-"),
            ("a | b", "a &#124; b"),
            ("<img src=x>", "&#60;img src&#61;x&#62;"),
            ("@admins, see #1", "&#64;admins, see &#35;1"),
            ("[a](https://b.c)", "&#91;a&#93;(https&#58;//b&#46;c)"),
            ("one\n\n```\r\ntwo", "one &#96;&#96;&#96; two"),
            ("&lt;", "&#38;lt&#59;"),
            ("a\u{202e}b\u{2028}c", "a b c"),
            ("", ""),
        ] {
            assert_eq!(code(text), format!("<code>{written}</code>"), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn only_plain_characters_and_numbers_get_through(text in any::<String>()) {
            let written = code(&text);
            let inside = written.strip_prefix("<code>").and_then(|text| text.strip_suffix("</code>"));
            let inside = inside.unwrap_or("|");
            prop_assert!(inside.chars().all(|c| is_plain(c) || "&#;".contains(c)), "{}", inside);
            for part in inside.split('&').skip(1) {
                let number = part.strip_prefix('#').and_then(|part| part.split_once(';'));
                prop_assert!(number.is_some_and(|(number, _)| number.parse::<u32>().is_ok()), "{}", inside);
            }
        }

        #[test]
        fn what_can_be_seen_is_still_said(text in "[ -~äß€\n\t]{0,40}") {
            let words: Vec<&str> = text.split_whitespace().collect();
            prop_assert_eq!(read(&code(&text)), words.join(" "));
        }
    }
}
