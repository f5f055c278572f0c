//! What a recipe proves about a check before a value is drawn.

use super::check::{Checks, count, wanted};
use super::recipe::{Recipe, Shape};

/// Whether the values of a recipe satisfy a check.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Proof {
    /// Every value does.
    Always,
    /// Length and alphabet do not tell; it is tried on drawn values.
    Maybe,
    /// No value does, and why: fit to stand in an error at the place of the check.
    Never(String),
}

impl Checks {
    /// Tells what length and alphabet of a recipe prove. `prefix` and `suffix` are those of the entry; a check does not
    /// see them, and a reason says so.
    pub fn prove(&self, recipe: &Recipe, prefix: &str, suffix: &str) -> Proof {
        if self.is_empty() {
            return Proof::Always;
        }
        let shape = recipe.shape();
        let prover = Prover {
            checks: self,
            shape: &shape,
        };
        let proofs = [
            prover.bytes(),
            prover.size(),
            prover.prefix(),
            prover.one_of(),
            prover.characters(self.url.is_some(), "url", ":/"),
            prover.characters(self.pem.is_some(), "pem", "- \n"),
            if self.pattern.is_some() || self.json {
                Proof::Maybe
            } else {
                Proof::Always
            },
        ];
        let hint = match (prefix, suffix) {
            ("", "") => "",
            _ => "; a check sees the value before `prefix` and `suffix` are put around it",
        };
        match proofs.into_iter().fold(prover.text(), Proof::and) {
            Proof::Never(reason) => Proof::Never(format!("{reason}{hint}")),
            proof @ (Proof::Always | Proof::Maybe) => proof,
        }
    }
}

impl Proof {
    /// Both hold. The first reason against it counts.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never(reason), _) | (_, Self::Never(reason)) => Self::Never(reason),
            (Self::Maybe, _) | (_, Self::Maybe) => Self::Maybe,
            (Self::Always, Self::Always) => Self::Always,
        }
    }
}

struct Prover<'a> {
    checks: &'a Checks,
    shape: &'a Shape,
}

impl Prover<'_> {
    /// Bytes can be text by chance, but nobody means that.
    fn text(&self) -> Proof {
        match (self.shape.characters, self.checks.first_of_text()) {
            (None, Some(rule)) => {
                Proof::Never(format!("it makes bytes, and `{rule}` is about text"))
            }
            (_, None) | (Some(_), _) => Proof::Always,
        }
    }

    fn bytes(&self) -> Proof {
        let made = &self.shape.bytes;
        match self.checks.bytes {
            None => Proof::Always,
            Some(bytes) if !made.contains(&bytes) => {
                let count = match (made.start(), made.end()) {
                    (least, most) if least == most => count(*least, "byte"),
                    (least, most) => format!("{least} to {most} bytes"),
                };
                Proof::Never(format!("it makes {count}; {}", wanted(bytes)))
            }
            Some(_) if made.start() == made.end() => Proof::Always,
            Some(_) => Proof::Maybe,
        }
    }

    fn size(&self) -> Proof {
        let Some(made) = self.shape.characters else {
            return Proof::Always;
        };
        match self.checks.wrong_size(made).first() {
            None => Proof::Always,
            Some(wrong) => {
                let made = count(made, "character");
                Proof::Never(format!("it makes {made}; {}", wrong.wanted))
            }
        }
    }

    fn prefix(&self) -> Proof {
        match self.checks.prefix.as_deref() {
            None | Some("") => Proof::Always,
            Some(prefix) if self.can_begin_with(prefix) => Proof::Maybe,
            Some(prefix) => Proof::Never(format!("no value of it begins with `{prefix}`")),
        }
    }

    fn one_of(&self) -> Proof {
        let words = &self.checks.one_of;
        let possible = |word: &String| {
            self.can_begin_with(word) && self.shape.characters == Some(word.chars().count())
        };
        if words.is_empty() {
            Proof::Always
        } else if words.iter().any(possible) {
            Proof::Maybe
        } else {
            Proof::Never("it makes none of the values in `one-of`".to_owned())
        }
    }

    /// A rule that no value can satisfy without all of some characters.
    fn characters(&self, written: bool, rule: &str, needed: &str) -> Proof {
        let missing = needed.chars().any(|c| !self.shape.alphabet.contains(&c));
        match (written, missing) {
            (false, _) => Proof::Always,
            (true, false) => Proof::Maybe,
            (true, true) => Proof::Never(format!("no value of it satisfies `{rule}`")),
        }
    }

    fn can_begin_with(&self, text: &str) -> bool {
        self.shape
            .characters
            .is_some_and(|made| text.chars().count() <= made)
            && text.chars().all(|c| self.shape.alphabet.contains(&c))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng as _;

    use super::super::check::tests::checks;
    use super::super::choice::testing::read;
    use super::super::generate::generate;
    use super::super::recipe::tests::recipe;
    use super::*;

    fn prove(recipe: &str, checks: &str) -> String {
        let recipe = read(recipe, Recipe::decode).unwrap();
        match read(checks, Checks::decode).unwrap().prove(&recipe, "", "") {
            Proof::Always => "always".to_owned(),
            Proof::Maybe => "maybe".to_owned(),
            Proof::Never(reason) => format!("never: {reason}"),
        }
    }

    #[test]
    fn length_and_alphabet_prove_what_they_can() {
        let found: Vec<String> = [
            ("{hex: 16}", "{length: 32}"),
            ("{hex: 32}", "{length: 32}"),
            ("{hex: 32}", "{min: 64, max: 64}"),
            ("{hex: 32}", "{min: 65}"),
            ("{hex: 32}", "{max: 63}"),
            ("{hex: 32}", "{bytes: 64}"),
            ("{hex: 32}", "{bytes: 32}"),
            ("{hex: 32}", "{prefix: a}"),
            ("{hex: 32}", "{prefix: sk-}"),
            ("{hex: 1}", "{prefix: abc}"),
            ("{hex: 1}", "{one-of: [ab, xy]}"),
            ("{hex: 1}", "{one-of: [abc, xy]}"),
            ("{hex: 32}", "{pattern: x}"),
            ("{hex: 32}", "{json: true}"),
            ("{hex: 32}", "{url: {}}"),
            ("{chars: {length: 8, from: 'a:/'}}", "{url: {}}"),
            ("{alnum: 40}", "{pem: certificate}"),
            ("{chars: {length: 4, from: 'aé'}}", "{bytes: 6}"),
            ("{chars: {length: 4, from: 'aé'}}", "{bytes: 9}"),
            ("{bytes: 32}", "{bytes: 32}"),
            ("{bytes: 32}", "{length: 32}"),
            ("uuid", "{length: 36, matches: key}"),
            ("fernet", "{length: 44, pattern: '=$'}"),
            ("{hex: 32}", "{}"),
        ]
        .into_iter()
        .map(|(recipe, checks)| format!("{recipe} {checks}  ->  {}", prove(recipe, checks)))
        .collect();
        insta::assert_snapshot!(found.join("\n"), @"
        {hex: 16} {length: 32}  ->  always
        {hex: 32} {length: 32}  ->  never: it makes 64 characters; 32 are wanted
        {hex: 32} {min: 64, max: 64}  ->  always
        {hex: 32} {min: 65}  ->  never: it makes 64 characters; at least 65 are wanted
        {hex: 32} {max: 63}  ->  never: it makes 64 characters; at most 63 are wanted
        {hex: 32} {bytes: 64}  ->  always
        {hex: 32} {bytes: 32}  ->  never: it makes 64 bytes; 32 are wanted
        {hex: 32} {prefix: a}  ->  maybe
        {hex: 32} {prefix: sk-}  ->  never: no value of it begins with `sk-`
        {hex: 1} {prefix: abc}  ->  never: no value of it begins with `abc`
        {hex: 1} {one-of: [ab, xy]}  ->  maybe
        {hex: 1} {one-of: [abc, xy]}  ->  never: it makes none of the values in `one-of`
        {hex: 32} {pattern: x}  ->  maybe
        {hex: 32} {json: true}  ->  maybe
        {hex: 32} {url: {}}  ->  never: no value of it satisfies `url`
        {chars: {length: 8, from: 'a:/'}} {url: {}}  ->  maybe
        {alnum: 40} {pem: certificate}  ->  never: no value of it satisfies `pem`
        {chars: {length: 4, from: 'aé'}} {bytes: 6}  ->  maybe
        {chars: {length: 4, from: 'aé'}} {bytes: 9}  ->  never: it makes 4 to 8 bytes; 9 are wanted
        {bytes: 32} {bytes: 32}  ->  always
        {bytes: 32} {length: 32}  ->  never: it makes bytes, and `length` is about text
        uuid {length: 36, matches: key}  ->  always
        fernet {length: 44, pattern: '=$'}  ->  maybe
        {hex: 32} {}  ->  always
        ");
    }

    #[test]
    fn a_reason_says_that_prefix_and_suffix_are_not_seen() {
        let checks = read("{length: 67}", Checks::decode).unwrap();
        let proof = checks.prove(&Recipe::Hex { bytes: 32 }, "sk-", "");
        let reason = "it makes 64 characters; 67 are wanted; \
            a check sees the value before `prefix` and `suffix` are put around it";
        assert_eq!(proof, Proof::Never(reason.to_owned()));
    }

    proptest! {
        #[test]
        fn what_is_proved_is_true_of_drawn_values(
            recipe in recipe(),
            checks in checks(),
            seed in any::<u64>(),
        ) {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let values = (0..8).map(|_| generate(&recipe, &mut rng, 1_795_359_845));
            // Bytes are refused as text whatever they are by chance.
            let checkable = !recipe.is_binary() || checks.first_of_text().is_none();
            for value in values.filter(|_| checkable) {
                let passes = checks.check(value.expose()).is_empty();
                match checks.prove(&recipe, "", "") {
                    Proof::Always => prop_assert!(passes),
                    Proof::Maybe => {}
                    Proof::Never(reason) => prop_assert!(!passes, "{}", reason),
                }
            }
        }

        #[test]
        fn sizes_that_fit_a_recipe_are_always_kept(recipe in recipe()) {
            let shape = recipe.shape();
            let checks = Checks {
                length: shape.characters,
                bytes: Some(*shape.bytes.start()).filter(|least| least == shape.bytes.end()),
                ..Checks::default()
            };
            prop_assert_eq!(checks.prove(&recipe, "", ""), Proof::Always);
        }
    }
}
