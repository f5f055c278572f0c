//! Backends that are lost amid a run.

use seed_core::backend::Kind;
use seed_core::report::Verdict;
use seed_provider::{ErrorKind, Operation};

use crate::world::{Play, World, fates};

const SECRETS: &str = "  a: {generate: {hex: 4}}
  b: {generate: {hex: 4}}
  c: {generate: {hex: 4}}
  of-c: {derive: {sha256: {of: c}}}
";

async fn after_the_second_write(kind: ErrorKind) -> (World, Vec<String>) {
    let world = World::new(Kind::Local, SECRETS).concurrency(1);
    world.stage.play_at_writes(move |at, _| match at {
        0 => Play::Pass,
        _ => Play::Fail(kind),
    });
    let report = world.run().await;
    assert_eq!(report.verdict(), Verdict::Partial);
    let told = fates(&report);
    (world, told)
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_does_not_know_us_any_more_is_asked_nothing_more() {
    let (world, told) = after_the_second_write(ErrorKind::Unauthenticated).await;
    let failed = "b failed (unauthenticated): create `b`: as the test wants";
    let because = "skipped because of b: the backend does not take the credential any more";
    let skipped = ["c", "of-c"].map(|id| format!("{id} {because}"));
    assert_eq!(told, ["a created", failed, &*skipped[0], &*skipped[1]]);
    assert_eq!(world.stage.log(), ["create a", "create b"]);
    world.stage.play(|_, _| Play::Pass);
    assert_eq!(world.run().await.verdict(), Verdict::Done);
    world.assert_whole().await;
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_is_another_one_now_is_asked_nothing_more() {
    let (world, told) = after_the_second_write(ErrorKind::Misplaced).await;
    let failed = "b failed (misplaced): create `b`: as the test wants";
    let because = "skipped because of b: the backend is not what the contract names any more";
    let skipped = ["c", "of-c"].map(|id| format!("{id} {because}"));
    assert_eq!(told, ["a created", failed, &*skipped[0], &*skipped[1]]);
    assert_eq!(world.stage.log(), ["create a", "create b"]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_one_entry_is_not_the_end_of_its_backend() {
    let (world, told) = after_the_second_write(ErrorKind::Denied).await;
    assert_eq!(told.len(), 4);
    assert_eq!(world.stage.log(), ["create a", "create b", "create c"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_read_tells_of_its_backend_counts_too() {
    let secrets = "  a: {generate: {hex: 4}}\n  of-a: {derive: {sha256: {of: a}}}\n  b: {generate: {hex: 4}}\n  of-b: {derive: {sha256: {of: b}}}\n";
    let world = World::new(Kind::Local, secrets).concurrency(1);
    world.put("a", "0011");
    world.put("b", "2233");
    world.stage.play(|operation, _| {
        if operation == Operation::Read {
            Play::Fail(ErrorKind::Unauthenticated)
        } else {
            Play::Pass
        }
    });
    let report = world.run().await;
    assert_eq!(
        fates(&report),
        [
            "a kept",
            "of-a skipped because of a: read `a`: as the test wants (request id r-7)",
            "b kept",
            "of-b skipped because of a: read `a`: as the test wants (request id r-7)",
        ]
    );
    assert_eq!(world.stage.log(), ["read a"]);
}
