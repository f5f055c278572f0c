//! AWS Secrets Manager as a backend.
//!
//! One secret is one entry: its name is the stored name, its one string is the value, or a JSON object of several. What
//! creates never overwrites: `CreateSecret` is refused by the service where the name is taken, a secret without a version
//! is filled with a version that becomes the current one only if it is the first, and what adds to or replaces a value
//! moves the label `AWSCURRENT` away from the version that was expected, or not at all.
//!
//! Every create and every put has a token of its own, drawn and not made from the value: what was sent twice is stored
//! once, and a version whose answer was lost is known to be ours by its id.
//!
//! Credentials come from where the AWS command line takes them. The client's own retries are off; all requests go through
//! [`seed_provider::Requests`]. This crate reads no variable but through the AWS libraries; what else it must know of the
//! surroundings is handed in. It must not print, and no text of the service's gets further than [`quiet`](self).

mod adapter;
mod call;
mod clients;
mod config;
mod content;
mod credentials;
mod error;
mod inventory;
mod labels;
mod listing;
mod meaning;
mod place;
mod quiet;
mod remains;
mod verbs;
mod write;

pub use adapter::{AwsSm, BURST, CAPABILITIES};
pub use config::{Config, ConfigError, Credentials, Surroundings};
