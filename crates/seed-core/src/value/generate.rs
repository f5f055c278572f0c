//! Random values. The generator is an argument, so that nothing here can choose a weak one, and tests can repeat.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use rand::CryptoRng;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::check::{Checks, Violation};
use super::form::{affix, encode_base64};
use super::recipe::{Password, Recipe};
use crate::secret::SecretValue;

/// How often a value is drawn before [`draw`] gives up.
pub const DRAWS: usize = 100;

/// The last second that RFC 3339 can write, `9999-12-31T23:59:59Z`.
const LAST_SECOND: i64 = 253_402_300_799;

/// Why no value could be drawn. Holds nothing of the values that were tried.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DrawError {
    /// Every value broke a rule.
    #[error("none of {DRAWS} drawn values passed the check; the last one {}", reasons(.0))]
    Refused(Vec<Violation>),
}

/// Draws one value. `now` is in seconds since 1970-01-01T00:00:00Z and counts for `timestamp` only.
///
/// Every value of a recipe is as likely as any other, but for passwords: there each character is as likely as any other
/// of its class, and the classes stand in a random order. Whatever is made on the way is wiped.
pub fn generate(recipe: &Recipe, rng: &mut dyn CryptoRng, now: i64) -> SecretValue {
    match recipe {
        Recipe::Alnum { length } => {
            let alphabet: Vec<char> = ('0'..='9').chain('A'..='Z').chain('a'..='z').collect();
            text(&characters(rng, &alphabet, *length))
        }
        Recipe::Base64 { bytes } => encode_base64(&random(rng, *bytes)),
        Recipe::Base64Url { bytes, padding } => base64url(&random(rng, *bytes), *padding),
        Recipe::Bytes { length } => SecretValue::new(std::mem::take(&mut *random(rng, *length))),
        Recipe::Chars { length, from } => text(&characters(rng, from.characters(), *length)),
        Recipe::Fernet => base64url(&random(rng, 32), true),
        Recipe::Hex { bytes } => hex(&random(rng, *bytes)),
        Recipe::Password(password) => text(&password_characters(rng, password)),
        Recipe::Timestamp => timestamp(now).into(),
        Recipe::Uuid => uuid(rng),
    }
}

/// Draws until a value passes the checks, at most [`DRAWS`] times, and puts `prefix` and `suffix` around it.
pub fn draw(
    recipe: &Recipe,
    checks: &Checks,
    (prefix, suffix): (&str, &str),
    rng: &mut dyn CryptoRng,
    now: i64,
) -> Result<SecretValue, DrawError> {
    let mut violations = Vec::new();
    for _ in 0..DRAWS {
        let value = generate(recipe, rng, now);
        violations = checks.check(value.expose());
        if violations.is_empty() {
            return Ok(affix(prefix, &value, suffix));
        }
    }
    Err(DrawError::Refused(violations))
}

/// Lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> SecretValue {
    let digit = |nibble: u8| {
        if nibble < 10 {
            b'0' + nibble
        } else {
            b'a' + nibble - 10
        }
    };
    let mut text = Vec::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        text.extend([digit(byte >> 4), digit(byte & 0xf)]);
    }
    SecretValue::new(text)
}

fn random(rng: &mut dyn CryptoRng, length: usize) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; length]);
    rng.fill_bytes(&mut bytes);
    bytes
}

fn base64url(bytes: &[u8], padding: bool) -> SecretValue {
    let engine = if padding { URL_SAFE } else { URL_SAFE_NO_PAD };
    let mut text = vec![0; bytes.len().div_ceil(3).saturating_mul(4)];
    let written = engine.encode_slice(bytes, &mut text).unwrap_or_default();
    text.truncate(written);
    SecretValue::new(text)
}

fn uuid(rng: &mut dyn CryptoRng) -> SecretValue {
    let mut bytes = Zeroizing::new([0; 16]);
    rng.fill_bytes(bytes.as_mut_slice());
    // RFC 9562 section 5.4: four bits of version, two of variant.
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut *bytes;
    *version = (*version & 0x0f) | 0x40;
    *variant = (*variant & 0x3f) | 0x80;
    let mut text = vec![0; 36];
    Uuid::from_bytes_ref(&bytes)
        .as_hyphenated()
        .encode_lower(&mut text);
    SecretValue::new(text)
}

fn timestamp(now: i64) -> String {
    let second = now.clamp(0, LAST_SECOND);
    jiff::Timestamp::from_second(second)
        .unwrap_or_default()
        .to_string()
}

/// The least number of each class, the rest from all of them, then a shuffle.
fn password_characters(rng: &mut dyn CryptoRng, password: &Password) -> Zeroizing<Vec<char>> {
    let classes = password.classes();
    let mut drawn = Zeroizing::new(Vec::with_capacity(password.length()));
    for (least, class) in &classes {
        drawn.extend_from_slice(&characters(rng, class, *least));
    }
    let all: Vec<char> = classes.into_iter().flat_map(|(_, class)| class).collect();
    let rest = password.length().saturating_sub(drawn.len());
    drawn.extend_from_slice(&characters(rng, &all, rest));
    shuffle(rng, &mut drawn);
    drawn
}

/// Fisher and Yates: every order is as likely as any other.
fn shuffle(rng: &mut dyn CryptoRng, items: &mut [char]) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(rng, last + 1));
    }
}

fn characters(rng: &mut dyn CryptoRng, alphabet: &[char], length: usize) -> Zeroizing<Vec<char>> {
    let mut drawn = Zeroizing::new(Vec::with_capacity(length));
    for _ in 0..length {
        drawn.extend(alphabet.get(below(rng, alphabet.len())));
    }
    drawn
}

/// A number below `bound`, every one as likely as the others. Numbers of the last, incomplete round are thrown away.
fn below(rng: &mut dyn CryptoRng, bound: usize) -> usize {
    let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
    let complete = u64::MAX - u64::MAX % bound;
    loop {
        let number = rng.next_u64();
        if number < complete {
            return usize::try_from(number % bound).unwrap_or_default();
        }
    }
}

fn text(characters: &[char]) -> SecretValue {
    let length = characters
        .iter()
        .map(|character| character.len_utf8())
        .sum();
    let mut text = String::with_capacity(length);
    text.extend(characters);
    text.into()
}

fn reasons(violations: &[Violation]) -> String {
    let reasons: Vec<&str> = violations
        .iter()
        .map(|violation| violation.reason.as_str())
        .collect();
    reasons.join(" and ")
}
