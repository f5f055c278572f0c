//! Manifests that a contract wrote once, and writes no more.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use seed_core::manifest::{self, Output};

use crate::disk;
use crate::error::{CliError, Result};
use crate::manifests::all;

/// A kustomization lies at the top. One further down is that of another directory of manifests.
const KUSTOMIZATION: &str = "kustomization.yaml";

/// Files that this contract wrote, one level down as manifests are laid out, and that are not in the output.
pub(crate) fn find(output: &Output, directory: &Path, contract: &str) -> Result<Vec<String>> {
    let known: BTreeSet<&str> = all(output).map(|file| file.path.as_str()).collect();
    let mut found = BTreeSet::new();
    for folder in entries(directory)? {
        if !folder.is_dir() || folder.is_symlink() {
            continue;
        }
        for path in entries(&folder)? {
            let Some(relative) = path.strip_prefix(directory).ok().and_then(Path::to_str) else {
                continue;
            };
            if is_manifest(&path) && !known.contains(relative) && is_of(&path, contract) {
                found.insert(relative.to_owned());
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// Removes such a file, and its directory when that is empty then. Tells whether the file was still what it was.
pub(crate) fn remove(directory: &Path, path: &str, contract: &str) -> Result<bool> {
    disk::remove(directory, path, |bytes| wrote(bytes, contract))
        .map_err(|err| CliError::file("remove", &directory.join(path), &err))
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "yaml")
        && path.file_name().is_some_and(|name| name != KUSTOMIZATION)
}

/// What cannot be read, and what a link leads to, is not ours.
fn is_of(path: &Path, contract: &str) -> bool {
    let read = disk::read(path).ok().flatten();
    read.is_some_and(|bytes| wrote(&bytes, contract))
}

fn wrote(bytes: &[u8], contract: &str) -> bool {
    manifest::written_from(&String::from_utf8_lossy(bytes)) == Some(contract)
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    let read = match std::fs::read_dir(directory) {
        Ok(read) => read,
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(err) => return Err(CliError::file("read", directory, &err)),
    };
    let entries = read
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>();
    entries.map_err(|err| CliError::file("read", directory, &err))
}
