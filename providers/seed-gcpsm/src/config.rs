//! What an adapter is made from.

use std::fmt;
use std::path::PathBuf;

/// Where to write and as whom. Empty texts count as not given.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The project that the contract names.
    pub project: Option<String>,
    /// The location of regional secrets; without one, secrets are global.
    pub location: Option<String>,
    /// `automatic`, or the locations of the copies of global secrets that are created, with commas in between.
    pub replication: Option<String>,
    /// The keys that secrets are encrypted with that are created: one, or one for each location, with commas in between.
    pub kms_key: Option<String>,
    /// The project that requests are counted and billed to, where it is not that of the credentials.
    pub quota_project: Option<String>,
    /// The address that the contract names, instead of Google's own.
    pub endpoint: Option<String>,
    /// Whether a person named that address on the command line.
    pub meant: bool,
    /// What variables say.
    pub surroundings: Surroundings,
    /// Where credentials come from.
    pub credentials: Credentials,
}

/// What the caller has read from the environment.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// `GOOGLE_CLOUD_PROJECT`, or else `CLOUDSDK_CORE_PROJECT`.
    pub project: Option<String>,
    /// `GOOGLE_CLOUD_QUOTA_PROJECT`.
    pub quota_project: Option<String>,
    /// `CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER`.
    pub endpoint: Option<String>,
    /// `GOOGLE_APPLICATION_CREDENTIALS`: a file that must be there.
    pub named_credentials: Option<PathBuf>,
    /// Where `gcloud auth application-default login` leaves what it got; it need not be there.
    pub usual_credentials: Option<PathBuf>,
    /// Variables that no program sees which the credentials name, since they may hold values.
    pub withheld: Vec<String>,
}

/// Where credentials come from.
#[derive(Clone, Default)]
pub enum Credentials {
    /// Application default credentials: the file that a variable names, the one that gcloud wrote, or the machine's own.
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
