//! The adapter keeps every promise of the suite on the stand-in, also where permissions are missing.

#![expect(
    clippy::unwrap_used,
    reason = "a trial that cannot be set up has failed"
)]

#[path = "support/open.rs"]
mod open;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::FutureExt as _;
use libtest_mimic::{Arguments, Trial};
use seed_fakes::Server;
use seed_fakes::vault::Vault as Service;
use seed_provider::Provider as _;
use seed_provider::conformance::{Subject, Suite};

use open::at;

/// What a server is set up to deny.
type Prepare = fn(&Service);

/// The stand-ins under trial, by what their adapters call their place.
type Servers = Arc<Mutex<BTreeMap<String, Arc<Server<Service>>>>>;

fn trials(kind: &'static str, prepare: Prepare) -> Vec<Trial> {
    let servers = Servers::default();
    let kept = Arc::clone(&servers);
    let make = move || {
        let kept = Arc::clone(&kept);
        async move {
            let service = Service::new();
            prepare(&service);
            let server = Arc::new(Server::start(service));
            let vault = at(&server.url(), Service::TOKEN);
            let place = vault.describe().place;
            kept.lock().unwrap().insert(place, Arc::clone(&server));
            Ok(Subject::new(vault).keeping(server))
        }
    };
    let suite = Suite::new(at("http://127.0.0.1:1", "t").describe(), make);
    let mut trials = suite.trials();
    trials.extend(suite.replace_trials());
    trials.extend(suite.versions_trials());
    trials.extend(suite.restore_trials(move |vault, name| {
        let servers = Arc::clone(&servers);
        let place = vault.describe().place;
        async move {
            let servers = servers.lock().unwrap();
            servers.get(&place).unwrap().service().delete(name.as_str());
        }
        .boxed()
    }));
    trials
        .into_iter()
        .map(|trial| trial.with_kind(kind))
        .collect()
}

fn main() {
    let mut all = trials("vault", |_| {});
    all.extend(trials("vault without subkeys, patch and list", |service| {
        for operation in ["subkeys", "patch", "list"] {
            service.deny(operation, "");
        }
    }));
    libtest_mimic::run(&Arguments::from_args(), all).exit();
}
