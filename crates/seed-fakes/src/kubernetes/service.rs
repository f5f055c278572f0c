//! The stand-in, and what tests can change behind the client's back.
#![expect(
    clippy::indexing_slicing,
    reason = "what a document does not have is null"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::{documented, objects, status};
use crate::{Answer, Request, Service};

/// The stand-in of an API server, with the one user `dev` and its token.
#[derive(Default)]
pub struct Kubernetes {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    revision: u64,
    /// By name; whether it is being deleted.
    namespaces: BTreeMap<String, bool>,
    secrets: BTreeMap<(String, String), Value>,
    /// How often each Secret was written, by whomever.
    writes: BTreeMap<(String, String), usize>,
    /// Verbs, resources and names (all of them without one) that are denied.
    denied: BTreeSet<(String, String, String)>,
    /// Lists that were begun, as they were then.
    lists: BTreeMap<u64, Vec<Value>>,
    unknown_token: bool,
    /// The token that is taken instead of the first one.
    token: Option<String>,
    /// The labels that namespaces were created with.
    labels: BTreeMap<String, Value>,
}

/// What a path is about.
struct Target {
    verb: &'static str,
    resource: &'static str,
    namespace: String,
    name: String,
}

impl Kubernetes {
    /// The token that it takes.
    pub const TOKEN: &'static str = "token-of-dev";

    /// A server with these namespaces, all empty.
    pub fn with_namespaces(names: &[&str]) -> Self {
        let kubernetes = Self::default();
        let named = names.iter().map(|name| ((*name).to_owned(), false));
        kubernetes.state().namespaces = named.collect();
        kubernetes
    }

    /// Every documented error of every call: what it is called here, what is wrong, and the answer.
    pub fn documented_errors() -> Vec<(&'static str, &'static str, Answer)> {
        documented::errors()
    }

    /// Stores a Secret as somebody else would, or changes it.
    pub fn put(&self, namespace: &str, mut secret: Value) {
        let mut state = self.state();
        let name = secret["metadata"]["name"].as_str().unwrap_or_default();
        let key = (namespace.to_owned(), name.to_owned());
        secret["metadata"]["namespace"] = json!(namespace);
        secret["kind"] = json!("Secret");
        secret["apiVersion"] = json!("v1");
        state.store(key, secret);
    }

    /// The names of all Secrets in a namespace, and how often each was written.
    pub fn versions(&self, namespace: &str) -> BTreeMap<String, usize> {
        let state = self.state();
        let ours = state.secrets.keys().filter(|(space, _)| space == namespace);
        ours.map(|key| {
            let writes = state.writes.get(key).copied();
            (key.1.clone(), writes.unwrap_or_default())
        })
        .collect()
    }

    /// What is stored.
    pub fn secret(&self, namespace: &str, name: &str) -> Option<Value> {
        let key = (namespace.to_owned(), name.to_owned());
        self.state().secrets.get(&key).cloned()
    }

    /// Removes a Secret as somebody else would.
    pub fn remove(&self, namespace: &str, name: &str) {
        let key = (namespace.to_owned(), name.to_owned());
        self.state().secrets.remove(&key);
    }

    /// Begins to delete a namespace.
    pub fn terminate(&self, namespace: &str) {
        self.state().namespaces.insert(namespace.to_owned(), true);
    }

    /// Whether a namespace exists.
    pub fn has_namespace(&self, namespace: &str) -> bool {
        self.state().namespaces.contains_key(namespace)
    }

    /// Denies a verb on a resource, for one name, or with an empty one for all.
    pub fn deny(&self, verb: &str, resource: &str, name: &str) {
        let denied = (verb.to_owned(), resource.to_owned(), name.to_owned());
        self.state().denied.insert(denied);
    }

    /// Forgets the lists that were begun: their next pages are too old.
    pub fn compact(&self) {
        self.state().lists.clear();
    }

    /// The labels that a namespace was created with.
    pub fn namespace_labels(&self, namespace: &str) -> Option<Value> {
        self.state().labels.get(namespace).cloned()
    }

    /// Takes another token from now on.
    pub fn replace_token(&self, token: &str) {
        self.state().token = Some(token.to_owned());
    }

    /// Knows the token no more.
    pub fn revoke_token(&self) {
        self.state().unknown_token = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Kubernetes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kubernetes").finish_non_exhaustive()
    }
}

impl Service for Kubernetes {
    fn operation(&self, request: &Request) -> String {
        let target = target(request);
        target.map_or_else(
            || "Unknown".to_owned(),
            |target| format!("{} {}", target.verb, target.resource),
        )
    }

    fn writes(&self, operation: &str) -> bool {
        ["create secrets", "patch secrets", "create namespaces"].contains(&operation)
    }

    fn answer(&self, request: &Request) -> Answer {
        let mut state = self.state();
        let bearer = format!("Bearer {}", state.token.as_deref().unwrap_or(Self::TOKEN));
        if state.unknown_token || request.header("authorization") != Some(&*bearer) {
            return status::unauthorized();
        }
        let Some(target) = target(request) else {
            return Answer {
                status: 404,
                headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
                body: b"404 page not found\n".to_vec(),
            };
        };
        if state.denies(&target) {
            return status::forbidden(target.verb, target.resource, &target.name);
        }
        match (target.verb, target.resource) {
            ("create", "selfsubjectreviews") => review(),
            ("get", "namespaces") => state.namespace(&target.name),
            ("create", "namespaces") => state.create_namespace(request),
            ("get", _) => state.get(&target, request),
            ("list", _) => state.list(&target, request),
            ("create", _) => state.create(&target, request),
            _ => state.patch(&target, request),
        }
    }

    fn throttled(&self) -> Answer {
        status::too_many()
    }
}

fn target(request: &Request) -> Option<Target> {
    let segments = request.segments();
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (verb, resource, namespace, name) = match (request.method.as_str(), parts.as_slice()) {
        ("POST", ["apis", "authentication.k8s.io", "v1", "selfsubjectreviews"]) => {
            ("create", "selfsubjectreviews", "", "")
        }
        ("GET", ["api", "v1", "namespaces", name]) => ("get", "namespaces", *name, *name),
        ("POST", ["api", "v1", "namespaces"]) => ("create", "namespaces", "", ""),
        ("GET", ["api", "v1", "namespaces", namespace, "secrets"]) => {
            ("list", "secrets", *namespace, "")
        }
        ("POST", ["api", "v1", "namespaces", namespace, "secrets"]) => {
            ("create", "secrets", *namespace, "")
        }
        ("GET", ["api", "v1", "namespaces", namespace, "secrets", name]) => {
            ("get", "secrets", *namespace, *name)
        }
        ("PATCH", ["api", "v1", "namespaces", namespace, "secrets", name]) => {
            ("patch", "secrets", *namespace, *name)
        }
        _ => return None,
    };
    Some(Target {
        verb,
        resource,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    })
}

fn review() -> Answer {
    let body = json!({
        "kind": "SelfSubjectReview",
        "apiVersion": "authentication.k8s.io/v1",
        "status": {"userInfo": {"username": "dev", "groups": ["system:authenticated"]}},
    });
    status::audited(Answer::json(201, &body))
}

/// Whether only metadata is asked for.
fn is_partial(request: &Request) -> bool {
    let accept = request.header("accept").unwrap_or_default();
    accept.contains("as=PartialObjectMetadata")
}

impl State {
    fn next(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    /// Writes a Secret, whatever is there, and tells how it is stored.
    fn store(&mut self, key: (String, String), mut secret: Value) -> Value {
        let revision = self.next();
        secret["metadata"]["resourceVersion"] = json!(revision.to_string());
        *self.writes.entry(key.clone()).or_default() += 1;
        self.secrets.insert(key, secret.clone());
        secret
    }

    fn denies(&self, target: &Target) -> bool {
        let denied = |name: &str| {
            let key = (
                target.verb.to_owned(),
                target.resource.to_owned(),
                name.to_owned(),
            );
            self.denied.contains(&key)
        };
        denied("") || denied(&target.name)
    }

    fn namespace(&self, name: &str) -> Answer {
        let Some(terminating) = self.namespaces.get(name) else {
            return status::not_found("namespaces", name);
        };
        let mut body = json!({
            "kind": "Namespace", "apiVersion": "v1",
            "metadata": {"name": name, "resourceVersion": "1"},
            "status": {"phase": "Active"},
        });
        if *terminating {
            body["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            body["status"]["phase"] = json!("Terminating");
        }
        status::audited(Answer::json(200, &body))
    }

    fn create_namespace(&mut self, request: &Request) -> Answer {
        let body = request.json();
        let name = body["metadata"]["name"].as_str().unwrap_or_default();
        if self.namespaces.contains_key(name) {
            return status::already_exists("namespaces", name);
        }
        self.namespaces.insert(name.to_owned(), false);
        let labels = body["metadata"]["labels"].clone();
        self.labels.insert(name.to_owned(), labels);
        let mut answer = self.namespace(name);
        answer.status = 201;
        answer
    }

    fn get(&self, target: &Target, request: &Request) -> Answer {
        let key = (target.namespace.clone(), target.name.clone());
        match self.secrets.get(&key) {
            None => status::not_found("secrets", &target.name),
            Some(secret) if is_partial(request) => {
                status::audited(Answer::json(200, &objects::partial(secret)))
            }
            Some(secret) => status::audited(Answer::json(200, secret)),
        }
    }

    /// One page. The token of the next one names the list, so that all pages are of one time.
    fn list(&mut self, target: &Target, request: &Request) -> Answer {
        let limit = request
            .parameter("limit")
            .and_then(|text| text.parse().ok());
        let limit: usize = limit.unwrap_or(usize::MAX);
        let token = request.parameter("continue").unwrap_or_default();
        let (list, start) = match token.split_once('/') {
            None if token.is_empty() => {
                let all = self.secrets.iter();
                let ours = all.filter(|((namespace, _), _)| *namespace == target.namespace);
                let all = ours.map(|(_, secret)| secret.clone()).collect();
                let list = self.next();
                self.lists.insert(list, all);
                (list, 0)
            }
            Some((list, start)) => (
                list.parse().unwrap_or_default(),
                start.parse().unwrap_or_default(),
            ),
            None => return status::bad_request("invalid continue token"),
        };
        let Some(all) = self.lists.get(&list) else {
            return status::expired();
        };
        let page = all.iter().skip(start).take(limit);
        let partial = is_partial(request);
        let items: Vec<Value> = page
            .map(|secret| {
                if partial {
                    return objects::partial(secret);
                }
                let mut item = secret.clone();
                // In a list the items do not say what they are.
                if let Some(item) = item.as_object_mut() {
                    item.remove("kind");
                    item.remove("apiVersion");
                }
                item
            })
            .collect();
        let mut metadata = json!({"resourceVersion": list.to_string()});
        if start + items.len() < all.len() {
            metadata["continue"] = json!(format!("{list}/{}", start + items.len()));
        }
        let kind = if partial {
            "PartialObjectMetadataList"
        } else {
            "SecretList"
        };
        // The real server has a null for an empty list of metadata.
        let items = if partial && items.is_empty() {
            Value::Null
        } else {
            json!(items)
        };
        let version = if partial { "meta.k8s.io/v1" } else { "v1" };
        let body =
            json!({"kind": kind, "apiVersion": version, "metadata": metadata, "items": items});
        status::audited(Answer::json(200, &body))
    }

    fn create(&mut self, target: &Target, request: &Request) -> Answer {
        let mut secret = request.json();
        if !secret.is_object() {
            let body = String::from_utf8_lossy(&request.body);
            return status::bad_request(&format!(
                "the object provided is unrecognized: json parse error ({body})"
            ));
        }
        if secret["metadata"]["name"].is_null() && !secret["metadata"]["generateName"].is_null() {
            let revision = self.next();
            secret["metadata"]["name"] = json!(format!("seed-check-{revision}"));
        }
        let name = secret["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        match self.namespaces.get(&target.namespace) {
            None => return status::not_found("namespaces", &target.namespace),
            Some(true) => return status::terminating(&target.namespace, &name),
            Some(false) => {}
        }
        if let Err(refusal) = objects::validate(&secret) {
            return refusal;
        }
        let key = (target.namespace.clone(), name.clone());
        if self.secrets.contains_key(&key) {
            return status::already_exists("secrets", &name);
        }
        secret["metadata"]["namespace"] = json!(target.namespace);
        if request.parameter("dryRun").is_none() {
            secret = self.store(key, secret);
        }
        status::audited(Answer::json(201, &secret))
    }

    fn patch(&mut self, target: &Target, request: &Request) -> Answer {
        if request.header("content-type") != Some("application/merge-patch+json") {
            return status::status(
                415,
                "UnsupportedMediaType",
                "415: Unsupported Media Type",
                json!({}),
            );
        }
        let key = (target.namespace.clone(), target.name.clone());
        let Some(before) = self.secrets.get(&key) else {
            return status::not_found("secrets", &target.name);
        };
        let patch = request.json();
        let expected = &patch["metadata"]["resourceVersion"];
        if !expected.is_null() && *expected != before["metadata"]["resourceVersion"] {
            return status::conflict(&target.name);
        }
        let mut after = before.clone();
        objects::merge(&mut after, &patch);
        if let Err(refusal) = objects::validate(&after) {
            return refusal;
        }
        if before["immutable"] == json!(true) && before["data"] != after["data"] {
            let message = "Forbidden: field is immutable when `immutable` is set";
            return status::invalid(&target.name, "data", "FieldValueForbidden", message);
        }
        let after = self.store(key, after);
        status::audited(Answer::json(200, &after))
    }
}
