//! The rules: one file each, and beside it the Markdown page that is both its documentation and its test suite.
//!
//! In: what the analysis of one function saw. Out: [`Verdict`]s, findings whose places are still bytes of the item and whose fixes
//! are not drawn up yet; the engine does both. `registry` lists the rules as users know them.

mod before_done;
mod registry;

pub use registry::{RULES, Rule, find};

use crate::fixes::Method;
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
    /// The `task.result` that is called.
    pub ask: Span,
    /// What is asked.
    pub method: Method,
    /// The finding's message.
    pub message: String,
    /// Its evidence, in the order of events.
    pub related: Vec<(Span, String)>,
    /// Some path asks the task to cancel.
    pub may_be_cancelled: bool,
    /// Waiting for it can end.
    pub can_wait: bool,
}

/// What the rules say about a function: `src` is the text of its item, `is_async` that it is an `async def`.
pub fn judge(account: &Account, src: &str, is_async: bool) -> Vec<Verdict> {
    before_done::judge(account, src, is_async)
}
