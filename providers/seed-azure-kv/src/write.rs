//! Writing: look, then write with a claim. What came of it is found out afterwards, by `settle`.

use std::collections::BTreeMap;
use std::time::Duration;

use azure_core::http::RequestContent;
use azure_security_keyvault_secrets::models::{
    Secret, SecretAttributes, SecretClientGetSecretOptions, SetSecretParameters,
};
use seed_core::inventory::Version;
use seed_core::name::SecretName;
use seed_core::secret::SecretValue;
use seed_provider::{Error, ErrorKind, Marks, Operation, Result};
use tokio::time::Instant;

use crate::adapter::{AzureKv, Known, Look};
use crate::claim::{Claim, Purpose as ClaimPurpose, TAG};
use crate::decide::{FRESH, Seen};
use crate::error::{Call, Purpose, is_returning};
use crate::inventory::{Listed, parts};

/// One version, with its value.
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) value: SecretValue,
    pub(crate) look: Look,
    pub(crate) kept: Kept,
    enabled: bool,
}

/// What became of a write.
pub(crate) enum Sent {
    /// Nothing was sent: the look before it is too long ago.
    Late,
    /// Nothing was stored: something of that name is just being recovered.
    Returning(Error),
    Stored(Version),
}

/// What a version has beside its value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    tags: BTreeMap<String, String>,
    content_type: Option<String>,
    attributes: Option<SecretAttributes>,
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
        for _ in 0..LOOKS {
            let begin = Instant::now();
            match self.fetch(operation, name, None).await {
                Err(err) if err.kind() == ErrorKind::NotFound => {}
                // Disabled: it is there.
                Err(err) if err.kind() == ErrorKind::Conflict => return Err(exists(name)),
                Err(err) => return Err(err),
                Ok(_) => return Err(exists(name)),
            }
            let claim = self.claim(ClaimPurpose::First);
            let kept = Kept::of(marks);
            match self
                .put(operation, name, value, kept, &claim, begin)
                .await?
            {
                Sent::Late => {}
                Sent::Returning(err) => return Err(self.returned(name, err).await),
                Sent::Stored(version) => return Ok(version),
            }
        }
        Err(never_fresh(operation, name))
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
        for _ in 0..LOOKS {
            let begin = Instant::now();
            let stored = self.fetch(operation, name, None).await?;
            if !stored.is(expected) {
                let message = "it was changed meanwhile";
                return Err(Error::new(ErrorKind::Conflict, operation, message).about(name));
            }
            let value = value(&stored)?;
            if self.clock.now() <= stored.look.created.max(stored.look.updated) {
                // In this second somebody may still write another version, and nobody could tell which came first.
                tokio::time::sleep(SECOND).await;
                continue;
            }
            let claim = self.claim(ClaimPurpose::After(stored.version.clone()));
            let kept = if operation == Operation::Replace {
                stored.kept.without_times()
            } else {
                stored.kept
            };
            match self
                .put(operation, name, &value, kept, &claim, begin)
                .await?
            {
                Sent::Late => {}
                Sent::Returning(err) => return Err(err),
                Sent::Stored(version) => return Ok(version),
            }
        }
        Err(never_fresh(operation, name))
    }

    /// Sends a value with a claim, unless the look that began at `looked` is too long ago.
    pub(crate) async fn put(
        &self,
        operation: Operation,
        name: &SecretName,
        value: &SecretValue,
        kept: Kept,
        claim: &Claim,
        looked: Instant,
    ) -> Result<Sent> {
        let purpose = Purpose::of(operation, name, Call::SetSecret);
        let mut tags = kept.tags;
        tags.insert(TAG.to_owned(), claim.to_string());
        if tags.len() > TAGS {
            let message = format!(
                "it would have {} tags, with those of `seed`; Key Vault takes {TAGS}",
                tags.len()
            );
            return Err(purpose.error(ErrorKind::Invalid, message));
        }
        let (tags, kind, attributes) = (&tags, &kept.content_type, &kept.attributes);
        let sent = self.requests.write(operation, Some(name), || async move {
            if looked.elapsed() > FRESH {
                return Ok(Answer::Late);
            }
            let parameters = SetSecretParameters {
                value: value.expose_text().map(str::to_owned),
                tags: Some(tags.clone().into_iter().collect()),
                content_type: kind.clone(),
                secret_attributes: attributes.clone(),
            };
            let body: RequestContent<SetSecretParameters> = parameters
                .try_into()
                .map_err(|_| purpose.not_understood())?;
            let sent = self.client.set_secret(name.as_str(), body, None).await;
            let answer = match sent {
                Err(err) if is_returning(&err) => {
                    return Ok(Answer::Returning(purpose.failed(&err)));
                }
                sent => sent.map_err(|err| purpose.failed(&err))?,
            };
            let secret = answer.into_model().map_err(|_| purpose.not_understood())?;
            taken(purpose, secret).map(Answer::Stored)
        });
        let err = match sent.await {
            Ok(Answer::Late) => return Ok(Sent::Late),
            Ok(Answer::Returning(err)) => return Ok(Sent::Returning(err)),
            Ok(Answer::Stored(stored)) if stored.look.claim == Some(claim.to_string()) => {
                self.remember(name, stored.known());
                return Ok(Sent::Stored(Version::new(stored.version)));
            }
            Ok(Answer::Stored(_)) => purpose.not_understood(),
            Err(err) => err,
        };
        if err.kind() != ErrorKind::Indeterminate {
            return Err(err);
        }
        // The claim tells whether it was done. That it is not there does not tell that it never will be.
        let versions = self.versions_of(operation, name).await;
        let ours = |seen: &Seen| seen.claim.as_ref() == Some(claim);
        match versions.map(|versions| versions.into_iter().find(ours)) {
            Ok(Some(seen)) => Ok(Sent::Stored(Version::new(seen.id))),
            Ok(None) | Err(_) => Err(err),
        }
    }

    /// All versions, as a list shows them.
    pub(crate) async fn versions_of(
        &self,
        operation: Operation,
        name: &SecretName,
    ) -> Result<Vec<Seen>> {
        let purpose = Purpose::of(operation, name, Call::GetSecretVersions);
        let listed = self.list(purpose).await?;
        let versions = listed.into_iter().map(|listed| {
            let Look {
                created,
                updated,
                claim,
            } = listed.look;
            Some(Seen {
                id: listed.version?,
                created,
                untouched: listed.enabled && created == updated,
                claim: claim.and_then(|text| text.parse().ok()),
            })
        });
        let versions: Option<Vec<Seen>> = versions.collect();
        versions.ok_or_else(|| purpose.not_understood())
    }
}

impl Stored {
    fn known(&self) -> Known {
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

/// How a write was answered.
enum Answer {
    Late,
    Returning(Error),
    Stored(Stored),
}

/// Takes an answer apart. One that is not whole is none.
fn taken(purpose: Purpose<'_>, secret: Secret) -> Result<Stored> {
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
/// How often a look may be too old for its write.
const LOOKS: u32 = 8;
const TAGS: usize = 15;
/// Enough of them make the service's next second.
const SECOND: Duration = Duration::from_millis(300);
