//! What the test suites share: a sealed way to run `seed`, and judges of what it emits.
//!
//! The judges know External Secrets manifests only from their CRDs and from the operator's own
//! rules. They must not depend on seed's crates: a mistake there would excuse itself here.

pub mod binary;
pub mod cli;
pub mod crd;
pub mod delivered;
pub mod each;
pub mod emission;
mod environment;
pub mod help;
pub mod meaning;
pub mod official;
pub mod outside;
pub mod platform;
pub mod reference;
mod refusal;
pub mod search;
pub mod service;
pub mod shared;
pub mod stands;
pub mod store;
pub mod terminal;
#[cfg(target_os = "linux")]
pub mod watch;
pub mod webhook;
pub mod workspace;
pub mod yaml;

pub use refusal::Refusal;
