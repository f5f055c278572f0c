//! When a service is given up for the rest of a run: a thousand requests must not each wait for what does not come.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::{Counts, ErrorKind};

/// What the requests of one adapter have learnt of their service's willingness to answer.
#[derive(Debug)]
pub(super) struct Patience {
    /// How long nothing at all may be answered.
    longest: Duration,
    state: Mutex<State>,
    changed: Notify,
}

/// Why a request is not sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Refusal {
    pub(super) kind: ErrorKind,
    pub(super) message: String,
}

#[derive(Debug, Default)]
struct State {
    /// How long requests have waited in vain since the last answer. What they waited at the same time counts once.
    silent: Duration,
    /// Until when that is counted.
    counted: Option<Instant>,
    /// How many requests, one after the other, were given up since the last answer.
    given_up: u32,
    /// When the last of them was.
    given_up_at: Option<Instant>,
    reads: Lane,
    writes: Lane,
}

/// What is told of requests that count against one quota.
#[derive(Debug, Default)]
struct Lane {
    /// When one was last taken.
    taken: Option<Instant>,
    /// Since when the service takes none, and until when, where it said so.
    closed: Option<Closed>,
}

#[derive(Clone, Copy, Debug)]
enum Closed {
    Asked { wait: Duration, until: Instant },
    WornOut,
}

impl Patience {
    pub(super) fn new(longest: Duration) -> Self {
        Self {
            longest,
            state: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Waits until nothing more is to be sent, and tells why.
    pub(super) async fn ends(&self, counts: Counts) -> Refusal {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Some(refusal) = self.refusal(counts) {
                return refusal;
            }
            changed.await;
        }
    }

    fn refusal(&self, counts: Counts) -> Option<Refusal> {
        let mut state = self.state();
        if state.silent >= self.longest || state.given_up >= GIVEN_UP {
            let message = "not sent, since the service did not serve the requests before it";
            return Some(Refusal {
                kind: ErrorKind::Unavailable,
                message: message.to_owned(),
            });
        }
        let message = match state.lane(counts).closed? {
            Closed::Asked { until, .. } if until <= Instant::now() => return None,
            Closed::Asked { wait, .. } => {
                let seconds = wait.as_secs();
                format!("not sent, since the service asks to wait {seconds} s")
            }
            Closed::WornOut => {
                "not sent, since the service asks for patience again and again".to_owned()
            }
        };
        Some(Refusal {
            kind: ErrorKind::RateLimited { retry_after: None },
            message,
        })
    }

    /// The service answered, whatever it was.
    pub(super) fn answered(&self) {
        let mut state = self.state();
        state.silent = Duration::ZERO;
        state.given_up = 0;
    }

    /// The service took a request.
    pub(super) fn taken(&self, counts: Counts) {
        self.answered();
        let mut state = self.state();
        let lane = state.lane(counts);
        lane.taken = Some(Instant::now());
        if matches!(lane.closed, Some(Closed::WornOut)) {
            lane.closed = None;
        }
    }

    /// A request that was sent at this time was not served.
    pub(super) fn lost(&self, begin: Instant) {
        let now = Instant::now();
        let mut state = self.state();
        let begin = state.counted.map_or(begin, |counted| counted.max(begin));
        state.silent += now.saturating_duration_since(begin);
        state.counted = Some(now);
        drop(state);
        self.changed.notify_waiters();
    }

    /// A request that began at this time was sent for the last time, and not served.
    pub(super) fn given_up(&self, begin: Instant) {
        let mut state = self.state();
        // Those that were under way at the same time tell nothing more than one.
        if state.given_up_at.is_none_or(|at| at <= begin) {
            state.given_up += 1;
            state.given_up_at = Some(Instant::now());
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// The service asked for more time than anybody waits.
    pub(super) fn asked(&self, counts: Counts, wait: Duration) {
        // No run lasts longer, and not every duration can be added to a time.
        let until = Instant::now() + wait.min(DAY);
        self.close(counts, Closed::Asked { wait, until });
    }

    /// A request that began at this time was refused for as long as anybody waits.
    pub(super) fn worn_out(&self, counts: Counts, begin: Instant) {
        let taken = self.state().lane(counts).taken;
        if taken.is_none_or(|taken| taken < begin) {
            self.close(counts, Closed::WornOut);
        }
    }

    fn close(&self, counts: Counts, closed: Closed) {
        self.state().lane(counts).closed = Some(closed);
        self.changed.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const DAY: Duration = Duration::from_hours(24);

impl State {
    fn lane(&mut self, counts: Counts) -> &mut Lane {
        match counts {
            Counts::AsRead => &mut self.reads,
            Counts::AsWrite => &mut self.writes,
        }
    }
}

/// How many requests, one after the other, may be given up: one name may be broken, or two, where the next one is not.
const GIVEN_UP: u32 = 3;
