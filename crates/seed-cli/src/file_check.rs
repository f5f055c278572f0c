//! The contract's `files` on disk, held against what is stored.

use std::path::Path;

use seed_core::name::ValueId;
use seed_core::resolve::{Resolved, ResolvedFile};
use seed_engine::{ReadValues, Unread};

use crate::disk;
use crate::git::{self, Fate};
use crate::secret_files;

/// One file of the contract, and what is wrong with it.
#[derive(Debug)]
pub(crate) struct CheckedFile {
    /// Its path below `root`.
    pub(crate) path: String,
    /// Nothing when it is as stored.
    pub(crate) findings: Vec<FileFinding>,
}

/// How a file stands.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum FileState {
    /// It is as stored, and nobody else's.
    Sound,
    /// A value that it needs is not there.
    NotCompared,
    /// It is not there.
    Absent,
    /// Nobody can tell.
    NotJudged,
    /// It is another than what is stored.
    Drifted,
    /// Others could read it.
    Exposed,
}

/// One thing to say about a file. Holds nothing of its content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum FileFinding {
    /// It is another than what is stored.
    Differs,
    /// Git tracks it.
    InGit {
        /// The command, fit for any directory, after which it is not.
        command: String,
    },
    /// Nothing can be compared with it: a value that it needs is not there.
    NotCompared,
    /// Nothing can be compared with it: a value that it needs was not read.
    NotJudged(ValueId),
    /// It is not there.
    NotWritten,
    /// Others than its owner may read it.
    Shared {
        /// Its path from where `seed` runs.
        path: String,
    },
    /// Git would take it.
    Unignored {
        /// The line for `.gitignore`.
        line: String,
    },
    /// It could not be looked at.
    Unread {
        /// Why.
        reason: String,
    },
}

impl CheckedFile {
    /// How it stands: the worst of what was found.
    pub(crate) fn state(&self) -> FileState {
        let states = self.findings.iter().map(FileFinding::state);
        states.max().unwrap_or(FileState::Sound)
    }
}

impl FileState {
    /// The word in JSON and documentation.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Drifted => "drifted",
            Self::Exposed => "exposed",
            Self::NotCompared => "not-compared",
            Self::NotJudged => "not-judged",
            Self::Sound => "sound",
        }
    }
}

impl FileFinding {
    /// The word in JSON and documentation.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Differs => "drifted",
            Self::InGit { .. } => "in-git",
            Self::NotCompared => "not-compared",
            Self::NotJudged(_) => "not-judged",
            Self::NotWritten => "absent",
            Self::Shared { .. } => "shared",
            Self::Unignored { .. } => "not-ignored",
            Self::Unread { .. } => "unread",
        }
    }

    /// What it makes of the file.
    pub(crate) fn state(&self) -> FileState {
        match self {
            Self::Differs => FileState::Drifted,
            Self::InGit { .. } | Self::Shared { .. } | Self::Unignored { .. } => FileState::Exposed,
            Self::NotCompared => FileState::NotCompared,
            Self::NotJudged(_) | Self::Unread { .. } => FileState::NotJudged,
            Self::NotWritten => FileState::Absent,
        }
    }

    /// What is wrong.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Differs => "differs from what is stored".to_owned(),
            Self::InGit { .. } => "git tracks it, and it holds secret values".to_owned(),
            Self::NotCompared => "not compared: a value that it needs is not there".to_owned(),
            Self::NotJudged(id) => format!("not compared: {id} was not read"),
            Self::NotWritten => "not there".to_owned(),
            Self::Shared { .. } => "others than you can read it".to_owned(),
            Self::Unignored { .. } => "git does not ignore it".to_owned(),
            Self::Unread { reason } => format!("not looked at: {reason}"),
        }
    }

    /// What to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Differs => Some("`seed files --force` writes it again".to_owned()),
            Self::InGit { command } => Some(format!("run `{command}`, and add it to .gitignore")),
            Self::NotCompared | Self::Unread { .. } => None,
            Self::NotJudged(id) => Some(format!("make {id} readable")),
            Self::NotWritten => Some("`seed files` writes it".to_owned()),
            Self::Shared { path } => Some(format!("run `chmod 600 {path}`")),
            Self::Unignored { line } => Some(format!("add the line `{line}` to .gitignore")),
        }
    }
}

/// Looks at a file, and writes nothing. `None` when it is not there and nothing would be written into it yet.
pub(crate) fn check(
    resolved: &Resolved,
    root: &Path,
    file: &ResolvedFile,
    read: &ReadValues,
) -> Option<CheckedFile> {
    let findings = match findings(resolved, root, file, read) {
        Ok(findings) => findings?,
        Err(finding) => vec![finding],
    };
    Some(CheckedFile {
        path: file.path.clone(),
        findings,
    })
}

fn findings(
    resolved: &Resolved,
    root: &Path,
    file: &ResolvedFile,
    read: &ReadValues,
) -> Result<Option<Vec<FileFinding>>, FileFinding> {
    let path = root.join(&file.path);
    let unread = |err: std::io::Error| FileFinding::Unread {
        reason: err.to_string(),
    };
    let found = disk::read(&path).map_err(unread)?;
    let found = found.map(zeroize::Zeroizing::new);
    let mut findings = Vec::new();
    if found.is_some() {
        if disk::is_shared(&path).map_err(unread)? {
            let path = path.display().to_string();
            findings.push(FileFinding::Shared { path });
        }
        findings.extend(in_git(&path));
    }
    if let Some(id) = not_read(file, read) {
        findings.push(FileFinding::NotJudged(id));
        return Ok(Some(findings));
    }
    let wanted = secret_files::content(resolved, file, read);
    let wanted = wanted.map_err(|err| FileFinding::Unread {
        reason: err.to_string(),
    })?;
    findings.extend(match (found, wanted) {
        (Some(found), Some(wanted)) if found.as_slice() == wanted.as_bytes() => None,
        (Some(_), Some(_)) => Some(FileFinding::Differs),
        (Some(_), None) => Some(FileFinding::NotCompared),
        (None, Some(_)) => Some(FileFinding::NotWritten),
        (None, None) => return Ok(None),
    });
    Ok(Some(findings))
}

fn in_git(path: &Path) -> Option<FileFinding> {
    match git::fate(path) {
        Fate::Private => None,
        Fate::Tracked { command } => Some(FileFinding::InGit { command }),
        Fate::Unignored { line } => Some(FileFinding::Unignored { line }),
        Fate::Unknown { reason } => Some(FileFinding::Unread { reason }),
    }
}

/// A value of which nobody knows whether it belongs into the file.
fn not_read(file: &ResolvedFile, read: &ReadValues) -> Option<ValueId> {
    let failed = |id: &ValueId| matches!(read.unread.get(id), Some(Unread::Failed(_)));
    seed_engine::needed(file).into_iter().find(failed)
}
