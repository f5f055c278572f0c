//! What a person can do about a failed call.

use seed_core::backend::Kind;
use seed_core::report::Failure;
use seed_core::resolve::ResolvedCluster;
use seed_provider::{Error, ErrorKind};

/// What people call a backend by its name in the contract.
pub(crate) fn called(name: &str) -> String {
    if name == ResolvedCluster::BACKEND {
        name.to_owned()
    } else {
        format!("the backend `{name}`")
    }
}

/// The next step after a failed value of a report.
pub(crate) fn after(backend: Option<Kind>, failure: &Failure) -> Option<&str> {
    // What is in doubt is looked at by the next run, whatever else its message says.
    let doubtful = failure.kind == ErrorKind::Indeterminate.as_str();
    let own = own_step(&failure.message).filter(|_| !doubtful);
    own.or_else(|| next_step(backend, failure.kind))
        .or_else(|| at_last(backend, failure.kind))
}

/// What a failed call says of itself, apart from what it says to do.
pub(crate) fn parted(err: &Error) -> (String, Option<&str>) {
    let whole = err.to_string();
    match own_step(err.message()) {
        Some(step) => (
            whole.replacen(&format!("{BEFORE_STEP}{step}"), "", 1),
            Some(step),
        ),
        None => (whole, None),
    }
}

/// Backends say what is wrong, and after a semicolon what to do about it; some add the status in parentheses.
fn own_step(message: &str) -> Option<&str> {
    let (_, step) = message.split_once(BEFORE_STEP)?;
    let status = |(_, rest): &(&str, &str)| rest.starts_with(|c: char| c.is_ascii_digit());
    let without = step.rsplit_once(" (").filter(status);
    Some(without.map_or(step, |(step, _)| step))
}

const BEFORE_STEP: &str = "; ";

/// The next step after a failure, told by its word. Nothing, where the message itself is all that can be said.
pub(crate) fn next_step(backend: Option<Kind>, failure: &str) -> Option<&'static str> {
    // A file has no login, and its own messages say all.
    let backend = backend.filter(|backend| *backend != Kind::Local)?;
    let is = |kind: ErrorKind| kind.as_str() == failure;
    if is(ErrorKind::Unauthenticated) {
        Some(log_in(backend))
    } else if is(ErrorKind::Denied) {
        Some("ask whoever runs the backend for that permission, or log in as somebody who has it")
    } else if is(ErrorKind::Misplaced) {
        Some("log in to the place that the contract names, or correct the contract")
    } else if is(ErrorKind::Unavailable) {
        Some("run it again when the backend can be reached; what is stored is kept")
    } else if is(ErrorKind::RateLimited { retry_after: None }) {
        Some("run it again later, or lower `pace` in the contract; what is stored is kept")
    } else if is(ErrorKind::Indeterminate) {
        Some("run it again: what is stored is kept, and what is missing is created")
    } else {
        None
    }
}

/// The next step where neither the message nor the kind of failure names a better one.
fn at_last(backend: Option<Kind>, failure: &str) -> Option<&'static str> {
    let is = |kind: ErrorKind| kind.as_str() == failure;
    if backend == Some(Kind::Local) {
        None
    } else if is(ErrorKind::Conflict) || is(ErrorKind::AlreadyExists) || is(ErrorKind::NotFound) {
        Some("run it again: it looks at what is there now")
    } else if is(ErrorKind::WrongShape) {
        Some("correct the entry in the backend, or its `fields` in the contract")
    } else if is(ErrorKind::Invalid) {
        Some("correct what the backend does not take, in the contract or in the value")
    } else if is(ErrorKind::Unexpected) || is(ErrorKind::Unsupported) {
        Some("check that the contract names the right address, and what stands between seed and it")
    } else {
        None
    }
}

fn log_in(backend: Kind) -> &'static str {
    match backend {
        Kind::AwsSm => "log in with `aws sso login`, or choose other credentials with AWS_PROFILE",
        Kind::AzureKv => {
            "correct AZURE_CLIENT_ID and what goes with it; where it is not set, log in with `az login`"
        }
        Kind::Gcpsm => "log in with `gcloud auth application-default login`",
        Kind::Kubernetes => "renew the credentials of the context in the kubeconfig",
        Kind::Vault => "log in with `vault login`, or set VAULT_TOKEN to a valid token",
        Kind::Local => "log in to the backend again",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_known_is_told_how_to_log_in_to_that_backend() {
        let word = ErrorKind::Unauthenticated.as_str();
        let steps: std::collections::BTreeSet<_> = Kind::ALL
            .into_iter()
            .filter_map(|kind| next_step(Some(kind), word))
            .collect();
        assert_eq!(steps.len(), Kind::ALL.len() - 1);
    }

    #[test]
    fn a_failure_names_its_own_next_step_unless_it_is_in_doubt() {
        let failure = |kind, message: &str| Failure {
            kind,
            message: message.to_owned(),
            request_id: None,
        };
        let own = "create `a`: no; log in again (401 Unauthorized)";
        let step = |failure: &Failure| after(Some(Kind::Vault), failure).map(str::to_owned);
        assert_eq!(
            step(&failure("denied", own)).as_deref(),
            Some("log in again")
        );
        let doubt = failure(
            ErrorKind::Indeterminate.as_str(),
            "lost; nothing was there yet",
        );
        assert!(step(&doubt).unwrap().starts_with("run it again"));
        let words = ["conflict", "denied", "invalid", "unavailable", "unexpected"];
        assert!(
            words
                .iter()
                .all(|kind| step(&failure(kind, "no")).is_some())
        );
    }

    #[test]
    fn a_wrong_value_has_no_step_but_its_message() {
        assert_eq!(next_step(Some(Kind::Vault), "value"), None);
    }
}
