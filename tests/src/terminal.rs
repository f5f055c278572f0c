//! A program on a terminal, and a person who types.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use expectrl::process::unix::UnixProcess;
use expectrl::session::OsStream;
use expectrl::{Captures, Eof, Expect as _, Session};
use rustix::process::{Pid, Signal, kill_process};

use crate::cli::Sealed;

/// How long an answer is waited for. Long, because machines that run tests are slow at times.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs a program on a terminal that echoes, and tells how it left the terminal.
const SCRIPT: &str = r#"stty sane
before=$(stty -g)
"$0" "$@"
status=$?
[ "$before" = "$(stty -g)" ] && modes="as before" || modes="changed"
printf '[exit status: %s, terminal: %s]\n' "$status" "$modes"
"#;

/// A program that runs on a terminal.
pub struct Conversation {
    session: Session<UnixProcess, OsStream>,
    shell: i32,
    shown: Vec<u8>,
}

/// Everything that a terminal showed.
#[derive(Debug)]
pub struct Shown(pub Vec<u8>);

impl Conversation {
    /// Starts the program of `sealed` on a terminal of its own.
    pub fn start<I>(sealed: &Sealed, directory: &Path, arguments: I) -> Result<Self, String>
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let mut command = sealed.command(Path::new("/bin/sh"), directory);
        command
            .envs([("TERM", "xterm"), ("NO_COLOR", "1")])
            .args(["-c", SCRIPT])
            .arg(sealed.program())
            .args(arguments);
        let failed = |err: expectrl::Error| format!("no terminal: {err}");
        let mut session = Session::spawn(command).map_err(failed)?;
        session.set_expect_timeout(Some(PATIENCE));
        let shell = session.get_process().pid().as_raw();
        let shown = Vec::new();
        Ok(Self {
            session,
            shell,
            shown,
        })
    }

    /// Waits until the terminal shows a text.
    pub fn wait_for(&mut self, text: &str) -> Result<(), String> {
        let seen = self.session.expect(text);
        match seen {
            Ok(seen) => self.record(&seen),
            Err(err) => {
                let shown = Shown(self.shown.clone());
                return Err(format!("no `{text}` ({err}) after:\n{shown}"));
            }
        }
        Ok(())
    }

    /// Types.
    pub fn send(&mut self, keys: impl AsRef<[u8]>) -> Result<(), String> {
        let sent = self.session.write_all(keys.as_ref());
        sent.and_then(|()| self.session.flush())
            .map_err(|err| format!("nothing is typed: {err}"))
    }

    /// Pastes, as a terminal does that was asked to mark pastes.
    pub fn paste(&mut self, text: &str) -> Result<(), String> {
        let text = text.replace('\n', "\r");
        self.send(format!("\u{1b}[200~{text}\u{1b}[201~"))
    }

    /// Returns the program's own process, which is a child of the shell.
    pub fn program(&self) -> Result<i32, String> {
        let path = format!("/proc/{0}/task/{0}/children", self.shell);
        let children = fs::read_to_string(&path).map_err(|err| format!("{path}: {err}"))?;
        let first = children.split_whitespace().next();
        first
            .and_then(|child| child.parse().ok())
            .ok_or_else(|| "the program does not run".into())
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) -> Result<(), String> {
        let pid = Pid::from_raw(self.program()?).ok_or("no process has that id")?;
        kill_process(pid, signal).map_err(|err| format!("no signal: {err}"))
    }

    /// Waits for the end, and returns everything that was shown.
    pub fn finish(mut self) -> Result<Shown, String> {
        let rest = self
            .session
            .expect(Eof)
            .map_err(|err| format!("no end ({err}) after:\n{}", Shown(self.shown.clone())))?;
        self.record(&rest);
        Ok(Shown(self.shown))
    }

    fn record(&mut self, seen: &Captures) {
        self.shown.extend(seen.as_bytes());
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("shell", &self.shell)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.0)
            .replace("\r\n", "\n")
            .replace("\u{1b}[?2004h", "[pastes are marked]\n")
            .replace("\u{1b}[?2004l", "[pastes are not marked]\n");
        let lines: Vec<&str> = text.trim_end().split('\n').map(last_state).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// What is left of a line that was written again and again, as progress is.
fn last_state(line: &str) -> &str {
    let last = line.rsplit('\r').next().unwrap_or_default();
    last.trim_start_matches("\u{1b}[2K")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk(script: &str) -> Conversation {
        let sealed = Sealed::new(Path::new("/bin/sh")).unwrap();
        Conversation::start(&sealed, Path::new("/"), ["-c", script]).unwrap()
    }

    #[test]
    fn a_terminal_echoes_what_is_typed() {
        let mut conversation = talk("echo ready; read -r line; echo \"got $line\"; exit 3");
        conversation.wait_for("ready").unwrap();
        conversation.send("abc\n").unwrap();
        conversation.wait_for("got abc").unwrap();
        let shown = conversation.finish().unwrap().to_string();
        assert_eq!(
            shown,
            "ready\nabc\ngot abc\n[exit status: 3, terminal: as before]"
        );
    }

    #[test]
    fn modes_that_were_changed_are_seen() {
        let shown = talk("stty -echo").finish().unwrap().to_string();
        assert_eq!(shown, "[exit status: 0, terminal: changed]");
    }

    #[test]
    fn a_program_can_be_sent_a_signal() {
        let mut conversation =
            talk("trap 'echo told; exit 5' TERM; echo ready; while :; do sleep 0.01; done");
        conversation.wait_for("ready").unwrap();
        conversation.signal(Signal::TERM).unwrap();
        let shown = conversation.finish().unwrap().to_string();
        assert!(
            shown.ends_with("told\n[exit status: 5, terminal: as before]"),
            "{shown}"
        );
    }
}
