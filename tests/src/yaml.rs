//! An independent reader of YAML, and what Go's readers would make of the same text.

use std::path::Path;

use granit_parser::{Event, Parser, ScalarStyle};
use regex::Regex;
use serde_json::Value;

/// Reads every document of `text` by the rules of YAML 1.2. Documents without content are left
/// out; duplicate keys and unknown tags are errors.
pub fn documents(text: &str) -> Result<Vec<Value>, String> {
    let options = serde_saphyr::options! {
        budget: None,
        reject_unsupported_tags: true,
        strict_booleans: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_multiple_with_options(text, options).map_err(|err| err.to_string())
}

/// Reads `text`, which must have exactly one document.
pub fn document(text: &str) -> Result<Value, String> {
    let mut documents = documents(text)?;
    match (documents.pop(), documents.len()) {
        (Some(only), 0) => Ok(only),
        (None, _) => Err("no document".into()),
        (Some(_), before) => Err(format!("{} documents instead of one", before + 1)),
    }
}

/// Reads the one document in a file.
pub fn file(path: &Path) -> Result<Value, String> {
    let text = text(path)?;
    document(&text).map_err(|err| format!("{}: {err}", path.display()))
}

/// Reads all documents in a file.
pub fn files(path: &Path) -> Result<Vec<Value>, String> {
    let text = text(path)?;
    documents(&text).map_err(|err| format!("{}: {err}", path.display()))
}

/// Lists the unquoted scalars that are not the same to every reader.
///
/// kubectl, Argo CD and Kustomize read with Go libraries that still know parts of YAML 1.1: there
/// an unquoted `no` is a boolean, `0644` is octal and a date is a time. In a manifest, an unquoted
/// scalar should be text to everyone, `true`, `false` or a plain decimal integer.
pub fn ambiguous(text: &str) -> Result<Vec<String>, String> {
    let plain =
        Regex::new(r"^(true|false|0|-?[1-9][0-9]{0,17})$").map_err(|err| err.to_string())?;
    let typed = Regex::new(TYPED).map_err(|err| err.to_string())?;
    let mut found = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|err| err.to_string())?;
        if let Event::Scalar(value, ScalarStyle::Plain, ..) = event
            && typed.is_match(&value)
            && !plain.is_match(&value)
        {
            found.push(format!("line {}: {value}", span.start.line()));
        }
    }
    Ok(found)
}

fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|err| format!("{}: {err}", path.display()))
}

/// What some reader, of YAML 1.1 or 1.2, takes for something other than text.
const TYPED: &str = r"(?x)^(
    | ~ | null | Null | NULL | << | =
    | y | Y | yes | Yes | YES | on | On | ON | true | True | TRUE
    | n | N | no | No | NO | off | Off | OFF | false | False | FALSE
    | [-+]? 0b [01_]+ | [-+]? 0o [0-7_]+ | [-+]? 0x [0-9a-fA-F_]+
    | [-+]? ( \. [0-9] [0-9_]* | [0-9] [0-9_]* ( \. [0-9_]* )? ) ( [eE] [-+]? [0-9]+ )?
    | [-+]? \. ( inf | Inf | INF ) | \. ( nan | NaN | NAN )
    | [0-9]{4} - [0-9]{1,2} - [0-9]{1,2} ( [Tt\ \t] .* )?
)$";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn strings_stay_strings() {
        let text = "a: \"1\"\nb: 'true'\nc: |\n  2\nd: no\ne: 1_000\nf: 12\ng: true\n";
        let expected = json!({
            "a": "1", "b": "true", "c": "2\n", "d": "no", "e": "1_000", "f": 12, "g": true,
        });
        assert_eq!(document(text), Ok(expected));
    }

    #[test]
    fn every_document_is_read() {
        let text = "# first\na: 1\n---\nb: 2\n---\n# nothing\n";
        assert_eq!(documents(text), Ok(vec![json!({"a": 1}), json!({"b": 2})]));
        assert_eq!(document(text), Err("2 documents instead of one".into()));
        assert_eq!(document("# nothing\n"), Err("no document".into()));
    }

    #[test]
    fn duplicate_keys_and_tags_are_errors() {
        assert!(documents("a: 1\na: 2\n").is_err());
        assert!(documents("a: !secret x\n").is_err());
    }

    #[test]
    fn ambiguous_scalars_are_found_only_unquoted() {
        let text = "a: no\nb: 'no'\nc: 0644\nd: [1e3, ~, 1_0]\ne: 2020-01-01\nyes: x\nf: 1.5\ng:\n";
        let found = ambiguous(text).unwrap();
        let expected = [
            "line 1: no",
            "line 3: 0644",
            "line 4: 1e3",
            "line 4: ~",
            "line 4: 1_0",
            "line 5: 2020-01-01",
            "line 6: yes",
            "line 7: 1.5",
            "line 8: ~",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn ordinary_scalars_are_not_ambiguous() {
        let text = "a: hello\nb: 12\nc: true\nd: 1h0m0s\ne: external-secrets.io/v1\nf: -3\ng: {}\n";
        assert_eq!(ambiguous(text), Ok(Vec::new()));
    }
}
