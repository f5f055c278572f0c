//! The vault's clock, as its answers tell it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The vault's clock, as its answers tell it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock(Arc<Mutex<Times>>);

#[derive(Debug, Default)]
struct Times {
    told: Option<Told>,
    /// A time far ahead of what is expected, which no second answer has confirmed.
    leap: Option<Told>,
}

/// A time in seconds since 1970, and when it was told.
#[derive(Clone, Copy, Debug)]
struct Told {
    date: i64,
    at: Instant,
}

impl Clock {
    /// A time that the vault's clock has reached, in seconds since 1970; zero before the first answer.
    pub(crate) fn now(&self) -> i64 {
        let now = Instant::now();
        self.times(|times| times.told.map_or(0, |told| told.by(now)))
    }

    /// Whether the last answer tells a time that nothing explains: this machine slept, or that answer is wrong. The next
    /// one tells which.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.times(|times| times.leap.is_some())
    }

    pub(crate) fn learn(&self, date: i64) {
        self.learn_at(date, Instant::now());
    }

    fn learn_at(&self, date: i64, at: Instant) {
        let new = Told { date, at };
        self.times(|times| {
            let ahead = |told: Told| date.saturating_sub(told.by(at));
            match times.told.map(ahead) {
                Some(forward) if forward <= 0 => times.leap = None,
                Some(forward) if forward > LEAP => {
                    let again = times.leap.map(ahead);
                    if again.is_some_and(|ahead| ahead.abs() <= LEAP) {
                        times.told = Some(new);
                        times.leap = None;
                    } else {
                        times.leap = Some(new);
                    }
                }
                Some(_) | None => {
                    times.told = Some(new);
                    times.leap = None;
                }
            }
        });
    }

    fn times<T>(&self, with: impl FnOnce(&mut Times) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Told {
    /// What that clock shows then at least.
    fn by(&self, at: Instant) -> i64 {
        let passed = at.saturating_duration_since(self.at).as_secs();
        self.date
            .saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }
}

/// How far, in seconds, the clocks of the service's machines are apart at most.
pub(crate) const LEAP: i64 = 5;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_answer_with_a_wrong_time_changes_nothing_and_two_are_believed() {
        let (clock, begin) = (Clock::default(), Instant::now());
        assert_eq!(clock.now(), 0);
        let after = |seconds: u64| begin + Duration::from_secs(seconds);
        let told = |date: i64, seconds: u64| {
            clock.learn_at(date, after(seconds));
            let now = clock.times(|times| times.told.unwrap().by(after(seconds)));
            (now, clock.is_in_doubt())
        };
        assert_eq!(told(1_000, 0), (1_000, false));
        assert_eq!(told(1_003, 2), (1_003, false));
        assert_eq!(told(1_001, 3), (1_004, false), "an older answer");
        assert_eq!(told(3_000, 4), (1_005, true));
        assert_eq!(told(1_006, 5), (1_006, false));
        assert_eq!(told(3_000, 6), (1_007, true));
        assert_eq!(told(9_000, 7), (1_008, true));
        assert_eq!(told(9_001, 8), (9_001, false));
    }
}
