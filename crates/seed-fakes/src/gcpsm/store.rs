//! What is stored, whatever it is asked over.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::clock::Clock;
use super::filter;
use super::status::{
    ALREADY_EXISTS, FAILED_PRECONDITION, INVALID_ARGUMENT, NOT_FOUND, Reply, refuse,
};

/// One store: global secrets of a project, or those of one location.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) secrets: BTreeMap<String, Secret>,
    pub(super) clock: Clock,
    /// What resources are named with: the project, or its number, and the location.
    pub(super) parent: String,
    pub(super) regional: bool,
    pub(super) drawn: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Secret {
    pub(super) created: SystemTime,
    pub(super) etag: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) replication: Option<Replication>,
    pub(super) key: Option<String>,
    /// The oldest first: the number is the place, counted from 1.
    pub(super) versions: Vec<Version>,
}

/// Where copies are, and the keys that they are encrypted with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Replication {
    Automatic(Option<String>),
    UserManaged(Vec<(String, Option<String>)>),
}

#[derive(Clone)]
pub(super) struct Version {
    pub(super) created: SystemTime,
    pub(super) destroyed: Option<SystemTime>,
    pub(super) etag: String,
    pub(super) state: State,
    pub(super) data: Vec<u8>,
    pub(super) checked: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    Enabled,
    Disabled,
    Destroyed,
}

impl State {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
            Self::Destroyed => "DESTROYED",
        }
    }

    pub(super) fn number(self) -> i32 {
        match self {
            Self::Enabled => 1,
            Self::Disabled => 2,
            Self::Destroyed => 3,
        }
    }
}

/// An allow-list: a version has a value.
impl std::fmt::Debug for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Version")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// What a caller may say of a secret.
#[derive(Debug, Default)]
pub(super) struct Wish {
    pub(super) etag: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) replication: Option<Replication>,
    pub(super) key: Option<String>,
}

/// Some of a list, what comes after it, and how many there are.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
    /// Nothing where a filter was given.
    pub(super) total: Option<usize>,
}

impl Store {
    pub(super) fn name(&self, id: &str) -> String {
        format!("{}/secrets/{id}", self.parent)
    }

    /// An id of one request.
    pub(super) fn new_id(&mut self) -> String {
        self.drawn += 1;
        format!("{:016x}", self.drawn)
    }

    pub(super) fn new_etag(&mut self) -> String {
        self.drawn += 1;
        format!("\"{:012x}\"", self.drawn)
    }

    pub(super) fn create(&mut self, id: &str, wish: Wish) -> Reply<&Secret> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !(1..=255).contains(&id.len()) || !id.chars().all(plain) {
            return refuse(
                INVALID_ARGUMENT,
                "The provided Secret ID does not match the expected format [[a-zA-Z_0-9]+].",
            );
        }
        match (&wish.replication, self.regional) {
            (None, false) => {
                return refuse(
                    INVALID_ARGUMENT,
                    "The field [secret.replication] is required.",
                );
            }
            (Some(_), true) => {
                return refuse(
                    INVALID_ARGUMENT,
                    "Replication must not be set for regional secrets.",
                );
            }
            (Some(Replication::UserManaged(copies)), false) if copies.is_empty() => {
                return refuse(INVALID_ARGUMENT, "At least one replica is required.");
            }
            (Some(_), false) | (None, true) => {}
        }
        check_labels(&wish.labels)?;
        check_annotations(&wish.annotations)?;
        if self.secrets.contains_key(id) {
            return refuse(
                ALREADY_EXISTS,
                format!("Secret [{}] already exists.", self.name(id)),
            );
        }
        let secret = Secret {
            created: self.clock.now(),
            etag: self.new_etag(),
            labels: wish.labels,
            annotations: wish.annotations,
            replication: wish.replication,
            key: wish.key,
            versions: Vec::new(),
        };
        Ok(self.secrets.entry(id.to_owned()).or_insert(secret))
    }

    pub(super) fn get(&self, id: &str) -> Reply<&Secret> {
        match self.secrets.get(id) {
            Some(secret) => Ok(secret),
            None => refuse(NOT_FOUND, format!("Secret [{}] not found.", self.name(id))),
        }
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Reply<&mut Secret> {
        let missing = format!("Secret [{}] not found.", self.name(id));
        match self.secrets.get_mut(id) {
            Some(secret) => Ok(secret),
            None => refuse(NOT_FOUND, missing),
        }
    }

    /// Changes what the mask names. The etag is checked where one is given, and is another one afterwards.
    pub(super) fn update(&mut self, id: &str, mask: &[&str], wish: Wish) -> Reply<&Secret> {
        if mask.is_empty() {
            return refuse(INVALID_ARGUMENT, "The field [update_mask] is required.");
        }
        if let Some(field) = mask
            .iter()
            .find(|field| !["labels", "annotations"].contains(*field))
        {
            return refuse(
                INVALID_ARGUMENT,
                format!("The field [{field}] cannot be updated."),
            );
        }
        check_labels(&wish.labels)?;
        check_annotations(&wish.annotations)?;
        check_etag(&wish.etag, &self.get(id)?.etag)?;
        let etag = self.new_etag();
        let secret = self.get_mut(id)?;
        secret.etag = etag;
        if mask.contains(&"labels") {
            secret.labels = wish.labels;
        }
        if mask.contains(&"annotations") {
            secret.annotations = wish.annotations;
        }
        Ok(secret)
    }

    pub(super) fn delete(&mut self, id: &str, etag: &str) -> Reply<()> {
        check_etag(etag, &self.get(id)?.etag)?;
        self.secrets.remove(id);
        Ok(())
    }

    /// A page of secrets, by name. A page's token is the last name on it, so that what comes and goes shifts nothing.
    pub(super) fn list(&self, size: i64, token: &str, wanted: &str) -> Reply<Page<&str>> {
        let size = page_size(size)?;
        let after = match token.split_once('/') {
            Some(("after", id)) => Some(id),
            None if token.is_empty() => None,
            Some(_) | None => return refuse(INVALID_ARGUMENT, "The page token is invalid."),
        };
        let mut matching = Vec::new();
        for (id, secret) in &self.secrets {
            if filter::secret(wanted, id, secret)? {
                matching.push(id.as_str());
            }
        }
        let total = wanted.is_empty().then_some(matching.len());
        matching.retain(|id| after.is_none_or(|after| *id > after));
        let more = matching.len() > size;
        matching.truncate(size);
        let next = matching
            .last()
            .filter(|_| more)
            .map(|last| format!("after/{last}"));
        Ok(Page {
            items: matching,
            next,
            total,
        })
    }
}

pub(super) fn page_size(asked: i64) -> Reply<usize> {
    match usize::try_from(asked) {
        Ok(0) => Ok(PAGE),
        Ok(size) => Ok(size.min(PAGE)),
        Err(_) => refuse(INVALID_ARGUMENT, "The page size must not be negative."),
    }
}

const PAGE: usize = 25_000;

pub(super) fn check_etag(given: &str, current: &str) -> Reply<()> {
    if given.is_empty() || given == current {
        return Ok(());
    }
    refuse(
        FAILED_PRECONDITION,
        "The etag provided in the request does not match the resource's current etag.",
    )
}

fn check_labels(labels: &BTreeMap<String, String>) -> Reply<()> {
    let rest = |c: char| {
        c.is_lowercase()
            || c.is_numeric()
            || c == '_'
            || c == '-'
            || (c.is_alphabetic() && !c.is_uppercase())
    };
    let begins = |key: &str| key.starts_with(|c: char| c.is_alphabetic() && !c.is_uppercase());
    let sound = labels.iter().all(|(key, value)| {
        begins(key)
            && key.chars().count() <= 63
            && key.chars().all(rest)
            && value.chars().count() <= 63
            && value.chars().all(rest)
    });
    if labels.len() <= 64 && sound {
        return Ok(());
    }
    refuse(INVALID_ARGUMENT, "The field [secret.labels] is invalid.")
}

fn check_annotations(annotations: &BTreeMap<String, String>) -> Reply<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let sound = annotations.keys().all(|key| {
        key.len() <= 63
            && key.chars().all(plain)
            && ends(key.chars().next())
            && ends(key.chars().last())
    });
    let size: usize = annotations
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    if sound && size <= 16 * 1024 {
        return Ok(());
    }
    refuse(
        INVALID_ARGUMENT,
        "The field [secret.annotations] is invalid.",
    )
}
