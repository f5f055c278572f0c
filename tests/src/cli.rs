//! A sealed way to run a program: nothing of the caller's environment reaches it.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::environment;

/// A program with a home of its own, and no environment but `PATH` and `HOME`.
#[derive(Debug)]
pub struct Sealed {
    home: TempDir,
    placeholders: Vec<(PathBuf, String)>,
    program: PathBuf,
    variables: Vec<(OsString, OsString)>,
}

impl Sealed {
    /// Prepares to run `program`.
    pub fn new(program: &Path) -> Result<Self, String> {
        let home = tempfile::tempdir().map_err(|err| format!("no temporary directory: {err}"))?;
        let placeholders = vec![(home.path().to_path_buf(), "$HOME".to_owned())];
        let variables = Vec::new();
        Ok(Self {
            home,
            placeholders,
            program: program.to_path_buf(),
            variables,
        })
    }

    /// Returns the home directory, which vanishes with this value.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Sets one more variable.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Shows `path` as `name` in outcomes.
    #[must_use]
    pub fn placeholder(mut self, path: impl Into<PathBuf>, name: &str) -> Self {
        self.placeholders.push((path.into(), name.to_owned()));
        self
    }

    /// Runs the program in `directory`, which outcomes show as `$ROOT`, with nothing on stdin.
    pub fn run<I>(&self, directory: &Path, arguments: I) -> Result<Outcome, String>
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        self.start(directory, arguments)?.finish()
    }

    /// Runs the program like [`Sealed::run`], with this on stdin: not more than a pipe holds.
    pub fn feed<I>(&self, directory: &Path, arguments: I, stdin: &[u8]) -> Result<Outcome, String>
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let mut running = self.spawn(directory, arguments, Stdio::piped())?;
        let pipe = running.child.stdin.take();
        // A program that ends without reading closes the pipe.
        drop(pipe.map(|mut pipe| pipe.write_all(stdin)));
        running.finish()
    }

    /// Starts the program like [`Sealed::run`], without waiting for its end.
    pub fn start<I>(&self, directory: &Path, arguments: I) -> Result<Running, String>
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        self.spawn(directory, arguments, Stdio::null())
    }

    fn spawn<I>(&self, directory: &Path, arguments: I, stdin: Stdio) -> Result<Running, String>
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let child = self
            .command(&self.program, directory)
            .args(arguments)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|err| format!("{}: {err}", self.program.display()))?;
        let mut placeholders = self.placeholders.clone();
        placeholders.push((directory.to_path_buf(), "$ROOT".to_owned()));
        Ok(Running {
            child,
            placeholders: spellings(&placeholders),
        })
    }

    /// Returns the program that is run.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// A command in the sealed environment.
    pub(crate) fn command(&self, program: &Path, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(directory)
            .env_clear()
            .envs(environment::variable("PATH").map(|path| ("PATH", path)))
            .env("HOME", self.home())
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// A program that was started and not yet waited for.
#[derive(Debug)]
#[must_use = "a program that nobody waits for outlives its test"]
pub struct Running {
    child: Child,
    placeholders: Vec<(String, String)>,
}

impl Running {
    /// Returns the number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<(), String> {
        kill_process(Pid::from_child(&self.child), signal)
            .map_err(|err| format!("no signal: {err}"))
    }

    /// Waits for the end.
    pub fn finish(self) -> Result<Outcome, String> {
        let output = self
            .child
            .wait_with_output()
            .map_err(|err| format!("no end: {err}"))?;
        Ok(Outcome {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stdout_bytes: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            status: output.status,
            placeholders: self.placeholders,
        })
    }
}

/// What came of a run. Displayed whole, with temporary paths replaced, for a snapshot.
#[derive(Clone, Debug)]
#[must_use = "show the whole outcome in a snapshot, or assert how it ended"]
pub struct Outcome {
    /// What was written to stdout, as text.
    pub stdout: String,
    /// What was written to stdout, to the byte.
    pub stdout_bytes: Vec<u8>,
    /// What was written to stderr, as text.
    pub stderr: String,
    /// How it ended.
    pub status: ExitStatus,
    placeholders: Vec<(String, String)>,
}

impl Outcome {
    /// Returns stdout, or the whole outcome as an error when the run did not end with 0.
    pub fn success(self) -> Result<String, String> {
        if self.status.success() {
            Ok(self.stdout)
        } else {
            Err(self.to_string())
        }
    }

    fn shown(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for (path, name) in &self.placeholders {
            shown = shown.replace(path, name);
        }
        match shown.chars().last() {
            None | Some('\n') => shown,
            Some(_) => shown + "[no newline]\n",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}---\n{}",
            self.shown(&self.stdout),
            self.shown(&self.stderr)
        )?;
        match self.status.code() {
            Some(code) => write!(f, "[exit status: {code}]"),
            None => write!(f, "[{}]", self.status),
        }
    }
}

/// Returns each path as it was given and as the system resolves it, the longest first, so that a
/// directory inside another is replaced before its parent.
fn spellings(placeholders: &[(PathBuf, String)]) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for (path, name) in placeholders {
        all.push((path.display().to_string(), name.clone()));
        if let Ok(resolved) = path.canonicalize() {
            all.push((resolved.display().to_string(), name.clone()));
        }
    }
    all.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Outcome {
        let directory = tempfile::tempdir().unwrap();
        let sealed = Sealed::new(Path::new("/bin/sh"))
            .unwrap()
            .variable("EXTRA", "given");
        sealed.run(directory.path(), ["-c", script]).unwrap()
    }

    #[test]
    fn an_outcome_shows_everything() {
        let outcome = shell("echo out; echo err >&2; exit 3");
        assert_eq!(outcome.to_string(), "out\n---\nerr\n[exit status: 3]");
        assert_eq!(shell("").to_string(), "---\n[exit status: 0]");
        assert_eq!(
            shell("printf x").to_string(),
            "x[no newline]\n---\n[exit status: 0]"
        );
    }

    #[test]
    fn a_signal_is_shown() {
        assert!(
            shell("kill -9 $$").to_string().contains("[signal: 9"),
            "{}",
            shell("kill -9 $$")
        );
    }

    #[test]
    fn a_started_program_can_be_stopped() {
        let sealed = Sealed::new(Path::new("/bin/sh")).unwrap();
        let running = sealed
            .start(Path::new("/"), ["-c", "exec sleep 60"])
            .unwrap();
        running.signal(Signal::TERM).unwrap();
        let outcome = running.finish().unwrap();
        assert!(outcome.to_string().contains("[signal: 15"), "{outcome}");
    }

    #[test]
    fn the_environment_is_sealed() {
        let outcome = shell("env | cut -d= -f1 | grep -v -x -e PWD -e SHLVL -e _ -e OLDPWD | sort");
        assert_eq!(
            outcome.to_string(),
            "EXTRA\nHOME\nPATH\n---\n[exit status: 0]"
        );
    }

    #[test]
    fn temporary_paths_are_shown_by_name() {
        let outcome = shell("echo \"$HOME/a\"; pwd >&2");
        assert_eq!(outcome.to_string(), "$HOME/a\n---\n$ROOT\n[exit status: 0]");
    }

    #[test]
    fn the_longest_path_is_replaced_first() {
        let sealed = Sealed::new(Path::new("/bin/sh")).unwrap();
        let inside = sealed.home().join("inside");
        std::fs::create_dir(&inside).unwrap();
        let outcome = sealed.run(&inside, ["-c", "echo \"$HOME\"; pwd"]).unwrap();
        assert_eq!(outcome.to_string(), "$HOME\n$ROOT\n---\n[exit status: 0]");
    }

    #[test]
    fn stdin_is_empty() {
        assert_eq!(shell("cat").to_string(), "---\n[exit status: 0]");
    }

    #[test]
    fn a_program_is_fed() {
        let sealed = Sealed::new(Path::new("/bin/sh")).unwrap();
        let outcome = sealed.feed(Path::new("/"), ["-c", "cat"], b"food").unwrap();
        assert_eq!(outcome.success(), Ok("food".to_owned()));
        let deaf = sealed.feed(Path::new("/"), ["-c", "exit 3"], b"food");
        assert_eq!(deaf.unwrap().status.code(), Some(3));
    }

    #[test]
    fn success_is_asked_for_by_name() {
        assert_eq!(shell("echo out").success(), Ok("out\n".into()));
        let failure = shell("echo out; exit 1").success();
        assert_eq!(failure, Err("out\n---\n[exit status: 1]".into()));
    }
}
