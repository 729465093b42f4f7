//! What calls do: the functions of asyncio, the methods of tasks, futures, loops and task groups, and everything else.

use std::sync::Arc;

use super::analysis::{Analysis, Here, element};
use super::value::*;
use super::world::World;
use crate::flow::{Arg, ArgKind, ExcSet, Guard, Place};
use crate::text::Span;

/// A call, its parts evaluated.
pub(super) struct Call<'a> {
    pub(super) dst: Place,
    pub(super) callee: Place,
    pub(super) args: &'a [Arg],
    pub(super) guard: Guard,
    /// The variables it mentions.
    pub(super) names: &'a [String],
    pub(super) span: Span,
}

impl Call<'_> {
    fn positional(&self, index: usize) -> Option<Place> {
        let before_star = self.args.iter().take_while(|arg| arg.kind == ArgKind::Positional);
        before_star.map(|arg| arg.place).nth(index)
    }

    fn keyword(&self, name: &str) -> Option<Place> {
        self.args
            .iter()
            .find(|arg| matches!(&arg.kind, ArgKind::Keyword(keyword) if keyword == name))
            .map(|arg| arg.place)
    }

    pub(super) fn argument(&self, world: &World, index: usize, name: &str) -> Option<Value> {
        self.positional(index).or_else(|| self.keyword(name)).map(|place| world.get(place).clone())
    }

    fn spreads(&self) -> bool {
        self.args.iter().any(|arg| arg.kind == ArgKind::DoubleStar)
    }
}

/// Words one of which stands in every file with code that makes a task or future in view of [`super::analyse`]: the functions that make
/// one are named through the module `asyncio`, the methods of an event loop or task group by their own names alone.
const MAKERS: [&[u8]; 4] = [b"asyncio", b"create_task", b"create_future", b"run_in_executor"];

/// Whether a file with this text may make a task or future: a cheap test before it is parsed.
pub fn may_make_tasks(text: &str) -> bool {
    MAKERS.iter().any(|word| memchr::memmem::find(text.as_bytes(), word).is_some())
}

/// The methods that only event loops have, so that a receiver called like one is believed to be one.
pub(super) fn of_loop(name: &str) -> bool {
    matches!(
        name,
        "create_task"
            | "create_future"
            | "run_until_complete"
            | "run_in_executor"
            | "call_soon"
            | "call_soon_threadsafe"
            | "call_later"
            | "call_at"
            | "time"
            | "is_running"
            | "is_closed"
    )
}

/// The functions that return an event loop.
pub(super) fn gives_loop(path: &str) -> bool {
    let loops =
        ["asyncio.get_running_loop", "asyncio.get_event_loop", "asyncio.new_event_loop", "uvloop.new_event_loop"];
    loops.contains(&path)
}

/// Builtins that neither keep what they are given nor run an event loop.
fn harmless(path: &str) -> bool {
    let Some(name) = path.strip_prefix("builtins.") else {
        return path.starts_with("logging.") || path.starts_with("time.") || path.starts_with("math.");
    };
    matches!(
        name,
        "print"
            | "repr"
            | "str"
            | "isinstance"
            | "issubclass"
            | "id"
            | "hash"
            | "type"
            | "bool"
            | "callable"
            | "hasattr"
            | "format"
            | "int"
            | "float"
            | "range"
            | "len"
            | "abs"
            | "round"
            | "ord"
            | "chr"
            | "bytes"
            | "dir"
            | "vars"
            | "input"
            | "object"
    ) || name.ends_with("Error")
        || name.ends_with("Exception")
}

impl Analysis<'_> {
    /// A call. False where no path goes on.
    pub(super) fn call(&mut self, at: &mut Here<'_, '_>, world: &mut World, call: Call<'_>) -> bool {
        let callee = world.get(call.callee).clone();
        let result = match &callee {
            Value::Path(path) => self.function(at, world, &call, path),
            Value::Function(name) => {
                self.hand_over(world, &call);
                self.raise_in_doubt(at, world);
                let reach: Arc<[String]> =
                    if self.is_isolated(name) { call.names.into() } else { Arc::new(["*".to_owned()]) };
                Value::Awaitable(Arc::new(Awaitable::Coroutine(reach)))
            }
            Value::Attribute(attribute @ Attribute { of, place, name, .. }) => match &**of {
                Value::Object(id) => match self.task_method(at, world, &call, *id, attribute) {
                    Some(result) => result,
                    None => return false,
                },
                Value::Loop => self.loop_method(at, world, &call, name),
                Value::Group(group) if &**name == "create_task" => {
                    self.make_task(world, &call, Some(*group));
                    Value::Object(call.span)
                }
                Value::WaitSet(set) => self.set_method(world, &call, set, name),
                Value::Items(_) | Value::Many(_) if matches!(&**name, "append" | "add") && place.is_some() => {
                    if let (Some(place), Some(added)) = (place, call.argument(world, 0, "")) {
                        self.collect(world, at.graph, *place, &added);
                    }
                    Value::None
                }
                _ => {
                    if let Some(place) = place {
                        world.set(at.graph, *place, Value::Unknown);
                    }
                    self.unknown(at, world, &call, Some(of))
                }
            },
            other => self.unknown(at, world, &call, Some(other)),
        };
        world.set(at.graph, call.dst, result);
        true
    }

    /// A call of which nothing is known.
    pub(super) fn unknown(
        &mut self,
        at: &mut Here<'_, '_>,
        world: &mut World,
        call: &Call<'_>,
        callee: Option<&Value>,
    ) -> Value {
        if let Some(callee) = callee {
            world.escape(callee);
        }
        self.hand_over(world, call);
        self.raise_in_doubt(at, world);
        world.unknown_call(at.graph.is_async);
        Value::Returned
    }

    /// The arguments are in other hands now.
    pub(super) fn hand_over(&mut self, world: &mut World, call: &Call<'_>) {
        for arg in call.args {
            let value = world.get(arg.place).clone();
            match &value {
                Value::WaitSet(set) | Value::Length(set) => world.silence(&set.members),
                Value::Test(_) => {
                    let mut asked = Vec::new();
                    value.objects(&mut asked);
                    world.silence(&asked);
                }
                _ => {}
            }
            world.escape(&value);
        }
    }

    fn function(&mut self, at: &mut Here<'_, '_>, world: &mut World, call: &Call<'_>, path: &str) -> Value {
        let name = path.strip_prefix("asyncio.").unwrap_or_default();
        match name {
            _ if gives_loop(path) => Value::Loop,
            "create_task" | "Task" => {
                self.make_task(world, call, None);
                Value::Object(call.span)
            }
            "ensure_future" | "async" => match call.argument(world, 0, "coro_or_future") {
                Some(Value::Object(id)) => Value::Object(id),
                // It may be a future already, and done.
                None | Some(Value::Unknown | Value::NotNone | Value::Truthy) => {
                    self.hand_over(world, call);
                    Value::Unknown
                }
                Some(_) => {
                    self.make_task(world, call, None);
                    Value::Object(call.span)
                }
            },
            "Future" => {
                make(world, call.span, Kind::Future, None, Vec::new());
                Value::Object(call.span)
            }
            "current_task" => {
                make(world, call.span, Kind::Current, None, Vec::new());
                Value::Object(call.span)
            }
            "gather" => self.gather(world, call),
            "wait" => self.wait(world, call),
            "wait_for" => {
                let inner = call.argument(world, 0, "fut").unwrap_or(Value::Unknown);
                let inner = if matches!(inner, Value::Unknown) { Value::Returned } else { inner };
                match call.argument(world, 1, "timeout") {
                    Some(Value::None) => inner,
                    _ => Value::Awaitable(Arc::new(Awaitable::WaitFor(inner))),
                }
            }
            "shield" => {
                let inner = call.argument(world, 0, "arg").unwrap_or(Value::Returned);
                Value::Awaitable(Arc::new(Awaitable::Shield(inner)))
            }
            "sleep" => Value::Awaitable(Arc::new(Awaitable::Sleep)),
            "as_completed" => {
                let (members, _) =
                    self.members(world, &[call.argument(world, 0, "fs").unwrap_or(Value::Unknown)], true);
                Value::AsCompleted(members)
            }
            "timeout" | "timeout_at" => Value::Context(Context::Timeout),
            "TaskGroup" => Value::Group(call.span),
            "run_coroutine_threadsafe" | "wrap_future" | "iscoroutine" | "isfuture" => {
                self.hand_over(world, call);
                Value::Unknown
            }
            _ => self.other_function(at, world, call, path),
        }
    }

    fn other_function(&mut self, at: &mut Here<'_, '_>, world: &mut World, call: &Call<'_>, path: &str) -> Value {
        match path {
            "builtins.list" | "builtins.set" | "builtins.tuple" | "builtins.frozenset" | "builtins.sorted"
            | "builtins.iter" | "builtins.reversed" => {
                if let Some(value @ (Value::Items(_) | Value::Many(_) | Value::WaitSet(_) | Value::AsCompleted(_))) =
                    call.argument(world, 0, "")
                    && call.args.len() == 1
                {
                    return value;
                }
                self.unknown(at, world, call, None)
            }
            "builtins.next" => match call.argument(world, 0, "") {
                Some(Value::WaitSet(set)) => {
                    world.silence(&set.members);
                    element(world, &set, call.span)
                }
                _ => self.unknown(at, world, call, None),
            },
            "builtins.len" => match call.argument(world, 0, "") {
                Some(Value::WaitSet(set)) => Value::Length(set),
                _ => Value::Unknown,
            },
            "contextlib.suppress" => match call
                .args
                .iter()
                .try_fold(ExcSet::NONE, |all, arg| class(world.get(arg.place)).map(|kinds| all.union(kinds)))
            {
                Some(kinds) => Value::Context(Context::Suppress(kinds)),
                None => Value::Context(Context::Suppress(ExcSet::ALL)),
            },
            "pytest.raises" => {
                let kinds = call.argument(world, 0, "expected_exception").and_then(|value| class(&value));
                Value::Context(Context::Raises(kinds.unwrap_or(ExcSet::ALL)))
            }
            "async_timeout.timeout" | "async_timeout.timeout_at" | "anyio.fail_after" => {
                Value::Context(Context::Timeout)
            }
            "anyio.move_on_after" | "anyio.move_on_at" => Value::Context(Context::Suppress(ExcSet::CANCELLED)),
            path if harmless(path) => {
                // Printing a set of tasks does not keep them; whoever looks at it may know more than the analysis, though.
                for arg in call.args {
                    let value = world.get(arg.place).clone();
                    if !matches!(value, Value::Object(_)) {
                        world.escape(&value);
                    }
                }
                self.raise_in_doubt(at, world);
                Value::Returned
            }
            _ => self.unknown(at, world, call, None),
        }
    }

    pub(super) fn make_task(&mut self, world: &mut World, call: &Call<'_>, group: Option<ObjectId>) {
        let coroutine = call.argument(world, 0, "coro").unwrap_or(Value::Unknown);
        let reach = match &coroutine {
            Value::Awaitable(awaitable) => match &**awaitable {
                Awaitable::Coroutine(reach) => reach.to_vec(),
                Awaitable::Sleep => Vec::new(),
                _ => vec!["*".to_owned()],
            },
            _ => vec!["*".to_owned()],
        };
        self.hand_over(world, call);
        make(world, call.span, Kind::Task, group, reach);
        // Started at once, it may be done at once.
        let eager = call.keyword("eager_start").map(|place| world.get(place).clone());
        if call.spreads() || !matches!(eager, None | Some(Value::Bool(false) | Value::None)) {
            world.silence(&[call.span]);
        }
    }

    /// The tasks among these values; the number of values where all are seen. What is in a list or set counts with `deep`.
    fn members(&self, world: &World, values: &[Value], deep: bool) -> (Arc<[ObjectId]>, Option<usize>) {
        let mut ids = Vec::new();
        let mut count = Some(0);
        for value in values {
            match value {
                Value::Object(id) if !deep => {
                    ids.push(*id);
                    count = count.map(|n| n + 1);
                }
                Value::Items(items) if deep => {
                    for item in items.iter() {
                        match item {
                            Value::Object(id) => ids.push(*id),
                            // `asyncio.wait({gather(…)})` and coroutines count, unseen.
                            Value::Awaitable(_) => {}
                            _ => count = None,
                        }
                    }
                    count = count.map(|n| n + items.len());
                }
                Value::Many(all) if deep => {
                    ids.extend(all.iter());
                    count = None;
                }
                Value::WaitSet(set) if deep => {
                    ids.extend(set.members.iter());
                    count = None;
                }
                Value::Awaitable(_) if !deep => count = count.map(|n| n + 1),
                _ => count = None,
            }
        }
        ids.sort();
        let listed = ids.len();
        ids.dedup();
        // A task given twice is one.
        let count = count.map(|n: usize| n - (listed - ids.len()));
        ids.retain(|id| world.object(*id).is_some());
        (ids.into(), count)
    }

    fn gather(&mut self, world: &mut World, call: &Call<'_>) -> Value {
        let (mut values, mut open) = (Vec::new(), call.spreads());
        for arg in call.args {
            let value = world.get(arg.place).clone();
            match (&arg.kind, value) {
                (ArgKind::Positional, value) => values.push(value),
                (ArgKind::Star, Value::Items(items)) => values.extend(items.iter().cloned()),
                (ArgKind::Star, Value::Many(ids)) => {
                    values.extend(ids.iter().map(|id| Value::Object(*id)));
                    open = true;
                }
                (ArgKind::Star, Value::WaitSet(set)) => {
                    values.extend(set.members.iter().map(|id| Value::Object(*id)));
                    open = true;
                }
                (ArgKind::Star, other) => {
                    world.escape(&other);
                    open = true;
                }
                _ => {}
            }
        }
        for value in values.iter().filter(|value| !matches!(value, Value::Object(_))) {
            world.escape(value);
        }
        let (members, count) = self.members(world, &values, false);
        let collects = match call.keyword("return_exceptions").map(|place| world.get(place).clone()) {
            None if call.spreads() => None,
            None | Some(Value::Bool(false) | Value::None | Value::Falsy) => Some(false),
            Some(Value::Bool(true) | Value::Truthy) => Some(true),
            Some(_) => None,
        };
        let mut reach: Vec<String> = vec!["*".to_owned()];
        if !open && count == Some(members.len()) {
            reach = members.iter().filter_map(|id| world.object(*id)).flat_map(|o| o.reach.iter().cloned()).collect();
        }
        let count = if open { None } else { count };
        make(world, call.span, Kind::Gather { members, count, collects }, None, reach);
        Value::Object(call.span)
    }

    fn wait(&mut self, world: &mut World, call: &Call<'_>) -> Value {
        let given = call.argument(world, 0, "fs").unwrap_or(Value::Unknown);
        let (members, count) = self.members(world, std::slice::from_ref(&given), true);
        let timeout = !matches!(call.keyword("timeout").map(|place| world.get(place)), None | Some(Value::None))
            || call.spreads();
        let until = match call.keyword("return_when").map(|place| world.get(place)) {
            None if call.spreads() => Until::Unknown,
            None => Until::All,
            Some(Value::Path(path)) => match path.rsplit('.').next() {
                Some("ALL_COMPLETED") => Until::All,
                Some("FIRST_COMPLETED") => Until::First,
                Some("FIRST_EXCEPTION") => Until::Exception,
                _ => Until::Unknown,
            },
            Some(_) => Until::Unknown,
        };
        Value::Awaitable(Arc::new(Awaitable::Wait { members, count, timeout, until }))
    }
}

/// A new task or future, made here.
pub(super) fn make(world: &mut World, id: ObjectId, kind: Kind, group: Option<ObjectId>, reach: Vec<String>) {
    world.make(
        id,
        Object {
            kind,
            states: States::P,
            passed: Passed::Nothing,
            silent: false,
            escaped: false,
            cancelled_at: None,
            many: false,
            why: None,
            group,
            reach: reach.into(),
        },
    );
}

/// Which exceptions a class given as a value stands for.
fn class(value: &Value) -> Option<ExcSet> {
    match value {
        Value::Path(path) => ExcSet::of_class(path),
        Value::Items(items) => {
            items.iter().try_fold(ExcSet::NONE, |all, item| class(item).map(|kinds| all.union(kinds)))
        }
        _ => None,
    }
}
