//! From the flags to what is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seed_core::inventory::Depth;
use seed_core::judge::{Finding, Stored, judge};
use seed_core::name::ValueId;
use seed_core::plan::{Action, Plan, Selection, State};
use seed_core::resolve::ResolvedRotate;
use seed_core::secret::SecretValue;
use seed_engine::Found;

use super::key::Key;
use super::source::Source;
use super::{bonds, copies, store, told};
use crate::args::{Format, SetArgs};
use crate::backends::{Backends, Verbs};
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::load::Session;
use crate::render::{SetOutcome, Told};
use crate::secret_files;
use crate::session::{Seen, Wishes};
use crate::signals::{self, Signals};
use crate::terminal::Terminal;
use crate::{confirm, given, load, render, session};

pub(in crate::commands) fn run(args: &SetArgs, terminal: Terminal) -> Result<Exit> {
    let session = load::contract(&args.contract)?.resolve_values(&args.contract)?;
    session.warn(terminal);
    let key = Key::find(&session.resolved, &args.key)?;
    let source = Source::choose(&session.resolved, args, key, terminal)?;
    let this = Selection {
        only: Some(BTreeSet::from([key.id().clone()])),
        ..Selection::ALL
    };
    secret_files::refuse_shared(&session.resolved, &session.root, &this)?;
    // Backends get the verb that replaces only when somebody asked for it.
    let verbs = Verbs {
        replace: args.replace || args.fill_placeholders,
        ..Verbs::default()
    };
    let variable = match &source {
        Source::Variable(name) => Some(*name),
        Source::File(_) | Source::Prompt | Source::Stdin => None,
    };
    let backends = Backends::open(&session, &args.contract, &args.run, verbs, variable)?;
    backends.used(terminal, |backends| {
        let setting = async {
            let mut signals = Signals::listen()?;
            let looking = look(&session, backends, args, terminal);
            let seen = signals::or_stop(&mut signals, looking).await?;
            let setting = Setting {
                args,
                session: &session,
                key,
                this,
                source,
                backends,
                terminal,
            };
            setting.carry_out(seen).await
        };
        let told = session::block_on(setting)??;
        let format = args.output.format;
        told::tell(
            &told,
            &session,
            key.id(),
            &backends.asked(),
            format,
            terminal,
        )
    })
}

/// Says whom the run is about to write to, and looks at what is there.
async fn look(
    session: &Session,
    backends: &mut Backends,
    args: &SetArgs,
    terminal: Terminal,
) -> Result<Seen> {
    let resolved = &session.resolved;
    let SetArgs { yes, no_input, .. } = *args;
    backends.confirm_writes(yes, no_input, terminal).await?;
    backends.identify().await?;
    if args.output.format == Format::Text {
        let title = render::title(resolved, &session.loaded.path, &backends.places());
        terminal.data(&format!("{title}\n"))?;
    }
    let nothing = Wishes::default();
    Ok(session::look(resolved, &backends.providers, Depth::Fields, &nothing).await)
}

/// All that setting one value needs.
pub(super) struct Setting<'a> {
    pub(super) args: &'a SetArgs,
    pub(super) session: &'a Session,
    pub(super) key: Key<'a>,
    /// The key alone.
    pub(super) this: Selection,
    pub(super) source: Source<'a>,
    pub(super) backends: &'a Backends,
    pub(super) terminal: Terminal,
}

impl Setting<'_> {
    async fn carry_out(&self, mut seen: Seen) -> Result<Told> {
        let resolved = &self.session.resolved;
        let id = self.key.id();
        let providers = &self.backends.providers;
        session::refuse_blind(&mut seen, providers, self.terminal)?;
        let found = self.found(&seen.plan).await?;
        let refused = found.as_ref().and_then(|found| self.refusal(found));
        // Nobody is asked for a value that would not be stored. One that is given may be what is there.
        if self.source == Source::Prompt
            && let Some(refused) = refused
        {
            return Err(refused);
        }
        if let Some(found) = found.as_ref().filter(|_| refused.is_none()) {
            self.take_care(found).await?;
        }
        let (given, value) = self.value()?;
        if let Some(found) = &found {
            if found.value.same_as(&value) {
                return Ok(Told::of(SetOutcome::Unchanged));
            }
            if let Some(refused) = refused {
                return Err(refused);
            }
        }
        let broken = bonds::broken(resolved, providers, &seen.plan, id, &value).await;
        self.refuse_broken(&broken, found.is_some())?;
        // What the files hold now tells later which of them nobody changed.
        let copied: BTreeSet<ValueId> = copies::of(resolved, id)
            .flat_map(seed_engine::needed)
            .collect();
        let (before, unread) = session::read(resolved, providers, &copied).await;
        let mut told = match &found {
            Some(found) => Told::of(store::replace(self, found, &value).await?),
            None => self.create(&mut seen, given).await?,
        };
        let root = &self.session.root;
        let (files, unwritten) = copies::follow(resolved, root, id, before, value);
        told.files = files;
        told.failures = unread.into_iter().chain(unwritten).collect();
        Ok(told)
    }

    /// What is stored, or `None` when the backend said that nothing is.
    async fn found(&self, plan: &Plan) -> Result<Option<Found>> {
        let id = self.key.id();
        let state = plan.step(id).and_then(|step| step.state.as_ref());
        match state {
            Some(state) if state.is_free() => return Ok(None),
            Some(state) if state.is_there() => {}
            Some(state @ State::Deleted { .. }) => {
                let error = blocked(format!("`{id}` cannot be set: {state}"));
                return Err(error.hint(format!(
                    "`seed apply --restore {id}` brings it back with the value that it had"
                )));
            }
            Some(state) => return Err(blocked(format!("`{id}` cannot be set: {state}"))),
            None => return Err(CliError::bug(format!("nobody looked at `{id}`"))),
        }
        match seed_engine::find(&self.session.resolved, &self.backends.providers, id).await {
            Ok(found) => Ok(Some(found)),
            Err(unread) => Err(CliError::failed(format!("cannot read `{id}`: {unread}"))),
        }
    }

    /// Why what is stored is not replaced, whatever the value is that is given.
    fn refusal(&self, found: &Found) -> Option<CliError> {
        let (args, id) = (self.args, self.key.id());
        if self.is_placeholder(found) {
            let error = blocked(format!("`{id}` holds a placeholder; nothing was written"));
            return (!args.replace && !args.fill_placeholders)
                .then(|| error.hint("`--fill-placeholders` puts the value in its place"));
        }
        if !args.replace {
            let error = blocked(format!("`{id}` exists; nothing was written"));
            return Some(error.hint("`--replace` puts the value in its place"));
        }
        let never = blocked(format!(
            "`{id}` must not be replaced: the contract says `rotate: never`"
        ));
        (self.key.value.rotate == ResolvedRotate::Never)
            .then(|| never.hint("what was made with the stored value still needs it"))
    }

    /// Asks, or says what to think of, before a value is replaced.
    async fn take_care(&self, found: &Found) -> Result<()> {
        let (args, id) = (self.args, self.key.id());
        match &self.key.value.rotate {
            _ if self.is_placeholder(found) => Ok(()),
            ResolvedRotate::Careful(why) => {
                confirm::replacing(id, why, args.yes, args.no_input, self.terminal).await
            }
            ResolvedRotate::With(others) => {
                let others: Vec<String> = others.iter().map(|id| format!("`{id}`")).collect();
                let others = others.join(", ");
                self.terminal
                    .note(&format!("`{id}` belongs with {others}: set those as well."));
                Ok(())
            }
            ResolvedRotate::Free | ResolvedRotate::Never => Ok(()),
        }
    }

    pub(super) fn is_placeholder(&self, found: &Found) -> bool {
        let (resolved, id) = (&self.session.resolved, self.key.id());
        let values = [(id.clone(), Arc::new(found.value.duplicate()))].into();
        let stored = Stored {
            values: &values,
            states: &BTreeMap::new(),
        };
        judge(resolved, id, stored, &BTreeSet::new()).contains(&Finding::Placeholder)
    }

    /// The value as it was given, and as the application reads it.
    fn value(&self) -> Result<(SecretValue, SecretValue)> {
        let given = match self.source.read(self.terminal)? {
            Some(given) => given,
            None => store::ask(self)?,
        };
        let value = store::make(self, &given)?;
        given::tell_forms(self.key.value, &given, self.terminal);
        Ok((given, value))
    }

    fn refuse_broken(&self, broken: &[ValueId], replaces: bool) -> Result<()> {
        if broken.is_empty() {
            return Ok(());
        }
        let id = self.key.id();
        let names: Vec<String> = broken.iter().map(|id| format!("`{id}`")).collect();
        let names = names.join(", ");
        let error = blocked(format!(
            "what is stored was made from another value of `{id}`: {names}; nothing was written"
        ));
        Err(if replaces {
            error.hint(format!(
                "remove {names} from the backend first; afterwards `seed apply` makes it from the new value"
            ))
        } else {
            error.hint(format!(
                "give the value that it was made from, or remove {names} from the backend"
            ))
        })
    }

    /// Creates it, and tells what else can be created now.
    async fn create(&self, seen: &mut Seen, given: SecretValue) -> Result<Told> {
        let waited: BTreeSet<ValueId> = waiting(&seen.plan);
        let mut wishes = self.wishes(given);
        let told = store::create(self, seen, &wishes).await?;
        wishes.selection = Selection::ALL;
        seen.plan_again(&self.session.resolved, &wishes);
        let steps = seen.plan.steps.iter();
        let can_create = steps
            .filter(|step| step.action == Action::Create && waited.contains(&step.id))
            .map(|step| step.id.clone());
        Ok(Told {
            can_create: can_create.collect(),
            ..told
        })
    }

    fn wishes(&self, given: SecretValue) -> Wishes {
        let id = self.key.id();
        Wishes {
            given: [(id.clone(), given)].into(),
            unchecked: store::unchecked(self),
            selection: self.this.clone(),
            concurrency: self.args.run.concurrency,
            ..Wishes::default()
        }
    }
}

fn waiting(plan: &Plan) -> BTreeSet<ValueId> {
    let waits = plan
        .steps
        .iter()
        .filter(|step| matches!(step.action, Action::Wait { .. }));
    waits.map(|step| step.id.clone()).collect()
}

pub(super) fn blocked(message: String) -> CliError {
    CliError::new(Exit::Blocked, message)
}
