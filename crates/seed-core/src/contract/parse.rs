//! The top level of a contract, and its settings.

use indexmap::IndexMap;

use super::common::{dns_label, environment_name, interval, labels, store_fields, store_ref};
use super::conditions::conditions;
use super::metadata::Metadata;
use super::model::{
    Backend, BackendStore, Cluster, Contract, Deletion, EmitDefaults, PaceOverride, Refresh,
    Setting,
};
use super::reader::{Context, Fields};
use super::{files, references, secrets, targets};
use crate::backend::Kind;
use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::facts::Facts;
use crate::yaml::{Limits, Node, NodeKind, parse as parse_yaml};

/// Reads a contract. Gives it back with the warnings, or everything that is wrong with it.
pub fn parse(source: &str) -> Result<(Contract, Diagnostics), Diagnostics> {
    let node = parse_yaml(source, Limits::default())?;
    if matches!(&node.kind, NodeKind::Mapping(pairs) if pairs.is_empty()) {
        let found = Diagnostic::error("the contract is empty", node.span);
        return Err(found.help("begin with `version: 1` and `name: …`").into());
    }
    let mut cx = Context::new(source);
    let contract = contract(&mut cx, &node);
    if let (Some(contract), false) = (&contract, cx.diagnostics.has_errors()) {
        references::check(&mut cx, contract);
    }
    cx.diagnostics.into_result(contract)
}

fn contract(cx: &mut Context<'_>, node: &Node) -> Option<Contract> {
    let mut fields = Fields::open(cx, node, "a contract")?;
    version(cx, &mut fields);
    let name = fields
        .require(cx, "name")
        .and_then(|node| dns_label(cx, node));
    let root = fields.read(cx, "root", root);
    let env = fields.read(cx, "env", environment_name);
    let (config_files, defaults) = fields
        .take("config")
        .map(|node| config(cx, node))
        .unwrap_or_default();
    let conditions = fields
        .read(cx, "conditions", conditions)
        .unwrap_or_default();
    let backend = fields.read(cx, "backend", Context::settings_template);
    let backends = fields.read(cx, "backends", backends).unwrap_or_default();
    let store = fields.read(cx, "store", store_ref);
    let cluster = fields.read(cx, "cluster", cluster);
    let emit = fields.read(cx, "emit", emit_defaults).unwrap_or_default();
    let secrets = fields
        .read(cx, "secrets", secrets::secrets)
        .unwrap_or_default();
    let targets = fields
        .read(cx, "targets", targets::targets)
        .unwrap_or_default();
    let files = fields.read(cx, "files", files::files).unwrap_or_default();
    fields.finish(cx, true);
    Some(Contract {
        name: name?,
        root,
        env,
        config_files,
        defaults,
        conditions,
        backend,
        backends,
        store,
        cluster,
        emit,
        secrets,
        targets,
        files,
    })
}

/// The base of every path. It may lie above the contract, but nowhere that depends on the machine.
fn root(cx: &mut Context<'_>, node: &Node) -> Option<Setting> {
    let root = cx.settings_template(node)?;
    if let Some(Err(message)) = root.as_literal().map(refuse_root) {
        cx.push(Diagnostic::error(message, node.span).help(ROOT_HELP));
    }
    Some(root)
}

pub(crate) const ROOT_HELP: &str = "write it like `.`, `..` or `../platform`";

/// Tells why a path cannot be `root`, if it cannot: it is relative, and goes up only at its beginning.
pub(crate) fn refuse_root(path: &str) -> Result<(), String> {
    let relative = !path.starts_with(['/', '~']) && !path.contains('\\');
    let mut below = path.split('/').skip_while(|part| *part == "..");
    if path.is_empty() {
        Err("`root` is empty".to_owned())
    } else if !relative {
        Err(format!(
            "`root` is relative to the contract's directory, and `{path}` is not"
        ))
    } else if below.any(|part| part == "..") {
        Err(format!("`{path}` goes down and up again"))
    } else {
        Ok(())
    }
}

fn version(cx: &mut Context<'_>, fields: &mut Fields<'_>) {
    let Some(node) = fields.require(cx, "version") else {
        return;
    };
    if let Some(version) = cx.integer(node, i64::MIN..=i64::MAX)
        && version.value != 1
    {
        let message = format!(
            "this version of seed reads contracts of version 1, not {}",
            version.value
        );
        let help = "write `version: 1`, or use a version of seed that knows this one";
        cx.push(Diagnostic::error(message, node.span).help(help));
    }
}

fn config(cx: &mut Context<'_>, node: &Node) -> (Vec<Setting>, Facts) {
    let Some(mut fields) = Fields::open(cx, node, "`config`") else {
        return Default::default();
    };
    let files = fields.list(cx, "files", Context::settings_template);
    let defaults = match fields.take("defaults").map(Facts::from_node) {
        Some(Ok(facts)) => facts,
        Some(Err(diagnostic)) => {
            cx.push(diagnostic);
            Facts::default()
        }
        None => Facts::default(),
    };
    fields.finish(cx, false);
    (files, defaults)
}

fn backends(cx: &mut Context<'_>, node: &Node) -> Option<IndexMap<String, Spanned<Backend>>> {
    let mut backends = IndexMap::new();
    for (key, value) in cx.pairs(node)? {
        let name = key.text().unwrap_or_default();
        if name == "none" {
            cx.push(Diagnostic::error(
                "`none` stands for no backend and cannot name one",
                key.span,
            ));
            continue;
        }
        if let Some(backend) = backend(cx, name, key, value) {
            backends.insert(name.to_owned(), Spanned::new(backend, key.span));
        }
    }
    Some(backends)
}

fn backend(cx: &mut Context<'_>, name: &str, key: &Node, node: &Node) -> Option<Backend> {
    let mut fields = Fields::open(cx, node, "a backend")?;
    let kind = match fields.take("kind") {
        Some(node) => cx.parsed::<Kind>(node)?.value,
        None => match name.parse() {
            Ok(kind) => kind,
            Err(err) => {
                let diagnostic = Diagnostic::error(format!("{err}"), key.span);
                cx.push(diagnostic.help("a backend of another name says its `kind`"));
                return None;
            }
        },
    };
    let mut settings = IndexMap::new();
    for setting in kind.settings() {
        if let Some(value) = fields
            .take(setting)
            .and_then(|node| cx.settings_template(node))
        {
            settings.insert((*setting).to_owned(), value);
        }
    }
    let prefix = fields.read(cx, "prefix", Context::settings_template);
    let labels = labels(cx, &mut fields, "labels");
    let pace = fields.read(cx, "pace", pace).unwrap_or_default();
    let store = fields.read(cx, "store", backend_store);
    fields.finish(cx, false);
    Some(Backend {
        kind,
        settings,
        prefix,
        labels,
        pace,
        store,
    })
}

fn pace(cx: &mut Context<'_>, node: &Node) -> Option<PaceOverride> {
    let mut fields = Fields::open(cx, node, "`pace`")?;
    let mut a_minute = |cx: &mut Context<'_>, field| {
        fields
            .take(field)
            .and_then(|node| cx.integer(node, 1..=1_000_000))
            .and_then(|number| u32::try_from(number.value).ok())
    };
    let pace = PaceOverride {
        reads: a_minute(cx, "reads"),
        writes: a_minute(cx, "writes"),
    };
    fields.finish(cx, false);
    Some(pace)
}

fn backend_store(cx: &mut Context<'_>, node: &Node) -> Option<Spanned<BackendStore>> {
    let mut fields = Fields::open(cx, node, "a store")?;
    let auth = fields.read(cx, "auth", Context::block);
    let service_account = fields.read(cx, "service-account", service_account);
    let reference = if fields.has("kind") || fields.has("name") {
        store_fields(cx, &mut fields)
    } else {
        // Asked for, so that the message about an unknown field lists them.
        fields.take("kind").or(fields.take("name"));
        None
    };
    fields.finish(cx, false);
    let store = BackendStore {
        reference,
        auth,
        service_account,
    };
    Some(Spanned::new(store, node.span))
}

fn service_account(cx: &mut Context<'_>, node: &Node) -> Option<IndexMap<String, Setting>> {
    let mut fields = Fields::open(cx, node, "`service-account`")?;
    let annotations = Metadata::Annotations.read(cx, &mut fields);
    fields.finish(cx, false);
    Some(annotations)
}

fn cluster(cx: &mut Context<'_>, node: &Node) -> Option<Spanned<Cluster>> {
    let mut fields = Fields::open(cx, node, "`cluster`")?;
    let context = fields.read(cx, "context", Context::settings_template);
    let server = fields.read(cx, "server", Context::settings_template);
    fields.finish(cx, false);
    Some(Spanned::new(Cluster { context, server }, node.span))
}

fn emit_defaults(cx: &mut Context<'_>, node: &Node) -> Option<EmitDefaults> {
    let mut fields = Fields::open(cx, node, "`emit`")?;
    let labels = Metadata::Labels.read(cx, &mut fields);
    let annotations = Metadata::Annotations.read(cx, &mut fields);
    let interval = fields.read(cx, "interval", interval);
    let refresh = fields.word(cx, "refresh", &Refresh::WORDS);
    let deletion = fields.word(cx, "deletion", &Deletion::WORDS);
    fields.finish(cx, false);
    Some(EmitDefaults {
        labels,
        annotations,
        interval,
        refresh,
        deletion,
    })
}
