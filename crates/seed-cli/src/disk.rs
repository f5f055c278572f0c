//! Files that we write: aside, then renamed, never through a symlink.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

/// The bits of a mode that concern others than the owner.
const OF_OTHERS: u32 = 0o077;

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

/// What a file is written over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Over {
    /// Nothing: if something is there by now, that stays.
    Nothing,
    /// Whatever is there.
    Anything,
}

/// Writes a whole file: readers see the old or the new one, never a part.
///
/// A private file has no name before it is complete, where the system can do that: a cut leaves nothing behind that
/// git or another user could take.
pub(crate) fn write(
    base: &Path,
    relative: &str,
    bytes: &[u8],
    access: Access,
    over: Over,
) -> io::Result<()> {
    let path = base.join(relative);
    let directory = directory_of(&path);
    make_directories(base, directory, access)?;
    remove_leftovers(&path)?;
    let unnamed = match access {
        Access::Private => unnamed(directory)?,
        Access::Public => None,
    };
    let aside = aside(&path);
    let written = match &unnamed {
        Some(file) => fill(file, bytes).and_then(|()| match over {
            Over::Nothing => name(file, &path),
            Over::Anything => name(file, &aside).and_then(|()| fs::rename(&aside, &path)),
        }),
        None => write_aside(&aside, bytes, access).and_then(|()| match over {
            Over::Nothing => fs::hard_link(&aside, &path).and_then(|()| fs::remove_file(&aside)),
            Over::Anything => fs::rename(&aside, &path),
        }),
    };
    if written.is_err() {
        // The reason of the failure says more than that the leftover could not be removed.
        drop(fs::remove_file(&aside));
    }
    written?;
    File::open(directory)?.sync_all()
}

/// Removes `directory/name` below `base` when `is_wanted` knows its content, and then the directory if it is empty. Tells
/// whether it was removed. Follows no link below `base`.
pub(crate) fn remove(
    base: &Path,
    relative: &str,
    is_wanted: impl Fn(&[u8]) -> bool,
) -> io::Result<bool> {
    let Some((directory, name)) = relative.split_once('/') else {
        return Ok(false);
    };
    let below = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    let folder = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
    let base = rustix::fs::open(base, folder, Mode::empty())?;
    let inside = rustix::fs::openat(&base, directory, folder | below, Mode::empty())?;
    let file = rustix::fs::openat(&inside, name, below | OFlags::NONBLOCK, Mode::empty())?;
    let mut file = File::from(file);
    let mut bytes = Vec::new();
    if !file.metadata()?.is_file() {
        return Ok(false);
    }
    io::Read::read_to_end(&mut file, &mut bytes)?;
    if !is_wanted(&bytes) {
        return Ok(false);
    }
    rustix::fs::unlinkat(&inside, name, AtFlags::empty())?;
    // It stays when something else is in it, or somebody else was faster.
    drop(rustix::fs::unlinkat(&base, directory, AtFlags::REMOVEDIR).map_err(io::Error::from));
    Ok(true)
}

/// Whether others than its owner may do anything with a file.
pub(crate) fn is_shared(path: &Path) -> io::Result<bool> {
    Ok(fs::symlink_metadata(path)?.permissions().mode() & OF_OTHERS != 0)
}

/// Makes a file that others can read one that only its owner can. Tells whether that was needed.
pub(crate) fn make_private(path: &Path) -> io::Result<bool> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode() & OF_OTHERS == 0 {
        return Ok(false);
    }
    permissions.set_mode(0o600);
    file.set_permissions(permissions)?;
    Ok(true)
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

/// A file without a name, or `None` where the file system has none.
#[cfg(target_os = "linux")]
fn unnamed(directory: &Path) -> io::Result<Option<File>> {
    // It gets its name by way of this directory, which not every container has.
    if !Path::new("/proc/self/fd").is_dir() {
        return Ok(None);
    }
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    match rustix::fs::open(directory, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => Ok(Some(File::from(file))),
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => Ok(None),
        Err(err) => Err(err.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn unnamed(_: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

fn fill(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// Gives a file without a name one that is not taken.
fn name(file: &File, path: &Path) -> io::Result<()> {
    let handle = format!("/proc/self/fd/{}", file.as_raw_fd());
    rustix::fs::linkat(CWD, handle, CWD, path, AtFlags::SYMLINK_FOLLOW)?;
    Ok(())
}

fn aside(path: &Path) -> PathBuf {
    path.with_file_name(format!("{}{}.tmp", aside_prefix(path), std::process::id()))
}

fn aside_prefix(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    format!(".{}.", name.to_string_lossy())
}

/// Removes what killed processes have left beside `path`: nobody else would, and git would take it.
fn remove_leftovers(path: &Path) -> io::Result<()> {
    let prefix = aside_prefix(path);
    for entry in fs::read_dir(directory_of(path))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let of = name
            .strip_prefix(&prefix)
            .and_then(|rest| rest.strip_suffix(".tmp"))
            .and_then(|of| of.parse().ok())
            .and_then(Pid::from_raw);
        let Some(of) = of else {
            continue;
        };
        let is_gone = test_kill_process(of) == Err(Errno::SRCH);
        if is_gone || of == rustix::process::getpid() {
            match fs::remove_file(entry.path()) {
                Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
                Ok(()) | Err(_) => {}
            }
        }
    }
    Ok(())
}

fn write_aside(aside: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let mode = match access {
        Access::Public => 0o666,
        Access::Private => 0o600,
    };
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(aside)?;
    fill(&file, bytes)
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
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        made => made?,
    }
    // A new directory is there after a power cut only once the one above it says so.
    match access {
        Access::Private => File::open(directory_of(path))?.sync_all(),
        Access::Public => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn private_files_are_for_their_owner_only() {
        let base = tempfile::tempdir().unwrap();
        write(base.path(), "a/b/c", b"x", Access::Private, Over::Nothing).unwrap();
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
        assert!(
            write(
                base.path(),
                "dir/victim",
                b"new",
                Access::Private,
                Over::Anything
            )
            .is_err()
        );
        assert!(read(&base.path().join("file")).is_err());
        write(base.path(), "file", b"new", Access::Private, Over::Anything).unwrap();
        assert_eq!(fs::read(other.path().join("victim")).unwrap(), b"old");
    }

    #[test]
    fn what_is_absent_reads_as_nothing_and_a_directory_as_an_error() {
        let base = tempfile::tempdir().unwrap();
        assert!(read(&base.path().join("nothing")).unwrap().is_none());
        assert!(read(base.path()).is_err());
    }

    #[test]
    fn only_a_known_file_is_removed_and_only_an_empty_directory_after_it() {
        let base = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let at = |path: &str| base.path().join(path);
        let try_to = |path: &str| remove(base.path(), path, |bytes| bytes == b"ours");
        for directory in ["a", "b"] {
            fs::create_dir(at(directory)).unwrap();
            fs::write(at(directory).join("ours"), "ours").unwrap();
        }
        fs::write(at("b/theirs"), "theirs").unwrap();
        fs::write(at("top"), "ours").unwrap();
        fs::write(other.path().join("ours"), "ours").unwrap();
        symlink(other.path(), at("link")).unwrap();
        symlink(other.path().join("ours"), at("b/link")).unwrap();

        assert!(try_to("a/ours").unwrap());
        assert!(!at("a").exists());
        assert!(try_to("b/ours").unwrap());
        assert!(!try_to("b/theirs").unwrap());
        assert!(!try_to("top").unwrap());
        assert!(try_to("b/link").is_err() && try_to("link/ours").is_err());
        assert_eq!(fs::read(at("b/theirs")).unwrap(), b"theirs");
        assert!(other.path().join("ours").exists());
    }

    #[test]
    fn what_appeared_meanwhile_stays() {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("file"), "theirs").unwrap();
        let written = write(base.path(), "file", b"ours", Access::Private, Over::Nothing);
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(base.path().join("file")).unwrap(), b"theirs");
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_nothing_else() {
        let base = tempfile::tempdir().unwrap();
        // Above any process id that a system gives out.
        let left = ".file.1073741824.tmp";
        let of_a_living_process = format!(".file.{}.tmp", std::os::unix::process::parent_id());
        let others = [
            of_a_living_process.as_str(),
            ".file.notes.tmp",
            ".other.1073741824.tmp",
        ];
        for name in others.iter().chain(&[left]) {
            fs::write(base.path().join(name), "x").unwrap();
        }
        write(base.path(), "file", b"x", Access::Private, Over::Anything).unwrap();
        assert!(!base.path().join(left).exists());
        assert!(others.iter().all(|name| base.path().join(name).exists()));
    }

    #[test]
    fn what_appears_between_look_and_write_stays_also_without_unnamed_files() {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("file"), "theirs").unwrap();
        for (access, over) in [
            (Access::Public, Over::Nothing),
            (Access::Private, Over::Nothing),
        ] {
            let written = write(base.path(), "file", b"ours", access, over);
            assert_eq!(written.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        }
        assert_eq!(fs::read(base.path().join("file")).unwrap(), b"theirs");
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_others_can_read_is_made_private() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("file");
        write(base.path(), "file", b"x", Access::Public, Over::Nothing).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(make_private(&path).unwrap());
        assert!(!make_private(&path).unwrap());
        assert_eq!(mode(&path), 0o600);
    }
}
