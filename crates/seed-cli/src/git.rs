//! Whether git would take a file.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::child;

/// What git makes of a path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// It never enters a commit: ignored and not tracked, or outside every work tree.
    Private,
    /// It is tracked already.
    Tracked,
    /// It is not ignored.
    Unignored {
        /// The line for `.gitignore` at the top of the work tree.
        line: String,
    },
    /// It lies in a work tree, and git cannot be asked.
    Unknown {
        /// Why not.
        reason: String,
    },
}

/// Asks git about a path that may not exist yet.
pub(crate) fn fate(path: &Path) -> Fate {
    let Ok(absolute) = std::path::absolute(path) else {
        return Fate::Unknown {
            reason: "its absolute path cannot be told".to_owned(),
        };
    };
    let Some(top) = work_tree(&absolute) else {
        return Fate::Private;
    };
    // The path is one path, whatever it looks like. `check-ignore` knows nothing else, and refuses to be told.
    let question = ["--literal-pathspecs", "ls-files", "--error-unmatch"];
    let answers = ask(&top, &question, &absolute)
        .and_then(|tracked| Ok((tracked, ask(&top, &["check-ignore", "--quiet"], &absolute)?)));
    match answers {
        Ok((true, _)) => Fate::Tracked,
        Ok((false, true)) => Fate::Private,
        Ok((false, false)) => {
            let below = absolute.strip_prefix(&top).unwrap_or(&absolute);
            Fate::Unignored {
                line: format!("/{}", below.display()),
            }
        }
        Err(reason) => Fate::Unknown { reason },
    }
}

/// The nearest directory above with a `.git`, links resolved as far as they exist.
pub(crate) fn work_tree(path: &Path) -> Option<PathBuf> {
    let existing = path
        .ancestors()
        .skip(1)
        .find(|ancestor| ancestor.exists())?;
    let existing = existing.canonicalize().ok()?;
    existing
        .ancestors()
        .find(|ancestor| ancestor.join(".git").exists())
        .map(Path::to_path_buf)
}

fn ask(top: &Path, question: &[&str], path: &Path) -> Result<bool, String> {
    // The work tree is the one that the path lies in, whatever the surroundings say.
    let status = child::command("git")
        .arg("-C")
        .arg(top)
        .args(question)
        .arg("--")
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|err| format!("git cannot be run: {err}"))?;
    match status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(format!(
            "git cannot tell: `git -C {} {}` ended with {status}; run it to see why",
            top.display(),
            question.join(" ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn git(directory: &Path, arguments: &[&str]) {
        let done = Command::new("git")
            .arg("-C")
            .arg(directory)
            .args(arguments)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    }

    #[test]
    fn only_ignored_and_untracked_paths_are_private() {
        let base = tempfile::tempdir().unwrap();
        let top = base.path().canonicalize().unwrap();
        assert_eq!(
            fate(&top.join("x")),
            Fate::Private,
            "outside every work tree"
        );
        git(&top, &["init", "--quiet"]);
        std::fs::write(top.join(".gitignore"), "/secrets/\n").unwrap();
        std::fs::create_dir(top.join("secrets")).unwrap();
        std::fs::write(top.join("secrets/tracked"), "").unwrap();
        git(&top, &["add", "--force", "secrets/tracked"]);
        assert_eq!(fate(&top.join("secrets/new")), Fate::Private);
        assert_eq!(fate(&top.join("secrets/tracked")), Fate::Tracked);
        assert_eq!(
            fate(&top.join("new/file")),
            Fate::Unignored {
                line: "/new/file".to_owned()
            }
        );
    }
}
