//! The verbs of a backend.

use async_trait::async_trait;
use seed_core::backend::Description;
use seed_core::document::{Document, Fields};
use seed_core::inventory::{Inventory, Version, Wanted};
use seed_core::name::SecretName;
use seed_provider::{
    Error, ErrorKind, Identity, Marks, Operation, Provider, Replace, Restore, Result, Stored,
    Versions, WantedShape,
};
use tokio::time::Instant;

use crate::adapter::AzureKv;
use crate::content;
use crate::error::{Call, Purpose};
use crate::write::{BETWEEN, PAUSES};

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for AzureKv {
    fn describe(&self) -> Description {
        self.description()
    }

    async fn identify(&self) -> Result<Identity> {
        self.proven().await.cloned()
    }

    fn notes(&self) -> Vec<String> {
        self.noted()
    }

    async fn inventory(&self, wanted: &[Wanted]) -> Result<Inventory> {
        self.look_up(wanted).await
    }

    async fn read(&self, name: &SecretName, shape: WantedShape) -> Result<Stored> {
        self.proven().await?;
        let (stored, _) = self.standing(Operation::Read, name).await?;
        let document = content::decode(Operation::Read, name, stored.value, shape)?;
        let version = Version::new(stored.version);
        Ok(Stored { document, version })
    }

    async fn create(
        &self,
        name: &SecretName,
        document: &Document,
        marks: &Marks,
    ) -> Result<Version> {
        let value = content::encode(Operation::Create, name, document)?;
        self.proven().await?;
        self.make(name, &value, marks).await
    }

    async fn add_fields(
        &self,
        name: &SecretName,
        new: &Fields,
        expected: &Version,
    ) -> Result<Version> {
        let operation = Operation::AddFields;
        self.proven().await?;
        self.supersede(operation, name, expected, |stored| {
            content::grown(operation, name, &stored.value, new)
        })
        .await
    }
}

#[async_trait]
impl Replace for AzureKv {
    async fn replace(
        &self,
        name: &SecretName,
        document: &Document,
        expected: &Version,
    ) -> Result<Version> {
        let operation = Operation::Replace;
        let value = content::encode(operation, name, document)?;
        self.proven().await?;
        let before = self.fetch(operation, name, None).await?.version;
        let version = self
            .supersede(operation, name, expected, |_| Ok(value.duplicate()))
            .await?;
        // Nobody waits for others here, so what can be seen at once is told at once.
        let versions = self.versions_of(operation, name).await;
        let others = versions.map(|versions| {
            let begin = versions.iter().find(|seen| seen.id == before);
            let begin = begin.map_or(i64::MIN, |seen| seen.created);
            let after = |id: &str, created: i64| created > begin && id != version.as_str();
            versions.iter().any(|seen| after(&seen.id, seen.created))
        });
        match others {
            Ok(false) => Ok(version),
            Ok(true) => {
                let message = "somebody else wrote to it at the same time; both values are kept as versions: look which one is meant";
                Err(Error::new(ErrorKind::Indeterminate, operation, message).about(name))
            }
            Err(err) => {
                let message = format!(
                    "it was written, and whether somebody else wrote at the same time cannot be told: {}",
                    err.message()
                );
                Err(Error::new(ErrorKind::Indeterminate, operation, message).about(name))
            }
        }
    }
}

#[async_trait]
impl Restore for AzureKv {
    async fn restore(&self, name: &SecretName) -> Result<()> {
        let operation = Operation::Restore;
        self.proven().await?;
        let purpose = Purpose::of(operation, name, Call::RecoverDeletedSecret);
        let sent = self.requests.write(operation, Some(name), || async move {
            let sent = self
                .client
                .recover_deleted_secret(name.as_str(), None)
                .await;
            sent.map(drop).map_err(|err| purpose.failed(&err))
        });
        let refused = match sent.await {
            Ok(()) => None,
            // It may be on its way, or there already.
            Err(err) => match err.kind() {
                ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Indeterminate => Some(err),
                ErrorKind::AlreadyExists
                | ErrorKind::Denied
                | ErrorKind::Invalid
                | ErrorKind::Misplaced
                | ErrorKind::RateLimited { .. }
                | ErrorKind::Unauthenticated
                | ErrorKind::Unavailable
                | ErrorKind::Unexpected
                | ErrorKind::Unsupported
                | ErrorKind::WrongShape => return Err(err),
            },
        };
        let begin = Instant::now();
        loop {
            match self.fetch(operation, name, None).await {
                // A disabled one is back too.
                Ok(_) => return Ok(()),
                Err(err) if err.kind() == ErrorKind::Conflict => return Ok(()),
                Err(err) => match (&refused, err.kind()) {
                    (Some(refused), ErrorKind::NotFound)
                        if refused.kind() == ErrorKind::NotFound =>
                    {
                        return Err(err);
                    }
                    (_, ErrorKind::NotFound) => {}
                    (Some(refused), _) if refused.kind() != ErrorKind::Indeterminate => {
                        return Err(err);
                    }
                    (Some(_) | None, _) => return Err(in_doubt(operation, name, err.message())),
                },
            }
            if begin.elapsed() > self.pause * PAUSES {
                return Err(refused.unwrap_or_else(|| {
                    in_doubt(
                        operation,
                        name,
                        "it cannot be seen yet; look again in a minute",
                    )
                }));
            }
            tokio::time::sleep(BETWEEN).await;
        }
    }
}

fn in_doubt(operation: Operation, name: &SecretName, why: &str) -> Error {
    let message = format!("it was asked for: {why}");
    Error::new(ErrorKind::Indeterminate, operation, message).about(name)
}

#[async_trait]
impl Versions for AzureKv {
    async fn read_version(
        &self,
        name: &SecretName,
        version: &Version,
        shape: WantedShape,
    ) -> Result<Stored> {
        let is_id = |text: &str| text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit());
        if !is_id(version.as_str()) {
            // The client would put it into the path as it is.
            let message = "that version is not kept";
            let error = Error::new(ErrorKind::NotFound, Operation::ReadVersion, message);
            return Err(error.about(name));
        }
        self.stored(Operation::ReadVersion, name, Some(version), shape)
            .await
    }
}

impl AzureKv {
    async fn stored(
        &self,
        operation: Operation,
        name: &SecretName,
        version: Option<&Version>,
        shape: WantedShape,
    ) -> Result<Stored> {
        self.proven().await?;
        let version = version.map(Version::as_str);
        let stored = self.fetch(operation, name, version).await?;
        let document = content::decode(operation, name, stored.value, shape)?;
        let version = Version::new(stored.version);
        Ok(Stored { document, version })
    }
}
