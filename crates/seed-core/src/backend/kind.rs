//! The kinds of backend, and the names they take.

use std::fmt;
use std::str::FromStr;

use super::Guarantee;
use super::rule::{self, NameRule, StoredNameError};
use crate::name::{EntryKey, FieldName, SecretName};

/// A kind of backend.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// AWS Secrets Manager.
    AwsSm,
    /// Azure Key Vault.
    AzureKv,
    /// Google Secret Manager.
    Gcpsm,
    /// Secrets of a source namespace in a Kubernetes cluster.
    Kubernetes,
    /// One encrypted file on this machine.
    Local,
    /// `HashiCorp` Vault or `OpenBao`, KV version 2.
    Vault,
}

/// A word that is no kind of backend.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "`{0}` is no kind of backend; known are gcpsm, aws-sm, azure-kv, vault, kubernetes and local"
)]
pub struct UnknownKind(pub String);

impl Kind {
    /// All kinds, in the order in which documentation lists them.
    pub const ALL: [Self; 6] = [
        Self::Gcpsm,
        Self::AwsSm,
        Self::AzureKv,
        Self::Vault,
        Self::Kubernetes,
        Self::Local,
    ];

    /// The word used in a contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwsSm => "aws-sm",
            Self::AzureKv => "azure-kv",
            Self::Gcpsm => "gcpsm",
            Self::Kubernetes => "kubernetes",
            Self::Local => "local",
            Self::Vault => "vault",
        }
    }

    /// The name people know it by.
    pub fn title(self) -> &'static str {
        match self {
            Self::AwsSm => "AWS Secrets Manager",
            Self::AzureKv => "Azure Key Vault",
            Self::Gcpsm => "Google Secret Manager",
            Self::Kubernetes => "Kubernetes source namespace",
            Self::Local => "local encrypted file",
            Self::Vault => "Vault / OpenBao KV v2",
        }
    }

    /// How sure a write is that must not overwrite anything.
    pub fn guarantee(self) -> Guarantee {
        match self {
            Self::AwsSm | Self::Kubernetes | Self::Local | Self::Vault => Guarantee::Atomic,
            Self::AzureKv => Guarantee::Converging,
            Self::Gcpsm => Guarantee::Claimed,
        }
    }

    /// What names and values may look like.
    pub fn rule(self) -> &'static NameRule {
        rule::of(self)
    }

    /// The settings that a contract may give, beside those that every backend has.
    pub fn settings(self) -> &'static [&'static str] {
        match self {
            Self::AwsSm => &["region", "account", "profile", "kms-key", "endpoint"],
            Self::AzureKv => &["vault", "pause"],
            Self::Gcpsm => &[
                "project",
                "location",
                "replication",
                "kms-key",
                "quota-project",
                "endpoint",
            ],
            Self::Kubernetes => &["context", "server", "namespace"],
            Self::Local => &["file"],
            Self::Vault => &[
                "address",
                "namespace",
                "mount",
                "login",
                "login-mount",
                "role",
            ],
        }
    }

    /// Whether the backend keeps a map natively, so that a single value needs a key of its own.
    pub fn is_map(self) -> bool {
        matches!(self, Self::Kubernetes | Self::Vault)
    }

    /// Whether one value may be any bytes. Where not, a binary value is stored as base64 text.
    pub fn stores_binary(self) -> bool {
        !matches!(self, Self::AzureKv | Self::Vault)
    }

    /// Whether a field may be any bytes. Where not, a binary field is stored as base64 text.
    pub fn stores_binary_fields(self) -> bool {
        matches!(self, Self::Kubernetes | Self::Local)
    }

    /// Whether an empty single value can be stored and read by the External Secrets Operator.
    pub fn stores_empty(self) -> bool {
        !matches!(self, Self::Gcpsm | Self::AwsSm)
    }

    /// Whether External Secrets Operator can read it. `local` is for this machine only.
    pub fn is_store(self) -> bool {
        !matches!(self, Self::Local)
    }

    /// The stored name of an entry: `prefix` and key, mapped to the backend's alphabet and checked against its rules.
    ///
    /// `key` is the contract's `key:` when it gives one; then nothing is mapped.
    pub fn stored_name(
        self,
        prefix: &str,
        entry: &EntryKey,
        key: Option<&str>,
    ) -> Result<SecretName, StoredNameError> {
        let name = match key {
            Some(key) => key.to_owned(),
            None => self.rule().map(&format!("{prefix}{entry}")),
        };
        self.rule().check(&name)?;
        Ok(SecretName::new(name))
    }

    /// Takes a name as it is stored, for tests and for answers of a backend.
    pub fn existing_name(self, name: &str) -> Result<SecretName, StoredNameError> {
        self.rule().check(name)?;
        Ok(SecretName::new(name.to_owned()))
    }

    /// Tells why a field name cannot be used on this backend, if it cannot.
    pub fn refuse_field(self, field: &FieldName) -> Option<&'static str> {
        let name = field.as_str();
        match self {
            Self::AzureKv if name.contains('.') => Some(
                "External Secrets Operator looks for a nested path first on Azure Key Vault, so a dot is ambiguous",
            ),
            Self::Gcpsm if name.starts_with('.') => Some(
                "External Secrets Operator cannot read a property that begins with a dot from Google Secret Manager",
            ),
            Self::Kubernetes if name == "." || name.starts_with("..") => {
                Some("Kubernetes refuses this data key")
            }
            Self::AwsSm
            | Self::AzureKv
            | Self::Gcpsm
            | Self::Kubernetes
            | Self::Local
            | Self::Vault => None,
        }
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(word: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| UnknownKind(word.to_owned()))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
