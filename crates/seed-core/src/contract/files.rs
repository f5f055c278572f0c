//! `files`: what people and tools need outside the cluster.

use indexmap::IndexMap;

use super::conditions::condition;
use super::model::{File, FileContent};
use super::reader::{Context, Fields};
use crate::diagnostic::{Diagnostic, Spanned, list};
use crate::yaml::{Node, NodeKind, ScalarType};

const CONTENTS: [&str; 4] = ["text", "yaml", "json", "dotenv"];

pub(super) fn files(cx: &mut Context<'_>, node: &Node) -> Option<IndexMap<String, Spanned<File>>> {
    let mut files = IndexMap::new();
    for (key, value) in cx.pairs(node)? {
        if let Some(file) = file(cx, key, value) {
            files.insert(
                key.text().unwrap_or_default().to_owned(),
                Spanned::new(file, key.span),
            );
        }
    }
    Some(files)
}

fn file(cx: &mut Context<'_>, key: &Node, node: &Node) -> Option<File> {
    let path = cx.settings_template(key);
    if let Some(text) = path.as_ref().and_then(|path| path.as_literal())
        && let Err(message) = refuse_path(text)
    {
        cx.push(Diagnostic::error(message, key.span));
    }
    let mut fields = Fields::open(cx, node, "a file")?;
    let when = fields.read(cx, "when", condition);
    let written: Vec<&'static str> = CONTENTS
        .into_iter()
        .filter(|word| fields.has(word))
        .collect();
    let content = if let [one] = written.as_slice() {
        content(cx, &mut fields, one)
    } else {
        let message = format!("a file needs exactly one of {}", list(CONTENTS));
        cx.push(Diagnostic::error(message, node.span));
        None
    };
    for word in CONTENTS {
        fields.take(word);
    }
    fields.finish(cx, false);
    Some(File {
        path: path?,
        when,
        content: content?,
    })
}

fn content(
    cx: &mut Context<'_>,
    fields: &mut Fields<'_>,
    word: &'static str,
) -> Option<FileContent> {
    let node = fields.take(word)?;
    if word == "text" {
        return cx.template(node).map(FileContent::Text);
    }
    templates_in(cx, node);
    Some(match word {
        "yaml" => FileContent::Yaml(node.clone()),
        "json" => FileContent::Json(node.clone()),
        _ => {
            dotenv_names(cx, node);
            FileContent::Dotenv(node.clone())
        }
    })
}

/// Reads every text in a tree once, so that mistakes show at their place.
fn templates_in(cx: &mut Context<'_>, node: &Node) {
    match &node.kind {
        NodeKind::Mapping(pairs) => {
            for (key, value) in pairs {
                if key.text().is_some_and(|text| text.starts_with("${...")) {
                    spread(cx, key, value);
                } else {
                    refuse_reference_in_key(cx, key);
                    templates_in(cx, value);
                }
            }
        }
        NodeKind::Sequence(items) => items.iter().for_each(|item| templates_in(cx, item)),
        NodeKind::Scalar(scalar) => {
            if scalar.kind() == ScalarType::Text {
                cx.template(node);
            }
        }
    }
}

fn refuse_reference_in_key(cx: &mut Context<'_>, key: &Node) {
    if key.text().is_some_and(|text| text.contains("${")) {
        let message = "a key is written as it is, so it cannot refer to anything";
        let help =
            "write the name itself; `\"${...entry}\": true` stands for the fields of an entry";
        cx.push(Diagnostic::error(message, key.span).help(help));
    }
}

/// `"${...entry}": true`.
fn spread(cx: &mut Context<'_>, key: &Node, value: &Node) {
    if spread_entry(key).is_none() {
        cx.push(Diagnostic::error(
            "write `\"${...entry}\": true` to spread an entry's fields",
            key.span,
        ));
    }
    if cx.boolean(value) == Some(false) {
        cx.push(Diagnostic::error(
            "a spread is `true`, or left out",
            value.span,
        ));
    }
}

/// The entry that a key spreads.
pub(crate) fn spread_entry(key: &Node) -> Option<crate::name::EntryKey> {
    key.text()?
        .strip_prefix("${...")?
        .strip_suffix('}')?
        .trim()
        .parse()
        .ok()
}

fn dotenv_names(cx: &mut Context<'_>, node: &Node) {
    for (key, value) in cx.pairs(node).unwrap_or_default() {
        let name = key.text().unwrap_or_default();
        if value.as_scalar().is_none() {
            cx.expected::<()>("text, since a dotenv file has no structure", value);
        }
        if !is_variable(name) && spread_entry(key).is_none() {
            cx.push(Diagnostic::error(
                format!("`{name}` cannot name a variable"),
                key.span,
            ));
        }
    }
}

/// Whether text can name a variable of a shell.
pub(crate) fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Tells why a path does not stay below `root`, if it does not.
pub(crate) fn refuse_path(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Err("the path is empty".to_owned());
    }
    if path.starts_with('/') || path.starts_with('~') || path.contains('\\') {
        return Err(format!("`{path}` must be relative to `root`"));
    }
    if path
        .split('/')
        .any(|part| part == ".." || part == "." || part.is_empty())
    {
        return Err(format!(
            "`{path}` must stay below `root`: no `.`, `..` or empty part"
        ));
    }
    // Also that of a repository inside, and as a file system without cases sees it.
    if path
        .split('/')
        .any(|part| part.eq_ignore_ascii_case(".git"))
    {
        return Err(format!("`{path}` lies in git's own directory"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_root_or_into_a_repository() {
        for path in [
            "",
            "/a",
            "~/a",
            "a\\b",
            "../a",
            "a/./b",
            "a//b",
            ".git",
            ".git/config",
            "a/.GIT/config",
        ] {
            assert!(refuse_path(path).is_err(), "{path}");
        }
        for path in ["a", "a/b", ".gitlab/a", "a/.gitignore", ".seed/a"] {
            assert_eq!(refuse_path(path), Ok(()), "{path}");
        }
    }
}
