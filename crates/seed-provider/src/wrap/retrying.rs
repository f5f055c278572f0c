//! Trying again what failed without effect.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use futures::future::BoxFuture;

use super::wrapper::{About, Wrapper};
use crate::{ErrorKind, Result};

/// Sends a call again when its error says that this is safe and may help, with growing pauses.
///
/// An `Indeterminate` write is never sent again: somebody has to look first.
pub struct Retrying<P> {
    inner: P,
    backoff: Backoff,
    jitter: Box<dyn Fn(Duration) -> Duration + Send + Sync>,
}

/// How often to try, and how long to wait in between.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Backoff {
    /// How often a call is sent at most, the first time included.
    pub attempts: NonZeroU32,
    /// The longest first pause. Each further one may be twice as long.
    pub first: Duration,
    /// What no pause is longer than, unless the backend asks for more.
    pub longest: Duration,
}

impl Default for Backoff {
    /// Six attempts, pauses from 0.2 s up to 10 s.
    fn default() -> Self {
        Self {
            attempts: NonZeroU32::MIN.saturating_add(5),
            first: Duration::from_millis(200),
            longest: Duration::from_secs(10),
        }
    }
}

impl Backoff {
    /// The pause after so many failures, the last of which was `kind`.
    pub(crate) fn pause(
        self,
        failures: u32,
        kind: ErrorKind,
        jitter: impl Fn(Duration) -> Duration,
    ) -> Duration {
        let Self { first, longest, .. } = self;
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        let half = first.saturating_mul(doubled).min(longest) / 2;
        let pause = half + jitter(half).min(half);
        match kind {
            ErrorKind::RateLimited {
                retry_after: Some(asked),
            } => asked.saturating_add(pause),
            ErrorKind::AlreadyExists
            | ErrorKind::Conflict
            | ErrorKind::Denied
            | ErrorKind::Indeterminate
            | ErrorKind::Invalid
            | ErrorKind::Misplaced
            | ErrorKind::NotFound
            | ErrorKind::RateLimited { retry_after: None }
            | ErrorKind::Unauthenticated
            | ErrorKind::Unavailable
            | ErrorKind::Unexpected
            | ErrorKind::Unsupported
            | ErrorKind::WrongShape => pause,
        }
    }
}

impl<P> Retrying<P> {
    /// Retries the calls of `inner`.
    ///
    /// `jitter` draws a duration from zero to the one that it is given, so that many callers do not come back at once;
    /// half of each pause is drawn.
    pub fn new(
        inner: P,
        backoff: Backoff,
        jitter: impl Fn(Duration) -> Duration + Send + Sync + 'static,
    ) -> Self {
        Self {
            inner,
            backoff,
            jitter: Box::new(jitter),
        }
    }
}

impl<P: fmt::Debug> fmt::Debug for Retrying<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retrying")
            .field("inner", &self.inner)
            .field("backoff", &self.backoff)
            .finish_non_exhaustive()
    }
}

impl<P: fmt::Debug + Send + Sync + 'static> Wrapper for Retrying<P> {
    type Inner = P;

    fn inner(&self) -> &P {
        &self.inner
    }

    async fn call<'a, T: Send + 'a>(
        &'a self,
        about: About<'a>,
        attempt: impl Fn() -> BoxFuture<'a, Result<T>> + Send + Sync + 'a,
    ) -> Result<T> {
        let mut failures = 0;
        loop {
            let err = match attempt().await {
                Ok(answer) => return Ok(answer),
                Err(err) => err,
            };
            failures += 1;
            if !err.is_retryable() || failures >= self.backoff.attempts.get() {
                return Err(err);
            }
            let pause = self.backoff.pause(failures, err.kind(), &self.jitter);
            tracing::debug!(
                operation = about.operation.as_str(),
                name = about.name.map(tracing::field::display),
                failure = err.kind().as_str(),
                pause_ms = pause.as_millis(),
                "trying again"
            );
            tokio::time::sleep(pause).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use seed_core::backend::Kind;
    use tokio::time::Instant;

    use super::*;
    use crate::{Error, Memory, Operation, Provider as _};

    /// Lets the first calls fail as told, and gives the outcome, the number of calls and the time that it took.
    async fn run(failures: &[ErrorKind]) -> (Option<ErrorKind>, usize, Duration) {
        let memory = Arc::new(Memory::of(Kind::Local));
        for kind in failures {
            let error = Error::new(*kind, Operation::Inventory, "as the test wants");
            memory.fail_next(Operation::Inventory, None, error);
        }
        let backoff = Backoff {
            attempts: NonZeroU32::new(4).unwrap(),
            first: Duration::from_secs(1),
            longest: Duration::from_secs(3),
        };
        let retrying = Retrying::new(Arc::clone(&memory), backoff, |longest| longest);
        let begin = Instant::now();
        let outcome = retrying.inventory(&[]).await.err().map(|err| err.kind());
        (outcome, memory.calls(Operation::Inventory), begin.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_tried_again_with_growing_pauses() {
        let outcome = run(&[ErrorKind::Unavailable; 2]).await;
        assert_eq!(outcome, (None, 3, Duration::from_secs(1 + 2)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_failure_is_told_when_all_attempts_failed() {
        let outcome = run(&[ErrorKind::Unavailable; 9]).await;
        let pauses = Duration::from_secs(1 + 2 + 3);
        assert_eq!(outcome, (Some(ErrorKind::Unavailable), 4, pauses));
    }

    #[tokio::test(start_paused = true)]
    async fn a_backend_that_asks_for_patience_gets_it() {
        let asked = Duration::from_secs(20);
        let kind = ErrorKind::RateLimited {
            retry_after: Some(asked),
        };
        assert_eq!(
            run(&[kind]).await,
            (None, 2, asked + Duration::from_secs(1))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_have_taken_effect_is_never_sent_again() {
        for kind in [
            ErrorKind::Indeterminate,
            ErrorKind::Denied,
            ErrorKind::Unexpected,
        ] {
            assert_eq!(run(&[kind]).await, (Some(kind), 1, Duration::ZERO));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_jitter_of_nothing_halves_the_pause() {
        let memory = Memory::of(Kind::Local);
        let error = Error::new(ErrorKind::Unavailable, Operation::Inventory, "once");
        memory.fail_next(Operation::Inventory, None, error);
        let retrying = Retrying::new(memory, Backoff::default(), |_| Duration::ZERO);
        let begin = Instant::now();
        retrying.inventory(&[]).await.unwrap();
        assert_eq!(begin.elapsed(), Duration::from_millis(100));
    }
}
