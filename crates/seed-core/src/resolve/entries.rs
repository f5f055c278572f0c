//! Which values are active, and what each comes from.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::model::{
    Activity, Place, Provided, ResolvedEntry, ResolvedRotate, ResolvedSource, ResolvedValue,
};
use super::places::{self, Backends};
use super::resolver::Resolver;
use crate::contract::reader::Context;
use crate::contract::{Content, Entry, Provide, Rotate, Source, ValueSpec, value_of};
use crate::diagnostic::{Diagnostic, Span, Spanned};
use crate::name::{EntryKey, FieldName, ValueId};
use crate::value::{Checks, Derivation, Placeholders, Proof, Recipe};
use crate::yaml::Node;

/// Whether any value of an entry is active.
pub(super) fn is_active(resolver: &Resolver<'_>, key: &EntryKey) -> bool {
    let from = ValueId::single(key.clone());
    let own = resolver
        .activity
        .range(from..)
        .take_while(|(id, _)| id.entry == *key);
    own.map(|(_, activity)| activity).any(Activity::is_active)
}

/// Decides for every value whether it is needed, and by which case.
pub(super) fn decide_activity(resolver: &mut Resolver<'_>) {
    for (key, entry) in &resolver.contract.secrets {
        let outer = resolver.when(entry.when.as_ref());
        match &entry.content {
            Content::Single(spec) => decide(resolver, ValueId::single(key.clone()), &outer, spec),
            Content::Fields(fields) => {
                for (name, field) in fields {
                    // Asked in any case: a misspelt fact is an error in every environment.
                    let inner = resolver.when(field.when.as_ref());
                    let own = if outer.is_active() {
                        inner
                    } else {
                        outer.clone()
                    };
                    decide(
                        resolver,
                        ValueId::field(key.clone(), name.clone()),
                        &own,
                        &field.value.value,
                    );
                }
            }
        }
    }
}

fn decide<'c>(resolver: &mut Resolver<'c>, id: ValueId, outer: &Activity, spec: &'c ValueSpec) {
    let mut held = None;
    if let Source::Cases(cases) = &spec.source.value {
        // All of them are asked, so that a misspelt fact shows wherever it stands.
        for case in cases {
            let holds = resolver.when(case.when.as_ref()).is_active();
            held = held.or(holds.then_some(case));
        }
    }
    let activity = match (outer, &spec.source.value) {
        (Activity::Inactive(_), _) => outer.clone(),
        (Activity::Active, Source::Cases(_)) => match held {
            Some(case) => {
                resolver.chosen.insert(id.clone(), &case.value);
                Activity::Active
            }
            None => Activity::Inactive("none of its cases holds".to_owned()),
        },
        (Activity::Active, _) => {
            resolver.chosen.insert(id.clone(), spec);
            Activity::Active
        }
    };
    resolver.activity.insert(id, activity);
}

/// Works out every entry; of inactive ones only the names.
pub(super) fn resolve(
    resolver: &mut Resolver<'_>,
    backends: &Backends,
) -> IndexMap<EntryKey, ResolvedEntry> {
    let contract = resolver.contract;
    contract
        .secrets
        .iter()
        .map(|(key, entry)| (key.clone(), resolve_entry(resolver, backends, key, entry)))
        .collect()
}

fn resolve_entry(
    resolver: &mut Resolver<'_>,
    backends: &Backends,
    key: &EntryKey,
    entry: &Spanned<Entry>,
) -> ResolvedEntry {
    let values: Vec<ResolvedValue> = match &entry.content {
        Content::Single(_) => vec![resolve_value(resolver, ValueId::single(key.clone()), None)],
        Content::Fields(fields) => fields
            .iter()
            .map(|(name, field)| {
                let description = field.description.as_ref().map(|text| text.value.clone());
                resolve_value(
                    resolver,
                    ValueId::field(key.clone(), name.clone()),
                    description,
                )
            })
            .collect(),
    };
    let active = values.iter().any(|value| value.activity.is_active());
    let activity = match values.first().map(|value| &value.activity) {
        Some(Activity::Inactive(why)) if !active => Activity::Inactive(why.clone()),
        _ => Activity::Active,
    };
    let (mut place, mut manifest_place) = (None, None);
    if active {
        let places = places::of_entry(resolver, backends, key, entry);
        if let Some((stored, read)) = resolver.keep(places) {
            (place, manifest_place) = (Some(stored), read);
        }
        refuse_fields(resolver, place.as_ref(), entry);
    }
    let labels = if active {
        resolver.scope.map(&entry.labels)
    } else {
        Ok(BTreeMap::new())
    };
    ResolvedEntry {
        key: key.clone(),
        description: entry.description.as_ref().map(|text| text.value.clone()),
        activity,
        place,
        manifest_place,
        labels: resolver.keep(labels).unwrap_or_default(),
        value_key: value_key(entry),
        has_fields: matches!(entry.content, Content::Fields(_)),
        values,
    }
}

fn value_key(entry: &Entry) -> FieldName {
    match &entry.value_key {
        Some(name) => name.value.clone(),
        None => FieldName::value(),
    }
}

fn refuse_fields(resolver: &mut Resolver<'_>, place: Option<&Place>, entry: &Entry) {
    let (Some(Place::Backend { kind, .. }), Content::Fields(fields)) = (place, &entry.content)
    else {
        return;
    };
    for (name, field) in fields {
        if let Some(reason) = kind.refuse_field(name) {
            let message = format!("the field `{name}` does not work on {kind}: {reason}");
            let found = Diagnostic::error(message, field.span);
            resolver.diagnostics.push(found);
        }
    }
}

fn resolve_value(
    resolver: &mut Resolver<'_>,
    id: ValueId,
    description: Option<String>,
) -> ResolvedValue {
    let activity = resolver
        .activity
        .get(&id)
        .cloned()
        .unwrap_or(Activity::Active);
    let chosen = resolver.chosen.get(&id).copied();
    let mut value = ResolvedValue {
        id,
        description,
        activity,
        source: None,
        prefix: String::new(),
        suffix: String::new(),
        checks: Checks::default(),
        newline: None,
        form: None,
        encode: None,
        rotate: ResolvedRotate::Free,
        optional: false,
        placeholders: Placeholders::default(),
    };
    let Some(spec) = chosen else { return value };
    let filled = fill(resolver, &mut value, spec);
    resolver.keep(filled);
    value
}

fn fill(
    resolver: &mut Resolver<'_>,
    value: &mut ResolvedValue,
    spec: &ValueSpec,
) -> Result<(), Diagnostic> {
    let text = |setting: &Option<crate::contract::Setting>| {
        setting
            .as_ref()
            .map(|setting| resolver.scope.text(setting))
            .transpose()
            .map(Option::unwrap_or_default)
    };
    value.prefix = text(&spec.prefix)?;
    value.suffix = text(&spec.suffix)?;
    value.newline = spec.newline;
    value.form = spec.form;
    value.encode = spec.encode;
    value.optional = spec.optional;
    value.placeholders = spec.placeholder.clone().unwrap_or_default();
    value.rotate = rotate(resolver, &value.id, &spec.rotate);
    if let Some(node) = &spec.check {
        value.checks = decode(resolver, node, Checks::decode)?;
        if let Some(unchecked) = value.checks.unchecked() {
            let warning = Diagnostic::warning(unchecked, node.span);
            resolver.diagnostics.push(warning);
        }
    }
    value.source = Some(source(resolver, &value.id, spec)?);
    prove(value, spec.source.span)
}

fn prove(value: &ResolvedValue, span: Span) -> Result<(), Diagnostic> {
    let Some(ResolvedSource::Generate { recipe, .. }) = &value.source else {
        return Ok(());
    };
    match value.checks.prove(recipe, &value.prefix, &value.suffix) {
        Proof::Never(reason) => Err(Diagnostic::error(
            format!(
                "`{}` can never pass its `check`: {reason}",
                recipe.summary()
            ),
            span,
        )),
        Proof::Always | Proof::Maybe => Ok(()),
    }
}

fn decode<T>(
    resolver: &Resolver<'_>,
    node: &Node,
    read: impl FnOnce(&mut Context<'_>, &Node) -> Option<T>,
) -> Result<T, Diagnostic> {
    let expanded = resolver.scope.node(node)?;
    let mut cx = Context::new(resolver.scope.source);
    let value = read(&mut cx, &expanded);
    match cx.diagnostics.into_result(value) {
        Ok((value, _)) => Ok(value),
        Err(found) => Err(found
            .iter()
            .next()
            .cloned()
            .unwrap_or_else(|| Diagnostic::error("cannot be read", node.span))),
    }
}

fn source(
    resolver: &Resolver<'_>,
    id: &ValueId,
    spec: &ValueSpec,
) -> Result<ResolvedSource, Diagnostic> {
    let within = id.field.is_some().then_some(&id.entry);
    Ok(match &spec.source.value {
        Source::Generate {
            parameters,
            provide,
        } => ResolvedSource::Generate {
            recipe: decode(resolver, parameters, Recipe::decode)?,
            provide: provide
                .as_ref()
                .map(|provide| provided(resolver, provide))
                .transpose()?,
        },
        Source::Derive { parameters, of } => {
            let derivation = decode(resolver, parameters, Derivation::decode)?;
            let source = value_of(resolver.contract, of, within);
            let source = source.ok_or_else(|| {
                Diagnostic::error(format!("`{}` is not declared", of.value), of.span)
            })?;
            refuse_inactive(resolver, &source, of.span)?;
            resolver.refuse_forbidden(&source, of.span)?;
            ResolvedSource::Derive {
                derivation,
                of: source,
            }
        }
        Source::Compose(template) => match resolver.text(template, within) {
            Ok(text) => ResolvedSource::Compose(text),
            Err(Ok((missing, span))) => return Err(inactive(resolver, &missing, span)),
            Err(Err(diagnostic)) => return Err(diagnostic),
        },
        Source::Value(setting) => ResolvedSource::Value(resolver.scope.text(setting)?),
        Source::Provide(provide) => ResolvedSource::Provide(provided(resolver, provide)?),
        Source::Mint { by } => ResolvedSource::Mint {
            by: by.value.clone(),
        },
        Source::Forbidden(reason) => ResolvedSource::Forbidden(reason.value.clone()),
        Source::Cases(_) => {
            return Err(Diagnostic::error(
                "`cases` cannot stand inside `cases`",
                spec.source.span,
            ));
        }
    })
}

fn refuse_inactive(resolver: &Resolver<'_>, id: &ValueId, span: Span) -> Result<(), Diagnostic> {
    if resolver.is_active(id) {
        Ok(())
    } else {
        Err(inactive(resolver, id, span))
    }
}

fn inactive(resolver: &Resolver<'_>, id: &ValueId, span: Span) -> Diagnostic {
    Diagnostic::error(
        format!("`{id}` is not active here: {}", resolver.why_inactive(id)),
        span,
    )
    .help("give both the same `when`, or write `${a ?? b}` with something to take instead")
}

fn provided(resolver: &Resolver<'_>, provide: &Provide) -> Result<Provided, Diagnostic> {
    let text = |setting: &Option<crate::contract::Setting>| {
        setting
            .as_ref()
            .map(|setting| resolver.scope.text(setting))
            .transpose()
    };
    let file = provide
        .file
        .as_ref()
        .map(|file| super::resolver::checked_path(&resolver.scope, file))
        .transpose()?;
    Ok(Provided {
        how: text(&provide.how)?,
        url: text(&provide.url)?,
        env: provide.env.as_ref().map(|name| name.value.clone()),
        file,
    })
}

fn rotate(resolver: &Resolver<'_>, id: &ValueId, rotate: &Rotate) -> ResolvedRotate {
    let within = id.field.is_some().then_some(&id.entry);
    match rotate {
        Rotate::Free => ResolvedRotate::Free,
        Rotate::Never => ResolvedRotate::Never,
        Rotate::Careful(why) => ResolvedRotate::Careful(why.value.clone()),
        Rotate::With(members) => ResolvedRotate::With(
            members
                .iter()
                .filter_map(|member| value_of(resolver.contract, member, within))
                .filter(|member| member != id && resolver.is_active(member))
                .collect(),
        ),
    }
}
