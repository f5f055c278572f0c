//! Settling afterwards who wrote what, on a backend that has no conditional write.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use seed_core::inventory::Version;
use seed_core::name::SecretName;

use crate::{Error, Provider, Result};

/// A backend whose guarantee is [`Converging`](seed_core::backend::Guarantee::Converging).
///
/// A write that it answered is not yet known to stand: another writer may have looked before it and written after it. So
/// whoever writes waits for [`Converge::pause`] after the last write, lets [`Converge::settle`] look again, and makes
/// nothing from a value before.
///
/// # For implementors
///
/// * [`Provider::read`] answers what another run wrote only once that is known to stand: a run that was not the writer
///   has no other way to know, and would make values from one that is about to be superseded. A value without a live
///   claim stands. One that is still open after a while is `Conflict`, with a word on when to try again.
/// * [`Converge::settle`] is not told to stop with the run: what was written is always looked at again, unless the
///   future is dropped.
#[async_trait]
pub trait Converge: Provider {
    /// How long to wait after the last write, so that whoever looked before it has written too.
    fn pause(&self) -> Duration;

    /// Finds out which of several values stands under each name, and puts the first one back where that is ours to do.
    ///
    /// Answers for each of `written`, in its order. What fails for one name is that name's [`Settled::Unclear`]; an `Err`
    /// means that nothing could be learnt at all, and every name is unclear.
    async fn settle(&self, written: &[Written]) -> Result<Vec<Settled>>;
}

/// A value that this run wrote, and whose standing is not known yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Written {
    /// The stored name.
    pub name: SecretName,
    /// The version that the write was answered with.
    pub version: Version,
}

/// Whose value stands in the end.
#[derive(Clone, Debug)]
pub enum Settled {
    /// The one of this run.
    Ours {
        /// Whether anybody else wrote one too, which has been superseded.
        contested: bool,
    },
    /// An older one of somebody else's. Ours is superseded; whatever is made from it must be made from what stands.
    Theirs,
    /// It is not known, or not as it should be: a person's value among those of runs, or a run that did not finish.
    /// Nothing more was changed.
    Unclear(Error),
}

#[async_trait]
impl<P: Converge + ?Sized> Converge for Arc<P> {
    fn pause(&self) -> Duration {
        (**self).pause()
    }

    async fn settle(&self, written: &[Written]) -> Result<Vec<Settled>> {
        (**self).settle(written).await
    }
}
