//! The conversation.
//!
//! Own code, because no library reads several lines while the terminal stays silent in between: they read a line, and
//! turn echo on again after it. The rest of a pasted key would be shown.

use std::io;
use std::time::Duration;

use rustix::stdio;
use seed_core::secret::SecretValue;
use zeroize::Zeroizing;

use super::editor::{Editor, End, LONGEST, Typed};
use super::interrupt::Interrupt;
use super::tty::{Input, Quiet};
use super::words::Question;
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::terminal::Terminal;

/// What a person answered.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A value that is wanted.
    Given(SecretValue),
    /// Nothing now.
    Later,
}

/// Asks for values. The terminal shows nothing of what is typed until this is dropped, in between included.
pub(crate) struct Asker {
    terminal: Terminal,
    tty: Quiet<'static>,
    interrupt: Interrupt,
    editor: Editor,
    /// What was read and not looked at yet.
    chunk: Zeroizing<[u8; 1024]>,
    unread: std::ops::Range<usize>,
}

/// How an answer ended.
enum Ending {
    Aborted,
    Empty,
    /// More came at once than one line.
    Several,
    TooLong,
    Whole,
}

/// The next byte, if there is one.
enum Next {
    Byte(u8),
    Gone,
    Nothing,
}

/// How often a value is asked for.
const TRIES: usize = 5;
/// How long after Enter the rest of a paste may be in coming.
const PAUSE: Duration = Duration::from_millis(50);

impl Asker {
    /// Makes the terminal silent. Must be called within a runtime, which listens for signals.
    pub(crate) fn begin(terminal: Terminal) -> Result<Self> {
        let failed = |err: io::Error| CliError::failed("cannot ask on the terminal").because(&err);
        let interrupt = Interrupt::listen().map_err(failed)?;
        let marks_pastes = Environment::understands_sequences();
        let tty = Quiet::new(stdio::stdin(), stdio::stderr(), marks_pastes).map_err(failed)?;
        terminal.ask(
            "Nothing is shown while you type. An empty line: later. Ctrl-C: stop, with nothing written.\n",
        );
        Ok(Self {
            terminal,
            tty,
            interrupt,
            editor: Editor::new(),
            chunk: Zeroizing::new([0; 1024]),
            unread: 0..0,
        })
    }

    /// Asks until the value is wanted, or nothing is given. `refusal` says why a value is not wanted.
    ///
    /// Fails when the person, or whoever runs the program, stops it.
    pub(crate) fn ask(
        &mut self,
        question: &Question<'_>,
        refusal: impl Fn(&SecretValue) -> Option<String>,
    ) -> Result<Answer> {
        let id = &question.value.id;
        self.terminal.ask(&question.text());
        for _ in 0..TRIES {
            self.terminal.ask("    value: ");
            let ending = self
                .read()
                .map_err(|err| CliError::failed("cannot read from the terminal").because(&err))?;
            let refused = match ending {
                Ending::Aborted => {
                    self.terminal.ask("\n");
                    let message =
                        format!("stopped at the question for `{id}`; nothing was written");
                    return Err(CliError::failed(message));
                }
                Ending::Empty => {
                    self.terminal.ask("(later)\n");
                    return Ok(Answer::Later);
                }
                Ending::Several => Some(format!(
                    "several lines came at once; give such a value with `seed set {id} --file FILE`"
                )),
                Ending::TooLong => Some(format!("it is longer than {LONGEST} bytes")),
                Ending::Whole => {
                    let value = self.editor.value();
                    match refusal(&value) {
                        None => {
                            self.terminal.ask("(set)\n");
                            self.editor.clear();
                            return Ok(Answer::Given(value));
                        }
                        refused => refused,
                    }
                }
            };
            if let Some(reason) = refused {
                self.terminal.ask(&format!("refused: {reason}\n"));
            }
        }
        self.terminal
            .ask(&format!("    refused {TRIES} times: left for later\n"));
        Ok(Answer::Later)
    }

    /// Reads one answer.
    fn read(&mut self) -> io::Result<Ending> {
        self.editor.clear();
        loop {
            let typed = match self.next(None)? {
                Next::Byte(byte) => self.editor.typed(byte),
                Next::Gone => return Ok(Ending::Aborted),
                Next::Nothing => continue,
            };
            let ending = match typed {
                Typed::More | Typed::NextLine => continue,
                Typed::Aborted => return Ok(Ending::Aborted),
                Typed::Ended(End::Marked) => Ending::Whole,
                Typed::Ended(End::Line) => match self.after_line()? {
                    // A chain of certificates: the next block was pasted with the first.
                    Next::Byte(byte) if self.editor.is_armored() => {
                        self.editor.go_on();
                        self.editor.typed(byte);
                        continue;
                    }
                    Next::Byte(_) => {
                        self.drain()?;
                        Ending::Several
                    }
                    Next::Gone => return Ok(Ending::Aborted),
                    Next::Nothing => Ending::Whole,
                },
            };
            let whole = matches!(ending, Ending::Whole);
            return Ok(if whole && self.editor.is_too_long() {
                Ending::TooLong
            } else if whole && self.editor.is_empty() {
                Ending::Empty
            } else {
                ending
            });
        }
    }

    /// What came at once with a line, but for empty lines: a paste that the terminal did not mark.
    fn after_line(&mut self) -> io::Result<Next> {
        loop {
            match self.next(Some(PAUSE))? {
                Next::Byte(b'\r' | b'\n') => {}
                Next::Byte(3) => return Ok(Next::Gone),
                next @ (Next::Byte(_) | Next::Gone | Next::Nothing) => return Ok(next),
            }
        }
    }

    /// Forgets the rest of a paste.
    fn drain(&mut self) -> io::Result<()> {
        while let Next::Byte(_) = self.next(Some(PAUSE))? {}
        Ok(())
    }

    fn next(&mut self, patience: Option<Duration>) -> io::Result<Next> {
        if self.unread.is_empty() {
            let input = self.tty.read(&mut *self.chunk, &self.interrupt, patience)?;
            self.unread = match input {
                Input::Bytes(count) => 0..count,
                Input::Closed | Input::Interrupted => return Ok(Next::Gone),
                Input::Nothing => return Ok(Next::Nothing),
            };
        }
        let byte = self.unread.next().and_then(|at| self.chunk.get(at));
        Ok(byte.map_or(Next::Nothing, |byte| Next::Byte(*byte)))
    }
}
