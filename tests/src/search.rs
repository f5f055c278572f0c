//! A search for values that must not be where they are not wanted.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Names each value that is in an output, and how it is written there. Never the value.
pub fn leaks(
    secrets: &BTreeMap<String, Vec<u8>>,
    outputs: &BTreeMap<String, Vec<u8>>,
) -> Vec<String> {
    let outputs: BTreeMap<&String, String> = outputs
        .iter()
        .map(|(name, output)| (name, text_of(output)))
        .collect();
    let mut leaks = Vec::new();
    for (key, value) in secrets {
        for (form, text) in forms(value) {
            let text = text_of(&text);
            let found = outputs.iter().filter(|(_, output)| output.contains(&text));
            leaks.extend(found.map(|(name, _)| format!("{key} ({form}) in {name}")));
        }
    }
    leaks
}

/// A character for each byte, whatever it is: texts are searched quickly, and nothing is lost.
fn text_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Ways to write a value. In base64 a text looks different at each of three places in a longer one.
fn forms(value: &[u8]) -> Vec<(String, Vec<u8>)> {
    let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![
        ("as it is".to_owned(), value.to_vec()),
        ("hex".to_owned(), hex.clone().into_bytes()),
        ("upper hex".to_owned(), hex.to_uppercase().into_bytes()),
        ("url".to_owned(), percent(value, "-._~")),
        (
            "url, lower".to_owned(),
            percent(value, "-._~").to_ascii_lowercase(),
        ),
        ("form".to_owned(), percent(value, "-._*/:@")),
        ("json".to_owned(), json(value)),
        ("json in json".to_owned(), json(&json(value))),
        ("debug".to_owned(), debug(value)),
        (
            "half of it".to_owned(),
            value.get(..value.len() / 2).unwrap_or_default().to_vec(),
        ),
    ];
    for skipped in 0..3 {
        let whole = value.get(skipped..).unwrap_or_default();
        let whole = whole.get(..whole.len() / 3 * 3).unwrap_or_default();
        for (name, engine) in [
            ("base64", &STANDARD_NO_PAD),
            ("base64url", &URL_SAFE_NO_PAD),
        ] {
            forms.push((
                format!("{name} from {skipped}"),
                engine.encode(whole).into_bytes(),
            ));
        }
    }
    forms.retain(|(_, text)| text.len() > 7);
    forms
}

/// Percent-encoding, but for letters, digits and `kept`.
fn percent(value: &[u8], kept: &str) -> Vec<u8> {
    let one = |byte: &u8| {
        if byte.is_ascii_alphanumeric() || kept.contains(char::from(*byte)) {
            char::from(*byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    value.iter().map(one).collect::<String>().into_bytes()
}

/// As inside a JSON string.
fn json(value: &[u8]) -> Vec<u8> {
    let quoted = serde_json::Value::from(String::from_utf8_lossy(value)).to_string();
    quoted.trim_matches('"').as_bytes().to_vec()
}

/// As Rust's `Debug` shows a list of bytes.
fn debug(value: &[u8]) -> Vec<u8> {
    let numbers: Vec<String> = value.iter().map(u8::to_string).collect();
    numbers.join(", ").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_finds_every_form() {
        let value = b"correct \"horse\" battery".to_vec();
        let secrets = BTreeMap::from([("key".to_owned(), value.clone())]);
        let found = |output: String| {
            let outputs = BTreeMap::from([("output".to_owned(), output.into_bytes())]);
            !leaks(&secrets, &outputs).is_empty()
        };
        let text = String::from_utf8_lossy(&value).into_owned();
        assert!(found(format!("> {text} <")));
        for before in ["", "a", "ab"] {
            let inside = format!("{before}{text}, and more");
            assert!(found(STANDARD_NO_PAD.encode(&inside)), "{before}");
            assert!(found(URL_SAFE_NO_PAD.encode(&inside)), "{before}");
        }
        for form in [
            "636f72726563742022686f727365222062617474657279",
            "correct%20%22horse%22%20battery",
            r#"{"a": "correct \"horse\" battery"}"#,
            r#"{"a": "{\"b\": \"correct \\\"horse\\\" battery\"}"}"#,
            "[99, 111, 114, 114, 101, 99, 116, 32, 34, 104, 111, 114, 115, 101, 34, 32, 98, 97, 116, 116, 101, 114, 121]",
        ] {
            assert!(found(form.to_owned()), "{form}");
        }
        assert!(!found("another text".to_owned()));
    }
}
