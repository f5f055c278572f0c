//! Looking up many names in few calls.

use std::collections::{BTreeSet, HashSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use seed_core::document;
use seed_core::inventory::{Depth, Inventory, Presence, Shape, Version, Wanted};
use seed_core::name::SecretName;
use seed_core::secret::SecretValue;
use seed_provider::{Error, ErrorKind, Operation, Result};

use crate::adapter::GcpSm;
use crate::call::{Call, Purpose};
use crate::requests::{Newest, State};

/// The names of a project, and whether those are all.
struct Listed {
    ids: HashSet<String>,
    complete: bool,
}

impl GcpSm {
    pub(crate) async fn look_up(&self, wanted: &[Wanted]) -> Result<Inventory> {
        if wanted.is_empty() {
            return Ok(Inventory::new());
        }
        self.proven().await?;
        let listed = self.list().await?;
        let looks: Vec<_> = wanted
            .iter()
            .map(|one| self.one(one, listed.as_ref()))
            .collect();
        let looked: Vec<(SecretName, Presence)> = stream::iter(looks)
            .buffer_unordered(self.at_once())
            .try_collect()
            .await?;
        Ok(looked.into_iter().collect())
    }

    /// All secrets of the place, or `None` when we may not list.
    async fn list(&self) -> Result<Option<Listed>> {
        let purpose = Purpose {
            operation: Operation::Inventory,
            name: None,
            call: Call::ListSecrets,
        };
        let (mut ids, mut token, mut total) = (HashSet::new(), String::new(), 0);
        let mut tokens = BTreeSet::new();
        loop {
            let page = match self.list_page(purpose.operation, PAGE, &token).await {
                Ok(page) => page,
                Err(err) if err.kind() == ErrorKind::Denied => {
                    self.note(UNLISTED.to_owned());
                    return Ok(None);
                }
                Err(err) => return Err(err),
            };
            ids.extend(page.ids);
            total = total.max(page.total);
            if page.next.is_empty() {
                break;
            }
            if !tokens.insert(page.next.clone()) {
                let message = "ListSecrets gives the same page again and again";
                return Err(purpose.error(ErrorKind::Unexpected, message));
            }
            token = page.next;
        }
        let complete = ids.len() >= total;
        Ok(Some(Listed { ids, complete }))
    }

    /// What one name is, in the service's own words. What fails for it alone is said of it alone.
    async fn one(
        &self,
        wanted: &Wanted,
        listed: Option<&Listed>,
    ) -> Result<(SecretName, Presence)> {
        let name = wanted.name.clone();
        let there = match listed {
            Some(listed) if listed.ids.contains(name.as_str()) => true,
            Some(listed) if listed.complete => return Ok((name, Presence::Absent)),
            Some(_) | None => match self.secret(Operation::Inventory, &name).await {
                Ok(_) => true,
                // It may be that values can be seen where secrets cannot.
                Err(err) if err.kind() == ErrorKind::Denied && wanted.depth != Depth::Quick => true,
                Err(err) => return Ok((name, unseen(err, Presence::Absent)?)),
            },
        };
        if there && wanted.depth == Depth::Quick {
            return Ok((name, Presence::Exists));
        }
        let presence = if wanted.depth == Depth::Fields && !wanted.fields.is_empty() {
            self.fields(wanted).await?
        } else {
            self.state(wanted).await?
        };
        Ok((name, presence))
    }

    async fn state(&self, wanted: &Wanted) -> Result<Presence> {
        let newest = self.newest(Operation::Inventory, &wanted.name).await;
        match newest {
            Ok(newest) => Ok(presence(newest, wanted)),
            Err(err) => unseen(err, gone()),
        }
    }

    /// Reads an entry whose fields are asked for, and keeps only the names of the fields.
    async fn fields(&self, wanted: &Wanted) -> Result<Presence> {
        let name = &wanted.name;
        match self.access(Operation::Inventory, name, None).await {
            Ok((value, number)) => Ok(Presence::Present {
                version: Version::new(number.to_string()),
                shape: shape(&value),
            }),
            // No version, or one that is switched off: the versions tell.
            Err(err) if matches!(err.kind(), ErrorKind::Conflict | ErrorKind::NotFound) => {
                let presence = self.state(wanted).await?;
                if matches!(presence, Presence::Present { .. }) {
                    // It came, or was switched on, meanwhile.
                    let reason = reason(&err);
                    return Ok(Presence::Unknown { reason });
                }
                Ok(presence)
            }
            Err(err) => unseen(err, gone()),
        }
    }
}

fn presence(newest: Option<Newest>, wanted: &Wanted) -> Presence {
    let Some(Newest { number, state }) = newest else {
        return Presence::Empty {
            version: Version::new("0"),
        };
    };
    let switched_off = |how: &str| Presence::Disabled {
        reason: format!("version {number}, the newest, is {how}"),
    };
    match state {
        State::Enabled => Presence::Present {
            version: Version::new(number.to_string()),
            // Any bytes are one value, so nobody needs to read them.
            shape: if wanted.fields.is_empty() {
                Shape::Single
            } else {
                Shape::NotRead
            },
        },
        State::Disabled => switched_off("disabled"),
        State::Destroyed => switched_off("destroyed"),
        State::Unknown => switched_off("in a state that is not known here"),
    }
}

/// The names of the fields; the value is forgotten.
fn shape(value: &SecretValue) -> Shape {
    match document::decode_fields(value) {
        Ok(fields) => Shape::Fields(fields.iter().map(|(name, _)| name.to_owned()).collect()),
        Err(_) => Shape::Single,
    }
}

/// What an error about one name says about it. `missing` is what it means that the service finds nothing.
fn unseen(err: Error, missing: Presence) -> Result<Presence> {
    let reason = reason(&err);
    match err.kind() {
        ErrorKind::NotFound => Ok(missing),
        ErrorKind::Denied => Ok(Presence::Hidden { reason }),
        // Nobody else can be looked up either.
        ErrorKind::Unauthenticated | ErrorKind::Misplaced => Err(err),
        ErrorKind::AlreadyExists
        | ErrorKind::Conflict
        | ErrorKind::Indeterminate
        | ErrorKind::Invalid
        | ErrorKind::RateLimited { .. }
        | ErrorKind::Unavailable
        | ErrorKind::Unexpected
        | ErrorKind::Unsupported
        | ErrorKind::WrongShape => Ok(Presence::Unknown { reason }),
    }
}

fn reason(err: &Error) -> String {
    let id = err.request_id().map(|id| format!(" (request id {id})"));
    format!("{}{}", err.message(), id.unwrap_or_default())
}

fn gone() -> Presence {
    let reason = "it was there, and is gone again".to_owned();
    Presence::Unknown { reason }
}

const PAGE: u32 = 25_000;
const UNLISTED: &str = "ListSecrets is denied; each name is looked up by itself with GetSecret";
