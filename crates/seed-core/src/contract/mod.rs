//! The secret contract: its text, its shape, and everything that can be wrong with it.

mod common;
mod conditions;
mod files;
mod metadata;
mod model;
mod parse;
pub(crate) mod reader;
mod references;
mod render;
mod schema;
mod secrets;
mod targets;

pub(crate) use common::is_dns_subdomain;
pub use common::is_environment_name;
pub(crate) use conditions::condition_diagnostic;
pub(crate) use files::{is_variable, refuse_path, spread_entry};
pub(crate) use metadata::Metadata;
pub use model::{
    Backend, BackendStore, Case, Cluster, Content, Contract, Creation, Deletion, EmitDefaults,
    Entry, Field, File, FileContent, PaceOverride, Provide, Refresh, Rotate, Setting, Source,
    StoreKind, StoreRef, Target, ValueSpec,
};
pub use parse::parse;
pub(crate) use parse::{ROOT_HELP, refuse_root};
pub(crate) use references::value_of;
pub use schema::schema;
pub(crate) use targets::expand_key;
