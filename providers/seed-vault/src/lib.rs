//! KV version 2 of Vault and `OpenBao` as a secret backend.
//!
//! Before anything else, a run logs in once, learns as whom, and proves that the mount is KV version 2 and that the
//! server honours the namespace: an open-source Vault ignores the header and would write into the root namespace, and
//! a mount of version 1 overwrites whatever it is told to expect. What is written names the version that it expects.
//!
//! Endpoints and their client are those of `rustify` and `vaultrs`, but settings and errors are not: `vaultrs` panics
//! on a bad address, prints tokens, turns verification off for an empty variable, and logs what a server answers.
//!
//! This crate reads no environment: variables are told to it. It must not print, or let a body into an error.

mod answer;
mod body;
mod calls;
mod config;
mod fault;
mod inventory;
mod login;
mod notes;
mod place;
mod provider;
mod session;
mod tls;
mod transport;
mod variables;
mod vault;

pub use config::{Config, ConfigError};
pub use variables::Variables;
pub use vault::{CAPABILITIES, Vault};
