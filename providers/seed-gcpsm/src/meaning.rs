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
            | Call::UpdateSecret => (
                ErrorKind::Unexpected,
                "that is no answer to such a call; is the endpoint that of Secret Manager?",
            ),
        },
        "FAILED_PRECONDITION" => return Some(refused(call)),
        "PERMISSION_DENIED" => (ErrorKind::Denied, denied(call)),
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
            "the service does not take that name, value, label, location or key; correct it in the contract",
        ),
        "UNIMPLEMENTED" => (
            ErrorKind::Unexpected,
            "what answers there does not know that call; is the endpoint that of Secret Manager?",
        ),
        "DATA_LOSS" if !call.writes() => (
            ErrorKind::Unexpected,
            "the service says that what is stored is damaged; ask those who run it",
        ),
        "ABORTED" | "CANCELLED" | "DATA_LOSS" | "DEADLINE_EXCEEDED" | "INTERNAL"
        | "UNAVAILABLE" | "UNKNOWN" => (
            lost,
            "the service has a problem; run the command again later",
        ),
        _ => return None,
    })
}

fn denied(call: Call) -> &'static str {
    match call {
        Call::AccessSecretVersion => {
            "the identity in use may not do that; have `secretmanager.versions.access` given to it"
        }
        Call::AddSecretVersion => {
            "the identity in use may not do that; have `secretmanager.versions.add` given to it"
        }
        Call::CreateSecret => {
            "the identity in use may not do that; have `secretmanager.secrets.create` given to it"
        }
        Call::GetSecret => {
            "the identity in use may not do that; have `secretmanager.secrets.get` given to it"
        }
        Call::ListSecretVersions => {
            "the identity in use may not do that; have `secretmanager.versions.list` given to it"
        }
        Call::ListSecrets => {
            "the identity in use may not do that; have `secretmanager.secrets.list` given to it"
        }
        Call::UpdateSecret => {
            "the identity in use may not do that; have `secretmanager.secrets.update` given to it"
        }
    }
}

fn missing(call: Call) -> (ErrorKind, &'static str) {
    match call {
        Call::CreateSecret => (
            ErrorKind::Invalid,
            "the project, the location or a key that is named does not exist; check `kms-key`, `location` and `project`",
        ),
        Call::ListSecrets => (
            ErrorKind::Misplaced,
            "there is no such project or location; check `project` and `location`",
        ),
        Call::AccessSecretVersion
        | Call::AddSecretVersion
        | Call::GetSecret
        | Call::ListSecretVersions
        | Call::UpdateSecret => (
            ErrorKind::NotFound,
            "nothing is there; run the command again to see what is",
        ),
    }
}

fn refused(call: Call) -> (ErrorKind, &'static str) {
    match call {
        Call::UpdateSecret => (ErrorKind::Conflict, "it was changed meanwhile"),
        Call::AccessSecretVersion => (
            ErrorKind::Conflict,
            "its newest version is disabled or destroyed; enable it, or add another",
        ),
        Call::CreateSecret => (
            ErrorKind::Invalid,
            "a policy of the organisation does not allow it, such as one about locations or keys; check `replication`, `location` and `kms-key`",
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
            ErrorKind::Misplaced,
            "the Secret Manager API is not enabled in the project; enable it with `gcloud services enable secretmanager.googleapis.com`",
        ),
        "BILLING_DISABLED" => (
            ErrorKind::Misplaced,
            "the project has no billing account; link one to it",
        ),
        "CONSUMER_INVALID" => (
            ErrorKind::Misplaced,
            "the project does not exist, or the identity in use may not see it; check `project`",
        ),
        "USER_PROJECT_DENIED" => (
            ErrorKind::Misplaced,
            "the identity in use may not have requests counted to the quota project; check `quota-project`",
        ),
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT" => (
            ErrorKind::Unauthenticated,
            "the token is not for Google Cloud's services; a machine's account needs the scope `cloud-platform`",
        ),
        "ACCESS_TOKEN_EXPIRED" => (
            ErrorKind::Unauthenticated,
            "the credentials have expired; log in again, then run the command again",
        ),
        _ => return None,
    })
}
