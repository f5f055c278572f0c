//! What a server answered, and what it says in its own words.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::transport::is_id;

/// One answer, whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// From a header.
    pub(crate) request_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    /// The host that a redirect names.
    pub(crate) redirected_to: Option<String>,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// Which of the texts that Vault is known to answer it was. Its free text is shown to nobody: it may repeat what we sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Words {
    /// `{"errors": []}`: nothing is there.
    Nothing,
    /// The version is not the one that a write expected.
    CasMismatch,
    /// The token is unknown, expired or revoked.
    InvalidToken,
    /// The role, its secret or its token is refused.
    InvalidLogin,
    /// The policies do not allow it.
    Denied,
    /// Nothing is mounted there.
    NoRoute,
    Sealed,
    /// A server without that call.
    Unsupported,
    TooLarge,
    /// Vault's form of an error, with another text.
    Other,
    /// Not Vault's form of an error.
    None,
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<String>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Id {
    request_id: Option<String>,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..=299).contains(&self.status)
    }

    /// The id of the request, from a header or from the body.
    pub(crate) fn request_id(&self) -> Option<String> {
        let of_body = || {
            let id: Id = serde_json::from_slice(&self.body).ok()?;
            id.request_id.filter(|id| is_id(id))
        };
        self.request_id.clone().or_else(of_body)
    }

    /// The member `data`, if the body has one. What the parser thinks of a body is dropped: it may quote it.
    pub(crate) fn data<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.raw_data()?).ok()
    }

    /// The text of the member `data`.
    pub(crate) fn raw_data(&self) -> Option<&str> {
        let envelope: Envelope<'_> = serde_json::from_slice(&self.body).ok()?;
        envelope.data.map(RawValue::get)
    }

    /// A body of another form.
    pub(crate) fn whole<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether a server of TLS says that it was spoken to without.
    pub(crate) fn wants_tls(&self) -> bool {
        let body = String::from_utf8_lossy(&self.body);
        PLAIN.iter().any(|words| body.contains(words))
    }

    /// What the body says of an error.
    pub(crate) fn words(&self) -> Words {
        let Ok(Errors { errors }) = serde_json::from_slice(&self.body) else {
            return Words::None;
        };
        if errors.is_empty() {
            return Words::Nothing;
        }
        let known = |(text, _): &&(&str, Words)| errors.iter().any(|error| error.contains(text));
        KNOWN
            .iter()
            .find(known)
            .map_or(Words::Other, |(_, words)| *words)
    }
}

/// An allow-list: a body holds values.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// What servers of TLS answer in plain text: Go's own, which Vault is, and those that often stand before one.
const PLAIN: [&str; 2] = [
    "Client sent an HTTP request to an HTTPS server",
    "The plain HTTP request was sent to HTTPS port",
];

/// The first that fits counts: a refused token is told as a refused permission too.
const KNOWN: [(&str, Words); 17] = [
    ("check-and-set parameter did not match", Words::CasMismatch),
    ("invalid token", Words::InvalidToken),
    ("bad token", Words::InvalidToken),
    ("missing client token", Words::InvalidToken),
    ("token not found", Words::InvalidToken),
    ("invalid role", Words::InvalidLogin),
    ("invalid secret id", Words::InvalidLogin),
    ("role with oidc role_type", Words::InvalidLogin),
    ("error validating token", Words::InvalidLogin),
    ("permission denied", Words::Denied),
    ("preflight capability check", Words::Denied),
    ("no handler for route", Words::NoRoute),
    ("is sealed", Words::Sealed),
    ("unsupported operation", Words::Unsupported),
    ("unsupported path", Words::Unsupported),
    ("value being too large", Words::TooLarge),
    ("request body too large", Words::TooLarge),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Answer {
        Answer {
            status: 404,
            request_id: None,
            retry_after: None,
            redirected_to: None,
            body: Zeroizing::new(body.as_bytes().to_vec()),
        }
    }

    #[test]
    fn only_an_empty_list_of_errors_says_that_nothing_is_there() {
        assert_eq!(answer(r#"{"errors":[]}"#).words(), Words::Nothing);
        for other in [
            "",
            "{}",
            "[]",
            "null",
            "<html>",
            r#"{"errors":null}"#,
            r#"{"errors":{}}"#,
            r#"{"errors":[]"#,
        ] {
            assert_eq!(answer(other).words(), Words::None, "{other}");
        }
    }

    #[test]
    fn the_texts_of_a_real_server_are_known() {
        for (body, words) in [
            (
                r#"{"errors":["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}"#,
                Words::InvalidToken,
            ),
            (
                r#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#,
                Words::Denied,
            ),
            (
                r#"{"errors":["no handler for route \"x/data/y\". route entry not found."]}"#,
                Words::NoRoute,
            ),
            (
                r#"{"errors":["check-and-set parameter did not match the current version"]}"#,
                Words::CasMismatch,
            ),
            (r#"{"errors":["Vault is sealed"]}"#, Words::Sealed),
            (
                r#"{"errors":["1 error occurred:\n\t* unsupported operation\n\n"]}"#,
                Words::Unsupported,
            ),
            (r#"{"errors":["something else"]}"#, Words::Other),
        ] {
            assert_eq!(answer(body).words(), words, "{body}");
        }
    }

    #[test]
    fn what_is_no_id_is_not_shown_as_one() {
        let id = |text: &str| answer(&format!("{{\"request_id\":\"{text}\"}}")).request_id();
        assert_eq!(
            id("4152267d-4cff-6634-3700-e47c73ef7ef3").as_deref(),
            Some("4152267d-4cff-6634-3700-e47c73ef7ef3")
        );
        assert_eq!(id("canary"), None);
        assert_eq!(id(""), None);
    }

    #[test]
    fn debug_shows_no_body() {
        assert_eq!(
            format!("{:?}", answer("canary")),
            "Answer { status: 404, .. }"
        );
    }
}
