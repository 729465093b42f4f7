//! The few colours of our own output.

use std::fmt;

/// Bold.
pub const BOLD: &str = "\x1b[1m";
/// Removed lines, errors.
pub const RED: &str = "\x1b[31m";
/// Added lines.
pub const GREEN: &str = "\x1b[32m";
/// Code.
pub const CYAN: &str = "\x1b[36m";

/// A style to print: `{style}` switches it on and `{style:#}` off; both print nothing where there is to be no colour.
#[derive(Clone, Copy, Debug)]
pub struct Style(&'static str);

impl Style {
    /// This colour, if `colored`.
    pub fn new(code: &'static str, colored: bool) -> Self {
        Self(if colored { code } else { "" })
    }
}

impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, f.alternate()) {
            ("", _) => Ok(()),
            (code, false) => f.write_str(code),
            (_, true) => f.write_str("\x1b[0m"),
        }
    }
}
