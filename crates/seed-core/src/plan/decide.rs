//! The decisions, one value after the other, sources first.

use std::collections::{BTreeMap, BTreeSet};

use super::bonds::Bonds;
use super::describe::{describe, files_of};
use super::findings::{Findings, Proof};
use super::model::{Action, Blocked, Plan, State, Step};
use super::seen::state_of;
use super::selection::Selection;
use super::{units, whole};
use crate::inventory::{Inventory, Version};
use crate::name::ValueId;
use crate::resolve::{
    Activity, Alternative, Availability, Place, Resolved, ResolvedEntry, ResolvedPart,
    ResolvedSource, ResolvedText, ResolvedValue,
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
    /// Values that the run is about.
    pub selection: &'a Selection,
    /// What was learnt by looking at values themselves.
    pub findings: &'a Findings,
}

static ALL: Selection = Selection::ALL;

impl<'a> Input<'a> {
    /// What a plan for every value is made from.
    pub fn new(
        resolved: &'a Resolved,
        inventories: &'a BTreeMap<String, Inventory>,
        given: &'a BTreeSet<ValueId>,
    ) -> Self {
        Self {
            resolved,
            inventories,
            given,
            selection: &ALL,
            findings: Findings::none(),
        }
    }

    /// Makes the plan be about these values only.
    #[must_use]
    pub fn selecting(self, selection: &'a Selection) -> Self {
        Self { selection, ..self }
    }

    /// Makes the plan from what was learnt by looking at values themselves, too.
    #[must_use]
    pub fn knowing(self, findings: &'a Findings) -> Self {
        Self { findings, ..self }
    }
}

/// Decides what becomes of every value.
pub fn plan(input: Input<'_>) -> Plan {
    let mut held = BTreeMap::new();
    let (decider, writes, reads) = loop {
        let decider = Decider::decided(input, &held);
        let (writes, reads) = units::writes(&decider);
        // What is held may hold others. Each round holds more, and nothing is let go.
        match whole::held(&decider, &writes) {
            more if more.is_empty() => break (decider, writes, reads),
            more => held.extend(more),
        }
    };
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
    /// What would become of values that the run is not about.
    unselected: BTreeMap<ValueId, Action>,
    pub(super) bonds: Bonds,
    /// For each group, its first member so far that somebody has to act on.
    open_members: BTreeMap<usize, ValueId>,
    /// The contract's order, sources first.
    pub(super) position: BTreeMap<ValueId, usize>,
}

impl<'a> Decider<'a> {
    /// Decides for all values. Those that are `held` are not made, whatever else speaks for it.
    fn decided(input: Input<'a>, held: &BTreeMap<ValueId, Action>) -> Self {
        let mut decider = Self::new(input);
        for id in &input.resolved.order {
            if let Some(value) = input.resolved.value(id) {
                let action = decider.action(value);
                decider.decide(id, held.get(id).cloned().unwrap_or(action));
            }
        }
        decider
    }

    fn new(input: Input<'a>) -> Self {
        let (mut states, mut versions) = (BTreeMap::new(), BTreeMap::new());
        let active = |(_, value): &(&ResolvedEntry, &ResolvedValue)| value.activity.is_active();
        for (entry, value) in input.resolved.values().filter(active) {
            let (seen, version) = state_of(input, entry, value);
            // A finding is about the version that was seen; where none was, nothing may take its place.
            let found = input.findings.states.get(&value.id);
            let found = found.filter(|_| seen == State::Present);
            let state = found.cloned().unwrap_or(seen);
            states.insert(value.id.clone(), state);
            versions.extend(version.map(|version| (value.id.clone(), version)));
        }
        let order = input.resolved.order.iter().enumerate();
        let position = order.map(|(at, id)| (id.clone(), at)).collect();
        let bonds = Bonds::new(input.resolved, |id| is_free(input, &states, id));
        Self {
            input,
            states,
            versions,
            actions: BTreeMap::new(),
            unselected: BTreeMap::new(),
            bonds,
            open_members: BTreeMap::new(),
            position,
        }
    }

    /// Records what is done with a value. Values are decided in the order in which they are made.
    fn decide(&mut self, id: &ValueId, action: Action) {
        let selected = self.input.selection.has(id);
        // Optional and minted values never hold others up.
        let holds_up = match &action {
            Action::Ask | Action::Blocked(_) | Action::Wait { .. } => true,
            Action::Create => !selected,
            Action::Keep
            | Action::Minted { .. }
            | Action::NotNeeded(_)
            | Action::NotSelected { .. }
            | Action::Optional => false,
        };
        if let Some(group) = self.bonds.group(id).filter(|_| holds_up) {
            self.open_members.entry(group).or_insert_with(|| id.clone());
        }
        if selected {
            let action = self.with_all_withheld(action);
            self.actions.insert(id.clone(), action);
            return;
        }
        let there = action == Action::Keep;
        self.unselected.insert(id.clone(), action);
        self.actions
            .insert(id.clone(), Action::NotSelected { there });
    }

    /// What becomes of a value, or would, if the run were about it.
    fn standing(&self, id: &ValueId) -> Option<&Action> {
        self.unselected.get(id).or_else(|| self.actions.get(id))
    }

    pub(super) fn state(&self, id: &ValueId) -> State {
        self.states.get(id).cloned().unwrap_or(State::Unknown {
            reason: "nobody looked".to_owned(),
        })
    }

    fn action(&self, value: &ResolvedValue) -> Action {
        if self.is_out_of_reach(&value.id) {
            return Action::NotNeeded(OUT_OF_REACH.to_owned());
        }
        let state = self.state(&value.id);
        let source = value.source.as_ref();
        if let Some(ResolvedSource::Forbidden(why)) = source {
            return forbidden(why, state);
        }
        if state.is_there() {
            return Action::Keep;
        }
        if let Some(action) = self.without_keeper(value) {
            return action;
        }
        if !self.input.findings.is_free(&state) && !self.may_stay(value, &state) {
            return Action::Blocked(stands_in_the_way(value, state));
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

    /// What may be absent, and what somebody else writes, may be deleted as well; and that somebody may have put a
    /// placeholder there.
    fn may_stay(&self, value: &ResolvedValue, state: &State) -> bool {
        let deleted = matches!(state, State::Deleted { .. });
        let by_others = matches!(value.source, Some(ResolvedSource::Mint { .. }));
        let by_a_person = matches!(value.source, Some(ResolvedSource::Provide(_)));
        (by_others && (deleted || *state == State::Placeholder))
            || (by_a_person && deleted && value.optional && !self.is_given(value))
    }

    /// What becomes of a value that no backend keeps when it cannot be put into a Secret either.
    fn without_keeper(&self, value: &ResolvedValue) -> Option<Action> {
        let resolved = self.input.resolved;
        let minted = matches!(value.source, Some(ResolvedSource::Mint { .. }));
        if minted || !resolved.is_kept_nowhere(&value.id) {
            return None;
        }
        let keepers = resolved.keepers(&value.id);
        if keepers.is_empty() {
            return Some(Action::Blocked(Blocked::Unkept));
        }
        if keepers.iter().any(|id| self.state(id).is_there()) {
            return None;
        }
        // Of what is in the way, the Secret's own line tells more.
        let hindered = keepers.iter().find(|id| !self.state(id).is_free())?;
        Some(Action::Blocked(Blocked::Source(hindered.clone())))
    }

    /// Whether a value is kept in the cluster only, and the run leaves that alone.
    fn is_out_of_reach(&self, id: &ValueId) -> bool {
        let resolved = self.input.resolved;
        resolved.cluster.is_none() && resolved.is_kept_nowhere(id)
    }

    fn is_given(&self, value: &ResolvedValue) -> bool {
        self.input.given.contains(&value.id)
    }

    /// What forbids to make a value that is absent: things that were made from it, or belong with it, are stored.
    fn half_pair(&self, value: &ResolvedValue) -> Option<Blocked> {
        let stored = self
            .bonds
            .stored_below(&value.id, |id| is_free(self.input, &self.states, id));
        let (unsure, certain): (Vec<ValueId>, Vec<ValueId>) =
            stored.into_iter().partition(|id| self.is_unsure(id));
        if let Some(blocked) = self.unproven(&value.id, certain) {
            return Some(blocked);
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

    /// Stored products forbid to make a value, unless it is given and they were proven to be made from it.
    fn unproven(&self, id: &ValueId, stored: Vec<ValueId>) -> Option<Blocked> {
        let given = self.input.given.contains(id);
        match self.input.findings.proofs.get(id).filter(|_| given) {
            _ if stored.is_empty() => None,
            Some(Proof::Made(proven)) if stored.iter().all(|id| proven.contains(id)) => None,
            Some(Proof::NotMade(product)) => Some(Blocked::NotMade {
                product: product.clone(),
            }),
            Some(Proof::Open { product, reason }) => Some(Blocked::Unproven {
                product: product.clone(),
                reason: reason.clone(),
            }),
            Some(Proof::Made(_)) | None => Some(Blocked::HalfPair { stored }),
        }
    }

    /// Whether nobody knows that a value is stored. Of a Secret that nothing may be written into that is not said.
    fn is_unsure(&self, id: &ValueId) -> bool {
        match self.state(id) {
            State::Hidden { .. } | State::Unknown { .. } => true,
            State::Disabled { .. } => id.entry.as_secret().is_some(),
            State::Absent
            | State::Deleted { .. }
            | State::Drifted { .. }
            | State::Empty
            | State::Exists
            | State::Placeholder
            | State::Present
            | State::WrongShape { .. } => false,
        }
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
        if let Some(blocked) = self.unsure_alternative(text) {
            return Action::Blocked(blocked);
        }
        match text.choose(&self.available(text)) {
            Ok(chosen) => self.made_of(&chosen.values().collect::<Vec<_>>()),
            Err(missing) => Action::Wait {
                on: vec![missing],
                optional: true,
            },
        }
    }

    /// What stands before an optional value of which nobody knows whether it is there, or that this run leaves out,
    /// and before which nothing else can be taken: what is written instead of it would stay.
    fn unsure_alternative(&self, text: &ResolvedText) -> Option<Blocked> {
        text.parts().iter().find_map(|part| {
            let ResolvedPart::Value { alternatives, .. } = part else {
                return None;
            };
            let mut ids = alternatives.iter().map_while(Alternative::value);
            let first = ids.find(|id| !self.is_known_missing(id))?;
            let mut withheld = Withheld::default();
            if self.withhold(first, &mut withheld) {
                return Some(withheld.blocked());
            }
            let blocked = matches!(self.standing(first), Some(Action::Blocked(_)));
            blocked.then(|| Blocked::Source(first.clone()))
        })
    }

    /// Collects a value that is absent only because the run is not about it.
    fn withhold(&self, id: &ValueId, withheld: &mut Withheld) -> bool {
        match self.unselected.get(id) {
            Some(
                Action::Ask
                | Action::Blocked(Blocked::NotSelected { .. })
                | Action::Create
                | Action::Wait {
                    optional: false, ..
                },
            ) => {
                withheld.add(id, self.input.selection.excluded.contains(id));
                true
            }
            Some(
                Action::Blocked(_)
                | Action::Keep
                | Action::Minted { .. }
                | Action::NotNeeded(_)
                | Action::NotSelected { .. }
                | Action::Optional
                | Action::Wait { optional: true, .. },
            )
            | None => false,
        }
    }

    /// Names what a selected value lacks in full, sources first: also what those are made from that the run leaves out.
    /// Values that it is not about keep only their next ones, or a long chain would be repeated at each of its links.
    fn with_all_withheld(&self, action: Action) -> Action {
        let Action::Blocked(Blocked::NotSelected {
            unselected,
            excluded,
        }) = &action
        else {
            return action;
        };
        let mut all = BTreeMap::new();
        let mut open: Vec<&ValueId> = unselected.iter().chain(excluded).collect();
        while let Some(id) = open.pop() {
            if all.insert(self.position.get(id), id).is_some() {
                continue;
            }
            if let Some(Action::Blocked(Blocked::NotSelected {
                unselected,
                excluded,
            })) = self.unselected.get(id)
            {
                open.extend(unselected.iter().chain(excluded));
            }
        }
        let mut withheld = Withheld::default();
        for id in all.into_values() {
            withheld.add(id, self.input.selection.excluded.contains(id));
        }
        Action::Blocked(withheld.blocked())
    }

    fn is_known_missing(&self, id: &ValueId) -> bool {
        matches!(
            self.standing(id),
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
        let there = |id: &&ValueId| self.actions.get(*id).is_some_and(Action::will_be_there);
        text.values().filter(there).cloned().collect()
    }

    fn made_of(&self, sources: &[&ValueId]) -> Action {
        let mut waits = Vec::new();
        let mut optional = true;
        let mut withheld = Withheld::default();
        for source in sources {
            if self.will_be_there(source) || self.withhold(source, &mut withheld) {
                continue;
            }
            if self.is_out_of_reach(source) {
                // Nobody has to act: it is there, or made, when a run looks at the cluster too.
                waits.push((*source).clone());
                optional = false;
                continue;
            }
            match self.standing(source) {
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
                Some(
                    Action::Blocked(_)
                    | Action::Create
                    | Action::Keep
                    | Action::NotNeeded(_)
                    | Action::NotSelected { .. },
                )
                | None => {
                    return Action::Blocked(Blocked::Source((*source).clone()));
                }
            }
        }
        if !withheld.is_empty() {
            Action::Blocked(withheld.blocked())
        } else if waits.is_empty() {
            Action::Create
        } else {
            Action::Wait {
                on: waits,
                optional,
            }
        }
    }

    fn will_be_there(&self, id: &ValueId) -> bool {
        self.actions.get(id).is_some_and(Action::will_be_there)
    }

    fn step(
        &self,
        entry: &ResolvedEntry,
        value: &ResolvedValue,
        files: &BTreeMap<ValueId, Vec<String>>,
    ) -> Step {
        let action = match &value.activity {
            Activity::Inactive(_) if !self.input.selection.has(&value.id) => {
                Action::NotSelected { there: false }
            }
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

/// Values that are absent only because the run is not about them.
#[derive(Default)]
struct Withheld {
    unselected: Vec<ValueId>,
    excluded: Vec<ValueId>,
}

impl Withheld {
    fn add(&mut self, id: &ValueId, excluded: bool) {
        let ids = if excluded {
            &mut self.excluded
        } else {
            &mut self.unselected
        };
        ids.push(id.clone());
    }

    fn is_empty(&self) -> bool {
        self.unselected.is_empty() && self.excluded.is_empty()
    }

    fn blocked(self) -> Blocked {
        Blocked::NotSelected {
            unselected: self.unselected,
            excluded: self.excluded,
        }
    }
}

/// Why nothing is done with a value that only the cluster keeps.
const OUT_OF_REACH: &str = "kept in no backend, only in the cluster";

/// Says why nothing is written where something is.
fn stands_in_the_way(value: &ResolvedValue, state: State) -> Blocked {
    match state {
        State::Placeholder => Blocked::Placeholder {
            id: value.id.clone(),
            provided: matches!(value.source, Some(ResolvedSource::Provide(_))),
        },
        State::Deleted { until } => Blocked::Deleted {
            id: value.id.clone(),
            until,
        },
        State::Absent
        | State::Disabled { .. }
        | State::Drifted { .. }
        | State::Empty
        | State::Exists
        | State::Hidden { .. }
        | State::Present
        | State::Unknown { .. }
        | State::WrongShape { .. } => Blocked::State(state),
    }
}

/// What must not exist is fine while it is gone, whether or not it could be brought back.
fn forbidden(why: &str, state: State) -> Action {
    match state {
        State::Absent | State::Deleted { .. } | State::Empty => {
            Action::NotNeeded("it must not exist, and does not".to_owned())
        }
        State::Disabled { .. }
        | State::Drifted { .. }
        | State::Exists
        | State::Placeholder
        | State::Present => Action::Blocked(Blocked::Forbidden(why.to_owned())),
        State::WrongShape { found } => {
            Action::Blocked(Blocked::Forbidden(format!("{why} ({found})")))
        }
        State::Hidden { .. } | State::Unknown { .. } => Action::Blocked(Blocked::State(state)),
    }
}

/// Whether the backend said that a value is not there, or what is there may be written over.
fn is_free(input: Input<'_>, states: &BTreeMap<ValueId, State>, id: &ValueId) -> bool {
    let state = states.get(id);
    state.is_some_and(|state| input.findings.is_free(state))
}
