//! The bar that a client shows while the workspace is checked: asked for, filled and taken away. None of it holds anything up.

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;
use tower_lsp::Client;
use tower_lsp::ls_types::notification::Progress;
use tower_lsp::ls_types::{
    ProgressParams, ProgressParamsValue, ProgressToken, WorkDoneProgress, WorkDoneProgressBegin, WorkDoneProgressEnd,
    WorkDoneProgressReport,
};

use super::delivery::PATIENCE;

/// How far the work is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// So many files are done.
    pub done: usize,
    /// Of so many, once that is known.
    pub all: Option<usize>,
}

/// Shows a bar from now on until the sender of `steps` is gone.
pub async fn follow(client: Client, token: ProgressToken, mut steps: UnboundedReceiver<Step>) {
    // The client must agree first, and may not.
    if !matches!(timeout(PATIENCE, client.create_work_done_progress(token.clone())).await, Ok(Ok(()))) {
        return;
    }
    let send = async |value| {
        let value = ProgressParamsValue::WorkDone(value);
        client.send_notification::<Progress>(ProgressParams { token: token.clone(), value }).await;
    };
    send(WorkDoneProgress::Begin(WorkDoneProgressBegin {
        title: "Checking the workspace".to_owned(),
        cancellable: Some(true),
        message: None,
        percentage: Some(0),
    }))
    .await;
    let mut shown = 0;
    while let Some(mut step) = steps.recv().await {
        while let Ok(newer) = steps.try_recv() {
            step = newer;
        }
        // It never goes back, though files may come in the meantime.
        let percentage = step.all.map_or(0, |all| step.done * 100 / all.max(1));
        shown = shown.max(u32::try_from(percentage).unwrap_or_default()).min(100);
        let message = match step.all {
            Some(all) => format!("{}/{all} files", step.done),
            None => format!("{} files", step.done),
        };
        send(WorkDoneProgress::Report(WorkDoneProgressReport {
            cancellable: Some(true),
            message: Some(message),
            percentage: Some(shown),
        }))
        .await;
    }
    send(WorkDoneProgress::End(WorkDoneProgressEnd { message: None })).await;
}
