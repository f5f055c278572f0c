//! How much happens at once, and how long values live.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use seed_core::backend::Kind;
use seed_core::report::Verdict;
use seed_engine::{Event, Observer};
use seed_provider::{Memory, Provider as _};
use tokio::time::Instant;

use crate::world::{Stage, World};

const LATENCY: Duration = Duration::from_millis(80);

fn keys(entries: usize) -> String {
    (0..entries)
        .map(|at| format!("  key-{at:03}: {{generate: {{hex: 4}}}}\n"))
        .collect()
}

fn slow(kind: Kind) -> Arc<Stage> {
    Stage::new(Memory::of(kind).with_latency(LATENCY))
}

#[tokio::test(start_paused = true)]
async fn the_backends_own_word_bounds_the_calls() {
    let stage = slow(Kind::Local);
    let word = stage.describe().capabilities.concurrency.get();
    let world = World::on(stage, &keys(200));
    let begin = Instant::now();
    assert_eq!(world.run().await.verdict(), Verdict::Done);
    assert_eq!(world.stage.memory.peak(), word);
    // One look, then 200 writes in full rows.
    let rows = u32::try_from(200_usize.div_ceil(word)).unwrap();
    assert_eq!(begin.elapsed(), LATENCY * (rows + 1));
}

#[tokio::test(start_paused = true)]
async fn the_callers_word_wins() {
    for calls in [1, 3, 64] {
        let world = World::on(slow(Kind::Local), &keys(100)).concurrency(calls);
        assert_eq!(world.run().await.verdict(), Verdict::Done);
        assert_eq!(world.stage.memory.peak(), calls);
    }
}

/// Counts values that are drawn and not settled yet.
#[derive(Default)]
struct Live {
    now: AtomicUsize,
    peak: AtomicUsize,
}

impl Observer for Live {
    fn event(&self, event: Event<'_>) {
        if let Event::Settled { .. } = event {
            self.now.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_is_drawn_only_when_its_turn_comes() {
    let world = World::on(slow(Kind::Local), &keys(200)).concurrency(5);
    let live = Arc::new(Live::default());
    let collected = world.collect().await;
    let plan = world.plan_from(&collected.inventories);
    let (counted, seed) = (Arc::clone(&live), AtomicU64::new(0));
    let report = world
        .apply_drawing(&plan, &collected.inventories, live.as_ref(), &move || {
            let now = counted.now.fetch_add(1, Ordering::Relaxed) + 1;
            counted.peak.fetch_max(now, Ordering::Relaxed);
            Box::new(ChaCha20Rng::seed_from_u64(
                seed.fetch_add(1, Ordering::Relaxed),
            ))
        })
        .await;
    assert_eq!(report.counts().created, 200);
    assert_eq!(live.peak.load(Ordering::Relaxed), 5);
}

#[tokio::test(start_paused = true)]
async fn products_follow_their_sources_so_that_values_do_not_pile_up() {
    // All sources stand before all products.
    let sources = (0..20).map(|at| format!("  a-{at:02}: {{generate: {{hex: 4}}}}\n"));
    let products =
        (0..20).map(|at| format!("  b-{at:02}: {{derive: {{sha256: {{of: a-{at:02}}}}}}}\n"));
    let world =
        World::new(Kind::Local, &sources.chain(products).collect::<String>()).concurrency(1);
    assert_eq!(world.run().await.verdict(), Verdict::Done);
    let wanted: Vec<String> = (0..20)
        .flat_map(|at| [format!("create a-{at:02}"), format!("create b-{at:02}")])
        .collect();
    assert_eq!(world.stage.log(), wanted);
}

#[tokio::test]
async fn one_read_serves_all_that_is_made_from_an_entry() {
    let secrets = "
  agent: {fields: {A: {generate: {hex: 4}}, B: {generate: {hex: 4}}}}
  one: {compose: \"${agent#A}\"}
  two: {compose: \"${agent#B}${agent#A}\"}
  three: {derive: {sha256: {of: \"agent#B\"}}}
";
    let world = World::new(Kind::AwsSm, secrets);
    world.put_fields("agent", &[("A", "a"), ("B", "b")]);
    assert_eq!(world.run().await.counts().created, 3);
    let reads = world
        .stage
        .log()
        .into_iter()
        .filter(|line| line == "read agent")
        .count();
    assert_eq!(reads, 1);
    assert_eq!(world.stored().await["two"], b"ba");
}

#[tokio::test(start_paused = true)]
async fn each_backend_has_its_own_bound() {
    let source = "
version: 1
name: shop
backend: near
backends:
  near: {kind: local, file: seed.age}
  far: {kind: vault, address: \"https://vault.example.com\", mount: secret}
secrets:
  near-password: {generate: {hex: 16}}
  far-hash: {backend: far, derive: {bcrypt: {of: near-password, cost: 4}}}
  back: {compose: \"${far-hash}!\"}
";
    let resolved = Arc::new(crate::world::of_source(source));
    let (near, far) = (slow(Kind::Local), slow(Kind::Vault));
    let providers: seed_engine::Providers = [("near", &near), ("far", &far)]
        .into_iter()
        .map(|(name, stage)| {
            (
                name.to_owned(),
                Arc::clone(stage) as Arc<dyn seed_provider::Provider>,
            )
        })
        .collect();
    let collected =
        seed_engine::collect(&resolved, &providers, seed_core::inventory::Depth::Fields).await;
    assert!(collected.errors.is_empty());
    let plan = seed_core::plan::plan(seed_core::plan::Input::new(
        &resolved,
        &collected.inventories,
        &BTreeSet::new(),
    ));
    let report = seed_engine::apply(seed_engine::Job {
        resolved: Arc::clone(&resolved),
        plan: &plan,
        inventories: &collected.inventories,
        providers: &providers,
        replacers: &BTreeMap::new(),
        convergers: &BTreeMap::new(),
        findings: &seed_core::plan::Findings::NONE,
        given: &BTreeMap::new(),
        unchecked: &BTreeSet::new(),
        selection: &seed_core::plan::Selection::ALL,
        concurrency: None,
        cancel: tokio_util::sync::CancellationToken::new(),
        abandon: tokio_util::sync::CancellationToken::new(),
        grace: Duration::ZERO,
        randomness: &|| Box::new(ChaCha20Rng::seed_from_u64(1)),
        now: &|| 0,
        observer: &(),
    })
    .await;
    assert_eq!(report.counts().created, 3);
    assert_eq!(near.log(), ["create near-password", "create back"]);
    assert_eq!(far.log(), ["create far-hash"]);
}
