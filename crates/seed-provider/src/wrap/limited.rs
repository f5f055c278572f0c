//! So many calls at once, and no more.

use std::num::NonZeroUsize;

use futures::future::BoxFuture;
use tokio::sync::Semaphore;

use super::wrapper::{About, Wrapper};
use crate::{ErrorKind, Result};

/// Lets calls wait until fewer than a limit are under way. A call that waits is not sent yet.
#[derive(Debug)]
pub struct Limited<P> {
    inner: P,
    permits: Semaphore,
}

impl<P> Limited<P> {
    /// Lets at most `calls` calls of `inner` be under way.
    pub fn new(inner: P, calls: NonZeroUsize) -> Self {
        let permits = Semaphore::new(calls.get().min(Semaphore::MAX_PERMITS));
        Self { inner, permits }
    }
}

impl<P: std::fmt::Debug + Send + Sync + 'static> Wrapper for Limited<P> {
    type Inner = P;

    fn inner(&self) -> &P {
        &self.inner
    }

    async fn call<'a, T: Send + 'a>(
        &'a self,
        about: About<'a>,
        attempt: impl Fn() -> BoxFuture<'a, Result<T>> + Send + Sync + 'a,
    ) -> Result<T> {
        // Nobody closes the semaphore; if somebody did, nothing would have been sent.
        let _permit = self.permits.acquire().await.map_err(|_| {
            about.error(ErrorKind::Unavailable, "no more calls are taken".to_owned())
        })?;
        attempt().await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use seed_core::backend::Kind;

    use super::*;
    use crate::{Memory, Provider as _};

    #[tokio::test(start_paused = true)]
    async fn no_more_calls_than_the_limit_are_under_way() {
        let latency = Duration::from_millis(10);
        let memory = Arc::new(Memory::of(Kind::Local).with_latency(latency));
        let limited = Limited::new(Arc::clone(&memory), NonZeroUsize::new(3).unwrap());
        let begin = tokio::time::Instant::now();
        futures::future::join_all((0..9).map(|_| limited.inventory(&[]))).await;
        assert_eq!(memory.peak(), 3);
        assert_eq!(begin.elapsed(), 3 * latency);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_given_up_frees_its_place() {
        let memory = Memory::of(Kind::Local).with_latency(Duration::from_mins(1));
        let limited = Limited::new(memory, NonZeroUsize::MIN);
        for _ in 0..3 {
            let given_up =
                tokio::time::timeout(Duration::from_secs(1), limited.inventory(&[])).await;
            assert!(given_up.is_err());
        }
        limited.inventory(&[]).await.unwrap();
    }
}
