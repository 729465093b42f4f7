//! Which configuration holds for a folder: the nearest at or above it, as each `aiolint.toml` and `pyproject.toml` says.
//!
//! In: a path, and a way to read a file. Out: a [`Project`]. Each folder is read once; whoever learns that a file has changed starts with
//! none.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::value::Document;
use super::{Configuration, OWN_FILE, SHARED_FILE, read};
use crate::project::python::oldest_python;
use crate::text::{Span, Text};

/// What holds for the files of a folder.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// The nearest configuration.
    pub configuration: Option<Arc<Configuration>>,
    /// The oldest Python by the nearest `pyproject.toml` that tells.
    pub python: Option<((u8, u8), PythonSource)>,
}

/// A release of Python, and the line that requires it, from 1.
type RequiredPython = ((u8, u8), u32);

/// Where a `pyproject.toml` tells of Python: the file, and the line from 1.
pub type PythonSource = (Arc<Path>, u32);

/// The folders that were asked about.
#[derive(Default)]
pub struct Projects {
    folders: FxHashMap<PathBuf, Project>,
    /// The names of all rules.
    rules: Vec<&'static str>,
    /// This configuration holds everywhere.
    fixed: Option<Arc<Configuration>>,
    /// No file is looked for.
    isolated: bool,
}

impl Projects {
    /// None is known yet; `rules` are the names of all rules.
    pub fn new(rules: Vec<&'static str>) -> Self {
        Self { rules, ..Self::default() }
    }

    /// The configuration at `path`, with this text, holds everywhere; of the others only the Python that they require counts.
    pub fn fixed(rules: Vec<&'static str>, path: &Path, text: String) -> Self {
        let is_shared = path.file_name().is_some_and(|name| name == SHARED_FILE);
        let configuration = if is_shared { shared(path, text, &rules).0 } else { own(path, text, &rules) };
        Self { fixed: configuration.map(Arc::new), ..Self::new(rules) }
    }

    /// No file holds anywhere.
    pub fn isolated() -> Self {
        Self { isolated: true, ..Self::default() }
    }

    /// What holds for the file, or folder, at `path`, which must be absolute. `read` gives the text of a file, or nothing where
    /// there is none.
    pub fn of(&mut self, path: &Path, read: impl Fn(&Path) -> Option<String>) -> Project {
        if self.isolated {
            return Project::default();
        }
        let mut asked = Vec::new();
        let mut project = Project::default();
        for folder in path.ancestors().skip(1) {
            if let Some(known) = self.folders.get(folder) {
                project = known.clone();
                break;
            }
            asked.push(folder);
        }
        for folder in asked.into_iter().rev() {
            self.look_into(folder, &read, &mut project);
            self.folders.insert(folder.to_owned(), project.clone());
        }
        Project { configuration: self.fixed.clone().or(project.configuration), ..project }
    }

    /// What the files of this folder say, over what those above it say.
    fn look_into(&self, folder: &Path, read: &impl Fn(&Path) -> Option<String>, project: &mut Project) {
        let path = folder.join(SHARED_FILE);
        if let Some(text) = read(&path) {
            let (configuration, python) = shared(&path, text, &self.rules);
            project.configuration = configuration.map(Arc::new).or(project.configuration.take());
            if let Some((version, line)) = python {
                project.python = Some((version, (path.into(), line)));
            }
        }
        let path = folder.join(OWN_FILE);
        if let Some(configuration) = read(&path).and_then(|text| own(&path, text, &self.rules)) {
            project.configuration = Some(Arc::new(configuration));
        }
    }

    /// Whether a configuration excludes the file or folder at `path`, or a folder around it below `root`. Those of the folders
    /// on the way are heard.
    pub fn exclude(&mut self, path: &Path, root: &Path, read: impl Fn(&Path) -> Option<String>) -> bool {
        let below = path.ancestors().take_while(|part| *part != root && part.parent().is_some());
        let mut parts: Vec<&Path> = below.collect();
        parts.reverse();
        parts.into_iter().any(|part| {
            let project = self.of(part, &read);
            let Some(configuration) = project.configuration else { return false };
            let exclude = configuration.options.exclude.as_ref();
            exclude.is_some_and(|exclude| exclude.value.name(part.strip_prefix(configuration.folder()).unwrap_or(part)))
        })
    }
}

/// An `aiolint.toml`.
fn own(path: &Path, text: String, rules: &[&str]) -> Option<Configuration> {
    if text.len() > Text::MAX_LEN {
        return None;
    }
    let document = Document::parse(&text);
    let (options, mut problems) = read(&document.entries(&document.table), rules);
    problems.splice(0..0, document.error);
    Some(Configuration { path: path.to_owned(), options, problems, text: Text::new(text) })
}

/// What a `pyproject.toml` has for us, if it has, and the oldest Python with its line.
fn shared(path: &Path, text: String, rules: &[&str]) -> (Option<Configuration>, Option<RequiredPython>) {
    if text.len() > Text::MAX_LEN {
        return (None, None);
    }
    let document = Document::parse(&text);
    let python = oldest_python(&document.table).filter(|_| document.error.is_none());
    let table = document.below(&["tool", "aiolint"]).map(|table| document.entries(table));
    // In a file that is broken elsewhere, our table may be what is missing.
    let is_ours = table.is_some() || document.error.is_some() && text.contains("[tool.aiolint");
    let (options, mut problems) = read(&table.unwrap_or_default(), rules);
    problems.splice(0..0, document.error);
    let text = Text::new(text);
    let line = |at: Span| text.position(at.start, crate::text::Encoding::Utf8).line + 1;
    let python = python.map(|(version, at)| (version, line(at)));
    (is_ours.then(|| Configuration { path: path.to_owned(), options, problems, text }), python)
}
