//! The meaning of a whole `ExternalSecret`.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use similar::TextDiff;

use super::duration::GoDuration;
use super::fields::{Fields, OPTIONS, as_written};
use super::target::Template;
use super::template::{Source, Text, Variables};

/// A `SecretStore` or `ClusterSecretStore`.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Store {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// The Secret that comes of an `ExternalSecret`, and how it is kept.
///
/// Two `ExternalSecrets` with equal meanings give the same Secret: how the variables between are
/// called, whether a key passes through or a template copies it, and whether a default is written
/// out make no difference. Labels and annotations of the `ExternalSecret` itself count only where it
/// has no template, because there the operator copies them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Meaning {
    /// The namespace of both.
    pub namespace: String,
    /// The name of the `ExternalSecret`.
    pub name: String,
    /// The store that it reads.
    pub store: Option<Store>,
    /// The name of the Secret.
    pub target: String,
    /// The type of the Secret.
    pub secret_type: String,
    /// Whether the Secret cannot be changed.
    pub immutable: bool,
    /// The labels of the Secret.
    pub labels: BTreeMap<String, Text>,
    /// The annotations of the Secret.
    pub annotations: BTreeMap<String, Text>,
    /// `creationPolicy`.
    pub creation: String,
    /// `deletionPolicy`.
    pub deletion: String,
    /// `refreshPolicy`.
    pub refresh: String,
    /// `refreshInterval`.
    pub interval: GoDuration,
    /// The data keys of the Secret and what is in each.
    pub keys: BTreeMap<String, Text>,
    /// Fields that are compared as they are written.
    pub others: BTreeMap<String, Value>,
}

impl Meaning {
    /// Reads an `ExternalSecret`. Fails where it has none, or none that is known here.
    pub fn of(object: &Value) -> Result<Self, String> {
        let whole = Fields::new(
            Some(object),
            "",
            &["apiVersion", "kind", "metadata", "spec", "status"],
        )?;
        let kind = (whole.required("apiVersion")?, whole.required("kind")?);
        if kind != ("external-secrets.io/v1".into(), "ExternalSecret".into()) {
            return Err(format!("{} {} is no ExternalSecret", kind.0, kind.1));
        }
        let metadata = Fields::new(whole.value("metadata"), "metadata", &METADATA)?;
        let spec = Fields::new(whole.value("spec"), "spec", &SPEC)?;
        let target = Fields::new(spec.value("target"), "spec.target", &TARGET)?;
        let store = spec.value("secretStoreRef").map(Store::read).transpose()?;
        let template = Template::read(target.value("template"))?;
        let variables = variables(&spec, store.as_ref())?;
        let name = metadata.required("name")?;
        Ok(Self {
            namespace: metadata.required("namespace")?,
            target: target.text_or("name", &name)?,
            name,
            store,
            immutable: target.value("immutable") == Some(&Value::Bool(true)),
            labels: template.texts("labels", &metadata, &variables)?,
            annotations: template.texts("annotations", &metadata, &variables)?,
            creation: target.text_or("creationPolicy", "Owner")?,
            deletion: target.text_or("deletionPolicy", "Retain")?,
            refresh: spec.text_or("refreshPolicy", "Periodic")?,
            interval: GoDuration::parse(&spec.text_or("refreshInterval", "1h")?)?,
            keys: template.keys(&variables)?,
            others: {
                let written =
                    as_written([&spec, &target], &["dataFrom", "manifest", "syncWindows"]);
                template.others.into_iter().chain(written).collect()
            },
            secret_type: template.secret_type,
        })
    }

    /// Returns the lines that differ, or none where both mean the same.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        if self == other {
            return None;
        }
        let (ours, theirs) = (self.to_string(), other.to_string());
        let diff = TextDiff::from_lines(&ours, &theirs)
            .unified_diff()
            .context_radius(1)
            .to_string();
        Some(if diff.is_empty() {
            format!("{self:#?}\n{other:#?}")
        } else {
            diff
        })
    }
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "ExternalSecret {}/{}", self.namespace, self.name)?;
        match &self.store {
            Some(store) => writeln!(f, "store {store}")?,
            None => writeln!(f, "no store")?,
        }
        writeln!(f, "Secret {} of type {}", self.target, self.secret_type)?;
        writeln!(f, "immutable {}", self.immutable)?;
        writeln!(f, "creation {}, deletion {}", self.creation, self.deletion)?;
        writeln!(f, "refresh {} every {}", self.refresh, self.interval)?;
        let sections = [
            ("label", &self.labels),
            ("annotation", &self.annotations),
            ("key", &self.keys),
        ];
        for (what, texts) in sections {
            for (name, text) in texts {
                writeln!(
                    f,
                    "{what} {name} = {}",
                    text.to_string().replace('\n', "\n    ")
                )?;
            }
        }
        for (path, value) in &self.others {
            writeln!(f, "{path} = {value}")?;
        }
        Ok(())
    }
}

impl Store {
    fn read(value: &Value) -> Result<Self, String> {
        let store = Fields::new(Some(value), "storeRef", &["kind", "name"])?;
        Ok(Self {
            kind: store.text_or("kind", "SecretStore")?,
            name: store.required("name")?,
        })
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

fn variables(spec: &Fields<'_>, store: Option<&Store>) -> Result<Variables, String> {
    let mut named = BTreeMap::new();
    for item in spec.list("data")? {
        let item = Fields::new(
            Some(item),
            "spec.data[]",
            &["remoteRef", "secretKey", "sourceRef"],
        )?;
        // The last of two with one name wins.
        named.insert(item.required("secretKey")?, source(&item, store)?);
    }
    Ok(Variables {
        named,
        open: !spec.list("dataFrom")?.is_empty(),
    })
}

fn source(item: &Fields<'_>, store: Option<&Store>) -> Result<Source, String> {
    let reference = Fields::new(
        item.value("remoteRef"),
        "spec.data[].remoteRef",
        &REMOTE_REF,
    )?;
    let source = Fields::new(
        item.value("sourceRef"),
        "spec.data[].sourceRef",
        &["storeRef"],
    )?;
    let other = source.value("storeRef").map(Store::read).transpose()?;
    let mut options = BTreeMap::new();
    for (name, default) in OPTIONS {
        let value = reference.text_or(name, default)?;
        if value != default {
            options.insert(name.to_owned(), value);
        }
    }
    Ok(Source {
        key: reference.required("key")?,
        property: reference.text("property")?.map(str::to_owned),
        options,
        store: other.filter(|other| store != Some(other)),
    })
}

const METADATA: [&str; 5] = ["annotations", "finalizers", "labels", "name", "namespace"];

const SPEC: [&str; 7] = [
    "data",
    "dataFrom",
    "refreshInterval",
    "refreshPolicy",
    "secretStoreRef",
    "syncWindows",
    "target",
];

const TARGET: [&str; 6] = [
    "creationPolicy",
    "deletionPolicy",
    "immutable",
    "manifest",
    "name",
    "template",
];

const REMOTE_REF: [&str; 7] = [
    "conversionStrategy",
    "decodingStrategy",
    "key",
    "metadataPolicy",
    "nullBytePolicy",
    "property",
    "version",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(spec: &Value) -> Value {
        json!({
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "metadata": {"name": "app", "namespace": "team", "labels": {"own": "{{ .x }}"}},
            "spec": spec,
        })
    }

    fn meaning(spec: &Value) -> Meaning {
        Meaning::of(&object(spec)).unwrap()
    }

    fn shown(texts: &BTreeMap<String, Text>) -> Vec<String> {
        texts
            .iter()
            .map(|(key, text)| format!("{key}={text}"))
            .collect()
    }

    fn item(name: &str, key: &str) -> Value {
        json!({"secretKey": name, "remoteRef": {"key": key}})
    }

    fn with_template(template: &Value) -> Meaning {
        let data = [item("x", "alpha"), item("y", "beta")];
        meaning(&json!({"data": data, "target": {"template": template}}))
    }

    #[test]
    fn defaults_are_filled_in() {
        let short = meaning(&json!({"data": [item("x", "alpha")]}));
        let long = meaning(&json!({
            "refreshPolicy": "Periodic",
            "refreshInterval": "1h0m0s",
            "target": {"name": "app", "creationPolicy": "Owner", "deletionPolicy": "Retain"},
            "data": [{"secretKey": "x", "remoteRef": {
                "key": "alpha", "conversionStrategy": "Default", "decodingStrategy": "None",
                "metadataPolicy": "None", "nullBytePolicy": "Ignore",
            }}],
        }));
        assert_eq!(short, long);
        assert_eq!(short.difference(&long), None);
        assert_eq!(
            (short.secret_type.as_str(), short.target.as_str()),
            ("Opaque", "app")
        );
    }

    #[test]
    fn every_field_makes_a_difference() {
        let base = json!({
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": "s"},
            "data": [item("x", "alpha")],
            "target": {"template": {}},
        });
        let changes = [
            (
                "/secretStoreRef",
                json!({"kind": "SecretStore", "name": "s"}),
            ),
            (
                "/secretStoreRef",
                json!({"kind": "ClusterSecretStore", "name": "t"}),
            ),
            ("/refreshPolicy", json!("OnChange")),
            ("/refreshInterval", json!("2h")),
            ("/syncWindows", json!({"kind": "allow"})),
            ("/dataFrom", json!([{"extract": {"key": "a"}}])),
            ("/target/name", json!("other")),
            ("/target/creationPolicy", json!("Merge")),
            ("/target/deletionPolicy", json!("Delete")),
            ("/target/immutable", json!(true)),
            (
                "/target/manifest",
                json!({"kind": "ConfigMap", "apiVersion": "v1"}),
            ),
            ("/target/template/type", json!("kubernetes.io/tls")),
            ("/target/template/metadata", json!({"labels": {"a": "b"}})),
            (
                "/target/template/metadata",
                json!({"annotations": {"a": "b"}}),
            ),
            ("/target/template/metadata", json!({"finalizers": ["a/b"]})),
            ("/target/template/data", json!({"x": "literal"})),
            ("/target/template/templateFrom", json!([{"literal": "a"}])),
            ("/data/0/secretKey", json!("y")),
            ("/data/0/remoteRef/key", json!("beta")),
            ("/data/0/remoteRef/property", json!("field")),
            ("/data/0/remoteRef/version", json!("2")),
            ("/data/0/remoteRef/decodingStrategy", json!("Base64")),
            ("/data/0/remoteRef/nullBytePolicy", json!("Fail")),
            ("/data/0/sourceRef", json!({"storeRef": {"name": "t"}})),
        ];
        for (place, value) in changes {
            let mut changed = base.clone();
            let (parent, name) = place.rsplit_once('/').unwrap();
            changed.pointer_mut(parent).unwrap()[name] = value;
            let difference = meaning(&base).difference(&meaning(&changed));
            assert!(difference.is_some_and(|lines| !lines.is_empty()), "{place}");
        }
    }

    #[test]
    fn without_template_data_every_key_passes_through() {
        for template in [
            json!(null),
            json!({}),
            json!({"metadata": {"labels": {}}, "data": {}}),
        ] {
            let keys = with_template(&template).keys;
            assert_eq!(shown(&keys), ["x=<alpha>", "y=<beta>"], "{template}");
        }
    }

    #[test]
    fn replacing_template_data_leaves_only_its_own_keys() {
        for policy in [json!("Replace"), json!(null)] {
            let template = json!({"mergePolicy": policy, "data": {"z": "{{ .x }}", "l": "text"}});
            assert_eq!(
                shown(&with_template(&template).keys),
                ["l=text", "z=<alpha>"]
            );
        }
        let imported = json!({"templateFrom": [{"literal": "a: b"}]});
        assert_eq!(shown(&with_template(&imported).keys), [""; 0]);
    }

    #[test]
    fn merging_template_data_stands_beside_what_passes_through() {
        let template = json!({"mergePolicy": "Merge", "data": {"y": "y: {{ .x }}", "l": "text"}});
        let keys = with_template(&template).keys;
        assert_eq!(shown(&keys), ["l=text", "x=<alpha>", "y=y: <alpha>"]);
    }

    #[test]
    fn a_key_that_a_template_copies_means_the_same_as_one_that_passes_through() {
        let copied = json!({"template": {"data": {"key": "{{ .v }}"}, "metadata": {"labels": {}}}});
        let copied = meaning(&json!({"data": [item("v", "alpha")], "target": copied}));
        let passed = json!({"template": {"engineVersion": "v2", "mergePolicy": "Replace"}});
        let passed = meaning(&json!({"data": [item("key", "alpha")], "target": passed}));
        assert_eq!(copied.difference(&passed), None);
    }

    #[test]
    fn without_a_template_the_labels_of_the_external_secret_are_copied() {
        assert_eq!(shown(&with_template(&json!(null)).labels), ["own={{ .x }}"]);
        assert_eq!(shown(&with_template(&json!({})).labels), [""; 0]);
        let template =
            json!({"metadata": {"labels": {"a": "{{ .y }}"}, "annotations": {"b": "c"}}});
        let meaning = with_template(&template);
        assert_eq!(shown(&meaning.labels), ["a=<beta>"]);
        assert_eq!(shown(&meaning.annotations), ["b=c"]);
    }

    #[test]
    fn sources_show_what_is_not_the_default() {
        let data = json!([{
            "secretKey": "x",
            "remoteRef": {"key": "alpha", "property": "f", "decodingStrategy": "Base64", "version": "2"},
            "sourceRef": {"storeRef": {"kind": "ClusterSecretStore", "name": "other"}},
        }]);
        let keys = meaning(&json!({"data": data, "secretStoreRef": {"name": "main"}})).keys;
        let expected =
            "x=<alpha#f, decodingStrategy=Base64, version=2, store=ClusterSecretStore/other>";
        assert_eq!(shown(&keys), [expected]);
    }

    #[test]
    fn the_store_of_an_item_counts_only_where_it_is_another_one() {
        let mut same = item("x", "alpha");
        same["sourceRef"] = json!({"storeRef": {"kind": "SecretStore", "name": "main"}});
        let spec = |item: &Value| json!({"data": [item], "secretStoreRef": {"name": "main"}});
        assert_eq!(meaning(&spec(&same)), meaning(&spec(&item("x", "alpha"))));
    }

    #[test]
    fn the_difference_shows_the_lines_that_differ() {
        let other = meaning(&json!({"data": [item("x", "beta")]}));
        let difference = meaning(&json!({"data": [item("x", "alpha")]}))
            .difference(&other)
            .unwrap();
        assert!(
            difference.contains("-key x = <alpha>\n+key x = <beta>\n"),
            "{difference}"
        );
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        let unknown = [
            json!({"refreshIntervall": "1h"}),
            json!({"target": {"template": {"engineVersion": "v1"}}}),
            json!({"target": {"template": {"mergePolicy": "Both"}}}),
            json!({"target": {"template": {"data": {"x": 1}}}}),
            json!({"target": {"template": {"data": {"x": "{{ .nothing }}"}}}}),
            json!({"target": {"template": []}}),
            json!({"refreshInterval": "1d"}),
            json!({"data": [{"secretKey": "x"}]}),
            json!({"data": [{"secretKey": "x", "remoteRef": {"key": ""}}]}),
            json!({"data": [{"secretKey": "x", "sourceRef": {"generatorRef": {}}}]}),
            json!({"data": {"x": "alpha"}}),
        ];
        for spec in unknown {
            assert!(Meaning::of(&object(&spec)).is_err(), "{spec}");
        }
        let mut old = object(&json!({}));
        old["apiVersion"] = json!("external-secrets.io/v1beta1");
        assert!(Meaning::of(&old).is_err());
        let mut nowhere = object(&json!({}));
        nowhere["metadata"] = json!({"name": "app"});
        assert!(Meaning::of(&nowhere).is_err());
    }
}
