//! What holds for a file from outside its text: settings, the standard library and, later, the other modules.
//!
//! - `python` which Python a project must run on
//! - `files` how anything in here looks at files
//! - `resolve` which file a module is, `environment` where packages are installed
//! - `stdlib` what the standard library's functions and classes give

pub mod environment;
mod files;
mod python;
pub mod resolve;
pub mod stdlib;

pub use files::{Files, NoFiles};
pub use python::{OLDEST, Pythons, oldest_python};

/// The rules that run only where they are selected.
pub const OFF_BY_DEFAULT: &[&str] = &["task-error-unhandled"];

/// What the user chose: which rules run; and what the project says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Only these rules; empty means all but those in [`OFF_BY_DEFAULT`]. Every name is one that [`crate::rules::find`] knows.
    pub select: Vec<String>,
    /// Not these rules.
    pub ignore: Vec<String>,
    /// The oldest Python that must run the file: `(3, 11)`.
    pub python: (u8, u8),
    /// The code runs where `await` is legal at module level, as in the cell of a notebook.
    pub top_level_await: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { select: Vec::new(), ignore: Vec::new(), python: OLDEST, top_level_await: false }
    }
}

impl Settings {
    /// Whether the rule of this name runs.
    pub fn enabled(&self, rule: &str) -> bool {
        let selected = match self.select.as_slice() {
            [] => !OFF_BY_DEFAULT.contains(&rule),
            select => select.iter().any(|name| name == rule),
        };
        selected && !self.ignore.iter().any(|name| name == rule)
    }
}
