//! How the service refuses: a code of `google.rpc.Code`, and its own words.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use prost::Message as _;
use prost_types::Any;
use serde_json::json;

use crate::Answer;

/// A code of `google.rpc.Code`, with the status that goes with it over HTTP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Code {
    pub(super) word: &'static str,
    pub(super) http: u16,
    pub(super) number: i32,
}

macro_rules! codes {
    ($($name:ident = $number:literal $word:literal $http:literal),+ $(,)?) => {
        $(pub(super) const $name: Code = Code { word: $word, http: $http, number: $number };)+
    };
}

codes! {
    CANCELLED = 1 "CANCELLED" 499,
    UNKNOWN = 2 "UNKNOWN" 500,
    INVALID_ARGUMENT = 3 "INVALID_ARGUMENT" 400,
    DEADLINE_EXCEEDED = 4 "DEADLINE_EXCEEDED" 504,
    NOT_FOUND = 5 "NOT_FOUND" 404,
    ALREADY_EXISTS = 6 "ALREADY_EXISTS" 409,
    PERMISSION_DENIED = 7 "PERMISSION_DENIED" 403,
    RESOURCE_EXHAUSTED = 8 "RESOURCE_EXHAUSTED" 429,
    FAILED_PRECONDITION = 9 "FAILED_PRECONDITION" 400,
    ABORTED = 10 "ABORTED" 409,
    OUT_OF_RANGE = 11 "OUT_OF_RANGE" 400,
    UNIMPLEMENTED = 12 "UNIMPLEMENTED" 501,
    INTERNAL = 13 "INTERNAL" 500,
    UNAVAILABLE = 14 "UNAVAILABLE" 503,
    DATA_LOSS = 15 "DATA_LOSS" 500,
    UNAUTHENTICATED = 16 "UNAUTHENTICATED" 401,
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
        let mut details = vec![json!({
            "@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": next_id(),
        })];
        details.extend(self.reason.map(|reason| {
            json!({
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": reason, "domain": "googleapis.com",
            })
        }));
        if let Some(error) = error.as_object_mut() {
            error.insert("details".to_owned(), details.into());
        }
        Answer::json(self.code.http, &json!({"error": error}))
    }

    /// As gRPC has it: the status is 200, the code is in headers of its own, and all of it in one of them once more.
    pub(super) fn over_grpc(&self, request_id: &str) -> Answer {
        let reason = self.reason.map(|reason| Any {
            type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(),
            value: ErrorInfo {
                reason: reason.to_owned(),
                domain: "googleapis.com".to_owned(),
            }
            .encode_to_vec(),
        });
        let request = Any {
            type_url: "type.googleapis.com/google.rpc.RequestInfo".to_owned(),
            value: RequestInfo {
                request_id: request_id.to_owned(),
            }
            .encode_to_vec(),
        };
        let whole = Status {
            code: self.code.number,
            message: self.message.clone(),
            details: reason.into_iter().chain([request]).collect(),
        };
        let message = utf8_percent_encode(&self.message, GRPC_MESSAGE).to_string();
        Answer::empty(200)
            .with_header("content-type", "application/grpc")
            .with_header("x-goog-request-id", request_id)
            .with_header("grpc-status", self.code.number.to_string())
            .with_header("grpc-message", message)
            .with_header(
                "grpc-status-details-bin",
                STANDARD_NO_PAD.encode(whole.encode_to_vec()),
            )
    }
}

/// "PROTOCOL-HTTP2" of gRPC: everything but printable ASCII, and the sign itself.
const GRPC_MESSAGE: &AsciiSet = &CONTROLS.add(b'%');

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.rpc.ErrorInfo`.
#[derive(Clone, PartialEq, prost::Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    domain: String,
}

/// `google.rpc.RequestInfo`.
#[derive(Clone, PartialEq, prost::Message)]
struct RequestInfo {
    #[prost(string, tag = "1")]
    request_id: String,
}

/// An id that no other answer has.
fn next_id() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let id = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    format!("00000000-0000-4000-8000-{id:012}")
}
