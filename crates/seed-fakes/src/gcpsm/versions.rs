//! What is done to versions.

use super::filter;
use super::status::{FAILED_PRECONDITION, INVALID_ARGUMENT, NOT_FOUND, Reply, refuse};
use super::store::{Page, State, Store, Version, check_etag, page_size};

impl Store {
    /// Adds a version, and tells its number. The secret's etag stays.
    pub(super) fn add(&mut self, id: &str, data: Vec<u8>, checksum: Option<i64>) -> Reply<usize> {
        self.get(id)?;
        if data.is_empty() {
            return refuse(INVALID_ARGUMENT, "Secret Payload cannot be empty.");
        }
        if data.len() > 65_536 {
            return refuse(
                INVALID_ARGUMENT,
                "The size of the Secret Payload exceeds the maximum of 65536 bytes.",
            );
        }
        if checksum.is_some_and(|checksum| checksum != i64::from(crc32c::crc32c(&data))) {
            return refuse(INVALID_ARGUMENT, "The data_crc32c does not match the data.");
        }
        let version = Version {
            created: self.clock.now(),
            destroyed: None,
            etag: self.new_etag(),
            state: State::Enabled,
            data,
            checked: checksum.is_some(),
        };
        let secret = self.get_mut(id)?;
        secret.versions.push(version);
        Ok(secret.versions.len())
    }

    /// Finds a version by its number, or the newest, whatever its state.
    pub(super) fn version(&self, id: &str, which: &str) -> Reply<(usize, &Version)> {
        let versions = match self.get(id) {
            Ok(secret) => secret.versions.as_slice(),
            Err(_) => &[],
        };
        let number = match which {
            "latest" => versions.len(),
            which => match which.parse() {
                Ok(number) => number,
                Err(_) => {
                    return refuse(INVALID_ARGUMENT, "The version is no number and no alias.");
                }
            },
        };
        let found = number.checked_sub(1).and_then(|place| versions.get(place));
        match found {
            Some(version) => Ok((number, version)),
            None => refuse(
                NOT_FOUND,
                format!(
                    "Secret Version [{}/versions/{which}] not found.",
                    self.name(id)
                ),
            ),
        }
    }

    pub(super) fn access(&self, id: &str, which: &str) -> Reply<(usize, &Version)> {
        let (number, version) = self.version(id, which)?;
        if version.state == State::Enabled {
            return Ok((number, version));
        }
        let (name, state) = (self.name(id), version.state.as_str());
        refuse(
            FAILED_PRECONDITION,
            format!("Secret Version [{name}/versions/{number}] is in {state} state."),
        )
    }

    /// A page of versions, the newest first.
    pub(super) fn versions(
        &self,
        id: &str,
        size: i64,
        token: &str,
        wanted: &str,
    ) -> Reply<Page<usize>> {
        let size = page_size(size)?;
        let versions = &self.get(id)?.versions;
        let below = match token.split_once('/') {
            Some(("below", number)) => number.parse().ok(),
            None if token.is_empty() => Some(usize::MAX),
            Some(_) | None => None,
        };
        let Some(below) = below else {
            return refuse(INVALID_ARGUMENT, "The page token is invalid.");
        };
        let mut matching = Vec::new();
        for (place, version) in versions.iter().enumerate().rev() {
            if filter::version(wanted, version)? {
                matching.push(place + 1);
            }
        }
        let total = wanted.is_empty().then_some(matching.len());
        matching.retain(|number| *number < below);
        let more = matching.len() > size;
        matching.truncate(size);
        let next = matching
            .last()
            .filter(|_| more)
            .map(|last| format!("below/{last}"));
        Ok(Page {
            items: matching,
            next,
            total,
        })
    }

    /// Enables, disables or destroys a version. What is destroyed stays so, and keeps its number.
    pub(super) fn turn(&mut self, id: &str, which: &str, state: State, etag: &str) -> Reply<usize> {
        let (number, version) = self.version(id, which)?;
        check_etag(etag, &version.etag)?;
        if version.state == State::Destroyed && state != State::Destroyed {
            return refuse(FAILED_PRECONDITION, "The version is destroyed.");
        }
        let (etag, now) = (self.new_etag(), self.clock.now());
        let secret = self.get_mut(id)?;
        if let Some(version) = secret.versions.get_mut(number - 1) {
            version.etag = etag;
            version.state = state;
            if state == State::Destroyed {
                version.data.clear();
                version.destroyed = Some(now);
            }
        }
        Ok(number)
    }
}
