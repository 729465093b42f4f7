//! What the owner has to say to the client, sent in the owner's order. The client is awaited here and nowhere else.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tower_lsp::Client;
use tower_lsp::ls_types::notification::LogTrace;
use tower_lsp::ls_types::{LogTraceParams, MessageType, ProgressToken, PublishDiagnosticsParams};
use tracing::warn;

use super::progress::{self, Step};

/// How long the client may take to answer a request of ours.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A message for the client.
pub enum Outgoing {
    /// Diagnostics of a document.
    Publish(PublishDiagnosticsParams),
    /// What was pulled before may be out of date.
    Refresh,
    /// A bar, and what it shows until the sender of that is gone.
    Progress(ProgressToken, UnboundedReceiver<Step>),
    /// For who wants to know what a message has cost.
    Trace(String),
    /// Something for the user to read.
    Show(String),
    /// Answered when all that came before is on its way.
    Flush(oneshot::Sender<()>),
}

/// Sends messages until the owner is gone.
pub async fn deliver(client: Client, mut messages: UnboundedReceiver<Outgoing>) {
    while let Some(message) = messages.recv().await {
        match message {
            Outgoing::Publish(params) => {
                client.publish_diagnostics(params.uri, params.diagnostics, params.version).await;
            }
            Outgoing::Refresh => {
                let client = client.clone();
                tokio::spawn(async move {
                    if !matches!(timeout(PATIENCE, client.workspace_diagnostic_refresh()).await, Ok(Ok(()))) {
                        warn!("the client did not refresh its diagnostics");
                    }
                });
            }
            Outgoing::Progress(token, steps) => {
                tokio::spawn(progress::follow(client.clone(), token, steps));
            }
            Outgoing::Trace(message) => {
                client.send_notification::<LogTrace>(LogTraceParams { message, verbose: None }).await;
            }
            Outgoing::Show(text) => client.show_message(MessageType::ERROR, text).await,
            Outgoing::Flush(reply) => {
                let _ = reply.send(());
            }
        }
    }
}
