//! The contract between `seed` and a secret backend.
//!
//! [`Provider`] has the few verbs that planning and applying need, and none that could overwrite: what the trait
//! cannot say, no bug can do. [`Replace`], [`Restore`] and [`Versions`] are apart, given only to the commands that
//! a person uses for just that; a backend that cannot do one of them does not implement it. [`Converge`] is for a backend
//! whose writes are only known to stand after a second look.
//!
//! An adapter whose call is one request does it once and plainly. Deadlines, limits, pacing, retries and traces are
//! wrappers around it, from the inside out [`Timed`], [`Limited`], [`Paced`], [`Retrying`], [`Traced`]: a permit is
//! free again during a back-off, and a trace shows what the caller waited for. An adapter that may need many requests
//! for one call sends each of them through [`Requests`], which does the same for a single one.
//!
//! [`Memory`] is a backend for tests, [`Shelf`] one that has no conditional write. The feature `conformance` has the
//! suite that every adapter must pass.
//!
//! This crate must not know any particular backend, read the environment or print.

#[cfg(feature = "conformance")]
pub mod conformance;
mod converge;
mod error;
mod marks;
mod memory;
mod provider;
mod requests;
mod stop;
mod wrap;

pub use converge::{Converge, Settled, Written};
pub use error::{Error, ErrorKind, Operation, Result};
pub use marks::Marks;
pub use memory::{Memory, Shelf, ShelfRun};
pub use provider::{Identity, Provider, Replace, Restore, Stored, Versions, WantedShape};
pub use requests::{Policy, Requests, Turns};
pub use stop::stopping;
pub use wrap::{Backoff, Counts, Deadlines, Limited, Paced, Pacer, Retrying, Timed, Traced};
