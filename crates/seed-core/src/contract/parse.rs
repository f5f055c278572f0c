//! The top level of a contract, and its settings.

use indexmap::IndexMap;

use super::metadata::Metadata;
use super::model::{
    Backend, BackendStore, Cluster, Contract, Deletion, EmitDefaults, PaceOverride, Refresh,
    Setting, StoreKind, StoreRef,
};
use super::reader::{Context, Fields};
use super::{files, references, secrets, targets};
use crate::backend::Kind;
use crate::condition::{Condition, ConditionError};
use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};
use crate::duration::GoDuration;
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

fn dns_label(cx: &mut Context<'_>, node: &Node) -> Option<Spanned<String>> {
    let name = cx.text(node)?;
    if is_dns_label(&name) {
        return Some(name);
    }
    cx.push(
        Diagnostic::error(format!("`{}` is not a DNS label", name.value), node.span)
            .help("use at most 63 lower-case letters, digits and `-`, beginning and ending with a letter or a digit"),
    );
    None
}

/// RFC 1123: what a namespace and a contract may be called.
pub(crate) fn is_dns_label(name: &str) -> bool {
    name.len() <= 63 && !name.contains('.') && is_dns_subdomain(name)
}

/// RFC 1123: what most Kubernetes objects may be called.
pub(crate) fn is_dns_subdomain(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let edge = |c: Option<char>| c.is_some_and(|c| c != '-');
    name.len() <= 253
        && name.split('.').all(|label| {
            label.chars().all(inner) && edge(label.chars().next()) && edge(label.chars().last())
        })
}

/// Tells whether a word can name an environment: `[A-Za-z0-9][A-Za-z0-9_-]{0,62}`.
pub fn is_environment_name(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn environment_name(cx: &mut Context<'_>, node: &Node) -> Option<Spanned<String>> {
    let name = cx.text(node)?;
    if is_environment_name(&name) {
        return Some(name);
    }
    cx.push(
        Diagnostic::error(
            format!("`{}` cannot name an environment", name.value),
            node.span,
        )
        .help("use letters, digits, `-` and `_`, at most 63, beginning with a letter or a digit"),
    );
    None
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

/// Reads one CEL expression.
pub(super) fn condition(cx: &mut Context<'_>, node: &Node) -> Option<Spanned<Condition>> {
    // `when: true` is a boolean to YAML and a CEL literal to everybody else.
    let text = match node.as_scalar() {
        None => return cx.expected("a condition", node),
        Some(scalar) if scalar.text == "true" || scalar.text == "false" => {
            Spanned::new(scalar.text.clone(), node.span)
        }
        _ => cx.text(node)?,
    };
    match cx.condition(&text) {
        Ok(condition) => Some(Spanned::new(condition, node.span)),
        Err(err) => {
            cx.push(condition_diagnostic(&err, node.span, &text, cx.source));
            None
        }
    }
}

/// Puts an error of a condition at its place in the file.
pub(crate) fn condition_diagnostic(
    err: &ConditionError,
    span: Span,
    text: &str,
    source: &str,
) -> Diagnostic {
    let at = |start: usize, length: usize| {
        let inside = source
            .get(span.start..span.end)
            .and_then(|written| written.find(text));
        inside.map_or(span, |offset| {
            let start = (span.start + offset + start).min(span.end);
            Span::new(start, (start + length).min(span.end))
        })
    };
    match err {
        ConditionError::Syntax { at: offset, .. } => {
            // What is missing at the end is shown at the last character: behind it another line may begin.
            let last = text.char_indices().next_back().map_or(0, |(last, _)| last);
            let offset = (*offset).min(last);
            let found = text.get(offset..).and_then(|rest| rest.chars().next());
            let length = found.map_or(1, char::len_utf8);
            Diagnostic::error(err.to_string(), at(offset, length))
        }
        ConditionError::Function(name) => {
            let place = text
                .find(&format!("{name}("))
                .map_or(span, |offset| at(offset, name.len()));
            Diagnostic::error(err.to_string(), place).help(
                "CEL has `size`, `contains`, `startsWith`, `endsWith`, `matches`, `has`, `in`, `all` and `exists`",
            )
        }
        ConditionError::Fact { path, hyphen, .. } => {
            let place = text
                .find(path.as_str())
                .map_or(span, |offset| at(offset, path.len()));
            let diagnostic = Diagnostic::error(err.to_string(), place);
            match hyphen {
                Some(hyphen) => diagnostic.help(read_as_minus(hyphen)),
                None => diagnostic,
            }
        }
        ConditionError::Name(name) => {
            let place = text
                .find(name.as_str())
                .map_or(span, |offset| at(offset, name.len()));
            let diagnostic = Diagnostic::error(err.to_string(), place);
            match hyphenated_fact(text, name) {
                Some(fact) => diagnostic.help(read_as_minus(&fact)),
                None => {
                    diagnostic.help("define it under `conditions`, or write `config.…` for a fact")
                }
            }
        }
        ConditionError::Environment => Diagnostic::error(err.to_string(), span)
            .help("give one with `--env`, SEED_ENV, or top-level `env:`"),
        ConditionError::Evaluation(_) | ConditionError::NotBoolean { .. } => {
            Diagnostic::error(err.to_string(), span)
        }
    }
}

fn read_as_minus(fact: &str) -> String {
    format!("CEL reads the hyphen as a minus; write `{fact}`")
}

/// For a name that is the end of `config.features.llm-d`: the way to write that fact.
fn hyphenated_fact(text: &str, name: &str) -> Option<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let fact = text
        .split(|c: char| !word(c))
        .find(|word| word.starts_with("config.") && word.ends_with(&format!("-{name}")))?;
    let (parents, last) = fact.rsplit_once('.')?;
    Some(format!("{parents}[\"{last}\"]"))
}

fn conditions(cx: &mut Context<'_>, node: &Node) -> Option<IndexMap<String, Spanned<Condition>>> {
    let mut conditions = IndexMap::new();
    for (key, value) in cx.pairs(node)? {
        let name = key.text().unwrap_or_default();
        let identifier = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !identifier || ["config", "env", "true", "false", "null", "in", "has"].contains(&name) {
            cx.push(
                Diagnostic::error(format!("`{name}` cannot name a condition"), key.span)
                    .help("use letters, digits and `_`, but not `config` or `env`"),
            );
            continue;
        }
        if let Some(condition) = condition(cx, value) {
            conditions.insert(name.to_owned(), condition);
        }
    }
    Some(conditions)
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
    let reference = if fields.has("kind") || fields.has("name") {
        store_fields(cx, &mut fields)
    } else {
        // Asked for, so that the message about an unknown field lists them.
        fields.take("kind").or(fields.take("name"));
        None
    };
    fields.finish(cx, false);
    Some(Spanned::new(BackendStore { reference, auth }, node.span))
}

/// Reads `{kind, name}`.
pub(super) fn store_ref(cx: &mut Context<'_>, node: &Node) -> Option<Spanned<StoreRef>> {
    let mut fields = Fields::open(cx, node, "a store")?;
    let store = store_fields(cx, &mut fields);
    fields.finish(cx, false);
    store.map(|store| Spanned::new(store, node.span))
}

fn store_fields(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<StoreRef> {
    let kind = match fields.take("kind") {
        Some(node) => cx.word(node, &StoreKind::WORDS)?.value,
        None => StoreKind::ClusterSecretStore,
    };
    let name = fields
        .require(cx, "name")
        .and_then(|node| cx.settings_template(node))?;
    Some(StoreRef { kind, name })
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

/// Reads a mapping of text by name.
pub(super) fn labels(
    cx: &mut Context<'_>,
    fields: &mut Fields<'_>,
    field: &'static str,
) -> IndexMap<String, Setting> {
    let mut labels = IndexMap::new();
    for (key, value) in fields.read(cx, field, Context::pairs).unwrap_or_default() {
        if let Some(value) = cx.settings_template(value) {
            labels.insert(key.text().unwrap_or_default().to_owned(), value);
        }
    }
    labels
}

/// Reads a Go duration and gives back its canonical form.
pub(super) fn interval(cx: &mut Context<'_>, node: &Node) -> Option<Spanned<String>> {
    let text = match (&node.kind, node.text()) {
        (NodeKind::Scalar(_), Some("0")) => Spanned::new("0".to_owned(), node.span),
        _ => cx.text(node)?,
    };
    let Some(duration) = GoDuration::parse(&text) else {
        let message = format!("`{}` is no duration", text.value);
        cx.push(Diagnostic::error(message, node.span).help("write it like `1h`, `15m` or `30s`"));
        return None;
    };
    Some(Spanned::new(duration.canonical(), node.span))
}

/// Whether a tree has a `${…}` anywhere, so that its content is known only with facts.
pub(super) fn has_reference(node: &Node) -> bool {
    node.any_scalar(&mut |scalar| scalar.text.contains("${"))
}
