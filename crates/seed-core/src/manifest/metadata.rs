//! What Kubernetes takes as labels and annotations.

use std::collections::BTreeMap;

use crate::contract::is_dns_subdomain;

/// Tells what is wrong with labels, if anything.
pub(super) fn refuse_labels(labels: &BTreeMap<String, String>) -> Result<(), String> {
    for (key, value) in labels {
        refuse_key(key)?;
        if !value.is_empty() && !is_word(value) {
            return Err(format!(
                "the label `{key}: {value}` is not allowed: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends"
            ));
        }
    }
    Ok(())
}

/// Tells what is wrong with annotations, if anything.
pub(super) fn refuse_annotations(annotations: &BTreeMap<String, String>) -> Result<(), String> {
    annotations.keys().try_for_each(|key| refuse_key(key))
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
        let label = |key: &str, value: &str| {
            refuse_labels(&BTreeMap::from([(key.to_owned(), value.to_owned())]))
        };
        assert!(label("app.kubernetes.io/part-of", "argocd").is_ok());
        assert!(label("empty", "").is_ok());
        assert!(label("a/b/c", "x").is_err());
        assert!(label("a", "no spaces").is_err());
        assert!(label("a", &"x".repeat(64)).is_err());
        assert!(label("-a", "x").is_err());
    }
}
