//! One value in the place of another, for a person who asked for just that.

use std::sync::Arc;
use std::time::Duration;

use seed_core::document::Document;
use seed_core::inventory::Version;
use seed_core::name::ValueId;
use seed_core::report::Failure;
use seed_core::resolve::Resolved;
use seed_core::secret::SecretValue;
use seed_provider::{
    Converge as _, Error, ErrorKind, Provider, Replace, Settled as Standing, Stored, Written,
};

use crate::read::Located;
use crate::{Convergers, Providers, Replacers, Unread, failure};

/// How often something is sent: once, and once more when the answer was lost and nothing has changed.
const TRIES: usize = 2;

/// A value as it is stored, with all that is stored beside it.
#[derive(Debug)]
pub struct Found {
    /// The value.
    pub value: SecretValue,
    /// The whole entry, and the version to expect when it is replaced.
    pub stored: Stored,
}

/// What is to be put where.
#[derive(Debug)]
pub struct Replacement<'a> {
    /// What is wanted.
    pub resolved: &'a Resolved,
    /// Which value.
    pub id: &'a ValueId,
    /// The new value, as the application reads it.
    pub value: &'a SecretValue,
    /// The document of that value alone, as [`document`](seed_core::produce::document) makes it.
    pub document: &'a Document,
    /// What it replaces.
    pub found: &'a Found,
}

/// What became of a replacement.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "what was not replaced must be said"]
pub enum Replaced {
    /// Somebody else changed it meanwhile, and that was kept.
    Changed,
    /// It was not stored.
    Failed(Failure),
    /// It is stored.
    Stored,
    /// It may or may not be stored: an answer was lost, and looking did not settle it.
    Uncertain(Failure),
}

/// The same backends without the verb that replaces.
pub fn as_providers(replacers: &Replacers) -> Providers {
    let provider =
        |provider: &Arc<dyn Replace>| -> Arc<dyn Provider> { Arc::<dyn Replace>::clone(provider) };
    replacers
        .iter()
        .map(|(name, replacer)| (name.clone(), provider(replacer)))
        .collect()
}

/// Reads one value and all that is stored beside it.
pub async fn find(
    resolved: &Resolved,
    providers: &Providers,
    id: &ValueId,
) -> Result<Found, Unread> {
    let at = Located::find(resolved, providers, &id.entry).map_err(Unread::Failed)?;
    let stored = match at.provider.read(at.name, at.shape()).await {
        Ok(stored) => stored,
        Err(err) if err.kind() == ErrorKind::NotFound => return Err(Unread::Absent),
        Err(err) => return Err(Unread::Failed(failure::of_call(&err))),
    };
    let value = at.pick(id, &stored.document)?;
    Ok(Found { value, stored })
}

/// Replaces a value, if the entry is still what was found. The other fields of the entry stay as they are.
///
/// A lost answer is settled by reading; what cannot be settled is uncertain. Where a write is only known to stand after a
/// second look, that is taken after a pause, of which `waiting` is told.
pub async fn replace(
    wanted: &Replacement<'_>,
    replacers: &Replacers,
    convergers: &Convergers,
    waiting: &(dyn Fn(Duration) + Send + Sync),
) -> Replaced {
    let providers = as_providers(replacers);
    let at = match Located::find(wanted.resolved, &providers, &wanted.id.entry) {
        Ok(at) => at,
        Err(failure) => return Replaced::Failed(failure),
    };
    let Some(replacer) = replacers.get(at.backend) else {
        return Replaced::Failed(failure::unplaced(
            &wanted.id.entry,
            "its backend is not connected",
        ));
    };
    let document = whole(&wanted.found.stored.document, wanted.document);
    let expected = &wanted.found.stored.version;
    let mut lost: Option<Error> = None;
    for _ in 0..TRIES {
        let err = match replacer.replace(at.name, &document, expected).await {
            Ok(version) => return stands(&at, version, convergers, waiting).await,
            Err(err) => err,
        };
        match (err.kind(), &lost) {
            // What is read proves nothing.
            (ErrorKind::Indeterminate, _) if err.is_contested() => {
                return Replaced::Uncertain(failure::of_call(&err));
            }
            // A change may be our own: a request whose answer was lost can have arrived after we looked.
            (ErrorKind::Indeterminate, _)
            | (ErrorKind::Conflict | ErrorKind::NotFound, Some(_)) => {}
            (ErrorKind::Conflict | ErrorKind::NotFound, None) => return Replaced::Changed,
            (_, Some(lost)) => return Replaced::Uncertain(failure::of_call(lost)),
            (_, None) => return Replaced::Failed(failure::of_call(&err)),
        }
        match settle(wanted, &providers, expected).await {
            Settled::Nothing => lost = lost.or(Some(err)),
            Settled::Ours(version) => return stands(&at, version, convergers, waiting).await,
            // Nothing refuses ours when it comes late there: it would take the place of theirs.
            Settled::Theirs if !convergers.contains_key(at.backend) => return Replaced::Changed,
            Settled::Open | Settled::Theirs => {
                let lost = lost.as_ref().unwrap_or(&err);
                return Replaced::Uncertain(failure::of_call(lost));
            }
        }
    }
    match lost {
        Some(err) => Replaced::Uncertain(failure::of_call(&err)),
        None => Replaced::Changed,
    }
}

/// Whether what was written stands.
async fn stands(
    at: &Located<'_>,
    version: Version,
    convergers: &Convergers,
    waiting: &(dyn Fn(Duration) + Send + Sync),
) -> Replaced {
    let Some(converger) = convergers.get(at.backend) else {
        return Replaced::Stored;
    };
    waiting(converger.pause());
    tokio::time::sleep(converger.pause()).await;
    let name = at.name.clone();
    let answer = converger.settle(&[Written { name, version }]).await;
    match answer.map(|mut settled| settled.pop()) {
        Ok(Some(Standing::Ours { .. })) => Replaced::Stored,
        Ok(Some(Standing::Theirs)) => Replaced::Changed,
        Ok(Some(Standing::Unclear(err))) | Err(err) => Replaced::Uncertain(failure::of_call(&err)),
        Ok(None) => {
            let message = format!(
                "tell which value stands of `{}`: the backend did not say",
                at.name
            );
            Replaced::Uncertain(failure::open(message))
        }
    }
}

/// What was found after an answer was lost.
enum Settled {
    /// What was there before.
    Nothing,
    Open,
    Ours(Version),
    Theirs,
}

async fn settle(wanted: &Replacement<'_>, providers: &Providers, expected: &Version) -> Settled {
    match find(wanted.resolved, providers, wanted.id).await {
        Ok(found) if found.stored.version == *expected => Settled::Nothing,
        Ok(found) if found.value.same_as(wanted.value) => Settled::Ours(found.stored.version),
        Ok(_) | Err(Unread::Absent) => Settled::Theirs,
        Err(Unread::Failed(_)) => Settled::Open,
    }
}

/// The whole entry with the new value in it.
fn whole(stored: &Document, new: &Document) -> Document {
    match (stored, new) {
        (Document::Fields(stored), Document::Fields(new)) => Document::Fields(stored.with(new)),
        (Document::Fields(_) | Document::Single(_), new) => new.duplicate(),
    }
}
