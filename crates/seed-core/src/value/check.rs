//! What `check:` says: what a value must look like.

use regex::{Regex, RegexBuilder};
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::choice::value_word;
use super::pem::Pem;
use super::url::UrlCheck;
use crate::contract::reader::{Context, Fields};
use crate::diagnostic::{Diagnostic, Spanned};
use crate::text::Subject;
use crate::yaml::Node;

/// Most bytes that a compiled pattern may take.
const PATTERN_SIZE: usize = 1 << 20;
/// Longest value that a check may ask for; no backend stores more.
const LONGEST: i64 = 1 << 20;

/// What a value must look like. A rule that is not written is `None`, empty or `false`.
///
/// Every rule looks at the value before `prefix` and `suffix` are put around it. Characters are those of Unicode; a
/// value that is not UTF-8 satisfies no rule but `bytes`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Checks {
    /// `length`: exactly so many characters.
    pub length: Option<usize>,
    /// `min`: at least so many characters.
    pub min: Option<usize>,
    /// `max`: at most so many characters.
    pub max: Option<usize>,
    /// `bytes`: exactly so many bytes.
    pub bytes: Option<usize>,
    /// `pattern`: somewhere in the value, unless the author anchors it.
    pub pattern: Option<Pattern>,
    /// `prefix`: how the value begins.
    pub prefix: Option<String>,
    /// `one-of`: the values that are allowed; empty when any is.
    pub one_of: Vec<String>,
    /// `url`: an absolute URL.
    pub url: Option<UrlCheck>,
    /// `pem`: PEM text; its structure only.
    pub pem: Option<Pem>,
    /// `matches`: the private key that a certificate belongs to. Recorded; [`Checks::check`] does not look at it.
    pub matches: Option<Spanned<Subject>>,
    /// `json`: the whole value is one JSON text (RFC 8259).
    pub json: bool,
}

/// A regular expression and the text it was made from. Two are equal when their texts are.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

/// A rule that a value breaks. Holds nothing of the value but its length.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{reason}")]
pub struct Violation {
    /// The rule, by its word in the contract.
    pub rule: &'static str,
    /// Fit to stand after "the value": `has 31 characters; 32 are wanted`.
    pub reason: String,
}

impl Checks {
    /// Reads what stands under `check:`.
    pub(crate) fn decode(cx: &mut Context<'_>, node: &Node) -> Option<Self> {
        let mut fields = Fields::open(cx, node, "`check`")?;
        let size = |cx: &mut Context<'_>, node: &Node| cx.length(node, 0..=LONGEST);
        let length = optional(cx, fields.take("length"), size);
        let min = optional(cx, fields.take("min"), size);
        let max = optional(cx, fields.take("max"), size);
        let bytes = optional(cx, fields.take("bytes"), size);
        let pattern = optional(cx, fields.take("pattern"), Pattern::decode);
        let prefix = optional(cx, fields.take("prefix"), text);
        let one_of = optional(cx, fields.take("one-of"), |cx, node| {
            match cx.list(node, text)? {
                words if words.is_empty() => cx.expected("at least one text", node),
                words => Some(words),
            }
        });
        let url = optional(cx, fields.take("url"), UrlCheck::decode);
        let pem = optional(cx, fields.take("pem"), |cx, node| {
            let words = Pem::ALL.map(|pem| (pem.as_str(), pem));
            cx.word(node, &words).map(|word| word.value)
        });
        let matches = optional(cx, fields.take("matches"), value_word);
        let json = optional(cx, fields.take("json"), |cx, node| cx.boolean(node));
        fields.finish(cx, false);
        let checks = Self {
            length: length?,
            min: min?,
            max: max?,
            bytes: bytes?,
            pattern: pattern?,
            prefix: prefix?,
            one_of: one_of?.unwrap_or_default(),
            url: url?,
            pem: pem?,
            matches: matches?,
            json: json?.unwrap_or_default(),
        };
        checks.consistent(cx, node)
    }

    fn consistent(self, cx: &mut Context<'_>, node: &Node) -> Option<Self> {
        let message = match (self.length, self.min, self.max) {
            (Some(_), Some(_), _) => "`length` leaves nothing for `min` to say",
            (Some(_), _, Some(_)) => "`length` leaves nothing for `max` to say",
            (None, Some(min), Some(max)) if min > max => "`min` is more than `max`",
            _ => return Some(self),
        };
        cx.push(Diagnostic::error(message, node.span));
        None
    }

    /// Whether there is no rule at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The rules that a value breaks, in the order of the fields.
    pub fn check(&self, value: &[u8]) -> Vec<Violation> {
        let mut broken = Vec::new();
        if let Some(bytes) = self.bytes.filter(|bytes| *bytes != value.len()) {
            let reason = format!("has {}; {bytes} are wanted", count(value.len(), "byte"));
            broken.push(Violation {
                rule: "bytes",
                reason,
            });
        }
        match (std::str::from_utf8(value), self.first_of_text()) {
            (Ok(text), _) => self.check_text(text, &mut broken),
            (Err(_), Some(rule)) => {
                broken.push(Violation {
                    rule,
                    reason: "is not UTF-8 text".to_owned(),
                });
            }
            (Err(_), None) => {}
        }
        broken
    }

    fn check_text(&self, text: &str, broken: &mut Vec<Violation>) {
        let mut refuse = |rule, reason| broken.push(Violation { rule, reason });
        let characters = text.chars().count();
        for (rule, reason) in self.wrong_size(characters) {
            refuse(
                rule,
                format!("has {}; {reason}", count(characters, "character")),
            );
        }
        if let Some(pattern) = self
            .pattern
            .as_ref()
            .filter(|pattern| !pattern.regex.is_match(text))
        {
            refuse("pattern", format!("does not match `{}`", pattern.text));
        }
        if let Some(prefix) = self
            .prefix
            .as_ref()
            .filter(|prefix| !text.starts_with(*prefix))
        {
            refuse("prefix", format!("does not begin with `{prefix}`"));
        }
        if !self.one_of.is_empty() && !self.one_of.iter().any(|word| word == text) {
            let words: Vec<String> = self.one_of.iter().map(|word| format!("`{word}`")).collect();
            refuse("one-of", format!("is not {}", words.join(" or ")));
        }
        for reason in self.url.iter().flat_map(|url| url.violations(text)) {
            refuse("url", reason);
        }
        if let Some(reason) = self.pem.and_then(|pem| pem.violation(text)) {
            refuse("pem", reason);
        }
        if let Some(err) = self
            .json
            .then(|| serde_json::from_str::<IgnoredAny>(text).err())
            .flatten()
        {
            let place = format!("line {}, column {}", err.line(), err.column());
            refuse("json", format!("is not JSON ({place})"));
        }
    }

    /// Each rule about the number of characters that `characters` break, and what it wants.
    pub(super) fn wrong_size(&self, characters: usize) -> Vec<(&'static str, String)> {
        let length = self.length.filter(|length| *length != characters);
        let min = self.min.filter(|min| *min > characters);
        let max = self.max.filter(|max| *max < characters);
        [
            length.map(|length| ("length", format!("{length} are wanted"))),
            min.map(|min| ("min", format!("at least {min} are wanted"))),
            max.map(|max| ("max", format!("at most {max} are wanted"))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The first rule that only text can satisfy.
    pub(super) fn first_of_text(&self) -> Option<&'static str> {
        [
            ("length", self.length.is_some()),
            ("min", self.min.is_some()),
            ("max", self.max.is_some()),
            ("pattern", self.pattern.is_some()),
            ("prefix", self.prefix.is_some()),
            ("one-of", !self.one_of.is_empty()),
            ("url", self.url.is_some()),
            ("pem", self.pem.is_some()),
            ("json", self.json),
        ]
        .into_iter()
        .find_map(|(rule, written)| written.then_some(rule))
    }

    /// What [`Checks::check`] cannot tell, for the report to say.
    pub fn unchecked(&self) -> Option<String> {
        let key = self.matches.as_ref()?;
        Some(format!(
            "whether it matches `{}` is not checked by this version",
            key.value
        ))
    }

    /// The rules as they would be written in a contract.
    pub fn to_json(&self) -> Value {
        let mut fields = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            fields.extend(value.map(|value| (name.to_owned(), value)));
        };
        put("length", self.length.map(|length| json!(length)));
        put("min", self.min.map(|min| json!(min)));
        put("max", self.max.map(|max| json!(max)));
        put("bytes", self.bytes.map(|bytes| json!(bytes)));
        put(
            "pattern",
            self.pattern.as_ref().map(|pattern| json!(pattern.text)),
        );
        put("prefix", self.prefix.as_ref().map(|prefix| json!(prefix)));
        put(
            "one-of",
            (!self.one_of.is_empty()).then(|| json!(self.one_of)),
        );
        put("url", self.url.as_ref().map(UrlCheck::to_json));
        put("pem", self.pem.map(|pem| json!(pem.as_str())));
        put(
            "matches",
            self.matches
                .as_ref()
                .map(|key| json!(key.value.to_string())),
        );
        put("json", self.json.then(|| json!(true)));
        Value::Object(fields)
    }
}

impl Pattern {
    /// Compiles a regular expression in the syntax of the `regex` crate; at most 1 MiB when compiled.
    pub fn new(text: &str) -> Result<Self, regex::Error> {
        let regex = RegexBuilder::new(text).size_limit(PATTERN_SIZE).build()?;
        Ok(Self {
            text: text.to_owned(),
            regex,
        })
    }

    /// The text it was made from.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn decode(cx: &mut Context<'_>, node: &Node) -> Option<Self> {
        let text = cx.text(node)?;
        match Self::new(&text) {
            Ok(pattern) => Some(pattern),
            Err(err) => {
                let err = err.to_string();
                let reason = err
                    .lines()
                    .next_back()
                    .unwrap_or_default()
                    .trim_start_matches("error: ");
                let message = format!("`{}` is not a regular expression", text.value);
                cx.push(Diagnostic::error(message, node.span).help(reason));
                None
            }
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

/// `7 bytes`, `1 character`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Reads a field that may be missing: outer `None` when it is there and wrong.
pub(super) fn optional<T>(
    cx: &mut Context<'_>,
    node: Option<&Node>,
    read: impl FnOnce(&mut Context<'_>, &Node) -> Option<T>,
) -> Option<Option<T>> {
    match node {
        Some(node) => read(cx, node).map(Some),
        None => Some(None),
    }
}

pub(super) fn text(cx: &mut Context<'_>, node: &Node) -> Option<String> {
    cx.text(node).map(|text| text.value)
}
