//! What is asked of the requests of one run.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use seed_core::backend::Pace;

use crate::Backoff;

/// What is asked of the requests of one run.
#[derive(Clone)]
pub struct Policy {
    /// The service's quotas.
    pub pace: Pace,
    /// How many requests may go at once after a pause; see [`Pacer::new`](crate::Pacer::new).
    pub burst: u32,
    /// How many requests may be under way.
    pub concurrency: NonZeroUsize,
    /// When a single request is given up. After two of them without any answer the service is given up for the run.
    pub deadline: Duration,
    /// How often a request is sent again that had no effect, and the pauses in between.
    pub backoff: Backoff,
    /// How long a request is sent again while the service asks for patience, however often that is.
    pub patience: Duration,
    /// Draws a duration from zero to the one that it is given, so that many callers do not come back at once.
    pub jitter: Arc<dyn Fn(Duration) -> Duration + Send + Sync>,
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("pace", &self.pace)
            .field("concurrency", &self.concurrency)
            .field("deadline", &self.deadline)
            .field("backoff", &self.backoff)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}
