//! How the service says no.

use serde_json::{Value, json};

use crate::Answer;

/// What a call gives: a status and a body, or a refusal.
pub(super) type Reply = Result<(u16, Value), Refusal>;

/// A status, the service's code, its inner code, and its own words.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) inner: Option<&'static str>,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            inner: None,
            message: message.into(),
        }
    }

    pub(super) fn with(mut self, inner: &'static str) -> Self {
        self.inner = Some(inner);
        self
    }

    pub(super) fn missing(name: &str) -> Self {
        Self::new(
            404,
            "SecretNotFound",
            format!(
                "A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command."
            ),
        )
    }

    pub(super) fn parameter(message: impl Into<String>) -> Self {
        Self::new(400, "BadParameter", message)
    }

    pub(super) fn forbidden(inner: &'static str, message: impl Into<String>) -> Self {
        Self::new(403, "Forbidden", message).with(inner)
    }

    pub(super) fn conflict(inner: &'static str, message: impl Into<String>) -> Self {
        Self::new(409, "Conflict", message).with(inner)
    }

    pub(super) fn answer(&self) -> Answer {
        let mut error = json!({"code": self.code, "message": self.message});
        if let (Some(inner), Some(error)) = (self.inner, error.as_object_mut()) {
            error.insert("innererror".to_owned(), json!({"code": inner}));
        }
        let answer = Answer::json(self.status, &json!({"error": error}));
        answer.with_header("content-type", "application/json; charset=utf-8")
    }
}
