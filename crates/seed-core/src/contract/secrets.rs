//! `secrets`: one entry per backend key.

use indexmap::IndexMap;

use super::common::{has_reference, labels};
use super::conditions::condition;
use super::model::{Case, Content, Entry, Field, Provide, Rotate, Setting, Source, ValueSpec};
use super::reader::{Context, Fields};
use crate::diagnostic::{Diagnostic, Span, Spanned, list};
use crate::name::{EntryKey, FieldName};
use crate::text::Subject;
use crate::value::{Checks, Derivation, Encode, Form, Newline, Placeholders, Proof, Recipe};
use crate::yaml::{Node, NodeKind};

/// The words that say where a value comes from.
const SOURCES: [&str; 8] = [
    "generate",
    "derive",
    "compose",
    "value",
    "provide",
    "mint",
    "forbidden",
    "cases",
];

/// The words that say more about a value.
const BESIDE: [&str; 9] = [
    "prefix",
    "suffix",
    "check",
    "newline",
    "form",
    "encode",
    "rotate",
    "optional",
    "placeholder",
];

pub(super) fn secrets(
    cx: &mut Context<'_>,
    node: &Node,
) -> Option<IndexMap<EntryKey, Spanned<Entry>>> {
    let mut entries = IndexMap::new();
    for (key, value) in cx.pairs(node)? {
        let name = cx.parsed::<EntryKey>(key);
        let entry = entry(cx, value);
        if let (Some(name), Some(entry)) = (name, entry) {
            entries.insert(name.value, Spanned::new(entry, key.span));
        }
    }
    Some(entries)
}

fn entry(cx: &mut Context<'_>, node: &Node) -> Option<Entry> {
    let mut fields = Fields::open(cx, node, "a secret")?;
    let description = fields.read(cx, "description", Context::text);
    let when = fields.read(cx, "when", condition);
    let key = fields.read(cx, "key", Context::settings_template);
    let backend = fields.read(cx, "backend", Context::settings_template);
    let labels = labels(cx, &mut fields, "labels");
    let value_key = fields
        .take("value-key")
        .and_then(|node| cx.parsed::<FieldName>(node));
    let content = match fields.take("fields") {
        Some(node) => entry_fields(cx, node, &mut fields).map(Content::Fields),
        None => value_spec(cx, &mut fields, Level::Entry, &Beside::default())
            .map(|value| Content::Single(Box::new(value))),
    };
    fields.finish(cx, false);
    Some(Entry {
        description,
        when,
        content: content?,
        key,
        backend,
        labels,
        value_key,
    })
}

fn entry_fields(
    cx: &mut Context<'_>,
    node: &Node,
    entry: &mut Fields<'_>,
) -> Option<IndexMap<FieldName, Spanned<Field>>> {
    refuse_value_key(cx, entry);
    for word in SOURCES.into_iter().chain(BESIDE) {
        // Asked for, so that it is not reported as unknown too.
        entry.take(word);
        if let Some(span) = entry.key_span(word) {
            let message = format!("`{word}` cannot stand beside `fields`");
            cx.push(Diagnostic::error(message, span).help("give it to one of the fields"));
        }
    }
    let pairs = cx.pairs(node)?;
    if pairs.is_empty() {
        cx.push(Diagnostic::error("`fields` has no field", node.span));
    }
    let mut declared = IndexMap::new();
    for (key, value) in pairs {
        let name = cx.parsed::<FieldName>(key);
        let field = field(cx, value);
        if let (Some(name), Some(field)) = (name, field) {
            declared.insert(name.value, Spanned::new(field, key.span));
        }
    }
    Some(declared)
}

fn field(cx: &mut Context<'_>, node: &Node) -> Option<Field> {
    let mut fields = Fields::open(cx, node, "a field")?;
    if let Some(span) = fields.key_span("fields") {
        let message = "`fields` cannot stand inside `fields`";
        cx.push(Diagnostic::error(message, span).help("a field is one value"));
        return None;
    }
    if refuse_value_key(cx, &fields) {
        return None;
    }
    let description = fields.read(cx, "description", Context::text);
    let when = fields.read(cx, "when", condition);
    let value = value_spec(cx, &mut fields, Level::Entry, &Beside::default());
    fields.finish(cx, false);
    Some(Field {
        description,
        when,
        value: Box::new(value?),
    })
}

/// A field is stored under its own name, and so are several: neither has one more. Returns whether it was written.
fn refuse_value_key(cx: &mut Context<'_>, fields: &Fields<'_>) -> bool {
    let written = fields.key_span("value-key");
    if let Some(place) = written {
        let message =
            "`value-key` is for an entry of one value; a field is stored under its own name";
        let help = "remove it, or name the field as it should be stored";
        cx.push(Diagnostic::error(message, place).help(help));
    }
    written.is_some()
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Level {
    Case,
    Entry,
}

/// What can stand beside a source. What stands beside `cases` holds for every case that does not say it itself.
#[derive(Clone, Default)]
struct Beside {
    prefix: Option<Setting>,
    suffix: Option<Setting>,
    check: Option<Node>,
    newline: Option<Newline>,
    form: Option<Form>,
    encode: Option<Encode>,
    rotate: Option<Rotate>,
    optional: Option<Spanned<bool>>,
    placeholder: Option<Placeholders>,
}

impl Beside {
    fn read(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Self {
        Self {
            prefix: fields.read(cx, "prefix", Context::settings_template),
            suffix: fields.read(cx, "suffix", Context::settings_template),
            check: fields.read(cx, "check", check),
            newline: fields.read(cx, "newline", Newline::decode),
            form: fields.read(cx, "form", Form::decode),
            encode: fields.read(cx, "encode", Encode::decode),
            rotate: fields.read(cx, "rotate", rotate),
            optional: fields.read(cx, "optional", |cx, node| {
                cx.boolean(node).map(|value| Spanned::new(value, node.span))
            }),
            placeholder: fields.read(cx, "placeholder", Placeholders::decode),
        }
    }

    fn or(self, outer: &Self) -> Self {
        Self {
            prefix: self.prefix.or_else(|| outer.prefix.clone()),
            suffix: self.suffix.or_else(|| outer.suffix.clone()),
            check: self.check.or_else(|| outer.check.clone()),
            newline: self.newline.or(outer.newline),
            form: self.form.or(outer.form),
            encode: self.encode.or(outer.encode),
            rotate: self.rotate.or_else(|| outer.rotate.clone()),
            optional: self.optional.or_else(|| outer.optional.clone()),
            placeholder: self.placeholder.or_else(|| outer.placeholder.clone()),
        }
    }

    fn around(self, source: Spanned<Source>) -> ValueSpec {
        ValueSpec {
            source,
            prefix: self.prefix,
            suffix: self.suffix,
            check: self.check,
            newline: self.newline,
            form: self.form,
            encode: self.encode,
            rotate: self.rotate.unwrap_or_default(),
            optional: self.optional.is_some_and(|optional| optional.value),
            placeholder: self.placeholder,
        }
    }
}

fn value_spec(
    cx: &mut Context<'_>,
    fields: &mut Fields<'_>,
    level: Level,
    outer: &Beside,
) -> Option<ValueSpec> {
    let beside = Beside::read(cx, fields).or(outer);
    let source = source(cx, fields, level, &beside)?;
    consistent(cx, &source, &beside);
    let spec = beside.around(source);
    early(cx, &spec);
    Some(spec)
}

fn source(
    cx: &mut Context<'_>,
    fields: &mut Fields<'_>,
    level: Level,
    beside: &Beside,
) -> Option<Spanned<Source>> {
    let known = || {
        let known = SOURCES.into_iter();
        known.filter(move |word| level == Level::Entry || *word != "cases")
    };
    let written: Vec<(&'static str, Span)> = SOURCES
        .into_iter()
        .filter_map(|word| fields.key_span(word).map(|span| (word, span)))
        .collect();
    for word in known() {
        fields.take(word);
    }
    let (word, span) = match written.as_slice() {
        [] => {
            // A misspelt source is reported as the unknown field that it is.
            if !fields.has_meant(&SOURCES) && !fields.has_meant(&["fields"]) {
                let message = "nothing says where the value comes from";
                let help = format!("give it one of {}", list(known()));
                cx.push(Diagnostic::error(message, fields.span()).help(help));
            }
            return None;
        }
        [one] => *one,
        [("generate", span), ("provide", _)] => ("generate", *span),
        [(first, place), (second, span), ..] => {
            cx.push(
                Diagnostic::error(format!("`{second}` cannot stand beside `{first}`"), *span)
                    .context(*place, "the value comes from here already"),
            );
            return None;
        }
    };
    let node = fields.take(word)?;
    if word == "cases" {
        if level == Level::Case {
            let message = "`cases` cannot stand inside `cases`";
            cx.push(Diagnostic::error(message, span));
            return None;
        }
        return cases(cx, node, beside).map(|cases| Spanned::new(Source::Cases(cases), span));
    }
    let provide = fields.take("provide").filter(|_| word == "generate");
    read_source(cx, word, node, provide).map(|source| Spanned::new(source, span))
}

fn read_source(
    cx: &mut Context<'_>,
    word: &str,
    node: &Node,
    provided: Option<&Node>,
) -> Option<Source> {
    Some(match word {
        "generate" => Source::Generate {
            parameters: node.clone(),
            provide: provided.and_then(|node| provide(cx, node)),
        },
        "derive" => {
            let of = derivation_source(cx, node)?;
            Source::Derive {
                parameters: node.clone(),
                of,
            }
        }
        "compose" => Source::Compose(cx.template(node)?),
        "value" => Source::Value(cx.settings_template(node)?),
        "provide" => Source::Provide(provide(cx, node)?),
        "mint" => {
            let mut fields = Fields::open(cx, node, "`mint`")?;
            let by = fields.require(cx, "by").and_then(|node| cx.text(node));
            fields.finish(cx, false);
            Source::Mint { by: by? }
        }
        _ => Source::Forbidden(cx.text(node)?),
    })
}

/// The reference under `of`, which is the same whatever the facts are.
fn derivation_source(cx: &mut Context<'_>, node: &Node) -> Option<Spanned<Subject>> {
    let mut reading = Context::new(cx.source);
    let derivation = reading.defer(|cx| Derivation::decode(cx, node));
    let wrong = !reading.diagnostics.is_empty();
    cx.diagnostics.extend(reading.diagnostics);
    match (derivation, &node.kind) {
        (Some(derivation), _) => Some(derivation.of().clone()),
        (None, NodeKind::Mapping(pairs)) if !wrong => {
            let (_, parameters) = pairs.first()?;
            cx.value_word(parameters.get("of")?)
        }
        (None, _) => {
            if !wrong {
                cx.expected::<()>("a derivation in a mapping", node);
            }
            None
        }
    }
}

fn provide(cx: &mut Context<'_>, node: &Node) -> Option<Provide> {
    let mut fields = Fields::open(cx, node, "`provide`")?;
    let how = fields.read(cx, "how", Context::settings_template);
    let url = fields.read(cx, "url", Context::settings_template);
    let env = fields.read(cx, "env", Context::text);
    let file = fields.read(cx, "file", Context::settings_template);
    fields.finish(cx, false);
    Some(Provide {
        how,
        url,
        env,
        file,
    })
}

fn cases(cx: &mut Context<'_>, node: &Node, beside: &Beside) -> Option<Vec<Case>> {
    let NodeKind::Sequence(items) = &node.kind else {
        return cx.expected("a list of cases", node);
    };
    if items.is_empty() {
        cx.push(Diagnostic::error("`cases` has no case", node.span));
    }
    let mut cases = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let mut fields = Fields::open(cx, item, "a case")?;
        let when = fields.read(cx, "when", condition);
        if !fields.has("when") && index + 1 < items.len() {
            let message = "a case without `when` always holds, so the ones after it never do";
            cx.push(Diagnostic::error(message, item.span).help("put it last"));
        }
        let value = value_spec(cx, &mut fields, Level::Case, beside);
        fields.finish(cx, false);
        cases.extend(value.map(|value| Case {
            when,
            value: Box::new(value),
        }));
    }
    Some(cases)
}

/// A check is expanded before it is used; what does not depend on facts is read at once.
fn check(cx: &mut Context<'_>, node: &Node) -> Option<Node> {
    cx.defer(|cx| Checks::decode(cx, node))?;
    Some(node.clone())
}

fn rotate(cx: &mut Context<'_>, node: &Node) -> Option<Rotate> {
    if node.as_scalar().is_some() {
        let text = cx.text(node)?;
        return match text.as_str() {
            "free" => Some(Rotate::Free),
            "never" => Some(Rotate::Never),
            word => {
                let message = format!("`{word}` is not known here");
                let help = "write one of `free` and `never`, or {careful: why}, or {with: [keys]}";
                cx.push(Diagnostic::error(message, node.span).help(help));
                None
            }
        };
    }
    let mut fields = Fields::open(cx, node, "`rotate`")?;
    let careful = fields.read(cx, "careful", Context::text);
    let with = fields.read(cx, "with", |cx, node| cx.list(node, Context::value_word));
    let span = fields.span();
    fields.finish(cx, false);
    match (careful, with) {
        (Some(why), None) => Some(Rotate::Careful(why)),
        (None, Some(with)) => Some(Rotate::With(with)),
        _ => {
            cx.push(Diagnostic::error(
                "`rotate` is `free`, `never`, `careful: why` or `with: [keys]`",
                span,
            ));
            None
        }
    }
}

/// Refuses what has no meaning beside the source. What stands beside `cases` is judged with each of them.
fn consistent(cx: &mut Context<'_>, source: &Source, beside: &Beside) {
    let (affixes, optional) = match source {
        Source::Cases(_) => return,
        Source::Generate { .. } => (true, false),
        Source::Provide(_) => (true, true),
        Source::Mint { .. } => (false, true),
        Source::Compose(_) | Source::Derive { .. } | Source::Forbidden(_) | Source::Value(_) => {
            (false, false)
        }
    };
    for (word, affix) in [("prefix", &beside.prefix), ("suffix", &beside.suffix)] {
        if let Some(affix) = affix.as_ref().filter(|_| !affixes) {
            let message = format!("`{word}` goes around a generated or provided value only");
            let help = "write the text into `compose` or `value`";
            cx.push(Diagnostic::error(message, affix.span).help(help));
        }
    }
    if let Some(written) = beside.optional.as_ref().filter(|it| it.value && !optional) {
        let message = "only a value that is provided or minted can be optional";
        let help = "leave out `optional`, or use `when` to say when it is needed";
        cx.push(Diagnostic::error(message, written.span).help(help));
    }
}

/// Tells at once when a generator can never satisfy its checks, where neither depends on facts.
fn early(cx: &mut Context<'_>, spec: &ValueSpec) {
    let Source::Generate { parameters, .. } = &spec.source.value else {
        return;
    };
    let recipe = cx.defer(|cx| Recipe::decode(cx, parameters));
    // Mistakes in the check are reported where it is read.
    let checks = match spec.check.as_ref() {
        None => Some(Checks::default()),
        Some(node) if has_reference(node) => None,
        Some(node) => Checks::decode(&mut Context::new(cx.source), node),
    };
    let affix = |setting: &Option<Setting>| match setting {
        None => Some(String::new()),
        Some(template) => template.as_literal().map(str::to_owned),
    };
    if let (Some(recipe), Some(checks), Some(prefix), Some(suffix)) =
        (recipe, checks, affix(&spec.prefix), affix(&spec.suffix))
    {
        refuse_impossible(cx, &recipe, &checks, (&prefix, &suffix), spec.source.span);
    }
}

/// Reports a generator that can never satisfy its checks.
pub(super) fn refuse_impossible(
    cx: &mut Context<'_>,
    recipe: &Recipe,
    checks: &Checks,
    (prefix, suffix): (&str, &str),
    span: Span,
) {
    if let Proof::Never(reason) = checks.prove(recipe, prefix, suffix) {
        let message = format!(
            "`{}` can never pass its `check`: {reason}",
            recipe.summary()
        );
        cx.push(Diagnostic::error(message, span));
    }
}
