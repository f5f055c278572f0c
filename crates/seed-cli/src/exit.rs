//! Exit codes: documented, stable.

use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Failed, and nothing was written.
    Failed,
    /// Wrong usage, contract, facts or identity.
    Usage,
    /// Something was written, and something failed or is uncertain.
    Partial,
    /// Changes are pending.
    Pending,
    /// Waiting for a person.
    Waiting,
    /// Blocked, drifted or broken.
    Blocked,
    /// A bug in seed.
    Bug,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Partial => 4,
            Self::Pending => 10,
            Self::Waiting => 11,
            Self::Blocked => 12,
            Self::Bug => 70,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
