//! Files that we write: aside, then renamed, never through a symlink.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

/// Who may read a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Access {
    /// Whoever the umask says.
    Public,
    /// Its owner only; directories made for it too.
    Private,
}

/// Reads a file, or gives `None` when there is none. Refuses what is not a plain file.
pub(crate) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::symlink_metadata(path) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(err),
        Ok(found) if found.file_type().is_symlink() => {
            return Err(io::Error::other(
                "it is a symbolic link, which is not followed",
            ));
        }
        Ok(found) if !found.is_file() => return Err(io::Error::other("it is not a plain file")),
        Ok(_) => {}
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut file, &mut bytes)?;
    Ok(Some(bytes))
}

/// Writes a whole file: readers see the old or the new one, never a part.
pub(crate) fn write(base: &Path, relative: &str, bytes: &[u8], access: Access) -> io::Result<()> {
    let path = base.join(relative);
    let directory = path
        .parent()
        .map_or_else(|| base.to_path_buf(), Path::to_path_buf);
    make_directories(base, &directory, access)?;
    let aside = aside(&path);
    let written = write_aside(&aside, bytes, access).and_then(|()| fs::rename(&aside, &path));
    if written.is_err() {
        // The reason of the failure says more than that the leftover could not be removed.
        drop(fs::remove_file(&aside));
    }
    written?;
    File::open(&directory)?.sync_all()
}

fn aside(path: &Path) -> PathBuf {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

fn write_aside(aside: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let mode = match access {
        Access::Public => 0o666,
        Access::Private => 0o600,
    };
    match fs::remove_file(aside) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
        _ => {}
    }
    let flags = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .custom_flags(flags)
        .open(aside)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the directories below `base`, refusing to go through a symlink.
fn make_directories(base: &Path, directory: &Path, access: Access) -> io::Result<()> {
    let below = directory.strip_prefix(base).unwrap_or(directory);
    if !base.as_os_str().is_empty() {
        fs::create_dir_all(base)?;
    }
    let mut path = base.to_path_buf();
    for part in below.components() {
        path.push(part);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.file_type().is_symlink() => {
                let message = format!(
                    "`{}` is a symbolic link, which is not followed",
                    path.display()
                );
                return Err(io::Error::other(message));
            }
            Ok(found) if found.is_dir() => {}
            Ok(_) => {
                return Err(io::Error::other(format!(
                    "`{}` is not a directory",
                    path.display()
                )));
            }
            Err(err) if err.kind() == io::ErrorKind::NotFound => make_directory(&path, access)?,
            Err(err) => return Err(err),
        }
    }
    Ok(())
}

fn make_directory(path: &Path, access: Access) -> io::Result<()> {
    let mode = match access {
        Access::Public => 0o777,
        Access::Private => 0o700,
    };
    match DirBuilder::new().mode(mode).create(path) {
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn private_files_are_for_their_owner_only() {
        let base = tempfile::tempdir().unwrap();
        write(base.path(), "a/b/c", b"x", Access::Private).unwrap();
        assert_eq!(mode(&base.path().join("a/b/c")), 0o600);
        assert_eq!(mode(&base.path().join("a/b")), 0o700);
        assert_eq!(read(&base.path().join("a/b/c")).unwrap().unwrap(), b"x");
        assert_eq!(
            fs::read_dir(base.path().join("a/b")).unwrap().count(),
            1,
            "nothing is left aside"
        );
    }

    #[test]
    fn symbolic_links_are_neither_read_nor_written_through() {
        let base = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        fs::write(other.path().join("victim"), "old").unwrap();
        symlink(other.path(), base.path().join("dir")).unwrap();
        symlink(other.path().join("victim"), base.path().join("file")).unwrap();
        assert!(write(base.path(), "dir/victim", b"new", Access::Private).is_err());
        assert!(read(&base.path().join("file")).is_err());
        write(base.path(), "file", b"new", Access::Private).unwrap();
        assert_eq!(fs::read(other.path().join("victim")).unwrap(), b"old");
    }

    #[test]
    fn what_is_absent_reads_as_nothing_and_a_directory_as_an_error() {
        let base = tempfile::tempdir().unwrap();
        assert!(read(&base.path().join("nothing")).unwrap().is_none());
        assert!(read(base.path()).is_err());
    }
}
