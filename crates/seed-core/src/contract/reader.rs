//! Typed access to the tree, with errors that say what was found, where, and what to write instead.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::condition::{Condition, ConditionError};
use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned, list, nearest};
use crate::text::{Subject, Template};
use crate::yaml::{Node, NodeKind, Scalar, ScalarType};

/// The source text and everything found wrong with it so far.
pub(crate) struct Context<'s> {
    pub(crate) source: &'s str,
    pub(crate) diagnostics: Diagnostics,
    /// Whether `${…}` is not expanded yet, so that what it stands for is judged later.
    deferring: bool,
    /// Conditions that were read already: the same few are asked for again and again.
    conditions: BTreeMap<String, Condition>,
}

impl<'s> Context<'s> {
    pub(crate) fn new(source: &'s str) -> Self {
        Self {
            source,
            diagnostics: Diagnostics::new(),
            deferring: false,
            conditions: BTreeMap::new(),
        }
    }

    /// Reads a condition, once for each text.
    pub(crate) fn condition(&mut self, text: &str) -> Result<Condition, ConditionError> {
        if let Some(condition) = self.conditions.get(text) {
            return Ok(condition.clone());
        }
        let condition = Condition::parse(text)?;
        self.conditions.insert(text.to_owned(), condition.clone());
        Ok(condition)
    }

    /// Reads parameters before facts are known: everything that is written out is judged, and what has a `${…}` only
    /// for what it refers to. What is read may then lack something, or be `None` without an error.
    pub(crate) fn defer<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.deferring = true;
        let value = read(self);
        self.deferring = false;
        value
    }

    /// Whether a node is known only with facts. Reports references that cannot stand in it.
    pub(crate) fn is_deferred(&mut self, node: &Node) -> bool {
        let deferred = self.deferring && node.text().is_some_and(|text| text.contains("${"));
        if deferred {
            self.deferring = false;
            self.settings_template(node);
            self.deferring = true;
        }
        deferred
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Says what was expected at a node. Returns `None`, for the caller to return.
    pub(crate) fn expected<T>(&mut self, what: &str, node: &Node) -> Option<T> {
        self.push(Diagnostic::error(
            format!("expected {what}, found {}", node.describe()),
            node.span,
        ));
        None
    }

    /// Text in any quoting. A number or a boolean without quotes is refused: its text would depend on the reader.
    pub(crate) fn text(&mut self, node: &Node) -> Option<Spanned<String>> {
        let Some(scalar) = node.as_scalar() else {
            return self.expected("text", node);
        };
        if self.is_deferred(node) {
            return None;
        }
        match scalar.kind() {
            _ if scalar.from_fact => Some(Spanned::new(scalar.text.clone(), node.span)),
            ScalarType::Text => Some(Spanned::new(scalar.text.clone(), node.span)),
            ScalarType::Null => self.expected("text", node),
            ScalarType::Boolean(_) | ScalarType::Float | ScalarType::Integer(_) => {
                let found = Diagnostic::error(
                    format!("expected text, found {}", node.describe()),
                    node.span,
                );
                self.push(found.help(format!("put it in quotes: \"{}\"", scalar.text)));
                None
            }
        }
    }

    /// Text with any references.
    pub(crate) fn template(&mut self, node: &Node) -> Option<Spanned<Template>> {
        let text = self.text(node)?;
        match Template::parse(&text, node.span, self.source) {
            Ok(template) => Some(Spanned::new(template, node.span)),
            Err(diagnostic) => {
                self.push(diagnostic);
                None
            }
        }
    }

    /// Text with references to facts and the environment only.
    pub(crate) fn settings_template(&mut self, node: &Node) -> Option<Spanned<Template>> {
        let template = self.template(node)?;
        for (subject, span) in template.subjects() {
            if !matches!(subject, Subject::Config(_) | Subject::Env) {
                let message = format!("`{subject}` cannot be used here");
                self.push(Diagnostic::error(message, span).help("only `config.…` and `env` can"));
            }
        }
        Some(template)
    }

    /// A whole number within a range.
    pub(crate) fn integer(
        &mut self,
        node: &Node,
        range: RangeInclusive<i64>,
    ) -> Option<Spanned<i64>> {
        if self.is_deferred(node) {
            return None;
        }
        match node.as_scalar().map(Scalar::value_kind) {
            Some(ScalarType::Integer(number)) if range.contains(&number) => {
                Some(Spanned::new(number, node.span))
            }
            Some(ScalarType::Text) if node.text().is_some_and(|it| it.parse::<i64>().is_ok()) => {
                let number = node.text().unwrap_or_default();
                let help = format!("write it without quotes: {number}");
                let found = format!("expected a whole number, found {}", node.describe());
                self.push(Diagnostic::error(found, node.span).help(help));
                None
            }
            Some(ScalarType::Integer(number)) => {
                let message = format!(
                    "{number} is not between {} and {}",
                    range.start(),
                    range.end()
                );
                self.push(Diagnostic::error(message, node.span));
                None
            }
            _ => self.expected("a whole number", node),
        }
    }

    /// [`Context::integer`] as a length.
    pub(crate) fn length(&mut self, node: &Node, range: RangeInclusive<i64>) -> Option<usize> {
        self.integer(node, range)
            .and_then(|number| usize::try_from(number.value).ok())
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, node: &Node) -> Option<bool> {
        if self.is_deferred(node) {
            return None;
        }
        match node.as_scalar().map(Scalar::value_kind) {
            Some(ScalarType::Boolean(value)) => Some(value),
            _ => self.expected("`true` or `false`", node),
        }
    }

    /// A list, each item read by `read`. Items that cannot be read are reported and left out.
    pub(crate) fn list<T>(
        &mut self,
        node: &Node,
        mut read: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> Option<Vec<T>> {
        let NodeKind::Sequence(items) = &node.kind else {
            if let Some(text) = node.text() {
                let message = format!("expected a list, found {}", node.describe());
                let help = format!("write it in brackets: [{text}]");
                self.push(Diagnostic::error(message, node.span).help(help));
                return None;
            }
            return self.expected("a list", node);
        };
        Some(items.iter().filter_map(|item| read(self, item)).collect())
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(
        &mut self,
        node: &Node,
        words: &[(&'static str, T)],
    ) -> Option<Spanned<T>> {
        let text = self.text(node)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(Spanned::new(*value, node.span));
        }
        let known = list(words.iter().map(|(word, _)| *word));
        let message = format!("`{}` is not known here", text.value);
        self.push(Diagnostic::error(message, node.span).help(format!("write one of {known}")));
        None
    }

    /// A word that names another value: an entry, a field of one, or a sibling. Written without `${}`.
    pub(crate) fn value_word(&mut self, node: &Node) -> Option<Spanned<Subject>> {
        let written = node.text().and_then(|text| text.strip_prefix("${"));
        if let Some(inside) = written.and_then(|rest| rest.strip_suffix('}')) {
            let diagnostic = Diagnostic::error("a value is named here without `${}`", node.span);
            self.push(diagnostic.help(format!("write `{}`", inside.trim())));
            return None;
        }
        let text = self.text(node)?;
        match Subject::parse(&text) {
            Ok(subject @ (Subject::Value(_) | Subject::Word(_))) => {
                Some(Spanned::new(subject, node.span))
            }
            Ok(Subject::Config(_) | Subject::Env | Subject::StoreKind | Subject::StoreName) => {
                let message = format!("`{}` is not a secret", text.value);
                self.push(Diagnostic::error(message, node.span).help("name an entry of `secrets`"));
                None
            }
            Err(message) => {
                self.push(Diagnostic::error(message, node.span));
                None
            }
        }
    }

    /// A mapping of somebody else's, in which facts are filled in and nothing else is read.
    pub(crate) fn block(&mut self, node: &Node) -> Option<Node> {
        if !matches!(node.kind, NodeKind::Mapping(_)) {
            return self.expected("a mapping", node);
        }
        self.settings_in(node);
        Some(node.clone())
    }

    fn settings_in(&mut self, node: &Node) {
        match &node.kind {
            NodeKind::Mapping(pairs) => {
                for (key, value) in pairs {
                    self.settings_in(key);
                    self.settings_in(value);
                }
            }
            NodeKind::Scalar(scalar) => {
                if scalar.text.contains("${") {
                    self.settings_template(node);
                }
            }
            NodeKind::Sequence(items) => items.iter().for_each(|item| self.settings_in(item)),
        }
    }

    /// Anything that is parsed from text, such as a name.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&mut self, node: &Node) -> Option<Spanned<T>> {
        let text = self.text(node)?;
        match text.parse() {
            Ok(value) => Some(Spanned::new(value, node.span)),
            Err(err) => {
                self.push(Diagnostic::error(err.to_string(), node.span));
                None
            }
        }
    }

    /// The pairs of a mapping. Keys are text; values that are empty are reported and left out.
    pub(crate) fn pairs<'n>(&mut self, node: &'n Node) -> Option<Vec<(&'n Node, &'n Node)>> {
        let NodeKind::Mapping(pairs) = &node.kind else {
            if matches!(node.kind, NodeKind::Sequence(_)) {
                let found = Diagnostic::error("expected a mapping, found a list", node.span);
                self.push(found.help("write `name: …` in each line, without `- ` before it"));
                return None;
            }
            return self.expected("a mapping", node);
        };
        let mut kept = Vec::new();
        for (key, value) in pairs {
            if self.refuse_empty(key, value) {
                continue;
            }
            kept.push((key, value));
        }
        Some(kept)
    }

    /// Reports a key that is written without a value. Returns whether it was.
    pub(crate) fn refuse_empty(&mut self, key: &Node, value: &Node) -> bool {
        let empty = is_empty(value);
        if empty {
            let name = key.text().unwrap_or_default();
            let diagnostic = Diagnostic::error(format!("`{name}` is written but empty"), key.span);
            let comment = self
                .source
                .get(key.span.end..)
                .and_then(|rest| rest.lines().next())
                .and_then(|line| {
                    let after = line.trim_start_matches(['"', '\'', ':', ' ']);
                    after.starts_with('#').then_some(after)
                });
            self.push(match comment {
                Some(text) => diagnostic.help(format!(
                    "` #` begins a comment in YAML; put quotes around it: \"{}\"",
                    text.trim()
                )),
                None => diagnostic.help("give it a value, or remove the line"),
            });
        }
        empty
    }
}

fn is_empty(value: &Node) -> bool {
    value
        .as_scalar()
        .is_some_and(|scalar| scalar.kind() == ScalarType::Null)
}

/// The fields of one mapping: asked for by name, and whatever was not asked for is unknown.
pub(crate) struct Fields<'n> {
    what: &'static str,
    span: Span,
    pairs: Vec<(&'n Node, &'n Node)>,
    /// Names that are written without a value, which is reported already.
    empty: BTreeSet<&'n str>,
    asked: BTreeSet<&'static str>,
}

impl<'n> Fields<'n> {
    /// Opens a mapping. `what` is how messages call it, such as "a secret".
    pub(crate) fn open(cx: &mut Context<'_>, node: &'n Node, what: &'static str) -> Option<Self> {
        let NodeKind::Mapping(written) = &node.kind else {
            return cx.expected(&format!("{what} (a mapping)"), node);
        };
        let pairs = cx.pairs(node)?;
        let empty = written.iter().filter(|(_, value)| is_empty(value));
        Some(Self {
            what,
            span: node.span,
            empty: empty.filter_map(|(key, _)| key.text()).collect(),
            pairs,
            asked: BTreeSet::new(),
        })
    }

    /// The value of a field that may be left out.
    pub(crate) fn take(&mut self, field: &'static str) -> Option<&'n Node> {
        self.asked.insert(field);
        self.pairs
            .iter()
            .find(|(key, _)| key.text() == Some(field))
            .map(|(_, value)| *value)
    }

    /// The value of a field that may be left out, read by `read`.
    pub(crate) fn read<'s, T>(
        &mut self,
        cx: &mut Context<'s>,
        field: &'static str,
        read: impl FnOnce(&mut Context<'s>, &'n Node) -> Option<T>,
    ) -> Option<T> {
        self.take(field).and_then(|node| read(cx, node))
    }

    /// A list in a field that may be left out; items that cannot be read are reported and left out.
    pub(crate) fn list<'s, T>(
        &mut self,
        cx: &mut Context<'s>,
        field: &'static str,
        read: impl FnMut(&mut Context<'s>, &Node) -> Option<T>,
    ) -> Vec<T> {
        self.read(cx, field, |cx, node| cx.list(node, read))
            .unwrap_or_default()
    }

    /// One of a few words, in a field that may be left out.
    pub(crate) fn word<T: Copy>(
        &mut self,
        cx: &mut Context<'_>,
        field: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        self.read(cx, field, |cx, node| cx.word(node, words))
            .map(|word| word.value)
    }

    /// The value of a field that must be there.
    pub(crate) fn require(
        &mut self,
        cx: &mut Context<'_>,
        field: &'static str,
    ) -> Option<&'n Node> {
        let value = self.take(field);
        if value.is_none() && !self.empty.contains(field) {
            let message = format!("{} needs `{field}`", self.what);
            cx.push(Diagnostic::error(message, self.span));
        }
        value
    }

    /// Whether a field is written.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.pairs.iter().any(|(key, _)| key.text() == Some(field))
    }

    /// Whether one of `words` was meant by a field that is reported anyway: it has no value, or another name.
    pub(crate) fn has_meant(&self, words: &[&str]) -> bool {
        let mut names = self.pairs.iter().filter_map(|(key, _)| key.text());
        words.iter().any(|word| self.empty.contains(word))
            || names.any(|name| {
                !self.asked.contains(name) && nearest(name, words.iter().copied()).is_some()
            })
    }

    /// Where the key of a field is written.
    pub(crate) fn key_span(&self, field: &str) -> Option<Span> {
        self.pairs
            .iter()
            .find(|(key, _)| key.text() == Some(field))
            .map(|(key, _)| key.span)
    }

    /// Where the mapping is written.
    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// Reports every field that nobody asked for. Keys that begin with `x-` are left alone when `extensions`.
    pub(crate) fn finish(self, cx: &mut Context<'_>, extensions: bool) {
        for (key, _) in &self.pairs {
            let name = key.text().unwrap_or_default();
            if self.asked.contains(name) || (extensions && name.starts_with("x-")) {
                continue;
            }
            let diagnostic =
                Diagnostic::error(format!("{} has no field `{name}`", self.what), key.span);
            cx.push(match nearest(name, self.asked.iter().copied()) {
                Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
                None => diagnostic.help(format!("it has {}", list(self.asked.iter().copied()))),
            });
        }
    }
}
