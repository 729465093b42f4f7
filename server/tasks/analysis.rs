//! Worlds through the graph: the domain of the solver.

use std::sync::Arc;

use super::account::{Account, Ask, Mention, Step};
use super::calls::Call;
use super::value::*;
use super::world::{Suspension, World};
use crate::flow::{BlockId, CmpOp, Constant, Domain, ExcSet, Graph, Liveness, OpKind, Outcome, Place, solve};
use crate::text::Span;

/// Budgets: real functions need some dozens of worlds at a block. What needs more ends in silence.
const PER_BLOCK: usize = 400;
const STEPS: usize = 40_000;
/// Instructions times what is known while each is carried out: some 100,000 in a long function, 0.1 s at this limit.
const WORK: usize = 20_000_000;

/// Analyses one function. `None` where it is too large or has too many paths: nothing is said about it then.
pub fn analyse(graph: &Graph, isolated: &dyn Fn(&str) -> bool) -> Option<Account> {
    let live = Liveness::of(graph)?;
    let mut entry = World::new();
    for (index, local) in graph.locals.iter().enumerate() {
        let loops = ["asyncio.AbstractEventLoop", "asyncio.BaseEventLoop", "uvloop.Loop"];
        if local.annotation.as_deref().is_some_and(|annotation| loops.contains(&annotation)) {
            entry.learn(Place(index as u32), Value::Loop);
        }
    }
    let account = Account {
        steps: vec![(0, Step { test: Span::default(), taken: false, from: BlockId(0), other: BlockId(0) })],
        ..Account::default()
    };
    let mut analysis = Analysis { account, live, isolated, work: 0 };
    match solve(graph, &mut analysis, entry, PER_BLOCK, STEPS) {
        Outcome::OverBudget => None,
        Outcome::Complete if analysis.work > WORK => None,
        Outcome::Complete => {
            let mut account = analysis.account;
            account.reach = graph.blocks.iter().map(|block| graph.successors(block)).collect();
            Some(account)
        }
    }
}

pub(super) struct Analysis<'a> {
    pub(super) account: Account,
    live: Liveness,
    isolated: &'a dyn Fn(&str) -> bool,
    work: usize,
}

/// One block being carried through: where exceptions and branches go.
pub(super) struct Here<'g, 'e> {
    pub(super) graph: &'g Graph,
    pub(super) block: BlockId,
    pub(super) unwind: Option<BlockId>,
    emit: &'e mut dyn FnMut(BlockId, World),
}

impl Domain for Analysis<'_> {
    type State = World;

    fn step(&mut self, graph: &Graph, id: BlockId, mut world: World, emit: &mut dyn FnMut(BlockId, World)) {
        let Some(block) = graph.blocks.get(id.0 as usize) else { return };
        let mut at = Here { graph, block: id, unwind: block.unwind, emit };
        for op in &block.ops {
            self.work += world.size();
            if self.work > WORK || !self.op(&mut at, &mut world, &op.kind, op.span) {
                return;
            }
        }
        self.end(&mut at, world, &block.end);
    }
}

impl Analysis<'_> {
    /// Sends a world on to a block.
    pub(super) fn go(&mut self, at: &mut Here<'_, '_>, to: BlockId, mut world: World) {
        let depth = at.graph.blocks.get(to.0 as usize).map_or(0, |block| block.depth);
        world.resume.truncate(depth as usize);
        world.forget_dead(|place| self.live.live(to, place));
        (at.emit)(to, world);
    }

    /// An exception of these kinds leaves the block; `class` where it is known to be of this builtin one.
    pub(super) fn raise(&mut self, at: &mut Here<'_, '_>, mut world: World, kinds: ExcSet, class: Option<&str>) {
        if let Some(to) = at.unwind
            && !kinds.is_empty()
        {
            world.raised = kinds;
            world.raised_class = class.map(Arc::from);
            self.go(at, to, world);
        }
    }

    /// The task was waited for here.
    pub(super) fn waited(&mut self, at: &Here<'_, '_>, id: ObjectId, span: Span) {
        self.account.waits.entry(id).or_default().insert((at.block, span));
    }

    pub(super) fn is_isolated(&self, function: &str) -> bool {
        (self.isolated)(function)
    }

    /// `task.result` is called on this task.
    pub(super) fn ask(&mut self, world: &World, call: &Call<'_>, attribute: &Attribute, id: ObjectId) {
        let task = world.object(id).map(|object| (id, object.clone()));
        let is_result = &*attribute.name == "result";
        let receiver = attribute.object;
        let ask = Ask { task, call: call.span, receiver, is_result, guard: call.guard, ..Ask::at(world) };
        self.note_ask(attribute.span, ask);
    }

    /// `other.result` is taken of something that is no task made in view.
    fn ask_of_another(&mut self, world: &World, at: Span, is_result: bool) {
        self.note_ask(at, Ask { is_result, ..Ask::at(world) });
    }

    fn note_ask(&mut self, at: Span, ask: Ask) {
        let known = self.account.asks.entry(at).or_default();
        if !known.iter().any(|other| other.same_as(&ask)) {
            known.push(ask);
        }
    }

    /// One instruction. False where no path goes on.
    fn op(&mut self, at: &mut Here<'_, '_>, world: &mut World, kind: &OpKind, span: Span) -> bool {
        let graph = at.graph;
        match kind {
            OpKind::Constant(dst, value) => {
                let value = match value {
                    Constant::None => Value::None,
                    Constant::Bool(truth) => Value::Bool(*truth),
                    Constant::Truthy => Value::Truthy,
                    Constant::Falsy => Value::Falsy,
                };
                world.set(graph, *dst, value);
            }
            OpKind::Path(dst, path) => world.set(graph, *dst, Value::Path(path.as_str().into())),
            OpKind::ResultOf(dst, path) => {
                let is_loop = super::calls::gives_loop(path);
                world.set(graph, *dst, if is_loop { Value::Loop } else { Value::Unknown });
            }
            OpKind::Function(dst, name) => world.set(graph, *dst, Value::Function(name.as_str().into())),
            OpKind::Opaque(dst) | OpKind::Forget(dst) => world.set(graph, *dst, Value::Unknown),
            OpKind::Mention(place) => self.mention(world, *place, span),
            OpKind::Copy(dst, src) => {
                let mut value = world.get(*src).clone();
                let named = |place: &Place| (place.0 as usize) < graph.locals.len();
                if matches!(value, Value::Items(_) | Value::Many(_)) && named(src) && named(dst) {
                    // Two names of one list: what is added by one is seen by the other, which is not followed.
                    world.escape(&value);
                    world.set(graph, *src, Value::Unknown);
                    value = Value::Unknown;
                }
                match graph.locals.get(dst.0 as usize) {
                    Some(local) if local.volatile => {
                        world.escape(&value);
                        world.set(graph, *dst, Value::Unknown);
                    }
                    Some(local) if local.shared => {
                        world.escape(&value);
                        world.set(graph, *dst, value);
                    }
                    _ => world.set(graph, *dst, value),
                }
            }
            OpKind::Attribute { dst, src, object, name, like_loop } => {
                let value = world.get(*src).clone();
                let asks = matches!(name.as_str(), "result" | "exception");
                if asks && !matches!(value, Value::Object(_)) {
                    self.ask_of_another(world, span, name == "result");
                }
                let place = ((src.0 as usize) < graph.locals.len()).then_some(*src);
                let attribute = |of: Value| {
                    Value::Attribute(Attribute {
                        of: Arc::new(of),
                        place,
                        name: name.as_str().into(),
                        span,
                        object: *object,
                    })
                };
                let value = match value {
                    Value::Unknown | Value::Returned | Value::NotNone | Value::Truthy
                        if *like_loop && super::calls::of_loop(name) =>
                    {
                        attribute(Value::Loop)
                    }
                    Value::Object(_)
                    | Value::Loop
                    | Value::Group(_)
                    | Value::WaitSet(_)
                    | Value::Items(_)
                    | Value::Many(_) => attribute(value),
                    other => {
                        world.escape(&other);
                        Value::Unknown
                    }
                };
                world.set(graph, *dst, value);
            }
            OpKind::Subscript { dst, src, index } => {
                let value = match (world.get(*src).clone(), world.get(*index)) {
                    (Value::Items(items), Value::Falsy) => items.first().cloned().unwrap_or(Value::Unknown),
                    (Value::Items(items), Value::Truthy) if items.len() == 2 => items[1].clone(),
                    (Value::WaitSet(set), _) => {
                        world.silence(&set.members);
                        Value::Unknown
                    }
                    (other, _) => {
                        world.escape(&other);
                        Value::Unknown
                    }
                };
                world.set(graph, *dst, value);
            }
            OpKind::Call { dst, callee, args, guard, names } => {
                return self.call(
                    at,
                    world,
                    super::calls::Call { dst: *dst, callee: *callee, args, guard: *guard, names, span },
                );
            }
            OpKind::Await { dst, src } => {
                let value = world.get(*src).clone();
                let result = self.wait_on(at, world, &value, span);
                world.set(graph, *dst, result);
            }
            OpKind::Display { dst, items } => {
                let mut values = Vec::new();
                for (place, star) in items {
                    match (world.get(*place).clone(), star) {
                        (Value::Items(inner), true) => values.extend(inner.iter().cloned()),
                        (value, true) => {
                            world.escape(&value);
                            values.push(Value::Unknown);
                        }
                        (value, false) => values.push(value),
                    }
                }
                world.set(graph, *dst, Value::Items(values.into()));
            }
            OpKind::Collect { dst, value } => {
                let value = world.get(*value).clone();
                self.collect(world, graph, *dst, &value);
            }
            OpKind::Compare { dst, op, left, right } => {
                let value = self.compare(world, graph, *op, *left, *right, span);
                world.set(graph, *dst, value);
            }
            OpKind::Not(dst, src) => {
                let value = match world.get(*src).clone() {
                    Value::Bool(truth) => Value::Bool(!truth),
                    Value::None | Value::Falsy => Value::Bool(true),
                    Value::Truthy | Value::Object(_) => Value::Bool(false),
                    Value::Test(test) => Value::Test(Test { negated: !test.negated, ..test }),
                    _ => Value::Unknown,
                };
                world.set(graph, *dst, value);
            }
            OpKind::Compute(dst, parts) => {
                for part in parts {
                    match world.get(*part).clone() {
                        Value::Object(_) => {}
                        Value::WaitSet(set) | Value::Length(set) => world.silence(&set.members),
                        other => world.escape(&other),
                    }
                }
                world.set(graph, *dst, Value::Unknown);
            }
            OpKind::Unpack { src, targets, starred } => {
                let value = world.get(*src).clone();
                match &value {
                    Value::Items(items) if starred.is_none() && items.len() == targets.len() => {
                        for (target, item) in targets.iter().zip(items.iter()) {
                            world.set(graph, *target, item.clone());
                        }
                    }
                    other => {
                        if let Value::WaitSet(set) = other {
                            world.silence(&set.members);
                        }
                        world.escape(other);
                        for target in targets {
                            world.set(graph, *target, Value::Unknown);
                        }
                    }
                }
            }
            OpKind::Escape(src) => {
                let value = world.get(*src).clone();
                if let Value::WaitSet(set) = &value {
                    world.silence(&set.members);
                }
                world.escape(&value);
            }
            OpKind::Capture(places) => {
                for place in places {
                    let value = world.get(*place).clone();
                    world.escape(&value);
                }
            }
            OpKind::Enter { dst, cm, is_async } => {
                let value = world.get(*cm).clone();
                match &value {
                    Value::Group(_) | Value::Context(_) => {}
                    _ if *is_async => {
                        self.raise_anything(at, world);
                        world.suspend(Suspension::Anything, &[]);
                    }
                    _ => {}
                }
                world.escape(&value);
                world.set(graph, *dst, if matches!(value, Value::Group(_)) { value } else { Value::Unknown });
            }
            OpKind::Exit { cm, is_async, after } => return self.exit(at, world, *cm, *is_async, *after, span),
            OpKind::Yield { dst } => {
                self.raise_anything(at, world);
                world.suspend(Suspension::Anything, &[]);
                world.set(graph, *dst, Value::Unknown);
            }
            OpKind::Round => world.new_round(graph),
            OpKind::Catch => {
                world.caught = world.raised;
                world.raised = ExcSet::NONE;
            }
            OpKind::EndCatch => world.caught = ExcSet::NONE,
        }
        true
    }

    /// Somebody else's code is awaited and raises.
    pub(super) fn raise_anything(&mut self, at: &mut Here<'_, '_>, world: &World) {
        if at.unwind.is_some() {
            let mut raised = world.clone();
            raised.suspend(Suspension::Anything, &[]);
            self.raise(at, raised, ExcSet::CANCELLED.union(ExcSet::EXCEPTION), None);
        }
    }

    /// A plain call raises: every one can, few readers think of it.
    pub(super) fn raise_in_doubt(&mut self, at: &mut Here<'_, '_>, world: &World) {
        if at.unwind.is_some() {
            let mut raised = world.clone();
            raised.doubt = true;
            self.raise(at, raised, ExcSet::EXCEPTION, None);
        }
    }

    /// Adds a value to the list or set that a place holds.
    pub(super) fn collect(&mut self, world: &mut World, graph: &Graph, place: Place, value: &Value) {
        let known: Option<Vec<ObjectId>> = match world.get(place) {
            Value::Items(items) if items.is_empty() => Some(Vec::new()),
            Value::Many(ids) => Some(ids.to_vec()),
            _ => None,
        };
        match (known, value) {
            (Some(mut ids), Value::Object(id)) => {
                if let Some(object) = world.object_mut(*id) {
                    object.many = true;
                }
                ids.push(*id);
                ids.sort();
                ids.dedup();
                if graph.locals.get(place.0 as usize).is_some_and(|local| local.shared || local.volatile) {
                    world.escape(value);
                }
                world.set(graph, place, Value::Many(ids.into()));
            }
            _ => {
                let list = world.get(place).clone();
                world.escape(&list);
                world.escape(value);
                world.set(graph, place, Value::Unknown);
            }
        }
    }

    fn mention(&mut self, world: &World, place: Place, span: Span) {
        let Value::Object(id) = world.get(place) else { return };
        let Some(object) = world.object(*id) else { return };
        let known =
            self.account.mentions.entry(span).or_insert_with(|| Mention { task: Some(*id), states: Vec::new() });
        if known.task != Some(*id) {
            known.task = None;
        }
        if !known.states.contains(object) {
            known.states.push(object.clone());
        }
    }

    fn compare(&mut self, world: &mut World, graph: &Graph, op: CmpOp, left: Place, right: Place, span: Span) -> Value {
        let (a, b) = (world.get(left).clone(), world.get(right).clone());
        let negated = matches!(op, CmpOp::IsNot | CmpOp::Ne | CmpOp::NotIn);
        let test = |about| {
            let fresh = !matches!(&about, About::In(_, set) if !set.fresh);
            Value::Test(Test { about, negated, fresh, span })
        };
        match (&a, op, &b) {
            (Value::Object(id), CmpOp::In | CmpOp::NotIn, Value::WaitSet(set)) => test(About::In(*id, set.clone())),
            (Value::Test(of), CmpOp::Is | CmpOp::Eq | CmpOp::IsNot | CmpOp::Ne, Value::Bool(truth)) => {
                Value::Test(Test { negated: of.negated ^ negated ^ !truth, ..of.clone() })
            }
            (_, CmpOp::Is | CmpOp::Eq | CmpOp::IsNot | CmpOp::Ne, Value::None) => match &a {
                Value::None => Value::Bool(!negated),
                Value::Unknown | Value::Returned if (left.0 as usize) < graph.locals.len() => test(About::IsNone(left)),
                Value::Unknown | Value::Returned => Value::Unknown,
                _ => Value::Bool(negated),
            },
            _ => {
                for value in [&a, &b] {
                    if let Value::WaitSet(set) | Value::Length(set) = value {
                        world.silence(&set.members);
                    }
                }
                Value::Unknown
            }
        }
    }
}

/// An element of a set that `wait` returned: a task made elsewhere, done or pending for certain.
pub(super) fn element(world: &mut World, set: &WaitSet, span: Span) -> Value {
    let (states, kind) = if set.done { (States::DONE, None) } else { (States::P, Some(WhyKind::PendingSet)) };
    world.make(
        span,
        Object {
            kind: Kind::Element(None),
            states,
            passed: Passed::Nothing,
            silent: !set.done && !set.fresh,
            escaped: true,
            cancelled_at: None,
            many: false,
            why: kind.map(|kind| Why { kind, span: set.span }),
            group: None,
            reach: Arc::new(["*".to_owned()]),
        },
    );
    Value::Object(span)
}

/// An element of a collection of all that were made at these places.
pub(super) fn one_of(world: &mut World, ids: &[ObjectId], span: Span) -> Value {
    let mut made = ids.iter().filter_map(|id| world.object(*id));
    let Some(mut object) = made.next().cloned() else { return Value::Unknown };
    made.for_each(|other| object.join(other));
    object.kind = Kind::Element(ids.first().copied());
    object.many = false;
    world.make(span, object);
    Value::Object(span)
}
