//! What an adapter is made from.

use std::fmt;
use std::path::PathBuf;

/// Where to write and as whom. Empty texts count as not given.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The region that the contract names.
    pub region: Option<String>,
    /// The account that the contract names; it must be the caller's.
    pub account: Option<String>,
    /// The profile that the contract names; then no other credentials are tried.
    pub profile: Option<String>,
    /// The KMS key of secrets that are created, instead of the account's `aws/secretsmanager`.
    pub kms_key: Option<String>,
    /// The address that the contract names, instead of the region's own. STS is called there too.
    pub endpoint: Option<String>,
    /// What variables say.
    pub surroundings: Surroundings,
    /// Where credentials come from.
    pub credentials: Credentials,
}

/// What the caller has read from the environment; the AWS libraries read credentials for themselves.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// `AWS_REGION`, or else `AWS_DEFAULT_REGION`.
    pub region: Option<String>,
    /// `AWS_PROFILE`.
    pub profile: Option<String>,
    /// `AWS_ENDPOINT_URL_SECRETS_MANAGER`, or else `AWS_ENDPOINT_URL`.
    pub endpoint: Option<String>,
    /// `AWS_ENDPOINT_URL_STS`, or else `AWS_ENDPOINT_URL`.
    pub sts_endpoint: Option<String>,
    /// `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`: endpoints of profiles do not count.
    pub ignore_endpoints: bool,
    /// `AWS_USE_FIPS_ENDPOINT`.
    pub fips: bool,
    /// `AWS_USE_DUALSTACK_ENDPOINT`.
    pub dual_stack: bool,
    /// `AWS_CA_BUNDLE`, or else `SSL_CERT_FILE`, with its name.
    pub authorities: Option<(String, PathBuf)>,
    /// `AWS_CONFIG_FILE`, or else `~/.aws/config`.
    pub config_file: Option<PathBuf>,
    /// `AWS_SHARED_CREDENTIALS_FILE`, or else `~/.aws/credentials`.
    pub credentials_file: Option<PathBuf>,
    /// The variables that a `credential_process` must not see: any of them may hold a value.
    pub withheld: Vec<String>,
}

/// Where credentials come from.
#[derive(Clone, Default)]
pub enum Credentials {
    /// Variables, profiles with all that they can name, web identity, container, instance: as the AWS command line.
    #[default]
    Usual,
    /// A key that is given, for tests.
    Key {
        /// Its id.
        id: String,
        /// Its secret.
        secret: String,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Usual => "Usual",
            Self::Key { .. } => "Key",
        })
    }
}

/// Why no adapter can be made. Nothing was called.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    message: String,
    hint: String,
}

impl ConfigError {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}
