//! The service's own time, which tests can move, and its quotas, which go by it.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The service's time.
#[derive(Debug, Default)]
pub(super) struct Clock {
    ahead: Duration,
}

impl Clock {
    pub(super) fn advance(&mut self, by: Duration) {
        self.ahead += by;
    }

    pub(super) fn now(&self) -> SystemTime {
        SystemTime::now() + self.ahead
    }
}

/// A moment as the API writes it.
pub(super) fn timestamp(moment: SystemTime) -> String {
    let seconds = moment
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (mut year, mut day) = (1970, days);
    while day >= length(year) {
        day -= length(year);
        year += 1;
    }
    let mut month = 1;
    while day >= days_of(year, month) {
        day -= days_of(year, month);
        month += 1;
    }
    format!(
        "{year:04}-{month:02}-{:02}T{:02}:{:02}:{:02}Z",
        day + 1,
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

fn leaps(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn length(year: u64) -> u64 {
    if leaps(year) { 366 } else { 365 }
}

fn days_of(year: u64, month: u64) -> u64 {
    match month {
        2 if leaps(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// So many requests in any minute, of a time that may run faster than ours.
#[derive(Debug)]
pub(super) struct Minute {
    most: usize,
    window: Duration,
    taken: VecDeque<Instant>,
}

impl Minute {
    pub(super) fn new(most: usize, speed: u32) -> Self {
        Self {
            most,
            window: Duration::from_mins(1) / speed.max(1),
            taken: VecDeque::new(),
        }
    }

    pub(super) fn take(&mut self) -> bool {
        let now = Instant::now();
        let window = self.window;
        while self
            .taken
            .front()
            .is_some_and(|at| now.duration_since(*at) >= window)
        {
            self.taken.pop_front();
        }
        if self.taken.len() >= self.most {
            return false;
        }
        self.taken.push_back(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_the_api_writes_them() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_478_399, "2026-11-23T23:59:59Z"),
        ] {
            assert_eq!(timestamp(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_minute_takes_so_many_and_no_more() {
        let mut minute = Minute::new(3, 1);
        let taken: Vec<bool> = (0..5).map(|_| minute.take()).collect();
        assert_eq!(taken, [true, true, true, false, false]);
    }
}
