//! What an opened backend can be asked for.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use seed_core::backend::{Capabilities, Pace};
use seed_core::resolve::ResolvedBackend;
use seed_provider::{Backoff, Converge, Policy, Provider, Replace, Restore, Traced};

use crate::args::{ContractArgs, RunArgs};
use crate::env::Environment;

/// What adapters are opened with.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    /// The base of the contract's paths.
    pub(crate) root: &'a Path,
    pub(crate) args: &'a RunArgs,
    pub(crate) env: &'a Environment,
    /// Whether the namespace that a backend keeps its values in may be created.
    #[cfg_attr(
        not(feature = "kubernetes"),
        expect(dead_code, reason = "only Kubernetes has namespaces to create")
    )]
    pub(crate) create_namespace: bool,
    /// Variables that hold values which people give: no program that a client runs may see them.
    pub(crate) hidden: &'a [String],
    /// What the command line says of the contract.
    pub(crate) contract: &'a ContractArgs,
}

/// An adapter, by what it may be asked to do. A command is handed only what it needs.
pub(crate) struct Opened {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) replace: Option<Arc<dyn Replace>>,
    pub(crate) restore: Option<Arc<dyn Restore>>,
    /// Of a backend whose writes are only known to stand after a second look.
    pub(crate) converge: Option<Arc<dyn Converge>>,
}

impl Opened {
    /// An adapter that can replace, and bring nothing back.
    pub(super) fn replacing<P: Replace>(provider: P) -> Self {
        let provider = Arc::new(provider);
        Self {
            provider: Arc::clone(&provider) as Arc<dyn Provider>,
            replace: Some(provider),
            restore: None,
            converge: None,
        }
    }

    /// An adapter that has no verb which could change or bring back what is there.
    #[cfg(feature = "kubernetes")]
    pub(super) fn creating<P: Provider>(provider: P) -> Self {
        Self {
            provider: Arc::new(Traced::new(provider)),
            replace: None,
            restore: None,
            converge: None,
        }
    }

    /// An adapter that sends its requests under a [`Policy`] of its own, and can replace and restore.
    pub(super) fn restoring<P: Replace + Restore>(provider: P) -> Self {
        let provider = Arc::new(Traced::new(provider));
        Self {
            provider: Arc::clone(&provider) as Arc<dyn Provider>,
            replace: Some(Arc::clone(&provider) as Arc<dyn Replace>),
            restore: Some(provider),
            converge: None,
        }
    }

    /// An adapter like that, whose writes are only known to stand after a second look.
    #[cfg(feature = "azure-kv")]
    pub(super) fn converging<P: Replace + Restore + Converge>(provider: P) -> Self {
        let provider = Arc::new(Traced::new(provider));
        Self {
            provider: Arc::clone(&provider) as Arc<dyn Provider>,
            replace: Some(Arc::clone(&provider) as Arc<dyn Replace>),
            restore: Some(Arc::clone(&provider) as Arc<dyn Restore>),
            converge: Some(provider),
        }
    }
}

impl Ground<'_> {
    /// Whether a person gave this text as a fact on the command line, word for word: then it is meant, whatever else the
    /// environment says.
    pub(super) fn is_named(&self, text: &str) -> bool {
        let ContractArgs {
            set, set_string, ..
        } = self.contract;
        let mut facts = set.iter().chain(set_string);
        facts.any(|fact| fact.split_once('=').is_some_and(|(_, value)| value == text))
    }

    /// How an adapter of a service sends its requests: under its own limits, or those that the contract and the
    /// arguments give instead.
    pub(super) fn policy(
        &self,
        capabilities: &Capabilities,
        burst: u32,
        backend: &ResolvedBackend,
    ) -> Policy {
        let own = capabilities.concurrency;
        let Pace { reads, writes } = capabilities.pace;
        Policy {
            pace: Pace {
                reads: backend.pace.reads.and_then(NonZeroU32::new).or(reads),
                writes: backend.pace.writes.and_then(NonZeroU32::new).or(writes),
            },
            burst,
            concurrency: self.args.concurrency.map_or(own, |asked| asked.min(own)),
            deadline: Duration::from_secs(self.args.timeout),
            backoff: Backoff::default(),
            patience: PATIENCE,
            jitter: Arc::new(jitter),
        }
    }
}

/// How long a service may ask for patience before its word is taken for a failure.
const PATIENCE: Duration = Duration::from_mins(3);

/// A pause between nothing and all of it, so that many callers do not come back at once.
pub(super) fn jitter(longest: Duration) -> Duration {
    longest.mul_f64(rand::rand_core::UnwrapErr(rand::rngs::SysRng).random::<f64>())
}

#[cfg(test)]
mod tests {
    use seed_core::backend::Kind;

    /// What help and documentation say is read from the kind.
    #[test]
    fn every_adapter_promises_what_is_said_of_its_kind() {
        for (kind, capabilities) in [
            #[cfg(feature = "aws-sm")]
            (Kind::AwsSm, seed_aws_sm::CAPABILITIES),
            #[cfg(feature = "azure-kv")]
            (Kind::AzureKv, seed_azure_kv::CAPABILITIES),
            #[cfg(feature = "gcpsm")]
            (Kind::Gcpsm, seed_gcpsm::CAPABILITIES),
            #[cfg(feature = "kubernetes")]
            (Kind::Kubernetes, seed_kubernetes::CAPABILITIES),
            #[cfg(feature = "vault")]
            (Kind::Vault, seed_vault::CAPABILITIES),
        ] {
            assert_eq!(capabilities.create, kind.guarantee(), "{kind}");
            assert_eq!(capabilities.add_fields, kind.guarantee(), "{kind}");
        }
    }
}
