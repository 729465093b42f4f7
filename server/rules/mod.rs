//! The rules: one file each, and beside it the Markdown page that is both its documentation and its test suite.
//!
//! In: what the analysis of one function saw, or for what is wrong by syntax alone the facts of an item. Out: [`Verdict`]s, findings
//! whose places are still bytes of the item and whose fixes are not drawn up yet; the engine does both. `registry` lists the rules as users know them.

mod await_outside_async;
mod before_done;
mod cancelled_task_unguarded;
mod coroutine_never_awaited;
mod coroutine_reused;
mod dangling_task;
mod registry;
mod task_error_unhandled;
mod task_exception_never_retrieved;

pub use registry::{RULES, Rule, find};

use tree_sitter::Node;

use crate::facts::{Facts, ScopeId};
use crate::fixes::Repair;
use crate::report::Level;
use crate::tasks::{Account, Elsewhere};
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
    /// More of it, in other functions of the file.
    pub elsewhere: Vec<(Elsewhere, String)>,
    /// What its fixes need to know.
    pub repair: Repair,
}

/// The function that is judged.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The text of its item.
    pub src: &'a str,
    /// It is an `async def`.
    pub is_async: bool,
    /// Its node, without decorators.
    pub span: Span,
    /// Some task of the file has it as a done callback; the flag says that such a task is seen to be cancelled.
    pub callback: Option<bool>,
}

/// What the rules say about a function.
pub fn judge(account: &Account, subject: &Subject<'_>) -> Vec<Verdict> {
    let src = subject.src;
    let mut verdicts = before_done::judge(account, src, subject.is_async);
    verdicts.extend(cancelled_task_unguarded::judge(account, subject));
    verdicts.extend(coroutine_never_awaited::judge(account, src));
    verdicts.extend(coroutine_reused::judge(account));
    verdicts.extend(dangling_task::judge(account));
    verdicts.extend(task_exception_never_retrieved::judge(account));
    verdicts.extend(task_error_unhandled::judge(account, src));
    verdicts.sort_by_key(|verdict| (verdict.span, verdict.rule));
    verdicts
}

/// The source of an expression, for a message.
fn quoted(span: Span, src: &str) -> &str {
    span.of(src)
}

/// What the rules say about an item by its syntax alone: `root` is the root of its tree, `src` its text. Each verdict comes with
/// the scope of the function, or module, that evaluates its place.
pub fn judge_syntax(facts: &Facts, root: Node<'_>, src: &str) -> Vec<(ScopeId, Verdict)> {
    await_outside_async::judge(facts, root, src)
}
