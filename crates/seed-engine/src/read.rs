//! Values that are stored.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use futures::future::{BoxFuture, join_all};
use futures::{FutureExt as _, StreamExt as _};
use seed_core::backend::Kind;
use seed_core::name::{EntryKey, SecretName, ValueId};
use seed_core::produce::{ReadBackError, Values, read_back};
use seed_core::report::Failure;
use seed_core::resolve::{Place, Resolved, ResolvedEntry};
use seed_core::secret::SecretValue;
use seed_provider::{ErrorKind, Provider, WantedShape};

use crate::{Providers, failure, kept};

/// Values that were read, and those that were not.
#[derive(Debug, Default)]
#[must_use = "a value that could not be read is not absent"]
pub struct ReadValues {
    /// What was read.
    pub values: Values,
    /// What was not, and why.
    pub unread: BTreeMap<ValueId, Unread>,
}

/// Why a value was not read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unread {
    /// The backend said that it is not there.
    Absent,
    /// Reading it failed, which is not absence.
    Failed(Failure),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("it is not there"),
            Self::Failed(failure) => match &failure.request_id {
                Some(id) => write!(f, "{} (request id {id})", failure.message),
                None => f.write_str(&failure.message),
            },
        }
    }
}

/// Reads values, one call for each entry that holds some of them.
///
/// At most `concurrency` calls are under way at each backend; `None` leaves it to the backend's own word.
pub async fn read_values(
    resolved: &Resolved,
    providers: &Providers,
    ids: impl IntoIterator<Item = ValueId>,
    concurrency: Option<NonZeroUsize>,
) -> ReadValues {
    let ids: BTreeSet<ValueId> = ids.into_iter().collect();
    let placed = kept::with_keepers(resolved, &ids);
    let read = read_placed(resolved, providers, placed, concurrency).await;
    kept::gather(resolved, &ids, &read)
}

async fn read_placed(
    resolved: &Resolved,
    providers: &Providers,
    ids: BTreeSet<ValueId>,
    concurrency: Option<NonZeroUsize>,
) -> ReadValues {
    let mut read = ReadValues::default();
    let mut backends: BTreeMap<&str, Vec<EntryRead<'_>>> = BTreeMap::new();
    for (key, ids) in by_entry(ids) {
        match EntryRead::new(resolved, providers, &key, ids) {
            Ok(entry) => backends.entry(entry.at.backend).or_default().push(entry),
            Err(unread) => read.unread.extend(unread),
        }
    }
    let all = backends.into_values().map(|entries| {
        let limit = entries.first().map_or(NonZeroUsize::MIN, |entry| {
            limit(entry.at.provider, concurrency)
        });
        // Boxed here, so that the whole can be boxed, too: a closure over lifetimes would not be general enough.
        let calls: Vec<BoxFuture<'_, ReadValues>> = entries
            .into_iter()
            .map(|entry| entry.run().boxed())
            .collect();
        futures::stream::iter(calls)
            .buffer_unordered(limit.get())
            .collect::<Vec<_>>()
    });
    for part in join_all(all).await.into_iter().flatten() {
        read.values.extend(part.values);
        read.unread.extend(part.unread);
    }
    read
}

/// How many calls at once a backend is given.
pub(crate) fn limit(provider: &dyn Provider, concurrency: Option<NonZeroUsize>) -> NonZeroUsize {
    concurrency.unwrap_or_else(|| provider.describe().capabilities.concurrency)
}

/// Values by the entry that holds them.
pub(crate) fn by_entry(ids: impl IntoIterator<Item = ValueId>) -> BTreeMap<EntryKey, Vec<ValueId>> {
    let mut entries: BTreeMap<EntryKey, Vec<ValueId>> = BTreeMap::new();
    for id in ids {
        entries.entry(id.entry.clone()).or_default().push(id);
    }
    entries
}

/// One entry and where it is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Located<'a> {
    resolved: &'a Resolved,
    pub(crate) entry: &'a ResolvedEntry,
    pub(crate) backend: &'a str,
    pub(crate) kind: Kind,
    pub(crate) name: &'a SecretName,
    pub(crate) provider: &'a dyn Provider,
}

impl<'a> Located<'a> {
    pub(crate) fn find(
        resolved: &'a Resolved,
        providers: &'a Providers,
        key: &EntryKey,
    ) -> Result<Self, Failure> {
        let failed = |why: &str| failure::unplaced(key, why);
        let entry = resolved.entries.get(key);
        let entry = entry.ok_or_else(|| failed("the contract does not declare it"))?;
        let Some(Place::Backend {
            backend,
            kind,
            name,
        }) = &entry.place
        else {
            return Err(failed("it is kept in no backend"));
        };
        let provider = providers.get(backend);
        let provider = provider.ok_or_else(|| failed("its backend is not connected"))?;
        Ok(Self {
            resolved,
            entry,
            backend,
            kind: *kind,
            name,
            provider: provider.as_ref(),
        })
    }

    /// How the entry is stored: a map backend keeps even one value under a key.
    pub(crate) fn shape(&self) -> WantedShape {
        if self.entry.has_fields || self.kind.is_map() {
            WantedShape::Fields
        } else {
            WantedShape::Single
        }
    }

    /// The value of this entry that holds a value: itself, or a key of a Secret that keeps it.
    pub(crate) fn holder<'v>(&'v self, id: &'v ValueId) -> &'v ValueId {
        let mut keepers = self.resolved.keepers(id).iter();
        let keeper = keepers.find(|keeper| keeper.entry == self.entry.key);
        keeper.unwrap_or(id)
    }

    /// Takes one value out of what is stored.
    pub(crate) fn pick(
        &self,
        id: &ValueId,
        document: &seed_core::document::Document,
    ) -> Result<SecretValue, Unread> {
        let failed = |message: String| {
            Unread::Failed(Failure {
                kind: ErrorKind::WrongShape.as_str(),
                message: format!("read `{}`: {message}", self.name),
                request_id: None,
            })
        };
        let holder = self.holder(id);
        let value = self.entry.values.iter().find(|value| value.id == *holder);
        let value = value.ok_or_else(|| failed("the contract does not declare it".to_owned()))?;
        read_back(self.entry, value, self.kind, document).map_err(|err| match err {
            ReadBackError::NoField(_) if self.entry.has_fields => Unread::Absent,
            ReadBackError::NoField(_) | ReadBackError::NotBase64 | ReadBackError::WrongShape => {
                failed(err.to_string())
            }
        })
    }
}

/// The values of one entry that are read in one call.
pub(crate) struct EntryRead<'a> {
    at: Located<'a>,
    ids: Vec<ValueId>,
}

impl<'a> EntryRead<'a> {
    pub(crate) fn new(
        resolved: &'a Resolved,
        providers: &'a Providers,
        key: &EntryKey,
        ids: Vec<ValueId>,
    ) -> Result<Self, BTreeMap<ValueId, Unread>> {
        match Located::find(resolved, providers, key) {
            Ok(at) => Ok(Self { at, ids }),
            Err(failure) => {
                let unread = |id| (id, Unread::Failed(failure.clone()));
                Err(ids.into_iter().map(unread).collect())
            }
        }
    }

    pub(crate) fn of(at: Located<'a>, ids: Vec<ValueId>) -> Self {
        Self { at, ids }
    }

    pub(crate) fn entry(&self) -> &'a EntryKey {
        &self.at.entry.key
    }

    pub(crate) async fn run(self) -> ReadValues {
        let mut read = ReadValues::default();
        match self.at.provider.read(self.at.name, self.at.shape()).await {
            Ok(stored) => {
                for id in self.ids {
                    match self.at.pick(&id, &stored.document) {
                        Ok(value) => drop(read.values.insert(id, Arc::new(value))),
                        Err(unread) => drop(read.unread.insert(id, unread)),
                    }
                }
            }
            Err(err) => {
                let unread = if err.kind() == ErrorKind::NotFound {
                    Unread::Absent
                } else {
                    Unread::Failed(failure::of_call(&err))
                };
                read.unread = self
                    .ids
                    .into_iter()
                    .map(|id| (id, unread.clone()))
                    .collect();
            }
        }
        read
    }
}
