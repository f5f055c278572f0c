//! Every documented error of every call, and answers that are none of the service's.

use std::collections::BTreeMap;

use seed_core::inventory::{Depth, Presence};
use seed_fakes::{Answer, Fault, GcpSm, Server, When};
use seed_provider::{Error, Marks, Provider as _, Replace as _, WantedShape};
use serde_json::json;

use crate::support::{adapter, name, single, wanted};

/// Makes one call fail with `fault` for good, and gives what kind of failure the verb that needs it tells, and its words.
async fn provoke(call: &str, fault: Fault) -> Option<(&'static str, String)> {
    let server = Server::start(GcpSm::new());
    server.service().put("there", "v");
    let adapter = adapter(&server.url());
    let there = name("there");
    let read = adapter.read(&there, WantedShape::Single).await.unwrap();
    server.fault(When::operation(call), fault, None);
    let replaced = async || {
        let new = single("w");
        adapter.replace(&there, &new, &read.version).await.err()
    };
    let error: Option<Error> = match call {
        "AccessSecretVersion" => adapter.read(&there, WantedShape::Single).await.err(),
        "AddSecretVersion" | "CreateSecret" => {
            let (new, marks) = (name("new"), Marks::of("shop"));
            adapter.create(&new, &single("v"), &marks).await.err()
        }
        "GetSecret" | "ListSecretVersions" | "UpdateSecret" => replaced().await,
        "ListSecrets" => {
            let asked = [wanted("there", &[], Depth::Metadata)];
            let seen = adapter.inventory(&asked).await;
            if let Ok(seen) = &seen {
                let present = matches!(seen.get(&there), Some(Presence::Present { .. }));
                assert!(present, "{seen:?}");
            }
            seen.err()
        }
        call => panic!("{call}"),
    };
    // What was there is as it was, unless the verb says that it has replaced it.
    let replaces = matches!(call, "GetSecret" | "ListSecretVersions" | "UpdateSecret");
    let value = if replaces && error.is_none() {
        "w"
    } else {
        "v"
    };
    assert_eq!(server.service().value("there").as_deref(), Some(value));
    error.map(|error| (error.kind().as_str(), error.to_string()))
}

#[expect(clippy::too_many_lines, reason = "the table is long")]
#[tokio::test]
async fn each_documented_error_is_sorted_by_what_can_be_done_and_names_call_and_code() {
    let mut told: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (call, code, answer) in GcpSm::documented_errors() {
        let failed = provoke(call, Fault::Answer(answer)).await;
        let kind = failed.as_ref().map_or(DONE, |(kind, _)| kind);
        if let Some((_, text)) = &failed {
            let fits = text.contains(call) && text.contains(word(code));
            assert!(
                fits && text.contains("(request id "),
                "{call} {code}: {text}"
            );
            assert!(!text.contains("as documented"), "{text}");
        }
        told.entry(format!("{call}: {kind}"))
            .or_default()
            .push(code);
    }
    let lines: Vec<String> = told
        .iter()
        .map(|(line, codes)| format!("{line}: {}", codes.join(" ")))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    AccessSecretVersion: conflict: FAILED_PRECONDITION
    AccessSecretVersion: denied: PERMISSION_DENIED
    AccessSecretVersion: invalid: INVALID_ARGUMENT OUT_OF_RANGE
    AccessSecretVersion: misplaced: BILLING_DISABLED CONSUMER_INVALID SERVICE_DISABLED USER_PROJECT_DENIED
    AccessSecretVersion: not-found: NOT_FOUND
    AccessSecretVersion: rate-limited: RESOURCE_EXHAUSTED RATE_LIMIT_EXCEEDED
    AccessSecretVersion: unauthenticated: UNAUTHENTICATED ACCESS_TOKEN_SCOPE_INSUFFICIENT ACCESS_TOKEN_EXPIRED
    AccessSecretVersion: unavailable: ABORTED CANCELLED DEADLINE_EXCEEDED INTERNAL UNAVAILABLE UNKNOWN
    AccessSecretVersion: unexpected: ALREADY_EXISTS DATA_LOSS UNIMPLEMENTED
    AddSecretVersion: conflict: NOT_FOUND
    AddSecretVersion: denied: PERMISSION_DENIED
    AddSecretVersion: indeterminate: ABORTED CANCELLED DATA_LOSS DEADLINE_EXCEEDED INTERNAL UNAVAILABLE UNKNOWN
    AddSecretVersion: invalid: INVALID_ARGUMENT OUT_OF_RANGE
    AddSecretVersion: misplaced: BILLING_DISABLED CONSUMER_INVALID SERVICE_DISABLED USER_PROJECT_DENIED
    AddSecretVersion: rate-limited: RESOURCE_EXHAUSTED RATE_LIMIT_EXCEEDED
    AddSecretVersion: unauthenticated: UNAUTHENTICATED ACCESS_TOKEN_SCOPE_INSUFFICIENT ACCESS_TOKEN_EXPIRED
    AddSecretVersion: unexpected: ALREADY_EXISTS FAILED_PRECONDITION UNIMPLEMENTED
    CreateSecret: conflict: ALREADY_EXISTS
    CreateSecret: denied: PERMISSION_DENIED
    CreateSecret: invalid: FAILED_PRECONDITION INVALID_ARGUMENT NOT_FOUND OUT_OF_RANGE
    CreateSecret: misplaced: BILLING_DISABLED CONSUMER_INVALID SERVICE_DISABLED USER_PROJECT_DENIED
    CreateSecret: rate-limited: RESOURCE_EXHAUSTED RATE_LIMIT_EXCEEDED
    CreateSecret: unauthenticated: UNAUTHENTICATED ACCESS_TOKEN_SCOPE_INSUFFICIENT ACCESS_TOKEN_EXPIRED
    CreateSecret: unavailable: ABORTED CANCELLED DATA_LOSS DEADLINE_EXCEEDED INTERNAL UNAVAILABLE UNKNOWN
    CreateSecret: unexpected: UNIMPLEMENTED
    GetSecret: denied: PERMISSION_DENIED
    GetSecret: invalid: INVALID_ARGUMENT OUT_OF_RANGE
    GetSecret: misplaced: BILLING_DISABLED CONSUMER_INVALID SERVICE_DISABLED USER_PROJECT_DENIED
    GetSecret: not-found: NOT_FOUND
    GetSecret: rate-limited: RESOURCE_EXHAUSTED RATE_LIMIT_EXCEEDED
    GetSecret: unauthenticated: UNAUTHENTICATED ACCESS_TOKEN_SCOPE_INSUFFICIENT ACCESS_TOKEN_EXPIRED
    GetSecret: unavailable: ABORTED CANCELLED DEADLINE_EXCEEDED INTERNAL UNAVAILABLE UNKNOWN
    GetSecret: unexpected: ALREADY_EXISTS DATA_LOSS FAILED_PRECONDITION UNIMPLEMENTED
    ListSecretVersions: denied: PERMISSION_DENIED
    ListSecretVersions: invalid: INVALID_ARGUMENT OUT_OF_RANGE
    ListSecretVersions: misplaced: BILLING_DISABLED CONSUMER_INVALID SERVICE_DISABLED USER_PROJECT_DENIED
    ListSecretVersions: not-found: NOT_FOUND
    ListSecretVersions: rate-limited: RESOURCE_EXHAUSTED RATE_LIMIT_EXCEEDED
    ListSecretVersions: unauthenticated: UNAUTHENTICATED ACCESS_TOKEN_SCOPE_INSUFFICIENT ACCESS_TOKEN_EXPIRED
    ListSecretVersions: unavailable: ABORTED CANCELLED DEADLINE_EXCEEDED INTERNAL UNAVAILABLE UNKNOWN
    ListSecretVersions: unexpected: ALREADY_EXISTS DATA_LOSS FAILED_PRECONDITION UNIMPLEMENTED
    ListSecrets: done: PERMISSION_DENIED
    ListSecrets: invalid: INVALID_ARGUMENT OUT_OF_RANGE
    ListSecrets: misplaced: NOT_FOUND BILLING_DISABLED CONSUMER_INVALID SERVICE_DISABLED USER_PROJECT_DENIED
    ListSecrets: rate-limited: RESOURCE_EXHAUSTED RATE_LIMIT_EXCEEDED
    ListSecrets: unauthenticated: UNAUTHENTICATED ACCESS_TOKEN_SCOPE_INSUFFICIENT ACCESS_TOKEN_EXPIRED
    ListSecrets: unavailable: ABORTED CANCELLED DEADLINE_EXCEEDED INTERNAL UNAVAILABLE UNKNOWN
    ListSecrets: unexpected: ALREADY_EXISTS DATA_LOSS FAILED_PRECONDITION UNIMPLEMENTED
    UpdateSecret: conflict: FAILED_PRECONDITION NOT_FOUND
    UpdateSecret: denied: PERMISSION_DENIED
    UpdateSecret: invalid: INVALID_ARGUMENT OUT_OF_RANGE
    UpdateSecret: misplaced: BILLING_DISABLED CONSUMER_INVALID SERVICE_DISABLED USER_PROJECT_DENIED
    UpdateSecret: rate-limited: RESOURCE_EXHAUSTED RATE_LIMIT_EXCEEDED
    UpdateSecret: unauthenticated: UNAUTHENTICATED ACCESS_TOKEN_SCOPE_INSUFFICIENT ACCESS_TOKEN_EXPIRED
    UpdateSecret: unavailable: ABORTED CANCELLED DATA_LOSS DEADLINE_EXCEEDED INTERNAL UNAVAILABLE UNKNOWN
    UpdateSecret: unexpected: ALREADY_EXISTS UNIMPLEMENTED
    ");
}

/// The code that goes with a reason.
fn word(what: &str) -> &str {
    match what {
        "ACCESS_TOKEN_EXPIRED" => "UNAUTHENTICATED",
        "RATE_LIMIT_EXCEEDED" => "RESOURCE_EXHAUSTED",
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
        | "BILLING_DISABLED"
        | "CONSUMER_INVALID"
        | "SERVICE_DISABLED"
        | "USER_PROJECT_DENIED" => "PERMISSION_DENIED",
        code => code,
    }
}

#[tokio::test]
async fn each_reason_says_what_to_do_about_it() {
    let mut lines = Vec::new();
    for (call, what, answer) in GcpSm::documented_errors() {
        if call == "AccessSecretVersion" {
            let (_, text) = provoke(call, Fault::Answer(answer)).await.unwrap();
            let (_, text) = text.split_once(&format!("`{}`: ", word(what))).unwrap();
            let (text, _) = text.rsplit_once(" (request id ").unwrap();
            lines.push(format!("{what}: {text}"));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @"
    ABORTED: the service has a problem; run the command again later
    ALREADY_EXISTS: that is no answer to such a call; is the endpoint that of Secret Manager?
    CANCELLED: the service has a problem; run the command again later
    DATA_LOSS: the service says that what is stored is damaged; ask those who run it
    DEADLINE_EXCEEDED: the service has a problem; run the command again later
    FAILED_PRECONDITION: its newest version is disabled or destroyed; enable it, or add another
    INTERNAL: the service has a problem; run the command again later
    INVALID_ARGUMENT: the service does not take that name, value, label, location or key; correct it in the contract
    NOT_FOUND: nothing is there; run the command again to see what is
    OUT_OF_RANGE: the service does not take that name, value, label, location or key; correct it in the contract
    PERMISSION_DENIED: the identity in use may not do that; have `secretmanager.versions.access` given to it
    RESOURCE_EXHAUSTED: too many requests for the project's quota; run the command again later
    UNAUTHENTICATED: the credentials are not taken; log in again, then run the command again
    UNAVAILABLE: the service has a problem; run the command again later
    UNIMPLEMENTED: what answers there does not know that call; is the endpoint that of Secret Manager?
    UNKNOWN: the service has a problem; run the command again later
    BILLING_DISABLED: the project has no billing account; link one to it
    CONSUMER_INVALID: the project does not exist, or the identity in use may not see it; check `project`
    SERVICE_DISABLED: the Secret Manager API is not enabled in the project; enable it with `gcloud services enable secretmanager.googleapis.com`
    USER_PROJECT_DENIED: the identity in use may not have requests counted to the quota project; check `quota-project`
    ACCESS_TOKEN_SCOPE_INSUFFICIENT: the token is not for Google Cloud's services; a machine's account needs the scope `cloud-platform`
    ACCESS_TOKEN_EXPIRED: the credentials have expired; log in again, then run the command again
    RATE_LIMIT_EXCEEDED: too many requests for the project's quota; run the command again later
    ");
}

#[tokio::test]
async fn what_is_not_the_services_word_is_never_absence() {
    let mut lines = Vec::new();
    for (what, fault) in strange_answers() {
        let mut line = format!("{what:<10}");
        for call in [
            "ListSecrets",
            "ListSecretVersions",
            "GetSecret",
            "AccessSecretVersion",
            "CreateSecret",
            "UpdateSecret",
            "AddSecretVersion",
        ] {
            let failed = provoke(call, fault.clone()).await;
            line += &format!(" {:<13}", failed.map_or(DONE, |(kind, _)| kind));
        }
        lines.push(line.trim_end().to_owned());
    }
    insta::assert_snapshot!(lines.join("\n"), @"
    bare 404   unexpected    unexpected    unexpected    unexpected    unexpected    unexpected    unexpected
    html 404   unexpected    unexpected    unexpected    unexpected    unexpected    unexpected    unexpected
    redirect   unexpected    unexpected    unexpected    unexpected    unexpected    unexpected    unexpected
    bare 403   unexpected    unexpected    unexpected    unexpected    unexpected    unexpected    unexpected
    bare 408   unavailable   unavailable   unavailable   unavailable   unavailable   unavailable   indeterminate
    bare 429   rate-limited  rate-limited  rate-limited  rate-limited  rate-limited  rate-limited  rate-limited
    bare 499   unavailable   unavailable   unavailable   unavailable   unavailable   unavailable   indeterminate
    bare 502   unavailable   unavailable   unavailable   unavailable   unavailable   unavailable   indeterminate
    other json unexpected    unexpected    unexpected    unexpected    unexpected    unexpected    unexpected
    other code unavailable   unavailable   unavailable   unavailable   unavailable   unavailable   indeterminate
    malformed  unexpected    unexpected    unexpected    unexpected    done          done          done
    other list unexpected    unexpected    unexpected    unexpected    unavailable   unavailable   indeterminate
    cut before unavailable   unavailable   unavailable   unavailable   unavailable   unavailable   indeterminate
    cut inside unavailable   unavailable   unavailable   unavailable   done          done          done
    ");
}

/// What a proxy, a gateway or another service may answer.
fn strange_answers() -> Vec<(&'static str, Fault)> {
    let html = Answer {
        status: 404,
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        body: b"<html>not found</html>".to_vec(),
    };
    let wrong = json!({"error": {"code": 404, "status": "NOT_FOUND", "message": "x"}});
    vec![
        ("bare 404", Fault::Empty404),
        ("html 404", Fault::Answer(html)),
        (
            "redirect",
            Fault::Redirect("http://127.0.0.1:1/".to_owned()),
        ),
        ("bare 403", Fault::Answer(Answer::empty(403))),
        ("bare 408", Fault::Answer(Answer::empty(408))),
        ("bare 429", Fault::Answer(Answer::empty(429))),
        ("bare 499", Fault::Answer(Answer::empty(499))),
        ("bare 502", Fault::Answer(Answer::empty(502))),
        (
            "other json",
            Fault::Answer(Answer::json(404, &json!({"error": "x"}))),
        ),
        // A gateway that hands the words on with a status of its own.
        ("other code", Fault::Answer(Answer::json(502, &wrong))),
        ("malformed", Fault::Malformed),
        (
            "other list",
            Fault::Answer(Answer::json(200, &json!({"items": []}))),
        ),
        ("cut before", Fault::CutBefore),
        ("cut inside", Fault::CutInside),
    ]
}

#[tokio::test]
async fn what_stands_in_the_place_of_a_code_is_shown_only_if_it_is_known() {
    let said =
        |status: &str| json!({"error": {"code": 400, "status": status, "message": "canary"}});
    for status in ["canary", "NOT_FOUND", "canary\u{7}"] {
        let answer = Answer::json(400, &said(status));
        let answer = answer.with_header("x-request-id", "canary seven");
        let (kind, text) = provoke("CreateSecret", Fault::Answer(answer))
            .await
            .unwrap();
        assert_eq!(kind, "unexpected");
        assert!(!text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn the_id_of_a_request_is_told_where_the_service_gives_one() {
    let error = json!({"code": 403, "status": "PERMISSION_DENIED", "message": "x", "details": [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "IAM_PERMISSION_DENIED"},
        {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "0a1b-2c"},
    ]});
    let answer = Answer::json(403, &json!({"error": error}));
    for (answer, id) in [
        (answer.clone().with_header("x-goog-request-id", "77"), "77"),
        (answer, "0a1b-2c"),
    ] {
        let (_, text) = provoke("CreateSecret", Fault::Answer(answer))
            .await
            .unwrap();
        assert!(text.ends_with(&format!("(request id {id})")), "{text}");
    }
}

#[tokio::test]
async fn a_value_without_its_checksum_is_asked_for_again_and_never_given() {
    let server = Server::start(GcpSm::new());
    server.service().put("there", "v");
    let adapter = adapter(&server.url());
    let damaged = json!({
        "name": "projects/ai-lab/secrets/there/versions/1",
        "payload": {"data": "dg==", "dataCrc32c": "1"},
    });
    let fault = Fault::Answer(Answer::json(200, &damaged));
    let access = When::operation("AccessSecretVersion");
    server.fault(access.clone(), fault.clone(), Some(1));
    let read = adapter.read(&name("there"), WantedShape::Single).await;
    assert!(read.is_ok(), "{read:?}");
    server.fault(access, fault, None);
    let err = adapter
        .read(&name("there"), WantedShape::Single)
        .await
        .unwrap_err();
    insta::assert_snapshot!(err, @"
    read `there`: the value that was read does not have the checksum that came with it
    ");
}

#[tokio::test]
async fn a_checksum_that_the_service_does_not_find_right_keeps_the_value_from_being_stored() {
    let server = Server::start(GcpSm::new());
    let adapter = adapter(&server.url());
    let marks = Marks::of("shop");
    let made = adapter.create(&name("new"), &single("v"), &marks).await;
    assert_eq!(made.unwrap().as_str(), "1");
    assert!(server.service().is_checked("new"), "no checksum was sent");
}

/// It was done all the same: there is another way, or the answer was not needed.
const DONE: &str = "done";
