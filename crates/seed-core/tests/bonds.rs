//! Values that are bound together: what a plan must not tear apart.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic, and says so"
)]

use std::collections::{BTreeMap, BTreeSet};

use seed_core::backend::Kind;
use seed_core::contract::parse;
use seed_core::inventory::{Inventory, Presence, Shape, Version};
use seed_core::plan::{Input, plan};
use seed_core::resolve::{Request, Resolved, resolve};

fn resolved(source: &str) -> Resolved {
    let (contract, _) = parse(source).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let request = Request::default();
    resolve(&contract, source, &request)
        .unwrap_or_else(|errors| panic!("{errors:#?}"))
        .0
}

/// What is planned for each key, when `stored` are there, `unknown` cannot be asked, and all else is absent.
fn actions(source: &str, stored: &[&str], unknown: &[&str]) -> Vec<String> {
    let resolved = resolved(source);
    let presence = |key: &str| {
        if stored.contains(&key) {
            Presence::Present {
                version: Version::new("1"),
                shape: Shape::Single,
            }
        } else if unknown.contains(&key) {
            Presence::Unknown {
                reason: "no answer".to_owned(),
            }
        } else {
            Presence::Absent
        }
    };
    let inventory: Inventory = resolved
        .entries
        .keys()
        .map(|key| {
            (
                Kind::Local.existing_name(key.as_str()).unwrap(),
                presence(key.as_str()),
            )
        })
        .collect();
    let inventories = BTreeMap::from([("local".to_owned(), inventory)]);
    let plan = plan(Input::new(&resolved, &inventories, &BTreeSet::new()));
    plan.steps
        .iter()
        .map(|step| format!("{} {}", step.id, step.action.as_str()))
        .collect()
}

const FALLBACK: &str = "
version: 1
name: t
secrets:
  token: {provide: {how: x}, optional: true}
  other: {generate: {hex: 8}}
  url: {compose: 'u:${token ?? other}'}
";

#[test]
fn an_optional_value_that_is_known_to_be_missing_gives_way() {
    assert_eq!(
        actions(FALLBACK, &[], &[]),
        ["token optional", "other create", "url create"]
    );
    assert_eq!(
        actions(FALLBACK, &["token"], &[]),
        ["token keep", "other create", "url create"]
    );
}

#[test]
fn an_optional_value_of_which_nothing_is_known_does_not_give_way() {
    assert_eq!(
        actions(FALLBACK, &[], &["token"]),
        ["token blocked", "other create", "url blocked"]
    );
}

#[test]
fn an_optional_value_that_nobody_gave_blocks_nothing_on_the_next_run() {
    assert_eq!(
        actions(FALLBACK, &["other", "url"], &[]),
        ["token optional", "other keep", "url keep"]
    );
}

const GROUP: &str = "
version: 1
name: t
secrets:
  a: {provide: {how: x}, rotate: {with: [b]}}
  b: {generate: {hex: 8}}
  c: {generate: {hex: 8}, rotate: {with: [b]}}
";

#[test]
fn later_members_of_a_group_wait_for_earlier_ones() {
    assert_eq!(actions(GROUP, &[], &[]), ["a ask", "b wait", "c wait"]);
    assert_eq!(
        actions(GROUP, &[], &["a"]),
        ["a blocked", "b blocked", "c blocked"]
    );
    assert_eq!(
        actions(GROUP, &["a"], &[]),
        ["a keep", "b create", "c create"]
    );
    assert_eq!(
        actions(GROUP, &["a", "b"], &[]),
        ["a keep", "b keep", "c create"]
    );
}

#[test]
fn a_hole_in_a_group_is_blocked() {
    assert_eq!(
        actions(GROUP, &["a", "c"], &[]),
        ["a keep", "b blocked", "c keep"]
    );
    assert_eq!(
        actions(GROUP, &["b"], &[]),
        ["a blocked", "b keep", "c blocked"]
    );
}

#[test]
fn a_source_is_never_made_while_something_far_below_it_is_stored() {
    let chain = "
version: 1
name: t
secrets:
  a: {generate: {hex: 8}}
  b: {derive: {sha256: {of: a}}}
  c: {derive: {sha256: {of: b}}}
";
    assert_eq!(
        actions(chain, &["c"], &[]),
        ["a blocked", "b blocked", "c keep"]
    );
    assert_eq!(
        actions(chain, &[], &["c"]),
        ["a blocked", "b blocked", "c blocked"]
    );
    assert_eq!(
        actions(chain, &["a"], &[]),
        ["a keep", "b create", "c create"]
    );
}

#[test]
fn long_chains_and_large_groups_are_planned_at_once() {
    let mut chain = "version: 1\nname: t\nsecrets:\n  k0: {generate: {hex: 8}}\n".to_owned();
    let mut group = chain.clone();
    for n in 1..5000 {
        chain.push_str(&format!(
            "  k{n}: {{derive: {{sha256: {{of: k{}}}}}}}\n",
            n - 1
        ));
        group.push_str(&format!(
            "  k{n}: {{generate: {{hex: 8}}, rotate: {{with: [k0]}}}}\n"
        ));
    }
    for contract in [chain, group] {
        let actions = actions(&contract, &["k4999"], &[]);
        assert_eq!(
            actions
                .iter()
                .filter(|action| action.ends_with("blocked"))
                .count(),
            4999
        );
    }
}
