//! How a run gets its token.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use seed_core::secret::SecretValue;
use zeroize::Zeroizing;

/// A way to log in, with what it needs.
pub(crate) enum Login {
    /// A token that is there already: in a variable, or in the file of `vault login`.
    Token(Option<SecretValue>, Option<PathBuf>),
    AppRole {
        mount: String,
        role_id: SecretValue,
        secret_id: SecretValue,
    },
    /// Also that of Kubernetes, whose token is a JWT too.
    Jwt {
        mount: String,
        role: String,
        jwt: Option<SecretValue>,
        file: Option<PathBuf>,
    },
}

impl Login {
    /// Whether what it logs in with may be good for one use only.
    pub(crate) fn is_for_once(&self) -> bool {
        match self {
            Self::AppRole { .. } => true,
            Self::Jwt { .. } | Self::Token(..) => false,
        }
    }

    /// The word for people.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Token(..) => "token",
            Self::AppRole { .. } => "approle",
            Self::Jwt { .. } => "jwt",
        }
    }
}

/// An allow-list: all else are credentials.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("word", &self.word())
            .finish_non_exhaustive()
    }
}

/// The one line of a token's file, or `None` when there is no such file.
pub(crate) fn token_in(file: &Path) -> io::Result<Option<Zeroizing<String>>> {
    match std::fs::read(file) {
        Ok(bytes) => {
            let bytes = Zeroizing::new(bytes);
            let text = std::str::from_utf8(&bytes);
            let text = text.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
            Ok(Some(Zeroizing::new(text.trim().to_owned())).filter(|text| !text.is_empty()))
        }
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(err) => Err(err),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_credential() {
        let secret = || SecretValue::from("canary".to_owned());
        for login in [
            Login::Token(Some(secret()), None),
            Login::AppRole {
                mount: "approle".to_owned(),
                role_id: secret(),
                secret_id: secret(),
            },
            Login::Jwt {
                mount: "jwt".to_owned(),
                role: "seed".to_owned(),
                jwt: Some(secret()),
                file: None,
            },
        ] {
            let shown = format!("{login:?} {login:#?}");
            assert!(
                !shown.contains("canary") && shown.contains(login.word()),
                "{shown}"
            );
        }
    }

    #[test]
    fn a_file_without_a_token_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        assert!(token_in(&file).unwrap().is_none());
        std::fs::write(&file, " \n").unwrap();
        assert!(token_in(&file).unwrap().is_none());
        std::fs::write(&file, "hvs.x\n").unwrap();
        assert_eq!(token_in(&file).unwrap().unwrap().as_str(), "hvs.x");
        assert!(token_in(dir.path()).is_err());
    }
}
