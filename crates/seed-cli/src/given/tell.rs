//! What is said about given values before they are stored.

use seed_core::plan::{Action, Plan};
use seed_core::produce::newline_change;
use seed_core::resolve::Resolved;
use seed_core::value::NewlineChange;

use crate::session::Wishes;
use crate::terminal::Terminal;

/// Says where values came from that nobody named, what was done to the end of one, and which are not used.
///
/// That one exists, and was not used, is said by the report.
pub(crate) fn tell(resolved: &Resolved, plan: &Plan, wishes: &Wishes, terminal: Terminal) {
    for step in &plan.steps {
        let id = &step.id;
        let given = wishes.given.get(id);
        let promised = wishes.promised.get(id);
        match &step.action {
            Action::Create => {
                if let Some(way) = promised {
                    terminal.note(&format!("`{id}`: would be taken from {way}"));
                }
                if let Some(way) = wishes.ways.get(id).filter(|way| way.is_said()) {
                    terminal.note(&format!("`{id}`: taken from {way}"));
                }
                let change = given.zip(resolved.value(id));
                let change = change.map(|(given, value)| newline_change(value, given));
                if let Some(words) = change.and_then(NewlineChange::words) {
                    terminal.note(&format!("`{id}`: {words}"));
                }
            }
            Action::NotNeeded(why) if given.is_some() || promised.is_some() => {
                terminal.note(&format!("`{id}`: given, not used (not needed: {why})"));
            }
            Action::Ask
            | Action::Blocked(_)
            | Action::Keep
            | Action::Minted { .. }
            | Action::NotNeeded(_)
            | Action::NotSelected { .. }
            | Action::Optional
            | Action::Wait { .. } => {}
        }
    }
}
