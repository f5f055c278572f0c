//! What an adapter is made from.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where to write and as whom. Empty texts count as not given.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The vault's address, such as `https://NAME.vault.azure.net`.
    pub vault: Option<String>,
    /// How long to wait for other writers after the last write, instead of five seconds.
    pub pause: Option<Duration>,
    /// What variables say.
    pub surroundings: Surroundings,
    /// Where credentials come from.
    pub credentials: Credentials,
}

/// What the caller has read from the environment.
#[derive(Clone, Default)]
pub struct Surroundings {
    /// `AZURE_AUTHORITY_HOST`: where to log in, instead of the cloud's own place.
    pub authority: Option<String>,
    /// `AZURE_TENANT_ID`.
    pub tenant: Option<String>,
    /// `AZURE_CLIENT_ID`.
    pub client: Option<String>,
    /// `AZURE_CLIENT_SECRET`.
    pub client_secret: Option<String>,
    /// Whether `AZURE_CLIENT_CERTIFICATE_PATH` is set.
    pub client_certificate: bool,
    /// `AZURE_FEDERATED_TOKEN_FILE`.
    pub federated_token: Option<PathBuf>,
    /// Whether `IDENTITY_ENDPOINT` is set, which the Azure libraries read for themselves.
    pub identity_endpoint: bool,
    /// A file of authorities to trust instead of the machine's own.
    pub authorities: Option<PathBuf>,
    /// The variables that `az` and `azd` must not see: any of them may hold a value.
    pub withheld: Vec<String>,
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings")
            .field("authority", &self.authority)
            .field("tenant", &self.tenant)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// Where credentials come from.
#[derive(Clone, Default)]
pub enum Credentials {
    /// The environment, workload identity, managed identity, `az`, `azd`, in this order.
    #[default]
    Usual,
    /// A token that is given, for tests.
    Token(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Usual => "Usual",
            Self::Token(_) => "Token",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_printed_has_a_credential() {
        let config = Config {
            surroundings: Surroundings {
                client_secret: Some("canary".to_owned()),
                ..Surroundings::default()
            },
            credentials: Credentials::Token("canary".to_owned()),
            ..Config::default()
        };
        assert!(!format!("{config:?}").contains("canary"));
    }
}
