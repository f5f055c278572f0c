//! Refusals, in the server's own words.
#![expect(
    clippy::indexing_slicing,
    reason = "what a document does not have is null"
)]

use serde_json::{Value, json};

use crate::Answer;

/// A refusal.
pub(super) fn status(code: u16, reason: &str, message: &str, details: Value) -> Answer {
    let mut body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    if !details.is_null() {
        body["details"] = details;
    }
    audited(Answer::json(code, &body))
}

/// The header under which the audit log has a request.
pub(super) fn audited(answer: Answer) -> Answer {
    answer.with_header("audit-id", "0dc54738-8a29-4e99-8646-b54885243d1a")
}

pub(super) fn not_found(resource: &str, name: &str) -> Answer {
    let message = format!("{resource} \"{name}\" not found");
    let details = json!({"name": name, "kind": resource});
    status(404, "NotFound", &message, details)
}

pub(super) fn already_exists(resource: &str, name: &str) -> Answer {
    let message = format!("{resource} \"{name}\" already exists");
    let details = json!({"name": name, "kind": resource});
    status(409, "AlreadyExists", &message, details)
}

pub(super) fn conflict(name: &str) -> Answer {
    let message = format!(
        "Operation cannot be fulfilled on secrets \"{name}\": the object has been modified; please apply your changes to the latest version and try again"
    );
    let details = json!({"name": name, "kind": "secrets"});
    status(409, "Conflict", &message, details)
}

pub(super) fn forbidden(verb: &str, resource: &str, name: &str) -> Answer {
    let message =
        format!("{resource} is forbidden: User \"dev\" cannot {verb} resource \"{resource}\"");
    let details = match name {
        "" => json!({"kind": resource}),
        name => json!({"name": name, "kind": resource}),
    };
    status(403, "Forbidden", &message, details)
}

pub(super) fn terminating(namespace: &str, name: &str) -> Answer {
    let message = format!(
        "secrets \"{name}\" is forbidden: unable to create new content in namespace {namespace} because it is being terminated"
    );
    let cause = json!({
        "reason": "NamespaceTerminating",
        "message": format!("namespace {namespace} is being terminated"),
        "field": "metadata.namespace",
    });
    let details = json!({"name": name, "kind": "secrets", "causes": [cause]});
    status(403, "Forbidden", &message, details)
}

pub(super) fn invalid(name: &str, field: &str, reason: &str, message: &str) -> Answer {
    let cause = json!({"reason": reason, "message": message, "field": field});
    let details = json!({"name": name, "kind": "Secret", "causes": [cause]});
    let message = format!("Secret \"{name}\" is invalid: {field}: {message}");
    status(422, "Invalid", &message, details)
}

pub(super) fn unauthorized() -> Answer {
    status(401, "Unauthorized", "Unauthorized", Value::Null)
}

pub(super) fn bad_request(message: &str) -> Answer {
    status(400, "BadRequest", message, Value::Null)
}

pub(super) fn expired() -> Answer {
    let message = "The provided continue parameter is too old to display a consistent list result.";
    status(410, "Expired", message, Value::Null)
}

pub(super) fn too_many() -> Answer {
    let details = json!({"retryAfterSeconds": 1});
    let message = "too many requests, please try again later";
    status(429, "TooManyRequests", message, details).with_header("retry-after", "1")
}
