//! What is told, and what never is.

use std::sync::Mutex;

use seed_core::backend::Kind;
use seed_core::document::Document;
use seed_core::name::SecretName;
use seed_engine::{Event, Observer, needed, read_values, render};
use seed_provider::{ErrorKind, Operation};

use crate::world::{Play, World, fates, fields, secret};

#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Observer for Told {
    fn event(&self, event: Event<'_>) {
        self.0.lock().unwrap().push(format!("{event:?}"));
    }
}

#[tokio::test]
async fn every_value_to_be_stored_is_settled_once() {
    let secrets = "
  a: {generate: {hex: 4}}
  b: {compose: \"${a}\"}
  c: {compose: \"${d}\"}
  d: {generate: {hex: 4}}
  kept: {generate: {hex: 4}}
  from-kept: {compose: \"${kept}\"}
  agent: {fields: {x: {generate: {hex: 4}}, y: {generate: {hex: 4}}}}
";
    let world = World::new(Kind::Local, secrets);
    world.put("kept", "k");
    world.stage.play(|_, name| match name.as_str() {
        "d" => Play::Fail(ErrorKind::Denied),
        _ => Play::Pass,
    });
    let told = Told::default();
    let report = world.run_told(&told).await;
    let lines = told.0.into_inner().unwrap();
    assert_eq!(lines[0], "Began { values: 7 }");
    let count = |word: &str| lines.iter().filter(|line| line.starts_with(word)).count();
    assert_eq!(
        (count("Settled"), count("Writing"), count("Reading")),
        (7, 5, 1)
    );
    assert_eq!(lines.len(), 14);
    assert_eq!(report.counts().created, 5, "{:?}", fates(&report));
}

/// One failure of each kind.
fn mishaps(operation: Operation, name: &SecretName) -> Play {
    match (operation.writes(), name.as_str()) {
        (true, "refused") => Play::Fail(ErrorKind::Invalid),
        (true, "doubtful") => Play::Lose,
        (false, "doubtful") => Play::Fail(ErrorKind::Unexpected),
        (true, "lost") => Play::Preempt(Document::Single(secret("canary of somebody else"))),
        (true, "agent") => Play::Preempt(fields(&[("k", "canary of somebody else")])),
        _ => Play::Pass,
    }
}

#[tokio::test]
async fn nothing_that_is_told_contains_a_value() {
    const CANARY: &str = "canary-3f9a1c";
    let secrets = "  given: {provide: {how: ask}}
  strict: {provide: {how: ask}, check: {max: 3}}
  refused: {provide: {how: ask}}
  doubtful: {provide: {how: ask}}
  lost: {provide: {how: ask}}
  kept: {provide: {how: ask}}
  hash: {derive: {bcrypt: {of: kept, cost: 4}}}
  text: {compose: \"${given}\", check: {length: 1}}
  agent: {fields: {k: {provide: {how: ask}}, j: {provide: {how: ask}}}}
files:
  all: {json: {a: \"${given}\", b: \"${kept}\", c: \"${agent#k}\"}}
";
    let mut world = World::new(Kind::AwsSm, secrets);
    for name in [
        "given", "strict", "refused", "doubtful", "lost", "kept", "agent#k", "agent#j",
    ] {
        world = world.give(name, &format!("{CANARY}-{name}"));
    }
    world.put("kept", &CANARY.repeat(9));
    world.stage.play(mishaps);
    let told = Told::default();
    let report = world.run_told(&told).await;
    let mut said = told.0.into_inner().unwrap().join("\n");
    said.push_str(&format!("{report:?}\n{}\n", fates(&report).join("\n")));

    let collected = world.collect().await;
    let plan = world.plan_from(&collected.inventories);
    said.push_str(&format!("{collected:?}\n{plan:?}\n"));
    let file = &world.resolved.files[0];
    let read = read_values(&world.resolved, &world.providers, needed(file), None).await;
    assert_eq!(read.values.len(), 3);
    let content = render(&world.resolved, file, &read).unwrap().unwrap();
    assert!(content.contains(CANARY), "the test has something to find");
    world.stage.play(|_, _| Play::Fail(ErrorKind::Denied));
    let unread = read_values(&world.resolved, &world.providers, needed(file), None).await;
    let err = render(&world.resolved, file, &unread).unwrap_err();
    said.push_str(&format!("{read:?}\n{unread:?}\n{err}\n{err:?}\n"));

    let counts = report.counts();
    assert_eq!(
        (
            counts.created,
            counts.dropped,
            counts.failed,
            counts.uncertain,
            counts.kept
        ),
        (1, 2, 5, 1, 1),
        "{:?}",
        fates(&report)
    );
    assert!(
        !said.contains("canary") && !said.contains("3f9a1c"),
        "{said}"
    );
}
