//! Secrets of a namespace.

use seed_core::resolve::ResolvedBackend;
use seed_kubernetes::{Access, CAPABILITIES, Config, Kubernetes};
use seed_provider::Traced;

use super::opened::{Ground, Opened};
use crate::env::Environment;
use crate::error::{CliError, Result};

/// Each request is tried by itself, since a call may need several. Nothing in Kubernetes can be brought back.
pub(super) fn open(backend: &ResolvedBackend, ground: &Ground<'_>) -> Result<Opened> {
    let setting = |name: &str| backend.settings.get(name).cloned();
    if let Some(key) = backend
        .labels
        .keys()
        .find(|key| !seed_kubernetes::is_mark(key))
    {
        let message = format!(
            "Kubernetes takes `{key}` neither as a label nor as an annotation (backend `{}`)",
            backend.name
        );
        return Err(CliError::usage(message).hint("correct it under `labels` in the contract"));
    }
    let config = Config {
        access: Access {
            context: setting("context"),
            server: setting("server"),
            kubeconfigs: Environment::paths("KUBECONFIG"),
            hidden: ground.hidden.to_vec(),
        },
        namespace: setting("namespace"),
        create_namespace: ground.create_namespace,
    };
    let policy = ground.policy(&CAPABILITIES, 1, backend);
    let adapter = Kubernetes::new(&config, policy).map_err(|err| {
        CliError::usage(format!("{err} (backend `{}`)", backend.name)).hint(err.hint())
    })?;
    Ok(Opened::replacing(Traced::new(adapter)))
}
