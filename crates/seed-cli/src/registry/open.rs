//! Every backend that holds an entry.

use std::collections::BTreeMap;

use seed_core::backend::Kind;
use seed_core::inventory::Depth;
use seed_core::plan::wanted;
#[cfg(feature = "kubernetes")]
use seed_core::resolve::{Place, ResolvedEntry};
use seed_core::resolve::{Resolved, ResolvedBackend, ResolvedCluster};

use super::opened::{Ground, Opened};
use crate::error::{CliError, Result};

/// Opens every backend that holds an entry, by its name in the contract. Makes no call.
pub(crate) fn open(resolved: &Resolved, ground: Ground<'_>) -> Result<BTreeMap<String, Opened>> {
    let mut names = wanted(resolved, Depth::Quick);
    let secrets = names.remove(ResolvedCluster::BACKEND);
    let backends = names.into_keys();
    refuse_labels(resolved)?;
    let mut opened = backends
        .filter_map(|name| resolved.backends.get(&name))
        .map(|backend| Ok((backend.name.clone(), one(backend, &ground)?)))
        .collect::<Result<BTreeMap<_, _>>>()?;
    if let (Some(_), Some(cluster)) = (secrets, &resolved.cluster) {
        let cluster = cluster_of(resolved, cluster, &ground)?;
        opened.insert(ResolvedCluster::BACKEND.to_owned(), cluster);
    }
    Ok(opened)
}

fn one(backend: &ResolvedBackend, ground: &Ground<'_>) -> Result<Opened> {
    match backend.kind {
        #[cfg(feature = "local")]
        Kind::Local => super::local::open(backend, ground),
        #[cfg(not(feature = "local"))]
        Kind::Local => Err(not_built_in(backend)),
        #[cfg(feature = "aws-sm")]
        Kind::AwsSm => super::aws_sm::open(backend, ground),
        #[cfg(not(feature = "aws-sm"))]
        Kind::AwsSm => Err(not_built_in(backend)),
        #[cfg(feature = "azure-kv")]
        Kind::AzureKv => super::azure_kv::open(backend, ground),
        #[cfg(not(feature = "azure-kv"))]
        Kind::AzureKv => Err(not_built_in(backend)),
        #[cfg(feature = "vault")]
        Kind::Vault => super::vault::open(backend, ground),
        #[cfg(not(feature = "vault"))]
        Kind::Vault => Err(not_built_in(backend)),
        #[cfg(feature = "kubernetes")]
        Kind::Kubernetes => super::kubernetes::open(backend, ground),
        #[cfg(not(feature = "kubernetes"))]
        Kind::Kubernetes => Err(not_built_in(backend)),
        #[cfg(feature = "gcpsm")]
        Kind::Gcpsm => super::gcpsm::open(backend, ground),
        #[cfg(not(feature = "gcpsm"))]
        Kind::Gcpsm => Err(not_built_in(backend)),
    }
}

/// Labels of an entry that Kubernetes would refuse only when it is created.
#[cfg(feature = "kubernetes")]
fn refuse_labels(resolved: &Resolved) -> Result<()> {
    let kept = |entry: &&ResolvedEntry| {
        let place = entry.place.as_ref();
        place.is_some_and(|place| {
            matches!(
                place,
                Place::Backend {
                    kind: Kind::Kubernetes,
                    ..
                }
            )
        })
    };
    for entry in resolved.entries.values().filter(kept) {
        let mut keys = entry.labels.keys();
        if let Some(key) = keys.find(|key| !seed_kubernetes::is_mark(key)) {
            let message = format!(
                "Kubernetes takes `{key}` neither as a label nor as an annotation (`{}`)",
                entry.key
            );
            let hint = "correct it under the key's `labels` in the contract";
            return Err(CliError::usage(message).hint(hint));
        }
    }
    Ok(())
}

#[cfg(not(feature = "kubernetes"))]
fn refuse_labels(_: &Resolved) -> Result<()> {
    Ok(())
}

#[cfg(not(all(
    feature = "aws-sm",
    feature = "azure-kv",
    feature = "gcpsm",
    feature = "kubernetes",
    feature = "local",
    feature = "vault"
)))]
fn not_built_in(backend: &ResolvedBackend) -> CliError {
    CliError::usage(format!("this version of seed cannot reach {} (backend `{}`)", backend.kind.title(), backend.name))
        .hint("keep values in an encrypted file on this machine with `--backend local`; manifests still read from the contract's own backend")
}

#[cfg(feature = "kubernetes")]
fn cluster_of(
    resolved: &Resolved,
    cluster: &ResolvedCluster,
    ground: &Ground<'_>,
) -> Result<Opened> {
    super::cluster::open(resolved, cluster, ground)
}

#[cfg(not(feature = "kubernetes"))]
fn cluster_of(_: &Resolved, _: &ResolvedCluster, _: &Ground<'_>) -> Result<Opened> {
    Err(
        CliError::usage("this version of seed cannot reach Kubernetes")
            .hint("leave `--cluster` out; what only the cluster keeps is left alone then"),
    )
}
