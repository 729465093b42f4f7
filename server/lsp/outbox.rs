//! What goes to the client, on its way to standard output.
//!
//! A client that does not read for a while must not hold up the server: it may itself be waiting for the server to read. So
//! writing into the outbox never waits, and a pump of its own empties it at the client's pace.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing::warn;

/// The end that is written to.
pub struct Outbox(UnboundedSender<Vec<u8>>);

/// The end that is read from.
pub struct Pump(UnboundedReceiver<Vec<u8>>);

/// An outbox and the pump that empties it.
pub fn outbox() -> (Outbox, Pump) {
    let (sender, receiver) = unbounded_channel();
    (Outbox(sender), Pump(receiver))
}

impl AsyncWrite for Outbox {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.0.send(bytes.to_vec()) {
            Ok(()) => Poll::Ready(Ok(bytes.len())),
            Err(_) => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Pump {
    /// Writes to `output` until the outbox is gone and empty, or `output` is closed.
    pub async fn run(mut self, mut output: impl AsyncWrite + Unpin) {
        while let Some(bytes) = self.0.recv().await {
            let written = async {
                output.write_all(&bytes).await?;
                output.flush().await
            };
            if let Err(error) = written.await {
                warn!("cannot write to the client: {error}");
                return;
            }
        }
    }
}
