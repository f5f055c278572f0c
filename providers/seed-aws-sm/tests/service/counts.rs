//! How many calls what takes.

use futures::{StreamExt as _, stream};
use seed_core::inventory::{Depth, Presence, Shape, Wanted};
use seed_fakes::{AwsSm, Clock, Quota, Server};
use seed_provider::{Marks, Provider as _, Replace as _};

use crate::support::{adapter, config, name, policy, wanted};
use crate::{fields, single};

fn counts(server: &Server<AwsSm>) -> Vec<(String, usize)> {
    server.log().counts().into_iter().collect()
}

fn told(counts: &[(&str, usize)]) -> Vec<(String, usize)> {
    let told = counts
        .iter()
        .map(|(call, count)| ((*call).to_owned(), *count));
    told.collect()
}

#[tokio::test]
async fn a_plan_takes_a_list_for_each_hundred_and_a_look_for_each_absent_name() {
    let server = Server::start(AwsSm::new());
    for n in 0..200 {
        server.service().put(&format!("app/{n:03}"), "v");
    }
    for n in 0..30 {
        server.service().put(&format!("app/stranger-{n}"), "v");
        server.service().put(&format!("elsewhere/{n}"), "v");
    }
    let asked = |depth| -> Vec<Wanted> {
        let names = (0..250).map(|n| wanted(&format!("app/{n:03}"), &[], depth));
        names.collect()
    };
    for (depth, looks) in [
        (
            Depth::Metadata,
            &[
                ("DescribeSecret", 50),
                ("GetCallerIdentity", 1),
                ("ListSecrets", 3),
            ][..],
        ),
        (
            Depth::Quick,
            &[("GetCallerIdentity", 1), ("ListSecrets", 3)],
        ),
    ] {
        server.clear_log();
        let adapter = adapter(&server.url());
        let asked = asked(depth);
        let seen = adapter.inventory(&asked).await.unwrap();
        let absent = seen
            .iter()
            .filter(|(_, presence)| **presence == Presence::Absent);
        assert_eq!(absent.count(), 50);
        assert_eq!(counts(&server), told(looks));
    }
}

#[tokio::test]
async fn fields_are_looked_into_twenty_entries_a_call() {
    let server = Server::start(AwsSm::new());
    for n in 0..45 {
        server
            .service()
            .put(&format!("app/{n}"), r#"{"a":"1","b":2}"#);
    }
    let asked: Vec<Wanted> = (0..45)
        .map(|n| wanted(&format!("app/{n}"), &["a", "c"], Depth::Fields))
        .collect();
    let adapter = adapter(&server.url());
    let seen = adapter.inventory(&asked).await.unwrap();
    let there = Shape::Fields(["a".to_owned(), "b".to_owned()].into());
    assert!(seen.iter().all(|(_, presence)| {
        matches!(presence, Presence::Present { shape, .. } if *shape == there)
    }));
    let calls = [
        ("BatchGetSecretValue", 3),
        ("GetCallerIdentity", 1),
        ("ListSecrets", 1),
    ];
    assert_eq!(counts(&server), told(&calls));
}

#[tokio::test]
async fn a_thousand_new_secrets_take_a_thousand_calls() {
    let server = Server::start(AwsSm::new());
    let adapter = adapter(&server.url());
    let marks = Marks::of("shop");
    let created = stream::iter(0..1_000)
        .map(|n| {
            let (adapter, marks) = (&adapter, &marks);
            async move {
                let value = single("v");
                adapter
                    .create(&name(&format!("app/{n}")), &value, marks)
                    .await
            }
        })
        .buffer_unordered(40)
        .filter(|created| std::future::ready(created.is_ok()))
        .count()
        .await;
    assert_eq!(created, 1_000);
    let calls = [("CreateSecret", 1_000), ("GetCallerIdentity", 1)];
    assert_eq!(counts(&server), told(&calls));
}

#[tokio::test]
async fn what_changes_something_takes_a_look_and_three_writes() {
    let server = Server::start(AwsSm::new());
    let adapter = adapter(&server.url());
    let (taken, marks) = (name("app/a"), Marks::of("shop"));
    let document = seed_core::document::Document::Fields(fields(&[("a", "1")]));
    let first = adapter.create(&taken, &document, &marks).await.unwrap();
    server.clear_log();
    let second = adapter
        .add_fields(&taken, &fields(&[("b", "2")]), &first)
        .await
        .unwrap();
    let add = [
        ("GetSecretValue", 1),
        ("PutSecretValue", 1),
        ("UpdateSecretVersionStage", 2),
    ];
    assert_eq!(counts(&server), told(&add));
    server.clear_log();
    adapter.replace(&taken, &document, &second).await.unwrap();
    let replace = [
        ("DescribeSecret", 1),
        ("PutSecretValue", 1),
        ("UpdateSecretVersionStage", 2),
    ];
    assert_eq!(counts(&server), told(&replace));
    server.clear_log();
    adapter
        .create(&taken, &single("v"), &marks)
        .await
        .unwrap_err();
    let lost_race = [("CreateSecret", 1), ("DescribeSecret", 1)];
    assert_eq!(counts(&server), told(&lost_race));
}

#[tokio::test]
async fn under_a_quota_every_key_is_created_once() {
    let server = Server::start(AwsSm::new());
    server.set_write_quota(Quota {
        per_second: 50.0,
        burst: 5.0,
        clock: Clock::Each(std::time::Duration::from_millis(10)),
    });
    let mut policy = policy();
    policy.patience = std::time::Duration::from_mins(1);
    let adapter = seed_aws_sm::AwsSm::new(config(&server.url()), policy).unwrap();
    let marks = Marks::of("shop");
    let created = stream::iter(0..40)
        .map(|n| {
            let (adapter, marks) = (&adapter, &marks);
            async move {
                let value = single("v");
                adapter
                    .create(&name(&format!("app/{n}")), &value, marks)
                    .await
            }
        })
        .buffer_unordered(8)
        .filter(|created| std::future::ready(created.is_ok()))
        .count()
        .await;
    assert_eq!((created, server.service().names().len()), (40, 40));
    assert!(
        server.log().count("CreateSecret") > 40,
        "nothing was throttled"
    );
}
