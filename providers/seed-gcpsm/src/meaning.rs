//! What the service's codes mean. Texts are not looked at.

use seed_provider::ErrorKind;

use crate::call::Call;

/// What a code means as the answer to a call, and what to do next. `None` where nothing is known of it.
pub(crate) fn of(
    call: Call,
    word: &str,
    reason: Option<&str>,
) -> Option<(ErrorKind, &'static str)> {
    let by_word = of_word(call, word)?;
    Some(reason.and_then(of_reason).unwrap_or(by_word))
}

fn of_word(call: Call, word: &str) -> Option<(ErrorKind, &'static str)> {
    let lost = if call.writes() {
        ErrorKind::Indeterminate
    } else {
        ErrorKind::Unavailable
    };
    Some(match word {
        "NOT_FOUND" => return Some(missing(call)),
        "ALREADY_EXISTS" => match call {
            Call::CreateSecret => (ErrorKind::AlreadyExists, "a secret of that name exists"),
            Call::AccessSecretVersion
            | Call::AddSecretVersion
            | Call::GetSecret
            | Call::ListSecretVersions
            | Call::ListSecrets
            | Call::UpdateSecret => return None,
        },
        "FAILED_PRECONDITION" => return Some(refused(call)),
        "PERMISSION_DENIED" => (
            ErrorKind::Denied,
            "the identity in use may not do that; have the permission given to it",
        ),
        "UNAUTHENTICATED" => (
            ErrorKind::Unauthenticated,
            "the credentials are not taken; log in again, then run the command again",
        ),
        "RESOURCE_EXHAUSTED" => (
            ErrorKind::RateLimited { retry_after: None },
            "too many requests for the project's quota; run the command again later",
        ),
        "INVALID_ARGUMENT" | "OUT_OF_RANGE" => (
            ErrorKind::Invalid,
            "the service does not take that name, value, label, location or key",
        ),
        "UNIMPLEMENTED" => (
            ErrorKind::Unexpected,
            "what answers there does not know that call; is the endpoint that of Secret Manager?",
        ),
        "DATA_LOSS" if !call.writes() => (
            ErrorKind::Unexpected,
            "the service says that what is stored is damaged",
        ),
        "ABORTED" | "CANCELLED" | "DATA_LOSS" | "DEADLINE_EXCEEDED" | "INTERNAL"
        | "UNAVAILABLE" | "UNKNOWN" => (
            lost,
            "the service has a problem; run the command again later",
        ),
        _ => return None,
    })
}

fn missing(call: Call) -> (ErrorKind, &'static str) {
    match call {
        Call::CreateSecret | Call::ListSecrets => (
            ErrorKind::Misplaced,
            "there is no such project or location, or a key that is named does not exist",
        ),
        Call::AccessSecretVersion
        | Call::AddSecretVersion
        | Call::GetSecret
        | Call::ListSecretVersions
        | Call::UpdateSecret => (ErrorKind::NotFound, "nothing is there"),
    }
}

fn refused(call: Call) -> (ErrorKind, &'static str) {
    match call {
        Call::UpdateSecret => (ErrorKind::Conflict, "it was changed meanwhile"),
        Call::AccessSecretVersion => (
            ErrorKind::Conflict,
            "its newest version is disabled or destroyed",
        ),
        Call::CreateSecret => (
            ErrorKind::Invalid,
            "a policy of the organisation does not allow it, such as one about locations (see `replication` and `location`) or about keys (see `kms-key`)",
        ),
        Call::AddSecretVersion | Call::GetSecret | Call::ListSecretVersions | Call::ListSecrets => {
            (
                ErrorKind::Unexpected,
                "the service is not ready for that; is the KMS key enabled, and may the service use it?",
            )
        }
    }
}

/// What the front end of all Google APIs says.
fn of_reason(reason: &str) -> Option<(ErrorKind, &'static str)> {
    Some(match reason {
        "SERVICE_DISABLED" => (
            ErrorKind::Denied,
            "the Secret Manager API is not enabled in the project; `gcloud services enable secretmanager.googleapis.com` does that",
        ),
        "BILLING_DISABLED" => (ErrorKind::Denied, "the project has no billing account"),
        "CONSUMER_INVALID" => (
            ErrorKind::Denied,
            "the project does not exist, or the identity in use may not see it; check `project`",
        ),
        "USER_PROJECT_DENIED" => (
            ErrorKind::Denied,
            "the identity in use may not have requests counted to the quota project; check `quota-project`",
        ),
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT" => (
            ErrorKind::Denied,
            "the token is not for Google Cloud's services; a machine's account needs the scope `cloud-platform`",
        ),
        "ACCESS_TOKEN_EXPIRED" => (
            ErrorKind::Unauthenticated,
            "the credentials have expired; log in again, then run the command again",
        ),
        _ => return None,
    })
}
