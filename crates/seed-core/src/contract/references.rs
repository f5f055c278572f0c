//! What can be said about references without any facts.

use std::collections::{BTreeMap, BTreeSet};

use super::common::has_reference;
use super::conditions::condition_diagnostic;
use super::files::spread_entry;
use super::model::{Content, Contract, Entry, FileContent, Rotate, Source, Target, ValueSpec};
use super::reader::Context;
use super::targets::expand_key;
use crate::condition::{Condition, ConditionError};
use crate::diagnostic::{Diagnostic, Span, Spanned, around, nearest};
use crate::name::{EntryKey, ValueId};
use crate::text::{Filter, Reference, Subject, Template};
use crate::yaml::{Node, NodeKind};

pub(super) fn check(cx: &mut Context<'_>, contract: &Contract) {
    check_conditions(cx, contract);
    for (key, entry) in &contract.secrets {
        each_spec(entry, &mut |field, spec| {
            check_spec(cx, contract, key, field, spec);
        });
    }
    check_targets(cx, contract);
    for file in contract.files.values() {
        match &file.content {
            FileContent::Text(template) => check_template(cx, contract, template, None),
            FileContent::Dotenv(node) | FileContent::Json(node) | FileContent::Yaml(node) => {
                check_tree(cx, contract, node);
            }
        }
    }
    check_backend_words(cx, contract);
    check_forbidden(cx, contract);
}

/// The names that conditions use, and that they use each other in no circle.
fn check_conditions(cx: &mut Context<'_>, contract: &Contract) {
    for condition in each_condition(contract) {
        let known = |name: &&str| *name == "env" || contract.conditions.contains_key(*name);
        for name in condition.names().filter(|name| !known(name)) {
            let err = ConditionError::Name(name.to_owned());
            let text = condition.as_str();
            cx.push(condition_diagnostic(&err, condition.span, text, cx.source));
        }
    }
    let waiting = waiting_conditions(contract);
    let first = waiting.iter().min_by_key(|(_, condition)| condition.span);
    if let Some((first, _)) = first {
        let circle = circle_from(&waiting, first);
        let message = format!(
            "conditions ask each other in a circle: {}",
            around(&circle, " asks ")
        );
        let place = circle.first().and_then(|name| waiting.get(name));
        let place = place.map(|condition| condition.span).unwrap_or_default();
        cx.push(Diagnostic::error(message, place));
    }
}

/// The conditions that ask each other in a circle, and those that ask them.
fn waiting_conditions(contract: &Contract) -> BTreeMap<&str, &Spanned<Condition>> {
    let all = contract.conditions.iter();
    let mut waiting: BTreeMap<&str, &Spanned<Condition>> =
        all.map(|(name, it)| (name.as_str(), it)).collect();
    let mut asked_by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut asks: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, condition) in &waiting {
        let names = condition.names().filter(|name| waiting.contains_key(name));
        let names: BTreeSet<&str> = names.collect();
        asks.insert(name, names.len());
        for asked in names {
            asked_by.entry(asked).or_default().push(name);
        }
    }
    let free = asks.iter().filter(|(_, asks)| **asks == 0);
    let mut free: Vec<&str> = free.map(|(name, _)| *name).collect();
    while let Some(name) = free.pop() {
        waiting.remove(name);
        for asking in asked_by.remove(name).unwrap_or_default() {
            if let Some(left) = asks.get_mut(asking) {
                *left -= 1;
                if *left == 0 {
                    free.push(asking);
                }
            }
        }
    }
    waiting
}

/// Follows the names until one comes again. Each of those that wait asks another one that waits.
fn circle_from<'c>(
    waiting: &BTreeMap<&'c str, &'c Spanned<Condition>>,
    first: &'c str,
) -> Vec<&'c str> {
    let mut path = vec![first];
    let mut places = BTreeMap::from([(first, 0)]);
    loop {
        let last = path.last().and_then(|name| waiting.get(name));
        let next = last.and_then(|condition| {
            let mut names = condition.names();
            names.find(|name| waiting.contains_key(*name))
        });
        let Some(next) = next else { return path };
        path.push(next);
        if let Some(from) = places.insert(next, path.len() - 1) {
            return path.split_off(from);
        }
    }
}

fn each_condition(contract: &Contract) -> Vec<&Spanned<Condition>> {
    let mut all: Vec<&Spanned<Condition>> = contract.conditions.values().collect();
    for entry in contract.secrets.values() {
        all.extend(&entry.when);
        match &entry.content {
            Content::Single(spec) => all.extend(of_cases(spec)),
            Content::Fields(fields) => {
                for field in fields.values() {
                    all.extend(&field.when);
                    all.extend(of_cases(&field.value.value));
                }
            }
        }
    }
    all.extend(contract.targets.values().filter_map(|it| it.when.as_ref()));
    all.extend(contract.files.values().filter_map(|it| it.when.as_ref()));
    all
}

fn of_cases(spec: &ValueSpec) -> Vec<&Spanned<Condition>> {
    match &spec.source.value {
        Source::Cases(cases) => cases.iter().filter_map(|case| case.when.as_ref()).collect(),
        Source::Compose(_)
        | Source::Derive { .. }
        | Source::Forbidden(_)
        | Source::Generate { .. }
        | Source::Mint { .. }
        | Source::Provide(_)
        | Source::Value(_) => Vec::new(),
    }
}

/// Calls `visit` for every value of an entry, cases included.
pub(super) fn each_spec<'c>(entry: &'c Entry, visit: &mut dyn FnMut(Option<&str>, &'c ValueSpec)) {
    let mut each = |field: Option<&str>, spec: &'c ValueSpec| match &spec.source.value {
        Source::Cases(cases) => cases.iter().for_each(|case| visit(field, &case.value)),
        Source::Compose(_)
        | Source::Derive { .. }
        | Source::Forbidden(_)
        | Source::Generate { .. }
        | Source::Mint { .. }
        | Source::Provide(_)
        | Source::Value(_) => visit(field, spec),
    };
    match &entry.content {
        Content::Single(spec) => each(None, spec),
        Content::Fields(fields) => {
            fields
                .iter()
                .for_each(|(name, field)| each(Some(name.as_str()), &field.value.value));
        }
    }
}

fn check_spec(
    cx: &mut Context<'_>,
    contract: &Contract,
    key: &EntryKey,
    field: Option<&str>,
    spec: &ValueSpec,
) {
    let within = field.is_some().then_some(key);
    match &spec.source.value {
        Source::Compose(template) => check_template(cx, contract, template, within),
        Source::Derive { of, .. } => check_subject(cx, contract, of, of.span, within),
        Source::Cases(_)
        | Source::Forbidden(_)
        | Source::Generate { .. }
        | Source::Mint { .. }
        | Source::Provide(_)
        | Source::Value(_) => {}
    }
    if let Rotate::With(members) = &spec.rotate {
        for member in members {
            check_subject(cx, contract, member, member.span, within);
        }
    }
    if let Some(matches) = spec
        .check
        .as_ref()
        .filter(|node| !has_reference(node))
        .and_then(|node| node.get("matches"))
        && let Some(Ok(subject)) = matches.text().map(Subject::parse)
    {
        check_subject(cx, contract, &subject, matches.span, within);
    }
}

fn check_template(
    cx: &mut Context<'_>,
    contract: &Contract,
    template: &Template,
    within: Option<&EntryKey>,
) {
    for (subject, span) in template.subjects() {
        check_subject(cx, contract, subject, span, within);
    }
}

fn check_tree(cx: &mut Context<'_>, contract: &Contract, node: &Node) {
    match &node.kind {
        NodeKind::Mapping(pairs) => {
            for (key, value) in pairs {
                match spread_entry(key) {
                    Some(entry) => check_spread(cx, contract, &Spanned::new(entry, key.span)),
                    None => check_tree(cx, contract, value),
                }
            }
        }
        NodeKind::Sequence(items) => items.iter().for_each(|item| check_tree(cx, contract, item)),
        NodeKind::Scalar(scalar) => {
            if let Ok(template) = Template::parse(&scalar.text, node.span, cx.source) {
                check_template(cx, contract, &template, None);
            }
        }
    }
}

/// The value that a subject means, if it means one that the contract has.
pub(crate) fn value_of(
    contract: &Contract,
    subject: &Subject,
    within: Option<&EntryKey>,
) -> Option<ValueId> {
    if let Some(sibling) = within.and_then(|entry| subject.sibling(entry))
        && has_value(contract, &sibling)
    {
        return Some(sibling);
    }
    match subject {
        Subject::Value(id) if has_value(contract, id) => Some(id.clone()),
        Subject::Config(_)
        | Subject::Env
        | Subject::StoreKind
        | Subject::StoreName
        | Subject::Value(_)
        | Subject::Word(_) => None,
    }
}

fn has_value(contract: &Contract, id: &ValueId) -> bool {
    match (
        contract.secrets.get(&id.entry).map(|entry| &entry.content),
        &id.field,
    ) {
        (Some(Content::Single(_)), None) => true,
        (Some(Content::Fields(fields)), Some(field)) => fields.contains_key(field),
        _ => false,
    }
}

fn check_subject(
    cx: &mut Context<'_>,
    contract: &Contract,
    subject: &Subject,
    span: Span,
    within: Option<&EntryKey>,
) {
    match subject {
        Subject::Config(_) | Subject::Env => return,
        Subject::StoreKind | Subject::StoreName => {
            if contract.store.is_none() {
                cx.push(Diagnostic::error(
                    format!("`{subject}`: the contract has no `store`"),
                    span,
                ));
            }
            return;
        }
        Subject::Value(_) | Subject::Word(_) => {}
    }
    if value_of(contract, subject, within).is_some() {
        return;
    }
    let entry = match subject {
        Subject::Value(id) => contract.secrets.get(&id.entry).map(|entry| (id, entry)),
        Subject::Config(_)
        | Subject::Env
        | Subject::StoreKind
        | Subject::StoreName
        | Subject::Word(_) => None,
    };
    cx.push(match entry {
        Some((id, entry)) => wrong_field(id, &entry.content, span),
        None => undeclared(cx, contract, subject, span),
    });
}

/// The entry is there, but not as one value or not with this field.
fn wrong_field(id: &ValueId, content: &Content, span: Span) -> Diagnostic {
    let entry = &id.entry;
    match (content, &id.field) {
        (Content::Single(_), _) => Diagnostic::error(format!("`{entry}` has no fields"), span)
            .help(format!("write `{entry}`")),
        (Content::Fields(fields), None) => {
            let first = fields.keys().next();
            let first =
                first.map_or_else(String::new, |name| format!(", such as `{entry}#{name}`"));
            Diagnostic::error(format!("`{entry}` has several fields"), span)
                .help(format!("name one of them{first}"))
        }
        (Content::Fields(fields), Some(field)) => {
            let diagnostic = Diagnostic::error(format!("`{entry}` has no field `{field}`"), span);
            let known = fields.keys().map(crate::name::FieldName::as_str);
            match nearest(field.as_str(), known) {
                Some(meant) => diagnostic.help(format!("did you mean `{entry}#{meant}`?")),
                None => diagnostic,
            }
        }
    }
}

fn undeclared(cx: &Context<'_>, contract: &Contract, subject: &Subject, span: Span) -> Diagnostic {
    let message = format!("`{subject}` is not declared under `secrets`");
    let diagnostic = Diagnostic::error(message, span);
    let known = contract.secrets.keys().map(EntryKey::as_str);
    // Whoever has so many mistakes has made one of them many times.
    let known = known.take(if cx.diagnostics.len() < 20 {
        usize::MAX
    } else {
        0
    });
    match nearest(&subject.to_string(), known) {
        Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
        None => diagnostic.help("declare it, or write `config.…` for a fact"),
    }
}

fn check_spread(cx: &mut Context<'_>, contract: &Contract, entry: &Spanned<EntryKey>) {
    match contract
        .secrets
        .get(&entry.value)
        .map(|entry| &entry.content)
    {
        Some(Content::Fields(_)) => {}
        Some(Content::Single(_)) => cx.push(
            Diagnostic::error(
                format!("`{}` has no fields to spread", entry.value),
                entry.span,
            )
            .help(format!("write `${{{}}}`", entry.value)),
        ),
        None => check_subject(
            cx,
            contract,
            &Subject::Value(ValueId::single(entry.value.clone())),
            entry.span,
            None,
        ),
    }
}

fn check_targets(cx: &mut Context<'_>, contract: &Contract) {
    let mut seen: BTreeMap<(String, String), Span> = BTreeMap::new();
    for target in contract.targets.values() {
        let expanded = target
            .key
            .as_literal()
            .and_then(|key| expand_key(key).ok())
            .unwrap_or_default();
        for (namespace, name) in expanded {
            let message = format!("the Secret `{namespace}/{name}` has two targets");
            if let Some(first) = seen.insert((namespace, name), target.span) {
                cx.push(
                    Diagnostic::error(message, target.span).context(first, "the first is here"),
                );
            }
        }
        for (key, value) in &target.data {
            let Some(template) = &value.value else {
                continue;
            };
            check_template(cx, contract, template, None);
            warn_open_alphabet(cx, contract, key, template);
        }
        target
            .extract
            .iter()
            .for_each(|entry| check_spread(cx, contract, entry));
        let mut texts = target
            .data
            .values()
            .filter_map(|value| value.value.as_ref());
        let reads = !target.extract.is_empty() || texts.any(reads_a_value);
        if !reads && target.made_by.is_none() && !target.direct {
            let message = "no key of this Secret comes from a secret, so there is nothing to read from a store";
            cx.push(
                Diagnostic::error(message, target.span)
                    .help("refer to a secret, or say who makes it with `made-by`"),
            );
        }
    }
}

/// Whether a store is read for a text; for a stored name it is not.
fn reads_a_value(text: &Template) -> bool {
    text.references()
        .filter(|reference| !reference.filters.contains(&Filter::Name))
        .flat_map(|reference| &reference.alternatives)
        .any(|subject| matches!(subject, Subject::Value(_)))
}

/// A value inside a YAML or JSON text can break it, unless it is quoted.
fn warn_open_alphabet(cx: &mut Context<'_>, contract: &Contract, key: &str, template: &Template) {
    let document = [".yaml", ".yml", ".json"]
        .iter()
        .any(|end| key.ends_with(end));
    if !document || template.lone_reference().is_some() {
        return;
    }
    let open = |reference: &&Reference| {
        !reference.filters.contains(&Filter::Json)
            && !reference.filters.contains(&Filter::Base64)
            && reference
                .alternatives
                .iter()
                .any(|subject| is_open(contract, subject))
    };
    for reference in template.references().filter(open) {
        let message = format!(
            "this value may have any characters, and `{key}` is a document that they can break"
        );
        cx.push(
            Diagnostic::warning(message, reference.span)
                .help("write `| json`, which quotes it, without quotes around it"),
        );
    }
}

/// Whether nothing limits the characters of a value to ones that are harmless inside quotes.
fn is_open(contract: &Contract, subject: &Subject) -> bool {
    const CLOSED: [&str; 7] = [
        "hex",
        "base64",
        "base64url",
        "alnum",
        "uuid",
        "fernet",
        "timestamp",
    ];
    let Subject::Value(id) = subject else {
        return false;
    };
    let Some(entry) = contract.secrets.get(&id.entry) else {
        return false;
    };
    let mut open = false;
    each_spec(entry, &mut |field, spec| {
        if field != id.field.as_ref().map(crate::name::FieldName::as_str) {
            return;
        }
        open |= match &spec.source.value {
            Source::Generate {
                parameters,
                provide: None,
            } => {
                let word = parameters.text().or_else(|| match &parameters.kind {
                    NodeKind::Mapping(pairs) => pairs.first().and_then(|(key, _)| key.text()),
                    NodeKind::Scalar(_) | NodeKind::Sequence(_) => None,
                });
                !word.is_some_and(|word| CLOSED.contains(&word))
            }
            Source::Value(_) => false,
            Source::Cases(_)
            | Source::Compose(_)
            | Source::Derive { .. }
            | Source::Forbidden(_)
            | Source::Generate { .. }
            | Source::Mint { .. }
            | Source::Provide(_) => true,
        };
    });
    open
}

fn check_backend_words(cx: &mut Context<'_>, contract: &Contract) {
    let words = contract.backend.iter().map(|word| (word, false));
    let own = contract
        .secrets
        .values()
        .filter_map(|entry| entry.backend.as_ref())
        .map(|word| (word, true));
    for (word, none) in words.chain(own) {
        let Some(name) = word.as_literal() else {
            continue;
        };
        if contract.backends.contains_key(name) || name == "local" || (none && name == "none") {
            continue;
        }
        let diagnostic = Diagnostic::error(
            format!("`{name}` is not declared under `backends`"),
            word.span,
        );
        cx.push(
            match nearest(name, contract.backends.keys().map(String::as_str)) {
                Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
                None => diagnostic,
            },
        );
    }
}

/// A forbidden name must not appear anywhere that would make it exist.
fn check_forbidden(cx: &mut Context<'_>, contract: &Contract) {
    let mut forbidden = Vec::new();
    for (key, entry) in &contract.secrets {
        each_spec(entry, &mut |field, spec| {
            if let Source::Forbidden(reason) = &spec.source.value {
                let name = field.unwrap_or(key.as_str()).to_owned();
                forbidden.push((name, entry.span, reason));
            }
        });
    }
    if forbidden.is_empty() {
        return;
    }
    let uses = uses_by_name(contract);
    for (name, own, reason) in forbidden {
        let places = uses.get(name.as_str()).into_iter().flatten();
        for (_, place) in places.filter(|(entry, _)| *entry != Some(own)) {
            let message = format!("`{name}` must not exist: {}", reason.value);
            cx.push(Diagnostic::error(message, *place).context(reason.span, "forbidden here"));
        }
    }
}

/// Where something is written, and the entry that it belongs to if it is a field.
type Use = (Option<Span>, Span);

/// Every key of a Secret, field of an entry and leaf of a file.
fn uses_by_name(contract: &Contract) -> BTreeMap<&str, Vec<Use>> {
    let mut uses: BTreeMap<&str, Vec<Use>> = BTreeMap::new();
    for target in contract.targets.values() {
        for (key, value) in &target.data {
            uses.entry(key).or_default().push((None, value.span));
        }
        for (key, span) in template_keys(target) {
            uses.entry(key).or_default().push((None, span));
        }
    }
    for entry in contract.secrets.values() {
        if let Content::Fields(fields) = &entry.content {
            for (name, field) in fields {
                let place = (Some(entry.span), field.span);
                uses.entry(name.as_str()).or_default().push(place);
            }
        }
    }
    for file in contract.files.values() {
        match &file.content {
            FileContent::Dotenv(node) | FileContent::Json(node) | FileContent::Yaml(node) => {
                let mut leaves = BTreeMap::new();
                collect_leaves(node, &mut leaves);
                for (name, span) in leaves {
                    uses.entry(name).or_default().push((None, span));
                }
            }
            FileContent::Text(_) => {}
        }
    }
    uses
}

/// The keys of a Secret that its own template block gives it.
fn template_keys(target: &Target) -> Vec<(&str, Span)> {
    let data = target.template.as_ref().and_then(|node| node.get("data"));
    match data.map(|data| &data.kind) {
        Some(NodeKind::Mapping(pairs)) => pairs
            .iter()
            .filter_map(|(key, _)| Some((key.text()?, key.span)))
            .collect(),
        Some(NodeKind::Scalar(_) | NodeKind::Sequence(_)) | None => Vec::new(),
    }
}

/// The first place of each key in a tree.
fn collect_leaves<'n>(node: &'n Node, leaves: &mut BTreeMap<&'n str, Span>) {
    match &node.kind {
        NodeKind::Mapping(pairs) => {
            for (key, value) in pairs {
                leaves
                    .entry(key.text().unwrap_or_default())
                    .or_insert(key.span);
                collect_leaves(value, leaves);
            }
        }
        NodeKind::Sequence(items) => items.iter().for_each(|item| collect_leaves(item, leaves)),
        NodeKind::Scalar(_) => {}
    }
}
