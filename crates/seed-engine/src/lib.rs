//! Carries plans out: looks at what is there, creates what is missing, reads what files need.
//!
//! What is decided, is decided in `seed-core`; what is sent, is sent by a [`Provider`](seed_provider::Provider). This
//! crate has what lies between: the order, the concurrency, what to do when somebody else was faster or an answer is
//! lost, and when to stop. It never prints, reads no environment and starts no task that could outlive a call.

mod apply;
mod failure;
mod files;
mod identify;
mod inventory;
mod kept;
mod known;
mod read;
mod replace;
mod restore;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use apply::{Event, Job, Observer, Randomness, apply};
pub use files::{FileError, needed, render};
pub use identify::{Identified, identify, unreached};
pub use inventory::{Collected, collect};
pub use known::{Known, know};
pub use read::{ReadValues, Unread, read_values};
pub use replace::{Found, Replaced, Replacement, as_providers, find, replace};
pub use restore::{Restored, Restoring, restore};

/// Backends that may replace what they hold, for the commands that are asked to.
pub type Replacers = BTreeMap<String, Arc<dyn seed_provider::Replace>>;

/// Backends whose writes are only known to stand after a second look.
pub type Convergers = BTreeMap<String, Arc<dyn seed_provider::Converge>>;

/// Backends that may bring back what was deleted, for a run that is asked to.
pub type Restorers = BTreeMap<String, Arc<dyn seed_provider::Restore>>;

/// Backends by their names in the contract.
pub type Providers = BTreeMap<String, Arc<dyn seed_provider::Provider>>;
