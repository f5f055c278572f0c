//! A contract written back.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::model::{
    Backend, Cluster, Content, Contract, EmitDefaults, Entry, Field, File, FileContent,
    PaceOverride, Provide, Rotate, Setting, Source, StoreRef, Target, ValueSpec,
};
use crate::diagnostic::Spanned;
use crate::value::Placeholders;
use crate::yaml::{Style, to_json, write};

impl Contract {
    /// Writes the contract as YAML. Reading it again gives an equal contract; comments, anchors and keys that begin with
    /// `x-` are gone.
    pub fn to_yaml(&self) -> String {
        write(&Value::Object(contract(self)), Style::Readable).to_string()
    }
}

/// The members of a mapping; what is not there is not written.
#[derive(Default)]
struct Members(Map<String, Value>);

impl Members {
    fn put(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    fn some<T>(self, key: &str, value: Option<&T>, render: impl FnOnce(&T) -> Value) -> Self {
        match value {
            Some(value) => self.put(key, render(value)),
            None => self,
        }
    }

    fn setting(self, key: &str, setting: Option<&Setting>) -> Self {
        self.some(key, setting, text)
    }

    /// A mapping or a list, unless it is empty.
    fn filled(self, key: &str, value: Value) -> Self {
        let empty = match &value {
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => false,
        };
        if empty { self } else { self.put(key, value) }
    }

    fn join(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

impl From<Members> for Value {
    fn from(members: Members) -> Self {
        Self::Object(members.0)
    }
}

fn text<T: ToString>(spanned: &Spanned<T>) -> Value {
    Value::String(spanned.value.to_string())
}

fn list<T: ToString>(items: &[Spanned<T>]) -> Value {
    items.iter().map(text).collect()
}

fn map<T>(members: &IndexMap<String, T>, render: impl Fn(&T) -> Value) -> Value {
    let rendered = members
        .iter()
        .map(|(key, value)| (key.clone(), render(value)));
    Value::Object(rendered.collect())
}

fn settings(members: &IndexMap<String, Setting>) -> Value {
    map(members, text)
}

fn contract(contract: &Contract) -> Map<String, Value> {
    let config = Members::default()
        .filled("files", list(&contract.config_files))
        .filled("defaults", contract.defaults.as_json().clone().into());
    let conditions = map(&contract.conditions, |condition| condition.as_str().into());
    let backends = contract
        .backends
        .iter()
        .map(|(name, it)| (name.clone(), backend(name, it)));
    let secrets = contract
        .secrets
        .iter()
        .map(|(key, it)| (key.to_string(), entry(it)));
    Members::default()
        .put("version", 1)
        .put("name", contract.name.value.as_str())
        .setting("root", contract.root.as_ref())
        .some("env", contract.env.as_ref(), text)
        .filled("config", config.into())
        .filled("conditions", conditions)
        .setting("backend", contract.backend.as_ref())
        .filled("backends", Value::Object(backends.collect()))
        .some("store", contract.store.as_ref(), |it| store(it).into())
        .some("cluster", contract.cluster.as_ref(), |it| {
            cluster(it).into()
        })
        .filled("emit", emit(&contract.emit).into())
        .filled("secrets", Value::Object(secrets.collect()))
        .filled("targets", map(&contract.targets, |it| target(it).into()))
        .filled("files", map(&contract.files, |it| file(it).into()))
        .0
}

fn backend(name: &str, backend: &Backend) -> Value {
    let PaceOverride { reads, writes } = backend.pace;
    let pace = Members::default()
        .some("reads", reads.as_ref(), |reads| json!(reads))
        .some("writes", writes.as_ref(), |writes| json!(writes));
    let kind = Some(backend.kind).filter(|kind| kind.as_str() != name);
    let mut members = Members::default().some("kind", kind.as_ref(), |kind| kind.as_str().into());
    for (setting, value) in &backend.settings {
        members = members.put(setting, text(value));
    }
    members
        .setting("prefix", backend.prefix.as_ref())
        .filled("labels", settings(&backend.labels))
        .filled("pace", pace.into())
        .some("store", backend.store.as_ref(), |own| {
            let reference = own.reference.as_ref().map(store).unwrap_or_default();
            reference
                .some("auth", own.auth.as_ref(), to_json)
                .some("service-account", own.service_account.as_ref(), |own| {
                    let members = Members::default();
                    members.filled("annotations", settings(own)).into()
                })
                .into()
        })
        .into()
}

fn store(store: &StoreRef) -> Members {
    Members::default()
        .put("kind", store.kind.as_str())
        .put("name", text(&store.name))
}

fn cluster(cluster: &Cluster) -> Members {
    Members::default()
        .setting("context", cluster.context.as_ref())
        .setting("server", cluster.server.as_ref())
}

fn emit(emit: &EmitDefaults) -> Members {
    Members::default()
        .filled("labels", settings(&emit.labels))
        .filled("annotations", settings(&emit.annotations))
        .some("interval", emit.interval.as_ref(), text)
        .some("refresh", emit.refresh.as_ref(), |it| it.as_str().into())
        .some("deletion", emit.deletion.as_ref(), |it| it.as_str().into())
}

fn entry(entry: &Entry) -> Value {
    let content = match &entry.content {
        Content::Single(spec) => value_spec(spec, None),
        Content::Fields(fields) => {
            let fields = fields
                .iter()
                .map(|(name, it)| (name.to_string(), field(it)));
            Members::default().put("fields", Value::Object(fields.collect()))
        }
    };
    Members::default()
        .some("description", entry.description.as_ref(), text)
        .some("when", entry.when.as_ref(), |when| when.as_str().into())
        .setting("key", entry.key.as_ref())
        .setting("backend", entry.backend.as_ref())
        .filled("labels", settings(&entry.labels))
        .some("value-key", entry.value_key.as_ref(), text)
        .join(content)
        .into()
}

fn field(field: &Field) -> Value {
    Members::default()
        .some("description", field.description.as_ref(), text)
        .some("when", field.when.as_ref(), |when| when.as_str().into())
        .join(value_spec(&field.value, None))
        .into()
}

/// A source and what stands beside it. Inside `cases`, what is usual is written too where `outer` says otherwise.
fn value_spec(spec: &ValueSpec, outer: Option<&ValueSpec>) -> Members {
    let usual = |usual: bool, outer_usual: bool| usual && outer_usual;
    let free = usual(
        spec.rotate == Rotate::Free,
        outer.is_none_or(|outer| outer.rotate == Rotate::Free),
    );
    let needed = usual(!spec.optional, outer.is_none_or(|outer| !outer.optional));
    source(spec)
        .setting("prefix", spec.prefix.as_ref())
        .setting("suffix", spec.suffix.as_ref())
        .some("check", spec.check.as_ref(), to_json)
        .some("newline", spec.newline.as_ref(), |it| it.as_str().into())
        .some("form", spec.form.as_ref(), |it| it.as_str().into())
        .some("encode", spec.encode.as_ref(), |it| it.as_str().into())
        .some("rotate", (!free).then_some(&spec.rotate), rotate)
        .some("optional", (!needed).then_some(&spec.optional), |it| {
            Value::Bool(*it)
        })
        .some(
            "placeholder",
            spec.placeholder.as_ref(),
            Placeholders::to_json,
        )
}

fn source(spec: &ValueSpec) -> Members {
    let members = Members::default();
    match &spec.source.value {
        Source::Cases(cases) => {
            let cases = cases.iter().map(|case| {
                Members::default()
                    .some("when", case.when.as_ref(), |when| when.as_str().into())
                    .join(value_spec(&case.value, Some(spec)))
                    .into()
            });
            members.put("cases", Value::Array(cases.collect()))
        }
        Source::Compose(template) => members.put("compose", text(template)),
        Source::Derive { parameters, .. } => members.put("derive", to_json(parameters)),
        Source::Forbidden(reason) => members.put("forbidden", text(reason)),
        Source::Generate {
            parameters,
            provide: given,
        } => members
            .put("generate", to_json(parameters))
            .some("provide", given.as_ref(), |it| provide(it).into()),
        Source::Mint { by } => members.put("mint", Members::default().put("by", text(by))),
        Source::Provide(given) => members.put("provide", provide(given)),
        Source::Value(value) => members.put("value", text(value)),
    }
}

fn provide(provide: &Provide) -> Members {
    Members::default()
        .setting("how", provide.how.as_ref())
        .setting("url", provide.url.as_ref())
        .some("env", provide.env.as_ref(), text)
        .setting("file", provide.file.as_ref())
}

fn rotate(rotate: &Rotate) -> Value {
    match rotate {
        Rotate::Careful(why) => json!({"careful": text(why)}),
        Rotate::Free => "free".into(),
        Rotate::Never => "never".into(),
        Rotate::With(members) => json!({"with": list(members)}),
    }
}

fn target(target: &Target) -> Members {
    let manifest = Members::default()
        .setting("name", target.manifest_name.as_ref())
        .filled("labels", settings(&target.manifest_labels))
        .filled("annotations", settings(&target.manifest_annotations));
    let data = map(&target.data, |template| {
        template
            .as_ref()
            .map_or(Value::Null, |template| template.to_string().into())
    });
    Members::default()
        .some("when", target.when.as_ref(), |when| when.as_str().into())
        .some("made-by", target.made_by.as_ref(), text)
        .setting("type", target.kind.as_ref())
        .filled("labels", settings(&target.labels))
        .filled("annotations", settings(&target.annotations))
        .some("immutable", target.immutable.as_ref(), |it| {
            Value::Bool(*it)
        })
        .filled("manifest", manifest.into())
        .some("store", target.store.as_ref(), |it| store(it).into())
        .some("creation", target.creation.as_ref(), |it| {
            it.as_str().into()
        })
        .some("deletion", target.deletion.as_ref(), |it| {
            it.as_str().into()
        })
        .some("refresh", target.refresh.as_ref(), |it| it.as_str().into())
        .some("interval", target.interval.as_ref(), text)
        .filled("restart", list(&target.restart))
        .some("deliver", target.direct.then_some(&"direct"), |it| {
            (*it).into()
        })
        .filled("data", data)
        .filled("extract", list(&target.extract))
        .some("template", target.template.as_ref(), to_json)
        .some("patch", target.patch.as_ref(), to_json)
}

fn file(file: &File) -> Members {
    let members = Members::default().some("when", file.when.as_ref(), |when| when.as_str().into());
    match &file.content {
        FileContent::Dotenv(node) => members.put("dotenv", to_json(node)),
        FileContent::Json(node) => members.put("json", to_json(node)),
        FileContent::Text(template) => members.put("text", text(template)),
        FileContent::Yaml(node) => members.put("yaml", to_json(node)),
    }
}
