//! Text inside a Go template.

use crate::text::Filter;

/// Text that Go's `text/template` prints as it is.
///
/// `{{` begins an action, so it is printed by one. A `{` at the end is printed by one too: an action that followed it
/// would begin a brace earlier than meant.
pub fn escape(literal: &str) -> String {
    let escaped = literal.replace("{{", "{{ \"{{\" }}");
    match escaped.strip_suffix('{') {
        Some(before) => format!("{before}{{{{ \"{{\" }}}}"),
        None => escaped,
    }
}

/// The action that prints a variable, filters applied.
pub(super) fn action(variable: &str, filters: &[Filter]) -> String {
    let pipes: String = filters
        .iter()
        .map(|filter| match filter {
            Filter::Base64 => " | b64enc",
            Filter::Json => " | toJson",
            // The stored name is text already, and `urlencode` is refused where a contract is read.
            Filter::Name | Filter::Urlencode => "",
        })
        .collect();
    format!("{{{{ .{variable}{pipes} }}}}")
}

/// The variable for a value: what a Go template takes after a dot.
pub(super) fn variable(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let word: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '_'
            }
        })
        .collect();
    let word = if word.starts_with(|c: char| c.is_ascii_digit()) {
        format!("v_{word}")
    } else {
        word
    };
    let mut candidate = word.clone();
    let mut number = 2;
    while taken(&candidate) {
        candidate = format!("{word}_{number}");
        number += 1;
    }
    candidate
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Prints a template of literals and string actions the way Go does.
    fn print(template: &str) -> String {
        let mut printed = String::new();
        let mut rest = template;
        while let Some((before, action)) = rest.split_once("{{") {
            printed.push_str(before);
            let (text, after) = action
                .strip_prefix(" \"")
                .unwrap()
                .split_once("\" }}")
                .unwrap();
            printed.push_str(text);
            rest = after;
        }
        printed + rest
    }

    #[test]
    fn braces_are_printed_by_actions() {
        assert_eq!(escape("a {{ .b }} c"), "a {{ \"{{\" }} .b }} c");
        assert_eq!(escape("{"), "{{ \"{\" }}");
        assert_eq!(escape("a{b}"), "a{b}");
        assert_eq!(escape("{{{"), "{{ \"{{\" }}{{ \"{\" }}");
    }

    #[test]
    fn variables_are_words_and_differ() {
        assert_eq!(variable("dex-admin-hash", |_| false), "dex_admin_hash");
        assert_eq!(variable("9-lives", |_| false), "v_9_lives");
        assert_eq!(variable("a.b", |word| word == "a_b"), "a_b_2");
    }

    proptest! {
        #[test]
        fn any_text_comes_out_as_it_is(text in "[{}a\" .-]{0,12}|\\PC{0,8}") {
            prop_assert_eq!(print(&escape(&text)), text);
        }

        #[test]
        fn no_text_swallows_the_action_after_it(text in "[{}a ]{0,8}") {
            let template = format!("{}{{{{ \"x\" }}}}", escape(&text));
            prop_assert_eq!(print(&template), format!("{text}x"));
        }
    }
}
