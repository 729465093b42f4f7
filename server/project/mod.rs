//! What holds for a file from outside its text: settings and, later, the other modules.
//!
//! - `python` which Python a project must run on

mod python;

pub use python::{OLDEST, Pythons, oldest_python};

/// What the user chose: which rules run; and what the project says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Only these rules; empty means all. Every name is one that [`crate::rules::find`] knows.
    pub select: Vec<String>,
    /// Not these rules.
    pub ignore: Vec<String>,
    /// The oldest Python that must run the file: `(3, 11)`.
    pub python: (u8, u8),
}

impl Default for Settings {
    fn default() -> Self {
        Self { select: Vec::new(), ignore: Vec::new(), python: OLDEST }
    }
}

impl Settings {
    /// Whether the rule of this name runs.
    pub fn enabled(&self, rule: &str) -> bool {
        (self.select.is_empty() || self.select.iter().any(|name| name == rule))
            && !self.ignore.iter().any(|name| name == rule)
    }
}
