//! Dotted names through imports and back: `aio.create_task` is `asyncio.create_task`, which here is spelled `aio.create_task`.
//!
//! A name that is bound in several ways has no meaning, unless all of them agree: then nothing is said about it.

use tree_sitter::Node;

use super::{BindingKind, Facts, Meaning, ModuleNames, Resolved, ScopeId, Symbol};
use crate::tree::{quirks, text_of};

/// What the names of an item mean, the rest of its module considered.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The item's facts.
    pub facts: &'a Facts,
    /// The module that it is part of.
    pub module: &'a ModuleNames,
    /// The item's text.
    pub src: &'a str,
}

impl Names<'_> {
    /// The canonical dotted path of `expr`, a name or attributes of a name that `scope` evaluates: `asyncio.create_task` however
    /// it was imported, `builtins.print`, `.sibling.f` for relative imports. `None` for anything else, and for names that the
    /// module or a function binds in another way.
    pub fn dotted(&self, scope: ScopeId, expr: Node<'_>) -> Option<String> {
        let mut members = Vec::new();
        let mut node = quirks::without_star(expr);
        while node.kind() == "attribute" {
            members.push(text_of(node.child_by_field_name("attribute")?, self.src));
            node = quirks::without_star(node.child_by_field_name("object")?);
        }
        if node.kind() != "identifier" {
            return None;
        }
        self.path(scope, text_of(node, self.src), members.into_iter().rev())
    }

    /// The same for an expression in text form, such as an annotation or the callee of a [`BindingKind::CallResult`].
    pub fn dotted_text(&self, scope: ScopeId, text: &str) -> Option<String> {
        let mut parts = text.split('.').map(str::trim);
        let is_name = |part: &str| {
            part.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_alphanumeric() || c == '_')
        };
        let root = parts.next()?;
        if !is_name(root) || !parts.clone().all(is_name) {
            return None;
        }
        self.path(scope, root, parts)
    }

    /// The class that an annotation names where `scope` evaluates it: a canonical dotted path, or the plain name of a class of the module.
    pub fn annotated(&self, scope: ScopeId, annotation: &str) -> Option<String> {
        let written = super::bare(annotation);
        let is_class = || {
            let is_module = self.facts.resolve(scope, written) == Resolved::Module;
            is_module && self.module.meaning(written) == Some(&Meaning::Class)
        };
        self.dotted_text(scope, written).or_else(|| is_class().then(|| written.to_owned()))
    }

    /// The canonical dotted path of the function whose result the name is: `asyncio.get_running_loop` after
    /// `loop = asyncio.get_running_loop()`, if that is the only way in which it is bound.
    pub fn call_result(&self, scope: ScopeId, name: &str) -> Option<String> {
        match self.facts.resolve(scope, name) {
            Resolved::Local(owner) => match sole_kind(self.facts.symbol(owner, name)?)? {
                BindingKind::CallResult(callee) => self.dotted_text(owner, callee),
                _ => None,
            },
            Resolved::Module => match self.module.meaning(name)? {
                Meaning::CallResult(callee) => self.dotted_text(ScopeId(0), callee),
                _ => None,
            },
        }
    }

    /// The class, or function, whose call gave what the name holds, or that its annotation names: one of the module, or a dotted path.
    pub fn class_held(&self, scope: ScopeId, name: &str) -> Option<String> {
        let (scope, callee) = match self.facts.resolve(scope, name) {
            Resolved::Local(owner) => match sole_kind(self.facts.symbol(owner, name)?)? {
                BindingKind::CallResult(callee) => (owner, callee),
                BindingKind::Parameter(Some(annotation)) => (self.facts.scope(owner)?.parent?, annotation),
                _ => return None,
            },
            Resolved::Module => match self.module.meaning(name)? {
                Meaning::CallResult(callee) => (ScopeId(0), callee),
                _ => return None,
            },
        };
        self.class_of(scope, callee)
    }

    /// The class, or function, that this callee is.
    pub fn class_called(&self, scope: ScopeId, callee: Node<'_>) -> Option<String> {
        self.class_of(scope, text_of(callee, self.src))
    }

    fn class_of(&self, scope: ScopeId, written: &str) -> Option<String> {
        let is_class = self.module.class(written).is_some() && self.facts.resolve(scope, written) == Resolved::Module;
        if is_class { Some(written.to_owned()) } else { self.dotted_text(scope, written) }
    }

    /// How the code at `offset` can spell `dotted`, a canonical path such as `asyncio.wait`: `wait`, `aio.wait`, `asyncio.wait`, by
    /// the imports that are visible there. `None`: it needs an import.
    pub fn spelling(&self, offset: u32, dotted: &str) -> Option<String> {
        let from = self.facts.scope_at(offset);
        let (module, last) = dotted.rsplit_once('.')?;
        let mut best: Option<(u8, String)> = None;
        let mut consider = |name: &str, path: &str| {
            let path = canonical(path);
            let spelled = if path == dotted {
                (0, name.to_owned())
            } else if path == module {
                (1, format!("{name}.{last}"))
            } else {
                return;
            };
            if best.as_ref().is_none_or(|best| spelled < *best) {
                best = Some(spelled);
            }
        };
        for id in self.facts.outwards(from).filter(|&id| id != ScopeId(0)) {
            for (name, symbol) in &self.facts.scopes[id.0 as usize].symbols {
                if let Some(BindingKind::Import(path)) = sole_kind(symbol)
                    && symbol
                        .bindings
                        .iter()
                        .any(|binding| !binding.typing_only && (id != from || binding.span.end <= offset))
                    && self.facts.resolve(from, name) == Resolved::Local(id)
                {
                    consider(name, path);
                }
            }
        }
        for (name, meaning) in self.module.iter() {
            if let Meaning::Import(path) = meaning
                && !self.module.is_typing_only(name)
                && self.facts.resolve(from, name) == Resolved::Module
            {
                consider(name, path);
            }
        }
        best.map(|(_, spelled)| spelled)
    }

    fn path<'n>(&self, scope: ScopeId, root: &str, members: impl Iterator<Item = &'n str>) -> Option<String> {
        let mut path = self.root(scope, root)?;
        for member in members {
            path.push('.');
            path.push_str(member);
        }
        Some(canonical(&path))
    }

    fn root(&self, scope: ScopeId, name: &str) -> Option<String> {
        if let Resolved::Local(owner) = self.facts.resolve(scope, name) {
            return match sole_kind(self.facts.symbol(owner, name)?)? {
                BindingKind::Import(path) => Some(path.clone()),
                _ => None,
            };
        }
        match self.module.meaning(name) {
            Some(Meaning::Import(path)) => Some(path.clone()),
            Some(_) => None,
            None => match self.module.star_imports() {
                [] => Some(format!("builtins.{name}")),
                [star] if star == "asyncio" && is_exported(name) => Some(format!("asyncio.{name}")),
                // It may come from there.
                _ => None,
            },
        }
    }
}

/// A dotted name as one word: Python allows blanks, and in brackets line breaks and comments, around its dots.
pub(super) fn without_blanks(text: &str) -> String {
    let code = text.lines().map(|line| line.split('#').next().unwrap_or(line));
    code.flat_map(str::chars).filter(|c| !c.is_whitespace() && *c != '\\').collect()
}

/// How the symbol is bound, if all its bindings agree and no inner scope rebinds it.
fn sole_kind(symbol: &Symbol) -> Option<&BindingKind> {
    let mut kinds =
        symbol.bindings.iter().map(|binding| &binding.kind).filter(|kind| **kind != BindingKind::Declaration);
    let first = kinds.next()?;
    (!symbol.rebound_inside && kinds.all(|kind| kind == first)).then_some(first)
}

/// The path without the module of `asyncio` that its author looked into: `asyncio.tasks.wait` is `asyncio.wait`.
fn canonical(path: &str) -> String {
    if let Some(inner) = path.strip_prefix("asyncio.")
        && let Some((module, rest)) = inner.split_once('.')
        && SUBMODULES.contains(&module)
        && is_exported(rest.split('.').next().unwrap_or(rest))
    {
        return format!("asyncio.{rest}");
    }
    path.to_owned()
}

fn is_exported(name: &str) -> bool {
    EXPORTS.binary_search(&name).is_ok()
}

/// The modules of `asyncio` whose names it exports itself.
#[rustfmt::skip]
const SUBMODULES: [&str; 17] = [
    "base_events", "coroutines", "events", "exceptions", "futures", "locks", "protocols", "queues", "runners", "streams",
    "subprocess", "taskgroups", "tasks", "threads", "timeouts", "transports", "unix_events",
];

/// What `asyncio` exports in any version from 3.8 to 3.14, sorted.
#[rustfmt::skip]
const EXPORTS: [&str; 104] = [
    "ALL_COMPLETED", "AbstractChildWatcher", "AbstractEventLoop", "AbstractEventLoopPolicy", "AbstractServer",
    "Barrier", "BaseEventLoop", "BaseProtocol", "BaseTransport", "BoundedSemaphore", "BrokenBarrierError",
    "BufferedProtocol", "CancelledError", "Condition", "DatagramProtocol", "DatagramTransport",
    "DefaultEventLoopPolicy", "Event", "EventLoop", "FIRST_COMPLETED", "FIRST_EXCEPTION", "FastChildWatcher",
    "FrameCallGraphEntry", "Future", "FutureCallGraph", "Handle", "IncompleteReadError", "InvalidStateError",
    "IocpProactor", "LifoQueue", "LimitOverrunError", "Lock", "MultiLoopChildWatcher", "PidfdChildWatcher",
    "PriorityQueue", "ProactorEventLoop", "Protocol", "Queue", "QueueEmpty", "QueueFull", "QueueShutDown",
    "ReadTransport", "Runner", "SafeChildWatcher", "SelectorEventLoop", "Semaphore", "SendfileNotAvailableError",
    "Server", "StreamReader", "StreamReaderProtocol", "StreamWriter", "SubprocessProtocol", "SubprocessTransport",
    "Task", "TaskGroup", "ThreadedChildWatcher", "Timeout", "TimeoutError", "TimerHandle", "Transport",
    "WindowsProactorEventLoopPolicy", "WindowsSelectorEventLoopPolicy", "WriteTransport", "all_tasks", "as_completed",
    "capture_call_graph", "coroutine", "create_eager_task_factory", "create_subprocess_exec",
    "create_subprocess_shell", "create_task", "current_task", "eager_task_factory", "ensure_future",
    "format_call_graph", "future_add_to_awaited_by", "future_discard_from_awaited_by", "gather", "get_child_watcher",
    "get_event_loop", "get_event_loop_policy", "get_running_loop", "iscoroutine", "iscoroutinefunction", "isfuture",
    "new_event_loop", "open_connection", "open_unix_connection", "print_call_graph", "run",
    "run_coroutine_threadsafe", "set_child_watcher", "set_event_loop", "set_event_loop_policy", "shield", "sleep",
    "start_server", "start_unix_server", "timeout", "timeout_at", "to_thread", "wait", "wait_for", "wrap_future",
];
