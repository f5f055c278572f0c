//! A copy of the repository's contracts, and `seed` to run on it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::Value;
use tempfile::TempDir;

use crate::binary::seed_binary;
use crate::cli::{Outcome, Running, Sealed};
use crate::shared;
use crate::terminal::Conversation;

/// What names the LLM platform's contract, with its values in the local store.
pub const PLATFORM: &str = "-c contracts/llm-platform.yaml --env ai-dev --backend local";

/// A directory with the repository's contracts and environments, and a home beside it. Both vanish
/// with this value, so that no test sees what another one did.
#[derive(Debug)]
pub struct Workspace {
    root: TempDir,
    seed: Sealed,
}

impl Workspace {
    /// Copies the contracts and the environments.
    pub fn new() -> Result<Self, String> {
        let root = tempfile::tempdir().map_err(|err| format!("no temporary directory: {err}"))?;
        let repository = shared::repository()?;
        for directory in ["contracts", "environments"] {
            copy(&repository.join(directory), &root.path().join(directory))?;
        }
        let seed = Sealed::new(&seed_binary()?)?;
        Ok(Self { root, seed })
    }

    /// Sets one more variable for `seed`.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<std::ffi::OsString>) -> Self {
        self.seed = self.seed.variable(name, value);
        self
    }

    /// Returns the directory in which `seed` runs.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// Returns the home directory of `seed`.
    pub fn home(&self) -> &Path {
        self.seed.home()
    }

    /// Returns the sealed `seed`.
    pub fn sealed(&self) -> &Sealed {
        &self.seed
    }

    /// Runs `seed` with arguments that are separated by blanks.
    pub fn seed(&self, arguments: &str) -> Result<Outcome, String> {
        self.start(arguments)?.finish()
    }

    /// Starts `seed` like [`Workspace::seed`], without waiting for its end.
    pub fn start(&self, arguments: &str) -> Result<Running, String> {
        self.seed.start(self.root(), arguments.split_whitespace())
    }

    /// Starts `seed` on a terminal of its own.
    pub fn talk(&self, arguments: &str) -> Result<Conversation, String> {
        Conversation::start(&self.seed, self.root(), arguments.split_whitespace())
    }

    /// Runs `seed`, which must end with 0 and print JSON.
    pub fn json(&self, arguments: &str) -> Result<Value, String> {
        let stdout = self.seed(arguments)?.success()?;
        serde_json::from_str(&stdout).map_err(|err| format!("`seed {arguments}`: {err}"))
    }

    /// Returns the keys that a plan gives one of these actions, in its order.
    pub fn planned(&self, contract: &str, actions: &[&str]) -> Result<Vec<String>, String> {
        let plan = self.json(&format!("plan {contract} --format json"))?;
        let steps = plan.get("steps").and_then(Value::as_array);
        let steps = steps.ok_or("the plan has no steps")?;
        let text = |step: &Value, name: &str| step.get(name)?.as_str().map(str::to_owned);
        let wanted = steps.iter().filter(|step| {
            let action = text(step, "action");
            action.is_some_and(|action| actions.contains(&action.as_str()))
        });
        wanted
            .map(|step| text(step, "key"))
            .collect::<Option<_>>()
            .ok_or_else(|| "a step without a key".into())
    }

    /// Reads one stored value.
    pub fn value(&self, contract: &str, key: &str) -> Result<Vec<u8>, String> {
        let outcome = self.seed(&format!("get {key} {contract}"))?;
        let bytes = outcome.stdout_bytes.clone();
        outcome.success()?;
        Ok(bytes)
    }

    /// Reads every stored value of a contract, by its key.
    pub fn values(&self, contract: &str) -> Result<BTreeMap<String, Vec<u8>>, String> {
        let keys = self.planned(contract, &["keep"])?.into_iter();
        keys.map(|key| {
            let value = self.value(contract, &key)?;
            Ok((key, value))
        })
        .collect()
    }

    /// Returns a shell in which `seed` is found, with the home of this workspace.
    pub fn shell(&self) -> Result<Shell, String> {
        let seed = seed_binary()?;
        let directory = seed.parent().ok_or("`seed` is in no directory")?;
        let shell = Sealed::new(Path::new("/bin/bash"))?
            .variable("BIN", directory)
            .variable("WORKSPACE_HOME", self.home());
        Ok(Shell {
            root: self.root().to_path_buf(),
            shell,
        })
    }

    /// Writes a file below the root.
    pub fn write(&self, path: &str, text: &str) -> Result<(), String> {
        let path = self.root().join(path);
        let failed = |err: std::io::Error| format!("{}: {err}", path.display());
        let directory = path.parent().ok_or("a path without a directory")?;
        fs::create_dir_all(directory).map_err(failed)?;
        fs::write(&path, text).map_err(failed)
    }

    /// Reads a file below the root.
    pub fn read(&self, path: &str) -> Result<String, String> {
        fs::read_to_string(self.root().join(path)).map_err(|err| format!("{path}: {err}"))
    }

    /// Returns every file and directory below root and home, and what it is.
    pub fn files(&self) -> Result<BTreeMap<String, Found>, String> {
        let mut found = BTreeMap::new();
        collect(self.root(), "$ROOT", &mut found)?;
        collect(self.home(), "$HOME", &mut found)?;
        Ok(found)
    }
}

/// Runs lines that are written for people in the directory of a workspace.
#[derive(Debug)]
pub struct Shell {
    root: PathBuf,
    shell: Sealed,
}

impl Shell {
    /// Runs one line. A failure anywhere in a pipe is a failure.
    pub fn run(&self, line: &str) -> Result<Outcome, String> {
        let script = format!(
            "set -o pipefail\nexport PATH=\"$BIN:$PATH\" HOME=\"$WORKSPACE_HOME\"\n{line}\n"
        );
        self.shell.run(&self.root, ["-c", &script])
    }
}

/// A file or directory at one moment.
#[derive(Clone, Eq, PartialEq)]
pub struct Found {
    /// What is in it; nothing in a directory.
    pub bytes: Vec<u8>,
    /// Its permissions.
    pub mode: u32,
    /// When its content changed last.
    pub modified: SystemTime,
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Found")
            .field("mode", &format_args!("{:o}", self.mode))
            .field("modified", &self.modified)
            .finish_non_exhaustive()
    }
}

/// Returns the paths that differ between two moments.
pub fn changed(before: &BTreeMap<String, Found>, after: &BTreeMap<String, Found>) -> Vec<String> {
    let paths = before.keys().chain(after.keys());
    let mut changed: Vec<String> = paths
        .filter(|path| before.get(*path) != after.get(*path))
        .cloned()
        .collect();
    changed.sort();
    changed.dedup();
    changed
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |err: std::io::Error| format!("{}: {err}", from.display());
    fs::create_dir(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let to = to.join(path.file_name().ok_or("a path without a name")?);
        if path.is_dir() {
            copy(&path, &to)?;
        } else {
            fs::copy(&path, &to).map_err(failed)?;
        }
    }
    Ok(())
}

fn collect(path: &Path, name: &str, found: &mut BTreeMap<String, Found>) -> Result<(), String> {
    let failed = |err: std::io::Error| format!("{}: {err}", path.display());
    let metadata = fs::symlink_metadata(path).map_err(failed)?;
    let mut bytes = Vec::new();
    if metadata.is_dir() {
        for entry in fs::read_dir(path).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let file = path.file_name().unwrap_or_default().display().to_string();
            collect(&path, &format!("{name}/{file}"), found)?;
        }
    } else if metadata.is_file() {
        bytes = fs::read(path).map_err(failed)?;
    }
    let this = Found {
        bytes,
        mode: metadata.permissions().mode() & 0o7777,
        modified: metadata.modified().map_err(failed)?,
    };
    found.insert(name.to_owned(), this);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_seen() {
        let directory = tempfile::tempdir().unwrap();
        let look = || {
            let mut found = BTreeMap::new();
            collect(directory.path(), "$ROOT", &mut found).unwrap();
            found
        };
        fs::create_dir(directory.path().join("a")).unwrap();
        fs::write(directory.path().join("a/b"), "1").unwrap();
        let before = look();
        assert!(changed(&before, &look()).is_empty());
        fs::write(directory.path().join("a/b"), "2").unwrap();
        assert_eq!(changed(&before, &look()), ["$ROOT/a/b"]);
        let before = look();
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(directory.path().join("a/b"), mode).unwrap();
        assert_eq!(changed(&before, &look()), ["$ROOT/a/b"]);
        let before = look();
        fs::write(directory.path().join("a/c"), "").unwrap();
        assert_eq!(changed(&before, &look()), ["$ROOT/a", "$ROOT/a/c"]);
    }

    #[test]
    fn a_shell_runs_seed_and_sees_failures_in_pipes() {
        let workspace = Workspace::new().unwrap();
        let shell = workspace.shell().unwrap();
        let outcome = shell
            .run("seed --version | cut -d' ' -f1; pwd; echo \"$HOME\"")
            .unwrap();
        let lines: Vec<&str> = outcome.stdout.lines().collect();
        let home = workspace.home().display().to_string();
        assert_eq!(lines.first(), Some(&"seed"));
        assert_eq!(lines.last(), Some(&home.as_str()));
        assert!(!shell.run("seed frobnicate | cat").unwrap().status.success());
    }

    #[test]
    fn contents_are_not_shown() {
        let found = Found {
            bytes: b"hunter2".to_vec(),
            mode: 0o600,
            modified: SystemTime::UNIX_EPOCH,
        };
        let shown = format!("{found:?}");
        assert!(shown.contains("600") && !shown.contains("hunter2") && !shown.contains("104"));
    }
}
