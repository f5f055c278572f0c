//! The store as a provider.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use seed_core::backend::{Capabilities, Confirm, Description, Guarantee, Kind, Pace};
use seed_core::document::{Document, Fields};
use seed_core::inventory::{Inventory, Version, Wanted};
use seed_core::name::SecretName;
use seed_provider::{
    Error, ErrorKind, Identity, Marks, Operation, Provider, Replace, Result, Stored, Versions,
    WantedShape,
};
use tokio::sync::oneshot;
use tokio::task;

use crate::Config;
use crate::disk::{self, Text};
use crate::error::FileError;
use crate::queue::{Queue, Worker};
use crate::store::{self, Book};

/// One encrypted file as a backend. Must be called within a tokio runtime.
///
/// Nothing is made on disk before the first change. A call that is dropped before its turn changes nothing; after
/// that it takes effect, and the calls that are written together with it are not disturbed.
pub struct Local {
    config: Arc<Config>,
    reads: Arc<Queue<Job<Look, Stored>>>,
    writes: Arc<Queue<Job<Change, Version>>>,
}

impl Local {
    /// Uses the store that `config` points at, whether it exists or not.
    pub fn new(config: Config) -> Self {
        Self {
            config: Arc::new(config),
            reads: Arc::new(Queue::new()),
            writes: Arc::new(Queue::new()),
        }
    }

    /// Reads together with all others who are reading: one decryption serves them all.
    async fn look(&self, operation: Operation, name: &SecretName, look: Look) -> Result<Stored> {
        let (job, answer) = Job::new(operation, name, look);
        if let Some(worker) = self.reads.push(job) {
            let config = Arc::clone(&self.config);
            run(move || read_all(&config, worker));
        }
        answer.await.unwrap_or_else(|_| {
            let message = "the read was cut off";
            Err(Error::new(ErrorKind::Unavailable, operation, message).about(name))
        })
    }

    /// Changes together with all others who are changing: one new file has it all.
    async fn change(
        &self,
        operation: Operation,
        name: &SecretName,
        change: Change,
    ) -> Result<Version> {
        let (job, answer) = Job::new(operation, name, change);
        if let Some(worker) = self.writes.push(job) {
            let config = Arc::clone(&self.config);
            run(move || write_all(&config, worker));
        }
        answer.await.unwrap_or_else(|_| {
            let message = "the write was cut off, and may have taken effect";
            Err(Error::new(ErrorKind::Indeterminate, operation, message).about(name))
        })
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for Local {
    fn describe(&self) -> Description {
        Description {
            kind: Kind::Local,
            place: format!("file {}", self.config.shown),
            identity: None,
            confirm: Confirm::Never,
            capabilities: Capabilities {
                create: Guarantee::Atomic,
                add_fields: Guarantee::Atomic,
                concurrency: CONCURRENCY,
                pace: Pace {
                    reads: None,
                    writes: None,
                },
            },
        }
    }

    /// A file belongs to nobody but its reader.
    async fn identify(&self) -> Result<Identity> {
        Ok(Identity::default())
    }

    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    async fn inventory(&self, wanted: &[Wanted]) -> Result<Inventory> {
        let config = Arc::clone(&self.config);
        let names: Vec<SecretName> = wanted.iter().map(|wanted| wanted.name.clone()).collect();
        let looked = task::spawn_blocking(move || {
            let text = Text::look(&config)?;
            let book = text.book(&config)?;
            Ok(names
                .into_iter()
                .map(|name| {
                    let presence = book.presence(&name);
                    (name, presence)
                })
                .collect())
        });
        let operation = Operation::Inventory;
        let seen = looked.await.map_err(|_| {
            let message = "the look was cut off";
            Error::new(ErrorKind::Unavailable, operation, message)
        })?;
        seen.map_err(|err: FileError| err.stops(operation, None))
    }

    async fn read(&self, name: &SecretName, shape: WantedShape) -> Result<Stored> {
        let version = None;
        let look = Look { version, shape };
        self.look(Operation::Read, name, look).await
    }

    async fn create(
        &self,
        name: &SecretName,
        document: &Document,
        marks: &Marks,
    ) -> Result<Version> {
        store::check(Operation::Create, name, document)?;
        let change = Change::Create(document.duplicate(), marks.clone());
        self.change(Operation::Create, name, change).await
    }

    async fn add_fields(
        &self,
        name: &SecretName,
        new: &Fields,
        expected: &Version,
    ) -> Result<Version> {
        let mut copy = Fields::new();
        for (field, value) in new.iter() {
            // Names in `Fields` are unique, so every one is new.
            let _new = copy.insert(field, value.duplicate());
        }
        let change = Change::AddFields(copy, expected.clone());
        self.change(Operation::AddFields, name, change).await
    }
}

#[async_trait]
impl Replace for Local {
    async fn replace(
        &self,
        name: &SecretName,
        document: &Document,
        expected: &Version,
    ) -> Result<Version> {
        store::check(Operation::Replace, name, document)?;
        let change = Change::Replace(document.duplicate(), expected.clone());
        self.change(Operation::Replace, name, change).await
    }
}

#[async_trait]
impl Versions for Local {
    async fn read_version(
        &self,
        name: &SecretName,
        version: &Version,
        shape: WantedShape,
    ) -> Result<Stored> {
        let version = Some(version.clone());
        let look = Look { version, shape };
        self.look(Operation::ReadVersion, name, look).await
    }
}

/// What one caller wants, and where the answer goes.
struct Job<W, T> {
    operation: Operation,
    name: SecretName,
    want: W,
    answer: oneshot::Sender<Result<T>>,
}

impl<W, T> Job<W, T> {
    fn new(
        operation: Operation,
        name: &SecretName,
        want: W,
    ) -> (Self, oneshot::Receiver<Result<T>>) {
        let (answer, receiver) = oneshot::channel();
        let name = name.clone();
        let job = Self {
            operation,
            name,
            want,
            answer,
        };
        (job, receiver)
    }
}

struct Look {
    /// `None` for the current one.
    version: Option<Version>,
    shape: WantedShape,
}

enum Change {
    AddFields(Fields, Version),
    Create(Document, Marks),
    Replace(Document, Version),
}

impl Change {
    fn apply(&self, name: &SecretName, book: &mut Book<'_>) -> Result<Version> {
        match self {
            Self::AddFields(new, expected) => book.add_fields(name, new, expected),
            Self::Create(document, marks) => book.create(name, document, marks),
            Self::Replace(document, expected) => book.replace(name, document, expected),
        }
    }
}

/// Lets a worker work where it may block. It is nobody's task: whoever asked may be gone, and the others still wait.
/// A runtime that ends waits for it.
fn run(work: impl FnOnce() + Send + 'static) {
    drop(task::spawn_blocking(work));
}

fn read_all(config: &Config, worker: Worker<Job<Look, Stored>>) {
    for jobs in worker {
        answer_all(jobs, |jobs| {
            let text = Text::look(config)?;
            let book = text.book(config)?;
            Ok(jobs
                .iter()
                .map(|job| {
                    let Look { version, shape } = &job.want;
                    book.read(job.operation, &job.name, version.as_ref(), *shape)
                })
                .collect())
        });
    }
}

fn write_all(config: &Config, worker: Worker<Job<Change, Version>>) {
    for jobs in worker {
        answer_all(jobs, |jobs| {
            disk::transact(config, |book| {
                jobs.iter()
                    .map(|job| job.want.apply(&job.name, book))
                    .collect()
            })
        });
    }
}

/// Does what is wanted by all who are still there, and gives each the own answer.
fn answer_all<W, T>(
    jobs: Vec<Job<W, T>>,
    work: impl FnOnce(&[Job<W, T>]) -> Result<Vec<Result<T>>, FileError>,
) {
    let jobs: Vec<Job<W, T>> = jobs
        .into_iter()
        .filter(|job| !job.answer.is_closed())
        .collect();
    if jobs.is_empty() {
        return;
    }
    match work(&jobs) {
        Ok(answers) => {
            for (job, answer) in jobs.into_iter().zip(answers) {
                // Nobody is there any more when the caller was dropped meanwhile.
                drop(job.answer.send(answer));
            }
        }
        Err(err) => {
            for job in jobs {
                let stopped = err.stops(job.operation, Some(&job.name));
                drop(job.answer.send(Err(stopped)));
            }
        }
    }
}

/// How many callers at once: as many as one rewrite should serve.
const CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);
