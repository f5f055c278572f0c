//! The backend in memory keeps the promises that it is used to test, as every kind of backend.

use futures::FutureExt as _;
use libtest_mimic::Arguments;
use seed_core::backend::Kind;
use seed_core::inventory::Presence;
use seed_provider::conformance::{Subject, Suite};
use seed_provider::{Memory, Provider as _};

fn main() {
    let mut trials = Vec::new();
    for kind in Kind::ALL {
        let make = move || async move { Ok(Subject::new(Memory::of(kind))) };
        let suite = Suite::new(Memory::of(kind).describe(), make);
        trials.extend(suite.trials());
        trials.extend(suite.replace_trials());
        trials.extend(suite.versions_trials());
        trials.extend(suite.restore_trials(|memory, name| {
            async move { memory.set_presence(&name, Presence::Deleted { until: None }) }.boxed()
        }));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
