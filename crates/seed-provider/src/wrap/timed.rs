//! A deadline for every call.

use std::time::Duration;

use futures::future::BoxFuture;

use super::wrapper::{About, Wrapper};
use crate::{ErrorKind, Operation, Result};

/// Gives up on a call that has not been answered in time.
///
/// A write that was given up on may have taken effect: it fails as `Indeterminate`, all else as `Unavailable`.
#[derive(Debug)]
pub struct Timed<P> {
    inner: P,
    deadlines: Deadlines,
}

/// How long calls may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deadlines {
    /// For a call about one entry.
    pub call: Duration,
    /// For a whole inventory, which may be many requests.
    pub inventory: Duration,
}

impl Deadlines {
    /// One deadline for a call, and ten times that for a whole inventory.
    pub fn of(call: Duration) -> Self {
        Self {
            call,
            inventory: call.saturating_mul(10),
        }
    }
}

impl<P> Timed<P> {
    /// Puts deadlines on the calls of `inner`.
    pub fn new(inner: P, deadlines: Deadlines) -> Self {
        Self { inner, deadlines }
    }
}

impl<P: std::fmt::Debug + Send + Sync + 'static> Wrapper for Timed<P> {
    type Inner = P;

    fn inner(&self) -> &P {
        &self.inner
    }

    async fn call<'a, T: Send + 'a>(
        &'a self,
        about: About<'a>,
        attempt: impl Fn() -> BoxFuture<'a, Result<T>> + Send + Sync + 'a,
    ) -> Result<T> {
        let deadline = match about.operation {
            Operation::Inventory => self.deadlines.inventory,
            Operation::AddFields
            | Operation::Create
            | Operation::Identify
            | Operation::Read
            | Operation::ReadVersion
            | Operation::Replace
            | Operation::Restore
            | Operation::Settle => self.deadlines.call,
        };
        tokio::time::timeout(deadline, attempt())
            .await
            .unwrap_or_else(|_| {
                let kind = if about.operation.writes() {
                    ErrorKind::Indeterminate
                } else {
                    ErrorKind::Unavailable
                };
                let seconds = deadline.as_secs_f64();
                Err(about.error(kind, format!("there was no answer within {seconds} s")))
            })
    }
}

#[cfg(test)]
mod tests {
    use seed_core::backend::Kind;
    use seed_core::document::Document;

    use super::*;
    use crate::{Marks, Memory, Provider as _, WantedShape};

    #[tokio::test(start_paused = true)]
    async fn a_late_write_is_in_doubt_and_a_late_read_is_not() {
        let memory = Memory::of(Kind::Local).with_latency(Duration::from_secs(30));
        let timed = Timed::new(memory, Deadlines::of(Duration::from_secs(2)));
        let name = Kind::Local.existing_name("a").unwrap();
        let begin = tokio::time::Instant::now();
        let late = timed.read(&name, WantedShape::Single).await.unwrap_err();
        assert_eq!(begin.elapsed(), Duration::from_secs(2));
        assert_eq!(late.kind(), ErrorKind::Unavailable);
        assert_eq!(late.to_string(), "read `a`: there was no answer within 2 s");
        let document = Document::Single("v".to_owned().into());
        let late = timed.create(&name, &document, &Marks::of("test")).await;
        assert_eq!(late.unwrap_err().kind(), ErrorKind::Indeterminate);
    }

    #[tokio::test(start_paused = true)]
    async fn an_inventory_has_a_deadline_of_its_own() {
        let memory = Memory::of(Kind::Local).with_latency(Duration::from_secs(15));
        let timed = Timed::new(memory, Deadlines::of(Duration::from_secs(2)));
        timed.inventory(&[]).await.unwrap();
    }
}
