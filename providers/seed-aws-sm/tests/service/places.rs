//! Whose account, which region, which server.

use std::net::TcpListener;

use seed_aws_sm::Config;
use seed_core::backend::Confirm;
use seed_fakes::{Authority, AwsSm, Fault, Server, When};
use seed_provider::{ErrorKind, Marks, Provider as _, WantedShape};

use crate::single;
use crate::support::{adapter, config, name, policy};

fn adapter_of(config: Config) -> seed_aws_sm::AwsSm {
    seed_aws_sm::AwsSm::new(config, policy()).unwrap()
}

#[tokio::test]
async fn in_the_wrong_account_the_store_sees_no_call() {
    let server = Server::start(AwsSm::new());
    let mut config = config(&server.url());
    config.account = Some("999999999999".to_owned());
    let adapter = adapter_of(config);
    let identify = adapter.identify().await.unwrap_err();
    assert_eq!(identify.kind(), ErrorKind::Misplaced);
    assert_eq!(
        identify.message(),
        "the contract names account 999999999999, and the credentials belong to account 123456789012; \
         choose other credentials with AWS_PROFILE, or correct `account`"
    );
    let created = adapter
        .create(&name("a"), &single("v"), &Marks::of("shop"))
        .await;
    assert_eq!(created.unwrap_err().kind(), ErrorKind::Misplaced);
    let log = server.log();
    assert_eq!(log.count("GetCallerIdentity"), log.len());
}

#[tokio::test]
async fn who_asks_is_learnt_once_a_run() {
    let server = Server::start(AwsSm::new());
    let adapter = adapter(&server.url());
    let identity = adapter.identify().await.unwrap();
    assert_eq!(
        identity.who.as_deref(),
        Some("arn:aws:iam::123456789012:user/tester")
    );
    adapter
        .create(&name("a"), &single("v"), &Marks::of("shop"))
        .await
        .unwrap();
    adapter.read(&name("a"), WantedShape::Single).await.unwrap();
    assert_eq!(server.log().count("GetCallerIdentity"), 1);
}

#[tokio::test]
async fn without_an_account_in_the_contract_a_denied_identity_is_only_noted() {
    let server = Server::start(AwsSm::new());
    server.service().deny("GetCallerIdentity", None);
    let mut config = config(&server.url());
    config.account = None;
    let adapter = adapter_of(config.clone());
    assert_eq!(adapter.describe().confirm, Confirm::BeforeWrites);
    adapter
        .create(&name("a"), &single("v"), &Marks::of("shop"))
        .await
        .unwrap();
    let notes = adapter.notes().join("\n");
    assert!(
        notes.starts_with(
            "whose account it is could not be learnt: GetCallerIdentity failed with `AccessDenied`"
        ),
        "{notes}"
    );
    config.account = Some("123456789012".to_owned());
    let err = adapter_of(config).identify().await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Denied);
}

#[tokio::test]
async fn a_signature_for_another_region_is_refused() {
    let server = Server::start(AwsSm::new());
    let mut config = config(&server.url());
    config.region = Some("eu-west-1".to_owned());
    let err = adapter_of(config).identify().await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
    assert!(
        err.message()
            .starts_with("GetCallerIdentity failed with `SignatureDoesNotMatch`"),
        "{err}"
    );
}

#[tokio::test]
async fn a_session_that_ends_in_the_middle_of_a_run_is_said() {
    let server = Server::start(AwsSm::new());
    let adapter = adapter(&server.url());
    adapter
        .create(&name("a"), &single("v"), &Marks::of("shop"))
        .await
        .unwrap();
    server.service().expire();
    let created = adapter
        .create(&name("b"), &single("v"), &Marks::of("shop"))
        .await
        .unwrap_err();
    assert_eq!(created.kind(), ErrorKind::Unauthenticated);
    assert_eq!(
        created.message(),
        "CreateSecret failed with `ExpiredTokenException`: the credentials have expired, or the clock is wrong; \
         log in again, then run the command again"
    );
    let asked = [crate::support::wanted(
        "a",
        &[],
        seed_core::inventory::Depth::Metadata,
    )];
    let seen = adapter.inventory(&asked).await.unwrap_err();
    assert_eq!(seen.kind(), ErrorKind::Unauthenticated);
    assert_eq!(server.service().names(), ["a"]);
}

#[tokio::test]
async fn an_untrusted_certificate_is_no_matter_of_patience() {
    let authority = Authority::new();
    let server = Server::start_tls(AwsSm::new(), &authority);
    let mut config = config(&server.url());
    let err = adapter_of(config.clone()).identify().await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unexpected);
    assert!(
        err.message()
            .starts_with("no TLS for GetCallerIdentity: the server's certificate is not trusted")
            && err
                .message()
                .ends_with("name its authority in AWS_CA_BUNDLE"),
        "{err}"
    );
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    config.surroundings.authorities = Some(("AWS_CA_BUNDLE".to_owned(), file.clone()));
    adapter_of(config.clone()).identify().await.unwrap();
    std::fs::write(
        &file,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let err = seed_aws_sm::AwsSm::new(config, policy()).unwrap_err();
    assert!(
        err.to_string()
            .ends_with("named by AWS_CA_BUNDLE, cannot be understood"),
        "{err}"
    );
}

#[tokio::test]
async fn a_closed_port_has_had_no_effect() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut config = config(&url);
    config.account = None;
    let err = adapter_of(config)
        .create(&name("a"), &single("v"), &Marks::of("shop"))
        .await
        .unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unavailable);
    assert_eq!(
        err.to_string(),
        "create `a`: CreateSecret could not be sent: the connection was refused"
    );
}

#[tokio::test]
async fn an_endpoint_without_sts_is_said_with_the_variable_that_helps() {
    let server = Server::start(AwsSm::new());
    server.service().take_sts_away();
    let err = adapter(&server.url()).identify().await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unexpected);
    assert!(
        err.message().ends_with(
            "; STS is asked at the contract's `endpoint`; if that is Secrets Manager alone, as a VPC endpoint is, \
             name STS's own in AWS_ENDPOINT_URL_STS"
        ),
        "{err}"
    );
    let sts = Server::start(AwsSm::new());
    let mut config = config(&server.url());
    config.surroundings.sts_endpoint = Some(sts.url());
    let adapter = adapter_of(config);
    assert_eq!(adapter.describe().confirm, Confirm::BeforeWrites);
    assert!(
        adapter
            .describe()
            .place
            .ends_with(&format!(", STS at {}", sts.url()))
    );
    adapter.identify().await.unwrap();
}

#[tokio::test]
async fn an_sts_that_does_not_answer_is_asked_once_where_nothing_depends_on_it() {
    let server = Server::start(AwsSm::new());
    let identity = || When::operation("GetCallerIdentity");
    for fault in [Fault::CutBefore, Fault::HoldBefore] {
        server.heal();
        server.clear_log();
        server.fault(identity(), fault, None);
        let mut config = config(&server.url());
        config.account = None;
        let mut policy = policy();
        policy.deadline = std::time::Duration::from_secs(1);
        let adapter = seed_aws_sm::AwsSm::new(config, policy).unwrap();
        adapter.identify().await.unwrap();
        assert_eq!(server.log().count("GetCallerIdentity"), 1);
        let notes = adapter.notes().join("\n");
        assert!(
            notes.starts_with("whose account it is could not be learnt: "),
            "{notes}"
        );
    }
}

#[test]
fn an_endpoint_on_another_machine_without_tls_is_said() {
    let notes = |endpoint: &str| adapter_of(config(endpoint)).notes();
    assert_eq!(
        notes("http://secrets.example:5000"),
        ["an endpoint begins with `http://`: anybody on the way can read the values"]
    );
    assert_eq!(notes("http://127.0.0.1:5000"), [""; 0]);
}
