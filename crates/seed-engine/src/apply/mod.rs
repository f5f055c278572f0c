//! Carries a plan out.

mod again;
mod dead;
mod job;
mod not_yet;
mod run;
mod schedule;
mod send;
mod stage;
mod write;

pub use job::{Event, Job, Observer, Randomness};
pub use run::apply;
