//! What time the service says it is. Ages of claims go by that, so that no machine's own clock has to be right.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The service's time, as the last answer had it.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    last: Mutex<Option<(Instant, u64)>>,
}

impl Clock {
    /// An answer was dated so.
    pub(crate) fn set(&self, date: &str) {
        let Ok(date) = httpdate::parse_http_date(date) else {
            return;
        };
        *self.last() = Some((Instant::now(), seconds(date)));
    }

    /// Seconds since 1970. Where no answer had a date, it is this machine's time.
    pub(crate) fn now(&self) -> u64 {
        match *self.last() {
            Some((at, date)) => date + at.elapsed().as_secs(),
            None => seconds(SystemTime::now()),
        }
    }

    fn last(&self) -> MutexGuard<'_, Option<(Instant, u64)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
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
}

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
    }
}
