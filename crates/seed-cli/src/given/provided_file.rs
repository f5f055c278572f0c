//! The contract's `provide.file`: read when it exists, and never through a symbolic link.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, openat, statat};
use rustix::io::Errno;
use seed_core::name::ValueId;
use seed_core::plan::Selection;
use seed_core::secret::SecretValue;

use super::collector::Collector;
use super::variables::provided;
use super::{Way, values_file};
use crate::terminal::Terminal;

/// A file that exists and holds the value of a key.
#[derive(Debug)]
pub(super) struct ProvidedFile {
    id: ValueId,
    path: PathBuf,
    shown: String,
    file: File,
}

/// Opens the files that exist, of active values that the run is about and that are not given in another way.
pub(super) fn find(
    collector: &mut Collector<'_>,
    root: &Path,
    selection: &Selection,
) -> Vec<ProvidedFile> {
    let mut found = Vec::new();
    for (_, value) in collector.resolved.values() {
        let Some(shown) = provided(value).and_then(|provided| provided.file.clone()) else {
            continue;
        };
        if collector.given.contains_key(&value.id) || !selection.has(&value.id) {
            continue;
        }
        let id = value.id.clone();
        match open(root, Path::new(&shown)) {
            Ok(None) => {}
            Ok(Some(file)) => found.push(ProvidedFile {
                path: root.join(&shown),
                id,
                shown,
                file,
            }),
            Err(err) => {
                collector.refuse(format!("cannot read `{shown}`, the file for `{id}`: {err}"));
            }
        }
    }
    found
}

impl ProvidedFile {
    /// Whose value it would be, without a look at it.
    pub(super) fn into_way(self) -> (ValueId, Way) {
        (self.id, Way::ProvidedFile(self.shown))
    }

    /// Takes the value.
    pub(super) fn read(self, collector: &mut Collector<'_>, terminal: Terminal) {
        let Self {
            id,
            path,
            shown,
            file,
        } = self;
        if let Ok(metadata) = file.metadata() {
            values_file::warn(&shown, &path, metadata.mode(), terminal);
        }
        match values_file::read(file) {
            Ok(Some(mut bytes)) => {
                let value = SecretValue::new(std::mem::take(&mut *bytes));
                collector.take(id, Way::ProvidedFile(shown), value);
            }
            Ok(None) => collector.refuse(values_file::too_large(&shown)),
            Err(err) => {
                collector.refuse(format!("cannot read `{shown}`, the file for `{id}`: {err}"));
            }
        }
    }
}

/// Opens a plain file below `root`, step by step, so that nothing on the way can be a link. `None` when there is none.
fn open(root: &Path, below: &Path) -> io::Result<Option<File>> {
    const STEP: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC);
    let root = if root.as_os_str().is_empty() {
        Path::new(".")
    } else {
        root
    };
    let mut directory = openat(CWD, root, STEP.union(OFlags::DIRECTORY), Mode::empty())?;
    let parts: Vec<_> = below
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name),
            Component::CurDir
            | Component::ParentDir
            | Component::Prefix(_)
            | Component::RootDir => None,
        })
        .collect();
    let Some((name, directories)) = parts.split_last() else {
        return Ok(None);
    };
    for part in directories {
        let flags = STEP | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        match openat(&directory, *part, flags, Mode::empty()) {
            Ok(next) => directory = next,
            Err(Errno::NOENT) => return Ok(None),
            Err(err) => return Err(in_the_way(&directory, Path::new(part), err)),
        }
    }
    // What is no plain file must not hold us up.
    let flags = STEP | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = match openat(&directory, *name, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(err) => return Err(in_the_way(&directory, Path::new(name), err)),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a plain file"));
    }
    if metadata.len() == 0 {
        return Err(io::Error::other("it is empty"));
    }
    Ok(Some(file))
}

/// Why a step could not be made, in words for what stands in the way.
fn in_the_way(directory: &OwnedFd, part: &Path, err: Errno) -> io::Error {
    let found = statat(directory, part, AtFlags::SYMLINK_NOFOLLOW);
    let kind = found.map(|found| FileType::from_raw_mode(found.st_mode));
    let part = part.display();
    match kind {
        Ok(FileType::Symlink) => io::Error::other(format!(
            "`{part}` is a symbolic link, which is not followed"
        )),
        Ok(FileType::RegularFile) if err == Errno::NOTDIR => {
            io::Error::other(format!("`{part}` is not a directory"))
        }
        Ok(_) | Err(_) => err.into(),
    }
}
