//! Who is asked first, and who is then asked nothing more.

use std::sync::Arc;

use seed_core::backend::Kind;
use seed_engine::{Providers, identify, unreached};
use seed_provider::{Error, ErrorKind, Memory, Operation, Provider, WantedShape};

#[tokio::test]
async fn each_backend_is_asked_once_and_one_that_cannot_tell_is_asked_nothing_more() {
    let (one, other) = (
        Arc::new(Memory::of(Kind::Vault)),
        Arc::new(Memory::of(Kind::AwsSm)),
    );
    let error = Error::new(
        ErrorKind::Unauthenticated,
        Operation::Identify,
        "the token is expired",
    );
    other.fail_next(Operation::Identify, None, error);
    let provider = |memory: &Arc<Memory>| Arc::clone(memory) as Arc<dyn Provider>;
    let providers = Providers::from([
        ("one".to_owned(), provider(&one)),
        ("other".to_owned(), provider(&other)),
    ]);
    let mut identified = identify(&providers).await;
    assert_eq!(identified.identities.keys().collect::<Vec<_>>(), ["one"]);
    let error = identified.errors.remove("other").unwrap();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert_eq!(one.calls(Operation::Identify), 1);

    let other_now = unreached(provider(&other), error);
    assert_eq!(other_now.describe(), other.describe());
    let name = Kind::AwsSm.existing_name("a").unwrap();
    let inventory = other_now.inventory(&[]).await.unwrap_err();
    let read = other_now
        .read(&name, WantedShape::Single)
        .await
        .unwrap_err();
    for err in [inventory, read] {
        assert_eq!(
            err.to_string(),
            "find out where and as whom: the token is expired"
        );
    }
    assert_eq!(other.calls(Operation::Inventory), 0);
    assert_eq!(other.calls(Operation::Read), 0);
}
