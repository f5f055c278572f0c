//! Ctrl-C, SIGTERM and SIGHUP: somebody wants a run to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{CliError, Result};

/// Signals that no longer end the program: it ends itself, and says how far it came.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    received: bool,
}

impl Signals {
    /// Listens from now on. Must be called within a runtime.
    pub(crate) fn listen() -> Result<Self> {
        let on = |kind| {
            signal(kind).map_err(|err| CliError::failed("cannot listen for signals").because(&err))
        };
        Ok(Self {
            interrupt: on(SignalKind::interrupt())?,
            terminate: on(SignalKind::terminate())?,
            hangup: on(SignalKind::hangup())?,
            received: false,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
        self.received = true;
    }

    /// Whether there was one.
    pub(crate) fn received(&self) -> bool {
        self.received
    }
}

/// Does what writes nothing, unless a signal comes first.
pub(crate) async fn or_stop<T>(
    signals: &mut Signals,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::select! {
        biased;
        () = signals.next() => {
            let error = CliError::failed("stopped before the end; nothing was written");
            Err(error.hint("run it again: what is stored is kept"))
        }
        done = work => done,
    }
}
