//! Looking up many names in few calls.

use std::collections::{BTreeMap, BTreeSet};

use azure_core::http::pager::{PageIterator, PagerContinuation, PagerOptions};
use azure_core::http::{Pager, Response, Url};
use azure_core::time::{OffsetDateTime, to_rfc3339};
use azure_security_keyvault_secrets::models::{
    SecretClientListDeletedSecretPropertiesOptions, SecretClientListSecretPropertiesOptions,
    SecretClientListSecretPropertiesVersionsOptions,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use seed_core::document;
use seed_core::inventory::{Depth, Inventory, Presence, Shape, Version, Wanted};
use seed_core::name::SecretName;
use seed_provider::{Error, ErrorKind, Operation, Result};
use serde_json::Value;

use crate::adapter::{AzureKv, Look};
use crate::claim;
use crate::error::{Call, Purpose};

/// One item of a list, without a value.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// As it was first written.
    pub(crate) name: String,
    /// The version, where the list is one of versions.
    pub(crate) version: Option<String>,
    pub(crate) look: Look,
    pub(crate) enabled: bool,
    expires: Option<i64>,
    not_before: Option<i64>,
    purged: Option<i64>,
}

/// One page, and where the next one is.
pub(crate) struct Page {
    pub(crate) items: Vec<Listed>,
    next: Option<Url>,
}

impl AzureKv {
    pub(crate) async fn look_up(&self, wanted: &[Wanted]) -> Result<Inventory> {
        let mut inventory = Inventory::new();
        if wanted.is_empty() {
            return Ok(inventory);
        }
        self.proven().await?;
        if let [one] = wanted
            && is_looked_into(one)
        {
            // A list of all others would tell nothing of it.
            inventory = self.look_at_each(wanted).await?;
            self.find_deleted(wanted, &mut inventory).await?;
            return Ok(inventory);
        }
        let listed = match self.list(whole(Call::GetSecrets)).await {
            Ok(listed) => by_name(listed),
            Err(err) if err.kind() == ErrorKind::Denied => {
                self.note(UNLISTED.to_owned());
                inventory = self.look_at_each(wanted).await?;
                self.find_deleted(wanted, &mut inventory).await?;
                return Ok(inventory);
            }
            Err(err) => return Err(err),
        };
        for wanted in wanted {
            let found = listed.get(&lowered(&wanted.name));
            let presence = found.map_or(Presence::Absent, |listed| self.presence(wanted, listed));
            inventory.insert(wanted.name.clone(), presence);
        }
        self.find_deleted(wanted, &mut inventory).await?;
        self.look_into(wanted, &mut inventory).await?;
        self.look_closer(wanted, &listed, &mut inventory).await?;
        Ok(inventory)
    }

    /// Tells what was deleted from what was never there, unless nobody wants to know.
    async fn find_deleted(&self, wanted: &[Wanted], inventory: &mut Inventory) -> Result<()> {
        let absent = |wanted: &&Wanted| inventory.get(&wanted.name) == Some(&Presence::Absent);
        let absent: Vec<&Wanted> = wanted.iter().filter(absent).collect();
        if absent.is_empty() || wanted.iter().all(|wanted| wanted.depth == Depth::Quick) {
            return Ok(());
        }
        let deleted = match self.list(whole(Call::GetDeletedSecrets)).await {
            Ok(deleted) => by_name(deleted),
            Err(err) if err.kind() == ErrorKind::Denied => {
                self.note(UNKNOWN_DELETED.to_owned());
                return Ok(());
            }
            Err(err) => return Err(err),
        };
        for wanted in absent {
            if let Some(gone) = deleted.get(&lowered(&wanted.name)) {
                let until = gone.purged.and_then(day);
                inventory.insert(wanted.name.clone(), Presence::Deleted { until });
            }
        }
        Ok(())
    }

    /// What keeps it from being read under the name that is wanted, if anything does.
    fn state(&self, wanted: &Wanted, listed: &Listed) -> Option<Presence> {
        let reason = if listed.name == wanted.name.as_str() {
            listed.unreadable(self.clock.now())?
        } else {
            format!(
                "it is stored as `{}`, and Key Vault takes names that differ only in case for one",
                listed.name
            )
        };
        Some(Presence::Disabled { reason })
    }

    fn presence(&self, wanted: &Wanted, listed: &Listed) -> Presence {
        if let Some(state) = self.state(wanted, listed) {
            return state;
        }
        let version = match self.recall(&wanted.name, &listed.look) {
            Some(id) => Version::new(id),
            None => listed.look.version(),
        };
        Presence::Present {
            version,
            // Any text is one value, so nobody needs to read it.
            shape: if wanted.fields.is_empty() {
                Shape::Single
            } else {
                Shape::NotRead
            },
        }
    }

    /// Reads the entries whose fields are asked for, and keeps only the names of the fields.
    async fn look_into(&self, wanted: &[Wanted], inventory: &mut Inventory) -> Result<()> {
        let several = wanted.iter().filter(|wanted| {
            let present = matches!(inventory.get(&wanted.name), Some(Presence::Present { .. }));
            present && is_looked_into(wanted)
        });
        let looks: Vec<_> = several.map(|one| self.alone(one, gone())).collect();
        for (name, presence) in together(looks, self.at_once()).await? {
            inventory.insert(name, presence);
        }
        Ok(())
    }

    async fn look_at_each(&self, wanted: &[Wanted]) -> Result<Inventory> {
        let looks: Vec<_> = wanted
            .iter()
            .map(|one| self.alone(one, Presence::Absent))
            .collect();
        let looked = together(looks, self.at_once()).await?;
        let mut inventory = looked.into_iter().collect();
        self.look_closer(wanted, &BTreeMap::new(), &mut inventory)
            .await?;
        Ok(inventory)
    }

    /// What one name is, in the service's own words. `missing` is what it means that nothing is found.
    async fn alone(&self, wanted: &Wanted, missing: Presence) -> Result<(SecretName, Presence)> {
        let presence = match self.fetch(Operation::Inventory, &wanted.name, None).await {
            Ok(stored) => {
                let version = Version::new(stored.version.clone());
                let listed = stored.listed();
                match self.state(wanted, &listed) {
                    Some(state) => state,
                    None => Presence::Present {
                        version,
                        shape: match document::decode_fields(&stored.value) {
                            Ok(fields) if !wanted.fields.is_empty() => {
                                let names = fields.iter().map(|(name, _)| name.to_owned());
                                Shape::Fields(names.collect::<BTreeSet<_>>())
                            }
                            Ok(_) | Err(_) => Shape::Single,
                        },
                    },
                }
            }
            Err(err) => unseen(err, missing)?,
        };
        Ok((wanted.name.clone(), presence))
    }

    /// All items of a list. It is complete, or an error.
    pub(crate) async fn list(&self, purpose: Purpose<'_>) -> Result<Vec<Listed>> {
        let mut items = Vec::new();
        let mut next: Option<Url> = None;
        let mut seen = BTreeSet::new();
        loop {
            let page = self.page(purpose, next.as_ref(), None).await?;
            items.extend(page.items);
            let Some(following) = page.next else {
                return Ok(items);
            };
            if !seen.insert(following.to_string()) {
                let call = purpose.call.as_str();
                let message = format!("{call} gives the same page again and again");
                return Err(purpose.error(ErrorKind::Unexpected, message));
            }
            next = Some(following);
        }
    }

    /// One page of a list, as one request.
    pub(crate) async fn page(
        &self,
        purpose: Purpose<'_>,
        from: Option<&Url>,
        most: Option<i32>,
    ) -> Result<Page> {
        self.look(purpose, || async move {
            let method_options = PagerOptions {
                continuation: from.cloned().map(PagerContinuation::Link),
                ..PagerOptions::default()
            };
            match purpose.call {
                Call::GetDeletedSecrets => {
                    let options = SecretClientListDeletedSecretPropertiesOptions {
                        maxresults: most,
                        method_options,
                    };
                    let pager = self.client.list_deleted_secret_properties(Some(options));
                    self.first(purpose, pager.map(Pager::into_pages)).await
                }
                Call::GetSecretVersions => {
                    let options = SecretClientListSecretPropertiesVersionsOptions {
                        maxresults: most,
                        method_options,
                    };
                    let name = purpose.name.map(SecretName::as_str).unwrap_or_default();
                    let pager = self
                        .client
                        .list_secret_properties_versions(name, Some(options));
                    self.first(purpose, pager.map(Pager::into_pages)).await
                }
                Call::GetSecrets
                | Call::GetSecret
                | Call::RecoverDeletedSecret
                | Call::SetSecret => {
                    let options = SecretClientListSecretPropertiesOptions {
                        maxresults: most,
                        method_options,
                    };
                    let pager = self.client.list_secret_properties(Some(options));
                    self.first(purpose, pager.map(Pager::into_pages)).await
                }
            }
        })
        .await
    }

    async fn first<M: Send>(
        &self,
        purpose: Purpose<'_>,
        pages: azure_core::Result<PageIterator<Response<M>>>,
    ) -> Result<Page> {
        let mut pages = pages.map_err(|err| purpose.failed(&err))?;
        let page = pages.try_next().await;
        let page = page.map_err(|err| purpose.failed(&err))?;
        let (_, _, body) = page.ok_or_else(|| purpose.not_understood())?.deconstruct();
        // Read here, because the libraries take an answer without a list for an empty one.
        let body: Value =
            serde_json::from_slice(body.as_ref()).map_err(|_| purpose.not_understood())?;
        let items = body.get("value").and_then(Value::as_array);
        let items = items.ok_or_else(|| purpose.not_understood())?;
        let items: Option<Vec<Listed>> = items.iter().map(Listed::of).collect();
        let items = items.ok_or_else(|| purpose.not_understood())?;
        let next = body.get("nextLink").and_then(Value::as_str);
        let next = next.filter(|link| !link.is_empty());
        let next = next.map(|link| self.client.endpoint().join(link));
        let next = next.transpose().map_err(|_| purpose.not_understood())?;
        Ok(Page { items, next })
    }
}

impl Listed {
    fn of(item: &Value) -> Option<Self> {
        let (name, version) = parts(item.get("id")?.as_str()?)?;
        let attributes = item.get("attributes")?;
        let time = |name: &str| attributes.get(name).and_then(Value::as_i64);
        let tag = item
            .get("tags")
            .and_then(|tags| tags.get(claim::TAG)?.as_str());
        Some(Self {
            name,
            version,
            look: Look {
                created: time("created")?,
                updated: time("updated")?,
                claim: tag.map(str::to_owned),
            },
            enabled: attributes
                .get("enabled")
                .and_then(Value::as_bool)
                .unwrap_or(true),
            expires: time("exp"),
            not_before: time("nbf"),
            purged: item.get("scheduledPurgeDate").and_then(Value::as_i64),
        })
    }

    pub(crate) fn with(
        name: String,
        look: Look,
        enabled: bool,
        expires: Option<i64>,
        not_before: Option<i64>,
    ) -> Self {
        Self {
            name,
            version: None,
            look,
            enabled,
            expires,
            not_before,
            purged: None,
        }
    }

    /// Why a consumer could not use it, if so.
    fn unreadable(&self, now: i64) -> Option<String> {
        if !self.enabled {
            return Some("it is disabled".to_owned());
        }
        let at = |time: i64| day(time).map_or_else(String::new, |day| format!(" on {day}"));
        if let Some(expires) = self.expires.filter(|time| *time <= now) {
            return Some(format!("it expired{}", at(expires)));
        }
        let begins = self.not_before.filter(|time| *time > now)?;
        Some(format!("it becomes valid{}", at(begins)))
    }
}

impl Look {
    /// A version whose id nobody has told.
    pub(crate) fn version(&self) -> Version {
        let claim = self.claim.as_deref().unwrap_or_default();
        Version::new(format!("{}-{}-{claim}", self.created, self.updated))
    }
}

/// The name, and the version where there is one, of `https://VAULT/secrets/NAME/VERSION`.
pub(crate) fn parts(id: &str) -> Option<(String, Option<String>)> {
    let url = Url::parse(id).ok()?;
    let mut segments = url.path_segments()?;
    let collection = segments.next()?;
    if !matches!(collection, "secrets" | "deletedsecrets") {
        return None;
    }
    let name = segments.next().filter(|name| !name.is_empty())?;
    let version = segments.next().filter(|version| !version.is_empty());
    Some((name.to_owned(), version.map(str::to_owned)))
}

/// Whether its fields are asked for.
fn is_looked_into(wanted: &Wanted) -> bool {
    wanted.depth == Depth::Fields && !wanted.fields.is_empty()
}

fn whole(call: Call) -> Purpose<'static> {
    Purpose {
        operation: Operation::Inventory,
        name: None,
        call,
    }
}

pub(crate) fn gone() -> Presence {
    Presence::Unknown {
        reason: "it was there a moment ago, and is not there now; run it again".to_owned(),
    }
}

/// Makes calls, so many at a time.
pub(crate) async fn together<T>(
    calls: Vec<impl Future<Output = Result<T>>>,
    at_once: usize,
) -> Result<Vec<T>> {
    stream::iter(calls)
        .buffer_unordered(at_once)
        .try_collect()
        .await
}

fn by_name(listed: Vec<Listed>) -> BTreeMap<String, Listed> {
    let named = listed.into_iter();
    named
        .map(|listed| (listed.name.to_ascii_lowercase(), listed))
        .collect()
}

pub(crate) fn lowered(name: &SecretName) -> String {
    name.as_str().to_ascii_lowercase()
}

fn day(time: i64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(time).ok()?;
    let text = to_rfc3339(&time);
    text.split_once('T').map(|(day, _)| day.to_owned())
}

/// What an error about one name says about it. `missing` is what it means that the service finds nothing.
pub(crate) fn unseen(err: Error, missing: Presence) -> Result<Presence> {
    let id = err.request_id().map(|id| format!(" (request id {id})"));
    let reason = format!("{}{}", err.message(), id.unwrap_or_default());
    match err.kind() {
        ErrorKind::NotFound => Ok(missing),
        ErrorKind::Denied => Ok(Presence::Hidden { reason }),
        ErrorKind::Conflict => Ok(Presence::Disabled {
            reason: "it is disabled".to_owned(),
        }),
        // Nobody else can be looked up either.
        ErrorKind::Unauthenticated | ErrorKind::Misplaced => Err(err),
        ErrorKind::AlreadyExists
        | ErrorKind::Indeterminate
        | ErrorKind::Invalid
        | ErrorKind::RateLimited { .. }
        | ErrorKind::Unavailable
        | ErrorKind::Unexpected
        | ErrorKind::Unsupported
        | ErrorKind::WrongShape => Ok(Presence::Unknown { reason }),
    }
}

const UNLISTED: &str =
    "listing secrets is denied; each name is looked up by itself, with its value";
const UNKNOWN_DELETED: &str = "listing deleted secrets is denied; a name that is held by a deleted secret shows only when it is written";
