//! One stored value, held against the contract.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::follows::{Doubt, Follows, Mismatch, Stored, follows};
use super::inside::{Inside, inside, other_reading, unformed};
use crate::name::ValueId;
use crate::resolve::{Resolved, ResolvedSource, ResolvedValue};
use crate::secret::SecretValue;
use crate::value::{
    Encode, Newline, NewlineChange, Recipe, Violation, apply_newline, deviation, encode_base64,
    is_armored,
};

/// Says what is wrong with a stored value; nothing when it is sound, or when it is not among those that were read.
///
/// `unchecked` are values whose `check` is not tried.
pub fn judge(
    resolved: &Resolved,
    id: &ValueId,
    stored: Stored<'_>,
    unchecked: &BTreeSet<ValueId>,
) -> Vec<Finding> {
    let (Some(value), Some(found)) = (resolved.value(id), stored.values.get(id)) else {
        return Vec::new();
    };
    let judge = Judge {
        resolved,
        value,
        found,
        stored,
        checked: !unchecked.contains(id),
    };
    match &value.source {
        Some(ResolvedSource::Forbidden(why)) => vec![Finding::Forbidden(why.clone())],
        Some(ResolvedSource::Generate { recipe, provide }) => {
            // Where a person may give the value, it need not be one of the recipe's.
            judge.given(Some(recipe).filter(|_| provide.is_none()))
        }
        Some(ResolvedSource::Mint { .. } | ResolvedSource::Provide(_)) => judge.given(None),
        Some(
            ResolvedSource::Compose(_) | ResolvedSource::Derive { .. } | ResolvedSource::Value(_),
        ) => judge.made(),
        None => Vec::new(),
    }
}

struct Judge<'a> {
    resolved: &'a Resolved,
    value: &'a ResolvedValue,
    found: &'a SecretValue,
    stored: Stored<'a>,
    checked: bool,
}

impl Judge<'_> {
    /// A value that nothing else tells: drawn, or from a person or a service.
    fn given(&self, recipe: Option<&Recipe>) -> Vec<Finding> {
        if self.is_placeholder(&unformed(self.value, self.found)) || self.is_unencoded() {
            return vec![Finding::Placeholder];
        }
        let inside = match inside(self.value, self.found) {
            Inside::NoPrefix => return vec![Finding::NoPrefix(self.value.prefix.clone())],
            Inside::NoSuffix => return vec![Finding::NoSuffix(self.value.suffix.clone())],
            Inside::Value(inside) => inside,
        };
        if self.is_placeholder(&inside) {
            return vec![Finding::Placeholder];
        }
        let mut findings = self.checks(&inside);
        findings.extend(self.line_break(&inside));
        if let Some(recipe) = recipe.filter(|recipe| findings.is_empty() && !makes(recipe, &inside))
        {
            let recipe = recipe.summary();
            findings.push(Finding::NotOfRecipe { recipe });
        }
        findings
    }

    /// A value that the contract makes from others, or has in itself.
    fn made(&self) -> Vec<Finding> {
        let inside = unformed(self.value, self.found);
        let follows = follows(self.resolved, &self.value.id, self.stored);
        // What the contract itself says is meant, whatever it looks like.
        if follows != Follows::Yes && self.is_placeholder(&inside) {
            return vec![Finding::Placeholder];
        }
        let mut findings: Vec<Finding> = match follows {
            Follows::Yes => self.parameters(&inside).into_iter().collect(),
            Follows::No(mismatch) => vec![mismatched(mismatch)],
            Follows::CannotTell(doubt) => {
                let doubt = self.doubtful(doubt);
                self.parameters(&inside)
                    .into_iter()
                    .chain([doubt])
                    .collect()
            }
        };
        findings.extend(self.checks(&inside));
        findings
    }

    /// An end that a person did not mean, as `echo` makes it. Bytes may end so by chance.
    fn line_break(&self, inside: &SecretValue) -> Option<Finding> {
        let Some(ResolvedSource::Provide(_)) = &self.value.source else {
            return None;
        };
        let wanted = self.value.newline;
        let one = wanted == Some(Newline::One) || (wanted.is_none() && is_armored(inside.expose()));
        let kept = |text: &SecretValue| apply_newline(wanted, text).1 == NewlineChange::Kept;
        let other = other_reading(self.value, inside);
        if kept(inside) || other.is_some_and(|other| kept(&other)) {
            return None;
        }
        let wanted = if one { Newline::One } else { Newline::None };
        Some(Finding::LineBreak(wanted))
    }

    fn is_placeholder(&self, value: &SecretValue) -> bool {
        self.value.placeholders.matches(value.expose())
    }

    /// Whether a placeholder was stored as it is where base64 is wanted, and happens to be base64.
    fn is_unencoded(&self) -> bool {
        matches!(self.value.encode, Some(Encode::Base64))
            && self.is_placeholder(&encode_base64(self.found.expose()))
    }

    fn parameters(&self, inside: &SecretValue) -> Option<Finding> {
        let Some(ResolvedSource::Derive { derivation, .. }) = &self.value.source else {
            return None;
        };
        deviation(derivation, inside).map(Finding::Parameters)
    }

    fn doubtful(&self, doubt: Doubt) -> Finding {
        match doubt {
            Doubt::Cost { cost } => Finding::TooCostly { cost },
            Doubt::Missing(of) => match self.resolved.value(&of) {
                // Nobody has to make it, so without it no pair is broken.
                Some(source) if source.may_be_absent() => Finding::NotCompared { with: of },
                Some(_) | None => Finding::HalfPair { of },
            },
            Doubt::Unread(unread) => Finding::NotJudged { unread },
        }
    }

    fn checks(&self, inside: &SecretValue) -> Vec<Finding> {
        if !self.checked {
            return Vec::new();
        }
        let broken = self.value.checks.check(inside.expose());
        let other = other_reading(self.value, inside);
        if other.is_some_and(|other| self.value.checks.check(other.expose()).is_empty()) {
            return Vec::new();
        }
        let finding = |broken: Violation| Finding::Check {
            rule: broken.rule,
            reason: broken.unmeasured().to_owned(),
        };
        broken.into_iter().map(finding).collect()
    }
}

/// A text that changed is still good for something; a hash of something else is not.
fn mismatched(mismatch: Mismatch) -> Finding {
    match mismatch {
        Mismatch::Text | Mismatch::Unfilled(_) => Finding::Drifted(mismatch),
        Mismatch::Hash { .. } | Mismatch::Kind(_) | Mismatch::Source { .. } => {
            Finding::Mismatch(mismatch)
        }
    }
}

/// Whether length and alphabet of a value are those of a recipe.
fn makes(recipe: &Recipe, value: &SecretValue) -> bool {
    let shape = recipe.shape();
    let Some(characters) = shape.characters else {
        return shape.bytes.contains(&value.len());
    };
    value.expose_text().is_some_and(|text| {
        text.chars().count() == characters && text.chars().all(|c| shape.alphabet.contains(&c))
    })
}
