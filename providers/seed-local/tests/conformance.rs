//! The local store keeps the promises of every backend.

use libtest_mimic::Arguments;
use seed_local::{Config, Local};
use seed_provider::Provider as _;
use seed_provider::conformance::{Subject, Suite};

fn main() {
    let make = || async {
        let directory = tempfile::tempdir()?;
        let file = directory.path().join("store/dev.age");
        let identity = directory.path().join("config/identity.txt");
        let local = Local::new(Config::new(file, identity));
        Ok(Subject::new(local).keeping(directory))
    };
    let description = Local::new(Config::new("store.age", "identity.txt")).describe();
    let suite = Suite::new(description, make);
    let mut trials = suite.trials();
    trials.extend(suite.replace_trials());
    trials.extend(suite.versions_trials());
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
