//! The calls of the service that we make, and what each is made for.

use seed_core::name::SecretName;
use seed_provider::{Error, ErrorKind, Operation};

/// One call, by the name that the service gives it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Call {
    AccessSecretVersion,
    AddSecretVersion,
    CreateSecret,
    GetSecret,
    ListSecretVersions,
    ListSecrets,
    UpdateSecret,
}

impl Call {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::AccessSecretVersion => "AccessSecretVersion",
            Self::AddSecretVersion => "AddSecretVersion",
            Self::CreateSecret => "CreateSecret",
            Self::GetSecret => "GetSecret",
            Self::ListSecretVersions => "ListSecretVersions",
            Self::ListSecrets => "ListSecrets",
            Self::UpdateSecret => "UpdateSecret",
        }
    }

    /// Whether it may change something, so that a lost answer leaves a doubt.
    pub(crate) fn writes(self) -> bool {
        match self {
            Self::AddSecretVersion | Self::CreateSecret | Self::UpdateSecret => true,
            Self::AccessSecretVersion
            | Self::GetSecret
            | Self::ListSecretVersions
            | Self::ListSecrets => false,
        }
    }
}

/// What a request is sent for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purpose<'a> {
    pub(crate) operation: Operation,
    pub(crate) name: Option<&'a SecretName>,
    pub(crate) call: Call,
}

impl<'a> Purpose<'a> {
    pub(crate) fn of(operation: Operation, name: &'a SecretName, call: Call) -> Self {
        let name = Some(name);
        Self {
            operation,
            name,
            call,
        }
    }

    pub(crate) fn error(self, kind: ErrorKind, message: impl Into<String>) -> Error {
        let error = Error::new(kind, self.operation, message.into());
        match self.name {
            Some(name) => error.about(name),
            None => error,
        }
    }

    /// A failure that leaves open whether the call took effect.
    pub(crate) fn lost(self) -> ErrorKind {
        if self.call.writes() {
            ErrorKind::Indeterminate
        } else {
            ErrorKind::Unavailable
        }
    }
}
