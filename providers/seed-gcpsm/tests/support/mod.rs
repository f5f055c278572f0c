//! Adapters for tests.

#![allow(dead_code, reason = "each test takes what it needs")]
#![expect(clippy::unwrap_used, reason = "a test may give up")]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use seed_core::backend::{Kind, Pace};
use seed_core::document::Document;
use seed_core::inventory::{Depth, Presence, Wanted};
use seed_core::name::SecretName;
use seed_gcpsm::{BURST, CAPABILITIES, Config, Credentials, GcpSm};
use seed_provider::{Backoff, Policy, Provider as _};

/// An adapter that asks the service at `url`, with short pauses and without a quota.
pub(crate) fn adapter(url: &str) -> GcpSm {
    GcpSm::new(&config(url), policy()).unwrap()
}

pub(crate) fn config(url: &str) -> Config {
    Config {
        project: Some("ai-lab".to_owned()),
        endpoint: Some(url.to_owned()),
        credentials: Credentials::Token(seed_fakes::GcpSm::TOKEN.to_owned()),
        ..Config::default()
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
    Kind::Gcpsm.existing_name(text).unwrap()
}

pub(crate) fn single(text: &str) -> Document {
    Document::Single(text.to_owned().into())
}

pub(crate) fn wanted(text: &str, fields: &[&str], depth: Depth) -> Wanted {
    Wanted {
        name: name(text),
        fields: fields.iter().map(|field| field.parse().unwrap()).collect(),
        depth,
    }
}

/// What an adapter sees under one name.
pub(crate) async fn look(adapter: &GcpSm, text: &str) -> Presence {
    let asked = [wanted(text, &[], Depth::Metadata)];
    let inventory = adapter.inventory(&asked).await.unwrap();
    inventory.get(&asked[0].name).unwrap().clone()
}
