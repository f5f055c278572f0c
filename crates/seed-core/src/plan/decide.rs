//! The decisions, one value after the other, sources first.

use std::collections::{BTreeMap, BTreeSet};

use super::bonds::Bonds;
use super::model::{Action, Blocked, Plan, State, Step};
use super::units;
use crate::inventory::{Inventory, Presence, Shape, Version};
use crate::name::ValueId;
use crate::resolve::{
    Activity, Alternative, Availability, Place, Resolved, ResolvedEntry, ResolvedPart,
    ResolvedSource, ResolvedText, ResolvedValue, Tree,
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
            decider.decide(id, action);
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
    pub(super) bonds: Bonds,
    /// For each group, its first member so far that somebody has to act on.
    open_members: BTreeMap<usize, ValueId>,
    /// The contract's order, sources first.
    pub(super) position: BTreeMap<ValueId, usize>,
}

impl<'a> Decider<'a> {
    fn new(input: Input<'a>) -> Self {
        let (mut states, mut versions) = (BTreeMap::new(), BTreeMap::new());
        let active = |(_, value): &(&ResolvedEntry, &ResolvedValue)| value.activity.is_active();
        for (entry, value) in input.resolved.values().filter(active) {
            let (state, version) = state_of(input, entry, value);
            states.insert(value.id.clone(), state);
            versions.extend(version.map(|version| (value.id.clone(), version)));
        }
        let order = input.resolved.order.iter().enumerate();
        let position = order.map(|(at, id)| (id.clone(), at)).collect();
        let bonds = Bonds::new(input.resolved, |id| is_free(&states, id));
        Self {
            input,
            states,
            versions,
            actions: BTreeMap::new(),
            bonds,
            open_members: BTreeMap::new(),
            position,
        }
    }

    /// Records what is done with a value. Values are decided in the order in which they are made.
    fn decide(&mut self, id: &ValueId, action: Action) {
        // Optional and minted values never hold others up.
        let holds_up = matches!(
            action,
            Action::Ask | Action::Blocked(_) | Action::Wait { .. }
        );
        if let Some(group) = self.bonds.group(id).filter(|_| holds_up) {
            self.open_members.entry(group).or_insert_with(|| id.clone());
        }
        self.actions.insert(id.clone(), action);
    }

    fn state(&self, id: &ValueId) -> State {
        self.states.get(id).cloned().unwrap_or(State::Unknown {
            reason: "nobody looked".to_owned(),
        })
    }

    fn action(&self, value: &ResolvedValue) -> Action {
        if let Some(why) = self.kept_nowhere(&value.id) {
            return Action::NotNeeded(why);
        }
        let state = self.state(&value.id);
        let source = value.source.as_ref();
        if let Some(ResolvedSource::Forbidden(why)) = source {
            return forbidden(why, state);
        }
        if state.is_there() {
            return Action::Keep;
        }
        if !state.is_free() && !self.may_stay_deleted(value, &state) {
            return Action::Blocked(Blocked::State(state));
        }
        match source {
            Some(ResolvedSource::Mint { by }) => Action::Minted { by: by.clone() },
            // What nobody gives is not made, so it breaks no pair.
            Some(ResolvedSource::Provide(_)) if value.optional && !self.is_given(value) => {
                Action::Optional
            }
            Some(source) => self
                .half_pair(value)
                .map(Action::Blocked)
                .or_else(|| self.earlier_member(value))
                .unwrap_or_else(|| self.make(value, source)),
            None => Action::NotNeeded("it has no source".to_owned()),
        }
    }

    /// What may be absent, and what somebody else writes, may be deleted as well.
    fn may_stay_deleted(&self, value: &ResolvedValue, state: &State) -> bool {
        let deleted = matches!(state, State::Deleted { .. });
        deleted
            && match &value.source {
                Some(ResolvedSource::Mint { .. }) => true,
                Some(ResolvedSource::Provide(_)) => value.optional && !self.is_given(value),
                _ => false,
            }
    }

    fn kept_nowhere(&self, id: &ValueId) -> Option<String> {
        let entry = self.input.resolved.entries.get(&id.entry)?;
        matches!(entry.place, Some(Place::Nowhere))
            .then(|| "kept in no backend, only in the cluster".to_owned())
    }

    fn is_given(&self, value: &ResolvedValue) -> bool {
        self.input.given.contains(&value.id)
    }

    /// What forbids to make a value that is absent: things that were made from it, or belong with it, are stored.
    fn half_pair(&self, value: &ResolvedValue) -> Option<Blocked> {
        let stored = self
            .bonds
            .stored_below(&value.id, |id| is_free(&self.states, id));
        let (unsure, certain): (Vec<ValueId>, Vec<ValueId>) =
            stored.into_iter().partition(|id| self.is_unsure(id));
        if !certain.is_empty() {
            return Some(Blocked::HalfPair { stored: certain });
        }
        // Nobody can be told to remove what nobody could see.
        if let Some(unsure) = unsure.into_iter().next() {
            return Some(Blocked::Source(unsure));
        }
        let own = self.position.get(&value.id)?;
        let later = self.bonds.stored_after(&value.id, *own)?;
        Some(if self.is_unsure(&later) {
            Blocked::Source(later)
        } else {
            Blocked::Group {
                stored: vec![later],
            }
        })
    }

    fn is_unsure(&self, id: &ValueId) -> bool {
        matches!(self.state(id), State::Hidden { .. } | State::Unknown { .. })
    }

    /// A member of a group is made only once those before it are: otherwise they could never be.
    fn earlier_member(&self, value: &ResolvedValue) -> Option<Action> {
        let earlier = self.open_members.get(&self.bonds.group(&value.id)?)?;
        Some(self.made_of(&[earlier]))
    }

    fn make(&self, value: &ResolvedValue, source: &ResolvedSource) -> Action {
        match source {
            ResolvedSource::Provide(_) if self.is_given(value) => Action::Create,
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
        if let Some(unsure) = self.unsure_alternative(text) {
            return Action::Blocked(Blocked::Source(unsure));
        }
        match text.choose(&self.available(text)) {
            Ok(chosen) => self.made_of(&chosen.values().collect::<Vec<_>>()),
            Err(missing) => Action::Wait {
                on: vec![missing],
                optional: true,
            },
        }
    }

    /// An optional value of which nobody knows whether it is there, and before which nothing else can be taken: what is
    /// written instead of it would stay.
    fn unsure_alternative(&self, text: &ResolvedText) -> Option<ValueId> {
        text.parts().iter().find_map(|part| {
            let ResolvedPart::Value { alternatives, .. } = part else {
                return None;
            };
            let mut ids = alternatives.iter().map_while(Alternative::value);
            let first = ids.find(|id| !self.is_known_missing(id))?;
            matches!(self.actions.get(first), Some(Action::Blocked(_))).then(|| first.clone())
        })
    }

    fn is_known_missing(&self, id: &ValueId) -> bool {
        matches!(
            self.actions.get(id),
            Some(
                Action::Optional
                    | Action::Minted { .. }
                    | Action::Wait { .. }
                    | Action::NotNeeded(_)
            )
        )
    }

    /// Which values of a text will be there when this plan is carried out.
    pub(super) fn available(&self, text: &ResolvedText) -> Availability {
        let there = |id: &&ValueId| self.actions.get(*id).is_some_and(will_be_there);
        text.values().filter(there).cloned().collect()
    }

    fn made_of(&self, sources: &[&ValueId]) -> Action {
        let mut waits = Vec::new();
        let mut optional = true;
        for source in sources {
            match self.actions.get(*source) {
                Some(action) if will_be_there(action) => {}
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
                Some(Action::Blocked(_) | Action::Create | Action::Keep | Action::NotNeeded(_))
                | None => {
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

/// What must not exist is fine while it is gone, whether or not it could be brought back.
fn forbidden(why: &str, state: State) -> Action {
    match state {
        State::Absent | State::Deleted { .. } | State::Empty => {
            Action::NotNeeded("it must not exist, and does not".to_owned())
        }
        State::Disabled { .. } | State::Exists | State::Present | State::WrongShape { .. } => {
            Action::Blocked(Blocked::Forbidden(why.to_owned()))
        }
        State::Hidden { .. } | State::Unknown { .. } => Action::Blocked(Blocked::State(state)),
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

/// Whether the backend said that a value is not there.
fn is_free(states: &BTreeMap<ValueId, State>, id: &ValueId) -> bool {
    states.get(id).is_some_and(State::is_free)
}

/// Whether a value is there once the plan is carried out.
fn will_be_there(action: &Action) -> bool {
    matches!(action, Action::Create | Action::Keep)
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
