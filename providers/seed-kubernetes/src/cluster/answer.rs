//! One answer, and the API server's own words in it.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// A whole answer. Its body may have values, and is never shown.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The id under which the audit log has the request.
    pub(super) audit_id: Option<String>,
    /// How long the server asks us to wait, in a header.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// What the API server says of a request that it refused: a `Status` without its free text.
#[derive(Deserialize)]
pub(crate) struct Status {
    kind: String,
    #[serde(default, rename = "status")]
    outcome: String,
    #[serde(default)]
    reason: String,
    /// Only compared, since others may have a word in it.
    #[serde(default)]
    message: String,
    #[serde(default)]
    details: Option<Details>,
}

/// Who refused something that the API server answers with 403.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Refuser {
    /// A webhook or a policy that judges objects.
    Admission,
    /// A permission is missing.
    Authorizer,
    /// Something in between: the words are not an API server's.
    Proxy,
    /// A quota of the namespace.
    Quota,
    /// The API server does not say.
    Unknown,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Details {
    name: String,
    kind: String,
    causes: Option<Vec<Cause>>,
    retry_after_seconds: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cause {
    reason: String,
}

/// What servers of TLS answer in plain text: Go's own, which the API server is, and those that often stand before one.
const PLAIN: [&str; 2] = [
    "Client sent an HTTP request to an HTTPS server",
    "The plain HTTP request was sent to HTTPS port",
];

impl Answer {
    /// Whether it was done.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether a server of TLS says that it was spoken to without.
    pub(super) fn wants_tls(&self) -> bool {
        let body = String::from_utf8_lossy(&self.body);
        self.status == 400 && PLAIN.iter().any(|words| body.contains(words))
    }

    /// Reads the object that was asked for, or `None` when the body is none of that kind.
    pub fn object<T: DeserializeOwned>(&self) -> Option<T> {
        // The reader's own words may show the text, so they are dropped.
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether the server itself says that there is no object of this resource and name.
    ///
    /// A 404 in any other words is a proxy's, or of something else, and no absence.
    pub fn says_not_found(&self, resource: &str, name: &str) -> bool {
        self.status == 404 && self.reason() == Some("NotFound") && self.is_about(resource, name)
    }

    fn is_about(&self, resource: &str, name: &str) -> bool {
        let details = self.said().and_then(|said| said.details);
        details.is_some_and(|of| of.kind == resource && of.name == name)
    }

    /// Whether the server itself says that an object of this resource and name exists.
    pub fn says_already_exists(&self, resource: &str, name: &str) -> bool {
        self.status == 409
            && self.reason() == Some("AlreadyExists")
            && self.is_about(resource, name)
    }

    /// Whether the server itself says that we may not.
    pub fn says_forbidden(&self) -> bool {
        self.status == 403 && self.said().is_some()
    }

    /// Whether the server itself says that the object has changed meanwhile.
    pub fn says_conflict(&self) -> bool {
        self.status == 409 && self.reason() == Some("Conflict")
    }

    /// Whether the server itself says that a list is too old to be continued.
    pub fn says_expired(&self) -> bool {
        self.status == 410 && matches!(self.reason(), Some("Expired" | "Gone"))
    }

    /// Whether the namespace is being deleted, and takes nothing new.
    pub fn says_terminating(&self) -> bool {
        let causes = self.said().and_then(|said| said.details?.causes);
        let mut causes = causes.into_iter().flatten();
        self.status == 403 && causes.any(|cause| cause.reason == "NamespaceTerminating")
    }

    /// Whether somebody else counts against the same quota just now.
    pub(super) fn says_quota_is_busy(&self) -> bool {
        let details = self.said().and_then(|said| said.details);
        self.says_conflict() && details.is_some_and(|of| of.kind == "resourcequotas")
    }

    /// Whether a webhook that judges objects could not be asked. It is asked before anything is stored.
    pub(super) fn says_webhook_failed(&self) -> bool {
        let begins = |said: Status| {
            said.reason == "InternalError"
                && said
                    .message
                    .starts_with("Internal error occurred: failed calling webhook ")
        };
        self.status == 500 && self.said().is_some_and(begins)
    }

    /// Who refused it.
    pub(super) fn refuser(&self) -> Refuser {
        let Some(Status { message, .. }) = self.said() else {
            return Refuser::Proxy;
        };
        if message.contains("exceeded quota: ") {
            Refuser::Quota
        } else if message.contains("denied the request") || message.contains("denied request") {
            Refuser::Admission
        } else if message.contains(" cannot ") && message.contains(" resource ") {
            Refuser::Authorizer
        } else {
            Refuser::Unknown
        }
    }

    /// Whether it is an API server that says why it refuses something.
    pub(super) fn is_said(&self) -> bool {
        self.said().is_some()
    }

    /// The reason, if it is a word of the API's own: a server may put anything there.
    pub(super) fn reason(&self) -> Option<&'static str> {
        let said = self.said()?;
        REASONS.into_iter().find(|known| *known == said.reason)
    }

    /// How long the server asks us to wait.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.retry_after.or_else(|| {
            let seconds = self.said()?.details?.retry_after_seconds?;
            Some(Duration::from_secs(seconds))
        })
    }

    fn said(&self) -> Option<Status> {
        let said: Status = self.object()?;
        (said.kind == "Status" && said.outcome == "Failure").then_some(said)
    }
}

/// An allow-list.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("audit_id", &self.audit_id)
            .finish_non_exhaustive()
    }
}

/// The reasons of `k8s.io/apimachinery/pkg/apis/meta/v1`.
const REASONS: [&str; 21] = [
    "AlreadyExists",
    "BadRequest",
    "Conflict",
    "Expired",
    "Forbidden",
    "Gone",
    "InternalError",
    "Invalid",
    "MethodNotAllowed",
    "NotAcceptable",
    "NotFound",
    "RequestEntityTooLarge",
    "ServerTimeout",
    "ServiceUnavailable",
    "StorageReadError",
    "StoreReadError",
    "Timeout",
    "TooManyRequests",
    "Unauthorized",
    "Unknown",
    "UnsupportedMediaType",
];
