//! One target as an `ExternalSecret`, every policy written out so that no default can drift.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::go_template;
use super::output::{EmitError, Options};
use crate::contract::Creation;
use crate::name::ValueId;
use crate::resolve::{
    Place, Resolved, ResolvedEntry, ResolvedPart, ResolvedStore, ResolvedTarget, ResolvedText,
    ResolvedValue, TargetValue,
};

/// A manifest and what is not in it.
pub(super) struct Built {
    /// `None` when no secret is left.
    pub(super) object: Option<Value>,
    /// Keys of the Secret, each with the reason.
    pub(super) left_out: Vec<(String, String)>,
    /// The stores that it reads through, each with its backend.
    pub(super) stores: BTreeSet<(ResolvedStore, String)>,
}

pub(super) fn build(
    resolved: &Resolved,
    target: &ResolvedTarget,
    options: &Options,
) -> Result<Built, EmitError> {
    let builder = Builder {
        resolved,
        target,
        options,
    };
    let mut left_out = target.left_out.clone();
    let keys = builder.keys(&mut left_out);
    if !keys.iter().any(|(_, text)| text.values().next().is_some()) {
        return Ok(Built {
            object: None,
            left_out,
            stores: BTreeSet::new(),
        });
    }
    builder.refuse()?;
    let (mut object, stores) = builder.object(&keys)?;
    if let Some(patch) = &target.patch {
        merge_patch(&mut object, patch);
    }
    Ok(Built {
        object: Some(object),
        left_out,
        stores,
    })
}

struct Builder<'a> {
    resolved: &'a Resolved,
    target: &'a ResolvedTarget,
    options: &'a Options,
}

/// A value that is read, and the variable or key that it is read into.
struct Item {
    key: String,
    id: ValueId,
}

impl<'a> Builder<'a> {
    /// The Secret's keys with their texts, alternatives chosen; keys without a text go to `left_out`.
    fn keys(&self, left_out: &mut Vec<(String, String)>) -> Vec<(String, ResolvedText)> {
        let mut keys = Vec::new();
        for entry in self
            .target
            .extract
            .iter()
            .filter_map(|key| self.resolved.entries.get(key))
        {
            for value in entry
                .values
                .iter()
                .filter(|value| value.activity.is_active() && !value.is_forbidden())
            {
                let Some(field) = &value.id.field else {
                    continue;
                };
                if self.target.data.contains_key(field.as_str()) {
                    continue;
                }
                keys.push((field.to_string(), value.as_text()));
            }
        }
        for (key, value) in &self.target.data {
            if let TargetValue::Text(text) = value {
                keys.push((key.clone(), text.clone()));
            }
        }
        keys.into_iter()
            .filter_map(|(key, text)| match text.choose(&self.options.available) {
                Ok(chosen) => Some((key, chosen)),
                Err(missing) => {
                    let why = format!("{missing} is optional and not known to be there");
                    left_out.push((key, why));
                    None
                }
            })
            .collect()
    }

    fn refuse(&self) -> Result<(), EmitError> {
        let target = self.target;
        if target.creation == Creation::CreateOrMerge && !self.options.version.has_create_or_merge()
        {
            return Err(self.error(format!(
                "`creation: CreateOrMerge` needs External Secrets Operator 2.8, and --eso-version is {}",
                self.options.version
            )));
        }
        Ok(())
    }

    fn error(&self, reason: impl Into<String>) -> EmitError {
        EmitError::Target {
            target: format!("{}/{}", self.target.namespace, self.target.secret),
            reason: reason.into(),
        }
    }

    fn object(
        &self,
        keys: &[(String, ResolvedText)],
    ) -> Result<(Value, BTreeSet<(ResolvedStore, String)>), EmitError> {
        let lone = keys.iter().all(|(_, text)| text.lone_value().is_some());
        let (items, template) = match (&self.target.template, lone) {
            (Some(block), true) => (lone_items(keys), own_template(block)),
            (Some(_), false) => {
                return Err(self.error("beside `template`, every value of `data` is a variable: a reference and nothing else"));
            }
            (None, true) => (lone_items(keys), self.template(None)),
            (None, false) => {
                let (items, data) = self.templated(keys);
                (items, self.template(Some(data)))
            }
        };
        let (stores, backends): (Vec<_>, Vec<_>) = self.stores(&items)?.into_iter().unzip();
        let main = self.main_store(&stores)?;
        let data = items
            .iter()
            .zip(&stores)
            .map(|(item, store)| self.data_item(item, (*store != main).then_some(store)))
            .collect::<Result<Vec<_>, _>>()?;
        let used = stores.iter().cloned().zip(backends).collect();
        Ok((self.assemble(&main, &template, &data), used))
    }

    fn assemble(&self, store: &ResolvedStore, template: &Value, data: &[Value]) -> Value {
        let target = self.target;
        let mut metadata = Map::new();
        metadata.insert("name".to_owned(), json!(target.manifest_name));
        metadata.insert("namespace".to_owned(), json!(target.namespace));
        if !target.manifest_labels.is_empty() {
            metadata.insert("labels".to_owned(), json!(target.manifest_labels));
        }
        if !target.manifest_annotations.is_empty() {
            metadata.insert("annotations".to_owned(), json!(target.manifest_annotations));
        }
        let mut secret = Map::new();
        secret.insert("name".to_owned(), json!(target.secret));
        secret.insert("creationPolicy".to_owned(), json!(target.creation.as_str()));
        secret.insert("deletionPolicy".to_owned(), json!(target.deletion.as_str()));
        if let Some(immutable) = target.immutable {
            secret.insert("immutable".to_owned(), json!(immutable));
        }
        secret.insert("template".to_owned(), template.clone());
        json!({
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "metadata": metadata,
            "spec": {
                "refreshPolicy": target.refresh.as_str(),
                "refreshInterval": target.interval,
                "secretStoreRef": store_ref(store),
                "target": secret,
                "data": data,
            },
        })
    }

    /// Always there, with its metadata: without it labels and annotations of the manifest are copied to the Secret.
    fn template(&self, data: Option<Map<String, Value>>) -> Value {
        let mut template = Map::new();
        template.insert("engineVersion".to_owned(), json!("v2"));
        template.insert("mergePolicy".to_owned(), json!("Replace"));
        if let Some(kind) = &self.target.kind {
            template.insert("type".to_owned(), json!(kind));
        }
        template.insert(
            "metadata".to_owned(),
            json!({
                "annotations": escaped(&self.target.annotations),
                "labels": escaped(&self.target.labels),
            }),
        );
        if let Some(data) = data {
            template.insert("data".to_owned(), Value::Object(data));
        }
        Value::Object(template)
    }

    /// Every key as a Go template: untemplated ones would be dropped.
    fn templated(&self, keys: &[(String, ResolvedText)]) -> (Vec<Item>, Map<String, Value>) {
        let mut items: Vec<Item> = Vec::new();
        let mut data = Map::new();
        for (key, text) in keys {
            let printed = text
                .parts()
                .iter()
                .map(|part| match part {
                    ResolvedPart::Literal(literal) => go_template::escape(literal),
                    ResolvedPart::Name(entry) => {
                        let name = self
                            .resolved
                            .entries
                            .get(entry)
                            .and_then(|entry| entry.manifest_place.as_ref());
                        go_template::escape(name.and_then(Place::name).unwrap_or_default())
                    }
                    ResolvedPart::Value { filters, .. } => part_value(part)
                        .map(|id| go_template::action(&variable_of(&mut items, id), filters))
                        .unwrap_or_default(),
                })
                .collect::<String>();
            data.insert(key.clone(), Value::String(printed));
        }
        (items, data)
    }

    fn entry(&self, id: &ValueId) -> Result<(&'a ResolvedEntry, &'a ResolvedValue), EmitError> {
        let entry = self.resolved.entries.get(&id.entry);
        entry
            .zip(self.resolved.value(id))
            .ok_or_else(|| self.error(format!("`{id}` is not declared")))
    }

    fn stores(&self, items: &[Item]) -> Result<Vec<(ResolvedStore, String)>, EmitError> {
        items.iter().map(|item| self.store_of(&item.id)).collect()
    }

    fn store_of(&self, id: &ValueId) -> Result<(ResolvedStore, String), EmitError> {
        let (entry, _) = self.entry(id)?;
        let backend = match &entry.manifest_place {
            Some(Place::Backend { backend, .. }) => backend,
            Some(Place::Nowhere) | None if matches!(entry.place, Some(Place::Nowhere)) => {
                return Err(self.error(format!(
                    "`{id}` is kept in no backend, so nothing can read it; use `deliver: direct`"
                )));
            }
            Some(Place::Nowhere) | None => return Err(EmitError::NoStore),
        };
        let usual = self.resolved.manifests_for.as_ref() == Some(backend);
        let own = self
            .resolved
            .backends
            .get(backend)
            .and_then(|backend| backend.store.clone());
        let store = if usual {
            self.target
                .store
                .clone()
                .or(own)
                .or_else(|| self.resolved.store.clone())
        } else {
            own
        };
        match store {
            Some(store) => Ok((store, backend.clone())),
            None => Err(EmitError::StoreMissing(backend.clone())),
        }
    }

    /// The one that all items share, else the usual backend's.
    fn main_store(&self, stores: &[ResolvedStore]) -> Result<ResolvedStore, EmitError> {
        let distinct: BTreeSet<&ResolvedStore> = stores.iter().collect();
        match (distinct.len(), distinct.first()) {
            (1, Some(only)) => Ok((*only).clone()),
            (_, first) => {
                let usual = self.target.store.as_ref().or(self.resolved.store.as_ref());
                usual
                    .or(first.copied())
                    .cloned()
                    .ok_or_else(|| self.error("it has no store"))
            }
        }
    }

    fn data_item(&self, item: &Item, store: Option<&ResolvedStore>) -> Result<Value, EmitError> {
        let (entry, value) = self.entry(&item.id)?;
        let Some(Place::Backend { kind, name, .. }) = &entry.manifest_place else {
            return Err(EmitError::NoStore);
        };
        let property = match &item.id.field {
            Some(field) => Some(field),
            None => kind.is_map().then_some(&entry.value_key),
        };
        let mut remote = Map::new();
        remote.insert("key".to_owned(), json!(name.as_str()));
        if let Some(property) = property {
            remote.insert("property".to_owned(), json!(property.as_str()));
        }
        remote.insert("conversionStrategy".to_owned(), json!("Default"));
        let decoding = if value.is_stored_base64(*kind) {
            "Base64"
        } else {
            "None"
        };
        remote.insert("decodingStrategy".to_owned(), json!(decoding));
        remote.insert("metadataPolicy".to_owned(), json!("None"));
        if self.options.version.defaults_null_byte_policy() {
            remote.insert("nullBytePolicy".to_owned(), json!("Ignore"));
        }
        let mut data = Map::new();
        data.insert("secretKey".to_owned(), json!(item.key));
        data.insert("remoteRef".to_owned(), Value::Object(remote));
        if let Some(store) = store {
            data.insert(
                "sourceRef".to_owned(),
                json!({"storeRef": store_ref(store)}),
            );
        }
        Ok(Value::Object(data))
    }
}

fn store_ref(store: &ResolvedStore) -> Value {
    json!({"kind": store.kind.as_str(), "name": store.name})
}

/// The operator executes labels and annotations of its template as it does data.
fn escaped(texts: &BTreeMap<String, String>) -> BTreeMap<&str, String> {
    texts
        .iter()
        .map(|(key, text)| (key.as_str(), go_template::escape(text)))
        .collect()
}

fn lone_items(keys: &[(String, ResolvedText)]) -> Vec<Item> {
    keys.iter()
        .filter_map(|(key, text)| {
            text.lone_value().map(|id| Item {
                key: key.clone(),
                id: id.clone(),
            })
        })
        .collect()
}

fn part_value(part: &ResolvedPart) -> Option<&ValueId> {
    match part {
        ResolvedPart::Value { alternatives, .. } => alternatives
            .first()
            .and_then(crate::resolve::Alternative::value),
        ResolvedPart::Literal(_) | ResolvedPart::Name(_) => None,
    }
}

/// The variable of a value; the same value is read once.
fn variable_of(items: &mut Vec<Item>, id: &ValueId) -> String {
    if let Some(item) = items.iter().find(|item| item.id == *id) {
        return item.key.clone();
    }
    let key = go_template::variable(&id.to_string(), |word| {
        items.iter().any(|item| item.key == word)
    });
    items.push(Item {
        key: key.clone(),
        id: id.clone(),
    });
    key
}

/// The contract's own block, with the two defaults that the API server would add.
fn own_template(block: &Value) -> Value {
    let mut template = Map::from_iter([
        ("engineVersion".to_owned(), json!("v2")),
        ("mergePolicy".to_owned(), json!("Replace")),
    ]);
    if let Value::Object(members) = block {
        template.extend(members.clone());
    }
    Value::Object(template)
}

/// RFC 7396.
fn merge_patch(object: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *object = patch.clone();
        return;
    };
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let Value::Object(object) = object else {
        return;
    };
    for (key, value) in members {
        if value.is_null() {
            object.shift_remove(key);
        } else {
            merge_patch(object.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}
