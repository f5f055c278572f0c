//! Secrets that are written to the cluster, beside a backend: what comes first, what is made where, what cuts leave.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use seed_core::backend::Kind;
use seed_core::inventory::Presence;
use seed_core::name::SecretName;
use seed_core::report::Verdict;
use seed_core::resolve::Place;
use seed_provider::{ErrorKind, Memory, Operation};

use crate::world::{Play, Stage, World, fates, fields, single};

/// A password that only the cluster keeps, twice, with a hash in the backend; and Secrets that read the backend.
const BODY: &str = "
secrets:
  hash: {derive: {bcrypt: {of: pass, cost: 4}}}
  pass: {backend: none, generate: {hex: 16}}
  also: {backend: none, derive: {sha256: {of: pass}}}
  user: {generate: {hex: 4}}
targets:
  a/redis: {deliver: direct, data: {auth: '${pass}', user: '${user}', sum: '${also}'}}
  b/redis: {deliver: direct, data: {password: '${pass}', hash: '${hash}', fixed: x}}
  c/user: {deliver: direct, data: {user: '${user}'}}
";
const WRITES: usize = 5;
const VALUES: usize = 11;

fn world() -> World {
    World::with_cluster(Stage::new(Memory::of(Kind::Kubernetes)), BODY)
}

/// The stored name of a Secret or an entry.
fn name(text: &str) -> SecretName {
    let resolved = Arc::clone(&world().resolved);
    let mut places = resolved.entries.values().filter_map(|it| it.place.as_ref());
    let named = places.find_map(|place| match place {
        Place::Backend { name, .. } if name.as_str() == text => Some(name.clone()),
        Place::Backend { .. } | Place::Nowhere => None,
    });
    named.unwrap()
}

async fn assert_finishes(world: &World, before: &BTreeMap<String, Vec<u8>>) {
    world.stage.play(|_, _| Play::Pass);
    let report = world.run().await;
    assert_eq!(report.verdict(), Verdict::Done, "{:?}", fates(&report));
    world.assert_whole().await;
    let stored = world.stored().await;
    assert_eq!(stored.len(), VALUES);
    for (id, value) in before {
        assert_eq!(stored.get(id), Some(value), "{id} has changed");
    }
    assert!(world.plan().await.writes.is_empty());
}

#[tokio::test]
async fn secrets_are_written_after_what_they_hold_and_a_second_run_writes_nothing() {
    let world = world();
    assert_eq!(world.plan().await.writes.len(), WRITES);
    let report = world.run().await;
    assert_eq!(report.verdict(), Verdict::Done);
    assert_eq!(report.counts().created, 4 + 3);
    let log = world.stage.log();
    let at = |line: &str| log.iter().position(|it| it == line).unwrap();
    assert!(at("create user") < at("create a/redis"), "{log:?}");
    assert!(at("create a/redis") < at("create hash"), "{log:?}");
    assert!(at("create hash") < at("create b/redis"), "{log:?}");
    world.assert_whole().await;
    let before = world.stored().await;
    assert_eq!(before["pass"], before["Secret b/redis#password"]);
    let again = world.run().await;
    assert_eq!(again.counts().kept, 4 + 3);
    assert_finishes(&world, &before).await;
    assert!(world.stage.log().is_empty());
}

#[tokio::test]
async fn a_run_cut_before_or_after_each_write_is_finished_by_the_next() {
    for calls in [1, 4] {
        for cut in 0..WRITES {
            for lost in [false, true] {
                let world = world().concurrency(calls);
                world.stage.play_at_writes(move |at, _| match lost {
                    _ if at < cut => Play::Pass,
                    true if at == cut => Play::LoseAndHang,
                    true | false => Play::Fail(ErrorKind::Denied),
                });
                // A killed process: nobody waits for the answer.
                let killed = async {
                    if lost {
                        tokio::time::sleep(Duration::from_millis(30)).await;
                        world.abandon.cancel();
                    }
                };
                let (report, ()) = tokio::join!(world.run(), killed);
                assert_ne!(report.verdict(), Verdict::Done);
                world.assert_whole().await;
                let before = world.stored().await;
                let next = World::with_cluster(Arc::clone(&world.stage), BODY);
                assert_finishes(&next, &before).await;
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_was_lost_is_settled_by_reading() {
    for cut in 0..WRITES {
        let world = world();
        world
            .stage
            .play_at_writes(move |at, _| if at == cut { Play::Lose } else { Play::Pass });
        let report = world.run().await;
        assert_eq!(report.verdict(), Verdict::Done, "{:?}", fates(&report));
        assert_eq!(report.counts().created, 7);
        assert_finishes(&world, &BTreeMap::new()).await;
    }
}

#[tokio::test]
async fn of_two_runs_at_once_one_makes_each_secret_and_both_agree() {
    for calls in [1, 4] {
        let one = world().concurrency(calls);
        let two = World::with_cluster(Arc::clone(&one.stage), BODY).concurrency(calls);
        let (seen_by_one, seen_by_two) = (one.collect().await, two.collect().await);
        let plan = one.plan_from(&seen_by_one.inventories);
        let (first, second) = tokio::join!(
            one.apply(&plan, &seen_by_one.inventories, &()),
            two.apply(&plan, &seen_by_two.inventories, &()),
        );
        for report in [&first, &second] {
            assert_eq!(report.verdict(), Verdict::Done, "{:?}", fates(report));
        }
        assert_eq!(first.counts().created + second.counts().created, 7);
        assert_finishes(&one, &BTreeMap::new()).await;
    }
}

#[tokio::test]
async fn a_secret_that_somebody_else_makes_meanwhile_is_kept_and_others_follow_it() {
    let world = world();
    let theirs = fields(&[("auth", "theirs"), ("user", "u"), ("sum", "s")]);
    world
        .stage
        .play_once(Operation::Create, "a/redis", Play::Preempt(theirs));
    let report = world.run().await;
    assert_eq!(report.verdict(), Verdict::Done, "{:?}", fates(&report));
    let stored = world.stored().await;
    assert_eq!(stored["pass"], b"theirs");
    assert_eq!(stored["Secret b/redis#password"], b"theirs");
}

#[tokio::test]
async fn what_may_not_be_looked_at_in_one_namespace_leaves_the_others_alone() {
    let world = world();
    let reason = "get on secrets is denied".to_owned();
    world
        .stage
        .memory
        .set_presence(&name("c/user"), Presence::Hidden { reason });
    let report = world.run().await;
    assert_eq!(report.verdict(), Verdict::Blocked);
    let stored = world.stored().await;
    assert!(!stored.contains_key("user"), "c/user may hold it");
    assert!(!stored.contains_key("Secret a/redis#auth"), "it needs user");
    assert!(stored.contains_key("Secret b/redis#password"));
}

#[tokio::test]
async fn a_key_that_is_missing_is_added_and_all_others_stay() {
    let world = world();
    world
        .stage
        .memory
        .put(&name("user"), &single("me"))
        .unwrap();
    let c = fields(&[("user", "me"), ("theirs", "kept")]);
    world.stage.memory.put(&name("c/user"), &c).unwrap();
    let b = fields(&[("password", "old"), ("other", "kept")]);
    world.stage.memory.put(&name("b/redis"), &b).unwrap();
    let report = world.run().await;
    assert_eq!(report.verdict(), Verdict::Done, "{:?}", fates(&report));
    let stored = world.stored().await;
    assert_eq!(stored["pass"], b"old");
    assert_eq!(stored["Secret a/redis#auth"], b"old");
    world.assert_whole().await;
    let log = world.stage.log();
    assert!(log.contains(&"add-fields b/redis".to_owned()), "{log:?}");
    assert!(!log.iter().any(|line| line.ends_with("-fields c/user")));
}

#[tokio::test]
async fn copies_that_differ_are_copied_nowhere() {
    let world = world();
    world
        .stage
        .memory
        .put(&name("user"), &single("me"))
        .unwrap();
    let a = fields(&[("auth", "one"), ("user", "me")]);
    world.stage.memory.put(&name("a/redis"), &a).unwrap();
    let b = fields(&[("password", "two"), ("fixed", "x")]);
    world.stage.memory.put(&name("b/redis"), &b).unwrap();
    let report = world.run().await;
    assert_eq!(report.verdict(), Verdict::Partial);
    let told = fates(&report);
    let hash = told.iter().find(|line| line.starts_with("hash")).unwrap();
    assert_eq!(
        hash,
        "hash skipped because of pass: read `pass`: `Secret a/redis#auth` and `Secret b/redis#password` hold different values; make them the same, or remove the wrong one"
    );
}

#[tokio::test]
async fn a_placeholder_in_a_secret_is_copied_nowhere() {
    let world = world();
    world
        .stage
        .memory
        .put(&name("user"), &single("me"))
        .unwrap();
    let b = fields(&[("password", "CHANGEME"), ("fixed", "x")]);
    world.stage.memory.put(&name("b/redis"), &b).unwrap();
    let report = world.run().await;
    assert!(report.failed());
    let stored = world.stored().await;
    assert!(!stored.contains_key("hash"));
    assert!(!stored.contains_key("Secret a/redis#auth"));
}
