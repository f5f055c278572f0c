//! How an adapter sends its single requests: under quotas, limits and deadlines, and again where that repeats nothing.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seed_core::name::SecretName;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::patience::{Patience, Refusal};
use super::policy::Policy;
use crate::{Counts, Error, ErrorKind, Operation, Pacer, Result, stop};

/// Sends single requests as a [`Policy`] says. All requests of one adapter go through one of these.
///
/// A service that answers nothing for two deadlines, fails request after request, or asks for more time than anybody
/// waits, is given up: further requests fail at once, and are not sent. Of a run that is told to stop, those that
/// still wait are not sent either; see [`stopping`](crate::stopping).
#[derive(Debug)]
pub struct Requests {
    policy: Policy,
    pacer: Pacer,
    patience: Patience,
    permits: Semaphore,
}

/// One request, which may be sent several times.
#[derive(Clone, Copy)]
struct Asked<'a> {
    counts: Counts,
    turns: Option<&'a Turns>,
    operation: Operation,
    name: Option<&'a SecretName>,
}

/// Turns of writes that belong together, taken at once: none of them waits in a queue while the others age.
#[derive(Debug)]
pub struct Turns(AtomicU32);

impl Turns {
    /// Takes one of them, if one is left.
    fn take(&self) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.0.fetch_update(set, fetch, one_less).is_ok()
    }
}

/// How often a request was sent, and for how long it was waited for.
#[derive(Default)]
struct Tries {
    failures: u32,
    refusals: u32,
    waited: Duration,
}

/// Why a request was not sent.
enum Unsent {
    Refused(Refusal),
    Stopped,
}

impl Requests {
    /// Starts with all quotas unused.
    pub fn new(policy: Policy) -> Self {
        let permits = policy.concurrency.get().min(Semaphore::MAX_PERMITS);
        Self {
            pacer: Pacer::new(policy.pace, policy.burst),
            patience: Patience::new(policy.deadline.saturating_mul(DEADLINES)),
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
        let counts = Counts::AsRead;
        let asked = Asked {
            counts,
            turns: None,
            operation,
            name,
        };
        self.send(asked, attempt).await
    }

    /// Sends a request that may change something. Without an answer in time it fails as `Indeterminate`, and is not
    /// sent again: only what is `Unavailable` or `RateLimited` had no effect.
    pub async fn write<T: Send, F: Future<Output = Result<T>> + Send>(
        &self,
        operation: Operation,
        name: Option<&SecretName>,
        attempt: impl Fn() -> F + Send + Sync,
    ) -> Result<T> {
        let counts = Counts::AsWrite;
        let asked = Asked {
            counts,
            turns: None,
            operation,
            name,
        };
        self.send(asked, attempt).await
    }

    /// Waits for the turns of so many writes at once. They are for [`Requests::write_in_turn`]; what is not used is lost.
    pub async fn turns(
        &self,
        writes: u32,
        operation: Operation,
        name: Option<&SecretName>,
    ) -> Result<Turns> {
        let counts = Counts::AsWrite;
        let asked = Asked {
            counts,
            turns: None,
            operation,
            name,
        };
        let turns = self.pacer.turns(counts, writes);
        match self.unless_over(counts, turns).await {
            Ok(()) => Ok(Turns(AtomicU32::new(writes))),
            Err(unsent) => Err(asked.unsent(unsent)),
        }
    }

    /// As [`Requests::write`], in one of the turns that were taken before, while one is left.
    pub async fn write_in_turn<T: Send, F: Future<Output = Result<T>> + Send>(
        &self,
        turns: &Turns,
        operation: Operation,
        name: Option<&SecretName>,
        attempt: impl Fn() -> F + Send + Sync,
    ) -> Result<T> {
        let asked = Asked {
            counts: Counts::AsWrite,
            turns: Some(turns),
            operation,
            name,
        };
        self.send(asked, attempt).await
    }

    async fn send<T: Send, F: Future<Output = Result<T>> + Send>(
        &self,
        asked: Asked<'_>,
        attempt: impl Fn() -> F + Send + Sync,
    ) -> Result<T> {
        let mut tries = Tries::default();
        let mut first = None;
        loop {
            let permit = self.turn(asked).await;
            let permit = permit.map_err(|unsent| asked.unsent(unsent))?;
            let sent = Instant::now();
            let begin = *first.get_or_insert(sent);
            let answer = self.once(asked, &attempt).await;
            // It is free again while a pause is waited for.
            drop(permit);
            let err = match answer {
                Ok(answer) => {
                    self.pacer.went_well(asked.counts);
                    self.patience.taken(asked.counts);
                    return Ok(answer);
                }
                Err(err) if err.is_unsent() => return Err(err),
                Err(err) => err,
            };
            tries.waited += sent.elapsed();
            self.learn(asked.counts, &err, sent);
            let Some(pause) = self.pause(&mut tries, err.kind(), begin) else {
                return Err(self.give_up(asked.counts, err, begin));
            };
            tracing::debug!(
                operation = asked.operation.as_str(),
                name = asked.name.map(tracing::field::display),
                failure = err.kind().as_str(),
                pause_ms = pause.as_millis(),
                "sending again"
            );
            match self
                .unless_over(asked.counts, tokio::time::sleep(pause))
                .await
            {
                Ok(()) => {}
                Err(Unsent::Refused(_)) => return Err(err),
                Err(stopped @ Unsent::Stopped) => return Err(asked.unsent(stopped)),
            }
        }
    }

    /// Waits until the request may be sent.
    async fn turn(&self, asked: Asked<'_>) -> Result<SemaphorePermit<'_>, Unsent> {
        let turn = async {
            // Nobody closes the semaphore; if somebody did, nothing would have been sent.
            let permit = self.permits.acquire().await.map_err(|_| {
                Unsent::Refused(Refusal {
                    kind: ErrorKind::Unavailable,
                    message: "no more requests are taken".to_owned(),
                })
            })?;
            if !asked.turns.is_some_and(Turns::take) {
                self.pacer.turn(asked.counts).await;
            }
            Ok(permit)
        };
        self.unless_over(asked.counts, turn).await?
    }

    /// Waits for something, as long as there is a point in it.
    async fn unless_over<T>(
        &self,
        counts: Counts,
        wait: impl Future<Output = T>,
    ) -> Result<T, Unsent> {
        tokio::select! {
            biased;
            () = stop::told() => Err(Unsent::Stopped),
            refusal = self.patience.ends(counts) => Err(Unsent::Refused(refusal)),
            waited = wait => Ok(waited),
        }
    }

    /// One attempt.
    async fn once<T: Send, F: Future<Output = Result<T>> + Send>(
        &self,
        asked: Asked<'_>,
        attempt: &(impl Fn() -> F + Send + Sync),
    ) -> Result<T> {
        let deadline = self.policy.deadline;
        let answer = tokio::time::timeout(deadline, attempt())
            .await
            .unwrap_or_else(|_| {
                let kind = match asked.counts {
                    Counts::AsRead => ErrorKind::Unavailable,
                    Counts::AsWrite => ErrorKind::Indeterminate,
                };
                let message = format!("there was no answer within {} s", deadline.as_secs_f64());
                Err(asked.error(kind, message))
            });
        let had_no_effect = answer
            .as_ref()
            .is_err_and(|err| err.is_retryable() || err.is_unsent());
        if asked.counts == Counts::AsWrite && !had_no_effect {
            stop::begun();
        }
        answer
    }

    /// What an attempt that failed tells of the service.
    fn learn(&self, counts: Counts, err: &Error, sent: Instant) {
        match err.kind() {
            ErrorKind::Indeterminate | ErrorKind::Unavailable => self.patience.lost(sent),
            ErrorKind::RateLimited { retry_after } => {
                self.patience.answered();
                self.pacer.slow_down(counts, retry_after);
            }
            ErrorKind::AlreadyExists
            | ErrorKind::Conflict
            | ErrorKind::Denied
            | ErrorKind::Invalid
            | ErrorKind::Misplaced
            | ErrorKind::NotFound
            | ErrorKind::Unauthenticated
            | ErrorKind::Unexpected
            | ErrorKind::Unsupported
            | ErrorKind::WrongShape => self.patience.taken(counts),
        }
    }

    /// How long to wait before the next attempt, if there is to be one.
    fn pause(&self, tries: &mut Tries, kind: ErrorKind, begin: Instant) -> Option<Duration> {
        let Policy {
            backoff,
            deadline,
            jitter,
            patience,
            ..
        } = &self.policy;
        if !kind.is_retryable() {
            return None;
        }
        if let ErrorKind::RateLimited { .. } = kind {
            tries.refusals += 1;
            let pause = backoff.pause(tries.refusals, kind, &**jitter);
            return (begin.elapsed().saturating_add(pause) < *patience).then_some(pause);
        }
        tries.failures += 1;
        // What was waited for in vain twice is not waited for again.
        let again = tries.failures < backoff.attempts.get()
            && tries.waited < deadline.saturating_mul(DEADLINES);
        again.then(|| backoff.pause(tries.failures, kind, &**jitter))
    }

    /// The last failure of a request, and what follows from it for others.
    fn give_up(&self, counts: Counts, err: Error, begin: Instant) -> Error {
        let patience = self.policy.patience;
        match err.kind() {
            ErrorKind::RateLimited {
                retry_after: Some(wait),
            } if wait >= patience => {
                self.patience.asked(counts, wait);
                let (asked, patience) = (wait.as_secs(), patience.as_secs());
                let message = format!(
                    "the service asks to wait {asked} s, and seed waits {patience} s at most: {}",
                    err.message()
                );
                err.saying(message)
            }
            ErrorKind::RateLimited { .. } => {
                self.patience.worn_out(counts, begin);
                err
            }
            ErrorKind::Unavailable => {
                self.patience.given_up(begin);
                err
            }
            // Whoever sent it has to look what became of it: that must be possible, and tells of the service.
            ErrorKind::Indeterminate
            | ErrorKind::AlreadyExists
            | ErrorKind::Conflict
            | ErrorKind::Denied
            | ErrorKind::Invalid
            | ErrorKind::Misplaced
            | ErrorKind::NotFound
            | ErrorKind::Unauthenticated
            | ErrorKind::Unexpected
            | ErrorKind::Unsupported
            | ErrorKind::WrongShape => err,
        }
    }
}

impl Asked<'_> {
    fn error(self, kind: ErrorKind, message: String) -> Error {
        self.named(Error::new(kind, self.operation, message))
    }

    fn unsent(self, unsent: Unsent) -> Error {
        match unsent {
            Unsent::Refused(Refusal { kind, message }) => self.error(kind, message),
            Unsent::Stopped => self.named(Error::stopped(self.operation)),
        }
    }

    fn named(self, error: Error) -> Error {
        match self.name {
            Some(name) => error.about(name),
            None => error,
        }
    }
}

/// How many deadlines a service that answers nothing is waited for.
const DEADLINES: u32 = 2;

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU32, NonZeroUsize};
    use std::sync::{Arc, Mutex};

    use futures::StreamExt as _;
    use seed_core::backend::Pace;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{Backoff, stopping};

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

    #[tokio::test(start_paused = true)]
    async fn turns_that_are_taken_together_are_not_queued_for_again() {
        let mut policy = policy();
        policy.pace.writes = NonZeroU32::new(60);
        let requests = &Requests::new(policy);
        let begin = Instant::now();
        let pairs = (0..3).map(|_| async move {
            let turns = requests.turns(2, Operation::Create, None).await.unwrap();
            let taken = begin.elapsed();
            for _ in 0..2 {
                let sent =
                    requests.write_in_turn(&turns, Operation::Create, None, || async { Ok(()) });
                sent.await.unwrap();
            }
            (taken, begin.elapsed())
        });
        let pairs = futures::future::join_all(pairs).await;
        let seconds = [1, 3, 5].map(Duration::from_secs);
        assert_eq!(pairs, seconds.map(|at| (at, at)));
        // A third write has no turn of theirs.
        requests
            .write(Operation::Create, None, || async { Ok(()) })
            .await
            .unwrap();
        assert_eq!(begin.elapsed(), Duration::from_secs(6));
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
    async fn a_service_that_asks_for_longer_than_can_be_counted_is_believed() {
        let retry_after = Some(Duration::MAX);
        let (kind, attempts, took) = write(&[ErrorKind::RateLimited { retry_after }]).await;
        let wanted = Some(ErrorKind::RateLimited { retry_after });
        assert_eq!((kind, attempts, took), (wanted, 1, Duration::ZERO));
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
        let never = || std::future::pending::<Result<()>>();
        let write = Requests::new(policy())
            .write(Operation::Create, None, never)
            .await;
        assert_eq!(write.unwrap_err().kind(), ErrorKind::Indeterminate);
        let requests = Requests::new(policy());
        let begin = Instant::now();
        let read = requests.read(Operation::Read, None, never).await;
        let err = read.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unavailable);
        assert_eq!(err.message(), "there was no answer within 2 s");
        // Twice, and not as often as what fails at once.
        assert_eq!(begin.elapsed(), Duration::from_secs(2 + 1 + 2));
    }

    /// Sends so many writes, each attempt of which ends as told, and gives how many attempts there were, how
    /// long it took, and what the last of the writes failed with.
    async fn writes<F: Future<Output = Result<()>> + Send>(
        count: usize,
        attempt: impl Fn() -> F + Send + Sync,
    ) -> (usize, Duration, Error) {
        let requests = Requests::new(policy());
        let attempts = Mutex::new(0);
        let begin = Instant::now();
        let one = || {
            requests.write(Operation::Create, None, || {
                *attempts.lock().unwrap() += 1;
                attempt()
            })
        };
        // As many calls at once as a caller makes.
        let all = futures::stream::iter((0..count).map(|_| one())).buffered(4);
        let ends: Vec<Result<()>> = all.collect().await;
        let attempts = *attempts.lock().unwrap();
        let last = ends.into_iter().last().unwrap().unwrap_err();
        (attempts, begin.elapsed(), last)
    }

    const UNSERVED: &str = "not sent, since the service did not serve the requests before it";

    #[tokio::test(start_paused = true)]
    async fn a_service_that_answers_nothing_is_given_up_after_two_deadlines() {
        let (attempts, took, last) = writes(1_000, std::future::pending).await;
        assert_eq!(attempts, 2 * 4);
        assert!(took < Duration::from_millis(4_200), "{took:?}");
        assert_eq!(last.kind(), ErrorKind::Unavailable);
        assert_eq!(last.message(), UNSERVED);
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_died_is_given_up_soon() {
        let refused = || async {
            Err(Error::new(
                ErrorKind::Unavailable,
                Operation::Create,
                "dead",
            ))
        };
        let (attempts, took, last) = writes(1_000, refused).await;
        // Three rounds of four requests, each of which is sent three times.
        assert!(attempts <= 3 * 4 * 3, "{attempts}");
        assert!(took < Duration::from_secs(10), "{took:?}");
        assert_eq!(last.message(), UNSERVED);
    }

    #[tokio::test(start_paused = true)]
    async fn what_became_of_writes_whose_answers_were_lost_can_be_looked_at() {
        let requests = Requests::new(policy());
        let lost = || async {
            Err::<(), _>(Error::new(
                ErrorKind::Indeterminate,
                Operation::Create,
                "cut",
            ))
        };
        for _ in 0..9 {
            let write = requests.write(Operation::Create, None, lost).await;
            assert_eq!(write.unwrap_err().message(), "cut");
        }
        let read = requests.read(Operation::Read, None, || async { Ok(()) });
        assert!(read.await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_answers_in_between_is_not_given_up() {
        let requests = Requests::new(policy());
        let failed = || async {
            Err::<(), _>(Error::new(
                ErrorKind::Unavailable,
                Operation::Read,
                "broken",
            ))
        };
        let silent = || std::future::pending::<Result<()>>();
        let denied =
            || async { Err::<(), _>(Error::new(ErrorKind::Denied, Operation::Read, "no")) };
        for _ in 0..5 {
            for _ in 0..2 {
                let read = requests.read(Operation::Read, None, failed).await;
                assert_eq!(read.unwrap_err().message(), "broken");
            }
            let read = requests.read(Operation::Read, None, denied).await;
            assert_eq!(read.unwrap_err().message(), "no");
            let write = requests.write(Operation::Create, None, silent).await;
            assert_eq!(write.unwrap_err().kind(), ErrorKind::Indeterminate);
            let read = requests.read(Operation::Read, None, || async { Ok(()) });
            read.await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_asks_for_more_than_anybody_waits_is_told_so_and_not_asked_before() {
        let asked = Duration::from_mins(10);
        let kind = ErrorKind::RateLimited {
            retry_after: Some(asked),
        };
        let throttled =
            || async move { Err::<(), _>(Error::new(kind, Operation::Create, "429: slowly")) };
        let requests = Requests::new(policy());
        let begin = Instant::now();
        let write = requests.write(Operation::Create, None, throttled).await;
        assert_eq!(
            write.unwrap_err().message(),
            "the service asks to wait 600 s, and seed waits 60 s at most: 429: slowly"
        );
        let taken = || async { Ok(()) };
        let write = requests.write(Operation::Create, None, taken).await;
        let err = write.unwrap_err();
        assert!(matches!(err.kind(), ErrorKind::RateLimited { .. }));
        assert_eq!(
            err.message(),
            "not sent, since the service asks to wait 600 s"
        );
        // It was said of writes, and for so long.
        requests.read(Operation::Read, None, taken).await.unwrap();
        assert_eq!(begin.elapsed(), Duration::ZERO);
        tokio::time::sleep(asked).await;
        requests
            .write(Operation::Create, None, taken)
            .await
            .unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_asks_for_patience_again_and_again_is_given_up_for_all() {
        let throttled =
            || async { Err::<(), _>(Error::new(THROTTLED, Operation::Create, "slowly")) };
        let (_, took, last) = writes(1_000, throttled).await;
        assert!(took < Duration::from_mins(2), "{took:?}");
        assert_eq!(
            last.message(),
            "not sent, since the service asks for patience again and again"
        );
    }

    /// Sends writes one of which is under way and the others wait, and tells how they ended when they were to stop.
    async fn stopped(policy: Policy, fails: Option<ErrorKind>) -> (usize, Vec<bool>) {
        let requests = Requests::new(policy);
        let stop = CancellationToken::new();
        let attempts = Mutex::new(0);
        let one = || {
            stopping(stop.clone(), async {
                let write = requests.write(Operation::Create, None, || {
                    *attempts.lock().unwrap() += 1;
                    async {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        let failed = |kind| Err(Error::new(kind, Operation::Create, "not yet"));
                        fails.map_or(Ok(()), failed)
                    }
                });
                write.await.is_err_and(|err| err.is_stopped())
            })
        };
        let all = futures::future::join_all((0..5).map(|_| one()));
        let ends = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            stop.cancel();
        };
        let (ends, ()) = tokio::join!(all, ends);
        let attempts = *attempts.lock().unwrap();
        (attempts, ends)
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_is_not_sent_any_more_when_a_run_stops() {
        let slow = Pace {
            reads: None,
            writes: NonZeroU32::new(1),
        };
        let for_its_turn = Policy {
            pace: slow,
            ..policy()
        };
        let ended = [false, true, true, true, true];
        assert_eq!(stopped(for_its_turn, None).await, (1, ended.to_vec()));
        let for_a_permit = Policy {
            pace: Pace {
                writes: None,
                ..slow
            },
            concurrency: NonZeroUsize::MIN,
            ..policy()
        };
        assert_eq!(stopped(for_a_permit, None).await, (1, ended.to_vec()));
        let in_a_pause = Policy {
            concurrency: NonZeroUsize::MIN.saturating_add(7),
            ..policy()
        };
        let ends = stopped(in_a_pause, Some(ErrorKind::Unavailable)).await;
        assert!(ends.0 <= 5 && ends.1 == [true; 5], "{ends:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_begun_is_finished_when_a_run_stops() {
        let requests = Requests::new(policy());
        let stop = CancellationToken::new();
        let taken = || async { Ok(()) };
        let calls = async {
            let write = || requests.write(Operation::Create, None, taken);
            requests.read(Operation::Read, None, taken).await?;
            write().await?;
            stop.cancel();
            write().await?;
            requests.read(Operation::Read, None, taken).await
        };
        stopping(stop.clone(), calls).await.unwrap();
        let read = requests.read(Operation::Read, None, taken);
        assert!(stopping(stop, read).await.unwrap_err().is_stopped());
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_sends_nothing_tells_nothing_of_the_service_and_begins_nothing() {
        let requests = Requests::new(policy());
        let stop = CancellationToken::new();
        let late = || async {
            let err = Error::new(ErrorKind::Conflict, Operation::Create, "too late");
            Err::<(), _>(err.unsent())
        };
        let calls = async {
            let err = requests.write(Operation::Create, None, late).await;
            assert!(err.unwrap_err().is_unsent());
            stop.cancel();
            requests.write(Operation::Create, None, late).await
        };
        let err = stopping(stop.clone(), calls).await.unwrap_err();
        assert!(err.is_stopped(), "{err}");
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
