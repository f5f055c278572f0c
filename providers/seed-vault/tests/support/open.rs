//! Adapters for tests.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use seed_core::secret::SecretValue;
use seed_provider::{Backoff, Policy};
use seed_vault::{CAPABILITIES, Config, ConfigError, Variables, Vault};

/// Short pauses, so that what is sent again is so at once.
pub(crate) fn policy() -> Policy {
    Policy {
        pace: CAPABILITIES.pace,
        burst: 1,
        concurrency: CAPABILITIES.concurrency,
        deadline: Duration::from_secs(5),
        backoff: Backoff {
            attempts: NonZeroU32::new(2).unwrap(),
            first: Duration::from_millis(1),
            longest: Duration::from_millis(1),
        },
        patience: Duration::from_millis(1500),
        jitter: Arc::new(|longest| longest),
    }
}

/// A configuration with these variables and nothing else.
pub(crate) fn config(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let variables = Variables::read(|name| {
        let found = variables.iter().find(|(known, _)| *known == name)?;
        Some(SecretValue::from(found.1.to_owned()))
    })?;
    Ok(Config {
        address: None,
        meant: false,
        namespace: None,
        mount: None,
        login: None,
        login_mount: None,
        role: None,
        variables,
        home: None,
    })
}

/// An adapter of the mount `secret` at an address.
pub(crate) fn at(address: &str, token: &str) -> Vault {
    let config = config(&[("VAULT_ADDR", address), ("VAULT_TOKEN", token)]).unwrap();
    Vault::new(config, policy()).unwrap()
}
