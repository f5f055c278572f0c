//! What several parts of a contract are read with: names, stores, labels, durations.

use indexmap::IndexMap;

use super::model::{Setting, StoreKind, StoreRef};
use super::reader::{Context, Fields};
use crate::diagnostic::{Diagnostic, Spanned};
use crate::duration::GoDuration;
use crate::yaml::{Node, NodeKind};

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

/// Reads what a namespace and a contract may be called.
pub(super) fn dns_label(cx: &mut Context<'_>, node: &Node) -> Option<Spanned<String>> {
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

/// Reads the name of an environment.
pub(super) fn environment_name(cx: &mut Context<'_>, node: &Node) -> Option<Spanned<String>> {
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

/// Reads `{kind, name}`.
pub(super) fn store_ref(cx: &mut Context<'_>, node: &Node) -> Option<Spanned<StoreRef>> {
    let mut fields = Fields::open(cx, node, "a store")?;
    let store = store_fields(cx, &mut fields);
    fields.finish(cx, false);
    store.map(|store| Spanned::new(store, node.span))
}

/// Reads `kind` and `name` from among other fields.
pub(super) fn store_fields(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<StoreRef> {
    let kind = match fields.take("kind") {
        Some(node) => cx.word(node, &StoreKind::WORDS)?.value,
        None => StoreKind::ClusterSecretStore,
    };
    let name = fields
        .require(cx, "name")
        .and_then(|node| cx.settings_template(node))?;
    Some(StoreRef { kind, name })
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
