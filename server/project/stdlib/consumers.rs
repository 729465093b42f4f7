//! Paths of functions in, what they do to the coroutine objects they are given out. Written by hand: no type tells it.

use super::{Versions, class};

/// A function that runs the coroutines it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// Its canonical path, or that of its class and its name: `asyncio.TaskGroup.create_task`.
    pub path: &'static str,
    /// Which argument.
    pub takes: Takes,
    /// From when on the coroutine counts as consumed.
    pub when: When,
    /// Where it is so; elsewhere it raises.
    pub versions: Versions,
}

/// Where a function takes its coroutines. The object of a method is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// The first argument, which has this keyword.
    First(&'static str),
    /// Each positional argument.
    Each,
    /// The elements of the first argument, which has this keyword.
    Elements(&'static str),
}

/// When a function consumes what it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At the call.
    Called,
    /// When its own coroutine is awaited or made a task: an unawaited `wait_for(f(), 1)` leaves two coroutines behind.
    Awaited,
    /// When the first element is asked for. From 3.13 on at the call.
    Iterated,
}

/// What the function of this path consumes; inherited methods have the path of any heir, as `asyncio.EventLoop.create_task`.
pub fn consumer(path: &str) -> Option<&'static Consumer> {
    if let Ok(index) = CONSUMERS.binary_search_by(|consumer| consumer.path.cmp(path)) {
        return CONSUMERS.get(index);
    }
    let (owner, name) = path.rsplit_once('.')?;
    class(owner)?.bases.iter().find_map(|base| consumer(&format!("{base}.{name}")))
}

/// Whether the function of this path keeps nothing of its arguments and consumes nothing: a coroutine is after the call what
/// it was before it.
pub fn only_looks(path: &str) -> bool {
    ONLY_LOOK.binary_search(&path).is_ok()
}

/// By their paths, sorted.
pub const CONSUMERS: &[Consumer] = &[
    called("asyncio.AbstractEventLoop.create_task", Takes::First("coro")),
    called("asyncio.AbstractEventLoop.run_until_complete", Takes::First("future")),
    called("asyncio.Runner.run", Takes::First("coro")),
    called("asyncio.Task", Takes::First("coro")),
    called("asyncio.TaskGroup.create_task", Takes::First("coro")),
    Consumer { when: When::Iterated, ..called("asyncio.as_completed", Takes::Elements("fs")) },
    called("asyncio.create_task", Takes::First("coro")),
    called("asyncio.ensure_future", Takes::First("coro_or_future")),
    called("asyncio.gather", Takes::Each),
    called("asyncio.run", Takes::First("main")),
    called("asyncio.run_coroutine_threadsafe", Takes::First("coro")),
    called("asyncio.shield", Takes::First("arg")),
    // From 3.11 on: TypeError: Passing coroutines is forbidden, use tasks explicitly.
    Consumer {
        when: When::Awaited,
        versions: Versions { until: Some(10), ..Versions::ALL },
        ..called("asyncio.wait", Takes::Elements("fs"))
    },
    Consumer { when: When::Awaited, ..called("asyncio.wait_for", Takes::First("fut")) },
];

const fn called(path: &'static str, takes: Takes) -> Consumer {
    Consumer { path, takes, when: When::Called, versions: Versions::ALL }
}

/// Functions that keep nothing of what they are given, sorted. Not in here: what hands its argument on (`typing.cast`) and what
/// may hand it to code out of view (`logging` to its handlers).
#[rustfmt::skip]
pub const ONLY_LOOK: &[&str] = &[
    "asyncio.iscoroutine", "asyncio.iscoroutinefunction", "asyncio.isfuture", "builtins.ascii", "builtins.bool",
    "builtins.callable", "builtins.dir", "builtins.format", "builtins.hasattr", "builtins.hash", "builtins.id",
    "builtins.isinstance", "builtins.len", "builtins.print", "builtins.repr", "builtins.str", "builtins.type",
    "inspect.getcoroutinelocals", "inspect.getcoroutinestate", "inspect.isawaitable", "inspect.iscoroutine",
    "inspect.iscoroutinefunction", "pprint.pformat", "pprint.pprint", "reprlib.repr", "sys.getrefcount", "sys.getsizeof",
];
