//! The cluster that Secrets are written to directly.

use std::collections::BTreeMap;

use seed_core::backend::Kind;
use seed_core::contract::PaceOverride;
use seed_core::resolve::{Resolved, ResolvedBackend, ResolvedCluster, ResolvedTarget};
use seed_kubernetes::{Access, CAPABILITIES, Delivery, DeliveryConfig, Form};

use super::opened::{Ground, Opened};
use crate::env::Environment;
use crate::error::{CliError, Result};

/// Opens the cluster with its Secrets. Makes no call.
pub(super) fn open(
    resolved: &Resolved,
    cluster: &ResolvedCluster,
    ground: &Ground<'_>,
) -> Result<Opened> {
    let targets = resolved.targets.iter();
    let secrets = targets.filter(|target| target.is_delivered()).map(form);
    let config = DeliveryConfig {
        access: Access {
            context: cluster.context.clone(),
            server: cluster.server.clone(),
            kubeconfigs: Environment::paths("KUBECONFIG"),
            hidden: ground.hidden.to_vec(),
        },
        create_namespaces: ground.create_namespace,
        secrets: secrets.collect(),
    };
    // The contract gives a cluster no pace of its own.
    let pace = ResolvedBackend {
        name: ResolvedCluster::BACKEND.to_owned(),
        kind: Kind::Kubernetes,
        settings: BTreeMap::new(),
        prefix: String::new(),
        labels: BTreeMap::new(),
        pace: PaceOverride::default(),
        store: None,
        auth: None,
        service_account: None,
    };
    let policy = ground.policy(&CAPABILITIES, BURST, &pace);
    let delivery = Delivery::new(config, policy)
        .map_err(|err| CliError::usage(format!("the cluster: {err}")).hint(err.hint()))?;
    Ok(Opened::creating(delivery))
}

/// API servers name no quota.
const BURST: u32 = 16;

fn form(target: &ResolvedTarget) -> ((String, String), Form) {
    let form = Form {
        kind: target.kind.clone(),
        annotations: target.annotations.clone(),
        immutable: target.immutable,
    };
    ((target.namespace.clone(), target.secret.clone()), form)
}
