//! From the files to a book of entries, and back.

use std::io::{self, BufReader, Read as _};
use std::path::Path;

use age::{DecryptError, Decryptor, Encryptor};
use zeroize::Zeroizing;

use crate::Config;
use crate::error::FileError;
use crate::file::{self, Draft, Lock};
use crate::identity::Identity;
use crate::store::{Book, ContentError, FORMAT};

/// The decrypted text of a store, which is wiped when dropped, and what opened it. Nothing where there is no store.
pub(crate) struct Text(Option<(Zeroizing<Vec<u8>>, Identity)>);

impl Text {
    /// Reads and decrypts the store. One that does not exist is empty; all else that is wrong is an error.
    ///
    /// Needs no lock: a store is only ever replaced as a whole. What is seen outlives a crash of the machine, as far as
    /// the file system lets a reader see to that.
    pub(crate) fn look(config: &Config) -> Result<Self, FileError> {
        let text = Self::load(config)?;
        // A reader may use what it sees, and is not to be stopped by what it need not be able to do.
        if text.0.is_some() {
            drop(file::settle(config.file()));
        }
        Ok(text)
    }

    /// Like [`Text::look`], without touching the disk.
    pub(crate) fn load(config: &Config) -> Result<Self, FileError> {
        let path = config.file();
        let Some(file) = file::open_private(path)? else {
            return Ok(Self(None));
        };
        let identity =
            Identity::load(config.identity())?.ok_or_else(|| FileError::IdentityMissing {
                store: path.to_owned(),
                identity: config.identity().to_owned(),
            })?;
        let size = file
            .metadata()
            .map_err(|err| FileError::io("look at", path, err))?
            .len();
        let mut text = Decryptor::new_buffered(BufReader::with_capacity(BUFFER, file))
            .and_then(|decryptor| decryptor.decrypt(identity.keys()))
            .map_err(|err| not_decrypted(config, err))?;
        // The text is shorter than the file, so the buffer never moves and leaves no copy behind.
        let room = usize::try_from(size).unwrap_or_default();
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        text.read_to_end(&mut bytes)
            .map_err(|err| not_read(path, err))?;
        Ok(Self(Some((bytes, identity))))
    }

    /// The entries in it.
    pub(crate) fn book(&self, config: &Config) -> Result<Book<'_>, FileError> {
        let path = || config.file().to_owned();
        let Some((text, _)) = &self.0 else {
            return Ok(Book::empty());
        };
        Book::parse(text).map_err(|err| match err {
            ContentError::Corrupt => FileError::Corrupt { path: path() },
            ContentError::UnknownFormat(found) => FileError::UnknownFormat {
                path: path(),
                found,
                known: FORMAT,
            },
        })
    }
}

fn not_decrypted(config: &Config, err: DecryptError) -> FileError {
    let path = config.file();
    if matches!(err, DecryptError::NoMatchingKeys) {
        return FileError::WrongIdentity {
            store: path.to_owned(),
            identity: config.identity().to_owned(),
        };
    }
    if let DecryptError::Io(err) = err {
        return not_read(path, err);
    }
    FileError::Corrupt {
        path: path.to_owned(),
    }
}

/// A file that ends early or fails its checks is told by the same type as a disk that fails.
fn not_read(path: &Path, err: io::Error) -> FileError {
    let content = [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof];
    if content.contains(&err.kind()) {
        return FileError::Corrupt {
            path: path.to_owned(),
        };
    }
    FileError::io("read", path, err)
}

/// Changes the store under its lock: `change` sees what is there now, and what it leaves is written if it changed
/// anything.
///
/// When this returns `Ok`, the change is on disk.
pub(crate) fn transact<T>(
    config: &Config,
    change: impl FnOnce(&mut Book<'_>) -> T,
) -> Result<T, FileError> {
    let path = config.file();
    file::make_directory_of(path)?;
    let _lock = Lock::wait(path, config.patience)?;
    let text = Text::load(config)?;
    let mut book = text.book(config)?;
    let outcome = change(&mut book);
    if book.is_changed() {
        file::remove_leftovers(path)?;
        if let Some((_, identity)) = &text.0 {
            save(path, &book, identity)?;
        } else {
            let identity = Identity::for_new_store(config.identity(), config.patience)?;
            file::anchor(path)?;
            save(path, &book, &identity)?;
        }
    } else if text.0.is_some() {
        // Refused because of what is there, which the caller will keep to.
        file::settle(path)?;
    }
    Ok(outcome)
}

fn save(path: &Path, book: &Book<'_>, identity: &Identity) -> Result<(), FileError> {
    let failed = |err| FileError::io("write", path, err);
    let recipients = identity.recipients();
    let recipients = recipients.iter().map(|one| one as &dyn age::Recipient);
    let encryptor =
        Encryptor::with_recipients(recipients).map_err(|err| failed(io::Error::other(err)))?;
    let draft = Draft::of(path)?;
    let mut out = encryptor.wrap_output(&draft).map_err(failed)?;
    book.write(&mut out).map_err(failed)?;
    out.finish().map_err(failed)?;
    draft.replace()
}

const BUFFER: usize = 64 * 1024;
