//! Values in the place of placeholders.

use std::collections::BTreeMap;
use std::sync::Arc;

use seed_core::backend::Kind;
use seed_core::inventory::Inventory;
use seed_core::plan::{Findings, Input, Plan, plan};
use seed_core::report::Report;
use seed_engine::{Replacers, know};
use seed_provider::{ErrorKind, Operation};

use crate::world::{BACKEND, Play, World, fates, fields, single};

const KINDS: [Kind; 3] = [Kind::Local, Kind::Kubernetes, Kind::AwsSm];

const FIELDS: &str = "
  app:
    fields:
      KEY: {generate: {hex: 16}}
      USER: {value: me}
      MORE: {generate: {hex: 8}}
";

/// Looks at what is stored, and fills placeholders.
async fn fill(world: &mut World) -> Report {
    let (plan, inventories) = plan_to_fill(world).await;
    world.apply(&plan, &inventories, &()).await
}

async fn plan_to_fill(world: &mut World) -> (Plan, BTreeMap<String, Inventory>) {
    let backend = Arc::clone(&world.stage);
    world.replacers = Replacers::from([(BACKEND.to_owned(), backend as _)]);
    let collected = world.collect().await;
    let first = world.plan_from(&collected.inventories);
    let states: BTreeMap<_, _> = first
        .steps
        .iter()
        .filter_map(|step| Some((step.id.clone(), step.state.clone()?)))
        .collect();
    let wanted = states.keys().cloned().collect();
    let known = know(&world.resolved, &world.providers, states, wanted, None).await;
    let given = world.given.keys().cloned().collect();
    let input = Input::new(&world.resolved, &collected.inventories, &given);
    let mut findings = Findings {
        fill: true,
        ..Findings::NONE
    };
    findings.look_at(input, known.stored());
    let plan = plan(input.knowing(&findings));
    world.findings.clone_from(&findings);
    world.stage.log();
    (plan, collected.inventories)
}

fn scene(kind: Kind) -> World {
    let world = World::new(kind, FIELDS);
    world.put_fields(
        "app",
        &[("KEY", "CHANGEME"), ("USER", "me"), ("THEIRS", "x")],
    );
    world
}

#[tokio::test]
async fn a_placeholder_gives_way_and_all_else_keeps_its_bytes() {
    for kind in KINDS {
        let mut world = scene(kind);
        let report = fill(&mut world).await;
        assert_eq!(
            fates(&report),
            ["app#KEY filled", "app#USER kept", "app#MORE created"],
            "{kind}"
        );
        let stored = world.stored().await;
        assert_eq!(stored["app#KEY"].len(), 32);
        assert_eq!(stored["app#USER"], b"me");
        assert_eq!(world.stage.log(), ["read app", "replace app"]);
    }
}

#[tokio::test]
async fn what_somebody_set_meanwhile_is_kept_and_a_placeholder_beside_it_is_still_filled() {
    for kind in KINDS {
        let mut world = scene(kind);
        let theirs = fields(&[("KEY", "theirs"), ("USER", "me")]);
        world
            .stage
            .play_once(Operation::Replace, "app", Play::Preempt(theirs));
        let report = fill(&mut world).await;
        assert_eq!(
            fates(&report),
            ["app#KEY lost", "app#USER kept", "app#MORE created"],
            "{kind}"
        );
        assert_eq!(world.stored().await["app#KEY"], b"theirs");

        let mut world = scene(kind);
        let beside = fields(&[("KEY", "CHANGEME"), ("USER", "me"), ("NEW", "y")]);
        world
            .stage
            .play_once(Operation::Replace, "app", Play::Preempt(beside));
        let report = fill(&mut world).await;
        assert_eq!(
            fates(&report),
            ["app#KEY filled", "app#USER kept", "app#MORE created"],
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_persons_value_that_lost_to_another_is_said_to_be_dropped() {
    let mut world = World::new(Kind::Local, "  key: {provide: {how: ask}}\n").give("key", "mine");
    world.put("key", "TODO");
    let theirs = Play::Preempt(single("theirs"));
    world.stage.play_once(Operation::Replace, "key", theirs);
    let report = fill(&mut world).await;
    assert_eq!(fates(&report), ["key lost, given dropped"]);
    assert_eq!(world.stored().await["key"], b"theirs");
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_looking_and_a_cut_can_be_finished() {
    for kind in KINDS {
        let mut world = scene(kind);
        world.stage.play_once(Operation::Replace, "app", Play::Lose);
        let report = fill(&mut world).await;
        assert_eq!(fates(&report)[0], "app#KEY filled", "{kind}");
        let stored = world.stored().await;
        let again = fill(&mut world).await;
        assert_eq!(again.counts().created, 0);
        assert_eq!(world.stored().await, stored);

        let mut world = scene(kind);
        let cut = Play::Fail(ErrorKind::Unavailable);
        world.stage.play_once(Operation::Replace, "app", cut);
        assert_eq!(fill(&mut world).await.counts().created, 0);
        assert_eq!(world.stored().await["app#KEY"], b"CHANGEME");
        assert_eq!(fill(&mut world).await.counts().created, 2);
    }
}

#[tokio::test]
async fn a_plain_run_keeps_a_placeholder() {
    let world = World::new(Kind::Local, "  key: {generate: {hex: 16}}\n");
    world.put("key", "TODO");
    assert_eq!(fates(&world.run().await), ["key kept"]);
    assert_eq!(world.stored().await["key"], b"TODO");
}

#[tokio::test]
async fn a_run_without_replacers_cannot_replace_whatever_its_plan_says() {
    let mut world = World::new(Kind::Local, "  key: {generate: {hex: 16}}\n");
    world.put("key", "TODO");
    let (plan, inventories) = plan_to_fill(&mut world).await;
    world.replacers = Replacers::new();
    let report = world.apply(&plan, &inventories, &()).await;
    assert_eq!(
        fates(&report),
        ["key failed (unsupported): replace `key`: this run may not replace what is stored"]
    );
    assert_eq!(world.stored().await["key"], b"TODO");
}

#[tokio::test]
async fn nothing_is_made_from_a_placeholder() {
    let secrets = "
  password: {generate: {hex: 16}}
  hash: {derive: {sha256: {of: password}}}
  word: {value: TODO}
  line: {compose: \"${word} x\"}
";
    for there in [true, false] {
        let world = World::new(Kind::Local, secrets);
        let reason = "it holds a placeholder for a value that is still to come";
        let fate = if there {
            world.put("password", "CHANGEME");
            "kept"
        } else {
            let theirs = Play::Preempt(single("CHANGEME"));
            world.stage.play_once(Operation::Create, "password", theirs);
            "lost"
        };
        let report = world.run().await;
        assert_eq!(
            fates(&report),
            [
                format!("password {fate}"),
                format!("hash skipped because of password: {reason}"),
                "word created".to_owned(),
                "line created".to_owned(),
            ]
        );
    }
}

#[tokio::test]
async fn nothing_is_made_from_a_placeholder_that_somebody_else_put_into_its_entry() {
    let secrets = "
  dex:
    fields:
      password: {generate: {hex: 16}}
      hash: {derive: {sha256: {of: password}}}
";
    let world = World::new(Kind::Local, secrets);
    let theirs = Play::Preempt(fields(&[("password", "CHANGEME")]));
    world.stage.play_once(Operation::Create, "dex", theirs);
    let report = world.run().await;
    assert_eq!(
        fates(&report),
        [
            "dex#password lost",
            "dex#hash skipped because of dex#password: \
             it holds a placeholder for a value that is still to come"
        ]
    );
    assert_eq!(world.stored().await.len(), 1);
}

#[tokio::test]
async fn what_a_placeholder_in_brackets_looks_like_can_still_be_made_from() {
    let secrets = "
  token: {generate: {hex: 8}, prefix: \"<\", suffix: \">\"}
  hash: {derive: {sha256: {of: token}}}
";
    let world = World::new(Kind::Local, secrets);
    assert_eq!(fates(&world.run().await), ["token created", "hash created"]);
}
