//! The verbs of a backend.

use async_trait::async_trait;
use seed_core::backend::Description;
use seed_core::document::{Document, Fields};
use seed_core::inventory::{Inventory, Version, Wanted};
use seed_core::name::SecretName;
use seed_provider::{
    Error, ErrorKind, Identity, Marks, Operation, Provider, Replace, Result, Stored, Versions,
    WantedShape,
};

use crate::adapter::GcpSm;
use crate::change::changed;
use crate::content;

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for GcpSm {
    fn describe(&self) -> Description {
        self.description()
    }

    async fn identify(&self) -> Result<Identity> {
        self.proven().await
    }

    fn notes(&self) -> Vec<String> {
        self.noted()
    }

    async fn inventory(&self, wanted: &[Wanted]) -> Result<Inventory> {
        self.look_up(wanted).await
    }

    async fn read(&self, name: &SecretName, shape: WantedShape) -> Result<Stored> {
        let operation = Operation::Read;
        self.proven().await?;
        let version = self.version_to_read(operation, name).await?;
        self.stored(operation, name, version, shape).await
    }

    async fn create(
        &self,
        name: &SecretName,
        document: &Document,
        marks: &Marks,
    ) -> Result<Version> {
        let value = content::written(Operation::Create, name, document)?;
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
        let (value, number) = self.access(operation, name, None).await?;
        if number.to_string() != expected.as_str() {
            return Err(changed(operation, name));
        }
        let grown = content::with(&value, operation, name, new)?;
        self.supersede(operation, name, &grown, number).await
    }
}

#[async_trait]
impl Replace for GcpSm {
    async fn replace(
        &self,
        name: &SecretName,
        document: &Document,
        expected: &Version,
    ) -> Result<Version> {
        let operation = Operation::Replace;
        let value = content::written(operation, name, document)?;
        self.proven().await?;
        let newest = self.newest(operation, name).await?;
        let Some(newest) = newest else {
            let message = "it has no version";
            return Err(Error::new(ErrorKind::NotFound, operation, message).about(name));
        };
        if newest.number.to_string() != expected.as_str() {
            return Err(changed(operation, name));
        }
        self.supersede(operation, name, &value, newest.number).await
    }
}

#[async_trait]
impl Versions for GcpSm {
    async fn read_version(
        &self,
        name: &SecretName,
        version: &Version,
        shape: WantedShape,
    ) -> Result<Stored> {
        let operation = Operation::ReadVersion;
        self.proven().await?;
        let Ok(number) = version.as_str().parse() else {
            let message = "that is no version of Secret Manager";
            return Err(Error::new(ErrorKind::NotFound, operation, message).about(name));
        };
        self.stored(operation, name, Some(number), shape).await
    }
}

impl GcpSm {
    async fn stored(
        &self,
        operation: Operation,
        name: &SecretName,
        version: Option<u64>,
        shape: WantedShape,
    ) -> Result<Stored> {
        let (value, number) = self.access(operation, name, version).await?;
        Ok(Stored {
            document: content::read(value, operation, name, shape)?,
            version: Version::new(number.to_string()),
        })
    }
}
