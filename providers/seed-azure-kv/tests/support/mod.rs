//! Adapters for tests.

#![allow(dead_code, reason = "each test takes what it needs")]
#![expect(clippy::unwrap_used, reason = "a test may give up")]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use seed_azure_kv::{AzureKv, BURST, CAPABILITIES, Config, Credentials, Surroundings};
use seed_core::backend::{Kind, Pace};
use seed_core::inventory::{Depth, Presence, Version, Wanted};
use seed_core::name::SecretName;
use seed_fakes::{Authority, Server};
use seed_provider::{Backoff, Converge as _, Policy, Provider as _, Settled, Written};
use tempfile::NamedTempFile;

/// A stand-in with TLS, and the file that its certificate is trusted by.
pub(crate) struct Stand {
    pub(crate) server: Server<seed_fakes::AzureKv>,
    pub(crate) authorities: NamedTempFile,
}

impl Stand {
    pub(crate) fn new() -> Self {
        let authority = Authority::new();
        let authorities = NamedTempFile::new().unwrap();
        std::fs::write(authorities.path(), authority.pem()).unwrap();
        Self {
            server: Server::start_tls(seed_fakes::AzureKv::new(), &authority),
            authorities,
        }
    }

    pub(crate) fn service(&self) -> &seed_fakes::AzureKv {
        self.server.service()
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            vault: Some(self.server.url()),
            pause: Some(Duration::from_millis(200)),
            surroundings: Surroundings {
                authorities: Some(self.authorities.path().to_owned()),
                ..Surroundings::default()
            },
            credentials: Credentials::Token(self.service().token()),
        }
    }

    /// An adapter with short pauses and without a quota.
    pub(crate) fn adapter(&self) -> AzureKv {
        AzureKv::new(self.config(), policy()).unwrap()
    }

    /// An adapter that has made the calls that every run makes first; they are not in the log.
    pub(crate) async fn ready(&self) -> AzureKv {
        let adapter = self.adapter();
        adapter.identify().await.unwrap();
        self.server.clear_log();
        adapter
    }
}

pub(crate) fn policy() -> Policy {
    Policy {
        pace: Pace {
            reads: None,
            writes: None,
        },
        burst: BURST,
        concurrency: CAPABILITIES.concurrency,
        deadline: Duration::from_secs(10),
        backoff: Backoff {
            attempts: NonZeroU32::new(3).unwrap(),
            first: Duration::from_millis(4),
            longest: Duration::from_millis(20),
        },
        patience: Duration::from_millis(400),
        jitter: Arc::new(|longest| longest / 2),
    }
}

pub(crate) fn name(text: &str) -> SecretName {
    Kind::AzureKv.existing_name(text).unwrap()
}

pub(crate) fn wanted(text: &str, fields: &[&str], depth: Depth) -> Wanted {
    Wanted {
        name: name(text),
        fields: fields.iter().map(|field| field.parse().unwrap()).collect(),
        depth,
    }
}

/// What an adapter sees under one name.
pub(crate) async fn look(adapter: &AzureKv, text: &str) -> Presence {
    let asked = [wanted(text, &[], Depth::Metadata)];
    let inventory = adapter.inventory(&asked).await.unwrap();
    inventory.get(&asked[0].name).unwrap().clone()
}

/// What became of one write, in a few words.
pub(crate) async fn settle(adapter: &AzureKv, text: &str, version: &Version) -> String {
    let written = Written {
        name: name(text),
        version: version.clone(),
    };
    match adapter.settle(&[written]).await.unwrap().as_slice() {
        [Settled::Ours { contested }] => format!("ours, contested: {contested}"),
        [Settled::Theirs] => "theirs".to_owned(),
        [Settled::Unclear(err)] => format!("unclear: {}", err.message()),
        other => format!("{} answers", other.len()),
    }
}
