//! What is there.

use std::collections::BTreeMap;

use futures::future::join_all;
use seed_core::inventory::{Depth, Inventory, Presence, Wanted};
use seed_core::plan::wanted;
use seed_core::resolve::Resolved;
use seed_provider::{Error, ErrorKind};

use crate::Providers;

/// What was seen, and which backends could not be asked at all.
#[derive(Debug)]
#[must_use = "an error that nobody sees looks like a plan in which everything is blocked"]
pub struct Collected {
    /// What was seen, by the backend's name; what a plan is made from.
    pub inventories: BTreeMap<String, Inventory>,
    /// Backends about which nothing could be learnt, and why. All their names are unknown or hidden, never absent.
    pub errors: BTreeMap<String, Error>,
}

/// Looks up every entry of a contract, all backends at once.
///
/// A backend without a provider has no inventory, which a plan takes for "not reached". A name that a provider does not
/// answer for stays without an answer, which is not absence.
pub async fn collect(resolved: &Resolved, providers: &Providers, depth: Depth) -> Collected {
    let wanted = wanted(resolved, depth);
    let asked = wanted.iter().filter_map(|(backend, wanted)| {
        let provider = providers.get(backend)?;
        Some(async move { (backend, wanted, provider.inventory(wanted).await) })
    });
    let mut collected = Collected {
        inventories: BTreeMap::new(),
        errors: BTreeMap::new(),
    };
    for (backend, wanted, answer) in join_all(asked).await {
        let inventory = answer.unwrap_or_else(|err| {
            let unseen = unseen(wanted, &err);
            collected.errors.insert(backend.clone(), err);
            unseen
        });
        collected.inventories.insert(backend.clone(), inventory);
    }
    collected
}

/// An error is never absence.
fn unseen(wanted: &[Wanted], err: &Error) -> Inventory {
    let reason = err.message().to_owned();
    let presence = match err.kind() {
        ErrorKind::Denied => Presence::Hidden { reason },
        ErrorKind::AlreadyExists
        | ErrorKind::Conflict
        | ErrorKind::Indeterminate
        | ErrorKind::Invalid
        | ErrorKind::Misplaced
        | ErrorKind::NotFound
        | ErrorKind::RateLimited { .. }
        | ErrorKind::Unauthenticated
        | ErrorKind::Unavailable
        | ErrorKind::Unexpected
        | ErrorKind::Unsupported
        | ErrorKind::WrongShape => Presence::Unknown { reason },
    };
    let answer = |wanted: &Wanted| (wanted.name.clone(), presence.clone());
    wanted.iter().map(answer).collect()
}
