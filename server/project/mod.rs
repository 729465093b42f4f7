//! What holds for a file from outside its text: settings, the standard library and, later, the other modules.

pub mod stdlib;

/// The rules that run only where they are selected.
pub const OFF_BY_DEFAULT: &[&str] = &["task-error-unhandled"];

/// What the user chose: which rules run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The oldest Python that must run the files: `(3, 11)`.
    pub python: (u8, u8),
    /// Only these rules; empty means all but those in [`OFF_BY_DEFAULT`]. Every name is one that [`crate::rules::find`] knows.
    pub select: Vec<String>,
    /// Not these rules.
    pub ignore: Vec<String>,
}

impl Default for Settings {
    /// Every rule, for the oldest Python that is supported.
    fn default() -> Self {
        Self { python: (3, 11), select: Vec::new(), ignore: Vec::new() }
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
