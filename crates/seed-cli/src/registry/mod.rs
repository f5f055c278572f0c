//! From a kind of backend to its adapter: one file each.

#[cfg(feature = "aws-sm")]
mod aws_sm;
#[cfg(feature = "azure-kv")]
mod azure_kv;
#[cfg(feature = "kubernetes")]
mod cluster;
#[cfg(feature = "gcpsm")]
mod gcpsm;
#[cfg(feature = "kubernetes")]
mod kubernetes;
#[cfg(feature = "local")]
mod local;
mod open;
mod opened;
#[cfg(feature = "vault")]
mod vault;

pub(crate) use open::open;
pub(crate) use opened::{Ground, Opened};
