//! The contract's `files`: for people, and for tools that cannot read a store.

use std::collections::BTreeSet;
use std::path::Path;

use seed_core::name::ValueId;
use seed_core::plan::Selection;
use seed_core::resolve::{Resolved, ResolvedFile};
use seed_engine::{FileError, ReadValues, Unread};

use crate::disk::{self, Access, Over};
use crate::error::{CliError, Result};
use crate::git::{self, Fate};

/// What became of one file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FileFate {
    /// It was not tried: the run was stopped.
    Cancelled,
    /// It differs from what is stored, and was kept.
    Differs,
    /// It was as it should be, but others could read it; now only its owner can.
    MadePrivate,
    /// It was replaced.
    Replaced,
    /// It is as it should be.
    Unchanged,
    /// A value that it needs is not there yet.
    Waits,
    /// It was written.
    Written,
}

/// The values that the files need.
pub(crate) fn needs(resolved: &Resolved, selection: &Selection) -> BTreeSet<ValueId> {
    concerned(resolved, selection)
        .flat_map(seed_engine::needed)
        .collect()
}

/// The files that hold a value which the run is about. All others are left alone, as their values are.
pub(crate) fn concerned<'a>(
    resolved: &'a Resolved,
    selection: &'a Selection,
) -> impl Iterator<Item = &'a ResolvedFile> {
    resolved.files.iter().filter(|file| {
        *selection == Selection::ALL || seed_engine::needed(file).iter().any(|id| selection.has(id))
    })
}

/// Refuses files that git would take, before anything is written.
pub(crate) fn refuse_shared(resolved: &Resolved, root: &Path, selection: &Selection) -> Result<()> {
    for file in concerned(resolved, selection) {
        let path = &file.path;
        let refused = CliError::usage(format!("`{path}` would hold secret values"));
        match git::fate(&root.join(path)) {
            Fate::Private => {}
            Fate::Tracked { command } => {
                return Err(refused.hint(format!(
                    "git tracks it: run `{command}`, and add it to .gitignore"
                )));
            }
            Fate::Unignored { line } => {
                return Err(refused.hint(format!(
                    "git does not ignore it: add the line `{line}` to .gitignore"
                )));
            }
            Fate::Unknown { reason } => return Err(refused.hint(reason)),
        }
    }
    Ok(())
}

/// What became of the files of a run that was stopped before them.
pub(crate) fn cancelled(resolved: &Resolved, selection: &Selection) -> Vec<(String, FileFate)> {
    let files = concerned(resolved, selection);
    files
        .map(|file| (file.path.clone(), FileFate::Cancelled))
        .collect()
}

/// Writes the files whose values are there. Files that differ are kept, unless `force`; one that fails stops no other.
pub(crate) fn write(
    resolved: &Resolved,
    root: &Path,
    read: &ReadValues,
    force: bool,
    selection: &Selection,
) -> (Vec<(String, FileFate)>, Vec<CliError>) {
    let mut fates = Vec::new();
    let mut failures = Vec::new();
    for file in concerned(resolved, selection) {
        match write_one(resolved, root, file, read, force) {
            Ok(fate) => fates.push((file.path.clone(), fate)),
            Err(err) => failures.push(err),
        }
    }
    (fates, failures)
}

/// Whether anything on disk is another than before.
pub(crate) fn any_written(files: &[(String, FileFate)]) -> bool {
    files.iter().any(|(_, fate)| {
        matches!(
            fate,
            FileFate::MadePrivate | FileFate::Replaced | FileFate::Written
        )
    })
}

fn write_one(
    resolved: &Resolved,
    root: &Path,
    file: &ResolvedFile,
    read: &ReadValues,
    force: bool,
) -> Result<FileFate> {
    let text = content(resolved, file, read).map_err(|err| {
        CliError::failed(format!("cannot make the file `{}`", file.path)).because(&err)
    })?;
    let Some(text) = text else {
        return Ok(FileFate::Waits);
    };
    let path = root.join(&file.path);
    let before = disk::read(&path)
        .map_err(|err| CliError::file("read", &path, &err))?
        .map(zeroize::Zeroizing::new);
    let (fate, over) = match before {
        Some(bytes) if bytes.as_slice() == text.as_bytes() => {
            let changed =
                disk::make_private(&path).map_err(|err| CliError::file("protect", &path, &err))?;
            return Ok(if changed {
                FileFate::MadePrivate
            } else {
                FileFate::Unchanged
            });
        }
        Some(_) if !force => return Ok(FileFate::Differs),
        Some(_) => (FileFate::Replaced, Over::Anything),
        None => (FileFate::Written, Over::Nothing),
    };
    disk::write(root, &file.path, text.as_bytes(), Access::Private, over)
        .map_err(|err| CliError::file("write", &path, &err))?;
    Ok(fate)
}

/// What stands in a file, or `None` while a value that it needs is not there, or when nothing is left of it.
pub(crate) fn content(
    resolved: &Resolved,
    file: &ResolvedFile,
    read: &ReadValues,
) -> std::result::Result<Option<zeroize::Zeroizing<String>>, FileError> {
    let waits =
        |id: &ValueId| !read.values.contains_key(id) && !is_known_missing(resolved, read, id);
    if seed_engine::needed(file).iter().any(waits) {
        return Ok(None);
    }
    seed_engine::render(resolved, file, read)
}

/// Whether a value may be left out: it is optional, and known not to be there. What could not be read is not.
fn is_known_missing(resolved: &Resolved, read: &ReadValues, id: &ValueId) -> bool {
    resolved.value(id).is_some_and(|value| value.optional)
        && matches!(read.unread.get(id), Some(Unread::Absent))
}
