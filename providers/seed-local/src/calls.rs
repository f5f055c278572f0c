//! The system calls that change the disk. All of them are here, so that a test can cut the power between any two.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use rustix::io::Errno;

#[cfg(test)]
use crate::power::{Call, heard};

/// Makes one directory, for us alone. One that exists is no error.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => return Ok(()),
        made => made?,
    }
    #[cfg(test)]
    heard(Call::MakeDirectory(path.to_owned()));
    Ok(())
}

/// Opens a file that need not exist.
pub(crate) fn create(path: &Path, options: &OpenOptions) -> io::Result<File> {
    #[cfg(test)]
    let existed = path.exists();
    let file = options.open(path)?;
    #[cfg(test)]
    if !existed {
        heard(Call::Create(path.to_owned()));
    }
    Ok(file)
}

/// Writes a part of a file.
#[cfg_attr(
    not(test),
    expect(unused_variables, reason = "only a test asks which file it is")
)]
pub(crate) fn write(mut file: &File, path: &Path, bytes: &[u8]) -> io::Result<usize> {
    let written = file.write(bytes)?;
    #[cfg(test)]
    heard(Call::Write(path.to_owned(), bytes[..written].to_vec()));
    Ok(written)
}

/// Waits until the content of a file is on disk.
#[cfg_attr(
    not(test),
    expect(unused_variables, reason = "only a test asks which file it is")
)]
pub(crate) fn sync(file: &File, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    #[cfg(test)]
    heard(Call::Sync(path.to_owned()));
    Ok(())
}

/// Waits until the names in a directory are on disk, where the file system can tell.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    match rustix::fs::fsync(File::open(path)?) {
        // Some file systems have nothing to sync in a directory, and say so in one of these ways.
        Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::ROFS) => return Ok(()),
        synced => synced?,
    }
    #[cfg(test)]
    heard(Call::SyncDirectory(path.to_owned()));
    Ok(())
}

/// Gives a file another name, over what has it.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    #[cfg(test)]
    heard(Call::Rename(from.to_owned(), to.to_owned()));
    Ok(())
}

/// Gives a file a second name, unless something has it.
pub(crate) fn link(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to)?;
    #[cfg(test)]
    heard(Call::Link(from.to_owned(), to.to_owned()));
    Ok(())
}

/// Takes a name away.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    #[cfg(test)]
    heard(Call::Remove(path.to_owned()));
    Ok(())
}
