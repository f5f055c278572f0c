//! How many calls verbs take.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

#[path = "support/open.rs"]
mod open;
#[path = "support/values.rs"]
mod values;

use seed_core::inventory::{Depth, Presence, Version};
use seed_fakes::vault::{Namespaces, Vault as Service};
use seed_fakes::{Answer, Fault, Server, When};
use seed_provider::{Marks, Provider as _};
use seed_vault::Vault;
use serde_json::json;

use open::{at, config, policy};
use values::{fields, name, single, wanted};

fn counts(server: &Server<Service>) -> Vec<(String, usize)> {
    server.log().counts().into_iter().collect()
}

fn told(counts: &[(&str, usize)]) -> Vec<(String, usize)> {
    counts
        .iter()
        .map(|(operation, count)| ((*operation).to_owned(), *count))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_takes_one_call_a_folder_and_one_for_each_entry_that_exists() {
    let server = Server::start(Service::new());
    let mut asked = Vec::new();
    for folder in ["", "a/", "a/b/"] {
        for n in 0..100 {
            let entry = format!("{folder}n{n}");
            if n % 4 == 0 {
                server.service().put(&entry, &json!({"value": "x"}));
            }
            asked.push(entry);
        }
    }
    // A key and a folder of one name, and a stranger.
    server.service().put("a", &json!({"value": "x"}));
    server.service().put("strange/one", &json!({"value": "x"}));
    let vault = at(&server.url(), Service::TOKEN);
    vault.identify().await.unwrap();
    assert_eq!(counts(&server), told(&[("lookup-self", 1), ("mounts", 1)]));
    for (depth, expected) in [
        (Depth::Quick, told(&[("list", 3)])),
        (Depth::Metadata, told(&[("list", 3), ("subkeys", 75)])),
        (Depth::Fields, told(&[("list", 3), ("subkeys", 75)])),
    ] {
        server.clear_log();
        let asked: Vec<_> = asked.iter().map(|entry| wanted(entry, depth)).collect();
        let seen = vault.inventory(&asked).await.unwrap();
        assert_eq!(counts(&server), expected, "{depth:?}");
        let absent = seen
            .iter()
            .filter(|(_, presence)| **presence == Presence::Absent);
        assert_eq!(absent.count(), 225, "{depth:?}");
    }
    assert!(vault.notes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_entries_take_a_thousand_calls() {
    let server = Server::start(Service::new());
    let vault = at(&server.url(), Service::TOKEN);
    let marks = Marks::of("test");
    let create = |n: u32| {
        let (vault, marks) = (&vault, &marks);
        async move {
            vault
                .create(&name(&format!("n{n}")), &single("x"), marks)
                .await
                .unwrap()
        }
    };
    futures::future::join_all((0..1_000).map(create)).await;
    // Logged in and proved once, though a thousand asked for it at one time.
    assert_eq!(
        counts(&server),
        told(&[("lookup-self", 1), ("mounts", 1), ("write", 1_000)])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn setting_up_takes_four_calls_at_most() {
    let service = Service::new();
    service.set_namespaces(Namespaces::Honoured(vec!["team".to_owned()]));
    service.add_mount("team", "secret", 2);
    service.allow_login("jwt", json!({"role": "seed", "jwt": "canary"}));
    let server = Server::start(service);
    let address = server.url();
    let variables = [
        ("VAULT_ADDR", address.as_str()),
        ("VAULT_JWT", "canary"),
        ("VAULT_NAMESPACE", "team"),
    ];
    let mut config = config(&variables).unwrap();
    config.login = Some("jwt".to_owned());
    config.role = Some("seed".to_owned());
    let vault = Vault::new(config, policy()).unwrap();
    for _ in 0..3 {
        assert_eq!(
            vault.identify().await.unwrap().who.as_deref(),
            Some("login")
        );
    }
    vault
        .create(&name("a"), &single("x"), &Marks::of("test"))
        .await
        .unwrap();
    assert_eq!(
        counts(&server),
        told(&[
            ("login", 1),
            ("lookup-self", 1),
            ("mounts", 2),
            ("write", 1)
        ])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_permissions_each_name_is_asked_for_by_itself_and_it_is_said() {
    let service = Service::new();
    for operation in ["list", "subkeys"] {
        service.deny(operation, "");
    }
    service.put("f/a", &json!({"value": "canary"}));
    let server = Server::start(service);
    let vault = at(&server.url(), Service::TOKEN);
    let asked = ["f/a", "f/b"].map(|entry| wanted(entry, Depth::Quick));
    let seen = vault.inventory(&asked).await.unwrap();
    assert_eq!(seen.get(&name("f/a")), Some(&Presence::Exists));
    assert_eq!(seen.get(&name("f/b")), Some(&Presence::Absent));
    assert_eq!(
        vault.notes(),
        [
            "`list` is denied on `secret/metadata/f/`; each name there was asked for by itself",
            "`read` is denied on `secret/subkeys/…`; entries where it is were read as a whole to learn which fields they have, and their values dropped",
        ]
    );
    server.clear_log();
    vault.inventory(&asked).await.unwrap();
    assert_eq!(
        counts(&server),
        told(&[("list", 1), ("read", 2), ("subkeys", 2)])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_is_added_without_reading_a_value_where_that_is_allowed() {
    for (denied, expected) in [
        (None, vec![("patch", 1), ("subkeys", 1)]),
        (
            Some("patch"),
            vec![
                ("lookup-self", 1),
                ("patch", 1),
                ("read", 1),
                ("subkeys", 1),
                ("write", 1),
            ],
        ),
    ] {
        let server = Server::start(Service::new());
        server.service().put("a", &json!({"one": "x"}));
        let vault = at(&server.url(), Service::TOKEN);
        vault.identify().await.unwrap();
        server.clear_log();
        if let Some(denied) = denied {
            server.service().deny(denied, "");
        }
        let first = Version::new("1");
        vault
            .add_fields(&name("a"), &fields(&[("two", "y")]), &first)
            .await
            .unwrap();
        assert_eq!(counts(&server), told(&expected));
        assert_eq!(vault.notes().len(), usize::from(denied.is_some()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_denied_for_one_name_is_not_done_without_for_the_next() {
    let server = Server::start(Service::new());
    server.service().deny("subkeys", "f/a");
    server.service().deny("patch", "f/a");
    for entry in ["f/a", "f/b"] {
        server.service().put(entry, &json!({"value": "canary"}));
    }
    let vault = at(&server.url(), Service::TOKEN);
    vault.identify().await.unwrap();
    server.clear_log();
    let first = Version::new("1");
    for entry in ["f/a", "f/b"] {
        let asked = [wanted(entry, Depth::Fields)];
        let seen = vault.inventory(&asked).await.unwrap();
        assert!(matches!(
            seen.get(&name(entry)),
            Some(Presence::Present { .. })
        ));
        vault
            .add_fields(&name(entry), &fields(&[("b", "x")]), &first)
            .await
            .unwrap();
    }
    // Read twice for the one, to look and to grow it, and once more by the look before that; never for the other.
    let log = server.log();
    assert_eq!((log.count("read"), log.count("patch")), (3, 2));
    let reads = log.0.iter().filter(|call| call.operation == "read");
    assert!(reads.into_iter().all(|call| call.path.ends_with("f/a")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_subkeys_is_not_asked_for_them_again() {
    let server = Server::start(Service::new());
    server.service().put("a", &json!({"value": "canary"}));
    let unsupported = json!({"errors": ["1 error occurred:\n\t* unsupported operation\n\n"]});
    let fault = Fault::Answer(Answer::json(405, &unsupported));
    server.fault(When::operation("subkeys"), fault, None);
    let vault = at(&server.url(), Service::TOKEN);
    for _ in 0..3 {
        let seen = vault
            .inventory(&[wanted("a", Depth::Fields)])
            .await
            .unwrap();
        assert!(matches!(
            seen.get(&name("a")),
            Some(Presence::Present { .. })
        ));
    }
    assert_eq!(server.log().count("subkeys"), 1);
    assert_eq!(
        vault.notes(),
        [
            "the server has no `subkeys`; whole entries of `secret` were read to learn which fields they have, and their values dropped"
        ]
    );
}
