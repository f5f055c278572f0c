//! What is stored and made from a value: it must still match the one that is given.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seed_core::judge::{Follows, Stored, follows};
use seed_core::name::ValueId;
use seed_core::plan::{Plan, State};
use seed_core::resolve::Resolved;
use seed_core::secret::SecretValue;
use seed_engine::{Providers, read_values};

/// The stored values that would not match `value` as the value of `id`, or of which nobody can tell.
pub(super) async fn broken(
    resolved: &Resolved,
    providers: &Providers,
    plan: &Plan,
    id: &ValueId,
    value: &SecretValue,
) -> Vec<ValueId> {
    let states: BTreeMap<ValueId, State> = plan
        .steps
        .iter()
        .filter_map(|step| Some((step.id.clone(), step.state.clone()?)))
        .collect();
    let mut products = products(resolved, &states, id);
    if products.is_empty() {
        return products;
    }
    let sources = products
        .iter()
        .filter_map(|product| resolved.value(product))
        .flat_map(|product| product.reads().into_iter().cloned());
    let mut wanted: BTreeSet<ValueId> = products.iter().cloned().chain(sources).collect();
    wanted.remove(id);
    let mut read = read_values(resolved, providers, wanted, None).await;
    read.values.insert(id.clone(), Arc::new(value.duplicate()));
    let stored = Stored {
        values: &read.values,
        states: &states,
    };
    products.retain(|product| follows(resolved, product, stored) != Follows::Yes);
    with_products(resolved, &states, products)
}

/// The values with all that is made from them and stored, or may be.
fn with_products(
    resolved: &Resolved,
    states: &BTreeMap<ValueId, State>,
    mut ids: Vec<ValueId>,
) -> Vec<ValueId> {
    for product in &resolved.order {
        let made = resolved
            .value(product)
            .is_some_and(|value| value.reads().into_iter().any(|id| ids.contains(id)));
        let free = states.get(product).is_some_and(State::is_free);
        if made && !free && !ids.contains(product) {
            ids.push(product.clone());
        }
    }
    ids
}

/// What is made from a value and stored, or may be: directly, or from something that is not stored itself.
fn products(resolved: &Resolved, states: &BTreeMap<ValueId, State>, id: &ValueId) -> Vec<ValueId> {
    let mut reached = BTreeSet::from([id.clone()]);
    let mut products = Vec::new();
    // The order has every value after its sources, so that one pass sees them all.
    for product in &resolved.order {
        let made = resolved
            .value(product)
            .is_some_and(|value| value.reads().into_iter().any(|id| reached.contains(id)));
        if !made {
            continue;
        }
        if states.get(product).is_some_and(State::is_free) {
            reached.insert(product.clone());
        } else {
            products.push(product.clone());
        }
    }
    products
}
