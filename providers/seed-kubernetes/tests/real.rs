//! A real API server keeps the promises of every backend.
//!
//! Ignored until it is asked for; then a server that is missing is a failure.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use seed_core::backend::{Confirm, Description, Kind};
use seed_kubernetes::{Access, CAPABILITIES, Config, Kubernetes};
use seed_provider::conformance::{Subject, Suite};
use seed_provider::{Backoff, Policy};
use seed_servers::KubeApiserver;

fn main() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let make = || async {
        let server = KubeApiserver::shared()?;
        let namespace = server.namespace()?;
        Ok(Subject::new(adapter(server, namespace.name())?))
    };
    let suite = Suite::new(description(), make);
    let mut trials = suite.trials();
    trials.extend(suite.replace_trials());
    let asked = trials
        .into_iter()
        .map(|trial: Trial| trial.with_ignored_flag(true));
    libtest_mimic::run(&Arguments::from_args(), asked.collect()).exit();
}

fn adapter(server: &KubeApiserver, namespace: &str) -> Result<Kubernetes, Failed> {
    let config = Config {
        access: Access {
            kubeconfigs: vec![server.admin_kubeconfig()],
            ..Access::default()
        },
        namespace: Some(namespace.to_owned()),
        create_namespace: false,
    };
    Ok(Kubernetes::new(&config, policy())?)
}

/// What every adapter of this crate says of itself, whatever its place.
fn description() -> Description {
    Description {
        kind: Kind::Kubernetes,
        place: String::new(),
        identity: None,
        confirm: Confirm::BeforeWrites,
        capabilities: CAPABILITIES,
    }
}

fn policy() -> Policy {
    Policy {
        pace: CAPABILITIES.pace,
        burst: 1,
        concurrency: CAPABILITIES.concurrency,
        deadline: Duration::from_secs(20),
        backoff: Backoff {
            attempts: NonZeroU32::MIN.saturating_add(2),
            ..Backoff::default()
        },
        patience: Duration::from_secs(20),
        jitter: Arc::new(|longest| longest),
    }
}
