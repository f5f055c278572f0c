//! Reading everything that is stored.

use std::collections::{BTreeMap, BTreeSet};

use seed_core::backend::Kind;
use seed_core::judge::{Standing, Verdict, verify};
use seed_core::name::ValueId;
use seed_core::plan::{Selection, State};
use seed_core::report::Verdict as Applied;
use seed_engine::{Known, Unread, know};
use seed_provider::{ErrorKind, Operation};

use crate::world::{Play, World, id};

const SECRETS: &str = "  a: {generate: {hex: 4}}
  b: {derive: {sha256: {of: a}}}
  c: {provide: {how: ask}, optional: true}
";

async fn known(world: &World, wanted: &[&str]) -> Known {
    let seen = world.plan().await.steps.into_iter();
    let seen: BTreeMap<ValueId, State> = seen
        .filter_map(|step| Some((step.id, step.state?)))
        .collect();
    let wanted = wanted.iter().map(|name| id(name)).collect();
    know(&world.resolved, &world.providers, seen, wanted, None).await
}

fn verdicts(world: &World, known: &Known) -> Vec<String> {
    let verification = verify(
        &world.resolved,
        known.stored(),
        &Selection::ALL,
        &BTreeSet::new(),
    );
    let words = |standing: &Standing| format!("{:?}", standing.verdict());
    let values = verification.values.iter();
    values
        .map(|value| format!("{} {}", value.id, words(&value.standing)))
        .collect()
}

#[tokio::test]
async fn what_is_stored_is_read_and_what_is_not_there_is_absent() {
    let world = World::new(Kind::Vault, SECRETS);
    let empty = known(&world, &["a", "b", "c"]).await;
    assert_eq!(
        verdicts(&world, &empty),
        ["a Missing", "b Missing", "c LeftOut"]
    );
    assert!(
        empty
            .read
            .unread
            .values()
            .all(|unread| *unread == Unread::Absent)
    );
    assert_eq!(world.run().await.verdict(), Applied::Done);
    let known = known(&world, &["a", "b", "c"]).await;
    assert_eq!(
        verdicts(&world, &known),
        ["a Sound", "b Sound", "c LeftOut"]
    );
    let unread: Vec<_> = known.read.unread.into_iter().collect();
    assert_eq!(unread, [(id("c"), Unread::Absent)]);
}

#[tokio::test]
async fn a_read_that_fails_is_never_absence() {
    for (kind, state, of_a, of_b) in [
        (
            ErrorKind::Denied,
            "hidden",
            Verdict::Unread,
            Verdict::NotJudged,
        ),
        (
            ErrorKind::Unavailable,
            "unknown",
            Verdict::Unread,
            Verdict::NotJudged,
        ),
        (
            ErrorKind::Unauthenticated,
            "unknown",
            Verdict::Unread,
            Verdict::NotJudged,
        ),
        (
            ErrorKind::Unexpected,
            "unknown",
            Verdict::Unread,
            Verdict::NotJudged,
        ),
        (
            ErrorKind::WrongShape,
            "wrong-shape",
            Verdict::Broken,
            Verdict::NotJudged,
        ),
        // The backend's own word, though it was there a moment ago.
        (
            ErrorKind::NotFound,
            "absent",
            Verdict::Missing,
            Verdict::Broken,
        ),
    ] {
        let world = World::new(Kind::Local, SECRETS);
        assert_eq!(world.run().await.verdict(), Applied::Done);
        world
            .stage
            .play_once(Operation::Read, "a", Play::Fail(kind));
        let known = known(&world, &["a", "b", "c"]).await;
        assert_eq!(known.states[&id("a")].as_str(), state, "{kind:?}");
        let expected = [
            format!("a {of_a:?}"),
            format!("b {of_b:?}"),
            "c LeftOut".to_owned(),
        ];
        assert_eq!(verdicts(&world, &known), expected, "{kind:?}");
        let unread = &known.read.unread[&id("a")];
        let is_absent = kind == ErrorKind::NotFound;
        assert_eq!(*unread == Unread::Absent, is_absent, "{kind:?}: {unread:?}");
    }
}

#[tokio::test]
async fn the_request_of_a_failed_read_is_named() {
    let world = World::new(Kind::Local, SECRETS);
    assert_eq!(world.run().await.verdict(), Applied::Done);
    world
        .stage
        .play_once(Operation::Read, "a", Play::Fail(ErrorKind::Unavailable));
    let known = known(&world, &["a"]).await;
    let reason = "read `a`: as the test wants (request id r-7)".to_owned();
    assert_eq!(known.states[&id("a")], State::Unknown { reason });
}

#[tokio::test]
async fn what_nobody_looked_at_is_not_read_and_not_absent() {
    let world = World::new(Kind::Local, SECRETS);
    assert_eq!(world.run().await.verdict(), Applied::Done);
    world.stage.log();
    let wanted = ["a", "b", "c"].map(id).into();
    let known = know(
        &world.resolved,
        &world.providers,
        BTreeMap::new(),
        wanted,
        None,
    )
    .await;
    assert_eq!(
        verdicts(&world, &known),
        ["a Unread", "b Unread", "c Unread"]
    );
    assert!(
        known
            .read
            .unread
            .values()
            .all(|unread| *unread != Unread::Absent)
    );
    assert!(world.stage.log().is_empty());
}

#[tokio::test]
async fn sources_are_read_too_and_what_must_not_exist_is_not() {
    let secrets = format!("{SECRETS}  f: {{forbidden: not here}}\n  g: {{generate: {{hex: 4}}}}\n");
    let world = World::new(Kind::Local, &secrets);
    world.put("f", "there");
    assert_eq!(world.run().await.verdict(), Applied::Blocked);
    world.stage.log();
    let known = known(&world, &["b", "f"]).await;
    let mut calls = world.stage.log();
    calls.sort();
    assert_eq!(calls, ["read a", "read b"]);
    assert_eq!(
        verdicts(&world, &known),
        ["a Sound", "b Sound", "c LeftOut", "f Broken", "g Unread"]
    );
}
