//! The Python files of the workspace that nobody has open: what is known of each, what is due, and what the client was told.
//!
//! In: what has changed, from the owner. Out: jobs for the workers, and diagnostics. A file is known by its diagnostics, a hash of its
//! text and what its imports mean; so a change costs the files whose text changed, and those for which an import means something else.
//! Only a client that wants the whole workspace has any of this: for the others modules are found when somebody asks.
//!
//! The owner hands out a few files at a time and the rest waits here, where it can be dropped, doubled or overtaken. What is found out
//! about a file while it became due again is thrown away, for nobody knows which of the two states it saw.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustc_hash::FxHashMap;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tower_lsp::ls_types::{ProgressToken, PublishDiagnosticsParams, Uri};

use super::configurations::Configurations;
use super::delivery::Outgoing;
use super::owner::Event;
use super::progress::Step;
use super::session::Session;
use super::workers::{Found, Known, Outcome, Scope, Task, Workers, check, look};
use crate::engine::Modules;
use crate::project::Settings;
use crate::project::config::Configuration;

/// So many files are given to a worker at once.
const BATCH: usize = 8;

/// Why a file has to be looked at again; each reason holds those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Due {
    /// Its imports may mean something else.
    Imports,
    /// Its text may have changed.
    Text,
    /// Nothing is known of it under its settings.
    All,
}

struct Entry {
    uri: Uri,
    settings: Arc<Settings>,
    /// The client has it open: that is told elsewhere.
    open: bool,
    due: Option<Due>,
    running: Option<Due>,
    known: Option<Arc<Known>>,
    /// The result that was published last; nothing where nobody knows what the client shows.
    told: Option<String>,
    /// The look that saw it last.
    seen: u64,
}

/// A look through the folders.
struct Look {
    scope: Scope,
    stop: Arc<AtomicBool>,
}

/// A check of all files, which a bar shows.
struct Run {
    token: ProgressToken,
    /// Shown once there is a file to check.
    bar: Option<UnboundedSender<Step>>,
    done: usize,
}

/// The files of the workspace.
pub struct Workspace {
    modules: Arc<Modules>,
    workers: Workers,
    outgoing: UnboundedSender<Outgoing>,
    on: bool,
    /// Diagnostics are published: the client does not ask for those of the workspace.
    publishes: bool,
    entries: FxHashMap<PathBuf, Entry>,
    /// In which order they are checked. Some may not be due any more.
    queue: VecDeque<PathBuf>,
    /// So many batches are with the workers, and so many files in them.
    batches: usize,
    running: usize,
    /// Counts up when all is dropped, so that what comes late is known.
    generation: u64,
    looks: u64,
    looking: Option<Look>,
    next_look: Option<Scope>,
    run: Option<Run>,
    runs: u64,
    configurations: Vec<Arc<Configuration>>,
    settled: bool,
    changed: bool,
    finished: bool,
}

impl Workspace {
    /// Nothing is known, and nothing wanted.
    pub fn new(modules: Arc<Modules>, workers: Workers, outgoing: UnboundedSender<Outgoing>) -> Self {
        Self {
            modules,
            workers,
            outgoing,
            on: false,
            publishes: true,
            entries: FxHashMap::default(),
            queue: VecDeque::new(),
            batches: 0,
            running: 0,
            generation: 0,
            looks: 0,
            looking: None,
            next_look: None,
            run: None,
            runs: 0,
            configurations: Vec::new(),
            settled: true,
            changed: false,
            finished: false,
        }
    }

    /// Nothing is being worked out.
    pub fn is_settled(&self) -> bool {
        self.looking.is_none() && self.next_look.is_none() && self.batches == 0 && self.queue.is_empty()
    }

    /// Whether there is something to take.
    pub fn has_news(&self) -> bool {
        self.changed || self.finished
    }

    /// A document is gone, which is like a file that is.
    pub fn note_change(&mut self) {
        self.changed = true;
    }

    /// Whether some diagnostics have changed since this was asked last.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Whether all was done in the meantime.
    pub fn take_finished(&mut self) -> bool {
        std::mem::take(&mut self.finished)
    }

    /// Looks at the whole workspace from now on, or at nothing.
    pub fn turn(&mut self, on: bool) {
        if self.on == on {
            return;
        }
        self.on = on;
        if on {
            self.look(Scope::All(false));
        } else {
            self.stop();
            for entry in std::mem::take(&mut self.entries).into_values() {
                self.forget(&entry);
            }
            self.configurations.clear();
        }
    }

    /// Diagnostics are published from now on, or not: then what was published is taken back.
    pub fn publish(&mut self, publishes: bool) {
        if self.publishes && !publishes {
            for entry in self.entries.values_mut() {
                if entry.told.as_ref().is_none_or(|told| *told != nothing()) && !entry.open {
                    tell(&self.outgoing, entry.uri.clone(), None);
                }
                entry.told = Some(nothing());
            }
        }
        self.publishes = publishes;
    }

    /// The client has taken back the bar of this name: what is not checked yet stays so.
    pub fn cancel(&mut self, token: &ProgressToken) {
        if self.run.as_ref().is_some_and(|run| run.token == *token) {
            self.stop();
        }
    }

    fn stop(&mut self) {
        self.generation += 1;
        if let Some(look) = self.looking.take() {
            look.stop.store(true, Ordering::Relaxed);
        }
        self.next_look = None;
        self.queue.clear();
        (self.batches, self.running) = (0, 0);
        for entry in self.entries.values_mut() {
            (entry.due, entry.running) = (None, None);
        }
        self.run = None;
    }

    /// Part of the workspace may hold other files now, or other settings hold for them.
    pub fn look(&mut self, scope: Scope) {
        if !self.on {
            return;
        }
        // What an older look has seen of all is out of date; what it has told of stays.
        if let (Scope::All(_), Some(look)) = (&scope, &self.looking) {
            look.stop.store(true, Ordering::Relaxed);
        }
        self.next_look = Some(match self.next_look.take() {
            Some(next) => next.and(scope),
            None => scope,
        });
    }

    /// These files or folders have changed on disk, come or gone; `moved` if some may have come or gone.
    pub fn touched(&mut self, paths: Vec<PathBuf>, moved: bool) {
        if !self.on {
            return;
        }
        // Many editors save a file by putting another in its place: that is no more than a change, unless it may have been looked for
        // while it was away.
        let is_looking = self.looking.is_some() || self.next_look.is_some();
        let stays = |path: &PathBuf| self.entries.contains_key(path) && path.is_file();
        if moved && (is_looking || !paths.iter().all(stays)) {
            self.import(None);
        } else {
            paths.iter().for_each(|path| self.import(Some(path)));
        }
        self.look(Scope::Paths(paths.into_iter().collect()));
    }

    /// What the module at `path` exports is something else now; with no path, any module may have come or gone.
    pub fn import(&mut self, path: Option<&Path>) {
        let mut due: Vec<(PathBuf, Due)> = Vec::new();
        for (of, entry) in self.entries.iter().filter(|(_, entry)| !entry.open) {
            if let Some(running) = entry.running {
                due.push((of.clone(), running));
            } else if entry.known.as_ref().is_some_and(|known| known.imports(path)) {
                due.push((of.clone(), Due::Imports));
            }
        }
        due.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        due.into_iter().for_each(|(path, due)| self.mark(&path, due));
    }

    /// A file has become due. What was changed last goes before what nobody has looked at yet.
    fn mark(&mut self, path: &Path, due: Due) {
        let Some(entry) = self.entries.get_mut(path).filter(|entry| !entry.open) else { return };
        let is_new = entry.due.is_none();
        entry.due = entry.due.max(Some(due));
        if is_new {
            if entry.known.is_some() {
                self.queue.push_front(path.to_owned());
            } else {
                self.queue.push_back(path.to_owned());
            }
        }
    }

    /// The client has opened a file: its diagnostics are the document's from now on.
    pub fn opened(&mut self, uri: &Uri, path: &Path, session: &Session) {
        let Some(entry) = self.entries.get_mut(path) else { return };
        // To a client that does not pull, those of the document are published next.
        if session.pulls && self.publishes && entry.told.as_ref().is_none_or(|told| *told != nothing()) {
            entry.told = Some(nothing());
            tell(&self.outgoing, entry.uri.clone(), None);
        }
        entry.uri = uri.clone();
        (entry.open, entry.known, entry.due) = (true, None, None);
    }

    /// The client has closed a file: its diagnostics become those of the disk. Whether that will be told.
    pub fn closed(
        &mut self,
        uri: &Uri,
        path: &Path,
        settings: &Arc<Settings>,
        configurations: &Configurations,
    ) -> bool {
        if !self.on || !configurations.folders().iter().any(|folder| path.starts_with(folder)) {
            return false;
        }
        // Those of the document may stand there still.
        let told = if self.publishes { None } else { Some(nothing()) };
        let seen = self.looks;
        self.entries.insert(
            path.to_owned(),
            Entry {
                uri: uri.clone(),
                settings: settings.clone(),
                open: false,
                due: None,
                running: None,
                known: None,
                told,
                seen,
            },
        );
        self.look(Scope::Paths([path.to_owned()].into_iter().collect()));
        true
    }

    /// Part of what a look has found.
    pub fn found(&mut self, number: u64, found: Found, is_open: impl Fn(&Path) -> bool) {
        let Some(scope) = self.looking.as_ref().filter(|_| number == self.looks).map(|look| look.scope.clone()) else {
            return;
        };
        for (path, settings) in found.files {
            match self.entries.get_mut(&path) {
                None => {
                    let Some(uri) = Uri::from_file_path(&path) else { continue };
                    let (open, told) = (is_open(&path), Some(nothing()));
                    let entry =
                        Entry { uri, settings, open, due: None, running: None, known: None, told, seen: number };
                    self.entries.insert(path.clone(), entry);
                    self.mark(&path, Due::All);
                }
                Some(entry) => {
                    entry.seen = number;
                    let due = match &scope {
                        _ if entry.settings != settings => Some(Due::All),
                        _ if entry.known.is_none() && entry.running.is_none() => Some(Due::All),
                        Scope::All(reread) => reread.then_some(Due::Text),
                        Scope::Paths(_) => Some(Due::Text),
                    };
                    entry.settings = settings;
                    if let Some(due) = due {
                        self.mark(&path, due);
                    }
                }
            }
        }
        let Some(configurations) = found.end else { return };
        if self.looking.take().is_some_and(|look| look.stop.load(Ordering::Relaxed)) {
            return;
        }
        let gone = self.entries.iter().filter(|(path, entry)| entry.seen != number && scope.covers(path));
        let gone: Vec<PathBuf> = gone.map(|(path, _)| path.clone()).collect();
        for path in gone {
            if let Some(entry) = self.entries.remove(&path) {
                self.forget(&entry);
            }
        }
        match scope {
            Scope::All(_) => self.configurations = configurations,
            Scope::Paths(_) => {
                let new = configurations.into_iter();
                let known = &self.configurations;
                let new: Vec<_> = new.filter(|of| !known.iter().any(|known| known.path == of.path)).collect();
                self.configurations.extend(new);
            }
        }
    }

    /// A file is no part of the workspace any more.
    fn forget(&mut self, entry: &Entry) {
        self.changed = true;
        if self.publishes && !entry.open && entry.told.as_ref().is_none_or(|told| *told != nothing()) {
            tell(&self.outgoing, entry.uri.clone(), None);
        }
    }

    /// What became of a batch; whether an analysis panicked.
    pub fn checked(&mut self, generation: u64, outcomes: Vec<(PathBuf, Outcome)>, session: &Session) -> bool {
        if generation != self.generation {
            return false;
        }
        self.batches = self.batches.saturating_sub(1);
        self.running = self.running.saturating_sub(outcomes.len());
        let mut crashed = false;
        for (path, outcome) in outcomes {
            if let Some(run) = &mut self.run {
                run.done += 1;
            }
            let Some(entry) = self.entries.get_mut(&path) else { continue };
            let Some(ran) = entry.running.take() else { continue };
            if entry.due.is_some() {
                entry.due = entry.due.max(Some(ran));
                self.queue.push_front(path);
                continue;
            }
            if entry.open {
                continue;
            }
            match outcome {
                Outcome::Same => {}
                Outcome::New(known, functions) => {
                    trace(&self.outgoing, session, &path, functions);
                    self.take(&path, known);
                }
                Outcome::Crash => {
                    crashed = true;
                    self.take(&path, Known::nothing());
                }
            }
        }
        if let Some(run) = &self.run
            && let Some(bar) = &run.bar
        {
            let all = self.looking.is_none().then_some(run.done + self.running + self.queue.len());
            let _ = bar.send(Step { done: run.done, all });
        }
        crashed
    }

    /// Takes what is known of a file now, and tells the client where that is something else than what it was told.
    fn take(&mut self, path: &Path, known: Known) {
        let Some(entry) = self.entries.get_mut(path) else { return };
        let before = entry.known.as_ref().map(|known| known.result_id.clone());
        self.changed |= before.unwrap_or_else(nothing) != known.result_id || entry.told.is_none();
        if self.publishes && entry.told.as_ref() != Some(&known.result_id) {
            entry.told = Some(known.result_id.clone());
            tell(&self.outgoing, entry.uri.clone(), Some(&known));
        }
        entry.known = Some(Arc::new(known));
    }

    /// Hands out what is due. Call this after every event.
    pub fn advance(&mut self, configurations: &Configurations, session: &Session) {
        if self.looking.is_none()
            && let Some(scope) = self.next_look.take()
        {
            self.start_look(scope, configurations);
        }
        while self.batches < 2 * Workers::count() {
            let mut tasks = Vec::new();
            while tasks.len() < BATCH
                && let Some(path) = self.queue.pop_front()
            {
                let Some(entry) = self.entries.get_mut(&path).filter(|entry| entry.running.is_none()) else { continue };
                let Some(due) = entry.due.take() else { continue };
                entry.running = Some(due);
                let known = entry.known.clone().filter(|_| due < Due::All);
                let (uri, settings) = (entry.uri.clone(), entry.settings.clone());
                tasks.push(Task { path, uri, settings, known, reread: due > Due::Imports });
            }
            if tasks.is_empty() {
                break;
            }
            self.batches += 1;
            self.running += tasks.len();
            let (modules, session, generation) = (self.modules.clone(), session.clone(), self.generation);
            self.workers.start(move |inbox| {
                let outcomes = tasks.into_iter().map(|task| {
                    let outcome = check(&task, &modules, &session);
                    (task.path, outcome)
                });
                let _ = inbox.send(Event::Checked(generation, outcomes.collect()));
            });
        }
        let settled = self.is_settled();
        if settled {
            self.run = None;
        } else if self.batches > 0
            && let Some(run) = self.run.as_mut().filter(|run| run.bar.is_none() && session.progress)
        {
            let (sender, steps) = unbounded_channel();
            let _ = self.outgoing.send(Outgoing::Progress(run.token.clone(), steps));
            run.bar = Some(sender);
        }
        self.finished |= settled && !self.settled;
        self.settled = settled;
    }

    fn start_look(&mut self, scope: Scope, configurations: &Configurations) {
        if matches!(scope, Scope::All(false)) && self.run.is_none() {
            self.runs += 1;
            let token = ProgressToken::String(format!("aiolint/workspace/{}", self.runs));
            self.run = Some(Run { token, bar: None, done: 0 });
        }
        self.looks += 1;
        let number = self.looks;
        let stop = Arc::new(AtomicBool::new(false));
        self.looking = Some(Look { scope: scope.clone(), stop: stop.clone() });
        let (folders, configurations) = (configurations.folders().to_vec(), configurations.snapshot());
        self.workers.start(move |inbox| {
            look(&folders, &scope, configurations, &stop, |found| {
                let _ = inbox.send(Event::Found(number, found));
            });
        });
    }

    /// The configuration files that hold for some file.
    pub fn configurations(&self) -> impl Iterator<Item = &Arc<Configuration>> {
        self.configurations.iter()
    }

    /// What is known of the files that are not open.
    pub fn known(&self) -> impl Iterator<Item = (&Uri, &Arc<Known>)> {
        let closed = self.entries.values().filter(|entry| !entry.open);
        closed.filter_map(|entry| Some((&entry.uri, entry.known.as_ref()?)))
    }

    /// What is known of a file that is not open; where that is nothing yet, it is checked at once.
    pub fn ask(&mut self, path: &Path, session: &Session) -> Option<Arc<Known>> {
        let entry = self.entries.get_mut(path).filter(|entry| !entry.open)?;
        if entry.known.is_none() {
            let (uri, settings) = (entry.uri.clone(), entry.settings.clone());
            let task = Task { path: path.to_owned(), uri, settings, known: None, reread: true };
            if let Outcome::New(known, functions) = check(&task, &self.modules, session) {
                trace(&self.outgoing, session, path, functions);
                self.take(path, known);
            }
        }
        self.entries.get(path)?.known.clone()
    }
}

/// The result that says that there is nothing to say.
fn nothing() -> String {
    super::diagnostics::result_id(&[])
}

fn tell(outgoing: &UnboundedSender<Outgoing>, uri: Uri, known: Option<&Known>) {
    let diagnostics = known.map(|known| known.diagnostics.clone()).unwrap_or_default();
    let _ = outgoing.send(Outgoing::Publish(PublishDiagnosticsParams { uri, diagnostics, version: None }));
}

/// Tells a client that wants to know what an event has cost.
pub fn trace(outgoing: &UnboundedSender<Outgoing>, session: &Session, path: &Path, functions: u64) {
    if session.traces && functions > 0 {
        let text = format!("functions analysed in {}: {functions}", path.display());
        let _ = outgoing.send(Outgoing::Trace(text));
    }
}
