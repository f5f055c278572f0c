//! Files that only we may read, changed as a whole or not at all.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::calls;
use crate::error::FileError;

/// Opens a file that must be ours alone, or tells that there is none.
///
/// A symbolic link, a file of another user, one that others may read or write, and anything but a regular file are
/// refused; what is checked is what was opened.
pub(crate) fn open_private(path: &Path) -> Result<Option<File>, FileError> {
    let opened = private(OpenOptions::new().read(true)).open(path);
    let file = match opened {
        Ok(file) => file,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(not_opened(path, err)),
    };
    check_private(path, &file)?;
    Ok(Some(file))
}

/// Never through a link, and without waiting for the other end of a pipe.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    // The bits of four defined flags fit every platform's signed type.
    options.mode(0o600).custom_flags(flags.bits().cast_signed())
}

fn not_opened(path: &Path, err: io::Error) -> FileError {
    if err.raw_os_error() == Some(Errno::LOOP.raw_os_error()) {
        return FileError::Symlink {
            path: path.to_owned(),
        };
    }
    FileError::io("open", path, err)
}

fn check_private(path: &Path, file: &File) -> Result<(), FileError> {
    let path = || path.to_owned();
    let metadata = file
        .metadata()
        .map_err(|err| FileError::io("look at", &path(), err))?;
    if !metadata.is_file() {
        return Err(FileError::NotAFile { path: path() });
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(FileError::SomebodyElses { path: path() });
    }
    match metadata.mode() & 0o777 {
        mode if mode & 0o077 != 0 => Err(FileError::Open { path: path(), mode }),
        _ => Ok(()),
    }
}

/// Makes the directory of `path`, and those above it, for us alone. Directories that exist stay as they are.
pub(crate) fn make_directory_of(path: &Path) -> Result<(), FileError> {
    let directory = directory_of(path);
    let missing: Vec<&Path> = directory
        .ancestors()
        .take_while(|above| *above != Path::new("") && !above.exists())
        .collect();
    missing
        .into_iter()
        .rev()
        .try_for_each(calls::make_directory)
        .map_err(|err| FileError::io("make the directory", directory, err))
}

/// Makes sure that the directories above `path` outlive a crash of the machine, also those that a killed process has
/// made. To be called before a file gets that name for the first time.
pub(crate) fn anchor(path: &Path) -> Result<(), FileError> {
    let failed = |err| FileError::io("look at the directory of", path, err);
    let absolute = std::path::absolute(path).map_err(failed)?;
    for directory in absolute.ancestors().skip(1) {
        let Some(above) = directory.parent() else {
            break;
        };
        // A directory of somebody else was not made by us, nor just now.
        if fs::metadata(directory).map_err(failed)?.uid() != rustix::process::geteuid().as_raw() {
            break;
        }
        match calls::sync_directory(above) {
            // Where we may not even look, we have made nothing.
            Err(err) if err.kind() == io::ErrorKind::PermissionDenied => {}
            synced => synced.map_err(|err| FileError::io("sync the directory", above, err))?,
        }
    }
    Ok(())
}

/// Makes sure that a file with a name keeps it after a crash of the machine: who gave it that name may have been
/// killed right after.
pub(crate) fn settle(path: &Path) -> Result<(), FileError> {
    calls::sync_directory(directory_of(path)).map_err(|err| FileError::Unsynced {
        path: path.to_owned(),
        source: Arc::new(err),
    })
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        Some(_) | None => Path::new("."),
    }
}

/// An exclusive lock among processes and among stores of one process. Ends when dropped.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "closing the file is what unlocks it")] File);

impl Lock {
    /// Waits for the lock that goes with `path`. The lock file stays: removing it would let two hold it.
    pub(crate) fn wait(path: &Path, patience: Duration) -> Result<Self, FileError> {
        let path = beside(path, "", ".lock");
        let mut options = OpenOptions::new();
        private(options.write(true).create(true).truncate(false));
        let file = calls::create(&path, &options).map_err(|err| not_opened(&path, err))?;
        check_private(&path, &file)?;
        let begin = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::Error(err)) => return Err(FileError::io("lock", &path, err)),
                Err(TryLockError::WouldBlock) if begin.elapsed() >= patience => {
                    let waited = patience;
                    return Err(FileError::Locked { path, waited });
                }
                Err(TryLockError::WouldBlock) => thread::sleep(pause),
            }
            pause = (pause * 2).min(Duration::from_millis(16));
        }
    }
}

/// A new file that takes the place of another, or vanishes.
#[derive(Debug)]
pub(crate) struct Draft {
    file: File,
    path: PathBuf,
    target: PathBuf,
}

impl Draft {
    /// Starts an empty file beside `target`, on the same file system.
    pub(crate) fn of(target: &Path) -> Result<Self, FileError> {
        // The standard library seeds each of these from the system. Who guesses the name still cannot make us open
        // what is there.
        let unique = format!(".{:016x}", RandomState::new().hash_one(0));
        let path = beside(target, ".", &format!("{unique}{DRAFT}"));
        let mut options = OpenOptions::new();
        private(options.write(true).create_new(true));
        let file = calls::create(&path, &options)
            .map_err(|err| FileError::io("make the file", &path, err))?;
        Ok(Self {
            file,
            path,
            target: target.to_owned(),
        })
    }

    /// Puts the content in the target's place: either the old or the new is seen, also after a crash.
    pub(crate) fn replace(self) -> Result<(), FileError> {
        self.sync()?;
        calls::rename(&self.path, &self.target)
            .map_err(|err| FileError::io("replace", &self.target, err))?;
        settle(&self.target)
    }

    /// Puts the content in the target's place if nothing is there. What is there stays, and is no error. Either is to
    /// be settled.
    pub(crate) fn publish(self) -> Result<(), FileError> {
        self.sync()?;
        match calls::link(&self.path, &self.target) {
            Err(err) if err.kind() != io::ErrorKind::AlreadyExists => {
                Err(FileError::io("make the file", &self.target, err))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn sync(&self) -> Result<(), FileError> {
        calls::sync(&self.file, &self.path).map_err(|err| FileError::io("write", &self.path, err))
    }
}

impl io::Write for &Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        calls::write(&self.file, &self.path, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a rename there is nothing to remove; what a failure leaves is removed by the next writer.
        drop(calls::remove(&self.path));
    }
}

/// Removes what killed processes have left beside `target`. To be called under its lock.
pub(crate) fn remove_leftovers(target: &Path) -> Result<(), FileError> {
    let directory = directory_of(target);
    let unreadable = |err| FileError::io("look into", directory, err);
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if is_draft(&entry.file_name(), target) {
            let path = entry.path();
            match calls::remove(&path) {
                Err(err) if err.kind() != io::ErrorKind::NotFound => {
                    return Err(FileError::io("remove", &path, err));
                }
                Err(_) | Ok(()) => {}
            }
        }
    }
    Ok(())
}

fn is_draft(name: &OsStr, target: &Path) -> bool {
    let Some(of) = target.file_name() else {
        return false;
    };
    let unique = name
        .as_encoded_bytes()
        .strip_prefix(b".")
        .and_then(|rest| rest.strip_prefix(of.as_encoded_bytes()))
        .and_then(|rest| rest.strip_prefix(b"."))
        .and_then(|rest| rest.strip_suffix(DRAFT.as_bytes()));
    unique.is_some_and(|unique| unique.len() == 16 && unique.iter().all(u8::is_ascii_hexdigit))
}

fn beside(path: &Path, before: &str, after: &str) -> PathBuf {
    let mut name = OsString::from(before);
    name.push(path.file_name().unwrap_or_default());
    name.push(after);
    directory_of(path).join(name)
}

const DRAFT: &str = ".seed-draft";

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn write(path: &Path, mode: u32) {
        fs::write(path, "content").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn only_a_regular_file_of_ours_alone_is_opened() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        assert!(open_private(&path).unwrap().is_none());
        write(&path, 0o600);
        assert!(open_private(&path).unwrap().is_some());
        for mode in [0o640, 0o620, 0o604, 0o602, 0o610] {
            write(&path, mode);
            let refused = open_private(&path).unwrap_err();
            assert!(matches!(refused, FileError::Open { mode: m, .. } if m == mode));
        }
        write(&path, 0o600);
        let link = directory.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(matches!(
            open_private(&link),
            Err(FileError::Symlink { .. })
        ));
        let dangling = directory.path().join("dangling");
        symlink(directory.path().join("nothing"), &dangling).unwrap();
        let refused = open_private(&dangling);
        assert!(matches!(refused, Err(FileError::Symlink { .. })));
        let refused = open_private(directory.path());
        assert!(matches!(refused, Err(FileError::NotAFile { .. })));
    }

    #[test]
    fn a_draft_that_is_not_finished_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("store.age");
        let draft = Draft::of(&target).unwrap();
        (&draft).write_all(b"half").unwrap();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        drop(draft);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_there_is_never_published_over() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("identity");
        for content in ["first", "second"] {
            let draft = Draft::of(&target).unwrap();
            (&draft).write_all(content.as_bytes()).unwrap();
            draft.publish().unwrap();
        }
        assert_eq!(fs::read_to_string(&target).unwrap(), "first");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert_eq!(fs::metadata(&target).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn only_drafts_of_the_same_file_are_leftovers() {
        let target = Path::new("dir/store.age");
        let draft = Draft {
            file: File::open("/dev/null").unwrap(),
            path: PathBuf::new(),
            target: PathBuf::new(),
        };
        drop(draft);
        for (name, ours) in [
            (".store.age.0123456789abcdef.seed-draft", true),
            (".store.age.0123456789abcde.seed-draft", false),
            (".store.age.0123456789abcdeg.seed-draft", false),
            (".other.age.0123456789abcdef.seed-draft", false),
            ("store.age.0123456789abcdef.seed-draft", false),
            (".store.age.0123456789abcdef.seed-draft~", false),
            ("store.age", false),
            ("store.age.lock", false),
        ] {
            assert_eq!(is_draft(OsStr::new(name), target), ours, "{name}");
        }
        let made = beside(target, ".", &format!(".{:016x}{DRAFT}", 7));
        assert!(is_draft(made.file_name().unwrap(), target));
    }

    #[test]
    fn a_lock_is_waited_for_and_its_file_is_named_when_that_takes_too_long() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("store.age");
        let held = Lock::wait(&target, Duration::ZERO).unwrap();
        let late = Lock::wait(&target, Duration::from_millis(20)).unwrap_err();
        assert!(
            matches!(&late, FileError::Locked { path, .. } if path.ends_with("store.age.lock"))
        );
        thread::scope(|scope| {
            let waiting = scope.spawn(|| Lock::wait(&target, Duration::from_mins(1)));
            drop(held);
            assert!(waiting.join().unwrap().is_ok());
        });
    }
}
