//! `workspace/diagnostic`: what a client knows already goes in, what is something else now comes out, at once or once there is something.
//!
//! A client that takes partial results asks again as soon as it has its answer (VS Code's after two seconds), and calls that the way
//! to be kept up to date. So such a request is held while there is nothing new, as rust-analyzer's clients and ty's are used to; it costs
//! nothing, and the next change answers it. Other clients have asked once, and get their answer when all is checked. No answer comes in
//! parts: the framework may let a reply overtake a notification, and a part that comes after its reply is lost.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use tower_lsp::ls_types::{
    Diagnostic, FullDocumentDiagnosticReport, UnchangedDocumentDiagnosticReport, Uri, WorkspaceDiagnosticParams,
    WorkspaceDiagnosticReport, WorkspaceDiagnosticReportResult, WorkspaceDocumentDiagnosticReport,
    WorkspaceFullDocumentDiagnosticReport, WorkspaceUnchangedDocumentDiagnosticReport,
};

use super::owner::Reply;
use super::workers::Known;
use super::{diagnostics, uris};

/// What is wrong in one file.
pub struct State {
    /// What the client calls it.
    pub uri: Uri,
    /// That of the document, if it is open.
    pub version: Option<i32>,
    /// What is wrong in it.
    pub known: Arc<Known>,
}

/// How much of the workspace some states are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The open documents: the other files are as they were.
    Documents,
    /// All that is known so far.
    Incomplete,
    /// All there is.
    Complete,
}

/// A request that waits.
struct Pull {
    reply: Reply<WorkspaceDiagnosticReportResult>,
    identifier: Option<String>,
    /// What the client knows, by key: what it calls the file, and the result.
    known: FxHashMap<Vec<u8>, (Uri, String)>,
    /// It is held while there is nothing new.
    is_held: bool,
    /// It has seen no more than open documents yet.
    fresh: bool,
}

/// The requests that wait.
#[derive(Default)]
pub struct Pulls {
    waiting: Vec<Pull>,
    /// A client has asked, and will not be told without asking again.
    idle: bool,
}

impl Pulls {
    /// A request has come. It takes the place of one before it.
    pub fn add(&mut self, params: WorkspaceDiagnosticParams, reply: Reply<WorkspaceDiagnosticReportResult>) {
        let previous = params.previous_result_ids.into_iter();
        let pull = Pull {
            reply,
            identifier: params.identifier,
            known: previous.map(|known| (uris::key(&known.uri), (known.uri, known.value))).collect(),
            is_held: params.partial_result_params.partial_result_token.is_some(),
            fresh: true,
        };
        let (old, others) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|other: &Pull| other.is_held && pull.is_held && other.identifier == pull.identifier);
        self.waiting = others;
        old.into_iter().for_each(|old: Pull| answer(old.reply, Vec::new()));
        self.waiting.push(pull);
        self.idle = false;
    }

    /// Whether somebody waits.
    pub fn wait(&mut self) -> bool {
        self.waiting.retain(|pull| !pull.reply.is_closed());
        !self.waiting.is_empty()
    }

    /// The session is over: nobody is held any longer.
    pub fn release(&mut self) {
        std::mem::take(&mut self.waiting).into_iter().for_each(|pull| answer(pull.reply, Vec::new()));
    }

    /// Whether a client has its answer and has to be told to ask again; from then on it counts as told.
    pub fn take_idle(&mut self) -> bool {
        std::mem::take(&mut self.idle)
    }

    /// Whether somebody waits who has not seen all that is known.
    pub fn is_fresh(&self) -> bool {
        self.waiting.iter().any(|pull| pull.fresh)
    }

    /// Answers those for which there is something new in `states`; `settled`: no more is being worked out.
    pub fn answer(&mut self, states: &[State], extent: Extent, settled: bool) {
        for mut pull in std::mem::take(&mut self.waiting) {
            pull.fresh &= extent == Extent::Documents;
            let mut items = pull.news(states, extent);
            if pull.is_held && settled && !items.is_empty() {
                answer(pull.reply, items);
            } else if !pull.is_held && extent == Extent::Complete {
                let unchanged = states.iter().filter(|state| pull.knows(state)).map(unchanged);
                items.splice(0..0, unchanged);
                answer(pull.reply, items);
                self.idle = true;
            } else {
                self.waiting.push(pull);
            }
        }
    }
}

fn answer(reply: Reply<WorkspaceDiagnosticReportResult>, items: Vec<WorkspaceDocumentDiagnosticReport>) {
    // Without a receiver it was cancelled.
    let _ = reply.send(WorkspaceDiagnosticReportResult::Report(WorkspaceDiagnosticReport { items }));
}

impl Pull {
    fn knows(&self, state: &State) -> bool {
        self.known.get(&uris::key(&state.uri)).is_some_and(|(_, id)| *id == state.known.result_id)
    }

    /// What the client does not know yet. Of a file that it has not heard of, only what is wrong is news.
    fn news(&self, states: &[State], extent: Extent) -> Vec<WorkspaceDocumentDiagnosticReport> {
        let is_known = |state: &State| self.known.contains_key(&uris::key(&state.uri));
        let new = states.iter().filter(|state| !self.knows(state));
        let new = new.filter(|state| is_known(state) || !state.known.diagnostics.is_empty());
        let mut items: Vec<_> = new
            .map(|state| full(&state.uri, state.version, &state.known.result_id, &state.known.diagnostics))
            .collect();
        if extent == Extent::Complete {
            let there: FxHashSet<Vec<u8>> = states.iter().map(|state| uris::key(&state.uri)).collect();
            let nothing = diagnostics::result_id(&[]);
            let gone = self.known.iter().filter(|(key, (_, id))| !there.contains(*key) && *id != nothing);
            items.extend(gone.map(|(_, (uri, _))| full(uri, None, &nothing, &[])));
        }
        items
    }
}

fn full(uri: &Uri, version: Option<i32>, id: &str, items: &[Diagnostic]) -> WorkspaceDocumentDiagnosticReport {
    WorkspaceDocumentDiagnosticReport::Full(WorkspaceFullDocumentDiagnosticReport {
        uri: uri.clone(),
        version: version.map(i64::from),
        full_document_diagnostic_report: FullDocumentDiagnosticReport {
            result_id: Some(id.to_owned()),
            items: items.to_vec(),
        },
    })
}

fn unchanged(state: &State) -> WorkspaceDocumentDiagnosticReport {
    WorkspaceDocumentDiagnosticReport::Unchanged(WorkspaceUnchangedDocumentDiagnosticReport {
        uri: state.uri.clone(),
        version: state.version.map(i64::from),
        unchanged_document_diagnostic_report: UnchangedDocumentDiagnosticReport {
            result_id: state.known.result_id.clone(),
        },
    })
}
