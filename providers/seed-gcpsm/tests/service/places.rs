//! Where it writes: projects, locations, copies, keys.

use seed_core::backend::Confirm;
use seed_core::inventory::Presence;
use seed_fakes::{GcpSm, Server};
use seed_gcpsm::{Config, GcpSm as Adapter, Surroundings};
use seed_provider::{Marks, Provider as _};

use crate::support::{config, look, name, policy, single};

#[tokio::test]
async fn copies_and_keys_are_those_that_the_contract_names() {
    let key =
        |location: &str| format!("projects/ai-lab/locations/{location}/keyRings/r/cryptoKeys/k");
    let both = format!("{},{}", key("europe-west3"), key("europe-west1"));
    let mut told = Vec::new();
    for (replication, keys) in [
        (None, None),
        (Some("automatic"), Some(key("global"))),
        (Some("europe-west1"), None),
        (Some("europe-west1, europe-west3"), Some(both)),
    ] {
        let server = Server::start(GcpSm::new());
        let config = Config {
            replication: replication.map(str::to_owned),
            kms_key: keys,
            ..config(&server.url())
        };
        let adapter = Adapter::new(&config, policy()).unwrap();
        let marks = Marks::of("shop");
        adapter
            .create(&name("a"), &single("v"), &marks)
            .await
            .unwrap();
        told.push(server.service().replication("a"));
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    Some(Automatic(None)) None
    Some(Automatic(Some("projects/ai-lab/locations/global/keyRings/r/cryptoKeys/k"))) None
    Some(UserManaged([("europe-west1", None)])) None
    Some(UserManaged([("europe-west1", Some("projects/ai-lab/locations/europe-west1/keyRings/r/cryptoKeys/k")), ("europe-west3", Some("projects/ai-lab/locations/europe-west3/keyRings/r/cryptoKeys/k"))])) None
    "#);
}

#[tokio::test]
async fn regional_secrets_are_those_of_one_location() {
    let server = Server::start(GcpSm::regional("europe-west3"));
    let config = Config {
        location: Some("europe-west3".to_owned()),
        kms_key: Some("projects/p/locations/europe-west3/keyRings/r/cryptoKeys/k".to_owned()),
        ..config(&server.url())
    };
    let adapter = Adapter::new(&config, policy()).unwrap();
    let marks = Marks::of("shop");
    adapter
        .create(&name("a"), &single("v"), &marks)
        .await
        .unwrap();
    assert!(matches!(
        look(&adapter, "a").await,
        Presence::Present { .. }
    ));
    insta::assert_snapshot!(server.service().replication("a"), @r#"
    None Some("projects/p/locations/europe-west3/keyRings/r/cryptoKeys/k")
    "#);
    // Nothing of it is seen from elsewhere.
    let global = crate::support::config(&server.url());
    let global = Adapter::new(&global, policy()).unwrap();
    let asked = [crate::support::wanted(
        "a",
        &[],
        seed_core::inventory::Depth::Metadata,
    )];
    let err = global.inventory(&asked).await.unwrap_err();
    assert_eq!(err.kind(), seed_provider::ErrorKind::Misplaced, "{err}");
}

#[tokio::test]
async fn a_project_that_is_not_ours_is_asked_for_nothing_more() {
    let server = Server::start(GcpSm::new());
    let config = Config {
        project: Some("another-lab".to_owned()),
        ..config(&server.url())
    };
    let adapter = Adapter::new(&config, policy()).unwrap();
    let marks = Marks::of("shop");
    let made = adapter.create(&name("a"), &single("v"), &marks).await;
    let text = made.unwrap_err().to_string();
    let (text, _) = text.rsplit_once(" (request id ").unwrap();
    insta::assert_snapshot!(text, @"
    find out where and as whom: ListSecrets failed with `PERMISSION_DENIED`: the project does not exist, or the identity in use may not see it; check `project`
    ");
    assert!(server.service().names().is_empty());
}

/// What is wrong with settings is said before any call.
#[expect(clippy::too_many_lines, reason = "the table is long")]
#[test]
fn settings_that_cannot_be_meant_are_refused() {
    let text = |text: &str| Some(text.to_owned());
    let around = |project: &str, endpoint: &str| Surroundings {
        project: text(project),
        endpoint: text(endpoint),
        ..Surroundings::default()
    };
    let good = || config("http://127.0.0.1:1");
    let wrong = [
        Config {
            project: None,
            ..good()
        },
        Config {
            project: text("a/b"),
            ..good()
        },
        Config {
            location: text("../x"),
            ..good()
        },
        Config {
            replication: text(" , "),
            ..good()
        },
        Config {
            replication: text("automatic"),
            location: text("europe-west3"),
            ..good()
        },
        Config {
            kms_key: text("k"),
            ..good()
        },
        Config {
            kms_key: text("projects/p/locations/global/keyRings/r/cryptoKeys/k"),
            replication: text("europe-west1"),
            ..good()
        },
        Config {
            endpoint: text("ftp://a"),
            ..good()
        },
        Config {
            endpoint: text("https://a/b"),
            ..good()
        },
        Config {
            endpoint: text("https://user:canary@a"),
            ..good()
        },
        Config {
            surroundings: around("", "https://other.example.com"),
            ..good()
        },
    ];
    let told: Vec<String> = wrong
        .iter()
        .map(|config| {
            let err = Adapter::new(config, policy()).unwrap_err();
            format!("{err}\n  {}", err.hint())
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    no project is known for gcpsm
      write `project` into the contract's backend, or set GOOGLE_CLOUD_PROJECT
    `a/b` is no project of Google Cloud
      write `project` like `my-project`
    `../x` is no location of Google Cloud
      write `location` like `europe-west3`
    `replication` names no location
      write `automatic`, or locations with commas in between
    regional secrets have no replication
      leave out `location` for global secrets, or `replication` for regional ones
    `k` is no key of Cloud KMS
      write it like `projects/P/locations/L/keyRings/R/cryptoKeys/K`
    `kms-key` does not name one key for each location of `replication`
      a copy is encrypted with a key of its own location
    the endpoint of gcpsm is no address of the form `https://host`
      correct `endpoint` in the contract, or CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER
    the endpoint of gcpsm is no address of the form `https://host`
      correct `endpoint` in the contract, or CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER
    the endpoint of gcpsm is no address of the form `https://host`
      correct `endpoint` in the contract, or CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER
    the contract's endpoint `http://127.0.0.1:1` is not that of the environment, `https://other.example.com`
      unset CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER, or correct `endpoint` in the contract
    ");
}

/// Whom a run writes to is shown, and confirmed where the contract does not say it.
#[test]
fn what_only_the_environment_names_is_confirmed() {
    let text = |text: &str| Some(text.to_owned());
    let around = |project: Option<&str>, endpoint: Option<&str>| Surroundings {
        project: project.map(str::to_owned),
        endpoint: endpoint.map(str::to_owned),
        ..Surroundings::default()
    };
    let at = "https://sm.example.com";
    let of = |project: Option<&str>, endpoint: Option<&str>, surroundings| Config {
        project: project.map(str::to_owned),
        endpoint: endpoint.map(str::to_owned),
        surroundings,
        ..config(at)
    };
    for (config, place, confirm) in [
        (
            of(text("p").as_deref(), None, around(None, None)),
            "project p",
            Confirm::Never,
        ),
        (
            of(None, None, around(Some("q"), None)),
            "project q",
            Confirm::BeforeWrites,
        ),
        (
            of(Some("p"), None, around(None, Some(at))),
            "project p, at https://sm.example.com",
            Confirm::BeforeWrites,
        ),
        (
            of(Some("p"), Some(at), around(None, Some(at))),
            "project p, at https://sm.example.com",
            Confirm::Never,
        ),
        // Whoever wrote the contract would be sent a token.
        (
            of(Some("p"), Some(at), around(None, None)),
            "project p, at https://sm.example.com",
            Confirm::BeforeCalls,
        ),
        (
            of(
                Some("p"),
                Some("https://secretmanager.me-central2.rep.googleapis.com"),
                around(None, None),
            ),
            "project p, at https://secretmanager.me-central2.rep.googleapis.com",
            Confirm::Never,
        ),
    ] {
        let adapter = Adapter::new(&config, policy()).unwrap();
        let described = adapter.describe();
        assert_eq!((&*described.place, described.confirm), (place, confirm));
    }
}

#[test]
fn a_password_in_an_endpoint_is_not_shown() {
    let (one, other) = ("https://a.example.com", "https://me:canary@b.example.com");
    for (own, around) in [(one, other), (other, one)] {
        let surroundings = Surroundings {
            endpoint: Some(around.to_owned()),
            ..Surroundings::default()
        };
        let config = Config {
            surroundings,
            ..config(own)
        };
        let err = Adapter::new(&config, policy()).unwrap_err();
        assert!(!format!("{err} {}", err.hint()).contains("canary"), "{err}");
    }
    // The same place, written in two ways.
    let surroundings = Surroundings {
        endpoint: Some("https://A.example.com:443/".to_owned()),
        ..Surroundings::default()
    };
    let config = Config {
        surroundings,
        ..config(one)
    };
    assert!(Adapter::new(&config, policy()).is_ok());
}
