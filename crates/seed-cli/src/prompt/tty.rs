//! A terminal that shows nothing of what is typed.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

/// A terminal without echo, from its making until it is dropped: also when a question ends in an error or a panic.
pub(super) struct Quiet<'fd> {
    input: BorrowedFd<'fd>,
    output: BorrowedFd<'fd>,
    before: Termios,
    marks_pastes: bool,
}

/// What came from the terminal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Input {
    /// So many bytes.
    Bytes(usize),
    /// Nobody is there any more.
    Closed,
    /// The program was told to end.
    Interrupted,
    /// Nothing, for as long as was waited.
    Nothing,
}

impl<'fd> Quiet<'fd> {
    /// Turns echo off, and with it all that a terminal does with lines: it would cut those of 4,096 bytes and more, and
    /// Ctrl-C would end the program before anything is put right. What was typed before is dropped: it was not
    /// typed as an answer. `marks_pastes` asks the terminal to say where a paste begins and ends.
    pub(super) fn new(
        input: BorrowedFd<'fd>,
        output: BorrowedFd<'fd>,
        marks_pastes: bool,
    ) -> io::Result<Self> {
        let before = tcgetattr(input)?;
        let mut modes = before.clone();
        modes.local_modes -= LocalModes::ECHO
            | LocalModes::ECHONL
            | LocalModes::ICANON
            | LocalModes::IEXTEN
            | LocalModes::ISIG;
        modes.input_modes -=
            InputModes::ICRNL | InputModes::IGNCR | InputModes::INLCR | InputModes::IXON;
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        let quiet = Self {
            input,
            output,
            before,
            marks_pastes,
        };
        tcsetattr(input, OptionalActions::Flush, &modes)?;
        quiet.say(MARK_PASTES);
        Ok(quiet)
    }

    /// Waits for input, at most for `patience`.
    pub(super) fn read(
        &self,
        bytes: &mut [u8],
        interrupt: impl AsFd,
        patience: Option<Duration>,
    ) -> io::Result<Input> {
        let patience = patience.map(|patience| Timespec {
            tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: patience.subsec_nanos().into(),
        });
        loop {
            let mut both = [
                PollFd::from_borrowed_fd(self.input, PollFlags::IN),
                PollFd::from_borrowed_fd(interrupt.as_fd(), PollFlags::IN),
            ];
            match poll(&mut both, patience.as_ref()) {
                Err(Errno::INTR) => continue,
                Err(err) => return Err(err.into()),
                Ok(0) => return Ok(Input::Nothing),
                Ok(_) => {}
            }
            let [_, told] = &both;
            if !told.revents().is_empty() {
                return Ok(Input::Interrupted);
            }
            return match rustix::io::read(self.input, &mut *bytes) {
                Ok(0) | Err(Errno::IO) => Ok(Input::Closed),
                Ok(count) => Ok(Input::Bytes(count)),
                Err(Errno::INTR | Errno::AGAIN) => continue,
                Err(err) => Err(err.into()),
            };
        }
    }

    fn say(&self, sequence: &[u8]) {
        if self.marks_pastes {
            // A terminal that is gone needs nothing put right.
            drop(rustix::io::write(self.output, sequence).map_err(io::Error::from));
        }
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        self.say(MARK_NO_PASTES);
        // What was not read is dropped: it may be the rest of a paste, and the shell would show and run it.
        let put_right = tcsetattr(self.input, OptionalActions::Flush, &self.before);
        // It is gone, or nothing can be done about it.
        drop(put_right.map_err(io::Error::from));
    }
}

const MARK_PASTES: &[u8] = b"\x1b[?2004h";
const MARK_NO_PASTES: &[u8] = b"\x1b[?2004l";

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use rustix::fs::{Mode, OFlags};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    /// A terminal, and the side on which a person would sit.
    fn terminal() -> (OwnedFd, OwnedFd) {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let terminal = rustix::fs::open(name, flags, Mode::empty()).unwrap();
        (person, terminal)
    }

    fn echoes(terminal: &OwnedFd) -> bool {
        let modes = tcgetattr(terminal).unwrap().local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    fn quiet(terminal: &OwnedFd) -> Quiet<'_> {
        Quiet::new(terminal.as_fd(), terminal.as_fd(), true).unwrap()
    }

    #[test]
    fn a_terminal_is_put_right_after_a_panic() {
        let (_person, terminal) = terminal();
        assert!(echoes(&terminal));
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _quiet = quiet(&terminal);
            assert!(!echoes(&terminal));
            std::panic::resume_unwind(Box::new("as the test wants"));
        }));
        assert!(panicked.is_err());
        assert!(echoes(&terminal));
    }

    #[test]
    fn what_was_not_read_does_not_reach_the_shell() {
        let (person, terminal) = terminal();
        let quiet = quiet(&terminal);
        rustix::io::write(&person, b"first\rrest of the paste\r").unwrap();
        let (bell, _rope) = UnixStream::pair().unwrap();
        let mut first = [0; 6];
        assert_eq!(
            quiet.read(&mut first, &bell, None).unwrap(),
            Input::Bytes(6)
        );
        drop(quiet);
        let mut poll_fd = [PollFd::new(&terminal, PollFlags::IN)];
        let now = Timespec::default();
        assert_eq!(poll(&mut poll_fd, Some(&now)).unwrap(), 0);
    }

    #[test]
    fn waiting_ends_with_input_patience_or_a_signal() {
        let (person, terminal) = terminal();
        let quiet = quiet(&terminal);
        let (bell, rope) = UnixStream::pair().unwrap();
        let mut bytes = [0; 8];
        let short = Some(Duration::from_millis(1));
        assert_eq!(
            quiet.read(&mut bytes, &bell, short).unwrap(),
            Input::Nothing
        );
        rustix::io::write(&person, b"ab").unwrap();
        assert_eq!(
            quiet.read(&mut bytes, &bell, None).unwrap(),
            Input::Bytes(2)
        );
        drop(rope);
        assert_eq!(
            quiet.read(&mut bytes, &bell, None).unwrap(),
            Input::Interrupted
        );
        let (bell, _rope) = UnixStream::pair().unwrap();
        drop(File::from(person));
        assert_eq!(quiet.read(&mut bytes, &bell, None).unwrap(), Input::Closed);
    }
}
