//! How many calls it takes.

use seed_azure_kv::Credentials;
use seed_core::document::Document;
use seed_core::inventory::{Depth, Presence};
use seed_fakes::{Answer, AzureKv, Fault, When};
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

/// Some places give tokens only for as long as their own live on.
#[tokio::test]
async fn a_token_that_lives_for_some_minutes_is_asked_for_once() {
    let stand = Stand::new();
    stand.service().put("key", "x");
    let body = serde_json::json!({
        "token_type": "Bearer",
        "expires_in": 240,
        "access_token": stand.service().token(),
    });
    let short = Fault::Answer(Answer::json(200, &body));
    stand.server.fault(When::operation("Token"), short, None);
    let text = |text: &str| Some(text.to_owned());
    let mut config = stand.config();
    config.credentials = Credentials::Usual;
    config.surroundings.authority = Some(stand.server.url());
    config.surroundings.tenant = text(AzureKv::TENANT);
    config.surroundings.client = text(AzureKv::CLIENT);
    config.surroundings.client_secret = text(AzureKv::CLIENT_SECRET);
    let adapter = seed_azure_kv::AzureKv::new(config, crate::support::policy()).unwrap();
    let key = name("key");
    for _ in 0..3 {
        let read = adapter.read(&key, seed_provider::WantedShape::Single);
        read.await.unwrap();
    }
    assert_eq!(stand.server.log().count("Token"), 1);
}

/// Only their versions tell whether they stand, but nobody wrote beside that run.
#[tokio::test]
async fn what_another_run_wrote_is_looked_at_one_by_one_unless_one_run_wrote_many() {
    for (count, runs, looks) in [(3, 1, 3), (70, 1, 0), (70, 2, 70)] {
        let stand = Stand::new();
        let writers = [stand.adapter(), stand.adapter()];
        let mut names = Vec::new();
        for key in 0..count {
            let one = wanted(&format!("key-{key}"), &[], Depth::Metadata);
            let value = Document::Single("x".to_owned().into());
            let writer = &writers[key % runs];
            let marks = Marks::of("test");
            writer.create(&one.name, &value, &marks).await.unwrap();
            names.push(one);
        }
        for (minutes, looks) in [(0, looks), (31, 0)] {
            stand.service().advance(minutes * 60);
            let adapter = stand.ready().await;
            let inventory = adapter.inventory(&names).await.unwrap();
            for one in &names {
                let presence = inventory.get(&one.name);
                assert!(
                    matches!(presence, Some(Presence::Present { .. })),
                    "{presence:?}"
                );
            }
            let looked = stand.server.log().count("GetSecretVersions");
            assert_eq!(looked, looks, "{count} keys of {runs} runs");
        }
    }
}

#[tokio::test]
async fn one_entry_with_fields_is_looked_at_without_the_rest_of_the_vault() {
    let stand = Stand::new();
    for key in 0..30 {
        stand.service().put(&format!("other-{key}"), "x");
    }
    stand.service().put("key", "{\"a\":\"1\"}");
    let adapter = stand.ready().await;
    let one = wanted("key", &["a"], Depth::Fields);
    adapter.inventory(&[one]).await.unwrap();
    let counts = stand.server.log().counts();
    insta::assert_snapshot!(format!("{counts:?}"), @r#"{"GetSecret": 1}"#);
}
