//! Secrets that `seed` writes to the cluster itself, as entries like all others.
//!
//! Each becomes an entry of fields whose backend is the cluster, and each of its keys a text around other values. So
//! looking, planning, writing, racing and judging follow the same rules for them as for every backend. What no backend
//! keeps stays where it is, and is known by the keys that hold it and nothing else.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::model::{
    Activity, Place, Resolved, ResolvedCluster, ResolvedEntry, ResolvedRotate, ResolvedSource,
    ResolvedTarget, ResolvedValue, TargetValue,
};
use super::resolver::Resolver;
use super::text::{ResolvedPart, ResolvedText};
use crate::backend::Kind;
use crate::contract::Cluster;
use crate::diagnostic::Diagnostic;
use crate::name::{EntryKey, FieldName, SecretName, ValueId};
use crate::value::{Checks, Placeholders};

impl ResolvedCluster {
    /// The name that the cluster has among backends. No contract can declare it.
    pub const BACKEND: &'static str = "the cluster";
}

/// Which cluster the contract names.
pub(super) fn settings(
    resolver: &Resolver<'_>,
    own: &Cluster,
) -> Result<ResolvedCluster, Diagnostic> {
    Ok(ResolvedCluster {
        context: resolver.scope.optional(own.context.as_ref())?,
        server: resolver.scope.optional(own.server.as_ref())?,
        keepers: BTreeMap::new(),
    })
}

/// Whether a key of a Secret that is delivered directly holds a value and nothing else.
pub(super) fn keeps(
    entries: &IndexMap<EntryKey, ResolvedEntry>,
    targets: &[ResolvedTarget],
    id: &ValueId,
) -> bool {
    let mut delivered = targets.iter().filter(|target| target.is_delivered());
    delivered.any(|target| {
        let mut texts = texts(entries, target).into_values();
        texts.any(|text| only(&text) == Some(id))
    })
}

/// Adds the Secrets to the entries.
pub(super) fn with_secrets(mut resolved: Resolved, mut cluster: ResolvedCluster) -> Resolved {
    let mut fields = Vec::new();
    let delivered = resolved
        .targets
        .iter()
        .filter(|target| target.is_delivered());
    let secrets: Vec<ResolvedEntry> = delivered
        .map(|target| secret(&resolved.entries, target))
        .collect();
    for entry in secrets {
        for value in &entry.values {
            fields.push(value.id.clone());
            let Some(ResolvedSource::Compose(text)) = &value.source else {
                continue;
            };
            let kept = only(text).filter(|id| is_nowhere(&resolved.entries, id));
            if let Some(kept) = kept {
                let keepers = cluster.keepers.entry(kept.clone()).or_default();
                keepers.push(value.id.clone());
            }
        }
        resolved.entries.insert(entry.key.clone(), entry);
    }
    // What keeps a value comes before everything else that is made from it: source before product.
    let keeps = |id: &ValueId| cluster.keepers.values().any(|keepers| keepers.contains(id));
    fields.retain(|id| !keeps(id));
    let order = std::mem::take(&mut resolved.order).into_iter();
    let order = order.flat_map(|id| {
        let keepers = cluster.keepers.get(&id).cloned().unwrap_or_default();
        std::iter::once(id).chain(keepers)
    });
    resolved.order = order.chain(fields).collect();
    resolved.cluster = Some(cluster);
    resolved
}

fn is_nowhere(entries: &IndexMap<EntryKey, ResolvedEntry>, id: &ValueId) -> bool {
    let place = entries
        .get(&id.entry)
        .and_then(|entry| entry.place.as_ref());
    matches!(place, Some(Place::Nowhere))
}

fn secret(entries: &IndexMap<EntryKey, ResolvedEntry>, target: &ResolvedTarget) -> ResolvedEntry {
    let name = SecretName::new(target.name());
    let key = EntryKey::of_secret(&name);
    let texts = texts(entries, target).into_iter();
    let values = texts.filter_map(|(field, text)| Some(value(&key, field.parse().ok()?, text)));
    let values = values.collect();
    let place = Place::Backend {
        backend: ResolvedCluster::BACKEND.to_owned(),
        kind: Kind::Kubernetes,
        name,
    };
    ResolvedEntry {
        key,
        description: None,
        activity: Activity::Active,
        place: Some(place),
        manifest_place: None,
        labels: target.labels.clone(),
        value_key: FieldName::value(),
        has_fields: true,
        values,
    }
}

fn value(key: &EntryKey, field: FieldName, text: ResolvedText) -> ResolvedValue {
    ResolvedValue {
        id: ValueId::field(key.clone(), field),
        description: None,
        activity: Activity::Active,
        // Without its optional values a key is left out, and nobody has to act.
        optional: false,
        source: Some(ResolvedSource::Compose(text)),
        prefix: String::new(),
        suffix: String::new(),
        checks: Checks::default(),
        newline: None,
        form: None,
        encode: None,
        rotate: ResolvedRotate::Free,
        placeholders: Placeholders::none(),
    }
}

/// What is under each key of a Secret. A key that is written wins over an entry's field of the same name.
fn texts(
    entries: &IndexMap<EntryKey, ResolvedEntry>,
    target: &ResolvedTarget,
) -> IndexMap<String, ResolvedText> {
    let mut texts = IndexMap::new();
    for (key, value) in &target.data {
        if let TargetValue::Text(text) = value {
            texts.insert(key.clone(), text.clone());
        }
    }
    let extracted = target.extract.iter().filter_map(|entry| entries.get(entry));
    for value in extracted.flat_map(|entry| &entry.values) {
        if let Some(field) = value
            .id
            .field
            .as_ref()
            .filter(|_| value.activity.is_active())
        {
            let text = texts.entry(field.to_string());
            text.or_insert_with(|| value.as_text());
        }
    }
    texts
}

/// The one value that a text is, whatever is there.
fn only(text: &ResolvedText) -> Option<&ValueId> {
    match text.parts() {
        [
            ResolvedPart::Value {
                alternatives,
                filters,
            },
        ] if filters.is_empty() => match alternatives.as_slice() {
            [alternative] => alternative.value(),
            _ => None,
        },
        _ => None,
    }
}
