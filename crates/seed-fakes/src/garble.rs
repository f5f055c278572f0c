//! A connection that can begin to talk nonsense.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Below TLS where there is TLS: from a moment on, what is sent arrives as nothing that anybody can read.
pub(crate) struct Garbled {
    stream: TcpStream,
    on: Arc<AtomicBool>,
}

impl Garbled {
    /// A connection, and the switch.
    pub(crate) fn new(stream: TcpStream) -> (Self, Arc<AtomicBool>) {
        let on = Arc::new(AtomicBool::new(false));
        let switch = Arc::clone(&on);
        (Self { stream, on }, switch)
    }
}

impl AsyncRead for Garbled {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Garbled {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let nonsense;
        let bytes = if self.on.load(Ordering::Acquire) {
            // The beginning of a record of TLS, so that it is its content that is broken.
            nonsense = [23, 3, 3, 0, 32]
                .into_iter()
                .chain([0; 32])
                .cycle()
                .take(bytes.len())
                .collect::<Vec<u8>>();
            &nonsense
        } else {
            bytes
        };
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
