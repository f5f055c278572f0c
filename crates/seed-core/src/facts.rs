//! Facts about one environment: what `config.…` means.

use serde_json::{Map, Value};

use crate::diagnostic::{Diagnostic, nearest};
use crate::yaml::{Limits, Node, NodeKind, ScalarType, parse, parse_hidden, to_json};

/// Facts, merged from the contract's defaults, files and the command line.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts(Map<String, Value>);

/// Why a fact cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FactError {
    /// Neither in the files nor in the defaults.
    #[error("`config.{path}` is in no facts file and not among the defaults{}", hint(.near.as_deref()))]
    Missing {
        /// The path, without `config.`.
        path: String,
        /// A path that exists and was probably meant.
        near: Option<String>,
    },
    /// Null, a list, a mapping or a number with a fraction.
    #[error("`config.{path}` is {found}; text, a whole number or a boolean is wanted")]
    NotText {
        /// The path, without `config.`.
        path: String,
        /// What it is.
        found: &'static str,
    },
    /// `--set` into something that is not a mapping.
    #[error("`{path}` cannot be set: `{parent}` is not a mapping")]
    NotAMapping {
        /// The path that was to be set.
        path: String,
        /// The part of it that is something else.
        parent: String,
    },
    /// `--set` of something that is a mapping, whose facts would all be gone.
    #[error("`{path}` is a mapping; set one fact in it, such as `{path}.{member}`")]
    AMapping {
        /// The path that was to be set.
        path: String,
        /// The first fact in it.
        member: String,
    },
    /// `--set` with an empty path or an empty part in it.
    #[error("`{0}` is no path of a fact; write it like `features.egress`")]
    Path(String),
    /// `--set` with a value that is not one YAML scalar.
    #[error(
        "the value for `{path}` is not one YAML scalar; use `--set-string` for text, and `--config FILE` for more than one fact"
    )]
    Scalar {
        /// The path that was to be set.
        path: String,
    },
}

fn hint(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| {
        format!("; did you mean `config.{near}`?")
    })
}

impl Facts {
    /// Reads a facts file. No message repeats a word of it: a contract may name a file that is none.
    pub fn parse(source: &str) -> Result<Self, Diagnostic> {
        Self::from_node(&parse_hidden(source, Limits::default())?)
    }

    pub(crate) fn from_node(node: &Node) -> Result<Self, Diagnostic> {
        match (&node.kind, to_json(node)) {
            (NodeKind::Mapping(_), Value::Object(members)) => Ok(Self(members)),
            _ => Err(Diagnostic::error(
                format!("facts are a mapping, found {}", node.describe()),
                node.span,
            )),
        }
    }

    /// Lays `other` over these facts: mappings merge, everything else is replaced.
    pub fn merge(&mut self, other: Self) {
        merge(&mut self.0, other.0);
    }

    /// Sets one fact, as `--set a.b=v` does: `value` is a YAML scalar.
    pub fn set(&mut self, path: &str, value: &str) -> Result<(), FactError> {
        let scalar = parse(value, Limits::default())
            .ok()
            .filter(|node| match &node.kind {
                NodeKind::Scalar(_) => true,
                NodeKind::Mapping(pairs) => pairs.is_empty() && value.trim().is_empty(),
                NodeKind::Sequence(_) => false,
            });
        let Some(node) = scalar else {
            return Err(FactError::Scalar {
                path: path.to_owned(),
            });
        };
        let value = match node.as_scalar().map(crate::yaml::Scalar::kind) {
            Some(ScalarType::Null) | None => Value::Null,
            Some(_) => to_json(&node),
        };
        self.put(path, value)
    }

    /// Sets one fact to text, as `--set-string a.b=v` does.
    pub fn set_text(&mut self, path: &str, text: &str) -> Result<(), FactError> {
        self.put(path, Value::String(text.to_owned()))
    }

    fn put(&mut self, path: &str, value: Value) -> Result<(), FactError> {
        let parts: Vec<&str> = path.split('.').collect();
        let Some((last, parents)) = parts.split_last() else {
            return Err(FactError::Path(path.to_owned()));
        };
        if parts.iter().any(|part| part.is_empty()) {
            return Err(FactError::Path(path.to_owned()));
        }
        let mut at = &mut self.0;
        for parent in parents {
            let child = at
                .entry((*parent).to_owned())
                .or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(members) = child else {
                return Err(FactError::NotAMapping {
                    path: path.to_owned(),
                    parent: (*parent).to_owned(),
                });
            };
            at = members;
        }
        if let Some(Value::Object(members)) = at.get(*last)
            && let Some(member) = members.keys().next()
        {
            return Err(FactError::AMapping {
                path: path.to_owned(),
                member: member.clone(),
            });
        }
        at.insert((*last).to_owned(), value);
        Ok(())
    }

    /// The fact at a path, whatever it is.
    pub fn get(&self, path: &[String]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter()
            .try_fold(self.0.get(first)?, |value, part| value.get(part))
    }

    /// The text of a fact: text as it is, whole numbers and booleans as they are written.
    pub fn text(&self, path: &[String]) -> Result<String, FactError> {
        let found = match self.get(path) {
            Some(Value::String(text)) => return Ok(text.clone()),
            Some(Value::Bool(value)) => return Ok(value.to_string()),
            Some(Value::Number(number)) if number.is_i64() => return Ok(number.to_string()),
            Some(Value::Number(_)) => "a number with a fraction",
            Some(Value::Null) => "null",
            Some(Value::Array(_)) => "a list",
            Some(Value::Object(_)) => "a mapping",
            None => return Err(self.missing(path)),
        };
        Err(FactError::NotText {
            path: path.join("."),
            found,
        })
    }

    /// The error for a path that does not exist, with the nearest one that does.
    pub fn missing(&self, path: &[String]) -> FactError {
        let mut existing = path;
        while let Some((last, parents)) = existing.split_last() {
            let siblings = if parents.is_empty() {
                Some(&self.0)
            } else {
                self.get(parents).and_then(Value::as_object)
            };
            if let Some(siblings) = siblings {
                let near = nearest(last, siblings.keys().map(String::as_str)).map(|near| {
                    parents
                        .iter()
                        .map(String::as_str)
                        .chain([near])
                        .collect::<Vec<_>>()
                        .join(".")
                });
                return FactError::Missing {
                    path: path.join("."),
                    near,
                };
            }
            existing = parents;
        }
        FactError::Missing {
            path: path.join("."),
            near: None,
        }
    }

    /// All facts as one JSON object.
    pub fn as_json(&self) -> &Map<String, Value> {
        &self.0
    }
}

fn merge(below: &mut Map<String, Value>, above: Map<String, Value>) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Object(members)), Value::Object(more)) => merge(members, more),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn mappings_merge_and_everything_else_is_replaced() {
        let mut facts = Facts::parse("a: {b: 1, c: [1, 2]}\nd: x").unwrap();
        facts.merge(Facts::parse("a: {c: [3], e: true}\nd: {f: 2}").unwrap());
        assert_eq!(
            facts,
            Facts::parse("a: {b: 1, c: [3], e: true}\nd: {f: 2}").unwrap()
        );
    }

    #[test]
    fn set_takes_a_yaml_scalar() {
        let mut facts = Facts::default();
        facts.set("features.egress", "true").unwrap();
        facts.set("a.b.c", "12").unwrap();
        facts.set("domain", "\"12\"").unwrap();
        facts.set_text("text", "true").unwrap();
        assert_eq!(
            facts,
            Facts::parse("features: {egress: true}\na: {b: {c: 12}}\ndomain: '12'\ntext: 'true'")
                .unwrap()
        );
        assert!(matches!(
            facts.set("a.b.c.d", "1"),
            Err(FactError::NotAMapping { .. })
        ));
        assert!(matches!(facts.set("a..b", "1"), Err(FactError::Path(_))));
        assert!(matches!(
            facts.set("a", "[1]"),
            Err(FactError::Scalar { .. })
        ));
    }

    #[test]
    fn only_text_whole_numbers_and_booleans_have_a_text() {
        let facts = Facts::parse("t: x\nn: 007\nb: true\nf: 1.50\nz:\nl: [1]\nm: {}").unwrap();
        for (fact, text) in [("t", "x"), ("n", "7"), ("b", "true")] {
            assert_eq!(facts.text(&path(fact)).unwrap(), text);
        }
        for fact in ["f", "z", "l", "m"] {
            assert!(
                matches!(facts.text(&path(fact)), Err(FactError::NotText { .. })),
                "{fact}"
            );
        }
    }

    #[test]
    fn a_missing_fact_names_the_nearest() {
        let facts = Facts::parse("features: {egress: true}").unwrap();
        assert_eq!(
            facts.text(&path("features.egres")).unwrap_err().to_string(),
            "`config.features.egres` is in no facts file and not among the defaults; did you mean `config.features.egress`?"
        );
        assert_eq!(
            facts.text(&path("feature.egress")).unwrap_err().to_string(),
            "`config.feature.egress` is in no facts file and not among the defaults; did you mean `config.features`?"
        );
    }
}
