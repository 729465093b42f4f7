//! What is done beside the owner's thread: looking for files, and checking those that nobody has open.
//!
//! Jobs in, events out, into the owner's inbox like all others. A job holds nothing of the owner's: it gets what it needs when it
//! starts and shares the modules only, so the owner waits for a worker no longer than it takes to read one module.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use rayon::{ThreadPool, ThreadPoolBuilder};
use rustc_hash::FxHashSet;
use tower_lsp::ls_types::{Diagnostic, Uri};
use tracing::{debug, error, warn};

use super::configurations::Configurations;
use super::owner::{Event, STACK};
use super::session::Session;
use super::walk::python_files_below;
use super::{Disk, diagnostics};
use crate::engine::{File, Imports, Modules};
use crate::project::config::Configuration;
use crate::project::{Files, Settings};

/// So many files are told of at once while a folder is looked through.
const CHUNK: usize = 256;

/// Threads that start with the first job.
pub struct Workers {
    pool: Option<ThreadPool>,
    inbox: Sender<Event>,
}

impl Workers {
    /// None yet; what they find goes into this inbox.
    pub fn new(inbox: Sender<Event>) -> Self {
        Self { pool: None, inbox }
    }

    /// How many there are. One processor is left to the owner.
    pub fn count() -> usize {
        available_parallelism().map_or(1, |all| all.get() - 1).clamp(1, 8)
    }

    /// Has one of them do this. Jobs start in the order in which they are given.
    pub fn start(&mut self, job: impl FnOnce(&Sender<Event>) + Send + 'static) {
        if self.pool.is_none() {
            let named = |index| format!("worker {index}");
            let pool = ThreadPoolBuilder::new().num_threads(Self::count()).thread_name(named).stack_size(STACK);
            // A job guards itself where somebody waits for it.
            let pool = pool.panic_handler(|_| error!("a job in the background panicked"));
            self.pool = pool.build().map_err(|error| error!("cannot check in the background: {error}")).ok();
        }
        let inbox = self.inbox.clone();
        if let Some(pool) = &self.pool {
            pool.spawn_fifo(move || job(&inbox));
        }
    }
}

/// Which part of the workspace is looked through.
#[derive(Clone, Debug)]
pub enum Scope {
    /// All of it; files that are known already are read again if the flag says so.
    All(bool),
    /// These files and folders, whether they are still there or not.
    Paths(FxHashSet<PathBuf>),
}

impl Scope {
    /// Both.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All(one), Self::All(other)) => Self::All(one || other),
            (Self::Paths(one), Self::Paths(other)) => Self::Paths(one.into_iter().chain(other).collect()),
            // Those that were known and may have changed are among all.
            (Self::All(_), Self::Paths(_)) | (Self::Paths(_), Self::All(_)) => Self::All(true),
        }
    }

    /// Whether a file is in it.
    pub fn covers(&self, path: &Path) -> bool {
        match self {
            Self::All(_) => true,
            Self::Paths(paths) => path.ancestors().any(|part| paths.contains(part)),
        }
    }
}

/// A part of what was found.
pub struct Found {
    /// The files, and what holds for each.
    pub files: Vec<(PathBuf, Arc<Settings>)>,
    /// This is the last part; the configuration files that hold for something in the scope.
    pub end: Option<Vec<Arc<Configuration>>>,
}

/// Looks through a part of these folders and tells of the Python files in it, until `stop` is set. Always tells of an end: after a panic
/// as if it had been stopped.
pub fn look(
    folders: &[PathBuf],
    scope: &Scope,
    configurations: Configurations,
    stop: &AtomicBool,
    mut tell: impl FnMut(Found),
) {
    let work = || search(folders, scope, configurations, stop, &mut tell);
    if catch_unwind(AssertUnwindSafe(work)).is_err() {
        stop.store(true, Ordering::Relaxed);
        tell(Found { files: Vec::new(), end: Some(Vec::new()) });
    }
}

fn search(
    folders: &[PathBuf],
    scope: &Scope,
    configurations: Configurations,
    stop: &AtomicBool,
    tell: &mut dyn FnMut(Found),
) {
    let configurations = Arc::new(Mutex::new(configurations));
    let on_the_way: Arc<Option<(FxHashSet<PathBuf>, FxHashSet<PathBuf>)>> = Arc::new(match scope {
        Scope::All(_) => None,
        Scope::Paths(paths) => {
            let around = paths.iter().flat_map(|path| path.ancestors().skip(1)).map(Path::to_owned);
            Some((paths.clone(), around.collect()))
        }
    });
    let mut files = Vec::new();
    let mut used = Vec::new();
    let mut seen: FxHashSet<PathBuf> = FxHashSet::default();
    for folder in folders {
        let (all, on_the_way) = (configurations.clone(), on_the_way.clone());
        let keep = move |path: &Path| {
            let wanted = match &*on_the_way {
                None => true,
                Some((paths, around)) => around.contains(path) || path.ancestors().any(|part| paths.contains(part)),
            };
            wanted && !lock(&all).excludes(path)
        };
        for found in python_files_below(folder, keep) {
            if stop.load(Ordering::Relaxed) {
                return tell(Found { files, end: Some(used) });
            }
            let path = match found {
                Ok(path) => path,
                Err(problem) => {
                    warn!("cannot look at all of the workspace: {problem}");
                    continue;
                }
            };
            if !scope.covers(&path) || !seen.insert(path.clone()) {
                continue;
            }
            let held = lock(&configurations).of(&path);
            let known = held.configuration.filter(|of| !used.iter().any(|known| Arc::ptr_eq(known, of)));
            used.extend(known);
            // Most files of a project have the same.
            let same = files.last().map(|(_, settings)| settings).filter(|settings| **settings == held.settings);
            let settings = same.cloned().unwrap_or(held.settings);
            files.push((path, settings));
            if files.len() >= CHUNK {
                tell(Found { files: std::mem::take(&mut files), end: None });
            }
        }
    }
    tell(Found { files, end: Some(used) });
}

/// Nothing in there is half-done after a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is kept of a file that was checked: not its text, and no trees.
#[derive(Debug)]
pub struct Known {
    content: u64,
    imports: Option<Imports>,
    /// What is wrong in it.
    pub diagnostics: Vec<Diagnostic>,
    /// That in short.
    pub result_id: String,
}

impl Known {
    /// Of a document: that is known by more than this.
    pub fn of_document(diagnostics: Vec<Diagnostic>) -> Self {
        Self::new(0, None, diagnostics)
    }

    /// Of a file that cannot be read or analysed.
    pub fn nothing() -> Self {
        Self::new(0, None, Vec::new())
    }

    fn new(content: u64, imports: Option<Imports>, diagnostics: Vec<Diagnostic>) -> Self {
        Self { content, imports, result_id: diagnostics::result_id(&diagnostics), diagnostics }
    }

    /// Whether its findings rest on other modules; on what was in the file at `path`, if there is one.
    pub fn imports(&self, path: Option<&Path>) -> bool {
        self.imports.as_ref().is_some_and(|imports| path.is_none_or(|path| imports.concern(path)))
    }
}

/// A file to be checked.
pub struct Task {
    /// Where it is.
    pub path: PathBuf,
    /// What the client calls it.
    pub uri: Uri,
    /// What holds for it.
    pub settings: Arc<Settings>,
    /// What is known of it under the same settings.
    pub known: Option<Arc<Known>>,
    /// Its text may have changed, too.
    pub reread: bool,
}

/// What became of a task.
pub enum Outcome {
    /// Nothing has changed.
    Same,
    /// This is known now, for so many functions analysed.
    New(Known, u64),
    /// The analysis panicked.
    Crash,
}

/// Checks a file on disk.
pub fn check(task: &Task, modules: &Arc<Modules>, session: &Session) -> Outcome {
    let work = || {
        let is_still = |known: &Known| {
            let imports = known.imports.as_ref();
            imports.is_none_or(|imports| modules.mean_the_same(&task.path, &task.settings, imports))
        };
        let same_imports = task.known.as_deref().filter(|known| is_still(known));
        if same_imports.is_some() && !task.reread {
            return Outcome::Same;
        }
        let Some(text) = Disk.read(&task.path) else {
            debug!("{} cannot be read, or is not UTF-8: nothing is said about it", task.path.display());
            return Outcome::New(Known::nothing(), 0);
        };
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let content = hasher.finish();
        if same_imports.is_some_and(|known| known.content == content) {
            return Outcome::Same;
        }
        let mut file = File::new(text, task.settings.clone()).among(modules.clone(), task.path.clone()).traced();
        let (findings, imports) = (file.findings(), file.imports());
        let shown = findings.iter().map(|finding| diagnostics::diagnostic(finding, file.text(), &task.uri, session));
        Outcome::New(Known::new(content, imports, shown.collect()), file.functions_analysed())
    };
    // Nothing outlives it but the modules, and those hold nothing half-done.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Outcome::Crash)
}
