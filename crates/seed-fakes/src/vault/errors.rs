//! What a server answers when it does not do what it is asked.

use serde_json::json;

use crate::Answer;

/// An error in Vault's own form.
pub(super) fn error(status: u16, text: &str) -> Answer {
    Answer::json(status, &json!({"errors": [text]}))
}

/// A denied permission.
pub(super) fn denied() -> Answer {
    error(403, "1 error occurred:\n\t* permission denied\n\n")
}

/// Every documented error of every call: what the stand-in calls the operation, what is wrong, and the answer.
///
/// From "Vault HTTP status codes", "Rate limit quotas", and what a server was seen to answer.
pub fn documented_errors() -> Vec<(&'static str, &'static str, Answer)> {
    let mut errors = Vec::new();
    for operation in OPERATIONS {
        for (what, answer) in everywhere() {
            errors.push((operation, what, answer));
        }
    }
    let cas = "check-and-set parameter did not match the current version";
    for operation in ["write", "patch"] {
        errors.push((operation, "stale version", error(400, cas)));
        errors.push((
            operation,
            "too large",
            error(413, "http: request body too large"),
        ));
        let large =
            "put failed due to value being too large; got 2000000 bytes, max: 1048576 bytes";
        errors.push((operation, "too large for the storage", error(500, large)));
    }
    errors.push(("patch", "nothing there", Answer::empty(404)));
    errors.push((
        "login",
        "bad secret",
        error(400, "invalid role or secret ID"),
    ));
    errors
}

/// What any call may be answered.
fn everywhere() -> Vec<(&'static str, Answer)> {
    let invalid = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n";
    let no_route = "no handler for route \"secret/data/a\". route entry not found.";
    let quota = "request path \"secret/data/a\": rate limit quota exceeded";
    let html = Answer::empty(502).with_header("content-type", "text/html");
    vec![
        ("bad request", error(400, "missing required field")),
        ("unauthorised", Answer::empty(401)),
        ("denied", denied()),
        ("expired token", error(403, invalid)),
        ("bare denial", Answer::empty(403)),
        ("no mount", error(404, no_route)),
        ("bare 404", Answer::empty(404)),
        (
            "not supported",
            error(405, "1 error occurred:\n\t* unsupported operation\n\n"),
        ),
        ("stale node", error(412, "required index state not present")),
        ("quota", error(429, quota).with_header("retry-after", "1")),
        ("disaster recovery", error(472, "disaster recovery replica")),
        ("performance standby", error(473, "performance standby")),
        ("internal", error(500, "internal error")),
        ("not initialised", error(501, "Vault is not initialized")),
        ("bad gateway", html),
        ("sealed", error(503, "Vault is sealed")),
        ("bare 503", Answer::empty(503)),
        ("gateway time-out", Answer::empty(504)),
        ("closed on the way", Answer::empty(499)),
        ("origin time-out", Answer::empty(524)),
        (
            "redirect",
            Answer::empty(307).with_header("location", "https://active.example.com:8200/v1/x"),
        ),
    ]
}

const OPERATIONS: [&str; 9] = [
    "list",
    "login",
    "lookup-self",
    "mounts",
    "patch",
    "read",
    "subkeys",
    "undelete",
    "write",
];
