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

/// Puts text behind a part of somebody's own template, so that it comes out as it is. Returns whether it can: inside an
/// action only text without any meaning is taken.
pub(crate) fn insert(template: &mut String, text: &str) -> bool {
    const BRACE: &str = "{{ \"{\" }}";
    if ends_inside_action(template) {
        let harmless = |c: char| c.is_ascii_alphanumeric() || " -._~:/@".contains(c);
        template.push_str(text);
        return text.chars().all(harmless);
    }
    // Two braces would begin an action, even where one is the template's and one the text's.
    if text.starts_with('{') && template.ends_with('{') {
        template.pop();
        template.push_str(BRACE);
    }
    template.push_str(&text.replace('{', BRACE));
    true
}

/// Whether what follows would stand inside `{{ }}`.
fn ends_inside_action(template: &str) -> bool {
    let mut rest = template;
    while let Some((_, action)) = rest.split_once("{{") {
        match behind_action(action) {
            Some(behind) => rest = behind,
            None => return true,
        }
    }
    false
}

/// What follows the end of an action, if it ends. Inside quotes and comments `}}` ends nothing.
fn behind_action(action: &str) -> Option<&str> {
    if let Some(comment) = action.trim_start_matches(['-', ' ']).strip_prefix("/*") {
        return comment
            .split_once("*/")?
            .1
            .split_once("}}")
            .map(|(_, behind)| behind);
    }
    let mut quote = None;
    let mut characters = action.char_indices();
    while let Some((at, c)) = characters.next() {
        match (quote, c) {
            (Some('"' | '\''), '\\') => drop(characters.next()),
            (Some(open), c) => quote = (c != open).then_some(open),
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, _) => {
                if let Some(behind) = action.get(at..)?.strip_prefix("}}") {
                    return Some(behind);
                }
            }
        }
    }
    None
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
    fn text_that_is_inserted_opens_no_action() {
        let inserted = |template: &str, text: &str| {
            let mut template = template.to_owned();
            insert(&mut template, text).then_some(template)
        };
        let brace = "{{ \"{\" }}";
        assert_eq!(
            inserted("a ", "{{ .b }}"),
            Some(format!("a {brace}{brace} .b }}}}"))
        );
        assert_eq!(
            inserted("a {", "{ .b }}"),
            Some(format!("a {brace}{brace} .b }}}}"))
        );
        assert_eq!(inserted("{{ .a }}{", "b"), Some("{{ .a }}{b".to_owned()));
        assert_eq!(
            inserted("{{ print \"", "a.b"),
            Some("{{ print \"a.b".to_owned())
        );
        for open in [
            "{{ print \"",
            "{{ print \"}}",
            "{{ print `\"}}",
            "{{ '\\'' }} {{",
            "{{/* \" */}}{{",
            "{{- /* }}",
        ] {
            assert_eq!(inserted(open, "\" .b \""), None, "{open}");
        }
        for closed in ["{{ print \"\\\"{{\" }}", "{{/* \" */}}", "{{ `\\` }}"] {
            assert!(inserted(closed, "\" .b \"").is_some(), "{closed}");
        }
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
