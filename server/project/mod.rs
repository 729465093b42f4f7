//! What holds for a file from outside its text: settings and, later, the other modules.

/// What the user chose: which rules run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Only these rules; empty means all. Every name is one that [`crate::rules::find`] knows.
    pub select: Vec<String>,
    /// Not these rules.
    pub ignore: Vec<String>,
    /// The code runs where `await` is legal at module level, as in the cell of a notebook.
    pub top_level_await: bool,
}

impl Settings {
    /// Whether the rule of this name runs.
    pub fn enabled(&self, rule: &str) -> bool {
        (self.select.is_empty() || self.select.iter().any(|name| name == rule))
            && !self.ignore.iter().any(|name| name == rule)
    }
}
