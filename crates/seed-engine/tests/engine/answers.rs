//! Answers that are lost.

use seed_core::backend::Kind;
use seed_core::report::{Fate, Verdict};
use seed_provider::{ErrorKind, Operation};

use crate::world::{Play, World, fates, fields, id, single};

const PAIR: &str = "
  password: {generate: {hex: 16}}
  hash: {derive: {bcrypt: {of: password, cost: 4}}}
";
const GROWING: &str = "
  agent:
    fields:
      KEY: {generate: {hex: 16}}
      HASH: {derive: {sha256: {of: KEY}}}
  url: {compose: \"u:${agent#KEY}\"}
";

/// Plays at the first writes in turn, and passes afterwards.
fn plays(world: &World, plays: Vec<Play>) {
    let mut plays = plays.into_iter();
    world
        .stage
        .play_at_writes(move |_, _| plays.next().unwrap_or(Play::Pass));
}

#[tokio::test]
async fn a_write_that_arrived_is_created_though_its_answer_was_lost() {
    for kind in [Kind::Local, Kind::Vault, Kind::AwsSm] {
        let world = World::new(kind, PAIR);
        plays(&world, vec![Play::Lose]);
        let report = world.run().await;
        assert_eq!(
            fates(&report),
            ["password created", "hash created"],
            "{kind}"
        );
        world.assert_whole().await;
        assert_eq!(
            world.stage.log(),
            ["create password", "read password", "create hash"]
        );
    }
}

#[tokio::test]
async fn a_write_that_did_not_arrive_is_sent_once_more() {
    let world = World::new(Kind::Local, PAIR);
    plays(&world, vec![Play::Fail(ErrorKind::Indeterminate)]);
    let report = world.run().await;
    assert_eq!(fates(&report), ["password created", "hash created"]);
    world.assert_whole().await;
    let log = world.stage.log();
    assert_eq!(
        log,
        [
            "create password",
            "read password",
            "create password",
            "create hash"
        ]
    );
}

#[tokio::test]
async fn what_arrives_after_we_looked_is_ours_all_the_same() {
    for second in [ErrorKind::AlreadyExists, ErrorKind::Indeterminate] {
        let world = World::new(Kind::Local, "  user: {value: shop}\n");
        // The first request arrives late: after the look, before the second request.
        let mut late = vec![
            Play::Fail(ErrorKind::Indeterminate),
            if second == ErrorKind::AlreadyExists {
                Play::Preempt(single("shop"))
            } else {
                Play::Lose
            },
        ]
        .into_iter();
        world
            .stage
            .play_at_writes(move |_, _| late.next().unwrap_or(Play::Pass));
        assert_eq!(fates(&world.run().await), ["user created"]);
    }
}

#[tokio::test]
async fn somebody_elses_value_under_a_lost_answer_is_a_lost_race() {
    let world = World::new(Kind::Local, PAIR);
    let stage = std::sync::Arc::clone(&world.stage);
    let name = world.name("password");
    let mut first = true;
    world.stage.play_at_writes(move |_, _| {
        if !std::mem::take(&mut first) {
            return Play::Pass;
        }
        stage.memory.put(&name, &single("winner's")).unwrap();
        Play::Fail(ErrorKind::Indeterminate)
    });
    let report = world.run().await;
    assert_eq!(fates(&report), ["password lost", "hash created"]);
    world.assert_whole().await;
}

#[tokio::test]
async fn a_lost_answer_that_cannot_be_settled_is_uncertain_and_stops_what_depends_on_it() {
    let world = World::new(Kind::Local, PAIR);
    world
        .stage
        .play(|operation, name| match (operation, name.as_str()) {
            (Operation::Create, "password") => Play::Lose,
            (Operation::Read, _) => Play::Fail(ErrorKind::Unavailable),
            _ => Play::Pass,
        });
    let report = world.run().await;
    assert_eq!(
        fates(&report),
        [
            "password uncertain: create `password`: the answer was lost; \
             read `password`: as the test wants",
            "hash skipped because of password",
        ]
    );
    assert_eq!(report.verdict(), Verdict::Partial);
    let Fate::Uncertain(failure) = &report.outcome(&id("password")).unwrap().fate else {
        panic!("it is uncertain");
    };
    assert_eq!(
        (failure.kind, failure.request_id.as_deref()),
        ("indeterminate", Some("r-8"))
    );
    // It had arrived, so the next run makes the hash of it.
    world.stage.play(|_, _| Play::Pass);
    assert_eq!(fates(&world.run().await), ["password kept", "hash created"]);
    world.assert_whole().await;
}

#[tokio::test]
async fn two_lost_answers_with_nothing_there_are_uncertain() {
    let world = World::new(Kind::Local, PAIR);
    world
        .stage
        .play_at_writes(|_, _| Play::Fail(ErrorKind::Indeterminate));
    let report = world.run().await;
    assert_eq!(
        fates(&report),
        [
            "password uncertain: create `password`: as the test wants; \
             nothing was there yet when we looked",
            "hash skipped because of password",
        ]
    );
    assert_eq!(world.stage.log().len(), 4);
}

#[tokio::test]
async fn a_second_try_that_fails_leaves_open_what_became_of_the_first() {
    let world = World::new(Kind::Local, PAIR);
    plays(
        &world,
        vec![
            Play::Fail(ErrorKind::Indeterminate),
            Play::Fail(ErrorKind::Denied),
        ],
    );
    let report = world.run().await;
    assert_eq!(
        fates(&report),
        [
            "password uncertain: create `password`: as the test wants; \
             create `password`: as the test wants",
            "hash skipped because of password",
        ]
    );
    assert_eq!(report.verdict(), Verdict::Partial);
}

#[tokio::test]
async fn fields_whose_answer_was_lost_are_settled_too() {
    for kind in [Kind::Local, Kind::Vault, Kind::Gcpsm] {
        for lost in [true, false] {
            let world = World::new(kind, GROWING);
            world.put_fields("agent", &[("stranger", "stays")]);
            let play = if lost {
                Play::Lose
            } else {
                Play::Fail(ErrorKind::Indeterminate)
            };
            plays(&world, vec![play]);
            let report = world.run().await;
            assert_eq!(
                fates(&report),
                ["agent#KEY created", "agent#HASH created", "url created"],
                "{kind}, lost {lost}"
            );
            world.assert_whole().await;
            let grown = world
                .stage
                .log()
                .iter()
                .filter(|line| *line == "add-fields agent")
                .count();
            assert_eq!(grown, if lost { 1 } else { 2 }, "{kind}");
        }
    }
}

#[tokio::test]
async fn fields_are_sent_again_to_what_the_entry_has_become() {
    let world = World::new(Kind::Local, GROWING);
    world.put_fields("agent", &[("stranger", "1")]);
    let stage = std::sync::Arc::clone(&world.stage);
    let name = world.name("agent");
    let mut first = true;
    world.stage.play_at_writes(move |_, _| {
        if !std::mem::take(&mut first) {
            return Play::Pass;
        }
        stage
            .memory
            .put(&name, &fields(&[("stranger", "2")]))
            .unwrap();
        Play::Fail(ErrorKind::Indeterminate)
    });
    let report = world.run().await;
    assert_eq!(
        fates(&report),
        ["agent#KEY created", "agent#HASH created", "url created"]
    );
    world.assert_whole().await;
}

#[tokio::test]
async fn fields_of_somebody_else_under_a_lost_answer_are_kept() {
    let world = World::new(Kind::Local, GROWING);
    world.put_fields("agent", &[("stranger", "stays")]);
    let stage = std::sync::Arc::clone(&world.stage);
    let name = world.name("agent");
    let mut first = true;
    world.stage.play_at_writes(move |_, _| {
        if !std::mem::take(&mut first) {
            return Play::Pass;
        }
        let theirs = fields(&[("stranger", "stays"), ("KEY", "winner's")]);
        stage.memory.put(&name, &theirs).unwrap();
        Play::Fail(ErrorKind::Indeterminate)
    });
    let report = world.run().await;
    assert_eq!(
        fates(&report),
        ["agent#KEY lost", "agent#HASH created", "url created"]
    );
    assert_eq!(world.stored().await["url"], b"u:winner's");
    world.assert_whole().await;
}
