//! What can be wrong with the files, and which kind of error that is.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use seed_core::name::SecretName;
use seed_provider::{Error, ErrorKind, Operation};

/// Something about the store's files that stops a call. Shared by all calls that wait for the same work.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error(
        "the store `{}` cannot be understood: it is cut short, changed, or not a store of seed; \
         put a good copy back, or move it away to start with an empty store",
        path.display()
    )]
    Corrupt { path: PathBuf },
    #[error("the identity `{}` has no age identity in it", path.display())]
    IdentityInvalid { path: PathBuf },
    #[error(
        "the store `{}` exists, but the identity `{}` that opens it does not; put that file back, \
         or move the store away to start with an empty one",
        store.display(), identity.display()
    )]
    IdentityMissing { store: PathBuf, identity: PathBuf },
    #[error("cannot {action} `{}`", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        source: Arc<io::Error>,
    },
    #[error(
        "another process has held the lock file `{}` for {} s; try again when it has ended",
        path.display(), waited.as_secs_f64()
    )]
    Locked { path: PathBuf, waited: Duration },
    #[error("`{}` is not a regular file", path.display())]
    NotAFile { path: PathBuf },
    #[error(
        "`{}` can be read or changed by others (mode {mode:03o}); run `chmod 600` on it",
        path.display()
    )]
    Open { path: PathBuf, mode: u32 },
    #[error("`{}` is a symbolic link; give the path of the file itself", path.display())]
    Symlink { path: PathBuf },
    #[error("`{}` belongs to another user", path.display())]
    SomebodyElses { path: PathBuf },
    #[error(
        "the store `{}` has format {found}, and this version of seed knows only {known}; use a newer one",
        path.display()
    )]
    UnknownFormat {
        path: PathBuf,
        found: u32,
        known: u32,
    },
    #[error("`{}` was written, but may not survive a crash of the machine", path.display())]
    Unsynced {
        path: PathBuf,
        source: Arc<io::Error>,
    },
    #[error("the identity `{}` does not open the store `{}`", identity.display(), store.display())]
    WrongIdentity { store: PathBuf, identity: PathBuf },
}

impl FileError {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }

    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Corrupt { .. } | Self::IdentityInvalid { .. } | Self::NotAFile { .. } => {
                ErrorKind::Unexpected
            }
            Self::IdentityMissing { .. } | Self::WrongIdentity { .. } => ErrorKind::Unauthenticated,
            Self::Io { source, .. } => kind_of(source),
            Self::Locked { .. } => ErrorKind::Unavailable,
            Self::Open { .. } | Self::SomebodyElses { .. } | Self::Symlink { .. } => {
                ErrorKind::Denied
            }
            Self::UnknownFormat { .. } => ErrorKind::Unsupported,
            Self::Unsynced { .. } => ErrorKind::Indeterminate,
        }
    }

    /// The error of one call that was stopped by this.
    pub(crate) fn stops(&self, operation: Operation, name: Option<&SecretName>) -> Error {
        let error = Error::new(self.kind(), operation, self.to_string());
        let error = match name {
            Some(name) => error.about(name),
            None => error,
        };
        match self {
            Self::Io { source, .. } | Self::Unsynced { source, .. } => {
                error.caused_by(Arc::clone(source))
            }
            Self::Corrupt { .. }
            | Self::IdentityInvalid { .. }
            | Self::IdentityMissing { .. }
            | Self::Locked { .. }
            | Self::NotAFile { .. }
            | Self::Open { .. }
            | Self::SomebodyElses { .. }
            | Self::Symlink { .. }
            | Self::UnknownFormat { .. }
            | Self::WrongIdentity { .. } => error,
        }
    }
}

/// A failed system call has changed nothing: the file is renamed only when all else is done.
fn kind_of(err: &io::Error) -> ErrorKind {
    let denied = [
        io::ErrorKind::PermissionDenied,
        io::ErrorKind::ReadOnlyFilesystem,
    ];
    let passing = [
        io::ErrorKind::Interrupted,
        io::ErrorKind::QuotaExceeded,
        io::ErrorKind::StorageFull,
        io::ErrorKind::WouldBlock,
    ];
    if denied.contains(&err.kind()) {
        ErrorKind::Denied
    } else if passing.contains(&err.kind()) {
        ErrorKind::Unavailable
    } else {
        ErrorKind::Unexpected
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn path() -> PathBuf {
        PathBuf::from("dev.age")
    }

    fn io(kind: io::ErrorKind) -> FileError {
        FileError::io("open", &path(), kind.into())
    }

    #[test]
    fn each_trouble_has_a_kind() {
        let (store, identity) = (path(), PathBuf::from("id"));
        let rows = [
            (FileError::Corrupt { path: path() }, ErrorKind::Unexpected),
            (
                FileError::IdentityInvalid { path: path() },
                ErrorKind::Unexpected,
            ),
            (
                FileError::IdentityMissing {
                    store: store.clone(),
                    identity: identity.clone(),
                },
                ErrorKind::Unauthenticated,
            ),
            (io(io::ErrorKind::PermissionDenied), ErrorKind::Denied),
            (io(io::ErrorKind::ReadOnlyFilesystem), ErrorKind::Denied),
            (io(io::ErrorKind::StorageFull), ErrorKind::Unavailable),
            (io(io::ErrorKind::NotADirectory), ErrorKind::Unexpected),
            (
                FileError::Locked {
                    path: path(),
                    waited: Duration::from_secs(1),
                },
                ErrorKind::Unavailable,
            ),
            (FileError::NotAFile { path: path() }, ErrorKind::Unexpected),
            (
                FileError::Open {
                    path: path(),
                    mode: 0o644,
                },
                ErrorKind::Denied,
            ),
            (FileError::Symlink { path: path() }, ErrorKind::Denied),
            (FileError::SomebodyElses { path: path() }, ErrorKind::Denied),
            (
                FileError::UnknownFormat {
                    path: path(),
                    found: 2,
                    known: 1,
                },
                ErrorKind::Unsupported,
            ),
            (
                FileError::Unsynced {
                    path: path(),
                    source: Arc::new(io::ErrorKind::Other.into()),
                },
                ErrorKind::Indeterminate,
            ),
            (
                FileError::WrongIdentity { store, identity },
                ErrorKind::Unauthenticated,
            ),
        ];
        for (trouble, kind) in rows {
            assert_eq!(trouble.kind(), kind, "{trouble}");
        }
    }

    #[test]
    fn the_text_leaves_the_cause_to_the_chain() {
        let trouble = FileError::io("open", &path(), io::Error::other("cause"));
        let error = trouble.stops(Operation::Inventory, None);
        assert_eq!(
            error.to_string(),
            "look up what is stored: cannot open `dev.age`"
        );
        assert_eq!(error.source().unwrap().to_string(), "cause");
    }

    #[test]
    fn a_mode_is_shown_the_way_chmod_takes_it() {
        let open = FileError::Open {
            path: path(),
            mode: 0o040,
        };
        assert_eq!(
            open.to_string(),
            "`dev.age` can be read or changed by others (mode 040); run `chmod 600` on it"
        );
    }
}
