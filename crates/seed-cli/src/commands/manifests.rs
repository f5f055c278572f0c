//! Manifests on disk: written, or compared with what is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use seed_core::manifest::{self, EmitError, ManifestFile, Options, Output};
use seed_core::resolve::{Availability, Resolved};

use crate::args::EmitOptions;
use crate::disk::{self, Access, Over};
use crate::error::{CliError, Result};
use crate::render;

/// How many files fared how.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) changed: usize,
    pub(super) unchanged: usize,
    /// Files of ours that nothing writes any more.
    pub(super) stale: Vec<String>,
}

/// Makes the manifests.
pub(super) fn make(
    resolved: &Resolved,
    options: &EmitOptions,
    available: Availability,
) -> Result<Output> {
    let options = Options {
        version: options.eso_version,
        available,
    };
    manifest::emit(resolved, &options).map_err(|err| match err {
        EmitError::NoStore | EmitError::StoreMissing(_) | EmitError::Target { .. } => {
            CliError::usage("the manifests cannot be written").because(&err)
        }
    })
}

/// Refuses a directory in which a file that is not ours stands in the way.
pub(super) fn refuse_foreign(output: &Output, directory: &Path) -> Result<()> {
    changes(output, directory).map(drop)
}

/// Writes what differs, and nothing over a file that is not ours.
pub(super) fn write(output: &Output, directory: &Path) -> Result<Written> {
    let changes = changes(output, directory)?;
    for file in &changes {
        disk::write(
            directory,
            &file.path,
            file.text.as_bytes(),
            Access::Public,
            Over::Anything,
        )
        .map_err(|err| CliError::file("write", &directory.join(&file.path), &err))?;
    }
    Ok(Written {
        changed: changes.len(),
        unchanged: all(output).count() - changes.len(),
        stale: stale(output, directory)?,
    })
}

/// The files that differ from what is there, all of them ours or new.
fn changes<'o>(output: &'o Output, directory: &Path) -> Result<Vec<&'o ManifestFile>> {
    let mut changes = Vec::new();
    for file in all(output) {
        let path = directory.join(&file.path);
        match disk::read(&path).map_err(|err| CliError::file("read", &path, &err))? {
            Some(bytes) if bytes == file.text.as_bytes() => {}
            Some(bytes) if !manifest::is_ours(&String::from_utf8_lossy(&bytes)) => {
                return Err(not_ours(&path));
            }
            Some(_) | None => changes.push(file),
        }
    }
    Ok(changes)
}

fn not_ours(path: &Path) -> CliError {
    CliError::failed(format!(
        "`{}` was not written by seed and is not replaced",
        path.display()
    ))
    .hint("move it away, or choose another directory")
}

/// What writing would change, as one diff.
pub(super) fn compare(output: &Output, directory: &Path) -> Result<String> {
    let mut diff = String::new();
    for file in all(output) {
        let path = directory.join(&file.path);
        let before = disk::read(&path)
            .map_err(|err| CliError::file("read", &path, &err))?
            .unwrap_or_default();
        let before = String::from_utf8_lossy(&before);
        if before != file.text {
            diff.push_str(&render::unified(&file.path, &before, &file.text));
        }
    }
    for path in stale(output, directory)? {
        let before = disk::read(&directory.join(&path))
            .map_err(|err| CliError::file("read", &directory.join(&path), &err))?;
        diff.push_str(&render::unified(
            &path,
            &String::from_utf8_lossy(&before.unwrap_or_default()),
            "",
        ));
    }
    Ok(diff)
}

fn all(output: &Output) -> impl Iterator<Item = &ManifestFile> {
    output.manifests.iter().chain([&output.kustomization])
}

/// Files with our header, one level down as we lay them out, that are not in the output.
fn stale(output: &Output, directory: &Path) -> Result<Vec<String>> {
    let known: BTreeSet<&str> = all(output).map(|file| file.path.as_str()).collect();
    let mut found = BTreeSet::new();
    for folder in entries(directory)? {
        if !folder.is_dir() || folder.is_symlink() {
            continue;
        }
        for path in entries(&folder)? {
            let Ok(relative) = path.strip_prefix(directory) else {
                continue;
            };
            let relative = relative.to_string_lossy().into_owned();
            let yaml = path.extension().is_some_and(|end| end == "yaml");
            if !yaml || known.contains(relative.as_str()) {
                continue;
            }
            let text = disk::read(&path).ok().flatten().unwrap_or_default();
            if manifest::is_ours(&String::from_utf8_lossy(&text)) {
                found.insert(relative);
            }
        }
    }
    Ok(found.into_iter().collect())
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

/// The manifests as one stream of documents.
pub(super) fn stream(output: &Output) -> String {
    output
        .manifests
        .iter()
        .map(|file| file.text.as_str())
        .collect::<Vec<_>>()
        .join("---\n")
}

/// What was written where, and what to do with it.
pub(super) fn describe(
    resolved: &Resolved,
    written: &Written,
    output: &Output,
    directory: &Path,
) -> String {
    let shown = directory.display();
    let mut text = format!(
        "\n  {} and kustomization.yaml in {shown}: {} written, {} unchanged.\n",
        render::count(output.manifests.len(), "manifest", "manifests"),
        written.changed,
        written.unchanged,
    );
    for path in &written.stale {
        text.push_str(&format!(
            "    {path} is ours and no longer wanted; remove it.\n"
        ));
    }
    for skipped in output
        .skipped
        .iter()
        .filter(|skipped| !skipped.made_by_others)
    {
        text.push_str(&format!(
            "    not written: {} ({})\n",
            skipped.secret, skipped.reason
        ));
    }
    match &resolved.manifests_for {
        Some(other) if *other != resolved.backend => text.push_str(&format!(
            "    They read from {other}. The values are in {}, so {other} needs its own before they are applied.\n",
            resolved.backend
        )),
        Some(_) | None => {
            text.push_str(&format!("  Next: commit them, or `kubectl apply -k {shown}`.\n"));
        }
    }
    text
}
