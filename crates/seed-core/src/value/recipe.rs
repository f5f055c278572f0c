//! What `generate:` says: how a random value is made.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::choice::Choice;
use crate::contract::reader::{Context, Fields};
use crate::diagnostic::Diagnostic;
use crate::yaml::{Node, NodeKind};

/// Fewest and most bytes or characters that a generator makes.
const SIZE: RangeInclusive<i64> = 1..=4096;

const GENERATOR: Choice = Choice {
    what: "a generator",
    known: &[
        "alnum",
        "base64",
        "base64url",
        "bytes",
        "chars",
        "fernet",
        "hex",
        "password",
        "timestamp",
        "uuid",
    ],
    planned: &[
        "age",
        "ec",
        "ed25519",
        "jwk",
        "rsa",
        "ssh",
        "vapid",
        "wireguard",
    ],
};

/// How a value is made. Sizes are 1 to 4096.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Recipe {
    /// `alnum: LENGTH`: letters and digits of ASCII.
    Alnum {
        /// Characters of the value.
        length: usize,
    },
    /// `base64: BYTES`: RFC 4648 section 4, padded, one line.
    Base64 {
        /// Random bytes before they are encoded.
        bytes: usize,
    },
    /// `base64url: BYTES` or `base64url: {bytes, padding}`: RFC 4648 section 5, one line.
    Base64Url {
        /// Random bytes before they are encoded.
        bytes: usize,
        /// Whether `=` fills the last group; it does unless the contract says `padding: false`.
        padding: bool,
    },
    /// `bytes: LENGTH`: raw bytes, not text.
    Bytes {
        /// Bytes of the value.
        length: usize,
    },
    /// `chars: {length, from}`: characters of a set; every one as likely as the others.
    Chars {
        /// The set.
        from: Alphabet,
        /// Characters of the value.
        length: usize,
    },
    /// `fernet`: 32 bytes in padded base64url, 44 characters, as <https://github.com/fernet/spec> wants its keys.
    Fernet,
    /// `hex: BYTES`: two lower-case digits a byte.
    Hex {
        /// Random bytes before they are encoded.
        bytes: usize,
    },
    /// `password: LENGTH` or `password: {length, lower, upper, digits, symbols, from}`.
    Password(Password),
    /// `timestamp`: the time of creation, `2026-11-22T15:04:05Z` (RFC 3339, UTC, whole seconds).
    Timestamp,
    /// `uuid`: version 4 of RFC 9562, lower case with hyphens.
    Uuid,
}

/// Different characters to draw from: at least two, and no control characters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Alphabet(Vec<char>);

/// A password with a least number of characters of each class.
///
/// Every character is a letter, a digit, or, only where symbols are asked for, a symbol. The symbols are `-._~`, which
/// need no encoding in a URL (RFC 3986 unreserved), unless `from` gives others. Without a word in the contract one
/// lower-case letter, one upper-case letter and one digit are the least; a least of 0 still lets that class appear,
/// but for symbols: none are drawn then.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Password {
    length: usize,
    lower: usize,
    upper: usize,
    digits: usize,
    symbols: usize,
    from: Option<Alphabet>,
}

/// Why a recipe cannot be followed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RecipeError {
    /// `from` has a control character, which no reader of a secret expects.
    #[error("`from` has the control character {0:?}")]
    Control(char),
    /// One character is there twice, and would be drawn twice as often.
    #[error("`from` has {0:?} twice")]
    Duplicate(char),
    /// `from` of a password gives its symbols; letters and digits are there anyway.
    #[error("`from` has {0:?}; in `password` it gives the symbols only")]
    NotSymbol(char),
    /// The least numbers need more room than there is.
    #[error(
        "the least numbers of letters, digits and symbols add up to {wanted}, but the length is {length}"
    )]
    TooShort {
        /// The sum of the least numbers.
        wanted: usize,
        /// The length.
        length: usize,
    },
    /// Nothing to choose from.
    #[error("`from` needs at least two different characters")]
    TooFew,
    /// Symbols are given, but none may be drawn.
    #[error("`from` gives symbols, but `symbols` is 0")]
    UnusedSymbols,
}

/// What is certain about every value of a recipe, before one is drawn.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shape {
    /// Unicode characters, or `None` for bytes that are no text.
    pub characters: Option<usize>,
    /// Bytes.
    pub bytes: RangeInclusive<usize>,
    /// All characters that can occur, and maybe more; empty for bytes that are no text.
    pub alphabet: BTreeSet<char>,
}

impl Recipe {
    /// Reads what stands under `generate:`: `{hex: 32}`, or a bare `uuid`, `fernet` or `timestamp`.
    pub(crate) fn decode(cx: &mut Context<'_>, node: &Node) -> Option<Self> {
        if let NodeKind::Scalar(_) = node.kind {
            if cx.is_deferred(node) {
                return None;
            }
            let word = GENERATOR.word(cx, node)?;
            let bare = Self::bare(word);
            if bare.is_none() {
                let diagnostic = Diagnostic::error(format!("`{word}` needs a size"), node.span);
                cx.push(diagnostic.help(format!("write `{{{}}}`", example(word))));
            }
            return bare;
        }
        let (word, value) = GENERATOR.pair(cx, node)?;
        match word {
            "alnum" => cx.length(value, SIZE).map(|length| Self::Alnum { length }),
            "base64" => cx.length(value, SIZE).map(|bytes| Self::Base64 { bytes }),
            "base64url" => decode_base64url(cx, value),
            "bytes" => cx.length(value, SIZE).map(|length| Self::Bytes { length }),
            "chars" => decode_chars(cx, value),
            "hex" => cx.length(value, SIZE).map(|bytes| Self::Hex { bytes }),
            "password" => decode_password(cx, value).map(Self::Password),
            word => {
                let recipe = Self::bare(word)?;
                if cx.boolean(value)? {
                    return Some(recipe);
                }
                let message = format!("`{word}: false` generates nothing");
                cx.push(
                    Diagnostic::error(message, value.span)
                        .help(format!("write `generate: {word}`")),
                );
                None
            }
        }
    }

    fn bare(word: &str) -> Option<Self> {
        match word {
            "fernet" => Some(Self::Fernet),
            "timestamp" => Some(Self::Timestamp),
            "uuid" => Some(Self::Uuid),
            _ => None,
        }
    }

    /// How the plan shows it, such as `hex 32`.
    pub fn summary(&self) -> String {
        match self {
            Self::Alnum { length } => format!("alnum {length}"),
            Self::Base64 { bytes } => format!("base64 {bytes}"),
            Self::Base64Url {
                bytes,
                padding: true,
            } => format!("base64url {bytes}"),
            Self::Base64Url {
                bytes,
                padding: false,
            } => format!("base64url {bytes} unpadded"),
            Self::Bytes { length } => format!("bytes {length}"),
            Self::Chars { length, .. } => format!("chars {length}"),
            Self::Fernet => "fernet".to_owned(),
            Self::Hex { bytes } => format!("hex {bytes}"),
            Self::Password(password) => format!("password {}", password.length),
            Self::Timestamp => "timestamp".to_owned(),
            Self::Uuid => "uuid".to_owned(),
        }
    }

    /// Whether its values are bytes that need not be text.
    pub fn is_binary(&self) -> bool {
        matches!(self, Self::Bytes { .. })
    }

    /// The recipe as it would be written in a contract.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Alnum { length } => json!({ "alnum": length }),
            Self::Base64 { bytes } => json!({ "base64": bytes }),
            Self::Base64Url {
                bytes,
                padding: true,
            } => json!({ "base64url": bytes }),
            Self::Base64Url {
                bytes,
                padding: false,
            } => {
                json!({ "base64url": { "bytes": bytes, "padding": false } })
            }
            Self::Bytes { length } => json!({ "bytes": length }),
            Self::Chars { length, from } => {
                json!({ "chars": { "length": length, "from": from.to_text() } })
            }
            Self::Fernet => json!("fernet"),
            Self::Hex { bytes } => json!({ "hex": bytes }),
            Self::Password(password) => json!({ "password": password.to_json() }),
            Self::Timestamp => json!("timestamp"),
            Self::Uuid => json!("uuid"),
        }
    }

    /// What is certain about every value.
    pub fn shape(&self) -> Shape {
        match self {
            Self::Alnum { length } => Shape::ascii(*length, [('0', '9'), ('A', 'Z'), ('a', 'z')]),
            Self::Base64 { bytes } => Shape::base64(bytes.div_ceil(3) * 4, "+/="),
            Self::Base64Url {
                bytes,
                padding: true,
            } => Shape::base64(bytes.div_ceil(3) * 4, "-_="),
            Self::Base64Url {
                bytes,
                padding: false,
            } => Shape::base64((bytes * 4).div_ceil(3), "-_"),
            Self::Bytes { length } => Shape {
                characters: None,
                bytes: *length..=*length,
                alphabet: BTreeSet::new(),
            },
            Self::Chars { length, from } => Shape::of(*length, from.0.iter().copied().collect()),
            Self::Fernet => Shape::base64(44, "-_="),
            Self::Hex { bytes } => Shape::ascii(bytes * 2, [('0', '9'), ('a', 'f')]),
            Self::Password(password) => {
                let alphabet = password.classes().into_iter().flat_map(|(_, class)| class);
                Shape::of(password.length, alphabet.collect())
            }
            Self::Timestamp => Shape::ascii(
                20,
                [('0', '9'), ('-', '-'), (':', ':'), ('T', 'T'), ('Z', 'Z')],
            ),
            Self::Uuid => Shape::ascii(36, [('0', '9'), ('a', 'f'), ('-', '-')]),
        }
    }
}

impl Alphabet {
    /// Takes the characters of `text`, in their order.
    pub fn new(text: &str) -> Result<Self, RecipeError> {
        let mut seen = BTreeSet::new();
        for character in text.chars() {
            if character.is_control() {
                return Err(RecipeError::Control(character));
            }
            if !seen.insert(character) {
                return Err(RecipeError::Duplicate(character));
            }
        }
        if seen.len() < 2 {
            return Err(RecipeError::TooFew);
        }
        Ok(Self(text.chars().collect()))
    }

    /// The characters in the order in which they were written.
    pub fn characters(&self) -> &[char] {
        &self.0
    }

    fn to_text(&self) -> String {
        self.0.iter().collect()
    }
}

impl Password {
    /// One lower-case letter, one upper-case letter and one digit at least, and no symbols.
    pub fn new(length: usize) -> Result<Self, RecipeError> {
        Self {
            length,
            lower: 1,
            upper: 1,
            digits: 1,
            symbols: 0,
            from: None,
        }
        .validated()
    }

    /// Another least number of lower-case letters, upper-case letters, digits and symbols, and the symbols.
    pub fn with_classes(
        length: usize,
        [lower, upper, digits, symbols]: [usize; 4],
        from: Option<Alphabet>,
    ) -> Result<Self, RecipeError> {
        Self {
            length,
            lower,
            upper,
            digits,
            symbols,
            from,
        }
        .validated()
    }

    fn validated(self) -> Result<Self, RecipeError> {
        let least = [self.lower, self.upper, self.digits, self.symbols];
        let wanted = least.into_iter().fold(0, usize::saturating_add);
        if wanted > self.length {
            return Err(RecipeError::TooShort {
                wanted,
                length: self.length,
            });
        }
        let given = self
            .from
            .as_ref()
            .map(Alphabet::characters)
            .unwrap_or_default();
        if let Some(character) = given.iter().find(|character| character.is_alphanumeric()) {
            return Err(RecipeError::NotSymbol(*character));
        }
        if self.from.is_some() && self.symbols == 0 {
            return Err(RecipeError::UnusedSymbols);
        }
        Ok(self)
    }

    /// Characters of the value.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The classes that may occur, each with its least number.
    pub(super) fn classes(&self) -> Vec<(usize, Vec<char>)> {
        let mut classes = vec![
            (self.lower, ('a'..='z').collect()),
            (self.upper, ('A'..='Z').collect()),
            (self.digits, ('0'..='9').collect()),
        ];
        if self.symbols > 0 {
            let unreserved = || "-._~".chars().collect();
            let symbols = self
                .from
                .as_ref()
                .map_or_else(unreserved, |from| from.0.clone());
            classes.push((self.symbols, symbols));
        }
        classes
    }

    fn to_json(&self) -> Value {
        let mut value = json!({
            "length": self.length,
            "lower": self.lower,
            "upper": self.upper,
            "digits": self.digits,
            "symbols": self.symbols,
        });
        if let (Some(fields), Some(from)) = (value.as_object_mut(), &self.from) {
            fields.insert("from".to_owned(), json!(from.to_text()));
        }
        value
    }
}

impl Shape {
    fn of(characters: usize, alphabet: BTreeSet<char>) -> Self {
        let width = |bytes: Option<usize>| characters.saturating_mul(bytes.unwrap_or_default());
        let widths = || alphabet.iter().map(|character| character.len_utf8());
        let bytes = width(widths().min())..=width(widths().max());
        Self {
            characters: Some(characters),
            bytes,
            alphabet,
        }
    }

    fn ascii<const N: usize>(characters: usize, ranges: [(char, char); N]) -> Self {
        Self::of(
            characters,
            ranges
                .into_iter()
                .flat_map(|(from, to)| from..=to)
                .collect(),
        )
    }

    fn base64(characters: usize, more: &str) -> Self {
        let mut shape = Self::ascii(characters, [('0', '9'), ('A', 'Z'), ('a', 'z')]);
        shape.alphabet.extend(more.chars());
        shape
    }
}

fn example(word: &str) -> String {
    match word {
        "alnum" | "password" => format!("{word}: 24"),
        "chars" => "chars: {length: 24, from: \"abc…\"}".to_owned(),
        word => format!("{word}: 32"),
    }
}

fn decode_base64url(cx: &mut Context<'_>, node: &Node) -> Option<Recipe> {
    if node.as_scalar().is_some() {
        return cx.length(node, SIZE).map(|bytes| Recipe::Base64Url {
            bytes,
            padding: true,
        });
    }
    let mut fields = Fields::open(cx, node, "`base64url`")?;
    let bytes = fields
        .require(cx, "bytes")
        .and_then(|node| cx.length(node, SIZE));
    let padding = fields
        .take("padding")
        .map_or(Some(true), |node| cx.boolean(node));
    fields.finish(cx, false);
    Some(Recipe::Base64Url {
        bytes: bytes?,
        padding: padding?,
    })
}

fn decode_chars(cx: &mut Context<'_>, node: &Node) -> Option<Recipe> {
    let mut fields = Fields::open(cx, node, "`chars`")?;
    let length = fields
        .require(cx, "length")
        .and_then(|node| cx.length(node, SIZE));
    let from = fields
        .require(cx, "from")
        .and_then(|node| decode_alphabet(cx, node));
    fields.finish(cx, false);
    Some(Recipe::Chars {
        from: from?,
        length: length?,
    })
}

fn decode_alphabet(cx: &mut Context<'_>, node: &Node) -> Option<Alphabet> {
    let text = cx.text(node)?;
    report(cx, node, Alphabet::new(&text))
}

fn decode_password(cx: &mut Context<'_>, node: &Node) -> Option<Password> {
    if node.as_scalar().is_some() {
        let length = cx.length(node, SIZE)?;
        return report(cx, node, Password::new(length));
    }
    let mut fields = Fields::open(cx, node, "`password`")?;
    let length = fields
        .require(cx, "length")
        .and_then(|node| cx.length(node, SIZE));
    let mut least = |field, default| {
        let node = fields.take(field);
        node.map_or(Some(default), |node| cx.length(node, 0..=*SIZE.end()))
    };
    let [lower, upper, digits] = ["lower", "upper", "digits"].map(|field| least(field, 1));
    let written = fields.take("from");
    let symbols = match fields.take("symbols") {
        Some(node) => cx.length(node, 0..=*SIZE.end()),
        None => Some(usize::from(written.is_some())),
    };
    let from = written.map(|node| decode_alphabet(cx, node));
    fields.finish(cx, false);
    let from = match from {
        Some(from) => Some(from?),
        None => None,
    };
    report(
        cx,
        node,
        Password::with_classes(length?, [lower?, upper?, digits?, symbols?], from),
    )
}

fn report<T>(cx: &mut Context<'_>, node: &Node, result: Result<T, RecipeError>) -> Option<T> {
    result
        .map_err(|err| cx.push(Diagnostic::error(err.to_string(), node.span)))
        .ok()
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::super::choice::testing::read;
    use super::*;

    fn decode(source: &str) -> Result<Recipe, Vec<String>> {
        read(source, Recipe::decode)
    }

    /// Any recipe, small enough to draw many values from.
    pub(in crate::value) fn recipe() -> impl Strategy<Value = Recipe> {
        let least = proptest::array::uniform4(0_usize..4);
        let symbols = proptest::option::of(Just(Alphabet::new("!#$€ü-").ok()));
        let symbols = symbols.prop_map(Option::flatten);
        let password =
            (12_usize..40, least, symbols).prop_filter_map("invalid", |(length, least, from)| {
                Password::with_classes(length, least, from)
                    .ok()
                    .map(Recipe::Password)
            });
        let chars = proptest::collection::btree_set("[ -~äß€🦀]", 2..20);
        let chars = (1_usize..40, chars).prop_map(|(length, set)| Recipe::Chars {
            from: Alphabet::new(&set.into_iter().collect::<String>()).unwrap(),
            length,
        });
        prop_oneof![
            (1_usize..40).prop_map(|length| Recipe::Alnum { length }),
            (1_usize..40).prop_map(|bytes| Recipe::Base64 { bytes }),
            (1_usize..40, any::<bool>())
                .prop_map(|(bytes, padding)| Recipe::Base64Url { bytes, padding }),
            (1_usize..40).prop_map(|length| Recipe::Bytes { length }),
            chars,
            Just(Recipe::Fernet),
            (1_usize..40).prop_map(|bytes| Recipe::Hex { bytes }),
            password,
            Just(Recipe::Timestamp),
            Just(Recipe::Uuid),
        ]
    }

    #[test]
    fn every_generator_is_read() {
        let padded = |bytes| Recipe::Base64Url {
            bytes,
            padding: true,
        };
        let unpadded = Recipe::Base64Url {
            bytes: 16,
            padding: false,
        };
        let chars = Recipe::Chars {
            from: Alphabet(vec!['a', 'b', '#']),
            length: 50,
        };
        for (source, recipe, summary) in [
            ("{hex: 32}", Recipe::Hex { bytes: 32 }, "hex 32"),
            ("{base64: 32}", Recipe::Base64 { bytes: 32 }, "base64 32"),
            ("{base64url: 32}", padded(32), "base64url 32"),
            ("{base64url: {bytes: 32}}", padded(32), "base64url 32"),
            (
                "{base64url: {bytes: 16, padding: false}}",
                unpadded,
                "base64url 16 unpadded",
            ),
            ("{bytes: 32}", Recipe::Bytes { length: 32 }, "bytes 32"),
            (
                "{alnum: 4096}",
                Recipe::Alnum { length: 4096 },
                "alnum 4096",
            ),
            ("{chars: {length: 50, from: 'ab#'}}", chars, "chars 50"),
            ("uuid", Recipe::Uuid, "uuid"),
            ("{uuid: true}", Recipe::Uuid, "uuid"),
            ("fernet", Recipe::Fernet, "fernet"),
            ("{fernet: true}", Recipe::Fernet, "fernet"),
            ("timestamp", Recipe::Timestamp, "timestamp"),
            ("{timestamp: true}", Recipe::Timestamp, "timestamp"),
        ] {
            let read = decode(source).unwrap();
            assert_eq!(read, recipe, "{source}");
            assert_eq!(read.summary(), summary, "{source}");
        }
    }

    #[test]
    fn a_password_has_one_of_each_class_but_symbols_unless_the_contract_says_otherwise() {
        for (source, least, from) in [
            ("20", [1, 1, 1, 0], None),
            ("{length: 20}", [1, 1, 1, 0], None),
            ("{length: 20, symbols: 2}", [1, 1, 1, 2], None),
            ("{length: 20, from: '!#'}", [1, 1, 1, 1], Some("!#")),
            (
                "{length: 20, symbols: 3, from: '!#'}",
                [1, 1, 1, 3],
                Some("!#"),
            ),
            (
                "{length: 20, lower: 0, upper: 0, digits: 20}",
                [0, 0, 20, 0],
                None,
            ),
        ] {
            let from = from.map(|from| Alphabet::new(from).unwrap());
            let password = Password::with_classes(20, least, from).unwrap();
            let read = decode(&format!("{{password: {source}}}")).unwrap();
            assert_eq!(read.summary(), "password 20");
            assert_eq!(read, Recipe::Password(password), "{source}");
        }
    }

    #[test]
    fn what_cannot_be_followed_says_so() {
        let found: Vec<String> = [
            "{}",
            "{hex: 16, base64: 16}",
            "{hex: }",
            "{hex: 0}",
            "{hex: 4097}",
            "{hex: \"32\"}",
            "{hax: 32}",
            "{rsa: {bits: 4096}}",
            "ed25519",
            "hex",
            "32",
            "[hex]",
            "{uuid: false}",
            "{base64url: {bites: 32}}",
            "{base64url: {bytes: 32, padding: no}}",
            "{chars: {length: 8}}",
            "{chars: {length: 8, from: aba}}",
            "{chars: {length: 8, from: a}}",
            "{chars: {length: 8, from: \"a\\nb\"}}",
            "{password: 2}",
            "{password: {length: 8, lower: 3, upper: 3, digits: 3}}",
            "{password: {length: 8, from: \"!a\"}}",
            "{password: {length: 8, from: \"!#\", symbols: 0}}",
        ]
        .into_iter()
        .map(|source| format!("{source}  ->  {}", decode(source).unwrap_err().join(" | ")))
        .collect();
        insta::assert_snapshot!(found.join("\n"), @r#"
        {}  ->  expected a generator and nothing else, found nothing: write one of `alnum`, `base64`, `base64url`, `bytes`, `chars`, `fernet`, `hex`, `password`, `timestamp` and `uuid`
        {hex: 16, base64: 16}  ->  expected a generator and nothing else, found `hex` and `base64`: leave one of them
        {hex: }  ->  `hex` is written but empty: give it a value, or remove the line
        {hex: 0}  ->  0 is not between 1 and 4096
        {hex: 4097}  ->  4097 is not between 1 and 4096
        {hex: "32"}  ->  expected a whole number, found text: write it without quotes: 32
        {hax: 32}  ->  `hax` is not a generator: did you mean `hex`?
        {rsa: {bits: 4096}}  ->  `rsa` is not a generator of this version: there are `alnum`, `base64`, `base64url`, `bytes`, `chars`, `fernet`, `hex`, `password`, `timestamp` and `uuid`
        ed25519  ->  `ed25519` is not a generator of this version: there are `alnum`, `base64`, `base64url`, `bytes`, `chars`, `fernet`, `hex`, `password`, `timestamp` and `uuid`
        hex  ->  `hex` needs a size: write `{hex: 32}`
        32  ->  `32` is not a generator: there are `alnum`, `base64`, `base64url`, `bytes`, `chars`, `fernet`, `hex`, `password`, `timestamp` and `uuid`
        [hex]  ->  expected a generator in a mapping, found a list
        {uuid: false}  ->  `uuid: false` generates nothing: write `generate: uuid`
        {base64url: {bites: 32}}  ->  `base64url` needs `bytes` | `base64url` has no field `bites`: did you mean `bytes`?
        {base64url: {bytes: 32, padding: no}}  ->  expected `true` or `false`, found text
        {chars: {length: 8}}  ->  `chars` needs `from`
        {chars: {length: 8, from: aba}}  ->  `from` has 'a' twice
        {chars: {length: 8, from: a}}  ->  `from` needs at least two different characters
        {chars: {length: 8, from: "a\nb"}}  ->  `from` has the control character '\n'
        {password: 2}  ->  the least numbers of letters, digits and symbols add up to 3, but the length is 2
        {password: {length: 8, lower: 3, upper: 3, digits: 3}}  ->  the least numbers of letters, digits and symbols add up to 9, but the length is 8
        {password: {length: 8, from: "!a"}}  ->  `from` has 'a'; in `password` it gives the symbols only
        {password: {length: 8, from: "!#", symbols: 0}}  ->  `from` gives symbols, but `symbols` is 0
        "#);
    }

    #[test]
    fn shapes_count_characters_and_bytes_apart() {
        let recipe = decode("{chars: {length: 10, from: aé€🦀}}").unwrap();
        let shape = recipe.shape();
        assert_eq!(shape.characters, Some(10));
        assert_eq!(shape.bytes, 10..=40);
        assert_eq!(shape.alphabet.into_iter().collect::<String>(), "aé€🦀");
        assert_eq!(
            decode("{base64: 756}").unwrap().shape().characters,
            Some(1008)
        );
        assert_eq!(decode("{bytes: 7}").unwrap().shape().characters, None);
    }

    proptest! {
        #[test]
        fn reading_gives_back_what_was_rendered(recipe in recipe()) {
            let rendered = recipe.to_json().to_string();
            prop_assert_eq!(decode(&rendered), Ok(recipe), "{}", rendered);
        }
    }
}
