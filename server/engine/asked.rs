//! What was asked of other modules on behalf of a file, with the answers: as long as those are the same, so are the file's findings.
//!
//! In: each question, as [`super::modules::View`] puts it. Out: a list without doubles, for whoever keeps findings from one run to the next.
//! A name that is not there is an answer too: the file that brings it changes it.

use std::cell::RefCell;
use std::path::PathBuf;

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::modules::Place;
use crate::facts::hashed;
use crate::project::resolve::Found;

/// A question and its answer. All paths are absolute.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Asked {
    /// Where the files of a folder look for modules.
    Roots(Place, Vec<PathBuf>),
    /// What a name in a folder is.
    Step(PathBuf, String, Option<Found>),
    /// The `__init__` of a package.
    Init(PathBuf, Option<PathBuf>),
    /// The stubs of an installed package.
    Stubs(PathBuf, String, Option<Found>),
    /// What a module exports, by its fingerprint; `None` where it cannot be read.
    Exports(PathBuf, Option<u64>),
}

/// Collects them.
#[derive(Default)]
pub(super) struct Trace {
    asked: RefCell<FxHashSet<Asked>>,
    paths: RefCell<FxHashSet<Box<str>>>,
}

impl Trace {
    pub(super) fn note(&self, asked: Asked) {
        self.asked.borrow_mut().insert(asked);
    }

    /// Those so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.borrow().iter().cloned().collect()
    }

    /// Hashes of the paths of the files that were looked into so far.
    pub(super) fn files(&self) -> Box<[u64]> {
        let asked = self.asked.borrow();
        let files = asked.iter().filter_map(|asked| match asked {
            Asked::Exports(path, _) => Some(hashed(path.as_path())),
            _ => None,
        });
        files.collect()
    }

    /// The file itself asks what a dotted path means.
    pub(super) fn note_path(&self, path: &str) {
        if !self.paths.borrow().contains(path) {
            self.paths.borrow_mut().insert(path.into());
        }
    }

    /// The dotted paths so far.
    pub(super) fn paths(&self) -> Box<[Box<str>]> {
        self.paths.borrow().iter().cloned().collect()
    }
}
