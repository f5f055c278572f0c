//! The contract's files that hold the value: those that nobody changed follow it.

use std::path::Path;
use std::sync::Arc;

use seed_core::name::ValueId;
use seed_core::resolve::{Resolved, ResolvedFile};
use seed_core::secret::SecretValue;
use seed_engine::ReadValues;
use zeroize::Zeroizing;

use crate::disk::{self, Access, Over};
use crate::error::{CliError, Result};
use crate::secret_files::{self, FileFate};

/// The files that hold a value.
pub(super) fn of<'a>(
    resolved: &'a Resolved,
    id: &'a ValueId,
) -> impl Iterator<Item = &'a ResolvedFile> {
    let holds = move |file: &&ResolvedFile| seed_engine::needed(file).contains(id);
    resolved.files.iter().filter(holds)
}

/// Writes the files of a value that was stored. `read` has what was there before, of all values in them.
pub(super) fn follow(
    resolved: &Resolved,
    root: &Path,
    id: &ValueId,
    mut read: ReadValues,
    stored: SecretValue,
) -> (Vec<(String, FileFate)>, Vec<CliError>) {
    // What cannot be rendered as it was is not known to be unchanged.
    let before: Vec<_> = of(resolved, id)
        .map(|file| seed_engine::render(resolved, file, &read).ok().flatten())
        .collect();
    read.unread.remove(id);
    read.values.insert(id.clone(), Arc::new(stored));
    let (mut fates, mut failures) = (Vec::new(), Vec::new());
    for (file, before) in of(resolved, id).zip(before) {
        match follow_one(resolved, root, file, before.as_ref(), &read) {
            Ok(fate) => fates.push((file.path.clone(), fate)),
            Err(err) => failures.push(err),
        }
    }
    (fates, failures)
}

fn follow_one(
    resolved: &Resolved,
    root: &Path,
    file: &ResolvedFile,
    before: Option<&Zeroizing<String>>,
    read: &ReadValues,
) -> Result<FileFate> {
    let text = secret_files::content(resolved, file, read).map_err(|err| {
        CliError::failed(format!("cannot make the file `{}`", file.path)).because(&err)
    });
    let Some(text) = text? else {
        return Ok(FileFate::Waits);
    };
    let path = root.join(&file.path);
    let found = disk::read(&path)
        .map_err(|err| CliError::file("read", &path, &err))?
        .map(Zeroizing::new);
    let (fate, over) = match found {
        None => (FileFate::Written, Over::Nothing),
        Some(found) if found.as_slice() == text.as_bytes() => return Ok(FileFate::Unchanged),
        Some(found) if before.is_some_and(|before| found.as_slice() == before.as_bytes()) => {
            (FileFate::Replaced, Over::Anything)
        }
        Some(_) => return Ok(FileFate::Differs),
    };
    disk::write(root, &file.path, text.as_bytes(), Access::Private, over)
        .map_err(|err| CliError::file("write", &path, &err))?;
    Ok(fate)
}
