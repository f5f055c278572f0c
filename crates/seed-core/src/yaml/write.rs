//! From JSON values to YAML that YAML 1.1 and 1.2 readers read alike.

use std::fmt::{self, Write};

use serde_json::Value;
use zeroize::Zeroizing;

/// How text is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Style {
    /// Quotes only where a reader could take the text for something else.
    #[default]
    Readable,
    /// Quotes around every value that is text: for files that hold secret values.
    Quoted,
}

/// Writes a block-style document. The same value always gives the same bytes, and ends in one line feed.
pub fn write(value: &Value, style: Style) -> Zeroizing<String> {
    let mut size = Counter(0);
    // Neither a number nor a string refuses to be written to.
    Writer::new(&mut size, style)
        .document(value)
        .unwrap_or_default();
    // The buffer has its size from the start, so it never moves and leaves no copy behind.
    let mut text = Zeroizing::new(String::with_capacity(size.0));
    Writer::new(&mut *text, style)
        .document(value)
        .unwrap_or_default();
    text
}

/// Measures what would be written.
struct Counter(usize);

impl Write for Counter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.saturating_add(text.len());
        Ok(())
    }
}

struct Writer<'a, W> {
    out: &'a mut W,
    style: Style,
}

impl<'a, W: Write> Writer<'a, W> {
    fn new(out: &'a mut W, style: Style) -> Self {
        Self { out, style }
    }

    fn document(&mut self, value: &Value) -> fmt::Result {
        match value {
            Value::Object(members) if !members.is_empty() => self.mapping(members, 0, false),
            Value::Array(items) if !items.is_empty() => self.sequence(items, 0),
            Value::Array(_)
            | Value::Bool(_)
            | Value::Null
            | Value::Number(_)
            | Value::Object(_)
            | Value::String(_) => {
                self.scalar(value, 0)?;
                self.out.write_char('\n')
            }
        }
    }

    /// The first pair of a mapping inside a list stands `behind_dash`.
    fn mapping(
        &mut self,
        members: &serde_json::Map<String, Value>,
        indent: usize,
        behind_dash: bool,
    ) -> fmt::Result {
        for (index, (key, value)) in members.iter().enumerate() {
            if index > 0 || !behind_dash {
                self.indent(indent)?;
            }
            self.text(key, Style::Readable)?;
            self.out.write_char(':')?;
            self.value(value, indent)?;
        }
        Ok(())
    }

    fn sequence(&mut self, items: &[Value], indent: usize) -> fmt::Result {
        for item in items {
            self.indent(indent)?;
            self.out.write_char('-')?;
            if let Some(members) = item.as_object().filter(|members| !members.is_empty()) {
                self.out.write_char(' ')?;
                self.mapping(members, indent + 2, true)?;
            } else {
                self.value(item, indent)?;
            }
        }
        Ok(())
    }

    fn value(&mut self, value: &Value, indent: usize) -> fmt::Result {
        match value {
            Value::Object(members) if !members.is_empty() => {
                self.out.write_char('\n')?;
                self.mapping(members, indent + 2, false)
            }
            Value::Array(items) if !items.is_empty() => {
                self.out.write_char('\n')?;
                self.sequence(items, indent + 2)
            }
            Value::Array(_)
            | Value::Bool(_)
            | Value::Null
            | Value::Number(_)
            | Value::Object(_)
            | Value::String(_) => {
                self.out.write_char(' ')?;
                self.scalar(value, indent + 2)?;
                self.out.write_char('\n')
            }
        }
    }

    fn scalar(&mut self, value: &Value, indent: usize) -> fmt::Result {
        match value {
            Value::String(text) if is_block(text) => self.block(text, indent),
            Value::String(text) => self.text(text, self.style),
            Value::Array(_) => self.out.write_str("[]"),
            Value::Object(_) => self.out.write_str("{}"),
            Value::Bool(_) | Value::Null | Value::Number(_) => write!(self.out, "{value}"),
        }
    }

    fn text(&mut self, text: &str, style: Style) -> fmt::Result {
        if style == Style::Readable && is_plain(text) {
            self.out.write_str(text)
        } else {
            quote(text, self.out)
        }
    }

    fn block(&mut self, text: &str, indent: usize) -> fmt::Result {
        let body = text.trim_end_matches('\n');
        self.out.write_char('|')?;
        match text.len() - body.len() {
            0 => self.out.write_char('-')?,
            1 => {}
            _ => self.out.write_char('+')?,
        }
        for line in body.split('\n') {
            self.out.write_char('\n')?;
            if !line.is_empty() {
                self.indent(indent.max(2))?;
                self.out.write_str(line)?;
            }
        }
        // The caller ends the line; with `+` every further line feed is content.
        for _ in 1..(text.len() - body.len()) {
            self.out.write_char('\n')?;
        }
        Ok(())
    }

    fn indent(&mut self, by: usize) -> fmt::Result {
        (0..by).try_for_each(|_| self.out.write_char(' '))
    }
}

/// Text that no reader takes for a number, a boolean, null, or syntax.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 10] = [
        "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan",
    ];
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '/';
    let rest = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    (text.starts_with(first)
        && text.chars().all(rest)
        && !WORDS.contains(&text.to_ascii_lowercase().as_str()))
        || is_duration(text)
}

/// Go's canonical form of a duration in hours, such as `1h0m0s`, which no reader takes for a number.
fn is_duration(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let split = text.split_once('h').and_then(|(hours, rest)| {
        rest.split_once('m')
            .map(|(minutes, seconds)| (hours, minutes, seconds))
    });
    split.is_some_and(|(hours, minutes, seconds)| {
        digits(hours) && digits(minutes) && seconds.strip_suffix('s').is_some_and(digits)
    })
}

/// Text of several lines that a literal block gives back byte for byte.
fn is_block(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && text
            .chars()
            .all(|c| c == '\n' || c == '\t' || is_printable(c))
        && !text.split('\n').any(|line| line.ends_with([' ', '\t']))
}

fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

fn quote(text: &str, out: &mut impl Write) -> fmt::Result {
    out.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            c if is_printable(c) => out.write_char(c)?,
            c => write!(out, "\\u{:04X}", u32::from(c))?,
        }
    }
    out.write_char('"')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::yaml::{Limits, parse, to_json};

    #[test]
    fn writes_the_shape_of_a_manifest() {
        let value = json!({
            "apiVersion": "external-secrets.io/v1",
            "metadata": {"labels": {}, "name": "a"},
            "spec": {"interval": "1h0m0s", "on": true, "data": [{"key": "a", "n": ["1", 2]}, "no", []]},
            "text": "line\n  two\n",
        });
        insta::assert_snapshot!(write(&value, Style::Readable).as_str(), @r#"
        apiVersion: external-secrets.io/v1
        metadata:
          labels: {}
          name: a
        spec:
          interval: 1h0m0s
          "on": true
          data:
            - key: a
              "n":
                - "1"
                - 2
            - "no"
            - []
        text: |
          line
            two
        "#);
    }

    #[test]
    fn the_buffer_has_its_size_from_the_start() {
        let value = json!({"a": "x".repeat(300), "b": ["\u{1}\"".repeat(99), {"c": "1\n2\n\n"}]});
        let text = write(&value, Style::Quoted);
        assert_eq!(text.len(), text.capacity());
    }

    fn tree() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            any::<String>(),
            "[ -~\n]{0,12}",
            "(yes|no|null|~|1e3|0x1F|1_000|12:30|on|<<|=|- a|a: b|#c|---|\\.\\.\\.|%a|&a|\\*a|!t|\\|)\n?",
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text.prop_filter("YAML has no NUL", |text| !text.contains('\0'))
                .prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::btree_map("[ -~]{1,8}", inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn reading_gives_back_what_was_written(value in tree(), quoted in any::<bool>()) {
            let wrapped = json!({"v": value});
            let style = if quoted { Style::Quoted } else { Style::Readable };
            let text = write(&wrapped, style);
            let node = parse(&text, Limits::default()).map_err(|d| TestCaseError::fail(format!("{}\n{}", d.message, *text)))?;
            prop_assert_eq!(to_json(&node), wrapped, "{}", *text);
        }
    }
}
