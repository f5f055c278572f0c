//! The loop.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use seed_core::report::Report;
use tokio::time::{Instant, sleep_until};

use super::job::{Event, Job};
use super::schedule::Schedule;
use super::write::Ground;

/// Carries a plan out, and tells what became of every value.
///
/// A write begins when all that it comes after has succeeded, and only then are its values made; one that others are
/// made from lives until those are written. Nothing that is there is ever overwritten, and where somebody else was
/// faster, others are made from what is stored. After a failure all goes on that does not come after it.
///
/// The report is true however the run ends: what cannot be known is [`Fate::Uncertain`](seed_core::report::Fate).
pub async fn apply(job: Job<'_>) -> Report {
    let ground = Arc::new(Ground::new(&job));
    let sent: Vec<AtomicBool> = job
        .plan
        .writes
        .iter()
        .map(|_| AtomicBool::default())
        .collect();
    let mut schedule = Schedule::new(&job, &ground, &sent);
    job.observer.event(Event::Began {
        values: schedule.values(),
    });
    let mut under_way = FuturesUnordered::new();
    let mut deadline = None;
    loop {
        if deadline.is_none() && !job.cancel.is_cancelled() {
            under_way.extend(std::iter::from_fn(|| schedule.next()));
        }
        let stopped = deadline.is_some() || job.cancel.is_cancelled();
        under_way.extend(schedule.end_stage(stopped));
        if under_way.is_empty() {
            break;
        }
        tokio::select! {
            biased;
            () = job.abandon.cancelled() => {
                schedule.abandon();
                break;
            }
            () = job.cancel.cancelled(), if deadline.is_none() => {
                job.observer.event(Event::Stopping { under_way: &schedule.under_way() });
                deadline = Some(Instant::now() + job.grace);
            }
            Some(done) = under_way.next() => schedule.finish(done),
            () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                schedule.abandon();
                break;
            }
        }
    }
    drop(under_way);
    schedule.report()
}
