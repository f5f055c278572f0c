//! What `derive:` says: a value made from another, and how to tell whether the two belong together.

use std::fmt;
use std::ops::RangeInclusive;

use rand::CryptoRng;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::choice::Choice;
use crate::contract::reader::{Context, Fields};
use crate::diagnostic::{Diagnostic, Spanned};
use crate::secret::SecretValue;
use crate::text::Subject;
use crate::yaml::Node;

/// What Dex, Argo CD and most others use.
const DEFAULT_COST: u32 = 10;
/// The costs of bcrypt itself.
const COSTS: RangeInclusive<i64> = 4..=31;
/// A hash of the next cost takes minutes, and every log-in takes as long.
const HIGHEST_COST: u32 = 20;
/// bcrypt reads no further, so what follows would protect nothing.
const LONGEST_SOURCE: usize = 72;

const DERIVATION: Choice = Choice {
    what: "a derivation",
    known: &["bcrypt", "htpasswd", "sha256"],
    planned: &[
        "argon2id",
        "certificate",
        "docker-config",
        "jwks",
        "jwt",
        "pbkdf2",
        "public-key",
        "rabbitmq",
        "scram-sha-256",
    ],
};

/// How a value is made from another.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Derivation {
    /// `bcrypt: {of, cost, version}`: 60 characters, `$2a$10$…`.
    Bcrypt {
        /// The value that is hashed.
        of: Spanned<Subject>,
        /// Rounds as a power of two, 4 to 20; 10 unless written.
        cost: u32,
        /// The prefix.
        version: BcryptVersion,
    },
    /// `htpasswd: {user, of, cost}`: one line `user:$2y$10$…` without a newline, as Apache's `htpasswd -B` writes it.
    Htpasswd {
        /// The user name: no colon, no control characters.
        user: String,
        /// The password that is hashed.
        of: Spanned<Subject>,
        /// Rounds as a power of two, 4 to 20; 10 unless written.
        cost: u32,
    },
    /// `sha256: {of}`: 64 lower-case hex digits (FIPS 180-4).
    Sha256 {
        /// The value that is hashed.
        of: Spanned<Subject>,
    },
}

/// The prefix of a bcrypt hash. The hash after it is the same for all three; readers differ in which they know.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum BcryptVersion {
    /// `$2a$`, which every reader knows; the default.
    #[default]
    A,
    /// `$2b$`.
    B,
    /// `$2y$`, which Apache and PHP write.
    Y,
}

/// Why a value could not be derived or verified. Holds nothing of the value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DeriveError {
    /// bcrypt itself refused.
    #[error("bcrypt refused to hash the source")]
    Bcrypt,
    /// The hash would take too long to make, or the stored one to verify.
    #[error("a hash of cost {cost} takes too long; at most {HIGHEST_COST} is tried")]
    Cost {
        /// The cost, a power of two.
        cost: u32,
    },
    /// There is nothing to hash.
    #[error("the source is empty")]
    Empty,
    /// bcrypt would stop at the NUL in some implementations and not in others.
    #[error("the source has a NUL byte, at which some readers of bcrypt stop")]
    Nul,
    /// bcrypt would leave the end unprotected.
    #[error("the source has {bytes} bytes; bcrypt reads no more than {LONGEST_SOURCE}")]
    TooLong {
        /// Length of the source.
        bytes: usize,
    },
    /// The new value does not verify against its own source.
    #[error("the new hash does not verify against its source")]
    Unverified,
}

impl Derivation {
    /// Reads what stands under `derive:`, such as `{bcrypt: {of: dex-admin-password}}`.
    pub(crate) fn decode(cx: &mut Context<'_>, node: &Node) -> Option<Self> {
        let (word, value) = DERIVATION.pair(cx, node)?;
        match word {
            "bcrypt" => decode_bcrypt(cx, value),
            "htpasswd" => decode_htpasswd(cx, value),
            _ => decode_sha256(cx, value),
        }
    }

    /// The value that it is made from.
    pub fn of(&self) -> &Spanned<Subject> {
        match self {
            Self::Bcrypt { of, .. } | Self::Htpasswd { of, .. } | Self::Sha256 { of } => of,
        }
    }

    /// The most bytes of its source that it reads, if there is such a limit.
    pub fn longest_source(&self) -> Option<usize> {
        match self {
            Self::Bcrypt { .. } | Self::Htpasswd { .. } => Some(LONGEST_SOURCE),
            Self::Sha256 { .. } => None,
        }
    }

    /// How the plan shows it, such as `bcrypt of dex-admin-password`.
    pub fn summary(&self) -> String {
        match self {
            Self::Bcrypt { of, .. } => format!("bcrypt of {}", of.value),
            Self::Htpasswd { of, .. } => format!("htpasswd line of {}", of.value),
            Self::Sha256 { of } => format!("sha256 of {}", of.value),
        }
    }

    /// The derivation as it would be written in a contract.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Bcrypt { of, cost, version } => json!({
                "bcrypt": { "of": of.value.to_string(), "cost": cost, "version": version.as_str() }
            }),
            Self::Htpasswd { user, of, cost } => json!({
                "htpasswd": { "user": user, "of": of.value.to_string(), "cost": cost }
            }),
            Self::Sha256 { of } => json!({ "sha256": { "of": of.value.to_string() } }),
        }
    }
}

impl BcryptVersion {
    const ALL: [(&str, Self); 3] = [("2a", Self::A), ("2b", Self::B), ("2y", Self::Y)];

    /// The word in the contract and in the hash.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "2a",
            Self::B => "2b",
            Self::Y => "2y",
        }
    }
}

impl fmt::Display for BcryptVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Makes the value, and verifies it against its source before it is given out.
pub fn derive(
    derivation: &Derivation,
    source: &SecretValue,
    rng: &mut dyn CryptoRng,
) -> Result<SecretValue, DeriveError> {
    let derived = match derivation {
        Derivation::Bcrypt { cost, version, .. } => bcrypt_hash(source, *cost, *version, rng)?,
        Derivation::Htpasswd { user, cost, .. } => {
            let hash = bcrypt_hash(source, *cost, BcryptVersion::Y, rng)?;
            super::affix(&format!("{user}:"), &hash, "")
        }
        Derivation::Sha256 { .. } => sha256_hex(source)?,
    };
    if verify(derivation, source, &derived)? {
        Ok(derived)
    } else {
        Err(DeriveError::Unverified)
    }
}

/// Tells whether `derived` was made from `source`.
///
/// A bcrypt hash counts with any of the prefixes `2a`, `2b` and `2y` and with any cost that can be tried; a password
/// line must be for the same user, and may end in a newline. What is no hash at all was not made from the source.
pub fn verify(
    derivation: &Derivation,
    source: &SecretValue,
    derived: &SecretValue,
) -> Result<bool, DeriveError> {
    match derivation {
        Derivation::Bcrypt { .. } => bcrypt_verify(source, derived.expose_text()),
        Derivation::Htpasswd { user, .. } => {
            let line = derived.expose_text().and_then(password_line);
            let hash = line.filter(|(name, _)| name == user).map(|(_, hash)| hash);
            bcrypt_verify(source, hash)
        }
        Derivation::Sha256 { .. } => Ok(sha256_hex(source)?.same_as(derived)),
    }
}

fn bcrypt_hash(
    source: &SecretValue,
    cost: u32,
    version: BcryptVersion,
    rng: &mut dyn CryptoRng,
) -> Result<SecretValue, DeriveError> {
    if cost > HIGHEST_COST {
        return Err(DeriveError::Cost { cost });
    }
    let mut salt = [0; 16];
    rng.fill_bytes(&mut salt);
    let parts = bcrypt::hash_with_salt(bcrypt_source(source)?, cost, salt)
        .map_err(|_| DeriveError::Bcrypt)?;
    Ok(parts
        .format_for_version(match version {
            BcryptVersion::A => bcrypt::Version::TwoA,
            BcryptVersion::B => bcrypt::Version::TwoB,
            BcryptVersion::Y => bcrypt::Version::TwoY,
        })
        .into())
}

fn bcrypt_verify(source: &SecretValue, hash: Option<&str>) -> Result<bool, DeriveError> {
    let source = bcrypt_source(source)?;
    let Some((hash, (_, cost))) = hash.and_then(|hash| Some((hash, bcrypt_header(hash)?))) else {
        return Ok(false);
    };
    if cost > HIGHEST_COST {
        return Err(DeriveError::Cost { cost });
    }
    Ok(bcrypt::verify(source, hash).unwrap_or(false))
}

/// The version and the cost of a bcrypt hash; `None` for what is no such hash.
pub(super) fn bcrypt_header(hash: &str) -> Option<(BcryptVersion, u32)> {
    let word = hash.strip_prefix('$')?.get(..3)?.strip_suffix('$')?;
    let known = BcryptVersion::ALL.iter().find(|(known, _)| *known == word);
    let (_, version) = known?;
    let parts = hash.parse::<bcrypt::HashParts>().ok()?;
    Some((*version, parts.get_cost()))
}

/// The user name and the hash of a password line, which may end in a newline.
pub(super) fn password_line(text: &str) -> Option<(&str, &str)> {
    text.strip_suffix('\n').unwrap_or(text).split_once(':')
}

fn bcrypt_source(source: &SecretValue) -> Result<&[u8], DeriveError> {
    let bytes = source.expose();
    if bytes.is_empty() {
        return Err(DeriveError::Empty);
    }
    if bytes.len() > LONGEST_SOURCE {
        return Err(DeriveError::TooLong { bytes: bytes.len() });
    }
    if bytes.contains(&0) {
        return Err(DeriveError::Nul);
    }
    Ok(bytes)
}

fn sha256_hex(source: &SecretValue) -> Result<SecretValue, DeriveError> {
    if source.is_empty() {
        return Err(DeriveError::Empty);
    }
    let digest = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(source.expose())));
    Ok(super::generate::hex(digest.as_slice()))
}

fn decode_bcrypt(cx: &mut Context<'_>, node: &Node) -> Option<Derivation> {
    let mut fields = Fields::open(cx, node, "`bcrypt`")?;
    let of = decode_of(cx, &mut fields);
    let cost = decode_cost(cx, &mut fields);
    let version = fields
        .take("version")
        .map_or(Some(BcryptVersion::default()), |node| {
            cx.word(node, &BcryptVersion::ALL)
                .map(|version| version.value)
        });
    fields.finish(cx, false);
    Some(Derivation::Bcrypt {
        of: of?,
        cost: cost?,
        version: version?,
    })
}

fn decode_htpasswd(cx: &mut Context<'_>, node: &Node) -> Option<Derivation> {
    let mut fields = Fields::open(cx, node, "`htpasswd`")?;
    let user = fields
        .require(cx, "user")
        .and_then(|node| decode_user(cx, node));
    let of = decode_of(cx, &mut fields);
    let cost = decode_cost(cx, &mut fields);
    fields.finish(cx, false);
    Some(Derivation::Htpasswd {
        user: user?,
        of: of?,
        cost: cost?,
    })
}

fn decode_sha256(cx: &mut Context<'_>, node: &Node) -> Option<Derivation> {
    let mut fields = Fields::open(cx, node, "`sha256`")?;
    let of = decode_of(cx, &mut fields);
    fields.finish(cx, false);
    Some(Derivation::Sha256 { of: of? })
}

fn decode_of(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<Spanned<Subject>> {
    let node = fields.require(cx, "of")?;
    cx.value_word(node)
}

fn decode_cost(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<u32> {
    let Some(node) = fields.take("cost") else {
        return Some(DEFAULT_COST);
    };
    let cost = cx
        .integer(node, COSTS)
        .and_then(|cost| u32::try_from(cost.value).ok())?;
    if cost > HIGHEST_COST {
        let message = format!("a hash of cost {cost} takes minutes to make and to check");
        let help = format!("at most {HIGHEST_COST} is accepted; {DEFAULT_COST} is usual");
        cx.push(Diagnostic::error(message, node.span).help(help));
        return None;
    }
    Some(cost)
}

fn decode_user(cx: &mut Context<'_>, node: &Node) -> Option<String> {
    let user = cx.text(node)?.value;
    if user.is_empty() || user.contains(|c: char| c == ':' || c.is_control()) {
        let message = "a user name in a password file is not empty and has no colon or line break";
        cx.push(Diagnostic::error(message, node.span));
        return None;
    }
    Some(user)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng as _;

    use super::super::choice::testing::read;
    use super::*;

    fn decode(source: &str) -> Result<Derivation, Vec<String>> {
        read(source, Derivation::decode)
    }

    fn value(bytes: impl AsRef<[u8]>) -> SecretValue {
        SecretValue::new(bytes.as_ref().to_vec())
    }

    fn quick(version: &str) -> Derivation {
        decode(&format!(
            "{{bcrypt: {{of: a, cost: 4, version: {version}}}}}"
        ))
        .unwrap()
    }

    fn new(derivation: &Derivation, source: impl AsRef<[u8]>) -> Result<String, DeriveError> {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let derived = derive(derivation, &value(source), &mut rng)?;
        Ok(derived.expose_text().unwrap().to_owned())
    }

    #[test]
    fn every_derivation_is_read() {
        for (source, summary, json) in [
            (
                "{bcrypt: {of: dex-admin-password}}",
                "bcrypt of dex-admin-password",
                r#"{"bcrypt":{"of":"dex-admin-password","cost":10,"version":"2a"}}"#,
            ),
            (
                "{bcrypt: {of: entry#FIELD, cost: 12, version: 2y}}",
                "bcrypt of entry#FIELD",
                r#"{"bcrypt":{"of":"entry#FIELD","cost":12,"version":"2y"}}"#,
            ),
            (
                "{htpasswd: {user: admin, of: _SIBLING}}",
                "htpasswd line of _SIBLING",
                r#"{"htpasswd":{"user":"admin","of":"_SIBLING","cost":10}}"#,
            ),
            (
                "{sha256: {of: token}}",
                "sha256 of token",
                r#"{"sha256":{"of":"token"}}"#,
            ),
        ] {
            let derivation = decode(source).unwrap();
            assert_eq!(derivation.summary(), summary);
            assert_eq!(derivation.to_json().to_string(), json);
        }
    }

    #[test]
    fn what_cannot_be_derived_says_so() {
        let found: Vec<String> = [
            "bcrypt",
            "{bcrypt: {of: a}, sha256: {of: a}}",
            "{bcrypt: }",
            "{bcript: {of: a}}",
            "{certificate: {key: a}}",
            "{bcrypt: {cost: 10}}",
            "{bcrypt: {of: a, cost: 3}}",
            "{bcrypt: {of: a, cost: 21}}",
            "{bcrypt: {of: a, cost: 32}}",
            "{bcrypt: {of: a, version: 2x}}",
            "{bcrypt: {of: \"${a}\"}}",
            "{bcrypt: {of: config.a}}",
            "{bcrypt: {of: a b}}",
            "{htpasswd: {of: a}}",
            "{htpasswd: {user: \"a:b\", of: a}}",
            "{htpasswd: {user: \"\", of: a}}",
            "{sha256: {of: a, salt: b}}",
        ]
        .into_iter()
        .map(|source| format!("{source}  ->  {}", decode(source).unwrap_err().join(" | ")))
        .collect();
        insta::assert_snapshot!(found.join("\n"), @r#"
        bcrypt  ->  expected a derivation in a mapping, found text
        {bcrypt: {of: a}, sha256: {of: a}}  ->  expected a derivation and nothing else, found `bcrypt` and `sha256`: leave one of them
        {bcrypt: }  ->  `bcrypt` is written but empty: give it a value, or remove the line
        {bcript: {of: a}}  ->  `bcript` is not a derivation: did you mean `bcrypt`?
        {certificate: {key: a}}  ->  `certificate` is not a derivation of this version: there are `bcrypt`, `htpasswd` and `sha256`
        {bcrypt: {cost: 10}}  ->  `bcrypt` needs `of`
        {bcrypt: {of: a, cost: 3}}  ->  3 is not between 4 and 31
        {bcrypt: {of: a, cost: 21}}  ->  a hash of cost 21 takes minutes to make and to check: at most 20 is accepted; 10 is usual
        {bcrypt: {of: a, cost: 32}}  ->  32 is not between 4 and 31
        {bcrypt: {of: a, version: 2x}}  ->  `2x` is not known here: write one of `2a`, `2b` and `2y`
        {bcrypt: {of: "${a}"}}  ->  a value is named here without `${}`: write `a`
        {bcrypt: {of: config.a}}  ->  `config.a` is not a secret: name an entry of `secrets`
        {bcrypt: {of: a b}}  ->  `a b` has the character ' ', which is not allowed here
        {htpasswd: {of: a}}  ->  `htpasswd` needs `user`
        {htpasswd: {user: "a:b", of: a}}  ->  a user name in a password file is not empty and has no colon or line break
        {htpasswd: {user: "", of: a}}  ->  a user name in a password file is not empty and has no colon or line break
        {sha256: {of: a, salt: b}}  ->  `sha256` has no field `salt`: it has `of`
        "#);
    }

    #[test]
    fn hashes_made_elsewhere_verify_with_any_prefix_and_cost() {
        // Made with `crypt` of libxcrypt.
        let same = "abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";
        for version in ["2a", "2b", "2y"] {
            let hash = value(format!("${version}$04${same}"));
            assert_eq!(
                verify(&quick("2b"), &value("correct horse"), &hash),
                Ok(true)
            );
            assert_eq!(
                verify(&quick("2b"), &value("correct house"), &hash),
                Ok(false)
            );
        }
        let source = value(b"\xff\xa3345 \xc3\xa4");
        let hash = value("$2b$05$......................px6yJJfflUnOZvz0XIdKaV/MkDQoEeC");
        assert_eq!(verify(&quick("2a"), &source, &hash), Ok(true));
        let longest = value("$2y$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i");
        assert_eq!(
            verify(&quick("2a"), &value("x".repeat(72)), &longest),
            Ok(true)
        );
    }

    #[test]
    fn new_hashes_have_their_prefix_and_verify() {
        for version in ["2a", "2b", "2y"] {
            let hash = new(&quick(version), "correct horse").unwrap();
            assert_eq!(hash.len(), 60);
            assert!(hash.starts_with(&format!("${version}$04$")), "{version}");
            assert!(bcrypt::verify("correct horse", &hash).unwrap());
        }
    }

    #[test]
    fn salts_come_from_the_generator_that_is_passed_in() {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let mut draw = || derive(&quick("2a"), &value("a"), &mut rng).unwrap();
        let (first, second) = (draw(), draw());
        assert!(!first.same_as(&second));
        assert_eq!(
            first.expose_text().unwrap(),
            new(&quick("2a"), "a").unwrap()
        );
    }

    #[test]
    fn a_password_line_holds_the_user_and_a_hash() {
        let derivation = decode("{htpasswd: {user: admin, of: a, cost: 4}}").unwrap();
        let line = new(&derivation, "correct horse").unwrap();
        assert!(line.starts_with("admin:$2y$04$"));
        assert_eq!(line.len(), "admin:".len() + 60);
        let source = value("correct horse");
        let verify = |line: String| verify(&derivation, &source, &value(line)).unwrap();
        assert!(verify(line.clone()));
        assert!(verify(format!("{line}\n")));
        assert!(!verify(format!("{line}\n\n")));
        assert!(!verify(line.replace("admin", "root")));
        assert!(!verify(line.replace("admin:", "admin")));
        assert!(!verify(line.replace("admin:", "")));
    }

    #[test]
    fn sha256_is_that_of_fips_180_4() {
        let derivation = decode("{sha256: {of: a}}").unwrap();
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(new(&derivation, "abc").unwrap(), digest);
        assert_eq!(verify(&derivation, &value("abc"), &value(digest)), Ok(true));
        assert_eq!(
            verify(&derivation, &value("abd"), &value(digest)),
            Ok(false)
        );
        assert_eq!(
            verify(
                &derivation,
                &value("abc"),
                &value(digest.trim_end_matches('d'))
            ),
            Ok(false)
        );
    }

    #[test]
    fn sources_that_bcrypt_would_cut_are_refused() {
        let htpasswd = decode("{htpasswd: {user: admin, of: a, cost: 4}}").unwrap();
        for derivation in [quick("2a"), htpasswd] {
            assert!(new(&derivation, "x".repeat(72)).is_ok());
            assert_eq!(
                new(&derivation, "x".repeat(73)),
                Err(DeriveError::TooLong { bytes: 73 })
            );
            assert_eq!(
                new(&derivation, "é".repeat(37)),
                Err(DeriveError::TooLong { bytes: 74 })
            );
            assert_eq!(new(&derivation, "a\0b"), Err(DeriveError::Nul));
            assert_eq!(new(&derivation, ""), Err(DeriveError::Empty));
        }
        assert_eq!(
            new(&decode("{sha256: {of: a}}").unwrap(), ""),
            Err(DeriveError::Empty)
        );
    }

    #[test]
    fn hashes_that_would_take_hours_are_refused() {
        let of = Spanned::new(
            Subject::parse("a").unwrap(),
            crate::diagnostic::Span::default(),
        );
        let slow = Derivation::Bcrypt {
            of,
            cost: 31,
            version: BcryptVersion::A,
        };
        assert_eq!(new(&slow, "a"), Err(DeriveError::Cost { cost: 31 }));
        let stored = value("$2a$31$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e");
        assert_eq!(
            verify(&slow, &value("a"), &stored),
            Err(DeriveError::Cost { cost: 31 })
        );
    }

    #[test]
    fn what_is_no_hash_was_not_derived() {
        for stored in [
            "",
            "plain",
            "$2a$04$short",
            "$2x$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
            "$2a$xx$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
            "$2a$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e\n",
            "$2a$00$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
        ] {
            let verdict = verify(&quick("2a"), &value("correct horse"), &value(stored));
            assert_eq!(verdict, Ok(false), "{stored}");
        }
        let verdict = verify(&quick("2a"), &value("a"), &value([0xff; 60]));
        assert_eq!(verdict, Ok(false));
    }

    fn derivation() -> impl Strategy<Value = Derivation> {
        let of = prop_oneof![
            "[a-z][a-z0-9-]{0,8}",
            "[a-z]{1,5}#[A-Z_.]{1,5}",
            "_[A-Z]{1,5}"
        ]
        .prop_filter_map("reserved", |word| match Subject::parse(&word) {
            Ok(subject @ (Subject::Value(_) | Subject::Word(_))) => {
                Some(Spanned::new(subject, crate::diagnostic::Span::default()))
            }
            Ok(_) | Err(_) => None,
        });
        let versions = prop_oneof![
            Just(BcryptVersion::A),
            Just(BcryptVersion::B),
            Just(BcryptVersion::Y)
        ];
        let user = "[ -9;-~ä]{1,12}";
        (of, 4_u32..=20, versions, user, 0..3).prop_map(|(of, cost, version, user, which)| {
            match which {
                0 => Derivation::Bcrypt { of, cost, version },
                1 => Derivation::Htpasswd { user, of, cost },
                _ => Derivation::Sha256 { of },
            }
        })
    }

    proptest! {
        #[test]
        fn reading_gives_back_what_was_rendered(derivation in derivation()) {
            let rendered = derivation.to_json().to_string();
            prop_assert_eq!(decode(&rendered), Ok(derivation), "{}", rendered);
        }

        #[test]
        fn nothing_stored_makes_verifying_panic(stored in proptest::collection::vec(any::<u8>(), 0..80)) {
            for derivation in ["{bcrypt: {of: a}}", "{htpasswd: {user: a, of: a}}", "{sha256: {of: a}}"] {
                let verdict = verify(&decode(derivation).unwrap(), &value("a"), &value(&stored));
                prop_assert_eq!(verdict, Ok(false));
            }
        }
    }
}
