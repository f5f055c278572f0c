//! The verbs of a backend.

use std::time::Duration;

use async_trait::async_trait;
use seed_core::backend::Description;
use seed_core::document::{Document, Fields};
use seed_core::inventory::{Inventory, Version, Wanted};
use seed_core::name::SecretName;
use seed_provider::{
    Error, ErrorKind, Identity, Marks, Operation, Provider, Replace, Restore, Result, Stored,
    Versions, WantedShape,
};

use crate::adapter::{AwsSm, purpose};
use crate::call::Call;
use crate::content::Content;
use crate::inventory::CURRENT;
use crate::write::{Settled, in_doubt};

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for AwsSm {
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
        self.stored(Operation::Read, name, None, shape).await
    }

    async fn create(
        &self,
        name: &SecretName,
        document: &Document,
        marks: &Marks,
    ) -> Result<Version> {
        let content = Content::of(Operation::Create, name, document)?;
        self.proven().await?;
        self.make(name, &content, marks).await
    }

    async fn add_fields(
        &self,
        name: &SecretName,
        new: &Fields,
        expected: &Version,
    ) -> Result<Version> {
        let operation = Operation::AddFields;
        self.proven().await?;
        let (content, version) = self.fetch(operation, name, None).await?;
        if version != *expected {
            return Err(changed(operation, name));
        }
        let grown = content.with(operation, name, new)?;
        self.supersede(operation, name, &grown, expected).await
    }
}

#[async_trait]
impl Replace for AwsSm {
    async fn replace(
        &self,
        name: &SecretName,
        document: &Document,
        expected: &Version,
    ) -> Result<Version> {
        let operation = Operation::Replace;
        let content = Content::of(operation, name, document)?;
        self.proven().await?;
        // A version that could not become the current one would only be left behind.
        let facts = self.facts(operation, name).await?;
        if facts.deleted.is_some() || facts.current().as_ref() != Some(expected) {
            return Err(changed(operation, name));
        }
        self.supersede(operation, name, &content, expected).await
    }
}

#[async_trait]
impl Restore for AwsSm {
    async fn restore(&self, name: &SecretName) -> Result<()> {
        let operation = Operation::Restore;
        self.proven().await?;
        if self.facts(operation, name).await?.deleted.is_none() {
            return Ok(());
        }
        let purpose = purpose(operation, name, Call::RestoreSecret);
        // Restoring twice is restoring once, so it may be sent again while its answer is lost.
        let sent = self.settled(|| {
            self.requests.write(operation, Some(name), || {
                let request = self.clients.secrets.restore_secret();
                let request = request.secret_id(name.as_str());
                async move {
                    let sent = Box::pin(request.send()).await;
                    sent.map_err(|err| purpose.failed(&err))
                }
            })
        });
        let Settled { last, lost } = sent.await;
        // After a lost answer, a refusal may be about what has been restored already.
        if let (Err(err), None) = (last, &lost) {
            return Err(err);
        }
        let asked = || {
            let message = "it was asked for, and cannot be seen yet; look again in a minute";
            Error::new(ErrorKind::Indeterminate, operation, message).about(name)
        };
        for _ in 0..LOOKS {
            match self.facts(operation, name).await {
                Ok(facts) if facts.deleted.is_none() => return Ok(()),
                Ok(_) => tokio::time::sleep(BETWEEN).await,
                // It has been sent, so no failure of a look is a failure of it.
                Err(unseen) => return Err(in_doubt(&lost.unwrap_or_else(asked), &unseen)),
            }
        }
        Err(lost.unwrap_or_else(asked))
    }
}

/// How long the service may take to show what was restored.
const LOOKS: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(250);

#[async_trait]
impl Versions for AwsSm {
    async fn read_version(
        &self,
        name: &SecretName,
        version: &Version,
        shape: WantedShape,
    ) -> Result<Stored> {
        self.proven().await?;
        self.stored(Operation::ReadVersion, name, Some(version), shape)
            .await
    }
}

impl AwsSm {
    async fn stored(
        &self,
        operation: Operation,
        name: &SecretName,
        version: Option<&Version>,
        shape: WantedShape,
    ) -> Result<Stored> {
        let (content, version) = self.fetch(operation, name, version).await?;
        let document = content.read(operation, name, shape)?;
        Ok(Stored { document, version })
    }

    /// Reads the current version, or another one.
    pub(crate) async fn fetch(
        &self,
        operation: Operation,
        name: &SecretName,
        version: Option<&Version>,
    ) -> Result<(Content, Version)> {
        let purpose = purpose(operation, name, Call::GetSecretValue);
        let got = self.look(purpose, || {
            let request = self.clients.secrets.get_secret_value();
            let request = request
                .secret_id(name.as_str())
                .set_version_id(version.map(|version| version.as_str().to_owned()))
                .set_version_stage(version.is_none().then(|| CURRENT.to_owned()));
            async move {
                let sent = Box::pin(request.send()).await;
                sent.map_err(|err| purpose.failed(&err))
            }
        });
        let got = got.await?;
        let content = Content::taken(got.secret_string, got.secret_binary);
        let (Some(content), Some(id)) = (content, got.version_id) else {
            let message = "the answer to GetSecretValue has no value";
            return Err(purpose.error(ErrorKind::Unexpected, message));
        };
        Ok((content, Version::new(id)))
    }
}

fn changed(operation: Operation, name: &SecretName) -> Error {
    let message = "it was changed meanwhile";
    Error::new(ErrorKind::Conflict, operation, message).about(name)
}
