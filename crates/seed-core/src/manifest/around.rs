//! What `ExternalSecret`s need around them: namespaces, stores, and who may read through those.
//!
//! Files begin with `_`, which no namespace and no object may, so that they never meet those of `ExternalSecret`s.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::access;
use super::output::{EmitError, ManifestFile, Options, header};
use super::provider::source_namespace;
use super::secret_store::Stores;
use crate::backend::Kind;
use crate::resolve::Resolved;
use crate::yaml::{Style, write};

/// Where objects of the whole cluster are.
const CLUSTER: &str = "_cluster";

pub(super) fn files(
    resolved: &Resolved,
    stores: &Stores<'_>,
    options: &Options,
) -> Result<Vec<ManifestFile>, EmitError> {
    let mut files = Vec::new();
    let mut namespaces = BTreeSet::new();
    for store in stores.iter() {
        namespaces.extend(store.namespaces.iter().cloned());
        if options.with.store {
            for (namespace, object) in store.objects(resolved, options.version)? {
                let (kind, name) = (store.reference.kind.as_str(), &store.reference.name);
                files.push(file(resolved, namespace, (kind, name), &object));
            }
        }
        if store.backend.kind == Kind::Kubernetes {
            namespaces.insert(source_namespace(store.backend).to_owned());
        }
        if options.with.rbac {
            for object in access::objects(store, resolved, options.version)? {
                let named = (object.kind, object.name.as_str());
                files.push(file(
                    resolved,
                    Some(&object.namespace),
                    named,
                    &object.value,
                ));
                namespaces.insert(object.namespace);
            }
        }
    }
    if options.with.namespaces {
        // Every cluster has these.
        let is_built_in = |name: &str| name == "default" || name.starts_with("kube-");
        let each = namespaces.iter().filter(|name| !is_built_in(name));
        files.extend(each.map(|name| {
            file(
                resolved,
                None,
                ("Namespace", name),
                &namespace(resolved, name),
            )
        }));
    }
    // Two stores may name one service account.
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup();
    Ok(files)
}

/// Argo CD deletes no namespace, whatever becomes of the file.
fn namespace(resolved: &Resolved, name: &str) -> Value {
    let mut metadata: Map<String, Value> = resolved.emit.metadata(name, None);
    let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
    if let Value::Object(annotations) = annotations {
        let kept = json!("Delete=false,Prune=false");
        annotations.insert("argocd.argoproj.io/sync-options".to_owned(), kept);
    }
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
}

fn file(
    resolved: &Resolved,
    namespace: Option<&str>,
    (kind, name): (&str, &str),
    object: &Value,
) -> ManifestFile {
    let (directory, mark) = match namespace {
        Some(namespace) => (namespace, "_"),
        None => (CLUSTER, ""),
    };
    let text = format!("{}{}", header(resolved), *write(object, Style::Readable));
    ManifestFile {
        path: format!(
            "{directory}/{mark}{}-{name}.yaml",
            kind.to_ascii_lowercase()
        ),
        text,
    }
}
