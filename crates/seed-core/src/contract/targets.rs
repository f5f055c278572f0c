//! `targets`: one entry per Kubernetes Secret.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::common::{interval, is_dns_label, is_dns_subdomain, store_ref};
use super::conditions::condition;
use super::metadata::Metadata;
use super::model::{Creation, Deletion, Refresh, Setting, Target};
use super::reader::{Context, Fields};
use crate::diagnostic::{Diagnostic, Span, Spanned};
use crate::text::{Filter, Subject, Template};
use crate::yaml::{Node, ScalarType};

pub(super) fn targets(
    cx: &mut Context<'_>,
    node: &Node,
) -> Option<IndexMap<String, Spanned<Target>>> {
    let mut targets = IndexMap::new();
    for (key, value) in cx.pairs(node)? {
        if let Some(target) = target(cx, key, value) {
            targets.insert(
                key.text().unwrap_or_default().to_owned(),
                Spanned::new(target, key.span),
            );
        }
    }
    Some(targets)
}

fn target(cx: &mut Context<'_>, key: &Node, node: &Node) -> Option<Target> {
    let name = target_key(cx, key);
    let mut fields = Fields::open(cx, node, "a target")?;
    let when = fields.read(cx, "when", condition);
    let made_by = fields.read(cx, "made-by", Context::text);
    let data = fields
        .take("data")
        .and_then(|node| data(cx, node, made_by.is_some()))
        .unwrap_or_default();
    let extract = fields.list(cx, "extract", Context::parsed);
    let kind = fields.read(cx, "type", Context::settings_template);
    let secret_labels = Metadata::Labels.read(cx, &mut fields);
    let annotations = Metadata::Annotations.read(cx, &mut fields);
    let immutable = fields.read(cx, "immutable", Context::boolean);
    let manifest = fields.read(cx, "manifest", manifest).unwrap_or_default();
    let store = fields.read(cx, "store", store_ref);
    let creation = fields.word(cx, "creation", &Creation::WORDS);
    let deletion = fields.word(cx, "deletion", &Deletion::WORDS);
    let refresh = fields.word(cx, "refresh", &Refresh::WORDS);
    let interval = fields.read(cx, "interval", interval);
    let restart = fields.list(cx, "restart", consumer);
    let template = fields.read(cx, "template", Context::block);
    if template.is_some() {
        refuse_beside_template(cx, &fields);
    }
    let patch = fields.read(cx, "patch", Context::block);
    let direct = fields.word(cx, "deliver", &DELIVERIES);
    policies(cx, &fields, creation, deletion);
    if direct == Some(true) {
        warn_of_idle_words(cx, &fields);
    }
    fields.finish(cx, false);
    Some(Target {
        key: name?,
        when,
        data,
        extract,
        kind,
        labels: secret_labels,
        annotations,
        immutable,
        manifest_name: manifest.0,
        manifest_labels: manifest.1,
        manifest_annotations: manifest.2,
        store,
        creation,
        deletion,
        refresh,
        interval,
        restart,
        made_by,
        template,
        patch,
        direct: direct.unwrap_or_default(),
    })
}

const DELIVERIES: [(&str, bool); 2] = [("direct", true), ("external-secret", false)];

/// `namespace/name`, checked as far as no fact is in it.
fn target_key(cx: &mut Context<'_>, key: &Node) -> Option<Setting> {
    let name = cx.settings_template(key)?;
    if let Some(text) = name.as_literal()
        && let Err(message) = expand_key(text)
    {
        let help = "write `namespace/name`, or `\"{ns-a,ns-b}/name\"`";
        cx.push(Diagnostic::error(message, key.span).help(help));
    }
    Some(name)
}

type Labels = IndexMap<String, Setting>;

fn manifest(cx: &mut Context<'_>, node: &Node) -> Option<(Option<Setting>, Labels, Labels)> {
    let mut fields = Fields::open(cx, node, "`manifest`")?;
    let name = fields.read(cx, "name", Context::settings_template);
    let manifest_labels = Metadata::Labels.read(cx, &mut fields);
    let annotations = Metadata::Annotations.read(cx, &mut fields);
    fields.finish(cx, false);
    Some((name, manifest_labels, annotations))
}

fn data(
    cx: &mut Context<'_>,
    node: &Node,
    made_by: bool,
) -> Option<IndexMap<String, Spanned<Option<Template>>>> {
    let crate::yaml::NodeKind::Mapping(pairs) = &node.kind else {
        return cx.expected("a mapping", node);
    };
    let mut data = IndexMap::new();
    for (key, value) in pairs {
        let name = key.text().unwrap_or_default();
        if let Err(message) = data_key(name) {
            cx.push(Diagnostic::error(message, key.span));
        }
        let empty = value
            .as_scalar()
            .is_some_and(|scalar| scalar.kind() == ScalarType::Null);
        if made_by && empty {
            data.insert(name.to_owned(), Spanned::new(None, key.span));
        } else if !cx.refuse_empty(key, value)
            && let Some(template) = cx.template(value)
        {
            refuse_urlencode(cx, &template);
            data.insert(
                name.to_owned(),
                Spanned::new(Some(template.value), key.span),
            );
        }
    }
    Some(data)
}

fn refuse_urlencode(cx: &mut Context<'_>, template: &Template) {
    for reference in template.references() {
        if reference.filters.contains(&Filter::Urlencode) {
            let diagnostic =
                Diagnostic::error("`urlencode` cannot be used in a target", reference.span);
            cx.push(diagnostic.help(
                "External Secrets Operator has no percent-encoding; make a secret with `compose` and refer to that",
            ));
        }
        for subject in &reference.alternatives {
            if let Subject::Word(word) = subject {
                cx.push(Diagnostic::error(
                    format!("`{word}` cannot be the key of a secret"),
                    reference.span,
                ));
            }
        }
    }
}

/// What Kubernetes takes as a key in a Secret.
pub(crate) fn data_key(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if name.is_empty() || name.len() > 253 || !name.chars().all(allowed) {
        return Err(format!(
            "`{name}` cannot be a key of a Secret: letters, digits, `-`, `_` and `.`, at most 253"
        ));
    }
    if name == "." || name.starts_with("..") {
        return Err(format!("Kubernetes refuses `{name}` as a key of a Secret"));
    }
    Ok(())
}

/// Expands `{a,b}/name` and checks each `namespace/name`.
pub(crate) fn expand_key(key: &str) -> Result<Vec<(String, String)>, String> {
    let Some((namespaces, name)) = key.split_once('/') else {
        return Err(format!("`{key}` has no namespace"));
    };
    let namespaces: Vec<&str> = match namespaces
        .strip_prefix('{')
        .and_then(|inner| inner.strip_suffix('}'))
    {
        Some(inner) => inner.split(',').map(str::trim).collect(),
        None => vec![namespaces],
    };
    if namespaces.contains(&"") {
        return Err(format!("a namespace of `{key}` is empty"));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = namespaces
        .iter()
        .find(|namespace| !seen.insert(**namespace))
    {
        return Err(format!("`{key}` names `{twice}` twice"));
    }
    if let Some(bad) = namespaces.iter().find(|namespace| !is_dns_label(namespace)) {
        return Err(format!("`{bad}` cannot be a namespace"));
    }
    if !is_dns_subdomain(name) {
        return Err(format!("`{name}` cannot be the name of a Secret"));
    }
    Ok(namespaces
        .into_iter()
        .map(|namespace| (namespace.to_owned(), name.to_owned()))
        .collect())
}

fn consumer(cx: &mut Context<'_>, node: &Node) -> Option<Spanned<String>> {
    let text = cx.text(node)?;
    let known = ["deployment", "statefulset", "daemonset"];
    let named = text
        .split_once('/')
        .filter(|(kind, name)| known.contains(kind) && is_dns_subdomain(name));
    if named.is_some() {
        return Some(text);
    }
    cx.push(
        Diagnostic::error(format!("`{}` is no workload", text.value), node.span)
            .help("write `deployment/name`, `statefulset/name` or `daemonset/name`"),
    );
    None
}

fn refuse_beside_template(cx: &mut Context<'_>, fields: &Fields<'_>) {
    for word in ["type", "labels", "annotations"] {
        if let Some(span) = fields.key_span(word) {
            let message = format!("`{word}` cannot stand beside `template`");
            let help = "write it into the template block";
            cx.push(Diagnostic::error(message, span).help(help));
        }
    }
}

/// What is said to External Secrets Operator, which never sees a Secret that is delivered directly.
fn warn_of_idle_words(cx: &mut Context<'_>, fields: &Fields<'_>) {
    for word in [
        "manifest", "store", "creation", "deletion", "refresh", "interval", "template", "patch",
    ] {
        if let Some(span) = fields.key_span(word) {
            let message = format!(
                "`{word}` does nothing beside `deliver: direct`: it is for External Secrets Operator, which does not make this Secret"
            );
            cx.push(Diagnostic::warning(message, span).help(format!("leave `{word}` out")));
        }
    }
}

/// What External Secrets Operator's webhook would refuse.
fn policies(
    cx: &mut Context<'_>,
    fields: &Fields<'_>,
    creation: Option<Creation>,
    deletion: Option<Deletion>,
) {
    let place: Span = fields
        .key_span("deletion")
        .or(fields.key_span("creation"))
        .unwrap_or_default();
    let message = match (creation, deletion) {
        (
            Some(creation @ (Creation::Merge | Creation::None | Creation::CreateOrMerge)),
            Some(Deletion::Delete),
        ) => {
            format!(
                "`deletion: Delete` cannot stand beside `creation: {}`",
                creation.as_str()
            )
        }
        (Some(Creation::None), Some(Deletion::Merge)) => {
            "`deletion: Merge` cannot stand beside `creation: None`".to_owned()
        }
        _ => return,
    };
    cx.push(Diagnostic::error(message, place));
}
