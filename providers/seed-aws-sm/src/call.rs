//! The calls of the services that we make.

/// One call, by the name that the services give it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Call {
    BatchGetSecretValue,
    CreateSecret,
    DescribeSecret,
    GetCallerIdentity,
    GetSecretValue,
    ListSecrets,
    PutSecretValue,
    RestoreSecret,
    UpdateSecretVersionStage,
}

impl Call {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::BatchGetSecretValue => "BatchGetSecretValue",
            Self::CreateSecret => "CreateSecret",
            Self::DescribeSecret => "DescribeSecret",
            Self::GetCallerIdentity => "GetCallerIdentity",
            Self::GetSecretValue => "GetSecretValue",
            Self::ListSecrets => "ListSecrets",
            Self::PutSecretValue => "PutSecretValue",
            Self::RestoreSecret => "RestoreSecret",
            Self::UpdateSecretVersionStage => "UpdateSecretVersionStage",
        }
    }

    /// Whether it may change something, so that a lost answer leaves a doubt.
    pub(crate) fn writes(self) -> bool {
        match self {
            Self::CreateSecret
            | Self::PutSecretValue
            | Self::RestoreSecret
            | Self::UpdateSecretVersionStage => true,
            Self::BatchGetSecretValue
            | Self::DescribeSecret
            | Self::GetCallerIdentity
            | Self::GetSecretValue
            | Self::ListSecrets => false,
        }
    }
}
