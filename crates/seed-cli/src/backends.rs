//! The backends of one run: opened, confirmed, asked whose they are, and what there is to say of them at the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use seed_core::backend::{Confirm, Description};
use seed_engine::{Convergers, Identified, Providers, Replacers, Restorers};
use seed_provider::{Error, ErrorKind, Identity, Provider};

use crate::advice;
use crate::args::{ContractArgs, RunArgs};
use crate::confirm;
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::given;
use crate::load::Session;
use crate::registry::{self, Ground, Opened};
use crate::terminal::Terminal;

/// What a command asks of backends beside looking, reading and creating. Nothing, unless a flag says so.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Verbs {
    /// Whether values may be replaced.
    pub(crate) replace: bool,
    /// Whether what was deleted may be brought back.
    pub(crate) restore: bool,
    /// Whether the namespace that a backend keeps its values in may be created.
    pub(crate) create_namespace: bool,
}

/// Every backend that holds an entry, by its name in the contract.
pub(crate) struct Backends {
    /// What all commands may do.
    pub(crate) providers: Providers,
    /// Empty without [`Verbs::replace`].
    pub(crate) replacers: Replacers,
    /// Empty without [`Verbs::restore`]; otherwise those that can.
    pub(crate) restorers: Restorers,
    /// Those whose writes are only known to stand after a second look.
    pub(crate) convergers: Convergers,
    identities: BTreeMap<String, Identity>,
}

/// What a person should know about how calls were made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Note {
    /// The backend's name in the contract.
    pub(crate) backend: String,
    /// A sentence.
    pub(crate) text: String,
}

/// Who was asked, and what there is to say of the calls.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Each backend, in the order of their names in the contract.
    pub(crate) places: Vec<(String, Description)>,
    /// What a person should know.
    pub(crate) notes: Vec<Note>,
}

impl Backends {
    /// Opens them. Makes no call.
    ///
    /// `variable` is one that holds a given value, beside those that the contract or their names tell.
    pub(crate) fn open(
        session: &Session,
        contract: &ContractArgs,
        args: &RunArgs,
        verbs: Verbs,
        variable: Option<&str>,
    ) -> Result<Self> {
        let hidden = given::variables_with_values(&session.resolved, variable);
        let ground = Ground {
            root: &session.root,
            args,
            env: &Environment::read(),
            create_namespace: verbs.create_namespace,
            hidden: &hidden,
            contract,
        };
        let mut backends = Self {
            providers: Providers::new(),
            replacers: Replacers::new(),
            restorers: Restorers::new(),
            convergers: Convergers::new(),
            identities: BTreeMap::new(),
        };
        for (name, opened) in registry::open(&session.resolved, ground)? {
            backends.add(name, opened, verbs);
        }
        Ok(backends)
    }

    fn add(&mut self, name: String, opened: Opened, verbs: Verbs) {
        if let Some(replace) = opened.replace.filter(|_| verbs.replace) {
            self.replacers.insert(name.clone(), replace);
        }
        if let Some(restore) = opened.restore.filter(|_| verbs.restore) {
            self.restorers.insert(name.clone(), restore);
        }
        if let Some(converge) = opened.converge {
            self.convergers.insert(name.clone(), converge);
        }
        self.providers.insert(name, opened.provider);
    }

    /// Lets `work` use them, and says afterwards what there is to say about its calls.
    pub(crate) fn used<T>(mut self, terminal: Terminal, work: impl FnOnce(&mut Self) -> T) -> T {
        let done = work(&mut self);
        for Note { backend, text } in self.notes() {
            terminal.note(&format!("warning: `{backend}`: {text}"));
        }
        done
    }

    /// Makes sure, for a command that writes, that the places are meant which the contract does not name.
    pub(crate) async fn confirm_writes(
        &self,
        yes: bool,
        no_input: bool,
        terminal: Terminal,
    ) -> Result<()> {
        let unsure = self.unsure(|confirm| confirm != Confirm::Never);
        confirm::writing(&unsure, yes, no_input, terminal).await
    }

    /// Makes sure, for a command that only reads, that no credential of the environment goes where nobody meant it to.
    pub(crate) async fn confirm_reads(&self, terminal: Terminal) -> Result<()> {
        let unsure = self.unsure(|confirm| confirm == Confirm::BeforeCalls);
        confirm::reading(&unsure, terminal).await
    }

    fn unsure(&self, is_unsure: impl Fn(Confirm) -> bool) -> Vec<Description> {
        let places = self.providers.values().map(Provider::describe);
        places.filter(|place| is_unsure(place.confirm)).collect()
    }

    /// Asks each of them where and as whom calls are made. Nothing else is asked of one that cannot tell.
    ///
    /// Fails when one is not what the contract names; then no other call may be made.
    pub(crate) async fn identify(&mut self) -> Result<()> {
        let Identified { identities, errors } = seed_engine::identify(&self.providers).await;
        if let Some((name, err)) = errors
            .iter()
            .find(|(_, err)| err.kind() == ErrorKind::Misplaced)
        {
            return Err(elsewhere(name, err));
        }
        self.identities = identities;
        for (name, err) in errors {
            self.replacers.remove(&name);
            self.restorers.remove(&name);
            self.convergers.remove(&name);
            if let Some(provider) = self.providers.get_mut(&name) {
                *provider = seed_engine::unreached(Arc::clone(provider), err);
            }
        }
        Ok(())
    }

    /// Who they are, and what there is to say of the calls so far.
    pub(crate) fn asked(&self) -> Asked {
        Asked {
            places: self.places(),
            notes: self.notes(),
        }
    }

    /// Describes them, in the order of their names, with as whom calls are made as far as they told.
    pub(crate) fn places(&self) -> Vec<(String, Description)> {
        let place = |(name, provider): (&String, &Arc<dyn Provider>)| {
            let mut place = provider.describe();
            let who = self.identities.get(name).and_then(|it| it.who.clone());
            place.identity = who.or(place.identity);
            (name.clone(), place)
        };
        self.providers.iter().map(place).collect()
    }

    fn notes(&self) -> Vec<Note> {
        let notes = self.providers.iter().flat_map(|(name, provider)| {
            let note = |text| Note {
                backend: name.clone(),
                text,
            };
            provider.notes().into_iter().map(note)
        });
        notes.collect()
    }
}

fn elsewhere(name: &str, err: &Error) -> CliError {
    let error = CliError::usage(format!(
        "{} cannot be used as the contract names it; nothing was read or written",
        advice::called(name)
    ));
    let (what, next) = advice::parted(err);
    let next =
        next.unwrap_or("log in to the place that the contract names, or correct the contract");
    error.cause(what).hint(next)
}
