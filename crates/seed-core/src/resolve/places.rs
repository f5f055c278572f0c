//! Backends in use, and where each entry is kept.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::cluster;
use super::model::{Place, Request, ResolvedBackend, ResolvedEntry, ResolvedTarget, ResolvedValue};
use super::resolver::Resolver;
use crate::backend::{CaseRule, Kind};
use crate::contract::{Backend, Entry};
use crate::diagnostic::{Diagnostic, Span, Spanned, nearest};
use crate::name::EntryKey;

pub(super) struct Backends {
    pub(super) used: BTreeMap<String, ResolvedBackend>,
    pub(super) values: String,
    pub(super) manifests: Option<String>,
}

/// Finds out which backends are in use, and expands the settings of those only.
pub(super) fn choose(resolver: &mut Resolver<'_>, request: &Request) -> Option<Backends> {
    let (values, own) = match &request.backend {
        // The contract's own backend is of no concern, and facts that only it needs may be missing.
        Some(name) if request.values_only => (name.clone(), name.clone()),
        asked => {
            let own = contract_backend(resolver)?;
            (asked.clone().unwrap_or_else(|| own.clone()), own)
        }
    };
    // Without `--for`, `local` is for this machine only, and manifests read from the contract's own backend.
    let manifests = match &request.manifests_for {
        Some(name) => Some(name.clone()),
        None => [&values, &own]
            .into_iter()
            .find(|name| kind_of(resolver, name) != Some(Kind::Local))
            .cloned(),
    };
    let mut backends = Backends {
        used: BTreeMap::new(),
        values,
        manifests,
    };
    let names: Vec<(String, Span)> = own_backends(resolver);
    let wanted = [Some(backends.values.clone()), backends.manifests.clone()];
    let wanted = wanted
        .into_iter()
        .flatten()
        .map(|name| (name, Span::default()))
        .chain(names);
    for (name, span) in wanted.collect::<Vec<_>>() {
        if backends.used.contains_key(&name) {
            continue;
        }
        let backend = expand(resolver, &name, span);
        let backend = resolver.keep(backend)?;
        backends.used.insert(name, backend);
    }
    if let Some(name) = &backends.manifests
        && backends
            .used
            .get(name)
            .is_some_and(|backend| !backend.kind.is_store())
    {
        let message = format!("`{name}` is no store: External Secrets Operator cannot read it");
        resolver
            .diagnostics
            .push(Diagnostic::general(message).help("name another backend with `--for`"));
    }
    Some(backends)
}

fn contract_backend(resolver: &mut Resolver<'_>) -> Option<String> {
    match &resolver.contract.backend {
        Some(setting) => {
            let name = resolver.scope.text(setting);
            resolver.keep(name)
        }
        None => match resolver
            .contract
            .backends
            .iter()
            .collect::<Vec<_>>()
            .as_slice()
        {
            [] => Some("local".to_owned()),
            [(only, _)] => Some((*only).clone()),
            [(name, first), ..] => {
                let message =
                    "the contract has several `backends`, and does not say which is in use";
                let help = format!("add a line `backend: {name}`");
                let found = Diagnostic::error(message, first.span).help(help);
                resolver.diagnostics.push(found);
                None
            }
        },
    }
}

fn kind_of(resolver: &Resolver<'_>, name: &str) -> Option<Kind> {
    match resolver.contract.backends.get(name) {
        Some(backend) => Some(backend.kind),
        None => (name == "local").then_some(Kind::Local),
    }
}

/// The backends that active entries name for themselves.
fn own_backends(resolver: &mut Resolver<'_>) -> Vec<(String, Span)> {
    let mut names = Vec::new();
    for (key, entry) in &resolver.contract.secrets {
        let Some(setting) = entry
            .backend
            .as_ref()
            .filter(|_| super::entries::is_active(resolver, key))
        else {
            continue;
        };
        let name = resolver.scope.text(setting);
        if let Some(name) = resolver.keep(name)
            && name != "none"
        {
            names.push((name, setting.span));
        }
    }
    names
}

fn expand(resolver: &Resolver<'_>, name: &str, span: Span) -> Result<ResolvedBackend, Diagnostic> {
    let Some(backend) = resolver.contract.backends.get(name) else {
        if name == "local" {
            return Ok(default_local(resolver));
        }
        let message = format!("`{name}` is not declared under `backends`");
        let diagnostic = if span == Span::default() {
            Diagnostic::general(message)
        } else {
            Diagnostic::error(message, span)
        };
        return Err(
            match nearest(name, resolver.contract.backends.keys().map(String::as_str)) {
                Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
                None => diagnostic,
            },
        );
    };
    expand_declared(resolver, name, backend)
}

fn expand_declared(
    resolver: &Resolver<'_>,
    name: &str,
    backend: &Spanned<Backend>,
) -> Result<ResolvedBackend, Diagnostic> {
    let scope = &resolver.scope;
    let mut settings = scope.map(&backend.settings)?;
    if backend.kind == Kind::Local {
        match backend.settings.get("file") {
            Some(file) => super::resolver::checked_path(scope, file).map(drop)?,
            None => drop(settings.insert("file".to_owned(), default_file(resolver))),
        }
    }
    let own = backend.store.as_ref();
    let reference = own.and_then(|store| store.reference.as_ref());
    Ok(ResolvedBackend {
        name: name.to_owned(),
        kind: backend.kind,
        settings,
        prefix: backend
            .prefix
            .as_ref()
            .map(|prefix| scope.text(prefix))
            .transpose()?
            .unwrap_or_default(),
        labels: scope.map(&backend.labels)?,
        pace: backend.pace,
        store: reference.map(|store| resolver.store(store)).transpose()?,
        auth: scope.optional_json(own.and_then(|store| store.auth.as_ref()))?,
        service_account: own
            .and_then(|store| store.service_account.as_ref())
            .map(|annotations| scope.map(annotations))
            .transpose()?,
    })
}

/// `--backend local` works on every contract: a file of its own for each environment.
fn default_local(resolver: &Resolver<'_>) -> ResolvedBackend {
    ResolvedBackend {
        name: "local".to_owned(),
        kind: Kind::Local,
        settings: BTreeMap::from([("file".to_owned(), default_file(resolver))]),
        prefix: String::new(),
        labels: BTreeMap::new(),
        pace: crate::contract::PaceOverride::default(),
        store: None,
        auth: None,
        service_account: None,
    }
}

fn default_file(resolver: &Resolver<'_>) -> String {
    match resolver.scope.env {
        Some(env) => format!(".seed/{}-{env}.age", resolver.contract.name.value),
        None => format!(".seed/{}.age", resolver.contract.name.value),
    }
}

/// Where an entry's values are kept, and where manifests read them.
pub(super) fn of_entry(
    resolver: &Resolver<'_>,
    backends: &Backends,
    key: &EntryKey,
    entry: &Spanned<Entry>,
) -> Result<(Place, Option<Place>), Diagnostic> {
    let own = entry
        .backend
        .as_ref()
        .map(|setting| resolver.scope.text(setting))
        .transpose()?;
    if own.as_deref() == Some("none") {
        return Ok((Place::Nowhere, None));
    }
    let stored_key = entry
        .key
        .as_ref()
        .map(|setting| resolver.scope.text(setting))
        .transpose()?;
    let at = |name: &str| place(backends, name, key, stored_key.as_deref(), entry.span);
    let values = at(own.as_deref().unwrap_or(&backends.values))?;
    let manifest = match own.as_deref().or(backends.manifests.as_deref()) {
        Some(name) if kind_in(backends, name).is_some_and(Kind::is_store) => Some(at(name)?),
        _ => None,
    };
    Ok((values, manifest))
}

fn kind_in(backends: &Backends, name: &str) -> Option<Kind> {
    backends.used.get(name).map(|backend| backend.kind)
}

fn place(
    backends: &Backends,
    name: &str,
    key: &EntryKey,
    stored_key: Option<&str>,
    span: Span,
) -> Result<Place, Diagnostic> {
    let Some(backend) = backends.used.get(name) else {
        return Err(Diagnostic::error(
            format!("`{name}` is not declared under `backends`"),
            span,
        ));
    };
    let stored = backend.kind.stored_name(&backend.prefix, key, stored_key);
    let stored = stored.map_err(|err| {
        Diagnostic::error(err.to_string(), span)
            .help("rename the secret, or give its stored name with `key:`")
    })?;
    let mount = backend.settings.get("mount").map(String::as_str);
    if backend.kind == Kind::Vault && stored.as_str().split('/').next() == mount {
        let message = format!("the stored name `{stored}` begins with the mount's own name");
        return Err(Diagnostic::error(message, span)
            .help("External Secrets Operator would cut it off; give another `prefix`"));
    }
    Ok(Place::Backend {
        backend: name.to_owned(),
        kind: backend.kind,
        name: stored,
    })
}

/// What is kept in no backend, and under no key of its own in a Secret that `seed` writes itself, cannot be read back,
/// so nothing that is stored can be made from it.
pub(super) fn refuse_unreadable(
    resolver: &mut Resolver<'_>,
    entries: &IndexMap<EntryKey, ResolvedEntry>,
    targets: &[ResolvedTarget],
) {
    let nowhere = |key: &EntryKey| {
        let place = entries.get(key).and_then(|entry| entry.place.as_ref());
        matches!(place, Some(Place::Nowhere))
    };
    for entry in entries.values().filter(|entry| !nowhere(&entry.key)) {
        for source in entry.values.iter().flat_map(ResolvedValue::reads) {
            if nowhere(&source.entry) && !cluster::keeps(entries, targets, source) {
                let declared = resolver.contract.secrets.get(&entry.key);
                let span = declared.map_or_else(Span::default, |entry| entry.span);
                let message = format!(
                    "`{}` is made from `{source}`, which is kept in no backend",
                    entry.key
                );
                resolver.diagnostics.push(
                    Diagnostic::error(message, span)
                        .help("give both a backend, or neither: `backend: none`; or deliver a Secret directly that holds it under a key of its own"),
                );
            }
        }
    }
}

/// Two active entries with one stored name would overwrite or share a value.
pub(super) fn refuse_collisions(
    resolver: &mut Resolver<'_>,
    entries: &IndexMap<EntryKey, ResolvedEntry>,
) {
    let mut seen: BTreeMap<(String, String), &EntryKey> = BTreeMap::new();
    let mut told: Vec<(&EntryKey, &EntryKey)> = Vec::new();
    for entry in entries.values() {
        for place in [&entry.place, &entry.manifest_place].into_iter().flatten() {
            let Place::Backend {
                backend,
                kind,
                name,
            } = place
            else {
                continue;
            };
            let identity = kind.rule().identity(name.as_str());
            let Some(first) = seen.insert((backend.clone(), identity), &entry.key) else {
                continue;
            };
            if *first == entry.key || told.contains(&(first, &entry.key)) {
                continue;
            }
            told.push((first, &entry.key));
            let span = |key| {
                resolver
                    .contract
                    .secrets
                    .get(key)
                    .map_or_else(Span::default, |entry| entry.span)
            };
            let other_case = kind.rule().case == CaseRule::Insensitive
                && first.as_str() != entry.key.as_str()
                && first.as_str().eq_ignore_ascii_case(entry.key.as_str());
            let why = if other_case {
                ", where upper and lower case are the same"
            } else {
                ""
            };
            let message = format!(
                "`{first}` and `{}` are both stored as `{name}` in {backend}{why}",
                entry.key
            );
            let diagnostic = Diagnostic::error(message, span(&entry.key))
                .context(span(first), "the first is here");
            resolver
                .diagnostics
                .push(diagnostic.help("rename one, or give it another stored name with `key:`"));
        }
    }
}

/// Where facts change with the environment and the backend's address does not, two environments share one place.
pub(super) fn warn_shared(resolver: &mut Resolver<'_>, backends: &Backends) {
    let by_environment = |text: &crate::text::Template| text.references().next().is_some();
    let config = resolver
        .contract
        .config_files
        .iter()
        .any(|file| by_environment(&file.value));
    if !config {
        return;
    }
    for (name, backend) in &resolver.contract.backends {
        if !backends.used.contains_key(name) {
            continue;
        }
        let texts = backend.settings.values().chain(&backend.prefix);
        if texts.clone().any(|setting| by_environment(&setting.value))
            || (backend.kind == Kind::Local && backend.settings.is_empty())
        {
            continue;
        }
        let message = format!(
            "every environment shares the place of `{name}`: nothing in it changes with `${{env}}` or a fact"
        );
        let diagnostic = Diagnostic::warning(message, backend.span);
        resolver
            .diagnostics
            .push(diagnostic.help("put `${env}` into its address, project, prefix or file"));
    }
}
