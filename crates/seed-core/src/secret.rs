//! The one type that holds a secret value.

use std::fmt;

use zeroize::Zeroizing;

/// Bytes that must not be seen: wiped when dropped, never cloned, compared with `==`, printed or serialised.
///
/// The way out is [`SecretValue::expose`], a word to search for in review.
pub struct SecretValue(Zeroizing<Vec<u8>>);

impl SecretValue {
    /// Takes ownership of `bytes`.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Marks the boundary: from here on the caller is responsible for the bytes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Exposes the value as text, or `None` when it is not UTF-8.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Makes a second copy on purpose. There is no `Clone`, so that copies are never made by accident.
    #[must_use = "a copy of a secret that is not used should not be made"]
    pub fn duplicate(&self) -> Self {
        Self::new(self.0.to_vec())
    }

    /// Returns the length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether there are no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares two values in a time that depends on their lengths only.
    pub fn same_as(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .0
                .iter()
                .zip(other.0.iter())
                .fold(0, |differs, (a, b)| differs | (a ^ b))
                == 0
    }
}

impl From<String> for SecretValue {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretValue").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_value() {
        let value = SecretValue::from("canary".to_owned());
        assert_eq!(format!("{value:?}"), "SecretValue { .. }");
    }

    #[test]
    fn same_as_compares_bytes() {
        let value = SecretValue::from("one".to_owned());
        assert!(value.same_as(&value.duplicate()));
        assert!(!value.same_as(&SecretValue::from("two".to_owned())));
        assert!(!value.same_as(&SecretValue::from("one!".to_owned())));
    }
}
