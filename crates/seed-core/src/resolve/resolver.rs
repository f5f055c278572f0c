//! The order of work: conditions, activity, values, places, graph, targets, files.

use std::collections::{BTreeMap, BTreeSet};

use super::expand::Scope;
use super::model::{Activity, Request, Resolved, ResolvedStore};
use super::text::{Alternative, ResolvedPart, ResolvedText};
use super::{cluster, entries, files, graph, lengths, places, targets};
use crate::condition::{Condition, ConditionError, ConditionFacts};
use crate::contract::{
    Contract, Setting, Source, StoreRef, ValueSpec, condition_diagnostic, value_of,
};
use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};
use crate::name::{EntryKey, ValueId};
use crate::text::{Filter, Part, Reference, Subject, Template};

/// Decides everything that facts decide. `source` is the contract's text, for places inside it.
pub fn resolve(
    contract: &Contract,
    source: &str,
    request: &Request,
) -> Result<(Resolved, Diagnostics), Diagnostics> {
    let scope = Scope {
        facts: &request.facts,
        env: request.env.as_deref(),
        source,
    };
    let condition_facts = ConditionFacts::new(&request.facts, request.env.as_deref())
        .map_err(|err| Diagnostics::from(Diagnostic::general(err.to_string())))?;
    let mut resolver = Resolver {
        contract,
        scope,
        condition_facts,
        answers: BTreeMap::new(),
        chosen: BTreeMap::new(),
        activity: BTreeMap::new(),
        diagnostics: Diagnostics::new(),
    };
    let resolved = resolver.run(request);
    resolver.diagnostics.into_result(resolved)
}

/// The paths of `config.files`, relative to `root`, for an environment.
pub fn config_files(
    contract: &Contract,
    source: &str,
    env: Option<&str>,
) -> Result<Vec<String>, Diagnostic> {
    let scope = Scope {
        facts: &contract.defaults,
        env,
        source,
    };
    contract
        .config_files
        .iter()
        .map(|file| checked_path(&scope, file))
        .collect()
}

/// The environment: what was asked for, else the contract's own.
pub fn environment(contract: &Contract, asked: Option<&str>) -> Option<String> {
    asked
        .map(str::to_owned)
        .or_else(|| contract.env.as_ref().map(|env| env.value.clone()))
}

/// The base of every path, relative to the contract's directory.
pub fn checked_root(scope: &Scope<'_>, root: &Setting) -> Result<String, Diagnostic> {
    let text = scope.text(root)?;
    match crate::contract::refuse_root(&text) {
        Ok(()) => Ok(text),
        Err(message) => Err(Diagnostic::error(message, root.span).help(crate::contract::ROOT_HELP)),
    }
}

pub(super) fn checked_path(scope: &Scope<'_>, path: &Setting) -> Result<String, Diagnostic> {
    let text = scope.text(path)?;
    match crate::contract::refuse_path(&text) {
        Ok(()) => Ok(text),
        Err(message) => Err(Diagnostic::error(message, path.span)),
    }
}

/// Why a condition has no answer.
#[derive(Clone)]
enum Unanswered {
    Error(ConditionError),
    /// A condition that it names has none, and that has been told.
    Told,
}

impl From<ConditionError> for Unanswered {
    fn from(err: ConditionError) -> Self {
        Self::Error(err)
    }
}

pub(super) struct Resolver<'c> {
    pub(super) contract: &'c Contract,
    pub(super) scope: Scope<'c>,
    condition_facts: ConditionFacts<'c>,
    answers: BTreeMap<String, Result<bool, Unanswered>>,
    /// The case that holds for each active value.
    pub(super) chosen: BTreeMap<ValueId, &'c ValueSpec>,
    pub(super) activity: BTreeMap<ValueId, Activity>,
    pub(super) diagnostics: Diagnostics,
}

impl Resolver<'_> {
    fn run(&mut self, request: &Request) -> Option<Resolved> {
        self.ask_all_conditions();
        entries::decide_activity(self);
        let backends = places::choose(self, request)?;
        let entries = entries::resolve(self, &backends);
        places::refuse_collisions(self, &entries);
        lengths::refuse_too_long(self, &entries);
        let order = graph::order(self, &entries);
        let emit = targets::defaults(self);
        // What is wrong with the defaults is told once, not for each target.
        let emit = self.keep(emit)?;
        let targets = targets::resolve(self, &entries, &emit);
        places::refuse_unreadable(self, &entries, &targets);
        let files = files::resolve(self, &backends.used);
        let root = self
            .contract
            .root
            .as_ref()
            .map(|root| checked_root(&self.scope, root));
        let root = self
            .keep(root.transpose())?
            .unwrap_or_else(|| ".".to_owned());
        let store = self.contract.store.as_ref().map(|store| self.store(store));
        let store = self.keep(store.transpose())?;
        places::warn_shared(self, &backends);
        let own = self.contract.cluster.as_ref().filter(|_| request.cluster);
        let own = own.map(|own| cluster::settings(self, own)).transpose();
        let own = self.keep(own)?.unwrap_or_default();
        let resolved = Resolved {
            contract: self.contract.name.value.clone(),
            env: request.env.clone(),
            root,
            backends: backends.used,
            backend: backends.values,
            manifests_for: backends.manifests,
            store,
            emit,
            entries,
            order: order?,
            targets,
            files,
            cluster: None,
        };
        Some(if request.cluster {
            cluster::with_secrets(resolved, own)
        } else {
            resolved
        })
    }

    /// Records an error, and gives back what there is.
    pub(super) fn keep<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result
            .map_err(|diagnostic| self.diagnostics.push(diagnostic))
            .ok()
    }

    pub(super) fn store(&self, store: &StoreRef) -> Result<ResolvedStore, Diagnostic> {
        let name = self.scope.text(&store.name)?;
        if crate::contract::is_dns_subdomain(&name) {
            Ok(ResolvedStore {
                kind: store.kind,
                name,
            })
        } else {
            Err(Diagnostic::error(
                format!("`{name}` cannot be the name of a store"),
                store.name.span,
            ))
        }
    }

    /// Answers a `when`. `Active` when there is none, or when it cannot be answered, which is an error already told.
    pub(super) fn when(&mut self, when: Option<&Spanned<Condition>>) -> Activity {
        let Some(condition) = when else {
            return Activity::Active;
        };
        match self.answer(&condition.value) {
            Ok(true) | Err(Unanswered::Told) => Activity::Active,
            Ok(false) => Activity::Inactive(self.why_not(&condition.value)),
            Err(Unanswered::Error(err)) => {
                let (span, text) = (condition.span, condition.as_str());
                let found = condition_diagnostic(&err, span, text, self.scope.source);
                self.diagnostics.push(found);
                Activity::Active
            }
        }
    }

    /// Asks every named condition, used or not: a misspelt fact is an error in every environment.
    fn ask_all_conditions(&mut self) {
        let conditions = &self.contract.conditions;
        let mut seen = BTreeSet::new();
        for name in conditions.keys() {
            // Those that one asks come before it, so that a chain of any length takes no more of the stack than one.
            let mut path = vec![(name.as_str(), false)];
            while let Some((name, asked)) = path.pop() {
                if asked {
                    // What is wrong with it is told where it is asked.
                    drop(self.named(name));
                } else if seen.insert(name) {
                    path.push((name, true));
                    let names = conditions.get(name).map(|condition| condition.names());
                    path.extend(names.into_iter().flatten().map(|name| (name, false)));
                }
            }
        }
    }

    /// An active value, and whether it may be absent in the end.
    pub(super) fn alternative(&self, id: ValueId) -> Alternative {
        if self.chosen.get(&id).is_some_and(|spec| spec.optional) {
            Alternative::Optional(id)
        } else {
            Alternative::Required(id)
        }
    }

    /// A value that must not exist cannot be used.
    pub(super) fn refuse_forbidden(&self, id: &ValueId, span: Span) -> Result<(), Diagnostic> {
        match self.chosen.get(id).map(|spec| &spec.source.value) {
            Some(Source::Forbidden(reason)) => {
                let message = format!("`{id}` must not exist: {}", reason.value);
                Err(Diagnostic::error(message, span).context(reason.span, "forbidden here"))
            }
            _ => Ok(()),
        }
    }

    fn why_not(&self, condition: &Condition) -> String {
        let text = condition.as_str().trim();
        let name = |text: &str| {
            text.chars()
                .all(|c| c.is_ascii_alphanumeric() || "._-[]\"".contains(c))
        };
        match self.contract.conditions.get(text) {
            Some(named) if name(named.as_str()) => format!("{} is false", named.as_str()),
            Some(_) => format!("condition `{text}` is false"),
            None if text == "false" => "its condition is `false`".to_owned(),
            None if name(text) => format!("{text} is false"),
            None => format!("`{text}` is false"),
        }
    }

    fn answer(&mut self, condition: &Condition) -> Result<bool, Unanswered> {
        if let Some(answer) = self.answers.get(condition.as_str()) {
            return answer.clone();
        }
        // Should conditions ask each other in a circle, which `parse` refuses, this ends it.
        let text = condition.as_str().to_owned();
        self.answers.insert(text.clone(), Err(Unanswered::Told));
        let answer = self.evaluate(condition);
        self.answers.insert(text, answer.clone());
        answer
    }

    fn evaluate(&mut self, condition: &Condition) -> Result<bool, Unanswered> {
        condition.require_facts(self.scope.facts)?;
        let mut named = BTreeMap::new();
        for name in condition.names().filter(|name| *name != "env") {
            named.insert(name.to_owned(), self.named(name)?);
        }
        let unknown = |name: &str| ConditionError::Name(name.to_owned());
        Ok(condition.evaluate(&self.condition_facts, &mut |name| {
            named.get(name).copied().ok_or_else(|| unknown(name))
        })?)
    }

    /// The answer of a named condition. What is wrong with it is told once, where it is defined.
    fn named(&mut self, name: &str) -> Result<bool, Unanswered> {
        let Some(condition) = self.contract.conditions.get(name) else {
            return Err(ConditionError::Name(name.to_owned()).into());
        };
        match self.answer(&condition.value) {
            Err(Unanswered::Error(err)) => {
                let text = condition.as_str();
                let found = condition_diagnostic(&err, condition.span, text, self.scope.source);
                self.diagnostics.push(found);
                let told = Err(Unanswered::Told);
                self.answers.insert(text.to_owned(), told.clone());
                told
            }
            answer @ (Ok(_) | Err(Unanswered::Told)) => answer,
        }
    }

    pub(super) fn is_active(&self, id: &ValueId) -> bool {
        self.activity.get(id).is_some_and(Activity::is_active)
    }

    pub(super) fn why_inactive(&self, id: &ValueId) -> String {
        match self.activity.get(id) {
            Some(Activity::Inactive(why)) => why.clone(),
            Some(Activity::Active) | None => "it is not declared".to_owned(),
        }
    }

    /// Fills facts into a text. `Err(Ok(id))` names an inactive value without which there is no text.
    pub(super) fn text(
        &self,
        template: &Template,
        within: Option<&EntryKey>,
    ) -> Result<ResolvedText, Result<(ValueId, Span), Diagnostic>> {
        let mut parts = Vec::new();
        for part in template.parts() {
            parts.push(match part {
                Part::Literal(text) => ResolvedPart::Literal(text.clone()),
                Part::Reference(reference) => self.reference(reference, within)?,
            });
        }
        Ok(ResolvedText::new(parts))
    }

    fn reference(
        &self,
        reference: &Reference,
        within: Option<&EntryKey>,
    ) -> Result<ResolvedPart, Result<(ValueId, Span), Diagnostic>> {
        let mut alternatives = Vec::new();
        let mut inactive = None;
        for subject in &reference.alternatives {
            let Some(id) = value_of(self.contract, subject, within) else {
                let text = self.fact(subject, reference.span).map_err(Err)?;
                let text = filtered(&text, &reference.filters, reference.span).map_err(Err)?;
                alternatives.push(Alternative::Literal(text));
                break;
            };
            if !self.is_active(&id) {
                inactive = inactive.or(Some(id));
                continue;
            }
            self.refuse_forbidden(&id, reference.span).map_err(Err)?;
            if reference.filters.contains(&Filter::Name) {
                return Ok(ResolvedPart::Name(id.entry));
            }
            let alternative = self.alternative(id);
            let last = matches!(alternative, Alternative::Required(_));
            alternatives.push(alternative);
            if last {
                break;
            }
        }
        match (alternatives.as_slice(), inactive) {
            ([], Some(id)) => Err(Ok((id, reference.span))),
            ([Alternative::Literal(text)], _) => Ok(ResolvedPart::Literal(text.clone())),
            _ => Ok(ResolvedPart::Value {
                alternatives,
                filters: reference.filters.clone(),
            }),
        }
    }

    fn fact(&self, subject: &Subject, span: Span) -> Result<String, Diagnostic> {
        let store = || {
            let store = self.contract.store.as_ref();
            store.ok_or_else(|| Diagnostic::error("the contract has no `store`", span))
        };
        match subject {
            Subject::StoreKind => Ok(store()?.kind.as_str().to_owned()),
            Subject::StoreName => self.scope.text(&store()?.name),
            Subject::Config(_) | Subject::Env | Subject::Value(_) | Subject::Word(_) => {
                self.scope.subject(subject, span)
            }
        }
    }
}

/// Applies filters to text that is known already.
pub(super) fn filtered(text: &str, filters: &[Filter], span: Span) -> Result<String, Diagnostic> {
    let mut text = text.to_owned();
    for filter in filters {
        if *filter == Filter::Name {
            return Err(Diagnostic::error(
                "`name` is for secrets: a fact has no stored name",
                span,
            ));
        }
        let value = crate::value::apply(*filter, text.as_bytes())
            .map_err(|err| Diagnostic::error(err.to_string(), span))?;
        value
            .expose_text()
            .unwrap_or_default()
            .clone_into(&mut text);
    }
    Ok(text)
}
