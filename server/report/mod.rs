//! What the analysis says: findings with their evidence and their fixes, and the comments that silence them.
//!
//! Spans in here are bytes of the **file**. A finding is complete when it leaves the engine: the language server and the
//! terminal only convert and print it.

pub mod apply;
pub mod suppression;

use serde::{Deserialize, Serialize};

use crate::project::Severity;
use crate::text::Span;

/// How sure and how grave a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Level {
    /// Worth a look; nothing may go wrong.
    Hint,
    /// On some path Python raises.
    Warning,
    /// On every path to this point Python raises.
    Error,
}

impl Level {
    /// The level that the user wants; `None` where that is none at all.
    pub fn of(severity: Severity) -> Option<Self> {
        match severity {
            Severity::Off => None,
            Severity::Hint => Some(Self::Hint),
            Severity::Warning => Some(Self::Warning),
            Severity::Error => Some(Self::Error),
        }
    }
}

/// A finding: one defect at one place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The name of the rule, a key of [`crate::rules`].
    pub rule: &'static str,
    /// How sure and how grave it is.
    pub level: Level,
    /// The expression that fails.
    pub span: Span,
    /// One or two sentences, the exact text of the Python error among them. No trailing line break.
    pub message: String,
    /// The evidence, in the order in which it happens at run time.
    pub related: Vec<Related>,
    /// The repairs, the best first.
    pub fixes: Vec<Fix>,
}

/// A piece of a finding's evidence.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Related {
    /// The place, in the same file.
    pub span: Span,
    /// What happens there: "the task is made here".
    pub message: String,
}

/// How far a fix may be trusted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Applicability {
    /// It needs the author's eye.
    Suggestion,
    /// It changes what the program does, as intended. Offered, not applied by default.
    Unsafe,
    /// It changes nothing but the defect. Applied by fix-all.
    Safe,
}

/// One way to repair a finding. Applying all its edits at once leaves text that parses.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fix {
    /// What it does, short, in the imperative: "Await the task".
    pub title: String,
    /// How far it may be trusted.
    pub applicability: Applicability,
    /// Sorted by place, not overlapping. Two insertions at one place are applied in their order.
    pub edits: Vec<TextEdit>,
}

/// A replacement of bytes of the file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct TextEdit {
    /// What goes.
    pub span: Span,
    /// What comes.
    pub content: String,
}
