//! What the operator's validating webhook and the controller refuse in an `ExternalSecret`, beyond
//! the schema.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;

use crate::Refusal;
use crate::crd::{label_value_refusal, qualified_name_refusal};

/// Says why an `ExternalSecret` would be refused, or could never become the Secret that it describes.
pub fn refusals(object: &Value) -> Vec<Refusal> {
    if text(object, "/kind") != Some("ExternalSecret") {
        return vec![Refusal::new("kind", "is not `ExternalSecret`")];
    }
    let spec = object.get("spec").unwrap_or(&Value::Null);
    let mut refusals = sources(spec);
    refusals.extend(policies(spec));
    refusals.extend(secret_keys(spec));
    refusals.extend(bulk_sources(spec));
    refusals.extend(template_type(spec));
    refusals.extend(template_targets(spec));
    refusals.extend(template_data(spec));
    refusals.extend(template_metadata(spec));
    refusals
}

fn sources(spec: &Value) -> Vec<Refusal> {
    let none = list(spec, "/data").is_empty() && list(spec, "/dataFrom").is_empty();
    let refusal = Refusal::new("spec", "neither `data` nor `dataFrom` has an item");
    none.then_some(refusal).into_iter().collect()
}

fn policies(spec: &Value) -> Option<Refusal> {
    let creation = text(spec, "/target/creationPolicy").unwrap_or("Owner");
    let deletion = deletion_policy(spec);
    let refused = match deletion {
        "Delete" => ["CreateOrMerge", "Merge", "None"].contains(&creation),
        "Merge" => creation == "None",
        _ => false,
    };
    let reason = format!("`{deletion}` cannot go with the creation policy `{creation}`");
    refused.then(|| Refusal::new("spec.target.deletionPolicy", reason))
}

fn secret_keys(spec: &Value) -> Vec<Refusal> {
    let mut seen = BTreeSet::new();
    let mut refusals = Vec::new();
    for (at, item) in list(spec, "/data").iter().enumerate() {
        let path = format!("spec.data[{at}].secretKey");
        let key = text(item, "/secretKey").unwrap_or_default();
        refusals.extend(data_key(key).map(|reason| Refusal::new(&path, reason)));
        if !seen.insert(key) && deletion_policy(spec) == "Retain" {
            refusals.push(Refusal::new(path, format!("`{key}` is there already")));
        }
    }
    refusals
}

fn bulk_sources(spec: &Value) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for (at, item) in list(spec, "/dataFrom").iter().enumerate() {
        let named = ["/extract", "/find", "/sourceRef/generatorRef"];
        let count = named
            .iter()
            .filter(|pointer| item.pointer(pointer).is_some())
            .count();
        if count != 1 {
            let reason = format!("{count} of `extract`, `find`, `sourceRef.generatorRef`, not one");
            refusals.push(Refusal::new(format!("spec.dataFrom[{at}]"), reason));
        }
    }
    refusals
}

fn template_type(spec: &Value) -> Option<Refusal> {
    let kind = text(spec, "/target/template/type")?;
    let account = kind == "kubernetes.io/service-account-token" && names_account(spec);
    let reason = format!("`{kind}` would make a credential of the cluster");
    (account || kind == "bootstrap.kubernetes.io/token")
        .then(|| Refusal::new("spec.target.template.type", reason))
}

/// Whether the Secret could carry the annotation that turns it into a service account's token.
fn names_account(spec: &Value) -> bool {
    let annotations = spec.pointer("/target/template/metadata/annotations");
    let named = annotations.and_then(|all| all.get("kubernetes.io/service-account.name"));
    let mut imported = list(spec, "/target/template/templateFrom").iter();
    named.is_some() || imported.any(|item| template_target(item) == "annotations")
}

fn template_targets(spec: &Value) -> Vec<Refusal> {
    if spec.pointer("/target/manifest").is_some() {
        return Vec::new();
    }
    let mut refusals = Vec::new();
    for (at, item) in list(spec, "/target/template/templateFrom")
        .iter()
        .enumerate()
    {
        let target = template_target(item);
        if !["", "annotations", "data", "labels"].contains(&target.as_str()) {
            let path = format!("spec.target.template.templateFrom[{at}].target");
            refusals.push(Refusal::new(path, format!("a Secret has no `{target}`")));
        }
    }
    refusals
}

fn template_target(item: &Value) -> String {
    text(item, "/target").unwrap_or_default().to_lowercase()
}

fn template_data(spec: &Value) -> Vec<Refusal> {
    let data = spec
        .pointer("/target/template/data")
        .and_then(Value::as_object);
    let refusals = data.into_iter().flatten().filter_map(|(key, _)| {
        let path = format!("spec.target.template.data[{key}]");
        data_key(key).map(|reason| Refusal::new(path, reason))
    });
    refusals.collect()
}

/// The API server would refuse the Secret, so the `ExternalSecret` could never be ready.
fn template_metadata(spec: &Value) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for field in ["labels", "annotations"] {
        let all = spec.pointer(&format!("/target/template/metadata/{field}"));
        for (key, value) in all.and_then(Value::as_object).into_iter().flatten() {
            let path = format!("spec.target.template.metadata.{field}[{key}]");
            let value = value.as_str().unwrap_or_default();
            let literal = field == "labels" && !value.contains("{{");
            let of_value = literal.then(|| label_value_refusal(value)).flatten();
            let reasons = qualified_name_refusal(&key.to_lowercase())
                .into_iter()
                .chain(of_value);
            refusals.extend(reasons.map(|reason| Refusal::new(&path, reason)));
        }
    }
    refusals
}

fn data_key(key: &str) -> Option<String> {
    if key == "." || key.starts_with("..") {
        return Some(format!("`{key}` cannot be a key of a Secret"));
    }
    match Regex::new("^[-._a-zA-Z0-9]{1,253}$") {
        Ok(pattern) if pattern.is_match(key) => None,
        Ok(pattern) => Some(format!("{key:?} does not match `{pattern}`")),
        Err(err) => Some(err.to_string()),
    }
}

fn deletion_policy(spec: &Value) -> &str {
    text(spec, "/target/deletionPolicy").unwrap_or("Retain")
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(target: &Value, rest: &Value) -> Vec<String> {
        let mut spec = json!({"target": target});
        spec.as_object_mut()
            .unwrap()
            .extend(rest.as_object().unwrap().clone());
        let object = json!({"kind": "ExternalSecret", "spec": spec});
        refusals(&object)
            .into_iter()
            .map(|refusal| refusal.path)
            .collect()
    }

    fn with_target(target: &Value) -> Vec<String> {
        found(
            target,
            &json!({"data": [{"secretKey": "a", "remoteRef": {"key": "b"}}]}),
        )
    }

    #[test]
    fn an_ordinary_external_secret_is_accepted() {
        let template = json!({
            "type": "kubernetes.io/basic-auth",
            "metadata": {"labels": {"a/b": "{{ .x }}", "c": "d"}, "annotations": {"E.com/f": "g h"}},
            "data": {"username": "x", ".dockerconfigjson": "{{ .a }}"},
            "templateFrom": [{"target": "Data"}, {"target": "labels"}, {}],
        });
        assert_eq!(with_target(&json!({"template": template})), [""; 0]);
    }

    #[test]
    fn another_kind_is_refused() {
        let paths: Vec<_> = refusals(&json!({"kind": "SecretStore"}));
        assert_eq!(paths, [Refusal::new("kind", "is not `ExternalSecret`")]);
    }

    #[test]
    fn data_or_data_from_must_have_an_item() {
        assert_eq!(found(&json!({}), &json!({})), ["spec"]);
        assert_eq!(
            found(&json!({}), &json!({"data": [], "dataFrom": []})),
            ["spec"]
        );
        assert_eq!(
            found(
                &json!({}),
                &json!({"dataFrom": [{"extract": {"key": "a"}}]})
            ),
            [""; 0]
        );
    }

    #[test]
    fn delete_needs_a_secret_of_its_own() {
        for creation in ["Merge", "None", "CreateOrMerge"] {
            let target = json!({"deletionPolicy": "Delete", "creationPolicy": creation});
            assert_eq!(
                with_target(&target),
                ["spec.target.deletionPolicy"],
                "{creation}"
            );
        }
        for creation in ["Owner", "Orphan"] {
            let target = json!({"deletionPolicy": "Delete", "creationPolicy": creation});
            assert_eq!(with_target(&target), [""; 0], "{creation}");
        }
        assert_eq!(with_target(&json!({"deletionPolicy": "Delete"})), [""; 0]);
    }

    #[test]
    fn merge_needs_a_secret() {
        let none = json!({"deletionPolicy": "Merge", "creationPolicy": "None"});
        assert_eq!(with_target(&none), ["spec.target.deletionPolicy"]);
        let merge = json!({"deletionPolicy": "Merge", "creationPolicy": "Merge"});
        assert_eq!(with_target(&merge), [""; 0]);
        assert_eq!(with_target(&json!({"creationPolicy": "None"})), [""; 0]);
    }

    #[test]
    fn a_secret_key_comes_once_where_the_secret_is_retained() {
        let data = json!({"data": [{"secretKey": "a"}, {"secretKey": "b"}, {"secretKey": "a"}]});
        assert_eq!(found(&json!({}), &data), ["spec.data[2].secretKey"]);
        let retain = json!({"deletionPolicy": "Retain"});
        assert_eq!(found(&retain, &data), ["spec.data[2].secretKey"]);
        assert_eq!(found(&json!({"deletionPolicy": "Delete"}), &data), [""; 0]);
    }

    #[test]
    fn a_bulk_source_is_exactly_one() {
        let (extract, find) = (json!({"key": "a"}), json!({"name": {"regexp": "a"}}));
        let generator = json!({"generatorRef": {"kind": "Password", "name": "a"}});
        let refused = [
            json!({}),
            json!({"extract": extract, "find": find}),
            json!({"extract": extract, "sourceRef": generator}),
            json!({"find": find, "sourceRef": generator}),
            json!({"sourceRef": {"storeRef": {"name": "a"}}}),
        ];
        for item in refused {
            let refused = found(&json!({}), &json!({"dataFrom": [item]}));
            assert_eq!(refused, ["spec.dataFrom[0]"], "{item}");
        }
        let accepted = [
            json!({"extract": extract}),
            json!({"find": find, "sourceRef": {"storeRef": {"name": "a"}}}),
            json!({"sourceRef": generator}),
        ];
        for item in accepted {
            assert_eq!(
                found(&json!({}), &json!({"dataFrom": [item]})),
                [""; 0],
                "{item}"
            );
        }
    }

    #[test]
    fn a_bootstrap_token_is_refused() {
        let template = json!({"type": "bootstrap.kubernetes.io/token"});
        assert_eq!(
            with_target(&json!({"template": template})),
            ["spec.target.template.type"]
        );
    }

    #[test]
    fn a_service_account_token_is_refused_where_it_names_an_account() {
        let kind = "kubernetes.io/service-account-token";
        let path = ["spec.target.template.type"];
        let annotations = json!({"kubernetes.io/service-account.name": "default"});
        let named = json!({"type": kind, "metadata": {"annotations": annotations}});
        assert_eq!(with_target(&json!({"template": named})), path);
        let imported = json!({"type": kind, "templateFrom": [{"target": "annotations"}]});
        assert_eq!(with_target(&json!({"template": imported})), path);
        let neither = json!({"type": kind, "templateFrom": [{"target": "Data"}]});
        assert_eq!(with_target(&json!({"template": neither})), [""; 0]);
    }

    #[test]
    fn a_template_writes_only_to_parts_of_a_secret() {
        let mut target = json!({"template": {"templateFrom": [{"target": "spec"}]}});
        assert_eq!(
            with_target(&target),
            ["spec.target.template.templateFrom[0].target"]
        );
        target["manifest"] = json!({"apiVersion": "v1", "kind": "ConfigMap"});
        assert_eq!(with_target(&target), [""; 0]);
    }

    #[test]
    fn keys_that_no_secret_can_have_are_refused() {
        for key in [
            ".",
            "..",
            "..x",
            "...",
            "",
            "a b",
            "a/b",
            "ä",
            &"a".repeat(254),
        ] {
            let data = json!({"data": [{"secretKey": key}]});
            assert_eq!(
                found(&json!({}), &data),
                ["spec.data[0].secretKey"],
                "{key:?}"
            );
            let refused = with_target(&json!({"template": {"data": {key: "x"}}}));
            assert_eq!(
                refused,
                [format!("spec.target.template.data[{key}]")],
                "{key:?}"
            );
        }
        for key in [".x", "a..b", "-", "_", "A.b-c_1"] {
            assert_eq!(
                with_target(&json!({"template": {"data": {key: "x"}}})),
                [""; 0],
                "{key:?}"
            );
        }
    }

    #[test]
    fn labels_that_no_secret_can_have_are_refused() {
        let labels = json!({"metadata": {"labels": {"a": "b c"}}});
        let refused = with_target(&json!({"template": labels}));
        assert_eq!(refused, ["spec.target.template.metadata.labels[a]"]);
        let annotations = json!({"metadata": {"annotations": {"a b": "c"}}});
        let refused = with_target(&json!({"template": annotations}));
        assert_eq!(refused, ["spec.target.template.metadata.annotations[a b]"]);
    }
}
