//! Asking for the value, making it, and storing it.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use seed_core::inventory::{Presence, Shape};
use seed_core::name::ValueId;
use seed_core::plan::{Action, Plan, Write, WriteKind};
use seed_core::produce::{Maker, PreflightError, Values, document, try_given};
use seed_core::report::{Failure, Fate};
use seed_core::resolve::{Availability, Place};
use seed_core::secret::SecretValue;
use seed_engine::{Found, Replaced, Replacement};

use super::flow::{Setting, blocked};
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::progress;
use crate::prompt::{Answer, Asker, Question};
use crate::render::{SetOutcome, Told};
use crate::session::{self, Seen, Wishes};
use crate::signals::Signals;

/// Values whose `check` is not tried.
pub(super) fn unchecked(setting: &Setting<'_>) -> BTreeSet<ValueId> {
    let id = setting.args.skip_check.then(|| setting.key.id().clone());
    id.into_iter().collect()
}

/// Asks on the terminal.
pub(super) fn ask(setting: &Setting<'_>) -> Result<SecretValue> {
    let (key, id) = (setting.key, setting.key.id());
    let question = Question {
        entry: key.entry,
        value: key.value,
        number: (1, 1),
    };
    let answer = Asker::begin(setting.terminal)?.ask(&question, |given| {
        trial(setting, given).err().map(|err| err.to_string())
    })?;
    match answer {
        Answer::Given(value) => Ok(value),
        Answer::Later => Err(CliError::new(
            Exit::Waiting,
            format!("no value was given for `{id}`; nothing was written"),
        )),
    }
}

/// The value as the application reads it.
pub(super) fn make(setting: &Setting<'_>, given: &SecretValue) -> Result<SecretValue> {
    let id = setting.key.id();
    let wrong = |err: &PreflightError| {
        CliError::usage(format!("the value of `{id}` is wrong; nothing was written")).because(err)
    };
    trial(setting, given).map_err(|err| wrong(&err))?;
    let (available, unchecked) = (Availability::default(), unchecked(setting));
    let maker = Maker {
        resolved: &setting.session.resolved,
        available: &available,
        unchecked: &unchecked,
    };
    // A given value is not drawn, and no time is in it.
    let made = maker.produce(id, &Values::new(), Some(given), &mut UnwrapErr(SysRng), 0);
    made.map_err(|err| wrong(&err.into()))
}

fn trial(setting: &Setting<'_>, given: &SecretValue) -> std::result::Result<(), PreflightError> {
    let (available, unchecked) = (Availability::default(), unchecked(setting));
    let maker = Maker {
        resolved: &setting.session.resolved,
        available: &available,
        unchecked: &unchecked,
    };
    try_given(&maker, setting.key.id(), given)
}

/// Stores the value where nothing is, like any other run that creates.
pub(super) async fn create(setting: &Setting<'_>, seen: &Seen, wishes: &Wishes) -> Result<Told> {
    let id = setting.key.id();
    let one = Seen {
        plan: alone(setting, seen)?,
        inventories: seen.inventories.clone(),
        findings: seen.findings.clone(),
        failures: Vec::new(),
    };
    let report = session::apply(
        &setting.session.resolved,
        &one,
        wishes,
        setting.backends,
        &mut Signals::listen()?,
        setting.terminal,
    )
    .await;
    match report.outcome(id).map(|outcome| &outcome.fate) {
        Some(Fate::Created | Fate::Filled) => Ok(Told::of(SetOutcome::Created)),
        Some(Fate::Lost { given: false }) => Ok(Told::of(SetOutcome::Unchanged)),
        Some(Fate::Lost { given: true }) => Err(lost(id)),
        Some(Fate::Failed(failure)) => Err(failed(failure)),
        Some(Fate::Uncertain(failure)) => Err(uncertain(id, failure)),
        Some(Fate::Cancelled) => {
            let message = format!("stopped before `{id}` was stored; nothing was written");
            Err(CliError::failed(message))
        }
        Some(Fate::Kept { .. } | Fate::Left(_) | Fate::Restored { .. } | Fate::Skipped { .. })
        | None => Err(blocked(format!("`{id}` was not stored")).hint("`seed plan` shows why")),
    }
}

/// The plan that has this one write.
fn alone(setting: &Setting<'_>, seen: &Seen) -> Result<Plan> {
    let (entry, id) = (setting.key.entry, setting.key.id());
    let step = seen.plan.step(id).cloned();
    let (Some(mut step), Some(Place::Backend { backend, name, .. })) = (step, &entry.place) else {
        return Err(CliError::bug(format!("`{id}` has no place")));
    };
    step.action = Action::Create;
    let inventory = seen.inventories.get(backend);
    let kind = match inventory.and_then(|inventory| inventory.get(name)) {
        Some(Presence::Present {
            version,
            shape: Shape::Fields(_),
        }) => WriteKind::Add {
            expected: version.clone(),
        },
        _ => WriteKind::Create,
    };
    Ok(Plan {
        steps: vec![step],
        writes: vec![Write {
            entry: entry.key.clone(),
            backend: backend.clone(),
            name: name.clone(),
            kind,
            values: vec![id.clone()],
            after: BTreeSet::new(),
        }],
        reads: BTreeSet::new(),
    })
}

/// Stores the value in the place of what was found, if that is still there.
pub(super) async fn replace(
    setting: &Setting<'_>,
    found: &Found,
    value: &SecretValue,
) -> Result<SetOutcome> {
    let (entry, id) = (setting.key.entry, setting.key.id());
    let Some(Place::Backend { kind, .. }) = &entry.place else {
        return Err(CliError::bug(format!("`{id}` has no place")));
    };
    let values = Values::from([(id.clone(), Arc::new(value.duplicate()))]);
    let document = document(entry, *kind, std::slice::from_ref(id), &values).map_err(|err| {
        CliError::usage(format!("the value of `{id}` is wrong; nothing was written")).because(&err)
    })?;
    let wanted = Replacement {
        resolved: &setting.session.resolved,
        id,
        value,
        document: &document,
        found,
    };
    let backends = setting.backends;
    let waiting = |pause| progress::tell_waiting(setting.terminal, pause);
    let replaced =
        seed_engine::replace(&wanted, &backends.replacers, &backends.convergers, &waiting);
    match replaced.await {
        Replaced::Stored if setting.is_placeholder(found) => Ok(SetOutcome::Filled),
        Replaced::Stored => Ok(SetOutcome::Replaced),
        Replaced::Changed => Err(lost(id)),
        Replaced::Failed(failure) => Err(failed(&failure)),
        Replaced::Uncertain(failure) => Err(uncertain(id, &failure)),
    }
}

fn lost(id: &ValueId) -> CliError {
    blocked(format!(
        "somebody else stored `{id}` meanwhile; yours was not stored"
    ))
    .hint("look at what is there before you try again")
}

fn failed(failure: &Failure) -> CliError {
    request(
        CliError::failed(format!("cannot {}; nothing was written", failure.message)),
        failure,
    )
}

fn uncertain(id: &ValueId, failure: &Failure) -> CliError {
    let message = format!(
        "it is uncertain whether `{id}` was stored: {}",
        failure.message
    );
    let error = CliError::new(Exit::Partial, message)
        .hint("run it again: what is stored already is not stored twice");
    request(error, failure)
}

fn request(error: CliError, failure: &Failure) -> CliError {
    let request = failure.request_id.as_ref();
    request
        .map(|id| format!("request id {id}"))
        .into_iter()
        .fold(error, CliError::hint)
}
