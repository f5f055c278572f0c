//! Looking.

use std::sync::Arc;

use seed_core::backend::Kind;
use seed_core::inventory::{Depth, Presence};
use seed_core::plan::{Action, Blocked};
use seed_core::report::Verdict;
use seed_engine::{Providers, collect};
use seed_provider::{Error, ErrorKind, Memory, Operation, Provider};

use crate::world::{BACKEND, World, fates};

const TWO: &str = "
version: 1
name: shop
backend: near
backends:
  near: {kind: local, file: seed.age}
  far: {kind: vault, address: \"https://vault.example.com\", mount: secret}
secrets:
  here: {generate: {hex: 16}}
  there: {backend: far, generate: {hex: 16}}
  also-there: {backend: far, fields: {a: {generate: {hex: 16}}}}
";

#[tokio::test]
async fn a_backend_that_fails_is_unknown_and_its_error_is_kept() {
    for (kind, hidden) in [
        (ErrorKind::Unauthenticated, false),
        (ErrorKind::Unavailable, false),
        (ErrorKind::NotFound, false),
        (ErrorKind::Denied, true),
    ] {
        let resolved = crate::world::of_source(TWO);
        let far = Arc::new(Memory::of(Kind::Vault));
        let err =
            Error::new(kind, Operation::Inventory, "as the test wants").with_request_id("r-1");
        far.fail_next(Operation::Inventory, None, err);
        let providers: Providers = [
            (
                "near".to_owned(),
                Arc::new(Memory::of(Kind::Local)) as Arc<dyn Provider>,
            ),
            ("far".to_owned(), far),
        ]
        .into();
        let collected = collect(&resolved, &providers, Depth::Fields).await;
        assert_eq!(collected.errors.keys().collect::<Vec<_>>(), ["far"]);
        assert_eq!(collected.errors["far"].kind(), kind);
        let reason = "as the test wants".to_owned();
        let presence = if hidden {
            Presence::Hidden { reason }
        } else {
            Presence::Unknown { reason }
        };
        let far = &collected.inventories["far"];
        assert_eq!(far.iter().count(), 2);
        assert!(far.iter().all(|(_, seen)| *seen == presence));
        let near = &collected.inventories["near"];
        assert!(near.iter().all(|(_, seen)| *seen == Presence::Absent));
    }
}

#[tokio::test]
async fn a_backend_without_a_provider_has_no_inventory() {
    let resolved = crate::world::of_source(TWO);
    let near: Arc<dyn Provider> = Arc::new(Memory::of(Kind::Local));
    let providers = Providers::from([("near".to_owned(), near)]);
    let collected = collect(&resolved, &providers, Depth::Fields).await;
    assert_eq!(collected.inventories.keys().collect::<Vec<_>>(), ["near"]);
    assert!(collected.errors.is_empty());
}

#[tokio::test]
async fn nothing_is_written_to_a_backend_that_could_not_be_seen() {
    let world = World::new(
        Kind::Vault,
        "  a: {generate: {hex: 4}}\n  b: {compose: \"${a}\"}\n",
    );
    let err = Error::new(
        ErrorKind::Unavailable,
        Operation::Inventory,
        "as the test wants",
    );
    world
        .stage
        .memory
        .fail_next(Operation::Inventory, None, err);
    let collected = world.collect().await;
    assert!(collected.errors.contains_key(BACKEND));
    let plan = world.plan_from(&collected.inventories);
    assert!(
        plan.steps
            .iter()
            .all(|step| matches!(step.action, Action::Blocked(Blocked::State(_))))
    );
    let report = world.apply(&plan, &collected.inventories, &()).await;
    assert_eq!(fates(&report), ["a blocked", "b blocked"]);
    assert_eq!(report.verdict(), Verdict::Blocked);
    assert!(world.stage.log().is_empty());
}
