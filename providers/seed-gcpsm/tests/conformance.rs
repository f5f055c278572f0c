//! The adapter keeps the promises of every backend, on the stand-in.

mod support;

use std::sync::Arc;

use libtest_mimic::Arguments;
use seed_fakes::{GcpSm, Server};
use seed_provider::Provider as _;
use seed_provider::conformance::{Subject, Suite};

fn main() {
    // One service for all trials: it is asked by many at once, and each has names of its own.
    let server = Arc::new(Server::start(GcpSm::new().with_number("123456789012")));
    let description = support::adapter(&server.url()).describe();
    let url = server.url();
    let make = move || {
        let url = url.clone();
        async move { Ok(Subject::new(support::adapter(&url))) }
    };
    let suite = Suite::new(description, make);
    let mut trials = suite.trials();
    trials.extend(suite.replace_trials());
    trials.extend(suite.versions_trials());
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    drop(server);
    conclusion.exit();
}
