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
    Tracked {
        /// The command, fit for any directory, after which it is not.
        command: String,
    },
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
    let Some((top, absolute)) = work_tree(&absolute).zip(resolved(&absolute)) else {
        return Fate::Private;
    };
    // The path is one path, whatever it looks like. `check-ignore` knows nothing else, and refuses to be told.
    let question = ["--literal-pathspecs", "ls-files", "--error-unmatch"];
    let answers = ask(&top, &question, &absolute)
        .and_then(|tracked| Ok((tracked, ask(&top, &["check-ignore", "--quiet"], &absolute)?)));
    match answers {
        Ok((true, _)) => {
            let below = absolute.strip_prefix(&top).unwrap_or(&absolute);
            let command = [
                "git",
                "-C",
                &quoted(&top),
                "rm",
                "--cached",
                "--",
                &quoted(below),
            ];
            Fate::Tracked {
                command: command.join(" "),
            }
        }
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

/// A path as a shell takes it for one word.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+,@".contains(c);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The nearest directory above with a `.git`, links resolved as far as they exist.
pub(crate) fn work_tree(path: &Path) -> Option<PathBuf> {
    let real = resolved(path)?;
    let mut above = real.ancestors().skip(1);
    above
        .find(|ancestor| ancestor.join(".git").exists())
        .map(Path::to_path_buf)
}

/// A path with the links above its last part resolved as far as they exist.
fn resolved(path: &Path) -> Option<PathBuf> {
    let mut above = path.ancestors().skip(1);
    let existing = above.find(|ancestor| ancestor.exists())?;
    let below = path.strip_prefix(existing).ok()?;
    Some(existing.canonicalize().ok()?.join(below))
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
        .map_err(|err| {
            format!("it lies in a git work tree, and git cannot be asked whether it would take it ({err}); install git")
        })?;
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
        let command = format!("git -C {} rm --cached -- secrets/tracked", top.display());
        assert_eq!(
            fate(&top.join("secrets/tracked")),
            Fate::Tracked { command }
        );
        assert_eq!(
            fate(&top.join("new/file")),
            Fate::Unignored {
                line: "/new/file".to_owned()
            }
        );
    }

    #[test]
    fn links_above_are_resolved_and_other_kinds_of_work_trees_are_known() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().canonicalize().unwrap();
        let main = base.join("main");
        std::fs::create_dir(&main).unwrap();
        git(&main, &["init", "--quiet"]);
        std::fs::write(main.join(".gitignore"), "/secrets/\n").unwrap();
        git(&main, &["add", ".gitignore"]);
        let me = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
        git(
            &main,
            &[&me[..], &["commit", "--quiet", "--message=x"]].concat(),
        );
        git(&main, &["worktree", "add", "--quiet", "../linked"]);
        let add = [
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "--quiet",
            "add",
            "../main",
            "sub",
        ];
        git(&base.join("linked"), &add);
        std::os::unix::fs::symlink(&main, base.join("link")).unwrap();
        for tree in ["main", "linked", "linked/sub", "link"] {
            assert_eq!(
                fate(&base.join(tree).join("secrets/new")),
                Fate::Private,
                "{tree}"
            );
            let unignored = fate(&base.join(tree).join("new/file"));
            let line = "/new/file".to_owned();
            assert_eq!(unignored, Fate::Unignored { line }, "{tree}");
            let tracked = fate(&base.join(tree).join(".gitignore"));
            assert!(matches!(tracked, Fate::Tracked { .. }), "{tree}");
        }
    }

    #[test]
    fn a_work_tree_that_git_cannot_tell_about_is_no_private_place() {
        let base = tempfile::tempdir().unwrap();
        std::fs::write(base.path().join(".git"), "gitdir: /nowhere\n").unwrap();
        let unknown = fate(&base.path().join("file"));
        assert!(matches!(unknown, Fate::Unknown { .. }), "{unknown:?}");
    }

    #[test]
    fn a_path_is_one_word_for_a_shell() {
        let quoted = |path: &str| quoted(Path::new(path));
        assert_eq!(quoted("/a/b-c.txt"), "/a/b-c.txt");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }
}
