//! From a kind of backend to its adapter: one line each.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use seed_core::backend::{Description, Kind};
use seed_core::plan::wanted;
use seed_core::resolve::{Resolved, ResolvedBackend};
use seed_engine::{Providers, Replacers};
use seed_provider::{Backoff, Deadlines, Limited, Provider, Replace, Retrying, Timed, Traced};

use crate::args::RunArgs;
use crate::env::Environment;
use crate::error::{CliError, Result};

/// What stands around every adapter.
type Wrapped<P> = Traced<Retrying<Limited<Timed<P>>>>;

/// Opens every backend that holds an entry. Makes no call.
pub(crate) fn open(
    resolved: &Resolved,
    root: &Path,
    args: &RunArgs,
    env: &Environment,
) -> Result<Providers> {
    let names = wanted(resolved, seed_core::inventory::Depth::Quick).into_keys();
    names
        .filter_map(|name| resolved.backends.get(&name))
        .map(|backend| Ok((backend.name.clone(), adapter(backend, root, args, env)?)))
        .collect()
}

/// Opens every backend that holds an entry, for a command that was asked to replace something. Makes no call.
pub(crate) fn open_to_replace(
    resolved: &Resolved,
    root: &Path,
    args: &RunArgs,
    env: &Environment,
) -> Result<Replacers> {
    let names = wanted(resolved, seed_core::inventory::Depth::Quick).into_keys();
    names
        .filter_map(|name| resolved.backends.get(&name))
        .map(|backend| Ok((backend.name.clone(), replacer(backend, root, args, env)?)))
        .collect()
}

/// Describes the backends, in the order of their names.
pub(crate) fn describe(providers: &Providers) -> Vec<(String, Description)> {
    providers
        .iter()
        .map(|(name, provider)| (name.clone(), provider.describe()))
        .collect()
}

fn adapter(
    backend: &ResolvedBackend,
    root: &Path,
    args: &RunArgs,
    env: &Environment,
) -> Result<Arc<dyn Provider>> {
    match backend.kind {
        #[cfg(feature = "local")]
        Kind::Local => Ok(Arc::new(wrap(local(backend, root, args, env)?, args))),
        #[cfg(not(feature = "local"))]
        Kind::Local => Err(not_built_in(backend)),
        Kind::AwsSm | Kind::AzureKv | Kind::Gcpsm | Kind::Kubernetes | Kind::Vault => {
            Err(not_built_in(backend))
        }
    }
}

fn replacer(
    backend: &ResolvedBackend,
    root: &Path,
    args: &RunArgs,
    env: &Environment,
) -> Result<Arc<dyn Replace>> {
    match backend.kind {
        #[cfg(feature = "local")]
        Kind::Local => Ok(Arc::new(wrap(local(backend, root, args, env)?, args))),
        #[cfg(not(feature = "local"))]
        Kind::Local => Err(not_built_in(backend)),
        Kind::AwsSm | Kind::AzureKv | Kind::Gcpsm | Kind::Kubernetes | Kind::Vault => {
            Err(not_built_in(backend))
        }
    }
}

fn not_built_in(backend: &ResolvedBackend) -> CliError {
    CliError::usage(format!("this version of seed cannot reach {} (backend `{}`)", backend.kind.title(), backend.name))
        .hint("keep values in an encrypted file on this machine with `--backend local`; manifests still read from the contract's own backend")
}

#[cfg(feature = "local")]
fn local(
    backend: &ResolvedBackend,
    root: &Path,
    args: &RunArgs,
    env: &Environment,
) -> Result<seed_local::Local> {
    let file = backend
        .settings
        .get("file")
        .map(String::as_str)
        .unwrap_or_default();
    let identity = identity(args, env)?;
    Ok(seed_local::Local::new(
        seed_local::Config::new(root.join(file), identity).shown_as(file),
    ))
}

#[cfg(feature = "local")]
fn identity(args: &RunArgs, env: &Environment) -> Result<PathBuf> {
    let usual = || env.config_dir.as_ref().map(|dir| dir.join("identity.txt"));
    args.identity.clone().or_else(usual).ok_or_else(|| {
        CliError::usage("there is no directory for the identity of the `local` backend: neither HOME nor XDG_CONFIG_HOME is set")
            .hint("name a file with `--identity`, or in SEED_IDENTITY")
    })
}

/// Deadlines, limits, retries and traces, from the inside out: a turn is free again while a retry waits.
fn wrap<P: Provider>(provider: P, args: &RunArgs) -> Wrapped<P> {
    let deadlines = Deadlines::of(Duration::from_secs(args.timeout));
    let own = provider.describe().capabilities.concurrency;
    let calls = args.concurrency.map_or(own, |asked| asked.min(own));
    let limited = Limited::new(Timed::new(provider, deadlines), calls);
    Traced::new(Retrying::new(limited, Backoff::default(), jitter))
}

/// A pause between nothing and all of it, so that many callers do not come back at once.
fn jitter(longest: Duration) -> Duration {
    longest.mul_f64(rand::rand_core::UnwrapErr(rand::rngs::SysRng).random::<f64>())
}
