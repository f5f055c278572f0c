//! What Kubernetes takes as labels and annotations.

use indexmap::IndexMap;

use super::common::is_dns_subdomain;
use super::model::Setting;
use super::reader::{Context, Fields};
use crate::diagnostic::Diagnostic;

/// What is written beside the name of an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Metadata {
    /// Any text by a key.
    Annotations,
    /// A word by a key.
    Labels,
}

impl Metadata {
    /// Tells what is wrong with a value, if anything.
    pub(crate) fn refuse_value(self, key: &str, value: &str) -> Result<(), String> {
        match self {
            Self::Labels if !value.is_empty() && !is_word(value) => Err(format!(
                "the label `{key}: {value}` is not allowed: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends"
            )),
            Self::Annotations | Self::Labels => Ok(()),
        }
    }

    /// Reads a mapping of them, and judges what does not wait for facts.
    pub(super) fn read(
        self,
        cx: &mut Context<'_>,
        fields: &mut Fields<'_>,
    ) -> IndexMap<String, Setting> {
        let field = match self {
            Self::Annotations => "annotations",
            Self::Labels => "labels",
        };
        let mut read = IndexMap::new();
        for (key, value) in fields.read(cx, field, Context::pairs).unwrap_or_default() {
            let name = key.text().unwrap_or_default();
            if let Err(message) = refuse_key(name) {
                cx.push(Diagnostic::error(message, key.span));
            }
            let Some(text) = cx.settings_template(value) else {
                continue;
            };
            if let Some(Err(message)) = text.as_literal().map(|text| self.refuse_value(name, text))
            {
                cx.push(Diagnostic::error(message, value.span));
            }
            read.insert(name.to_owned(), text);
        }
        read
    }
}

fn refuse_key(key: &str) -> Result<(), String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if prefix.is_some_and(|prefix| !is_dns_subdomain(prefix)) || !is_word(name) {
        return Err(format!(
            "`{key}` cannot be the key of a label or an annotation"
        ));
    }
    Ok(())
}

fn is_word(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && edge(text.chars().next())
        && edge(text.chars().last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_follow_the_rules_of_kubernetes() {
        let label = |value: &str| Metadata::Labels.refuse_value("a", value);
        assert!(label("argocd").is_ok());
        assert!(label("").is_ok());
        assert!(label("no spaces").is_err());
        assert!(label(&"x".repeat(64)).is_err());
        assert!(
            Metadata::Annotations
                .refuse_value("a", "any text\n")
                .is_ok()
        );
        assert!(refuse_key("app.kubernetes.io/part-of").is_ok());
        assert!(refuse_key("a/b/c").is_err());
        assert!(refuse_key("-a").is_err());
        assert!(refuse_key("my note").is_err());
    }
}
