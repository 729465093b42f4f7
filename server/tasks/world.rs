//! What is known at a point on one path.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::value::*;
use crate::flow::{ConditionId, ExcSet, Graph, Place, Resume};
use crate::text::Span;

/// The branches taken on the way here: an index into the analysis' record of them. It tells no two worlds apart.
#[derive(Clone, Copy, Debug)]
pub struct Trail(pub u32);

impl PartialEq for Trail {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Trail {}
impl Hash for Trail {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// The state of one path. Everything is kept sorted, so that equal knowledge is equal.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct World {
    env: Vec<(Place, Value)>,
    /// What the attributes of the method's own instance hold, until other code can run.
    cells: Vec<(Arc<str>, Value)>,
    objects: Vec<(ObjectId, Object)>,
    outcomes: Vec<(ConditionId, bool)>,
    /// The exception on its way to a handler.
    pub raised: ExcSet,
    /// Its class, where a `raise` says that it is this builtin one.
    pub raised_class: Option<Arc<str>>,
    /// The exception being handled: what a bare `raise` raises.
    pub caught: ExcSet,
    /// How control goes on behind the `finally`s that it is in.
    pub resume: Vec<Resume>,
    /// A path that a reader would not believe in (a `print` that raises, a loop that never runs): no finding rests on it.
    pub doubt: bool,
    /// Control has passed a question that can only fail: what comes is said only where nothing else leads there.
    pub beyond: bool,
    /// Of each of these at least one is done.
    some_done: Vec<Arc<[ObjectId]>>,
    /// How it came here.
    pub trail: Trail,
}

/// Gathers of gathers are looked into so deep: a loop may put one into itself.
const MAX_GATHER_DEPTH: u32 = 4;

/// How a suspension bears on tasks that are not waited for.
#[derive(Clone, Copy)]
pub enum Suspension<'a> {
    /// Only time passes.
    Sleep(Span),
    /// Code runs that can reach only these variables.
    Apart(Span, &'a [String]),
    /// Code runs that may do anything, waiting for the task included.
    Anything,
}

impl World {
    /// The state at a function's start.
    pub fn new() -> Self {
        Self {
            env: Vec::new(),
            cells: Vec::new(),
            objects: Vec::new(),
            outcomes: Vec::new(),
            raised: ExcSet::NONE,
            raised_class: None,
            caught: ExcSet::NONE,
            resume: Vec::new(),
            doubt: false,
            beyond: false,
            some_done: Vec::new(),
            trail: Trail(0),
        }
    }

    /// How much is known: what carrying it through an instruction costs at most.
    pub fn size(&self) -> usize {
        1 + self.env.len() + self.objects.len()
    }

    /// What `place` holds.
    pub fn get(&self, place: Place) -> &Value {
        match self.env.binary_search_by_key(&place, |(place, _)| *place) {
            Ok(index) => &self.env[index].1,
            Err(_) => &Value::Unknown,
        }
    }

    /// `place` holds `value` from here on; what was known because of its old value is forgotten.
    pub fn set(&mut self, graph: &Graph, place: Place, value: Value) {
        if (place.0 as usize) < graph.locals.len() {
            self.outcomes
                .retain(|(id, _)| graph.conditions.get(id.0 as usize).is_some_and(|c| !c.reads.contains(&place)));
            for (_, held) in &mut self.env {
                if matches!(held, Value::Test(Test { about: About::IsNone(of), .. }) if *of == place) {
                    *held = Value::Unknown;
                }
            }
            self.env.retain(|(_, held)| *held != Value::Unknown);
        }
        self.learn(place, value);
    }

    /// `place` has held `value` all along.
    pub fn learn(&mut self, place: Place, value: Value) {
        match (self.env.binary_search_by_key(&place, |(place, _)| *place), value) {
            (Ok(index), Value::Unknown) => {
                self.env.remove(index);
            }
            (Ok(index), value) => self.env[index].1 = value,
            (Err(_), Value::Unknown) => {}
            (Err(index), value) => self.env.insert(index, (place, value)),
        }
    }

    /// What is known of a task.
    pub fn object(&self, id: ObjectId) -> Option<&Object> {
        self.objects.binary_search_by_key(&id, |(id, _)| *id).ok().map(|index| &self.objects[index].1)
    }

    /// The same, to change it.
    pub fn object_mut(&mut self, id: ObjectId) -> Option<&mut Object> {
        self.objects.binary_search_by_key(&id, |(id, _)| *id).ok().map(|index| &mut self.objects[index].1)
    }

    /// Whether a variable other than the one in `place` holds a collection with this in it; `locals` are the variables.
    pub fn is_held_beside(&self, id: ObjectId, place: Place, locals: usize) -> bool {
        let is_other = |of: Place| of != place && (of.0 as usize) < locals;
        self.env.iter().any(|(of, value)| is_other(*of) && value.is_collection() && value.mentions(id))
    }

    /// Whether it is what the caller gave for a parameter.
    pub fn is_parameter(&self, id: ObjectId) -> bool {
        self.object(id).is_some_and(|object| matches!(object.kind, Kind::Parameter(_)))
    }

    /// Whether it is pending for certain, and out of reach for code that is not in view.
    pub fn is_pending(&self, id: ObjectId) -> bool {
        self.object(id).is_some_and(|object| object.states == States::P && !object.silent && !object.escaped)
    }

    /// What the caller gave, where the value is that and nobody else has it.
    pub fn given_back(&self, value: &Value) -> Option<ObjectId> {
        let Value::Object(id) = *value else { return None };
        self.object(id).filter(|object| matches!(object.kind, Kind::Parameter(_)) && !object.escaped).map(|_| id)
    }

    /// A new task. Places that held the one made here in an earlier round of a loop hold something unknown from now on.
    pub fn make(&mut self, id: ObjectId, mut object: Object) {
        self.env.retain(|(_, value)| matches!(value, Value::Many(_) | Value::Dict(_)) || !value.mentions(id));
        self.cells.retain(|(_, value)| !value.mentions(id));
        if let Some(others) = self.object(id).filter(|others| others.many) {
            object.join(others);
        }
        self.some_done.retain(|ids| !ids.contains(&id));
        match self.objects.binary_search_by_key(&id, |(id, _)| *id) {
            Ok(index) => self.objects[index].1 = object,
            Err(index) => self.objects.insert(index, (id, object)),
        }
    }

    /// What a test of this text gave before, on this path.
    pub fn outcome(&self, id: ConditionId) -> Option<bool> {
        self.outcomes.iter().find(|(of, _)| *of == id).map(|(_, truth)| *truth)
    }

    /// Notes what a test gave.
    pub fn note_outcome(&mut self, id: ConditionId, truth: bool) {
        if let Err(index) = self.outcomes.binary_search_by_key(&id, |(id, _)| *id) {
            self.outcomes.insert(index, (id, truth));
        }
    }

    /// Against what was presumed a test gives this. What is said of the path is said only where no other leads.
    pub fn overrule(&mut self, id: ConditionId, truth: bool) {
        self.outcomes.retain(|(of, _)| *of != id);
        self.note_outcome(id, truth);
        self.beyond = true;
    }

    /// A new round of a loop: tests of anything but this function's own variables may give something else now.
    pub fn new_round(&mut self, graph: &Graph) {
        self.outcomes.retain(|(id, _)| graph.conditions.get(id.0 as usize).is_some_and(|c| c.pure));
    }

    /// Drops what no later code can ask for; gives the objects that nothing holds any more.
    pub fn forget_dead(&mut self, live: impl Fn(Place) -> bool) -> Vec<(ObjectId, Object)> {
        self.env.retain(|(place, _)| live(*place));
        let mut used: Vec<ObjectId> = Vec::new();
        if !self.raised.is_empty() || !self.caught.is_empty() {
            // In which state a caller gets back what it gave depends on whether the exception leaves the function.
            used.extend(self.objects.iter().map(|(id, _)| *id).filter(|id| self.is_parameter(*id)));
        }
        for (_, value) in &self.env {
            value.objects(&mut used);
        }
        for (_, value) in &self.cells {
            value.objects(&mut used);
        }
        let mut next = 0;
        while let Some(id) = used.get(next).copied() {
            next += 1;
            let mut more = Vec::new();
            match self.object(id).map(|object| &object.kind) {
                Some(Kind::Gather { members, .. }) => more.extend(members.iter()),
                Some(Kind::Coroutine(coroutine)) => {
                    coroutine.waits.objects(&mut more);
                    more.extend(coroutine.lent.iter().map(|lent| lent.id));
                }
                _ => {}
            }
            more.retain(|id| !used.contains(id));
            used.extend(more);
        }
        self.some_done.retain(|ids| ids.iter().all(|id| used.contains(id)));
        if self.objects.iter().all(|(id, _)| used.contains(id)) {
            return Vec::new();
        }
        let (kept, dead) = std::mem::take(&mut self.objects).into_iter().partition(|(id, _)| used.contains(id));
        self.objects = kept;
        dead
    }

    /// All objects, where a path ends.
    pub fn objects(&self) -> &[(ObjectId, Object)] {
        &self.objects
    }

    /// What an attribute of the method's own instance holds.
    pub fn cell(&self, name: &str) -> Option<&Value> {
        self.cells.iter().find(|(of, _)| **of == *name).map(|(_, value)| value)
    }

    /// An attribute of the method's own instance is set.
    pub fn set_cell(&mut self, name: &str, value: Value) {
        self.cells.retain(|(of, _)| **of != *name);
        if value != Value::Unknown {
            self.cells.push((name.into(), value));
            self.cells.sort_by(|a, b| a.0.cmp(&b.0));
        }
    }

    /// Other code may have set any attribute.
    pub fn forget_cells(&mut self) {
        self.cells.clear();
    }

    /// The coroutine was consumed, or what became of the task is asked.
    pub fn note_use(&mut self, id: ObjectId, at: Span) {
        if let Some(object) = self.object_mut(id) {
            object.used.get_or_insert(at);
        }
    }

    /// Somebody looks at a set that `wait` returned, in a way that is not followed.
    pub fn looked_at(&mut self, set: &WaitSet, at: Span) {
        self.silence(&set.members);
        self.forget_cancelling(&set.members);
        if set.done {
            for &id in set.members.iter() {
                self.note_use(id, at);
            }
        }
    }

    /// Whoever looks at each of these may have met the cancelled ones.
    pub fn forget_cancelling(&mut self, ids: &[ObjectId]) {
        for id in ids {
            if let Some(object) = self.object_mut(*id).filter(|object| !object.states.has(States::P)) {
                object.cancelled_at = None;
            }
        }
    }

    /// Whether an exception brought control here, into a `finally`.
    pub fn is_unwinding(&self) -> bool {
        self.resume.contains(&Resume::Unwind)
    }

    /// A time limit may have cancelled the task.
    pub fn note_limit(&mut self, id: ObjectId, at: Span) {
        if let Some(object) = self.object_mut(id) {
            object.cancelled_at.get_or_insert(at);
        }
    }

    /// An exception ends what the code was about.
    pub fn excuse(&mut self) {
        for (_, object) in &mut self.objects {
            object.excused |= object.used.is_none();
        }
    }

    /// Code that is not in view can reach the value from here on.
    pub fn escape(&mut self, value: &Value) {
        let mut ids = Vec::new();
        value.objects(&mut ids);
        let is_collection = value.is_collection();
        for id in ids {
            self.escape_object(id);
            if let Some(object) = self.object_mut(id).filter(|_| is_collection) {
                object.loose = true;
            }
        }
    }

    fn escape_object(&mut self, id: ObjectId) {
        let Some(object) = self.object_mut(id) else { return };
        if std::mem::replace(&mut object.escaped, true) {
            return;
        }
        let mut within = Vec::new();
        match &object.kind {
            Kind::Gather { members, .. } => within.extend(members.iter()),
            Kind::Coroutine(coroutine) => {
                coroutine.waits.objects(&mut within);
                within.extend(coroutine.lent.iter().map(|lent| lent.id));
            }
            _ => {}
        }
        within.into_iter().for_each(|id| self.escape_object(id));
    }

    /// Nothing can be said any more about whether these are pending.
    pub fn silence(&mut self, ids: &[ObjectId]) {
        for id in ids {
            if let Some(object) = self.object_mut(*id).filter(|object| object.states.has(States::P)) {
                object.fall_silent();
            }
        }
    }

    /// At least one of these is done.
    pub fn note_some_done(&mut self, ids: Arc<[ObjectId]>) {
        if !self.some_done.contains(&ids) {
            self.some_done.push(ids);
            self.some_done.sort();
        }
    }

    /// The task is known to be pending. Where one of several is done, and all others are known to be pending, it is the last:
    /// false where none is left.
    pub fn found_pending(&mut self, id: ObjectId) -> bool {
        let concerned: Vec<Arc<[ObjectId]>> = self.some_done.iter().filter(|ids| ids.contains(&id)).cloned().collect();
        for ids in concerned {
            let pending =
                |id: &ObjectId| self.object(*id).is_some_and(|object| !object.silent && object.states == States::P);
            let open: Vec<ObjectId> = ids.iter().copied().filter(|id| !pending(id)).collect();
            match open.as_slice() {
                [] => return false,
                [last] => self.settle(*last, States::DONE),
                _ => {}
            }
        }
        true
    }

    /// The code looks at something else that may tell it what became of tasks which had time to run: nothing is said about them
    /// from here on.
    pub fn asked_elsewhere(&mut self) {
        for (_, object) in &mut self.objects {
            let told_by_itself =
                object.why.is_some_and(|why| matches!(why.kind, WhyKind::NotDone | WhyKind::PendingSet));
            if object.passed != Passed::Nothing || (object.why.is_some() && !told_by_itself) {
                object.silent |= object.states.has(States::P);
            }
        }
    }

    /// Other code runs: tasks that are not in `except` may go on, or end.
    pub fn suspend(&mut self, how: Suspension<'_>, except: &[ObjectId]) {
        for (_, value) in &mut self.env {
            value.age();
        }
        self.cells.clear();
        let ending = self.ending_gathers();
        for (id, object) in &mut self.objects {
            if !object.states.has(States::P) || except.contains(id) {
                continue;
            }
            if ending.contains(id) {
                object.silent = true;
                continue;
            }
            match object.kind {
                // It runs the code that asks.
                Kind::Current => continue,
                // It runs when it is awaited.
                Kind::Coroutine(_) => continue,
                // Nobody else can complete it.
                Kind::Future if !object.escaped => continue,
                Kind::Future | Kind::Element(_) => {
                    object.silent = true;
                    continue;
                }
                Kind::Task | Kind::Gather { .. } | Kind::Parameter(_) => {}
            }
            if object.cancelled_at.is_some() {
                // The request has reached it; that it refuses is its own business.
                object.states = States::DONE;
                continue;
            }
            if object.kind == Kind::Task && !object.suspends {
                match how {
                    // It ends in its first step, which comes before the sleep is over.
                    Suspension::Sleep(_) => (object.states, object.silent) = (States::DONE, false),
                    // Others may have no need to wait.
                    Suspension::Apart(..) | Suspension::Anything => object.silent = true,
                }
                continue;
            }
            let passed = match how {
                _ if object.escaped => None,
                Suspension::Sleep(span) => Some(Passed::Sleep(span)),
                // A wait that fell short and now another wait: its author may know what is left.
                _ if object.why.is_some() => None,
                Suspension::Apart(span, names) if apart(names, &object.reach) => Some(Passed::Other(span)),
                Suspension::Apart(..) | Suspension::Anything => None,
            };
            match passed {
                Some(passed) => {
                    object.states = States::ANY;
                    if object.passed == Passed::Nothing {
                        object.passed = passed;
                    }
                }
                None => object.fall_silent(),
            }
        }
    }

    /// The gathers whose members are all done, or may be: they end when the event loop runs next.
    fn ending_gathers(&self) -> Vec<ObjectId> {
        let is_done =
            |id: &ObjectId| self.object(*id).is_some_and(|object| !object.states.has(States::P) || object.silent);
        let ends = |object: &Object| {
            matches!(&object.kind, Kind::Gather { members, count, .. }
                if *count == Some(members.len()) && members.iter().all(is_done))
        };
        self.objects.iter().filter(|(_, object)| ends(object)).map(|(id, _)| *id).collect()
    }

    /// A plain call of unknown code. In a coroutine no task can end during it, but a future that the code can reach may be
    /// completed; elsewhere it may run the event loop.
    pub fn unknown_call(&mut self, in_coroutine: bool) {
        self.cells.clear();
        if !in_coroutine {
            return self.suspend(Suspension::Anything, &[]);
        }
        for (_, object) in &mut self.objects {
            if object.kind == Kind::Future && object.escaped && object.states.has(States::P) {
                object.silent = true;
            }
        }
    }

    /// A known wait ended with the task in one of these states.
    pub fn settle(&mut self, id: ObjectId, states: States) {
        self.settle_one(id, states);
        self.settle_members(id, 0);
    }

    /// What it says about the members of a `gather` that it is done.
    pub fn settle_members(&mut self, id: ObjectId, depth: u32) {
        let Some(Object { kind: Kind::Gather { members, collects, .. }, states, .. }) = self.object(id) else { return };
        let (members, collects, states) = (members.clone(), *collects, *states);
        for &member in members.iter().filter(|member| **member != id) {
            match collects {
                Some(true) => self.settle_one(member, States::DONE),
                Some(false) if states == States::R => self.settle_one(member, States::R),
                None if states == States::R => self.settle_one(member, States::DONE),
                // One failed; the others may be anything.
                _ => self.silence(&[member]),
            }
            if depth < MAX_GATHER_DEPTH {
                self.settle_members(member, depth + 1);
            }
        }
    }

    /// The same for the task alone, whatever it gathers.
    pub fn settle_one(&mut self, id: ObjectId, states: States) {
        if let Some(object) = self.object_mut(id) {
            let known = object.states.without(States::P).and(states);
            object.states =
                if object.silent || object.states.has(States::P) || known.is_empty() { states } else { known };
            object.silent = false;
            object.passed = Passed::Nothing;
            object.why = None;
        }
    }

    /// A known wait ended and may have left the task pending, for this reason.
    pub fn leave_pending(&mut self, id: ObjectId, why: Why) {
        if let Some(object) = self.object_mut(id)
            && (object.states.has(States::P) || object.silent)
        {
            object.states = States::ANY;
            object.silent = object.silent || object.cancelled_at.is_some();
            object.passed = Passed::Nothing;
            object.why = Some(why);
        }
    }

    /// The tasks of a group.
    pub fn in_group(&self, group: ObjectId) -> Vec<ObjectId> {
        self.objects.iter().filter(|(_, object)| object.group == Some(group)).map(|(id, _)| *id).collect()
    }
}

/// Whether code that can reach these variables has no way to wait for a task that can reach those: one of them reaches none.
/// Two different variables are no proof, since one may hold the other's value; and code of which nothing is known may ask for
/// all tasks there are.
fn apart(names: &[String], reach: &[String]) -> bool {
    names.is_empty() || reach.is_empty() && !names.iter().any(|name| name == "*")
}

impl Value {
    /// Adds the tasks that can be reached through the value.
    pub fn objects(&self, into: &mut Vec<ObjectId>) {
        match self {
            Self::Object(id) => into.push(*id),
            Self::Attribute(attribute) => attribute.of.objects(into),
            Self::Many(ids) => into.extend(ids.iter()),
            Self::Dict(ids) | Self::Pairs(ids) => into.extend(ids.iter()),
            Self::Items(items) => items.iter().for_each(|item| item.objects(into)),
            Self::Awaitable(awaitable) => awaitable.objects(into),
            Self::WaitSet(set) | Self::Length(set) => into.extend(set.members.iter()),
            Self::AsCompleted(members) => into.extend(members.iter()),
            Self::Test(test) => match &test.about {
                About::Done(id) | About::Cancelled(id) => into.push(*id),
                About::In(id, set) => {
                    into.push(*id);
                    into.extend(set.members.iter());
                }
                About::IsNone(_) => {}
            },
            _ => {}
        }
    }

    /// The same of what is in it, for collections.
    pub fn is_collection(&self) -> bool {
        matches!(self, Self::Items(_) | Self::Many(_) | Self::Dict(_) | Self::Pairs(_))
    }

    fn mentions(&self, id: ObjectId) -> bool {
        let mut ids = Vec::new();
        self.objects(&mut ids);
        ids.contains(&id)
    }
}

impl Awaitable {
    /// Adds the tasks that it waits for.
    pub fn objects(&self, into: &mut Vec<ObjectId>) {
        match self {
            Self::Wait { members, .. } => into.extend(members.iter()),
            Self::WaitFor(value) | Self::Plain(value) | Self::Shield(value) => value.objects(into),
            Self::Sleep | Self::Code(_) => {}
        }
    }
}
