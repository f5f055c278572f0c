//! Names: parsed once, so that one that exists is valid.

use std::fmt;
use std::str::FromStr;

/// Why a name was refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    /// Nothing at all.
    #[error("the name is empty")]
    Empty,
    /// The first character may not stand there.
    #[error("`{name}` must begin with a letter or a digit")]
    Start {
        /// The refused name.
        name: String,
    },
    /// A character that is not allowed.
    #[error("`{name}` has the character {character:?}, which is not allowed here")]
    Character {
        /// The refused name.
        name: String,
        /// The first character at fault.
        character: char,
    },
    /// The word means something else in `${…}`.
    #[error("`{name}` is reserved: in `${{…}}` it would mean something else")]
    Reserved {
        /// The refused name.
        name: String,
    },
}

/// The key of an entry under `secrets`: `[A-Za-z0-9][A-Za-z0-9._/-]*`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EntryKey(String);

impl EntryKey {
    /// The key of a Secret that `seed` writes to the cluster itself. No contract can declare such a key.
    pub(crate) fn of_secret(name: &SecretName) -> Self {
        Self(format!("{SECRET}{name}"))
    }

    /// The key as it is written in the contract.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `namespace/name`, for a Secret that `seed` writes to the cluster itself.
    pub fn as_secret(&self) -> Option<&str> {
        self.0.strip_prefix(SECRET)
    }
}

/// Before the name of a Secret. The blank is in no key of a contract.
const SECRET: &str = "Secret ";

impl FromStr for EntryKey {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let first = name.chars().next().ok_or(NameError::Empty)?;
        if !first.is_ascii_alphanumeric() {
            return Err(NameError::Start {
                name: name.to_owned(),
            });
        }
        refuse_characters(name, |c| c.is_ascii_alphanumeric() || "._/-".contains(c))?;
        let reserved = ["config", "env"].contains(&name)
            || ["config.", "store.", "x-"]
                .iter()
                .any(|prefix| name.starts_with(prefix));
        if reserved {
            return Err(NameError::Reserved {
                name: name.to_owned(),
            });
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a field of an entry: `[A-Za-z0-9._-]+`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FieldName(String);

impl FieldName {
    /// The name under which map backends keep an entry's only value, unless the contract says otherwise.
    pub fn value() -> Self {
        Self("value".to_owned())
    }

    /// The name as it is written in the contract.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FieldName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        refuse_characters(name, |c| c.is_ascii_alphanumeric() || "._-".contains(c))?;
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn refuse_characters(name: &str, allowed: impl Fn(char) -> bool) -> Result<(), NameError> {
    match name.chars().find(|c| !allowed(*c)) {
        Some(character) => Err(NameError::Character {
            name: name.to_owned(),
            character,
        }),
        None => Ok(()),
    }
}

/// One value: an entry, or one field of an entry. Written `entry` or `entry#field`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ValueId {
    /// The backend entry that holds the value.
    pub entry: EntryKey,
    /// The field, for an entry that declares `fields`.
    pub field: Option<FieldName>,
}

impl ValueId {
    /// The value of an entry without fields.
    pub fn single(entry: EntryKey) -> Self {
        Self { entry, field: None }
    }

    /// One field of an entry.
    pub fn field(entry: EntryKey, field: FieldName) -> Self {
        Self {
            entry,
            field: Some(field),
        }
    }

    /// What the value is called where names are those of variables: upper case, `#` as `__`, every other character that is
    /// not a letter or a digit as `_`. Two values can have one such name.
    pub fn variable(&self) -> String {
        let mut name = String::new();
        for c in self.to_string().chars() {
            match c {
                '#' => name.push_str("__"),
                c if c.is_ascii_alphanumeric() => name.push(c.to_ascii_uppercase()),
                _ => name.push('_'),
            }
        }
        name
    }
}

impl FromStr for ValueId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Ok(match text.split_once('#') {
            Some((entry, field)) => Self::field(entry.parse()?, field.parse()?),
            None => Self::single(text.parse()?),
        })
    }
}

impl fmt::Display for ValueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{}#{field}", self.entry),
            None => write!(f, "{}", self.entry),
        }
    }
}

/// The name under which a backend stores an entry: prefixed, mapped, and within the backend's rules.
///
/// Made by [`crate::backend::Kind::stored_name`].
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SecretName(String);

impl SecretName {
    pub(crate) fn new(name: String) -> Self {
        Self(name)
    }

    /// The name as the backend sees it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_keys_follow_the_grammar() {
        for good in [
            "a",
            "dex-admin-hash",
            "team/app.token_1".replace('_', "-").as_str(),
            "9lives",
        ] {
            assert!(good.parse::<EntryKey>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            ".a",
            "a b",
            "a#b",
            "env",
            "config.a",
            "store.name",
            "x-a",
            "ä",
        ] {
            assert!(bad.parse::<EntryKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn value_ids_read_back_what_they_print() {
        for text in ["plain", "agent-env#OPENAI_API_KEY"] {
            assert_eq!(text.parse::<ValueId>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_variable_name_has_upper_case_letters_digits_and_underscores() {
        for (id, variable) in [
            ("shop-db_password", "SHOP_DB_PASSWORD"),
            ("team/app.v2", "TEAM_APP_V2"),
            ("agent-env#OPENAI_API_KEY", "AGENT_ENV__OPENAI_API_KEY"),
            ("9lives#.a-b", "9LIVES___A_B"),
        ] {
            assert_eq!(id.parse::<ValueId>().unwrap().variable(), variable);
        }
    }
}
