//! The language server: Python text as editors send it in, diagnostics, code actions and hover texts out.
//!
//! ```text
//! stdin → guard → framework → backend ─events→ owner ─→ documents, workspace → engine
//! stdout ← outbox ← framework ←──────replies──┘  │ ↑ └─publish→ delivery → framework
//!                                            jobs└→workers┘events
//! ```
//! The guard lets only clean messages through ([`frames`] says which). The backend's handlers turn them into events and send
//! these before their first await, which keeps the client's order. One thread, the owner, holds all state and does all work, so
//! there is no lock, and nothing computes on the runtime that has to answer the client. Files that nobody has open are checked by
//! workers, whose results are events like any other. Only this folder names protocol types.

mod actions;
mod backend;
mod configurations;
mod delivery;
mod diagnostics;
mod disk;
mod documents;
mod frames;
mod guard;
mod hover;
mod log;
mod outbox;
mod owner;
mod parent;
mod positions;
mod progress;
mod pulls;
mod session;
mod settings;
mod uris;
mod walk;
mod workers;
mod workspace;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::timeout;
use tower_lsp::{LspService, Server};
use tracing::{error, info};

use backend::Backend;
pub use disk::{Disk, shell};
use guard::End;
pub use walk::python_files_below;

/// So many requests may wait for the owner at once. The framework's default of four deadlocks as soon as four wait for the
/// client, and keeps `$/cancelRequest` from being read.
const CONCURRENCY: usize = 256;
/// Bytes between the guard and the framework.
const PIPE: usize = 64 * 1024;
/// How long answers to earlier requests may take once the session is over.
const GRACE: Duration = Duration::from_millis(200);

/// Serves one client on standard input and output until it says `exit`, closes the stream or dies. The exit code is 0 if it
/// said `shutdown` before, else 1.
pub fn run() -> ExitCode {
    log::init();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            error!("cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let orderly = runtime.block_on(serve(tokio::io::stdin(), tokio::io::stdout()));
    // A thread of the runtime may still be reading from standard input, for as long as the client keeps it open.
    runtime.shutdown_background();
    if orderly { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Serves one client on a pair of streams; whether it said `shutdown` before the end. Needs a Tokio runtime with time.
pub async fn serve(input: impl AsyncRead + Unpin, output: impl AsyncWrite + Unpin) -> bool {
    let answered = Arc::new(Notify::new());
    let orphaned = Arc::new(Notify::new());
    let (to_framework, from_guard) = tokio::io::duplex(PIPE);
    let (outbox, pump) = outbox::outbox();
    let (service, socket) = LspService::build(|client| Backend::new(client, answered.clone(), orphaned.clone()))
        .custom_method("window/workDoneProgress/cancel", Backend::cancel_progress)
        .custom_method("$/setTrace", Backend::set_trace)
        .finish();
    let framework = Server::new(from_guard, outbox, socket).concurrency_level(CONCURRENCY).serve(service);
    let pump = pump.run(output);
    let guard = guard::forward(input, to_framework, &answered);
    tokio::pin!(framework, pump);
    let end = tokio::select! {
        end = guard => end,
        () = orphaned.notified() => {
            info!("the client's process is gone");
            return false;
        }
        () = &mut pump => return false,
        () = &mut framework => {
            error!("the protocol framework stopped");
            return false;
        }
    };
    // The guard has closed the stream: the framework answers what it has taken, and ends.
    let _ = timeout(GRACE, async { tokio::join!(framework, pump) }).await;
    end == End::Orderly
}
