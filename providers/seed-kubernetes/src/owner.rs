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

/// Who keeps it. Who is named as an owner takes it along when it goes, whether it looks after it or not.
fn keeper(metadata: &Metadata) -> Option<String> {
    let owners = || metadata.owner_references.iter().flatten();
    let controller = owners().find(|it| it.controller == Some(true));
    if let Some(owner) = controller.or_else(|| owners().next()) {
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
    if let Some(release) = annotation("meta.helm.sh/release-name") {
        return Some(format!("the Helm release `{release}`"));
    }
    if let Some(by) = label("app.kubernetes.io/managed-by").and_then(manager) {
        return Some(by.to_owned());
    }
    let found = MARKS.iter().find(|(prefix, _)| marked(prefix));
    if let Some((_, keeper)) = found {
        return Some((*keeper).to_owned());
    }
    // Argo CD's own label of old, which many others set as well; but then the Secret stands in a manifest.
    let app = label("app.kubernetes.io/instance").filter(|_| marked(APPLIED));
    app.map(|app| format!("the application `{app}`, whose manifest is applied"))
}

/// Programs that write their name into the usual label.
fn manager(name: &str) -> Option<&'static str> {
    match name {
        "Helm" => Some("Helm"),
        "external-secrets" => Some("External Secrets Operator"),
        "hashicorp-vso" => Some("the Vault Secrets Operator"),
        "kyverno" => Some("Kyverno"),
        _ => None,
    }
}

/// How the keys of labels and annotations begin by which programs know what they keep.
const MARKS: [(&str, &str); 14] = [
    ("argocd.argoproj.io/instance", "Argo CD"),
    ("argocd.argoproj.io/tracking-id", "Argo CD"),
    ("cert-manager.io/certificate-name", "cert-manager"),
    ("controller.cert-manager.io/", "cert-manager"),
    ("generate.kyverno.io/", "Kyverno"),
    ("helm.sh/hook", "Helm"),
    ("helm.toolkit.fluxcd.io/", "Flux"),
    ("kustomize.toolkit.fluxcd.io/", "Flux"),
    (
        "reconcile.external-secrets.io/",
        "External Secrets Operator",
    ),
    ("reflector.v1.k8s.emberstack.com/reflected-", "Reflector"),
    ("reflector.v1.k8s.emberstack.com/reflects", "Reflector"),
    ("replicator.v1.mittwald.de/replicate-from", "the replicator"),
    ("replicator.v1.mittwald.de/replicated-", "the replicator"),
    ("sealedsecrets.bitnami.com/", "Sealed Secrets"),
];

/// What `kubectl apply` and Argo CD leave behind.
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

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
            ("argocd.argoproj.io/tracking-id", "Argo CD"),
            ("cert-manager.io/certificate-name", "cert-manager"),
            ("helm.sh/hook", "Helm"),
            ("kustomize.toolkit.fluxcd.io/name", "Flux"),
            (
                "reconcile.external-secrets.io/data-hash",
                "External Secrets Operator",
            ),
            ("reflector.v1.k8s.emberstack.com/reflects", "Reflector"),
            ("replicator.v1.mittwald.de/replicate-from", "the replicator"),
            ("sealedsecrets.bitnami.com/managed", "Sealed Secrets"),
        ];
        for (key, keeper) in marks {
            for place in ["labels", "annotations"] {
                let found = refused(json!({place: {key: "x"}}), json!({"type": "Opaque"}));
                assert_eq!(found.unwrap(), format!("belongs to {keeper}"));
            }
        }
        for (manager, keeper) in [
            ("Helm", Some("belongs to Helm")),
            (
                "hashicorp-vso",
                Some("belongs to the Vault Secrets Operator"),
            ),
            ("kustomize", None),
        ] {
            let labels = json!({"managed-by": "seed", "app.kubernetes.io/managed-by": manager});
            let found = refused(json!({"labels": labels}), json!({"type": "Opaque"}));
            assert_eq!(found.as_deref(), keeper);
        }
        let source =
            json!({"annotations": {"reflector.v1.k8s.emberstack.com/reflection-allowed": "true"}});
        assert_eq!(refused(source, json!({"type": "Opaque"})), None);
    }

    #[test]
    fn what_goes_with_another_object_or_stands_in_a_manifest_belongs_there() {
        let (instance, applied) = (
            json!({"app.kubernetes.io/instance": "shop"}),
            json!({"kubectl.kubernetes.io/last-applied-configuration": "{}"}),
        );
        let owner =
            |kind: &str, controller| json!({"kind": kind, "name": "n", "controller": controller});
        let marks = [
            (
                json!({"ownerReferences": [owner("Kafka", false), owner("ExternalSecret", true)]}),
                Some("belongs to the ExternalSecret `n`"),
            ),
            (
                json!({"ownerReferences": [owner("Kafka", false)]}),
                Some("belongs to the Kafka `n`"),
            ),
            (
                json!({"annotations": {"meta.helm.sh/release-name": "redis"}}),
                Some("belongs to the Helm release `redis`"),
            ),
            (
                json!({"labels": instance, "annotations": applied}),
                Some("belongs to the application `shop`, whose manifest is applied"),
            ),
            (json!({"labels": instance}), None),
            (json!({"annotations": applied}), None),
            (
                json!({"deletionTimestamp": "2026-01-01T00:00:00Z"}),
                Some("is being deleted"),
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
