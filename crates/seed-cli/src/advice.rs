//! What a person can do about a failed call.

use seed_core::backend::Kind;
use seed_core::resolve::ResolvedCluster;
use seed_provider::ErrorKind;

/// What people call a backend by its name in the contract.
pub(crate) fn called(name: &str) -> String {
    if name == ResolvedCluster::BACKEND {
        name.to_owned()
    } else {
        format!("the backend `{name}`")
    }
}

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

fn log_in(backend: Kind) -> &'static str {
    match backend {
        Kind::AwsSm => "log in with `aws sso login`, or choose other credentials with AWS_PROFILE",
        Kind::AzureKv => "log in with `az login`",
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
    fn a_wrong_value_has_no_step_but_its_message() {
        assert_eq!(next_step(Some(Kind::Vault), "value"), None);
    }
}
