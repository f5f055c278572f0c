//! The backend, and what tests can ask of it.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use seed_core::backend::{Capabilities, Confirm, Description, Guarantee, Kind, Pace};
use seed_core::document::{self, Document, Fields};
use seed_core::inventory::{Inventory, Presence, Version, Wanted};
use seed_core::name::SecretName;

use super::kept::{self, Kept};
use super::state::{Failure, Moment, State};
use crate::{
    Error, ErrorKind, Identity, Marks, Operation, Provider, Replace, Restore, Result, Stored,
    Versions, WantedShape,
};

/// A backend that forgets everything when it is dropped.
///
/// It keeps every version, so that compare-and-swap is real, and takes the names, sizes and bytes that its kind takes.
/// Kinds that keep one string keep one here too, so that a number keeps its text and a shape must be declared to be
/// read. Tests can make calls fail, slow or see a state that the verbs cannot produce.
pub struct Memory {
    description: Description,
    latency: Duration,
    state: Mutex<State>,
}

impl Memory {
    /// Makes an empty backend that is what `description` says.
    pub fn new(description: Description) -> Self {
        let state = State::of(description.kind);
        Self {
            description,
            latency: Duration::ZERO,
            state: Mutex::new(state),
        }
    }

    /// Makes an empty backend of a kind: atomic, without quotas, eight calls at once.
    pub fn of(kind: Kind) -> Self {
        Self::new(Description {
            kind,
            place: "memory".to_owned(),
            identity: None,
            confirm: Confirm::Never,
            capabilities: Capabilities {
                create: Guarantee::Atomic,
                add_fields: Guarantee::Atomic,
                concurrency: NonZeroUsize::MIN.saturating_add(7),
                pace: Pace {
                    reads: None,
                    writes: None,
                },
            },
        })
    }

    /// Makes every call last that long, on tokio's clock.
    #[must_use]
    pub fn with_latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Lets the next `operation` (on `name`, if one is given) fail before it has any effect.
    pub fn fail_next(&self, operation: Operation, name: Option<&SecretName>, error: Error) {
        self.plan_failure(operation, name, error, Moment::Before);
    }

    /// Lets the next `operation` (on `name`, if one is given) take effect, but fail afterwards: its answer is lost.
    pub fn lose_answer_of_next(
        &self,
        operation: Operation,
        name: Option<&SecretName>,
        error: Error,
    ) {
        self.plan_failure(operation, name, error, Moment::After);
    }

    /// Makes the inventory answer `presence` for `name`, whatever is stored.
    ///
    /// The other verbs see it too: what is hidden is denied, what is unknown is unavailable, what is disabled cannot be
    /// read, and a deleted name is held until it is restored. A successful create ends [`Presence::Empty`] and
    /// [`Presence::Absent`] (the inventory of a backend may lag).
    pub fn set_presence(&self, name: &SecretName, presence: Presence) {
        let mut state = self.state();
        let key = state.key(name);
        state.presences.insert(key, presence);
    }

    /// Stores `document` as the current version without asking, as a person would elsewhere. Not counted as a call.
    pub fn put(&self, name: &SecretName, document: &Document) -> Result<Version> {
        let kept = self.keep(Operation::Create, name, document)?;
        Ok(self.state().push(name, kept, &Marks::of("")))
    }

    /// How many calls of `operation` have begun.
    pub fn calls(&self, operation: Operation) -> usize {
        self.state().calls.get(&operation).copied().unwrap_or(0)
    }

    /// The largest number of calls that were under way at one time.
    pub fn peak(&self) -> usize {
        self.state().peak
    }

    /// The names under which something is stored, in order.
    pub fn names(&self) -> Vec<SecretName> {
        let mut names: Vec<SecretName> = self
            .state()
            .entries
            .values()
            .map(|entry| entry.name.clone())
            .collect();
        names.sort();
        names
    }

    /// The labels of what is stored under `name`.
    pub fn labels(&self, name: &SecretName) -> Option<BTreeMap<String, String>> {
        let state = self.state();
        state.entry(name).map(|entry| entry.labels.clone())
    }

    fn plan_failure(
        &self,
        operation: Operation,
        name: Option<&SecretName>,
        error: Error,
        moment: Moment,
    ) {
        self.state().failures.push(Failure {
            operation,
            name: name.cloned(),
            error,
            moment,
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call, lets it last, and fails it if a test wants so.
    async fn begin(&self, operation: Operation, name: Option<&SecretName>) -> Result<Call<'_>> {
        let call = Call::begin(self, operation);
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        self.fail_if_planned(operation, name, Moment::Before)?;
        Ok(call)
    }

    fn fail_if_planned(
        &self,
        operation: Operation,
        name: Option<&SecretName>,
        moment: Moment,
    ) -> Result<()> {
        let mut state = self.state();
        let planned = state.failures.iter().position(|failure| {
            failure.operation == operation
                && failure.moment == moment
                && (failure.name.is_none() || failure.name.as_ref() == name)
        });
        match planned {
            Some(index) => Err(state.failures.remove(index).error),
            None => Ok(()),
        }
    }

    /// Turns a document into what the kind keeps, or says why the kind does not take it.
    fn keep(&self, operation: Operation, name: &SecretName, document: &Document) -> Result<Kept> {
        let kind = self.description.kind;
        let invalid = |message| Error::new(ErrorKind::Invalid, operation, message).about(name);
        if let Some(message) = kept::refuse_bytes(kind, document) {
            return Err(invalid(message));
        }
        let kept = if kept::keeps_text(kind) {
            let text = document::encode(document)
                .map_err(|err| kept::of_shape(err, operation, name).caused_by(err))?;
            Kept::Text(text)
        } else {
            Kept::Native(document.duplicate())
        };
        if kept.len() > kind.rule().max_bytes {
            return Err(invalid("the value is larger than the backend takes"));
        }
        Ok(kept)
    }

    /// Checks that a write may happen to what is there, and gives the stored entry.
    fn writable<'a>(
        state: &'a State,
        operation: Operation,
        name: &SecretName,
        expected: &Version,
    ) -> Result<&'a Kept> {
        state.refuse_presence(operation, name)?;
        let (version, kept) = state.current(operation, name)?;
        if version != expected {
            let message = "it was changed meanwhile";
            return Err(Error::new(ErrorKind::Conflict, operation, message).about(name));
        }
        Ok(kept)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("description", &self.description)
            .finish_non_exhaustive()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for Memory {
    fn describe(&self) -> Description {
        self.description.clone()
    }

    async fn identify(&self) -> Result<Identity> {
        let _call = self.begin(Operation::Identify, None).await?;
        Ok(Identity::default())
    }

    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    async fn inventory(&self, wanted: &[Wanted]) -> Result<Inventory> {
        let _call = self.begin(Operation::Inventory, None).await?;
        let state = self.state();
        let answer = |wanted: &Wanted| (wanted.name.clone(), state.presence(wanted));
        Ok(wanted.iter().map(answer).collect())
    }

    async fn read(&self, name: &SecretName, shape: WantedShape) -> Result<Stored> {
        let _call = self.begin(Operation::Read, Some(name)).await?;
        let state = self.state();
        state.refuse_presence(Operation::Read, name)?;
        let (version, kept) = state.current(Operation::Read, name)?;
        kept.read(Operation::Read, name, version, shape)
    }

    async fn create(
        &self,
        name: &SecretName,
        document: &Document,
        marks: &Marks,
    ) -> Result<Version> {
        let _call = self.begin(Operation::Create, Some(name)).await?;
        let kept = self.keep(Operation::Create, name, document)?;
        let version = {
            let mut state = self.state();
            state.refuse_presence(Operation::Create, name)?;
            if state.entry(name).is_some() {
                let message = "something of that name exists";
                return Err(
                    Error::new(ErrorKind::AlreadyExists, Operation::Create, message).about(name),
                );
            }
            let key = state.key(name);
            state.presences.remove(&key);
            state.push(name, kept, marks)
        };
        self.fail_if_planned(Operation::Create, Some(name), Moment::After)?;
        Ok(version)
    }

    async fn add_fields(
        &self,
        name: &SecretName,
        new: &Fields,
        expected: &Version,
    ) -> Result<Version> {
        let operation = Operation::AddFields;
        let _call = self.begin(operation, Some(name)).await?;
        let version = {
            let mut state = self.state();
            let grown = Self::writable(&state, operation, name, expected)?
                .with_fields(new)
                .map_err(|err| kept::of_shape(err, operation, name).caused_by(err))?;
            let kept = match grown {
                // The text is kept as it is, so it is only measured, not encoded again.
                Kept::Text(text) if text.len() <= self.description.kind.rule().max_bytes => {
                    Kept::Text(text)
                }
                Kept::Text(_) => {
                    let message = "the value is larger than the backend takes";
                    return Err(Error::new(ErrorKind::Invalid, operation, message).about(name));
                }
                Kept::Native(document) => self.keep(operation, name, &document)?,
            };
            state.grow(operation, name, kept)?
        };
        self.fail_if_planned(operation, Some(name), Moment::After)?;
        Ok(version)
    }
}

#[async_trait]
impl Replace for Memory {
    async fn replace(
        &self,
        name: &SecretName,
        document: &Document,
        expected: &Version,
    ) -> Result<Version> {
        let operation = Operation::Replace;
        let _call = self.begin(operation, Some(name)).await?;
        let kept = self.keep(operation, name, document)?;
        let version = {
            let mut state = self.state();
            Self::writable(&state, operation, name, expected)?;
            state.grow(operation, name, kept)?
        };
        self.fail_if_planned(operation, Some(name), Moment::After)?;
        Ok(version)
    }
}

#[async_trait]
impl Restore for Memory {
    async fn restore(&self, name: &SecretName) -> Result<()> {
        let operation = Operation::Restore;
        let _call = self.begin(operation, Some(name)).await?;
        {
            let mut state = self.state();
            state.current(operation, name)?;
            let key = state.key(name);
            if matches!(state.presences.get(&key), Some(Presence::Deleted { .. })) {
                state.presences.remove(&key);
            }
        }
        self.fail_if_planned(operation, Some(name), Moment::After)
    }
}

#[async_trait]
impl Versions for Memory {
    async fn read_version(
        &self,
        name: &SecretName,
        version: &Version,
        shape: WantedShape,
    ) -> Result<Stored> {
        let operation = Operation::ReadVersion;
        let _call = self.begin(operation, Some(name)).await?;
        let state = self.state();
        state.refuse_presence(operation, name)?;
        let kept = state.entry(name).and_then(|entry| {
            let mut versions = entry.versions.iter();
            versions.find_map(|(known, kept)| (known == version).then_some(kept))
        });
        let message = "no such version is kept";
        kept.ok_or_else(|| Error::new(ErrorKind::NotFound, operation, message).about(name))?
            .read(operation, name, version, shape)
    }
}

/// A call under way.
struct Call<'a>(&'a Memory);

impl<'a> Call<'a> {
    fn begin(memory: &'a Memory, operation: Operation) -> Self {
        let mut state = memory.state();
        *state.calls.entry(operation).or_default() += 1;
        state.live += 1;
        state.peak = state.peak.max(state.live);
        Self(memory)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.state().live -= 1;
    }
}

#[cfg(test)]
mod tests {
    use seed_core::inventory::Depth;

    use super::*;

    fn name() -> SecretName {
        Kind::Local.existing_name("api-key").unwrap()
    }

    fn single(text: &str) -> Document {
        Document::Single(text.to_owned().into())
    }

    fn wanted() -> Wanted {
        Wanted {
            name: name(),
            fields: Vec::new(),
            depth: Depth::Metadata,
        }
    }

    async fn presence(memory: &Memory) -> Presence {
        let inventory = memory.inventory(&[wanted()]).await.unwrap();
        inventory.get(&name()).unwrap().clone()
    }

    #[tokio::test]
    async fn a_lost_answer_has_taken_effect_and_a_failure_has_not() {
        let memory = Memory::of(Kind::Local);
        let error = |kind| Error::new(kind, Operation::Create, "as the test wants");
        memory.fail_next(Operation::Create, None, error(ErrorKind::Unavailable));
        memory.lose_answer_of_next(
            Operation::Create,
            Some(&name()),
            error(ErrorKind::Indeterminate),
        );
        let marks = Marks::of("test");
        let failed = memory.create(&name(), &single("a"), &marks).await;
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(presence(&memory).await, Presence::Absent);
        let lost = memory.create(&name(), &single("b"), &marks).await;
        assert_eq!(lost.unwrap_err().kind(), ErrorKind::Indeterminate);
        let stored = memory.read(&name(), WantedShape::Single).await.unwrap();
        assert!(matches!(stored.document, Document::Single(value) if value.expose() == b"b"));
        assert_eq!(memory.calls(Operation::Create), 2);
    }

    #[tokio::test]
    async fn states_that_no_verb_can_produce_are_seen_by_all_verbs() {
        let reason = || "as the test wants".to_owned();
        let version = Version::new("1");
        let states = [
            (Presence::Hidden { reason: reason() }, ErrorKind::Denied),
            (
                Presence::Unknown { reason: reason() },
                ErrorKind::Unavailable,
            ),
            (Presence::Deleted { until: None }, ErrorKind::Conflict),
            (
                Presence::Disabled { reason: reason() },
                ErrorKind::AlreadyExists,
            ),
        ];
        for (state, refusal) in states {
            let memory = Memory::of(Kind::Gcpsm);
            memory.set_presence(&name(), state.clone());
            assert_eq!(presence(&memory).await, state);
            let refused = memory
                .create(&name(), &single("a"), &Marks::of("test"))
                .await;
            assert_eq!(refused.unwrap_err().kind(), refusal);
            assert!(memory.names().is_empty());
        }
        let memory = Memory::of(Kind::Gcpsm);
        memory.set_presence(&name(), Presence::Empty { version });
        memory
            .create(&name(), &single("a"), &Marks::of("test"))
            .await
            .unwrap();
        assert!(matches!(presence(&memory).await, Presence::Present { .. }));
    }

    #[tokio::test]
    async fn a_deleted_name_comes_back_with_its_value() {
        let memory = Memory::of(Kind::AwsSm);
        memory.put(&name(), &single("a")).unwrap();
        memory.set_presence(&name(), Presence::Deleted { until: None });
        assert!(memory.read(&name(), WantedShape::Single).await.is_err());
        memory.restore(&name()).await.unwrap();
        memory.read(&name(), WantedShape::Single).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn calls_last_as_long_as_told_and_their_peak_is_counted() {
        let memory = Memory::of(Kind::Vault).with_latency(Duration::from_millis(80));
        let begin = tokio::time::Instant::now();
        let (one, two) = (wanted(), wanted());
        let (one, two) = (std::slice::from_ref(&one), std::slice::from_ref(&two));
        let (one, two) = tokio::join!(memory.inventory(one), memory.inventory(two));
        one.and(two).unwrap();
        assert_eq!(begin.elapsed(), Duration::from_millis(80));
        assert_eq!(memory.peak(), 2);
    }
}
