//! From tree to JSON values.

use serde_json::{Map, Number, Value};

use super::node::{Node, NodeKind, ScalarType};

/// The JSON value that the core schema gives a tree. Keys are their text.
pub fn to_json(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Mapping(pairs) => Value::Object(
            pairs
                .iter()
                .map(|(key, value)| (key.text().unwrap_or_default().to_owned(), to_json(value)))
                .collect::<Map<_, _>>(),
        ),
        NodeKind::Sequence(items) => Value::Array(items.iter().map(to_json).collect()),
        NodeKind::Scalar(scalar) => match scalar.kind() {
            ScalarType::Boolean(value) => Value::Bool(value),
            ScalarType::Float => scalar
                .text
                .parse()
                .ok()
                .and_then(Number::from_f64)
                .map_or_else(|| Value::String(scalar.text.clone()), Value::Number),
            ScalarType::Integer(value) => Value::Number(value.into()),
            ScalarType::Null => Value::Null,
            ScalarType::Text => Value::String(scalar.text.clone()),
        },
    }
}
