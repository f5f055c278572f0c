//! What was learnt by looking at values themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::decide::Input;
use super::model::{Action, Blocked, Plan, State};
use crate::judge::{Doubt, Finding, Follows, Stored, follows, judge};
use crate::name::ValueId;
use crate::produce::Values;
use crate::resolve::Resolved;

/// What was learnt by looking at values themselves. Empty for a plan that looks at names alone. Holds no value.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Findings {
    /// What was found of values that are stored: placeholders, texts that drifted, values that could not be read.
    pub states: BTreeMap<ValueId, State>,
    /// What came of comparing given values with what is stored of those that are made from them.
    pub proofs: BTreeMap<ValueId, Proof>,
    /// Whether placeholders are filled: they count as free, and are written.
    pub fill: bool,
}

/// Whether a given value is the one that stored values were made from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Proof {
    /// These were made from it.
    Made(BTreeSet<ValueId>),
    /// This one was not.
    NotMade(ValueId),
    /// Nobody can tell whether this one was.
    Open {
        /// Which.
        product: ValueId,
        /// Why.
        reason: String,
    },
}

static NONE: Findings = Findings::NONE;

impl Findings {
    /// Nothing but names was looked at.
    pub const NONE: Self = Self {
        states: BTreeMap::new(),
        proofs: BTreeMap::new(),
        fill: false,
    };

    pub(super) fn none() -> &'static Self {
        &NONE
    }

    /// Whether a value in this state may be written.
    pub(super) fn is_free(&self, state: &State) -> bool {
        state.is_free() || (self.fill && *state == State::Placeholder)
    }

    /// Holds stored values against the contract: which are placeholders, and which no longer follow from their sources.
    pub fn look_at(&mut self, input: Input<'_>, stored: Stored<'_>) {
        let unchecked = BTreeSet::new();
        for (_, value) in input.resolved.values() {
            let id = &value.id;
            if !input.selection.has(id) || !value.activity.is_active() || value.is_forbidden() {
                continue;
            }
            let findings = judge(input.resolved, id, stored, &unchecked);
            let state = findings.into_iter().find_map(|finding| match finding {
                Finding::Placeholder => Some(State::Placeholder),
                Finding::Drifted(why) | Finding::Mismatch(why) => Some(State::Drifted {
                    reason: why.to_string(),
                }),
                Finding::Check { .. }
                | Finding::Forbidden(_)
                | Finding::HalfPair { .. }
                | Finding::LineBreak(_)
                | Finding::NoPrefix(_)
                | Finding::NoSuffix(_)
                | Finding::NotCompared { .. }
                | Finding::NotJudged { .. }
                | Finding::NotOfRecipe { .. }
                | Finding::Parameters(_)
                | Finding::TooCostly { .. }
                | Finding::WrongShape { .. } => None,
            });
            self.states.extend(state.map(|state| (id.clone(), state)));
        }
    }
}

/// What must be read to prove given values: stored values that are made from absent ones, and what else those are made
/// from.
pub fn to_prove(resolved: &Resolved, plan: &Plan, given: &BTreeSet<ValueId>) -> BTreeSet<ValueId> {
    let products = pairs(plan, given).flat_map(|(_, products)| products);
    products
        .filter(|id| resolved.value(id).is_some())
        .cloned()
        .collect()
}

/// Compares given values, in the form in which they would be stored, with what is stored of those made from them.
///
/// Only for values that nothing else keeps from being made. `stored` need not have the given ones.
pub fn prove(
    resolved: &Resolved,
    plan: &Plan,
    given: &Values,
    stored: Stored<'_>,
) -> BTreeMap<ValueId, Proof> {
    let mut values = stored.values.clone();
    for (id, value) in given {
        // What is given for a value that is there is not used.
        let value = || Arc::clone(value);
        values.entry(id.clone()).or_insert_with(value);
    }
    let stored = Stored {
        values: &values,
        states: stored.states,
    };
    let ids = given.keys().cloned().collect();
    let proof = |(id, products): (&ValueId, &Vec<ValueId>)| {
        (id.clone(), prove_one(resolved, id, products, stored))
    };
    pairs(plan, &ids).map(proof).collect()
}

/// Given values that stored ones keep from being made.
fn pairs<'p>(
    plan: &'p Plan,
    given: &BTreeSet<ValueId>,
) -> impl Iterator<Item = (&'p ValueId, &'p Vec<ValueId>)> {
    plan.steps.iter().filter_map(|step| {
        let Action::Blocked(Blocked::HalfPair { stored }) = &step.action else {
            return None;
        };
        given.contains(&step.id).then_some((&step.id, stored))
    })
}

fn prove_one(resolved: &Resolved, id: &ValueId, products: &[ValueId], stored: Stored<'_>) -> Proof {
    let mut open = None;
    for product in products {
        let reason = match judged(resolved, id, product, stored) {
            Follows::Yes => continue,
            Follows::No(_) if is_placeholder(resolved, product, stored) => {
                "it holds a placeholder".to_owned()
            }
            Follows::No(_) => return Proof::NotMade(product.clone()),
            Follows::CannotTell(Doubt::Cost { cost }) => {
                format!("a hash of cost {cost} takes too long to try")
            }
            Follows::CannotTell(Doubt::Missing(other)) => format!("{other} is not there"),
            Follows::CannotTell(Doubt::Unread(other)) => match stored.states.get(&other) {
                Some(state) if !state.is_there() => format!("{other} is {state}"),
                Some(_) | None => format!("{other} was not read"),
            },
        };
        open = open.or(Some(Proof::Open {
            product: product.clone(),
            reason,
        }));
    }
    open.unwrap_or_else(|| Proof::Made(products.iter().cloned().collect()))
}

/// Whether a product was made from a value. What lies between the two is not there: it would have to be made first.
fn judged(resolved: &Resolved, id: &ValueId, product: &ValueId, stored: Stored<'_>) -> Follows {
    let made_from = resolved.value(product).map(|value| value.reads());
    let made_from = made_from.unwrap_or_default();
    if made_from.contains(&id) {
        return follows(resolved, product, stored);
    }
    let between = made_from.into_iter().find(|id| stored.is_free(id));
    Follows::CannotTell(Doubt::Missing(between.unwrap_or(product).clone()))
}

fn is_placeholder(resolved: &Resolved, id: &ValueId, stored: Stored<'_>) -> bool {
    judge(resolved, id, stored, &BTreeSet::new()).contains(&Finding::Placeholder)
}
