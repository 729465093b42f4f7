//! Other modules: found on demand, read once, and known by what they export.
//!
//! In: [`Files`] and where packages are installed. Out, for the analysis of a file, what its imports mean ([`tasks::modules`]). What a
//! module exports is worked out from that module alone, with nothing known of others: so no circle of imports can make two orders of
//! reading differ, and a change in one file reaches only those who import it. Of installed packages only names are read, not what
//! functions do: nobody repairs them, and parsing them is what costs.
//!
//! A file that is open in an editor counts as the editor has it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustc_hash::FxHashMap;

use super::File;
use crate::project::environment::{Shell, package_folders};
use crate::project::resolve::{self, Found};
use crate::project::{Files, NoFiles, Settings};
use crate::tasks::modules::{Exports, Modules as Lookup};

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
    /// Texts that stand for those on disk.
    open: FxHashMap<PathBuf, Arc<str>>,
    /// Where the files in a folder look for modules.
    roots: FxHashMap<PathBuf, Arc<[PathBuf]>>,
    /// What a name in a folder is.
    steps: FxHashMap<(PathBuf, String), Option<Found>>,
}

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

    /// The file at `path`, absolute, has this text in an editor; `None`: as on disk. Says whether what it exports has changed for those who
    /// have asked.
    pub fn set(&self, path: &Path, text: Option<&str>) -> bool {
        let before = {
            let mut known = self.known();
            match text {
                Some(text) => known.open.insert(path.to_owned(), text.into()),
                None => known.open.remove(path),
            };
            known.exports.remove(path)
        };
        let Some(before) = before.and_then(|cell| cell.get().cloned()) else { return false };
        let fingerprint = |of: Option<Arc<Exports>>| of.map(|exports| exports.fingerprint());
        fingerprint(self.exports(path)) != fingerprint(before)
    }

    /// Files have come, gone or changed on disk.
    pub fn forget(&self) {
        let mut known = self.known();
        known.exports.clear();
        known.roots.clear();
        known.steps.clear();
    }

    /// What the module in this file exports.
    fn exports(&self, path: &Path) -> Option<Arc<Exports>> {
        let (cell, open) = {
            let mut known = self.known();
            let open = known.open.get(path).cloned();
            (known.exports.entry(path.to_owned()).or_default().clone(), open)
        };
        let read = || {
            let text = open.map(|text| text.to_string()).or_else(|| self.files.read(path))?;
            let mut file = File::new(text, Arc::new(Settings::default()));
            Some(Arc::new(file.exports(path.to_string_lossy().as_ref().into(), is_own(path))))
        };
        cell.get_or_init(read).clone()
    }

    fn step(&self, folder: &Path, name: &str) -> Option<Found> {
        let key = (folder.to_owned(), name.to_owned());
        if let Some(known) = self.known().steps.get(&key) {
            return known.clone();
        }
        let found = resolve::step(&*self.files, folder, name);
        self.known().steps.insert(key, found.clone());
        found
    }

    /// Where the modules are that a file can import by absolute name.
    fn roots(&self, file: &Path) -> Arc<[PathBuf]> {
        let folder = file.parent().unwrap_or(file).to_owned();
        if let Some(known) = self.known().roots.get(&folder) {
            return known.clone();
        }
        let mut roots = resolve::own_roots(&*self.files, file);
        let project = resolve::project_of(&*self.files, file);
        roots.extend(package_folders(&*self.files, project.as_deref(), None, &self.shell));
        // An installed package imports the others beside it.
        if let Some(installed) = file.ancestors().find(|folder| folder.ends_with("site-packages")) {
            roots.push(installed.to_owned());
        }
        let mut seen = Vec::new();
        roots.retain(|root| {
            !seen.contains(root) && {
                seen.push(root.clone());
                true
            }
        });
        let roots: Arc<[PathBuf]> = roots.into();
        self.known().roots.insert(folder, roots.clone());
        roots
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Nothing in there is half-done after a panic.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
}

impl Lookup for View<'_> {
    fn find<'p>(&self, from: Option<&str>, path: &'p str) -> Option<(Arc<Exports>, &'p str)> {
        let file = from.map_or(self.file, Path::new);
        let rest = path.trim_start_matches('.');
        let dots = path.len() - rest.len();
        if dots > 0 {
            let folder = file.ancestors().nth(dots)?;
            let init = resolve::init_of(&*self.modules.files, folder);
            return self.descend(file, path, folder.to_owned(), init, rest);
        }
        let roots = self.modules.roots(file);
        roots.iter().find_map(|root| {
            let (first, behind) = rest.split_once('.').unwrap_or((rest, ""));
            let stubs = resolve::stubs(&*self.modules.files, root, first)
                .filter(|_| root.ends_with("site-packages"))
                .and_then(|found| match found {
                    Found::Package(folder, init) => self.descend(file, path, folder, init, behind),
                    Found::Module(_) => None,
                });
            stubs.or_else(|| self.descend(file, path, root.clone(), None, rest))
        })
    }

    fn get(&self, key: &str) -> Option<Arc<Exports>> {
        self.modules.exports(Path::new(key))
    }
}

impl View<'_> {
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
            let package = init.as_deref().and_then(|init| self.modules.exports(init));
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
            match self.modules.step(&folder, name) {
                Some(Found::Module(path)) => return Some((self.modules.exports(&path)?, behind)),
                Some(Found::Package(inner, of)) => (folder, init, rest) = (inner, of, behind),
                None => return Some((package?, rest)),
            }
        }
    }
}
