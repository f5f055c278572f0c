//! What the services' codes mean. Texts and statuses are not looked at.

use seed_provider::ErrorKind;

use crate::call::Call;

/// What a code means as the answer to a call, and what to do next.
///
/// `None` for what is no code of theirs.
pub(crate) fn of(call: Call, code: &str) -> Option<(ErrorKind, &'static str)> {
    Some(match (call, code) {
        (Call::CreateSecret, "ResourceExistsException") => {
            (ErrorKind::AlreadyExists, "a secret of that name exists")
        }
        (Call::CreateSecret, "ResourceNotFoundException") => (
            ErrorKind::Invalid,
            "the KMS key does not exist; correct `kms-key` in the contract",
        ),
        (Call::CreateSecret, "InvalidRequestException") => (
            ErrorKind::Conflict,
            "the name is held, by a secret that is scheduled for deletion or in the care of another service; restore that, or choose another key or `prefix`",
        ),
        (Call::PutSecretValue, "ResourceExistsException") => (
            ErrorKind::Conflict,
            "a version of that id exists with another value; run the command again",
        ),
        (Call::UpdateSecretVersionStage, "InvalidParameterException") => (
            ErrorKind::Conflict,
            "the label is not attached to the version that was expected; run the command again",
        ),
        (
            Call::BatchGetSecretValue | Call::ListSecrets,
            "ResourceNotFoundException" | "InvalidRequestException",
        ) => (
            ErrorKind::Unexpected,
            "that is no answer to this call; check that no proxy is in between, and the endpoint",
        ),
        (
            Call::PutSecretValue | Call::RestoreSecret | Call::UpdateSecretVersionStage,
            "ResourceNotFoundException",
        ) => (
            ErrorKind::NotFound,
            "nothing is there any more; run the command again",
        ),
        (_, "ResourceNotFoundException") => (ErrorKind::NotFound, "nothing is there"),
        (_, "InvalidRequestException") => (
            ErrorKind::Conflict,
            "it is scheduled for deletion, or in the care of another service; `aws secretsmanager describe-secret` tells which",
        ),
        (_, "ResourceExistsException") => (ErrorKind::Conflict, "it exists"),
        (_, code) => {
            return who(code)
                .or_else(|| what(code))
                .or_else(|| service(code, call));
        }
    })
}

/// What is said of who asks.
fn who(code: &str) -> Option<(ErrorKind, &'static str)> {
    Some(match code {
        "AccessDeniedException" | "AccessDenied" | "NotAuthorized" | "UnauthorizedOperation" => (
            ErrorKind::Denied,
            "the identity in use may not do that; have the action allowed in its policy (and `kms:GenerateDataKey` and `kms:Decrypt`, with a KMS key of one's own)",
        ),
        "OptInRequired" | "RegionDisabledException" => (
            ErrorKind::Denied,
            "the account has not switched that service or region on; have it switched on, or name another region",
        ),
        "ExpiredTokenException" | "ExpiredToken" | "RequestExpired" => (
            ErrorKind::Unauthenticated,
            "the credentials have expired, or the clock is wrong; log in again, then run the command again",
        ),
        "IncompleteSignature"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => (
            ErrorKind::Unauthenticated,
            "the credentials are not known there; check AWS_PROFILE, the access key, the region and the clock",
        ),
        _ => return None,
    })
}

/// What is said of what was asked.
fn what(code: &str) -> Option<(ErrorKind, &'static str)> {
    Some(match code {
        "LimitExceededException" => (
            ErrorKind::Invalid,
            "a quota of the account or of the secret is used up; have it raised, or delete what is not needed",
        ),
        "InvalidParameterException"
        | "InvalidParameterValue"
        | "MalformedPolicyDocumentException"
        | "MissingParameter"
        | "RequestEntityTooLargeException"
        | "ValidationError"
        | "ValidationException" => (
            ErrorKind::Invalid,
            "the service does not take that name, value, tag or key; check `prefix`, `labels` and `kms-key`, and the size of the value",
        ),
        "DecryptionFailure" | "EncryptionFailure" => (
            ErrorKind::Unexpected,
            "the KMS key cannot be used; check that it is enabled, and that the identity may use it",
        ),
        "PreconditionNotMetException" => (
            ErrorKind::Unexpected,
            "the account is not ready for that; the request id finds in CloudTrail what the service wants first",
        ),
        _ => return None,
    })
}

/// What is said of the service itself.
fn service(code: &str, call: Call) -> Option<(ErrorKind, &'static str)> {
    Some(match code {
        "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException" => (
            ErrorKind::RateLimited { retry_after: None },
            "too many requests for the account's quota; run the command again later",
        ),
        "InternalFailure"
        | "InternalServerError"
        | "InternalServiceError"
        | "RequestAbortedException"
        | "RequestTimeout"
        | "RequestTimeoutException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => (
            if call.writes() {
                ErrorKind::Indeterminate
            } else {
                ErrorKind::Unavailable
            },
            "the service has a problem; run the command again later",
        ),
        "InvalidNextTokenException" => (
            ErrorKind::Unexpected,
            "the list changed while its pages were asked for",
        ),
        "MalformedHttpRequestException" | "MalformedQueryString" => (
            ErrorKind::Unexpected,
            "the request did not arrive as it was sent; is there a proxy in between?",
        ),
        "InvalidAction" | "UnknownOperationException" => (
            ErrorKind::Unexpected,
            "the service does not know this call; is another service at that endpoint?",
        ),
        _ => return None,
    })
}
