//! What becomes of every error that the service documents, of every broken answer, and of no answer at all.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

#[path = "support/open.rs"]
mod open;
#[path = "support/values.rs"]
mod values;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use seed_core::inventory::{Depth, Presence, Version};
use seed_fakes::vault::{Namespaces, Vault as Service, documented_errors};
use seed_fakes::{Answer, Authority, Fault, Server, When};
use seed_provider::{
    Error, ErrorKind, Marks, Provider as _, Replace as _, Restore as _, Result, Versions as _,
    WantedShape,
};
use seed_vault::Vault;
use serde_json::json;

use open::{at, config, policy};
use values::{fields, name, single, wanted};

/// A stand-in with an entry `a`, and an adapter that has logged in.
async fn started() -> (Server<Service>, Vault) {
    let server = Server::start(Service::new());
    server.service().put("a", &json!({"value": "old"}));
    server.service().put("gone", &json!({"value": "old"}));
    server.service().delete("gone");
    let vault = at(&server.url(), Service::TOKEN);
    vault.identify().await.unwrap();
    server.clear_log();
    (server, vault)
}

/// The verb that sends an operation of the stand-in.
async fn verb(vault: &Vault, operation: &str) -> Result<()> {
    let marks = Marks::of("test");
    let first = Version::new("1");
    match operation {
        "list" => {
            let inventory = vault.inventory(&[wanted("x", Depth::Metadata)]).await?;
            of_presence(inventory.get(&name("x")).unwrap())
        }
        "subkeys" => {
            let inventory = vault.inventory(&[wanted("a", Depth::Metadata)]).await?;
            of_presence(inventory.get(&name("a")).unwrap())
        }
        "read" => vault.read(&name("a"), WantedShape::Single).await.map(drop),
        "write" => vault
            .create(&name("new"), &single("canary"), &marks)
            .await
            .map(drop),
        "patch" => vault
            .add_fields(&name("a"), &fields(&[("b", "canary")]), &first)
            .await
            .map(drop),
        "undelete" => vault.restore(&name("gone")).await,
        "login" | "lookup-self" | "mounts" => vault.identify().await.map(drop),
        other => panic!("no verb sends {other}"),
    }
}

/// The kind under which a presence that is no answer came to be.
fn of_presence(presence: &Presence) -> Result<()> {
    let (kind, reason) = match presence {
        Presence::Hidden { reason } => (ErrorKind::Denied, reason),
        Presence::Unknown { reason } => (ErrorKind::Unexpected, reason),
        Presence::Absent
        | Presence::Deleted { .. }
        | Presence::Disabled { .. }
        | Presence::Empty { .. }
        | Presence::Exists
        | Presence::Present { .. } => return Ok(()),
    };
    let operation = seed_provider::Operation::Inventory;
    Err(Error::new(kind, operation, reason.clone()))
}

fn adapter(server: &Server<Service>, operation: &str) -> Vault {
    let variables = [
        ("VAULT_ADDR", server.url()),
        ("VAULT_TOKEN", Service::TOKEN.to_owned()),
        ("VAULT_JWT", "canary".to_owned()),
    ];
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let mut config = config(&variables).unwrap();
    if operation == "login" {
        config.login = Some("jwt".to_owned());
        config.role = Some("seed".to_owned());
    }
    Vault::new(config, policy()).unwrap()
}

#[expect(clippy::too_many_lines, reason = "most of it is a table")]
#[tokio::test(flavor = "multi_thread")]
async fn every_documented_error_of_every_call_has_one_meaning_and_a_next_step() {
    let mut table: BTreeMap<String, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for (operation, what, answer) in documented_errors() {
        let server = Server::start(Service::new());
        server.service().put("a", &json!({"value": "old"}));
        server.service().put("gone", &json!({"value": "old"}));
        server.service().delete("gone");
        let status = answer.status;
        let vault = adapter(&server, operation);
        server.fault(When::operation(operation), Fault::Answer(answer), None);
        let before = server.service().versions("", "secret");
        let line = match verb(&vault, operation).await {
            Ok(()) => "done",
            Err(err) => {
                assert!(!format!("{err} {err:?}").contains("canary"), "{err}");
                let text = err.to_string();
                assert!(
                    text.contains(&status.to_string()) || goes_on(operation, status, &err),
                    "{operation}, {what}: {text}"
                );
                let next = [";", "no mount", "nothing"]
                    .iter()
                    .any(|word| text.contains(word));
                assert!(
                    next || goes_on(operation, status, &err),
                    "{operation}, {what}: {text}"
                );
                match (operation, err.kind()) {
                    ("list" | "subkeys", ErrorKind::Unexpected) => "unknown",
                    (_, kind) => kind.as_str(),
                }
            }
        };
        let after = server.service().versions("", "secret");
        if line != "done" {
            assert_eq!(before, after, "{operation}, {what}");
        }
        let row = table.entry(format!("{what} ({status})")).or_default();
        row.entry(line).or_default().push(operation);
    }
    let mut lines = Vec::new();
    for (what, row) in &table {
        let row = row
            .iter()
            .map(|(kind, operations)| format!("{kind}: {}", operations.join(" ")));
        lines.push(format!(
            "{what}\n  {}",
            row.collect::<Vec<_>>().join("\n  ")
        ));
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    bad gateway (502)
      indeterminate: patch undelete write
      unavailable: login lookup-self mounts read
      unknown: list subkeys
    bad request (400)
      invalid: lookup-self mounts patch read undelete write
      unauthenticated: login
      unknown: list subkeys
    bad secret (400)
      unauthenticated: login
    bare 404 (404)
      unexpected: login lookup-self mounts patch read undelete write
      unknown: list subkeys
    bare 503 (503)
      indeterminate: patch undelete write
      unavailable: login lookup-self mounts read
      unknown: list subkeys
    bare denial (403)
      denied: login read undelete write
      done: list lookup-self patch subkeys
      misplaced: mounts
    closed on the way (499)
      indeterminate: patch undelete write
      unavailable: login lookup-self mounts read
      unknown: list subkeys
    denied (403)
      denied: read undelete write
      done: list lookup-self patch subkeys
      misplaced: mounts
      unauthenticated: login
    disaster recovery (472)
      unexpected: login lookup-self mounts patch read undelete write
      unknown: list subkeys
    expired token (403)
      unauthenticated: list login lookup-self mounts patch read subkeys undelete write
    gateway time-out (504)
      indeterminate: patch undelete write
      unavailable: login lookup-self mounts read
      unknown: list subkeys
    internal (500)
      indeterminate: patch undelete write
      unavailable: login lookup-self mounts read
      unknown: list subkeys
    no mount (404)
      misplaced: list lookup-self mounts patch read subkeys undelete write
      unauthenticated: login
    not initialised (501)
      unexpected: login lookup-self mounts patch read undelete write
      unknown: list subkeys
    not supported (405)
      done: patch subkeys
      unknown: list
      unsupported: login lookup-self mounts read undelete write
    nothing there (404)
      unexpected: patch
    origin time-out (524)
      indeterminate: patch undelete write
      unavailable: login lookup-self mounts read
      unknown: list subkeys
    performance standby (473)
      unavailable: login lookup-self mounts patch read undelete write
      unknown: list subkeys
    quota (429)
      rate-limited: login lookup-self mounts patch read undelete write
      unknown: list subkeys
    redirect (307)
      unexpected: login lookup-self mounts patch read undelete write
      unknown: list subkeys
    sealed (503)
      unavailable: login lookup-self mounts patch read undelete write
      unknown: list subkeys
    stale node (412)
      unavailable: login lookup-self mounts patch read undelete write
      unknown: list subkeys
    stale version (400)
      conflict: write patch
    too large (413)
      invalid: write patch
    too large for the storage (500)
      invalid: write patch
    unauthorised (401)
      unauthenticated: list login lookup-self mounts patch read subkeys undelete write
    ");
}

/// Whether the adapter went on with another call, and tells what it met there.
fn goes_on(operation: &str, status: u16, err: &Error) -> bool {
    let told = err.message();
    match (operation, status) {
        ("write", 400) => told.contains("shows nothing there"),
        ("patch", 400 | 404) => told.contains("it was changed meanwhile"),
        _ => false,
    }
}

/// How a verb ends.
async fn ends(operation: &str, fault: Fault) -> Result<()> {
    let (server, vault) = started().await;
    server.fault(When::operation(operation), fault, None);
    verb(&vault, operation).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_was_lost_is_in_doubt_and_never_sent_again() {
    for operation in ["write", "patch", "undelete"] {
        for (fault, happened) in [
            (Fault::CutBefore, false),
            (Fault::CutAfter, true),
            (Fault::CutInside, true),
        ] {
            let (server, vault) = started().await;
            let before = server.service().versions("", "secret");
            server.fault(When::operation(operation), fault.clone(), None);
            if operation == "undelete" && matches!(fault, Fault::CutInside) {
                continue; // Its answer has no body, so nothing of it is lost.
            }
            let err = verb(&vault, operation).await.unwrap_err();
            assert_eq!(
                err.kind(),
                ErrorKind::Indeterminate,
                "{operation} {fault:?}: {err}"
            );
            assert_eq!(server.log().count(operation), 1, "{operation} {fault:?}");
            // What was restored has no new version.
            let done = server.service().versions("", "secret") != before;
            assert_eq!(
                done,
                happened && operation != "undelete",
                "{operation} {fault:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_was_cut_is_sent_again() {
    for operation in ["read", "subkeys", "list"] {
        for fault in [Fault::CutBefore, Fault::CutAfter, Fault::CutInside] {
            let (server, vault) = started().await;
            server.fault(When::operation(operation), fault.clone(), Some(1));
            verb(&vault, operation).await.unwrap();
            assert_eq!(server.log().count(operation), 2, "{operation} {fault:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_of_vault_is_neither_success_nor_absence() {
    let html = Answer {
        body: b"<html>sign in</html>".to_vec(),
        ..Answer::empty(200)
    };
    for (fault, read, write) in [
        (
            Fault::Malformed,
            ErrorKind::Unexpected,
            ErrorKind::Indeterminate,
        ),
        (
            Fault::Answer(html),
            ErrorKind::Unexpected,
            ErrorKind::Indeterminate,
        ),
        (
            Fault::Answer(Answer::empty(200)),
            ErrorKind::Unexpected,
            ErrorKind::Indeterminate,
        ),
        (
            Fault::Empty404,
            ErrorKind::Unexpected,
            ErrorKind::Unexpected,
        ),
        (
            Fault::Redirect("http://127.0.0.1:1/v1/x?canary".to_owned()),
            ErrorKind::Unexpected,
            ErrorKind::Unexpected,
        ),
    ] {
        for (operation, wanted) in [
            ("read", read),
            ("list", read),
            ("subkeys", read),
            ("write", write),
        ] {
            let err = ends(operation, fault.clone()).await.unwrap_err();
            let text = err.to_string();
            // An inventory tells what a name is, not how it came to that.
            assert_eq!(err.kind(), wanted, "{operation} {fault:?}: {text}");
            assert!(!text.contains("canary") && !text.contains("html"), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_repeats_is_in_no_error() {
    let mut told = 0;
    for operation in ["write", "patch", "read", "subkeys", "list", "undelete"] {
        for status in [400, 403, 404, 500, 503] {
            // What is denied may be done in another way.
            if let Err(err) = ends(operation, Fault::Echo(status)).await {
                let text = format!("{err} {err:?}");
                assert!(
                    !text.contains("canary") && !text.contains(Service::TOKEN),
                    "{text}"
                );
                told += 1;
            }
        }
    }
    assert!(told > 20, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_refused_has_changed_nothing() {
    let (server, vault) = started().await;
    drop(server);
    let created = vault
        .create(&name("new"), &single("x"), &Marks::of("test"))
        .await;
    let err = created.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unavailable);
    assert_eq!(
        err.to_string(),
        "create `new`: the connection was refused; check the address, and that the server runs"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_of_tls_that_is_spoken_to_without_says_how_its_address_begins() {
    for words in [
        "Client sent an HTTP request to an HTTPS server.\n",
        "<html><center>The plain HTTP request was sent to HTTPS port</center></html>",
    ] {
        let server = Server::start(Service::new());
        let answer = Answer {
            body: words.as_bytes().to_vec(),
            ..Answer::empty(400)
        };
        server.fault(When::Always, Fault::Answer(answer), None);
        let vault = at(&server.url(), Service::TOKEN);
        let err = vault.identify().await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unexpected);
        assert_eq!(
            err.to_string(),
            "find out where and as whom: the server answered 400: it takes only TLS; begin its address with `https://`"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_is_waited_for_as_long_as_the_server_says() {
    let (server, vault) = started().await;
    let throttled = Answer::json(429, &json!({"errors": ["rate limit quota exceeded"]}))
        .with_header("retry-after", "1");
    server.fault(When::operation("write"), Fault::Answer(throttled), Some(1));
    let begin = Instant::now();
    verb(&vault, "write").await.unwrap();
    assert!(
        begin.elapsed() >= Duration::from_secs(1),
        "the server's word was not heard"
    );
    assert_eq!(server.log().count("write"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_name_among_many_leaves_the_others_alone() {
    let (server, vault) = started().await;
    for entry in ["f/one", "f/hidden", "f/two"] {
        server.service().put(entry, &json!({"value": "x"}));
    }
    server.service().deny("subkeys", "hidden");
    server.service().deny("read", "hidden");
    let asked =
        ["f/one", "f/hidden", "f/two", "f/absent"].map(|entry| wanted(entry, Depth::Metadata));
    let seen = vault.inventory(&asked).await.unwrap();
    for entry in ["f/one", "f/two"] {
        assert!(
            matches!(seen.get(&name(entry)), Some(Presence::Present { .. })),
            "{seen:?}"
        );
    }
    assert_eq!(seen.get(&name("f/absent")), Some(&Presence::Absent));
    let Some(Presence::Hidden { reason }) = seen.get(&name("f/hidden")) else {
        panic!("{seen:?}");
    };
    assert_eq!(
        reason,
        "the server answered 403: permission denied; give the token a policy for this path"
    );
    let created = vault
        .create(&name("f/hidden"), &single("y"), &Marks::of("test"))
        .await
        .unwrap_err();
    // It may be deleted: that it is kept would say too much.
    assert_eq!(created.kind(), ErrorKind::Conflict);
    assert_eq!(
        created.message(),
        "the server answered 400: the name is taken; what holds it cannot be seen: the server answered 403: permission denied; give the token a policy for this path"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_create_of_which_nothing_is_there_is_not_taken_for_a_lost_race() {
    let (server, vault) = started().await;
    let (_, _, mismatch) = documented_errors()
        .into_iter()
        .find(|(operation, what, _)| *operation == "write" && *what == "stale version")
        .unwrap();
    server.fault(When::operation("write"), Fault::Answer(mismatch), None);
    let marks = Marks::of("test");
    let err = vault.create(&name("new"), &single("x"), &marks).await;
    let err = err.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    assert_eq!(
        err.message(),
        "the server answered 400 as if the name were taken, and shows nothing there: it was deleted meanwhile, or this is not Vault's word; run the command again"
    );
    // Deleted between the look of the plan and the write.
    let err = vault.create(&name("gone"), &single("x"), &marks).await;
    let err = err.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    assert_eq!(
        err.message(),
        "version 1 is deleted and can come back; restore it, or delete its metadata for good"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_in_the_middle_ends_the_run_and_says_what_to_do() {
    let (server, vault) = started().await;
    let marks = Marks::of("test");
    vault
        .create(&name("one"), &single("x"), &marks)
        .await
        .unwrap();
    server.service().expire(Service::TOKEN);
    let err = vault
        .create(&name("two"), &single("x"), &marks)
        .await
        .unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
    assert_eq!(
        err.to_string(),
        "create `two`: the server answered 403: the token is unknown, expired or revoked; log in again with `vault login`, or set `VAULT_TOKEN`"
    );
    let looked = vault.inventory(&[wanted("one", Depth::Metadata)]).await;
    assert_eq!(looked.unwrap_err().kind(), ErrorKind::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_server_is_said_and_nothing_is_absent_in_it() {
    let (server, vault) = started().await;
    server.service().seal(true);
    let seen = vault.inventory(&[wanted("x", Depth::Quick)]).await.unwrap();
    let Some(Presence::Unknown { reason }) = seen.get(&name("x")) else {
        panic!("{seen:?}");
    };
    assert_eq!(
        reason,
        "the server answered 503: it is sealed; unseal it with `vault operator unseal`"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_create_and_not_update_loses_a_race_as_others_do() {
    let (server, vault) = started().await;
    server.service().deny_updates();
    let marks = Marks::of("test");
    let again = vault.create(&name("a"), &single("x"), &marks).await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);
    server.service().deny("write", "");
    let denied = vault.create(&name("new"), &single("x"), &marks).await;
    assert_eq!(denied.unwrap_err().kind(), ErrorKind::Denied);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_destroyed_or_has_no_version_is_neither_present_nor_absent() {
    let (server, vault) = started().await;
    server.service().put("destroyed", &json!({"value": "x"}));
    server.service().destroy("destroyed", 1);
    server.service().put_metadata("bare");
    let asked = ["gone", "destroyed", "bare"].map(|entry| wanted(entry, Depth::Metadata));
    let seen = vault.inventory(&asked).await.unwrap();
    assert_eq!(
        seen.get(&name("gone")),
        Some(&Presence::Deleted { until: None })
    );
    let reason = "its current version 1 is destroyed".to_owned();
    assert_eq!(
        seen.get(&name("destroyed")),
        Some(&Presence::Disabled { reason })
    );
    let version = Version::new("0");
    assert_eq!(seen.get(&name("bare")), Some(&Presence::Empty { version }));
    for entry in ["gone", "destroyed"] {
        let created = vault
            .create(&name(entry), &single("y"), &Marks::of("test"))
            .await;
        assert_eq!(created.unwrap_err().kind(), ErrorKind::Conflict, "{entry}");
    }
    assert_eq!(
        vault.restore(&name("destroyed")).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    vault
        .create(&name("bare"), &single("y"), &Marks::of("test"))
        .await
        .unwrap();
    let old = vault
        .read_version(&name("destroyed"), &Version::new("1"), WantedShape::Single)
        .await;
    assert_eq!(old.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_none_of_vaults_writes_nothing() {
    let (server, vault) = started().await;
    for version in ["0", "", "-1", "x"] {
        let replaced = vault
            .replace(&name("new"), &single("x"), &Version::new(version))
            .await;
        assert_eq!(
            replaced.unwrap_err().kind(),
            ErrorKind::Conflict,
            "{version}"
        );
    }
    assert_eq!(server.log().count("write"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mount_that_is_not_the_contracts_gets_no_write() {
    let service = Service::new();
    service.add_mount("", "old", 1);
    service.add_mount("", "keys", 0);
    let server = Server::start(service);
    for (mount, why) in [
        (
            "old",
            "is KV version 1, which overwrites what exists; make it version 2 with `vault kv enable-versioning old`",
        ),
        ("keys", "is no KV store"),
        ("nowhere", "there is no mount `nowhere`"),
        ("secret/below", "is a path below a mount"),
    ] {
        let address = server.url();
        let mut config =
            config(&[("VAULT_ADDR", &address), ("VAULT_TOKEN", Service::TOKEN)]).unwrap();
        config.mount = Some(mount.to_owned());
        let vault = Vault::new(config, policy()).unwrap();
        let created = vault
            .create(&name("a"), &single("x"), &Marks::of("test"))
            .await;
        let err = created.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Misplaced, "{err}");
        assert!(err.message().contains(why), "{err}");
    }
    assert_eq!(server.log().count("write"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_is_proved_before_it_is_used() {
    for (namespaces, wanted) in [
        (Namespaces::Ignored, Some(ErrorKind::Misplaced)),
        (Namespaces::Honoured(vec!["team".to_owned()]), None),
        (
            Namespaces::Honoured(vec!["other".to_owned()]),
            Some(ErrorKind::Misplaced),
        ),
    ] {
        let service = Service::new();
        service.add_mount("team", "secret", 2);
        service.set_namespaces(namespaces.clone());
        let server = Server::start(service);
        let address = server.url();
        let variables = [
            ("VAULT_ADDR", address.as_str()),
            ("VAULT_TOKEN", Service::TOKEN),
            ("VAULT_NAMESPACE", "team"),
        ];
        let vault = Vault::new(config(&variables).unwrap(), policy()).unwrap();
        let created = vault
            .create(&name("a"), &single("x"), &Marks::of("test"))
            .await;
        assert_eq!(
            created.err().map(|err| err.kind()),
            wanted,
            "{namespaces:?}"
        );
        let written = server.service().versions("team", "secret").len();
        assert_eq!(written, usize::from(wanted.is_none()), "{namespaces:?}");
        assert!(
            server.service().versions("", "secret").is_empty(),
            "{namespaces:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untrusted_certificate_is_named_and_a_trusted_one_works() {
    let (ours, others) = (Authority::new(), Authority::new());
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        std::fs::write(dir.path().join(name), text).unwrap();
        dir.path().join(name).to_str().unwrap().to_owned()
    };
    let (ca, other) = (file("ca.pem", ours.pem()), file("other.pem", others.pem()));
    std::fs::create_dir_all(dir.path().join("authorities")).unwrap();
    file("authorities/ca.pem", ours.pem());
    let directory = dir.path().join("authorities").to_str().unwrap().to_owned();
    let server = Server::start_tls(Service::new(), &ours);
    let identify = async |more: &[(&str, &str)]| {
        let address = server.url();
        let mut variables = vec![
            ("VAULT_ADDR", address.as_str()),
            ("VAULT_TOKEN", Service::TOKEN),
        ];
        variables.extend_from_slice(more);
        let vault = Vault::new(config(&variables).unwrap(), policy()).unwrap();
        let identified = vault.identify().await;
        (
            identified.map_err(|err| (err.kind(), err.message().to_owned())),
            vault.notes(),
        )
    };
    let name = "VAULT_TLS_SERVER_NAME";
    for good in [
        vec![("VAULT_CACERT", ca.as_str())],
        vec![("VAULT_CAPATH", directory.as_str())],
        vec![("BAO_CACERT", ca.as_str()), (name, "localhost")],
    ] {
        let (identified, notes) = identify(&good).await;
        assert!(
            identified.is_ok() && notes.is_empty(),
            "{good:?}: {identified:?} {notes:?}"
        );
    }
    let (refused, _) = identify(&[("VAULT_CACERT", &other), ("VAULT_SKIP_VERIFY", "")]).await;
    let why = "the server's certificate is not trusted: its issuer is unknown; name its authority with `VAULT_CACERT`";
    assert_eq!(
        refused.unwrap_err(),
        (ErrorKind::Unexpected, why.to_owned())
    );
    let (refused, _) = identify(&[("VAULT_CACERT", &ca), (name, "vault.example.com")]).await;
    let (kind, why) = refused.unwrap_err();
    assert_eq!(kind, ErrorKind::Unexpected);
    assert!(why.contains("is for another name"), "{why}");
    let (identified, notes) =
        identify(&[("VAULT_CACERT", &other), ("VAULT_SKIP_VERIFY", "true")]).await;
    assert!(identified.is_ok(), "{identified:?}");
    assert_eq!(
        notes,
        [
            "certificates are not verified, because `VAULT_SKIP_VERIFY` says so: anybody on the way can read and change what is sent"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_which_a_server_says_only_that_it_may_not_is_known_to_be_over() {
    let (server, vault) = started().await;
    server.service().say_only_denied();
    let err = at(&server.url(), "canary").identify().await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
    assert!(
        err.message().starts_with(
            "the server answered 403: the token may neither look at itself nor use the mount `secret`; "
        ),
        "{err}"
    );
    server.clear_log();
    server.service().expire(Service::TOKEN);
    for operation in ["read", "write", "list", "subkeys", "undelete", "patch"] {
        let err = verb(&vault, operation).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unauthenticated, "{operation}: {err}");
        assert!(err.message().contains("log in again"), "{err}");
    }
    assert_eq!(server.log().count("lookup-self"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_of_one_name_is_no_end_of_the_token() {
    let (server, vault) = started().await;
    server.service().deny("read", "secret/data/a");
    for _ in 0..3 {
        let err = verb(&vault, "read").await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Denied, "{err}");
    }
    assert_eq!(server.log().count("lookup-self"), 1);
    verb(&vault, "write").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn before_an_entry_was_asked_for_none_is_missing() {
    for operation in ["lookup-self", "mounts"] {
        let server = Server::start(Service::new());
        let nothing = Answer::json(404, &json!({"errors": []}));
        server.fault(When::operation(operation), Fault::Answer(nothing), None);
        let vault = at(&server.url(), Service::TOKEN);
        let read = vault.read(&name("a"), WantedShape::Single).await;
        let kind = read.unwrap_err().kind();
        assert!(
            matches!(kind, ErrorKind::Unexpected | ErrorKind::Misplaced),
            "{operation}: {kind:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_could_not_begin_is_begun_later_and_a_login_for_once_is_not() {
    let server = Server::start(Service::new());
    let login = json!({"role_id": "r", "secret_id": "s"});
    server.service().allow_login("approle", login);
    let address = server.url();
    let variables = [
        ("VAULT_ADDR", address.as_str()),
        ("VAULT_ROLE_ID", "r"),
        ("VAULT_SECRET_ID", "s"),
    ];
    let mut config = config(&variables).unwrap();
    config.login = Some("approle".to_owned());
    let once = Vault::new(config, policy()).unwrap();
    let vault = at(&address, Service::TOKEN);
    server.service().seal(true);
    for vault in [&vault, &once] {
        let err = vault.identify().await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unavailable, "{err}");
        let asked = server.log().len();
        let err = verb(vault, "read").await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unavailable, "{err}");
        assert_eq!(server.log().len(), asked);
    }
    server.service().seal(false);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    vault.identify().await.unwrap();
    assert_eq!(
        once.identify().await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_lags_hides_neither_what_was_restored_nor_what_was_created() {
    let (server, vault) = started().await;
    server.service().let_looks_lag(3);
    vault.restore(&name("gone")).await.unwrap();
    let (new, marks) = (name("new"), Marks::of("test"));
    vault.create(&new, &single("theirs"), &marks).await.unwrap();
    let created = vault.create(&new, &single("ours"), &marks).await;
    assert_eq!(created.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(server.service().versions("", "secret").get("new"), Some(&1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_breaks_after_the_handshake_tells_nothing_of_what_was_done() {
    let authority = Authority::new();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let server = Server::start_tls(Service::new(), &authority);
    let address = server.url();
    let variables = [
        ("VAULT_ADDR", address.as_str()),
        ("VAULT_TOKEN", Service::TOKEN),
        ("VAULT_CACERT", file.to_str().unwrap()),
    ];
    let vault = Vault::new(config(&variables).unwrap(), policy()).unwrap();
    vault.identify().await.unwrap();
    server.fault(When::Always, Fault::GarbleAfter, None);
    let err = verb(&vault, "write").await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Indeterminate, "{err}");
    assert_eq!(server.service().versions("", "secret").get("new"), Some(&1));
    let err = verb(&vault, "read").await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unavailable, "{err}");
}
