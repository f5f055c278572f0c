//! A service's quota: a bucket that fills with time.

use std::time::{Duration, Instant};

/// The time that a quota goes by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Clock {
    /// The machine's.
    Real,
    /// Simulated: each request that comes moves it on by this much, whatever the machine does.
    Each(Duration),
}

/// So many requests a second, and so many at once after a pause.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// Requests a second.
    pub per_second: f64,
    /// The most that the bucket holds.
    pub burst: f64,
    /// The time that it goes by.
    pub clock: Clock,
}

#[derive(Debug)]
pub(crate) struct Bucket {
    quota: Quota,
    level: f64,
    filled: Instant,
}

impl Bucket {
    pub(crate) fn new(quota: Quota) -> Self {
        Self {
            quota,
            level: quota.burst,
            filled: Instant::now(),
        }
    }

    /// Takes one request out of the bucket, if there is one.
    pub(crate) fn take(&mut self) -> bool {
        let passed = match self.quota.clock {
            Clock::Real => {
                let now = Instant::now();
                let passed = now.duration_since(self.filled);
                self.filled = now;
                passed
            }
            Clock::Each(step) => step,
        };
        let more = passed.as_secs_f64() * self.quota.per_second;
        self.level = (self.level + more).min(self.quota.burst);
        if self.level < 1.0 {
            return false;
        }
        self.level -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let clock = Clock::Each(Duration::from_millis(10));
        let mut bucket = Bucket::new(Quota {
            per_second: 50.0,
            burst: 10.0,
            clock,
        });
        // 10 at once and half a request more with each that comes.
        let taken = (0..100).filter(|_| bucket.take()).count();
        assert!((59..=61).contains(&taken), "{taken}");
    }
}
