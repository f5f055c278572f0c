//! What backends answer, and plans in words.

use std::collections::BTreeMap;

use seed_core::inventory::{Inventory, Presence, Shape, Version};
use seed_core::plan::{Action, Plan, Write, WriteKind};

pub(crate) type World = BTreeMap<String, Inventory>;

pub(crate) fn present(shape: Shape) -> Presence {
    Presence::Present {
        version: Version::new("7"),
        shape,
    }
}

/// What the snapshots show of an action.
pub(crate) fn words(action: &Action) -> String {
    match action {
        Action::Ask => "ask".to_owned(),
        Action::Blocked(why) => format!("blocked: {why}"),
        Action::Create => "create".to_owned(),
        Action::Keep => "keep".to_owned(),
        Action::Minted { by } => format!("minted by {by}"),
        Action::NotNeeded(why) => format!("not needed: {why}"),
        Action::NotSelected { there: true } => "not selected, there".to_owned(),
        Action::NotSelected { there: false } => "not selected".to_owned(),
        Action::Optional => "optional".to_owned(),
        Action::Wait { on, optional } => {
            let on: Vec<String> = on.iter().map(ToString::to_string).collect();
            format!(
                "wait for {}{}",
                on.join(", "),
                if *optional { ", optional" } else { "" }
            )
        }
    }
}

pub(crate) fn steps(plan: &Plan) -> String {
    let lines: Vec<String> = plan
        .steps
        .iter()
        .map(|step| format!("{:<10} {}", step.id.to_string(), words(&step.action)))
        .collect();
    lines.join("\n")
}

pub(crate) fn writes(plan: &Plan) -> String {
    let line = |(at, write): (usize, &Write)| {
        let values: Vec<String> = write.values.iter().map(ToString::to_string).collect();
        let how = match &write.kind {
            WriteKind::AddToOwn { write } => format!("add to {write}"),
            WriteKind::Add { expected } => format!("add at {expected}"),
            WriteKind::Create => "create".to_owned(),
            WriteKind::Replace { expected } => format!("replace at {expected}"),
            WriteKind::ReplaceInOwn { write } => format!("replace in {write}"),
        };
        format!(
            "{at}: {how} {} in {}: {} after {:?}",
            write.name,
            write.backend,
            values.join(", "),
            write.after
        )
    };
    plan.writes
        .iter()
        .enumerate()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}
