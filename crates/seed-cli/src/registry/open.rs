//! Every backend that holds an entry.

use std::collections::BTreeMap;
use std::path::Path;

use seed_core::backend::{Description, Kind};
use seed_core::inventory::Depth;
use seed_core::plan::wanted;
use seed_core::resolve::{Resolved, ResolvedBackend};
use seed_engine::{Providers, Replacers};

use super::opened::{Ground, Opened};
use crate::args::RunArgs;
use crate::env::Environment;
use crate::error::{CliError, Result};

/// Opens every backend that holds an entry. Makes no call.
pub(crate) fn open(
    resolved: &Resolved,
    root: &Path,
    args: &RunArgs,
    env: &Environment,
) -> Result<Providers> {
    let opened = all(resolved, Ground { root, args, env })?.into_iter();
    Ok(opened
        .map(|(name, opened)| (name, opened.provider))
        .collect())
}

/// Opens every backend that holds an entry, for a command that was asked to replace something. Makes no call.
pub(crate) fn open_to_replace(
    resolved: &Resolved,
    root: &Path,
    args: &RunArgs,
    env: &Environment,
) -> Result<Replacers> {
    let opened = all(resolved, Ground { root, args, env })?.into_iter();
    Ok(opened
        .filter_map(|(name, opened)| Some((name, opened.replace?)))
        .collect())
}

/// Describes the backends, in the order of their names.
pub(crate) fn describe(providers: &Providers) -> Vec<(String, Description)> {
    providers
        .iter()
        .map(|(name, provider)| (name.clone(), provider.describe()))
        .collect()
}

fn all(resolved: &Resolved, ground: Ground<'_>) -> Result<BTreeMap<String, Opened>> {
    let names = wanted(resolved, Depth::Quick).into_keys();
    names
        .filter_map(|name| resolved.backends.get(&name))
        .map(|backend| Ok((backend.name.clone(), one(backend, &ground)?)))
        .collect()
}

fn one(backend: &ResolvedBackend, ground: &Ground<'_>) -> Result<Opened> {
    match backend.kind {
        #[cfg(feature = "local")]
        Kind::Local => super::local::open(backend, ground),
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
