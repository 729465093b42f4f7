//! The repairs, one file per kind.
//!
//! In: a [`Site`], the place of a defect with its tree and what the analysis knows about the task. Out: [`Draft`]s, edits on bytes
//! of the item that holds the site. A draft names the modules that it needs and does not import them: only the whole file
//! shows where an import goes and whether another fix brings it already, so the caller adds [`import_edit`] when it turns
//! drafts into fixes. Nothing here searches for defects, and no fix is offered where it would not parse or not help.

mod before_done;
mod edits;
mod guard;
mod imports;
mod place;
mod try_await;

pub use before_done::before_done;
pub use imports::import_edit;

use tree_sitter::Node;

use crate::report::{Applicability, TextEdit};
use crate::text::Span;

/// What is asked of a task before it is done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Method {
    /// `task.result()`
    Result,
    /// `task.exception()`
    Exception,
}

/// Everything a fix needs to know about `task.result()` or `task.exception()` asked too early.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// The text of the item. The spans below are bytes of it.
    pub src: &'a str,
    /// The root of the item's tree.
    pub root: Node<'a>,
    /// The whole `task.result()`.
    pub call: Span,
    /// Its `task`: any expression.
    pub receiver: Span,
    /// What is asked.
    pub method: Method,
    /// The function that holds the call is an `async def`. Lambdas, comprehensions and generator expressions between are
    /// for the fixes to see.
    pub in_async: bool,
    /// Some path cancels the task: then `exception()` may raise `CancelledError` although the task is done.
    pub may_be_cancelled: bool,
    /// Waiting for it here can end. False for the task that runs this code (`asyncio.current_task()`: awaiting it raises, waiting
    /// hangs) and for a plain future that nothing can have completed yet, because only code after this call does.
    pub can_wait: bool,
    /// How this file spells the names of the standard library.
    pub names: &'a dyn Names,
    /// The file's line ending.
    pub newline: &'a str,
}

/// The names that are visible at a [`Site`].
pub trait Names {
    /// How `dotted`, such as `asyncio.wait`, is spelled here (`aio.wait`, `wait`). `None`: its module must be imported, and
    /// then it is spelled as `dotted`.
    fn spelling(&self, dotted: &str) -> Option<String>;
}

/// A fix whose spans are still relative to the item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// What it does, short, in the imperative.
    pub title: String,
    /// How far it may be trusted.
    pub applicability: Applicability,
    /// Sorted by place, not overlapping. Bytes of the item.
    pub edits: Vec<TextEdit>,
    /// The modules that the new text names and the file does not import yet.
    pub imports: Vec<&'static str>,
}
