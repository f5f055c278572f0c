//! Writing: look, then write with a claim. What came of it is found out afterwards, by `settle`.

use std::collections::BTreeMap;
use std::time::Duration;

use azure_security_keyvault_secrets::models::{
    Secret, SecretAttributes, SecretClientGetSecretOptions,
};
use seed_core::inventory::Version;
use seed_core::name::SecretName;
use seed_core::secret::SecretValue;
use seed_provider::{Error, ErrorKind, Marks, Operation, Result, Turns};
use tokio::time::Instant;

use crate::adapter::{AzureKv, Known, Look};
use crate::claim::{Purpose as ClaimPurpose, TAG};
use crate::decide::SKEW;
use crate::error::{Call, Purpose};
use crate::inventory::{Listed, parts};
use crate::put::{Draft, Sent};

/// One version, with its value.
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) value: SecretValue,
    pub(crate) look: Look,
    pub(crate) kept: Kept,
    enabled: bool,
}

/// What a version has beside its value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) content_type: Option<String>,
    pub(crate) attributes: Option<SecretAttributes>,
}

impl Kept {
    fn of(marks: &Marks) -> Self {
        Self {
            tags: marks.to_labels(),
            ..Self::default()
        }
    }

    /// Without what belongs to the value that it was with.
    fn without_times(mut self) -> Self {
        self.attributes = None;
        self
    }
}

impl Stored {
    pub(crate) fn listed(&self) -> Listed {
        let attributes = self.kept.attributes.as_ref();
        let time = |time: Option<azure_core::time::OffsetDateTime>| {
            time.map(azure_core::time::OffsetDateTime::unix_timestamp)
        };
        Listed::with(
            self.name.clone(),
            self.look.clone(),
            self.enabled,
            time(attributes.and_then(|attributes| attributes.expires)),
            time(attributes.and_then(|attributes| attributes.not_before)),
        )
    }
}

impl AzureKv {
    /// Reads the current version, or another one.
    pub(crate) async fn fetch(
        &self,
        operation: Operation,
        name: &SecretName,
        version: Option<&str>,
    ) -> Result<Stored> {
        let purpose = Purpose::of(operation, name, Call::GetSecret);
        let got = self.look(purpose, || async move {
            let options = SecretClientGetSecretOptions {
                secret_version: version.map(str::to_owned),
                ..SecretClientGetSecretOptions::default()
            };
            let sent = self.client.get_secret(name.as_str(), Some(options)).await;
            let answer = sent.map_err(|err| purpose.failed(&err))?;
            let secret = answer.into_model().map_err(|_| purpose.not_understood())?;
            taken(purpose, secret)
        });
        let stored = got.await?;
        if version.is_some_and(|version| version != stored.version) {
            // What came from a store in between is not what was asked for.
            return Err(purpose.not_understood());
        }
        if version.is_none() {
            self.remember(name, stored.known());
        }
        Ok(stored)
    }

    /// Stores the first value, where nothing is.
    pub(crate) async fn make(
        &self,
        name: &SecretName,
        value: &SecretValue,
        marks: &Marks,
    ) -> Result<Version> {
        let operation = Operation::Create;
        let _writer = self.writers.acquire().await;
        let mut attempts = Attempts::new(self, operation, name);
        loop {
            let turn = attempts.turn().await?;
            let moment = self.moment();
            match self.fetch(operation, name, None).await {
                Err(err) if err.kind() == ErrorKind::NotFound => {}
                // Disabled: it is there.
                Err(err) if err.kind() == ErrorKind::Conflict => return Err(exists(name)),
                Err(err) => return Err(err),
                Ok(_) => return Err(exists(name)),
            }
            if self.doubts(moment) {
                continue;
            }
            let draft = Draft {
                value,
                kept: Kept::of(marks),
                claim: self.claim(moment, ClaimPurpose::First),
            };
            match self.put(&turn, operation, name, draft, moment).await? {
                Sent::Late(why) => attempts.failed(why).await,
                Sent::Returning(err) => return Err(self.returned(name, err).await),
                Sent::Stored(version) => return Ok(version),
            }
        }
    }

    /// Waits until something that is being recovered can be seen: no list shows it, nor does a look.
    async fn returned(&self, name: &SecretName, refused: Error) -> Error {
        let begin = Instant::now();
        while begin.elapsed() < self.pause * PAUSES {
            match self.fetch(Operation::Create, name, None).await {
                Ok(_) => return exists(name),
                // Disabled: it is there.
                Err(err) if err.kind() == ErrorKind::Conflict => return exists(name),
                Err(err) if err.kind() == ErrorKind::NotFound => tokio::time::sleep(BETWEEN).await,
                Err(err) => return err,
            }
        }
        refused
    }

    /// Stores a value after the version that is expected to be the current one.
    pub(crate) async fn supersede(
        &self,
        operation: Operation,
        name: &SecretName,
        expected: &Version,
        value: impl Fn(&Stored) -> Result<SecretValue>,
    ) -> Result<Version> {
        let _writer = self.writers.acquire().await;
        let mut attempts = Attempts::new(self, operation, name);
        let mut turn = None;
        loop {
            let taken = match turn.take() {
                Some(turn) => turn,
                None => attempts.turn().await?,
            };
            let (stored, moment) = self.standing(operation, name).await?;
            if !stored.is(expected) {
                let message = "it was changed meanwhile";
                return Err(Error::new(ErrorKind::Conflict, operation, message).about(name));
            }
            let value = value(&stored)?;
            if moment.time <= stored.look.created.max(stored.look.updated) + SKEW {
                // In this second somebody may still write another version, and nobody could tell which came first.
                tokio::time::sleep(SECOND).await;
                turn = Some(taken);
                continue;
            }
            let purpose = ClaimPurpose::After(stored.version.clone());
            let draft = Draft {
                value: &value,
                claim: self.claim(moment, purpose),
                kept: if operation == Operation::Replace {
                    stored.kept.without_times()
                } else {
                    stored.kept
                },
            };
            match self.put(&taken, operation, name, draft, moment).await? {
                Sent::Late(why) => attempts.failed(why).await,
                Sent::Returning(err) => return Err(err),
                Sent::Stored(version) => return Ok(version),
            }
        }
    }
}

/// The way of one value to being written. Where a look is too old when its write could be sent, it is looked again.
struct Attempts<'a> {
    adapter: &'a AzureKv,
    operation: Operation,
    name: &'a SecretName,
    begin: Instant,
    rounds: u32,
    /// Why the service did not take it, if it was asked.
    refused: Option<Error>,
}

impl<'a> Attempts<'a> {
    fn new(adapter: &'a AzureKv, operation: Operation, name: &'a SecretName) -> Self {
        Self {
            adapter,
            operation,
            name,
            begin: Instant::now(),
            rounds: 0,
            refused: None,
        }
    }

    /// Waits for the turn of a write: what is looked at after it does not age in a queue.
    async fn turn(&mut self) -> Result<Turns> {
        let requests = &self.adapter.requests;
        if self.rounds >= LOOKS && self.begin.elapsed() > requests.policy().patience {
            let slow = || never_fresh(self.operation, self.name);
            return Err(self.refused.take().unwrap_or_else(slow));
        }
        self.rounds += 1;
        let turns = requests.turns(1, self.operation, Some(self.name)).await?;
        let purpose = Purpose::of(self.operation, self.name, Call::SetSecret);
        self.adapter.token(purpose).await?;
        Ok(turns)
    }

    async fn failed(&mut self, why: Option<Error>) {
        self.refused = why.or(self.refused.take());
        tokio::time::sleep(SECOND).await;
    }
}

impl Stored {
    pub(crate) fn known(&self) -> Known {
        Known {
            id: self.version.clone(),
            look: self.look.clone(),
        }
    }

    /// Whether it is the version that was seen, in a list or by its id.
    fn is(&self, expected: &Version) -> bool {
        self.version == expected.as_str() || self.look.version() == *expected
    }
}

/// Takes an answer apart. One that is not whole is none.
pub(crate) fn taken(purpose: Purpose<'_>, secret: Secret) -> Result<Stored> {
    let Secret {
        id,
        value,
        attributes,
        tags,
        content_type,
        ..
    } = secret;
    let value = value.map(SecretValue::from);
    let (name, version) = id
        .as_deref()
        .and_then(parts)
        .ok_or_else(|| purpose.not_understood())?;
    let asked = purpose.name.map(SecretName::as_str).unwrap_or_default();
    let (Some(version), Some(value), Some(attributes)) = (version, value, attributes) else {
        return Err(purpose.not_understood());
    };
    let (Some(created), Some(updated)) = (attributes.created, attributes.updated) else {
        return Err(purpose.not_understood());
    };
    if !name.eq_ignore_ascii_case(asked) {
        return Err(purpose.not_understood());
    }
    let mut tags: BTreeMap<String, String> = tags.unwrap_or_default().into_iter().collect();
    let claim = tags.remove(TAG);
    let kept = SecretAttributes {
        expires: attributes.expires,
        not_before: attributes.not_before,
        ..SecretAttributes::default()
    };
    Ok(Stored {
        name,
        version,
        value,
        look: Look {
            created: created.unix_timestamp(),
            updated: updated.unix_timestamp(),
            claim,
        },
        kept: Kept {
            tags,
            content_type,
            attributes: Some(kept),
        },
        enabled: attributes.enabled.unwrap_or(true),
    })
}

fn exists(name: &SecretName) -> Error {
    let message = "something of that name is there already";
    Error::new(ErrorKind::AlreadyExists, Operation::Create, message).about(name)
}

fn never_fresh(operation: Operation, name: &SecretName) -> Error {
    let message = "this machine is so slow that each look was too long ago when its write could be sent; nothing was written";
    Error::new(ErrorKind::Unexpected, operation, message).about(name)
}

/// How long the service may take to show what was recovered: a minute, unless another pause was chosen.
pub(crate) const PAUSES: u32 = 12;
pub(crate) const BETWEEN: Duration = Duration::from_millis(500);
/// How often a look may be too old for its write at least, however long that takes.
const LOOKS: u32 = 8;
/// Enough of them make the service's next second.
const SECOND: Duration = Duration::from_millis(300);
