//! What a project says in `aiolint.toml`, or in `[tool.aiolint]` of its `pyproject.toml`.
//!
//! In: the texts of these files, by a function that reads them; this folder does no I/O. Out: [`Options`], what one file (or the editor, or
//! the command line) says, each with its place; and the [`super::Settings`] of a Python file, which come of several. Nothing in such a file
//! is fatal: what is not understood becomes a [`Problem`] with its place, and the rest holds.
//!
//! - `value` TOML, and JSON from editors, as one small tree with places
//! - `read` that tree to options and problems
//! - `globs` patterns of paths, `trust` what is known of functions out of view
//! - `projects` which files hold for a folder
//! - `settings` which of several answers holds

mod globs;
mod projects;
mod read;
mod settings;
mod trust;
mod value;

use std::path::{Path, PathBuf};

use crate::text::{Span, Text};

pub use globs::Globs;
pub use projects::{Project, Projects};
pub use read::{KEYS, read};
pub use settings::{Layer, settings};
pub use trust::{DottedNames, Trust, Trusted};
pub(super) use value::place;
pub use value::{Entry, Shape, Value};

/// The file that is ours alone; it wins over the other one beside it.
pub const OWN_FILE: &str = "aiolint.toml";
/// The file that all tools share.
pub const SHARED_FILE: &str = "pyproject.toml";

/// What is done with the findings of a rule.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Severity {
    /// There are none.
    Off,
    /// They are hints.
    Hint,
    /// They are warnings.
    Warning,
    /// They are errors.
    Error,
}

/// The severities by the words for them.
pub const SEVERITIES: [(&str, Severity); 4] =
    [("error", Severity::Error), ("warning", Severity::Warning), ("hint", Severity::Hint), ("off", Severity::Off)];

/// A value and where its key stands: bytes of its file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// The key.
    pub at: Span,
}

/// The rules that do not run in the files that some patterns name.
pub type FileIgnores = (Globs, Vec<String>);

/// What one source says: a file, the editor or the command line. What it does not mention is `None`. The names of rules are known ones.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Only these rules.
    pub select: Option<Placed<Vec<String>>>,
    /// Not these rules.
    pub ignore: Option<Placed<Vec<String>>>,
    /// Not these rules in the files that a pattern names.
    pub per_file_ignores: Option<Placed<Vec<FileIgnores>>>,
    /// How grave the findings of a rule are.
    pub severity: Option<Placed<Vec<(String, Severity)>>>,
    /// The oldest Python that must run the code.
    pub python_version: Option<Placed<(u8, u8)>>,
    /// Not these files.
    pub exclude: Option<Placed<Globs>>,
    /// The folders that modules are imported from.
    pub src: Option<Placed<Vec<String>>>,
    /// The virtual environment that the code runs in.
    pub environment: Option<Placed<String>>,
    /// Decorators under which a coroutine function may be called bare.
    pub safe_decorators: Option<Placed<DottedNames>>,
    /// Functions that keep a task.
    pub task_keepers: Option<Placed<DottedNames>>,
    /// Functions that consume a coroutine.
    pub coroutine_consumers: Option<Placed<DottedNames>>,
}

/// Something in a configuration that is not understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Bytes of its file.
    pub span: Span,
    /// One sentence, without a full stop.
    pub message: String,
}

/// A configuration file.
#[derive(Debug)]
pub struct Configuration {
    /// Where it is: absolute.
    pub path: PathBuf,
    /// Its text.
    pub text: Text,
    /// What it says.
    pub options: Options,
    /// What in it is not understood, by place.
    pub problems: Vec<Problem>,
}

impl Configuration {
    /// The folder that its paths and patterns are relative to.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// The number of the line that holds `at`, from 1.
    pub fn line(&self, at: Span) -> u32 {
        self.text.position(at.start, crate::text::Encoding::Utf8).line + 1
    }
}
