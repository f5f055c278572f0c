//! The adapter on the stand-in of Key Vault.

#![expect(clippy::unwrap_used, reason = "a test may give up")]

#[path = "../support/mod.rs"]
mod support;

mod canaries;
mod counts;
mod failures;
mod settling;
mod states;
