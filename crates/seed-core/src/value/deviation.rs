//! How a stored hash differs from what the contract would make now, whatever it was made from.

use super::derive::{BcryptVersion, Derivation, bcrypt_header, password_line};
use crate::secret::SecretValue;

/// What a stored product of a derivation is, where that is not what the contract asks for. Holds nothing of the value
/// but the parameters of a hash.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Deviation {
    /// A bcrypt hash of another cost.
    #[error("is a hash of cost {stored}, where the contract asks for {wanted}")]
    Cost {
        /// What is stored.
        stored: u32,
        /// What the contract asks for.
        wanted: u32,
    },
    /// Nothing of the kind that the derivation makes.
    #[error("is no {0}")]
    NoSuchHash(&'static str),
    /// A password line for somebody else.
    #[error("is a password line of another user")]
    OtherUser,
    /// A bcrypt hash with another prefix.
    #[error("is a hash of version {stored}, where the contract asks for {wanted}")]
    Version {
        /// What is stored.
        stored: BcryptVersion,
        /// What the contract asks for.
        wanted: BcryptVersion,
    },
}

impl Deviation {
    /// Whether it can still have been made from the same source.
    pub fn is_of_parameters(&self) -> bool {
        match self {
            Self::Cost { .. } | Self::Version { .. } => true,
            Self::NoSuchHash(_) | Self::OtherUser => false,
        }
    }
}

/// Tells how a stored value differs from every value that the derivation makes; `None` when it does not.
///
/// The source is not looked at: a value without a deviation may still have been made from another one.
pub fn deviation(derivation: &Derivation, derived: &SecretValue) -> Option<Deviation> {
    let text = derived.expose_text();
    match derivation {
        Derivation::Bcrypt { cost, version, .. } => bcrypt(text, *cost, *version),
        Derivation::Htpasswd { user, cost, .. } => match text.and_then(password_line) {
            None => Some(Deviation::NoSuchHash("password line")),
            Some((name, _)) if name != user => Some(Deviation::OtherUser),
            Some((_, hash)) => bcrypt(Some(hash), *cost, BcryptVersion::Y),
        },
        Derivation::Sha256 { .. } => {
            let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            let is_digest = |text: &str| text.len() == 64 && text.bytes().all(digit);
            let none = Deviation::NoSuchHash("sha256 in lower-case hex");
            (!text.is_some_and(is_digest)).then_some(none)
        }
    }
}

fn bcrypt(hash: Option<&str>, cost: u32, version: BcryptVersion) -> Option<Deviation> {
    match hash.and_then(bcrypt_header) {
        None => Some(Deviation::NoSuchHash("bcrypt hash")),
        Some((stored, _)) if stored != version => Some(Deviation::Version {
            stored,
            wanted: version,
        }),
        Some((_, stored)) if stored != cost => Some(Deviation::Cost {
            stored,
            wanted: cost,
        }),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::choice::testing::read;
    use super::*;

    /// Of `correct horse`, cost 4.
    const HASH: &str = "$2a$04$AiNqzb9/sQ7td8X/0eEZd.zCM7dP7jro1uJphaXg8rM2DGZIEi7/a";

    fn said(derivation: &str, derived: &str) -> String {
        let derivation = read(derivation, Derivation::decode).unwrap();
        match deviation(&derivation, &derived.to_owned().into()) {
            Some(deviation) => {
                let kind = if deviation.is_of_parameters() {
                    "parameters"
                } else {
                    "other"
                };
                format!("{deviation} ({kind})")
            }
            None => "none".to_owned(),
        }
    }

    #[test]
    fn hashes_are_told_from_what_is_none_and_from_those_of_other_parameters() {
        let bcrypt = "{bcrypt: {of: a, cost: 4}}";
        let line = "{htpasswd: {of: a, cost: 4, user: ann}}";
        let y = HASH.replace("$2a", "$2y");
        let found: Vec<String> = [
            (bcrypt, HASH.to_owned()),
            (bcrypt, y.clone()),
            (bcrypt, HASH.replace("$04", "$12")),
            (bcrypt, HASH.replace("$2a", "$2x")),
            (bcrypt, HASH.chars().skip(1).collect()),
            (bcrypt, HASH.chars().take(59).collect()),
            (bcrypt, String::new()),
            (line, format!("ann:{y}\n")),
            (line, format!("ann:{HASH}")),
            (line, format!("anna:{y}")),
            (line, y),
            (line, "ann:hunter2".to_owned()),
            ("{sha256: {of: a}}", "0a".repeat(32)),
            ("{sha256: {of: a}}", "0A".repeat(32)),
            ("{sha256: {of: a}}", "0a".repeat(31)),
        ]
        .into_iter()
        .map(|(derivation, derived)| said(derivation, &derived))
        .collect();
        insta::assert_snapshot!(found.join("\n"), @"
        none
        is a hash of version 2y, where the contract asks for 2a (parameters)
        is a hash of cost 12, where the contract asks for 4 (parameters)
        is no bcrypt hash (other)
        is no bcrypt hash (other)
        is no bcrypt hash (other)
        is no bcrypt hash (other)
        none
        is a hash of version 2a, where the contract asks for 2y (parameters)
        is a password line of another user (other)
        is no password line (other)
        is no bcrypt hash (other)
        none
        is no sha256 in lower-case hex (other)
        is no sha256 in lower-case hex (other)
        ");
    }
}
