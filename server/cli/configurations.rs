//! The configuration files that a run meets: paths in, the settings of each file out, and what is wrong in those files.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::args::SettingsArgs;
use super::{terminal, walk};
use crate::project::Settings;
use crate::project::config::{self, Configuration, Layer, Options, Placed, Project, Projects};
use crate::rules::RULES;
use crate::text::{Encoding, Span};

/// The configurations of a run, each read when the first file asks for it.
pub struct Configurations {
    state: Mutex<State>,
    /// What the command line says.
    pub words: Options,
}

struct State {
    projects: Projects,
    /// Those that hold for some file, by path.
    used: BTreeMap<PathBuf, Arc<Configuration>>,
}

impl Configurations {
    /// Those that these words leave.
    ///
    /// # Errors
    /// If the file of `--config` cannot be read.
    pub fn new(args: &SettingsArgs) -> Result<Self, String> {
        let rules = RULES.iter().map(|rule| rule.name).collect();
        let projects = match &args.config {
            _ if args.isolated => Projects::isolated(),
            None => Projects::new(rules),
            Some(path) => {
                let text = fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
                Projects::fixed(rules, &walk::absolute(path), String::from_utf8_lossy(&text).into_owned())
            }
        };
        let given = |names: &[String]| {
            let value = names.to_vec();
            (!value.is_empty()).then_some(Placed { value, at: Span::default() })
        };
        let words = Options { select: given(&args.select), ignore: given(&args.ignore), ..Options::default() };
        Ok(Self { state: Mutex::new(State { projects, used: BTreeMap::new() }), words })
    }

    /// The settings of a file; standard input counts as a file of the working folder.
    pub fn settings(&self, path: &Path) -> Settings {
        let path = walk::absolute(path);
        self.resolve(&path, &self.project(&path))
    }

    /// What the files around the one at `path` say, which must be absolute.
    pub fn project(&self, path: &Path) -> Project {
        self.with(|State { projects, used }| {
            let project = projects.of(path, read);
            if let Some(configuration) = &project.configuration {
                used.entry(configuration.path.clone()).or_insert_with(|| configuration.clone());
            }
            project
        })
    }

    /// What holds for the file at `path`, which is in this project.
    pub fn resolve(&self, path: &Path, project: &Project) -> Settings {
        let here = Layer { options: &self.words, folder: path };
        let file = project.configuration.as_deref();
        let file = file.map(|file| Layer { options: &file.options, folder: file.folder() });
        let layers: Vec<Layer<'_>> = file.into_iter().chain([here]).collect();
        config::settings(path, &layers, project.python.as_ref().map(|(version, _)| *version))
    }

    /// Whether a configuration excludes this file or folder; those around it are not asked about.
    pub fn exclude(&self, path: &Path) -> bool {
        let root = path.parent().unwrap_or(path);
        self.with(|state| state.projects.exclude(path, root, read))
    }

    /// Whether one excludes this file, or a folder around it.
    pub fn exclude_below(&self, path: &Path) -> bool {
        self.with(|state| state.projects.exclude(path, Path::new(""), read))
    }

    /// Says what is not understood in the files that were read.
    pub fn complain(&self, err: &mut dyn Write) {
        let used = self.with(|state| state.used.clone());
        for configuration in used.values() {
            for problem in &configuration.problems {
                let place = configuration.text.position(problem.span.start, Encoding::Utf32);
                let (line, column) = (place.line + 1, place.character + 1);
                let name = terminal::shown(&configuration.path);
                let _ = writeln!(err, "warning: {name}:{line}:{column}: {}", problem.message);
            }
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        // A panic of another file leaves nothing half-done in there.
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The text of a file, if there is one. What is not UTF-8 in it can only be wrong in a place or two.
fn read(path: &Path) -> Option<String> {
    // A pipe could be read for ever.
    if !path.is_file() {
        return None;
    }
    fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::OLDEST;

    #[test]
    fn the_project_of_a_file_tells_its_python() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("old/pyproject.toml", "[project]\nrequires-python = '>=3.9, <4'\n");
        write("old/src/pyproject.toml", "[tool.ruff]\n");
        write("old/own/aiolint.toml", "python-version = '3.13'\n");
        write("new/pyproject.toml", "[tool.poetry.dependencies]\npython = '^3.12'\n");
        write("broken/pyproject.toml", "[project\nrequires-python = '>=3.9'\n");
        let none = SettingsArgs { select: Vec::new(), ignore: Vec::new(), config: None, isolated: false };
        let configurations = Configurations::new(&none).unwrap();
        for (name, expected) in [
            ("old/a.py", (3, 9)),
            ("old/src/a/b.py", (3, 9)),
            ("old/own/a.py", (3, 13)),
            ("new/a.py", (3, 12)),
            ("broken/a.py", OLDEST),
            ("a.py", OLDEST),
        ] {
            assert_eq!(configurations.settings(&folder.path().join(name)).python, expected, "{name}");
        }
    }
}
