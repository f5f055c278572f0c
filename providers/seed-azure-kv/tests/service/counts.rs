//! How many calls it takes.

use seed_core::document::Document;
use seed_core::inventory::Depth;
use seed_provider::{Converge as _, Marks, Provider as _, Written};

use crate::support::{Stand, name, wanted};

#[tokio::test]
async fn a_plan_takes_one_call_for_each_page_and_a_create_a_look_a_write_and_a_look() {
    let stand = Stand::new();
    for key in 0..30 {
        stand.service().put(&format!("other-{key}"), "x");
    }
    let adapter = stand.adapter();
    let names: Vec<_> = (0..40)
        .map(|key| wanted(&format!("key-{key}"), &[], Depth::Metadata))
        .collect();
    adapter.inventory(&names).await.unwrap();
    let counts = stand.server.log().counts();
    insta::assert_snapshot!(format!("{counts:?}"), @r#"{"Challenge": 1, "GetDeletedSecrets": 1, "GetSecrets": 3}"#);
    stand.server.clear_log();
    let mut written = Vec::new();
    for wanted in &names {
        let value = Document::Single("x".to_owned().into());
        let version = adapter
            .create(&wanted.name, &value, &Marks::of("test"))
            .await
            .unwrap();
        written.push(Written {
            name: wanted.name.clone(),
            version,
        });
    }
    // Until the seconds of all are over.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    adapter.settle(&written).await.unwrap();
    let counts = stand.server.log().counts();
    insta::assert_snapshot!(format!("{counts:?}"), @r#"{"GetSecret": 40, "GetSecretVersions": 40, "SetSecret": 40}"#);
}

#[tokio::test]
async fn many_first_calls_at_once_are_challenged_once() {
    let stand = Stand::new();
    stand.service().put("key", "x");
    let adapter = stand.adapter();
    let reads = (0..32).map(|_| async {
        adapter
            .read(&name("key"), seed_provider::WantedShape::Single)
            .await
            .unwrap();
    });
    futures::future::join_all(reads).await;
    assert_eq!(stand.server.log().count("Challenge"), 1);
}
