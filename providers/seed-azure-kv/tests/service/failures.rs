//! What each failure is taken for.

use std::collections::BTreeMap;

use seed_core::document::Document;
use seed_core::inventory::Depth;
use seed_fakes::{Answer, AzureKv, Fault, When};
use seed_provider::{Error, Marks, Provider as _, Restore as _, WantedShape};
use serde_json::json;

use crate::support::{Stand, name, wanted};

/// Lets one call fail in that way, and gives what the adapter makes of it.
async fn provoke(call: &str, fault: Fault) -> Option<Error> {
    let stand = Stand::new();
    stand.service().put("there", "x");
    stand.service().put("gone", "x");
    stand.service().delete("gone");
    let adapter = stand.ready().await;
    stand.server.fault(When::operation(call), fault, None);
    let value = Document::Single("canary".to_owned().into());
    let missing = wanted("missing", &[], Depth::Metadata);
    match call {
        "GetSecrets" | "GetDeletedSecrets" => adapter.inventory(&[missing]).await.err(),
        "GetSecret" => adapter
            .read(&name("there"), WantedShape::Single)
            .await
            .err(),
        "SetSecret" => {
            let marks = Marks::of("test");
            adapter.create(&name("missing"), &value, &marks).await.err()
        }
        "RecoverDeletedSecret" => adapter.restore(&name("gone")).await.err(),
        other => unreachable!("no way to provoke {other}"),
    }
}

fn kind(err: Option<&Error>) -> &'static str {
    err.map_or("done", |err| err.kind().as_str())
}

/// One line for each call and kind: what is taken for that.
async fn documented() -> Vec<String> {
    let mut sorted: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (call, what, answer) in AzureKv::documented_errors() {
        if call == "GetSecretVersions" {
            // Its failures come out of settling, as what is unclear.
            continue;
        }
        let err = provoke(call, Fault::Answer(answer)).await;
        // Of a token that is refused the libraries tell nothing, and what cannot be recovered is looked for once more.
        if let Some(err) = &err
            && err.kind().as_str() != "unauthenticated"
            && (call, what) != ("RecoverDeletedSecret", "SecretNotFound")
        {
            let id = err.request_id();
            assert_eq!(
                id,
                Some("11111111-2222-3333-4444-555555555555"),
                "{call} {what}: {err}"
            );
            assert!(!err.to_string().contains("as documented"), "{err}");
        }
        sorted
            .entry((call, kind(err.as_ref())))
            .or_default()
            .push(what);
    }
    sorted
        .iter()
        .map(|((call, kind), what)| format!("{call}: {kind}: {}", what.join(" ")))
        .collect()
}

#[tokio::test]
async fn every_documented_error_is_sorted_by_what_can_be_done() {
    let lines = documented().await;
    insta::assert_snapshot!(lines.join("\n"), @r"
    GetDeletedSecrets: done: Forbidden/AccessDenied Forbidden/ForbiddenByPolicy Forbidden/ForbiddenByRbac
    GetDeletedSecrets: invalid: BadParameter
    GetDeletedSecrets: misplaced: VaultNotFound
    GetDeletedSecrets: rate-limited: Throttled
    GetDeletedSecrets: unauthenticated: Unauthorized
    GetDeletedSecrets: unavailable: GatewayTimeout InternalServerError ServiceUnavailable
    GetDeletedSecrets: unexpected: Forbidden/ForbiddenByConnection Forbidden/ForbiddenByFirewall
    GetSecret: conflict: Forbidden/SecretDisabled
    GetSecret: denied: Forbidden/AccessDenied Forbidden/ForbiddenByPolicy Forbidden/ForbiddenByRbac
    GetSecret: invalid: BadParameter
    GetSecret: misplaced: VaultNotFound
    GetSecret: not-found: SecretNotFound
    GetSecret: rate-limited: Throttled
    GetSecret: unauthenticated: Unauthorized
    GetSecret: unavailable: GatewayTimeout InternalServerError ServiceUnavailable
    GetSecret: unexpected: Forbidden/ForbiddenByConnection Forbidden/ForbiddenByFirewall
    GetSecrets: done: Forbidden/AccessDenied Forbidden/ForbiddenByPolicy Forbidden/ForbiddenByRbac
    GetSecrets: invalid: BadParameter
    GetSecrets: misplaced: VaultNotFound
    GetSecrets: rate-limited: Throttled
    GetSecrets: unauthenticated: Unauthorized
    GetSecrets: unavailable: GatewayTimeout InternalServerError ServiceUnavailable
    GetSecrets: unexpected: Forbidden/ForbiddenByConnection Forbidden/ForbiddenByFirewall
    RecoverDeletedSecret: conflict: Conflict/ObjectIsBeingRecovered
    RecoverDeletedSecret: denied: Forbidden/AccessDenied Forbidden/ForbiddenByPolicy Forbidden/ForbiddenByRbac
    RecoverDeletedSecret: indeterminate: GatewayTimeout InternalServerError ServiceUnavailable
    RecoverDeletedSecret: invalid: BadParameter
    RecoverDeletedSecret: misplaced: VaultNotFound
    RecoverDeletedSecret: not-found: SecretNotFound
    RecoverDeletedSecret: rate-limited: Throttled
    RecoverDeletedSecret: unauthenticated: Unauthorized
    RecoverDeletedSecret: unexpected: Forbidden/ForbiddenByConnection Forbidden/ForbiddenByFirewall
    SetSecret: conflict: Conflict/ObjectIsBeingDeleted Conflict/ObjectIsBeingRecovered Conflict/ObjectIsDeletedButRecoverable
    SetSecret: denied: Forbidden/AccessDenied Forbidden/ForbiddenByPolicy Forbidden/ForbiddenByRbac
    SetSecret: indeterminate: GatewayTimeout InternalServerError ServiceUnavailable
    SetSecret: invalid: BadParameter
    SetSecret: misplaced: VaultNotFound
    SetSecret: rate-limited: Throttled
    SetSecret: unauthenticated: Unauthorized
    SetSecret: unexpected: Forbidden/ForbiddenByConnection Forbidden/ForbiddenByFirewall
    ");
}

#[tokio::test]
async fn what_is_not_the_services_word_is_never_absence() {
    let html = Answer {
        status: 404,
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        body: b"<html>SecretNotFound</html>".to_vec(),
    };
    let word = json!({"error": {"code": "SecretNotFound"}});
    let faults = [
        ("bare 404", Fault::Empty404),
        ("html 404", Fault::Answer(html)),
        ("word with 400", Fault::Answer(Answer::json(400, &word))),
        (
            "redirect",
            Fault::Redirect("https://127.0.0.1:1/".to_owned()),
        ),
        ("bare 403", Fault::Answer(Answer::empty(403))),
        ("bare 429", Fault::Answer(Answer::empty(429))),
        ("bare 502", Fault::Answer(Answer::empty(502))),
        ("bare 524", Fault::Answer(Answer::empty(524))),
        ("malformed", Fault::Malformed),
        ("empty json", Fault::Answer(Answer::json(200, &json!({})))),
        ("cut before", Fault::CutBefore),
        ("cut inside", Fault::CutInside),
    ];
    let mut lines = Vec::new();
    for (what, fault) in faults {
        let mut line = format!("{what:<14}");
        for call in ["GetSecrets", "GetDeletedSecrets", "GetSecret", "SetSecret"] {
            let failed = provoke(call, fault.clone()).await;
            line += &format!(" {:<13}", kind(failed.as_ref()));
        }
        lines.push(line.trim_end().to_owned());
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    bare 404       unexpected    unexpected    unexpected    unexpected
    html 404       unexpected    unexpected    unexpected    unexpected
    word with 400  unexpected    unexpected    unexpected    unexpected
    redirect       unexpected    unexpected    unexpected    unexpected
    bare 403       unexpected    unexpected    unexpected    unexpected
    bare 429       rate-limited  rate-limited  rate-limited  rate-limited
    bare 502       unavailable   unavailable   unavailable   indeterminate
    bare 524       unavailable   unavailable   unavailable   indeterminate
    malformed      unexpected    unexpected    unexpected    done
    empty json     unexpected    unexpected    unexpected    indeterminate
    cut before     unavailable   unavailable   unavailable   indeterminate
    cut inside     unavailable   unavailable   unavailable   done
    ");
}

#[tokio::test]
async fn a_page_of_another_host_is_not_asked_for() {
    let page = json!({"value": [], "nextLink": "https://127.0.0.1:1/secrets?api-version=7.6"});
    let err = provoke("GetSecrets", Fault::Answer(Answer::json(200, &page)))
        .await
        .unwrap();
    assert_eq!(
        err.message(),
        "GetSecrets: the service names another host than the vault's own as its next page"
    );
}
