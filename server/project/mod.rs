//! What holds for a file from outside its text: settings, the standard library, and where other modules are.
//!
//! - `config` what configuration files, editors and the command line say
//! - `python` which Python a project must run on
//! - `files` how anything in here looks at files
//! - `resolve` which file a module is, `environment` where packages are installed
//! - `stdlib` what the standard library's functions and classes give

use std::path::PathBuf;
use std::sync::Arc;

pub mod config;
pub mod environment;
mod files;
mod python;
pub mod resolve;
pub mod stdlib;

pub use config::Severity;
pub use files::{Files, NoFiles};
pub use python::OLDEST;

/// The rules that run only where they are selected.
pub const OFF_BY_DEFAULT: &[&str] = &["task-error-unhandled"];

/// What holds for one file: what the user chose, and what the project says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// Only these rules; where there are none, all but those in [`OFF_BY_DEFAULT`]. Every name is one that [`crate::rules::find`]
    /// knows.
    pub select: Option<Vec<String>>,
    /// Not these rules.
    pub ignore: Vec<String>,
    /// How grave the findings of a rule are, where that is not the rule's own choice. A rule that is off by default runs if it
    /// has one.
    pub severity: Vec<(String, Severity)>,
    /// The oldest Python that must run the file: `(3, 11)`.
    pub python: (u8, u8),
    /// The code runs where `await` is legal at module level, as in the cell of a notebook.
    pub top_level_await: bool,
    /// What the user knows of functions.
    pub trust: Arc<config::Trust>,
    /// The folders that modules are imported from, absolute; empty where nobody says.
    pub src: Vec<PathBuf>,
    /// The virtual environment that the code runs in, absolute.
    pub environment: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            select: None,
            ignore: Vec::new(),
            severity: Vec::new(),
            python: OLDEST,
            top_level_await: false,
            trust: Arc::default(),
            src: Vec::new(),
            environment: None,
        }
    }
}

impl Settings {
    /// Whether the rule of this name runs.
    pub fn enabled(&self, rule: &str) -> bool {
        let severity = self.severity(rule);
        let selected = match &self.select {
            None => severity.is_some() || !OFF_BY_DEFAULT.contains(&rule),
            Some(select) => select.iter().any(|name| name == rule),
        };
        selected && severity != Some(Severity::Off) && !self.ignore.iter().any(|name| name == rule)
    }

    /// How grave the findings of this rule are, where somebody says.
    pub fn severity(&self, rule: &str) -> Option<Severity> {
        self.severity.iter().find(|(name, _)| name == rule).map(|(_, severity)| *severity)
    }
}
