//! Staying under a service's quotas, instead of running into them.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use seed_core::backend::Pace;
use tokio::time::Instant;

use super::wrapper::{About, Wrapper};
use crate::Result;

/// Lets each call wait for its turn under the quotas of a [`Pacer`]: one write or one read a call.
///
/// An adapter that needs several requests for one call asks the same pacer for the others.
#[derive(Debug)]
pub struct Paced<P> {
    inner: P,
    pacer: Arc<Pacer>,
}

impl<P> Paced<P> {
    /// Paces the calls of `inner`.
    pub fn new(inner: P, pacer: Arc<Pacer>) -> Self {
        Self { inner, pacer }
    }
}

impl<P: std::fmt::Debug + Send + Sync + 'static> Wrapper for Paced<P> {
    type Inner = P;

    fn inner(&self) -> &P {
        &self.inner
    }

    async fn call<'a, T: Send + 'a>(
        &'a self,
        about: About<'a>,
        attempt: impl Fn() -> BoxFuture<'a, Result<T>> + Send + Sync + 'a,
    ) -> Result<T> {
        if about.operation.writes() {
            self.pacer.write().await;
        } else {
            self.pacer.read().await;
        }
        attempt().await
    }
}

/// Hands out turns so that no minute sees more reads or writes than a quota, and fewer while the service says that even
/// those are too many: others may share the quota.
#[derive(Debug)]
pub struct Pacer {
    reads: Lane,
    writes: Lane,
}

/// Which quota a request counts against.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Counts {
    /// That of reads.
    AsRead,
    /// That of writes.
    AsWrite,
}

impl Pacer {
    /// Starts with both quotas unused.
    ///
    /// `burst` requests may go at once after a pause; the others are spread evenly, a little slower the larger the
    /// burst is, so that the minute still holds. 1 spreads all of them, as a service that counts seconds needs.
    /// At most half a quota is taken as burst.
    pub fn new(pace: Pace, burst: u32) -> Self {
        Self {
            reads: Lane::new(pace.reads, burst),
            writes: Lane::new(pace.writes, burst),
        }
    }

    /// Waits until a read may be sent.
    pub async fn read(&self) {
        self.turn(Counts::AsRead).await;
    }

    /// Waits until a write may be sent.
    pub async fn write(&self) {
        self.turn(Counts::AsWrite).await;
    }

    /// Waits until a request may be sent.
    pub(crate) async fn turn(&self, counts: Counts) {
        if let Some(at) = self.lane(counts).turn(Instant::now()) {
            tokio::time::sleep_until(at).await;
        }
    }

    /// Waits until so many requests may be sent, one right after the other.
    pub(crate) async fn turns(&self, counts: Counts, requests: u32) {
        let (lane, now) = (self.lane(counts), Instant::now());
        if let Some(at) = (0..requests).filter_map(|_| lane.turn(now)).last() {
            tokio::time::sleep_until(at).await;
        }
    }

    /// The service asked for patience, perhaps saying for how long. Many that ask at once count as one.
    pub(crate) fn slow_down(&self, counts: Counts, asked: Option<Duration>) {
        self.lane(counts).slow_down(Instant::now(), asked);
    }

    /// The service took a request: carefully back to the quota's own pace.
    pub(crate) fn went_well(&self, counts: Counts) {
        self.lane(counts).went_well();
    }

    fn lane(&self, counts: Counts) -> &Lane {
        match counts {
            Counts::AsRead => &self.reads,
            Counts::AsWrite => &self.writes,
        }
    }
}

/// One quota. A turn that is given out and not used is lost, which errs on the slow side.
#[derive(Debug)]
struct Lane {
    /// Between two turns, in the long run. Nothing without a quota.
    interval: Duration,
    /// How far a turn may come before its place in the even spread.
    ahead: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The place of the next turn in the even spread.
    next: Option<Instant>,
    /// What is added to the interval since the service asked for patience.
    added: Duration,
    /// When it last asked.
    asked: Option<Instant>,
}

impl Lane {
    fn new(quota: Option<NonZeroU32>, burst: u32) -> Self {
        let state = Mutex::default();
        let Some(quota) = quota.map(NonZeroU32::get) else {
            let interval = Duration::ZERO;
            let ahead = Duration::ZERO;
            return Self {
                interval,
                ahead,
                state,
            };
        };
        let burst = burst.clamp(1, (quota / 2).max(1));
        // A minute can hold the burst and one turn for each interval in it: together the quota.
        let spread = quota.saturating_sub(burst - 1).max(1);
        let interval = MINUTE / spread;
        Self {
            interval,
            ahead: interval * (burst - 1),
            state,
        }
    }

    /// Takes the next turn and tells when it is, unless it is now.
    fn turn(&self, now: Instant) -> Option<Instant> {
        let mut state = self.state();
        let interval = self.interval + state.added;
        let place = state.next.map_or(now, |place| place.max(now));
        state.next = Some(place + interval);
        let ahead = if state.added.is_zero() {
            self.ahead
        } else {
            Duration::ZERO
        };
        place.checked_sub(ahead).filter(|at| *at > now)
    }

    fn slow_down(&self, now: Instant, asked: Option<Duration>) {
        let mut state = self.state();
        if let Some(asked) = asked {
            let until = now + asked.min(LONGEST_ASKED);
            state.next = Some(state.next.map_or(until, |next| next.max(until)));
        }
        let together = state.asked.is_some_and(|at| now < at + TOGETHER);
        if !together {
            let half = (self.interval + state.added) / 2;
            state.added = (state.added + half.max(LEAST_ADDED)).min(MOST_ADDED);
            state.asked = Some(now);
        }
    }

    fn went_well(&self) {
        let mut state = self.state();
        let less = state.added.mul_f64(0.98);
        state.added = if less < LEAST_ADDED / 10 {
            Duration::ZERO
        } else {
            less
        };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Requests that were under way together are refused together.
const TOGETHER: Duration = Duration::from_secs(1);
const LEAST_ADDED: Duration = Duration::from_millis(10);
const MOST_ADDED: Duration = Duration::from_secs(2);
/// A service that asks for more is tried again before.
const LONGEST_ASKED: Duration = Duration::from_mins(1);

const MINUTE: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use seed_core::backend::Kind;
    use seed_core::document::Document;

    use super::*;
    use crate::{Marks, Memory, Operation, Provider as _, WantedShape};

    fn pace(reads: u32, writes: u32) -> Pace {
        Pace {
            reads: NonZeroU32::new(reads),
            writes: NonZeroU32::new(writes),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn writes_are_spread_and_reads_have_a_quota_of_their_own() {
        let memory = Arc::new(Memory::of(Kind::Local));
        let pacer = Arc::new(Pacer::new(pace(0, 60), 1));
        let paced = Paced::new(Arc::clone(&memory), pacer);
        let begin = Instant::now();
        let document = Document::Single("v".to_owned().into());
        let marks = Marks::of("test");
        for n in 0..11 {
            let name = Kind::Local.existing_name(&format!("n{n}")).unwrap();
            paced.create(&name, &document, &marks).await.unwrap();
            paced.read(&name, WantedShape::Single).await.unwrap();
        }
        assert_eq!(begin.elapsed(), Duration::from_secs(10));
        assert_eq!(memory.calls(Operation::Read), 11);
    }

    #[tokio::test(start_paused = true)]
    async fn no_minute_sees_more_than_the_quota_whatever_the_burst() {
        for burst in [1, 7, 50, 1_000] {
            let pacer = Pacer::new(pace(100, 0), burst);
            let mut turns = Vec::new();
            for n in 0..400 {
                if n == 150 {
                    tokio::time::sleep(Duration::from_mins(2)).await;
                }
                pacer.read().await;
                turns.push(Instant::now());
            }
            for (n, turn) in turns.iter().enumerate() {
                let minute = turns[n..].iter().take_while(|t| **t < *turn + MINUTE);
                assert!(minute.count() <= 100, "burst {burst}, from turn {n}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pacing_costs_no_more_than_a_twentieth_over_the_quota() {
        let pacer = Pacer::new(pace(0, 600), 10);
        let begin = Instant::now();
        for _ in 0..2_000 {
            pacer.write().await;
        }
        assert!(begin.elapsed() < Duration::from_secs(200 * 105 / 100));
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_asks_for_patience_gets_it_and_later_the_quota_is_used_again() {
        let pacer = Pacer::new(pace(0, 6_000), 1);
        let begin = Instant::now();
        for _ in 0..8 {
            pacer.slow_down(Counts::AsWrite, Some(Duration::from_secs(3)));
        }
        pacer.write().await;
        assert_eq!(begin.elapsed(), Duration::from_secs(3));
        // 10 ms are the quota's, 10 ms were added once, however many asked.
        pacer.write().await;
        assert_eq!(begin.elapsed(), Duration::from_millis(3_020));
        for _ in 0..200 {
            pacer.went_well(Counts::AsWrite);
        }
        pacer.write().await;
        pacer.write().await;
        assert_eq!(begin.elapsed(), Duration::from_millis(3_050));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_quota_nothing_waits_until_the_service_asks() {
        let pacer = Pacer::new(pace(0, 0), 1);
        let begin = Instant::now();
        for _ in 0..100 {
            pacer.read().await;
        }
        assert_eq!(begin.elapsed(), Duration::ZERO);
        pacer.slow_down(Counts::AsRead, None);
        pacer.read().await;
        pacer.read().await;
        assert_eq!(begin.elapsed(), Duration::from_millis(10));
    }
}
