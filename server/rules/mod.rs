//! The rules: one file each, and beside it the Markdown page that is both its documentation and its test suite.
//!
//! In: what the analysis of one function saw, or for what is wrong by syntax alone the facts of an item. Out: [`Verdict`]s, findings whose places are still bytes of the item and whose fixes
//! are not drawn up yet; the engine does both. `registry` lists the rules as users know them.

mod await_outside_async;
mod before_done;
mod registry;

pub use registry::{RULES, Rule, find};

use tree_sitter::Node;

use crate::facts::{Facts, ScopeId};
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

/// What the rules say about an item by its syntax alone: `root` is the root of its tree, `src` its text. Each verdict comes with
/// the scope of the function, or module, that evaluates its place.
pub fn judge_syntax(facts: &Facts, root: Node<'_>, src: &str) -> Vec<(ScopeId, Verdict)> {
    await_outside_async::judge(facts, root, src)
}
