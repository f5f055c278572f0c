//! What an opened backend can be asked for.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use seed_core::backend::{Capabilities, Pace};
use seed_core::resolve::ResolvedBackend;
use seed_provider::{Backoff, Policy, Provider, Replace, Restore, Traced};

use crate::args::RunArgs;
use crate::env::Environment;

/// What adapters are opened with.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    /// The base of the contract's paths.
    pub(super) root: &'a Path,
    pub(super) args: &'a RunArgs,
    pub(super) env: &'a Environment,
}

/// An adapter, by what it may be asked to do. A command is handed only what it needs.
pub(super) struct Opened {
    pub(super) provider: Arc<dyn Provider>,
    pub(super) replace: Option<Arc<dyn Replace>>,
    #[expect(dead_code, reason = "nothing restores yet")]
    pub(super) restore: Option<Arc<dyn Restore>>,
}

impl Opened {
    /// An adapter that can replace, and bring nothing back.
    pub(super) fn replacing<P: Replace>(provider: P) -> Self {
        let provider = Arc::new(provider);
        Self {
            provider: Arc::clone(&provider) as Arc<dyn Provider>,
            replace: Some(provider),
            restore: None,
        }
    }

    /// An adapter that sends its requests under a [`Policy`] of its own, and can replace and restore.
    #[expect(dead_code, reason = "no adapter of a service yet")]
    pub(super) fn restoring<P: Replace + Restore>(provider: P) -> Self {
        let provider = Arc::new(Traced::new(provider));
        Self {
            provider: Arc::clone(&provider) as Arc<dyn Provider>,
            replace: Some(Arc::clone(&provider) as Arc<dyn Replace>),
            restore: Some(provider),
        }
    }
}

impl Ground<'_> {
    /// How an adapter of a service sends its requests: under its own limits, or those that the contract and the
    /// arguments give instead.
    #[expect(dead_code, reason = "no adapter of a service yet")]
    pub(super) fn policy(
        &self,
        capabilities: &Capabilities,
        burst: u32,
        backend: &ResolvedBackend,
    ) -> Policy {
        let own = capabilities.concurrency;
        let Pace { reads, writes } = capabilities.pace;
        Policy {
            pace: Pace {
                reads: backend.pace.reads.and_then(NonZeroU32::new).or(reads),
                writes: backend.pace.writes.and_then(NonZeroU32::new).or(writes),
            },
            burst,
            concurrency: self.args.concurrency.map_or(own, |asked| asked.min(own)),
            deadline: Duration::from_secs(self.args.timeout),
            backoff: Backoff::default(),
            patience: PATIENCE,
            jitter: Arc::new(jitter),
        }
    }
}

/// How long a service may ask for patience before its word is taken for a failure.
const PATIENCE: Duration = Duration::from_mins(3);

/// A pause between nothing and all of it, so that many callers do not come back at once.
pub(super) fn jitter(longest: Duration) -> Duration {
    longest.mul_f64(rand::rand_core::UnwrapErr(rand::rngs::SysRng).random::<f64>())
}
