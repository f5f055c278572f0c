//! Where tokens come from.

use std::path::Path;
use std::time::Duration;

use seed_fakes::{Fault, GcpSm, Server, When};
use seed_gcpsm::{Config, Credentials, GcpSm as Adapter, Surroundings};
use seed_provider::{ErrorKind, Marks, Policy, Provider as _};
use serde_json::{Value, json};

use crate::support::{config, look, name, policy, single};

/// A key that was made for this test and opens nothing, without the lines that say what it is.
const KEY: &str = include_str!("../data/service-account.base64");
const LENT: &str =
    "/v1/projects/-/serviceAccounts/lent@ai-lab.iam.gserviceaccount.com:generateAccessToken";

/// An adapter whose credentials are in a file that a variable names.
fn configured(directory: &Path, url: &str, credentials: &Value) -> Config {
    let path = directory.join("credentials.json");
    std::fs::write(&path, credentials.to_string()).unwrap();
    Config {
        credentials: Credentials::Usual,
        surroundings: Surroundings {
            named_credentials: Some(path),
            ..Surroundings::default()
        },
        ..config(url)
    }
}

fn user(url: &str) -> Value {
    json!({
        "type": "authorized_user", "account": "dev@example.com", "token_uri": format!("{url}/token"),
        "client_id": "id", "client_secret": "canary", "refresh_token": "canary", "quota_project_id": "of-the-file",
    })
}

fn key() -> Value {
    let pem = format!(
        "-----BEGIN {what}-----\n{KEY}-----END {what}-----\n",
        what = "PRIVATE KEY"
    );
    json!({
        "type": "service_account", "project_id": "ai-lab", "private_key_id": "1", "private_key": pem,
        "client_email": "ci@ai-lab.iam.gserviceaccount.com", "client_id": "1",
    })
}

fn federated(directory: &Path, url: &str) -> Value {
    let subject = directory.join("subject");
    std::fs::write(&subject, GcpSm::SUBJECT_TOKEN).unwrap();
    json!({
        "type": "external_account", "token_url": format!("{url}/v1/token"),
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "credential_source": {"file": subject},
    })
}

fn lent(url: &str, source: &Value) -> Value {
    json!({
        "type": "impersonated_service_account", "service_account_impersonation_url": format!("{url}{LENT}"),
        "source_credentials": source,
    })
}

#[tokio::test]
async fn each_kind_of_file_gets_a_token_where_it_says() {
    let server = Server::start(GcpSm::new());
    let url = server.url();
    let directory = tempfile::tempdir().unwrap();
    let mut borrowed = federated(directory.path(), &url);
    borrowed["service_account_impersonation_url"] = format!("{url}{LENT}").into();
    let cases = [
        ("a key", key(), "ci@ai-lab.iam.gserviceaccount.com", &[][..]),
        ("a user", user(&url), "dev@example.com", &["Token"]),
        (
            "a user who borrows an account",
            lent(&url, &user(&url)),
            "lent@ai-lab.iam.gserviceaccount.com",
            &["Impersonate", "Token"],
        ),
        (
            "a workload",
            federated(directory.path(), &url),
            "an identity of a workload identity pool",
            &["Exchange"],
        ),
        (
            "a workload that borrows an account",
            borrowed,
            "lent@ai-lab.iam.gserviceaccount.com",
            &["Exchange", "Impersonate"],
        ),
    ];
    for (what, credentials, who, calls) in cases {
        server.clear_log();
        let config = configured(directory.path(), &url, &credentials);
        let adapter = Adapter::new(&config, policy()).unwrap();
        assert_eq!(adapter.describe().identity.as_deref(), Some(who), "{what}");
        assert!(server.log().is_empty(), "{what}");
        let seen = adapter.identify().await;
        assert!(seen.is_ok(), "{what}: {seen:?}");
        look(&adapter, "absent").await;
        let asked = server.log().counts().into_iter();
        let asked: Vec<(String, usize)> = asked.filter(|(call, _)| call != "ListSecrets").collect();
        let wanted: Vec<(String, usize)> =
            calls.iter().map(|call| ((*call).to_owned(), 1)).collect();
        assert_eq!(asked, wanted, "{what}");
    }
}

#[tokio::test]
async fn requests_are_counted_to_the_project_that_is_named_or_to_that_of_the_credentials() {
    let directory = tempfile::tempdir().unwrap();
    for (setting, variable, counted) in [
        (
            Some("of-the-contract"),
            Some("of-a-variable"),
            "of-the-contract",
        ),
        (None, Some("of-a-variable"), "of-a-variable"),
        (Some(""), None, "of-the-file"),
    ] {
        let server = Server::start(GcpSm::new());
        let url = server.url();
        let mut config = configured(directory.path(), &url, &user(&url));
        config.quota_project = setting.map(str::to_owned);
        config.surroundings.quota_project = variable.map(str::to_owned);
        let adapter = Adapter::new(&config, policy()).unwrap();
        look(&adapter, "absent").await;
        let projects: Vec<String> = server.service().quota_projects().into_iter().collect();
        assert_eq!(projects, [counted]);
    }
}

#[tokio::test]
async fn credentials_that_are_refused_are_no_matter_of_patience() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(GcpSm::new());
    let url = server.url();
    let gone = seed_fakes::Answer::json(
        400,
        &json!({"error": "invalid_grant", "error_description": "canary"}),
    );
    let fault = Fault::Answer(gone);
    server.fault(When::operation("Token"), fault.clone(), None);
    server.fault(When::operation("Exchange"), fault.clone(), None);
    server.fault(When::operation("Impersonate"), fault, None);
    for credentials in [
        user(&url),
        lent(&url, &user(&url)),
        federated(directory.path(), &url),
    ] {
        server.clear_log();
        let config = configured(directory.path(), &url, &credentials);
        let adapter = Adapter::new(&config, policy()).unwrap();
        let err = adapter.identify().await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unauthenticated, "{err}");
        assert!(
            err.message()
                .contains("gcloud auth application-default login"),
            "{err}"
        );
        assert!(!format!("{err} {err:?}").contains("canary"), "{err:?}");
        assert_eq!(server.log().len(), 1, "{credentials}");
        assert_eq!(server.log().count("ListSecrets"), 0);
    }
}

#[tokio::test]
async fn a_token_endpoint_that_has_a_problem_is_asked_again() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(GcpSm::new());
    let url = server.url();
    let busy = Fault::Answer(seed_fakes::Answer::empty(503));
    server.fault(When::operation("Token"), busy, Some(1));
    let config = configured(directory.path(), &url, &user(&url));
    let adapter = Adapter::new(&config, policy()).unwrap();
    adapter.identify().await.unwrap();
    assert_eq!(server.log().count("Token"), 2);
}

/// What `Token` answers with, for so many seconds.
fn lasting(seconds: u64) -> Fault {
    let token = GcpSm::TOKEN;
    let body = json!({"access_token": token, "expires_in": seconds, "token_type": "Bearer"});
    Fault::Answer(seed_fakes::Answer::json(200, &body))
}

#[tokio::test]
async fn a_write_that_nobody_gives_a_token_for_was_not_sent() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(GcpSm::new());
    let url = server.url();
    server.fault(When::operation("Token"), lasting(1), Some(1));
    let config = configured(directory.path(), &url, &user(&url));
    let policy = Policy {
        deadline: Duration::from_secs(1),
        ..policy()
    };
    let adapter = Adapter::new(&config, policy).unwrap();
    adapter.identify().await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    server.fault(When::operation("Token"), Fault::HoldBefore, None);
    let (new, value, marks) = (name("new"), single("v"), Marks::of("shop"));
    let err = adapter.create(&new, &value, &marks).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unavailable, "{err}");
    insta::assert_snapshot!(err, @"create `new`: no token for Google Cloud could be had: whoever gives it did not answer in time");
    assert_eq!(server.log().count("CreateSecret"), 0);
}

#[tokio::test]
async fn an_answer_that_the_library_breaks_on_is_no_end_of_the_run() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(GcpSm::new());
    let url = server.url();
    server.fault(When::operation("Token"), lasting(u64::MAX), Some(1));
    let config = configured(directory.path(), &url, &user(&url));
    let adapter = Adapter::new(&config, policy()).unwrap();
    let err = adapter.identify().await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated, "{err}");
    // The next one may be better.
    adapter.identify().await.unwrap();
}
