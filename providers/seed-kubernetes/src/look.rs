//! Looking: one list for all, or one by one where the list is denied. Values do not get past the reader of an answer.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use seed_core::inventory::{Depth, Inventory, Presence, Shape, Version, Wanted};
use seed_core::name::SecretName;
use seed_provider::{Error, ErrorKind, Operation, Result};

use crate::backend::Kubernetes;
use crate::cluster::Call;
use crate::object::{Dropped, Metadata, Page, SINGLE, Secret};
use crate::owner;

impl Kubernetes {
    pub(crate) async fn look(&self, wanted: &[Wanted]) -> Result<Inventory> {
        if self.is_void().await? {
            let absent = |wanted: &Wanted| (wanted.name.clone(), Presence::Absent);
            return Ok(wanted.iter().map(absent).collect());
        }
        match wanted {
            [] => Ok(Inventory::new()),
            // One name is one small answer, however much else there is.
            [one] => {
                let presence = self.look_at(one).await;
                Ok([(one.name.clone(), presence?)].into_iter().collect())
            }
            several => match self.look_at_all(several).await? {
                Some(found) => Ok(found),
                None => self.look_one_by_one(several).await,
            },
        }
    }

    /// Lists the namespace; `None` when that is denied.
    async fn look_at_all(&self, wanted: &[Wanted]) -> Result<Option<Inventory>> {
        let names: BTreeSet<&str> = wanted.iter().map(|it| it.name.as_str()).collect();
        let quick = wanted.iter().all(|it| it.depth == Depth::Quick);
        let mut restarts = 0;
        let mut found = HashMap::new();
        // A server that gives a page twice would never come to an end.
        let mut seen = HashSet::new();
        let mut next = String::new();
        loop {
            let call = self.list(quick, &next);
            let answer = self.cluster.send(&call).await?;
            if answer.says_forbidden() && next.is_empty() {
                self.note(format!(
                    "`list` on secrets is denied in the namespace `{}`; each name was looked up with `get` instead",
                    self.namespace
                ));
                return Ok(None);
            }
            if answer.says_expired() && restarts < RESTARTS {
                // What was listed so far is of a time that the server has forgotten.
                restarts += 1;
                found.clear();
                seen.clear();
                next.clear();
                continue;
            }
            let page: Page = self.cluster.object(&call, &answer)?;
            let whole = page.metadata.is_whole() && seen.insert(page.metadata.next.clone());
            let ours = |secret: &Secret<_>| secret.metadata.namespace == self.namespace;
            let right = page.kind == if quick { PARTIAL_LIST } else { LIST };
            if !right || !whole || !page.items.iter().all(ours) {
                return Err(self.cluster.unreadable(&call, &answer));
            }
            for secret in page.items {
                if names.contains(secret.metadata.name.as_str()) {
                    found.insert(secret.metadata.name.clone(), secret);
                }
            }
            if page.metadata.next.is_empty() {
                break;
            }
            next = page.metadata.next;
        }
        let presence = |wanted: &Wanted| match found.get(wanted.name.as_str()) {
            Some(secret) => presence(self.kind_of(wanted.name.as_str()), secret, wanted),
            None => Presence::Absent,
        };
        let all = wanted.iter().map(|it| (it.name.clone(), presence(it)));
        Ok(Some(all.collect()))
    }

    fn list(&self, quick: bool, next: &str) -> Call {
        let mut path = format!("{}?limit={PAGE}", self.path());
        if !next.is_empty() {
            path.push_str("&continue=");
            path.push_str(&escaped(next));
        }
        let call = Call::get(Operation::Inventory, path).needing(self.needs("list"));
        if quick { call.metadata_only() } else { call }
    }

    async fn look_one_by_one(&self, wanted: &[Wanted]) -> Result<Inventory> {
        let looks: Vec<_> = wanted.iter().map(|it| self.look_safely(it)).collect();
        let answers: Vec<_> = stream::iter(looks)
            .buffer_unordered(self.cluster.concurrency())
            .try_collect()
            .await?;
        if answers.iter().all(|(_, _, failed)| failed.is_some())
            && let Some(failed) = answers.iter().find_map(|(_, _, failed)| failed.clone())
        {
            return Err(failed);
        }
        let kept = answers
            .into_iter()
            .map(|(name, presence, _)| (name, presence));
        Ok(kept.collect())
    }

    /// Looks at one of many. What fails for it alone is its own; without a credential nothing is learnt from others.
    async fn look_safely(&self, wanted: &Wanted) -> Result<(SecretName, Presence, Option<Error>)> {
        let name = wanted.name.clone();
        match self.look_at(wanted).await {
            Ok(presence) => Ok((name, presence, None)),
            Err(err) if err.kind() == ErrorKind::Unauthenticated => Err(err),
            Err(err) => {
                let reason = reason(&err);
                Ok((name, Presence::Unknown { reason }, Some(err)))
            }
        }
    }

    /// Looks at one name. Being denied is an answer.
    async fn look_at(&self, wanted: &Wanted) -> Result<Presence> {
        let call = self.get(Operation::Inventory, &wanted.name);
        let quick = wanted.depth == Depth::Quick;
        let call = if quick { call.metadata_only() } else { call };
        let answer = self.cluster.send(&call).await?;
        if answer.says_not_found("secrets", wanted.name.as_str()) {
            return Ok(Presence::Absent);
        }
        if answer.status == 403 {
            let denied = self.cluster.refusal(&call, &answer);
            return Ok(Presence::Hidden {
                reason: reason(&denied),
            });
        }
        let secret: Secret<Dropped> = self.cluster.object(&call, &answer)?;
        let kind = if quick { PARTIAL } else { ONE };
        let Metadata {
            name, namespace, ..
        } = &secret.metadata;
        let ours = *name == wanted.name.as_str() && *namespace == self.namespace;
        if secret.kind.as_deref() != Some(kind) || !ours {
            return Err(self.cluster.unreadable(&call, &answer));
        }
        Ok(presence(
            self.kind_of(wanted.name.as_str()),
            &secret,
            wanted,
        ))
    }
}

/// What a Secret of this type is to somebody who wants something of it.
fn presence(kind: &str, secret: &Secret<Dropped>, wanted: &Wanted) -> Presence {
    if owner::is_going(&secret.metadata) {
        let reason = format!("it {}", owner::GOING);
        return Presence::Disabled { reason };
    }
    if wanted.depth == Depth::Quick {
        return Presence::Exists;
    }
    let keys = secret.keys();
    let fields = wanted.fields.iter().map(|field| field.as_str().to_owned());
    let missing: Vec<String> = fields.filter(|field| !keys.contains(field)).collect();
    if !missing.is_empty()
        && let Some(why) = owner::refuses(secret, kind)
    {
        let missing = missing.join("`, `");
        let reason = format!("it {why}, and has no `{missing}`, which seed does not add there");
        return Presence::Disabled { reason };
    }
    let version = Version::new(secret.metadata.resource_version.clone());
    if keys.is_empty() && !wanted.fields.is_empty() {
        return Presence::Empty { version };
    }
    let single = wanted.fields.is_empty() && keys.iter().eq([SINGLE]);
    let shape = if single {
        Shape::Single
    } else {
        Shape::Fields(keys)
    };
    Presence::Present { version, shape }
}

fn reason(err: &Error) -> String {
    match err.request_id() {
        Some(id) => format!("{} (request id {id})", err.message()),
        None => err.message().to_owned(),
    }
}

/// A token of the server's for a query: base64 today, anything tomorrow.
fn escaped(token: &str) -> String {
    token
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// How many Secrets are asked for at once, as kubectl does.
const PAGE: usize = 500;

/// How often a list that became too old is begun again.
const RESTARTS: usize = 3;

const ONE: &str = "Secret";
const LIST: &str = "SecretList";
const PARTIAL: &str = "PartialObjectMetadata";
const PARTIAL_LIST: &str = "PartialObjectMetadataList";
