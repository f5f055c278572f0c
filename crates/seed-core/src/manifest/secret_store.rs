//! The stores that `ExternalSecret`s refer to, each limited to the namespaces that need it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::output::EmitError;
use super::provider;
use super::version::EsoVersion;
use crate::contract::StoreKind;
use crate::resolve::{Resolved, ResolvedBackend, ResolvedStore};

/// A store, and who reads through it.
#[derive(Clone, Debug)]
pub(super) struct Store<'r> {
    pub(super) reference: ResolvedStore,
    pub(super) backend: &'r ResolvedBackend,
    /// Where the `ExternalSecret`s are.
    pub(super) namespaces: BTreeSet<String>,
}

/// Stores as the `ExternalSecret`s of a contract need them.
#[derive(Debug, Default)]
pub(super) struct Stores<'r>(BTreeMap<ResolvedStore, Store<'r>>);

impl<'r> Stores<'r> {
    /// An `ExternalSecret` in that namespace reads from that backend through that store.
    pub(super) fn used(
        &mut self,
        reference: &ResolvedStore,
        backend: &'r ResolvedBackend,
        namespace: &str,
    ) -> Result<(), EmitError> {
        let store = self.0.entry(reference.clone()).or_insert_with(|| Store {
            reference: reference.clone(),
            backend,
            namespaces: BTreeSet::new(),
        });
        if store.backend.name != backend.name {
            return Err(EmitError::Store {
                store: reference.name.clone(),
                reason: format!(
                    "it would read from `{}` and from `{}`; give one of them a store of its own under `backends`",
                    store.backend.name, backend.name
                ),
            });
        }
        store.namespaces.insert(namespace.to_owned());
        Ok(())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Store<'r>> {
        self.0.values()
    }
}

impl Store<'_> {
    /// The provider block alone.
    pub(super) fn provider(&self, version: EsoVersion) -> Result<(&'static str, Value), EmitError> {
        let ResolvedStore { kind, name } = &self.reference;
        let built = provider::provider(self.backend, (*kind, name), version);
        let (word, block) = built.map_err(|reason| self.error(reason))?;
        self.check_namespaces(&block)?;
        Ok((word, block))
    }

    /// One object for the cluster, or one for each namespace; each with its namespace.
    pub(super) fn objects(
        &self,
        resolved: &Resolved,
        version: EsoVersion,
    ) -> Result<Vec<(Option<&str>, Value)>, EmitError> {
        let (word, block) = self.provider(version)?;
        let spec = |conditions: Option<Value>| {
            let mut spec = Map::new();
            spec.insert("provider".to_owned(), json!({word: block}));
            if let Some(conditions) = conditions {
                spec.insert("conditions".to_owned(), conditions);
            }
            spec
        };
        let object = |namespace: Option<&str>, spec| {
            json!({
                "apiVersion": "external-secrets.io/v1",
                "kind": self.reference.kind.as_str(),
                "metadata": resolved.emit.metadata(&self.reference.name, namespace),
                "spec": spec,
            })
        };
        Ok(match self.reference.kind {
            StoreKind::ClusterSecretStore => {
                // Nobody else in the cluster reads through it.
                let conditions = json!([{"namespaces": self.namespaces}]);
                vec![(None, object(None, spec(Some(conditions))))]
            }
            StoreKind::SecretStore => {
                let each = self.namespaces.iter().map(|namespace| {
                    let namespace = Some(namespace.as_str());
                    (namespace, object(namespace, spec(None)))
                });
                each.collect()
            }
        })
    }

    /// What the operator refuses: a store of one namespace that reads credentials in another; and where it wants one for the
    /// whole cluster, none.
    fn check_namespaces(&self, block: &Value) -> Result<(), EmitError> {
        let mut found = Vec::new();
        references(block, &mut found);
        for (key, reference) in found {
            let named = reference.get("namespace").and_then(Value::as_str);
            let wanted = match self.reference.kind {
                StoreKind::SecretStore => {
                    let fits = |named| self.namespaces.iter().all(|own| own == named);
                    if named.is_none_or(fits) && !(key == "caProvider" && named.is_some()) {
                        continue;
                    }
                    "must not name a namespace, since a SecretStore reads in its own"
                }
                StoreKind::ClusterSecretStore => {
                    let strict = self.backend.kind == crate::backend::Kind::Kubernetes;
                    if named.is_some() || !(strict || key == "caProvider") {
                        continue;
                    }
                    "must name its namespace, since a ClusterSecretStore has none"
                }
            };
            return Err(self.error(format!("`{key}` in `store.auth` {wanted}")));
        }
        Ok(())
    }

    pub(super) fn error(&self, reason: String) -> EmitError {
        EmitError::Store {
            store: self.reference.name.clone(),
            reason,
        }
    }
}

/// Everything that names an object of the cluster, with the key that it is under.
fn references<'v>(value: &'v Value, found: &mut Vec<(&'v str, &'v Map<String, Value>)>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                if let Value::Object(inner) = value
                    && inner.get("name").is_some_and(Value::is_string)
                {
                    found.push((key, inner));
                }
                references(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
    }
}
