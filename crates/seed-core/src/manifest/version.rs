//! Which fields which release of External Secrets Operator has.

use std::fmt;
use std::str::FromStr;

/// A release of External Secrets Operator, such as 2.9.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct EsoVersion {
    major: u16,
    minor: u16,
}

/// Text that names no release that can be written for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "`{0}` is no version of External Secrets Operator that has external-secrets.io/v1; write 0.17 or later, such as 2.9"
)]
pub struct UnknownVersion(String);

impl EsoVersion {
    /// The newest release whose fields are known here.
    pub const LATEST: Self = Self { major: 2, minor: 9 };
    /// The oldest release that reads what is written here.
    pub const OLDEST: Self = Self {
        major: 0,
        minor: 17,
    };

    /// Whether the API server fills in `nullBytePolicy: Ignore`, so that leaving it out would be drift.
    pub fn defaults_null_byte_policy(self) -> bool {
        (Self { major: 2, minor: 3 }..=Self { major: 2, minor: 6 }).contains(&self)
    }

    /// Whether stores of Google Secret Manager say which version is read.
    pub fn has_version_selection(self) -> bool {
        self >= Self {
            major: 0,
            minor: 20,
        }
    }

    /// Whether stores of Key Vault say which of Microsoft's libraries is used.
    pub fn has_new_azure_sdk(self) -> bool {
        self >= Self {
            major: 0,
            minor: 20,
        }
    }

    /// Whether a login to Vault with a certificate may have a mount of its own.
    pub fn has_certificate_mount(self) -> bool {
        self >= Self {
            major: 0,
            minor: 20,
        }
    }

    /// Whether Vault's logins with a Google identity exist.
    pub fn has_google_login(self) -> bool {
        self >= Self { major: 1, minor: 3 }
    }

    /// Whether stores of AWS say which session tags are sent.
    pub fn has_session_tags_policy(self) -> bool {
        self >= Self { major: 2, minor: 5 }
    }

    /// Whether `creationPolicy: CreateOrMerge` exists.
    pub fn has_create_or_merge(self) -> bool {
        self >= Self { major: 2, minor: 8 }
    }
}

impl FromStr for EsoVersion {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        let unknown = || UnknownVersion(text.to_owned());
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let mut number = || parts.next().and_then(|part| part.parse().ok());
        let version = match (number(), number()) {
            (Some(major), Some(minor)) => Self { major, minor },
            _ => return Err(unknown()),
        };
        let patch_is_number = parts.all(|part| part.parse::<u16>().is_ok());
        if patch_is_number && version >= Self::OLDEST {
            Ok(version)
        } else {
            Err(unknown())
        }
    }
}

impl fmt::Display for EsoVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_with_and_without_patch() {
        for (text, shown) in [
            ("2.9", "2.9"),
            ("v2.5.0", "2.5"),
            ("0.17", "0.17"),
            ("1.3.2", "1.3"),
        ] {
            assert_eq!(text.parse::<EsoVersion>().unwrap().to_string(), shown);
        }
        for bad in ["", "2", "0.16", "2.x", "2.9.x", "latest"] {
            assert!(bad.parse::<EsoVersion>().is_err(), "{bad}");
        }
    }
}
