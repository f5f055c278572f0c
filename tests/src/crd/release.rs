//! The CRDs of one release of the operator.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::OnceLock;

use flate2::read::GzDecoder;
use serde_json::Value;

use super::{defaults, metadata, schema, vocabulary};
use crate::{Refusal, yaml};

/// Every release whose CRDs are kept, with what `--eso-version` calls it.
pub const RELEASES: [(&str, &str); 5] = [
    ("v0.17.0", "0.17"),
    ("v0.20.4", "0.20"),
    ("v1.3.2", "1.3"),
    ("v2.5.0", "2.5"),
    ("v2.9.0", "2.9"),
];

/// The custom resource definitions of one release.
#[derive(Debug)]
pub struct Release {
    definitions: Vec<Value>,
}

impl Release {
    /// Returns the definitions of one of [`RELEASES`], reading them once for all tests of a process.
    pub fn known(shared: &Path, version: &str) -> Result<&'static Self, String> {
        static READ: [OnceLock<Result<Release, String>>; RELEASES.len()] =
            [const { OnceLock::new() }; RELEASES.len()];
        let mut places = RELEASES.iter().zip(&READ);
        let place = places.find(|((name, _), _)| *name == version);
        let (_, place) = place.ok_or_else(|| format!("no release `{version}` is known"))?;
        place
            .get_or_init(|| Self::load(shared, version))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// Reads the definitions of `version`, such as `v2.9.0`, from the shared material.
    pub fn load(shared: &Path, version: &str) -> Result<Self, String> {
        let path = shared.join("eso-crds").join(format!("{version}.yaml.gz"));
        let mut text = String::new();
        File::open(&path)
            .and_then(|file| GzDecoder::new(file).read_to_string(&mut text))
            .map_err(|err| format!("{}: {err}", path.display()))?;
        Self::read(&text).map_err(|err| format!("{}: {err}", path.display()))
    }

    /// Reads definitions from YAML.
    pub fn read(text: &str) -> Result<Self, String> {
        Ok(Self {
            definitions: yaml::documents(text)?,
        })
    }

    /// Returns the definition of a kind in one version, which must be served.
    pub fn definition(&self, kind: &str, version: &str) -> Result<Definition<'_>, String> {
        let definition = self.definitions.iter().find(|definition| {
            definition
                .pointer("/spec/names/kind")
                .and_then(Value::as_str)
                == Some(kind)
        });
        let spec = definition
            .and_then(|definition| definition.get("spec"))
            .ok_or_else(|| format!("no definition of `{kind}`"))?;
        Definition::new(spec, kind, version)
    }

    /// Says why the API server would refuse `object`, with strict field validation. Finds the
    /// definition by the object's own `apiVersion` and `kind`.
    pub fn refusals(&self, object: &Value) -> Vec<Refusal> {
        match self.definition_of(object) {
            Ok(definition) => definition.refusals(object),
            Err(refusal) => vec![refusal],
        }
    }

    /// Returns `object` with the defaults that the API server would write into it.
    pub fn with_defaults(&self, object: &Value) -> Result<Value, Refusal> {
        Ok(self.definition_of(object)?.with_defaults(object))
    }

    fn definition_of(&self, object: &Value) -> Result<Definition<'_>, Refusal> {
        let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
        let api_version = text("apiVersion");
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let definition = self
            .definition(text("kind"), version)
            .map_err(|reason| Refusal::new("apiVersion", reason))?;
        if definition.group == group {
            Ok(definition)
        } else {
            let reason = format!("group `{group}` instead of `{}`", definition.group);
            Err(Refusal::new("apiVersion", reason))
        }
    }
}

/// One kind in one served version.
#[derive(Clone, Copy, Debug)]
pub struct Definition<'a> {
    group: &'a str,
    kind: &'a str,
    namespaced: bool,
    schema: &'a Value,
    version: &'a str,
}

impl<'a> Definition<'a> {
    fn new(spec: &'a Value, kind: &str, version: &str) -> Result<Self, String> {
        let versions = spec.get("versions").and_then(Value::as_array);
        let found = versions
            .into_iter()
            .flatten()
            .find(|found| found.get("name").and_then(Value::as_str) == Some(version))
            .ok_or_else(|| format!("`{kind}` has no version `{version}`"))?;
        if found.get("served") != Some(&Value::Bool(true)) {
            return Err(format!("version `{version}` of `{kind}` is not served"));
        }
        let schema = found
            .pointer("/schema/openAPIV3Schema")
            .ok_or_else(|| format!("version `{version}` of `{kind}` has no schema"))?;
        vocabulary::check(schema)?;
        let text = |value: Option<&'a Value>| value.and_then(Value::as_str).unwrap_or_default();
        Ok(Self {
            group: text(spec.get("group")),
            kind: text(spec.pointer("/names/kind")),
            namespaced: text(spec.get("scope")) == "Namespaced",
            schema,
            version: text(found.get("name")),
        })
    }

    /// Says why the API server would refuse `object`, with strict field validation.
    pub fn refusals(&self, object: &Value) -> Vec<Refusal> {
        let mut refusals = schema::refusals(self.schema, object);
        let api_version = format!("{}/{}", self.group, self.version);
        for (key, expected) in [("apiVersion", api_version.as_str()), ("kind", self.kind)] {
            if object.get(key).and_then(Value::as_str) != Some(expected) {
                refusals.push(Refusal::new(key, format!("is not `{expected}`")));
            }
        }
        match object.get("metadata") {
            Some(meta) => refusals.extend(metadata::object_meta_refusals(meta, self.namespaced)),
            None => refusals.push(Refusal::new("metadata", "is missing")),
        }
        refusals
    }

    /// Returns `object` with the defaults that the API server would write into it.
    #[must_use]
    pub fn with_defaults(&self, object: &Value) -> Value {
        defaults::filled(self.schema, object)
    }
}
