//! From what a call ended with to an error: by the service's own codes, never by a status alone.

use azure_core::error::ErrorKind as SdkKind;
use seed_core::name::SecretName;
use seed_provider::{Error, ErrorKind, Operation};

use crate::credentials::Keyless;
use crate::transport::{Lost, Refusal, find};

/// A call of the service's, by its own name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Call {
    GetDeletedSecrets,
    GetSecret,
    GetSecretVersions,
    GetSecrets,
    RecoverDeletedSecret,
    SetSecret,
}

impl Call {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::GetDeletedSecrets => "GetDeletedSecrets",
            Self::GetSecret => "GetSecret",
            Self::GetSecretVersions => "GetSecretVersions",
            Self::GetSecrets => "GetSecrets",
            Self::RecoverDeletedSecret => "RecoverDeletedSecret",
            Self::SetSecret => "SetSecret",
        }
    }

    /// Whether it may change something, so that a lost answer leaves a doubt.
    fn writes(self) -> bool {
        match self {
            Self::RecoverDeletedSecret | Self::SetSecret => true,
            Self::GetDeletedSecrets
            | Self::GetSecret
            | Self::GetSecretVersions
            | Self::GetSecrets => false,
        }
    }
}

/// What a request was sent for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purpose<'a> {
    pub(crate) operation: Operation,
    pub(crate) name: Option<&'a SecretName>,
    pub(crate) call: Call,
}

impl<'a> Purpose<'a> {
    pub(crate) fn of(operation: Operation, name: &'a SecretName, call: Call) -> Self {
        Self {
            operation,
            name: Some(name),
            call,
        }
    }

    pub(crate) fn error(self, kind: ErrorKind, message: impl Into<String>) -> Error {
        let error = Error::new(kind, self.operation, message.into());
        match self.name {
            Some(name) => error.about(name),
            None => error,
        }
    }

    /// An answer that fits nothing. After a write it leaves a doubt.
    pub(crate) fn not_understood(self) -> Error {
        let kind = if self.call.writes() {
            ErrorKind::Indeterminate
        } else {
            ErrorKind::Unexpected
        };
        let call = self.call.as_str();
        self.error(kind, format!("the answer to {call} cannot be understood"))
    }

    /// A failure that leaves open whether the call took effect.
    fn lost(self) -> ErrorKind {
        if self.call.writes() {
            ErrorKind::Indeterminate
        } else {
            ErrorKind::Unavailable
        }
    }

    /// Sorts a failure by what the caller can do. No text of the libraries is looked at.
    pub(crate) fn failed(self, err: &azure_core::Error) -> Error {
        if let Some(keyless) = find::<Keyless>(err) {
            return self.keyless(keyless);
        }
        if let Some(refusal) = find::<Refusal>(err) {
            return self.refused(refusal);
        }
        if let Some(lost) = find::<Lost>(err) {
            return self.undelivered(lost);
        }
        let call = self.call.as_str();
        match err.kind() {
            SdkKind::HttpResponse { status, .. } if u16::from(*status) == 401 => self.error(
                ErrorKind::Unauthenticated,
                format!("{call} was refused: {STALE}"),
            ),
            SdkKind::HttpResponse { .. }
            | SdkKind::Connection
            | SdkKind::Io
            | SdkKind::DataConversion
            | SdkKind::Credential
            | SdkKind::Other => self.not_understood(),
        }
    }

    pub(crate) fn keyless(self, keyless: &Keyless) -> Error {
        let kind = if keyless.passes {
            ErrorKind::Unavailable
        } else {
            ErrorKind::Unauthenticated
        };
        self.error(kind, keyless.to_string())
    }

    fn undelivered(self, lost: &Lost) -> Error {
        let kind = match lost {
            Lost::Connect(_) => ErrorKind::Unavailable,
            Lost::Tls(_) | Lost::Elsewhere => ErrorKind::Unexpected,
            Lost::Challenge => ErrorKind::Misplaced,
            Lost::Cut => self.lost(),
            Lost::Late => {
                let message = "the look before it is too long ago";
                return self.error(ErrorKind::Conflict, message).unsent();
            }
            Lost::TooLarge => return self.not_understood(),
        };
        self.error(kind, format!("{}: {lost}", self.call.as_str()))
    }

    fn refused(self, refusal: &Refusal) -> Error {
        let call = self.call.as_str();
        let status = refusal.status;
        let known = refusal.code.as_deref().and_then(|code| {
            let (kind, why) = self.meaning(refusal, code)?;
            let code = match &refusal.inner {
                Some(inner) if INNER.contains(&inner.as_str()) => format!("{code}/{inner}"),
                Some(_) | None => code.to_owned(),
            };
            Some((kind, format!("{call} failed with `{code}`: {why}")))
        });
        let (kind, message) = known.unwrap_or_else(|| match status {
            429 => (
                ErrorKind::RateLimited {
                    retry_after: refusal.retry_after,
                },
                format!("{call} was refused with status 429: too many requests; lower `pace` in the contract"),
            ),
            // Something in between may have given up after the service had done it.
            408 | 460 | 499..=599 => (
                self.lost(),
                format!("{call} was answered with status {status}; run it again in a minute"),
            ),
            _ => (
                ErrorKind::Unexpected,
                format!(
                    "{call} was answered with status {status} and no code that is known; is there a proxy in between?"
                ),
            ),
        });
        let error = self.error(kind, message);
        match &refusal.request_id {
            Some(id) => error.with_request_id(id),
            None => error,
        }
    }

    /// What a code means, where it comes with the status that it has.
    fn meaning(self, refusal: &Refusal, code: &str) -> Option<(ErrorKind, &'static str)> {
        let inner = refusal.inner.as_deref();
        Some(match (refusal.status, code, inner) {
            (400, "BadParameter", _) => (
                ErrorKind::Invalid,
                "the service takes no such name, value or tag; correct it in the contract",
            ),
            (401, "Unauthorized", _) => (ErrorKind::Unauthenticated, STALE),
            (403, "Forbidden", Some("SecretDisabled")) => (
                ErrorKind::Conflict,
                "the secret is disabled; enable it in the vault",
            ),
            (403, "Forbidden", Some("ForbiddenByFirewall" | "ForbiddenByConnection")) => (
                ErrorKind::Unexpected,
                "the vault's network rules do not let this machine in; run where they do, or add it to the firewall",
            ),
            (403, "Forbidden", _) => (
                ErrorKind::Denied,
                "the identity has no permission for it; give it the role `Key Vault Secrets Officer`, or an access policy, on the vault",
            ),
            (404, "SecretNotFound", _) => {
                (ErrorKind::NotFound, "nothing is stored under that name")
            }
            (404, "VaultNotFound", _) => (
                ErrorKind::Misplaced,
                "there is no vault of that name; correct `vault` in the contract",
            ),
            (409, "Conflict", Some("ObjectIsDeletedButRecoverable")) => (
                ErrorKind::Conflict,
                "it was deleted, and its name is held; recover it with `seed apply --restore`, or purge it",
            ),
            (409, "Conflict", Some("ObjectIsBeingDeleted" | "ObjectIsBeingRecovered")) => (
                ErrorKind::Conflict,
                "it is just being deleted or recovered; try again in a minute",
            ),
            (409, "Conflict", _) => (
                ErrorKind::Conflict,
                "it is not in the state for that; look at it in the vault",
            ),
            (429, "Throttled", _) => (
                ErrorKind::RateLimited {
                    retry_after: refusal.retry_after,
                },
                "too many requests; lower `pace` in the contract",
            ),
            (500..=599, "InternalServerError" | "ServiceUnavailable" | "GatewayTimeout", _) => (
                self.lost(),
                "the service could not serve it now; run it again in a minute",
            ),
            _ => return None,
        })
    }
}

/// Whether it is refused because somebody else writes at the same moment.
pub(crate) fn is_busy(err: &azure_core::Error) -> bool {
    let refusal = find::<Refusal>(err);
    refusal.is_some_and(|refusal| {
        refusal.status == 409
            && refusal.code.as_deref() == Some("Conflict")
            && refusal.inner.is_none()
    })
}

/// Whether it is refused because something of that name is just being recovered.
pub(crate) fn is_returning(err: &azure_core::Error) -> bool {
    let refusal = find::<Refusal>(err);
    refusal.is_some_and(|refusal| {
        refusal.status == 409 && refusal.inner.as_deref() == Some("ObjectIsBeingRecovered")
    })
}

const STALE: &str = "the vault does not take the token: it is over, or of another tenant than the vault's; log in again";

/// Inner codes that are shown. What else is there may be a value that a server repeats.
const INNER: [&str; 9] = [
    "AccessDenied",
    "ForbiddenByConnection",
    "ForbiddenByFirewall",
    "ForbiddenByPolicy",
    "ForbiddenByRbac",
    "ObjectIsBeingDeleted",
    "ObjectIsBeingRecovered",
    "ObjectIsDeletedButRecoverable",
    "SecretDisabled",
];
