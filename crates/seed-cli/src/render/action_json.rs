//! What is done with a value, for programs.

use seed_core::plan::Action;
use serde_json::{Value, json};

/// What stands beside the word of an action: why, from whom, or what it waits for. The same in plans and reports.
pub(super) fn reasons(action: &Action) -> Vec<(&'static str, Value)> {
    match action {
        Action::Blocked(why) => vec![("reason", json!(why.to_string()))],
        Action::NotNeeded(why) => vec![("reason", json!(why))],
        Action::Minted { by } => vec![("by", json!(by))],
        Action::Wait { on, optional } => vec![
            (
                "waits_for",
                json!(on.iter().map(ToString::to_string).collect::<Vec<_>>()),
            ),
            ("optional", json!(optional)),
        ],
        Action::Ask
        | Action::Create
        | Action::Keep
        | Action::NotSelected { .. }
        | Action::Optional => Vec::new(),
    }
}
