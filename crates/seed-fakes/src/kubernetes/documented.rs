//! Every documented error of every call.
//!
//! The reasons are those of the API's own list (`StatusReason`), each with the code that it is sent with.

use serde_json::{Value, json};

use super::status;
use crate::Answer;

pub(super) fn errors() -> Vec<(&'static str, &'static str, Answer)> {
    let reads = ["get secrets", "list secrets", "get namespaces"];
    let writes = ["create secrets", "patch secrets", "create namespaces"];
    let mut all = Vec::new();
    for operation in reads.into_iter().chain(writes) {
        all.extend(
            common()
                .into_iter()
                .map(|(what, answer)| (operation, what, answer)),
        );
    }
    for operation in writes {
        all.extend(
            of_writes()
                .into_iter()
                .map(|(what, answer)| (operation, what, answer)),
        );
    }
    all.push(("list secrets", "Expired", status::expired()));
    all.push((
        "create secrets",
        "AlreadyExists",
        status::already_exists("secrets", "a"),
    ));
    all.push((
        "create secrets",
        "AlreadyExists of something else",
        status::already_exists("things", "x"),
    ));
    all.push((
        "create secrets",
        "NamespaceTerminating",
        status::terminating("llm", "a"),
    ));
    all.push((
        "create secrets",
        "namespace NotFound",
        status::not_found("namespaces", "llm"),
    ));
    all.push(("patch secrets", "Conflict", status::conflict("a")));
    all
}

/// What any call may be answered.
fn common() -> Vec<(&'static str, Answer)> {
    let said =
        |code, reason| status::status(code, reason, "in the server's own words", Value::Null);
    vec![
        ("BadRequest", said(400, "BadRequest")),
        ("Unauthorized", status::unauthorized()),
        ("Forbidden", status::forbidden("do", "secrets", "")),
        (
            "NotFound of something else",
            status::not_found("things", "x"),
        ),
        ("MethodNotAllowed", said(405, "MethodNotAllowed")),
        ("NotAcceptable", said(406, "NotAcceptable")),
        ("Gone", said(410, "Gone")),
        ("TooManyRequests", status::too_many()),
        ("InternalError", said(500, "InternalError")),
        ("ServerTimeout", said(500, "ServerTimeout")),
        ("ServiceUnavailable", said(503, "ServiceUnavailable")),
        ("Timeout", said(504, "Timeout")),
        ("a proxy's 404", Answer::empty(404)),
        ("a proxy's page", page(404)),
        ("a proxy's 502", page(502)),
        ("a proxy's welcome", page(200)),
        (
            "another object",
            Answer::json(200, &json!({"kind": "Welcome"})),
        ),
    ]
}

/// What a call that changes something may be answered beside that.
fn of_writes() -> Vec<(&'static str, Answer)> {
    let said =
        |code, reason| status::status(code, reason, "in the server's own words", Value::Null);
    vec![
        ("RequestEntityTooLarge", said(413, "RequestEntityTooLarge")),
        ("UnsupportedMediaType", said(415, "UnsupportedMediaType")),
        (
            "Invalid",
            status::invalid("a", "data", "FieldValueInvalid", "Invalid value"),
        ),
    ]
}

fn page(code: u16) -> Answer {
    Answer {
        status: code,
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        body: b"<html><body>a page of a proxy</body></html>".to_vec(),
    }
}
