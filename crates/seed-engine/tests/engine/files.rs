//! The contract's files, and single values.

use std::collections::BTreeSet;
use std::sync::Arc;

use seed_core::backend::Kind;
use seed_core::name::ValueId;
use seed_core::report::Verdict;
use seed_engine::{FileError, ReadValues, Unread, needed, read_values, render};
use seed_provider::{ErrorKind, Operation};

use crate::world::{Play, World, id};

const SECRETS: &str = "  password: {generate: {hex: 16}}
  token: {provide: {how: ask}, optional: true}
  agent: {fields: {A: {generate: {hex: 4}}, B: {generate: {hex: 4}}, C: {provide: {how: ask}, optional: true}}}
files:
  secrets/password: {text: \"${password}\\n\"}
  secrets/token: {text: \"${token}\\n\"}
  values.yaml: {yaml: {a: \"${agent#A}\", b: \"${agent#B}\", c: \"${agent#C}\", p: \"${password}\"}}
";

async fn read(world: &World) -> ReadValues {
    let ids: BTreeSet<ValueId> = world.resolved.files.iter().flat_map(needed).collect();
    read_values(&world.resolved, &world.providers, ids, None).await
}

fn rendered(world: &World, read: &ReadValues, path: &str) -> Result<Option<String>, FileError> {
    let file = world
        .resolved
        .files
        .iter()
        .find(|file| file.path == path)
        .unwrap();
    render(&world.resolved, file, read).map(|text| text.map(|text| text.to_string()))
}

#[tokio::test]
async fn files_hold_what_is_stored() {
    for kind in [Kind::Local, Kind::Vault, Kind::AwsSm] {
        let world = World::new(kind, SECRETS);
        assert_eq!(world.run().await.verdict(), Verdict::Done);
        world.stage.log();
        let read = read(&world).await;
        let mut calls = world.stage.log();
        calls.sort();
        assert_eq!(
            calls,
            ["read agent", "read password", "read token"],
            "one for each entry"
        );
        let stored = world.stored().await;
        let text = |id: &str| String::from_utf8(stored[id].clone()).unwrap();
        let file = rendered(&world, &read, "secrets/password").unwrap();
        assert_eq!(file, Some(format!("{}\n", text("password"))));
        assert_eq!(rendered(&world, &read, "secrets/token").unwrap(), None);
        assert_eq!(
            rendered(&world, &read, "values.yaml").unwrap().unwrap(),
            format!(
                "a: \"{}\"\nb: \"{}\"\np: \"{}\"\n",
                text("agent#A"),
                text("agent#B"),
                text("password")
            )
        );
    }
}

#[tokio::test]
async fn a_value_that_could_not_be_read_is_not_left_out() {
    let world = World::new(Kind::Local, SECRETS);
    assert_eq!(world.run().await.verdict(), Verdict::Done);
    world
        .stage
        .play_once(Operation::Read, "token", Play::Fail(ErrorKind::Denied));
    let read = read(&world).await;
    let err = rendered(&world, &read, "secrets/token").unwrap_err();
    assert_eq!(
        err.to_string(),
        "`token`: read `token`: as the test wants (request id r-7)"
    );
    let Some(Unread::Failed(failure)) = read.unread.get(&id("token")) else {
        panic!("it failed");
    };
    assert_eq!(
        (failure.kind, failure.request_id.as_deref()),
        ("denied", Some("r-7"))
    );
    assert!(rendered(&world, &read, "secrets/password").is_ok());
}

#[tokio::test]
async fn a_value_that_is_missing_keeps_its_file_from_being_written() {
    let world = World::new(Kind::Local, SECRETS);
    let read = read(&world).await;
    assert_eq!(read.unread[&id("password")], Unread::Absent);
    let err = rendered(&world, &read, "secrets/password").unwrap_err();
    assert_eq!(
        err.to_string(),
        "`password` is not there, and the text needs it"
    );
}

#[tokio::test]
async fn one_value_can_be_asked_for_by_name() {
    let world = World::new(Kind::Vault, SECRETS);
    assert_eq!(world.run().await.verdict(), Verdict::Done);
    let ids = ["agent#B", "agent#C", "nobody", "password"].map(id);
    let read = read_values(&world.resolved, &world.providers, ids, None).await;
    assert_eq!(
        read.values
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["agent#B", "password"]
    );
    let unread: Vec<String> = read
        .unread
        .iter()
        .map(|(id, unread)| format!("{id}: {unread}"))
        .collect();
    assert_eq!(
        unread,
        [
            "agent#C: it is not there",
            "nobody: find `nobody`: the contract does not declare it"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn reads_are_bounded() {
    let secrets: String = (0..40)
        .map(|at| format!("  key-{at}: {{generate: {{hex: 4}}}}\n"))
        .collect();
    let memory =
        seed_provider::Memory::of(Kind::Local).with_latency(std::time::Duration::from_millis(10));
    let world = World::on(crate::world::Stage::new(memory), &secrets).concurrency(1);
    assert_eq!(world.run().await.verdict(), Verdict::Done);
    assert_eq!(world.stage.memory.peak(), 1);
    let ids = world.resolved.order.clone();
    let limit = std::num::NonZeroUsize::new(3);
    let read = read_values(&world.resolved, &world.providers, ids, limit).await;
    assert_eq!(read.values.len(), 40);
    assert_eq!(world.stage.memory.peak(), 3);
    assert_eq!(Arc::strong_count(&read.values[&id("key-0")]), 1);
}
