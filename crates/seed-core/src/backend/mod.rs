//! Backends as data: what they are called, what they can promise, which names and sizes they take.

mod description;
mod kind;
mod rule;
mod variables;

pub use description::{Capabilities, Confirm, Description, Guarantee, Pace};
pub use kind::{Kind, UnknownKind};
pub use rule::{CaseRule, NameRule, StoredNameError};
