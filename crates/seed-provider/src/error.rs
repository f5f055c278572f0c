//! What can go wrong, sorted by what the caller can do about it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use seed_core::name::SecretName;

/// What a provider's call gives back.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A call that failed.
///
/// Its text is a lower-case fragment fit for "failed to …" and does not repeat its source. Neither the text nor `Debug`
/// has a value or a body, and an adapter must not hand over a source whose text could.
#[derive(Clone)]
pub struct Error {
    kind: ErrorKind,
    operation: Operation,
    name: Option<SecretName>,
    request_id: Option<String>,
    message: Cow<'static, str>,
    stopped: bool,
    contested: bool,
    unsent: bool,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Makes an error of `operation`. `message` says what was wrong, in a few lower-case words without a value.
    pub fn new(
        kind: ErrorKind,
        operation: Operation,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            kind,
            operation,
            name: None,
            request_id: None,
            message: message.into(),
            stopped: false,
            contested: false,
            unsent: false,
            source: None,
        }
    }

    /// Makes the error of a request that was not sent any more, because the run is to stop.
    pub fn stopped(operation: Operation) -> Self {
        Self {
            stopped: true,
            ..Self::new(
                ErrorKind::Unavailable,
                operation,
                "not sent: the run was stopped",
            )
        }
    }

    /// Says of an `Indeterminate` error that ours was stored, and somebody else's too: what is read proves nothing.
    #[must_use]
    pub fn contested(mut self) -> Self {
        self.contested = true;
        self
    }

    /// Says that an attempt ended without a request: it must be prepared anew. It tells nothing of the service, and is not
    /// tried again by [`Requests`](crate::Requests).
    #[must_use]
    pub fn unsent(mut self) -> Self {
        self.unsent = true;
        self
    }

    /// Says more of the same.
    #[must_use]
    pub(crate) fn saying(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    /// Names the entry that it was about.
    #[must_use]
    pub fn about(mut self, name: &SecretName) -> Self {
        self.name = Some(name.clone());
        self
    }

    /// Adds the id under which the backend's operators find the request.
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Adds what caused it. The source's own text is printed after ours, so it must not hold a value or a body.
    #[must_use]
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What was being done.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// The entry that it was about, if it was about one.
    pub fn name(&self) -> Option<&SecretName> {
        self.name.as_ref()
    }

    /// The backend's own id of the request, where it gave one.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// What was wrong, without operation and name.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Tells whether nothing was sent because the run is to stop.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Tells whether somebody else's write came beside ours, so that no reading settles what is stored.
    pub fn is_contested(&self) -> bool {
        self.contested
    }

    /// Tells whether nothing was sent, and what was to be sent must be prepared anew.
    pub fn is_unsent(&self) -> bool {
        self.unsent
    }

    /// Tells whether the same call may simply be sent again.
    pub fn is_retryable(&self) -> bool {
        self.kind.is_retryable()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.operation, &self.name) {
            (Operation::Inventory, Some(name)) => write!(f, "look up `{name}`")?,
            (operation, Some(name)) => write!(f, "{} `{name}`", operation.verb())?,
            (operation, None) => f.write_str(operation.verb())?,
        }
        write!(f, ": {}", self.message)?;
        match &self.request_id {
            Some(id) => write!(f, " (request id {id})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("operation", &self.operation)
            .field("name", &self.name)
            .field("request_id", &self.request_id)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}

/// What kind of failure it was. Not `#[non_exhaustive]`: a new kind must be thought about wherever kinds are told apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ErrorKind {
    /// Something of that name, or a field of that name, is there already. Nothing was changed.
    AlreadyExists,
    /// What is there is not in the state that the caller expected, for instance because somebody changed it meanwhile.
    /// Nothing was changed.
    Conflict,
    /// We are not allowed to. Never to be taken for absence.
    Denied,
    /// A write may or may not have taken effect: its answer was lost. Look before trying again.
    Indeterminate,
    /// The backend cannot take what was asked: a name, a size or a format. Nothing was changed.
    Invalid,
    /// What was reached is not what the contract names: another account, server or namespace, or a store of another
    /// kind. Nothing was changed, and nothing must be tried there.
    Misplaced,
    /// Nothing is there, in the backend's own words.
    NotFound,
    /// The backend asks for patience. Nothing was changed.
    RateLimited {
        /// How long, where the backend says.
        retry_after: Option<Duration>,
    },
    /// The backend does not know who we are: no credential, or one that is expired or of somebody else.
    Unauthenticated,
    /// The backend could not be reached or could not serve us now. Promises that a write had no effect.
    Unavailable,
    /// An answer that fits none of the others, or stored data that cannot be understood.
    Unexpected,
    /// This backend cannot do that at all.
    Unsupported,
    /// What is stored is one value where several are declared, or the other way round.
    WrongShape,
}

impl ErrorKind {
    /// Tells whether the same call may simply be sent again: the failure may pass, and nothing has been changed.
    pub fn is_retryable(self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Unavailable => true,
            Self::AlreadyExists
            | Self::Conflict
            | Self::Denied
            | Self::Indeterminate
            | Self::Invalid
            | Self::Misplaced
            | Self::NotFound
            | Self::Unauthenticated
            | Self::Unexpected
            | Self::Unsupported
            | Self::WrongShape => false,
        }
    }

    /// The word for traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyExists => "already-exists",
            Self::Conflict => "conflict",
            Self::Denied => "denied",
            Self::Indeterminate => "indeterminate",
            Self::Invalid => "invalid",
            Self::Misplaced => "misplaced",
            Self::NotFound => "not-found",
            Self::RateLimited { .. } => "rate-limited",
            Self::Unauthenticated => "unauthenticated",
            Self::Unavailable => "unavailable",
            Self::Unexpected => "unexpected",
            Self::Unsupported => "unsupported",
            Self::WrongShape => "wrong-shape",
        }
    }
}

/// What is asked of a provider: one word per method.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Operation {
    /// [`Provider::add_fields`](crate::Provider::add_fields).
    AddFields,
    /// [`Provider::create`](crate::Provider::create).
    Create,
    /// [`Provider::identify`](crate::Provider::identify).
    Identify,
    /// [`Provider::inventory`](crate::Provider::inventory).
    Inventory,
    /// [`Provider::read`](crate::Provider::read).
    Read,
    /// [`Versions::read_version`](crate::Versions::read_version).
    ReadVersion,
    /// [`Replace::replace`](crate::Replace::replace).
    Replace,
    /// [`Restore::restore`](crate::Restore::restore).
    Restore,
    /// [`Converge::settle`](crate::Converge::settle).
    Settle,
}

impl Operation {
    /// Tells whether it may change what is stored, so that a lost answer leaves a doubt.
    pub fn writes(self) -> bool {
        match self {
            Self::AddFields | Self::Create | Self::Replace | Self::Restore | Self::Settle => true,
            Self::Identify | Self::Inventory | Self::Read | Self::ReadVersion => false,
        }
    }

    /// The word for traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AddFields => "add-fields",
            Self::Create => "create",
            Self::Identify => "identify",
            Self::Inventory => "inventory",
            Self::Read => "read",
            Self::ReadVersion => "read-version",
            Self::Replace => "replace",
            Self::Restore => "restore",
            Self::Settle => "settle",
        }
    }

    /// The words after "failed to", before a name.
    fn verb(self) -> &'static str {
        match self {
            Self::AddFields => "add fields to",
            Self::Create => "create",
            Self::Identify => "find out where and as whom",
            Self::Inventory => "look up what is stored",
            Self::Read => "read",
            Self::ReadVersion => "read a version of",
            Self::Replace => "replace",
            Self::Restore => "restore",
            Self::Settle => "tell which value stands of",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use seed_core::backend::Kind;

    use super::*;

    fn lost() -> Error {
        Error::new(
            ErrorKind::Unavailable,
            Operation::Create,
            "the connection was refused",
        )
        .about(&Kind::Local.existing_name("api-key").unwrap())
        .with_request_id("r-1")
        .caused_by(std::io::Error::other("canary"))
    }

    #[test]
    fn the_text_reads_on_after_failed_to_and_leaves_the_source_to_the_chain() {
        assert_eq!(
            lost().to_string(),
            "create `api-key`: the connection was refused (request id r-1)"
        );
        assert_eq!(lost().source().unwrap().to_string(), "canary");
    }

    #[test]
    fn debug_is_an_allow_list() {
        assert_eq!(
            format!("{:?}", lost()),
            "Error { kind: Unavailable, operation: Create, name: Some(SecretName(\"api-key\")), \
             request_id: Some(\"r-1\"), message: \"the connection was refused\", .. }"
        );
    }

    #[test]
    fn only_failures_without_effect_are_retried() {
        assert!(ErrorKind::Unavailable.is_retryable());
        assert!(ErrorKind::RateLimited { retry_after: None }.is_retryable());
        assert!(!ErrorKind::Indeterminate.is_retryable());
        assert!(!ErrorKind::Unexpected.is_retryable());
    }
}
