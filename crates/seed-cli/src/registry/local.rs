//! The file of this machine.

use std::path::PathBuf;
use std::time::Duration;

use seed_core::resolve::ResolvedBackend;
use seed_provider::{Backoff, Deadlines, Limited, Provider as _, Retrying, Timed, Traced};

use super::opened::{Ground, Opened, jitter};
use crate::error::{CliError, Result};

/// One call is one step here, so that deadlines, limits, retries and traces stand around it, from the inside out: a
/// turn is free again while a retry waits.
pub(super) fn open(backend: &ResolvedBackend, ground: &Ground<'_>) -> Result<Opened> {
    let file = backend
        .settings
        .get("file")
        .map(String::as_str)
        .unwrap_or_default();
    let config = seed_local::Config::new(ground.root.join(file), identity(ground)?).shown_as(file);
    let local = seed_local::Local::new(config);
    let deadlines = Deadlines::of(Duration::from_secs(ground.args.timeout));
    let own = local.describe().capabilities.concurrency;
    let calls = ground.args.concurrency.map_or(own, |asked| asked.min(own));
    let limited = Limited::new(Timed::new(local, deadlines), calls);
    let retrying = Retrying::new(limited, Backoff::default(), jitter);
    Ok(Opened::replacing(Traced::new(retrying)))
}

fn identity(ground: &Ground<'_>) -> Result<PathBuf> {
    let usual = || {
        let dir = ground.env.config_dir.as_ref();
        dir.map(|dir| dir.join("identity.txt"))
    };
    ground.args.identity.clone().or_else(usual).ok_or_else(|| {
        CliError::usage("there is no directory for the identity of the `local` backend: neither HOME nor XDG_CONFIG_HOME is set")
            .hint("name a file with `--identity`, or in SEED_IDENTITY")
    })
}
