//! Applying again.

use seed_core::backend::Kind;
use seed_core::report::Verdict;
use seed_provider::Operation;

use crate::world::{World, fates};

const SECRETS: &str = "
  api-key: {generate: {hex: 16}, prefix: sk-}
  raw: {generate: {bytes: 16}}
  user: {value: shop}
  password: {generate: {alnum: 16}}
  hash: {derive: {bcrypt: {of: password, cost: 4}}}
  digest: {derive: {sha256: {of: api-key}}}
  url: {compose: \"pg://shop:${password}@${password | name}/shop\"}
  coded: {compose: \"${password}\", encode: base64}
  agent:
    labels: {tier: gold}
    fields:
      USER: {value: agent}
      PASSWORD: {generate: {hex: 16}}
      HASH: {derive: {bcrypt: {of: PASSWORD, cost: 4}}}
      URL: {compose: \"http://${USER}:${PASSWORD}@agent\"}
";

#[tokio::test]
async fn a_second_run_writes_nothing_on_any_kind() {
    for kind in Kind::ALL {
        let world = World::new(kind, SECRETS);
        let first = world.run().await;
        assert_eq!(
            first.verdict(),
            Verdict::Done,
            "{kind}: {:?}",
            fates(&first)
        );
        assert_eq!(first.counts().created, 12, "{kind}");
        world.assert_whole().await;
        let stored = world.stored().await;
        assert_eq!(stored.len(), 12, "{kind}");

        world.stage.log();
        let plan = world.plan().await;
        assert!(plan.writes.is_empty() && plan.reads.is_empty(), "{kind}");
        let second = world.run().await;
        assert_eq!(second.counts().kept, 12, "{kind}");
        assert_eq!(second.verdict(), Verdict::Done, "{kind}");
        assert!(world.stage.log().is_empty(), "{kind}");
        assert_eq!(world.stored().await, stored, "{kind}");
    }
}

#[tokio::test]
async fn one_call_makes_one_entry() {
    let world = World::new(Kind::AwsSm, SECRETS);
    let report = world.run().await;
    assert_eq!(report.counts().created, 12);
    assert_eq!(world.stage.memory.calls(Operation::Create), 9);
    assert_eq!(world.stage.memory.calls(Operation::AddFields), 0);
    assert_eq!(world.stage.memory.calls(Operation::Read), 0);
    assert_eq!(world.stage.memory.calls(Operation::Inventory), 1);
}

#[tokio::test]
async fn every_object_says_whose_it_is() {
    let world = World::new(Kind::AwsSm, SECRETS);
    let report = world.run().await;
    assert_eq!(report.verdict(), Verdict::Done);
    let labels = world.stage.memory.labels(&world.name("agent")).unwrap();
    let labels: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(
        labels,
        [
            "managed-by=seed",
            "seed-contract=shop",
            "team=shop",
            "tier=gold"
        ]
    );
}

#[tokio::test]
async fn values_are_what_the_contract_says() {
    let world = World::new(Kind::Vault, SECRETS);
    let report = world.run().await;
    assert_eq!(report.verdict(), Verdict::Done);
    let stored = world.stored().await;
    let text = |id: &str| String::from_utf8(stored[id].clone()).unwrap();
    assert_eq!(text("user"), "shop");
    assert_eq!(text("api-key").len(), 35);
    assert!(text("api-key").starts_with("sk-"));
    assert_eq!(
        text("url"),
        format!("pg://shop:{}@password/shop", text("password"))
    );
    assert_eq!(text("coded"), text("password"));
    assert_eq!(
        text("agent#URL"),
        format!("http://agent:{}@agent", text("agent#PASSWORD"))
    );
    assert_eq!(stored["raw"].len(), 16);
}

#[tokio::test]
async fn what_a_person_must_give_waits_and_the_rest_is_created() {
    let secrets = "
  token: {provide: {how: ask}}
  hash: {derive: {sha256: {of: token}}}
  extra: {provide: {how: ask}, optional: true}
  later: {mint: {by: n8n}}
  key: {generate: {hex: 16}}
";
    let world = World::new(Kind::Local, secrets);
    let report = world.run().await;
    assert_eq!(
        fates(&report),
        [
            "token ask",
            "hash wait",
            "extra optional",
            "later minted",
            "key created"
        ]
    );
    assert_eq!(report.verdict(), Verdict::Waiting);

    let world = World::on(world.stage, secrets)
        .give("token", "abc\n")
        .give("key", "mine");
    let report = world.run().await;
    assert_eq!(
        fates(&report),
        [
            "token created",
            "hash created",
            "extra optional",
            "later minted",
            "key kept, given not used"
        ]
    );
    assert_eq!(report.verdict(), Verdict::Done);
    assert_eq!(world.stored().await["token"], b"abc");
    world.assert_whole().await;
}
