//! Who may read through a store: service accounts, and for a source namespace the role that lets them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::output::EmitError;
use super::provider::source_namespace;
use super::secret_store::Store;
use super::version::EsoVersion;
use crate::backend::Kind;
use crate::resolve::Resolved;

/// An object of a namespace.
pub(super) struct Object {
    pub(super) kind: &'static str,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) value: Value,
}

type Account = (String, String);

/// What lets a store be read through.
pub(super) fn objects(
    store: &Store<'_>,
    resolved: &Resolved,
    version: EsoVersion,
) -> Result<Vec<Object>, EmitError> {
    let (_, block) = store.provider(version)?;
    let mut accounts = BTreeSet::new();
    named(store, &block, &mut accounts);
    let mut objects = Vec::new();
    // Accounts that the contract says nothing of are somebody else's, such as the operator's own.
    let ours = store.backend.service_account.is_some() || store.backend.auth.is_none();
    if ours {
        let accounts = accounts.iter();
        objects.extend(accounts.map(|account| service_account(store, resolved, account)));
    }
    if store.backend.kind == Kind::Kubernetes && !accounts.is_empty() {
        objects.extend(reader(store, resolved, &accounts));
    }
    Ok(objects)
}

/// The service accounts that a provider block names, by namespace and name.
fn named(store: &Store<'_>, value: &Value, found: &mut BTreeSet<Account>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                if key == "serviceAccountRef" || key == "serviceAccount" {
                    found.extend(account(store, value));
                }
                named(store, value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| named(store, item, found)),
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
    }
}

/// One account, or one in each namespace that reads, where the reference names none.
fn account(store: &Store<'_>, reference: &Value) -> Vec<Account> {
    let text = |key| reference.get(key).and_then(Value::as_str);
    let Some(name) = text("name") else {
        return Vec::new();
    };
    if let Some(namespace) = text("namespace") {
        return vec![(namespace.to_owned(), name.to_owned())];
    }
    let each = store.namespaces.iter();
    each.map(|namespace| (namespace.clone(), name.to_owned()))
        .collect()
}

fn service_account(store: &Store<'_>, resolved: &Resolved, (namespace, name): &Account) -> Object {
    let mut metadata = resolved.emit.metadata(name, Some(namespace));
    let own = store.backend.service_account.iter().flatten();
    let annotations: Map<String, Value> =
        own.map(|(key, text)| (key.clone(), json!(text))).collect();
    if !annotations.is_empty() {
        let all = metadata.entry("annotations").or_insert_with(|| json!({}));
        if let Value::Object(all) = all {
            all.extend(annotations);
        }
    }
    object(
        ("v1", "ServiceAccount"),
        (namespace, name),
        metadata,
        Map::new(),
    )
}

/// The role that reads the source namespace, and who has it.
fn reader(store: &Store<'_>, resolved: &Resolved, accounts: &BTreeSet<Account>) -> [Object; 2] {
    let source = source_namespace(store.backend);
    let name = format!("{}-reader", store.reference.name);
    let metadata = || resolved.emit.metadata(&name, Some(source));
    let group = "rbac.authorization.k8s.io";
    let version = "rbac.authorization.k8s.io/v1";
    let rules =
        json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch"]}]);
    let role = Map::from_iter([("rules".to_owned(), rules)]);
    let subjects: Vec<Value> = accounts
        .iter()
        .map(|(namespace, name)| json!({"kind": "ServiceAccount", "name": name, "namespace": namespace}))
        .collect();
    let binding = Map::from_iter([
        (
            "roleRef".to_owned(),
            json!({"apiGroup": group, "kind": "Role", "name": name}),
        ),
        ("subjects".to_owned(), json!(subjects)),
    ]);
    [
        object((version, "Role"), (source, &name), metadata(), role),
        object(
            (version, "RoleBinding"),
            (source, &name),
            metadata(),
            binding,
        ),
    ]
}

fn object(
    (version, kind): (&str, &'static str),
    (namespace, name): (&str, &str),
    metadata: Map<String, Value>,
    rest: Map<String, Value>,
) -> Object {
    let mut value = Map::from_iter([
        ("apiVersion".to_owned(), json!(version)),
        ("kind".to_owned(), json!(kind)),
        ("metadata".to_owned(), Value::Object(metadata)),
    ]);
    value.extend(rest);
    Object {
        kind,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        value: Value::Object(value),
    }
}
