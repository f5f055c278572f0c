//! Google Secret Manager as a backend.
//!
//! One secret is one entry, and its newest version is the value: text, bytes, or a JSON object of several. The service has
//! no write that is refused where a value is: a secret and its first version are two calls, and the second one takes no
//! precondition. What creates and what changes therefore holds a [claim](self) while it writes, in an annotation that is
//! set under the secret's etag; see `protocol`. What no claim can keep away, a writer that knows none or a process that
//! slept for longer than its claim lives, is seen in the number of the version that was added, and said.
//!
//! The messages and the credentials are those of Google's own libraries. Their client is not used: it follows redirects
//! with what it was to send, takes proxies for this machine's own addresses, and hides the time that the service says it
//! is. All requests go through [`seed_provider::Requests`]. This crate reads no variable but through the library of
//! credentials. It must not print, and no text of the service's gets further than its codes.

mod account;
mod adapter;
mod addresses;
mod call;
mod change;
mod claim;
mod clock;
mod config;
mod content;
mod fault;
mod held;
mod inventory;
mod meaning;
mod place;
mod programs;
mod protocol;
mod requests;
mod settle;
mod transport;
mod verbs;
mod write;

pub use adapter::{BURST, CAPABILITIES, GcpSm};
pub use config::{Config, ConfigError, Credentials, Surroundings};
