//! What calls do: the functions of asyncio, the methods of tasks, futures, loops and task groups, and everything else.

use std::sync::Arc;

use super::analysis::{Analysis, Here};
use super::callee::{Callee, declared};
use super::collections::element;
use super::coroutines::{given_back, gives};
use super::members::make;
use super::value::*;
use super::world::World;
use crate::flow::{Arg, ArgKind, ExcSet, Guards, Place};
use crate::project::stdlib::{self, Member};
use crate::text::Span;

/// A call, its parts evaluated.
pub(super) struct Call<'a> {
    pub(super) dst: Place,
    pub(super) callee: Place,
    pub(super) args: &'a [Arg],
    pub(super) guards: Guards,
    /// The variables it mentions.
    pub(super) names: &'a [String],
    pub(super) span: Span,
}

impl Call<'_> {
    pub(super) fn positional(&self, index: usize) -> Option<Place> {
        let before_star = self.args.iter().take_while(|arg| arg.kind == ArgKind::Positional);
        before_star.map(|arg| arg.place).nth(index)
    }

    pub(super) fn keyword(&self, name: &str) -> Option<Place> {
        self.args
            .iter()
            .find(|arg| matches!(&arg.kind, ArgKind::Keyword(keyword) if keyword == name))
            .map(|arg| arg.place)
    }

    pub(super) fn argument(&self, world: &World, index: usize, name: &str) -> Option<Value> {
        self.positional(index).or_else(|| self.keyword(name)).map(|place| world.get(place).clone())
    }

    pub(super) fn spreads(&self) -> bool {
        self.args.iter().any(|arg| arg.kind == ArgKind::DoubleStar)
    }
}

/// Words one of which stands in every file with code that makes a task, future or coroutine in view of [`super::analyse`]: the functions
/// that make one are `async def`s or named through the module `asyncio`, the methods of an event loop or task group by their own names
/// alone.
const MAKERS: [&[u8]; 4] = [b"async", b"create_task", b"create_future", b"run_in_executor"];

/// Whether a file with this text may make a task, future or coroutine: a cheap test before it is parsed.
pub fn may_make_tasks(text: &str) -> bool {
    MAKERS.iter().any(|word| memchr::memmem::find(text.as_bytes(), word).is_some())
}

/// The coroutine functions of the standard library that raise nothing by themselves, by the names that Python gives them.
const CALM: [&str; 10] = [
    "sleep",
    "wait",
    "Event.wait",
    "Lock.acquire",
    "Semaphore.acquire",
    "Queue.get",
    "Queue.put",
    "Queue.join",
    "Process.wait",
    "Server.wait_closed",
];

/// Those that take no arguments.
const TAKES_NOTHING: [&str; 9] = [
    "Event.wait",
    "Lock.acquire",
    "Semaphore.acquire",
    "Condition.wait",
    "Queue.get",
    "Queue.join",
    "Process.wait",
    "Server.wait_closed",
    "StreamWriter.drain",
];

/// The functions that end the program, or the test.
fn never_returns(path: &str) -> bool {
    matches!(
        path,
        "pytest.fail"
            | "pytest.skip"
            | "pytest.xfail"
            | "pytest.exit"
            | "sys.exit"
            | "os._exit"
            | "os.abort"
            | "builtins.exit"
            | "builtins.quit"
    )
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

/// Functions that neither keep what they are given nor run an event loop.
fn harmless(path: &str) -> bool {
    let Some(name) = path.strip_prefix("builtins.") else {
        return ["logging.", "time.", "math."].iter().any(|module| path.starts_with(module))
            || stdlib::only_looks(path);
    };
    let converts =
        ["int", "float", "range", "abs", "round", "ord", "chr", "bytes", "vars", "input", "object", "issubclass"];
    let is_exception = name.ends_with("Error") || name.ends_with("Exception");
    converts.contains(&name) || is_exception || stdlib::only_looks(path)
}

impl Analysis<'_> {
    /// A call. False where no path goes on.
    pub(super) fn call(&mut self, at: &mut Here<'_, '_>, world: &mut World, call: Call<'_>) -> bool {
        let callee = world.get(call.callee).clone();
        let result = match &callee {
            Value::Path(path) if never_returns(path) => {
                self.hand_over(world, &call);
                self.raise(at, world.clone(), ExcSet::ERROR.union(ExcSet::EXIT));
                return false;
            }
            Value::Path(path) => self.function(at, world, &call, path),
            Value::Definition(name) => {
                let callee = self.definition(name);
                self.known(at, world, &call, callee)
            }
            Value::LocalCoroutineFunction(local) => {
                let made = self.known(at, world, &call, Callee::Local(local.clone()));
                world.lend_captured(&made, &local.awaits, call.span);
                made
            }
            Value::Lambda(made) => self.maker(at, world, &call, made),
            Value::Attribute(attribute @ Attribute { of, place, name, .. }) => match &**of {
                Value::Object(id) => match self.task_method(at, world, &call, *id, attribute) {
                    Some(result) => result,
                    None => return false,
                },
                Value::Kept(kept) => self.kept_method(at, world, &call, kept, attribute),
                Value::Loop => self.loop_method(at, world, &call, name),
                Value::Group(group) if &**name == "create_task" => {
                    self.make_task(at, world, &call, Some(*group));
                    Value::Object(call.span)
                }
                // Of a `unittest.TestCase`.
                Value::Instance(instance) if instance.is_own && matches!(&**name, "fail" | "skipTest") => {
                    self.raise(at, world.clone(), ExcSet::ASSERTION);
                    return false;
                }
                Value::Instance(Instance { class, is_certain, .. }) => {
                    let callee = self.method(class, name);
                    if matches!(callee, Callee::Unknown) {
                        world.forget_cells();
                    }
                    // What is only declared to be of a class may be of one below, whose method does something else.
                    self.known_or_like(at, world, &call, callee, *is_certain)
                }
                Value::WaitSet(set) => self.set_method(world, &call, set, name),
                // An attribute that is a list which nobody looks into: what is put there stays there.
                Value::Attribute(_) if &**name == "append" => self.keep(at, world, &call),
                _ => match self.collection_method(at.graph, world, &call, attribute) {
                    Some(result) => result,
                    None => {
                        if let Some(place) = place {
                            world.set(at.graph, *place, Value::Unknown);
                        }
                        self.unknown(at, world, &call, Some(of))
                    }
                },
            },
            Value::Shared(Shared { name, method }) => {
                match matches!(&**method, "add" | "append") && (self.context.only_collects)(name) {
                    true => self.keep(at, world, &call),
                    false => self.unknown(at, world, &call, None),
                }
            }
            Value::Instance(instance) if instance.is_class => match self.definition(&instance.class) {
                Callee::Class(class) => self.known(at, world, &call, Callee::Class(class)),
                _ => self.unknown(at, world, &call, None),
            },
            other => self.unknown(at, world, &call, Some(other)),
        };
        world.set(at.graph, call.dst, result);
        true
    }

    /// A call of something whose name is known.
    pub(super) fn known(&mut self, at: &mut Here<'_, '_>, world: &mut World, call: &Call<'_>, callee: Callee) -> Value {
        self.known_or_like(at, world, call, callee, true)
    }

    /// The same, where another function may stand in for it unless it `is_it`.
    fn known_or_like(
        &mut self,
        at: &mut Here<'_, '_>,
        world: &mut World,
        call: &Call<'_>,
        callee: Callee,
        is_it: bool,
    ) -> Value {
        let (callee, suspends) = match callee {
            Callee::Local(Local { name, suspends, .. }) => (Callee::Coroutine { name, key: None }, suspends),
            callee => (callee, true),
        };
        match callee {
            // What is called so is no coroutine function of asyncio, whatever an annotation says.
            Callee::Coroutine { name, key: None } if TAKES_NOTHING.contains(&&*name) && !call.args.is_empty() => {
                self.unknown(at, world, call, None)
            }
            Callee::Coroutine { name, key } => {
                let instance = key.as_deref().and_then(|key| self.instance_given(key));
                let summary = key.as_deref().filter(|_| is_it).and_then(|key| self.summary_of(key));
                let lent = self.lend(world, call, summary.as_deref());
                let gives = gives(world, call, summary.as_deref());
                self.raise_in_doubt(at, world);
                // A function made in this one has no summary either.
                let is_library = key.is_none() && !name.contains("<locals>");
                let unseen = if is_library && CALM.contains(&&*name) { Raises::Never } else { Raises::Perhaps };
                let isolated = key.as_deref().is_some_and(|key| (self.context.isolated)(key));
                let reach: Arc<[String]> = if isolated { call.names.into() } else { Arc::new(["*".to_owned()]) };
                self.make_coroutine(
                    world,
                    call,
                    Coroutine {
                        name,
                        waits: Awaitable::Code(reach),
                        raises: summary.as_ref().map_or(unseen, |summary| summary.raises),
                        may_refuse: summary.as_ref().map_or(!is_library, |summary| summary.may_refuse),
                        suspends: summary.as_ref().map_or(suspends, |summary| summary.suspends),
                        returns: summary.as_ref().map_or(unseen == Raises::Never, |summary| summary.can_return),
                        lent: lent.into(),
                        gives,
                        instance,
                        made_in: None,
                    },
                )
            }
            Callee::Plain(key) => {
                let summary = if is_it { self.summary_of(&key) } else { None };
                let lent = self.lend(world, call, summary.as_deref());
                let gives = gives(world, call, summary.as_deref());
                match summary.as_deref().map_or(Raises::Perhaps, |summary| summary.raises) {
                    Raises::Never => {}
                    raises => {
                        self.account.note_raise(at.unwind.is_none(), raises);
                        self.raise_in_doubt(at, world);
                    }
                }
                world.unknown_call(at.graph.is_async);
                for of in lent {
                    let was_pending = world.is_pending(of.id);
                    self.take_back(at, world, of, was_pending, (call.span, call.guards), &key);
                }
                let back = summary.as_deref().and_then(|summary| given_back(world, call, summary));
                match back.unwrap_or_else(|| self.returned(world, call.span, call.guards, &gives)) {
                    Value::Returned => match self.instance_given(&key) {
                        Some(class) => declared(&class),
                        None => Value::Returned,
                    },
                    made => made,
                }
            }
            Callee::Class(class) => {
                self.hand_over(world, call);
                self.raise_in_doubt(at, world);
                world.unknown_call(at.graph.is_async);
                Value::Instance(Instance { class, is_own: false, is_certain: true, is_class: false })
            }
            Callee::Local(_) | Callee::Unknown => self.unknown(at, world, call, None),
        }
    }

    /// A coroutine function of the standard library.
    pub(super) fn library_coroutine(&mut self, world: &mut World, call: &Call<'_>, name: Arc<str>) -> Value {
        let waits = Awaitable::Code(Arc::new(["*".to_owned()]));
        self.library(world, call, &name, waits)
    }

    pub(super) fn library(&mut self, world: &mut World, call: &Call<'_>, name: &str, waits: Awaitable) -> Value {
        let raises = if CALM.contains(&name) { Raises::Never } else { Raises::Perhaps };
        let returns = match &waits {
            Awaitable::WaitFor(Value::Object(id)) | Awaitable::Plain(Value::Object(id)) => {
                world.object(*id).and_then(Object::coroutine).is_some_and(|inner| inner.returns)
            }
            _ => raises == Raises::Never,
        };
        let coroutine = Coroutine { waits, raises, returns, may_refuse: false, ..Coroutine::named(name) };
        self.make_coroutine(world, call, coroutine)
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
            self.hand_over_one(world, &value, call.span);
        }
    }

    fn function(&mut self, at: &mut Here<'_, '_>, world: &mut World, call: &Call<'_>, path: &str) -> Value {
        let name = path.strip_prefix("asyncio.").unwrap_or_default();
        match name {
            _ if gives_loop(path) => Value::Loop,
            "create_task" | "Task" => {
                self.make_task(at, world, call, None);
                Value::Object(call.span)
            }
            "ensure_future" | "async" => match call.argument(world, 0, "coro_or_future") {
                Some(Value::Object(id)) if world.object(id).is_some_and(|object| object.coroutine().is_none()) => {
                    // Whatever the caller gave, what comes back can be awaited again.
                    if let Some(object) = world.object_mut(id) {
                        object.loose = true;
                    }
                    Value::Object(id)
                }
                // It may be a future already, and done.
                None | Some(Value::Unknown | Value::NotNone | Value::Truthy | Value::Attribute(_) | Value::Kept(_)) => {
                    self.hand_over(world, call);
                    Value::Unknown
                }
                Some(given) => {
                    self.make_task(at, world, call, None);
                    // What is not known to be a coroutine may be a future that others hold, and come back as it is.
                    if !matches!(given, Value::Object(_)) {
                        world.note_use(call.span, call.span);
                    }
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
            "gather" => self.gather(at, world, call),
            "wait" => self.wait(at, world, call),
            "wait_for" => {
                let inner = call.argument(world, 0, "fut").unwrap_or(Value::Unknown);
                let inner = if matches!(inner, Value::Unknown) { Value::Returned } else { inner };
                self.consume_value(at, world, &inner, call.span, call.guards);
                let waits = match call.argument(world, 1, "timeout") {
                    Some(Value::None) => Awaitable::Plain(inner),
                    _ => Awaitable::WaitFor(inner),
                };
                self.library(world, call, name, waits)
            }
            "shield" => {
                let inner = call.argument(world, 0, "arg").unwrap_or(Value::Returned);
                self.consume_value(at, world, &inner, call.span, call.guards);
                Value::Awaitable(Arc::new(Awaitable::Shield(inner)))
            }
            "sleep" => self.library(world, call, name, Awaitable::Sleep),
            "run" if at.graph.is_async => {
                // It raises at once: a loop is running already, and the coroutine is left.
                if let Some(Value::Object(id)) = call.argument(world, 0, "main")
                    && let Some(object) = world.object(id).filter(|object| object.coroutine().is_some()).cloned()
                {
                    self.account.nested_runs.insert(id, call.span);
                    self.account.note_end(world, id, object, None);
                    world.escape(&Value::Object(id));
                }
                self.unknown(at, world, call, None)
            }
            "run" => {
                let given = call.argument(world, 0, "main").unwrap_or(Value::Unknown);
                self.consume_value(at, world, &given, call.span, call.guards);
                self.unknown(at, world, call, None)
            }
            "as_completed" => {
                let given = call.argument(world, 0, "fs").unwrap_or(Value::Unknown);
                self.consume_value(at, world, &given, call.span, call.guards);
                let (members, _) =
                    self.members(world, &[call.argument(world, 0, "fs").unwrap_or(Value::Unknown)], true);
                Value::AsCompleted(members)
            }
            "timeout" | "timeout_at" => Value::Context(Context::Timeout),
            "TaskGroup" => Value::Group(call.span),
            "run_coroutine_threadsafe" => {
                let given = call.argument(world, 0, "coro").unwrap_or(Value::Unknown);
                self.consume_value(at, world, &given, call.span, call.guards);
                self.hand_over(world, call);
                Value::Unknown
            }
            "iscoroutine" | "isfuture" if self.is_coroutine(world, call) => Value::Bool(name == "iscoroutine"),
            "wrap_future" | "iscoroutine" | "isfuture" => {
                self.hand_over(world, call);
                Value::Unknown
            }
            _ if !name.contains('.') && matches!(stdlib::coroutine_function(path), Some(Member { .. })) => {
                self.hand_over(world, call);
                let waits = Awaitable::Code(Arc::new(["*".to_owned()]));
                self.library(world, call, name, waits)
            }
            _ => self.other_function(at, world, call, path),
        }
    }

    fn other_function(&mut self, at: &mut Here<'_, '_>, world: &mut World, call: &Call<'_>, path: &str) -> Value {
        match path {
            "builtins.list" | "builtins.set" | "builtins.tuple" | "builtins.frozenset" | "builtins.sorted"
            | "builtins.iter" | "builtins.reversed" => {
                match call.argument(world, 0, "") {
                    Some(value @ (Value::Items(_) | Value::Many(_) | Value::WaitSet(_) | Value::AsCompleted(_)))
                        if call.args.len() == 1 =>
                    {
                        return value;
                    }
                    // Somebody runs through it: now they are made.
                    Some(Value::Mapped(coroutine)) if call.args.len() == 1 => {
                        self.make_coroutine(world, call, (*coroutine).clone());
                        if let Some(object) = world.object_mut(call.span) {
                            object.many = true;
                        }
                        return Value::Many([call.span].into());
                    }
                    _ => {}
                }
                self.unknown(at, world, call, None)
            }
            "builtins.map" => {
                let callee = match call.argument(world, 0, "") {
                    Some(Value::Definition(name)) => self.definition(&name),
                    Some(Value::LocalCoroutineFunction(local)) => Callee::Coroutine { name: local.name, key: None },
                    _ => Callee::Unknown,
                };
                self.hand_over(world, call);
                match callee {
                    Callee::Coroutine { name, .. } => Value::Mapped(Arc::new(Coroutine::named(&name))),
                    _ => self.unknown(at, world, call, None),
                }
            }
            "builtins.super" => {
                let own = at.graph.receiver.as_ref().filter(|_| call.args.is_empty());
                match own.and_then(|(_, receiver)| self.base_of(&receiver.class)) {
                    Some(class) => {
                        Value::Instance(Instance { class, is_own: false, is_certain: true, is_class: false })
                    }
                    None => Value::Unknown,
                }
            }
            "builtins.isinstance" | "builtins.hasattr" if self.is_coroutine(world, call) => {
                match call.argument(world, 1, "") {
                    Some(Value::Path(class)) if class.ends_with("Awaitable") || class.ends_with("Coroutine") => {
                        Value::Bool(true)
                    }
                    Some(Value::Path(class)) if class.ends_with("CoroutineType") => Value::Bool(true),
                    _ => Value::Returned,
                }
            }
            "inspect.isawaitable" | "inspect.iscoroutine" if self.is_coroutine(world, call) => Value::Bool(true),
            "builtins.next" => match call.argument(world, 0, "") {
                Some(Value::WaitSet(set)) => {
                    world.looked_at(&set, call.span);
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
                    match &value {
                        Value::Object(_) => {}
                        Value::WaitSet(_) | Value::Length(_) | Value::Test(_) => {
                            let mut shown = Vec::new();
                            value.objects(&mut shown);
                            world.silence(&shown);
                        }
                        value if value.is_collection() => {
                            let mut shown = Vec::new();
                            value.objects(&mut shown);
                            world.silence(&shown);
                        }
                        _ => world.escape(&value),
                    }
                }
                // Nobody counts on a `print` to raise.
                let converts = ["builtins.int", "builtins.float", "builtins.ord", "builtins.chr", "builtins.bytes"];
                if at.unwind.is_some() || converts.contains(&path) {
                    self.raise_in_doubt(at, world);
                }
                Value::Returned
            }
            _ => match self.result_of(path) {
                Value::Unknown => {
                    let callee = self.imported(path);
                    self.known(at, world, call, callee)
                }
                known => {
                    self.hand_over(world, call);
                    self.raise_in_doubt(at, world);
                    match known {
                        Value::Instance(instance) => Value::Instance(Instance { is_certain: true, ..instance }),
                        other => other,
                    }
                }
            },
        }
    }

    /// Whether the first argument is a coroutine.
    fn is_coroutine(&self, world: &World, call: &Call<'_>) -> bool {
        let given = call.argument(world, 0, "obj").or_else(|| call.argument(world, 0, "object"));
        matches!(given, Some(Value::Object(id)) if world.object(id).is_some_and(|object| object.coroutine().is_some()))
    }
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
