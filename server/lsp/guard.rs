//! Stands between standard input and the framework, which ends at the first malformed frame, and waits for ever in editors
//! that keep the stream open after `exit`.
//!
//! In: whatever the client writes. Out: clean frames, and the end of the stream as soon as the session is over. It also holds
//! back what follows `initialize` and `shutdown` until those have been answered: the framework drops messages that come sooner,
//! and clients that send everything at once would lose them.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::Notify;
use tokio::time::timeout;
use tower_lsp::ls_types::InitializeParams;
use tracing::warn;

use super::frames::{Frames, Message};

/// How long `shutdown` may take before the messages behind it are read all the same.
const PATIENCE: Duration = Duration::from_millis(200);

/// How a session ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The client asked for `shutdown` first.
    Orderly,
    /// `exit` or the end of the stream without it.
    Abrupt,
}

#[derive(Default)]
struct Progress {
    initialized: bool,
    shut_down: bool,
}

/// Forwards messages from `input` to `framework` until `exit` or the end of the stream. `answered` is notified when the handler
/// of `initialize` or `shutdown` is through.
pub async fn forward(mut input: impl AsyncRead + Unpin, mut framework: DuplexStream, answered: &Notify) -> End {
    let mut frames = Frames::default();
    let mut progress = Progress::default();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        while let Some(message) = frames.next() {
            let method = match &message {
                Message::Request(request) => request.method(),
                Message::Response(_) => "",
            };
            if method == "exit" {
                return progress.end();
            }
            let waits = progress.take(&message);
            match message.to_frame() {
                Ok(frame) => {
                    if framework.write_all(&frame).await.is_err() {
                        return progress.end();
                    }
                }
                Err(error) => warn!("dropped a message that cannot be written: {error}"),
            }
            if waits {
                // An answer that is late must not keep `exit` from being read.
                let _ = timeout(PATIENCE, answered.notified()).await;
            }
        }
        match input.read(&mut chunk).await {
            Ok(0) => return progress.end(),
            Ok(count) => frames.push(&chunk[..count]),
            Err(error) => {
                warn!("cannot read from the client: {error}");
                return progress.end();
            }
        }
    }
}

impl Progress {
    /// Notes what `message` does to the session; whether its handler will run and has to be waited for.
    fn take(&mut self, message: &Message) -> bool {
        let Message::Request(request) = message else { return false };
        if request.id().is_none() {
            return false;
        }
        match request.method() {
            "initialize" if !self.initialized => {
                let params = request.params().cloned().unwrap_or_default();
                self.initialized = serde_json::from_value::<InitializeParams>(params).is_ok();
                self.initialized
            }
            "shutdown" if self.initialized && !self.shut_down => {
                self.shut_down = true;
                true
            }
            _ => false,
        }
    }

    fn end(&self) -> End {
        if self.shut_down { End::Orderly } else { End::Abrupt }
    }
}
