//! The verbs.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use seed_core::backend::Description;
use seed_core::document::{Document, Fields};
use seed_core::inventory::{Inventory, Version, Wanted};
use seed_core::name::SecretName;

use crate::{Marks, Result};

/// All that planning and applying are ever given of a backend. Nothing here can overwrite.
///
/// # For implementors
///
/// * One call is tried once. Retries, deadlines and limits are wrappers.
/// * [`ErrorKind`](crate::ErrorKind) tells the caller what can be done. A write whose answer was lost is
///   `Indeterminate`; `Unavailable` promises that a write had no effect.
/// * No value, request body or response body may get into an error, a trace or a `Debug` text.
/// * A dropped future must leave nothing half-written that a second run cannot finish.
/// * There are no default methods on purpose, so that a wrapper cannot forget one.
#[async_trait]
pub trait Provider: fmt::Debug + Send + Sync + 'static {
    /// Says what this backend is and what it can promise. Does no I/O.
    fn describe(&self) -> Description;

    /// Makes the calls that a run needs once, before all others: logs in, learns as whom, and proves that the place is
    /// the one that was described.
    ///
    /// Fails with `Misplaced` when it is not, and then no other call may be made. The other verbs do the same on their
    /// own when nobody has; what was proved is not asked again.
    async fn identify(&self) -> Result<Identity>;

    /// What a person should know about how the calls so far were made: a permission that was missing and done without,
    /// a protection that is off. Each is a sentence without a value.
    fn notes(&self) -> Vec<String>;

    /// Looks up each of `wanted`, and answers for every name asked. No value gets past the adapter.
    ///
    /// A name is absent only when the backend said so in its own words. What fails for one name is that name's
    /// `Presence::Unknown` or `Presence::Hidden`; an `Err` means that nothing could be learnt at all.
    async fn inventory(&self, wanted: &[Wanted]) -> Result<Inventory>;

    /// Reads what is stored under `name`, as one value or as several.
    ///
    /// Fails with `NotFound` when nothing is there, and with `WrongShape` when it is not of that shape.
    async fn read(&self, name: &SecretName, shape: WantedShape) -> Result<Stored>;

    /// Stores `document` if nothing is there, and fails with `AlreadyExists` if something is.
    ///
    /// A container that has no first version yet is filled.
    async fn create(
        &self,
        name: &SecretName,
        document: &Document,
        marks: &Marks,
    ) -> Result<Version>;

    /// Adds fields to what is stored and keeps all else of it, byte for byte where the backend lets us.
    ///
    /// Fails with `NotFound` when nothing is there, with `Conflict` when its version is not `expected` any more, with
    /// `AlreadyExists` when one of the fields is there, and with `WrongShape` when it has no fields at all. Then
    /// nothing has changed.
    async fn add_fields(
        &self,
        name: &SecretName,
        new: &Fields,
        expected: &Version,
    ) -> Result<Version>;
}

/// Replacing a value that exists. Given only to the commands that are asked to.
#[async_trait]
pub trait Replace: Provider {
    /// Stores `document` in place of what is there, if its version is still `expected`.
    ///
    /// Fails with `NotFound` when nothing is there and with `Conflict` when it has changed. Marks are kept.
    async fn replace(
        &self,
        name: &SecretName,
        document: &Document,
        expected: &Version,
    ) -> Result<Version>;
}

/// Bringing back what was deleted and can still be recovered.
#[async_trait]
pub trait Restore: Provider {
    /// Brings `name` back with the value that it had, and returns when it can be read.
    ///
    /// Leaves what is not deleted as it is. Fails with `NotFound` when nothing recoverable is there.
    async fn restore(&self, name: &SecretName) -> Result<()>;
}

/// Reading what was stored before.
#[async_trait]
pub trait Versions: Provider {
    /// Reads one version of `name`, current or superseded, and fails with `NotFound` when it is not kept.
    async fn read_version(
        &self,
        name: &SecretName,
        version: &Version,
        shape: WantedShape,
    ) -> Result<Stored>;
}

/// Whose calls they are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Identity {
    /// The name that the backend knows us by, where it tells.
    pub who: Option<String>,
}

/// What was read, and the version to expect when it is changed.
#[derive(Debug)]
pub struct Stored {
    /// The content.
    pub document: Document,
    /// The version that was read.
    pub version: Version,
}

/// Whether an entry is declared as one value or as several.
///
/// A backend that keeps one string cannot tell by itself: a single value may look like a JSON object.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum WantedShape {
    /// Several values.
    Fields,
    /// One value.
    Single,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<P: Provider + ?Sized> Provider for Arc<P> {
    fn describe(&self) -> Description {
        (**self).describe()
    }

    async fn identify(&self) -> Result<Identity> {
        (**self).identify().await
    }

    fn notes(&self) -> Vec<String> {
        (**self).notes()
    }

    async fn inventory(&self, wanted: &[Wanted]) -> Result<Inventory> {
        (**self).inventory(wanted).await
    }

    async fn read(&self, name: &SecretName, shape: WantedShape) -> Result<Stored> {
        (**self).read(name, shape).await
    }

    async fn create(
        &self,
        name: &SecretName,
        document: &Document,
        marks: &Marks,
    ) -> Result<Version> {
        (**self).create(name, document, marks).await
    }

    async fn add_fields(
        &self,
        name: &SecretName,
        new: &Fields,
        expected: &Version,
    ) -> Result<Version> {
        (**self).add_fields(name, new, expected).await
    }
}

#[async_trait]
impl<P: Replace + ?Sized> Replace for Arc<P> {
    async fn replace(
        &self,
        name: &SecretName,
        document: &Document,
        expected: &Version,
    ) -> Result<Version> {
        (**self).replace(name, document, expected).await
    }
}

#[async_trait]
impl<P: Restore + ?Sized> Restore for Arc<P> {
    async fn restore(&self, name: &SecretName) -> Result<()> {
        (**self).restore(name).await
    }
}

#[async_trait]
impl<P: Versions + ?Sized> Versions for Arc<P> {
    async fn read_version(
        &self,
        name: &SecretName,
        version: &Version,
        shape: WantedShape,
    ) -> Result<Stored> {
        (**self).read_version(name, version, shape).await
    }
}
