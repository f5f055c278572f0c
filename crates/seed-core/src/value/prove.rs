//! What a recipe proves about a check before a value is drawn.

use super::check::{Checks, count};
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
        let shape = recipe.shape();
        let prover = Prover {
            checks: self,
            name: recipe.summary(),
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
    name: String,
    shape: &'a Shape,
}

impl Prover<'_> {
    /// Bytes can be text by chance, but nobody means that.
    fn text(&self) -> Proof {
        match (self.shape.characters, self.checks.first_of_text()) {
            (None, Some(rule)) => Proof::Never(format!(
                "`{}` makes bytes, and `{rule}` is about text",
                self.name
            )),
            (_, None) | (Some(_), _) => Proof::Always,
        }
    }

    fn bytes(&self) -> Proof {
        let made = &self.shape.bytes;
        match self.checks.bytes {
            None => Proof::Always,
            Some(wanted) if !made.contains(&wanted) => {
                let count = match (made.start(), made.end()) {
                    (least, most) if least == most => count(*least, "byte"),
                    (least, most) => format!("{least} to {most} bytes"),
                };
                Proof::Never(format!(
                    "`{}` makes {count}; {wanted} are wanted",
                    self.name
                ))
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
            Some((_, wanted)) => {
                let made = count(made, "character");
                Proof::Never(format!("`{}` makes {made}; {wanted}", self.name))
            }
        }
    }

    fn prefix(&self) -> Proof {
        match self.checks.prefix.as_deref() {
            None | Some("") => Proof::Always,
            Some(prefix) if self.can_begin_with(prefix) => Proof::Maybe,
            Some(prefix) => Proof::Never(format!(
                "no value of `{}` begins with `{prefix}`",
                self.name
            )),
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
            Proof::Never(format!(
                "`{}` makes none of the values in `one-of`",
                self.name
            ))
        }
    }

    /// A rule that no value can satisfy without all of some characters.
    fn characters(&self, written: bool, rule: &str, needed: &str) -> Proof {
        let missing = needed.chars().any(|c| !self.shape.alphabet.contains(&c));
        match (written, missing) {
            (false, _) => Proof::Always,
            (true, false) => Proof::Maybe,
            (true, true) => Proof::Never(format!("no value of `{}` satisfies `{rule}`", self.name)),
        }
    }

    fn can_begin_with(&self, text: &str) -> bool {
        self.shape
            .characters
            .is_some_and(|made| text.chars().count() <= made)
            && text.chars().all(|c| self.shape.alphabet.contains(&c))
    }
}
