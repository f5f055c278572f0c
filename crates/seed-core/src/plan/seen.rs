//! From what a backend answered to the state of a value.

use super::decide::Input;
use super::model::State;
use crate::inventory::{Presence, Shape, Version};
use crate::name::{FieldName, ValueId};
use crate::resolve::{Place, ResolvedEntry, ResolvedValue};

/// The state of a value, and the version of the entry that holds it.
///
/// What must not exist must not do so as a field of any entry either, declared or not.
pub(super) fn state_of(
    input: Input<'_>,
    entry: &ResolvedEntry,
    value: &ResolvedValue,
) -> (State, Option<Version>) {
    let (state, version) = match entry.place {
        Some(Place::Nowhere) => (kept_state(input, &value.id), None),
        Some(Place::Backend { .. }) | None => own_state(input, entry, value),
    };
    let gone = state.is_free() || matches!(state, State::Deleted { .. });
    let elsewhere = Some(value).filter(|value| gone && value.is_forbidden());
    match elsewhere.and_then(|value| entry_with_field(input, value)) {
        Some(entry) => {
            let found = format!("a field of `{}` has this name", entry.key);
            (State::WrongShape { found }, None)
        }
        None => (state, version),
    }
}

/// The state of a value that no backend keeps: it is there when one of the Secrets that hold it has it, and free only
/// when all of them say that they do not.
fn kept_state(input: Input<'_>, id: &ValueId) -> State {
    let mut seen = State::Absent;
    for keeper in input.resolved.keepers(id) {
        let entry = input.resolved.entries.get(&keeper.entry);
        let value = input.resolved.value(keeper);
        let Some((entry, value)) = entry.zip(value) else {
            continue;
        };
        let (state, _) = own_state(input, entry, value);
        if state.is_there() {
            return state;
        }
        if seen.is_free() {
            seen = state;
        }
    }
    seen
}

/// An entry that is stored with a field of a value's name.
fn entry_with_field<'a>(input: Input<'a>, value: &ResolvedValue) -> Option<&'a ResolvedEntry> {
    let field = value.id.field.as_ref().map(FieldName::as_str);
    let field = field.unwrap_or(value.id.entry.as_str());
    let mut entries = input.resolved.entries.values();
    entries.find(|entry| {
        let Some(Place::Backend { backend, name, .. }) = &entry.place else {
            return false;
        };
        // Under which keys the cluster's Secrets hold values says nothing about backends.
        if entry.key.as_secret().is_some() {
            return false;
        }
        let found = input.inventories.get(backend).and_then(|it| it.get(name));
        matches!(found, Some(Presence::Present { shape: Shape::Fields(names), .. }) if names.contains(field))
    })
}

fn own_state(
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

fn present(has_fields: bool, field: Option<&FieldName>, shape: &Shape) -> State {
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
