//! A stand-in of Vault: KV version 2, with the auth and system endpoints that a client needs.
//!
//! Its answers are those that Vault 1.21 was seen to give, to the letter where a client could read them. `OpenBao`
//! answers alike, and has namespaces.

mod errors;
mod json;
mod kv;
mod service;
mod store;

pub use errors::documented_errors;
pub use service::{Namespaces, Vault};
