//! Plans: what each state leads to, what waits for what, and what is never written.
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
use seed_core::inventory::{Depth, Inventory, Presence, Shape, Version};
use seed_core::name::ValueId;
use seed_core::plan::{Input, Plan, plan, wanted};
use seed_core::resolve::Resolved;
use worlds::{World, present, steps, writes};

fn resolved(source: &str) -> Resolved {
    try_resolved(source).unwrap_or_else(|errors| panic!("{errors}\n{source}"))
}

/// Answers for every entry that is looked up, by its stored name.
fn world(resolved: &Resolved, mut presence: impl FnMut(&str) -> Presence) -> World {
    let mut world = World::new();
    for (backend, entries) in wanted(resolved, Depth::Fields) {
        let answers = entries.into_iter().map(|wanted| {
            let found = presence(wanted.name.as_str());
            (wanted.name, found)
        });
        world.insert(backend, answers.collect());
    }
    world
}

fn planned(resolved: &Resolved, world: &World, given: &[&str]) -> Plan {
    let given: BTreeSet<ValueId> = given.iter().map(|id| id.parse().unwrap()).collect();
    plan(Input::new(resolved, world, &given))
}

fn fields(names: &[&str]) -> Presence {
    present(Shape::Fields(
        names.iter().map(|name| (*name).to_owned()).collect(),
    ))
}

fn contract(secrets: &str) -> String {
    format!("version: 1\nname: t\nbackends: {{gcpsm: {{project: p}}}}\nsecrets:\n{secrets}")
}

const SOURCES: &str = "
  gen: {generate: {hex: 16}}
  lit: {value: x}
  ask: {provide: {how: ask}}
  giv: {provide: {how: ask}}
  opt: {provide: {how: ask}, optional: true}
  min: {mint: {by: them}}
  for: {forbidden: too dangerous}
  key: {generate: {hex: 16}, provide: {how: ask}}
";

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn every_presence_gives_its_action() {
    let resolved = resolved(&contract(SOURCES));
    let reason = || "because".to_owned();
    let presences = [
        ("absent", Presence::Absent),
        (
            "empty",
            Presence::Empty {
                version: Version::new("1"),
            },
        ),
        ("present", present(Shape::Single)),
        ("present, not read", present(Shape::NotRead)),
        ("several fields", fields(&["a", "b"])),
        ("exists", Presence::Exists),
        ("deleted", Presence::Deleted { until: None }),
        (
            "deleted until",
            Presence::Deleted {
                until: Some("2026-12-01".to_owned()),
            },
        ),
        ("disabled", Presence::Disabled { reason: reason() }),
        ("hidden", Presence::Hidden { reason: reason() }),
        ("unknown", Presence::Unknown { reason: reason() }),
    ];
    let table: Vec<String> = presences
        .into_iter()
        .map(|(word, presence)| {
            let world = world(&resolved, |_| presence.clone());
            let plan = planned(&resolved, &world, &["giv"]);
            format!("{word}\n{}\n{}", steps(&plan), writes(&plan))
        })
        .collect();
    assert_snapshot!(table.join("\n\n"), @"
    absent
    gen        create
    lit        create
    ask        ask
    giv        create
    opt        optional
    min        minted by them
    for        not needed: it must not exist, and does not
    key        create
    0: create gen in gcpsm: gen after {}
    1: create lit in gcpsm: lit after {}
    2: create giv in gcpsm: giv after {}
    3: create key in gcpsm: key after {}

    empty
    gen        create
    lit        create
    ask        ask
    giv        create
    opt        optional
    min        minted by them
    for        not needed: it must not exist, and does not
    key        create
    0: create gen in gcpsm: gen after {}
    1: create lit in gcpsm: lit after {}
    2: create giv in gcpsm: giv after {}
    3: create key in gcpsm: key after {}

    present
    gen        keep
    lit        keep
    ask        keep
    giv        keep
    opt        keep
    min        keep
    for        blocked: exists, and must not: too dangerous
    key        keep


    present, not read
    gen        keep
    lit        keep
    ask        keep
    giv        keep
    opt        keep
    min        keep
    for        blocked: exists, and must not: too dangerous
    key        keep


    several fields
    gen        blocked: wrong shape: several fields are stored, and one value is declared
    lit        blocked: wrong shape: several fields are stored, and one value is declared
    ask        blocked: wrong shape: several fields are stored, and one value is declared
    giv        blocked: wrong shape: several fields are stored, and one value is declared
    opt        blocked: wrong shape: several fields are stored, and one value is declared
    min        blocked: wrong shape: several fields are stored, and one value is declared
    for        blocked: exists, and must not: too dangerous (several fields are stored, and one value is declared)
    key        blocked: wrong shape: several fields are stored, and one value is declared


    exists
    gen        keep
    lit        keep
    ask        keep
    giv        keep
    opt        keep
    min        keep
    for        blocked: exists, and must not: too dangerous
    key        keep


    deleted
    gen        blocked: deleted, its name is held: restore it in the backend, or `seed apply --restore gen`
    lit        blocked: deleted, its name is held: restore it in the backend, or `seed apply --restore lit`
    ask        blocked: deleted, its name is held: restore it in the backend, or `seed apply --restore ask`
    giv        blocked: deleted, its name is held: restore it in the backend, or `seed apply --restore giv`
    opt        optional
    min        minted by them
    for        not needed: it must not exist, and does not
    key        blocked: deleted, its name is held: restore it in the backend, or `seed apply --restore key`


    deleted until
    gen        blocked: deleted, recoverable until 2026-12-01: restore it in the backend, or `seed apply --restore gen`
    lit        blocked: deleted, recoverable until 2026-12-01: restore it in the backend, or `seed apply --restore lit`
    ask        blocked: deleted, recoverable until 2026-12-01: restore it in the backend, or `seed apply --restore ask`
    giv        blocked: deleted, recoverable until 2026-12-01: restore it in the backend, or `seed apply --restore giv`
    opt        optional
    min        minted by them
    for        not needed: it must not exist, and does not
    key        blocked: deleted, recoverable until 2026-12-01: restore it in the backend, or `seed apply --restore key`


    disabled
    gen        blocked: there, and never written into: because
    lit        blocked: there, and never written into: because
    ask        blocked: there, and never written into: because
    giv        blocked: there, and never written into: because
    opt        blocked: there, and never written into: because
    min        blocked: there, and never written into: because
    for        blocked: exists, and must not: too dangerous
    key        blocked: there, and never written into: because


    hidden
    gen        blocked: hidden, which is not absent: because
    lit        blocked: hidden, which is not absent: because
    ask        blocked: hidden, which is not absent: because
    giv        blocked: hidden, which is not absent: because
    opt        blocked: hidden, which is not absent: because
    min        blocked: hidden, which is not absent: because
    for        blocked: hidden, which is not absent: because
    key        blocked: hidden, which is not absent: because


    unknown
    gen        blocked: unknown, which is not absent: because
    lit        blocked: unknown, which is not absent: because
    ask        blocked: unknown, which is not absent: because
    giv        blocked: unknown, which is not absent: because
    opt        blocked: unknown, which is not absent: because
    min        blocked: unknown, which is not absent: because
    for        blocked: unknown, which is not absent: because
    key        blocked: unknown, which is not absent: because
    ");
}

#[test]
fn what_nobody_answered_is_not_absent() {
    let resolved = resolved(&contract("  gen: {generate: {hex: 16}}\n"));
    assert_snapshot!(steps(&planned(&resolved, &World::new(), &[])), @"gen        blocked: unknown, which is not absent: the backend was not reached");
    let silent = World::from([("gcpsm".to_owned(), Inventory::new())]);
    assert_snapshot!(steps(&planned(&resolved, &silent, &[])), @"gen        blocked: unknown, which is not absent: the backend gave no answer for this name");
}

/// The actions for what is stored, one line for each set of stored entries.
fn table(secrets: &str, stored: &[&[&str]]) -> String {
    let resolved = resolved(&contract(secrets));
    let line = |stored: &[&str]| {
        let world = world(&resolved, |name| {
            if stored.contains(&name) {
                present(Shape::Single)
            } else {
                Presence::Absent
            }
        });
        let plan = planned(&resolved, &world, &[]);
        format!(
            "stored: {}\n{}\n{}",
            stored.join(", "),
            steps(&plan),
            writes(&plan)
        )
    };
    stored
        .iter()
        .map(|stored| line(stored))
        .collect::<Vec<_>>()
        .join("\n\n")
}

#[test]
fn no_half_of_a_pair_is_made_again() {
    let secrets = "
  hash: {derive: {bcrypt: {of: pass, cost: 4}}}
  pass: {generate: {hex: 16}}
  url: {compose: 'p:${pass}@h'}
  line: {compose: 'x ${url}'}
";
    let stored: [&[&str]; 5] = [
        &[],
        &["pass"],
        &["hash"],
        &["line"],
        &["pass", "hash", "url"],
    ];
    assert_snapshot!(table(secrets, &stored), @"
    stored: 
    hash       create
    pass       create
    url        create
    line       create
    0: create pass in gcpsm: pass after {}
    1: create hash in gcpsm: hash after {0}
    2: create url in gcpsm: url after {0}
    3: create line in gcpsm: line after {2}

    stored: pass
    hash       create
    pass       keep
    url        create
    line       create
    0: create hash in gcpsm: hash after {}
    1: create url in gcpsm: url after {}
    2: create line in gcpsm: line after {1}

    stored: hash
    hash       keep
    pass       blocked: absent, but hash is stored and made from it: give the known value, which must match, or remove hash from the backend
    url        blocked: needs pass, which is blocked
    line       blocked: needs url, which is blocked


    stored: line
    hash       blocked: needs pass, which is blocked
    pass       blocked: absent, but line is stored and made from it: give the known value, which must match, or remove line from the backend
    url        blocked: absent, but line is stored and made from it: give the known value, which must match, or remove line from the backend
    line       keep


    stored: pass, hash, url
    hash       keep
    pass       keep
    url        keep
    line       create
    0: create line in gcpsm: line after {}
    ");
}

#[test]
fn a_group_is_completed_only_from_its_beginning() {
    let secrets = "
  a: {generate: {hex: 16}, rotate: {with: [c]}}
  b: {generate: {hex: 16}}
  c: {generate: {hex: 16}}
  d: {generate: {hex: 16}, rotate: {with: [a]}}
";
    let stored: [&[&str]; 4] = [&[], &["a"], &["a", "c"], &["c"]];
    assert_snapshot!(table(secrets, &stored), @"
    stored: 
    a          create
    b          create
    c          create
    d          create
    0: create a in gcpsm: a after {}
    1: create b in gcpsm: b after {}
    2: create c in gcpsm: c after {0}
    3: create d in gcpsm: d after {2}

    stored: a
    a          keep
    b          create
    c          create
    d          create
    0: create b in gcpsm: b after {}
    1: create c in gcpsm: c after {}
    2: create d in gcpsm: d after {1}

    stored: a, c
    a          keep
    b          create
    c          keep
    d          create
    0: create b in gcpsm: b after {}
    1: create d in gcpsm: d after {}

    stored: c
    a          blocked: absent, but c is stored and belongs with it: restore it, or remove the group
    b          create
    c          keep
    d          blocked: needs a, which is blocked
    0: create b in gcpsm: b after {}
    ");
}

#[test]
fn what_an_optional_value_would_replace_does_not_wait_for_it() {
    let secrets = "
  opt: {provide: {how: ask}, optional: true}
  own: {generate: {hex: 16}}
  url: {compose: 'p:${opt ?? own}@h'}
  only: {compose: 'p:${opt}@h'}
";
    let stored: [&[&str]; 5] = [
        &[],
        &["opt"],
        &["own", "url"],
        &["opt", "own", "url", "only"],
        &["url"],
    ];
    assert_snapshot!(table(secrets, &stored), @"
    stored: 
    opt        optional
    own        create
    url        create
    only       wait for opt, optional
    0: create own in gcpsm: own after {}
    1: create url in gcpsm: url after {0}

    stored: opt
    opt        keep
    own        create
    url        create
    only       create
    0: create own in gcpsm: own after {}
    1: create url in gcpsm: url after {0}
    2: create only in gcpsm: only after {}

    stored: own, url
    opt        optional
    own        keep
    url        keep
    only       wait for opt, optional


    stored: opt, own, url, only
    opt        keep
    own        keep
    url        keep
    only       keep


    stored: url
    opt        optional
    own        blocked: absent, but url is stored and made from it: give the known value, which must match, or remove url from the backend
    url        keep
    only       wait for opt, optional
    ");
}

#[test]
fn a_text_comes_after_all_that_it_could_be_made_from() {
    let resolved = resolved(&contract(
        "
  token: {provide: {how: ask}, optional: true}
  other: {generate: {hex: 8}}
  app:
    fields:
      url: {compose: \"u:${token ?? other}\"}
      user: {generate: {hex: 8}}
  line: {compose: \"${token ?? app#user}\"}
",
    ));
    let absent = world(&resolved, |_| Presence::Absent);
    let whole = planned(&resolved, &absent, &["token"]);
    // A cut after `line` or `app#url` would otherwise leave what they could also be made from half a pair.
    assert_snapshot!(writes(&whole), @"
    0: create token in gcpsm: token after {}
    1: create other in gcpsm: other after {}
    2: create app in gcpsm: app#url, app#user after {0, 1}
    3: create line in gcpsm: line after {0, 2}
    ");
}

#[test]
fn what_depends_on_a_person_or_a_service_waits() {
    let secrets = "
  ask: {provide: {how: ask}}
  min: {mint: {by: them}}
  opt: {provide: {how: ask}, optional: true}
  one: {compose: '${ask}'}
  two: {derive: {sha256: {of: min}}}
  three: {compose: '${one} ${opt}'}
  four: {compose: '${opt}'}
  five: {compose: '${four}'}
";
    assert_snapshot!(table(secrets, &[&[], &["ask"]]), @"
    stored: 
    ask        ask
    min        minted by them
    opt        optional
    one        wait for ask
    two        wait for min
    three      wait for opt, optional
    four       wait for opt, optional
    five       wait for four, optional


    stored: ask
    ask        keep
    min        minted by them
    opt        optional
    one        create
    two        wait for min
    three      wait for opt, optional
    four       wait for opt, optional
    five       wait for four, optional
    0: create one in gcpsm: one after {}
    ");
}

#[test]
fn what_depends_on_a_blocked_value_is_blocked() {
    let resolved = resolved(&contract(
        "  a: {generate: {hex: 16}}\n  b: {compose: '${a}'}\n  c: {compose: '${b}'}\n",
    ));
    let world = world(&resolved, |name| match name {
        "a" => Presence::Hidden {
            reason: "403".to_owned(),
        },
        _ => Presence::Absent,
    });
    assert_snapshot!(steps(&planned(&resolved, &world, &[])), @"
    a          blocked: hidden, which is not absent: 403
    b          blocked: needs a, which is blocked
    c          blocked: needs b, which is blocked
    ");
}

const FIELDS: &str = "
  entry:
    fields:
      USER: {value: x}
      PASS: {generate: {hex: 16}}
      HASH: {derive: {sha256: {of: PASS}}}
      OPT: {provide: {how: ask}, optional: true}
      LATER: {compose: '${other}'}
      OFF: {when: 'false', value: x}
  other: {compose: '${entry#PASS}!'}
";

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn fields_are_written_together_unless_another_entry_stands_between() {
    let resolved = resolved(&contract(FIELDS));
    let all = |presence: &Presence| {
        let world = world(&resolved, |name| match name {
            "entry" => presence.clone(),
            _ => Presence::Absent,
        });
        let plan = planned(&resolved, &world, &[]);
        let reads: Vec<String> = plan.reads.iter().map(ToString::to_string).collect();
        format!(
            "{}\n{}\nreads {}",
            steps(&plan),
            writes(&plan),
            reads.join(", ")
        )
    };
    assert_snapshot!(all(&Presence::Absent), @"
    entry#USER create
    entry#PASS create
    entry#HASH create
    entry#OPT  optional
    entry#LATER create
    entry#OFF  not needed: its condition is `false`
    other      create
    0: create entry in gcpsm: entry#USER, entry#PASS, entry#HASH after {}
    1: create other in gcpsm: other after {0}
    2: add to 0 entry in gcpsm: entry#LATER after {0, 1}
    reads
    ");
    assert_snapshot!(all(&fields(&["USER", "PASS", "FOREIGN"])), @"
    entry#USER keep
    entry#PASS keep
    entry#HASH create
    entry#OPT  optional
    entry#LATER create
    entry#OFF  not needed: its condition is `false`
    other      create
    0: add at 7 entry in gcpsm: entry#HASH, entry#LATER after {1}
    1: create other in gcpsm: other after {}
    reads entry#PASS
    ");
    assert_snapshot!(all(&present(Shape::Single)), @"
    entry#USER blocked: wrong shape: one value is stored, and several fields are declared
    entry#PASS blocked: wrong shape: one value is stored, and several fields are declared
    entry#HASH blocked: wrong shape: one value is stored, and several fields are declared
    entry#OPT  blocked: wrong shape: one value is stored, and several fields are declared
    entry#LATER blocked: wrong shape: one value is stored, and several fields are declared
    entry#OFF  not needed: its condition is `false`
    other      blocked: absent, but entry#LATER is stored and made from it: give the known value, which must match, or remove entry#LATER from the backend

    reads
    ");
    assert_snapshot!(all(&present(Shape::NotRead)), @"
    entry#USER blocked: unknown, which is not absent: its fields were not looked into
    entry#PASS blocked: unknown, which is not absent: its fields were not looked into
    entry#HASH blocked: unknown, which is not absent: its fields were not looked into
    entry#OPT  blocked: unknown, which is not absent: its fields were not looked into
    entry#LATER blocked: unknown, which is not absent: its fields were not looked into
    entry#OFF  not needed: its condition is `false`
    other      blocked: needs entry#LATER, which is blocked

    reads
    ");
    assert_snapshot!(all(&Presence::Exists), @"
    entry#USER keep
    entry#PASS keep
    entry#HASH keep
    entry#OPT  keep
    entry#LATER keep
    entry#OFF  not needed: its condition is `false`
    other      blocked: absent, but entry#LATER is stored and made from it: give the known value, which must match, or remove entry#LATER from the backend

    reads
    ");
}

#[test]
fn maps_keep_a_single_value_under_its_own_key() {
    let source = "version: 1\nname: t\nbackends: {vault: {mount: kv}}\nsecrets:\n  a: {value: x}\n  b: {value: x, value-key: token}\n";
    let resolved = resolved(source);
    let on = |presence: Presence| {
        steps(&planned(
            &resolved,
            &world(&resolved, |_| presence.clone()),
            &[],
        ))
    };
    assert_snapshot!(on(fields(&["value", "token"])), @"
    a          keep
    b          keep
    ");
    assert_snapshot!(on(fields(&["value"])), @"
    a          keep
    b          blocked: wrong shape: the stored map has no `token`, where the value is expected
    ");
    assert_snapshot!(on(Presence::Absent), @"
    a          create
    b          create
    ");
}

#[test]
fn cases_and_places_decide_what_is_needed() {
    let secrets = "
  a: {cases: [{when: \"env == 'prod'\", provide: {how: ask}}, {when: \"env == 'dev'\", generate: {hex: 16}}]}
  b: {cases: [{when: \"env == 'prod'\", value: x}]}
  c: {when: \"env == 'prod'\", value: x}
  d: {backend: none, generate: {hex: 16}}
  e: {fields: {X: {when: \"env == 'prod'\", value: x}, Y: {value: y}}}
";
    assert_snapshot!(table(secrets, &[&[]]), @"
    stored: 
    a          create
    b          not needed: none of its cases holds
    c          not needed: `env == 'prod'` is false
    d          not needed: kept in no backend, only in the cluster
    e#X        not needed: `env == 'prod'` is false
    e#Y        create
    0: create a in gcpsm: a after {}
    1: create e in gcpsm: e#Y after {}
    ");
}

#[test]
fn a_text_comes_after_what_an_alternative_that_is_not_made_yet_is_made_from() {
    let resolved = resolved(&contract(
        "
  token: {provide: {how: ask}, optional: true}
  source: {generate: {hex: 8}}
  more: {provide: {how: ask}}
  between: {compose: \"${source} ${more}\"}
  url: {compose: \"u:${token ?? between}\"}
",
    ));
    let absent = world(&resolved, |_| Presence::Absent);
    let plan = planned(&resolved, &absent, &["token"]);
    assert_snapshot!(format!("{}\n{}", steps(&plan), writes(&plan)), @"
    token      create
    source     create
    more       ask
    between    wait for more
    url        create
    0: create token in gcpsm: token after {}
    1: create source in gcpsm: source after {}
    2: create url in gcpsm: url after {0, 1}
    ");
}
