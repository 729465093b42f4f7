//! What a place can hold, as far as tasks are concerned, and what is known of a task.

use std::sync::Arc;

pub use super::effect::{Asks, Effect, Elsewhere, Extent, Lent};
pub use super::spent::{Round, Spent};
use super::summary::Returns;
use crate::flow::{ExcSet, Place};
use crate::text::Span;

/// The identity of a task or future: the expression that makes it, bytes of the item. In a loop it stands for the one that was
/// made last; places that hold an older one hold [`Value::Unknown`].
pub type ObjectId = Span;

/// A set of the four states of SEMANTICS: pending, finished with a result, finished with an exception, cancelled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct States(pub u8);

impl States {
    /// Pending.
    pub const P: Self = Self(1);
    /// Finished with a result.
    pub const R: Self = Self(2);
    /// Finished with an exception.
    pub const E: Self = Self(4);
    /// Cancelled.
    pub const C: Self = Self(8);
    /// Done, one way or another.
    pub const DONE: Self = Self(14);
    /// Anything.
    pub const ANY: Self = Self(15);

    /// Whether every state of `other` is in it.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
    /// Either.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// Both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
    /// Without those.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
    /// No state: no such path.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A task, future or coroutine, as known on one path.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// The states that it may be in.
    pub states: States,
    /// The first suspension since it was last known to be pending: what stands between "certain" and "by luck".
    pub passed: Passed,
    /// Somebody who is not in view may have waited for it: nothing can be said about its being pending.
    pub silent: bool,
    /// Code that is not in view can reach it.
    pub escaped: bool,
    /// Where it was asked to cancel, while it may have been pending.
    pub cancelled_at: Option<Span>,
    /// Why it may be pending although something waited.
    pub why: Option<Why>,
    /// It stands for all that were made here, which are in a collection.
    pub many: bool,
    /// More than one were made here.
    pub joined: bool,
    /// A coroutine in a collection: what has been used up there.
    pub spent: Spent,
    /// What the loop that runs through its collection has done so far.
    pub round: Round,
    /// Nobody knows whether its collection still holds all of them, and holds no others.
    pub loose: bool,
    /// An element of a collection: of those that were made at these places.
    pub among: Option<Arc<[ObjectId]>>,
    /// The task group that will wait for it.
    pub group: Option<ObjectId>,
    /// A coroutine: where it was consumed. A task: where somebody asked, or will, what became of it.
    pub used: Option<Span>,
    /// An exception led here past what would have used it: nobody expects it to be used then.
    pub excused: bool,
    /// A `wait` that waited for it; what became of it is not asked by that.
    pub waited: Option<Span>,
    /// It is in a collection that keeps it alive, and into which nobody looks.
    pub kept: bool,
    /// A done callback that does no more than drop it from a collection.
    pub discarded: Option<Span>,
    /// A task: the parameter whose coroutine it runs.
    pub of_parameter: Option<u32>,
    /// Whether its coroutine can raise.
    pub raises: Raises,
    /// Its coroutine may end by itself when it is cancelled.
    pub may_refuse: bool,
    /// Its coroutine can suspend; one that cannot ends in its first step.
    pub suspends: bool,
    /// The variables its coroutine can reach, `*` for any: who shares none with it cannot wait for it in secret.
    pub reach: Arc<[String]>,
    /// It was made by another method: the function that it runs.
    pub runs: Option<Arc<str>>,
}

/// Whether a function can raise an exception that it does not catch, `CancelledError` aside.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Raises {
    /// Nothing in it does.
    Never,
    /// It calls what is not in view.
    #[default]
    Perhaps,
    /// A `raise` in it, or in a function of the file that it calls.
    Seen,
}

/// What an object is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// A coroutine: `states` say nothing of it.
    Coroutine(Arc<Coroutine>),
    /// What the caller gave for this parameter: a task in any state, or a coroutine. Nothing is said about it, but what is done
    /// with it is noted for the callers.
    Parameter(u32),
    /// Runs a coroutine: is done only after a suspension.
    Task,
    /// Is done when somebody says so.
    Future,
    /// What `gather` returns, over these.
    Gather {
        /// The members that are known.
        members: Arc<[ObjectId]>,
        /// How many it was given, where that is known.
        count: Option<usize>,
        /// `return_exceptions`, where it is a constant.
        collects: Option<bool>,
    },
    /// `asyncio.current_task()`: pending for as long as it can ask.
    Current,
    /// An element of a collection: of a set that `wait` returned, or one of those made at a place.
    Element(Option<ObjectId>),
}

/// A coroutine object.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Coroutine {
    /// The name that Python prints: `work`, `Queue.put`.
    pub name: Arc<str>,
    /// What waiting for it does.
    pub waits: Awaitable,
    /// Whether it can raise.
    pub raises: Raises,
    /// It may end by itself when it is cancelled.
    pub may_refuse: bool,
    /// It can suspend.
    pub suspends: bool,
    /// It is known to have a way to return.
    pub returns: bool,
    /// What it was given, and what it will do with it.
    pub lent: Arc<[Lent]>,
    /// What awaiting it gives, where that is a coroutine again, or a task.
    pub gives: Returns,
    /// What awaiting it gives, where that is an instance of this class.
    pub instance: Option<Arc<str>>,
    /// The function that made it, where that is not the one at hand, and the place in it.
    pub made_in: Option<Elsewhere>,
}

/// What happened since a task was last known to be pending.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Passed {
    /// Nothing that lets it run.
    Nothing,
    /// A sleep.
    Sleep(Span),
    /// Another wait that has nothing to do with it.
    Other(Span),
}

/// Why a task may be pending behind something that looks like waiting for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Why {
    /// What did not wait long enough.
    pub kind: WhyKind,
    /// Where.
    pub span: Span,
}

/// See [`Why`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum WhyKind {
    /// `wait(…, timeout=…)`.
    WaitTimeout,
    /// `wait(…, return_when=FIRST_COMPLETED)`.
    FirstCompleted,
    /// `wait(…, return_when=FIRST_EXCEPTION)`.
    FirstException,
    /// A `gather` that another member ended.
    Sibling,
    /// A shield kept a timeout or a cancellation from it.
    Shield,
    /// The wait was cancelled.
    Interrupted,
    /// `done()` said so.
    NotDone,
    /// It is in the set of those still pending.
    PendingSet,
}

/// What a place holds.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Value {
    /// Anything.
    Unknown,
    /// What an unknown call returned.
    Returned,
    /// `None`.
    None,
    /// Not `None`, else anything.
    NotNone,
    /// True or false.
    Bool(bool),
    /// Something that is true.
    Truthy,
    /// Something that is false.
    Falsy,
    /// A task or future.
    Object(ObjectId),
    /// What a dotted path means.
    Path(Arc<str>),
    /// A function or class of the module.
    Definition(Arc<str>),
    /// An `async def` made in this function.
    LocalCoroutineFunction(Local),
    /// A lambda that returns what this gives when it is called.
    Lambda(Arc<Value>),
    /// An instance of a class.
    Instance(Instance),
    /// An attribute of a value that matters.
    Attribute(Attribute),
    /// What an attribute of the method's own instance holds: a task that another method made, or `None`.
    Kept(Kept),
    /// An event loop.
    Loop,
    /// A task group.
    Group(ObjectId),
    /// A list, tuple or set whose elements are known.
    Items(Arc<[Value]>),
    /// A list or set of all that were made at these places, at least one.
    Many(Arc<[ObjectId]>),
    /// A dict whose values were made at these places; empty where it holds none.
    Dict(Arc<[ObjectId]>),
    /// The pairs of such a dict.
    Pairs(Arc<[ObjectId]>),
    /// What `map` makes of a function that makes coroutines of this name: nothing, until somebody runs through it.
    Mapped(Arc<Coroutine>),
    /// A method of a collection that other code can reach.
    Shared(Shared),
    /// What `shield` returned.
    Awaitable(Arc<Awaitable>),
    /// A set that `wait` returned.
    WaitSet(Arc<WaitSet>),
    /// `len()` of such a set.
    Length(Arc<WaitSet>),
    /// What `as_completed` returned, over these.
    AsCompleted(Arc<[ObjectId]>),
    /// A truth that says something about a task.
    Test(Test),
    /// A context manager.
    Context(Context),
}

/// An `async def` made in this function.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Local {
    /// By qualified name.
    pub name: Arc<str>,
    /// Something in it can suspend.
    pub suspends: bool,
    /// The variables whose values each call of it awaits.
    pub awaits: Arc<[Place]>,
}

/// An instance of a class, or the class as a method of it sees it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Instance {
    /// The class: a name of the module, the dotted path of one of the standard library, or the key of one of another module.
    pub class: Arc<str>,
    /// It is what the method at hand was called on.
    pub is_own: bool,
    /// It is known to be one, not only declared as one.
    pub is_certain: bool,
    /// It is the class itself.
    pub is_class: bool,
}

/// A task that the methods of a class keep in an attribute, and that no handler of its own keeps from being cancelled.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Kept {
    /// The attribute.
    pub name: Arc<str>,
    /// The coroutine function that it runs, by the key of its summary.
    pub runs: Arc<str>,
    /// Whether that can raise.
    pub raises: Raises,
    /// It does not end by itself.
    pub endless: bool,
}

/// A method of a collection that a variable of the module or an attribute of `self` holds.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Shared {
    /// The variable or attribute.
    pub name: Arc<str>,
    /// The method.
    pub method: Arc<str>,
}

/// `of.name`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Attribute {
    /// The value.
    pub of: Arc<Value>,
    /// The place that holds it, if it has a name.
    pub place: Option<Place>,
    /// The name of the attribute.
    pub name: Arc<str>,
    /// Where it is taken.
    pub span: Span,
    /// The expression that it is taken of.
    pub object: Span,
}

/// What is awaited.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Awaitable {
    /// `asyncio.sleep`.
    Sleep,
    /// `asyncio.wait`.
    Wait {
        /// The members that are known.
        members: Arc<[ObjectId]>,
        /// How many it was given, where that is known.
        count: Option<usize>,
        /// It may end early.
        timeout: bool,
        /// When it ends.
        until: Until,
    },
    /// `asyncio.wait_for` with a limit.
    WaitFor(Value),
    /// `asyncio.wait_for` without one.
    Plain(Value),
    /// `asyncio.shield`.
    Shield(Value),
    /// Code that can reach no more than these variables.
    Code(Arc<[String]>),
}

/// `return_when`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Until {
    /// `ALL_COMPLETED`.
    All,
    /// `FIRST_COMPLETED`.
    First,
    /// `FIRST_EXCEPTION`.
    Exception,
    /// A value that is not a constant.
    Unknown,
}

/// One of the two sets of `wait`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct WaitSet {
    /// The first of the two.
    pub done: bool,
    /// The known tasks that are in one of the two.
    pub members: Arc<[ObjectId]>,
    /// How many are in both, where that is known.
    pub count: Option<usize>,
    /// At least one is in the first.
    pub some_done: bool,
    /// Nothing could run since the wait.
    pub fresh: bool,
    /// The call.
    pub span: Span,
}

/// A question about a task.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Test {
    /// The question.
    pub about: About,
    /// The truth is the other way round.
    pub negated: bool,
    /// Nothing could run since it was asked.
    pub fresh: bool,
    /// Where it was asked.
    pub span: Span,
}

/// What is asked.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum About {
    /// `task.done()`
    Done(ObjectId),
    /// `task.cancelled()`
    Cancelled(ObjectId),
    /// `task in set`
    In(ObjectId, Arc<WaitSet>),
    /// `name is None`
    IsNone(Place),
}

/// The context managers that matter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Context {
    /// `asyncio.timeout`: turns a cancellation into a `TimeoutError`.
    Timeout,
    /// `contextlib.suppress`, `move_on_after`: swallows these.
    Suppress(ExcSet),
    /// `pytest.raises`, `assertRaises`: swallows these and demands one.
    Raises(ExcSet),
}

impl Value {
    /// Other code has run: what it says about pending tasks is of yesterday.
    pub fn age(&mut self) {
        match self {
            Self::Test(test) => test.fresh = false,
            Self::WaitSet(set) | Self::Length(set) if set.fresh => Arc::make_mut(set).fresh = false,
            Self::Items(items) if items.iter().any(|item| matches!(item, Self::WaitSet(_) | Self::Test(_))) => {
                Arc::make_mut(items).iter_mut().for_each(Self::age);
            }
            _ => {}
        }
    }
}

impl Coroutine {
    /// One that is this or the other; it is called by the name of this.
    pub fn or(&self, other: &Self) -> Self {
        Self {
            waits: if self.waits == other.waits {
                self.waits.clone()
            } else {
                Awaitable::Code(Arc::new(["*".to_owned()]))
            },
            raises: if self.raises == other.raises { self.raises } else { Raises::Perhaps },
            may_refuse: self.may_refuse || other.may_refuse,
            suspends: self.suspends || other.suspends,
            returns: self.returns && other.returns,
            lent: Arc::new([]),
            gives: if self.gives == other.gives { self.gives.clone() } else { Returns::Unknown },
            ..self.clone()
        }
    }

    /// One of this name, of which nothing else is known.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            waits: Awaitable::Code(Arc::new(["*".to_owned()])),
            raises: Raises::Perhaps,
            may_refuse: true,
            suspends: true,
            returns: false,
            lent: Arc::new([]),
            gives: Returns::Unknown,
            instance: None,
            made_in: None,
        }
    }
}

impl Object {
    /// A new one, of which nothing else is known.
    pub fn new(kind: Kind, states: States) -> Self {
        Self {
            kind,
            states,
            passed: Passed::Nothing,
            silent: false,
            escaped: false,
            cancelled_at: None,
            why: None,
            many: false,
            joined: false,
            spent: Spent::Nothing,
            round: Round::Outside,
            loose: false,
            among: None,
            group: None,
            used: None,
            excused: false,
            waited: None,
            kept: false,
            discarded: None,
            of_parameter: None,
            raises: Raises::Perhaps,
            may_refuse: true,
            suspends: true,
            reach: Arc::new(["*".to_owned()]),
            runs: None,
        }
    }

    /// Somebody may have waited for it.
    pub fn fall_silent(&mut self) {
        (self.silent, self.passed) = (true, Passed::Nothing);
    }

    /// Whether `cancel()` reaches it for all that is known: nobody can have waited for it, though it may have had time to end.
    pub fn takes_cancel(&self) -> bool {
        self.states.has(States::P) && (!self.silent || self.passed != Passed::Nothing && !self.escaped)
    }

    /// What it is, where it is a coroutine.
    pub fn coroutine(&self) -> Option<&Arc<Coroutine>> {
        match &self.kind {
            Kind::Coroutine(coroutine) => Some(coroutine),
            _ => None,
        }
    }

    /// Stands for these others as well.
    pub fn join(&mut self, others: &Self) {
        self.many = true;
        self.joined = true;
        self.loose |= others.loose || self.spent != others.spent;
        self.states = self.states.or(others.states);
        self.silent |= others.silent;
        self.escaped |= others.escaped;
        if self.passed == Passed::Nothing {
            self.passed = others.passed;
        }
        self.why = self.why.or(others.why);
        self.cancelled_at = self.cancelled_at.or(others.cancelled_at);
        // Used and unused ones together: neither is said of all.
        self.escaped |= self.used.is_some() != others.used.is_some();
        self.used = self.used.or(others.used);
        self.excused |= others.excused;
        self.waited = self.waited.or(others.waited);
        self.kept |= others.kept;
        self.discarded = self.discarded.or(others.discarded);
        self.of_parameter = self.of_parameter.filter(|_| self.of_parameter == others.of_parameter);
        self.raises = self.raises.max(others.raises);
        self.may_refuse |= others.may_refuse;
        self.suspends |= others.suspends;
        if self.group != others.group {
            self.group = None;
        }
        if self.reach != others.reach {
            self.reach = Arc::new(["*".to_owned()]);
        }
    }
}
