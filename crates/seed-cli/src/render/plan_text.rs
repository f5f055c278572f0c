//! A plan for people.

use seed_core::backend::Description;
use seed_core::plan::{Action, Plan, State, Step, Summary};
use seed_core::resolve::{Resolved, ResolvedSource};

use super::secrets;
use super::words::{hanging, sentence};
use crate::given;

/// Who writes where, and from which contract.
pub(crate) fn title(
    resolved: &Resolved,
    contract: &str,
    places: &[(String, Description)],
) -> String {
    let mut parts = vec![resolved.contract.clone()];
    parts.extend(resolved.env.as_ref().map(|env| format!("env {env}")));
    for (_, place) in places {
        let identity = place
            .identity
            .as_ref()
            .map_or_else(String::new, |identity| format!(", as {identity}"));
        parts.push(format!("{}, {}{identity}", place.kind, place.place));
    }
    title_of(&parts, contract)
}

/// The title of a plan for which no backend was asked.
pub(crate) fn title_offline(resolved: &Resolved, contract: &str) -> String {
    let mut parts = vec![resolved.contract.clone()];
    parts.extend(resolved.env.as_ref().map(|env| format!("env {env}")));
    parts.push("offline, as if nothing existed yet".to_owned());
    title_of(&parts, contract)
}

/// How sure it is that nothing is overwritten: a line for each kind of backend.
pub(crate) fn guarantees(places: &[(String, Description)]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (_, place) in places {
        let sure = place.capabilities.create;
        let (word, promise, limit) = (sure.as_str(), sure.promise(), sure.limit());
        let line = format!(
            "{} is {word}: {promise}; not guaranteed: {limit}.\n",
            place.kind
        );
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.concat()
}

fn title_of(parts: &[String], contract: &str) -> String {
    format!("{:<60}  {contract}\n", parts.join(" · "))
}

/// The whole plan, its summary last. `is_set` tells whether a variable is.
pub(crate) fn plan(resolved: &Resolved, plan: &Plan, is_set: impl Fn(&str) -> bool) -> String {
    let is_selected = |step: &&Step| !matches!(step.action, Action::NotSelected { .. });
    let width = plan
        .values()
        .filter(is_selected)
        .map(|step| step.id.to_string().len())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for step in plan.values().filter(is_selected) {
        text.push_str(&line(resolved, step, width, &is_set));
    }
    text.push_str(&secrets::text(resolved, plan));
    text.push_str(&made_by_others(resolved));
    text.push('\n');
    text.push_str(&summary(plan.summary()));
    text
}

/// The Secrets that somebody else makes, and who.
pub(super) fn made_by(resolved: &Resolved) -> Vec<(String, &str)> {
    resolved
        .targets
        .iter()
        .filter(|target| target.activity.is_active())
        .filter_map(|target| {
            Some((
                format!("{}/{}", target.namespace, target.secret),
                target.made_by.as_deref()?,
            ))
        })
        .collect()
}

/// The Secrets that somebody else makes.
pub(crate) fn made_by_others(resolved: &Resolved) -> String {
    let others = made_by(resolved);
    let width = others
        .iter()
        .map(|(secret, _)| secret.len())
        .max()
        .unwrap_or_default();
    let lines: String = others
        .iter()
        .map(|(secret, by)| {
            let by = hanging(by, width + 6);
            format!("    {secret:<width$}  made by {by}\n")
        })
        .collect();
    if lines.is_empty() {
        lines
    } else {
        format!("\n  Secrets that somebody else makes:\n{lines}")
    }
}

fn line(resolved: &Resolved, step: &Step, width: usize, is_set: &impl Fn(&str) -> bool) -> String {
    let id = step.id.to_string();
    let words = hanging(&words(step), width + 6);
    let text = format!("  {} {id:<width$}  {words}", mark(&step.action));
    let copies: String = step
        .files
        .iter()
        .filter(|_| matches!(step.action, Action::Create))
        .map(|file| format!("  (copy in {file})"))
        .collect();
    let mut lines = format!("{}{copies}\n", text.trim_end());
    if let Action::Ask = step.action {
        for more in where_from(resolved, step, is_set) {
            lines.push_str(&format!("    {:<width$}  {more}\n", ""));
        }
    }
    lines
}

pub(super) fn mark(action: &Action) -> char {
    match action {
        Action::Ask => '?',
        Action::Blocked(_) => '!',
        Action::Create => '+',
        Action::Keep => '=',
        Action::Minted { .. } => '~',
        Action::NotNeeded(_) | Action::NotSelected { .. } => '-',
        Action::Optional => '.',
        Action::Wait { .. } => '>',
    }
}

/// What is done with a value, and why.
pub(super) fn words(step: &Step) -> String {
    match &step.action {
        Action::Ask => format!("you provide: {}", step.source),
        Action::Blocked(why) => why.to_string(),
        Action::Create => match step.state {
            // Somebody made a place for it, or a run was cut off before the value.
            Some(State::Empty) => format!("{}; its name is there, without a value", step.source),
            Some(_) | None => step.source.clone(),
        },
        Action::Keep => step
            .state
            .as_ref()
            .map_or_else(|| "exists".to_owned(), State::to_string),
        Action::Minted { by } => format!("written later by {by}"),
        Action::NotNeeded(why) => format!("not needed: {why}"),
        Action::NotSelected { .. } => "not selected".to_owned(),
        Action::Optional => format!("optional: {}", step.source),
        Action::Wait { on, .. } => {
            let on: Vec<String> = on.iter().map(ToString::to_string).collect();
            format!("waits for {}", on.join(", "))
        }
    }
}

/// Where a person gets a value, beside the words of the contract.
fn where_from(resolved: &Resolved, step: &Step, is_set: &impl Fn(&str) -> bool) -> Vec<String> {
    let Some(value) = resolved.value(&step.id) else {
        return Vec::new();
    };
    let Some(ResolvedSource::Provide(provided)) = &value.source else {
        return Vec::new();
    };
    let url = provided.url.clone().filter(|url| *url != step.source);
    let variable = given::suggested(resolved, value)
        .filter(|name| is_set(name))
        .map(|name| {
            format!(
                "seed set {id}, or --from-env {id} (${name} is set)",
                id = step.id
            )
        });
    [url, variable].into_iter().flatten().collect()
}

pub(super) fn summary(summary: Summary) -> String {
    let parts = sentence(&[
        (summary.create, "to create"),
        (summary.ask, "for you to provide"),
        (summary.wait, "waiting"),
        (summary.blocked, "blocked"),
        (
            summary.keep,
            if summary.keep == 1 { "exists" } else { "exist" },
        ),
        (summary.minted, "written later"),
        (summary.optional, "optional"),
        (summary.not_needed, "not needed"),
        (summary.not_selected, "not selected"),
    ]);
    match parts {
        None => "Plan: the contract has no secrets.\n".to_owned(),
        Some(parts) if summary.create + summary.ask + summary.wait + summary.blocked == 0 => {
            format!("Plan: no changes; {parts}.\n")
        }
        Some(parts) => format!("Plan: {parts}.\n"),
    }
}
