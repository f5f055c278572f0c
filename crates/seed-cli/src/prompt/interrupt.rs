//! Signals, while a terminal does not echo: it must be put right before the program ends.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

/// Becomes readable when the program is told to end.
pub(super) struct Interrupt {
    bell: UnixStream,
    /// Ends with this value.
    _listener: JoinSet<()>,
}

impl Interrupt {
    /// Listens from now on. Must be called within a runtime.
    pub(super) fn listen() -> io::Result<Self> {
        let (bell, rope) = UnixStream::pair()?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let mut quit = signal(SignalKind::quit())?;
        let mut listener = JoinSet::new();
        listener.spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
                _ = quit.recv() => {}
            }
            drop(rope);
        });
        Ok(Self {
            bell,
            _listener: listener,
        })
    }
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}
