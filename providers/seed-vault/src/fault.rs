//! From a status, or from no answer at all, to what the caller can do about it.

use std::borrow::Cow;

use seed_core::name::SecretName;
use seed_provider::{Error, ErrorKind, Operation};

use crate::answer::{Answer, Words};
use crate::transport::Lost;

/// What was asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) operation: Operation,
    pub(crate) name: Option<&'a SecretName>,
    /// Whether this request may change something, whatever the operation does in all.
    pub(crate) writes: bool,
}

impl<'a> Ask<'a> {
    pub(crate) fn read(operation: Operation, name: Option<&'a SecretName>) -> Self {
        Self {
            operation,
            name,
            writes: false,
        }
    }

    pub(crate) fn write(operation: Operation, name: &'a SecretName) -> Self {
        Self {
            operation,
            name: Some(name),
            writes: true,
        }
    }

    /// An error of this request.
    pub(crate) fn error(self, kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Error {
        let error = Error::new(kind, self.operation, message);
        match self.name {
            Some(name) => error.about(name),
            None => error,
        }
    }

    /// An error with the id of the request that it came from.
    pub(crate) fn of(
        self,
        answer: &Answer,
        kind: ErrorKind,
        message: impl Into<Cow<'static, str>>,
    ) -> Error {
        let error = self.error(kind, message);
        match answer.request_id() {
            Some(id) => error.with_request_id(id),
            None => error,
        }
    }

    /// A request without an answer.
    pub(crate) fn lost(self, lost: &Lost) -> Error {
        let kind = match lost {
            Lost::Built => ErrorKind::Invalid,
            Lost::Connect(_) => ErrorKind::Unavailable,
            Lost::Tls(_) => ErrorKind::Unexpected,
            Lost::Cut | Lost::Late | Lost::TooLarge => self.in_doubt(),
        };
        self.error(kind, lost.to_string())
    }

    /// A success whose body is not what it should be: a read tells nothing, a write has happened all the same.
    pub(crate) fn unreadable(self, answer: &Answer) -> Error {
        let kind = if self.writes {
            ErrorKind::Indeterminate
        } else {
            ErrorKind::Unexpected
        };
        let message = format!(
            "the answer {} is not one of Vault's; check that nothing stands between seed and the server",
            answer.status
        );
        self.of(answer, kind, message)
    }

    /// An answer that is no success.
    pub(crate) fn refused(self, answer: &Answer) -> Error {
        let (kind, why) = self.meaning(answer);
        let status = answer.status;
        self.of(answer, kind, format!("the server answered {status}: {why}"))
    }

    fn in_doubt(self) -> ErrorKind {
        if self.writes {
            ErrorKind::Indeterminate
        } else {
            ErrorKind::Unavailable
        }
    }

    fn meaning(self, answer: &Answer) -> (ErrorKind, Cow<'static, str>) {
        let words = answer.words();
        let (kind, why) = match answer.status {
            400 if answer.wants_tls() => (
                ErrorKind::Unexpected,
                "it takes only TLS; begin its address with `https://`",
            ),
            200..=299 => (self.in_doubt(), "a success without what was asked"),
            300..=399 => return redirect(answer),
            400 => bad_request(words),
            401 => (ErrorKind::Unauthenticated, UNAUTHENTICATED),
            403 => forbidden(words),
            404 => not_found(words),
            405 => (
                ErrorKind::Unsupported,
                "the server does not know this call; it may be too old, or not Vault",
            ),
            408 | 504 => (
                self.in_doubt(),
                "something on the way got no answer in time; try again",
            ),
            412 => (
                ErrorKind::Unavailable,
                "the server has not yet seen what was written before; try again",
            ),
            413 => (ErrorKind::Invalid, TOO_LARGE),
            429 => (
                ErrorKind::RateLimited {
                    retry_after: answer.retry_after,
                },
                "it wants fewer requests; lower `pace` in the contract's backend, or raise the quota",
            ),
            472 => (
                ErrorKind::Unexpected,
                "it is a disaster-recovery replica, which serves nobody; use the address of the primary",
            ),
            473 => (
                ErrorKind::Unavailable,
                "it is a standby that does not serve this; use the address of the active node",
            ),
            500 if words == Words::TooLarge => (ErrorKind::Invalid, TOO_LARGE),
            500 => (self.in_doubt(), "it failed inside; look into its log"),
            501 => (
                ErrorKind::Unexpected,
                "it is not initialised; run `vault operator init` first",
            ),
            502 => (
                self.in_doubt(),
                "something behind it did not answer; look into its log, and that of the proxy",
            ),
            503 => self.unavailable(words),
            // A gateway's own statuses: the server may have done it all the same.
            460 | 499 | 505..=599 => (
                self.in_doubt(),
                "something between seed and the server failed; look into its log",
            ),
            _ => (
                ErrorKind::Unexpected,
                "that is no answer of Vault; check that nothing stands between seed and the server",
            ),
        };
        (kind, Cow::Borrowed(why))
    }

    fn unavailable(self, words: Words) -> (ErrorKind, &'static str) {
        match words {
            Words::Sealed => (
                ErrorKind::Unavailable,
                "it is sealed; unseal it with `vault operator unseal`",
            ),
            // A gateway's word is no promise that the server never saw the request.
            Words::None => (self.in_doubt(), "it cannot serve now; try again later"),
            Words::CasMismatch
            | Words::Denied
            | Words::InvalidLogin
            | Words::InvalidToken
            | Words::NoRoute
            | Words::Nothing
            | Words::Other
            | Words::TooLarge
            | Words::Unsupported => (
                ErrorKind::Unavailable,
                "it cannot serve now; it may be sealed or a standby, see `vault status`",
            ),
        }
    }
}

fn redirect(answer: &Answer) -> (ErrorKind, Cow<'static, str>) {
    let host = answer.redirected_to.as_ref();
    let host = host.map_or_else(|| "another place".to_owned(), |host| format!("`{host}`"));
    let why = format!(
        "it redirects to {host}, and a token follows no redirect; use the address of the active node"
    );
    (ErrorKind::Unexpected, Cow::Owned(why))
}

fn bad_request(words: Words) -> (ErrorKind, &'static str) {
    match words {
        Words::CasMismatch => (
            ErrorKind::Conflict,
            "it was changed meanwhile; run the command again",
        ),
        Words::InvalidLogin => (ErrorKind::Unauthenticated, INVALID_LOGIN),
        Words::InvalidToken => (ErrorKind::Unauthenticated, UNAUTHENTICATED),
        Words::TooLarge => (ErrorKind::Invalid, TOO_LARGE),
        Words::Denied
        | Words::NoRoute
        | Words::None
        | Words::Nothing
        | Words::Other
        | Words::Sealed
        | Words::Unsupported => (
            ErrorKind::Invalid,
            "it does not take the request; look into its audit log for what it says",
        ),
    }
}

fn forbidden(words: Words) -> (ErrorKind, &'static str) {
    match words {
        Words::InvalidToken => (ErrorKind::Unauthenticated, UNAUTHENTICATED),
        Words::InvalidLogin => (ErrorKind::Unauthenticated, INVALID_LOGIN),
        Words::CasMismatch
        | Words::Denied
        | Words::NoRoute
        | Words::None
        | Words::Nothing
        | Words::Other
        | Words::Sealed
        | Words::TooLarge
        | Words::Unsupported => (
            ErrorKind::Denied,
            "permission denied; give the token a policy for this path",
        ),
    }
}

/// Absence is taken from the service's own words alone.
fn not_found(words: Words) -> (ErrorKind, &'static str) {
    match words {
        Words::Nothing => (ErrorKind::NotFound, "nothing is stored under that name"),
        Words::NoRoute => (
            ErrorKind::Misplaced,
            "nothing is mounted there; name the mount in the contract's backend, or enable it with `vault secrets enable`",
        ),
        Words::Unsupported => (
            ErrorKind::Unsupported,
            "the server does not know this path; it may be too old",
        ),
        Words::CasMismatch
        | Words::Denied
        | Words::InvalidLogin
        | Words::InvalidToken
        | Words::None
        | Words::Other
        | Words::Sealed
        | Words::TooLarge => (
            ErrorKind::Unexpected,
            "that is not Vault's word for absence; check that the address is that of Vault and not of a proxy",
        ),
    }
}

const UNAUTHENTICATED: &str = "the token is unknown, expired or revoked; log in again with `vault login`, or set `VAULT_TOKEN`";
const INVALID_LOGIN: &str =
    "the login is refused; check the role, its secret or token, and the mount of the auth method";
const TOO_LARGE: &str = "the entry is larger than the server takes; keep less in one entry";
