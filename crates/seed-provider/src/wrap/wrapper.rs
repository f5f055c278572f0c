//! One place that forwards every verb, so that no wrapper can forget one.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use seed_core::backend::Description;
use seed_core::document::{Document, Fields};
use seed_core::inventory::{Inventory, Version, Wanted};
use seed_core::name::SecretName;

use crate::{
    Converge, Error, ErrorKind, Identity, Marks, Operation, Provider, Replace, Restore, Result,
    Settled, Stored, Versions, WantedShape, Written,
};

/// Which call it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct About<'a> {
    pub(super) operation: Operation,
    pub(super) name: Option<&'a SecretName>,
}

impl<'a> About<'a> {
    fn all(operation: Operation) -> Self {
        Self {
            operation,
            name: None,
        }
    }

    fn one(operation: Operation, name: &'a SecretName) -> Self {
        Self {
            operation,
            name: Some(name),
        }
    }

    pub(super) fn error(self, kind: ErrorKind, message: String) -> Error {
        let error = Error::new(kind, self.operation, message);
        match self.name {
            Some(name) => error.about(name),
            None => error,
        }
    }
}

/// Something around every call of an inner provider.
pub(super) trait Wrapper: fmt::Debug + Send + Sync + 'static {
    /// What is wrapped.
    type Inner: Send + Sync;

    /// What is wrapped.
    fn inner(&self) -> &Self::Inner;

    /// Carries one call out. `attempt` sends it, each time that it is called.
    fn call<'a, T: Send + 'a>(
        &'a self,
        about: About<'a>,
        attempt: impl Fn() -> BoxFuture<'a, Result<T>> + Send + Sync + 'a,
    ) -> impl Future<Output = Result<T>> + Send + 'a;
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<W: Wrapper<Inner: Provider>> Provider for W {
    fn describe(&self) -> Description {
        self.inner().describe()
    }

    async fn identify(&self) -> Result<Identity> {
        let about = About::all(Operation::Identify);
        self.call(about, || self.inner().identify()).await
    }

    fn notes(&self) -> Vec<String> {
        self.inner().notes()
    }

    async fn inventory(&self, wanted: &[Wanted]) -> Result<Inventory> {
        let about = About::all(Operation::Inventory);
        self.call(about, || self.inner().inventory(wanted)).await
    }

    async fn read(&self, name: &SecretName, shape: WantedShape) -> Result<Stored> {
        let about = About::one(Operation::Read, name);
        self.call(about, || self.inner().read(name, shape)).await
    }

    async fn create(
        &self,
        name: &SecretName,
        document: &Document,
        marks: &Marks,
    ) -> Result<Version> {
        let about = About::one(Operation::Create, name);
        self.call(about, || self.inner().create(name, document, marks))
            .await
    }

    async fn add_fields(
        &self,
        name: &SecretName,
        new: &Fields,
        expected: &Version,
    ) -> Result<Version> {
        let about = About::one(Operation::AddFields, name);
        self.call(about, || self.inner().add_fields(name, new, expected))
            .await
    }
}

#[async_trait]
impl<W: Wrapper<Inner: Replace>> Replace for W {
    async fn replace(
        &self,
        name: &SecretName,
        document: &Document,
        expected: &Version,
    ) -> Result<Version> {
        let about = About::one(Operation::Replace, name);
        self.call(about, || self.inner().replace(name, document, expected))
            .await
    }
}

#[async_trait]
impl<W: Wrapper<Inner: Restore>> Restore for W {
    async fn restore(&self, name: &SecretName) -> Result<()> {
        let about = About::one(Operation::Restore, name);
        self.call(about, || self.inner().restore(name)).await
    }
}

#[async_trait]
impl<W: Wrapper<Inner: Converge>> Converge for W {
    fn pause(&self) -> Duration {
        self.inner().pause()
    }

    async fn settle(&self, written: &[Written]) -> Result<Vec<Settled>> {
        let about = About::all(Operation::Settle);
        self.call(about, || self.inner().settle(written)).await
    }
}

#[async_trait]
impl<W: Wrapper<Inner: Versions>> Versions for W {
    async fn read_version(
        &self,
        name: &SecretName,
        version: &Version,
        shape: WantedShape,
    ) -> Result<Stored> {
        let about = About::one(Operation::ReadVersion, name);
        self.call(about, || self.inner().read_version(name, version, shape))
            .await
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::Arc;

    use seed_core::backend::Kind;
    use seed_core::document::FieldValue;

    use crate::{Backoff, Deadlines, Limited, Memory, Paced, Pacer, Retrying, Timed, Traced};

    use super::*;

    fn all_around(memory: Arc<Memory>) -> impl Replace + Restore + Versions {
        let timed = Timed::new(memory, Deadlines::of(Duration::from_secs(1)));
        let limited = Limited::new(timed, NonZeroUsize::MIN);
        let pacer = Pacer::new(limited.describe().capabilities.pace, 1);
        let paced = Paced::new(limited, Arc::new(pacer));
        Traced::new(Retrying::new(paced, Backoff::default(), |longest| longest))
    }

    #[tokio::test(start_paused = true)]
    async fn every_verb_reaches_the_innermost_provider() {
        let memory = Arc::new(Memory::of(Kind::Vault));
        let provider = all_around(Arc::clone(&memory));
        let name = Kind::Vault.existing_name("app/env").unwrap();
        let mut fields = Fields::new();
        assert!(fields.insert("a", FieldValue::Text("1".to_owned().into())));
        let document = Document::Fields(fields);
        let first = provider
            .create(&name, &document, &Marks::of("test"))
            .await
            .unwrap();
        let mut more = Fields::new();
        assert!(more.insert("b", FieldValue::Text("2".to_owned().into())));
        let second = provider.add_fields(&name, &more, &first).await.unwrap();
        provider.replace(&name, &document, &second).await.unwrap();
        provider.restore(&name).await.unwrap();
        let shape = WantedShape::Fields;
        let old = provider.read_version(&name, &second, shape).await.unwrap();
        assert!(matches!(old.document, Document::Fields(fields) if fields.len() == 2));
        provider.read(&name, shape).await.unwrap();
        provider.inventory(&[]).await.unwrap();
        provider.identify().await.unwrap();
        assert_eq!(provider.notes(), memory.notes());
        assert_eq!(provider.describe(), memory.describe());
        for operation in [
            Operation::AddFields,
            Operation::Create,
            Operation::Identify,
            Operation::Inventory,
            Operation::Read,
            Operation::ReadVersion,
            Operation::Replace,
            Operation::Restore,
        ] {
            assert_eq!(memory.calls(operation), 1, "{}", operation.as_str());
        }
    }
}
