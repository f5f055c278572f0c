//! The one place that prints: data to stdout, all else to stderr. What a contract says cannot steer a terminal.

use std::io::{self, IsTerminal as _, Write as _};

use crate::error::{CliError, Result};
use crate::render::{Styled, visible};
use crate::signals::{self, Signals};

/// Decides about colour for the whole run.
pub(crate) fn color(choice: clap::ColorChoice) {
    match choice {
        clap::ColorChoice::Always => anstream::ColorChoice::Always,
        clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
        clap::ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// Where output goes, and how much of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    /// Errors and data only.
    pub(crate) quiet: bool,
}

#[expect(
    clippy::unused_self,
    reason = "printing is something that main hands out, not something that any code may do"
)]
impl Terminal {
    /// Prints what people and programs read.
    pub(crate) fn data(self, text: &str) -> Result<()> {
        self.bytes(visible(text).as_bytes())
    }

    /// Prints a document for programs.
    pub(crate) fn json(self, document: &serde_json::Value) -> Result<()> {
        self.data(&format!("{document:#}\n"))
    }

    /// Prints bytes as they are.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Result<()> {
        let mut out = io::stdout().lock();
        finish(out.write_all(bytes).and_then(|()| out.flush()))
    }

    /// Says something about what is going on.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            say(&format!("{}\n", visible(text)));
        }
    }

    /// Says what is odd.
    pub(crate) fn warning(self, text: &Styled) {
        if !self.quiet {
            say(text.as_str());
        }
    }

    /// Says what somebody must see even with `--quiet`.
    pub(crate) fn error(self, text: &Styled) {
        say(text.as_str());
    }

    /// Says a part of a conversation; the line may go on.
    pub(crate) fn ask(self, text: &str) {
        say(&visible(text));
    }

    /// Whether a person reads stdout.
    pub(crate) fn stdout_is_terminal(self) -> bool {
        io::stdout().is_terminal()
    }

    /// Whether stdin is a terminal, and nothing that could be read to its end.
    pub(crate) fn stdin_is_terminal(self) -> bool {
        io::stdin().is_terminal()
    }

    /// Whether a person can be asked.
    pub(crate) fn can_ask(self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Whether progress can be shown.
    pub(crate) fn shows_progress(self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Asks for `yes` on stderr. Must be called within a runtime; a signal ends the question.
    pub(crate) async fn confirm(self, question: &str) -> Result<bool> {
        let mut signals = Signals::listen()?;
        say(&format!("{} [yes/no] ", visible(question)));
        let answer = tokio::task::spawn_blocking(|| {
            let mut answer = String::new();
            io::stdin().read_line(&mut answer).map(|_| answer)
        });
        let answer = signals::or_stop(&mut signals, async { Ok(answer.await) }).await?;
        let answer = answer
            .map_err(io::Error::from)
            .flatten()
            .map_err(|err| CliError::failed("cannot read the answer").because(&err))?;
        Ok(matches!(answer.trim(), "yes" | "y"))
    }
}

fn say(text: &str) {
    // Nobody is left to tell when stderr is gone.
    drop(anstream::stderr().lock().write_all(text.as_bytes()));
}

/// A reader that went away, such as `head`, is no error of ours.
fn finish(result: io::Result<()>) -> Result<()> {
    match result {
        Err(err) if err.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|err| CliError::failed("cannot write to stdout").because(&err)),
    }
}
