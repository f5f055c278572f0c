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
    // A time before 1970 or after the year 9999 is a broken clock, and its text has not 20 characters.
    let second = now.clamp(0, jiff::Timestamp::MAX.as_second());
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
    reasons.join(", and it ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use rand::{TryCryptoRng, TryRng};
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng as _;

    use super::super::choice::testing::read;
    use super::super::recipe::tests::recipe;
    use super::*;

    const NOW: i64 = 1_795_359_845;

    fn rng() -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(7)
    }

    fn decode(source: &str) -> Recipe {
        read(source, Recipe::decode).unwrap()
    }

    fn checks(source: &str) -> Checks {
        read(source, Checks::decode).unwrap()
    }

    fn new(source: &str) -> String {
        let value = generate(&decode(source), &mut rng(), NOW);
        value.expose_text().unwrap().to_owned()
    }

    /// How often each item occurs, and how far that is from all being as likely: on average the number of items less
    /// one, and more than twice that hardly ever.
    fn chi_square<T: Ord>(items: impl IntoIterator<Item = T>, kinds: usize) -> f64 {
        let mut counts: BTreeMap<T, u32> = BTreeMap::new();
        for item in items {
            *counts.entry(item).or_default() += 1;
        }
        assert_eq!(counts.len(), kinds, "every item occurs");
        let expected =
            f64::from(counts.values().sum::<u32>()) / f64::from(u32::try_from(kinds).unwrap());
        counts
            .values()
            .map(|count| (f64::from(*count) - expected).powi(2) / expected)
            .sum()
    }

    #[test]
    fn every_generator_makes_its_own_format() {
        for (source, pattern) in [
            ("{hex: 32}", "^[0-9a-f]{64}$"),
            ("{base64: 32}", "^[A-Za-z0-9+/]{43}=$"),
            ("{base64: 756}", "^[A-Za-z0-9+/]{1008}$"),
            ("{base64url: 32}", "^[A-Za-z0-9_-]{43}=$"),
            (
                "{base64url: {bytes: 16, padding: false}}",
                "^[A-Za-z0-9_-]{22}$",
            ),
            ("{alnum: 24}", "^[A-Za-z0-9]{24}$"),
            ("{chars: {length: 50, from: \"ab#€\"}}", "^[ab#€]{50}$"),
            ("{password: 20}", "^[A-Za-z0-9]{20}$"),
            (
                "{password: {length: 20, symbols: 1}}",
                "^[A-Za-z0-9._~-]{20}$",
            ),
            (
                "{password: {length: 20, symbols: 20, lower: 0, upper: 0, digits: 0}}",
                "^[._~-]{20}$",
            ),
            (
                "uuid",
                "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
            ),
            ("fernet", "^[A-Za-z0-9_-]{43}=$"),
            ("timestamp", "^2026-11-22T15:04:05Z$"),
        ] {
            let value = new(source);
            let checks = checks(&format!("{{pattern: '{pattern}'}}"));
            assert_eq!(checks.check(value.as_bytes()), [], "{source}: {value}");
        }
    }

    #[test]
    fn encodings_hold_as_many_bytes_as_were_asked_for() {
        for bytes in 1..40 {
            let value = new(&format!("{{base64: {bytes}}}"));
            assert_eq!(STANDARD.decode(value).unwrap().len(), bytes);
            let value = new(&format!("{{base64url: {bytes}}}"));
            assert_eq!(URL_SAFE.decode(value).unwrap().len(), bytes);
            let value = new(&format!(
                "{{base64url: {{bytes: {bytes}, padding: false}}}}"
            ));
            assert_eq!(URL_SAFE_NO_PAD.decode(value).unwrap().len(), bytes);
            let value = generate(&Recipe::Bytes { length: bytes }, &mut rng(), NOW);
            assert_eq!(value.len(), bytes);
        }
        assert_eq!(URL_SAFE.decode(new("fernet")).unwrap().len(), 32);
    }

    #[test]
    fn hex_writes_every_byte_in_two_digits() {
        assert_eq!(hex(&[0x00, 0x09, 0x0a, 0x90, 0xff]).expose(), b"00090a90ff");
    }

    #[test]
    fn an_independent_reader_takes_uuids_for_version_4() {
        let mut rng = rng();
        for _ in 0..100 {
            let value = generate(&Recipe::Uuid, &mut rng, NOW);
            let uuid = Uuid::parse_str(value.expose_text().unwrap()).unwrap();
            assert_eq!(uuid.get_version_num(), 4);
            assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
        }
    }

    #[test]
    fn timestamps_stay_within_rfc_3339() {
        for (now, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (253_402_207_200, "9999-12-30T22:00:00Z"),
            (i64::MAX, "9999-12-30T22:00:00Z"),
        ] {
            assert_eq!(timestamp(now), text);
        }
    }

    #[test]
    fn every_character_is_as_likely_as_the_others() {
        let mut rng = rng();
        for (source, kinds) in [
            ("{alnum: 4096}", 62),
            ("{hex: 4096}", 16),
            ("{base64url: {bytes: 3072, padding: false}}", 64),
            ("{chars: {length: 4096, from: \"a2@#%^&*(-_=+)\"}}", 14),
            (
                "{password: {length: 4096, lower: 0, upper: 0, digits: 0}}",
                62,
            ),
        ] {
            let recipe = decode(source);
            let drawn: String = (0..16)
                .map(|_| {
                    generate(&recipe, &mut rng, NOW)
                        .expose_text()
                        .unwrap()
                        .to_owned()
                })
                .collect();
            let chi_square = chi_square(drawn.chars(), kinds);
            assert!(
                chi_square < 2.0 * f64::from(u32::try_from(kinds).unwrap()),
                "{source}: {chi_square}"
            );
        }
    }

    #[test]
    fn the_classes_of_a_password_stand_in_every_order() {
        let recipe = decode("{password: {length: 4, symbols: 1}}");
        let mut rng = rng();
        let orders = (0..24_000).map(|_| {
            let value = generate(&recipe, &mut rng, NOW);
            let class = |c: char| match c {
                'a'..='z' => 'a',
                'A'..='Z' => 'A',
                '0'..='9' => '0',
                _ => '-',
            };
            value
                .expose_text()
                .unwrap()
                .chars()
                .map(class)
                .collect::<String>()
        });
        let chi_square = chi_square(orders, 24);
        assert!(chi_square < 48.0, "{chi_square}");
    }

    #[test]
    fn numbers_of_the_incomplete_last_round_are_thrown_away() {
        /// Gives the numbers of a list.
        struct Listed(std::vec::IntoIter<u64>);

        impl TryRng for Listed {
            type Error = Infallible;

            fn try_next_u32(&mut self) -> Result<u32, Infallible> {
                unreachable!()
            }

            fn try_next_u64(&mut self) -> Result<u64, Infallible> {
                Ok(self.0.next().unwrap())
            }

            fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Infallible> {
                unreachable!()
            }
        }

        impl TryCryptoRng for Listed {}

        // 2^64 is 16 more than a multiple of 62 and 1 more than a multiple of 3; the very last number is never used.
        let mut rng = Listed(vec![u64::MAX, u64::MAX - 15, u64::MAX - 16, 63].into_iter());
        assert_eq!([below(&mut rng, 62), below(&mut rng, 62)], [61, 1]);
        let mut rng = Listed(vec![u64::MAX, u64::MAX - 1].into_iter());
        assert_eq!(below(&mut rng, 3), 2);
    }

    #[test]
    fn values_are_drawn_until_one_passes() {
        let recipe = decode("{hex: 4}");
        let letter = checks("{pattern: \"^[a-f]\"}");
        let mut rng = rng();
        for _ in 0..100 {
            let value = draw(&recipe, &letter, ("sk-", "!"), &mut rng, NOW).unwrap();
            let text = value.expose_text().unwrap();
            let inside = text.strip_prefix("sk-").unwrap().strip_suffix('!').unwrap();
            assert_eq!(inside.len(), 8);
            assert!(inside.starts_with(|c| ('a'..='f').contains(&c)), "{inside}");
        }
    }

    #[test]
    fn drawing_gives_up_and_says_which_rule_was_broken() {
        let impossible = checks("{pattern: \"^x\", length: 9}");
        let err = draw(&decode("{hex: 4}"), &impossible, ("", ""), &mut rng(), NOW).unwrap_err();
        assert_eq!(
            err.to_string(),
            "none of 100 drawn values passed the check; the last one has 8 characters; 9 are wanted, and it does not match `^x`"
        );
    }

    proptest! {
        #[test]
        fn every_value_has_the_shape_of_its_recipe(recipe in recipe(), seed in any::<u64>()) {
            let value = generate(&recipe, &mut ChaCha20Rng::seed_from_u64(seed), NOW);
            let shape = recipe.shape();
            prop_assert!(shape.bytes.contains(&value.len()));
            prop_assert_eq!(recipe.is_binary(), shape.characters.is_none());
            if let Some(characters) = shape.characters {
                let text = value.expose_text().unwrap();
                prop_assert_eq!(text.chars().count(), characters);
                prop_assert!(text.chars().all(|c| shape.alphabet.contains(&c)), "{}", text);
            }
        }

        #[test]
        fn every_password_has_its_least_numbers(
            least in proptest::array::uniform4(0_usize..5),
            more in 1_usize..10,
            seed in any::<u64>(),
        ) {
            let length = least.iter().sum::<usize>() + more;
            let recipe = Recipe::Password(Password::with_classes(length, least, None).unwrap());
            let value = generate(&recipe, &mut ChaCha20Rng::seed_from_u64(seed), NOW);
            let text = value.expose_text().unwrap();
            let of = |class: fn(&char) -> bool| text.chars().filter(class).count();
            prop_assert!(of(char::is_ascii_lowercase) >= least[0]);
            prop_assert!(of(char::is_ascii_uppercase) >= least[1]);
            prop_assert!(of(char::is_ascii_digit) >= least[2]);
            prop_assert!(of(|c| "-._~".contains(*c)) >= least[3]);
            prop_assert_eq!(text.len(), length);
            prop_assert!(least[3] > 0 || !text.contains(|c: char| !c.is_ascii_alphanumeric()));
        }
    }
}
