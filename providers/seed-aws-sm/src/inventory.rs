//! Looking up many names in few calls.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use seed_core::document;
use seed_core::inventory::{Depth, Inventory, Presence, Shape, Version, Wanted};
use seed_core::name::SecretName;
use seed_provider::{Error, ErrorKind, Operation, Result};

use crate::adapter::{AwsSm, purpose};
use crate::call::Call;
use crate::content::Content;
use crate::error::Purpose;

/// What the service tells of a secret without its value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// When it is deleted for good.
    pub(crate) deleted: Option<DateTime>,
    /// When anything of it was changed last, in seconds since 1970.
    pub(crate) changed: Option<i64>,
    /// The labels of each version.
    pub(crate) stages: HashMap<String, Vec<String>>,
}

impl Facts {
    pub(crate) fn current(&self) -> Option<Version> {
        let mut versions = self.stages.iter();
        let current = versions.find(|(_, stages)| stages.iter().any(|stage| stage == CURRENT));
        current.map(|(id, _)| Version::new(id))
    }

    fn presence(&self, wanted: &Wanted) -> Presence {
        if let Some(date) = &self.deleted {
            return Presence::Deleted { until: day(date) };
        }
        match self.current() {
            Some(version) => Presence::Present {
                version,
                // Any string is one value, so nobody needs to read it.
                shape: if wanted.fields.is_empty() {
                    Shape::Single
                } else {
                    Shape::NotRead
                },
            },
            None if self.stages.is_empty() => Presence::Empty {
                version: Version::new("none"),
            },
            None => Presence::Disabled {
                reason: "none of its versions has the label `AWSCURRENT`".to_owned(),
            },
        }
    }
}

pub(crate) const CURRENT: &str = "AWSCURRENT";

/// A day that is still to come: what lies behind us cannot be the end of the time to recover.
fn day(date: &DateTime) -> Option<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    if date.secs() <= i64::try_from(now.as_secs()).ok()? {
        return None;
    }
    let text = date.fmt(Format::DateTime).ok()?;
    text.split_once('T').map(|(day, _)| day.to_owned())
}

impl AwsSm {
    pub(crate) async fn look_up(&self, wanted: &[Wanted]) -> Result<Inventory> {
        let mut inventory = Inventory::new();
        if wanted.is_empty() {
            return Ok(inventory);
        }
        self.proven().await?;
        let listed = self.list(wanted).await?;
        let mut doubtful = Vec::new();
        for wanted in wanted {
            let facts = listed
                .as_ref()
                .map(|listed| listed.get(wanted.name.as_str()));
            if let Some(Some(facts)) = facts {
                self.remains.meet(wanted.name.as_str(), facts);
            }
            match facts {
                // What somebody has to act on, or would be filled, is not taken from a list that may lag.
                Some(Some(facts)) => {
                    let presence = facts.presence(wanted);
                    let acted_on =
                        matches!(presence, Presence::Deleted { .. } | Presence::Empty { .. });
                    if acted_on && wanted.depth != Depth::Quick {
                        doubtful.push(wanted);
                    } else {
                        inventory.insert(wanted.name.clone(), presence);
                    }
                }
                Some(None) if wanted.depth == Depth::Quick => {
                    self.note(QUICK.to_owned());
                    inventory.insert(wanted.name.clone(), Presence::Absent);
                }
                Some(None) | None => doubtful.push(wanted),
            }
        }
        let looks: Vec<_> = doubtful.into_iter().map(|one| self.alone(one)).collect();
        let described: Vec<(SecretName, Presence)> = stream::iter(looks)
            .buffer_unordered(self.at_once())
            .try_collect()
            .await?;
        for (name, presence) in described {
            inventory.insert(name, presence);
        }
        self.look_into(wanted, &mut inventory).await?;
        Ok(inventory)
    }

    pub(crate) fn at_once(&self) -> usize {
        self.requests.policy().concurrency.get()
    }

    /// What one name is, in the service's own words. What fails for it alone is said of it alone.
    async fn alone(&self, wanted: &Wanted) -> Result<(SecretName, Presence)> {
        let presence = match self.facts(Operation::Inventory, &wanted.name).await {
            Ok(facts) => facts.presence(wanted),
            Err(err) => unseen(err, Presence::Absent)?,
        };
        Ok((wanted.name.clone(), presence))
    }

    pub(crate) async fn facts(&self, operation: Operation, name: &SecretName) -> Result<Facts> {
        let purpose = purpose(operation, name, Call::DescribeSecret);
        let told = self.look(purpose, || {
            let request = self.clients.secrets.describe_secret();
            let request = request.secret_id(name.as_str());
            async move {
                let sent = Box::pin(request.send()).await;
                sent.map_err(|err| purpose.failed(&err))
            }
        });
        let told = told.await?;
        if told.arn.is_none() && told.name.is_none() {
            let message = "the answer to DescribeSecret describes nothing";
            return Err(purpose.error(ErrorKind::Unexpected, message));
        }
        let facts = Facts {
            deleted: told.deleted_date,
            changed: told.last_changed_date.map(|date| date.secs()),
            stages: told.version_ids_to_stages.unwrap_or_default(),
        };
        self.remains.meet(name.as_str(), &facts);
        Ok(facts)
    }

    /// Reads the entries whose fields are asked for, and keeps only the names of the fields.
    async fn look_into(&self, wanted: &[Wanted], inventory: &mut Inventory) -> Result<()> {
        let several = wanted.iter().filter(|wanted| {
            let present = matches!(inventory.get(&wanted.name), Some(Presence::Present { .. }));
            present && wanted.depth == Depth::Fields && !wanted.fields.is_empty()
        });
        let names: Vec<SecretName> = several.map(|wanted| wanted.name.clone()).collect();
        let batches = names.chunks(BATCH);
        let looks: Vec<_> = batches.map(|some| self.look_into_some(some)).collect();
        let looked: Vec<Vec<(SecretName, Presence)>> = stream::iter(looks)
            .buffer_unordered(self.at_once())
            .try_collect()
            .await?;
        for (name, presence) in looked.into_iter().flatten() {
            inventory.insert(name, presence);
        }
        Ok(())
    }

    async fn look_into_some(&self, names: &[SecretName]) -> Result<Vec<(SecretName, Presence)>> {
        let mut together = match self.batch(names).await {
            Ok(together) => together,
            Err(err) if err.kind() == ErrorKind::Denied => {
                self.note(UNBATCHED.to_owned());
                BTreeMap::new()
            }
            // One of the twenty may be the cause, and the others are none the worse for it.
            Err(err) if is_of_the_call(&err) => BTreeMap::new(),
            Err(err) => {
                let all = names.iter().map(|name| {
                    let presence = unseen(err.clone(), gone())?;
                    Ok((name.clone(), presence))
                });
                return all.collect();
            }
        };
        let mut looked = Vec::with_capacity(names.len());
        for name in names {
            let presence = match together.remove(name.as_str()) {
                Some(presence) => presence,
                // Whatever kept it out of the batch, the call about it alone tells.
                None => match self.fetch(Operation::Inventory, name, None).await {
                    Ok((content, version)) => shape(&content, version),
                    Err(err) => unseen(err, gone())?,
                },
            };
            looked.push((name.clone(), presence));
        }
        Ok(looked)
    }

    async fn batch(&self, names: &[SecretName]) -> Result<BTreeMap<String, Presence>> {
        let purpose = Purpose {
            operation: Operation::Inventory,
            name: None,
            call: Call::BatchGetSecretValue,
        };
        let ids: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut looked = BTreeMap::new();
        let mut next: Option<String> = None;
        let mut asked = BTreeSet::new();
        loop {
            let page = self.look(purpose, || {
                let request = self.clients.secrets.batch_get_secret_value();
                let request = request
                    .set_secret_id_list(Some(ids.clone()))
                    .set_next_token(next.clone());
                async move {
                    let sent = Box::pin(request.send()).await;
                    sent.map_err(|err| purpose.failed(&err))
                }
            });
            let page = page.await?;
            for value in page.secret_values.unwrap_or_default() {
                let stages = value.version_stages.unwrap_or_default();
                if !stages.iter().any(|stage| stage == CURRENT) {
                    // An older version, from a copy that lags: the call about it alone asks for the label.
                    continue;
                }
                let content = Content::taken(value.secret_string, value.secret_binary);
                if let (Some(name), Some(version), Some(content)) =
                    (value.name, value.version_id, content)
                {
                    looked.insert(name, shape(&content, Version::new(version)));
                }
            }
            let following = page.next_token.filter(|token| !token.is_empty());
            match following {
                Some(token) if asked.insert(token.clone()) => next = Some(token),
                Some(_) | None => return Ok(looked),
            }
        }
    }
}

/// The names of the fields; the value is forgotten.
fn shape(content: &Content, version: Version) -> Presence {
    let shape = match document::decode_fields(&content.value) {
        Ok(fields) => {
            let names: BTreeSet<String> = fields.iter().map(|(name, _)| name.to_owned()).collect();
            Shape::Fields(names)
        }
        Err(_) => Shape::Single,
    };
    Presence::Present { version, shape }
}

/// What an error about one name says about it. `missing` is what it means that the service finds nothing.
fn unseen(err: Error, missing: Presence) -> Result<Presence> {
    let id = err.request_id().map(|id| format!(" (request id {id})"));
    let reason = format!("{}{}", err.message(), id.unwrap_or_default());
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

/// Whether another call about one of the names may well succeed.
pub(crate) fn is_of_the_call(err: &Error) -> bool {
    match err.kind() {
        ErrorKind::AlreadyExists
        | ErrorKind::Conflict
        | ErrorKind::Denied
        | ErrorKind::Invalid
        | ErrorKind::NotFound
        | ErrorKind::Unexpected
        | ErrorKind::Unsupported
        | ErrorKind::WrongShape => true,
        ErrorKind::Indeterminate
        | ErrorKind::Misplaced
        | ErrorKind::RateLimited { .. }
        | ErrorKind::Unauthenticated
        | ErrorKind::Unavailable => false,
    }
}

fn gone() -> Presence {
    let reason = "it was there a moment ago, and has no current value now".to_owned();
    Presence::Unknown { reason }
}

const BATCH: usize = 20;
const QUICK: &str = "names that ListSecrets does not show count as absent without another look; it may lag by five minutes";
const UNBATCHED: &str =
    "BatchGetSecretValue is denied; each entry with fields is read by itself with GetSecretValue";
