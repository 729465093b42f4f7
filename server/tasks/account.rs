//! What the analysis of a function saw: the asks, and the evidence for them.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::summary::{Returns, Started};
use super::value::{Asks, Coroutine, Effect, Elsewhere, Kind, Object, ObjectId, Raises, States, Value};
use super::world::{Trail, World};
use crate::flow::{BlockId, Guard, Guards};
use crate::text::Span;

/// More ways than these tell nothing new of an object.
const MAX_ENDS: usize = 64;

/// What the analysis saw.
#[derive(Debug, Default)]
pub struct Account {
    /// Every `task.result` or `task.exception` that is called, by place; one entry for each way in which a path can come there.
    pub asks: FxHashMap<Span, Vec<Ask>>,
    /// Every mention of a task by a name, with the states on all paths together.
    pub mentions: FxHashMap<Span, Mention>,
    /// A way was left out because a test of the same text had given something else before, though other code may have changed that
    /// in between: what is left may not be all, so nothing is certain.
    pub presumed: bool,
    /// How the objects ended, by where they were made: one entry for each way.
    pub ends: FxHashMap<ObjectId, Vec<End>>,
    /// Every expression that consumes a coroutine.
    pub consumptions: FxHashMap<Span, Vec<Consumption>>,
    /// Every `await` of a task.
    pub awaits: FxHashMap<Span, Vec<AwaitOf>>,
    /// The variable that took an object first, and whether it is a collection of them.
    pub names: FxHashMap<ObjectId, (String, bool)>,
    /// The coroutines that are given to an `asyncio.run` which cannot run them, as a loop is running; the whole call.
    pub nested_runs: FxHashMap<ObjectId, Span>,
    /// The coroutines that are put into an attribute from which a method takes them more than once; the attribute.
    pub stored: FxHashMap<ObjectId, String>,
    /// The objects whose variable is read, or that are used in another way.
    pub read: FxHashSet<ObjectId>,
    /// The variables that code mentions which no path was followed to: it may be reached all the same.
    pub unseen: FxHashSet<String>,
    /// The objects that nobody took, not even a variable, and the waits whose results nobody took.
    pub dropped: FxHashSet<Span>,
    /// The parameters with which something is done that only takes a coroutine.
    pub needs_coroutine: FxHashSet<ObjectId>,
    /// The parameters that some path gives back.
    pub given_back: FxHashSet<ObjectId>,
    /// What it returns on every path; `None` while it has not returned.
    pub returns: Option<Returns>,
    /// Whether it can raise.
    pub raises: Raises,
    /// It has a handler for `CancelledError`, or something that may be one.
    pub may_refuse: bool,
    /// Something in it can suspend.
    pub suspends: bool,
    /// Where the tasks were waited for: the blocks and the expressions.
    pub(super) waits: FxHashMap<ObjectId, FxHashSet<(BlockId, Span)>>,
    pub(super) steps: Vec<(u32, Step)>,
    pub(super) reach: Vec<Vec<BlockId>>,
}

/// A path comes to `task.result()` or `task.exception()`.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The task, and what is known of it on this path; `None` where the receiver is none that was made in view.
    pub task: Option<(ObjectId, Object)>,
    /// The whole `task.result()`, and the expression for the task in it; empty where the receiver is none.
    pub call: Span,
    /// See `call`.
    pub receiver: Span,
    /// `result` or `exception`.
    pub is_result: bool,
    /// No reader would believe in the path.
    pub doubt: bool,
    /// The path has passed a question that can only fail.
    pub beyond: bool,
    /// What catches the error.
    pub guard: Guard,
    /// Somebody catches `CancelledError`.
    pub catches_cancelled: bool,
    /// Somebody catches some `Exception`.
    pub catches_error: bool,
    /// A function that was given the task asks, not this code.
    pub asked_by: Option<(Arc<str>, Asks)>,
    pub(super) trail: Trail,
}

/// The last that a path knew of an object.
#[derive(Clone, Debug)]
pub struct End {
    /// What was known of it.
    pub object: Object,
    /// No reader would believe in the path.
    pub doubt: bool,
    /// The path has passed a question that can only fail.
    pub beyond: bool,
    /// The `return` by which the path leaves the function.
    pub leaves: Option<Span>,
    /// An exception leaves the function.
    pub raises: bool,
}

/// A path comes to an expression that consumes a coroutine.
#[derive(Clone, Debug)]
pub struct Consumption {
    /// The coroutine, and what was known of it.
    pub coroutine: (ObjectId, Object),
    /// Where it was consumed before, or one of those in the collection that is consumed.
    pub used: Option<Span>,
    /// What consumed its collection, or one in it, tells that: which of them a path has consumed is known of all paths together only.
    pub by_others: bool,
    /// A function that it is given to uses it up, once more or twice; where, if that is the second time.
    pub by_callee: Option<(Arc<str>, Option<Elsewhere>)>,
    /// A task would do for that function as well.
    pub takes_task: bool,
    /// That function runs later, if ever.
    pub later: bool,
    /// No reader would believe in the path.
    pub doubt: bool,
    /// The path has passed a question that can only fail.
    pub beyond: bool,
    /// What catches the error.
    pub guards: Guards,
}

/// A path comes to an `await` of a task.
#[derive(Clone, Debug)]
pub struct AwaitOf {
    /// The task, and what is known of it on this path.
    pub task: (ObjectId, Object),
    /// The expression that is awaited.
    pub operand: Span,
    /// A `CancelledError` is on its way already: what comes out is what comes anyway.
    pub is_cancelled_itself: bool,
    /// No reader would believe in the path.
    pub doubt: bool,
    /// The path has passed a question that can only fail.
    pub beyond: bool,
    /// What catches the error.
    pub guards: Guards,
}

/// A task where it is named.
#[derive(Clone, Debug)]
pub struct Mention {
    /// The task; `None` where it is another on another path.
    pub task: Option<ObjectId>,
    /// What is known on each path.
    pub states: Vec<Object>,
}

/// A branch that a path took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The test, or the iterable.
    pub test: Span,
    /// The way it went.
    pub taken: bool,
    pub(super) from: BlockId,
    pub(super) other: BlockId,
}

impl End {
    fn same_as(&self, other: &Self) -> bool {
        let marks = |end: &Self| {
            let of = &end.object;
            (end.doubt, end.beyond, end.leaves, end.raises, of.used, of.excused, of.escaped, of.states, of.silent)
        };
        let more = |end: &Self| {
            (end.object.waited, end.object.kept, end.object.discarded, end.object.cancelled_at, end.object.many)
        };
        let given =
            |end: &Self| matches!(end.object.kind, Kind::Parameter(_)).then_some((end.object.spent, end.object.loose));
        marks(self) == marks(other) && more(self) == more(other) && given(self) == given(other)
    }
}

impl Ask {
    /// Nothing but the path, and what catches the error.
    pub(super) fn guarded(world: &World, guards: Guards) -> Self {
        Self {
            guard: guards.invalid,
            catches_cancelled: guards.cancelled,
            catches_error: guards.error,
            ..Self::at(world)
        }
    }

    /// Nothing but the path.
    pub(super) fn at(world: &World) -> Self {
        Self {
            task: None,
            call: Span::default(),
            receiver: Span::default(),
            is_result: false,
            doubt: world.doubt,
            beyond: world.beyond,
            guard: Guard::None,
            catches_cancelled: false,
            catches_error: false,
            asked_by: None,
            trail: world.trail,
        }
    }

    /// Whether it says the same: the first to come stands for all, having taken the shortest path.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        let marks = |ask: &Self| (ask.doubt, ask.beyond, ask.asked_by.clone());
        self.task == other.task && marks(self) == marks(other)
    }
}

impl Consumption {
    /// Nothing but the path, the coroutine, and what catches the error.
    pub(super) fn of(world: &World, coroutine: (ObjectId, Object), guards: Guards) -> Self {
        let (doubt, beyond) = (world.doubt, world.beyond);
        Self {
            coroutine,
            used: None,
            by_others: false,
            by_callee: None,
            takes_task: false,
            later: false,
            doubt,
            beyond,
            guards,
        }
    }

    /// A function that is given the coroutine at `by` uses it up.
    pub(super) fn by_callee(
        world: &World,
        coroutine: (ObjectId, Object),
        by: Span,
        guards: Guards,
        (effect, callee): (&Effect, &Arc<str>),
    ) -> Self {
        let again = effect.again.map(|span| Elsewhere { function: callee.clone(), span });
        let used = Some(coroutine.1.used.filter(|_| !coroutine.1.joined).unwrap_or(by));
        let by_callee = Some((callee.clone(), again));
        Self { used, by_callee, takes_task: effect.takes_task, ..Self::of(world, coroutine, guards) }
    }
}

impl Account {
    /// A path comes to the expression at `by`, which consumes a coroutine.
    pub(super) fn note_consumption(&mut self, by: Span, new: Consumption) {
        let known = self.consumptions.entry(by).or_default();
        let key = |of: &Consumption| (of.coroutine.0, of.used, of.doubt, of.beyond, of.by_callee.is_some());
        if !known.iter().any(|of| key(of) == key(&new)) {
            known.push(new);
        }
    }

    /// The path needs the object no more.
    pub(super) fn note_end(&mut self, world: &World, id: ObjectId, object: Object, leaves: Option<Span>) {
        self.note(id, End { object, doubt: world.doubt, beyond: world.beyond, leaves, raises: false });
    }

    /// The path ends here, with an exception or without, and with it whatever it held.
    pub(super) fn leave(&mut self, world: &World, raises: bool) {
        for (id, object) in world.objects() {
            let object = object.clone();
            self.note(*id, End { object, doubt: world.doubt, beyond: world.beyond, leaves: None, raises });
        }
    }

    fn note(&mut self, id: ObjectId, end: End) {
        let ends = self.ends.entry(id).or_default();
        if ends.len() < MAX_ENDS && !ends.iter().any(|other| other.same_as(&end)) {
            ends.push(end);
        }
    }

    /// Something in it can raise; `leaves`: nothing around it catches what.
    pub(super) fn note_raise(&mut self, leaves: bool, raises: Raises) {
        if leaves {
            self.raises = self.raises.max(raises);
        }
    }

    /// Whether the variable that holds the object is mentioned where no path was followed to.
    pub fn is_unseen(&self, id: ObjectId) -> bool {
        self.names.get(&id).is_some_and(|(name, _)| self.unseen.contains(name))
    }

    /// A variable takes an object.
    pub(super) fn note_name(&mut self, value: &Value, name: &str) {
        let (mut ids, is_collection) = (Vec::new(), value.is_collection());
        if is_collection || matches!(value, Value::Object(_)) {
            value.objects(&mut ids);
        }
        for id in ids {
            let known = self.names.entry(id).or_insert_with(|| (name.to_owned(), is_collection));
            // A collection that holds it says more than the variable of a loop.
            if is_collection && !known.1 {
                *known = (name.to_owned(), true);
            }
        }
    }

    /// The function returns this value.
    pub(super) fn note_return(&mut self, world: &World, value: &Value, place: (&Arc<str>, u32)) {
        let returns = match value {
            Value::Object(id) if self.given_back.contains(id) => match world.object(*id).map(|object| &object.kind) {
                Some(Kind::Parameter(index)) => Returns::Given(*index),
                _ => Returns::Unknown,
            },
            Value::Object(id) => match world.object(*id) {
                Some(Object { kind: Kind::Coroutine(coroutine), used: None, escaped: false, many: false, .. }) => {
                    let span = Span::new(id.start.saturating_sub(place.1), id.end.saturating_sub(place.1));
                    let made_in = Some(Elsewhere { function: place.0.clone(), span });
                    Returns::Coroutine(Arc::new(Coroutine { lent: Arc::new([]), made_in, ..(**coroutine).clone() }))
                }
                Some(Object {
                    kind: Kind::Task,
                    states: States::P,
                    silent: false,
                    escaped: false,
                    group: None,
                    many: false,
                    kept,
                    discarded,
                    of_parameter,
                    raises,
                    may_refuse,
                    suspends,
                    ..
                }) => Returns::Task(Started {
                    raises: *raises,
                    may_refuse: *may_refuse,
                    suspends: *suspends,
                    of_parameter: *of_parameter,
                    kept: *kept,
                    discarded: discarded.is_some(),
                }),
                _ => Returns::Unknown,
            },
            _ => Returns::Unknown,
        };
        match &self.returns {
            None => self.returns = Some(returns),
            Some(known) if *known == returns => {}
            Some(Returns::Coroutine(known)) if matches!(&returns, Returns::Coroutine(_)) => {
                if let Returns::Coroutine(other) = &returns {
                    let either = known.or(other);
                    self.returns = Some(Returns::Coroutine(Arc::new(either)));
                }
            }
            Some(_) => self.returns = Some(Returns::Unknown),
        }
    }

    /// The branch on the path of `ask` that led past a wait for its task: the last one whose other side goes to a wait.
    pub fn skipped(&self, ask: &Ask) -> Option<Step> {
        let (id, _) = ask.task.as_ref()?;
        let waits = self.waits.get(id)?;
        let mut at = ask.trail.0;
        while at != 0 {
            let (before, step) = *self.steps.get(at as usize)?;
            // The wait has to lie on the way that was not taken, not around the next round of a loop.
            if self.reaches(step.other, step.from, |block| waits.iter().any(|(of, _)| *of == block)) {
                return Some(step);
            }
            at = before;
        }
        None
    }

    fn reaches(&self, from: BlockId, without: BlockId, hit: impl Fn(BlockId) -> bool) -> bool {
        let mut seen = FxHashSet::default();
        let mut open = vec![from];
        while let Some(block) = open.pop() {
            if block == without || !seen.insert(block) {
                continue;
            }
            if hit(block) {
                return true;
            }
            open.extend(self.reach.get(block.0 as usize).into_iter().flatten());
        }
        false
    }
}
