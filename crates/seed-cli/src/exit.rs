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
    /// No key that is needed was selected.
    NothingSelected,
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
    /// All of them, in the order of their codes.
    pub(crate) const ALL: [Self; 9] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::NothingSelected,
        Self::Partial,
        Self::Pending,
        Self::Waiting,
        Self::Blocked,
        Self::Bug,
    ];

    /// What it says, in the words of the help.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, or nothing to do",
            Self::Failed => "failed, nothing was written",
            Self::Usage => "wrong usage, contract, facts or identity",
            Self::NothingSelected => "`--only` and `--exclude` selected nothing",
            Self::Partial => "something was written, and something failed or is uncertain",
            Self::Pending => "changes pending (`plan --exit-code`, `emit --check`)",
            Self::Waiting => "waiting for a person",
            Self::Blocked => "blocked, drifted or broken",
            Self::Bug => "a bug in seed",
        }
    }

    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NothingSelected => 3,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once_in_order() {
        // The chain has no wildcard: another code does not compile until it has its place here.
        let after = |exit| match exit {
            Exit::Done => Some(Exit::Failed),
            Exit::Failed => Some(Exit::Usage),
            Exit::Usage => Some(Exit::NothingSelected),
            Exit::NothingSelected => Some(Exit::Partial),
            Exit::Partial => Some(Exit::Pending),
            Exit::Pending => Some(Exit::Waiting),
            Exit::Waiting => Some(Exit::Blocked),
            Exit::Blocked => Some(Exit::Bug),
            Exit::Bug => None,
        };
        let chain: Vec<Exit> =
            std::iter::successors(Some(Exit::Done), |exit| after(*exit)).collect();
        assert_eq!(chain, Exit::ALL);
        assert!(Exit::ALL.is_sorted_by_key(|exit| exit.code()));
    }
}
