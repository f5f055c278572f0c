//! What the adapter makes of what an API server says, and of what stands in between.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may give up"
)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use seed_core::backend::Kind;
use seed_core::document::{Document, FieldValue, Fields};
use seed_core::inventory::{Depth, Presence, Version, Wanted};
use seed_core::name::SecretName;
use seed_fakes::{Answer, Authority, Fault, When};
use seed_kubernetes::{Access, Config, Kubernetes};
use seed_provider::{ErrorKind, Marks, Operation, Provider as _, Replace as _, WantedShape};
use serde_json::json;
use support::{NAMESPACE, policy, write_kubeconfig};

#[path = "behaviour/deciding.rs"]
mod deciding;
#[path = "behaviour/reaching.rs"]
mod reaching;
mod support;

/// An adapter, the server that it talks to, and the directory of its kubeconfig.
struct Stand {
    server: seed_fakes::Server<seed_fakes::Kubernetes>,
    kubernetes: Kubernetes,
    _directory: tempfile::TempDir,
}

impl Stand {
    fn new() -> Self {
        Self::with(seed_fakes::Kubernetes::with_namespaces(&[NAMESPACE]), false)
    }

    fn with(service: seed_fakes::Kubernetes, create_namespace: bool) -> Self {
        let server = seed_fakes::Server::start(service);
        let directory = tempfile::tempdir().unwrap();
        let user = serde_json::json!({"token": seed_fakes::Kubernetes::TOKEN});
        let kubeconfig = write_kubeconfig(directory.path(), &server.url(), "", &user);
        let config = Config {
            access: Access {
                kubeconfigs: vec![kubeconfig],
                ..Access::default()
            },
            namespace: Some(NAMESPACE.to_owned()),
            create_namespace,
        };
        let kubernetes = Kubernetes::new(&config, policy()).unwrap();
        Self {
            server,
            kubernetes,
            _directory: directory,
        }
    }
}

const CANARY: &str = "canary7Qx2Vd";

fn name(text: &str) -> SecretName {
    Kind::Kubernetes.existing_name(text).unwrap()
}

fn fields(names: &[&str]) -> Fields {
    let mut fields = Fields::new();
    for name in names {
        let value = FieldValue::Text(CANARY.to_owned().into());
        assert!(fields.insert(*name, value));
    }
    fields
}

fn one() -> Document {
    Document::Fields(fields(&["value"]))
}

fn wanted(text: &str, fields: &[&str], depth: Depth) -> Wanted {
    Wanted {
        name: name(text),
        fields: fields.iter().map(|field| field.parse().unwrap()).collect(),
        depth,
    }
}

fn marks() -> Marks {
    Marks::of("test")
}

/// Stored by somebody else, with one key.
fn foreign(stand: &Stand, text: &str, mut secret: serde_json::Value) {
    secret["metadata"]["name"] = json!(text);
    if secret["type"].is_null() {
        secret["type"] = json!("Opaque");
    }
    secret["data"] = json!({"there": "eA=="});
    stand.server.service().put(NAMESPACE, secret);
}

async fn look(stand: &Stand, wanted: Wanted) -> Presence {
    let seen = stand
        .kubernetes
        .inventory(std::slice::from_ref(&wanted))
        .await
        .unwrap();
    seen.get(&wanted.name).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_as_few_as_promised() {
    let stand = Stand::new();
    let kubernetes = &stand.kubernetes;
    kubernetes.identify().await.unwrap();
    assert_eq!(stand.server.log().len(), 2, "who, and the namespace");
    stand.server.clear_log();
    let names: Vec<String> = (0..1_100).map(|n| format!("n{n}")).collect();
    let all = |depth| -> Vec<Wanted> {
        names
            .iter()
            .map(|name| wanted(name, &["value"], depth))
            .collect()
    };
    let absent = kubernetes.inventory(&all(Depth::Metadata)).await.unwrap();
    assert!(
        absent
            .iter()
            .all(|(_, presence)| *presence == Presence::Absent)
    );
    assert_eq!(stand.server.log().len(), 1);
    stand.server.clear_log();
    for text in &names {
        kubernetes
            .create(&name(text), &one(), &marks())
            .await
            .unwrap();
    }
    assert_eq!(stand.server.log().len(), 1_100);
    for depth in [Depth::Quick, Depth::Metadata, Depth::Fields] {
        stand.server.clear_log();
        let there = kubernetes.inventory(&all(depth)).await.unwrap();
        assert!(
            there
                .iter()
                .all(|(_, presence)| *presence != Presence::Absent)
        );
        assert_eq!(stand.server.log().len(), 3, "{depth:?}");
    }
}

/// Asks for one thing, whatever the call is called.
async fn ask(kubernetes: &Kubernetes, call: &str) -> Result<(), seed_provider::Error> {
    let version = Version::new("1");
    match call {
        "get secrets" => kubernetes
            .read(&name("a"), WantedShape::Fields)
            .await
            .map(drop),
        "list secrets" => {
            let asked = ["a", "b"].map(|text| wanted(text, &["value"], Depth::Metadata));
            kubernetes.inventory(&asked).await.map(drop)
        }
        "get namespaces" => kubernetes.identify().await.map(drop),
        "create secrets" | "create namespaces" => kubernetes
            .create(&name("a"), &one(), &marks())
            .await
            .map(drop),
        "patch secrets" => {
            let new = fields(&["new"]);
            kubernetes
                .add_fields(&name("a"), &new, &version)
                .await
                .map(drop)
        }
        other => panic!("{other}"),
    }
}

/// What each documented error must become, for a call that only looks and for one that writes.
fn expected(call: &str, what: &str) -> Option<ErrorKind> {
    let writes = call.starts_with("create") || call.starts_with("patch");
    Some(match what {
        "BadRequest" | "RequestEntityTooLarge" | "Invalid" => ErrorKind::Invalid,
        "Unauthorized" => ErrorKind::Unauthenticated,
        // Looked at one by one instead, or proven in another way.
        "Forbidden" if call == "list secrets" || call == "get namespaces" => return None,
        "Forbidden" => ErrorKind::Denied,
        "MethodNotAllowed" => ErrorKind::Unsupported,
        "TooManyRequests" => ErrorKind::RateLimited {
            retry_after: Some(Duration::from_secs(1)),
        },
        "Gone" | "Expired" => ErrorKind::Unavailable,
        "InternalError" | "ServerTimeout" | "ServiceUnavailable" | "Timeout" | "a proxy's 502"
            if writes =>
        {
            ErrorKind::Indeterminate
        }
        "InternalError" | "ServerTimeout" | "ServiceUnavailable" | "Timeout" | "a proxy's 502" => {
            ErrorKind::Unavailable
        }
        "a proxy's welcome" | "another object" if writes => ErrorKind::Indeterminate,
        // Somebody else's Secret stands there, as far as the server said; it is looked at.
        "AlreadyExists" | "AlreadyExists of something else" | "Conflict" => ErrorKind::Conflict,
        "NamespaceTerminating" | "namespace NotFound" => ErrorKind::Misplaced,
        _ => ErrorKind::Unexpected,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_error_is_sorted_and_says_what_to_do() {
    let mut words = Vec::new();
    for (call, what, answer) in seed_fakes::Kubernetes::documented_errors() {
        let namespaces: &[&str] = if call == "create namespaces" {
            &[]
        } else {
            &[NAMESPACE]
        };
        let service = seed_fakes::Kubernetes::with_namespaces(namespaces);
        let stand = Stand::with(service, call == "create namespaces");
        if call == "patch secrets" {
            foreign(&stand, "a", json!({}));
        }
        let fault = Fault::Answer(answer);
        stand.server.fault(When::operation(call), fault, None);
        let ended = ask(&stand.kubernetes, call).await;
        match (expected(call, what), ended) {
            (None, Ok(())) => {}
            (Some(kind), Err(err)) => {
                assert_eq!(err.kind(), kind, "{call}: {what}: {err}");
                assert!(!format!("{err} {err:?}").contains(CANARY));
                words.push(err.to_string());
            }
            (wanted, ended) => panic!("{call}: {what}: wanted {wanted:?}, got {ended:?}"),
        }
    }
    words.sort();
    words.dedup();
    assert!(
        words.iter().all(|text| !text.contains("own words")),
        "free text of a server"
    );
    let unmarked = words
        .iter()
        .filter(|text| !text.contains("; ") && !text.contains("cannot"));
    assert_eq!(
        unmarked.collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "no next step"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_is_in_doubt_when_it_writes_and_looked_at_again_when_it_reads() {
    for fault in [
        Fault::CutBefore,
        Fault::CutAfter,
        Fault::CutInside,
        Fault::Malformed,
    ] {
        let stand = Stand::new();
        stand.kubernetes.identify().await.unwrap();
        stand
            .server
            .fault(When::operation("create secrets"), fault.clone(), Some(1));
        let err = ask(&stand.kubernetes, "create secrets").await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Indeterminate, "{fault:?}: {err}");
        let applied = stand.server.service().secret(NAMESPACE, "a").is_some();
        assert_eq!(applied, !matches!(fault, Fault::CutBefore));
        assert_eq!(stand.server.log().count("create secrets"), 1, "sent again");
        stand
            .server
            .fault(When::operation("list secrets"), fault.clone(), Some(1));
        let listed = ask(&stand.kubernetes, "list secrets").await;
        let broken = matches!(fault, Fault::Malformed);
        assert_eq!(listed.is_err(), broken, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_404_but_the_servers_own_word_is_absence() {
    for fault in [
        Fault::Empty404,
        Fault::Redirect("http://127.0.0.1:1/".to_owned()),
    ] {
        let stand = Stand::new();
        stand
            .server
            .fault(When::operation("get secrets"), fault.clone(), None);
        let asked = [wanted("a", &["value"], Depth::Metadata)];
        let err = stand.kubernetes.inventory(&asked).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unexpected);
        let err = ask(&stand.kubernetes, "get secrets").await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unexpected);
        let calls = stand.server.log();
        assert!(
            calls.0.iter().all(|call| call.path != "/"),
            "the redirect was followed"
        );
    }
    let other = json!({
        "kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404,
        "details": {"kind": "secrets", "name": "another"},
    });
    let stand = Stand::new();
    let fault = Fault::Answer(Answer::json(404, &other));
    stand
        .server
        .fault(When::operation("get secrets"), fault, None);
    let asked = [wanted("a", &["value"], Depth::Metadata)];
    assert!(stand.kubernetes.inventory(&asked).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_list_falls_back_to_single_looks_and_a_denied_name_is_hidden_alone() {
    let stand = Stand::new();
    foreign(&stand, "a", json!({}));
    let service = stand.server.service();
    service.deny("list", "secrets", "");
    service.deny("get", "secrets", "b");
    let asked = ["a", "b", "c"].map(|text| wanted(text, &["there"], Depth::Metadata));
    let seen = stand.kubernetes.inventory(&asked).await.unwrap();
    assert!(matches!(
        seen.get(&name("a")),
        Some(Presence::Present { .. })
    ));
    assert_eq!(seen.get(&name("c")), Some(&Presence::Absent));
    let Some(Presence::Hidden { reason }) = seen.get(&name("b")) else {
        panic!("{:?}", seen.get(&name("b")));
    };
    assert_eq!(
        reason,
        "the API server does not allow it; grant `get` on secrets in the namespace `llm` (403 Forbidden) \
         (request id 0dc54738-8a29-4e99-8646-b54885243d1a)"
    );
    assert_eq!(
        stand.kubernetes.notes(),
        [
            "`list` on secrets is denied in the namespace `llm`; each name was looked up with `get` instead"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_became_too_old_is_begun_again() {
    let stand = Stand::new();
    for n in 0..600 {
        foreign(&stand, &format!("n{n}"), json!({}));
    }
    let gone = seed_fakes::Kubernetes::documented_errors();
    let (_, _, expired) = gone
        .into_iter()
        .find(|(_, what, _)| *what == "Expired")
        .unwrap();
    stand.kubernetes.identify().await.unwrap();
    // The first page comes, the second is too old once.
    stand
        .server
        .fault(When::Request(3), Fault::Answer(expired), Some(1));
    let asked = ["n0", "n599"].map(|text| wanted(text, &["there"], Depth::Metadata));
    let seen = stand.kubernetes.inventory(&asked).await.unwrap();
    assert!(
        seen.iter()
            .all(|(_, presence)| matches!(presence, Presence::Present { .. }))
    );
    assert_eq!(stand.server.log().count("list secrets"), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_keep_is_present_when_complete_and_never_written_into() {
    let stand = Stand::new();
    let kept = [
        (
            "helm",
            json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "Helm"}}}),
        ),
        ("immutable", json!({"immutable": true})),
        ("tls", json!({"type": "kubernetes.io/tls"})),
        (
            "owned",
            json!({"metadata": {"ownerReferences": [{"kind": "SealedSecret", "name": "s", "controller": true}]}}),
        ),
    ];
    for (text, secret) in kept {
        foreign(&stand, text, secret);
        let complete = look(&stand, wanted(text, &["there"], Depth::Metadata)).await;
        let Presence::Present { version, .. } = complete else {
            panic!("{text}: {complete:?}");
        };
        let short = look(&stand, wanted(text, &["there", "more"], Depth::Metadata)).await;
        assert!(
            matches!(short, Presence::Disabled { .. }),
            "{text}: {short:?}"
        );
        stand.server.clear_log();
        let new = fields(&["more"]);
        let added = stand
            .kubernetes
            .add_fields(&name(text), &new, &version)
            .await;
        assert_eq!(added.unwrap_err().kind(), ErrorKind::Denied, "{text}");
        let replaced = stand
            .kubernetes
            .replace(&name(text), &one(), &version)
            .await;
        assert_eq!(replaced.unwrap_err().kind(), ErrorKind::Denied, "{text}");
        assert_eq!(stand.server.log().count("patch secrets"), 0, "{text}");
    }
    let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
    foreign(&stand, "going", going);
    for depth in [Depth::Quick, Depth::Metadata] {
        let presence = look(&stand, wanted("going", &["there"], depth)).await;
        assert_eq!(
            presence,
            Presence::Disabled {
                reason: "it is being deleted".to_owned()
            }
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_without_any_value_is_filled_unless_others_keep_it() {
    let stand = Stand::new();
    let service = stand.server.service();
    service.put(
        NAMESPACE,
        json!({"metadata": {"name": "a"}, "type": "Opaque"}),
    );
    stand
        .kubernetes
        .create(&name("a"), &one(), &marks())
        .await
        .unwrap();
    let stored = service.secret(NAMESPACE, "a").unwrap();
    let value = base64::engine::general_purpose::STANDARD.encode(CANARY);
    assert_eq!(stored["data"], json!({"value": value}));
    service.put(
        NAMESPACE,
        json!({"metadata": {"name": "b"}, "immutable": true}),
    );
    let refused = stand.kubernetes.create(&name("b"), &one(), &marks()).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Conflict);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_is_proven_before_anything_is_absent() {
    let stand = Stand::with(seed_fakes::Kubernetes::with_namespaces(&[]), false);
    let err = ask(&stand.kubernetes, "list secrets").await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Misplaced);
    assert!(
        err.message().contains("kubectl create namespace llm"),
        "{err}"
    );
    for denied in [&["namespaces"][..], &["namespaces", "create"]] {
        for there in [true, false] {
            let names: &[&str] = if there { &[NAMESPACE] } else { &[] };
            let stand = Stand::with(seed_fakes::Kubernetes::with_namespaces(names), false);
            stand.server.service().deny("get", "namespaces", "");
            let blind = denied.len() == 2;
            if blind {
                stand.server.service().deny("create", "secrets", "");
            }
            let ended = ask(&stand.kubernetes, "list secrets").await;
            let kind = ended.err().map(|err| err.kind());
            let wanted = match (blind, there) {
                (true, _) => Some(ErrorKind::Denied),
                (false, true) => None,
                (false, false) => Some(ErrorKind::Misplaced),
            };
            assert_eq!(kind, wanted, "{denied:?} {there}");
            assert!(stand.server.log().len() <= 5);
            assert!(
                stand
                    .server
                    .service()
                    .secret(NAMESPACE, "seed-check-1")
                    .is_none()
            );
        }
    }
    let stand = Stand::new();
    stand.server.service().terminate(NAMESPACE);
    let err = stand.kubernetes.identify().await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Misplaced);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_is_created_with_the_first_secret_and_not_before() {
    let stand = Stand::with(seed_fakes::Kubernetes::with_namespaces(&[]), true);
    ask(&stand.kubernetes, "list secrets").await.unwrap();
    assert!(!stand.server.service().has_namespace(NAMESPACE));
    for text in ["a", "b"] {
        stand
            .kubernetes
            .create(&name(text), &one(), &marks())
            .await
            .unwrap();
    }
    assert_eq!(stand.server.log().count("create namespaces"), 1);
    let presence = look(&stand, wanted("b", &["value"], Depth::Metadata)).await;
    assert!(matches!(presence, Presence::Present { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_in_the_middle_is_told_as_that() {
    let stand = Stand::new();
    stand.kubernetes.identify().await.unwrap();
    stand.server.service().revoke_token();
    let err = ask(&stand.kubernetes, "create secrets").await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
    assert_eq!(
        err.message(),
        "the API server does not know the credential, or it has expired; log in again and run this again (401 Unauthorized)"
    );
}

fn adapter(
    directory: &std::path::Path,
    url: &str,
    authority: &str,
    user: &serde_json::Value,
    hidden: &[&str],
) -> Kubernetes {
    let config = Config {
        access: Access {
            kubeconfigs: vec![write_kubeconfig(directory, url, authority, user)],
            hidden: hidden.iter().map(|name| (*name).to_owned()).collect(),
            ..Access::default()
        },
        namespace: Some(NAMESPACE.to_owned()),
        create_namespace: false,
    };
    Kubernetes::new(&config, policy()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untrusted_certificate_is_named_at_once_and_a_trusted_one_is_taken() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let authority = Authority::new();
    let service = seed_fakes::Kubernetes::with_namespaces(&[NAMESPACE]);
    let server = seed_fakes::Server::start_tls(service, &authority);
    let user = json!({"token": seed_fakes::Kubernetes::TOKEN});
    let directory = tempfile::tempdir().unwrap();
    let stranger = Authority::new().pem();
    let kubernetes = adapter(directory.path(), &server.url(), &stranger, &user, &[]);
    let begin = Instant::now();
    let err = kubernetes.identify().await.unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(10));
    assert_eq!(err.kind(), ErrorKind::Unexpected);
    assert!(err.message().contains("is not trusted"), "{err}");
    let kubernetes = adapter(
        directory.path(),
        &server.url(),
        &authority.pem(),
        &user,
        &[],
    );
    assert_eq!(
        kubernetes.identify().await.unwrap().who.as_deref(),
        Some("dev")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_had_no_effect() {
    let directory = tempfile::tempdir().unwrap();
    let user = json!({"token": "t"});
    let kubernetes = adapter(directory.path(), "http://127.0.0.1:1", "", &user, &[]);
    let err = ask(&kubernetes, "create secrets").await.unwrap_err();
    assert_eq!(
        (err.kind(), err.operation()),
        (ErrorKind::Unavailable, Operation::Identify)
    );
    assert!(err.message().contains("refused the connection"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_plugin_is_run_once_and_sees_no_value() {
    let server = seed_fakes::Server::start(seed_fakes::Kubernetes::with_namespaces(&[NAMESPACE]));
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let printed = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"token": seed_fakes::Kubernetes::TOKEN},
    });
    // CARGO_MANIFEST_DIR stands for a variable that holds a value.
    let script = format!(
        "echo \"run [$CARGO_MANIFEST_DIR] [$KEPT]\" >> '{}'; echo '{printed}'",
        log.display()
    );
    let user = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
        "env": [{"name": "KEPT", "value": "yes"}], "interactiveMode": "Never",
    }});
    let kubernetes = adapter(
        directory.path(),
        &server.url(),
        "",
        &user,
        &["CARGO_MANIFEST_DIR"],
    );
    kubernetes.identify().await.unwrap();
    ask(&kubernetes, "create secrets").await.unwrap();
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "run [] [yes]\n");
    server.service().revoke_token();
    let err = ask(&kubernetes, "list secrets").await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
    assert_eq!(
        std::fs::read_to_string(&log).unwrap().lines().count(),
        2,
        "not asked again"
    );
    let user = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", format!("echo {CANARY}; exit 3")]}});
    let kubernetes = adapter(directory.path(), &server.url(), "", &user, &[]);
    let err = kubernetes.identify().await.unwrap_err();
    assert_eq!(
        err.message(),
        "the credential plugin `sh` failed (exit status: 3)"
    );
}

#[test]
fn a_context_or_a_server_that_is_another_stops_before_any_call() {
    let directory = tempfile::tempdir().unwrap();
    let user = json!({"token": "t"});
    let kubeconfig = write_kubeconfig(directory.path(), "https://one.example:6443", "", &user);
    let find = |context: Option<&str>, server: Option<&str>| {
        let access = Access {
            context: context.map(str::to_owned),
            server: server.map(str::to_owned),
            kubeconfigs: vec![kubeconfig.clone()],
            hidden: Vec::new(),
        };
        let config = Config {
            access,
            ..Config::default()
        };
        Kubernetes::new(&config, policy())
            .map(drop)
            .map_err(|err| err.to_string())
    };
    assert_eq!(find(Some("dev"), Some("https://ONE.example:6443/")), Ok(()));
    assert_eq!(
        find(Some("prod"), None),
        Err("the context `prod` does not exist".to_owned())
    );
    assert_eq!(
        find(None, Some("https://two.example:6443")),
        Err("the context `dev` is for the server `https://one.example:6443`, and the contract names `https://two.example:6443`".to_owned())
    );
}

/// Where all traces of all libraries go.
#[derive(Clone, Default)]
struct Traces(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Traces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_trace_of_any_library_has_a_value_or_the_token_even_when_the_server_repeats_it() {
    let traces = Traces::default();
    let writer = traces.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let stand = Stand::new();
    let kubernetes = &stand.kubernetes;
    let version = kubernetes
        .create(&name("a"), &one(), &marks())
        .await
        .unwrap();
    kubernetes
        .read(&name("a"), WantedShape::Fields)
        .await
        .unwrap();
    let mut told = format!("{kubernetes:?}");
    for fault in [
        Fault::Echo(200),
        Fault::Echo(403),
        Fault::Echo(422),
        Fault::Echo(500),
        Fault::Malformed,
    ] {
        stand.server.fault(When::Always, fault, None);
        for call in ["get secrets", "list secrets", "create secrets"] {
            if let Err(err) = ask(kubernetes, call).await {
                told.push_str(&format!("{err} {err:?}"));
            }
        }
        let new = fields(&["new"]);
        let added = kubernetes.add_fields(&name("a"), &new, &version).await;
        told.push_str(&format!("{added:?}"));
        stand.server.heal();
    }
    let traced = String::from_utf8(traces.0.lock().unwrap().clone()).unwrap();
    assert!(
        traced.contains("hyper") && traced.contains("kube"),
        "nothing was traced"
    );
    let encoded = base64::engine::general_purpose::STANDARD.encode(CANARY);
    for secret in [CANARY, &encoded, seed_fakes::Kubernetes::TOKEN] {
        assert!(!told.contains(secret), "told");
        assert!(!traced.contains(secret), "traced");
    }
}
