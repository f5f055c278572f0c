//! The calls about one secret.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::listing;
use super::refusal::{Refusal, Reply};
use super::store::{DAYS, Deleted, Secret, StoredVersion, Time};

#[derive(Default)]
pub(super) struct State {
    /// By the lowered name.
    pub(super) secrets: BTreeMap<String, Secret>,
    /// What lists show while they lag.
    pub(super) lagging: Option<BTreeMap<String, Secret>>,
    pub(super) denied: BTreeSet<(String, Option<String>)>,
    pub(super) tokens: BTreeSet<String>,
    pub(super) time: Time,
    pub(super) purge_protected: bool,
    /// How many looks do not show what was recovered.
    pub(super) recovery: u32,
    pub(super) drawn: u64,
    /// How many requests came.
    pub(super) requests: u64,
}

/// What is stored under a name with one new version.
pub(super) struct New<'a> {
    pub(super) value: &'a str,
    pub(super) content_type: Option<&'a str>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) attributes: &'a Value,
}

impl State {
    pub(super) fn next_id(&mut self) -> String {
        self.drawn += 1;
        // Any permutation of 64 bits will do: ids tell nothing about the order.
        let mixed = self
            .drawn
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
        format!(
            "{mixed:016x}{:016x}",
            mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9)
        )
    }

    /// The version that is asked for, whether or not it may be read.
    fn version(&mut self, name: &str, version: &str) -> Result<(String, StoredVersion), Refusal> {
        let missing = || Refusal::missing(name);
        let secret = self.secrets.get_mut(&name.to_ascii_lowercase());
        let secret = secret.ok_or_else(missing)?;
        if secret.returning > 0 {
            secret.returning -= 1;
            return Err(missing());
        }
        if secret.deleted.is_some() {
            return Err(missing());
        }
        let found = if version.is_empty() {
            secret.versions.last()
        } else {
            secret.versions.iter().find(|known| known.id == version)
        };
        let found = found.ok_or_else(missing)?;
        Ok((secret.name.clone(), found.clone()))
    }

    pub(super) fn value(&mut self, name: &str, version: &str, base: &str) -> Reply {
        let (name, version) = self.version(name, version)?;
        if !version.enabled {
            let message = "Operation get is not allowed on a disabled secret.";
            return Err(Refusal::forbidden("SecretDisabled", message));
        }
        let mut told = version.properties(format!("{base}/secrets/{name}/{}", version.id));
        told.insert("value".to_owned(), json!(version.value));
        Ok((200, Value::Object(told)))
    }

    pub(super) fn set(&mut self, name: &str, body: &Value, base: &str) -> Reply {
        let Some(value) = body.get("value").and_then(Value::as_str) else {
            return Err(Refusal::parameter(
                "Property secret value is null or missing",
            ));
        };
        if value.len() > 25_600 {
            let message = "Property value exceeds the maximum length of 25600 bytes";
            return Err(Refusal::parameter(message));
        }
        let tags = tags(body)?.unwrap_or_default();
        self.writable(name)?;
        let id = self.add(
            name,
            New {
                value,
                content_type: body.get("contentType").and_then(Value::as_str),
                tags,
                attributes: body.get("attributes").unwrap_or(&Value::Null),
            },
        );
        let (name, version) = self.version(name, &id)?;
        let mut told = version.properties(format!("{base}/secrets/{name}/{id}"));
        told.insert("value".to_owned(), json!(version.value));
        Ok((200, Value::Object(told)))
    }

    fn writable(&self, name: &str) -> Result<(), Refusal> {
        let Some(secret) = self.secrets.get(&name.to_ascii_lowercase()) else {
            return Ok(());
        };
        if secret.deleted.is_some() {
            return Err(Refusal::conflict(
                "ObjectIsDeletedButRecoverable",
                format!(
                    "Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged."
                ),
            ));
        }
        if secret.returning > 0 {
            return Err(Refusal::conflict(
                "ObjectIsBeingRecovered",
                format!(
                    "Secret {name} is currently being recovered and cannot be used; retry later."
                ),
            ));
        }
        Ok(())
    }

    /// Adds a version without any check, and gives its id.
    pub(super) fn add(&mut self, name: &str, new: New<'_>) -> String {
        let id = self.next_id();
        let now = self.time.now();
        let time = |name: &str| new.attributes.get(name).and_then(Value::as_i64);
        let enabled = new.attributes.get("enabled").and_then(Value::as_bool);
        let version = StoredVersion {
            id: id.clone(),
            value: new.value.to_owned(),
            content_type: new.content_type.map(str::to_owned),
            expires: time("exp"),
            not_before: time("nbf"),
            enabled: enabled.unwrap_or(true),
            tags: new.tags,
            created: now,
            updated: now,
        };
        let lowered = name.to_ascii_lowercase();
        let secret = self.secrets.entry(lowered).or_insert_with(|| Secret {
            name: name.to_owned(),
            versions: Vec::new(),
            deleted: None,
            returning: 0,
        });
        secret.versions.push(version);
        id
    }

    pub(super) fn update(&mut self, name: &str, version: &str, body: &Value, base: &str) -> Reply {
        let (shown, found) = self.version(name, version)?;
        let new_tags = tags(body)?;
        let now = self.time.now();
        let attributes = body.get("attributes").unwrap_or(&Value::Null);
        let secret = self.secrets.get_mut(&name.to_ascii_lowercase());
        let mut versions = secret.into_iter().flat_map(|secret| &mut secret.versions);
        let Some(stored) = versions.find(|known| known.id == found.id) else {
            return Err(Refusal::missing(name));
        };
        if let Some(enabled) = attributes.get("enabled").and_then(Value::as_bool) {
            stored.enabled = enabled;
        }
        if let Some(time) = attributes.get("exp").and_then(Value::as_i64) {
            stored.expires = Some(time);
        }
        if let Some(time) = attributes.get("nbf").and_then(Value::as_i64) {
            stored.not_before = Some(time);
        }
        if let Some(kind) = body.get("contentType").and_then(Value::as_str) {
            stored.content_type = Some(kind.to_owned());
        }
        if let Some(tags) = new_tags {
            stored.tags = tags;
        }
        stored.updated = now;
        let told = stored.properties(format!("{base}/secrets/{shown}/{}", stored.id));
        Ok((200, Value::Object(told)))
    }

    pub(super) fn delete(&mut self, name: &str, base: &str) -> Reply {
        self.version(name, "")?;
        let at = self.time.now();
        let purged = at + DAYS * 86_400;
        let secret = self.secrets.get_mut(&name.to_ascii_lowercase());
        let secret = secret.ok_or_else(|| Refusal::missing(name))?;
        secret.deleted = Some(Deleted { at, purged });
        let told = listing::gone(secret, base).unwrap_or_default();
        Ok((200, told))
    }

    pub(super) fn deleted(&self, name: &str, base: &str) -> Reply {
        let secret = self.secrets.get(&name.to_ascii_lowercase());
        let told = secret.and_then(|secret| listing::gone(secret, base));
        told.map(|told| (200, told))
            .ok_or_else(|| Refusal::missing(name))
    }

    pub(super) fn recover(&mut self, name: &str, base: &str) -> Reply {
        let recovery = self.recovery;
        let secret = self.secrets.get_mut(&name.to_ascii_lowercase());
        let secret = secret.filter(|secret| secret.deleted.is_some());
        let secret = secret.ok_or_else(|| Refusal::missing(name))?;
        secret.deleted = None;
        secret.returning = recovery;
        let id = format!("{base}/secrets/{}", secret.name);
        let told = secret.versions.last().map(|last| last.properties(id));
        Ok((200, Value::Object(told.unwrap_or_default())))
    }

    pub(super) fn purge(&mut self, name: &str) -> Reply {
        let lowered = name.to_ascii_lowercase();
        let secret = self.secrets.get(&lowered);
        if secret.is_none_or(|secret| secret.deleted.is_none()) {
            return Err(Refusal::missing(name));
        }
        if self.purge_protected {
            let message = "Operation \"purge\" is not allowed because purge protection is enabled for this vault.";
            return Err(Refusal::forbidden("PurgeProtectionEnabled", message));
        }
        self.secrets.remove(&lowered);
        Ok((204, Value::Null))
    }

    /// Why the caller may not do that, if so.
    pub(super) fn denial(&self, operation: &str, name: Option<&str>) -> Option<Refusal> {
        let denied = |name: Option<&str>| {
            let what = (operation.to_owned(), name.map(str::to_owned));
            self.denied.contains(&what)
        };
        (denied(None) || name.is_some_and(|name| denied(Some(name)))).then(|| {
            Refusal::forbidden("ForbiddenByRbac", format!("Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nAction: 'Microsoft.KeyVault/vaults/secrets/{operation}'"))
        })
    }
}

fn tags(body: &Value) -> Result<Option<BTreeMap<String, String>>, Refusal> {
    let Some(tags) = body.get("tags").and_then(Value::as_object) else {
        return Ok(None);
    };
    if tags.len() > 15 {
        let message = "The number of tags must not exceed 15";
        return Err(Refusal::parameter(message));
    }
    let mut taken = BTreeMap::new();
    for (name, value) in tags {
        let value = value.as_str().unwrap_or_default();
        if name.is_empty() || name.len() > 256 || value.len() > 256 {
            return Err(Refusal::parameter("A tag has more than 256 characters"));
        }
        taken.insert(name.clone(), value.to_owned());
    }
    Ok(Some(taken))
}
