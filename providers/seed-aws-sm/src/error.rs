//! From what a call ended with to an error: by the service's own code, never by a status.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::DispatchFailure;
use rustls::CertificateError;
use seed_core::name::SecretName;
use seed_provider::{Error, ErrorKind, Operation};

use crate::call::Call;
use crate::meaning;

/// What a request was sent for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purpose<'a> {
    pub(crate) operation: Operation,
    pub(crate) name: Option<&'a SecretName>,
    pub(crate) call: Call,
}

impl Purpose<'_> {
    pub(crate) fn error(self, kind: ErrorKind, message: impl Into<String>) -> Error {
        let error = Error::new(kind, self.operation, message.into());
        match self.name {
            Some(name) => error.about(name),
            None => error,
        }
    }

    /// A failure that leaves open whether the call took effect.
    fn lost(self) -> ErrorKind {
        if self.call.writes() {
            ErrorKind::Indeterminate
        } else {
            ErrorKind::Unavailable
        }
    }

    /// Sorts a failure by what the caller can do. The service's own text is not looked at.
    pub(crate) fn failed<E: ProvideErrorMetadata>(self, err: &SdkError<E, HttpResponse>) -> Error {
        let call = self.call.as_str();
        match err {
            SdkError::TimeoutError(_) => {
                self.error(self.lost(), format!("{call} was not answered in time"))
            }
            SdkError::DispatchFailure(failure) => self.undelivered(failure),
            SdkError::ResponseError(answer) => {
                let error = self.error(
                    self.lost(),
                    format!("the answer to {call} broke off or cannot be understood"),
                );
                with_request_id(error, answer.raw())
            }
            SdkError::ServiceError(answer) => {
                let error = match answer.err().code() {
                    Some(code) => self.refused(code, answer.raw()),
                    None => self.wordless(answer.raw()),
                };
                with_request_id(error, answer.raw())
            }
            // Nothing was sent then; the libraries may name further ways.
            SdkError::ConstructionFailure(_) | _ => self.error(
                ErrorKind::Unexpected,
                format!("the request for {call} cannot be made"),
            ),
        }
    }

    fn refused(self, code: &str, raw: &HttpResponse) -> Error {
        let Some((kind, why)) = meaning::of(self.call, code) else {
            // It may be anything that somebody put into its place.
            return self.error(
                ErrorKind::Unexpected,
                format!(
                    "{} failed with a code of which nothing is known; the request id finds it in CloudTrail",
                    self.call.as_str()
                ),
            );
        };
        let kind = if matches!(kind, ErrorKind::RateLimited { .. }) {
            ErrorKind::RateLimited {
                retry_after: retry_after(raw),
            }
        } else {
            kind
        };
        self.error(
            kind,
            format!("{} failed with `{code}`: {why}", self.call.as_str()),
        )
    }

    /// An answer without a code of the service's own: from something in between, or cut.
    fn wordless(self, raw: &HttpResponse) -> Error {
        let status = raw.status().as_u16();
        let call = self.call.as_str();
        match status {
            200..=299 => self.error(
                if self.call.writes() {
                    ErrorKind::Indeterminate
                } else {
                    ErrorKind::Unexpected
                },
                format!("the answer to {call} cannot be understood"),
            ),
            429 => self.error(
                ErrorKind::RateLimited {
                    retry_after: retry_after(raw),
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

    fn undelivered(self, failure: &DispatchFailure) -> Error {
        let call = self.call.as_str();
        let Some(source) = failure.as_connector_error().and_then(|err| err.source()) else {
            return self.error(self.lost(), format!("{call} could not be sent"));
        };
        if let Some(err) = find::<CredentialsError>(source) {
            return self.error(ErrorKind::Unauthenticated, keyless(err));
        }
        let connecting = find::<hyper_util::client::legacy::Error>(source)
            .is_some_and(hyper_util::client::legacy::Error::is_connect);
        if let Some(err) = find::<rustls::Error>(source) {
            // Once the server has let us in, a broken record tells nothing about what it has done.
            if connecting || lets_nobody_in(err) {
                let why = untrusted(err);
                return self.error(ErrorKind::Unexpected, format!("no TLS for {call}: {why}"));
            }
            return self.error(
                self.lost(),
                format!("TLS broke before {call} was answered: {err}"),
            );
        }
        let why = find::<io::Error>(source).map(io::Error::kind);
        if connecting {
            let why = match why {
                Some(io::ErrorKind::ConnectionRefused) => "the connection was refused",
                Some(io::ErrorKind::TimedOut) => "there was no connection in time",
                Some(_) | None => {
                    "the service cannot be reached; do the region and the endpoint exist?"
                }
            };
            return self.error(
                ErrorKind::Unavailable,
                format!("{call} could not be sent: {why}"),
            );
        }
        let why = if failure.is_timeout() {
            format!("{call} was not answered in time")
        } else {
            format!("the connection broke before {call} was answered")
        };
        self.error(self.lost(), why)
    }
}

/// Whether it is an error of the handshake, so that the request was not looked at.
fn lets_nobody_in(err: &rustls::Error) -> bool {
    use rustls::{AlertDescription, Error};
    matches!(
        err,
        Error::InvalidCertificate(_)
            | Error::AlertReceived(
                AlertDescription::CertificateRequired
                    | AlertDescription::BadCertificate
                    | AlertDescription::UnknownCA
            )
    )
}

fn keyless(err: &CredentialsError) -> String {
    let why = match err {
        CredentialsError::CredentialsNotLoaded(_) => {
            "no AWS credentials are found, in variables, profile, web identity, container or instance; log in, or choose a profile with AWS_PROFILE"
        }
        CredentialsError::ProviderTimedOut(_) => {
            "the AWS credentials did not come in time; log in first, then run the command again"
        }
        CredentialsError::InvalidConfiguration(_) => {
            "the AWS profile is missing or cannot be used; `aws configure list` shows what is in use"
        }
        CredentialsError::ProviderError(_) | CredentialsError::Unhandled(_) | _ => {
            "the AWS credentials cannot be loaded: a log-in that has expired, a role that may not be assumed, or a `credential_process` that fails; `aws sts get-caller-identity` shows more"
        }
    };
    why.to_owned()
}

fn untrusted(err: &rustls::Error) -> String {
    if let rustls::Error::InvalidCertificate(why) = err {
        return distrust(why).to_owned();
    }
    if matches!(err, rustls::Error::InvalidMessage(_)) {
        return "the server does not speak TLS; check the endpoint".to_owned();
    }
    err.to_string()
}

/// Without the library's own words: those name moments and bytes.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "rustls adds kinds, and there is nothing to say about most"
)]
fn distrust(why: &CertificateError) -> &'static str {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired; renew it, or check the clock"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for another name; check the endpoint"
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the server's certificate is not trusted: its issuer is unknown; name its authority in AWS_CA_BUNDLE"
        }
        _ => "the server's certificate is not valid; name its authority in AWS_CA_BUNDLE",
    }
}

/// Looks for one kind of cause. What is inside an input or output error is not its source.
fn find<'a, T: StdError + 'static>(err: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(err);
    while let Some(err) = next {
        if let Some(found) = err.downcast_ref() {
            return Some(found);
        }
        next = match err.downcast_ref::<io::Error>() {
            Some(outer) => outer
                .get_ref()
                .map(|inner| inner as &(dyn StdError + 'static)),
            None => err.source(),
        };
    }
    None
}

fn with_request_id(error: Error, raw: &HttpResponse) -> Error {
    let headers = raw.headers();
    let id = ["x-amzn-requestid", "x-amz-request-id"]
        .iter()
        .find_map(|name| headers.get(*name));
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    match id.filter(|id| (1..=64).contains(&id.len()) && id.chars().all(plain)) {
        Some(id) => error.with_request_id(id),
        None => error,
    }
}

fn retry_after(raw: &HttpResponse) -> Option<Duration> {
    let seconds = raw.headers().get("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
