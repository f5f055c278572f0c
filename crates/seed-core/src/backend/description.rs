//! What a configured backend is, and what it can promise.

use std::num::{NonZeroU32, NonZeroUsize};

use super::Kind;

/// How sure a conditional write is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Guarantee {
    /// The backend itself refuses the write when the condition does not hold.
    Atomic,
    /// Writers that follow the same claim protocol exclude each other; others can come in between.
    Claimed,
    /// We look, then write: somebody else can come in between. Afterwards all writers that follow the same protocol end
    /// with one value, and what anybody else wrote is reported.
    Converging,
}

impl Guarantee {
    /// The word that people see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Atomic => "atomic",
            Self::Claimed => "claimed",
            Self::Converging => "converging",
        }
    }

    /// What holds whatever others do.
    pub fn promise(self) -> &'static str {
        match self {
            Self::Atomic => "the backend itself refuses to write over what exists, whoever writes",
            Self::Claimed => "runs of `seed` exclude each other, so that a key is made once",
            Self::Converging => {
                "runs of `seed` end with one value for each key, and make others only from that"
            }
        }
    }

    /// What does not.
    pub fn limit(self) -> &'static str {
        match self {
            Self::Atomic => "which of several runs makes a value",
            Self::Claimed => {
                "that nobody else writes in the same moment: what other tools write then can come in between"
            }
            Self::Converging => {
                "that nobody else writes in the same seconds: the service takes every write, and what others write then is kept and reported with exit code 4"
            }
        }
    }
}

/// A backend's quotas, in calls a minute. `None` means that the service names none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pace {
    /// Reads a minute.
    pub reads: Option<NonZeroU32>,
    /// Writes a minute.
    pub writes: Option<NonZeroU32>,
}

/// What a backend can do. There is no `Default` on purpose: every adapter says each of these itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Capabilities {
    /// How sure "create only if absent" is.
    pub create: Guarantee,
    /// How sure "add a field if nothing changed meanwhile" is.
    pub add_fields: Guarantee,
    /// How many calls at once this backend takes well.
    pub concurrency: NonZeroUsize,
    /// Its quotas.
    pub pace: Pace,
}

/// When a person must confirm a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Confirm {
    /// Before any call: a credential of the environment would go to a place that the environment does not name.
    BeforeCalls,
    /// Before a run that writes: a part of the place came from the environment.
    BeforeWrites,
    /// Never: the contract names the place.
    Never,
}

/// What one configured backend is. Holds no credential.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Description {
    /// Which adapter it is.
    pub kind: Kind,
    /// Where it writes, as people say it: `project ai-lab`, `file .seed/ai-dev.age`.
    pub place: String,
    /// As whom, where that is known without a call.
    pub identity: Option<String>,
    /// When a person must confirm the place.
    pub confirm: Confirm,
    /// What it can do.
    pub capabilities: Capabilities,
}
