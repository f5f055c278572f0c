//! Files that hold values.

use std::collections::BTreeMap;

use super::model::{Branch, ResolvedBackend, ResolvedFile, Tree};
use super::resolver::{Resolver, checked_path};
use super::text::{ResolvedPart, ResolvedText};
use crate::backend::Kind;
use crate::contract::{Content, File, FileContent, spread_entry};
use crate::diagnostic::{Diagnostic, Span};
use crate::name::ValueId;
use crate::text::Template;
use crate::yaml::{Node, NodeKind, to_json};

pub(super) fn resolve(
    resolver: &mut Resolver<'_>,
    backends: &BTreeMap<String, ResolvedBackend>,
) -> Vec<ResolvedFile> {
    let contract = resolver.contract;
    let mut files: Vec<ResolvedFile> = Vec::new();
    for file in contract.files.values() {
        if !resolver.when(file.when.as_ref()).is_active() {
            continue;
        }
        let resolved = resolve_file(resolver, backends, file);
        let Some(Some(resolved)) = resolver.keep(resolved) else {
            continue;
        };
        if files.iter().any(|known| known.path == resolved.path) {
            let message = format!("the file `{}` is declared twice", resolved.path);
            resolver
                .diagnostics
                .push(Diagnostic::error(message, file.span));
        }
        files.push(resolved);
    }
    files
}

fn resolve_file(
    resolver: &Resolver<'_>,
    backends: &BTreeMap<String, ResolvedBackend>,
    file: &File,
) -> Result<Option<ResolvedFile>, Diagnostic> {
    let path = checked_path(&resolver.scope, &file.path)?;
    refuse_own(resolver, backends, &path, file)?;
    let tree = match &file.content {
        FileContent::Text(template) => leaf(resolver, template)?.map(Tree::Text),
        FileContent::Yaml(node) => branch(resolver, node)?.map(Tree::Yaml),
        FileContent::Json(node) => branch(resolver, node)?.map(Tree::Json),
        FileContent::Dotenv(node) => Some(Tree::Dotenv(variables(resolver, node)?)),
    };
    Ok(tree.map(|tree| ResolvedFile { path, tree }))
}

/// A file of ours that another of ours would be replaced by is an error: the store above all.
fn refuse_own(
    resolver: &Resolver<'_>,
    backends: &BTreeMap<String, ResolvedBackend>,
    path: &str,
    file: &File,
) -> Result<(), Diagnostic> {
    let stores = backends
        .values()
        .filter(|backend| backend.kind == Kind::Local)
        .filter_map(|backend| backend.settings.get("file"));
    let facts =
        crate::resolve::config_files(resolver.contract, resolver.scope.source, resolver.scope.env)
            .unwrap_or_default();
    let beside = |store: &String| path == store || path == format!("{store}.lock");
    let what = if stores.clone().any(beside) {
        "the file in which values are kept"
    } else if facts.iter().any(|fact| fact == path) {
        "a facts file"
    } else {
        return Ok(());
    };
    Err(Diagnostic::error(
        format!("`{path}` is {what} and cannot be written as a file"),
        file.path.span,
    ))
}

/// A text, or nothing when a value in it is inactive.
fn leaf(resolver: &Resolver<'_>, template: &Template) -> Result<Option<ResolvedText>, Diagnostic> {
    match resolver.text(template, None) {
        Ok(text) => Ok(Some(text)),
        Err(Ok(_)) => Ok(None),
        Err(Err(diagnostic)) => Err(diagnostic),
    }
}

fn branch(resolver: &Resolver<'_>, node: &Node) -> Result<Option<Branch>, Diagnostic> {
    Ok(match &node.kind {
        NodeKind::Scalar(scalar) if scalar.text.contains("${") => {
            let template = Template::parse(&scalar.text, node.span, resolver.scope.source)?;
            leaf(resolver, &template)?.map(Branch::Text)
        }
        NodeKind::Scalar(_) => Some(Branch::Fixed(to_json(node))),
        NodeKind::Sequence(items) => {
            let items = items
                .iter()
                .filter_map(|item| branch(resolver, item).transpose());
            Some(Branch::List(items.collect::<Result<_, _>>()?))
        }
        NodeKind::Mapping(pairs) => {
            let mut members = Vec::new();
            for (key, value) in pairs {
                if let Some(entry) = spread_entry(key) {
                    members.extend(spread(resolver, &entry, pairs));
                } else if let Some(member) = branch(resolver, value)? {
                    members.push((key.text().unwrap_or_default().to_owned(), member));
                }
            }
            // A mapping left without leaves is left out; one that was written empty stays.
            (!members.is_empty() || pairs.is_empty()).then_some(Branch::Map(members))
        }
    })
}

/// Every active field of an entry under its own name; keys written beside the spread win.
fn spread(
    resolver: &Resolver<'_>,
    entry: &crate::name::EntryKey,
    beside: &[(Node, Node)],
) -> Vec<(String, Branch)> {
    let Some(Content::Fields(fields)) = resolver
        .contract
        .secrets
        .get(entry)
        .map(|entry| &entry.content)
    else {
        return Vec::new();
    };
    fields
        .keys()
        .filter(|name| {
            !beside
                .iter()
                .any(|(key, _)| key.text() == Some(name.as_str()))
        })
        .filter_map(|name| {
            let id = ValueId::field(entry.clone(), name.clone());
            let text = field_text(resolver, id)?;
            Some((name.to_string(), Branch::Text(text)))
        })
        .collect()
}

/// A field and nothing else, unless it is not needed or must not exist.
fn field_text(resolver: &Resolver<'_>, id: ValueId) -> Option<ResolvedText> {
    let usable = resolver.is_active(&id) && resolver.refuse_forbidden(&id, Span::default()).is_ok();
    usable.then(|| {
        ResolvedText::new([ResolvedPart::Value {
            alternatives: vec![resolver.alternative(id)],
            filters: Vec::new(),
        }])
    })
}

fn variables(
    resolver: &Resolver<'_>,
    node: &Node,
) -> Result<Vec<(String, ResolvedText)>, Diagnostic> {
    let Some(Branch::Map(members)) = branch(resolver, node)? else {
        return Ok(Vec::new());
    };
    if let Some((name, _)) = members
        .iter()
        .find(|(name, _)| !crate::contract::is_variable(name))
    {
        let message = format!("`{name}` cannot name a variable");
        return Err(Diagnostic::error(message, node.span)
            .help("name the fields one by one: `NAME: \"${entry#field}\"`"));
    }
    members
        .into_iter()
        .map(|(name, member)| match member {
            Branch::Text(text) => Ok((name, text)),
            Branch::Fixed(value) => {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                Ok((name, ResolvedText::new([ResolvedPart::Literal(text)])))
            }
            Branch::List(_) | Branch::Map(_) => Err(Diagnostic::error(
                format!("`{name}` must be text: a dotenv file has no structure"),
                node.span,
            )),
        })
        .collect()
}
