//! Why an object would be refused, and where.

use std::fmt;

/// One reason to refuse an object, at one place in it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[must_use = "a refusal that nobody reads lets a wrong manifest pass"]
pub struct Refusal {
    /// Where it is, as `spec.data[0].remoteRef.key`.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

impl Refusal {
    pub(crate) fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}
