//! Every documented error of every call.

use std::collections::BTreeMap;

use seed_core::inventory::{Depth, Presence};
use seed_fakes::{Answer, AwsSm, Fault, Server, When};
use seed_provider::{Marks, Provider as _, Replace as _, Restore as _, WantedShape};
use serde_json::json;

use crate::single;
use crate::support::{adapter, name, wanted};

/// Makes one call fail with `fault` for good, and gives what kind of failure the verb that needs it tells, and its words.
async fn provoke(call: &str, fault: Fault) -> Option<(&'static str, String)> {
    let server = Server::start(AwsSm::new());
    server.service().put("app/there", r#"{"a":"1"}"#);
    server.service().put("app/deleted", "v");
    server.service().delete("app/deleted", 7);
    let adapter = adapter(&server.url());
    let there = name("app/there");
    let read = adapter.read(&there, WantedShape::Single).await.unwrap();
    server.fault(When::operation(call), fault, None);
    let error = match call {
        "BatchGetSecretValue" => {
            let asked = [wanted("app/there", &["a"], Depth::Fields)];
            let seen = adapter.inventory(&asked).await;
            if let Ok(seen) = &seen
                && let Some(Presence::Unknown { reason }) = seen.get(&there)
            {
                return Some(("unknown", reason.clone()));
            }
            seen.err()
        }
        "CreateSecret" => {
            let (new, marks) = (name("app/new"), Marks::of("shop"));
            adapter.create(&new, &single("v"), &marks).await.err()
        }
        "DescribeSecret" => adapter.restore(&there).await.err(),
        "GetCallerIdentity" => {
            let fresh = crate::support::adapter(&server.url());
            fresh.identify().await.err()
        }
        "GetSecretValue" => adapter.read(&there, WantedShape::Single).await.err(),
        "ListSecrets" => {
            let asked = [wanted("app/there", &[], Depth::Metadata)];
            adapter.inventory(&asked).await.err()
        }
        "PutSecretValue" | "UpdateSecretVersionStage" => {
            let new = single("w");
            adapter.replace(&there, &new, &read.version).await.err()
        }
        "RestoreSecret" => adapter.restore(&name("app/deleted")).await.err(),
        call => panic!("{call}"),
    };
    error.map(|error| (error.kind().as_str(), error.to_string()))
}

#[expect(clippy::too_many_lines, reason = "the table is long")]
#[tokio::test]
async fn each_documented_error_is_sorted_by_what_can_be_done_and_names_call_code_and_request() {
    let mut told: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (call, code, answer) in AwsSm::documented_errors() {
        let failed = provoke(call, Fault::Answer(answer)).await;
        let kind = failed.as_ref().map_or(DONE, |(kind, _)| kind);
        if let Some((_, text)) = &failed {
            let request = "(request id 11111111-2222-3333-4444-555555555555)";
            assert!(
                text.contains(call) && text.contains(code) && text.ends_with(request),
                "{text}"
            );
            assert!(!text.contains("as documented"), "{text}");
        }
        let line = format!("{call}: {kind}");
        told.entry(line).or_default().push(code);
    }
    let lines: Vec<String> = told
        .iter()
        .map(|(line, codes)| format!("{line}: {}", codes.join(" ")))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    BatchGetSecretValue: done without: DecryptionFailure InvalidNextTokenException InvalidParameterException InvalidRequestException ResourceNotFoundException AccessDeniedException MalformedHttpRequestException NotAuthorized OptInRequired RequestEntityTooLargeException UnknownOperationException ValidationError ValidationException
    BatchGetSecretValue: unauthenticated: ExpiredTokenException IncompleteSignature InvalidSignatureException MissingAuthenticationTokenException RequestExpired UnrecognizedClientException
    BatchGetSecretValue: unknown: InternalServiceError InternalFailure RequestAbortedException RequestLimitExceeded RequestTimeoutException ServiceUnavailable ThrottlingException TooManyRequestsException
    CreateSecret: conflict: InvalidRequestException ResourceExistsException
    CreateSecret: denied: AccessDeniedException NotAuthorized OptInRequired
    CreateSecret: indeterminate: InternalServiceError InternalFailure RequestAbortedException RequestTimeoutException ServiceUnavailable
    CreateSecret: invalid: InvalidParameterException LimitExceededException MalformedPolicyDocumentException ResourceNotFoundException RequestEntityTooLargeException ValidationError ValidationException
    CreateSecret: rate-limited: RequestLimitExceeded ThrottlingException TooManyRequestsException
    CreateSecret: unauthenticated: ExpiredTokenException IncompleteSignature InvalidSignatureException MissingAuthenticationTokenException RequestExpired UnrecognizedClientException
    CreateSecret: unexpected: DecryptionFailure EncryptionFailure PreconditionNotMetException MalformedHttpRequestException UnknownOperationException
    DescribeSecret: denied: AccessDeniedException NotAuthorized OptInRequired
    DescribeSecret: invalid: InvalidParameterException RequestEntityTooLargeException ValidationError ValidationException
    DescribeSecret: not-found: ResourceNotFoundException
    DescribeSecret: rate-limited: RequestLimitExceeded ThrottlingException TooManyRequestsException
    DescribeSecret: unauthenticated: ExpiredTokenException IncompleteSignature InvalidSignatureException MissingAuthenticationTokenException RequestExpired UnrecognizedClientException
    DescribeSecret: unavailable: InternalServiceError InternalFailure RequestAbortedException RequestTimeoutException ServiceUnavailable
    DescribeSecret: unexpected: MalformedHttpRequestException UnknownOperationException
    GetCallerIdentity: denied: AccessDenied RegionDisabledException
    GetCallerIdentity: invalid: ValidationError
    GetCallerIdentity: rate-limited: Throttling
    GetCallerIdentity: unauthenticated: ExpiredToken IncompleteSignature InvalidClientTokenId SignatureDoesNotMatch
    GetCallerIdentity: unavailable: InternalFailure ServiceUnavailable
    GetSecretValue: conflict: InvalidRequestException
    GetSecretValue: denied: AccessDeniedException NotAuthorized OptInRequired
    GetSecretValue: invalid: InvalidParameterException RequestEntityTooLargeException ValidationError ValidationException
    GetSecretValue: not-found: ResourceNotFoundException
    GetSecretValue: rate-limited: RequestLimitExceeded ThrottlingException TooManyRequestsException
    GetSecretValue: unauthenticated: ExpiredTokenException IncompleteSignature InvalidSignatureException MissingAuthenticationTokenException RequestExpired UnrecognizedClientException
    GetSecretValue: unavailable: InternalServiceError InternalFailure RequestAbortedException RequestTimeoutException ServiceUnavailable
    GetSecretValue: unexpected: DecryptionFailure MalformedHttpRequestException UnknownOperationException
    ListSecrets: done without: InvalidNextTokenException InvalidParameterException InvalidRequestException AccessDeniedException MalformedHttpRequestException NotAuthorized OptInRequired RequestEntityTooLargeException UnknownOperationException ValidationError ValidationException
    ListSecrets: rate-limited: RequestLimitExceeded ThrottlingException TooManyRequestsException
    ListSecrets: unauthenticated: ExpiredTokenException IncompleteSignature InvalidSignatureException MissingAuthenticationTokenException RequestExpired UnrecognizedClientException
    ListSecrets: unavailable: InternalServiceError InternalFailure RequestAbortedException RequestTimeoutException ServiceUnavailable
    PutSecretValue: conflict: InvalidRequestException ResourceExistsException
    PutSecretValue: denied: AccessDeniedException NotAuthorized OptInRequired
    PutSecretValue: indeterminate: InternalServiceError InternalFailure RequestAbortedException RequestTimeoutException ServiceUnavailable
    PutSecretValue: invalid: InvalidParameterException LimitExceededException RequestEntityTooLargeException ValidationError ValidationException
    PutSecretValue: not-found: ResourceNotFoundException
    PutSecretValue: rate-limited: RequestLimitExceeded ThrottlingException TooManyRequestsException
    PutSecretValue: unauthenticated: ExpiredTokenException IncompleteSignature InvalidSignatureException MissingAuthenticationTokenException RequestExpired UnrecognizedClientException
    PutSecretValue: unexpected: DecryptionFailure EncryptionFailure MalformedHttpRequestException UnknownOperationException
    RestoreSecret: conflict: InvalidRequestException
    RestoreSecret: denied: AccessDeniedException NotAuthorized OptInRequired
    RestoreSecret: indeterminate: InternalServiceError InternalFailure RequestAbortedException RequestTimeoutException ServiceUnavailable
    RestoreSecret: invalid: InvalidParameterException RequestEntityTooLargeException ValidationError ValidationException
    RestoreSecret: not-found: ResourceNotFoundException
    RestoreSecret: rate-limited: RequestLimitExceeded ThrottlingException TooManyRequestsException
    RestoreSecret: unauthenticated: ExpiredTokenException IncompleteSignature InvalidSignatureException MissingAuthenticationTokenException RequestExpired UnrecognizedClientException
    RestoreSecret: unexpected: MalformedHttpRequestException UnknownOperationException
    UpdateSecretVersionStage: denied: AccessDeniedException NotAuthorized OptInRequired
    UpdateSecretVersionStage: indeterminate: InternalServiceError InternalFailure RequestAbortedException RequestTimeoutException ServiceUnavailable
    UpdateSecretVersionStage: invalid: LimitExceededException RequestEntityTooLargeException ValidationError ValidationException
    UpdateSecretVersionStage: rate-limited: RequestLimitExceeded ThrottlingException TooManyRequestsException
    UpdateSecretVersionStage: unauthenticated: ExpiredTokenException IncompleteSignature InvalidSignatureException MissingAuthenticationTokenException RequestExpired UnrecognizedClientException
    UpdateSecretVersionStage: unexpected: InvalidParameterException InvalidRequestException ResourceNotFoundException MalformedHttpRequestException UnknownOperationException
    ");
}

#[tokio::test]
async fn what_is_not_the_services_word_is_never_absence() {
    let html = Answer {
        status: 404,
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        body: b"<html>not found</html>".to_vec(),
    };
    let faults = [
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
        ("malformed", Fault::Malformed),
        ("empty json", Fault::Answer(Answer::json(200, &json!({})))),
        ("cut before", Fault::CutBefore),
        ("cut inside", Fault::CutInside),
    ];
    let mut lines = Vec::new();
    for (what, fault) in faults {
        let mut line = format!("{what:<10}");
        for call in [
            "GetCallerIdentity",
            "ListSecrets",
            "DescribeSecret",
            "GetSecretValue",
            "CreateSecret",
            "PutSecretValue",
        ] {
            let failed = provoke(call, fault.clone()).await;
            line += &format!(" {:<13}", failed.map_or(DONE, |(kind, _)| kind));
        }
        lines.push(line.trim_end().to_owned());
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    bare 404   unexpected    unexpected    unexpected    unexpected    unexpected    unexpected
    html 404   unexpected    unexpected    unexpected    unexpected    unexpected    unexpected
    redirect   unexpected    unexpected    unexpected    unexpected    unexpected    unexpected
    bare 403   unexpected    unexpected    unexpected    unexpected    unexpected    unexpected
    bare 408   unavailable   unavailable   unavailable   unavailable   indeterminate indeterminate
    bare 429   rate-limited  rate-limited  rate-limited  rate-limited  rate-limited  rate-limited
    bare 499   unavailable   unavailable   unavailable   unavailable   indeterminate indeterminate
    bare 502   unavailable   unavailable   unavailable   unavailable   indeterminate indeterminate
    other json unexpected    unexpected    unexpected    unexpected    unexpected    unexpected
    malformed  unexpected    unexpected    unexpected    unexpected    indeterminate indeterminate
    empty json unexpected    unexpected    unexpected    unexpected    indeterminate indeterminate
    cut before unavailable   unavailable   unavailable   unavailable   indeterminate indeterminate
    cut inside unavailable   unavailable   unavailable   unavailable   indeterminate indeterminate
    ");
}

#[tokio::test]
async fn what_stands_in_the_place_of_a_code_is_shown_only_if_it_is_known() {
    let body = |code: &str| json!({"__type": code});
    let header = |code: &str| Answer::json(400, &json!({})).with_header("x-amzn-errortype", code);
    for answer in [
        header("canary\tseven"),
        header("canaryseven"),
        Answer::json(400, &body("canaryseven")),
    ] {
        let (kind, text) = provoke("CreateSecret", Fault::Answer(answer))
            .await
            .unwrap();
        assert_eq!(kind, "unexpected");
        assert!(!text.contains("canary"), "{text}");
    }
    let known = header("com.amazonaws.secretsmanager#LimitExceededException");
    let (kind, text) = provoke("CreateSecret", Fault::Answer(known)).await.unwrap();
    assert_eq!(kind, "invalid");
    assert!(text.contains("`LimitExceededException`"), "{text}");
}

/// The call is not needed: there is another way.
const DONE: &str = "done without";
