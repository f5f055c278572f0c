//! From what a call ended with to an error: by the service's own code, never by a status.

use seed_provider::{Error, ErrorKind};
use serde_json::Value;

use crate::call::Purpose;
use crate::meaning;
use crate::transport::{Answer, Lost, is_id};

impl Purpose<'_> {
    /// What a refusal means. The service's own text is not looked at.
    pub(crate) fn refused(self, answer: &Answer) -> Error {
        let Some(words) = Words::of(answer) else {
            return with_id(self.wordless(answer), answer);
        };
        let error = self.said(&words, answer);
        match (&answer.request_id, words.request_id) {
            (None, Some(id)) => error.with_request_id(id),
            (Some(_) | None, _) => with_id(error, answer),
        }
    }

    fn said(self, words: &Words, answer: &Answer) -> Error {
        let call = self.call.as_str();
        let Words { word, reason, .. } = words;
        let Some((kind, why)) = meaning::of(self.call, word, reason.as_deref()) else {
            // It may be anything that somebody put into its place.
            return self.error(
                ErrorKind::Unexpected,
                format!("{call} failed in a way of which nothing is known"),
            );
        };
        let kind = if matches!(kind, ErrorKind::RateLimited { .. }) {
            ErrorKind::RateLimited {
                retry_after: answer.retry_after,
            }
        } else {
            kind
        };
        self.error(kind, format!("{call} failed with `{word}`: {why}"))
    }

    /// An answer without a code of the service's own: from something in between, or cut.
    fn wordless(self, answer: &Answer) -> Error {
        let (call, status) = (self.call.as_str(), answer.status);
        match status {
            429 => self.error(
                ErrorKind::RateLimited {
                    retry_after: answer.retry_after,
                },
                format!("{call} was refused with status 429: too many requests"),
            ),
            // A gateway's own statuses: the service may have done it all the same.
            408 | 460 | 499 | 500..=599 => self.error(
                self.lost(),
                format!(
                    "{call} was answered with status {status} and no code of the service's own"
                ),
            ),
            _ => self.error(
                ErrorKind::Unexpected,
                format!(
                    "{call} was answered with status {status} and no code of the service's own; \
                     is there a proxy in between, or another service at that endpoint?"
                ),
            ),
        }
    }

    /// A success that cannot be understood.
    pub(crate) fn garbled(self, answer: &Answer) -> Error {
        let kind = if self.call.writes() {
            ErrorKind::Indeterminate
        } else {
            ErrorKind::Unexpected
        };
        let call = self.call.as_str();
        let error = self.error(kind, format!("the answer to {call} cannot be understood"));
        with_id(error, answer)
    }

    /// No answer at all.
    pub(crate) fn unanswered(self, lost: &Lost) -> Error {
        let call = self.call.as_str();
        match lost {
            Lost::Built => self.error(
                ErrorKind::Unexpected,
                format!("the request for {call} cannot be made"),
            ),
            Lost::Connect(why) => self.error(
                ErrorKind::Unavailable,
                format!("{call} could not be sent: {why}"),
            ),
            Lost::Tls(why) => {
                self.error(ErrorKind::Unexpected, format!("no TLS for {call}: {why}"))
            }
            Lost::Cut => self.error(
                self.lost(),
                format!("the connection broke before {call} was answered"),
            ),
            Lost::TooLarge => self.error(
                if self.call.writes() {
                    ErrorKind::Indeterminate
                } else {
                    ErrorKind::Unexpected
                },
                format!("the answer to {call} is too large"),
            ),
        }
    }
}

/// Whether an answer is the service's own, and not that of something in between.
pub(crate) fn is_its_own(answer: &Answer) -> bool {
    match answer.status {
        200..300 => answer.body.first() == Some(&b'{'),
        _ => Words::of(answer).is_some(),
    }
}

/// The codes in a `google.rpc.Status`.
struct Words {
    word: String,
    reason: Option<String>,
    request_id: Option<String>,
}

impl Words {
    fn of(answer: &Answer) -> Option<Self> {
        let body: Value = serde_json::from_slice(&answer.body).ok()?;
        let error = body.get("error")?;
        let word = error.get("status").and_then(Value::as_str)?;
        let code = error.get("code").and_then(Value::as_u64)?;
        // Both are the service's, or neither is.
        if code != u64::from(answer.status) || (word == "NOT_FOUND") != (answer.status == 404) {
            return None;
        }
        let details = error.get("details").and_then(Value::as_array);
        let detail = |kind: &str, member: &str| {
            let mut details = details.into_iter().flatten();
            details.find_map(|detail| {
                let told = detail.get("@type").and_then(Value::as_str)?;
                let text = detail.get(member).and_then(Value::as_str)?;
                told.ends_with(kind).then(|| text.to_owned())
            })
        };
        Some(Self {
            word: word.to_owned(),
            reason: detail("google.rpc.ErrorInfo", "reason"),
            request_id: detail("google.rpc.RequestInfo", "requestId").filter(|id| is_id(id)),
        })
    }
}

fn with_id(error: Error, answer: &Answer) -> Error {
    match &answer.request_id {
        Some(id) => error.with_request_id(id),
        None => error,
    }
}
