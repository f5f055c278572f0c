//! What one mount keeps: entries, and their versions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::json;

/// A mount of the KV engine.
#[derive(Debug, Default)]
pub(super) struct Mount {
    /// 2, or 1, which overwrites.
    pub(super) version: u8,
    pub(super) entries: BTreeMap<String, Entry>,
}

#[derive(Clone, Default)]
pub(super) struct Entry {
    /// Version N is at N - 1.
    versions: Vec<Kept>,
}

/// An allow-list: it holds values.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("versions", &self.versions.len())
            .finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Kept {
    data: Option<Value>,
    created: String,
    deleted: String,
    destroyed: bool,
}

impl Kept {
    fn can_be_read(&self) -> bool {
        self.deleted.is_empty() && !self.destroyed
    }

    fn metadata(&self, version: usize) -> Value {
        json!({
            "created_time": self.created, "custom_metadata": null, "deletion_time": self.deleted,
            "destroyed": self.destroyed, "version": version,
        })
    }
}

/// What came of a call, before it is an answer.
pub(super) enum Outcome {
    /// 200 with this text under `data`.
    Data(String),
    /// 404 with this text under `data`.
    Gone(String),
    Done,
    /// 404 without errors.
    Nothing,
    /// 404 without a body.
    Bare,
    CasMismatch,
    Refused(&'static str),
}

impl Mount {
    pub(super) fn read(&self, name: &str, version: usize) -> Outcome {
        let found = self.entries.get(name).and_then(|entry| entry.find(version));
        let Some((number, kept)) = found else {
            return Outcome::Nothing;
        };
        let metadata = json::text(&kept.metadata(number));
        match &kept.data {
            Some(data) if kept.can_be_read() => Outcome::Data(format!(
                "{{\"data\":{},\"metadata\":{metadata}}}",
                json::text(data)
            )),
            Some(_) | None => Outcome::Gone(format!("{{\"data\":null,\"metadata\":{metadata}}}")),
        }
    }

    pub(super) fn subkeys(&self, name: &str) -> Outcome {
        let found = self.entries.get(name).and_then(|entry| entry.find(0));
        let Some((number, kept)) = found else {
            return Outcome::Nothing;
        };
        let metadata = kept.metadata(number);
        match &kept.data {
            Some(Value::Object(members)) if kept.can_be_read() => {
                let names: serde_json::Map<String, Value> = members
                    .keys()
                    .map(|name| (name.clone(), Value::Null))
                    .collect();
                Outcome::Data(json::text(&json!({"metadata": metadata, "subkeys": names})))
            }
            Some(_) | None => {
                Outcome::Gone(json::text(&json!({"metadata": metadata, "subkeys": null})))
            }
        }
    }

    /// Writes a version, if the current one is the one that the body expects.
    pub(super) fn write(&mut self, name: &str, body: &Value, now: String) -> Outcome {
        let Some(data) = body.get("data").filter(|data| data.is_object()) else {
            return Outcome::Refused("no data provided");
        };
        if !self.fits(name, body) {
            return Outcome::CasMismatch;
        }
        self.push(name, data.clone(), now)
    }

    pub(super) fn patch(&mut self, name: &str, body: &Value, now: String) -> Outcome {
        let found = self.entries.get(name).and_then(|entry| entry.find(0));
        let Some((number, kept)) = found else {
            return Outcome::Bare;
        };
        let Some(mut data) = kept.data.clone().filter(|_| kept.can_be_read()) else {
            return Outcome::Gone(json::text(&kept.metadata(number)));
        };
        if !self.fits(name, body) {
            return Outcome::CasMismatch;
        }
        json::merge(&mut data, body.get("data").unwrap_or(&Value::Null));
        self.push(name, data, now)
    }

    /// Deletes the current version, so that it can come back.
    pub(super) fn delete(&mut self, name: &str, now: &str) -> Outcome {
        let current = self
            .entries
            .get_mut(name)
            .and_then(|entry| entry.versions.last_mut());
        if let Some(kept) = current {
            now.clone_into(&mut kept.deleted);
        }
        Outcome::Done
    }

    /// Changes the versions that the body lists.
    pub(super) fn each(&mut self, name: &str, body: &Value, change: &Change) -> Outcome {
        let numbers: Vec<u64> = body
            .get("versions")
            .and_then(Value::as_array)
            .map(|numbers| numbers.iter().filter_map(Value::as_u64).collect())
            .unwrap_or_default();
        let Some(entry) = self.entries.get_mut(name) else {
            return Outcome::Done;
        };
        for number in numbers {
            let index = usize::try_from(number).unwrap_or_default().wrapping_sub(1);
            let Some(kept) = entry.versions.get_mut(index) else {
                continue;
            };
            match change {
                Change::Delete(now) => now.clone_into(&mut kept.deleted),
                Change::Undelete => kept.deleted.clear(),
                Change::Destroy => {
                    kept.data = None;
                    kept.destroyed = true;
                }
            }
        }
        Outcome::Done
    }

    pub(super) fn metadata(&self, name: &str) -> Outcome {
        let Some(entry) = self.entries.get(name) else {
            return Outcome::Nothing;
        };
        let versions: serde_json::Map<String, Value> = (1..)
            .zip(&entry.versions)
            .map(|(number, kept)| (number.to_string(), kept.metadata(number)))
            .collect();
        Outcome::Data(json::text(
            &json!({"current_version": entry.versions.len(), "versions": versions}),
        ))
    }

    /// The names in a folder, those of folders with a slash.
    pub(super) fn list(&self, folder: &str) -> Outcome {
        let names: BTreeSet<String> = self
            .entries
            .keys()
            .filter_map(|name| name.strip_prefix(folder))
            .map(|rest| match rest.split_once('/') {
                Some((folder, _)) => format!("{folder}/"),
                None => rest.to_owned(),
            })
            .collect();
        if names.is_empty() {
            return Outcome::Nothing;
        }
        Outcome::Data(json::text(&json!({"keys": names})))
    }

    fn fits(&self, name: &str, body: &Value) -> bool {
        let current = self
            .entries
            .get(name)
            .map_or(0, |entry| entry.versions.len());
        match body.pointer("/options/cas").and_then(Value::as_u64) {
            Some(cas) => usize::try_from(cas) == Ok(current),
            None => true,
        }
    }

    fn push(&mut self, name: &str, data: Value, created: String) -> Outcome {
        let entry = self.entries.entry(name.to_owned()).or_default();
        entry.versions.push(Kept {
            data: Some(data),
            created,
            deleted: String::new(),
            destroyed: false,
        });
        let number = entry.versions.len();
        let metadata = entry.versions.last().map(|kept| kept.metadata(number));
        Outcome::Data(json::text(&metadata.unwrap_or_default()))
    }
}

impl Entry {
    pub(super) fn is_live(&self) -> bool {
        self.versions.last().is_some_and(Kept::can_be_read)
    }

    pub(super) fn current(&self) -> usize {
        self.versions.len()
    }

    /// One version, or the current one for 0.
    fn find(&self, version: usize) -> Option<(usize, &Kept)> {
        let number = if version == 0 {
            self.versions.len()
        } else {
            version
        };
        let kept = self.versions.get(number.checked_sub(1)?)?;
        Some((number, kept))
    }
}

pub(super) enum Change {
    Delete(String),
    Undelete,
    Destroy,
}
