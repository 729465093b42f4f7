//! The repairs, one file per kind.
//!
//! In: a [`Site`], the place of a defect with its tree, and a [`Repair`], what the analysis knows of it. Out: [`Draft`]s, edits on bytes
//! of the item that holds the site. A draft names the modules that it needs and does not import them: only the whole file
//! shows where an import goes and whether another fix brings it already, so the caller adds [`import_edit`] when it turns
//! drafts into fixes; likewise [`definition_edit`] for what must stand at module level. For the same reason a draft may name what it does
//! [`Beyond`] its item, such as to await the calls of a function that it makes `async`; with the whole file in [`View`] that becomes
//! fixes by [`reach_out`]. Nothing here searches for defects, and no fix is offered where it would not parse or not help.

mod before_done;
mod beyond;
mod callers;
mod cancelled;
mod collected;
mod context;
mod dangling;
mod definitions;
mod edits;
mod ending;
mod guard;
mod imports;
mod lambda;
mod logs;
mod make_async;
mod module_level;
mod nested_run;
mod never_awaited;
mod never_retrieved;
mod place;
mod reused;
mod task_group;
mod try_await;
mod unhandled;

use before_done::before_done;
pub use beyond::{Beyond, Home, ItemView, Need, Outside, Reached, View, home, reach_out};
use cancelled::cancelled;
use collected::given_twice;
use dangling::dangling;
pub use definitions::definition_edit;
pub use imports::import_edit;
use nested_run::nested_run;
use never_awaited::never_awaited;
use never_retrieved::never_retrieved;
use reused::reused;
use unhandled::unhandled;

use tree_sitter::Node;

use crate::report::{Applicability, TextEdit};
use crate::text::Span;

/// Where a defect stands: what every fix needs to know.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// The text of the item. All spans are bytes of it.
    pub src: &'a str,
    /// The root of the item's tree.
    pub root: Node<'a>,
    /// The function that holds the place is an `async def`. Lambdas, comprehensions and generator expressions between are
    /// for the fixes to see.
    pub in_async: bool,
    /// How this file spells the names of the standard library.
    pub names: &'a dyn Names,
    /// The file's line ending.
    pub newline: &'a str,
    /// The oldest Python that must run the file: `(3, 11)`.
    pub python: (u8, u8),
}

impl Site<'_> {
    /// How this file spells a name of the standard library; its module is noted in `imports` where it must be imported for that.
    fn spelled(&self, dotted: &'static str, imports: &mut Vec<&'static str>) -> String {
        self.names.spelling(dotted).unwrap_or_else(|| {
            let module = dotted.split('.').next().unwrap_or(dotted);
            if !imports.contains(&module) {
                imports.push(module);
            }
            dotted.to_owned()
        })
    }
}

/// What is wrong at a place, as far as its repair needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Repair {
    /// `task.result()` or `task.exception()` is asked too early.
    BeforeDone(Asked),
    /// A coroutine that nothing awaits.
    NeverAwaited(NeverAwaited),
    /// A coroutine that is awaited again.
    Reused(Reused),
    /// A coroutine that is given to a function which awaits it twice.
    GivenTwice(GivenTwice),
    /// An `await`, `async with`, `async for` or asynchronous comprehension where none is legal.
    OutsideAsync(Outside),
    /// A task that nothing holds.
    Dangling(Dangling),
    /// A task whose exception nobody asks for.
    NeverRetrieved(NeverRetrieved),
    /// A question or wait that raises `CancelledError`.
    Cancelled(Cancelled),
    /// An `await` or a `task.result()` that raises what the task raised: the whole expression.
    Unhandled(Span),
    /// `asyncio.run(f())` where a loop is running: the whole call, and the coroutine in it.
    NestedRun {
        /// The call of `asyncio.run`.
        run: Span,
        /// Its argument.
        coroutine: Span,
    },
    /// Nothing to offer.
    None,
}

/// The repairs of what is wrong at a site, the best first.
pub fn draw_up(site: &Site, repair: &Repair) -> Vec<Draft> {
    match repair {
        Repair::BeforeDone(asked) => before_done(site, asked),
        Repair::NeverAwaited(left) => never_awaited(site, left),
        Repair::Reused(again) => reused(site, again),
        Repair::GivenTwice(given) => given_twice(site, given),
        Repair::OutsideAsync(outside) => vec![Draft::beyond(Beyond::OutsideAsync(*outside))],
        Repair::Dangling(task) => dangling(site, task),
        Repair::NeverRetrieved(task) => never_retrieved(site, task),
        Repair::Cancelled(at) => cancelled(site, at),
        Repair::Unhandled(at) => unhandled(site, *at),
        Repair::NestedRun { run, coroutine } => nested_run(site, *run, *coroutine),
        Repair::None => Vec::new(),
    }
}

/// A title about a call: `VERB` and the call, where that is short enough for a menu, and what follows.
fn labelled(verb: &str, call: &str, rest: &str) -> String {
    let short = call.len() <= 40 && !call.contains(['\n', '\r', '`']);
    if short { format!("{verb} `{call}`{rest}") } else { format!("{verb} it{rest}") }
}

/// What is asked of a task before it is done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Method {
    /// `task.result()`
    Result,
    /// `task.exception()`
    Exception,
}

/// `task.result()` or `task.exception()`, asked too early.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The whole `task.result()`.
    pub call: Span,
    /// Its `task`: any expression.
    pub receiver: Span,
    /// What is asked.
    pub method: Method,
    /// Some path cancels the task: then `exception()` may raise `CancelledError` although the task is done.
    pub may_be_cancelled: bool,
    /// Waiting for it here can end. False for the task that runs this code (`asyncio.current_task()`: awaiting it raises, waiting
    /// hangs) and for a plain future that nothing can have completed yet, because only code after this call does.
    pub can_wait: bool,
    /// `call` is not the question but a call of a function that is given the task, `receiver`, and asks.
    pub asked_elsewhere: bool,
}

/// A coroutine that is made and never awaited, on some path at least.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NeverAwaited {
    /// The call that makes it.
    pub call: Span,
    /// The variable that holds it, or the list or set that it is in, where there is one.
    pub held_by: Option<String>,
    /// `held_by` is a list, tuple or set of coroutines.
    pub in_collection: bool,
    /// Other paths await it: a statement (`return`, `raise`, `break`, or the branch's last) before which this path could close it.
    pub leaves_at: Option<Span>,
}

/// A coroutine that is awaited, or given to a task, once more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reused {
    /// The call that makes it.
    pub made: Span,
    /// The expression (`await coro`, `asyncio.create_task(coro)`) that used it first.
    pub first: Span,
    /// The expression that uses it again: the same one in a loop.
    pub again: Span,
    /// The variable or attribute by which `again` names it: `coro`, `self.coro`.
    pub name: Option<String>,
    /// Every path to `again` has used it before.
    pub always: bool,
}

/// A coroutine that is given to a function which awaits it twice, and does nothing else with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GivenTwice {
    /// The call that makes it.
    pub made: Span,
    /// The expression that gives it away.
    pub call: Span,
    /// The variable by which it is given.
    pub name: Option<String>,
}

/// A task that is dropped where it is made, or kept in a variable that nobody reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dangling {
    /// The call that makes it.
    pub call: Span,
}

/// A task whose exception would never be seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NeverRetrieved {
    /// The call that makes the task.
    pub call: Span,
    /// The variable that holds it, or the list, set or dict of all.
    pub held_by: Option<String>,
    /// `held_by` is a collection of tasks.
    pub in_collection: bool,
    /// What was done with it.
    pub how: Unretrieved,
}

/// What was done with a task instead of asking for its exception.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unretrieved {
    /// Nothing.
    Kept,
    /// The whole `await asyncio.wait(…)`.
    Waited(Span),
    /// The whole `task.add_done_callback(tasks.discard)`.
    OnlyDiscarded(Span),
}

/// `task.exception()`, `task.result()` or `await task` on a task that was asked to cancel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cancelled {
    /// The whole call or `await`.
    pub at: Span,
    /// The task in it: any expression.
    pub receiver: Span,
    /// It is an `await`.
    pub is_await: bool,
    /// The task is the parameter of a done callback; this is the callback, a `def` or a `lambda`.
    pub callback: Option<Span>,
    /// Another method made the task.
    pub is_kept: bool,
}

/// The names that are visible at a [`Site`].
pub trait Names {
    /// How `dotted`, such as `asyncio.wait`, is spelled here (`aio.wait`, `wait`). `None`: its module must be imported, and
    /// then it is spelled as `dotted`.
    fn spelling(&self, dotted: &str) -> Option<String>;

    /// What `name` is at module level. `None`: the module does not bind it.
    fn global(&self, name: &str) -> Option<Global>;
}

/// What a name of the module is, in all its bindings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Global {
    /// An import of this: `logging`, `logging.getLogger`.
    Import(String),
    /// A plain function: not `async`, no generator, not decorated.
    Function,
    /// What a call of this gave: `builtins.set`, `logging.getLogger`.
    Call(String),
    /// Something else, or hidden at the site by a variable of its function.
    Other,
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
    /// What must stand at module level before the item: whole statements, in order, without a line break at the end.
    pub definitions: Vec<String>,
    /// Instead of all that: what can only be drawn up with the whole file in view. It becomes any number of fixes.
    pub beyond: Option<Beyond>,
}

impl Draft {
    fn new(title: String, applicability: Applicability, edits: Vec<TextEdit>) -> Self {
        Self { title, applicability, edits, imports: Vec::new(), definitions: Vec::new(), beyond: None }
    }

    fn beyond(beyond: Beyond) -> Self {
        Self { beyond: Some(beyond), ..Self::new(String::new(), Applicability::Suggestion, Vec::new()) }
    }
}
