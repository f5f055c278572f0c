//! Manifests on disk: written, or compared with what is there.

use std::path::{Path, PathBuf};

use seed_core::manifest::{self, EmitError, ManifestFile, Options, Output, With};
use seed_core::resolve::{Availability, Resolved};

use crate::args::{Beside, EmitOptions};
use crate::disk::{self, Access, Over};
use crate::error::{CliError, Result};
use crate::{render, stale};

/// What became of every file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    /// Files that are new, or other than before.
    pub(crate) changed: Vec<String>,
    /// Files that were as they should be.
    pub(crate) unchanged: Vec<String>,
    /// Files of this contract that nothing writes any more.
    pub(crate) stale: Vec<String>,
    /// Such files that were removed.
    pub(crate) pruned: Vec<String>,
}

/// Manifests that were written.
#[derive(Clone, Debug)]
pub(crate) struct Emitted {
    /// Where.
    pub(crate) directory: PathBuf,
    /// What.
    pub(crate) output: Output,
    /// What became of every file.
    pub(crate) written: Written,
}

/// A file that is not what would be written.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    /// Its path below the directory.
    pub(crate) path: String,
    /// How it differs.
    pub(crate) change: Change,
    /// What writing would change.
    pub(crate) diff: String,
}

/// How a file differs from what would be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Change {
    /// It says something else.
    Changed,
    /// It is not there.
    Missing,
    /// Nothing writes it any more.
    Stale,
}

impl Change {
    /// The word in JSON.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Stale => "stale",
        }
    }
}

/// Makes the manifests.
pub(crate) fn make(
    resolved: &Resolved,
    options: &EmitOptions,
    available: Availability,
) -> Result<Output> {
    let options = Options {
        version: options.eso_version,
        available,
        with: With {
            namespaces: options.with.contains(&Beside::Namespaces),
            rbac: options.with.contains(&Beside::Rbac),
            store: options.with.contains(&Beside::Store),
        },
    };
    manifest::emit(resolved, &options).map_err(|err| match err {
        EmitError::NoStore
        | EmitError::Store { .. }
        | EmitError::StoreMissing(_)
        | EmitError::Target { .. } => {
            CliError::usage("the manifests cannot be written").because(&err)
        }
    })
}

/// Refuses a directory in which a file that is not ours stands in the way.
pub(crate) fn refuse_foreign(output: &Output, directory: &Path) -> Result<()> {
    changes(output, directory).map(drop)
}

/// Writes what differs, and nothing over a file that is not ours. `prune` removes what this contract wrote before, and
/// writes no more.
pub(crate) fn write(
    resolved: &Resolved,
    output: Output,
    directory: &Path,
    prune: bool,
) -> Result<Emitted> {
    let changes = changes(&output, directory)?;
    let mut written = Written::default();
    for file in all(&output) {
        if changes.contains(&file) {
            put(file, directory)?;
            written.changed.push(file.path.clone());
        } else {
            written.unchanged.push(file.path.clone());
        }
    }
    // Nothing names these any more: the kustomization was written before.
    for path in stale::find(&output, directory, &resolved.contract)? {
        if prune && stale::remove(directory, &path, &resolved.contract)? {
            written.pruned.push(path);
        } else {
            written.stale.push(path);
        }
    }
    Ok(Emitted {
        directory: directory.to_path_buf(),
        output,
        written,
    })
}

fn put(file: &ManifestFile, directory: &Path) -> Result<()> {
    let (access, over) = (Access::Public, Over::Anything);
    disk::write(directory, &file.path, file.text.as_bytes(), access, over)
        .map_err(|err| CliError::file("write", &directory.join(&file.path), &err))
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

/// What writing would change.
pub(crate) fn compare(
    resolved: &Resolved,
    output: &Output,
    directory: &Path,
) -> Result<Vec<Difference>> {
    let before = |path: &str| {
        let path = directory.join(path);
        let bytes = disk::read(&path).map_err(|err| CliError::file("read", &path, &err))?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    };
    let mut differences = Vec::new();
    let mut add = |path: &str, change: Change, before: &str, after: &str| {
        differences.push(Difference {
            path: path.to_owned(),
            change,
            diff: render::unified(path, before, after),
        });
    };
    for file in all(output) {
        match before(&file.path)? {
            Some(before) if before == file.text => {}
            Some(before) => add(&file.path, Change::Changed, &before, &file.text),
            None => add(&file.path, Change::Missing, "", &file.text),
        }
    }
    for path in stale::find(output, directory, &resolved.contract)? {
        add(
            &path,
            Change::Stale,
            &before(&path)?.unwrap_or_default(),
            "",
        );
    }
    Ok(differences)
}

/// Every file that is written.
pub(crate) fn all(output: &Output) -> impl Iterator<Item = &ManifestFile> {
    output.manifests.iter().chain([&output.kustomization])
}

/// The manifests as one stream of documents.
pub(crate) fn stream(output: &Output) -> String {
    output
        .manifests
        .iter()
        .map(|file| file.text.as_str())
        .collect::<Vec<_>>()
        .join("---\n")
}

/// What was written where, and what to do with it.
pub(crate) fn describe(resolved: &Resolved, emitted: &Emitted) -> String {
    let (written, output) = (&emitted.written, &emitted.output);
    let shown = emitted.directory.display();
    let mut text = format!(
        "\n  {} and kustomization.yaml in {shown}: {} written, {} unchanged.\n",
        render::count(output.manifests.len(), "manifest", "manifests"),
        written.changed.len(),
        written.unchanged.len(),
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
