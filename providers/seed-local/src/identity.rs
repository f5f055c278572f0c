//! The key that opens the store.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use age::secrecy::ExposeSecret as _;
use age::x25519;
use zeroize::Zeroizing;

use crate::error::FileError;
use crate::file::{self, Draft, Lock};

/// The age identities of one file. The store is encrypted to all of them.
pub(crate) struct Identity(Vec<x25519::Identity>);

impl Identity {
    /// Reads an identity file, or tells that there is none.
    pub(crate) fn load(path: &Path) -> Result<Option<Self>, FileError> {
        let Some(file) = file::open_private(path)? else {
            return Ok(None);
        };
        let invalid = || FileError::IdentityInvalid {
            path: path.to_owned(),
        };
        let mut text = Zeroizing::new(String::with_capacity(LARGEST));
        let limit = u64::try_from(LARGEST).unwrap_or(u64::MAX);
        match file.take(limit).read_to_string(&mut text) {
            Err(err) if err.kind() == std::io::ErrorKind::InvalidData => return Err(invalid()),
            read => read.map_err(|err| FileError::io("read", path, err))?,
        };
        let identities: Result<Vec<x25519::Identity>, &str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(str::parse)
            .collect();
        match identities {
            Ok(identities) if !identities.is_empty() => Ok(Some(Self(identities))),
            Ok(_) | Err(_) => Err(invalid()),
        }
    }

    /// Reads the identity file for a store that is about to be made, or makes one for us alone. When this returns, the
    /// identity outlives a crash of the machine, whoever made it: without it such a store would be lost.
    ///
    /// Processes that do so at once end up with the same identity.
    pub(crate) fn for_new_store(path: &Path, patience: Duration) -> Result<Self, FileError> {
        if let Some(identity) = Self::load(path)? {
            // A process that was killed may have left a second name of it. One that is making a file is not disturbed:
            // it makes none where there is one.
            drop(file::remove_leftovers(path));
            file::anchor(path)?;
            file::settle(path)?;
            return Ok(identity);
        }
        file::make_directory_of(path)?;
        let _lock = Lock::wait(path, patience)?;
        file::anchor(path)?;
        if Self::load(path)?.is_none() {
            file::remove_leftovers(path)?;
            make(path)?;
        }
        file::settle(path)?;
        Self::load(path)?.ok_or_else(|| FileError::IdentityInvalid {
            path: path.to_owned(),
        })
    }

    pub(crate) fn recipients(&self) -> Vec<x25519::Recipient> {
        self.0.iter().map(x25519::Identity::to_public).collect()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.0.iter().map(|identity| identity as &dyn age::Identity)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

fn make(path: &Path) -> Result<(), FileError> {
    let identity = x25519::Identity::generate();
    let draft = Draft::of(path)?;
    let mut text = Zeroizing::new(Vec::with_capacity(LARGEST));
    let key = identity.to_string();
    writeln!(
        text,
        "# made by seed for its local stores; who has it can read them, without it they are lost\n\
         # public key: {}\n{}",
        identity.to_public(),
        key.expose_secret()
    )
    .and_then(|()| (&draft).write_all(&text))
    .map_err(|err| FileError::io("write", path, err))?;
    draft.publish()
}

/// More than any identity file of ours, or of a person who brings a few keys. No larger buffer is ever left unwiped.
const LARGEST: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

    const PATIENCE: Duration = Duration::from_mins(1);

    #[test]
    fn an_identity_is_made_once_and_for_us_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/identity.txt");
        assert!(Identity::load(&path).unwrap().is_none());
        assert!(!path.parent().unwrap().exists());
        let made = Identity::for_new_store(&path, PATIENCE).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        let again = Identity::for_new_store(&path, PATIENCE).unwrap();
        assert_eq!(public(&made), public(&again));
    }

    #[test]
    fn eight_who_make_one_at_once_end_up_with_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("identity.txt");
        let made: Vec<Vec<String>> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| public(&Identity::for_new_store(&path, PATIENCE).unwrap())))
                .collect();
            makers
                .into_iter()
                .map(|maker| maker.join().unwrap())
                .collect()
        });
        assert!(made.windows(2).all(|pair| pair[0] == pair[1]), "{made:?}");
    }

    #[test]
    fn what_is_no_identity_is_refused_and_not_shown() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("identity.txt");
        for content in ["", "# only a comment\n", "canary\n", "\u{0}\n"] {
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let refused = Identity::for_new_store(&path, PATIENCE).unwrap_err();
            assert!(matches!(refused, FileError::IdentityInvalid { .. }));
            assert!(!format!("{refused} {refused:?}").contains("canary"));
        }
    }

    #[test]
    fn debug_shows_nothing() {
        let identity = Identity(vec![x25519::Identity::generate()]);
        assert_eq!(format!("{identity:?}"), "Identity { .. }");
    }

    fn public(identity: &Identity) -> Vec<String> {
        identity
            .recipients()
            .iter()
            .map(ToString::to_string)
            .collect()
    }
}
