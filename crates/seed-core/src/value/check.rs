//! What `check:` says: what a value must look like.

use regex::{Regex, RegexBuilder};
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::pem::Pem;
use super::url::UrlCheck;
use crate::contract::reader::{Context, Fields};
use crate::diagnostic::{Diagnostic, Spanned};
use crate::text::Subject;
use crate::yaml::{Node, NodeKind};

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
    /// The same without a measure of the value, where `reason` has one: `does not have 32 characters`.
    unmeasured: Option<String>,
}

/// A rule about the number of characters that a value breaks.
pub(super) struct WrongSize {
    rule: &'static str,
    /// `at least 40 are wanted`.
    pub(super) wanted: String,
    unmeasured: String,
}

impl Violation {
    /// The reason with nothing of the value at all, not even its length: what may be said of a stored value.
    pub fn unmeasured(&self) -> &str {
        self.unmeasured.as_deref().unwrap_or(&self.reason)
    }
}

impl Checks {
    /// Reads what stands under `check:`. Rules that cannot be read are reported and left out.
    pub(crate) fn decode(cx: &mut Context<'_>, node: &Node) -> Option<Self> {
        let mut fields = Fields::open(cx, node, "`check`")?;
        let mut size = |cx: &mut Context<'_>, field| {
            fields
                .take(field)
                .and_then(|node| cx.length(node, 0..=LONGEST))
        };
        let [length, min, max, bytes] =
            ["length", "min", "max", "bytes"].map(|field| size(cx, field));
        let checks = Self {
            length,
            min,
            max,
            bytes,
            pattern: fields.read(cx, "pattern", Pattern::decode),
            prefix: fields
                .read(cx, "prefix", Context::text)
                .map(|text| text.value),
            one_of: fields
                .take("one-of")
                .map(|node| decode_words(cx, node))
                .unwrap_or_default(),
            url: fields.read(cx, "url", UrlCheck::decode),
            pem: fields.read(cx, "pem", Pem::decode),
            matches: fields.read(cx, "matches", Context::value_word),
            json: fields
                .read(cx, "json", Context::boolean)
                .unwrap_or_default(),
        };
        fields.finish(cx, false);
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
            broken.push(Violation {
                rule: "bytes",
                reason: format!("has {}; {}", count(value.len(), "byte"), wanted(bytes)),
                unmeasured: Some(format!("does not have {}", count(bytes, "byte"))),
            });
        }
        match (std::str::from_utf8(value), self.first_of_text()) {
            (Ok(text), _) => self.check_text(text, &mut broken),
            (Err(_), Some(rule)) => {
                broken.push(Violation {
                    rule,
                    reason: "is not UTF-8 text".to_owned(),
                    unmeasured: None,
                });
            }
            (Err(_), None) => {}
        }
        broken
    }

    fn check_text(&self, text: &str, broken: &mut Vec<Violation>) {
        let characters = text.chars().count();
        broken.extend(self.wrong_size(characters).into_iter().map(|wrong| {
            let count = count(characters, "character");
            Violation {
                rule: wrong.rule,
                reason: format!("has {count}; {}", wrong.wanted),
                unmeasured: Some(wrong.unmeasured),
            }
        }));
        let mut refuse = |rule, reason| {
            broken.push(Violation {
                rule,
                reason,
                unmeasured: None,
            });
        };
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
            broken.push(Violation {
                rule: "json",
                reason: format!("is not JSON ({place})"),
                unmeasured: Some("is not JSON".to_owned()),
            });
        }
    }

    /// Each rule about the number of characters that `characters` break, and what it wants.
    pub(super) fn wrong_size(&self, characters: usize) -> Vec<WrongSize> {
        let length = self.length.filter(|length| *length != characters);
        let min = self.min.filter(|min| *min > characters);
        let max = self.max.filter(|max| *max < characters);
        let wrong = |rule, wanted, unmeasured: &str, number| WrongSize {
            rule,
            wanted,
            unmeasured: format!("{unmeasured} {}", count(number, "character")),
        };
        let least = |min| format!("at least {}", wanted(min));
        let most = |max| format!("at most {}", wanted(max));
        [
            length.map(|n| wrong("length", wanted(n), "does not have", n)),
            min.map(|n| wrong("min", least(n), "has fewer than", n)),
            max.map(|n| wrong("max", most(n), "has more than", n)),
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

/// `32 are wanted`.
pub(super) fn wanted(number: usize) -> String {
    format!("{number} {} wanted", if number == 1 { "is" } else { "are" })
}

fn decode_words(cx: &mut Context<'_>, node: &Node) -> Vec<String> {
    if matches!(&node.kind, NodeKind::Sequence(items) if items.is_empty()) {
        cx.push(Diagnostic::error("`one-of` allows nothing", node.span));
    }
    cx.list(node, |cx, item| cx.text(item).map(|text| text.value))
        .unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::*;

    use super::super::choice::testing::read;
    use super::super::url::Userinfo;
    use super::*;

    fn decode(source: &str) -> Result<Checks, Vec<String>> {
        read(source, Checks::decode)
    }

    fn reasons(checks: &str, value: impl AsRef<[u8]>) -> String {
        let broken = decode(checks).unwrap().check(value.as_ref());
        let reasons: Vec<String> = broken
            .iter()
            .map(|broken| format!("{}: {broken}", broken.rule))
            .collect();
        reasons.join(" | ")
    }

    /// Any rules, with sizes near those of small values.
    pub(in crate::value) fn checks() -> impl Strategy<Value = Checks> {
        let rules = (sizes(), text_rules(), rare_rules(), 0..4);
        rules.prop_map(|(sizes, text, rare, which)| match which {
            0 => sizes,
            1 => Checks {
                prefix: text.prefix,
                ..sizes
            },
            2 => Checks {
                pattern: text.pattern,
                prefix: text.prefix,
                one_of: text.one_of,
                ..sizes
            },
            _ => Checks {
                pattern: text.pattern,
                prefix: text.prefix,
                one_of: text.one_of,
                length: sizes.length,
                min: sizes.min,
                max: sizes.max,
                bytes: sizes.bytes,
                ..rare
            },
        })
    }

    fn sizes() -> impl Strategy<Value = Checks> {
        let size = || of(0_usize..60);
        (size(), size(), size(), size()).prop_map(|(length, min, max, bytes)| {
            let open = length.is_none();
            let max = max.filter(|_| open);
            let min = min.filter(|min| open && max.is_none_or(|max| *min <= max));
            Checks {
                length,
                min,
                max,
                bytes,
                ..Checks::default()
            }
        })
    }

    fn words() -> impl Strategy<Value = String> {
        "[a-zA-Z0-9_$ -]{0,4}"
    }

    fn text_rules() -> impl Strategy<Value = Checks> {
        let patterns = prop_oneof![Just("^[a-f]"), Just("[0-9]{2}"), Just(""), Just("^.{32}$")];
        let pattern = of(patterns.prop_map(|text| Pattern::new(text).unwrap()));
        let one_of = prop_oneof![2 => Just(Vec::new()), 1 => vec(words(), 1..3)];
        (pattern, of(words()), one_of).prop_map(|(pattern, prefix, one_of)| Checks {
            pattern,
            prefix,
            one_of,
            ..Checks::default()
        })
    }

    fn rare_rules() -> impl Strategy<Value = Checks> {
        let userinfo = prop_oneof![Just(Userinfo::Required), Just(Userinfo::Forbidden)];
        let schemes = vec("[a-z]{1,5}", 0..3);
        let url =
            (schemes, of(userinfo), of(words())).prop_map(|(schemes, userinfo, path_suffix)| {
                UrlCheck {
                    schemes,
                    userinfo,
                    path_suffix,
                }
            });
        let pem = prop_oneof![
            Just(Pem::Certificate),
            Just(Pem::PrivateKey),
            Just(Pem::RsaPrivateKey)
        ];
        let matches = of(Just("tls-key").prop_map(|word| {
            Spanned::new(
                Subject::parse(word).unwrap(),
                crate::diagnostic::Span::default(),
            )
        }));
        (of(url), of(pem), matches, any::<bool>()).prop_map(|(url, pem, matches, json)| Checks {
            url,
            pem,
            matches,
            json,
            ..Checks::default()
        })
    }

    #[test]
    fn every_rule_is_read() {
        let source = "{min: 1, max: 99, bytes: 9, pattern: '^a', prefix: a, one-of: [abc, abd], \
            url: {scheme: [https, http], userinfo: required, path-suffix: /simple/}, \
            pem: rsa-private-key, matches: tls-key, json: true}";
        let checks = decode(source).unwrap();
        assert_eq!(
            checks.to_json().to_string(),
            r#"{"min":1,"max":99,"bytes":9,"pattern":"^a","prefix":"a","one-of":["abc","abd"],"url":{"scheme":["https","http"],"userinfo":"required","path-suffix":"/simple/"},"pem":"rsa-private-key","matches":"tls-key","json":true}"#
        );
        assert!(!checks.is_empty());
        assert!(decode("{}").unwrap().is_empty());
        assert!(decode("{json: false}").unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_checked_says_so() {
        let found: Vec<String> = [
            "32",
            "{length: many}",
            "{length: 32, min: 1}",
            "{length: 32, max: 64}",
            "{min: 2, max: 1}",
            "{lenght: 32}",
            "{pattern: '[a-'}",
            "{pattern: 'x{1000}{1000}'}",
            "{one-of: []}",
            "{one-of: [1]}",
            "{url: true}",
            "{url: {scheme: 'https://'}}",
            "{url: {scheme: []}}",
            "{url: {userinfo: maybe}}",
            "{url: {host: example.com}}",
            "{pem: public-key}",
            "{matches: '${tls-key}'}",
            "{matches: env}",
            "{json: 'yes'}",
        ]
        .into_iter()
        .map(|source| format!("{source}  ->  {}", decode(source).unwrap_err().join(" | ")))
        .collect();
        insta::assert_snapshot!(found.join("\n"), @r#"
        32  ->  expected `check` (a mapping), found the number `32`
        {length: many}  ->  expected a whole number, found text
        {length: 32, min: 1}  ->  `length` leaves nothing for `min` to say
        {length: 32, max: 64}  ->  `length` leaves nothing for `max` to say
        {min: 2, max: 1}  ->  `min` is more than `max`
        {lenght: 32}  ->  `check` has no field `lenght`: did you mean `length`?
        {pattern: '[a-'}  ->  `[a-` is not a regular expression: unclosed character class
        {pattern: 'x{1000}{1000}'}  ->  `x{1000}{1000}` is not a regular expression: Compiled regex exceeds size limit of 1048576 bytes.
        {one-of: []}  ->  `one-of` allows nothing
        {one-of: [1]}  ->  expected text, found the number `1`: put it in quotes: "1"
        {url: true}  ->  expected `url` (a mapping), found the boolean `true`
        {url: {scheme: 'https://'}}  ->  `https://` is not a URL scheme: write it without `://`, such as `https`
        {url: {scheme: []}}  ->  `scheme` allows nothing
        {url: {userinfo: maybe}}  ->  `maybe` is not known here: write one of `forbidden` and `required`
        {url: {host: example.com}}  ->  `url` has no field `host`: it has `path-suffix`, `scheme` and `userinfo`
        {pem: public-key}  ->  `public-key` is not known here: write one of `certificate`, `private-key` and `rsa-private-key`
        {matches: '${tls-key}'}  ->  a value is named here without `${}`: write `tls-key`
        {matches: env}  ->  `env` is not a secret: name an entry of `secrets`
        {json: 'yes'}  ->  expected `true` or `false`, found text
        "#);
    }

    #[test]
    fn broken_rules_say_what_is_wanted() {
        let found: Vec<String> = [
            ("{length: 32}", "x".repeat(31)),
            ("{length: 2}", "x".to_owned()),
            ("{min: 40}", "é".repeat(39)),
            ("{max: 3}", "four".to_owned()),
            ("{bytes: 1}", "é".to_owned()),
            ("{bytes: 2}", "x".to_owned()),
            ("{pattern: '^[a-z]+$'}", "A1".to_owned()),
            ("{prefix: hf_}", "token".to_owned()),
            ("{one-of: [debug, info]}", "loud".to_owned()),
            ("{json: true}", "{\"a\": 1,}".to_owned()),
            ("{length: 3, prefix: a, json: true}", "beta".to_owned()),
        ]
        .into_iter()
        .map(|(checks, value)| format!("{checks}  ->  {}", reasons(checks, value)))
        .collect();
        insta::assert_snapshot!(found.join("\n"), @r#"
        {length: 32}  ->  length: has 31 characters; 32 are wanted
        {length: 2}  ->  length: has 1 character; 2 are wanted
        {min: 40}  ->  min: has 39 characters; at least 40 are wanted
        {max: 3}  ->  max: has 4 characters; at most 3 are wanted
        {bytes: 1}  ->  bytes: has 2 bytes; 1 is wanted
        {bytes: 2}  ->  bytes: has 1 byte; 2 are wanted
        {pattern: '^[a-z]+$'}  ->  pattern: does not match `^[a-z]+$`
        {prefix: hf_}  ->  prefix: does not begin with `hf_`
        {one-of: [debug, info]}  ->  one-of: is not `debug` or `info`
        {json: true}  ->  json: is not JSON (line 1, column 9)
        {length: 3, prefix: a, json: true}  ->  length: has 4 characters; 3 are wanted | prefix: does not begin with `a` | json: is not JSON (line 1, column 1)
        "#);
    }

    #[test]
    fn values_that_keep_the_rules_break_none() {
        for (checks, value) in [
            ("{length: 2}", "é€"),
            ("{min: 2, max: 2}", "é€"),
            ("{bytes: 5}", "é€"),
            ("{pattern: b}", "abc"),
            ("{prefix: sk-}", "sk-"),
            ("{one-of: [debug, info]}", "info"),
            ("{json: true}", " {\"a\": [1, null]}\n"),
            ("{json: true}", "\"text\""),
            ("{matches: key}", "anything"),
        ] {
            assert_eq!(reasons(checks, value), "", "{checks}");
        }
    }

    #[test]
    fn what_is_not_text_keeps_no_rule_but_bytes() {
        assert_eq!(reasons("{bytes: 2}", [0xff, 0xfe]), "");
        assert_eq!(
            reasons("{bytes: 2, max: 9}", [0xff, 0xfe]),
            "max: is not UTF-8 text"
        );
        assert_eq!(
            reasons("{json: true}", [0xff, 0xfe]),
            "json: is not UTF-8 text"
        );
    }

    #[test]
    fn a_certificate_and_its_key_are_not_compared() {
        let checks = decode("{matches: tls-key}").unwrap();
        assert_eq!(checks.check(b"anything"), []);
        assert_eq!(
            checks.unchecked().as_deref(),
            Some("whether it matches `tls-key` is not checked by this version")
        );
        assert_eq!(decode("{min: 1}").unwrap().unchecked(), None);
    }

    proptest! {
        #[test]
        fn reading_gives_back_what_was_rendered(checks in checks()) {
            let rendered = checks.to_json().to_string();
            prop_assert_eq!(decode(&rendered), Ok(checks), "{}", rendered);
        }

        #[test]
        fn no_reason_shows_a_piece_of_the_value(checks in checks(), canary in "[G-Z]{6}", scheme in "[a-z]{0,3}") {
            for value in [
                canary.clone(),
                format!("{scheme}://{canary}:{canary}@{canary}:1/{canary}?{canary}#{canary}"),
                format!("https://a@{canary}:{canary}/ {canary}"),
                format!("{{\"{canary}\": {canary}"),
                format!("-----BEGIN {canary}-----\n{canary}\n-----END {canary}-----\n"),
                format!("-----BEGIN PRIVATE KEY-----\n{canary}!\n-----END PRIVATE KEY-----\n"),
            ] {
                for broken in checks.check(value.as_bytes()) {
                    let said = format!("{broken} {broken:?}");
                    prop_assert!(!said.contains(&canary), "{}", said);
                }
            }
        }

        #[test]
        fn no_value_makes_a_check_panic(checks in checks(), value in any::<Vec<u8>>(), text in any::<String>()) {
            drop(checks.check(&value));
            drop(checks.check(text.as_bytes()));
        }
    }
}
