//! The stand-in, which is held to the same suite as a real API server.

use libtest_mimic::Arguments;
use seed_core::backend::{Confirm, Description, Kind};
use seed_kubernetes::{Access, CAPABILITIES, Config, Kubernetes};
use seed_provider::conformance::{Subject, Suite};
use support::{NAMESPACE, policy, write_kubeconfig};

mod support;

fn main() {
    let make = || async {
        let service = seed_fakes::Kubernetes::with_namespaces(&[NAMESPACE]);
        let server = seed_fakes::Server::start(service);
        let directory = tempfile::tempdir()?;
        let user = serde_json::json!({"token": seed_fakes::Kubernetes::TOKEN});
        let config = Config {
            access: Access {
                kubeconfigs: vec![write_kubeconfig(directory.path(), &server.url(), "", &user)],
                ..Access::default()
            },
            namespace: Some(NAMESPACE.to_owned()),
            create_namespace: false,
        };
        let kubernetes = Kubernetes::new(&config, policy())?;
        Ok(Subject::new(kubernetes).keeping((server, directory)))
    };
    let suite = Suite::new(description(), make);
    let mut trials = suite.trials();
    trials.extend(suite.replace_trials());
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
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
