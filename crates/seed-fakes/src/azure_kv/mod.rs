//! A stand-in of Azure Key Vault, and of the places that give tokens for it.

mod documented;
mod identity;
mod listing;
mod refusal;
mod secrets;
mod service;
mod store;

pub use service::AzureKv;
pub use store::{Patch, StoredVersion};
