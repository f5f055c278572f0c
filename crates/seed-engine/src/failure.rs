//! Errors of providers in the words of a report.

use std::error::Error as _;
use std::fmt;

use seed_core::name::{EntryKey, SecretName};
use seed_core::report::Failure;
use seed_provider::{Error, ErrorKind};

/// What a provider's call failed with.
pub(crate) fn of_call(err: &Error) -> Failure {
    Failure {
        // Nothing is in doubt: what to do about it is in its message.
        kind: if err.is_contested() {
            "contested"
        } else {
            err.kind().as_str()
        },
        message: text(err),
        request_id: err.request_id().map(str::to_owned),
    }
}

/// A value that cannot be made or stored.
pub(crate) fn of_value(what: &dyn fmt::Display, err: &dyn fmt::Display) -> Failure {
    Failure {
        kind: "value",
        message: format!("make `{what}`: {err}"),
        request_id: None,
    }
}

/// An entry that cannot be found in any backend.
pub(crate) fn unplaced(key: &EntryKey, why: &str) -> Failure {
    Failure {
        kind: ErrorKind::Unsupported.as_str(),
        message: format!("find `{key}`: {why}"),
        request_id: None,
    }
}

/// What nobody knows, without a call that said so.
pub(crate) fn open(message: String) -> Failure {
    Failure {
        kind: ErrorKind::Indeterminate.as_str(),
        message,
        request_id: None,
    }
}

/// What stands in the way of a write, without a call that failed.
pub(crate) fn conflict(message: String) -> Failure {
    Failure {
        kind: ErrorKind::Conflict.as_str(),
        message,
        request_id: None,
    }
}

/// Somebody else was faster each time, and what the backend said of it last.
pub(crate) fn changed_again_and_again(name: &SecretName, said: Option<&Error>) -> Failure {
    let mut failure = conflict(format!("add to `{name}`: it is changed again and again"));
    if let Some(err) = said {
        failure.message = format!("{}: {}", failure.message, err.message());
        failure.request_id = err.request_id().map(str::to_owned);
    }
    failure
}

/// The error and its causes, without the request id, which is said elsewhere.
pub(crate) fn text(err: &Error) -> String {
    let mut text = err.to_string();
    if let Some(id) = err.request_id() {
        let said = format!(" (request id {id})");
        if text.ends_with(&said) {
            text.truncate(text.len() - said.len());
        }
    }
    let mut cause = err.source();
    while let Some(err) = cause {
        text.push_str(": ");
        text.push_str(&err.to_string());
        cause = err.source();
    }
    text
}
