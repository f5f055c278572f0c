//! YAML as a tree that remembers where everything was written, and YAML written so that every reader agrees.
//!
//! Serde's data model has no place for tags, quoting and aliases, and the contract refuses or explains some of them.
//! So the tree is built from the events of the parser itself.

mod convert;
mod node;
mod parse;
mod words;
mod write;

pub use convert::to_json;
pub use node::{Node, NodeKind, Scalar, ScalarType};
pub use parse::{Limits, parse, parse_hidden, parse_unseen};
pub use write::{Style, write};
