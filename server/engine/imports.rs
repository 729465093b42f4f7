//! What the findings of a file rest on outside of it, for those who keep the findings and not the file.
//!
//! In: what was asked of other modules while the file was analysed. Out: [`Imports`], which tells for a few look-ups whether an analysis
//! would still see the same. [`super::asked`] keeps all questions, for a run that starts with nothing; this keeps what the names meant that the
//! file itself uses, so that a module may change in what others use of it. Thousands of closed files are known by little more.

use std::path::Path;

use super::asked::Trace;
use super::modules::{Modules, View};
use crate::facts::hashed;
use crate::project::Settings;
use crate::tasks::modules::{Modules as Lookup, fingerprint};

/// What a file imports, and what it meant.
#[derive(Debug)]
pub struct Imports {
    /// Dotted paths, as the file writes them.
    paths: Box<[Box<str>]>,
    /// The files that were looked into for them: hashes of their paths.
    files: Box<[u64]>,
    /// What the paths meant.
    fingerprint: u64,
}

impl Imports {
    /// Those that were asked for, and what they mean now.
    pub(super) fn new(trace: &Trace, view: &View<'_>) -> Self {
        let paths = trace.paths();
        Self { fingerprint: meaning(view, &paths), paths, files: trace.files() }
    }

    /// Whether nothing was asked of other modules.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Whether something else in the file at `path`, which was there before, can matter.
    pub fn concern(&self, path: &Path) -> bool {
        self.files.contains(&hashed(path))
    }
}

impl Modules {
    /// Whether the imports of the file at `path` still mean what they did.
    pub fn mean_the_same(&self, path: &Path, settings: &Settings, imports: &Imports) -> bool {
        let view = View { modules: self, file: path, settings, trace: None };
        meaning(&view, &imports.paths) == imports.fingerprint
    }
}

fn meaning(modules: &dyn Lookup, paths: &[Box<str>]) -> u64 {
    paths.iter().fold(0, |sum: u64, path| sum.wrapping_add(hashed(&(path, fingerprint(modules, path)))))
}
