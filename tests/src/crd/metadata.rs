//! `metadata`: the same for every kind, and in no CRD.

use regex::Regex;
use serde_json::Value;

use crate::Refusal;

/// Says why the API server would refuse this `metadata`.
pub fn object_meta_refusals(metadata: &Value, namespaced: bool) -> Vec<Refusal> {
    let Some(fields) = metadata.as_object() else {
        return vec![Refusal::new("metadata", "is not an object")];
    };
    let mut refusals = Vec::new();
    for (name, value) in fields {
        let path = format!("metadata.{name}");
        let found = match name.as_str() {
            "name" => text_refusals(value, subdomain_refusal),
            "namespace" if namespaced => text_refusals(value, label_refusal),
            "namespace" => vec![(String::new(), "the kind has no namespace".to_owned())],
            "labels" => map_refusals(value, qualified_name_refusal, label_value_refusal),
            "annotations" => annotation_refusals(value),
            "finalizers" => list_refusals(value, qualified_name_refusal),
            other => match kind_of(other) {
                Some(is_kind) if is_kind(value) => Vec::new(),
                Some(_) => vec![(String::new(), "is of the wrong type".to_owned())],
                None => vec![(String::new(), "unknown field".to_owned())],
            },
        };
        refusals.extend(
            found
                .into_iter()
                .map(|(at, why)| Refusal::new(format!("{path}{at}"), why)),
        );
    }
    if !fields.contains_key("name") && !fields.contains_key("generateName") {
        refusals.push(Refusal::new("metadata.name", "is required"));
    }
    refusals
}

/// Says why a text cannot be the key of a label: an optional DNS name, a slash, and a name.
pub fn qualified_name_refusal(text: &str) -> Option<String> {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    if let Some(reason) = prefix.and_then(subdomain_refusal) {
        return Some(reason);
    }
    matched(name, "^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$", 63)
}

/// Says why a text cannot be the value of a label.
pub fn label_value_refusal(text: &str) -> Option<String> {
    matched(text, "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$", 63)
}

fn subdomain_refusal(text: &str) -> Option<String> {
    let label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
    matched(text, &format!(r"^{label}(\.{label})*$"), 253)
}

fn label_refusal(text: &str) -> Option<String> {
    matched(text, "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", 63)
}

fn matched(text: &str, pattern: &str, longest: usize) -> Option<String> {
    if text.len() > longest {
        return Some(format!("{} bytes, more than {longest}", text.len()));
    }
    match Regex::new(pattern) {
        Ok(regex) if regex.is_match(text) => None,
        Ok(_) => Some(format!("{text:?} does not match `{pattern}`")),
        Err(err) => Some(err.to_string()),
    }
}

fn text_refusals(value: &Value, check: fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let reason = match value.as_str() {
        Some(text) => check(text),
        None => Some("is not a string".into()),
    };
    reason
        .into_iter()
        .map(|reason| (String::new(), reason))
        .collect()
}

fn list_refusals(value: &Value, check: fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let Some(items) = value.as_array() else {
        return vec![(String::new(), "is not a list".into())];
    };
    let all = items.iter().enumerate().flat_map(|(at, item)| {
        let found = text_refusals(item, check);
        found
            .into_iter()
            .map(move |(_, reason)| (format!("[{at}]"), reason))
    });
    all.collect()
}

fn map_refusals(
    value: &Value,
    check_key: fn(&str) -> Option<String>,
    check_value: fn(&str) -> Option<String>,
) -> Vec<(String, String)> {
    let Some(entries) = value.as_object() else {
        return vec![(String::new(), "is not a map".into())];
    };
    let all = entries.iter().flat_map(|(key, value)| {
        let of_value = text_refusals(value, check_value)
            .into_iter()
            .map(|(_, reason)| reason);
        let reasons: Vec<_> = check_key(key).into_iter().chain(of_value).collect();
        reasons
            .into_iter()
            .map(move |reason| (format!("[{key}]"), reason))
    });
    all.collect()
}

fn annotation_refusals(value: &Value) -> Vec<(String, String)> {
    // The server lowers a key before it looks at it, so upper case in the prefix is allowed.
    let key = |text: &str| qualified_name_refusal(&text.to_lowercase());
    let mut refusals = map_refusals(value, key, |_| None);
    let entries = value.as_object().into_iter().flatten();
    let size: usize = entries
        .map(|(key, value)| key.len() + value.as_str().map_or(0, str::len))
        .sum();
    if size > 256 * 1024 {
        refusals.push((String::new(), format!("{size} bytes, more than 256 KiB")));
    }
    refusals
}

fn kind_of(field: &str) -> Option<fn(&Value) -> bool> {
    let kind: fn(&Value) -> bool = match field {
        "generateName" | "resourceVersion" | "selfLink" | "uid" => Value::is_string,
        "creationTimestamp" | "deletionTimestamp" => |value| value.is_null() || value.is_string(),
        "deletionGracePeriodSeconds" | "generation" => Value::is_i64,
        "managedFields" | "ownerReferences" => Value::is_array,
        _ => return None,
    };
    Some(kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(metadata: &Value) -> Vec<String> {
        let refusals = object_meta_refusals(metadata, true);
        refusals
            .iter()
            .map(|refusal| refusal.path.clone())
            .collect()
    }

    #[test]
    fn ordinary_metadata_is_accepted() {
        let metadata = json!({
            "name": "a.b-c.1",
            "namespace": "team-1",
            "labels": {"app.kubernetes.io/part-of": "argocd", "plain": "", "A_b.c": "1"},
            "annotations": {"Example.com/Note": "any text at all: {}", "x": ""},
            "finalizers": ["example.com/cleanup"],
            "creationTimestamp": null,
            "generation": 1,
        });
        assert_eq!(found(&metadata), [""; 0]);
    }

    #[test]
    fn names_are_checked() {
        for name in [
            "", "A", "a_b", "-a", "a-", "a..b", ".a", "a.", "ä", "a b", "a\n",
        ] {
            assert_eq!(found(&json!({"name": name})), ["metadata.name"], "{name:?}");
        }
        assert_eq!(found(&json!({"name": "a".repeat(254)})), ["metadata.name"]);
        assert_eq!(found(&json!({"name": 5})), ["metadata.name"]);
        assert_eq!(found(&json!({})), ["metadata.name"]);
        for namespace in ["", "a.b", "A", "-a"] {
            let metadata = json!({"name": "a", "namespace": namespace});
            assert_eq!(found(&metadata), ["metadata.namespace"], "{namespace:?}");
        }
    }

    #[test]
    fn a_cluster_wide_kind_has_no_namespace() {
        let metadata = json!({"name": "a", "namespace": "b"});
        assert_eq!(object_meta_refusals(&metadata, false).len(), 1);
    }

    #[test]
    fn unknown_fields_and_wrong_types_are_refused() {
        assert_eq!(found(&json!({"name": "a", "nmae": "b"})), ["metadata.nmae"]);
        assert_eq!(
            found(&json!({"name": "a", "generation": "1"})),
            ["metadata.generation"]
        );
        assert_eq!(
            found(&json!({"name": "a", "labels": []})),
            ["metadata.labels"]
        );
        assert_eq!(
            found(&json!({"name": "a", "finalizers": [1]})),
            ["metadata.finalizers[0]"]
        );
        assert_eq!(found(&json!(["name"])), ["metadata"]);
    }

    #[test]
    fn labels_and_annotations_are_checked() {
        for key in [
            "",
            "/a",
            "a/",
            "a/b/c",
            "A.com/x",
            "-a",
            "a b",
            &"a".repeat(64),
        ] {
            assert_eq!(
                found(&json!({"name": "a", "labels": {key: "x"}})).len(),
                1,
                "{key:?}"
            );
        }
        for value in [
            json!("-a"),
            json!("a b"),
            json!("a/b"),
            json!(1),
            json!("a".repeat(64)),
        ] {
            assert_eq!(
                found(&json!({"name": "a", "labels": {"x": value}})).len(),
                1,
                "{value}"
            );
        }
        assert_eq!(
            found(&json!({"name": "a", "annotations": {"a b": "x"}})).len(),
            1
        );
        assert_eq!(
            found(&json!({"name": "a", "annotations": {"x": true}})).len(),
            1
        );
        let large = json!({"name": "a", "annotations": {"x": "a".repeat(256 * 1024)}});
        assert_eq!(found(&large), ["metadata.annotations"]);
    }
}
