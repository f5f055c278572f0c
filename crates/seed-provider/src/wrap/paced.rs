//! Staying under a service's quotas, instead of running into them.

use std::sync::{Arc, Mutex, PoisonError};
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

/// Hands out turns so that no minute sees more reads or writes than a quota.
#[derive(Debug)]
pub struct Pacer {
    reads: Option<Lane>,
    writes: Option<Lane>,
}

impl Pacer {
    /// Starts with both quotas unused.
    ///
    /// `burst` requests may go at once after a pause; the others are spread evenly, a little slower the larger the
    /// burst is, so that the minute still holds. 1 spreads all of them, as a service that counts seconds needs.
    /// At most half a quota is taken as burst.
    pub fn new(pace: Pace, burst: u32) -> Self {
        Self {
            reads: pace.reads.map(|quota| Lane::new(quota.get(), burst)),
            writes: pace.writes.map(|quota| Lane::new(quota.get(), burst)),
        }
    }

    /// Waits until a read may be sent.
    pub async fn read(&self) {
        wait(self.reads.as_ref()).await;
    }

    /// Waits until a write may be sent.
    pub async fn write(&self) {
        wait(self.writes.as_ref()).await;
    }
}

async fn wait(lane: Option<&Lane>) {
    if let Some(lane) = lane {
        tokio::time::sleep_until(lane.turn(Instant::now())).await;
    }
}

/// One quota. A turn that is given out and not used is lost, which errs on the slow side.
#[derive(Debug)]
struct Lane {
    /// Between two turns, in the long run.
    interval: Duration,
    /// How far a turn may come before its place in the even spread.
    ahead: Duration,
    /// The place of the next turn in the even spread.
    next: Mutex<Option<Instant>>,
}

impl Lane {
    fn new(quota: u32, burst: u32) -> Self {
        let burst = burst.clamp(1, (quota / 2).max(1));
        // A minute can hold the burst and one turn for each interval in it: together the quota.
        let spread = quota.saturating_sub(burst - 1).max(1);
        let interval = MINUTE / spread;
        Self {
            interval,
            ahead: interval * (burst - 1),
            next: Mutex::default(),
        }
    }

    /// Takes the next turn and tells when it is.
    fn turn(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let place = next.map_or(now, |place| place.max(now));
        *next = Some(place + self.interval);
        place.checked_sub(self.ahead).map_or(now, |at| at.max(now))
    }
}

const MINUTE: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

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
}
