//! Ctrl-C.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use seed_core::backend::Kind;
use seed_core::report::{Fate, Verdict};
use seed_engine::{Event, Observer};
use seed_provider::Memory;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::world::{Play, Stage, World, fates};

/// Stops the run after so many values are settled.
struct StopAfter {
    values: AtomicUsize,
    cancel: CancellationToken,
}

impl Observer for StopAfter {
    fn event(&self, event: Event<'_>) {
        if let Event::Settled { .. } = event
            && self.values.fetch_sub(1, Ordering::Relaxed) == 1
        {
            self.cancel.cancel();
        }
    }
}

fn many(entries: usize) -> String {
    (0..entries)
        .map(|at| format!("  key-{at:03}: {{generate: {{hex: 4}}}}\n"))
        .collect()
}

fn world_of(entries: usize, calls: usize) -> World {
    let memory = Memory::of(Kind::Local).with_latency(Duration::from_secs(1));
    World::on(Stage::new(memory), &many(entries)).concurrency(calls)
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_is_finished_and_nothing_new_begins() {
    let world = world_of(40, 4);
    let stop = StopAfter {
        values: AtomicUsize::new(10),
        cancel: world.cancel.clone(),
    };
    let report = world.run_told(&stop).await;
    let counts = report.counts();
    assert_eq!(counts.created + counts.cancelled, 40);
    assert!(
        (10..=13).contains(&counts.created),
        "{} were created",
        counts.created
    );
    assert_eq!(world.stored().await.len(), counts.created);
    assert_eq!(report.verdict(), Verdict::Partial);
    // The next run finishes, and changes nothing.
    let before = world.stored().await;
    let again = World::on(world.stage, &many(40));
    assert_eq!(again.run().await.verdict(), Verdict::Done);
    let after = again.stored().await;
    assert_eq!(after.len(), 40);
    assert!(before.iter().all(|(id, value)| after[id] == *value));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_before_it_begins_writes_nothing() {
    let world = world_of(3, 4);
    world.cancel.cancel();
    let report = world.run().await;
    assert_eq!(report.counts().cancelled, 3);
    assert_eq!(report.verdict(), Verdict::Failed);
    assert!(world.stage.log().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_does_not_answer_in_time_is_uncertain() {
    let secrets = format!("{}  last: {{compose: \"${{key-001}}!\"}}\n", many(4));
    let world = World::new(Kind::Local, &secrets).concurrency(1);
    let cancel = world.cancel.clone();
    world.stage.play(move |_, name| match name.as_str() {
        "key-001" => {
            cancel.cancel();
            Play::Hang
        }
        _ => Play::Pass,
    });
    let begin = Instant::now();
    let report = world.run().await;
    assert_eq!(
        fates(&report),
        [
            "key-000 created",
            "key-001 uncertain: store `key-001`: the run was stopped before the answer came",
            "key-002 cancelled",
            "key-003 cancelled",
            "last cancelled",
        ]
    );
    assert_eq!(
        begin.elapsed(),
        Duration::from_secs(5),
        "the grace that the test gives"
    );
    assert_eq!(report.verdict(), Verdict::Partial);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_does_not_answer_in_time_leaves_nothing_uncertain() {
    let secrets = "  key: {generate: {hex: 4}}\n  text: {compose: \"${key}!\"}\n";
    let world = World::new(Kind::Local, secrets);
    world.put("key", "k");
    let cancel = world.cancel.clone();
    world.stage.play(move |_, _| {
        cancel.cancel();
        Play::Hang
    });
    let report = world.run().await;
    assert_eq!(fates(&report), ["key kept", "text cancelled"]);
    assert_eq!(report.verdict(), Verdict::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_run_sends_no_second_write_for_an_entry() {
    let secrets = "  agent: {fields: {KEY: {generate: {hex: 4}}}}\n";
    let world = World::new(Kind::Local, secrets);
    let cancel = world.cancel.clone();
    world.stage.play(move |_, _| {
        cancel.cancel();
        Play::Preempt(crate::world::fields(&[("other", "o")]))
    });
    let report = world.run().await;
    assert_eq!(fates(&report), ["agent#KEY cancelled"]);
    assert_eq!(world.stage.log(), ["create agent"]);
}

#[tokio::test(start_paused = true)]
async fn stopping_is_told_with_what_is_under_way() {
    struct Told(std::sync::Mutex<Vec<String>>, StopAfter);
    impl Observer for Told {
        fn event(&self, event: Event<'_>) {
            if let Event::Stopping { under_way } = event {
                let names: Vec<&str> = under_way.iter().map(|entry| entry.as_str()).collect();
                self.0.lock().unwrap().push(names.join(" "));
            }
            self.1.event(event);
        }
    }
    let world = world_of(40, 4);
    let stop = StopAfter {
        values: AtomicUsize::new(1),
        cancel: world.cancel.clone(),
    };
    let told = Told(std::sync::Mutex::default(), stop);
    let report = world.run_told(&told).await;
    assert_eq!(*told.0.lock().unwrap(), ["key-001 key-002 key-003"]);
    assert!(
        report
            .outcomes
            .iter()
            .all(|outcome| matches!(outcome.fate, Fate::Created | Fate::Cancelled))
    );
    assert_eq!(report.counts().created, 4);
}

/// Stops at the first word of a run that is stopping: waits for nothing.
struct AtOnce(CancellationToken);

impl Observer for AtOnce {
    fn event(&self, event: Event<'_>) {
        if let Event::Stopping { .. } = event {
            self.0.cancel();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_word_ends_the_waiting_and_leaves_what_was_sent_uncertain() {
    let world = World::new(Kind::Local, &many(4)).concurrency(2);
    let cancel = world.cancel.clone();
    world.stage.play(move |_, name| match name.as_str() {
        "key-001" => {
            cancel.cancel();
            Play::LoseAndHang
        }
        _ => Play::Pass,
    });
    let begin = Instant::now();
    let report = world.run_told(&AtOnce(world.abandon.clone())).await;
    assert_eq!(begin.elapsed(), Duration::ZERO, "nothing was waited for");
    let open = "key-001 uncertain: store `key-001`: the run was stopped before the answer came";
    let fates = fates(&report);
    assert!(fates.contains(&open.to_owned()), "{fates:?}");
    assert_eq!(report.counts().uncertain, 1, "{fates:?}");
    assert_eq!(report.verdict(), Verdict::Partial);
    // Uncertain was the right word: it is there, and the next run keeps it.
    let again = World::on(world.stage, &many(4));
    again.stage.play(|_, _| Play::Pass);
    assert_eq!(again.run().await.counts().kept, 1 + report.counts().created);
}

#[tokio::test(start_paused = true)]
async fn a_second_word_while_only_reading_leaves_nothing_uncertain() {
    let secrets = "  key: {generate: {hex: 4}}\n  text: {compose: \"${key}!\"}\n";
    let world = World::new(Kind::Local, secrets);
    world.put("key", "k");
    let cancel = world.cancel.clone();
    world.stage.play(move |_, _| {
        cancel.cancel();
        Play::Hang
    });
    let begin = Instant::now();
    let report = world.run_told(&AtOnce(world.abandon.clone())).await;
    assert_eq!(begin.elapsed(), Duration::ZERO, "nothing was waited for");
    assert_eq!(fates(&report), ["key kept", "text cancelled"]);
    assert_eq!(report.verdict(), Verdict::Failed);
}
