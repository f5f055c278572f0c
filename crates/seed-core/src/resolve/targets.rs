//! Secrets, one for each namespace.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::model::{Activity, ResolvedEmit, ResolvedEntry, ResolvedTarget, TargetValue};
use super::resolver::Resolver;
use crate::contract::{
    Contract, Creation, Deletion, Metadata, Refresh, Setting, Target, expand_key, is_dns_subdomain,
};
use crate::diagnostic::{Diagnostic, Spanned};
use crate::name::EntryKey;

/// What every object of the manifests gets.
pub(super) fn defaults(resolver: &Resolver<'_>) -> Result<ResolvedEmit, Diagnostic> {
    let emit = &resolver.contract.emit;
    let Beside {
        labels,
        annotations,
    } = Beside::of(resolver, &emit.labels, &emit.annotations)?;
    Ok(ResolvedEmit {
        labels,
        annotations,
    })
}

pub(super) fn resolve(
    resolver: &mut Resolver<'_>,
    entries: &IndexMap<EntryKey, ResolvedEntry>,
    defaults: &ResolvedEmit,
) -> Vec<ResolvedTarget> {
    let contract = resolver.contract;
    let mut targets = Vec::new();
    for (key, target) in &contract.targets {
        let activity = resolver.when(target.when.as_ref());
        let resolved = resolve_target(resolver, entries, key, target, (&activity, defaults));
        if let Some(resolved) = resolver.keep(resolved) {
            targets.extend(resolved);
        }
    }
    refuse_twins(resolver, &targets);
    targets
}

fn refuse_twins(resolver: &mut Resolver<'_>, targets: &[ResolvedTarget]) {
    let mut manifests: BTreeMap<_, &String> = BTreeMap::new();
    for target in targets.iter().filter(|target| target.activity.is_active()) {
        let ours = target.made_by.is_none() && !target.direct;
        let objects = [
            Some(("Secret", &target.secret)),
            ours.then_some(("ExternalSecret", &target.manifest_name)),
        ];
        let mut told = None;
        for (kind, name) in objects.into_iter().flatten() {
            let first =
                manifests.insert((kind, target.namespace.clone(), name.clone()), &target.key);
            // Two targets for one Secret usually have one manifest too, and that is one mistake.
            if let Some(first) = first.filter(|first| told != Some(*first)) {
                told = Some(first);
                let message = format!(
                    "the {kind} `{}/{name}` has two targets: `{first}` and `{}`",
                    target.namespace, target.key
                );
                let span = |key: &String| {
                    let declared = resolver.contract.targets.get(key);
                    declared.map(|target| target.span).unwrap_or_default()
                };
                let found = Diagnostic::error(message, span(&target.key))
                    .context(span(first), "the first is here");
                resolver.diagnostics.push(found);
            }
        }
    }
}

fn resolve_target(
    resolver: &Resolver<'_>,
    entries: &IndexMap<EntryKey, ResolvedEntry>,
    key: &str,
    target: &Spanned<Target>,
    given: (&Activity, &ResolvedEmit),
) -> Result<Vec<ResolvedTarget>, Diagnostic> {
    let expanded = resolver.scope.text(&target.key)?;
    let names = expand_key(&expanded).map_err(|message| Diagnostic::error(message, target.span))?;
    let mut resolved = Vec::new();
    for name in names {
        resolved.push(one(resolver, entries, key, target, given, name)?);
    }
    Ok(resolved)
}

fn one(
    resolver: &Resolver<'_>,
    entries: &IndexMap<EntryKey, ResolvedEntry>,
    key: &str,
    target: &Target,
    (activity, defaults): (&Activity, &ResolvedEmit),
    (namespace, secret): (String, String),
) -> Result<ResolvedTarget, Diagnostic> {
    let content = if activity.is_active() {
        content(resolver, entries, target)?
    } else {
        Content::default()
    };
    let scope = &resolver.scope;
    let emit = &resolver.contract.emit;
    let own = Beside::of(resolver, &target.labels, &target.annotations)?;
    let manifest = Beside::of(
        resolver,
        &target.manifest_labels,
        &target.manifest_annotations,
    )?;
    let kind = scope.optional(target.kind.as_ref())?;
    let template = scope.optional_block(target.template.as_ref())?;
    refuse_kind(target, kind.as_deref(), template.as_ref(), &own)?;
    if let Some(kind) = kind
        .as_deref()
        .filter(|_| target.direct && activity.is_active())
    {
        refuse_incomplete(target, kind, &content.keys(entries))?;
    }
    Ok(ResolvedTarget {
        key: key.to_owned(),
        namespace,
        manifest_name: manifest_name(resolver, target, &secret)?,
        secret,
        activity: activity_of(target, activity, &content),
        data: content.data,
        left_out: content.left_out,
        extract: content.extract,
        kind,
        labels: own.labels,
        annotations: own.annotations,
        immutable: target.immutable,
        manifest_labels: over(defaults.labels.clone(), manifest.labels),
        manifest_annotations: over(defaults.annotations.clone(), manifest.annotations),
        store: target
            .store
            .as_ref()
            .map(|store| resolver.store(store))
            .transpose()?,
        creation: target.creation.unwrap_or(Creation::Owner),
        deletion: target
            .deletion
            .or(default_deletion(resolver.contract, target))
            .unwrap_or(Deletion::Retain),
        refresh: target.refresh.or(emit.refresh).unwrap_or(Refresh::Periodic),
        interval: interval(resolver.contract, target),
        restart: target
            .restart
            .iter()
            .map(|workload| workload.value.clone())
            .collect(),
        made_by: target.made_by.as_ref().map(|text| text.value.clone()),
        template,
        patch: scope.optional_json(target.patch.as_ref())?,
        direct: target.direct,
    })
}

/// Labels and annotations that Kubernetes takes.
struct Beside {
    labels: Texts,
    annotations: Texts,
}

type Texts = BTreeMap<String, String>;

impl Beside {
    fn of(
        resolver: &Resolver<'_>,
        labels: &IndexMap<String, Setting>,
        annotations: &IndexMap<String, Setting>,
    ) -> Result<Self, Diagnostic> {
        let judged = |settings: &IndexMap<String, Setting>, rules: Metadata| {
            let one = |(key, setting): (&String, &Setting)| {
                let text = resolver.scope.text(setting)?;
                match rules.refuse_value(key, &text) {
                    Ok(()) => Ok((key.clone(), text)),
                    Err(message) => Err(Diagnostic::error(message, setting.span)),
                }
            };
            settings.iter().map(one).collect::<Result<Texts, _>>()
        };
        Ok(Self {
            labels: judged(labels, Metadata::Labels)?,
            annotations: judged(annotations, Metadata::Annotations)?,
        })
    }
}

/// The types of Secrets that External Secrets Operator refuses.
fn refuse_kind(
    target: &Target,
    kind: Option<&str>,
    template: Option<&serde_json::Value>,
    own: &Beside,
) -> Result<(), Diagnostic> {
    const ACCOUNT: &str = "kubernetes.io/service-account.name";
    let own_kind = template.and_then(|block| block.get("type")?.as_str());
    let own_account =
        template.and_then(|block| block.get("metadata")?.get("annotations")?.get(ACCOUNT));
    let message = match kind.or(own_kind) {
        Some("bootstrap.kubernetes.io/token") => {
            "External Secrets Operator refuses the type bootstrap.kubernetes.io/token"
        }
        Some("kubernetes.io/service-account-token")
            if own_account.is_some() || own.annotations.contains_key(ACCOUNT) =>
        {
            "External Secrets Operator refuses service account tokens"
        }
        _ => return Ok(()),
    };
    let written = target.template.as_ref().map(|block| block.span);
    let place = target.kind.as_ref().map(|kind| kind.span).or(written);
    Err(Diagnostic::error(message, place.unwrap_or(target.key.span)))
}

/// The types of Secrets that Kubernetes takes only with certain keys. What is delivered directly is written as it is.
fn refuse_incomplete(target: &Target, kind: &str, keys: &BTreeSet<&str>) -> Result<(), Diagnostic> {
    let needed: &[&str] = match kind {
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/basic-auth" if keys.contains("password") => &[],
        "kubernetes.io/basic-auth" => &["username"],
        _ => &[],
    };
    let Some(missing) = needed.iter().find(|key| !keys.contains(*key)) else {
        return Ok(());
    };
    let message = format!("Kubernetes refuses the type {kind} without the key `{missing}`");
    let place = target.kind.as_ref().map(|kind| kind.span);
    Err(Diagnostic::error(message, place.unwrap_or(target.key.span)))
}

/// A target without a `when` is inactive when everything that it reads is.
fn activity_of(target: &Target, activity: &Activity, content: &Content) -> Activity {
    let inactive = content
        .left_out
        .first()
        .filter(|_| content.reads_nothing() && !target.data.is_empty());
    match inactive {
        Some((_, why)) if target.when.is_none() => Activity::Inactive(why.clone()),
        _ => activity.clone(),
    }
}

fn manifest_name(
    resolver: &Resolver<'_>,
    target: &Target,
    secret: &str,
) -> Result<String, Diagnostic> {
    let name = resolver.scope.optional(target.manifest_name.as_ref())?;
    let name = name.unwrap_or_else(|| secret.to_owned());
    if is_dns_subdomain(&name) {
        return Ok(name);
    }
    let span = target
        .manifest_name
        .as_ref()
        .map_or(target.key.span, |name| name.span);
    let message = format!("`{name}` cannot be the name of an ExternalSecret");
    Err(Diagnostic::error(message, span))
}

/// The contract's default, except where the webhook would refuse it beside the target's own `creation`.
fn default_deletion(contract: &Contract, target: &Target) -> Option<Deletion> {
    let owned = !matches!(
        target.creation,
        Some(Creation::Merge | Creation::None | Creation::CreateOrMerge)
    );
    contract.emit.deletion.filter(|_| owned)
}

fn interval(contract: &Contract, target: &Target) -> String {
    let interval = target.interval.as_ref().or(contract.emit.interval.as_ref());
    interval.map_or_else(|| "1h0m0s".to_owned(), |interval| interval.value.clone())
}

fn over(mut below: Texts, above: Texts) -> Texts {
    below.extend(above);
    below
}

#[derive(Default)]
struct Content {
    data: IndexMap<String, TargetValue>,
    left_out: Vec<(String, String)>,
    extract: Vec<EntryKey>,
}

impl Content {
    /// The keys of the Secret.
    fn keys<'c>(&'c self, entries: &'c IndexMap<EntryKey, ResolvedEntry>) -> BTreeSet<&'c str> {
        let extracted = self.extract.iter().filter_map(|entry| entries.get(entry));
        let fields = extracted.flat_map(|entry| &entry.values);
        let fields = fields.filter_map(|value| Some(value.id.field.as_ref()?.as_str()));
        self.data.keys().map(String::as_str).chain(fields).collect()
    }

    fn reads_nothing(&self) -> bool {
        let reads = |value: &TargetValue| match value {
            TargetValue::Text(text) => text.values().next().is_some(),
            TargetValue::Unfed => true,
        };
        self.extract.is_empty() && !self.data.values().any(reads)
    }
}

fn content(
    resolver: &Resolver<'_>,
    entries: &IndexMap<EntryKey, ResolvedEntry>,
    target: &Target,
) -> Result<Content, Diagnostic> {
    let mut content = Content::default();
    for (key, value) in &target.data {
        let Some(template) = &value.value else {
            content.data.insert(key.clone(), TargetValue::Unfed);
            continue;
        };
        match resolver.text(template, None) {
            Ok(text) => drop(content.data.insert(key.clone(), TargetValue::Text(text))),
            Err(Ok((missing, _))) => {
                content.left_out.push((
                    key.clone(),
                    format!("{missing}: {}", resolver.why_inactive(&missing)),
                ));
            }
            Err(Err(diagnostic)) => return Err(diagnostic),
        }
    }
    for entry in &target.extract {
        match entries.get(&entry.value).map(|entry| &entry.activity) {
            Some(Activity::Inactive(why)) => {
                content.left_out.push((
                    format!("all of {}", entry.value),
                    format!("{}: {why}", entry.value),
                ));
            }
            Some(Activity::Active) | None => content.extract.push(entry.value.clone()),
        }
    }
    Ok(content)
}
