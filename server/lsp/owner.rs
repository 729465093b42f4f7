//! The owner: one thread that holds the documents and takes events in the client's order.
//!
//! Edits are only applied; findings are computed when the inbox is empty, or when a request needs them. So a burst of edits
//! costs one analysis, without a timer, and what is published is always of the newest text. A panic in an analysis costs
//! that document's findings, and the server goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;

use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tower_lsp::ls_types::{
    CodeAction, CodeActionOrCommand, CodeActionParams, Diagnostic, DidChangeTextDocumentParams,
    DocumentDiagnosticParams, DocumentDiagnosticReport, Hover, HoverParams, ProgressToken, PublishDiagnosticsParams,
    TextDocumentItem, Uri, WorkspaceDiagnosticParams, WorkspaceDiagnosticReportResult,
};
use tracing::error;

use super::configurations::{Configurations, is_configuration};
use super::delivery::Outgoing;
use super::documents::{Crash, Document, Documents, Reach};
use super::pulls::{Extent, Pulls, State};
use super::session::Session;
use super::settings::{self, Chosen};
use super::walk::IGNORE_FILE;
use super::workers::{Found, Known, Outcome, Scope, Workers};
use super::workspace::{Workspace, trace};
use super::{Disk, actions, diagnostics, hover, positions, shell, uris};
use crate::engine::Modules;

/// Bytes of the owner's stack: deeply nested programs are walked recursively in places.
pub const STACK: usize = 16 << 20;

/// Where the answer to a request goes. Closed if the client has cancelled it.
pub type Reply<T> = oneshot::Sender<T>;

/// All that can happen.
pub enum Event {
    /// `initialize`, with its options and the folders that are open.
    Start(Session, Value, Vec<PathBuf>),
    /// `initialized`: requests to the client may be sent.
    Ready,
    /// Files or folders of these names have changed on disk; with the flag some may have come or gone.
    Touched(Vec<Uri>, bool),
    /// The client has opened and closed folders.
    Folders {
        /// The new ones.
        added: Vec<PathBuf>,
        /// Those that are gone.
        removed: Vec<PathBuf>,
    },
    /// The user has had enough of a bar.
    Cancel(ProgressToken),
    /// Whether the client wants to know what its messages cost.
    Trace(bool),
    /// A worker has found files; the number is that of the look.
    Found(u64, Found),
    /// A worker has checked files, in this generation.
    Checked(u64, Vec<(PathBuf, Outcome)>),
    /// New settings of the client.
    Configure(Value),
    /// A document was opened.
    Open(TextDocumentItem),
    /// A document was edited.
    Change(DidChangeTextDocumentParams),
    /// A document was closed.
    Close(Uri),
    /// Diagnostics are pulled.
    Diagnose(DocumentDiagnosticParams, Reply<DocumentDiagnosticReport>),
    /// The diagnostics of all files are pulled.
    DiagnoseAll(WorkspaceDiagnosticParams, Reply<WorkspaceDiagnosticReportResult>),
    /// Code actions are asked for.
    Act(CodeActionParams, Reply<Vec<CodeActionOrCommand>>),
    /// A code action's edit is asked for.
    Resolve(Box<CodeAction>, Reply<CodeAction>),
    /// A hover text is asked for.
    Hover(HoverParams, Reply<Option<Hover>>),
    /// `shutdown`: whatever is due is sent before the reply.
    Finish(Reply<()>),
    /// Nobody is left to send an event.
    End,
}

/// Takes events to the owner. The owner ends when the last one is dropped.
#[derive(Clone)]
pub struct Inbox(Arc<Line>);

/// The workers have a sender, too, so the owner has to be told that nobody else is left.
struct Line(Sender<Event>);

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.0.send(Event::End);
    }
}

impl Inbox {
    /// Starts an owner that sends what it has to say to `outgoing`.
    pub fn start(outgoing: UnboundedSender<Outgoing>) -> Self {
        let (sender, receiver) = channel();
        let modules = Arc::new(Modules::new(Box::new(Disk), shell()));
        let owner = Owner {
            session: Session::default(),
            first: Chosen::default(),
            chosen: Chosen::default(),
            ready: false,
            configurations: Configurations::default(),
            documents: Documents::new(modules.clone()),
            workspace: Workspace::new(modules, Workers::new(sender.clone()), outgoing.clone()),
            pulls: Pulls::default(),
            news: false,
            outgoing,
            reported: false,
        };
        let started = thread::Builder::new().name("owner".to_owned()).stack_size(STACK).spawn(|| owner.run(receiver));
        if let Err(error) = started {
            error!("cannot start the analysis: {error}");
        }
        Self(Arc::new(Line(sender)))
    }

    /// Sends an event. Without an owner it is lost, and a reply in it counts as refused.
    pub fn send(&self, event: Event) {
        if self.0.0.send(event).is_err() {
            error!("the analysis is not running");
        }
    }
}

struct Owner {
    session: Session,
    /// The settings of `initialize`: they hold where the workspace says nothing.
    first: Chosen,
    /// What holds.
    chosen: Chosen,
    /// The client has said `initialized`.
    ready: bool,
    configurations: Configurations,
    documents: Documents,
    workspace: Workspace,
    pulls: Pulls,
    /// Something has changed since requests that wait were looked at.
    news: bool,
    outgoing: UnboundedSender<Outgoing>,
    /// The user has been told of a crash.
    reported: bool,
}

impl Owner {
    fn run(mut self, inbox: Receiver<Event>) {
        loop {
            let event = match inbox.try_recv() {
                Ok(event) => event,
                Err(TryRecvError::Disconnected) => return,
                Err(TryRecvError::Empty) if self.guarded(Self::idle).unwrap_or(true) => continue,
                Err(TryRecvError::Empty) => match inbox.recv() {
                    Ok(event) => event,
                    Err(_) => return,
                },
            };
            if matches!(event, Event::End) {
                return;
            }
            self.guarded(|owner| {
                owner.handle(event);
                owner.workspace.advance(&owner.configurations, &owner.session);
                owner.news |= owner.workspace.has_news();
            });
        }
    }

    /// Does something that can wait for a pause; whether there was something.
    fn idle(&mut self) -> bool {
        self.publish_next()
            || std::mem::take(&mut self.news) && {
                self.trace();
                self.answer_pulls();
                true
            }
    }

    /// Does some work; `None` if it panicked. A request in it counts as refused.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let result = catch_unwind(AssertUnwindSafe(|| work(self)));
        if result.is_err() {
            self.report_crash();
        }
        result.ok()
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Start(session, options, folders) => {
                self.session = session;
                self.first = settings::parse(&options).unwrap_or_default();
                self.configurations.start(folders);
                self.choose(self.first.clone());
            }
            Event::Ready => {
                self.ready = true;
                self.workspace.turn(self.chosen.workspace);
            }
            Event::Configure(value) => {
                let chosen = settings::parse(&value).unwrap_or_else(|| self.first.clone());
                if self.choose(chosen) {
                    self.reconfigure();
                }
                if self.ready {
                    self.workspace.turn(self.chosen.workspace);
                    self.publish_problems();
                }
            }
            Event::Folders { added, removed } => {
                if self.configurations.change_folders(added, &removed) {
                    self.reconfigure();
                }
            }
            Event::Touched(files, moved) => self.touched(&files, moved),
            Event::Cancel(token) => self.workspace.cancel(&token),
            Event::Trace(traces) => {
                // What was before it is none of its business.
                self.trace();
                self.session.traces = traces;
            }
            Event::Found(look, found) => {
                let (workspace, documents) = (&mut self.workspace, &self.documents);
                workspace.found(look, found, |path| documents.holds(path));
                self.publish_problems();
            }
            Event::Checked(generation, outcomes) => {
                if self.workspace.checked(generation, outcomes, &self.session) {
                    self.report_crash();
                }
            }
            Event::End => {}
            Event::Open(item) if is_configuration(&item.uri) => {
                self.configurations.open(item);
                self.reconfigure();
            }
            Event::Change(params) if is_configuration(&params.text_document.uri) => {
                self.configurations.edit(params, &self.session);
                self.reconfigure();
            }
            Event::Close(uri) if is_configuration(&uri) => {
                self.configurations.close(&uri);
                self.reconfigure();
            }
            Event::Open(item) => {
                if !self.session.watches {
                    // Nobody tells of changed files: they are looked at again on every occasion.
                    if self.documents.touched(None) {
                        self.refresh();
                    }
                    self.workspace.import(None);
                }
                let uri = item.uri.clone();
                let reach = self.documents.open(item, &mut self.configurations);
                if let Some(path) = uris::path(&uri) {
                    self.workspace.opened(&uri, &path, &self.session);
                    // It may be on no disk, and a new module.
                    self.reached(None, reach);
                }
                if self.session.watches {
                    self.publish_problems();
                } else {
                    self.reconfigure();
                    self.workspace.look(Scope::All(true));
                }
                self.news = true;
            }
            Event::Change(params) => {
                let changes = params.content_changes.into_iter().map(positions::change).collect();
                let uri = params.text_document.uri.clone();
                match self.documents.edit(params.text_document, changes, self.session.encoding) {
                    Ok(reach) => self.reached(uris::path(&uri).as_deref(), reach),
                    Err(_) => {
                        self.publish(uri, Vec::new(), None);
                        self.report_crash();
                    }
                }
                self.news = true;
            }
            Event::Close(uri) => {
                if let Some((settings, reach)) = self.documents.close(&uri) {
                    let path = uris::path(&uri);
                    let (workspace, configurations) = (&mut self.workspace, &self.configurations);
                    if !path.is_some_and(|path| workspace.closed(&uri, &path, &settings, configurations)) {
                        self.publish(uri.clone(), Vec::new(), None);
                    }
                    self.reached(None, reach);
                    self.publish_problems();
                    self.workspace.note_change();
                }
                self.news = true;
            }
            Event::Diagnose(params, reply) => {
                self.reply(reply, |owner| {
                    let uri = &params.text_document.uri;
                    let items = match owner.documents.get(uri) {
                        Some(_) => owner.analyse(uri, diagnostics::diagnostics),
                        // A client that also pulls those of the workspace asks once more for what it has closed, and keeps that.
                        None => owner.ask_closed(uri),
                    };
                    diagnostics::report(items.unwrap_or_default(), params.previous_result_id.as_deref())
                });
            }
            Event::DiagnoseAll(params, reply) => {
                self.workspace.publish(false);
                self.pulls.add(params, reply);
                self.news = true;
            }
            Event::Act(params, reply) => self.reply(reply, |owner| {
                let uri = params.text_document.uri.clone();
                owner
                    .analyse(&uri, |document, session| actions::actions(document, &params, session))
                    .unwrap_or_default()
            }),
            Event::Resolve(action, reply) => self.reply(reply, |owner| {
                let Some(uri) = actions::to_resolve(&action) else { return *action };
                let edit = owner.analyse(&uri, actions::fix_all).flatten();
                CodeAction { edit, ..*action }
            }),
            Event::Hover(params, reply) => self.reply(reply, |owner| {
                let place = params.text_document_position_params;
                let hover =
                    |document: &mut Document, session: &Session| hover::hover(document, place.position, session);
                owner.analyse(&place.text_document.uri, hover).flatten()
            }),
            Event::Finish(reply) => {
                while self.idle() {}
                self.pulls.release();
                self.tell(Outgoing::Flush(reply));
            }
        }
    }

    /// The client chooses this; whether other configurations hold for it.
    fn choose(&mut self, chosen: Chosen) -> bool {
        self.chosen = chosen;
        self.configurations.choose(self.chosen.options.clone())
    }

    fn touched(&mut self, files: &[Uri], moved: bool) {
        if files.iter().any(is_configuration) {
            self.reconfigure();
        }
        let modules = files.iter().filter(|uri| !is_configuration(uri)).filter_map(uris::path);
        let (ignores, modules): (Vec<_>, Vec<_>) = modules.partition(|path| path.ends_with(IGNORE_FILE));
        if !ignores.is_empty() {
            self.workspace.look(Scope::All(false));
        }
        if modules.is_empty() {
            return;
        }
        if self.documents.touched(Some(&modules)) {
            self.refresh();
        }
        self.workspace.touched(modules, moved);
        self.news = true;
    }

    /// Has an event in the document at `path` count for the others; with no path, a module may have come or gone.
    fn reached(&mut self, path: Option<&Path>, reach: Reach) {
        if reach.documents {
            self.refresh();
        }
        if reach.exports {
            self.workspace.import(path);
        }
    }

    /// What is wrong in a file of the workspace that is not open.
    fn ask_closed(&mut self, uri: &Uri) -> Option<Vec<Diagnostic>> {
        let known = self.workspace.ask(&uris::path(uri)?, &self.session)?;
        Some(known.diagnostics.clone())
    }

    /// Answers what was pulled for the workspace and waits, or has the client pull again.
    fn answer_pulls(&mut self) {
        let changed = self.workspace.take_changed();
        let all = changed | self.workspace.take_finished() | self.pulls.is_fresh();
        if !self.pulls.wait() {
            if changed && self.session.refreshes && self.pulls.take_idle() {
                self.tell(Outgoing::Refresh);
            }
            return;
        }
        let Self { session, documents, workspace, .. } = self;
        let mut states: Vec<State> = Vec::new();
        for document in documents.all() {
            let diagnostics = document.analyse(|document| diagnostics::diagnostics(document, session));
            let known = Arc::new(Known::of_document(diagnostics.ok().flatten().unwrap_or_default()));
            states.push(State { uri: document.uri.clone(), version: Some(document.version), known });
        }
        let settled = workspace.is_settled();
        let extent = match (all, settled) {
            (false, _) => Extent::Documents,
            (true, false) => Extent::Incomplete,
            (true, true) => Extent::Complete,
        };
        if all {
            let closed = workspace.known();
            states.extend(closed.map(|(uri, known)| State { uri: uri.clone(), version: None, known: known.clone() }));
        }
        self.pulls.answer(&states, extent, settled);
    }

    /// Tells a client that wants to know it what was analysed.
    fn trace(&mut self) {
        let Self { session, documents, outgoing, .. } = self;
        for document in documents.all() {
            let functions = document.newly_analysed();
            if let Some(path) = document.path() {
                trace(outgoing, session, path, functions);
            }
        }
    }

    /// Answers a request, unless the client has cancelled it.
    fn reply<T>(&mut self, reply: Reply<T>, answer: impl FnOnce(&mut Self) -> T) {
        if !reply.is_closed() {
            let _ = reply.send(answer(self));
        }
    }

    /// Runs `job` on a document; `None` if it is not open or cannot be analysed.
    fn analyse<T>(&mut self, uri: &Uri, job: impl FnOnce(&mut Document, &Session) -> T) -> Option<T> {
        let Self { session, documents, .. } = self;
        let result = documents.get(uri)?.analyse(|document| job(document, session));
        self.unless_crashed(result)
    }

    fn unless_crashed<T>(&mut self, result: Result<Option<T>, Crash>) -> Option<T> {
        result.unwrap_or_else(|Crash| {
            self.report_crash();
            None
        })
    }

    /// Publishes the findings of one document whose text has changed; whether there was one.
    fn publish_next(&mut self) -> bool {
        let Self { session, documents, .. } = self;
        let Some(document) = documents.next_stale() else { return false };
        if !session.pulls {
            let (uri, version) = (document.uri.clone(), document.version);
            let result = document.analyse(|document| diagnostics::diagnostics(document, session));
            let items = self.unless_crashed(result).unwrap_or_default();
            self.publish(uri, items, Some(version));
        }
        true
    }

    fn publish(&self, uri: Uri, diagnostics: Vec<Diagnostic>, version: Option<i32>) {
        if !self.session.pulls {
            self.tell(Outgoing::Publish(PublishDiagnosticsParams { uri, diagnostics, version }));
        }
    }

    /// Reads the configurations again; what holds now is told of every document for which it is something else.
    fn reconfigure(&mut self) {
        self.configurations.forget();
        if self.documents.configure(&mut self.configurations) {
            self.refresh();
        }
        self.workspace.look(Scope::All(false));
        self.publish_problems();
        self.news = true;
    }

    /// Has a client that pulls ask again for what it shows.
    fn refresh(&self) {
        if self.session.pulls && self.session.refreshes {
            self.tell(Outgoing::Refresh);
        }
    }

    /// Publishes what is wrong in configuration files, also to clients that pull: nobody pulls that of a file that is not open.
    fn publish_problems(&mut self) {
        let used = self.documents.configurations().chain(self.workspace.configurations());
        for params in self.configurations.news(used, &self.session) {
            let _ = self.outgoing.send(Outgoing::Publish(params));
        }
    }

    /// Tells the user, once; the log has every panic.
    fn report_crash(&mut self) {
        if !self.reported {
            self.reported = true;
            let text = "aiolint: internal error, please report it. Some findings may be missing; the server's log has the details.";
            self.tell(Outgoing::Show(text.to_owned()));
        }
    }

    fn tell(&self, message: Outgoing) {
        // Without a receiver the session is over.
        let _ = self.outgoing.send(message);
    }
}
