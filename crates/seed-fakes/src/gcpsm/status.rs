//! How the service refuses: a code of `google.rpc.Code`, and its own words.

use serde_json::{Value, json};

use crate::Answer;

/// A code of `google.rpc.Code`, with the status that goes with it over HTTP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Code {
    pub(super) word: &'static str,
    pub(super) http: u16,
}

macro_rules! codes {
    ($($name:ident = $word:literal $http:literal),+ $(,)?) => {
        $(pub(super) const $name: Code = Code { word: $word, http: $http };)+
    };
}

codes! {
    CANCELLED = "CANCELLED" 499,
    UNKNOWN = "UNKNOWN" 500,
    INVALID_ARGUMENT = "INVALID_ARGUMENT" 400,
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED" 504,
    NOT_FOUND = "NOT_FOUND" 404,
    ALREADY_EXISTS = "ALREADY_EXISTS" 409,
    PERMISSION_DENIED = "PERMISSION_DENIED" 403,
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED" 429,
    FAILED_PRECONDITION = "FAILED_PRECONDITION" 400,
    ABORTED = "ABORTED" 409,
    OUT_OF_RANGE = "OUT_OF_RANGE" 400,
    UNIMPLEMENTED = "UNIMPLEMENTED" 501,
    INTERNAL = "INTERNAL" 500,
    UNAVAILABLE = "UNAVAILABLE" 503,
    DATA_LOSS = "DATA_LOSS" 500,
    UNAUTHENTICATED = "UNAUTHENTICATED" 401,
}

/// A refusal.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) code: Code,
    pub(super) message: String,
    /// The reason in an `ErrorInfo`, where the service gives one.
    pub(super) reason: Option<&'static str>,
}

pub(super) type Reply<T> = Result<T, Refusal>;

pub(super) fn refuse<T>(code: Code, message: impl Into<String>) -> Reply<T> {
    Err(Refusal {
        code,
        message: message.into(),
        reason: None,
    })
}

impl Refusal {
    pub(super) fn answer(&self) -> Answer {
        let mut error = json!({
            "code": self.code.http, "message": self.message, "status": self.code.word,
        });
        if let (Some(reason), Some(error)) = (self.reason, error.as_object_mut()) {
            let details: Value = json!([{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": reason, "domain": "googleapis.com",
            }]);
            error.insert("details".to_owned(), details);
        }
        Answer::json(self.code.http, &json!({"error": error}))
    }
}
