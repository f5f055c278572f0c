//! What is said about given values before they are stored.

use seed_core::plan::{Action, Plan};
use seed_core::produce::newline_change;
use seed_core::resolve::{Resolved, ResolvedValue};
use seed_core::secret::SecretValue;

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
                if let Some((given, value)) = given.zip(resolved.value(id)) {
                    tell_forms(value, given, terminal);
                }
            }
            Action::NotNeeded(why) if given.is_some() || promised.is_some() => {
                terminal.note(&format!("`{id}`: given, not used (not needed: {why})"));
            }
            Action::NotSelected { .. } if given.is_some() || promised.is_some() => {
                terminal.note(&format!("`{id}`: given, not used (not selected)"));
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

/// Says what becomes of a value that was not meant so, perhaps: of its end, and of what is put around it.
pub(crate) fn tell_forms(value: &ResolvedValue, given: &SecretValue, terminal: Terminal) {
    let id = &value.id;
    if let Some(words) = newline_change(value, given).words() {
        terminal.note(&format!("`{id}`: {words}"));
    }
    let ResolvedValue { prefix, suffix, .. } = value;
    let given = given.expose().trim_ascii_end();
    if !prefix.is_empty() && given.starts_with(prefix.as_bytes()) {
        terminal.note(&format!(
            "warning: `{id}` is given with the prefix `{prefix}`, and the contract puts that before it once more"
        ));
    }
    if !suffix.is_empty() && given.ends_with(suffix.as_bytes()) {
        terminal.note(&format!(
            "warning: `{id}` is given with the suffix `{suffix}`, and the contract puts that behind it once more"
        ));
    }
}
