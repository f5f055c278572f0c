//! A backend in memory that has no conditional write: it takes every one, and keeps them all.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use seed_core::backend::{Capabilities, Confirm, Description, Guarantee, Kind, Pace};
use seed_core::document::{self, Document, Fields};
use seed_core::inventory::{Depth, Inventory, Presence, Version, Wanted};
use seed_core::name::SecretName;
use tokio::time::{Instant, sleep};

use super::claims::{Claim, Decision, FRESH, LIFE, PAUSE, Purpose, Row, decide, stands};
use super::kept::{self, Kept};
use crate::{
    Converge, Error, ErrorKind, Identity, Marks, Operation, Provider, Replace, Result, Settled,
    Stored, WantedShape, Written,
};

/// How often a run looks again before it says that somebody else has not finished.
const LOOKS: i64 = LIFE / 2;

/// What is stored, as Azure Key Vault keeps it: the newest version is the current one, whoever wrote it, and times are
/// whole seconds, of tokio's clock.
pub struct Shelf {
    began: Instant,
    rows: Mutex<BTreeMap<String, (SecretName, Vec<Row>)>>,
}

/// One run's way to a [`Shelf`].
///
/// It looks, then writes with a claim; another run can come in between. [`Converge::settle`] finds out later.
pub struct ShelfRun {
    shelf: Arc<Shelf>,
    run: u64,
    /// How long the next request takes; it has its effect at the end.
    latency: Mutex<Box<dyn FnMut() -> Duration + Send>>,
    calls: Mutex<BTreeMap<Operation, usize>>,
    /// What the next second look fails with.
    failure: Mutex<Option<Error>>,
}

impl Shelf {
    /// Makes an empty one.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            rows: Mutex::new(BTreeMap::new()),
        })
    }

    /// A run of its own. `latency` says how long each of its requests takes.
    pub fn run(
        self: &Arc<Self>,
        run: u64,
        latency: impl FnMut() -> Duration + Send + 'static,
    ) -> ShelfRun {
        ShelfRun {
            shelf: Arc::clone(self),
            run,
            latency: Mutex::new(Box::new(latency)),
            calls: Mutex::new(BTreeMap::new()),
            failure: Mutex::new(None),
        }
    }

    /// Stores `document` as a person would, without a claim.
    pub fn put(&self, name: &SecretName, document: &Document) -> Result<Version> {
        let kept = keep(Operation::Create, name, document)?;
        Ok(self.push(name, Arc::new(kept), None))
    }

    /// How many versions of a name there are.
    pub fn versions(&self, name: &SecretName) -> usize {
        self.rows_of(name).len()
    }

    /// After how long no claim of today is alive any more.
    pub fn life() -> Duration {
        Duration::from_secs(LIFE.unsigned_abs() + 1)
    }

    fn now(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_secs()).unwrap_or(i64::MAX)
    }

    fn rows_of(&self, name: &SecretName) -> Vec<Row> {
        let rows = self.lock();
        rows.get(&identity(name))
            .map(|(_, rows)| rows.clone())
            .unwrap_or_default()
    }

    fn push(&self, name: &SecretName, kept: Arc<Kept>, claim: Option<Claim>) -> Version {
        let second = self.now();
        let mut all = self.lock();
        let (_, rows) = all
            .entry(identity(name))
            .or_insert_with(|| (name.clone(), Vec::new()));
        let version = Version::new(format!("{:032x}", rows.len() + 1));
        rows.push(Row {
            version: version.clone(),
            second,
            claim,
            kept,
        });
        version
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, (SecretName, Vec<Row>)>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").finish_non_exhaustive()
    }
}

impl ShelfRun {
    /// How many calls of `operation` have begun.
    pub fn calls(&self, operation: Operation) -> usize {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.get(&operation).copied().unwrap_or(0)
    }

    /// Lets the next [`Converge::settle`] fail as a whole.
    pub fn fail_next_look(&self, error: Error) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    fn planned_failure(&self) -> Option<Error> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take()
    }

    fn begin(&self, operation: Operation) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.entry(operation).or_default() += 1;
    }

    async fn request(&self) {
        let latency = {
            let mut latency = self.latency.lock().unwrap_or_else(PoisonError::into_inner);
            latency()
        };
        sleep(latency).await;
    }

    async fn versions(&self, name: &SecretName) -> Vec<Row> {
        self.request().await;
        self.shelf.rows_of(name)
    }

    /// The versions of a name, once what stands there will stand.
    async fn standing(&self, operation: Operation, name: &SecretName) -> Result<Vec<Row>> {
        for _ in 0..LOOKS {
            let rows = self.versions(name).await;
            if stands(&rows, self.shelf.now()) {
                return Ok(rows);
            }
            sleep(Duration::from_secs(1)).await;
        }
        let message = "another run wrote it and has not finished";
        Err(Error::new(ErrorKind::Conflict, operation, message).about(name))
    }

    /// Writes what was made after a look, unless that look was too long ago.
    async fn write(
        &self,
        name: &SecretName,
        kept: Arc<Kept>,
        looked: i64,
        purpose: Purpose,
    ) -> Option<Version> {
        if self.shelf.now() - looked > FRESH {
            return None;
        }
        self.request().await;
        let claim = Claim {
            run: self.run,
            looked,
            purpose,
        };
        Some(self.shelf.push(name, kept, Some(claim)))
    }

    /// Writes over the version that is expected, what `change` makes of it.
    async fn over(
        &self,
        operation: Operation,
        name: &SecretName,
        expected: &Version,
        change: impl Fn(&Kept) -> Result<Kept> + Send + Sync,
        purpose: impl Fn(Version) -> Purpose + Send + Sync,
    ) -> Result<Version> {
        for _ in 0..LOOKS {
            let rows = self.standing(operation, name).await?;
            let looked = self.shelf.now();
            let newest = rows.last().ok_or_else(|| nothing(operation, name))?;
            if newest.version != *expected {
                let message = "it was changed meanwhile";
                return Err(Error::new(ErrorKind::Conflict, operation, message).about(name));
            }
            let changed = Arc::new(change(&newest.kept)?);
            if looked > newest.second
                && let Some(version) = self
                    .write(name, changed, looked, purpose(expected.clone()))
                    .await
            {
                return Ok(version);
            }
            sleep(Duration::from_secs(1)).await;
        }
        Err(held_up(operation, name))
    }

    async fn settle_one(&self, written: &Written) -> Settled {
        let Written { name, version } = written;
        for _ in 0..LOOKS {
            let rows = self.versions(name).await;
            let looked = self.shelf.now();
            match decide(&rows, version, self.run, looked) {
                Decision::Ours { contested } => return Settled::Ours { contested },
                Decision::Theirs => return Settled::Theirs,
                Decision::Unclear(why) => return Settled::Unclear(unclear(name, why)),
                Decision::PutBack(first) => {
                    let first = rows.iter().find(|row| row.version == first);
                    if let Some(first) = first {
                        let purpose = Purpose::Copy(first.version.clone());
                        let kept = Arc::clone(&first.kept);
                        self.write(name, kept, looked, purpose).await;
                    }
                }
                Decision::Wait => {}
            }
            sleep(Duration::from_secs(1)).await;
        }
        Settled::Unclear(unclear(name, "another run wrote it and has not finished"))
    }
}

impl fmt::Debug for ShelfRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShelfRun")
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for ShelfRun {
    fn describe(&self) -> Description {
        Description {
            kind: Kind::AzureKv,
            place: "memory".to_owned(),
            identity: None,
            confirm: Confirm::Never,
            capabilities: Capabilities {
                create: Guarantee::Converging,
                add_fields: Guarantee::Converging,
                concurrency: NonZeroUsize::MIN.saturating_add(7),
                pace: Pace {
                    reads: None,
                    writes: None,
                },
            },
        }
    }

    async fn identify(&self) -> Result<Identity> {
        Ok(Identity::default())
    }

    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    async fn inventory(&self, wanted: &[Wanted]) -> Result<Inventory> {
        self.begin(Operation::Inventory);
        self.request().await;
        let presence = |wanted: &Wanted| match self.shelf.rows_of(&wanted.name).last() {
            None => Presence::Absent,
            Some(_) if wanted.depth == Depth::Quick => Presence::Exists,
            Some(newest) => Presence::Present {
                version: newest.version.clone(),
                shape: newest.kept.shape(wanted),
            },
        };
        let answer = |wanted: &Wanted| (wanted.name.clone(), presence(wanted));
        Ok(wanted.iter().map(answer).collect())
    }

    async fn read(&self, name: &SecretName, shape: WantedShape) -> Result<Stored> {
        self.begin(Operation::Read);
        let rows = self.standing(Operation::Read, name).await?;
        let newest = rows.last().ok_or_else(|| nothing(Operation::Read, name))?;
        newest
            .kept
            .read(Operation::Read, name, &newest.version, shape)
    }

    async fn create(&self, name: &SecretName, document: &Document, _: &Marks) -> Result<Version> {
        self.begin(Operation::Create);
        let kept = Arc::new(keep(Operation::Create, name, document)?);
        for _ in 0..LOOKS {
            if !self.versions(name).await.is_empty() {
                let message = "something of that name exists";
                return Err(
                    Error::new(ErrorKind::AlreadyExists, Operation::Create, message).about(name),
                );
            }
            let looked = self.shelf.now();
            let kept = Arc::clone(&kept);
            if let Some(version) = self.write(name, kept, looked, Purpose::First).await {
                return Ok(version);
            }
        }
        Err(held_up(Operation::Create, name))
    }

    async fn add_fields(
        &self,
        name: &SecretName,
        new: &Fields,
        expected: &Version,
    ) -> Result<Version> {
        let operation = Operation::AddFields;
        self.begin(operation);
        let add = |kept: &Kept| {
            let grown = kept.with_fields(new);
            grown.map_err(|err| kept::of_shape(err, operation, name).caused_by(err))
        };
        self.over(operation, name, expected, add, Purpose::Added)
            .await
    }
}

#[async_trait]
impl Replace for ShelfRun {
    async fn replace(
        &self,
        name: &SecretName,
        document: &Document,
        expected: &Version,
    ) -> Result<Version> {
        let operation = Operation::Replace;
        self.begin(operation);
        let replace = |_: &Kept| keep(operation, name, document);
        self.over(operation, name, expected, replace, Purpose::Replaced)
            .await
    }
}

#[async_trait]
impl Converge for ShelfRun {
    fn pause(&self) -> Duration {
        Duration::from_secs(PAUSE.unsigned_abs())
    }

    async fn settle(&self, written: &[Written]) -> Result<Vec<Settled>> {
        self.begin(Operation::Settle);
        if let Some(error) = self.planned_failure() {
            return Err(error);
        }
        let all = written.iter().map(|written| self.settle_one(written));
        Ok(futures::future::join_all(all).await)
    }
}

fn identity(name: &SecretName) -> String {
    Kind::AzureKv.rule().identity(name.as_str())
}

fn keep(operation: Operation, name: &SecretName, document: &Document) -> Result<Kept> {
    if let Some(message) = kept::refuse_bytes(Kind::AzureKv, document) {
        return Err(Error::new(ErrorKind::Invalid, operation, message).about(name));
    }
    let text = document::encode(document);
    let text = text.map_err(|err| kept::of_shape(err, operation, name).caused_by(err))?;
    Ok(Kept::Text(text))
}

fn nothing(operation: Operation, name: &SecretName) -> Error {
    let message = "nothing is stored under that name";
    Error::new(ErrorKind::NotFound, operation, message).about(name)
}

fn held_up(operation: Operation, name: &SecretName) -> Error {
    let message = "each look was too long ago when its write was to be sent";
    Error::new(ErrorKind::Unavailable, operation, message).about(name)
}

fn unclear(name: &SecretName, why: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, Operation::Settle, why).about(name)
}
