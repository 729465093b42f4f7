//! The handlers of the protocol's messages: each converts and sends an event to the owner, before its first await, and requests
//! wait for the owner's reply. No handler computes, holds a lock or awaits the client.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::ls_types::{
    CodeAction, CodeActionOrCommand, CodeActionParams, ConfigurationItem, DeleteFilesParams,
    DidChangeConfigurationParams, DidChangeTextDocumentParams, DidChangeWatchedFilesParams,
    DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, DidSaveTextDocumentParams,
    DocumentDiagnosticParams, DocumentDiagnosticReportResult, FileChangeType, Hover, HoverParams, InitializeParams,
    InitializeResult, InitializedParams, Registration, RenameFilesParams, SetTraceParams, TraceValue,
    WorkDoneProgressCancelParams, WorkspaceDiagnosticParams, WorkspaceDiagnosticReportResult, WorkspaceFolder,
};
use tower_lsp::{Client, LanguageServer};
use tracing::{debug, warn};

use super::delivery::{PATIENCE, deliver};
use super::owner::{Event, Inbox, Reply};
use super::parent;
use super::session::Session;
use super::walk::IGNORE_FILE;
use super::{settings, uris};
use crate::project::config::{OWN_FILE, SHARED_FILE};

/// The section of the client's configuration that is ours.
const SECTION: &str = "aiolint";

/// One session's handlers.
pub struct Backend {
    client: Client,
    owner: Inbox,
    session: OnceLock<Session>,
    answered: Arc<Notify>,
    orphaned: Arc<Notify>,
}

impl Backend {
    /// Starts the owner and the delivery of its messages. `answered` is notified after `initialize` and `shutdown`, `orphaned`
    /// when the client's process has died.
    pub fn new(client: Client, answered: Arc<Notify>, orphaned: Arc<Notify>) -> Self {
        let (sender, receiver) = unbounded_channel();
        tokio::spawn(deliver(client.clone(), receiver));
        Self { client, owner: Inbox::start(sender), session: OnceLock::new(), answered, orphaned }
    }

    /// The user has had enough of a bar.
    pub async fn cancel_progress(&self, params: WorkDoneProgressCancelParams) {
        self.owner.send(Event::Cancel(params.token));
    }

    /// The client wants to know what its messages cost, or does not any more.
    pub async fn set_trace(&self, params: SetTraceParams) {
        self.owner.send(Event::Trace(params.value != TraceValue::Off));
    }

    async fn ask<T>(&self, event: impl FnOnce(Reply<T>) -> Event) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.owner.send(event(reply));
        answer.await.map_err(|_| Error::internal_error())
    }

    /// Asks the client for its settings, in a task of its own; false if it cannot be asked.
    fn fetch_settings(&self) -> bool {
        if !self.session.get().is_some_and(|session| session.configuration) {
            return false;
        }
        let (client, owner) = (self.client.clone(), self.owner.clone());
        tokio::spawn(async move {
            let items = vec![ConfigurationItem { scope_uri: None, section: Some(SECTION.to_owned()) }];
            match timeout(PATIENCE, client.configuration(items)).await {
                Ok(Ok(values)) => values.into_iter().for_each(|value| owner.send(Event::Configure(value))),
                Ok(Err(error)) => debug!("the client has no settings for us: {error}"),
                Err(_) => warn!("the client did not tell its settings"),
            }
        });
        true
    }
}

/// The folders that the client has open.
fn folders(params: &InitializeParams) -> Vec<PathBuf> {
    let folders = params.workspace_folders.iter().flatten().map(|folder| &folder.uri);
    #[expect(deprecated, reason = "clients without `workspaceFolders` say it so")]
    let root = params.root_uri.iter().filter(|_| params.workspace_folders.is_none());
    folders.chain(root).filter_map(uris::path).collect()
}

impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let mut session = Session::new(&params.capabilities);
        session.traces = params.trace.is_some_and(|trace| trace != TraceValue::Off);
        let folders = folders(&params);
        let options = params.initialization_options.unwrap_or(Value::Null);
        let answer = session.answer(settings::parse(&options).is_some_and(|chosen| chosen.workspace));
        self.owner.send(Event::Start(session.clone(), options, folders));
        let _ = self.session.set(session);
        if let Some(process) = params.process_id {
            let orphaned = self.orphaned.clone();
            tokio::spawn(async move {
                parent::gone(process).await;
                orphaned.notify_one();
            });
        }
        self.answered.notify_one();
        Ok(answer)
    }

    async fn initialized(&self, _: InitializedParams) {
        self.owner.send(Event::Ready);
        self.fetch_settings();
        let Some(session) = self.session.get() else { return };
        let registration = |id: &str, options| Registration {
            id: id.to_owned(),
            method: format!("workspace/{id}"),
            register_options: Some(options),
        };
        let files = [OWN_FILE, SHARED_FILE, IGNORE_FILE, "*.{py,pyi,pyw}"]
            .map(|name| json!({ "globPattern": format!("**/{name}") }));
        let wanted = [
            (session.registers_configuration, registration("didChangeConfiguration", json!({ "section": SECTION }))),
            (session.watches, registration("didChangeWatchedFiles", json!({ "watchers": files }))),
        ];
        let wanted: Vec<Registration> =
            wanted.into_iter().filter_map(|(can, registration)| can.then_some(registration)).collect();
        if wanted.is_empty() {
            return;
        }
        let client = self.client.clone();
        tokio::spawn(async move {
            if !matches!(timeout(PATIENCE, client.register_capability(wanted)).await, Ok(Ok(()))) {
                debug!("the client will not tell of changed settings or files");
            }
        });
    }

    async fn shutdown(&self) -> Result<()> {
        let result = self.ask(Event::Finish).await;
        self.answered.notify_one();
        result
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        // What comes with the news may be all settings, ours, or none: an answer is better.
        if !self.fetch_settings() {
            self.owner.send(Event::Configure(params.settings));
        }
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        self.owner.send(Event::Open(params.text_document));
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        self.owner.send(Event::Change(params));
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.owner.send(Event::Close(params.text_document.uri));
    }

    async fn did_save(&self, _: DidSaveTextDocumentParams) {}

    async fn did_change_watched_files(&self, params: DidChangeWatchedFilesParams) {
        let moved = params.changes.iter().any(|change| change.typ != FileChangeType::CHANGED);
        self.owner.send(Event::Touched(params.changes.into_iter().map(|change| change.uri).collect(), moved));
    }

    async fn did_rename_files(&self, params: RenameFilesParams) {
        let names = params.files.into_iter().flat_map(|file| [file.old_uri, file.new_uri]);
        self.owner.send(Event::Touched(names.filter_map(|uri| uri.parse().ok()).collect(), true));
    }

    async fn did_delete_files(&self, params: DeleteFilesParams) {
        let names = params.files.into_iter().filter_map(|file| file.uri.parse().ok());
        self.owner.send(Event::Touched(names.collect(), true));
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        let paths =
            |folders: Vec<WorkspaceFolder>| folders.iter().filter_map(|folder| uris::path(&folder.uri)).collect();
        self.owner.send(Event::Folders { added: paths(params.event.added), removed: paths(params.event.removed) });
    }

    async fn diagnostic(&self, params: DocumentDiagnosticParams) -> Result<DocumentDiagnosticReportResult> {
        self.ask(|reply| Event::Diagnose(params, reply)).await.map(DocumentDiagnosticReportResult::Report)
    }

    async fn workspace_diagnostic(&self, params: WorkspaceDiagnosticParams) -> Result<WorkspaceDiagnosticReportResult> {
        self.ask(|reply| Event::DiagnoseAll(params, reply)).await
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<Vec<CodeActionOrCommand>>> {
        self.ask(|reply| Event::Act(params, reply)).await.map(Some)
    }

    async fn code_action_resolve(&self, action: CodeAction) -> Result<CodeAction> {
        self.ask(|reply| Event::Resolve(Box::new(action), reply)).await
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        self.ask(|reply| Event::Hover(params, reply)).await
    }
}
