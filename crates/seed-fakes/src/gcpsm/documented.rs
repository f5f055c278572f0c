//! What each call may fail with: the codes of `google.rpc.Code`, which the API's design guide gives to every call, and the
//! reasons that the front end of all Google APIs adds.

use super::status::{self, Code, Refusal};
use crate::Answer;

/// Operation, code, answer.
pub(super) fn errors() -> Vec<(&'static str, &'static str, Answer)> {
    told(Refusal::answer)
}

/// The same over gRPC.
pub(super) fn errors_over_grpc() -> Vec<(&'static str, &'static str, Answer)> {
    told(|refusal| refusal.over_grpc("as-documented"))
}

fn told(answer: impl Fn(&Refusal) -> Answer) -> Vec<(&'static str, &'static str, Answer)> {
    let mut errors = Vec::new();
    for operation in OPERATIONS {
        for code in CODES {
            errors.push((operation, code.word, answer(&refusal(code, None))));
        }
        for (code, reason) in REASONS {
            let refusal = refusal(code, Some(reason));
            errors.push((operation, reason, answer(&refusal)));
        }
    }
    errors
}

fn refusal(code: Code, reason: Option<&'static str>) -> Refusal {
    Refusal {
        code,
        message: "as documented".to_owned(),
        reason,
    }
}

const OPERATIONS: [&str; 7] = [
    "AccessSecretVersion",
    "AddSecretVersion",
    "CreateSecret",
    "GetSecret",
    "ListSecretVersions",
    "ListSecrets",
    "UpdateSecret",
];

const CODES: [Code; 16] = [
    status::ABORTED,
    status::ALREADY_EXISTS,
    status::CANCELLED,
    status::DATA_LOSS,
    status::DEADLINE_EXCEEDED,
    status::FAILED_PRECONDITION,
    status::INTERNAL,
    status::INVALID_ARGUMENT,
    status::NOT_FOUND,
    status::OUT_OF_RANGE,
    status::PERMISSION_DENIED,
    status::RESOURCE_EXHAUSTED,
    status::UNAUTHENTICATED,
    status::UNAVAILABLE,
    status::UNIMPLEMENTED,
    status::UNKNOWN,
];

/// "Error reasons" of the API infrastructure.
const REASONS: [(Code, &str); 7] = [
    (status::PERMISSION_DENIED, "BILLING_DISABLED"),
    (status::PERMISSION_DENIED, "CONSUMER_INVALID"),
    (status::PERMISSION_DENIED, "SERVICE_DISABLED"),
    (status::PERMISSION_DENIED, "USER_PROJECT_DENIED"),
    (status::PERMISSION_DENIED, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
    (status::UNAUTHENTICATED, "ACCESS_TOKEN_EXPIRED"),
    (status::RESOURCE_EXHAUSTED, "RATE_LIMIT_EXCEEDED"),
];
