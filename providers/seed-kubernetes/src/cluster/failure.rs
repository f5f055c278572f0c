//! From what went wrong to what the caller can do about it. One table for answers, one for connections.

use std::error::Error as StdError;
use std::io;

use rustls::{AlertDescription, CertificateError};
use seed_provider::{Error, ErrorKind};

use super::answer::{Answer, Refuser};
use super::call::Call;

/// What an answer means that the verb has no meaning of its own for.
pub(super) fn of_answer(call: &Call, answer: &Answer) -> Error {
    let (kind, message) = meaning(call, answer);
    let words = match answer.reason() {
        Some(reason) => format!("{} {reason}", answer.status),
        None if answer.is_said() => format!("{}, without a reason", answer.status),
        None => format!("{}, in no words of an API server", answer.status),
    };
    let error = of_call(call, kind, format!("{message} ({words})"));
    match &answer.audit_id {
        Some(id) => error.with_request_id(id.clone()),
        None => error,
    }
}

fn meaning(call: &Call, answer: &Answer) -> (ErrorKind, String) {
    let reason = answer.reason();
    let fixed = |kind, message: &str| (kind, message.to_owned());
    match answer.status {
        _ if answer.wants_tls() => fixed(ErrorKind::Unexpected, WANTS_TLS),
        401 => fixed(
            ErrorKind::Unauthenticated,
            "the API server does not know the credential, or it has expired; log in again and run this again",
        ),
        403 => denied(call, answer),
        404 if reason == Some("NotFound") => fixed(
            ErrorKind::Unexpected,
            "the API server does not know what was asked for; check the server of the context",
        ),
        400 | 404 | 409 | 422 if !answer.is_said() => fixed(
            ErrorKind::Unexpected,
            "something other than the API server answered, such as a proxy; check the server of the context",
        ),
        405 => fixed(
            ErrorKind::Unsupported,
            "the API server cannot do that; check the server of the context",
        ),
        404 | 409 => collision(call, answer),
        400 | 413 | 422 => fixed(
            ErrorKind::Invalid,
            "the API server does not take it; check its name, keys and size, and the admission policies of the cluster",
        ),
        410 => fixed(
            ErrorKind::Unavailable,
            "the list became too old to go on with; try again",
        ),
        429 => (
            ErrorKind::RateLimited {
                retry_after: answer.patience(),
            },
            "the API server asks for patience; try again later, or with a lower `--concurrency`"
                .to_owned(),
        ),
        500 if answer.says_webhook_failed() => fixed(
            ErrorKind::Unavailable,
            "an admission webhook of the cluster cannot be asked, so nothing was done; run this again when it answers",
        ),
        500..=599 if writes(call) => fixed(
            ErrorKind::Indeterminate,
            "the API server failed, and may have done it or not; run this again, which looks first",
        ),
        500..=599 => fixed(
            ErrorKind::Unavailable,
            "the API server failed; try again later",
        ),
        300..=399 => fixed(
            ErrorKind::Unexpected,
            "the answer is a redirect, which is not followed with a credential; check the server of the context",
        ),
        _ => fixed(
            ErrorKind::Unexpected,
            "an answer that nothing is known about; check the server of the context",
        ),
    }
}

const WANTS_TLS: &str =
    "the server takes only TLS; begin its address in the kubeconfig with `https://`";

/// What stands in the way, or changed.
fn collision(call: &Call, answer: &Answer) -> (ErrorKind, String) {
    let (kind, message) = if answer.reason() == Some("AlreadyExists") {
        // Of the object itself, the verb knows what to think. This is about another one, so nothing is known of ours.
        let message = "something else exists already, and stands in the way; check the server of the context, and its admission webhooks";
        (ErrorKind::Conflict, message)
    } else if answer.says_quota_is_busy() {
        let message = "others count against the same quota all the time; try again later, or with a lower `--concurrency`";
        (ErrorKind::RateLimited { retry_after: None }, message)
    } else if answer.says_conflict() && call.method == http::Method::POST {
        let message = "the API server was busy with another one's request; run this again";
        (ErrorKind::Unavailable, message)
    } else if answer.says_conflict() {
        let message = "it was changed meanwhile; look again";
        (ErrorKind::Conflict, message)
    } else {
        let message = "the API server refuses it for a reason that nothing is known about; check the admission policies of the cluster";
        (ErrorKind::Unexpected, message)
    };
    (kind, message.to_owned())
}

fn denied(call: &Call, answer: &Answer) -> (ErrorKind, String) {
    if answer.says_terminating() {
        let message = "the namespace is being deleted; wait until it is gone, and make it again";
        return (ErrorKind::Misplaced, message.to_owned());
    }
    let needs = &call.needs;
    let message = match answer.refuser() {
        Refuser::Unknown if writes(call) => format!(
            "the API server does not allow it; grant {needs}, unless a quota or an admission policy refuses it"
        ),
        Refuser::Authorizer | Refuser::Unknown => {
            format!("the API server does not allow it; grant {needs}")
        }
        Refuser::Quota => "a quota of the namespace is used up; `kubectl describe quota` in that namespace shows it".to_owned(),
        Refuser::Admission => "an admission policy of the cluster refuses it; its events or whoever runs the cluster say why".to_owned(),
        Refuser::Proxy => "something other than the API server refuses it, such as a proxy; check the server of the context".to_owned(),
    };
    (ErrorKind::Denied, message)
}

/// An answer that says success, with a body that is not what was asked for.
pub(super) fn of_body(call: &Call, answer: &Answer) -> Error {
    let error = if writes(call) {
        let message = "the answer says that it was done, and cannot be read; run this again, which looks first";
        of_call(call, ErrorKind::Indeterminate, message)
    } else {
        let message = "the answer is not what an API server says; check the server of the context, and proxies in between";
        of_call(call, ErrorKind::Unexpected, message)
    };
    match &answer.audit_id {
        Some(id) => error.with_request_id(id.clone()),
        None => error,
    }
}

/// A request that got no whole answer.
pub(super) fn of_connection(call: &Call, err: &(dyn StdError + 'static)) -> Error {
    if let Some(rustls::Error::InvalidCertificate(why)) = find::<rustls::Error>(err) {
        let message = format!(
            "the certificate of the API server is not trusted: {}",
            distrust(why)
        );
        return of_call(call, ErrorKind::Unexpected, message);
    }
    if let Some(rustls::Error::AlertReceived(alert)) = find::<rustls::Error>(err)
        && is_about_us(*alert)
    {
        // The handshake failed, so no request was read.
        let message = "the API server does not take the client certificate of the context's user; log in again and run this again";
        return of_call(call, ErrorKind::Unauthenticated, message);
    }
    if find::<kube::client::AuthError>(err).is_some() {
        let message =
            "the credential of the context's user cannot be read; log in again and run this again";
        return of_call(call, ErrorKind::Unauthenticated, message);
    }
    let never_sent = find::<hyper_util::client::legacy::Error>(err)
        .is_some_and(hyper_util::client::legacy::Error::is_connect);
    if never_sent {
        if find::<rustls::Error>(err).is_some() {
            let message =
                "the API server and seed agree on no TLS; check the server of the context";
            return of_call(call, ErrorKind::Unexpected, message);
        }
        let message = match find::<io::Error>(err).map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => "the API server refused the connection",
            Some(io::ErrorKind::TimedOut) => "the API server took no connection in time",
            _ => "the API server cannot be connected to",
        };
        let message = format!("{message}; check that it runs, and the server of the context");
        return of_call(call, ErrorKind::Unavailable, message);
    }
    let broke = "the connection broke before the whole answer had come";
    if writes(call) {
        let message =
            format!("{broke}; it may have been done or not; run this again, which looks first");
        return of_call(call, ErrorKind::Indeterminate, message);
    }
    of_call(call, ErrorKind::Unavailable, broke)
}

/// An error of a call, about its entry.
pub(super) fn of_call(
    call: &Call,
    kind: ErrorKind,
    message: impl Into<std::borrow::Cow<'static, str>>,
) -> Error {
    let error = Error::new(kind, call.operation, message);
    match &call.name {
        Some(name) => error.about(name),
        None => error,
    }
}

/// Whether it may change something that is kept.
pub(super) fn writes(call: &Call) -> bool {
    call.operation.writes() && call.method != http::Method::GET
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "rustls adds kinds, and there is nothing to say about most"
)]
fn distrust(why: &CertificateError) -> &'static str {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired; renew it"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; check the clocks"
        }
        CertificateError::Revoked => "it was revoked; give the server another one",
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "nobody knows its issuer; give its authority to the context's cluster as `certificate-authority`"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name; check the server of the context, or set `tls-server-name` beside it"
        }
        _ => {
            "it does not hold; give its authority to the context's cluster as `certificate-authority`, or the server another one"
        }
    }
}

/// Whether a server ends a handshake so because of the certificate that we have, or have not.
fn is_about_us(alert: AlertDescription) -> bool {
    [
        AlertDescription::AccessDenied,
        AlertDescription::BadCertificate,
        AlertDescription::CertificateExpired,
        AlertDescription::CertificateRequired,
        AlertDescription::CertificateRevoked,
        AlertDescription::CertificateUnknown,
        AlertDescription::UnknownCA,
        AlertDescription::UnsupportedCertificate,
    ]
    .contains(&alert)
}

/// Looks for an error of a type among the causes of another, inside of I/O errors too, which do not show what they hold.
fn find<'e, T: StdError + 'static>(err: &'e (dyn StdError + 'static)) -> Option<&'e T> {
    let mut next = Some(err);
    while let Some(err) = next {
        if let Some(found) = err.downcast_ref::<T>() {
            return Some(found);
        }
        let inner = err.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(inner) = inner {
            return find::<T>(inner);
        }
        next = err.source();
    }
    None
}
