//! The server's log, on standard error. `AIOLINT_LOG` sets what is logged, as `debug` or `aiolint::lsp=trace`.
//!
//! A client that never reads standard error must not stop the server when that pipe is full: lines go through a bounded
//! queue to a thread of their own, and those that find it full are lost.

use std::io::{self, Write};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::{panic, thread};

use tracing::error;
use tracing_subscriber::EnvFilter;

/// Lines that may wait.
const QUEUE: usize = 256;

/// Starts the log, and lets a panic's message go there too. Where one is running already, that one stays.
pub fn init() {
    let (sender, receiver) = sync_channel::<Vec<u8>>(QUEUE);
    let writer = thread::Builder::new().name("log".to_owned()).spawn(move || {
        for line in receiver {
            // Nobody is left to be told that the log cannot be written.
            let _ = io::stderr().write_all(&line);
        }
    });
    if writer.is_err() {
        return;
    }
    let filter = EnvFilter::try_from_env("AIOLINT_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .log_internal_errors(false)
        .with_writer(move || Line(sender.clone()))
        .try_init();
    panic::set_hook(Box::new(|panic| error!("{panic}")));
}

struct Line(SyncSender<Vec<u8>>);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.try_send(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
