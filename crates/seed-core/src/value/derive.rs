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
    /// The stored hash would take too long to verify.
    #[error("the stored hash has cost {cost}; at most {HIGHEST_COST} is tried")]
    Cost {
        /// The cost in the stored hash.
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
    match verify(derivation, source, &derived)? {
        true => Ok(derived),
        false => Err(DeriveError::Unverified),
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
            let line = derived
                .expose_text()
                .map(|text| text.strip_suffix('\n').unwrap_or(text));
            let hash = line.and_then(|line| line.strip_prefix(user)?.strip_prefix(':'));
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
    let known = |hash: &&str| {
        BcryptVersion::ALL
            .iter()
            .any(|(word, _)| hash.get(..4) == Some(&format!("${word}$")))
    };
    let Some(hash) = hash.filter(known) else {
        return Ok(false);
    };
    let Ok(parts) = hash.parse::<bcrypt::HashParts>() else {
        return Ok(false);
    };
    let cost = parts.get_cost();
    if cost > HIGHEST_COST {
        return Err(DeriveError::Cost { cost });
    }
    Ok(bcrypt::verify(source, hash).unwrap_or(false))
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
    super::choice::value_word(cx, node)
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
