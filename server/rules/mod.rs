//! The rules: one file each, and beside it the Markdown page that is both its documentation and its test suite.
//!
//! In: what the analysis of one function saw. Out: [`Verdict`]s, findings whose places are still bytes of the item and whose fixes
//! are not drawn up yet; the engine does both. `registry` lists the rules as users know them.

mod before_done;
mod registry;

pub use registry::{RULES, Rule, find};

use crate::fixes::Repair;
use crate::report::Level;
use crate::tasks::Account;
use crate::text::Span;

/// What a rule says about a place. Spans are bytes of the item.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The rule's name.
    pub rule: &'static str,
    /// How sure and how grave.
    pub level: Level,
    /// The expression that fails.
    pub span: Span,
    /// The finding's message.
    pub message: String,
    /// Its evidence, in the order of events.
    pub related: Vec<(Span, String)>,
    /// What its fixes need to know.
    pub repair: Repair,
}

/// What the rules say about a function: `src` is the text of its item, `is_async` that it is an `async def`.
pub fn judge(account: &Account, src: &str, is_async: bool) -> Vec<Verdict> {
    before_done::judge(account, src, is_async)
}
