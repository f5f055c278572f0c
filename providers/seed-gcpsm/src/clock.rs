//! What time the service says it is. Ages of claims go by that, so that no machine's own clock has to be right.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The service's time, as the last answer had it.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    last: Option<Dated>,
    /// A date that does not follow from the last one, and that nothing has confirmed.
    odd: Option<Dated>,
}

/// When an answer came, and its date.
#[derive(Clone, Copy, Debug)]
struct Dated(Moment, u64);

impl Clock {
    /// An answer of the service's was dated so.
    pub(crate) fn set(&self, date: &str) {
        let Ok(date) = httpdate::parse_http_date(date) else {
            return;
        };
        let date = Dated(Moment::now(), seconds(date));
        let mut seen = self.seen();
        let follows = |earlier: Dated| {
            earlier
                .now()
                .is_some_and(|now| now.abs_diff(date.1) <= JUMP)
        };
        let known = seen.last.filter(|last| last.now().is_some());
        if known.is_none_or(follows) || seen.odd.is_some_and(follows) {
            *seen = Seen {
                last: Some(date),
                odd: None,
            };
        } else {
            // One date may be anybody's, such as that of a cache in between.
            seen.odd = Some(date);
        }
    }

    /// Whether an answer had a date, and this machine has counted the time since then.
    pub(crate) fn is_set(&self) -> bool {
        self.seen().last.is_some_and(|last| last.now().is_some())
    }

    /// Seconds since 1970. Where no answer had a date, it is this machine's time.
    pub(crate) fn now(&self) -> u64 {
        let last = self.seen().last.and_then(Dated::now);
        last.unwrap_or_else(|| seconds(SystemTime::now()))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dated {
    /// What the date would be now. `None` where nobody knows how much time has passed.
    fn now(self) -> Option<u64> {
        let passed = self.0.steady()?;
        Some(self.1.saturating_add(passed.as_secs()))
    }
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// How long ago something was, by two clocks of this machine: one of them stands still while it sleeps, and somebody may
/// set the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(Instant, SystemTime);

impl Moment {
    pub(crate) fn now() -> Self {
        Self(Instant::now(), SystemTime::now())
    }

    pub(crate) fn age(self) -> Duration {
        // Time that ran backwards is no measure.
        let by_date = self.1.elapsed().unwrap_or(Duration::MAX);
        self.0.elapsed().max(by_date)
    }

    /// Whether the machine has not slept since, and nobody has set its date.
    pub(crate) fn is_steady(self) -> bool {
        self.steady().is_some()
    }

    /// The same where both clocks agree: the machine has not slept, and nobody has set its date.
    fn steady(self) -> Option<Duration> {
        let (counted, by_date) = (self.0.elapsed(), self.1.elapsed().ok()?);
        (counted.abs_diff(by_date) <= STEADY).then_some(counted)
    }
}

/// Seconds by which the dates of two answers may differ from what has passed between them.
const JUMP: u64 = 30;
/// By how much two clocks of one machine may differ.
const STEADY: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_that_of_the_last_answer() {
        let clock = Clock::default();
        assert!(clock.now() > 1_700_000_000);
        clock.set("Thu, 01 Jan 1970 00:01:40 GMT");
        assert!((100..110).contains(&clock.now()));
        clock.set("nonsense");
        assert!((100..110).contains(&clock.now()));
        clock.set("Thu, 01 Jan 1970 00:02:00 GMT");
        assert!((120..130).contains(&clock.now()));
    }

    #[test]
    fn a_date_that_does_not_follow_counts_when_another_one_confirms_it() {
        let clock = Clock::default();
        clock.set("Thu, 01 Jan 1970 00:01:40 GMT");
        clock.set("Thu, 01 Jan 1970 01:00:00 GMT");
        assert!((100..110).contains(&clock.now()));
        // The service's own again.
        clock.set("Thu, 01 Jan 1970 00:01:40 GMT");
        clock.set("Thu, 01 Jan 1970 01:00:00 GMT");
        assert!((100..110).contains(&clock.now()));
        clock.set("Thu, 01 Jan 1970 01:00:00 GMT");
        assert!((3_600..3_610).contains(&clock.now()));
    }

    #[test]
    fn after_a_sleep_the_time_is_asked_for_again() {
        let clock = Clock::default();
        clock.set("Thu, 01 Jan 1970 00:01:40 GMT");
        assert!(clock.is_set());
        if let Some(Dated(Moment(_, date), _)) = &mut clock.seen().last {
            *date -= Duration::from_mins(10);
        }
        assert!(!clock.is_set());
        clock.set("Thu, 01 Jan 1970 00:11:40 GMT");
        assert!((700..710).contains(&clock.now()));
    }
}
