//! All manifests of a contract, as files.

use std::collections::BTreeSet;

use serde_json::json;

use super::around;
use super::external_secret::{self, Built};
use super::secret_store::Stores;
use super::version::EsoVersion;
use crate::resolve::{Activity, Availability, Resolved, ResolvedTarget};
use crate::yaml::{Style, write};

/// The first words of every file that is ours.
const MARK: &str = "# Written by seed from the contract ";

/// What manifests are written for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The release that reads them.
    pub version: EsoVersion,
    /// Optional values that are known to be there.
    pub available: Availability,
    /// What else is written.
    pub with: With,
}

/// What is written beside the `ExternalSecret`s.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct With {
    /// The namespaces that anything is in.
    pub namespaces: bool,
    /// Who may read through the stores.
    pub rbac: bool,
    /// The stores themselves.
    pub store: bool,
}

/// All manifests of a contract.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Output {
    /// One for each object, by path.
    pub manifests: Vec<ManifestFile>,
    /// What puts them together.
    pub kustomization: ManifestFile,
    /// Secrets for which none is written.
    pub skipped: Vec<Skipped>,
}

/// A file to write.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ManifestFile {
    /// Its path, with `/`.
    pub path: String,
    /// Its whole text.
    pub text: String,
}

/// A Secret for which no manifest is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Skipped {
    /// `namespace/name` of the Secret.
    pub secret: String,
    /// Why.
    pub reason: String,
    /// Whether somebody else makes it.
    pub made_by_others: bool,
}

/// Why manifests cannot be written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EmitError {
    /// Values are kept in `local`, which External Secrets Operator cannot read.
    #[error(
        "`local` is no store: External Secrets Operator cannot read it; name another backend with `--for`"
    )]
    NoStore,
    /// Neither the contract nor the backend names a store.
    #[error(
        "the backend `{0}` has no store; add top-level `store: {{kind, name}}`, or `store` to the backend"
    )]
    StoreMissing(String),
    /// A store that cannot be written.
    #[error("store `{store}`: {reason}")]
    Store {
        /// Its name.
        store: String,
        /// What is wrong.
        reason: String,
    },
    /// Something in a target that External Secrets Operator or Kubernetes would refuse.
    #[error("target `{target}`: {reason}")]
    Target {
        /// `namespace/name`.
        target: String,
        /// What is wrong.
        reason: String,
    },
}

/// Whether a text was written by [`emit`].
pub fn is_ours(text: &str) -> bool {
    text.starts_with(MARK)
}

/// The name of the contract that a text was written from by [`emit`].
pub fn written_from(text: &str) -> Option<&str> {
    // The name of a contract has neither a comma nor a period.
    text.strip_prefix(MARK)?.split([',', '.']).next()
}

/// Writes the manifests of every active target. The same contract, facts and options give the same bytes.
pub fn emit(resolved: &Resolved, options: &Options) -> Result<Output, EmitError> {
    let mut manifests = Vec::new();
    let mut skipped = Vec::new();
    let mut stores = Stores::default();
    for target in &resolved.targets {
        let secret = format!("{}/{}", target.namespace, target.secret);
        if let Some((reason, made_by_others)) = left_alone(target) {
            skipped.push(Skipped {
                secret,
                reason,
                made_by_others,
            });
            continue;
        }
        let built = external_secret::build(resolved, target, options)?;
        if built.object.is_none() {
            let reason = built
                .left_out
                .first()
                .map_or_else(|| "it reads no secret".to_owned(), |(_, why)| why.clone());
            skipped.push(Skipped {
                secret,
                reason,
                made_by_others: false,
            });
            continue;
        }
        for (store, backend) in &built.stores {
            if let Some(backend) = resolved.backends.get(backend) {
                stores.used(store, backend, &target.namespace)?;
            }
        }
        manifests.extend(file(resolved, target, &built));
    }
    manifests.extend(around::files(resolved, &stores, options)?);
    manifests.sort_by(|a: &ManifestFile, b| a.path.cmp(&b.path));
    Ok(Output {
        kustomization: kustomization(resolved, &manifests),
        manifests,
        skipped,
    })
}

fn left_alone(target: &ResolvedTarget) -> Option<(String, bool)> {
    match (&target.activity, &target.made_by) {
        (Activity::Inactive(why), _) => Some((why.clone(), false)),
        (Activity::Active, Some(by)) => Some((format!("made by {by}"), true)),
        (Activity::Active, None) if target.direct => Some((
            "delivered directly: `seed apply --cluster` writes it".to_owned(),
            true,
        )),
        (Activity::Active, None) => None,
    }
}

fn file(resolved: &Resolved, target: &ResolvedTarget, built: &Built) -> Option<ManifestFile> {
    let object = built.object.as_ref()?;
    let mut text = header(resolved);
    for (key, why) in &built.left_out {
        text.extend(["# Left out: ", &one_line(key), " (", &one_line(why), ")\n"]);
    }
    text.push_str(&write(object, Style::Readable));
    Some(ManifestFile {
        path: format!("{}/{}.yaml", target.namespace, target.manifest_name),
        text,
    })
}

pub(super) fn header(resolved: &Resolved) -> String {
    let env = resolved
        .env
        .as_ref()
        .map_or_else(String::new, |env| format!(", env {env}"));
    format!(
        "{MARK}{}{env}. Changes made here are lost: change the contract, then run `seed emit`.\n",
        resolved.contract
    )
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn kustomization(resolved: &Resolved, manifests: &[ManifestFile]) -> ManifestFile {
    let paths: BTreeSet<&str> = manifests.iter().map(|file| file.path.as_str()).collect();
    let object = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": paths,
    });
    let text = format!("{}{}", header(resolved), *write(&object, Style::Readable));
    ManifestFile {
        path: "kustomization.yaml".to_owned(),
        text,
    }
}
