//! Azure Key Vault as a backend.
//!
//! One secret is one entry: its text is the value, or a JSON object of several. The service has no conditional write: what
//! is stored under a name that is taken becomes a new version, and the newest one is read. So a create looks first, says by
//! a tag which run it is of, and is only known to stand when `settle` has looked at all versions afterwards; how several
//! writers come to agree is told in [`decide`](self).
//!
//! Names are checked before they get here: the library puts them into a path as they are. Its own retries are off; all
//! requests go through [`seed_provider::Requests`]. What is not a success crosses one border ([`transport`](self)), where
//! nothing is left of it but the service's codes. This crate must not print.

mod adapter;
mod claim;
mod clock;
mod config;
mod content;
mod credentials;
mod decide;
mod error;
mod inventory;
#[cfg(test)]
mod model;
mod place;
mod put;
mod recent;
mod settle;
mod transport;
mod verbs;
mod write;

pub use adapter::{AzureKv, BURST, CAPABILITIES};
pub use config::{Config, ConfigError, Credentials, Surroundings};
