//! A plan for programs. The same facts as for people, never a value.

use seed_core::backend::Description;
use seed_core::inventory::Depth;
use seed_core::plan::{Plan, Step, wanted};
use seed_core::resolve::Resolved;
use serde_json::{Map, Value, json};

use super::action_json::reasons;
use super::error_json::errors;
use super::secrets;
use crate::backends::{Asked, Note};
use crate::error::CliError;

/// The plan as one JSON document; `version` changes when its shape does. Without `asked`, no backend was.
pub(crate) fn plan(
    resolved: &Resolved,
    plan: &Plan,
    asked: Option<&Asked>,
    failures: &[CliError],
) -> Value {
    let summary = plan.summary();
    let mut document = json!({
        "version": 1,
        "contract": resolved.contract,
        "env": resolved.env,
        "offline": asked.is_none(),
        "backends": asked.map_or_else(|| unasked(resolved), backends),
        "steps": plan.values().map(step).collect::<Vec<_>>(),
        "made_by_others": others(resolved),
        "errors": errors(failures),
        "notes": asked.map(notes).unwrap_or_default(),
        "summary": {
            "create": summary.create,
            "ask": summary.ask,
            "wait": summary.wait,
            "blocked": summary.blocked,
            "keep": summary.keep,
            "minted": summary.minted,
            "optional": summary.optional,
            "not_needed": summary.not_needed,
            "not_selected": summary.not_selected,
        },
    });
    add_secrets(resolved, &mut document, || secrets::json(plan));
    document
}

/// A run that looks at the cluster also tells of the Secrets in it.
pub(super) fn add_secrets(
    resolved: &Resolved,
    document: &mut Value,
    secrets: impl FnOnce() -> Vec<Value>,
) {
    if let (Some(_), Value::Object(members)) = (&resolved.cluster, document) {
        members.insert("secrets".to_owned(), Value::Array(secrets()));
    }
}

/// The backends that were asked, and whom each belongs to.
pub(super) fn backends(asked: &Asked) -> Vec<Value> {
    let places = asked.places.iter();
    places.map(|(name, place)| backend(name, place)).collect()
}

/// What there is to say of how they were asked.
pub(super) fn notes(asked: &Asked) -> Vec<Value> {
    let notes = asked.notes.iter();
    let note = |note: &Note| json!({"backend": note.backend, "message": note.text});
    notes.map(note).collect()
}

fn backend(name: &str, place: &Description) -> Value {
    json!({
        "name": name,
        "kind": place.kind.as_str(),
        "place": place.place,
        "identity": place.identity,
        "create": place.capabilities.create.as_str(),
        "guaranteed": place.capabilities.create.promise(),
        "not_guaranteed": place.capabilities.create.limit(),
    })
}

/// The backends that keep values, about which nothing is known but what the contract says.
fn unasked(resolved: &Resolved) -> Vec<Value> {
    let names = wanted(resolved, Depth::Quick).into_keys();
    let backends = names.filter_map(|name| resolved.backends.get(&name));
    let unasked = backends.map(|backend| {
        json!({
            "name": backend.name,
            "kind": backend.kind.as_str(),
            "place": null,
            "identity": null,
            "create": null,
            "guaranteed": null,
            "not_guaranteed": null,
        })
    });
    unasked.collect()
}

fn step(step: &Step) -> Value {
    let mut members = Map::new();
    let mut put = |key: &str, value: Value| {
        members.insert(key.to_owned(), value);
    };
    put("key", json!(step.id.to_string()));
    put("backend", json!(step.backend));
    put(
        "name",
        json!(step.name.as_ref().map(seed_core::name::SecretName::as_str)),
    );
    put(
        "state",
        json!(step.state.as_ref().map(seed_core::plan::State::as_str)),
    );
    put("action", json!(step.action.as_str()));
    put("source", json!(step.source));
    put("description", json!(step.description));
    put("files", json!(step.files));
    for (key, value) in reasons(&step.action) {
        put(key, value);
    }
    Value::Object(members)
}

fn others(resolved: &Resolved) -> Vec<Value> {
    resolved
        .targets
        .iter()
        .filter(|target| target.activity.is_active())
        .filter_map(|target| {
            let by = target.made_by.as_ref()?;
            Some(json!({"secret": format!("{}/{}", target.namespace, target.secret), "by": by}))
        })
        .collect()
}
