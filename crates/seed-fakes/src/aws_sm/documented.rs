//! "Errors" of each operation, and "Common Error Types", in the API references of Secrets Manager and STS.

use serde_json::json;

use super::identity;
use crate::Answer;

/// Operation, code, answer.
pub(super) fn errors() -> Vec<(&'static str, &'static str, Answer)> {
    let mut errors = Vec::new();
    for (operation, own) in OWN {
        for code in own.iter().chain(&COMMON) {
            errors.push((operation, *code, answer(code)));
        }
    }
    for (code, status) in STS {
        let answer = identity::refused(status, code, "as documented", REQUEST);
        errors.push((
            "GetCallerIdentity",
            code,
            answer.with_header("x-amzn-requestid", REQUEST),
        ));
    }
    errors
}

const REQUEST: &str = "11111111-2222-3333-4444-555555555555";

fn answer(code: &str) -> Answer {
    let status = match code {
        "InternalServiceError" | "InternalFailure" => 500,
        "ServiceUnavailable" => 503,
        "ExpiredTokenException"
        | "IncompleteSignature"
        | "OptInRequired"
        | "UnrecognizedClientException" => 403,
        "NotAuthorized" => 401,
        "RequestEntityTooLargeException" => 413,
        "RequestTimeoutException" => 408,
        "UnknownOperationException" => 404,
        "TooManyRequestsException" => 429,
        _ => 400,
    };
    Answer::json(status, &json!({"__type": code, "Message": "as documented"}))
        .with_header("content-type", "application/x-amz-json-1.1")
        .with_header("x-amzn-requestid", REQUEST)
}

const OWN: [(&str, &[&str]); 8] = [
    (
        "BatchGetSecretValue",
        &[
            "DecryptionFailure",
            "InternalServiceError",
            "InvalidNextTokenException",
            "InvalidParameterException",
            "InvalidRequestException",
            "ResourceNotFoundException",
        ],
    ),
    (
        "CreateSecret",
        &[
            "DecryptionFailure",
            "EncryptionFailure",
            "InternalServiceError",
            "InvalidParameterException",
            "InvalidRequestException",
            "LimitExceededException",
            "MalformedPolicyDocumentException",
            "PreconditionNotMetException",
            "ResourceExistsException",
            "ResourceNotFoundException",
        ],
    ),
    (
        "DescribeSecret",
        &[
            "InternalServiceError",
            "InvalidParameterException",
            "ResourceNotFoundException",
        ],
    ),
    (
        "GetSecretValue",
        &[
            "DecryptionFailure",
            "InternalServiceError",
            "InvalidParameterException",
            "InvalidRequestException",
            "ResourceNotFoundException",
        ],
    ),
    (
        "ListSecrets",
        &[
            "InternalServiceError",
            "InvalidNextTokenException",
            "InvalidParameterException",
            "InvalidRequestException",
        ],
    ),
    (
        "PutSecretValue",
        &[
            "DecryptionFailure",
            "EncryptionFailure",
            "InternalServiceError",
            "InvalidParameterException",
            "InvalidRequestException",
            "LimitExceededException",
            "ResourceExistsException",
            "ResourceNotFoundException",
        ],
    ),
    (
        "RestoreSecret",
        &[
            "InternalServiceError",
            "InvalidParameterException",
            "InvalidRequestException",
            "ResourceNotFoundException",
        ],
    ),
    (
        "UpdateSecretVersionStage",
        &[
            "InternalServiceError",
            "InvalidParameterException",
            "InvalidRequestException",
            "LimitExceededException",
            "ResourceNotFoundException",
        ],
    ),
];

const COMMON: [&str; 21] = [
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InternalFailure",
    "InvalidSignatureException",
    "MalformedHttpRequestException",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "RequestAbortedException",
    "RequestEntityTooLargeException",
    "RequestExpired",
    "RequestLimitExceeded",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ThrottlingException",
    "TooManyRequestsException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationError",
    "ValidationException",
];

const STS: [(&str, u16); 10] = [
    ("AccessDenied", 403),
    ("ExpiredToken", 403),
    ("IncompleteSignature", 400),
    ("InternalFailure", 500),
    ("InvalidClientTokenId", 403),
    ("RegionDisabledException", 403),
    ("ServiceUnavailable", 503),
    ("SignatureDoesNotMatch", 403),
    ("Throttling", 400),
    ("ValidationError", 400),
];
