//! Work that many ask for and one does for all of them.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Jobs that wait, and whether somebody is working on them.
#[derive(Debug)]
pub(crate) struct Queue<J>(Mutex<Pending<J>>);

#[derive(Debug)]
struct Pending<J> {
    jobs: Vec<J>,
    busy: bool,
}

impl<J> Queue<J> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Pending {
            jobs: Vec::new(),
            busy: false,
        }))
    }

    /// Adds a job. When nobody is working, the caller gets the worker, and must let it work.
    pub(crate) fn push(self: &Arc<Self>, job: J) -> Option<Worker<J>> {
        let mut pending = self.pending();
        pending.jobs.push(job);
        if mem::replace(&mut pending.busy, true) {
            return None;
        }
        Some(Worker {
            queue: Arc::clone(self),
            ended: false,
        })
    }

    fn pending(&self) -> MutexGuard<'_, Pending<J>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one who works. Gives out all jobs that have gathered, again and again, until there is none.
#[derive(Debug)]
pub(crate) struct Worker<J> {
    queue: Arc<Queue<J>>,
    /// Somebody else may be working already.
    ended: bool,
}

impl<J> Iterator for Worker<J> {
    type Item = Vec<J>;

    fn next(&mut self) -> Option<Vec<J>> {
        if self.ended {
            return None;
        }
        let mut pending = self.queue.pending();
        if pending.jobs.is_empty() {
            pending.busy = false;
            self.ended = true;
            return None;
        }
        Some(mem::take(&mut pending.jobs))
    }
}

impl<J> Drop for Worker<J> {
    /// A worker that stopped early (its runtime ended before it began) drops what waits, so that nobody waits for
    /// ever, and makes room for another.
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let abandoned = {
            let mut pending = self.queue.pending();
            pending.busy = false;
            mem::take(&mut pending.jobs)
        };
        drop(abandoned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_that_come_while_one_works_are_done_together() {
        let queue = Arc::new(Queue::new());
        let mut worker = queue.push(1).unwrap();
        assert_eq!(worker.next(), Some(vec![1]));
        assert!(queue.push(2).is_none());
        assert!(queue.push(3).is_none());
        assert_eq!(worker.next(), Some(vec![2, 3]));
        assert_eq!(worker.next(), None);
        let mut next = queue.push(4).unwrap();
        drop(worker);
        assert_eq!(next.next(), Some(vec![4]));
    }

    #[test]
    fn a_worker_that_stops_early_leaves_nobody_waiting() {
        let queue = Arc::new(Queue::new());
        let job = Arc::new(());
        let worker = queue.push(Arc::clone(&job)).unwrap();
        drop(worker);
        assert_eq!(Arc::strong_count(&job), 1);
        assert!(queue.push(job).is_some());
    }
}
