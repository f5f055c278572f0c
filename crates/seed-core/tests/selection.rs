//! Plans that are about some of a contract's values only.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic, and says so"
)]

#[path = "support/resolved.rs"]
mod resolved;
#[path = "support/worlds.rs"]
mod worlds;

use std::collections::BTreeSet;

use insta::assert_snapshot;
use resolved::try_resolved;
use seed_core::inventory::{Depth, Presence, Shape};
use seed_core::name::ValueId;
use seed_core::plan::{Input, Selection, plan, wanted};
use worlds::{World, present, steps, writes};

/// A plan of these secrets, of which those named in `stored` are there, for a selection.
struct Case<'a> {
    secrets: &'a str,
    stored: &'a [&'a str],
    hidden: &'a [&'a str],
    given: &'a [&'a str],
    only: Option<&'a [&'a str]>,
    excluded: &'a [&'a str],
}

const ALL: Case<'_> = Case {
    secrets: "",
    stored: &[],
    hidden: &[],
    given: &[],
    only: None,
    excluded: &[],
};

impl Case<'_> {
    fn shown(&self) -> String {
        let source = format!(
            "version: 1\nname: t\nbackends: {{gcpsm: {{project: p}}}}\nsecrets:\n{}",
            self.secrets
        );
        let resolved = try_resolved(&source).unwrap_or_else(|errors| panic!("{errors}\n{source}"));
        let mut world = World::new();
        for (backend, entries) in wanted(&resolved, Depth::Fields) {
            let answers = entries.into_iter().map(|wanted| {
                let name = wanted.name.as_str();
                let reason = || "403".to_owned();
                let seen = match (self.stored.contains(&name), self.hidden.contains(&name)) {
                    (true, _) => present(Shape::Single),
                    (false, true) => Presence::Hidden { reason: reason() },
                    (false, false) => Presence::Absent,
                };
                (wanted.name, seen)
            });
            world.insert(backend, answers.collect());
        }
        let ids = |names: &[&str]| -> BTreeSet<ValueId> {
            names.iter().map(|id| id.parse().unwrap()).collect()
        };
        let selection = Selection {
            only: self.only.map(ids),
            excluded: ids(self.excluded),
        };
        let given = ids(self.given);
        let plan = plan(Input::new(&resolved, &world, &given).selecting(&selection));
        let reads = plan.reads.iter().map(|id| format!("reads {id}"));
        [steps(&plan), writes(&plan)]
            .into_iter()
            .chain(reads)
            .filter(|lines| !lines.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

const CHAIN: &str = "
  password: {generate: {hex: 16}}
  hash: {derive: {sha256: {of: password}}}
  line: {compose: \"x ${hash}\"}
  other: {generate: {hex: 16}}
";

#[test]
fn only_what_is_selected_is_created() {
    let case = Case {
        secrets: CHAIN,
        only: Some(&["password", "hash"]),
        ..ALL
    };
    assert_snapshot!(case.shown(), @"
    password   create
    hash       create
    line       not selected
    other      not selected
    0: create password in gcpsm: password after {}
    1: create hash in gcpsm: hash after {0}
    ");
}

#[test]
fn an_absent_source_that_is_not_selected_blocks_and_all_that_is_missing_is_named() {
    let case = Case {
        secrets: CHAIN,
        only: Some(&["line"]),
        ..ALL
    };
    assert_snapshot!(case.shown(), @"
    password   not selected
    hash       not selected
    line       blocked: needs password, hash, which are absent and not selected: add `--only password --only hash`
    other      not selected
    ");
}

#[test]
fn an_absent_source_that_is_excluded_blocks_in_its_own_words() {
    let case = Case {
        secrets: CHAIN,
        excluded: &["password"],
        ..ALL
    };
    assert_snapshot!(case.shown(), @"
    password   not selected
    hash       blocked: needs password, which is absent and left out by `--exclude`
    line       blocked: needs hash, which is blocked
    other      create
    0: create other in gcpsm: other after {}
    ");
}

#[test]
fn a_stored_source_that_is_not_selected_is_read() {
    let case = Case {
        secrets: CHAIN,
        stored: &["password"],
        only: Some(&["hash"]),
        ..ALL
    };
    assert_snapshot!(case.shown(), @"
    password   not selected, there
    hash       create
    line       not selected
    other      not selected
    0: create hash in gcpsm: hash after {}
    reads password
    ");
}

#[test]
fn a_stored_product_that_is_not_selected_still_blocks_its_source() {
    let case = Case {
        secrets: CHAIN,
        stored: &["line"],
        only: Some(&["password"]),
        ..ALL
    };
    assert_snapshot!(case.shown(), @"
    password   blocked: absent, but line is stored and made from it: give the known value, which must match, or remove line from the backend
    hash       not selected
    line       not selected, there
    other      not selected
    ");
}

#[test]
fn a_hidden_source_that_is_not_selected_blocks_as_always() {
    let case = Case {
        secrets: CHAIN,
        hidden: &["password"],
        only: Some(&["hash"]),
        ..ALL
    };
    assert_snapshot!(case.shown(), @"
    password   not selected
    hash       blocked: needs password, which is blocked
    line       not selected
    other      not selected
    ");
}

#[test]
fn members_of_a_group_are_bound_to_those_that_are_not_selected() {
    let secrets = "
  first: {generate: {hex: 16}, rotate: {with: [second]}}
  second: {generate: {hex: 16}}
";
    let earlier = Case {
        secrets,
        only: Some(&["first"]),
        ..ALL
    };
    let later = Case {
        secrets,
        only: Some(&["second"]),
        ..ALL
    };
    let broken = Case {
        secrets,
        stored: &["second"],
        only: Some(&["first"]),
        ..ALL
    };
    let shown = format!(
        "{}\n\n{}\n\n{}",
        earlier.shown(),
        later.shown(),
        broken.shown()
    );
    assert_snapshot!(shown, @"
    first      create
    second     not selected
    0: create first in gcpsm: first after {}

    first      not selected
    second     blocked: needs first, which is absent and not selected: add `--only first`

    first      blocked: absent, but second is stored and belongs with it: restore it, or remove the group
    second     not selected, there
    ");
}

#[test]
fn an_optional_value_that_is_not_selected_gives_way_unless_it_is_given() {
    let secrets = "
  token: {provide: {how: ask}, optional: true}
  other: {value: none}
  line: {compose: \"x ${token ?? other}\"}
";
    let missing = Case {
        secrets,
        stored: &["other"],
        only: Some(&["line"]),
        ..ALL
    };
    let given = Case {
        given: &["token"],
        ..missing
    };
    assert_snapshot!(format!("{}\n\n{}", missing.shown(), given.shown()), @"
    token      not selected
    other      not selected, there
    line       create
    0: create line in gcpsm: line after {}
    reads other

    token      not selected
    other      not selected, there
    line       blocked: needs token, which is absent and not selected: add `--only token`
    ");
}

#[test]
fn nobody_is_asked_for_what_is_not_selected() {
    let secrets = "
  token: {provide: {how: ask}}
  header: {compose: \"Bearer ${token}\"}
  session: {mint: {by: them}}
  cookie: {compose: \"c ${session}\"}
  password: {generate: {hex: 16}}
";
    let case = Case {
        secrets,
        only: Some(&["header", "cookie", "password"]),
        ..ALL
    };
    assert_snapshot!(case.shown(), @"
    token      not selected
    header     blocked: needs token, which is absent and not selected: add `--only token`
    session    not selected
    cookie     wait for session
    password   create
    0: create password in gcpsm: password after {}
    ");
}

#[test]
fn a_long_chain_that_is_left_out_is_named_once() {
    let mut secrets = "  k0: {generate: {hex: 4}}\n".to_owned();
    for at in 1..2000 {
        secrets.push_str(&format!(
            "  k{at}: {{compose: \"${{k{}}} ${{k0}}\"}}\n",
            at - 1
        ));
    }
    let case = Case {
        secrets: &secrets,
        only: Some(&["k1999"]),
        ..ALL
    };
    let shown = case.shown();
    let last = shown.lines().last().unwrap();
    assert!(last.starts_with("k1999      blocked: needs k0, k1, k2, "));
    assert_eq!(last.matches("--only k").count(), 1999);
    assert_eq!(shown.matches("blocked").count(), 1);
}
