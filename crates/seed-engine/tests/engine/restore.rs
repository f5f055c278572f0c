//! What was deleted comes back with the value that it had, or nothing happens to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use seed_core::backend::Kind;
use seed_core::contract::parse;
use seed_core::document::Document;
use seed_core::inventory::Presence;
use seed_core::name::{EntryKey, SecretName};
use seed_core::resolve::{Request, Resolved, resolve};
use seed_engine::{Providers, Restored, Restorers, Restoring, restore};
use seed_provider::{Error, ErrorKind, Memory, Operation, Provider, Restore};
use tokio_util::sync::CancellationToken;

const CONTRACT: &str = "version: 1\nname: t\nbackend: store\nbackends: {store: {kind: aws-sm, region: eu-central-1}}\n\
                        secrets:\n  a: {generate: {hex: 4}}\n  b: {generate: {hex: 4}}\n";

struct World {
    memory: Arc<Memory>,
    resolved: Resolved,
    cancel: CancellationToken,
}

fn name(name: &str) -> SecretName {
    Kind::AwsSm.existing_name(name).unwrap()
}

impl World {
    /// Two entries, both deleted.
    fn new(memory: Memory) -> Self {
        for entry in ["a", "b"] {
            let value = Document::Single(format!("old {entry}").into());
            memory.put(&name(entry), &value).unwrap();
            memory.set_presence(&name(entry), Presence::Deleted { until: None });
        }
        let (contract, _) = parse(CONTRACT).unwrap();
        let (resolved, _) = resolve(&contract, CONTRACT, &Request::default()).unwrap();
        Self {
            memory: Arc::new(memory),
            resolved,
            cancel: CancellationToken::new(),
        }
    }

    async fn restore(&self, entries: &[&str]) -> BTreeMap<EntryKey, Restored> {
        let provider = Arc::clone(&self.memory) as Arc<dyn Provider>;
        let restorer = Arc::clone(&self.memory) as Arc<dyn Restore>;
        restore(&Restoring {
            resolved: &self.resolved,
            providers: &Providers::from([("store".to_owned(), provider)]),
            restorers: &Restorers::from([("store".to_owned(), restorer)]),
            entries: entries.iter().map(|key| key.parse().unwrap()).collect(),
            concurrency: None,
            cancel: self.cancel.clone(),
            abandon: CancellationToken::new(),
            grace: Duration::from_secs(30),
        })
        .await
    }

    async fn is_back(&self, entry: &str) -> bool {
        let read = self
            .memory
            .read(&name(entry), seed_provider::WantedShape::Single)
            .await;
        let old = format!("old {entry}");
        read.is_ok_and(|stored| matches!(stored.document, Document::Single(it) if it.expose() == old.as_bytes()))
    }
}

fn failure(kind: ErrorKind) -> Error {
    Error::new(kind, Operation::Restore, "as the test wants").about(&name("a"))
}

fn only(restored: BTreeMap<EntryKey, Restored>) -> Restored {
    assert_eq!(restored.len(), 1);
    restored.into_values().next().unwrap()
}

#[tokio::test]
async fn what_is_named_comes_back_with_its_value_and_nothing_else_does() {
    let world = World::new(Memory::of(Kind::AwsSm));
    assert_eq!(only(world.restore(&["a"]).await), Restored::Done);
    assert!(world.is_back("a").await);
    assert!(!world.is_back("b").await);
    assert_eq!(world.memory.calls(Operation::Create), 0);
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_looking() {
    let world = World::new(Memory::of(Kind::AwsSm));
    let lost = failure(ErrorKind::Indeterminate);
    world
        .memory
        .lose_answer_of_next(Operation::Restore, Some(&name("a")), lost);
    assert_eq!(only(world.restore(&["a"]).await), Restored::Done);
    assert_eq!(world.memory.calls(Operation::Restore), 1);

    // It did not arrive: it is asked for once more.
    let world = World::new(Memory::of(Kind::AwsSm));
    let lost = failure(ErrorKind::Indeterminate);
    world
        .memory
        .fail_next(Operation::Restore, Some(&name("a")), lost);
    assert_eq!(only(world.restore(&["a"]).await), Restored::Done);
    assert_eq!(world.memory.calls(Operation::Restore), 2);
}

#[tokio::test]
async fn what_cannot_be_settled_is_uncertain_and_what_is_refused_has_failed() {
    let world = World::new(Memory::of(Kind::AwsSm));
    for _ in 0..2 {
        let lost = failure(ErrorKind::Indeterminate);
        world
            .memory
            .fail_next(Operation::Restore, Some(&name("a")), lost);
    }
    assert!(matches!(
        only(world.restore(&["a"]).await),
        Restored::Uncertain(_)
    ));
    let denied = failure(ErrorKind::Denied);
    world
        .memory
        .fail_next(Operation::Restore, Some(&name("a")), denied);
    let Restored::Failed(refused) = only(world.restore(&["a"]).await) else {
        panic!("it was refused");
    };
    assert_eq!(refused.kind, "denied");
    assert_eq!(refused.message, "restore `a`: as the test wants");
    assert!(!world.is_back("a").await);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_asks_for_nothing_new() {
    let world = World::new(Memory::of(Kind::AwsSm));
    world.cancel.cancel();
    let restored = world.restore(&["a", "b"]).await;
    let outcomes: BTreeSet<bool> = restored
        .values()
        .map(|outcome| *outcome == Restored::Cancelled)
        .collect();
    assert_eq!(outcomes, [true].into());
    assert_eq!(world.memory.calls(Operation::Restore), 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_waited_for_no_longer_than_was_said() {
    let slow = Memory::of(Kind::AwsSm).with_latency(Duration::from_hours(1));
    let world = World::new(slow);
    let cancel = world.cancel.clone();
    let stop = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        cancel.cancel();
    };
    let begin = tokio::time::Instant::now();
    let entries = ["a"];
    let (restored, ()) = tokio::join!(world.restore(&entries), stop);
    assert!(matches!(only(restored), Restored::Uncertain(_)));
    assert_eq!(begin.elapsed(), Duration::from_secs(31));
}
