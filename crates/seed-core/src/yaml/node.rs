//! The tree.

use super::convert::to_json;
use crate::diagnostic::Span;

/// One node and where it was written.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it was written. For an alias, where the anchor stands.
    pub span: Span,
    /// What it is.
    pub kind: NodeKind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// Key and value pairs in their order; keys are scalars and unique.
    Mapping(Vec<(Node, Node)>),
    /// A single value.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
}

/// A single value as it was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scalar {
    /// The text, escapes resolved.
    pub text: String,
    /// Without quotes and not a block, so that the text decides the type.
    pub plain: bool,
    /// The text is that of a fact that is no text itself, so that it may be read as what the fact is, quoted or not.
    pub from_fact: bool,
}

/// What a scalar is by YAML 1.2's core schema.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ScalarType {
    /// `true` or `false`.
    Boolean(bool),
    /// A number with a fraction or an exponent, an infinity, or not a number.
    Float,
    /// A whole number.
    Integer(i64),
    /// Nothing, `~` or `null`.
    Null,
    /// Anything else, and everything in quotes.
    Text,
}

/// Two nodes are equal when they mean the same: neither places nor the way of writing count, but order does.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (NodeKind::Mapping(pairs), NodeKind::Mapping(others)) => {
                pairs.len() == others.len()
                    && pairs
                        .iter()
                        .zip(others)
                        .all(|((key, value), (other_key, other))| {
                            key.text() == other_key.text() && value == other
                        })
            }
            (NodeKind::Sequence(items), NodeKind::Sequence(others)) => items == others,
            (NodeKind::Scalar(_), NodeKind::Scalar(_)) => to_json(self) == to_json(other),
            (NodeKind::Mapping(_) | NodeKind::Scalar(_) | NodeKind::Sequence(_), _) => false,
        }
    }
}

impl Node {
    /// The scalar, if it is one.
    pub fn as_scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            NodeKind::Scalar(scalar) => Some(scalar),
            NodeKind::Mapping(_) | NodeKind::Sequence(_) => None,
        }
    }

    /// The scalar's text, if it is one.
    pub fn text(&self) -> Option<&str> {
        self.as_scalar().map(|scalar| scalar.text.as_str())
    }

    /// The value under a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            NodeKind::Mapping(pairs) => pairs
                .iter()
                .find(|(name, _)| name.text() == Some(key))
                .map(|(_, value)| value),
            NodeKind::Scalar(_) | NodeKind::Sequence(_) => None,
        }
    }

    /// How messages call this kind of node.
    pub fn describe(&self) -> String {
        match &self.kind {
            NodeKind::Mapping(_) => "a mapping".to_owned(),
            NodeKind::Sequence(_) => "a list".to_owned(),
            NodeKind::Scalar(scalar) => match scalar.kind() {
                ScalarType::Boolean(value) => format!("the boolean `{value}`"),
                ScalarType::Float | ScalarType::Integer(_) => {
                    format!("the number `{}`", scalar.text)
                }
                ScalarType::Null => "nothing".to_owned(),
                ScalarType::Text => "text".to_owned(),
            },
        }
    }

    /// Whether a predicate holds for any scalar in the tree.
    pub fn any_scalar(&self, holds: &mut dyn FnMut(&Scalar) -> bool) -> bool {
        match &self.kind {
            NodeKind::Mapping(pairs) => pairs
                .iter()
                .any(|(key, value)| key.any_scalar(holds) || value.any_scalar(holds)),
            NodeKind::Scalar(scalar) => holds(scalar),
            NodeKind::Sequence(items) => items.iter().any(|item| item.any_scalar(holds)),
        }
    }
}

impl Scalar {
    /// What it is by the core schema.
    pub fn kind(&self) -> ScalarType {
        if self.plain {
            self.plain_kind()
        } else {
            ScalarType::Text
        }
    }

    /// What it is as the value of a number or a boolean: what stands there, or the fact that it is the text of.
    pub(crate) fn value_kind(&self) -> ScalarType {
        if self.plain || self.from_fact {
            self.plain_kind()
        } else {
            ScalarType::Text
        }
    }

    fn plain_kind(&self) -> ScalarType {
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => ScalarType::Null,
            "true" | "True" | "TRUE" => ScalarType::Boolean(true),
            "false" | "False" | "FALSE" => ScalarType::Boolean(false),
            text => integer(text).map_or_else(
                || {
                    if is_float(text) {
                        ScalarType::Float
                    } else {
                        ScalarType::Text
                    }
                },
                ScalarType::Integer,
            ),
        }
    }
}

fn integer(text: &str) -> Option<i64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok();
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return i64::from_str_radix(digits, 8).ok();
    }
    text.parse().ok()
}

fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if [".inf", ".Inf", ".INF"].contains(&unsigned) || [".nan", ".NaN", ".NAN"].contains(&text) {
        return true;
    }
    unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.contains(|c: char| c.is_ascii_digit())
        && unsigned
            .chars()
            .all(|c| c.is_ascii_digit() || "+-.eE".contains(c))
        && unsigned.parse::<f64>().is_ok()
}
