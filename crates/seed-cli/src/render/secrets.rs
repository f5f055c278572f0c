//! The Secrets that `seed` writes to the cluster itself.

use seed_core::plan::{Action, Blocked, Plan, SecretStep, State};
use seed_core::resolve::Resolved;
use serde_json::{Map, Value, json};

use super::action_json::reasons;
use super::plan_text::{mark, words};
use super::words::{count, hanging};

/// A line for each Secret, or one that says what is left out without the cluster.
pub(super) fn text(resolved: &Resolved, plan: &Plan) -> String {
    let secrets = selected(plan);
    let Some(width) = secrets.iter().map(|secret| secret.name.len()).max() else {
        return left_out(resolved).map_or_else(String::new, |line| format!("\n  {line}\n"));
    };
    let lines = secrets.iter().map(|secret| {
        let words = hanging(&what(secret), width + 6);
        let (mark, name) = (mark(secret.action()), secret.name);
        format!("  {mark} {name:<width$}  {words}\n")
    });
    let lines: String = lines.collect();
    format!("\n  Secrets in the cluster:\n{lines}")
}

/// What a run without the cluster leaves alone.
pub(crate) fn left_out(resolved: &Resolved) -> Option<String> {
    let targets = resolved.targets.iter();
    let secrets = targets.filter(|target| target.is_delivered()).count();
    let values = resolved.order.iter();
    let values = values.filter(|id| resolved.is_kept_nowhere(id)).count();
    if resolved.cluster.is_some() || secrets + values == 0 {
        return None;
    }
    let secrets = (secrets > 0).then(|| count(secrets, "Secret", "Secrets"));
    let values = (values > 0).then(|| {
        let values = count(values, "value", "values");
        format!("{values} kept in no backend")
    });
    let parts: Vec<String> = secrets.into_iter().chain(values).collect();
    Some(format!(
        "Left out without `--cluster`: {}.",
        parts.join(", ")
    ))
}

/// What becomes of a Secret, and why.
pub(super) fn what(secret: &SecretStep<'_>) -> String {
    match secret.action() {
        Action::Create if secret.is_added_to() => {
            format!("lacks {}", secret.written().join(", "))
        }
        Action::Create => secret.written().join(", "),
        Action::Keep => "exists".to_owned(),
        Action::Blocked(Blocked::State(State::Disabled { reason })) => reason.clone(),
        Action::Ask
        | Action::Blocked(_)
        | Action::Minted { .. }
        | Action::NotNeeded(_)
        | Action::NotSelected { .. }
        | Action::Optional
        | Action::Wait { .. } => secret.foremost().map(words).unwrap_or_default(),
    }
}

/// The Secrets that a run is about.
pub(super) fn selected(plan: &Plan) -> Vec<SecretStep<'_>> {
    let mut secrets = plan.secrets();
    secrets.retain(|secret| !matches!(secret.action(), Action::NotSelected { .. }));
    secrets
}

/// The Secrets for programs, each with its keys.
pub(super) fn json(plan: &Plan) -> Vec<Value> {
    let secret = |secret: &SecretStep<'_>| {
        let keys = secret.keys.iter().map(|step| {
            let mut key = Map::new();
            let field = step.id.field.as_ref().map(ToString::to_string);
            key.insert("key".to_owned(), json!(field));
            let state = step.state.as_ref().map(State::as_str);
            key.insert("state".to_owned(), json!(state));
            key.insert("action".to_owned(), json!(step.action.as_str()));
            for (name, value) in reasons(&step.action) {
                key.insert(name.to_owned(), value);
            }
            Value::Object(key)
        });
        json!({
            "secret": secret.name,
            "action": secret.action().as_str(),
            "keys": keys.collect::<Vec<_>>(),
        })
    };
    plan.secrets().iter().map(secret).collect()
}
