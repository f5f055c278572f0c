//! The suite that every adapter must pass, so that all backends keep the same promises.
//!
//! A test target without the usual harness collects the trials and hands them to `libtest_mimic`:
//!
//! ```
//! use std::sync::Arc;
//!
//! use libtest_mimic::Arguments;
//! use seed_core::backend::Kind;
//! use seed_provider::conformance::{Subject, Suite};
//! use seed_provider::{Memory, Provider};
//!
//! let make = || async { Ok(Subject::new(Memory::of(Kind::Local))) };
//! let suite = Suite::new(Memory::of(Kind::Local).describe(), make);
//! let mut trials = suite.trials();
//! trials.extend(suite.replace_trials());
//! let conclusion = libtest_mimic::run(&Arguments::default(), trials);
//! assert!(!conclusion.has_failed());
//! ```
//!
//! Every trial gets a subject and names of its own, so subjects may share one real store. What is written is not
//! removed: the verbs of a provider cannot delete.

mod bench;
mod creating;
mod growing;
mod limits;
mod looking;
mod optional;
mod suite;

pub use suite::{Subject, Suite};
