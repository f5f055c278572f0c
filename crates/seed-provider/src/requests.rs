//! How an adapter sends its single requests: under quotas, limits and deadlines, and again where that repeats nothing.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use seed_core::backend::Pace;
use seed_core::name::SecretName;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::{Backoff, Counts, Error, ErrorKind, Operation, Pacer, Result};

/// What is asked of the requests of one run.
#[derive(Clone)]
pub struct Policy {
    /// The service's quotas.
    pub pace: Pace,
    /// How many requests may go at once after a pause; see [`Pacer::new`].
    pub burst: u32,
    /// How many requests may be under way.
    pub concurrency: NonZeroUsize,
    /// When a single request is given up.
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

/// Sends single requests as a [`Policy`] says. All requests of one adapter go through one of these.
#[derive(Debug)]
pub struct Requests {
    policy: Policy,
    pacer: Pacer,
    permits: Semaphore,
}

impl Requests {
    /// Starts with all quotas unused.
    pub fn new(policy: Policy) -> Self {
        let permits = policy.concurrency.get().min(Semaphore::MAX_PERMITS);
        Self {
            pacer: Pacer::new(policy.pace, policy.burst),
            permits: Semaphore::new(permits),
            policy,
        }
    }

    /// How they are sent.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Sends a request that changes nothing. Without an answer in time it fails as `Unavailable`.
    pub async fn read<T: Send, F: Future<Output = Result<T>> + Send>(
        &self,
        operation: Operation,
        name: Option<&SecretName>,
        attempt: impl Fn() -> F + Send + Sync,
    ) -> Result<T> {
        self.send(Counts::AsRead, operation, name, attempt).await
    }

    /// Sends a request that may change something. Without an answer in time it fails as `Indeterminate`, and is not
    /// sent again: only what is `Unavailable` or `RateLimited` had no effect.
    pub async fn write<T: Send, F: Future<Output = Result<T>> + Send>(
        &self,
        operation: Operation,
        name: Option<&SecretName>,
        attempt: impl Fn() -> F + Send + Sync,
    ) -> Result<T> {
        self.send(Counts::AsWrite, operation, name, attempt).await
    }

    async fn send<T: Send, F: Future<Output = Result<T>> + Send>(
        &self,
        counts: Counts,
        operation: Operation,
        name: Option<&SecretName>,
        attempt: impl Fn() -> F + Send + Sync,
    ) -> Result<T> {
        let begin = Instant::now();
        let (mut failures, mut refusals) = (0, 0);
        loop {
            let err = match self.once(counts, operation, name, &attempt).await {
                Ok(answer) => {
                    self.pacer.went_well(counts);
                    return Ok(answer);
                }
                Err(err) => err,
            };
            let Policy {
                backoff, jitter, ..
            } = &self.policy;
            let (pause, goes_on) = if let ErrorKind::RateLimited { retry_after } = err.kind() {
                self.pacer.slow_down(counts, retry_after);
                refusals += 1;
                let pause = backoff.pause(refusals, err.kind(), &**jitter);
                (pause, begin.elapsed() + pause < self.policy.patience)
            } else {
                failures += 1;
                let pause = backoff.pause(failures, err.kind(), &**jitter);
                (pause, failures < backoff.attempts.get())
            };
            if !err.is_retryable() || !goes_on {
                return Err(err);
            }
            tracing::debug!(
                operation = operation.as_str(),
                name = name.map(tracing::field::display),
                failure = err.kind().as_str(),
                pause_ms = pause.as_millis(),
                "sending again"
            );
            tokio::time::sleep(pause).await;
        }
    }

    /// One attempt. The permit is free again while a pause is waited for.
    async fn once<T: Send, F: Future<Output = Result<T>> + Send>(
        &self,
        counts: Counts,
        operation: Operation,
        name: Option<&SecretName>,
        attempt: &(impl Fn() -> F + Send + Sync),
    ) -> Result<T> {
        // Nobody closes the semaphore; if somebody did, nothing would have been sent.
        let _permit = self.permits.acquire().await.map_err(|_| {
            let message = "no more requests are taken".to_owned();
            error(ErrorKind::Unavailable, operation, name, message)
        })?;
        self.pacer.turn(counts).await;
        let deadline = self.policy.deadline;
        tokio::time::timeout(deadline, attempt())
            .await
            .unwrap_or_else(|_| {
                let kind = match counts {
                    Counts::AsRead => ErrorKind::Unavailable,
                    Counts::AsWrite => ErrorKind::Indeterminate,
                };
                let message = format!("there was no answer within {} s", deadline.as_secs_f64());
                Err(error(kind, operation, name, message))
            })
    }
}

fn error(
    kind: ErrorKind,
    operation: Operation,
    name: Option<&SecretName>,
    message: String,
) -> Error {
    let error = Error::new(kind, operation, message);
    match name {
        Some(name) => error.about(name),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::sync::Mutex;

    use super::*;

    fn policy() -> Policy {
        Policy {
            pace: Pace {
                reads: None,
                writes: NonZeroU32::new(6_000),
            },
            burst: 1,
            concurrency: NonZeroUsize::new(4).unwrap(),
            deadline: Duration::from_secs(2),
            backoff: Backoff {
                attempts: NonZeroU32::new(3).unwrap(),
                first: Duration::from_secs(1),
                longest: Duration::from_secs(4),
            },
            patience: Duration::from_mins(1),
            jitter: Arc::new(|longest| longest),
        }
    }

    /// Sends a write whose first attempts end as told, and gives the outcome, the attempts and the time that it took.
    async fn write(ends: &[ErrorKind]) -> (Option<ErrorKind>, usize, Duration) {
        let left = Mutex::new(ends.iter().rev().copied().collect::<Vec<_>>());
        let requests = Requests::new(policy());
        let begin = Instant::now();
        let attempt = || async {
            match left.lock().unwrap().pop() {
                Some(kind) => Err(Error::new(kind, Operation::Create, "as the test wants")),
                None => Ok(()),
            }
        };
        let sent = requests.write(Operation::Create, None, attempt).await;
        let attempts = ends.len() - left.lock().unwrap().len() + usize::from(sent.is_ok());
        (sent.err().map(|err| err.kind()), attempts, begin.elapsed())
    }

    const THROTTLED: ErrorKind = ErrorKind::RateLimited { retry_after: None };

    #[tokio::test(start_paused = true)]
    async fn what_had_no_effect_is_sent_so_often_and_no_more() {
        let (kind, attempts, _) = write(&[ErrorKind::Unavailable; 2]).await;
        assert_eq!((kind, attempts), (None, 3));
        let (kind, attempts, took) = write(&[ErrorKind::Unavailable; 9]).await;
        assert_eq!((kind, attempts), (Some(ErrorKind::Unavailable), 3));
        assert_eq!(took, Duration::from_secs(1 + 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_asks_for_patience_is_asked_again_for_as_long_as_it_was_said() {
        let (kind, attempts, _) = write(&[THROTTLED; 12]).await;
        assert_eq!((kind, attempts), (None, 13));
        let (kind, _, took) = write(&[THROTTLED; 99]).await;
        assert_eq!(kind, Some(THROTTLED));
        assert!(
            took > Duration::from_secs(50) && took < Duration::from_mins(1),
            "{took:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_have_had_an_effect_is_sent_once() {
        for kind in [
            ErrorKind::Indeterminate,
            ErrorKind::Denied,
            ErrorKind::Misplaced,
        ] {
            let (failed, attempts, took) = write(&[kind]).await;
            assert_eq!((failed, attempts, took), (Some(kind), 1, Duration::ZERO));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_without_an_answer_is_in_doubt_and_a_read_is_not() {
        let requests = Requests::new(policy());
        let never = || std::future::pending::<Result<()>>();
        let write = requests.write(Operation::Create, None, never).await;
        assert_eq!(write.unwrap_err().kind(), ErrorKind::Indeterminate);
        let begin = Instant::now();
        let read = requests.read(Operation::Read, None, never).await;
        let err = read.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unavailable);
        assert_eq!(err.message(), "there was no answer within 2 s");
        assert_eq!(begin.elapsed(), Duration::from_secs(3 * 2 + 1 + 2));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_requests_than_the_limit_are_under_way() {
        let requests = Requests::new(policy());
        let begin = Instant::now();
        let one = || {
            requests.read(Operation::Read, None, || async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(())
            })
        };
        futures::future::join_all((0..9).map(|_| one())).await;
        assert_eq!(begin.elapsed(), Duration::from_secs(3));
    }
}
