//! The owner: one thread that holds the documents and takes events in the client's order.
//!
//! Edits are only applied; findings are computed when the inbox is empty, or when a request needs them. So a burst of edits
//! costs one analysis, without a timer, and what is published is always of the newest text. A panic in an analysis costs
//! that document's findings, and the server goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;

use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tower_lsp::ls_types::{
    CodeAction, CodeActionOrCommand, CodeActionParams, Diagnostic, DidChangeTextDocumentParams,
    DocumentDiagnosticParams, DocumentDiagnosticReport, Hover, HoverParams, PublishDiagnosticsParams, TextDocumentItem,
    Uri,
};
use tracing::error;

use super::configurations::{Configurations, is_configuration};
use super::delivery::Outgoing;
use super::documents::{Crash, Document, Documents};
use super::session::Session;
use super::{Disk, actions, diagnostics, hover, positions, settings, shell, uris};
use crate::engine::Modules;
use crate::project::config::Options;

/// Bytes of the owner's stack: deeply nested programs are walked recursively in places.
const STACK: usize = 16 << 20;

/// Where the answer to a request goes. Closed if the client has cancelled it.
pub type Reply<T> = oneshot::Sender<T>;

/// All that can happen.
pub enum Event {
    /// `initialize`, with its options and the folders that are open.
    Start(Session, Value, Vec<PathBuf>),
    /// Files of these names have changed on disk.
    Watched(Vec<Uri>),
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
    /// Code actions are asked for.
    Act(CodeActionParams, Reply<Vec<CodeActionOrCommand>>),
    /// A code action's edit is asked for.
    Resolve(Box<CodeAction>, Reply<CodeAction>),
    /// A hover text is asked for.
    Hover(HoverParams, Reply<Option<Hover>>),
    /// `shutdown`: whatever is due is sent before the reply.
    Finish(Reply<()>),
}

/// Takes events to the owner. The owner ends when the last one is dropped.
#[derive(Clone)]
pub struct Inbox(Sender<Event>);

impl Inbox {
    /// Starts an owner that sends what it has to say to `outgoing`.
    pub fn start(outgoing: UnboundedSender<Outgoing>) -> Self {
        let (sender, receiver) = channel();
        let owner = Owner {
            session: Session::default(),
            options: Options::default(),
            configurations: Configurations::default(),
            documents: Documents::new(Arc::new(Modules::new(Box::new(Disk), shell()))),
            outgoing,
            reported: false,
        };
        let started = thread::Builder::new().name("owner".to_owned()).stack_size(STACK).spawn(|| owner.run(receiver));
        if let Err(error) = started {
            error!("cannot start the analysis: {error}");
        }
        Self(sender)
    }

    /// Sends an event. Without an owner it is lost, and a reply in it counts as refused.
    pub fn send(&self, event: Event) {
        if self.0.send(event).is_err() {
            error!("the analysis is not running");
        }
    }
}

struct Owner {
    session: Session,
    /// The settings of `initialize`: they hold where the workspace says nothing.
    options: Options,
    configurations: Configurations,
    documents: Documents,
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
                Err(TryRecvError::Empty) if self.guarded(Self::publish_next).unwrap_or(true) => continue,
                Err(TryRecvError::Empty) => match inbox.recv() {
                    Ok(event) => event,
                    Err(_) => return,
                },
            };
            self.guarded(|owner| owner.handle(event));
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
                self.options = settings::parse(&options).unwrap_or_default();
                self.configurations.start(folders);
                self.configurations.choose(self.options.clone());
            }
            Event::Configure(value) => {
                let options = settings::parse(&value).unwrap_or_else(|| self.options.clone());
                if self.configurations.choose(options) {
                    self.reconfigure();
                }
            }
            Event::Watched(files) => {
                if files.iter().any(is_configuration) {
                    self.reconfigure();
                }
                let modules: Vec<PathBuf> =
                    files.iter().filter(|uri| !is_configuration(uri)).filter_map(uris::path).collect();
                if !modules.is_empty() && self.documents.touched(Some(&modules)) {
                    self.refresh();
                }
            }
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
                if self.session.watches {
                    self.documents.open(item, &mut self.configurations);
                    self.publish_problems();
                } else {
                    // Nobody tells of changed files: they are looked at again on every occasion.
                    if self.documents.touched(None) {
                        self.refresh();
                    }
                    self.documents.open(item, &mut self.configurations);
                    self.reconfigure();
                }
            }
            Event::Change(params) => {
                let changes = params.content_changes.into_iter().map(positions::change).collect();
                let uri = params.text_document.uri.clone();
                match self.documents.edit(params.text_document, changes, self.session.encoding) {
                    Ok(true) => self.refresh(),
                    Ok(false) => {}
                    Err(_) => {
                        self.publish(uri, Vec::new(), None);
                        self.report_crash();
                    }
                }
            }
            Event::Close(uri) => {
                if self.documents.close(&uri) {
                    self.publish(uri, Vec::new(), None);
                    self.publish_problems();
                }
            }
            Event::Diagnose(params, reply) => {
                self.reply(reply, |owner| {
                    let items = owner.analyse(&params.text_document.uri, diagnostics::diagnostics);
                    diagnostics::report(items.unwrap_or_default(), params.previous_result_id.as_deref())
                });
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
                while self.publish_next() {}
                self.tell(Outgoing::Flush(reply));
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
        self.publish_problems();
    }

    /// Has a client that pulls ask again for what it shows.
    fn refresh(&self) {
        if self.session.pulls && self.session.refreshes {
            self.tell(Outgoing::Refresh);
        }
    }

    /// Publishes what is wrong in configuration files, also to clients that pull: nobody pulls that of a file that is not open.
    fn publish_problems(&mut self) {
        for params in self.configurations.news(self.documents.configurations(), &self.session) {
            self.tell(Outgoing::Publish(params));
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
