//! Variables: `SEED_VALUE_…`, and those that the contract suggests.

use seed_core::given::{KeyError, reader_of};
use seed_core::name::ValueId;
use seed_core::resolve::{Provided, Resolved, ResolvedSource, ResolvedValue};

use super::Way;
use super::collector::Collector;
use crate::child;
use crate::env::Environment;
use crate::terminal::Terminal;

/// Before the variable name of a key.
const PREFIX: &str = "SEED_VALUE_";

/// Takes every `SEED_VALUE_…`. The names are looked at first: a value that is not asked for is not read.
pub(super) fn take(collector: &mut Collector<'_>, terminal: Terminal) {
    for name in Environment::names_with(PREFIX) {
        let key = name.strip_prefix(PREFIX).unwrap_or_default();
        match collector.keys.by_variable(key) {
            Ok(id) => take_one(collector, id, Way::Variable(name.clone()), &name),
            Err(KeyError::Unknown { near }) => {
                let near = near.map_or_else(String::new, |near| {
                    format!("; did you mean `{PREFIX}{near}`?")
                });
                terminal.note(&format!(
                    "warning: `{name}` is set, and the contract has no key of this name{near}"
                ));
            }
            Err(err) => collector.refuse(format!("${name}: {err}")),
        }
    }
}

/// Takes what `--from-env` names.
pub(super) fn take_named(collector: &mut Collector<'_>, keys: &[String], terminal: Terminal) {
    for key in keys {
        if key == "all" {
            take_all(collector, terminal);
        } else {
            take_key(collector, key);
        }
    }
}

/// The variable that the contract suggests for a value, when it may be taken.
pub(crate) fn suggested<'v>(resolved: &Resolved, value: &'v ResolvedValue) -> Option<&'v str> {
    let name = provided(value)?.env.as_deref()?;
    reader(resolved, name).is_none().then_some(name)
}

/// The names of variables that hold given values, or may: no program that a client of a backend runs is to see them.
///
/// `named` is one that the command line names.
pub(crate) fn variables_with_values(resolved: &Resolved, named: Option<&str>) -> Vec<String> {
    let values = resolved.values();
    let suggested = values.filter_map(|(_, value)| suggested(resolved, value));
    let mut names = Environment::names_with(PREFIX);
    names.extend(suggested.chain(named).map(str::to_owned));
    names.sort();
    names.dedup();
    names
}

fn take_all(collector: &mut Collector<'_>, terminal: Terminal) {
    let resolved = collector.resolved;
    let mut none = true;
    for (_, value) in resolved.values() {
        let Some(name) = provided(value).and_then(|provided| provided.env.as_deref()) else {
            continue;
        };
        // Services that run other programs set variables to nothing where they have no value.
        if Environment::is_set(name) {
            none = false;
            take_variable(collector, value, name);
        }
    }
    if none {
        terminal.note("no variable that the contract suggests is set");
    }
}

fn take_key(collector: &mut Collector<'_>, key: &str) {
    let id = match collector.keys.by_key(key) {
        Ok(id) => id,
        Err(err) => return collector.refuse(format!("`--from-env {key}`: {err}")),
    };
    let Some(value) = collector.resolved.value(&id) else {
        return;
    };
    if !value.activity.is_active() {
        // Its parameters are not worked out, and it is needed by nobody.
        return collector.refuse(format!("`--from-env {key}`: the key is not needed here"));
    }
    let Some(name) = provided(value).and_then(|provided| provided.env.as_deref()) else {
        collector.refuse(format!(
            "`--from-env {key}`: the contract suggests no variable for it (`provide.env`)"
        ));
        return collector.hint(format!("set `{PREFIX}{}` instead", id.variable()));
    };
    if Environment::exists(name) {
        take_variable(collector, value, name);
    } else {
        collector.refuse(format!(
            "`--from-env {key}`: the variable `{name}` is not set"
        ));
    }
}

fn take_variable(collector: &mut Collector<'_>, value: &ResolvedValue, name: &str) {
    let id = value.id.clone();
    match reader(collector.resolved, name) {
        Some(reader) => collector.refuse(format!(
            "`--from-env`: the variable `{name}`, suggested for `{id}`, is what {reader} reads for itself, so it is not taken for a value"
        )),
        None => take_one(collector, id, Way::FromEnv(name.to_owned()), name),
    }
}

fn take_one(collector: &mut Collector<'_>, id: ValueId, way: Way, name: &str) {
    match Environment::secret(name) {
        Some(value) if value.is_empty() => {
            collector.refuse(format!("`{id}` is given in {way}, but that is empty"));
        }
        Some(value) => collector.take(id, way, value),
        None => {}
    }
}

/// Who reads a variable for itself.
pub(crate) fn reader(resolved: &Resolved, name: &str) -> Option<&'static str> {
    reader_of(resolved, name).or_else(|| child::passes(name).then_some("git"))
}

pub(super) fn provided(value: &ResolvedValue) -> Option<&Provided> {
    match &value.source {
        Some(
            ResolvedSource::Generate {
                provide: Some(provided),
                ..
            }
            | ResolvedSource::Provide(provided),
        ) => Some(provided),
        Some(
            ResolvedSource::Compose(_)
            | ResolvedSource::Derive { .. }
            | ResolvedSource::Forbidden(_)
            | ResolvedSource::Generate { provide: None, .. }
            | ResolvedSource::Mint { .. }
            | ResolvedSource::Value(_),
        )
        | None => None,
    }
}
