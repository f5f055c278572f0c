//! Programs that do not outlive the test.
//!
//! A shell stands between the test and each server. It holds the reading end of a pipe whose writing end only the test's
//! process has, and kills the server when that pipe closes: when the value is dropped, also by a panic, and when the
//! process ends in whatever way, `kill -9` included, because then the kernel closes it. Asking the kernel for a signal at
//! the parent's death would need unsafe code, and is about the thread that started the program, not about the process.

use std::fmt;
use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// `set -m` gives the server a process group of its own, so that a Ctrl-C for the tests leaves it to us, and what
/// it starts dies with it. `%1` is that group, and nothing once it has ended. The shell is the server's parent, so that
/// `wait` ends when its ports are free again. `read` ends with more than 128 when there is nothing to read yet.
const SCRIPT: &str = r#"
set -m
directory=$1
shift
"$@" </dev/null >"$directory/log" 2>&1 &
while read -r -t 0.2 _; (($? > 128)); do
  kill -0 %1 || echo "it has ended" >"$directory/ended"
done
kill -KILL %1
wait
rm -rf -- "$directory"
"#;

/// How long a server may take until it answers. Machines that also build are slow.
const LONGEST: Duration = Duration::from_mins(2);

/// A program that was started, in a directory of its own that vanishes with it.
pub(crate) struct Guarded {
    name: &'static str,
    guard: Child,
    directory: TempDir,
}

impl Guarded {
    /// Starts a program, with no variables but `PATH` and HOME; its HOME is the directory.
    pub(crate) fn start(
        name: &'static str,
        directory: TempDir,
        program: &Path,
        arguments: &[String],
    ) -> Result<Self, String> {
        Self::start_with(name, directory, program, arguments, &[])
    }

    /// The same with further variables.
    pub(crate) fn start_with(
        name: &'static str,
        directory: TempDir,
        program: &Path,
        arguments: &[String],
        variables: &[(String, String)],
    ) -> Result<Self, String> {
        let path = std::env::split_paths("/usr/local/bin:/usr/bin:/bin");
        let path = std::env::join_paths(path).map_err(|err| err.to_string())?;
        let guard = Command::new("bash")
            .args(["-c", SCRIPT, "guard"])
            .arg(directory.path())
            .arg(program)
            .args(arguments)
            .current_dir(directory.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", directory.path())
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|err| format!("{name} cannot be started: {err}"))?;
        Ok(Self {
            name,
            guard,
            directory,
        })
    }

    /// Its directory.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Waits until `ready` says so, and tells what the program wrote when it ended or took too long.
    pub(crate) fn wait(&self, mut ready: impl FnMut() -> Result<(), String>) -> Result<(), String> {
        let start = Instant::now();
        loop {
            let reason = match ready() {
                Ok(()) => return Ok(()),
                Err(reason) => reason,
            };
            let ended = fs::read_to_string(self.directory.path().join("ended"));
            let ended = ended.ok().map(|text| text.trim().to_owned());
            let late = (start.elapsed() > LONGEST)
                .then(|| format!("it does not answer after {LONGEST:?} ({reason})"));
            if let Some(what) = ended.or(late) {
                return Err(format!("{}: {what}\n{}", self.name, self.log()));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The last lines that it wrote.
    pub(crate) fn log(&self) -> String {
        let log = fs::read(self.directory.path().join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines.len().saturating_sub(20);
        lines.get(last..).unwrap_or_default().join("\n")
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // The end of its input is the word to stop. Nobody is left to hear that waiting failed.
        drop(self.guard.stdin.take());
        drop(self.guard.wait());
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Makes the directory of a server.
pub(crate) fn directory(name: &str) -> Result<TempDir, String> {
    tempfile::Builder::new()
        .prefix(&format!("seed-{name}-"))
        .tempdir()
        .map_err(|err| format!("no temporary directory: {err}"))
}

/// Starts a server again, on other ports, when somebody was quicker to take one of those that were free.
pub(crate) fn retried<T>(start: impl Fn() -> Result<T, String>) -> Result<T, String> {
    start().or_else(|first| start().map_err(|second| format!("{first}\nand again:\n{second}")))
}

/// Returns `count` ports in a row that nobody has.
pub(crate) fn free_ports(count: u16) -> Result<u16, String> {
    for _ in 0..100 {
        let first = TcpListener::bind("127.0.0.1:0").and_then(|listener| {
            listener
                .local_addr()
                .map(|address| (listener, address.port()))
        });
        let Ok((_listener, port)) = first else {
            continue;
        };
        let Some(end) = port.checked_add(count) else {
            continue;
        };
        let rest: Result<Vec<_>, _> = (port + 1..end)
            .map(|port| TcpListener::bind(("127.0.0.1", port)))
            .collect();
        if rest.is_ok() {
            return Ok(port);
        }
    }
    Err("no free port of 127.0.0.1".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Guarded {
        let arguments = [
            "-c".to_owned(),
            "echo $$ > pid; echo started; exec sleep 600".to_owned(),
        ];
        let directory = directory("sleeper").unwrap();
        Guarded::start("sleeper", directory, Path::new("/bin/sh"), &arguments).unwrap()
    }

    fn process(guarded: &Guarded) -> String {
        written(&guarded.directory().join("pid"))
    }

    /// Waits until a process has written its number.
    fn written(file: &Path) -> String {
        loop {
            match fs::read_to_string(file) {
                Ok(pid) if pid.ends_with('\n') => return pid.trim().to_owned(),
                Ok(_) | Err(_) => thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    fn lives(process: &str) -> bool {
        let status = Command::new("kill")
            .args(["-0", process])
            .stderr(Stdio::null())
            .status();
        status.unwrap().success()
    }

    #[test]
    fn a_program_ends_with_the_value_and_its_directory_vanishes() {
        let guarded = sleeper();
        let pid = process(&guarded);
        let directory = guarded.directory().to_path_buf();
        assert!(lives(&pid));
        drop(guarded);
        assert!(!lives(&pid));
        assert!(!directory.exists());
    }

    #[test]
    fn a_program_ends_when_a_test_panics() {
        let (send, receive) = std::sync::mpsc::channel();
        let test = thread::spawn(move || {
            let guarded = sleeper();
            send.send(process(&guarded)).unwrap();
            panic!("as a test would");
        });
        let pid = receive.recv().unwrap();
        test.join().unwrap_err();
        assert!(!lives(&pid));
    }

    #[test]
    fn a_program_ends_when_the_test_process_is_killed() {
        let directory = directory("sleeper").unwrap();
        // It holds the writing end of the guard's pipe, as a test process does.
        let mut holder = Command::new("sleep")
            .arg("600")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut guard = Command::new("bash")
            .args(["-c", SCRIPT, "guard"])
            .arg(directory.path())
            .args(["sh", "-c", "echo $$ > pid; exec sleep 600"])
            .current_dir(directory.path())
            .stdin(holder.stdout.take().unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let file = directory.path().join("pid");
        let pid = written(&file);
        assert!(lives(&pid));
        // Without a chance to do anything.
        holder.kill().unwrap();
        holder.wait().unwrap();
        guard.wait().unwrap();
        assert!(!lives(&pid));
        assert!(!directory.path().exists());
    }

    #[test]
    fn a_program_that_ends_early_is_told_with_its_last_words() {
        let arguments = ["-c".to_owned(), "echo no luck; exit 3".to_owned()];
        let directory = directory("failing").unwrap();
        let guarded =
            Guarded::start("failing", directory, Path::new("/bin/sh"), &arguments).unwrap();
        let error = guarded.wait(|| Err("never".into())).unwrap_err();
        assert_eq!(error, "failing: it has ended\nno luck");
    }

    #[test]
    fn ports_in_a_row_are_free() {
        let first = free_ports(3).unwrap();
        for port in first..first + 3 {
            TcpListener::bind(("127.0.0.1", port)).unwrap();
        }
    }
}
