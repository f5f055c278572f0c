//! Manifests for External Secrets Operator, from the contract and facts alone.

mod access;
mod around;
mod external_secret;
mod go_template;
mod output;
mod provider;
mod secret_store;
mod version;

pub use go_template::escape as escape_go_template;
pub(crate) use go_template::insert as insert_into_go_template;
pub use output::{
    EmitError, ManifestFile, Options, Output, Skipped, With, emit, is_ours, written_from,
};
pub use version::{EsoVersion, UnknownVersion};
