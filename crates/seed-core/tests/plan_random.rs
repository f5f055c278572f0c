//! Plans of random contracts against random answers of backends.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic, and says so"
)]

#[path = "support/contracts.rs"]
mod contracts;
#[path = "support/dice.rs"]
mod dice;
#[path = "support/resolved.rs"]
mod resolved;
#[path = "support/worlds.rs"]
mod worlds;

use std::collections::{BTreeMap, BTreeSet};

use dice::Dice;
use proptest::prelude::*;
use resolved::try_resolved;
use seed_core::inventory::{Depth, Presence, Shape, Version};
use seed_core::name::{FieldName, ValueId};
use seed_core::plan::{
    Action, Blocked, Findings, Input, Plan, Selection, State, Step, Write, WriteKind, plan, wanted,
};
use seed_core::resolve::{Place, Resolved, ResolvedPart, ResolvedSource};
use seed_core::yaml::{Style, write};
use serde_json::Value;
use worlds::{World, present, steps, words, writes};

/// A random contract that can be resolved, and random answers for it.
struct Scene {
    source: String,
    resolved: Resolved,
    world: World,
    given: BTreeSet<ValueId>,
    selection: Selection,
    findings: Findings,
}

impl Scene {
    fn new(contract: &Value, dice: &mut Dice) -> Option<Self> {
        let source = write(contract, Style::Readable).to_string();
        let resolved = try_resolved(&source).ok()?;
        let world = world_of(&resolved, dice);
        let mut some = |sides: usize| -> BTreeSet<ValueId> {
            let order = resolved.order.iter();
            order.filter(|_| dice.rarely(sides)).cloned().collect()
        };
        let given = some(3);
        let (only, excluded) = (some(2), some(4));
        let selection = match dice.roll(4) {
            0 | 1 => Selection::ALL,
            2 => Selection {
                only: Some(only),
                excluded,
            },
            _ => Selection {
                only: None,
                excluded,
            },
        };
        let mut findings = Findings {
            fill: dice.rarely(2),
            ..Findings::NONE
        };
        for id in &resolved.order {
            let reason = "why".to_owned();
            let found = [State::Placeholder, State::Drifted { reason }];
            let found = found.into_iter().nth(dice.roll(6));
            findings
                .states
                .extend(found.map(|state| (id.clone(), state)));
        }
        Some(Self {
            source,
            resolved,
            world,
            given,
            selection,
            findings,
        })
    }

    fn plan(&self) -> Plan {
        let input = Input::new(&self.resolved, &self.world, &self.given);
        plan(input.selecting(&self.selection).knowing(&self.findings))
    }
}

fn world_of(resolved: &Resolved, dice: &mut Dice) -> World {
    let mut world = World::new();
    for (backend, entries) in wanted(resolved, Depth::Fields) {
        let mut answers: Vec<_> = entries
            .into_iter()
            .map(|wanted| (wanted.name, random_presence(dice, &wanted.fields)))
            .collect();
        if dice.rarely(2) {
            answers.reverse();
        }
        world.insert(backend, answers.into_iter().collect());
    }
    world
}

fn random_presence(dice: &mut Dice, fields: &[FieldName]) -> Presence {
    let reason = "why".to_owned();
    match dice.roll(16) {
        0..=6 => Presence::Absent,
        7 => Presence::Empty {
            version: Version::new("0"),
        },
        8 => Presence::Exists,
        9 => Presence::Deleted { until: None },
        10 => Presence::Disabled { reason },
        11 => Presence::Hidden { reason },
        12 => Presence::Unknown { reason },
        13 => present(if fields.is_empty() {
            Shape::Single
        } else {
            Shape::NotRead
        }),
        _ if fields.is_empty() => present(Shape::Single),
        _ => {
            let there = fields
                .iter()
                .filter(|_| dice.roll(2) == 1)
                .map(ToString::to_string);
            present(Shape::Fields(there.collect()))
        }
    }
}

/// The write that each value is in.
fn units(plan: &Plan) -> BTreeMap<&ValueId, usize> {
    plan.writes
        .iter()
        .enumerate()
        .flat_map(|(at, write)| write.values.iter().map(move |id| (id, at)))
        .collect()
}

/// The values without which this one cannot have been made.
fn certain_sources(scene: &Scene, id: &ValueId) -> Vec<ValueId> {
    match &scene.resolved.value(id).unwrap().source {
        Some(ResolvedSource::Derive { of, .. }) => vec![of.clone()],
        Some(ResolvedSource::Compose(text)) => {
            let only = text.parts().iter().filter_map(|part| match part {
                ResolvedPart::Value { alternatives, .. } => match alternatives.as_slice() {
                    [only] => only.value().cloned(),
                    _ => None,
                },
                ResolvedPart::Literal(_) | ResolvedPart::Name(_) => None,
            });
            only.collect()
        }
        _ => Vec::new(),
    }
}

/// The writes that come before each, directly or not. Panics where there is a circle.
fn before(plan: &Plan) -> Vec<BTreeSet<usize>> {
    let mut done: Vec<Option<BTreeSet<usize>>> = vec![None; plan.writes.len()];
    for _ in 0..=plan.writes.len() {
        for (at, write) in plan.writes.iter().enumerate() {
            let known: Option<Vec<BTreeSet<usize>>> = write
                .after
                .iter()
                .map(|earlier| done[*earlier].clone())
                .collect();
            if let Some(known) = known {
                done[at] = Some(
                    known
                        .into_iter()
                        .flatten()
                        .chain(write.after.iter().copied())
                        .collect(),
                );
            }
        }
    }
    done.into_iter()
        .map(|before| before.unwrap_or_else(|| panic!("a circle")))
        .collect()
}

/// What is stored after some of a plan's writes were carried out.
fn after(scene: &Scene, plan: &Plan, carried_out: &BTreeSet<usize>) -> World {
    let mut world = scene.world.clone();
    for write in carried_out.iter().map(|at| &plan.writes[*at]) {
        let entry = &scene.resolved.entries[&write.entry];
        let inventory = world.get_mut(&write.backend).unwrap();
        let names = write
            .values
            .iter()
            .map(|id| id.field.as_ref().unwrap_or(&entry.value_key).to_string());
        let mut there: BTreeSet<String> = match inventory.get(&write.name) {
            Some(Presence::Present {
                shape: Shape::Fields(names),
                ..
            }) => names.clone(),
            _ => BTreeSet::new(),
        };
        there.extend(names);
        let map = matches!(&entry.place, Some(Place::Backend { kind, .. }) if kind.is_map());
        let shape = if entry.has_fields || map {
            Shape::Fields(there)
        } else {
            Shape::Single
        };
        inventory.insert(write.name.clone(), present(shape));
    }
    world
}

/// What is still found of values after some of a plan's writes were carried out.
fn learnt(scene: &Scene, plan: &Plan, carried_out: &BTreeSet<usize>) -> Findings {
    let mut findings = scene.findings.clone();
    for step in &plan.steps {
        // What was absent has no finding.
        if !matches!(step.state, Some(State::Placeholder | State::Drifted { .. })) {
            findings.states.remove(&step.id);
        }
    }
    for id in carried_out.iter().flat_map(|at| &plan.writes[*at].values) {
        findings.states.remove(id);
    }
    findings
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn only_what_is_free_is_written(
        dice in Dice::strategy(300),
        luck in Dice::strategy(200),
    ) {
        judged::only_what_is_free_is_written(dice, luck)?;
    }

    #[test]
    fn a_selection_makes_nothing_that_would_not_be_made_without_it(
        dice in Dice::strategy(300),
        luck in Dice::strategy(200),
    ) {
        judged::a_selection_makes_nothing_that_would_not_be_made_without_it(dice, luck)?;
    }

    #[test]
    fn nothing_is_made_whose_product_may_be_stored(
        dice in Dice::strategy(300),
        luck in Dice::strategy(200),
    ) {
        judged::nothing_is_made_whose_product_may_be_stored(dice, luck)?;
    }

    #[test]
    fn sources_come_before_what_is_made_from_them(
        dice in Dice::strategy(300),
        luck in Dice::strategy(200),
    ) {
        judged::sources_come_before_what_is_made_from_them(dice, luck)?;
    }

    #[test]
    fn a_plan_does_not_depend_on_the_order_of_unrelated_entries(
        dice in Dice::strategy(300),
        luck in Dice::strategy(200),
    ) {
        judged::a_plan_does_not_depend_on_the_order_of_unrelated_entries(dice, luck)?;
    }

    #[test]
    fn a_plan_that_was_carried_out_leaves_nothing_to_write(
        dice in Dice::strategy(300),
        luck in Dice::strategy(200),
    ) {
        judged::a_plan_that_was_carried_out_leaves_nothing_to_write(dice, luck)?;
    }

    #[test]
    fn a_plan_that_was_cut_can_be_finished(
        dice in Dice::strategy(300),
        luck in Dice::strategy(230),
    ) {
        judged::a_plan_that_was_cut_can_be_finished(dice, luck)?;
    }
}

/// The properties, out of the reach of the macro.
mod judged {
    use super::*;

    pub(super) fn only_what_is_free_is_written(
        dice: Dice,
        mut luck: Dice,
    ) -> Result<(), TestCaseError> {
        let Some(scene) = Scene::new(&contracts::contract(dice), &mut luck) else {
            return Ok(());
        };
        let plan = scene.plan();
        let units = units(&plan);
        let values: usize = plan.writes.iter().map(|write| write.values.len()).sum();
        prop_assert_eq!(units.len(), values, "a value is written twice");
        for step in &plan.steps {
            let created = step.action == Action::Create;
            prop_assert_eq!(
                units.contains_key(&step.id),
                created,
                "{} in\n{}",
                step.id,
                scene.source
            );
            if created {
                let state = step.state.as_ref().unwrap();
                prop_assert!(
                    state.is_free() || (scene.findings.fill && *state == State::Placeholder),
                    "{} is {state} in\n{}",
                    step.id,
                    scene.source
                );
                prop_assert!(scene.selection.has(&step.id), "{} is not selected", step.id);
            }
        }
        for write in &plan.writes {
            let seen = scene.world[&write.backend].get(&write.name);
            prop_assert!(
                fits(&scene, &plan, write),
                "{:?} where {:?} is in\n{}",
                write,
                seen,
                scene.source
            );
        }
        Ok(())
    }

    pub(super) fn a_selection_makes_nothing_that_would_not_be_made_without_it(
        dice: Dice,
        mut luck: Dice,
    ) -> Result<(), TestCaseError> {
        let Some(mut scene) = Scene::new(&contracts::contract(dice), &mut luck) else {
            return Ok(());
        };
        let some = scene.plan();
        scene.selection = Selection::ALL;
        let all = scene.plan();
        for step in &some.steps {
            let without = &all.step(&step.id).unwrap().action;
            prop_assert!(
                step.action != Action::Create || *without == Action::Create,
                "{} would be {} in\n{}",
                step.id,
                words(without),
                scene.source
            );
            let there = step.state.as_ref().is_some_and(State::is_there);
            let kept = step.action.will_be_there() && step.action != Action::Create;
            prop_assert!(!kept || there, "{} is {}", step.id, words(&step.action));
        }
        Ok(())
    }

    pub(super) fn nothing_is_made_whose_product_may_be_stored(
        dice: Dice,
        mut luck: Dice,
    ) -> Result<(), TestCaseError> {
        let Some(scene) = Scene::new(&contracts::contract(dice), &mut luck) else {
            return Ok(());
        };
        let plan = scene.plan();
        let written: BTreeSet<&ValueId> = plan.writes.iter().flat_map(|it| &it.values).collect();
        for product in &plan.steps {
            let fill = scene.findings.fill;
            let free = product
                .state
                .as_ref()
                .is_none_or(|state| state.is_free() || (fill && *state == State::Placeholder));
            for source in certain_sources(&scene, &product.id) {
                let made = written.contains(&source);
                prop_assert!(
                    free || !made,
                    "{source} below {} in\n{}",
                    product.id,
                    scene.source
                );
            }
        }
        Ok(())
    }

    pub(super) fn sources_come_before_what_is_made_from_them(
        dice: Dice,
        mut luck: Dice,
    ) -> Result<(), TestCaseError> {
        let Some(scene) = Scene::new(&contracts::contract(dice), &mut luck) else {
            return Ok(());
        };
        let plan = scene.plan();
        let (units, before) = (units(&plan), before(&plan));
        for (id, unit) in &units {
            for source in &sources(&scene, &plan, id) {
                let Some(own) = units.get(source) else {
                    continue;
                };
                let inside = || {
                    let place = |id: &ValueId| {
                        plan.writes[*unit]
                            .values
                            .iter()
                            .position(|value| value == id)
                    };
                    own == unit && place(source) < place(id)
                };
                prop_assert!(
                    before[*unit].contains(own) || inside(),
                    "{id} from {source} in\n{}\n{}",
                    writes(&plan),
                    scene.source
                );
            }
        }
        for read in &plan.reads {
            let action = &plan.step(read).unwrap().action;
            prop_assert!(action.will_be_there() && *action != Action::Create);
        }
        Ok(())
    }

    pub(super) fn a_plan_does_not_depend_on_the_order_of_unrelated_entries(
        dice: Dice,
        mut luck: Dice,
    ) -> Result<(), TestCaseError> {
        let mut contract = contracts::contract(dice);
        // A group is completed in the contract's order, on purpose.
        forget_groups(&mut contract);
        let Some(scene) = Scene::new(&contract, &mut luck) else {
            return Ok(());
        };
        let secrets = contract["secrets"].as_object().unwrap();
        let turned: serde_json::Map<String, Value> = secrets
            .iter()
            .rev()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        contract["secrets"] = turned.into();
        let source = write(&contract, Style::Readable).to_string();
        let other = Scene {
            resolved: try_resolved(&source).map_err(TestCaseError::fail)?,
            world: scene.world.clone(),
            given: scene.given.clone(),
            selection: scene.selection.clone(),
            findings: scene.findings.clone(),
            source,
        };
        let (first, second) = (scene.plan(), other.plan());
        for step in &first.steps {
            let twin = second.step(&step.id).unwrap();
            prop_assert_eq!(
                without_names(&step.action),
                without_names(&twin.action),
                "{} in\n{}",
                step.id,
                scene.source
            );
        }
        prop_assert_eq!(&first.reads, &second.reads);
        let contents = |plan: &Plan| {
            plan.writes
                .iter()
                .map(|write| write.values.iter().cloned().collect())
                .collect::<BTreeSet<BTreeSet<ValueId>>>()
        };
        prop_assert_eq!(contents(&first), contents(&second), "{}", scene.source);
        Ok(())
    }

    pub(super) fn a_plan_that_was_carried_out_leaves_nothing_to_write(
        dice: Dice,
        mut luck: Dice,
    ) -> Result<(), TestCaseError> {
        let Some(mut scene) = Scene::new(&contracts::contract(dice), &mut luck) else {
            return Ok(());
        };
        let plan = scene.plan();
        let all = (0..plan.writes.len()).collect();
        scene.world = after(&scene, &plan, &all);
        scene.findings = learnt(&scene, &plan, &all);
        let again = scene.plan();
        prop_assert_eq!(
            writes(&again),
            "",
            "after\n{}\n{}\n{}",
            writes(&plan),
            steps(&again),
            scene.source
        );
        for step in plan
            .steps
            .iter()
            .filter(|step| !matches!(step.action, Action::Create | Action::Wait { .. }))
        {
            prop_assert_eq!(
                without_names(&again.step(&step.id).unwrap().action),
                without_names(&step.action),
                "{} after\n{}\n{}",
                step.id,
                writes(&plan),
                scene.source
            );
        }
        Ok(())
    }

    /// The writes that had been made when a run was cut are any that leave out none that they come after.
    pub(super) fn a_plan_that_was_cut_can_be_finished(
        dice: Dice,
        mut luck: Dice,
    ) -> Result<(), TestCaseError> {
        let Some(mut scene) = Scene::new(&contracts::contract(dice), &mut luck) else {
            return Ok(());
        };
        let plan = scene.plan();
        let before = before(&plan);
        let mut carried_out = BTreeSet::new();
        for (at, before) in before.iter().enumerate() {
            if luck.roll(2) == 1 {
                carried_out.insert(at);
                carried_out.extend(before);
            }
        }
        scene.world = after(&scene, &plan, &carried_out);
        scene.findings = learnt(&scene, &plan, &carried_out);
        let again = scene.plan();
        for step in plan
            .steps
            .iter()
            .filter(|step| step.action == Action::Create)
        {
            let action = &again.step(&step.id).unwrap().action;
            prop_assert!(
                matches!(action, Action::Create | Action::Keep),
                "{} is {} after {carried_out:?} of\n{}\n{}",
                step.id,
                words(action),
                writes(&plan),
                scene.source
            );
        }
        Ok(())
    }
}

/// Whether a write is of the kind that fits what was seen.
fn fits(scene: &Scene, plan: &Plan, write: &Write) -> bool {
    let seen = scene.world[&write.backend].get(&write.name);
    match (&write.kind, seen) {
        (WriteKind::Create, Some(Presence::Absent | Presence::Empty { .. })) => true,
        (
            WriteKind::Add { expected },
            Some(Presence::Present {
                version,
                shape: Shape::Fields(names),
            }),
        ) => {
            expected == version
                && write
                    .values
                    .iter()
                    .all(|id| !names.contains(id.field.as_ref().unwrap().as_str()))
        }
        (WriteKind::Replace { expected }, Some(Presence::Present { version, .. })) => {
            let state = |id: &ValueId| plan.step(id).unwrap().state.clone();
            let mut states = write.values.iter().map(state);
            scene.findings.fill
                && expected == version
                && states.any(|state| state == Some(State::Placeholder))
        }
        (WriteKind::ReplaceInOwn { write: own }, _) => {
            scene.findings.fill
                && plan.writes[*own].entry == write.entry
                && write.after.contains(own)
        }
        (WriteKind::AddToOwn { write: own }, _) => {
            plan.writes[*own].entry == write.entry && write.after.contains(own)
        }
        _ => false,
    }
}

fn forget_groups(node: &mut Value) {
    match node {
        Value::Object(members) => {
            if members
                .get("rotate")
                .is_some_and(|rotate| rotate.get("with").is_some())
            {
                members.shift_remove("rotate");
            }
            members.values_mut().for_each(forget_groups);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_groups),
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
    }
}

/// Where several reasons hold, which of them are named depends on the order.
fn without_names(action: &Action) -> Action {
    let nobody = || "nobody".parse().unwrap();
    match action.clone() {
        Action::Blocked(Blocked::Group { .. }) => {
            Action::Blocked(Blocked::Group { stored: vec![] })
        }
        Action::Blocked(Blocked::HalfPair { .. }) => {
            Action::Blocked(Blocked::HalfPair { stored: vec![] })
        }
        Action::Blocked(Blocked::Source(_)) => Action::Blocked(Blocked::Source(nobody())),
        Action::Wait { optional, .. } => Action::Wait {
            on: vec![],
            optional,
        },
        action @ (Action::Ask
        | Action::Blocked(_)
        | Action::Create
        | Action::Keep
        | Action::Minted { .. }
        | Action::NotNeeded(_)
        | Action::NotSelected { .. }
        | Action::Optional) => action,
    }
}

/// The values that one is made from when this plan is carried out, alternatives chosen.
fn sources(scene: &Scene, plan: &Plan, id: &ValueId) -> Vec<ValueId> {
    let there = |step: &&Step| step.action.will_be_there();
    match &scene.resolved.value(id).unwrap().source {
        Some(ResolvedSource::Derive { of, .. }) => vec![of.clone()],
        Some(ResolvedSource::Compose(text)) => {
            let available = plan.steps.iter().filter(there).map(|step| step.id.clone());
            let chosen = text.choose(&available.collect()).unwrap();
            chosen.values().cloned().collect()
        }
        _ => Vec::new(),
    }
}
