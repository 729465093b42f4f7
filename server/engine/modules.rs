//! Other modules: found on demand, read once, and known by what they export.
//!
//! In: [`Files`] and where packages are installed. Out, for the analysis of a file, what its imports mean ([`crate::tasks::modules`]). What a
//! module exports is worked out from that module alone, with nothing known of others: so no circle of imports can make two orders of
//! reading differ, and a change in one file reaches only those who import it. Of installed packages only names are read, not what
//! functions do: nobody repairs them, and parsing them is what costs. Nothing in here does I/O itself: [`Files`] does.
//!
//! A file that is open in an editor counts as the editor has it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};

use super::File;
use super::asked::{Asked, Trace};
use crate::project::environment::{Shell, package_folders};
use crate::project::resolve::{self, Found};
use crate::project::{Files, NoFiles, Settings};
use crate::tasks::modules::{Exports, Modules as Lookup};
use crate::text::{Change, Encoding};

/// What a module exports, worked out by whoever asks first.
type Cell = Arc<OnceLock<Option<Arc<Exports>>>>;

/// The modules that the files of a session can import.
pub struct Modules {
    files: Box<dyn Files>,
    shell: Shell,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// By file.
    exports: FxHashMap<PathBuf, Cell>,
    /// The files that stand for those on disk.
    open: FxHashMap<PathBuf, Open>,
    /// Where the files in a folder look for modules.
    roots: FxHashMap<Place, Arc<[PathBuf]>>,
    /// What a name in a folder is.
    steps: FxHashMap<(PathBuf, String), Option<Found>>,
    /// Of what files export.
    fingerprints: FxHashMap<PathBuf, Option<u64>>,
}

/// A file in an editor.
enum Open {
    /// Nobody has imported it.
    Unasked(Arc<str>),
    /// Kept from edit to edit, as a module that knows nothing of others.
    Asked(Arc<Mutex<File>>),
}

/// A folder with files, and what their settings say of where modules are: `src` and the environment.
pub(super) type Place = (PathBuf, Vec<PathBuf>, Option<PathBuf>);

impl Default for Modules {
    fn default() -> Self {
        Self::new(Box::new(NoFiles), Shell::default())
    }
}

impl Modules {
    /// Those that `files` shows.
    pub fn new(files: Box<dyn Files>, shell: Shell) -> Self {
        Self { files, shell, known: Mutex::default() }
    }

    /// The file at `path`, absolute, is open in an editor with this text; `None`: it counts as on disk again. Says whether what it exports
    /// has changed for somebody who asked.
    pub fn open(&self, path: &Path, text: Option<&str>) -> bool {
        let is_saved = self.files.is_file(path);
        {
            let mut known = self.known();
            match text {
                Some(text) => known.open.insert(path.to_owned(), Open::Unasked(text.into())),
                None => known.open.remove(path),
            };
            if !is_saved {
                // A module has come or gone.
                known.steps.clear();
                known.roots.clear();
            }
        }
        self.changed(path) || !is_saved
    }

    /// The open file at `path` was edited, and has this text now. Says the same.
    pub fn edit(&self, path: &Path, changes: &[Change], encoding: Encoding, text: &str) -> bool {
        let file = match self.known().open.get_mut(path) {
            Some(Open::Unasked(known)) => {
                *known = text.into();
                return false;
            }
            Some(Open::Asked(file)) => file.clone(),
            None => return false,
        };
        lock(&file).edit(changes.to_vec(), encoding);
        self.changed(path)
    }

    /// These files have changed on disk, come or gone; `None` where nobody knows which. They are read again when somebody asks.
    pub fn touched(&self, paths: Option<&[PathBuf]>) {
        let mut known = self.known();
        match paths {
            // What is in a folder that has come or gone has, too.
            Some(paths) => {
                let paths: FxHashSet<&Path> = paths.iter().map(PathBuf::as_path).collect();
                known.exports.retain(|path, _| !path.ancestors().any(|part| paths.contains(part)));
            }
            None => known.exports.clear(),
        }
        known.fingerprints.clear();
        known.roots.clear();
        known.steps.clear();
    }

    /// Whether the file exports something else than it did for those who have asked.
    fn changed(&self, path: &Path) -> bool {
        let before = {
            let mut known = self.known();
            known.fingerprints.remove(path);
            known.exports.remove(path)
        };
        let before = before.and_then(|cell| cell.get().cloned());
        let Some(before) = before else { return false };
        let fingerprint = |of: Option<Arc<Exports>>| of.map(|exports| exports.fingerprint());
        fingerprint(self.exports(path)) != fingerprint(before)
    }

    /// What the module in this file exports.
    fn exports(&self, path: &Path) -> Option<Arc<Exports>> {
        let cell = self.known().exports.entry(path.to_owned()).or_default().clone();
        let key = || path.to_string_lossy().as_ref().into();
        let read = || {
            if let Some(file) = self.opened(path) {
                return Some(Arc::new(lock(&file).exports(key(), true)));
            }
            let mut file = File::new(self.files.read(path)?, Arc::new(Settings::default()));
            Some(Arc::new(file.exports(key(), is_own(path))))
        };
        cell.get_or_init(read).clone()
    }

    /// The file as it is open in an editor.
    fn opened(&self, path: &Path) -> Option<Arc<Mutex<File>>> {
        let mut known = self.known();
        let open = known.open.get_mut(path)?;
        if let Open::Unasked(text) = open {
            let file = File::new(text.to_string(), Arc::new(Settings::default()));
            *open = Open::Asked(Arc::new(Mutex::new(file)));
        }
        match open {
            Open::Asked(file) => Some(file.clone()),
            Open::Unasked(_) => None,
        }
    }

    fn step(&self, folder: &Path, name: &str) -> Option<Found> {
        let key = (folder.to_owned(), name.to_owned());
        if let Some(known) = self.known().steps.get(&key) {
            return known.clone();
        }
        let found = resolve::step(self, folder, name);
        self.known().steps.insert(key, found.clone());
        found
    }

    /// What tells whether the module in this file exports the same as at another time; `None` where it cannot be read.
    pub fn fingerprint(&self, path: &Path) -> Option<u64> {
        if let Some(known) = self.known().fingerprints.get(path) {
            return *known;
        }
        let fingerprint = self.exports(path).map(|exports| exports.fingerprint());
        self.known().fingerprints.insert(path.to_owned(), fingerprint);
        fingerprint
    }

    /// Whether the answer is still the same.
    pub fn agrees(&self, asked: &Asked) -> bool {
        match asked {
            Asked::Roots(place, answer) => *self.roots(place) == **answer,
            Asked::Step(folder, name, answer) => self.step(folder, name) == *answer,
            Asked::Init(folder, answer) => resolve::init_of(self, folder) == *answer,
            Asked::Stubs(root, name, answer) => resolve::stubs(self, root, name) == *answer,
            Asked::Exports(path, answer) => self.fingerprint(path) == *answer,
        }
    }

    /// Where the modules are that the files of a place can import by absolute name.
    fn roots(&self, place: &Place) -> Arc<[PathBuf]> {
        if let Some(known) = self.known().roots.get(place) {
            return known.clone();
        }
        let (folder, src, environment) = place;
        // What is asked of a file is where it stands.
        let file = &folder.join("__init__.py");
        let mut roots = resolve::own_roots(self, file);
        roots.extend(src.iter().cloned());
        let project = resolve::project_of(&*self.files, file);
        roots.extend(package_folders(&*self.files, project.as_deref(), environment.as_deref(), &self.shell));
        // An installed package imports the others beside it.
        let installed = file.ancestors().find(|folder| folder.ends_with("site-packages"));
        roots.extend(installed.map(Path::to_owned));
        let mut seen = FxHashSet::default();
        roots.retain(|root| seen.insert(root.clone()));
        let roots: Arc<[PathBuf]> = roots.into();
        self.known().roots.insert(place.clone(), roots.clone());
        roots
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }
}

/// The files, those that are open but not saved yet among them.
impl Files for Modules {
    fn read(&self, path: &Path) -> Option<String> {
        self.files.read(path)
    }

    fn is_file(&self, path: &Path) -> bool {
        self.known().open.contains_key(path) || self.files.is_file(path)
    }

    fn is_folder(&self, path: &Path) -> bool {
        self.files.is_folder(path)
    }

    fn names(&self, folder: &Path) -> Vec<String> {
        self.files.names(folder)
    }
}

/// Nothing in there is half-done after a panic: what was being worked out is worked out again.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether somebody of the project may have written the file.
fn is_own(path: &Path) -> bool {
    let installed = ["site-packages", "dist-packages"];
    let is_stub = path.extension().is_some_and(|extension| extension == "pyi");
    !is_stub && !path.iter().any(|part| part.to_str().is_some_and(|part| installed.contains(&part)))
}

/// The modules as one file sees them.
pub(super) struct View<'a> {
    pub modules: &'a Modules,
    /// Absolute.
    pub file: &'a Path,
    pub settings: &'a Settings,
    /// Where it is kept what was asked.
    pub trace: Option<&'a Trace>,
}

impl Lookup for View<'_> {
    fn find<'p>(&self, from: Option<&str>, path: &'p str) -> Option<(Arc<Exports>, &'p str)> {
        if let (None, Some(trace)) = (from, self.trace) {
            // What another module writes follows from what this one does.
            trace.note_path(path);
        }
        let file = from.map_or(self.file, Path::new);
        let rest = path.trim_start_matches('.');
        let dots = path.len() - rest.len();
        if dots > 0 {
            let folder = file.ancestors().nth(dots)?;
            let init = self.init_of(folder);
            return self.descend(file, path, folder.to_owned(), init, rest);
        }
        let roots = self.roots(file);
        roots.iter().find_map(|root| {
            let (first, behind) = rest.split_once('.').unwrap_or((rest, ""));
            let stubs = root.ends_with("site-packages").then(|| self.stubs(root, first)).flatten();
            let stubs = stubs.and_then(|found| match found {
                Found::Package(folder, init) => self.descend(file, path, folder, init, behind),
                Found::Module(_) => None,
            });
            stubs.or_else(|| self.descend(file, path, root.clone(), None, rest))
        })
    }

    fn get(&self, key: &str) -> Option<Arc<Exports>> {
        self.exports(Path::new(key))
    }
}

impl View<'_> {
    fn roots(&self, file: &Path) -> Arc<[PathBuf]> {
        let folder = file.parent().unwrap_or(file).to_owned();
        let place = (folder, self.settings.src.clone(), self.settings.environment.clone());
        let roots = self.modules.roots(&place);
        self.note(|| Asked::Roots(place, roots.to_vec()));
        roots
    }

    fn step(&self, folder: &Path, name: &str) -> Option<Found> {
        let found = self.modules.step(folder, name);
        self.note(|| Asked::Step(folder.to_owned(), name.to_owned(), found.clone()));
        found
    }

    fn init_of(&self, folder: &Path) -> Option<PathBuf> {
        let init = resolve::init_of(self.modules, folder);
        self.note(|| Asked::Init(folder.to_owned(), init.clone()));
        init
    }

    fn stubs(&self, root: &Path, name: &str) -> Option<Found> {
        let found = resolve::stubs(self.modules, root, name);
        self.note(|| Asked::Stubs(root.to_owned(), name.to_owned(), found.clone()));
        found
    }

    fn exports(&self, path: &Path) -> Option<Arc<Exports>> {
        let exports = self.modules.exports(path);
        self.note(|| Asked::Exports(path.to_owned(), self.modules.fingerprint(path)));
        exports
    }

    fn note(&self, asked: impl FnOnce() -> Asked) {
        if let Some(trace) = self.trace {
            trace.note(asked());
        }
    }

    /// Goes on from a package, or from a folder in which modules are looked for. `asked` is the whole path, as `file` writes it.
    fn descend<'p>(
        &self,
        file: &Path,
        asked: &str,
        mut folder: PathBuf,
        mut init: Option<PathBuf>,
        mut rest: &'p str,
    ) -> Option<(Arc<Exports>, &'p str)> {
        loop {
            let package = init.as_deref().and_then(|init| self.exports(init));
            if rest.is_empty() {
                return Some((package?, rest));
            }
            let (name, behind) = rest.split_once('.').unwrap_or((rest, ""));
            // What `__init__` binds hides the module of the same name, which importing it may have bound itself: `from . import lib`.
            let bound = package.as_ref().and_then(|package| package.names.meaning(name));
            let is_asked = |path: &str| asked.strip_prefix(path).is_some_and(|on| on.is_empty() || on.starts_with('.'));
            let is_module = |path: &str| init.as_deref() == Some(file) && is_asked(path);
            if bound.is_some_and(|bound| !matches!(bound, crate::facts::Meaning::Import(path) if is_module(path))) {
                return Some((package?, rest));
            }
            match self.step(&folder, name) {
                Some(Found::Module(path)) => return Some((self.exports(&path)?, behind)),
                Some(Found::Package(inner, of)) => (folder, init, rest) = (inner, of, behind),
                None => return Some((package?, rest)),
            }
        }
    }
}
