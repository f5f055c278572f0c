//! Values in YAML.

use super::file::{Content, Fault, Pair, Place};
use crate::secret::SecretValue;
use crate::yaml::{Limits, Node, NodeKind, ScalarType, parse_unseen};

pub(super) fn parse(text: &str) -> Result<Vec<Pair>, Fault> {
    let node = parse_unseen(text, Limits::default()).map_err(|found| {
        let help = found
            .help
            .map_or_else(String::new, |help| format!("; {help}"));
        Fault {
            place: found.span.map(|span| Place::of(text, span.start)),
            reason: format!("{}{help}", found.message),
        }
    })?;
    let place = Place::of(text, node.span.start);
    match content(text, node) {
        Content::Nested(pairs) => Ok(pairs),
        Content::Other(_) | Content::Value(_) => Err(Fault::at(
            place,
            "a file with values is a mapping from keys to texts: `key: value`",
        )),
    }
}

/// Every text is moved into a value, so that it is wiped whatever becomes of it.
fn content(text: &str, node: Node) -> Content {
    match node.kind {
        NodeKind::Mapping(pairs) => Content::Nested(
            pairs
                .into_iter()
                .map(|(key, value)| Pair {
                    place: Place::of(text, key.span.start),
                    key: key.text().unwrap_or_default().to_owned(),
                    content: content(text, value),
                })
                .collect(),
        ),
        NodeKind::Sequence(items) => {
            for item in items {
                drop(content(text, item));
            }
            Content::Other("a list")
        }
        NodeKind::Scalar(scalar) => {
            let kind = scalar.kind();
            let value = SecretValue::from(scalar.text);
            match kind {
                ScalarType::Boolean(_) => Content::Other("a boolean"),
                ScalarType::Float | ScalarType::Integer(_) => Content::Other("a number"),
                ScalarType::Null => Content::Other("null"),
                ScalarType::Text => Content::Value(value),
            }
        }
    }
}
