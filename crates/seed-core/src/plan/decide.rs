//! The decisions, one value after the other, sources first.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Action, Blocked, Plan, State, Step};
use super::units;
use crate::inventory::{Inventory, Presence, Shape, Version};
use crate::name::ValueId;
use crate::resolve::{
    Activity, Availability, Place, Resolved, ResolvedEntry, ResolvedRotate, ResolvedSource,
    ResolvedText, ResolvedValue, Tree,
};

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What is wanted.
    pub resolved: &'a Resolved,
    /// What was seen, by the backend's name. A backend that is missing here was not reached.
    pub inventories: &'a BTreeMap<String, Inventory>,
    /// Values that a person gave.
    pub given: &'a BTreeSet<ValueId>,
}

/// Decides what becomes of every value.
pub fn plan(input: Input<'_>) -> Plan {
    let mut decider = Decider::new(input);
    for id in &input.resolved.order {
        if let Some(value) = input.resolved.value(id) {
            let action = decider.action(value);
            decider.actions.insert(id.clone(), action);
        }
    }
    let (writes, reads) = units::writes(&decider);
    let files = files_of(input.resolved);
    let steps = input
        .resolved
        .values()
        .map(|(entry, value)| decider.step(entry, value, &files))
        .collect();
    Plan {
        steps,
        writes,
        reads,
    }
}

pub(super) struct Decider<'a> {
    pub(super) input: Input<'a>,
    states: BTreeMap<ValueId, State>,
    pub(super) versions: BTreeMap<ValueId, Version>,
    pub(super) actions: BTreeMap<ValueId, Action>,
    /// What is made from a value, directly.
    made_from: BTreeMap<ValueId, Vec<ValueId>>,
    /// The members of a value's group, itself left out.
    groups: BTreeMap<ValueId, BTreeSet<ValueId>>,
    /// The contract's order, sources first.
    pub(super) position: BTreeMap<ValueId, usize>,
}

impl<'a> Decider<'a> {
    fn new(input: Input<'a>) -> Self {
        let mut made_from: BTreeMap<ValueId, Vec<ValueId>> = BTreeMap::new();
        let (mut states, mut versions) = (BTreeMap::new(), BTreeMap::new());
        for (entry, value) in input
            .resolved
            .values()
            .filter(|(_, value)| value.activity.is_active())
        {
            for source in value.reads() {
                made_from
                    .entry(source.clone())
                    .or_default()
                    .push(value.id.clone());
            }
            let (state, version) = state_of(input, entry, value);
            states.insert(value.id.clone(), state);
            versions.extend(version.map(|version| (value.id.clone(), version)));
        }
        let position = input
            .resolved
            .order
            .iter()
            .enumerate()
            .map(|(at, id)| (id.clone(), at))
            .collect();
        let groups = groups(input.resolved);
        Self {
            input,
            states,
            versions,
            actions: BTreeMap::new(),
            made_from,
            groups,
            position,
        }
    }

    fn state(&self, id: &ValueId) -> State {
        self.states.get(id).cloned().unwrap_or(State::Unknown {
            reason: "nobody looked".to_owned(),
        })
    }

    pub(super) fn group(&self, id: &ValueId) -> impl Iterator<Item = &ValueId> {
        self.groups.get(id).into_iter().flatten()
    }

    fn action(&self, value: &ResolvedValue) -> Action {
        if let Some(why) = self.kept_nowhere(&value.id) {
            return Action::NotNeeded(why);
        }
        let state = self.state(&value.id);
        let source = value.source.as_ref();
        if state.is_there() {
            return match source {
                Some(ResolvedSource::Forbidden(why)) => {
                    Action::Blocked(Blocked::Forbidden(why.clone()))
                }
                _ => Action::Keep,
            };
        }
        if !state.is_free() {
            return Action::Blocked(Blocked::State(state));
        }
        match source {
            Some(ResolvedSource::Forbidden(_)) => {
                Action::NotNeeded("it must not exist, and does not".to_owned())
            }
            Some(ResolvedSource::Mint { by }) => Action::Minted { by: by.clone() },
            Some(source) => self
                .half_pair(value)
                .map_or_else(|| self.make(value, source), Action::Blocked),
            None => Action::NotNeeded("it has no source".to_owned()),
        }
    }

    fn kept_nowhere(&self, id: &ValueId) -> Option<String> {
        let entry = self.input.resolved.entries.get(&id.entry)?;
        matches!(entry.place, Some(Place::Nowhere))
            .then(|| "kept in no backend, only in the cluster".to_owned())
    }

    /// What forbids to make a value that is absent: things that were made from it, or belong with it, are stored.
    fn half_pair(&self, value: &ResolvedValue) -> Option<Blocked> {
        let stored = self.stored_descendants(&value.id);
        if !stored.is_empty() {
            return Some(Blocked::HalfPair { stored });
        }
        let own = self.position.get(&value.id);
        let later =
            |member: &&ValueId| !self.state(member).is_free() && self.position.get(*member) > own;
        let stored: Vec<ValueId> = self.group(&value.id).filter(later).cloned().collect();
        (!stored.is_empty()).then_some(Blocked::Group { stored })
    }

    /// Values made from this one, directly or not, that are stored or may be.
    fn stored_descendants(&self, id: &ValueId) -> Vec<ValueId> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&ValueId> = vec![id];
        while let Some(id) = open.pop() {
            for made in self.made_from.get(id).into_iter().flatten() {
                if seen.insert(made) {
                    open.push(made);
                }
            }
        }
        let mut stored: Vec<ValueId> = seen
            .into_iter()
            .filter(|id| !self.state(id).is_free())
            .cloned()
            .collect();
        stored.sort_by_key(|id| self.position.get(id).copied());
        stored
    }

    fn make(&self, value: &ResolvedValue, source: &ResolvedSource) -> Action {
        match source {
            ResolvedSource::Provide(_) if self.input.given.contains(&value.id) => Action::Create,
            ResolvedSource::Provide(_) if value.optional => Action::Optional,
            ResolvedSource::Provide(_) => Action::Ask,
            ResolvedSource::Generate { .. } | ResolvedSource::Value(_) => Action::Create,
            ResolvedSource::Derive { of, .. } => self.made_of(&[of]),
            ResolvedSource::Compose(text) => self.compose(text),
            ResolvedSource::Mint { by } => Action::Minted { by: by.clone() },
            ResolvedSource::Forbidden(why) => Action::NotNeeded(why.clone()),
        }
    }

    fn compose(&self, text: &ResolvedText) -> Action {
        match text.choose(&self.available(text)) {
            Ok(chosen) => self.made_of(&chosen.values().collect::<Vec<_>>()),
            Err(missing) => Action::Wait {
                on: vec![missing],
                optional: true,
            },
        }
    }

    /// Which values of a text will be there when this plan is carried out.
    pub(super) fn available(&self, text: &ResolvedText) -> Availability {
        let there =
            |id: &&ValueId| matches!(self.actions.get(*id), Some(Action::Keep | Action::Create));
        text.values().filter(there).cloned().collect()
    }

    fn made_of(&self, sources: &[&ValueId]) -> Action {
        let mut waits = Vec::new();
        let mut optional = true;
        for source in sources {
            match self.actions.get(*source) {
                Some(Action::Keep | Action::Create) => {}
                Some(
                    Action::Ask
                    | Action::Minted { .. }
                    | Action::Wait {
                        optional: false, ..
                    },
                ) => {
                    waits.push((*source).clone());
                    optional = false;
                }
                Some(Action::Optional | Action::Wait { optional: true, .. }) => {
                    waits.push((*source).clone());
                }
                Some(Action::Blocked(_) | Action::NotNeeded(_)) | None => {
                    return Action::Blocked(Blocked::Source((*source).clone()));
                }
            }
        }
        if waits.is_empty() {
            Action::Create
        } else {
            Action::Wait {
                on: waits,
                optional,
            }
        }
    }

    fn step(
        &self,
        entry: &ResolvedEntry,
        value: &ResolvedValue,
        files: &BTreeMap<ValueId, Vec<String>>,
    ) -> Step {
        let action = match &value.activity {
            Activity::Inactive(why) => Action::NotNeeded(why.clone()),
            Activity::Active => self
                .actions
                .get(&value.id)
                .cloned()
                .unwrap_or(Action::Blocked(Blocked::State(State::Unknown {
                    reason: "nobody looked".to_owned(),
                }))),
        };
        let (backend, name) = match &entry.place {
            Some(Place::Backend { backend, name, .. }) => {
                (Some(backend.clone()), Some(name.clone()))
            }
            Some(Place::Nowhere) | None => (None, None),
        };
        Step {
            id: value.id.clone(),
            backend,
            name,
            state: self.states.get(&value.id).cloned(),
            action,
            source: describe(value),
            description: value
                .description
                .clone()
                .or_else(|| entry.description.clone()),
            files: files.get(&value.id).cloned().unwrap_or_default(),
        }
    }
}

fn state_of(
    input: Input<'_>,
    entry: &ResolvedEntry,
    value: &ResolvedValue,
) -> (State, Option<Version>) {
    let unknown = |reason: &str| {
        (
            State::Unknown {
                reason: reason.to_owned(),
            },
            None,
        )
    };
    let Some(Place::Backend {
        backend,
        kind,
        name,
    }) = &entry.place
    else {
        return (State::Absent, None);
    };
    let Some(inventory) = input.inventories.get(backend) else {
        return unknown("the backend was not reached");
    };
    match inventory.get(name) {
        None => unknown("the backend gave no answer for this name"),
        Some(Presence::Absent) => (State::Absent, None),
        Some(Presence::Empty { .. }) => (State::Empty, None),
        Some(Presence::Exists) => (State::Exists, None),
        Some(Presence::Deleted { until }) => (
            State::Deleted {
                until: until.clone(),
            },
            None,
        ),
        Some(Presence::Disabled { reason }) => (
            State::Disabled {
                reason: reason.clone(),
            },
            None,
        ),
        Some(Presence::Hidden { reason }) => (
            State::Hidden {
                reason: reason.clone(),
            },
            None,
        ),
        Some(Presence::Unknown { reason }) => (
            State::Unknown {
                reason: reason.clone(),
            },
            None,
        ),
        Some(Presence::Present { version, shape }) => {
            let field = value
                .id
                .field
                .as_ref()
                .or(kind.is_map().then_some(&entry.value_key));
            (
                present(entry.has_fields, field, shape),
                Some(version.clone()),
            )
        }
    }
}

fn present(has_fields: bool, field: Option<&crate::name::FieldName>, shape: &Shape) -> State {
    match (field, shape) {
        (None, Shape::Single | Shape::NotRead) => State::Present,
        (None, Shape::Fields(_)) => State::WrongShape {
            found: "several fields are stored, and one value is declared".to_owned(),
        },
        (Some(field), Shape::Fields(names)) if names.contains(field.as_str()) => State::Present,
        (Some(_), Shape::Fields(_)) if has_fields => State::Absent,
        (Some(field), Shape::Fields(_)) => State::WrongShape {
            found: format!("the stored map has no `{field}`, where the value is expected"),
        },
        (Some(_), Shape::Single) => State::WrongShape {
            found: "one value is stored, and several fields are declared".to_owned(),
        },
        (Some(_), Shape::NotRead) => State::Unknown {
            reason: "its fields were not looked into".to_owned(),
        },
    }
}

/// `with` is symmetric: everything that is connected is one group.
fn groups(resolved: &Resolved) -> BTreeMap<ValueId, BTreeSet<ValueId>> {
    let mut links: BTreeMap<&ValueId, Vec<&ValueId>> = BTreeMap::new();
    for (_, value) in resolved
        .values()
        .filter(|(_, value)| value.activity.is_active())
    {
        if let ResolvedRotate::With(members) = &value.rotate {
            for member in members {
                links.entry(&value.id).or_default().push(member);
                links.entry(member).or_default().push(&value.id);
            }
        }
    }
    let mut groups = BTreeMap::new();
    for start in links.keys() {
        let mut group: BTreeSet<ValueId> = BTreeSet::new();
        let mut open = vec![*start];
        while let Some(id) = open.pop() {
            if group.insert(id.clone()) {
                open.extend(links.get(id).into_iter().flatten());
            }
        }
        group.remove(*start);
        groups.insert((*start).clone(), group);
    }
    groups
}

fn files_of(resolved: &Resolved) -> BTreeMap<ValueId, Vec<String>> {
    let mut files: BTreeMap<ValueId, Vec<String>> = BTreeMap::new();
    for file in &resolved.files {
        file.tree.each_text(&mut |text| {
            for id in text.values() {
                let paths = files.entry(id.clone()).or_default();
                if !paths.contains(&file.path) {
                    paths.push(file.path.clone());
                }
            }
        });
    }
    files
}

/// Where a value comes from, in a few words.
fn describe(value: &ResolvedValue) -> String {
    let affixes = |text: String| {
        let prefix = if value.prefix.is_empty() {
            String::new()
        } else {
            format!(", prefix {}", value.prefix)
        };
        let suffix = if value.suffix.is_empty() {
            String::new()
        } else {
            format!(", suffix {}", value.suffix)
        };
        format!("{text}{prefix}{suffix}")
    };
    match &value.source {
        None => String::new(),
        Some(ResolvedSource::Generate { recipe, .. }) => affixes(recipe.summary()),
        Some(ResolvedSource::Derive { derivation, of }) => {
            match derivation.summary().split_once(" of ") {
                Some((how, _)) => format!("{how} of {of}"),
                None => derivation.summary(),
            }
        }
        Some(ResolvedSource::Compose(text)) => {
            let mut sources: Vec<String> = text.values().map(ToString::to_string).collect();
            sources.dedup();
            if sources.is_empty() {
                "text".to_owned()
            } else {
                format!("text with {}", sources.join(", "))
            }
        }
        Some(ResolvedSource::Value(_)) => "literal".to_owned(),
        Some(ResolvedSource::Provide(provided)) => match (&provided.how, &provided.url) {
            (Some(how), _) => how.clone(),
            (None, Some(url)) => url.clone(),
            (None, None) => "a value from a person or another system".to_owned(),
        },
        Some(ResolvedSource::Mint { by }) => format!("written later by {by}"),
        Some(ResolvedSource::Forbidden(why)) => format!("must not exist: {why}"),
    }
}

impl Tree {
    /// Calls `visit` for every text of a file.
    pub fn each_text<'t>(&'t self, visit: &mut dyn FnMut(&'t ResolvedText)) {
        match self {
            Self::Text(text) => visit(text),
            Self::Dotenv(variables) => variables.iter().for_each(|(_, text)| visit(text)),
            Self::Json(branch) | Self::Yaml(branch) => branch.each_text(visit),
        }
    }
}
