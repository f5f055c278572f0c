//! Secrets that `seed` writes to the cluster itself, and values that are kept nowhere else.
#![expect(clippy::panic, reason = "a test may panic, and says so")]

#[path = "support/worlds.rs"]
mod worlds;

use std::collections::BTreeSet;

use insta::assert_snapshot;
use seed_core::contract::parse;
use seed_core::inventory::{Depth, Presence, Shape};
use seed_core::name::ValueId;
use seed_core::plan::{Findings, Input, Plan, Selection, State, plan, wanted};
use seed_core::resolve::{Request, Resolved, resolve};
use worlds::{World, present, steps, writes};

fn try_resolved(source: &str, cluster: bool) -> Result<Resolved, String> {
    let (contract, _) = parse(source).map_err(|errors| errors.to_string())?;
    let request = Request {
        cluster,
        ..Request::default()
    };
    let resolved = resolve(&contract, source, &request);
    resolved
        .map(|(resolved, _)| resolved)
        .map_err(|errors| errors.to_string())
}

fn contract(body: &str) -> String {
    format!("version: 1\nname: t\nbackends: {{gcpsm: {{project: p}}}}\n{body}")
}

fn resolved(body: &str) -> Resolved {
    let source = contract(body);
    try_resolved(&source, true).unwrap_or_else(|errors| panic!("{errors}\n{source}"))
}

/// Everything is absent but what is named: a Secret with its keys, or a backend's entry without.
fn world(resolved: &Resolved, there: &[(&str, &[&str])]) -> World {
    let mut world = World::new();
    for (backend, entries) in wanted(resolved, Depth::Fields) {
        let answer = |name: &str| {
            let found = there.iter().find(|(named, _)| *named == name);
            match found {
                None => Presence::Absent,
                Some((_, [])) => present(Shape::Single),
                Some((_, keys)) => {
                    let keys = keys.iter().map(|key| (*key).to_owned());
                    present(Shape::Fields(keys.collect()))
                }
            }
        };
        let answers = entries
            .into_iter()
            .map(|wanted| (wanted.name.clone(), answer(wanted.name.as_str())));
        world.insert(backend, answers.collect());
    }
    world
}

fn planned(resolved: &Resolved, there: &[(&str, &[&str])]) -> Plan {
    plan(Input::new(
        resolved,
        &world(resolved, there),
        &BTreeSet::new(),
    ))
}

fn shown(plan: &Plan) -> String {
    let reads: Vec<String> = plan.reads.iter().map(ToString::to_string).collect();
    format!(
        "{}\n{}\nreads {}",
        steps(plan),
        writes(plan),
        reads.join(", ")
    )
}

/// A password that only the cluster keeps, in two Secrets, and a hash of it in the backend.
const PAIR: &str = "
secrets:
  hash: {derive: {bcrypt: {of: pass, cost: 4}}}
  pass: {backend: none, generate: {hex: 16}}
  user: {generate: {hex: 4}}
targets:
  a/redis: {deliver: direct, type: Opaque, data: {auth: '${pass}', user: '${user}'}}
  b/redis: {deliver: direct, data: {password: '${pass}', url: 'redis://:${pass}@host'}}
";

#[test]
fn a_value_that_only_the_cluster_keeps_is_made_in_the_write_of_its_first_secret() {
    assert_snapshot!(shown(&planned(&resolved(PAIR), &[])), @"
    hash       create
    pass       create
    user       create
    Secret a/redis#auth create
    Secret a/redis#user create
    Secret b/redis#password create
    Secret b/redis#url create
    0: create a/redis in the cluster: pass, Secret a/redis#auth, Secret a/redis#user after {3}
    1: create b/redis in the cluster: Secret b/redis#password, Secret b/redis#url after {0}
    2: create hash in gcpsm: hash after {0}
    3: create user in gcpsm: user after {}
    reads
    ");
}

#[test]
fn a_value_that_one_secret_holds_is_copied_to_the_others() {
    let there: &[(&str, &[&str])] = &[("b/redis", &["password", "url"]), ("user", &[])];
    assert_snapshot!(shown(&planned(&resolved(PAIR), there)), @"
    hash       create
    pass       keep
    user       keep
    Secret a/redis#auth create
    Secret a/redis#user create
    Secret b/redis#password keep
    Secret b/redis#url keep
    0: create a/redis in the cluster: Secret a/redis#auth, Secret a/redis#user after {}
    1: create hash in gcpsm: hash after {}
    reads pass, user
    ");
}

#[test]
fn a_stored_hash_keeps_its_lost_password_from_being_made_again() {
    assert_snapshot!(shown(&planned(&resolved(PAIR), &[("hash", &[])])), @"
    hash       keep
    pass       blocked: absent, but hash is stored and made from it: give the known value, which must match, or remove hash from the backend
    user       create
    Secret a/redis#auth blocked: needs pass, which is blocked
    Secret a/redis#user blocked: needs Secret a/redis#auth, which is blocked
    Secret b/redis#password blocked: needs pass, which is blocked
    Secret b/redis#url blocked: needs pass, which is blocked
    0: create user in gcpsm: user after {}
    reads
    ");
}

#[test]
fn a_secret_that_lacks_keys_gets_them() {
    let there: &[(&str, &[&str])] = &[("a/redis", &["auth"]), ("b/redis", &["url"])];
    assert_snapshot!(shown(&planned(&resolved(PAIR), there)), @"
    hash       create
    pass       keep
    user       create
    Secret a/redis#auth keep
    Secret a/redis#user create
    Secret b/redis#password create
    Secret b/redis#url keep
    0: add at 7 b/redis in the cluster: Secret b/redis#password after {}
    1: create hash in gcpsm: hash after {}
    2: create user in gcpsm: user after {}
    3: add at 7 a/redis in the cluster: Secret a/redis#user after {2}
    reads pass
    ");
}

#[test]
fn what_stands_in_the_way_of_a_secret_holds_up_all_that_depends_on_it() {
    let resolved = resolved(PAIR);
    let with = |name: &str, presence: Presence| {
        let mut world = world(&resolved, &[]);
        let cluster = world.get_mut("the cluster").unwrap();
        let names: Vec<_> = cluster.iter().map(|(name, _)| name.clone()).collect();
        let name = names.into_iter().find(|it| it.as_str() == name);
        cluster.insert(name.unwrap(), presence);
        shown(&plan(Input::new(&resolved, &world, &BTreeSet::new())))
    };
    let hidden = Presence::Hidden {
        reason: "403".to_owned(),
    };
    assert_snapshot!(with("a/redis", hidden), @"
    hash       blocked: needs pass, which is blocked
    pass       blocked: needs Secret a/redis#auth, which is blocked
    user       blocked: needs Secret a/redis#user, which is blocked
    Secret a/redis#auth blocked: hidden, which is not absent: 403
    Secret a/redis#user blocked: hidden, which is not absent: 403
    Secret b/redis#password blocked: needs pass, which is blocked
    Secret b/redis#url blocked: needs pass, which is blocked

    reads
    ");
    let owned = Presence::Disabled {
        reason: "owned by the Helm release `r`".to_owned(),
    };
    assert_snapshot!(with("b/redis", owned), @"
    hash       blocked: needs pass, which is blocked
    pass       blocked: needs Secret b/redis#password, which is blocked
    user       create
    Secret a/redis#auth blocked: needs pass, which is blocked
    Secret a/redis#user blocked: needs Secret a/redis#auth, which is blocked
    Secret b/redis#password blocked: there, and never written into: owned by the Helm release `r`
    Secret b/redis#url blocked: there, and never written into: owned by the Helm release `r`
    0: create user in gcpsm: user after {}
    reads
    ");
}

#[test]
fn a_secret_is_written_whole_or_not_at_all() {
    let resolved = resolved(
        "
secrets:
  opt: {provide: {how: x}, optional: true}
  ask: {provide: {how: x}}
  own: {backend: none, generate: {hex: 16}}
  sum: {derive: {sha256: {of: own}}}
targets:
  a/b: {deliver: direct, data: {own: '${own}', asked: '${ask}', opt: '${opt}', fixed: x}}
  a/c: {deliver: direct, data: {fixed: y, opt: '${opt}'}}
",
    );
    assert_snapshot!(shown(&planned(&resolved, &[])), @"
    opt        optional
    ask        ask
    own        wait for ask
    sum        wait for own
    Secret a/b#own wait for ask
    Secret a/b#asked wait for ask
    Secret a/b#opt wait for opt, optional
    Secret a/b#fixed wait for ask
    Secret a/c#fixed create
    Secret a/c#opt wait for opt, optional
    0: create a/c in the cluster: Secret a/c#fixed after {}
    reads
    ");
}

#[test]
fn a_hash_beside_its_password_comes_after_it() {
    let resolved = resolved(
        "
secrets:
  pass: {backend: none, generate: {hex: 16}}
  hash: {backend: none, derive: {bcrypt: {of: pass, cost: 4}}}
  kept: {derive: {sha256: {of: pass}}}
targets:
  a/b: {deliver: direct, data: {hash: '${hash}', pass: '${pass}', kept: '${kept}'}}
",
    );
    assert_snapshot!(shown(&planned(&resolved, &[])), @"
    pass       create
    hash       create
    kept       create
    Secret a/b#hash create
    Secret a/b#pass create
    Secret a/b#kept create
    0: create a/b in the cluster: pass, Secret a/b#pass, hash, Secret a/b#hash after {}
    1: create kept in gcpsm: kept after {0}
    2: add to 0 a/b in the cluster: Secret a/b#kept after {0, 1}
    reads
    ");
}

#[test]
fn what_cannot_be_changed_is_not_written_in_two_steps() {
    let resolved = resolved(
        "
secrets:
  pass: {backend: none, generate: {hex: 16}}
  kept: {derive: {sha256: {of: pass}}}
targets:
  a/b: {deliver: direct, immutable: true, data: {pass: '${pass}', kept: '${kept}'}}
",
    );
    assert_snapshot!(shown(&planned(&resolved, &[])), @"
    pass       blocked: needs Secret a/b#pass, which is blocked
    kept       blocked: needs pass, which is blocked
    Secret a/b#pass blocked: needs Secret a/b#kept, which is blocked
    Secret a/b#kept blocked: cannot be added to an immutable Secret, and a backend has to keep it after another key of the Secret is stored: take `immutable` away, or keep it in no backend

    reads
    ");
}

#[test]
fn what_nobody_could_read_again_is_not_made() {
    let resolved = resolved(
        "
secrets:
  own: {backend: none, generate: {hex: 16}}
  unused: {backend: none, generate: {hex: 16}}
targets:
  a/b: {deliver: direct, data: {url: 'redis://:${own}@host'}}
",
    );
    assert_snapshot!(shown(&planned(&resolved, &[])), @"
    own        blocked: kept in no backend, and nobody could read it again: deliver a Secret directly that holds it under a key of its own, or give it a backend
    unused     blocked: kept in no backend, and nobody could read it again: deliver a Secret directly that holds it under a key of its own, or give it a backend
    Secret a/b#url blocked: needs own, which is blocked

    reads
    ");
}

#[test]
fn without_the_cluster_nothing_of_it_is_missing() {
    let source = contract(PAIR);
    let resolved = try_resolved(&source, false).unwrap();
    assert_snapshot!(shown(&planned(&resolved, &[])), @"
    hash       wait for pass
    pass       not needed: kept in no backend, only in the cluster
    user       create
    0: create user in gcpsm: user after {}
    reads
    ");
}

#[test]
fn the_fields_of_an_entry_and_their_place_in_a_secret() {
    let resolved = resolved(
        "
secrets:
  vars: {fields: {A: {generate: {hex: 4}}, B: {provide: {how: x}, optional: true}}}
targets:
  '{a,b}/env': {deliver: direct, extract: [vars], data: {A: 'not ${vars#A}'}}
  a/off: {deliver: direct, when: 'false', extract: [vars]}
  a/theirs: {deliver: direct, made-by: somebody, data: {x: null}}
",
    );
    assert_snapshot!(shown(&planned(&resolved, &[])), @"
    vars#A     create
    vars#B     optional
    Secret a/env#A create
    Secret a/env#B wait for vars#B, optional
    Secret b/env#A create
    Secret b/env#B wait for vars#B, optional
    0: create vars in gcpsm: vars#A after {}
    1: create a/env in the cluster: Secret a/env#A after {0}
    2: create b/env in the cluster: Secret b/env#A after {0}
    reads
    ");
}

#[test]
fn copies_that_differ_are_kept_apart() {
    let resolved = resolved(PAIR);
    let pass: ValueId = "pass".parse().unwrap();
    let mut findings = Findings::NONE;
    let reason = "is not the same everywhere".to_owned();
    findings.states.insert(pass, State::Drifted { reason });
    let there: &[(&str, &[&str])] = &[("a/redis", &["auth"]), ("b/redis", &["password"])];
    let world = world(&resolved, there);
    let given = BTreeSet::new();
    let plan = plan(Input::new(&resolved, &world, &given).knowing(&findings));
    assert_snapshot!(shown(&plan), @"
    hash       blocked: needs pass, which is blocked
    pass       blocked: drifted: it is not the same everywhere
    user       create
    Secret a/redis#auth keep
    Secret a/redis#user create
    Secret b/redis#password keep
    Secret b/redis#url blocked: needs pass, which is blocked
    0: create user in gcpsm: user after {}
    1: add at 7 a/redis in the cluster: Secret a/redis#user after {0}
    reads
    ");
}

#[test]
fn a_selection_of_a_value_is_one_of_its_secrets_too() {
    let resolved = resolved(PAIR);
    let only = Some(BTreeSet::from(["user".parse().unwrap()]));
    let selection = Selection {
        only,
        excluded: BTreeSet::new(),
    };
    let selection = selection.with_secrets(&resolved);
    let world = world(&resolved, &[]);
    let given = BTreeSet::new();
    let plan = plan(Input::new(&resolved, &world, &given).selecting(&selection));
    assert_snapshot!(shown(&plan), @"
    hash       not selected
    pass       not selected
    user       create
    Secret a/redis#auth blocked: needs pass, which is absent and not selected: add `--only pass`
    Secret a/redis#user blocked: needs Secret a/redis#auth, which is blocked
    Secret b/redis#password not selected
    Secret b/redis#url not selected
    0: create user in gcpsm: user after {}
    reads
    ");
}

#[test]
fn what_is_kept_in_no_backend_and_alone_in_no_secret_is_the_source_of_nothing_that_is_stored() {
    let refused = |target: &str| {
        let source = contract(&format!(
            "secrets:\n  a: {{backend: none, generate: {{hex: 8}}}}\n  b: {{derive: {{sha256: {{of: a}}}}}}\ntargets:\n  n/s: {target}\n"
        ));
        try_resolved(&source, false).err()
    };
    assert_eq!(refused("{deliver: direct, data: {x: '${a}'}}"), None);
    assert!(refused("{deliver: direct, data: {x: 'is ${a}'}}").is_some());
}
