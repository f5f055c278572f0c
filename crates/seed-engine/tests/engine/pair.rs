//! A password and its hash, whichever of them is there.

use seed_core::backend::Kind;
use seed_core::report::Verdict;
use seed_provider::Operation;

use crate::world::{World, fates, fields, single};

const ENTRIES: &str = "
  dex-admin-password: {generate: {hex: 16}}
  dex-admin-hash: {derive: {bcrypt: {of: dex-admin-password, cost: 4}}}
";
const FIELDS: &str = "
  dex:
    fields:
      password: {generate: {hex: 16}}
      hash: {derive: {bcrypt: {of: password, cost: 4}}}
";
/// The hash of a password that nobody knows.
const HASH: &str = "$2a$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

fn known(world: &World, password: bool, hash: bool) {
    if password {
        world.put("dex-admin-password", "correct horse");
    }
    if hash {
        world.put("dex-admin-hash", HASH);
    }
}

#[tokio::test]
async fn the_pair_is_whole_or_blocked_whatever_was_there() {
    for kind in [Kind::Local, Kind::Vault, Kind::Gcpsm, Kind::AzureKv] {
        for (password, hash, wanted, verdict) in [
            (false, false, ["created", "created"], Verdict::Done),
            (true, false, ["kept", "created"], Verdict::Done),
            (false, true, ["block", "kept"], Verdict::Blocked),
            (true, true, ["kept", "kept"], Verdict::Done),
        ] {
            let world = World::new(kind, ENTRIES);
            known(&world, password, hash);
            let before = world.stored().await;
            let report = world.run().await;
            let words: Vec<String> = fates(&report)
                .into_iter()
                .map(|fate| {
                    fate.split(' ')
                        .nth(1)
                        .unwrap_or_default()
                        .replace("blocked", "block")
                })
                .collect();
            assert_eq!(words, wanted, "{kind}");
            assert_eq!(report.verdict(), verdict, "{kind}");
            let after = world.stored().await;
            for (id, value) in &before {
                assert_eq!(&after[id], value, "{kind}: {id} has changed");
            }
            if !password && hash {
                assert_eq!(world.stage.memory.calls(Operation::Create), 0, "{kind}");
                assert_eq!(after, before, "{kind}");
            } else if !hash {
                // The hash is of the stored password, whoever stored it.
                world.assert_whole().await;
            }
        }
    }
}

#[tokio::test]
async fn fields_of_one_entry_are_a_pair_too() {
    for kind in [Kind::Local, Kind::Vault, Kind::AwsSm] {
        for (there, wanted) in [
            (vec![], ["dex#password created", "dex#hash created"]),
            (
                vec![("password", "correct horse")],
                ["dex#password kept", "dex#hash created"],
            ),
            (
                vec![("hash", HASH)],
                ["dex#password blocked", "dex#hash kept"],
            ),
        ] {
            let world = World::new(kind, FIELDS);
            if !there.is_empty() {
                world.put_fields("dex", &there);
            }
            let report = world.run().await;
            assert_eq!(fates(&report), wanted, "{kind}");
            if there.iter().all(|(name, _)| *name != "hash") {
                world.assert_whole().await;
            }
        }
    }
}

#[tokio::test]
async fn fields_that_nobody_declared_stay() {
    for kind in [Kind::Local, Kind::Kubernetes, Kind::AwsSm] {
        let world = World::new(kind, FIELDS);
        world.put_fields(
            "dex",
            &[("stranger", "stays"), ("password", "correct horse")],
        );
        let report = world.run().await;
        assert_eq!(fates(&report), ["dex#password kept", "dex#hash created"]);
        assert_eq!(
            world.stage.log(),
            ["read dex", "add-fields dex"],
            "one read, one write on {kind}"
        );
        let extended = "  dex: {fields: {stranger: {provide: {how: ask}}}}\n";
        let stranger = World::on(world.stage, extended);
        assert_eq!(stranger.stored().await["dex#stranger"], b"stays", "{kind}");
    }
}

#[tokio::test]
async fn a_source_that_cannot_be_read_stops_only_what_is_made_from_it() {
    let secrets = format!("{ENTRIES}  other: {{generate: {{hex: 4}}}}\n");
    let world = World::new(Kind::Local, &secrets);
    known(&world, true, false);
    let denied = crate::world::Play::Fail(seed_provider::ErrorKind::Denied);
    world
        .stage
        .play_once(Operation::Read, "dex-admin-password", denied);
    let report = world.run().await;
    assert_eq!(
        fates(&report),
        [
            "dex-admin-password kept",
            "dex-admin-hash skipped because of dex-admin-password: \
             read `dex-admin-password`: as the test wants (request id r-7)",
            "other created",
        ]
    );
    assert_eq!(report.verdict(), Verdict::Partial);
    assert_eq!(world.stored().await.len(), 2);
}

#[tokio::test]
async fn a_source_of_another_shape_is_not_guessed_at() {
    let secrets = "
  agent: {fields: {password: {provide: {how: ask}}}}
  hash: {derive: {sha256: {of: \"agent#password\"}}}
  coded: {provide: {how: ask}, encode: base64}
  digest: {derive: {sha256: {of: coded}}}
";
    let world = World::new(Kind::AwsSm, secrets);
    world
        .stage
        .memory
        .put(&world.name("agent"), &fields(&[("password", "p")]))
        .unwrap();
    world.put("coded", "not base64!");
    // Between the look and the read somebody makes one value of it.
    let plain = crate::world::Play::Preempt(single("plain"));
    world.stage.play_once(Operation::Read, "agent", plain);
    let report = world.run().await;
    assert_eq!(
        fates(&report),
        [
            "agent#password kept",
            "hash skipped because of agent#password: read `agent`: one value is stored, not several: \
             the stored value is not a JSON object",
            "coded kept",
            "digest skipped because of coded: read `coded`: what is stored is not base64",
        ]
    );
    assert_eq!(report.verdict(), Verdict::Failed);
}
