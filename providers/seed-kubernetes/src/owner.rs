//! Whose a Secret is. What others keep is read, and never written into: they would undo it, or break on it.

use std::collections::BTreeMap;

use crate::form::OPAQUE;
use crate::object::{Metadata, Secret};

/// Why nothing may be written into a Secret that should be of a type, in a few words after "it", or `None` when we may.
pub(crate) fn refuses<V>(secret: &Secret<V>, kind: &str) -> Option<String> {
    let metadata = &secret.metadata;
    if metadata.deletion_timestamp.is_some() {
        return Some(GOING.to_owned());
    }
    if let Some(keeper) = keeper(metadata) {
        return Some(format!("belongs to {keeper}"));
    }
    if secret.immutable == Some(true) {
        return Some("is immutable".to_owned());
    }
    match secret.of_type.as_deref() {
        None | Some("") if kind == OPAQUE => None,
        None | Some("") => Some(format!("is of the type `{OPAQUE}`")),
        Some(same) if same == kind => None,
        Some(other) => Some(format!("is of the type `{other}`")),
    }
}

/// Whether it is being deleted, and only waits for somebody's finalizer.
pub(crate) fn is_going(metadata: &Metadata) -> bool {
    metadata.deletion_timestamp.is_some()
}

/// After "it".
pub(crate) const GOING: &str = "is being deleted";

fn keeper(metadata: &Metadata) -> Option<String> {
    let owners = metadata.owner_references.iter().flatten();
    let controller = owners.into_iter().find(|it| it.controller == Some(true));
    if let Some(owner) = controller {
        return Some(format!("the {} `{}`", owner.kind, owner.name));
    }
    let label = |key: &str| value(metadata.labels.as_ref(), key);
    let annotation = |key: &str| value(metadata.annotations.as_ref(), key);
    let marked = |prefix: &str| {
        let marks = metadata.labels.iter().chain(&metadata.annotations);
        marks
            .flat_map(BTreeMap::keys)
            .any(|key| key.starts_with(prefix))
    };
    if label("app.kubernetes.io/managed-by") == Some("Helm") {
        return Some(match annotation("meta.helm.sh/release-name") {
            Some(release) => format!("the Helm release `{release}`"),
            None => "Helm".to_owned(),
        });
    }
    if marked("reconcile.external-secrets.io/") {
        return Some("External Secrets Operator".to_owned());
    }
    if marked("sealedsecrets.bitnami.com/") {
        return Some("Sealed Secrets".to_owned());
    }
    if marked("argocd.argoproj.io/tracking-id") || marked("argocd.argoproj.io/instance") {
        return Some("Argo CD".to_owned());
    }
    if marked("kustomize.toolkit.fluxcd.io/") || marked("helm.toolkit.fluxcd.io/") {
        return Some("Flux".to_owned());
    }
    None
}

fn value<'m>(map: Option<&'m BTreeMap<String, String>>, key: &str) -> Option<&'m str> {
    map?.get(key).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::object::Dropped;

    fn refused(metadata: Value, rest: Value) -> Option<String> {
        let mut object = rest;
        object["metadata"] = metadata;
        let secret: Secret<Dropped> = serde_json::from_value(object).unwrap();
        refuses(&secret, OPAQUE)
    }

    #[test]
    fn what_others_keep_is_told_by_their_marks() {
        let marks = [
            (
                json!({"ownerReferences": [{"kind": "ExternalSecret", "name": "db", "controller": true}]}),
                Some("belongs to the ExternalSecret `db`"),
            ),
            (
                json!({"ownerReferences": [{"kind": "Deployment", "name": "d"}]}),
                None,
            ),
            (
                json!({"labels": {"app.kubernetes.io/managed-by": "Helm"}, "annotations": {"meta.helm.sh/release-name": "redis"}}),
                Some("belongs to the Helm release `redis`"),
            ),
            (
                json!({"annotations": {"reconcile.external-secrets.io/data-hash": "1"}}),
                Some("belongs to External Secrets Operator"),
            ),
            (
                json!({"annotations": {"sealedsecrets.bitnami.com/managed": "true"}}),
                Some("belongs to Sealed Secrets"),
            ),
            (
                json!({"annotations": {"argocd.argoproj.io/tracking-id": "x"}}),
                Some("belongs to Argo CD"),
            ),
            (
                json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "x"}}),
                Some("belongs to Flux"),
            ),
            (
                json!({"deletionTimestamp": "2026-01-01T00:00:00Z"}),
                Some("is being deleted"),
            ),
            (
                json!({"labels": {"managed-by": "seed", "app.kubernetes.io/managed-by": "kustomize"}}),
                None,
            ),
        ];
        for (metadata, wanted) in marks {
            let found = refused(metadata.clone(), json!({"type": "Opaque"}));
            assert_eq!(found.as_deref(), wanted, "{metadata}");
        }
    }

    #[test]
    fn what_cannot_or_should_not_be_changed_is_refused() {
        let immutable = refused(json!({}), json!({"type": "Opaque", "immutable": true}));
        assert_eq!(immutable.as_deref(), Some("is immutable"));
        let typed = refused(json!({}), json!({"type": "kubernetes.io/tls"}));
        assert_eq!(typed.as_deref(), Some("is of the type `kubernetes.io/tls`"));
        assert_eq!(refused(json!({}), json!({"immutable": false})), None);
    }
}
