//! Plans: what each state leads to, what waits for what, and what is never written.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic, and says so"
)]

#[path = "support/contracts.rs"]
mod contracts;
#[path = "support/dice.rs"]
mod dice;
#[path = "support/resolved.rs"]
mod resolved;

use std::collections::{BTreeMap, BTreeSet};

use dice::Dice;
use insta::assert_snapshot;
use proptest::prelude::*;
use resolved::{resolved, try_resolved};
use seed_core::inventory::{Depth, Inventory, Presence, Shape, Version};
use seed_core::name::ValueId;
use seed_core::plan::{Action, Blocked, Input, Plan, Step, Write, WriteKind, plan, wanted};
use seed_core::resolve::{Resolved, ResolvedSource};
use seed_core::yaml::{Style, write};
use serde_json::Value;

type World = BTreeMap<String, Inventory>;

/// Answers for every entry that is looked up, by its stored name.
fn world(resolved: &Resolved, mut presence: impl FnMut(&str) -> Presence) -> World {
    let answers = |entries: Vec<seed_core::inventory::Wanted>,
                   presence: &mut dyn FnMut(&str) -> Presence| {
        entries
            .into_iter()
            .map(|wanted| {
                let found = presence(wanted.name.as_str());
                (wanted.name, found)
            })
            .collect()
    };
    wanted(resolved, Depth::Fields)
        .into_iter()
        .map(|(backend, entries)| (backend, answers(entries, &mut presence)))
        .collect()
}

fn planned(resolved: &Resolved, world: &World, given: &[&str]) -> Plan {
    let given: BTreeSet<ValueId> = given.iter().map(|id| id.parse().unwrap()).collect();
    plan(Input {
        resolved,
        inventories: world,
        given: &given,
    })
}

fn present(shape: Shape) -> Presence {
    Presence::Present {
        version: Version::new("7"),
        shape,
    }
}

fn fields(names: &[&str]) -> Presence {
    present(Shape::Fields(
        names.iter().map(|name| (*name).to_owned()).collect(),
    ))
}

/// What the snapshots show of an action.
fn words(action: &Action) -> String {
    match action {
        Action::Ask => "ask".to_owned(),
        Action::Blocked(why) => format!("blocked: {why}"),
        Action::Create => "create".to_owned(),
        Action::Keep => "keep".to_owned(),
        Action::Minted { by } => format!("minted by {by}"),
        Action::NotNeeded(why) => format!("not needed: {why}"),
        Action::Optional => "optional".to_owned(),
        Action::Wait { on, optional } => {
            let on: Vec<String> = on.iter().map(ToString::to_string).collect();
            format!(
                "wait for {}{}",
                on.join(", "),
                if *optional { ", optional" } else { "" }
            )
        }
    }
}

fn steps(plan: &Plan) -> String {
    let lines: Vec<String> = plan
        .steps
        .iter()
        .map(|step| format!("{:<10} {}", step.id.to_string(), words(&step.action)))
        .collect();
    lines.join("\n")
}

fn writes(plan: &Plan) -> String {
    let line = |(at, write): (usize, &Write)| {
        let values: Vec<String> = write.values.iter().map(ToString::to_string).collect();
        let how = match &write.kind {
            WriteKind::AddToOwn { write } => format!("add to {write}"),
            WriteKind::Add { expected } => format!("add at {expected}"),
            WriteKind::Create => "create".to_owned(),
        };
        format!(
            "{at}: {how} {} in {}: {} after {:?}",
            write.name,
            write.backend,
            values.join(", "),
            write.after
        )
    };
    plan.writes
        .iter()
        .enumerate()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
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
    for        blocked: exists, and must not: too dangerous
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
    gen        blocked: deleted, its name is held: restore it in the backend
    lit        blocked: deleted, its name is held: restore it in the backend
    ask        blocked: deleted, its name is held: restore it in the backend
    giv        blocked: deleted, its name is held: restore it in the backend
    opt        optional
    min        minted by them
    for        not needed: it must not exist, and does not
    key        blocked: deleted, its name is held: restore it in the backend


    deleted until
    gen        blocked: deleted, recoverable until 2026-12-01: restore it in the backend
    lit        blocked: deleted, recoverable until 2026-12-01: restore it in the backend
    ask        blocked: deleted, recoverable until 2026-12-01: restore it in the backend
    giv        blocked: deleted, recoverable until 2026-12-01: restore it in the backend
    opt        optional
    min        minted by them
    for        not needed: it must not exist, and does not
    key        blocked: deleted, recoverable until 2026-12-01: restore it in the backend


    disabled
    gen        blocked: there, but not readable: because
    lit        blocked: there, but not readable: because
    ask        blocked: there, but not readable: because
    giv        blocked: there, but not readable: because
    opt        blocked: there, but not readable: because
    min        blocked: there, but not readable: because
    for        blocked: exists, and must not: too dangerous
    key        blocked: there, but not readable: because


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
    1: create url in gcpsm: url after {}
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

/// A random contract that can be resolved, and random answers for it.
struct Scene {
    source: String,
    resolved: Resolved,
    world: World,
    given: BTreeSet<ValueId>,
}

impl Scene {
    fn new(contract: &Value, dice: &mut Dice) -> Option<Self> {
        let source = write(contract, Style::Readable).to_string();
        let resolved = try_resolved(&source).ok()?;
        let world = world_of(&resolved, dice);
        let given = resolved
            .order
            .iter()
            .filter(|_| dice.rarely(3))
            .cloned()
            .collect();
        Some(Self {
            source,
            resolved,
            world,
            given,
        })
    }

    fn plan(&self) -> Plan {
        plan(Input {
            resolved: &self.resolved,
            inventories: &self.world,
            given: &self.given,
        })
    }
}

fn world_of(resolved: &Resolved, dice: &mut Dice) -> World {
    let mut world = World::new();
    for (backend, entries) in wanted(resolved, Depth::Fields) {
        let mut answers: Vec<_> = entries
            .into_iter()
            .map(|wanted| (wanted.name, random_presence(dice, &wanted.fields)))
            .collect();
        if dice.rarely(2) {
            answers.reverse();
        }
        world.insert(backend, answers.into_iter().collect());
    }
    world
}

fn random_presence(dice: &mut Dice, fields: &[seed_core::name::FieldName]) -> Presence {
    let reason = "why".to_owned();
    match dice.roll(16) {
        0..=6 => Presence::Absent,
        7 => Presence::Empty {
            version: Version::new("0"),
        },
        8 => Presence::Exists,
        9 => Presence::Deleted { until: None },
        10 => Presence::Disabled { reason },
        11 => Presence::Hidden { reason },
        12 => Presence::Unknown { reason },
        13 => present(if fields.is_empty() {
            Shape::Single
        } else {
            Shape::NotRead
        }),
        _ if fields.is_empty() => present(Shape::Single),
        _ => {
            let there = fields
                .iter()
                .filter(|_| dice.roll(2) == 1)
                .map(ToString::to_string);
            present(Shape::Fields(there.collect()))
        }
    }
}

/// The write that each value is in.
fn units(plan: &Plan) -> BTreeMap<&ValueId, usize> {
    plan.writes
        .iter()
        .enumerate()
        .flat_map(|(at, write)| write.values.iter().map(move |id| (id, at)))
        .collect()
}

/// The writes that come before each, directly or not. Panics where there is a circle.
fn before(plan: &Plan) -> Vec<BTreeSet<usize>> {
    let mut done: Vec<Option<BTreeSet<usize>>> = vec![None; plan.writes.len()];
    for _ in 0..=plan.writes.len() {
        for (at, write) in plan.writes.iter().enumerate() {
            let known: Option<Vec<BTreeSet<usize>>> = write
                .after
                .iter()
                .map(|earlier| done[*earlier].clone())
                .collect();
            if let Some(known) = known {
                done[at] = Some(
                    known
                        .into_iter()
                        .flatten()
                        .chain(write.after.iter().copied())
                        .collect(),
                );
            }
        }
    }
    done.into_iter()
        .map(|before| before.unwrap_or_else(|| panic!("a circle")))
        .collect()
}

/// What is stored after some of a plan's writes were carried out.
fn after(scene: &Scene, plan: &Plan, carried_out: &BTreeSet<usize>) -> World {
    let mut world = scene.world.clone();
    for write in carried_out.iter().map(|at| &plan.writes[*at]) {
        let entry = &scene.resolved.entries[&write.entry];
        let inventory = world.get_mut(&write.backend).unwrap();
        let names = write
            .values
            .iter()
            .map(|id| id.field.as_ref().unwrap_or(&entry.value_key).to_string());
        let mut there: BTreeSet<String> = match inventory.get(&write.name) {
            Some(Presence::Present {
                shape: Shape::Fields(names),
                ..
            }) => names.clone(),
            _ => BTreeSet::new(),
        };
        there.extend(names);
        let map = matches!(&entry.place, Some(seed_core::resolve::Place::Backend { kind, .. }) if kind.is_map());
        let shape = if entry.has_fields || map {
            Shape::Fields(there)
        } else {
            Shape::Single
        };
        inventory.insert(write.name.clone(), present(shape));
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_what_is_free_is_written(dice in Dice::strategy(300), mut luck in Dice::strategy(60)) {
        let Some(scene) = Scene::new(&contracts::contract(dice), &mut luck) else { return Ok(()) };
        let plan = scene.plan();
        let units = units(&plan);
        let values: usize = plan.writes.iter().map(|write| write.values.len()).sum();
        prop_assert_eq!(units.len(), values, "a value is written twice");
        for step in &plan.steps {
            let created = step.action == Action::Create;
            prop_assert_eq!(units.contains_key(&step.id), created, "{} in\n{}", step.id, scene.source);
            if created {
                let state = step.state.as_ref().unwrap();
                prop_assert!(state.is_free(), "{} is {state} in\n{}", step.id, scene.source);
            }
        }
        for write in &plan.writes {
            let seen = scene.world[&write.backend].get(&write.name);
            let fits = match (&write.kind, seen) {
                (WriteKind::Create, Some(Presence::Absent | Presence::Empty { .. })) => true,
                (WriteKind::Add { expected }, Some(Presence::Present { version, shape: Shape::Fields(names) })) => {
                    expected == version && write.values.iter().all(|id| !names.contains(id.field.as_ref().unwrap().as_str()))
                }
                (WriteKind::AddToOwn { write: own }, _) => {
                    plan.writes[*own].entry == write.entry && write.after.contains(own)
                }
                _ => false,
            };
            prop_assert!(fits, "{:?} where {:?} is in\n{}", write, seen, scene.source);
        }
    }

    #[test]
    fn sources_come_before_what_is_made_from_them(dice in Dice::strategy(300), mut luck in Dice::strategy(60)) {
        let Some(scene) = Scene::new(&contracts::contract(dice), &mut luck) else { return Ok(()) };
        let plan = scene.plan();
        let (units, before) = (units(&plan), before(&plan));
        for (id, unit) in &units {
            for source in &sources(&scene, &plan, id) {
                let Some(own) = units.get(source) else { continue };
                let inside = || {
                    let place = |id: &ValueId| plan.writes[*unit].values.iter().position(|value| value == id);
                    own == unit && place(source) < place(id)
                };
                prop_assert!(before[*unit].contains(own) || inside(), "{id} from {source} in\n{}\n{}", writes(&plan), scene.source);
            }
        }
        for read in &plan.reads {
            prop_assert_eq!(&plan.step(read).unwrap().action, &Action::Keep);
        }
    }

    #[test]
    fn a_plan_does_not_depend_on_the_order_of_unrelated_entries(dice in Dice::strategy(300), mut luck in Dice::strategy(60)) {
        let mut contract = contracts::contract(dice);
        // A group is completed in the contract's order, on purpose.
        forget_groups(&mut contract);
        let Some(scene) = Scene::new(&contract, &mut luck) else { return Ok(()) };
        let secrets = contract["secrets"].as_object().unwrap();
        let turned: serde_json::Map<String, Value> = secrets.iter().rev().map(|(key, value)| (key.clone(), value.clone())).collect();
        contract["secrets"] = turned.into();
        let source = write(&contract, Style::Readable).to_string();
        let other = Scene { resolved: try_resolved(&source).map_err(TestCaseError::fail)?, world: scene.world.clone(), given: scene.given.clone(), source };
        let (first, second) = (scene.plan(), other.plan());
        for step in &first.steps {
            let twin = second.step(&step.id).unwrap();
            prop_assert_eq!(without_names(&step.action), without_names(&twin.action), "{} in\n{}", step.id, scene.source);
        }
        prop_assert_eq!(&first.reads, &second.reads);
        let contents = |plan: &Plan| plan.writes.iter().map(|write| write.values.iter().cloned().collect()).collect::<BTreeSet<BTreeSet<ValueId>>>();
        prop_assert_eq!(contents(&first), contents(&second), "{}", scene.source);
    }

    #[test]
    fn a_plan_that_was_carried_out_leaves_nothing_to_write(dice in Dice::strategy(300), mut luck in Dice::strategy(60)) {
        let Some(mut scene) = Scene::new(&contracts::contract(dice), &mut luck) else { return Ok(()) };
        let plan = scene.plan();
        scene.world = after(&scene, &plan, &(0..plan.writes.len()).collect());
        let again = scene.plan();
        prop_assert_eq!(writes(&again), "", "after\n{}\n{}\n{}", writes(&plan), steps(&again), scene.source);
        for step in plan.steps.iter().filter(|step| !matches!(step.action, Action::Create | Action::Wait { .. })) {
            prop_assert_eq!(without_names(&again.step(&step.id).unwrap().action), without_names(&step.action), "{} after\n{}\n{}", step.id, writes(&plan), scene.source);
        }
    }

    /// The writes that had been made when a run was cut are any that leave out none that they come after.
    #[test]
    fn a_plan_that_was_cut_can_be_finished(dice in Dice::strategy(300), mut luck in Dice::strategy(90)) {
        let Some(mut scene) = Scene::new(&contracts::contract(dice), &mut luck) else { return Ok(()) };
        let plan = scene.plan();
        let before = before(&plan);
        let mut carried_out = BTreeSet::new();
        for (at, before) in before.iter().enumerate() {
            if luck.roll(2) == 1 {
                carried_out.insert(at);
                carried_out.extend(before);
            }
        }
        scene.world = after(&scene, &plan, &carried_out);
        let again = scene.plan();
        for step in plan.steps.iter().filter(|step| step.action == Action::Create) {
            let action = &again.step(&step.id).unwrap().action;
            prop_assert!(matches!(action, Action::Create | Action::Keep), "{} is {} after {carried_out:?} of\n{}\n{}", step.id, words(action), writes(&plan), scene.source);
        }
    }
}

fn forget_groups(node: &mut Value) {
    match node {
        Value::Object(members) => {
            if members
                .get("rotate")
                .is_some_and(|rotate| rotate.get("with").is_some())
            {
                members.shift_remove("rotate");
            }
            members.values_mut().for_each(forget_groups);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_groups),
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
    }
}

/// Where several reasons hold, which of them are named depends on the order.
fn without_names(action: &Action) -> Action {
    let nobody = || "nobody".parse().unwrap();
    match action.clone() {
        Action::Blocked(Blocked::Group { .. }) => {
            Action::Blocked(Blocked::Group { stored: vec![] })
        }
        Action::Blocked(Blocked::HalfPair { .. }) => {
            Action::Blocked(Blocked::HalfPair { stored: vec![] })
        }
        Action::Blocked(Blocked::Source(_)) => Action::Blocked(Blocked::Source(nobody())),
        Action::Wait { optional, .. } => Action::Wait {
            on: vec![],
            optional,
        },
        action @ (Action::Ask
        | Action::Blocked(_)
        | Action::Create
        | Action::Keep
        | Action::Minted { .. }
        | Action::NotNeeded(_)
        | Action::Optional) => action,
    }
}

/// The values that one is made from when this plan is carried out, alternatives chosen.
fn sources(scene: &Scene, plan: &Plan, id: &ValueId) -> Vec<ValueId> {
    let there = |step: &&Step| matches!(step.action, Action::Create | Action::Keep);
    match &scene.resolved.value(id).unwrap().source {
        Some(ResolvedSource::Derive { of, .. }) => vec![of.clone()],
        Some(ResolvedSource::Compose(text)) => {
            let available = plan.steps.iter().filter(there).map(|step| step.id.clone());
            let chosen = text.choose(&available.collect()).unwrap();
            chosen.values().cloned().collect()
        }
        _ => Vec::new(),
    }
}
