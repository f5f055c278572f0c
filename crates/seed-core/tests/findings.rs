//! Plans that know what is stored: given values that must match, placeholders, texts that drifted.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic, and says so"
)]

#[path = "support/resolved.rs"]
mod resolved;
#[path = "support/worlds.rs"]
mod worlds;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use insta::assert_snapshot;
use resolved::try_resolved;
use seed_core::inventory::{Depth, Presence, Shape};
use seed_core::judge::Stored;
use seed_core::name::ValueId;
use seed_core::plan::{Findings, Input, Plan, State, plan, prove, to_prove, wanted};
use seed_core::produce::Values;
use seed_core::resolve::Resolved;
use seed_core::secret::SecretValue;
use worlds::{World, present, steps, writes};

/// Of `correct horse`, cost 4.
const HASH: &str = "$2a$04$AiNqzb9/sQ7td8X/0eEZd.zCM7dP7jro1uJphaXg8rM2DGZIEi7/a";

/// What is stored, and what can be seen of it.
struct Scene {
    resolved: Resolved,
    world: World,
    stored: Values,
    given: Values,
}

fn id(text: &str) -> ValueId {
    text.parse().unwrap()
}

fn values(pairs: &[(&str, &str)]) -> Values {
    let value = |(key, text): &(&str, &str)| {
        let value: SecretValue = (*text).to_owned().into();
        (id(key), Arc::new(value))
    };
    pairs.iter().map(value).collect()
}

impl Scene {
    fn new(secrets: &str, stored: &[(&str, &str)]) -> Self {
        let source = format!(
            "version: 1\nname: t\nbackends: {{gcpsm: {{project: p}}}}\nsecrets:\n{secrets}"
        );
        let resolved = try_resolved(&source).unwrap_or_else(|errors| panic!("{errors}\n{source}"));
        let stored = values(stored);
        let mut world = World::new();
        for (backend, entries) in wanted(&resolved, Depth::Fields) {
            let answers = entries.into_iter().map(|wanted| {
                let of_entry = stored
                    .keys()
                    .filter(|id| id.entry.as_str() == wanted.name.as_str());
                let fields: Vec<&ValueId> = of_entry.collect();
                let seen = match fields.as_slice() {
                    [] => Presence::Absent,
                    [one] if one.field.is_none() => present(Shape::Single),
                    several => {
                        let names = several.iter().filter_map(|id| id.field.as_ref());
                        present(Shape::Fields(names.map(ToString::to_string).collect()))
                    }
                };
                (wanted.name, seen)
            });
            world.insert(backend, answers.collect());
        }
        Self {
            resolved,
            world,
            stored,
            given: Values::new(),
        }
    }

    fn give(mut self, key: &str, text: &str) -> Self {
        self.given.extend(values(&[(key, text)]));
        self
    }

    fn hide(mut self, name: &str) -> Self {
        for inventory in self.world.values_mut() {
            let names: Vec<_> = inventory.iter().map(|(name, _)| name.clone()).collect();
            for hidden in names.into_iter().filter(|it| it.as_str() == name) {
                let reason = "403".to_owned();
                inventory.insert(hidden, Presence::Hidden { reason });
            }
        }
        self.stored.remove(&id(name));
        self
    }

    fn plan(&self, findings: &Findings) -> Plan {
        let given = self.given.keys().cloned().collect();
        plan(Input::new(&self.resolved, &self.world, &given).knowing(findings))
    }

    fn states(plan: &Plan) -> BTreeMap<ValueId, State> {
        let steps = plan.steps.iter();
        steps
            .filter_map(|step| Some((step.id.clone(), step.state.clone()?)))
            .collect()
    }

    /// The plan after given values were compared with what is stored.
    fn proven(&self) -> String {
        let first = self.plan(&Findings::NONE);
        let states = Self::states(&first);
        let given: BTreeSet<ValueId> = self.given.keys().cloned().collect();
        let read = to_prove(&self.resolved, &first, &given);
        let read = read.iter().map(ToString::to_string).collect::<Vec<_>>();
        let stored = Stored {
            values: &self.stored,
            states: &states,
        };
        let findings = Findings {
            proofs: prove(&self.resolved, &first, &self.given, stored),
            ..Findings::NONE
        };
        let plan = self.plan(&findings);
        format!(
            "reads {}\n{}\n{}",
            read.join(", "),
            steps(&plan),
            writes(&plan)
        )
    }

    /// The plan after all that is stored was looked at.
    fn deep(&self, fill: bool) -> String {
        let states = Self::states(&self.plan(&Findings::NONE));
        let stored = Stored {
            values: &self.stored,
            states: &states,
        };
        let mut findings = Findings {
            fill,
            ..Findings::NONE
        };
        let given = self.given.keys().cloned().collect();
        findings.look_at(Input::new(&self.resolved, &self.world, &given), stored);
        let plan = self.plan(&findings);
        format!("{}\n{}", steps(&plan), writes(&plan))
    }
}

const PAIR: &str = "
  password: {generate: {hex: 16}, provide: {how: ask}}
  hash: {derive: {bcrypt: {of: password, cost: 4}}}
";

#[test]
fn a_given_source_is_stored_only_when_the_stored_product_was_made_from_it() {
    let scene = || Scene::new(PAIR, &[("hash", HASH)]);
    let shown = [
        scene().proven(),
        scene().give("password", "correct horse").proven(),
        scene().give("password", "battery staple").proven(),
    ];
    assert_snapshot!(shown.join("\n\n"), @"
    reads 
    password   blocked: absent, but hash is stored and made from it: give the known value, which must match, or remove hash from the backend
    hash       keep


    reads hash
    password   create
    hash       keep
    0: create password in gcpsm: password after {}

    reads hash
    password   blocked: the given value does not match the stored hash
    hash       keep
    ");
}

#[test]
fn every_stored_product_must_match() {
    let secrets = "
  password: {provide: {how: ask}}
  hash: {derive: {bcrypt: {of: password, cost: 4}}}
  url: {compose: \"app:${password}@${host}\"}
  host: {value: db}
";
    let scene = |url: &str| {
        Scene::new(secrets, &[("hash", HASH), ("url", url), ("host", "db")])
            .give("password", "correct horse")
    };
    let shown = [
        scene("app:correct horse@db").proven(),
        scene("app:battery staple@db").proven(),
    ];
    assert_snapshot!(shown.join("\n\n"), @"
    reads hash, url
    password   create
    hash       keep
    url        keep
    host       keep
    0: create password in gcpsm: password after {}

    reads hash, url
    password   blocked: the given value does not match the stored url
    hash       keep
    url        keep
    host       keep
    ");
}

#[test]
fn what_cannot_be_compared_stays_blocked_with_the_reason() {
    let secrets = "
  password: {provide: {how: ask}}
  other: {generate: {hex: 8}}
  url: {compose: \"${other}:${password}\"}
";
    let stored = &[("url", "x:correct horse")];
    let absent = Scene::new(secrets, stored).give("password", "correct horse");
    let hidden = Scene::new(secrets, stored)
        .give("password", "correct horse")
        .hide("other");
    let placeholder = Scene::new(PAIR, &[("hash", "CHANGEME")]).give("password", "correct horse");
    let between = Scene::new(
        "
  password: {provide: {how: ask}}
  hash: {derive: {bcrypt: {of: password, cost: 4}}}
  line: {compose: \"admin:${hash}\"}
",
        &[("line", "admin:x")],
    )
    .give("password", "correct horse");
    let product = Scene::new(PAIR, &[("hash", HASH)])
        .give("password", "correct horse")
        .hide("hash");
    let scenes = [absent, hidden, placeholder, between, product];
    assert_snapshot!(scenes.map(|scene| scene.proven()).join("\n\n"), @"
    reads url
    password   blocked: given, but nobody can tell whether it matches the stored url: other is not there
    other      blocked: absent, but url is stored and made from it: give the known value, which must match, or remove url from the backend
    url        keep


    reads url
    password   blocked: given, but nobody can tell whether it matches the stored url: other is hidden, which is not absent: 403
    other      blocked: hidden, which is not absent: 403
    url        keep


    reads hash
    password   blocked: given, but nobody can tell whether it matches the stored hash: it holds a placeholder
    hash       keep


    reads line
    password   blocked: given, but nobody can tell whether it matches the stored line: hash is not there
    hash       blocked: absent, but line is stored and made from it: give the known value, which must match, or remove line from the backend
    line       keep


    reads 
    password   blocked: needs hash, which is blocked
    hash       blocked: hidden, which is not absent: 403
    ");
}

#[test]
fn two_given_values_prove_each_other() {
    let secrets = "
  user: {provide: {how: ask}}
  password: {provide: {how: ask}}
  url: {compose: \"${user}:${password}\"}
";
    let scene = |password| {
        Scene::new(secrets, &[("url", "me:secret")])
            .give("user", "me")
            .give("password", password)
    };
    let shown = [scene("secret").proven(), scene("another").proven()];
    assert_snapshot!(shown.join("\n\n"), @"
    reads url
    user       create
    password   create
    url        keep
    0: create user in gcpsm: user after {}
    1: create password in gcpsm: password after {}

    reads url
    user       blocked: the given value does not match the stored url
    password   blocked: the given value does not match the stored url
    url        keep
    ");
}

const STORED: &str = "
  token: {provide: {how: ask}}
  key: {generate: {hex: 16}, prefix: sk-}
  session: {mint: {by: them}}
  url: {compose: \"app:${key}\"}
  user: {value: app}
  off: {generate: {hex: 16}, placeholder: []}
  sound: {generate: {hex: 4}}
";

const SEEN: &[(&str, &str)] = &[
    ("token", "REPLACE_ME\n"),
    ("key", "sk-CHANGEME"),
    ("session", "TODO"),
    ("url", "app:another"),
    ("user", "root"),
    ("off", "CHANGEME"),
    ("sound", "0123abcd"),
];

#[test]
fn a_deep_look_sees_placeholders_and_what_drifted_and_changes_nothing() {
    assert_snapshot!(Scene::new(STORED, SEEN).deep(false), @"
    token      blocked: a placeholder for a value that is still to come: `seed set token --fill-placeholders` fills it
    key        blocked: a placeholder for a value that is still to come: `seed apply --fill-placeholders` fills it
    session    minted by them
    url        blocked: drifted: it differs from what the contract and its sources give now
    user       blocked: drifted: it differs from what the contract and its sources give now
    off        keep
    sound      keep
    ");
    let plain = Scene::new(STORED, SEEN);
    assert_snapshot!(steps(&plain.plan(&Findings::NONE)), @"
    token      keep
    key        keep
    session    keep
    url        keep
    user       keep
    off        keep
    sound      keep
    ");
}

#[test]
fn placeholders_are_filled_only_when_that_is_asked_for() {
    let scene = Scene::new(STORED, SEEN).give("token", "given");
    assert_snapshot!(scene.deep(true), @"
    token      create
    key        blocked: absent, but url is stored and made from it: give the known value, which must match, or remove url from the backend
    session    minted by them
    url        blocked: drifted: it differs from what the contract and its sources give now
    user       blocked: drifted: it differs from what the contract and its sources give now
    off        keep
    sound      keep
    0: replace at 7 token in gcpsm: token after {}
    ");
}

#[test]
fn a_product_that_was_made_from_a_placeholder_blocks_it_unless_it_is_one_itself() {
    let secrets = "
  password: {generate: {hex: 16}}
  line: {compose: \"admin:${password}\"}
";
    let made = Scene::new(
        secrets,
        &[("password", "CHANGEME"), ("line", "admin:CHANGEME")],
    );
    let both = Scene::new(secrets, &[("password", "CHANGEME"), ("line", "TODO")]);
    assert_snapshot!(format!("{}\n\n{}", made.deep(true), both.deep(true)), @"
    password   blocked: absent, but line is stored and made from it: give the known value, which must match, or remove line from the backend
    line       keep


    password   create
    line       create
    0: replace at 7 password in gcpsm: password after {}
    1: replace at 7 line in gcpsm: line after {0}
    ");
}

#[test]
fn fields_are_filled_and_added_in_one_write_unless_another_entry_lies_between() {
    let secrets = "
  env:
    fields:
      A: {generate: {hex: 8}}
      B: {generate: {hex: 8}}
      C: {value: c}
      D: {derive: {sha256: {of: middle}}}
  middle: {compose: \"m ${env#A}\"}
";
    let secrets = secrets.replace("env", "app");
    let seen = &[("app#A", "CHANGEME"), ("app#C", "c"), ("app#D", "TODO")];
    assert_snapshot!(Scene::new(&secrets, seen).deep(true), @"
    app#A      create
    app#B      create
    app#C      keep
    app#D      create
    middle     create
    0: replace at 7 app in gcpsm: app#A, app#B after {}
    1: create middle in gcpsm: middle after {0}
    2: replace in 0 app in gcpsm: app#D after {0, 1}
    ");
}

#[test]
fn a_value_that_is_given_and_not_used_proves_nothing() {
    let secrets = "
  user: {provide: {how: ask}}
  password: {provide: {how: ask}}
  line: {compose: \"${user}:${password}\"}
";
    let scene = |user: &str| {
        let stored = &[("user", "app"), ("line", "app:secret")];
        let scene = Scene::new(secrets, stored).give("password", "secret");
        scene.give("user", user).proven()
    };
    assert_eq!(scene("another"), scene("app"));
    assert!(scene("another").contains("password   create"));
}
