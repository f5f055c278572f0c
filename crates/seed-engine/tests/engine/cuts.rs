//! Runs that fail or end in the middle, and the run after that.

use std::collections::BTreeMap;

use seed_core::backend::Kind;
use seed_core::plan::WriteKind;
use seed_core::report::{Fate, Report, Verdict};
use seed_provider::ErrorKind;

use crate::world::{Play, World, fates, fields, id, single};

/// Chains, a diamond, a group, and an entry whose fields are made through another entry.
const SECRETS: &str = "
  password: {generate: {hex: 16}}
  hash: {derive: {bcrypt: {of: password, cost: 4}}}
  url: {compose: \"pg://u:${password}@h\"}
  both: {compose: \"${url} ${hash}\"}
  first: {generate: {hex: 8}, rotate: {with: [second]}}
  second: {generate: {hex: 8}}
  agent:
    fields:
      PASSWORD: {generate: {hex: 16}}
      HASH: {derive: {sha256: {of: PASSWORD}}}
      BACK: {compose: \"${through}!\"}
      ALSO: {compose: \"${BACK}?\"}
  through: {compose: \"<${agent#PASSWORD}>\"}
  alone: {generate: {hex: 4}}
";
const VALUES: usize = 12;
const WRITES: usize = 10;

async fn assert_sound(world: &World, before: &BTreeMap<String, Vec<u8>>) {
    world.assert_whole().await;
    let now = world.stored().await;
    for (id, value) in before {
        assert_eq!(now.get(id), Some(value), "{id} has changed");
    }
    assert!(
        now.contains_key("first") || !now.contains_key("second"),
        "a later member of a group without an earlier one cannot be completed"
    );
}

/// A report tells the truth about what is stored.
async fn assert_honest(world: &World, report: &Report) {
    let stored = world.stored().await;
    for outcome in &report.outcomes {
        let there = stored.contains_key(&outcome.id.to_string());
        match &outcome.fate {
            Fate::Created
            | Fate::Filled
            | Fate::Kept { .. }
            | Fate::Lost { .. }
            | Fate::Restored { .. } => {
                assert!(there, "{}", outcome.id);
            }
            Fate::Cancelled | Fate::Failed(_) | Fate::Left(_) | Fate::Skipped { .. } => {
                assert!(!there, "{}", outcome.id);
            }
            Fate::Uncertain(_) => {}
        }
    }
}

async fn assert_finishes(world: &World) {
    let before = world.stored().await;
    world.stage.play(|_, _| Play::Pass);
    let report = world.run().await;
    assert_eq!(report.verdict(), Verdict::Done, "{:?}", fates(&report));
    assert_eq!(world.stored().await.len(), VALUES);
    assert_sound(world, &before).await;
    assert!(world.plan().await.writes.is_empty());
}

#[tokio::test]
async fn the_plan_has_as_many_writes_as_the_tests_here_cut() {
    let world = World::new(Kind::Local, SECRETS);
    let plan = world.plan().await;
    assert_eq!(plan.writes.len(), WRITES);
    let grows = |write: &&seed_core::plan::Write| matches!(write.kind, WriteKind::AddToOwn { .. });
    assert_eq!(plan.writes.iter().filter(grows).count(), 1);
}

#[tokio::test]
async fn a_write_that_fails_leaves_no_half_pair_and_the_next_run_finishes() {
    for kind in [Kind::Local, Kind::Vault, Kind::AwsSm] {
        for calls in [1, 4] {
            for cut in 0..WRITES {
                let world = World::new(kind, SECRETS).concurrency(calls);
                world.stage.play_at_writes(move |at, _| {
                    if at == cut {
                        Play::Fail(ErrorKind::Denied)
                    } else {
                        Play::Pass
                    }
                });
                let report = world.run().await;
                assert_eq!(report.verdict(), Verdict::Partial, "write {cut} of {kind}");
                assert_honest(&world, &report).await;
                assert_sound(&world, &BTreeMap::new()).await;
                assert_finishes(&world).await;
            }
        }
    }
}

#[tokio::test]
async fn whatever_fails_from_some_write_on_the_next_run_finishes() {
    for cut in 0..WRITES {
        let world = World::new(Kind::Local, SECRETS).concurrency(3);
        world.stage.play_at_writes(move |at, _| {
            if at >= cut {
                Play::Fail(ErrorKind::Unavailable)
            } else {
                Play::Pass
            }
        });
        let report = world.run().await;
        let verdict = if cut == 0 {
            Verdict::Failed
        } else {
            Verdict::Partial
        };
        assert_eq!(report.verdict(), verdict, "from write {cut} on");
        assert_honest(&world, &report).await;
        assert_sound(&world, &BTreeMap::new()).await;
        assert_finishes(&world).await;
    }
}

/// The process is killed while a write is under way: nothing after it happens, no report is made.
#[tokio::test(start_paused = true)]
async fn a_killed_run_leaves_no_half_pair_and_the_next_run_finishes() {
    for calls in [1, 4] {
        for cut in 0..WRITES {
            for arrives in [false, true] {
                let world = World::new(Kind::Local, SECRETS).concurrency(calls);
                world.stage.play_at_writes(move |at, _| match at {
                    at if at < cut => Play::Pass,
                    at if at == cut && arrives => Play::LoseAndHang,
                    _ => Play::Hang,
                });
                let killed =
                    tokio::time::timeout(std::time::Duration::from_mins(1), world.run()).await;
                assert!(killed.is_err());
                assert_sound(&world, &BTreeMap::new()).await;
                assert_finishes(&world).await;
            }
        }
    }
}

#[tokio::test]
async fn what_depends_on_a_failed_value_names_it() {
    let world = World::new(Kind::Local, SECRETS).concurrency(1);
    world.stage.play(|_, name| match name.as_str() {
        "password" => Play::Fail(ErrorKind::Denied),
        _ => Play::Pass,
    });
    let report = world.run().await;
    let failed = "password failed (denied): create `password`: as the test wants";
    let skipped: Vec<String> = ["hash", "url", "both"]
        .map(|id| format!("{id} skipped because of password"))
        .into();
    let told = fates(&report);
    assert_eq!(told[0], failed);
    assert_eq!(told[1..4], skipped);
    assert!(
        told[4..].iter().all(|fate| fate.ends_with(" created")),
        "{told:?}"
    );
    let outcome = report.outcome(&id("password")).unwrap();
    let Fate::Failed(failure) = &outcome.fate else {
        panic!("it failed")
    };
    assert_eq!(failure.request_id.as_deref(), Some("r-7"));
}

#[tokio::test]
async fn a_value_that_cannot_be_made_keeps_its_entry_unwritten() {
    let secrets = "
  token: {provide: {how: ask}}
  agent:
    fields:
      HASH: {derive: {bcrypt: {of: token, cost: 4}}}
      KEY: {generate: {hex: 4}}
  after: {compose: \"${agent#KEY}!\"}
  alone: {generate: {hex: 4}}
";
    let world = World::new(Kind::Local, secrets).give("token", &"x".repeat(73));
    let report = world.run().await;
    assert_eq!(
        fates(&report),
        [
            "token created",
            "agent#HASH failed (value): make `agent#HASH`: it cannot be derived from `token`: \
             the source has 73 bytes; bcrypt reads no more than 72",
            "agent#KEY skipped because of agent#HASH",
            "after skipped because of agent#HASH",
            "alone created",
        ]
    );
    assert_eq!(world.stored().await.len(), 2);
}

#[tokio::test]
async fn a_value_too_large_for_its_backend_is_not_sent() {
    let secrets = "  big: {provide: {how: ask}}\n  bigger: {compose: \"${big}${big}\"}\n";
    let world = World::new(Kind::Gcpsm, secrets).give("big", &"x".repeat(40_000));
    let report = world.run().await;
    assert_eq!(
        fates(&report),
        [
            "big created",
            "bigger failed (value): make `bigger`: the entry has 80000 bytes as it is stored; \
             gcpsm takes at most 65536",
        ]
    );
    assert_eq!(world.stage.log(), ["create big"]);
}

#[tokio::test]
async fn who_is_not_known_to_a_backend_asks_it_no_further() {
    let world = World::new(Kind::Local, SECRETS).concurrency(2);
    world.stage.play_at_writes(|at, _| match at {
        2 => Play::Fail(ErrorKind::Unauthenticated),
        _ => Play::Pass,
    });
    let report = world.run().await;
    assert_eq!(report.verdict(), Verdict::Partial);
    assert!(world.stage.log().len() <= 4, "one more can be under way");
    assert_honest(&world, &report).await;
    assert!(fates(&report).iter().all(|fate| {
        ["created", "failed (unauthenticated)", "skipped because of"]
            .iter()
            .any(|word| fate.contains(word))
    }));
    assert_finishes(&world).await;
}

#[tokio::test]
async fn a_pair_that_was_stored_in_halves_is_finished_from_what_is_there() {
    let world = World::new(Kind::AwsSm, SECRETS);
    world
        .stage
        .memory
        .put(&world.name("password"), &single("known"))
        .unwrap();
    let agent = fields(&[("PASSWORD", "known too"), ("stranger", "stays")]);
    world
        .stage
        .memory
        .put(&world.name("agent"), &agent)
        .unwrap();
    let before = world.stored().await;
    let report = world.run().await;
    assert_eq!(report.verdict(), Verdict::Done, "{:?}", fates(&report));
    assert_sound(&world, &before).await;
}
