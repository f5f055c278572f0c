//! What is there, what would be created, what a person must give, what is blocked and why.
//!
//! A plan leaves nothing to choose: the write steps say which values go into which entry, under which version, after
//! which other steps, and what must be read for them. It holds no value.

mod bonds;
mod decide;
mod describe;
mod findings;
mod model;
mod secrets;
mod seen;
mod selection;
mod units;
mod wanted;
mod whole;

pub use decide::{Input, plan};
pub use findings::{Findings, Proof, prove, to_prove};
pub use model::{Action, Blocked, Plan, State, Step, Summary, Write, WriteKind};
pub use secrets::SecretStep;
pub use selection::Selection;
pub use wanted::wanted;
