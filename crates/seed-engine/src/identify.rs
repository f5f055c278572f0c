//! Where we are, and as whom, before anything else is asked.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::join_all;
use seed_core::backend::Description;
use seed_core::document::{Document, Fields};
use seed_core::inventory::{Inventory, Version, Wanted};
use seed_core::name::SecretName;
use seed_provider::{Error, Identity, Marks, Provider, Result, Stored, WantedShape};

use crate::Providers;

/// What every backend said of itself, by its name in the contract.
#[derive(Debug, Default)]
#[must_use = "a backend that is not the one that is meant must be asked nothing more"]
pub struct Identified {
    /// As whom calls are made.
    pub identities: BTreeMap<String, Identity>,
    /// Backends that could not tell, and why.
    pub errors: BTreeMap<String, Error>,
}

/// Asks every backend, all at once.
pub async fn identify(providers: &Providers) -> Identified {
    let asked = providers
        .iter()
        .map(|(name, provider)| async move { (name, provider.identify().await) });
    let mut identified = Identified::default();
    for (name, answer) in join_all(asked).await {
        match answer {
            Ok(identity) => drop(identified.identities.insert(name.clone(), identity)),
            Err(err) => drop(identified.errors.insert(name.clone(), err)),
        }
    }
    identified
}

/// A backend that could not say where or as whom it is. It is asked nothing more: every call fails as that one did.
pub fn unreached(provider: Arc<dyn Provider>, error: Error) -> Arc<dyn Provider> {
    Arc::new(Unreached { provider, error })
}

struct Unreached {
    /// Only to describe it.
    provider: Arc<dyn Provider>,
    error: Error,
}

impl Unreached {
    fn fails<T>(&self) -> Result<T> {
        Err(self.error.clone())
    }
}

impl fmt::Debug for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unreached")
            .field("provider", &self.provider)
            .field("error", &self.error)
            .finish()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for Unreached {
    fn describe(&self) -> Description {
        self.provider.describe()
    }

    async fn identify(&self) -> Result<Identity> {
        self.fails()
    }

    fn notes(&self) -> Vec<String> {
        self.provider.notes()
    }

    async fn inventory(&self, _: &[Wanted]) -> Result<Inventory> {
        self.fails()
    }

    async fn read(&self, _: &SecretName, _: WantedShape) -> Result<Stored> {
        self.fails()
    }

    async fn create(&self, _: &SecretName, _: &Document, _: &Marks) -> Result<Version> {
        self.fails()
    }

    async fn add_fields(&self, _: &SecretName, _: &Fields, _: &Version) -> Result<Version> {
        self.fails()
    }
}
