//! Looking up: one LIST for each folder, then the names of fields of what exists. Never values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use seed_core::inventory::{Depth, Inventory, Presence, Shape, Version, Wanted};
use seed_core::name::SecretName;
use seed_provider::{Error, ErrorKind, Operation, Result};
use serde::Deserialize;
use vaultrs::api::kv2::requests::ListSecretsRequest;

use crate::answer::Words;
use crate::body::{self, Seen};
use crate::calls::Call;
use crate::fault::Ask;
use crate::vault::Vault;

const OPERATION: Operation = Operation::Inventory;

#[derive(Deserialize)]
struct Listed {
    keys: BTreeSet<String>,
}

/// How a server says that it does not know a path below a mount.
#[derive(Deserialize)]
struct Warned {
    #[serde(rename = "data")]
    _data: (),
    #[serde(rename = "warnings")]
    _warnings: Vec<serde::de::IgnoredAny>,
}

/// What a LIST told about one folder.
enum Folder {
    /// The names in it.
    Names(BTreeSet<String>),
    /// It may not be listed, so each name is asked for by itself.
    Denied,
}

impl Vault {
    pub(crate) async fn look_up(&self, wanted: &[Wanted]) -> Result<Inventory> {
        let mut folders: BTreeMap<&str, Vec<&Wanted>> = BTreeMap::new();
        for one in wanted {
            folders.entry(split(&one.name).0).or_default().push(one);
        }
        if folders.is_empty() {
            return Ok(Inventory::new());
        }
        let at_once = self.requests.policy().concurrency.get();
        let mut lists = Vec::new();
        for (folder, wanted) in folders {
            let list = async move { settle(self.list(folder).await).map(|names| (names, wanted)) };
            lists.push(list.boxed());
        }
        let listed = stream::iter(lists)
            .buffer_unordered(at_once)
            .try_collect::<Vec<_>>()
            .await?;
        let mut inventory = Inventory::new();
        let mut unsure = Vec::new();
        for (names, wanted) in listed {
            for one in wanted {
                if let Some(presence) = answer_of(&names, one) {
                    inventory.insert(one.name.clone(), presence);
                } else {
                    let is_listed = matches!(names, Ok(Folder::Names(_)));
                    unsure.push(self.look_closer(one, is_listed).boxed());
                }
            }
        }
        let looked = stream::iter(unsure)
            .buffer_unordered(at_once)
            .try_collect::<Vec<_>>()
            .await?;
        for (name, presence) in looked {
            inventory.insert(name, presence);
        }
        Ok(inventory)
    }

    async fn look_closer(
        &self,
        wanted: &Wanted,
        is_listed: bool,
    ) -> Result<(SecretName, Presence)> {
        let seen = settle(self.look(Ask::read(OPERATION, Some(&wanted.name))).await)?;
        Ok((wanted.name.clone(), presence(seen, wanted, is_listed)))
    }

    async fn list(&self, folder: &str) -> Result<Folder> {
        let ask = Ask::read(OPERATION, None);
        let request = || ListSecretsRequest {
            mount: self.place.mount.clone(),
            path: folder.to_owned(),
        };
        let answer = self.ask_as(ask, request).await?;
        if answer.is_success() {
            let Listed { keys } = answer.data().ok_or_else(|| ask.unreadable(&answer))?;
            return Ok(Folder::Names(keys));
        }
        let refused = ask.refused(&answer);
        if refused.kind() == ErrorKind::NotFound {
            return Ok(Folder::Names(BTreeSet::new()));
        }
        if refused.kind() != ErrorKind::Denied {
            return Err(refused);
        }
        self.notes.tell(format!(
            "`list` is denied on `{}/metadata/{folder}`; each name there was asked for by itself",
            self.place.mount
        ));
        Ok(Folder::Denied)
    }

    /// What is under one name: by `subkeys`, or by a read whose values are dropped here where that is denied.
    pub(crate) async fn look(&self, ask: Ask<'_>) -> Result<Seen> {
        let ask = Ask {
            writes: false,
            ..ask
        };
        let Some(name) = ask.name else {
            return Err(ask.error(ErrorKind::Invalid, "no name was asked for"));
        };
        let mut denied = false;
        if !self.without_subkeys.load(Ordering::Relaxed) {
            let subkeys = || Call::get(self.path("subkeys", name)).query("depth=1".to_owned());
            let answer = self.ask_as(ask, subkeys).await?;
            let refused = ask.refused(&answer);
            // A server from before `subkeys` calls it an invalid path, without errors.
            let invalid_path = answer.status == 404
                && answer.words() == Words::None
                && answer.whole::<Warned>().is_some();
            let missing = refused.kind() == ErrorKind::Unsupported || invalid_path;
            denied = refused.kind() == ErrorKind::Denied;
            if answer.is_success() || !(missing || denied) {
                return seen(ask, &answer);
            }
        }
        let read = || Call::get(self.path("data", name));
        let seen = seen(ask, &self.ask_as(ask, read).await?)?;
        let mount = &self.place.mount;
        if denied {
            // Of this name alone: a policy may be different for the next.
            self.notes.tell(format!(
                "`read` is denied on `{mount}/subkeys/…`; entries where it is were read as a whole to learn which fields they have, and their values dropped"
            ));
        } else if !self.without_subkeys.swap(true, Ordering::Relaxed) {
            self.notes.tell(format!(
                "the server has no `subkeys`; whole entries of `{mount}` were read to learn which fields they have, and their values dropped"
            ));
        }
        Ok(seen)
    }
}

fn seen(ask: Ask<'_>, answer: &crate::answer::Answer) -> Result<Seen> {
    if let Some(seen) = body::seen(answer) {
        return Ok(seen);
    }
    if answer.is_success() {
        return Err(ask.unreadable(answer));
    }
    let refused = ask.refused(answer);
    if refused.kind() == ErrorKind::NotFound {
        return Ok(Seen::Nothing);
    }
    Err(refused)
}

/// Tells what is about one name or folder from what is about the run: the latter ends the whole look.
fn settle<T>(result: Result<T>) -> Result<Result<T>> {
    let of_run = |err: &Error| {
        matches!(
            err.kind(),
            ErrorKind::Misplaced | ErrorKind::Unauthenticated
        )
    };
    match result {
        Err(err) if of_run(&err) => Err(err),
        Err(err) => Ok(Err(err)),
        Ok(found) => Ok(Ok(found)),
    }
}

/// The answer that a folder's list gives, or `None` where one must look closer.
fn answer_of(names: &Result<Folder>, wanted: &Wanted) -> Option<Presence> {
    match names {
        Err(err) => Some(unanswered(err)),
        Ok(Folder::Denied) => None,
        Ok(Folder::Names(names)) if !names.contains(split(&wanted.name).1) => {
            Some(Presence::Absent)
        }
        Ok(Folder::Names(_)) => (wanted.depth == Depth::Quick).then_some(Presence::Exists),
    }
}

fn presence(seen: Result<Seen>, wanted: &Wanted, is_listed: bool) -> Presence {
    match seen {
        Err(err) => unanswered(&err),
        Ok(Seen::Nothing) if is_listed => Presence::Empty {
            version: Version::new("0"),
        },
        Ok(Seen::Nothing) => Presence::Absent,
        Ok(Seen::Deleted(_)) => Presence::Deleted { until: None },
        Ok(Seen::Destroyed(version)) => Presence::Disabled {
            reason: format!("its current version {version} is destroyed"),
        },
        Ok(Seen::Live(..)) if wanted.depth == Depth::Quick => Presence::Exists,
        Ok(Seen::Live(version, names)) => {
            let one = wanted.fields.is_empty() && names.len() == 1 && names.contains(body::VALUE);
            Presence::Present {
                version: Version::new(version.to_string()),
                shape: if one {
                    Shape::Single
                } else {
                    Shape::Fields(names)
                },
            }
        }
    }
}

fn unanswered(err: &Error) -> Presence {
    let id = err.request_id().map(|id| format!(" (request id {id})"));
    let reason = format!("{}{}", err.message(), id.unwrap_or_default());
    if err.kind() == ErrorKind::Denied {
        Presence::Hidden { reason }
    } else {
        Presence::Unknown { reason }
    }
}

/// A name as its folder, with the slash at its end, and what stands in it.
fn split(name: &SecretName) -> (&str, &str) {
    let name = name.as_str();
    name.rfind('/')
        .and_then(|slash| name.split_at_checked(slash + 1))
        .unwrap_or(("", name))
}
