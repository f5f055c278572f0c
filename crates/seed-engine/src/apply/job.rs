//! What carrying out a plan needs, and what it tells on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use rand::CryptoRng;
use seed_core::inventory::Inventory;
use seed_core::name::{EntryKey, ValueId};
use seed_core::plan::{Findings, Plan, Selection};
use seed_core::report::Fate;
use seed_core::resolve::Resolved;
use seed_core::secret::SecretValue;
use tokio_util::sync::CancellationToken;

use crate::{Convergers, Providers, Replacers};

/// Where randomness comes from: a generator for each value. The caller gives it, so that nothing here can choose a
/// weak one.
pub type Randomness<'a> = dyn Fn() -> Box<dyn CryptoRng + Send> + Send + Sync + 'a;

/// All that carrying out a plan needs.
pub struct Job<'a> {
    /// What is wanted.
    pub resolved: Arc<Resolved>,
    /// What is to be done.
    pub plan: &'a Plan,
    /// What the plan was made from: when somebody else writes meanwhile, it is decided again by the same rules.
    pub inventories: &'a BTreeMap<String, Inventory>,
    /// Where to.
    pub providers: &'a Providers,
    /// Where placeholders may be replaced. Without it a run has no verb that could overwrite anything.
    pub replacers: &'a Replacers,
    /// Where a write is only known to stand after a second look.
    pub convergers: &'a Convergers,
    /// What was learnt by looking at values themselves; the plan was made from that too.
    pub findings: &'a Findings,
    /// Values that a person gave.
    pub given: &'a BTreeMap<ValueId, SecretValue>,
    /// Values whose `check` is not tried.
    pub unchecked: &'a BTreeSet<ValueId>,
    /// Values that the plan is about.
    pub selection: &'a Selection,
    /// How many calls at once each backend gets; `None` leaves it to the backend's own word.
    pub concurrency: Option<NonZeroUsize>,
    /// Stops the run: nothing new is started, and what is under way is waited for.
    pub cancel: CancellationToken,
    /// Ends the waiting for what is under way: what was sent and not answered is uncertain.
    pub abandon: CancellationToken,
    /// How long what is under way is waited for after `cancel`.
    pub grace: Duration,
    /// Where randomness comes from.
    pub randomness: &'a Randomness<'a>,
    /// The time, in seconds since 1970-01-01T00:00:00Z.
    pub now: &'a (dyn Fn() -> i64 + Send + Sync),
    /// Who is told what happens.
    pub observer: &'a dyn Observer,
}

impl fmt::Debug for Job<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("contract", &self.resolved.contract)
            .field("writes", &self.plan.writes.len())
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

/// Is told what happens, as it happens. Called from within the run, so it must return soon.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: Event<'_>);
}

/// Tells nobody.
impl Observer for () {
    fn event(&self, _: Event<'_>) {}
}

/// What happens. Holds no value.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The run begins.
    Began {
        /// How many values are to be stored.
        values: usize,
    },
    /// An entry is read, because others are made from its values.
    Reading {
        /// Which entry.
        entry: &'a EntryKey,
    },
    /// It is known what became of a value that was to be stored.
    Settled {
        /// Which value.
        id: &'a ValueId,
        /// What became of it.
        fate: &'a Fate,
    },
    /// The run was stopped. What is under way is waited for.
    Stopping {
        /// The entries that are read or written just now.
        under_way: &'a [&'a EntryKey],
    },
    /// All that could be written is written, and others who looked before may still be writing. Afterwards it is looked
    /// up whose values stand.
    Waiting {
        /// How long.
        pause: Duration,
        /// The entries in question.
        entries: usize,
    },
    /// An entry is written.
    Writing {
        /// Which entry.
        entry: &'a EntryKey,
    },
}
