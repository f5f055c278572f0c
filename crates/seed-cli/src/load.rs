//! From the command line to a resolved contract.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use seed_core::backend::Kind;
use seed_core::contract::{self, Contract};
use seed_core::diagnostic::{Diagnostic, Diagnostics, Position, list, nearest};
use seed_core::facts::Facts;
use seed_core::resolve::{self, Request, Resolved, Scope};

use crate::args::{ClusterArgs, ContractArgs};
use crate::error::{CliError, Result};
use crate::fence::Fence;
use crate::render;
use crate::terminal::Terminal;
use crate::text_file::{self, Unreadable};

/// A contract as it is written.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Its path, as shown.
    pub(crate) path: String,
    /// Its text.
    pub(crate) source: String,
    /// What it says.
    pub(crate) contract: Contract,
    /// What is odd about it.
    pub(crate) warnings: Diagnostics,
    /// The directory it stands in.
    directory: PathBuf,
    /// What it cannot lead out of.
    fence: Fence,
    /// The cluster, if Secrets are written there too.
    cluster: Option<ClusterArgs>,
}

/// A contract for one environment.
#[derive(Debug)]
pub(crate) struct Session {
    /// As it is written.
    pub(crate) loaded: Loaded,
    /// With nothing left to decide but what is there.
    pub(crate) resolved: Arc<Resolved>,
    /// Base of every path.
    pub(crate) root: PathBuf,
}

/// Reads the contract.
pub(crate) fn contract(args: &ContractArgs) -> Result<Loaded> {
    let path = args.contract.display().to_string();
    let source =
        text_file::read(&args.contract).map_err(|err| no_contract(&args.contract, &err))?;
    let fence = Fence::around(&args.contract)?;
    let directory = args
        .contract
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default();
    match contract::parse(&source) {
        Ok((contract, warnings)) => Ok(Loaded {
            path,
            source,
            contract,
            warnings,
            directory,
            fence,
            cluster: None,
        }),
        Err(diagnostics) => Err(CliError::Text {
            path,
            source,
            diagnostics,
        }),
    }
}

fn no_contract(path: &Path, err: &Unreadable) -> CliError {
    const OTHER: &str = "name another with `--contract FILE`, or in SEED_CONTRACT";
    let shown = path.display();
    match err {
        Unreadable::Io(err) => {
            let error = CliError::usage(format!("cannot read the contract `{shown}`")).because(err);
            if err.kind() == ErrorKind::NotFound {
                error.hint("name it with `--contract FILE`, or in SEED_CONTRACT")
            } else {
                error.hint(OTHER)
            }
        }
        Unreadable::NotText { place, hint } => {
            CliError::usage(format!("{shown}{place}: the contract is not UTF-8 text")).hint(*hint)
        }
        Unreadable::TooLarge => {
            let limit = text_file::limit();
            CliError::usage(format!("the contract `{shown}` is larger than {limit}")).hint(OTHER)
        }
    }
}

impl Loaded {
    /// Includes the Secrets that are written to the cluster directly, if that is asked for.
    pub(crate) fn including(mut self, args: &ClusterArgs) -> Self {
        self.cluster = args.cluster.then(|| args.clone());
        self
    }

    /// Decides everything that the environment and the facts decide.
    pub(crate) fn resolve(
        self,
        args: &ContractArgs,
        manifests_for: Option<&str>,
    ) -> Result<Session> {
        let resolved = self.resolved(args, args.backend.clone(), manifests_for)?;
        self.session(resolved)
    }

    /// The same for a command that writes no manifests, and so needs nothing that only they need.
    pub(crate) fn resolve_values(self, args: &ContractArgs) -> Result<Session> {
        let request = Request {
            backend: args.backend.clone(),
            values_only: true,
            ..Request::default()
        };
        let resolved = self.decide(args, request)?;
        self.session(resolved)
    }

    fn session(self, (mut resolved, warnings): (Resolved, Diagnostics)) -> Result<Session> {
        let named = self.cluster.as_ref().and_then(|args| args.context.clone());
        if let (Some(cluster), Some(named)) = (&mut resolved.cluster, named) {
            cluster.context = Some(named);
        }
        let root = below(&self.directory, &resolved.root);
        self.fence.check("the root", &root)?;
        for backend in resolved.backends.values() {
            if let (Kind::Local, Some(file)) = (backend.kind, backend.settings.get("file")) {
                self.fence.check("the local store", &root.join(file))?;
            }
        }
        let mut loaded = self;
        loaded.warnings.extend(warnings);
        Ok(Session {
            loaded,
            resolved: Arc::new(resolved),
            root,
        })
    }

    /// The contract with its values in another backend.
    pub(crate) fn resolved(
        &self,
        args: &ContractArgs,
        backend: Option<String>,
        manifests_for: Option<&str>,
    ) -> Result<(Resolved, Diagnostics)> {
        let request = Request {
            backend,
            manifests_for: manifests_for.map(str::to_owned),
            ..Request::default()
        };
        self.decide(args, request)
    }

    fn decide(&self, args: &ContractArgs, request: Request) -> Result<(Resolved, Diagnostics)> {
        for name in [&request.backend, &request.manifests_for] {
            self.refuse_undeclared(name.as_deref())?;
        }
        let env = environment(&self.contract, args)?;
        let facts = self.facts(args, env.as_deref())?;
        let request = Request {
            env,
            facts,
            cluster: self.cluster.is_some(),
            ..request
        };
        resolve::resolve(&self.contract, &self.source, &request)
            .map_err(|diagnostics| self.error(diagnostics))
    }

    /// A backend that only the command line names is no mistake of the contract.
    fn refuse_undeclared(&self, name: Option<&str>) -> Result<()> {
        let mut known: Vec<&str> = self.contract.backends.keys().map(String::as_str).collect();
        if !known.contains(&"local") {
            known.push("local");
        }
        let Some(name) = name.filter(|name| !known.contains(name)) else {
            return Ok(());
        };
        let begins = || {
            known
                .iter()
                .find(|known| !name.is_empty() && known.starts_with(name))
        };
        let meant = nearest(name, known.iter().copied()).or_else(|| begins().copied());
        let error = CliError::usage(format!("`{name}` is not declared under `backends`"));
        Err(match meant {
            Some(meant) => error.hint(format!("did you mean `{meant}`?")),
            None => error.hint(format!("there are {}", list(known))),
        })
    }

    fn facts(&self, args: &ContractArgs, env: Option<&str>) -> Result<Facts> {
        let mut facts = self.contract.defaults.clone();
        for path in self.facts_files(args, env)? {
            if args.config.is_empty() {
                self.fence.check("the facts file", &path)?;
            }
            facts.merge(read_facts(&path)?);
        }
        for (list, flag) in [(&args.set, "--set"), (&args.set_string, "--set-string")] {
            for setting in list {
                let Some((path, value)) = setting.split_once('=') else {
                    return Err(CliError::usage(format!("`{setting}` is no `path=value`")));
                };
                let set = if flag == "--set-string" {
                    facts.set_text(path, value)
                } else {
                    facts.set(path, value)
                };
                set.map_err(|err| {
                    CliError::usage(format!("`{flag} {setting}` does not work")).because(&err)
                })?;
            }
        }
        Ok(facts)
    }

    fn facts_files(&self, args: &ContractArgs, env: Option<&str>) -> Result<Vec<PathBuf>> {
        if !args.config.is_empty() {
            return Ok(args.config.clone());
        }
        let scope = Scope {
            facts: &self.contract.defaults,
            env,
            source: &self.source,
        };
        let root = self
            .contract
            .root
            .as_ref()
            .map(|root| resolve::checked_root(&scope, root))
            .transpose();
        let root = root.map_err(|err| self.error(err.into()))?;
        let base = root.map_or_else(
            || self.directory.clone(),
            |root| below(&self.directory, &root),
        );
        let files = resolve::config_files(&self.contract, &self.source, env)
            .map_err(|err| self.error(err.into()))?;
        Ok(files.into_iter().map(|file| base.join(file)).collect())
    }

    fn error(&self, diagnostics: Diagnostics) -> CliError {
        CliError::Text {
            path: self.path.clone(),
            source: self.source.clone(),
            diagnostics,
        }
    }

    /// Shows warnings about the contract.
    pub(crate) fn warn(&self, warnings: &Diagnostics, terminal: Terminal) {
        if !warnings.is_empty() {
            terminal.warning(&render::warnings(&self.path, &self.source, warnings));
        }
    }
}

impl Session {
    /// Shows what is odd about the contract.
    pub(crate) fn warn(&self, terminal: Terminal) {
        self.loaded.warn(&self.loaded.warnings, terminal);
    }
}

/// `directory/root` without the `..` that a shorter path says as well. Where a symbolic link is in the way, `..` stays.
fn below(directory: &Path, root: &str) -> PathBuf {
    let mut path = directory.to_path_buf();
    for part in Path::new(root).components() {
        let named = matches!(path.components().next_back(), Some(Component::Normal(_)))
            && !path.is_symlink();
        match part {
            Component::CurDir => {}
            Component::ParentDir if named => drop(path.pop()),
            Component::Normal(_)
            | Component::ParentDir
            | Component::Prefix(_)
            | Component::RootDir => path.push(part),
        }
    }
    path
}

fn environment(contract: &Contract, args: &ContractArgs) -> Result<Option<String>> {
    match resolve::environment(contract, args.env.as_deref()) {
        Some(env) if contract::is_environment_name(&env) => Ok(Some(env)),
        None => Ok(None),
        Some(env) => Err(
            CliError::usage(format!("`{env}` cannot name an environment")).hint(
                "use letters, digits, `-` and `_`, at most 63, beginning with a letter or a digit",
            ),
        ),
    }
}

fn read_facts(path: &Path) -> Result<Facts> {
    let shown = path.display().to_string();
    let source = text_file::read(path).map_err(|err| no_facts(&shown, &err))?;
    // Only the place is shown: a contract of somebody else's may name a file that is no facts file at all.
    Facts::parse(&source).map_err(|diagnostic: Diagnostic| {
        let place = diagnostic.span.map_or_else(String::new, |span| {
            let at = Position::of(&source, span.start);
            format!(":{}:{}", at.line, at.column)
        });
        let error = CliError::usage(format!("{shown}{place}: {}", diagnostic.message));
        match diagnostic.help {
            Some(help) => error.hint(help),
            None => error,
        }
    })
}

fn no_facts(shown: &str, err: &Unreadable) -> CliError {
    const OTHER: &str = "check `--env`, or name another file with `--config`";
    match err {
        Unreadable::Io(err) => CliError::usage(format!("cannot read the facts file `{shown}`"))
            .because(err)
            .hint(OTHER),
        Unreadable::NotText { place, hint } => {
            CliError::usage(format!("{shown}{place}: the facts are not UTF-8 text")).hint(*hint)
        }
        Unreadable::TooLarge => {
            let limit = text_file::limit();
            CliError::usage(format!("the facts file `{shown}` is larger than {limit}")).hint(OTHER)
        }
    }
}
