//! Each way to log in, and what is told when it fails.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

#[path = "support/open.rs"]
mod open;

use seed_fakes::vault::Vault as Service;
use seed_fakes::{Answer, Fault, Server, When};
use seed_provider::{Error, ErrorKind, Provider as _};
use seed_vault::Vault;
use serde_json::json;

use open::{at, config, policy};

/// Settings `login`, `login-mount` and `role`, and variables.
type Given<'a> = ([Option<&'a str>; 3], Vec<(&'a str, &'a str)>);

/// Logs in with settings `login`, `login-mount` and `role`, and more variables.
async fn log_in(
    server: &Server<Service>,
    settings: [Option<&str>; 3],
    more: &[(&str, &str)],
) -> Result<Option<String>, Error> {
    let address = server.url();
    let mut variables = vec![("VAULT_ADDR", address.as_str())];
    variables.extend_from_slice(more);
    let mut config = config(&variables).unwrap();
    let [login, mount, role] = settings.map(|setting| setting.map(str::to_owned));
    (config.login, config.login_mount, config.role) = (login, mount, role);
    let vault = Vault::new(config, policy()).unwrap();
    vault.identify().await.map(|identity| identity.who)
}

fn started() -> Server<Service> {
    let service = Service::new();
    service.allow_login("approle", json!({"role_id": "r", "secret_id": "s"}));
    service.allow_login(
        "team/jwt",
        json!({"role": "seed", "jwt": "token-of-a-pipeline"}),
    );
    service.allow_login(
        "kubernetes",
        json!({"role": "seed", "jwt": "token-of-a-pod"}),
    );
    Server::start(service)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_login_gets_a_token_that_works() {
    let server = started();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, "token-of-a-pod\n").unwrap();
    let file = file.to_str().unwrap();
    let logins: [Given<'_>; 4] = [
        ([None, None, None], vec![("BAO_TOKEN", Service::TOKEN)]),
        (
            [Some("approle"), None, None],
            vec![("VAULT_ROLE_ID", "r"), ("VAULT_SECRET_ID", "s")],
        ),
        (
            [Some("jwt"), Some("team/jwt"), Some("seed")],
            vec![("VAULT_JWT", "token-of-a-pipeline")],
        ),
        (
            [Some("kubernetes"), None, Some("seed")],
            vec![("VAULT_JWT_FILE", file)],
        ),
    ];
    for (settings, variables) in logins {
        let who = log_in(&server, settings, &variables).await.unwrap();
        assert!(who.is_some(), "{settings:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_names_no_credential_and_says_what_to_check() {
    let server = started();
    let logins: [Given<'_>; 3] = [
        ([None, None, None], vec![("VAULT_TOKEN", "canary")]),
        (
            [Some("approle"), None, None],
            vec![("VAULT_ROLE_ID", "r"), ("VAULT_SECRET_ID", "canary")],
        ),
        (
            [Some("jwt"), None, Some("seed")],
            vec![("VAULT_JWT", "canary")],
        ),
    ];
    for (settings, variables) in logins {
        let err = log_in(&server, settings, &variables).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unauthenticated, "{settings:?}");
        let text = format!("{err} {err:?}");
        assert!(!text.contains("canary") && text.contains("; "), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_no_header_takes_is_refused_without_a_panic() {
    let server = started();
    for token in [
        "canary\ncanary",
        "canary\u{0}",
        "can ary",
        "canär\u{301}y",
        " \n",
    ] {
        let err = at(&server.url(), token).identify().await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unauthenticated);
        assert!(!format!("{err} {err:?}").contains("can"), "{err}");
    }
    assert!(server.log().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_vault_login_is_taken_where_no_variable_is_set() {
    let server = started();
    let dir = tempfile::tempdir().unwrap();
    let address = server.url();
    let identify = async || {
        let mut config = config(&[("VAULT_ADDR", &address)]).unwrap();
        config.home = Some(dir.path().to_owned());
        Vault::new(config, policy()).unwrap().identify().await
    };
    let err = identify().await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
    assert!(
        err.message()
            .starts_with("there is no token; log in with `vault login`"),
        "{err}"
    );
    std::fs::write(
        dir.path().join(".vault-token"),
        format!("{}\n", Service::TOKEN),
    )
    .unwrap();
    assert_eq!(identify().await.unwrap().who.as_deref(), Some("tester"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_whose_answer_was_lost_is_not_sent_again() {
    let server = started();
    server.fault(When::operation("login"), Fault::CutAfter, None);
    let settings = [Some("approle"), None, None];
    let variables = [("VAULT_ROLE_ID", "r"), ("VAULT_SECRET_ID", "s")];
    let err = log_in(&server, settings, &variables).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unavailable, "{err}");
    assert_eq!(server.log().count("login"), 1);
}

type Settings = [Option<&'static str>; 3];
type Variables = [(&'static str, &'static str); 2];

const APPROLE: (Settings, Variables) = (
    [Some("approle"), None, None],
    [("VAULT_ROLE_ID", "canary"), ("VAULT_SECRET_ID", "canary")],
);
const KUBERNETES: (Settings, Variables) = (
    [Some("kubernetes"), None, Some("seed")],
    [("VAULT_JWT", "canary"), ("BAO_JWT", "")],
);
const JWT: (Settings, Variables) = (
    [Some("jwt"), None, Some("seed")],
    [("VAULT_JWT", "canary"), ("BAO_JWT", "")],
);

#[tokio::test(flavor = "multi_thread")]
async fn what_servers_say_of_a_login_that_they_refuse_is_known() {
    let refusals = [
        (APPROLE, 400, "invalid role or secret ID"),
        (APPROLE, 400, "invalid role ID"),
        (APPROLE, 400, "invalid secret id"),
        (APPROLE, 500, "failed to validate secret ID: canary"),
        (KUBERNETES, 400, "invalid role name \"seed\""),
        (KUBERNETES, 403, "service account name not authorized"),
        (KUBERNETES, 403, "namespace not authorized"),
        (KUBERNETES, 403, "permission denied"),
        (JWT, 400, "role \"seed\" could not be found"),
        (
            JWT,
            400,
            "error validating token: invalid audience (aud) claim",
        ),
        (
            JWT,
            400,
            "error validating token: Token is expired (canary)",
        ),
        (
            JWT,
            404,
            "no handler for route \"auth/jwt/login\". route entry not found.",
        ),
        (JWT, 503, "Vault is sealed"),
    ];
    for ((settings, variables), status, text) in refusals {
        let server = started();
        let answer = Answer::json(status, &json!({"errors": [text]}));
        server.fault(When::operation("login"), Fault::Answer(answer), None);
        let err = log_in(&server, settings, &variables).await.unwrap_err();
        let kind = match status {
            500 | 503 => ErrorKind::Unavailable,
            _ => ErrorKind::Unauthenticated,
        };
        assert_eq!(err.kind(), kind, "{text}: {err}");
        let told = format!("{err} {err:?}");
        assert!(
            !told.contains("canary") && told.contains(&format!("answered {status}")),
            "{told}"
        );
        let log = server.log();
        assert!(log.count("login") == log.len(), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_good_without_a_lease_and_not_without_a_token() {
    let token = Service::TOKEN;
    let answered = async |auth: serde_json::Value| {
        let server = started();
        let answer = Answer::json(200, &json!({"auth": auth, "data": null}));
        server.fault(When::operation("login"), Fault::Answer(answer), None);
        let (settings, variables) = JWT;
        let who = log_in(&server, settings, &variables).await;
        who.map_err(|err| (err.kind(), err.message().to_owned()))
    };
    for auth in [
        json!({"client_token": token}),
        json!({"client_token": token, "lease_duration": 0, "renewable": false}),
        json!({"client_token": token, "lease_duration": null, "token_type": "batch"}),
    ] {
        assert_eq!(answered(auth).await.unwrap().as_deref(), Some("tester"));
    }
    let factor = json!({"client_token": "", "mfa_requirement": {"mfa_request_id": "canary"}});
    let (kind, message) = answered(factor).await.unwrap_err();
    assert_eq!(kind, ErrorKind::Unauthenticated);
    assert_eq!(
        message,
        "the login gives no token yet: it wants a second factor, which seed cannot show; use a role without one"
    );
    for auth in [json!(null), json!({}), json!({"client_token": null})] {
        let (kind, message) = answered(auth).await.unwrap_err();
        assert_eq!(kind, ErrorKind::Unexpected, "{message}");
    }
}

#[test]
fn settings_that_cannot_be_meant_are_refused_with_what_to_do() {
    let open = |settings: [Option<&str>; 3]| {
        let mut config = config(&[("VAULT_ADDR", "http://127.0.0.1:1")])?;
        let [login, mount, role] = settings.map(|setting| setting.map(str::to_owned));
        (config.login, config.login_mount, config.role) = (login, mount, role);
        Vault::new(config, policy()).map(drop)
    };
    for (settings, why) in [
        (
            [Some("ldap"), None, None],
            "`ldap` is no login of Vault that seed knows",
        ),
        (
            [Some("approle"), None, None],
            "the login `approle` needs `VAULT_ROLE_ID` and `VAULT_SECRET_ID`",
        ),
        (
            [Some("kubernetes"), None, None],
            "the login `kubernetes` needs the setting `role`",
        ),
        (
            [Some("jwt"), None, Some("seed")],
            "the login `jwt` needs `VAULT_JWT` or `VAULT_JWT_FILE`",
        ),
        (
            [None, None, Some("seed")],
            "`role` has no meaning for this login",
        ),
        (
            [Some("jwt"), Some("../x"), Some("seed")],
            "the setting `login-mount` is no path of Vault",
        ),
    ] {
        let err = open(settings).unwrap_err();
        assert!(!err.hint().is_empty());
        assert_eq!(err.to_string(), why);
    }
}
