//! The adapter keeps the promises of every backend, on the stand-in.

mod support;

use std::sync::Arc;

use futures::FutureExt as _;
use libtest_mimic::Arguments;
use seed_azure_kv::AzureKv;
use seed_core::name::SecretName;
use seed_provider::Provider as _;
use seed_provider::conformance::{Subject, Suite};

use support::Stand;

fn main() {
    // One service for all trials: it is asked by many at once, and each has names of its own.
    let stand = Arc::new(Stand::new());
    let description = stand.adapter().describe();
    let subjects = Arc::clone(&stand);
    let make = move || {
        let stand = Arc::clone(&subjects);
        async move { Ok(Subject::new(stand.adapter())) }
    };
    let suite = Suite::new(description, make);
    let service = Arc::clone(&stand);
    let mut trials = suite.trials();
    trials.extend(suite.replace_trials());
    trials.extend(suite.versions_trials());
    trials.extend(
        suite.restore_trials(move |_: Arc<AzureKv>, name: SecretName| {
            let stand = Arc::clone(&service);
            async move { stand.service().delete(name.as_str()) }.boxed()
        }),
    );
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    drop(stand);
    conclusion.exit();
}
