//! Somebody else writes at the same time.

use std::sync::Arc;
use std::time::Duration;

use seed_core::backend::Kind;
use seed_core::document::Document;
use seed_core::inventory::Version;
use seed_core::plan::{Input, Proof, plan};
use seed_core::report::Verdict;
use seed_core::resolve::ResolvedSource;
use seed_core::value::verify;
use seed_provider::{ErrorKind, Memory, Operation, Provider as _};

use crate::world::{Play, Stage, World, fates, fields, id, secret, single};

const PAIR: &str = "
  password: {generate: {hex: 16}}
  hash: {derive: {bcrypt: {of: password, cost: 4}}}
";
const FIELDS: &str = "
  agent:
    fields:
      PASSWORD: {generate: {hex: 16}}
      HASH: {derive: {bcrypt: {of: PASSWORD, cost: 4}}}
      OTHER: {generate: {hex: 16}}
  url: {compose: \"u:${agent#PASSWORD}\"}
";

fn of(kind: Kind, text: &str) -> Document {
    if kind.is_map() {
        fields(&[("value", text)])
    } else {
        single(text)
    }
}

#[tokio::test]
async fn after_a_lost_race_others_are_made_from_what_is_stored() {
    for kind in [Kind::Local, Kind::Vault, Kind::AzureKv] {
        let world = World::new(kind, PAIR);
        let first = Play::Preempt(of(kind, "the winner's"));
        world.stage.play_once(Operation::Create, "password", first);
        let report = world.run().await;
        assert_eq!(fates(&report), ["password lost", "hash created"], "{kind}");
        assert_eq!(report.verdict(), Verdict::Done);
        assert_eq!(world.stored().await["password"], b"the winner's");
        world.assert_whole().await;
        assert_eq!(
            world.stage.log(),
            ["create password", "read password", "create hash"]
        );
    }
}

#[tokio::test]
async fn a_lost_race_that_nothing_depends_on_reads_nothing() {
    let world = World::new(Kind::Local, "  key: {generate: {hex: 16}}\n");
    world
        .stage
        .play_once(Operation::Create, "key", Play::Preempt(single("winner's")));
    let report = world.run().await;
    assert_eq!(fates(&report), ["key lost"]);
    assert_eq!(world.stage.log(), ["create key"]);
}

#[tokio::test]
async fn nothing_is_made_from_a_losing_value() {
    let world = World::new(Kind::Local, PAIR);
    world
        .stage
        .play(|operation, name| match (operation, name.as_str()) {
            (Operation::Create, "password") => Play::Preempt(single("winner's")),
            (Operation::Read, _) => Play::Fail(ErrorKind::Denied),
            _ => Play::Pass,
        });
    let report = world.run().await;
    assert_eq!(
        fates(&report),
        [
            "password lost",
            "hash skipped because of password: read `password`: as the test wants (request id r-7)"
        ]
    );
    assert_eq!(report.verdict(), Verdict::Failed);
    assert_eq!(world.stored().await.len(), 1);
}

#[tokio::test]
async fn a_persons_value_that_loses_is_said_unless_it_is_the_one_that_is_stored() {
    for (stored, fate, verdict) in [
        (
            "somebody else's",
            "token lost, given dropped",
            Verdict::Blocked,
        ),
        ("<mine>", "token lost", Verdict::Done),
    ] {
        let secrets =
            "  token: {provide: {how: ask}, prefix: \"<\", suffix: \">\", encode: base64}\n";
        let world = World::new(Kind::Local, secrets).give("token", "mine\n");
        let stored = seed_core::value::encode_base64(stored.as_bytes());
        world.stage.play_once(
            Operation::Create,
            "token",
            Play::Preempt(Document::Single(stored)),
        );
        let report = world.run().await;
        assert_eq!(fates(&report), [fate]);
        assert_eq!(report.verdict(), verdict);
    }
}

#[tokio::test]
async fn a_persons_value_that_loses_unseen_counts_as_dropped() {
    let world = World::new(Kind::Local, "  token: {provide: {how: ask}}\n").give("token", "mine");
    world.stage.play(|operation, _| {
        if operation == Operation::Create {
            Play::Preempt(single("mine"))
        } else {
            Play::Fail(ErrorKind::Denied)
        }
    });
    assert_eq!(fates(&world.run().await), ["token lost, given dropped"]);
}

/// Some backends keep a name first and its value after it.
#[tokio::test(start_paused = true)]
async fn whoever_was_faster_is_given_time_to_finish() {
    let world = World::new(Kind::Gcpsm, PAIR);
    let mut reads = 0;
    world.stage.play(move |operation, name| {
        if name.as_str() != "password" {
            return Play::Pass;
        }
        reads += usize::from(operation == Operation::Read);
        match (operation, reads) {
            (Operation::Create, _) => Play::Fail(ErrorKind::AlreadyExists),
            (_, 3) => Play::Preempt(single("winner's")),
            _ => Play::Pass,
        }
    });
    let report = world.run().await;
    assert_eq!(fates(&report), ["password lost", "hash created"]);
    assert_eq!(world.stored().await["password"], b"winner's");
    world.assert_whole().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_was_faster_and_never_finishes_is_not_waited_for_for_ever() {
    let world = World::new(Kind::Gcpsm, &format!("{PAIR}{FIELDS}"));
    world.stage.play(|operation, _| {
        if operation == Operation::Create {
            Play::Fail(ErrorKind::AlreadyExists)
        } else {
            Play::Pass
        }
    });
    let report = world.run().await;
    let told = fates(&report);
    assert_eq!(
        told[..3],
        [
            "password lost",
            "hash skipped because of password: it is not there",
            "agent#PASSWORD failed (conflict): add to `agent`: it changed meanwhile, and is now gone",
        ]
    );
    assert_eq!(report.verdict(), Verdict::Failed);
}

#[tokio::test]
async fn fields_that_appear_meanwhile_are_kept_and_the_others_added() {
    for kind in [Kind::Local, Kind::Kubernetes, Kind::Gcpsm] {
        let world = World::new(kind, FIELDS);
        let first = fields(&[("PASSWORD", "the winner's"), ("stranger", "stays")]);
        world
            .stage
            .play_once(Operation::Create, "agent", Play::Preempt(first));
        let report = world.run().await;
        assert_eq!(
            fates(&report),
            [
                "agent#PASSWORD lost",
                "agent#HASH created",
                "agent#OTHER created",
                "url created"
            ],
            "{kind}"
        );
        assert_eq!(world.stored().await["agent#PASSWORD"], b"the winner's");
        // The hash is of the winner's password, not of ours.
        world.assert_whole().await;
        assert_eq!(
            world.stage.log(),
            [
                "create agent",
                "read agent",
                "add-fields agent",
                "create url"
            ]
        );
    }
}

#[tokio::test]
async fn a_change_elsewhere_in_the_entry_costs_one_more_try() {
    for kind in [Kind::Local, Kind::Vault, Kind::Gcpsm] {
        let world = World::new(kind, FIELDS);
        world.put_fields("agent", &[("stranger", "1")]);
        let changed = fields(&[("stranger", "2")]);
        world
            .stage
            .play_once(Operation::AddFields, "agent", Play::Preempt(changed));
        let report = world.run().await;
        assert_eq!(report.counts().created, 4, "{kind}: {:?}", fates(&report));
        world.assert_whole().await;
        assert_eq!(
            world.stage.log(),
            ["add-fields agent", "add-fields agent", "create url"]
        );
    }
}

#[tokio::test]
async fn a_product_that_appears_without_its_source_blocks_the_source() {
    let world = World::new(Kind::Local, FIELDS);
    let half = fields(&[("HASH", "of nobody knows what")]);
    world
        .stage
        .play_once(Operation::Create, "agent", Play::Preempt(half));
    let report = world.run().await;
    assert_eq!(
        fates(&report),
        [
            "agent#PASSWORD blocked",
            "agent#HASH lost",
            "agent#OTHER created",
            "url blocked"
        ]
    );
    assert_eq!(report.verdict(), Verdict::Blocked);
    let stored = world.stored().await;
    assert_eq!(
        stored.keys().collect::<Vec<_>>(),
        ["agent#HASH", "agent#OTHER"]
    );
    // The next plan says the same.
    let again = world.run().await;
    assert_eq!(
        fates(&again),
        [
            "agent#PASSWORD blocked",
            "agent#HASH kept",
            "agent#OTHER kept",
            "url blocked"
        ]
    );
}

#[tokio::test]
async fn an_entry_that_changes_again_and_again_is_given_up() {
    let world = World::new(Kind::Local, FIELDS);
    world.put_fields("agent", &[("stranger", "0")]);
    let mut at = 0;
    world.stage.play(move |operation, _| {
        at += 1;
        if operation == Operation::AddFields {
            Play::Preempt(fields(&[("stranger", at.to_string().as_str())]))
        } else {
            Play::Pass
        }
    });
    let report = world.run().await;
    assert_eq!(
        fates(&report)[0],
        "agent#PASSWORD failed (conflict): add to `agent`: it is changed again and again: it was changed meanwhile"
    );
    assert_eq!(fates(&report)[3], "url skipped because of agent#PASSWORD");
    assert_eq!(world.stage.log().len(), 10);
}

#[tokio::test]
async fn what_has_become_something_else_is_left_alone() {
    let world = World::new(Kind::Gcpsm, FIELDS);
    world.put_fields("agent", &[("stranger", "0")]);
    world.stage.play_once(
        Operation::AddFields,
        "agent",
        Play::Preempt(single("plain text")),
    );
    let report = world.run().await;
    assert_eq!(
        fates(&report)[0],
        "agent#PASSWORD failed (conflict): add to `agent`: it changed meanwhile, and is now \
         one value, where several are declared"
    );
    assert_eq!(report.verdict(), Verdict::Failed);
}

#[tokio::test]
async fn later_fields_of_an_entry_that_somebody_else_made_are_still_added() {
    let secrets = "
  agent:
    fields:
      PASSWORD: {generate: {hex: 16}}
      BACK: {compose: \"${through}!\"}
  through: {compose: \"<${agent#PASSWORD}>\"}
";
    for kind in [Kind::Local, Kind::Vault, Kind::AwsSm] {
        let world = World::new(kind, secrets);
        let first = fields(&[("PASSWORD", "winner's")]);
        world
            .stage
            .play_once(Operation::Create, "agent", Play::Preempt(first));
        let report = world.run().await;
        assert_eq!(
            fates(&report),
            [
                "agent#PASSWORD lost",
                "agent#BACK created",
                "through created"
            ],
            "{kind}"
        );
        assert_eq!(world.stored().await["agent#BACK"], b"<winner's>!");
    }
}

/// What eight runs at once write.
const SHARED: &str = "
  password: {generate: {hex: 16}}
  hash: {derive: {bcrypt: {of: password, cost: 4}}}
  url: {compose: \"u:${password}\"}
  both: {compose: \"${url} ${agent#PASSWORD}\"}
  agent:
    fields:
      PASSWORD: {generate: {hex: 16}}
      HASH: {derive: {sha256: {of: PASSWORD}}}
      BACK: {compose: \"${through}!\"}
  through: {compose: \"<${agent#PASSWORD}>\"}
  user: {value: shop}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_runs_at_once_store_each_value_once() {
    for kind in [Kind::Local, Kind::Vault, Kind::AwsSm] {
        let memory = Memory::of(kind).with_latency(Duration::from_millis(2));
        let stage = Stage::new(memory);
        let worlds: Vec<World> = (0..8)
            .map(|_| World::on(Arc::clone(&stage), SHARED))
            .collect();
        let reports = futures::future::join_all(worlds.iter().map(World::run)).await;
        let mut created = std::collections::BTreeMap::new();
        for report in &reports {
            assert_eq!(
                report.verdict(),
                Verdict::Done,
                "{kind}: {:?}",
                fates(report)
            );
            for outcome in &report.outcomes {
                let is_created = outcome.fate == seed_core::report::Fate::Created;
                *created.entry(outcome.id.clone()).or_insert(0) += usize::from(is_created);
            }
        }
        assert!(
            created.values().all(|times| *times == 1),
            "{kind}: {created:?}"
        );
        worlds[0].assert_whole().await;
        // Versions are counted over the whole backend: seven entries, one of which grew once.
        let version = stage
            .memory
            .put(&worlds[0].name("user"), &of(kind, "later"))
            .unwrap();
        assert_eq!(version, Version::new("9"), "{kind}");
        assert!(worlds[7].plan().await.writes.is_empty());
    }
}

#[tokio::test]
async fn the_stored_hash_verifies_whoever_wins_which_write() {
    // Another run, step for step between ours.
    for steps in 0..3 {
        let stage = Stage::new(Memory::of(Kind::Local));
        let (ours, theirs) = (
            World::on(Arc::clone(&stage), PAIR),
            World::on(Arc::clone(&stage), PAIR),
        );
        let collected = ours.collect().await;
        let plan = ours.plan_from(&collected.inventories);
        if steps > 0 {
            let first = if steps == 1 {
                "  password: {generate: {hex: 16}}\n"
            } else {
                PAIR
            };
            let partial = World::on(Arc::clone(&stage), first);
            assert_eq!(partial.run().await.verdict(), Verdict::Done);
        }
        let report = ours.apply(&plan, &collected.inventories, &()).await;
        assert_eq!(report.verdict(), Verdict::Done, "after {steps} steps");
        assert_eq!(report.counts().lost, steps, "after {steps} steps");
        theirs.assert_whole().await;
    }
    let world = World::new(Kind::Local, PAIR);
    assert_eq!(world.run().await.verdict(), Verdict::Done);
    let Some(ResolvedSource::Derive { derivation, .. }) =
        &world.resolved.value(&id("hash")).unwrap().source
    else {
        panic!("it is derived");
    };
    let stored = world.stored().await;
    let hash = secret(std::str::from_utf8(&stored["hash"]).unwrap());
    assert!(
        !verify(derivation, &secret("another"), &hash).unwrap(),
        "the check itself can fail"
    );
    assert_eq!(world.stage.describe().kind, Kind::Local);
}

const PROVEN: &str = "
  dex:
    fields:
      password: {provide: {how: ask}}
      hash: {derive: {sha256: {of: password}}}
";

/// A given password that the stored hash was made from.
fn proven() -> World {
    let mut world = World::new(Kind::Local, PROVEN).give("dex#password", "mine");
    world.put_fields("dex", &[("hash", "made from it")]);
    let proof = Proof::Made([id("dex#hash")].into());
    world.findings.proofs.insert(id("dex#password"), proof);
    world
}

async fn run_proven(world: &World) -> Vec<String> {
    let inventories = world.collect().await.inventories;
    let given = world.given.keys().cloned().collect();
    let input = Input::new(&world.resolved, &inventories, &given);
    let plan = plan(input.knowing(&world.findings));
    fates(&world.apply(&plan, &inventories, &()).await)
}

#[tokio::test]
async fn a_proof_by_a_product_that_has_changed_meanwhile_does_not_count() {
    let world = proven();
    assert_eq!(
        run_proven(&world).await,
        ["dex#password created", "dex#hash kept"]
    );
    let world = proven();
    let theirs = Play::Preempt(fields(&[("hash", "another")]));
    world.stage.play_once(Operation::AddFields, "dex", theirs);
    assert_eq!(
        run_proven(&world).await,
        ["dex#password blocked", "dex#hash kept"]
    );
    assert_eq!(world.stored().await.len(), 1);
}

#[tokio::test]
async fn after_a_lost_answer_nothing_is_added_to_an_entry_that_has_got_a_product() {
    let secrets = "
  agent:
    fields:
      PASSWORD: {generate: {hex: 16}}
      OTHER: {provide: {how: ask}}
      MORE: {provide: {how: ask}}
      LINE: {compose: \"${PASSWORD} ${MORE}\"}
";
    let world = World::new(Kind::Local, secrets);
    world.put_fields("agent", &[("OTHER", "o")]);
    let mut adds = 0;
    let mut reads = 0;
    world.stage.play(move |operation, _| match operation {
        Operation::AddFields => {
            adds += 1;
            if adds == 1 {
                Play::Fail(ErrorKind::Indeterminate)
            } else {
                Play::Pass
            }
        }
        Operation::Read => {
            reads += 1;
            if reads == 1 {
                Play::Preempt(fields(&[("OTHER", "o"), ("LINE", "theirs")]))
            } else {
                Play::Pass
            }
        }
        Operation::Create
        | Operation::Identify
        | Operation::Inventory
        | Operation::ReadVersion
        | Operation::Replace
        | Operation::Restore
        | Operation::Settle => Play::Pass,
    });
    let report = world.run().await;
    let stored = world.stored().await;
    assert!(
        !stored.contains_key("agent#PASSWORD"),
        "{:?}",
        fates(&report)
    );
    assert_eq!(stored["agent#LINE"], b"theirs");
}

#[tokio::test]
async fn a_later_write_to_an_entry_that_somebody_else_made_is_decided_again() {
    let secrets = "
  app:
    fields:
      A: {generate: {hex: 16}}
      C: {derive: {sha256: {of: between}}}
      MORE: {provide: {how: ask}}
      D: {compose: \"${C} ${MORE}\"}
  between: {derive: {sha256: {of: \"app#A\"}}}
";
    let world = World::new(Kind::Local, secrets);
    let theirs = Play::Preempt(fields(&[("A", "theirs"), ("D", "made from their C")]));
    world.stage.play_once(Operation::Create, "app", theirs);
    let report = world.run().await;
    assert_eq!(
        fates(&report),
        [
            "app#A lost",
            "app#C blocked",
            "app#MORE ask",
            "app#D wait",
            "between created"
        ]
    );
    assert!(!world.stored().await.contains_key("app#C"));
}
