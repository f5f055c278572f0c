//! `${config.…}` and `${env}` in settings.

use indexmap::IndexMap;
use std::collections::BTreeMap;

use crate::contract::Setting;
use crate::diagnostic::{Diagnostic, Span};
use crate::facts::Facts;
use crate::manifest::insert_into_go_template;
use crate::text::{Part, Reference, Subject, Template};
use crate::yaml::{Node, NodeKind, Scalar, to_json};

/// What settings may refer to.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// `config.…`.
    pub facts: &'a Facts,
    /// `env`.
    pub env: Option<&'a str>,
    /// The contract's text, for places inside it.
    pub source: &'a str,
}

impl Scope<'_> {
    /// Expands a setting to its text.
    pub fn text(&self, setting: &Setting) -> Result<String, Diagnostic> {
        self.template(&setting.value)
    }

    /// Expands a setting that may be left out.
    pub(super) fn optional(&self, setting: Option<&Setting>) -> Result<Option<String>, Diagnostic> {
        setting.map(|setting| self.text(setting)).transpose()
    }

    /// Expands every text of a tree that may be left out, and gives its JSON value.
    pub(super) fn optional_json(
        &self,
        node: Option<&Node>,
    ) -> Result<Option<serde_json::Value>, Diagnostic> {
        node.map(|node| self.node(node).map(|node| to_json(&node)))
            .transpose()
    }

    /// The same for a block whose texts are Go templates: what a fact says is no part of them.
    pub(super) fn optional_block(
        &self,
        node: Option<&Node>,
    ) -> Result<Option<serde_json::Value>, Diagnostic> {
        let read = |node| self.node_by(node, &|template| self.go_template(template));
        node.map(|node| read(node).map(|node| to_json(&node)))
            .transpose()
    }

    /// Expands all of a mapping.
    pub(super) fn map(
        &self,
        settings: &IndexMap<String, Setting>,
    ) -> Result<BTreeMap<String, String>, Diagnostic> {
        settings
            .iter()
            .map(|(name, setting)| Ok((name.clone(), self.text(setting)?)))
            .collect()
    }

    pub(super) fn template(&self, template: &Template) -> Result<String, Diagnostic> {
        template
            .parts()
            .iter()
            .map(|part| match part {
                Part::Literal(text) => Ok(text.clone()),
                Part::Reference(reference) => self.reference(reference),
            })
            .collect()
    }

    fn reference(&self, reference: &Reference) -> Result<String, Diagnostic> {
        let mut last = Diagnostic::error("the reference is empty", reference.span);
        for subject in &reference.alternatives {
            match self.subject(subject, reference.span) {
                Ok(text) => {
                    return super::resolver::filtered(&text, &reference.filters, reference.span);
                }
                Err(diagnostic) => last = diagnostic,
            }
        }
        Err(last)
    }

    /// Expands text that Go will execute: facts come out as they are, and are no part of what is executed.
    fn go_template(&self, template: &Template) -> Result<String, Diagnostic> {
        let mut text = String::new();
        for part in template.parts() {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Reference(reference) => {
                    let fact = self.reference(reference)?;
                    if !insert_into_go_template(&mut text, &fact) {
                        let message = format!(
                            "`{reference}` stands inside `{{{{ }}}}`, where it could be read as more than text"
                        );
                        let help = "refer to it outside of `{{ }}`; inside, a fact may have letters, digits, blanks and `-._~:/@`";
                        return Err(Diagnostic::error(message, reference.span).help(help));
                    }
                }
            }
        }
        Ok(text)
    }

    /// The text of a fact or of the environment's name.
    pub(super) fn subject(&self, subject: &Subject, span: Span) -> Result<String, Diagnostic> {
        match subject {
            Subject::Config(path) => self
                .facts
                .text(path)
                .map_err(|err| Diagnostic::error(err.to_string(), span)),
            Subject::Env => self
                .env
                .map(str::to_owned)
                .ok_or_else(|| no_environment(span)),
            Subject::StoreKind | Subject::StoreName | Subject::Value(_) | Subject::Word(_) => Err(
                Diagnostic::error(format!("`{subject}` cannot be used here"), span),
            ),
        }
    }

    /// Expands every text of a tree. A lone reference to a number or a boolean stays one.
    pub(super) fn node(&self, node: &Node) -> Result<Node, Diagnostic> {
        self.node_by(node, &|template| self.template(template))
    }

    fn node_by(&self, node: &Node, expand: Expand<'_>) -> Result<Node, Diagnostic> {
        let kind = match &node.kind {
            NodeKind::Mapping(pairs) => NodeKind::Mapping(
                pairs
                    .iter()
                    .map(|(key, value)| {
                        Ok((self.node_by(key, expand)?, self.node_by(value, expand)?))
                    })
                    .collect::<Result<_, Diagnostic>>()?,
            ),
            NodeKind::Sequence(items) => NodeKind::Sequence(
                items
                    .iter()
                    .map(|item| self.node_by(item, expand))
                    .collect::<Result<_, _>>()?,
            ),
            NodeKind::Scalar(scalar) => NodeKind::Scalar(self.scalar(scalar, node.span, expand)?),
        };
        Ok(Node {
            span: node.span,
            kind,
        })
    }

    fn scalar(
        &self,
        scalar: &Scalar,
        span: Span,
        expand: Expand<'_>,
    ) -> Result<Scalar, Diagnostic> {
        if !scalar.text.contains("${") {
            return Ok(scalar.clone());
        }
        let template = Template::parse(&scalar.text, span, self.source)?;
        let from_fact = template.lone_reference().is_some_and(|reference| {
            match reference.alternatives.as_slice() {
                [Subject::Config(path)] => {
                    let fact = self.facts.get(path);
                    reference.filters.is_empty() && fact.is_some_and(|fact| !fact.is_string())
                }
                _ => false,
            }
        });
        Ok(Scalar {
            text: expand(&template)?,
            plain: scalar.plain && from_fact,
            from_fact,
        })
    }
}

type Expand<'e> = &'e dyn Fn(&Template) -> Result<String, Diagnostic>;

/// How every message ends that is about a missing environment and nothing else.
pub const NO_ENVIRONMENT: &str = "no environment is given";

/// The error for `${env}` without an environment.
pub(super) fn no_environment(span: Span) -> Diagnostic {
    Diagnostic::error(NO_ENVIRONMENT, span)
        .help("name one with `--env`, in SEED_ENV, or with top-level `env:`")
}
