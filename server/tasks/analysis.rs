//! Worlds through the graph: the domain of the solver.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::value::*;
use super::world::{Suspension, Trail, World};
use crate::flow::{
    BlockId, CmpOp, Constant, Domain, ExcSet, Graph, Guard, OpKind, Outcome, Place, Resume, Terminator, solve,
};
use crate::text::Span;

/// What the analysis saw.
#[derive(Debug, Default)]
pub struct Account {
    /// Every `task.result` or `task.exception` that is called, by place; one entry for each way in which a path can come there.
    pub asks: FxHashMap<Span, Vec<Ask>>,
    /// Every mention of a task by a name, with the states on all paths together.
    pub mentions: FxHashMap<Span, Mention>,
    /// Where the tasks were waited for: the blocks and the expressions.
    waits: FxHashMap<ObjectId, FxHashSet<(BlockId, Span)>>,
    steps: Vec<(u32, Step)>,
    reach: Vec<Vec<BlockId>>,
}

/// A path comes to `task.result()` or `task.exception()`.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The task, and what is known of it on this path; `None` where the receiver is none that was made in view.
    pub task: Option<(ObjectId, Object)>,
    /// `result` or `exception`.
    pub is_result: bool,
    /// No reader would believe in the path.
    pub doubt: bool,
    /// What catches the error.
    pub guard: Guard,
    trail: Trail,
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
    from: BlockId,
    other: BlockId,
}

/// Budgets: real functions need some dozens of worlds at a block. What needs more ends in silence.
const PER_BLOCK: usize = 400;
const STEPS: usize = 40_000;
/// Blocks × places, for liveness.
const SIZE: usize = 60_000_000;

/// Analyses one function. `None` where it is too large or has too many paths: nothing is said about it then.
pub fn analyse(graph: &Graph, isolated: &dyn Fn(&str) -> bool) -> Option<Account> {
    if graph.blocks.len().saturating_mul(graph.places as usize) > SIZE {
        return None;
    }
    let live = Liveness::of(graph);
    let mut entry = World::new();
    for (index, local) in graph.locals.iter().enumerate() {
        let value = match local.annotation.as_deref() {
            Some("asyncio.AbstractEventLoop" | "asyncio.BaseEventLoop" | "AbstractEventLoop") => Value::Loop,
            _ => continue,
        };
        entry.learn(Place(index as u32), value);
    }
    let account = Account {
        steps: vec![(0, Step { test: Span::default(), taken: false, from: BlockId(0), other: BlockId(0) })],
        ..Account::default()
    };
    let mut analysis = Analysis { account, live, isolated };
    match solve(graph, &mut analysis, entry, PER_BLOCK, STEPS) {
        Outcome::OverBudget => None,
        Outcome::Complete => {
            let mut account = analysis.account;
            account.reach = graph
                .blocks
                .iter()
                .map(|block| block.end.successors().into_iter().chain(block.unwind).collect())
                .collect();
            Some(account)
        }
    }
}

impl Account {
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

/// Which places later code reads, by block: a bit set for each.
struct Liveness {
    words: usize,
    at_entry: Vec<u64>,
}

impl Liveness {
    fn of(graph: &Graph) -> Self {
        let words = (graph.places as usize).div_ceil(64).max(1);
        let mut this = Self { words, at_entry: vec![0; words * graph.blocks.len()] };
        let mut before: Vec<Vec<BlockId>> = vec![Vec::new(); graph.blocks.len()];
        for (index, block) in graph.blocks.iter().enumerate() {
            for to in block.end.successors().into_iter().chain(block.unwind) {
                if let Some(list) = before.get_mut(to.0 as usize) {
                    list.push(BlockId(index as u32));
                }
            }
        }
        let mut open: Vec<BlockId> = (0..graph.blocks.len() as u32).map(BlockId).collect();
        let mut waiting = vec![true; graph.blocks.len()];
        let mut set = vec![0u64; words];
        while let Some(id) = open.pop() {
            waiting[id.0 as usize] = false;
            let block = &graph.blocks[id.0 as usize];
            set.iter_mut().for_each(|word| *word = 0);
            for to in block.end.successors().into_iter().chain(block.unwind) {
                for (word, more) in set.iter_mut().zip(this.row(to)) {
                    *word |= more;
                }
            }
            // An exception may leave in the middle: what it needs stays alive through the whole block.
            let kept: Vec<u64> = block.unwind.map(|to| this.row(to).to_vec()).unwrap_or_default();
            terminator_reads(&block.end, |place| mark(&mut set, place, true));
            for op in block.ops.iter().rev() {
                if let Some(place) = op.kind.writes() {
                    mark(&mut set, place, false);
                }
                op.kind.reads(|place| mark(&mut set, place, true));
                for (word, keep) in set.iter_mut().zip(&kept) {
                    *word |= keep;
                }
            }
            let row = &mut this.at_entry[id.0 as usize * words..][..words];
            if row != set.as_slice() {
                row.copy_from_slice(&set);
                for &to in &before[id.0 as usize] {
                    if !std::mem::replace(&mut waiting[to.0 as usize], true) {
                        open.push(to);
                    }
                }
            }
        }
        this
    }

    fn row(&self, block: BlockId) -> &[u64] {
        self.at_entry.get(block.0 as usize * self.words..).and_then(|rest| rest.get(..self.words)).unwrap_or_default()
    }

    fn live(&self, block: BlockId, place: Place) -> bool {
        self.row(block).get(place.0 as usize / 64).is_some_and(|word| word >> (place.0 % 64) & 1 == 1)
    }
}

fn mark(set: &mut [u64], place: Place, on: bool) {
    if let Some(word) = set.get_mut(place.0 as usize / 64) {
        let bit = 1 << (place.0 % 64);
        *word = if on { *word | bit } else { *word & !bit };
    }
}

fn terminator_reads(end: &Terminator, mut read: impl FnMut(Place)) {
    match end {
        Terminator::Branch { test, .. } => read(*test),
        Terminator::Iterate { iter, .. } => read(*iter),
        _ => {}
    }
}

pub(super) struct Analysis<'a> {
    pub(super) account: Account,
    live: Liveness,
    isolated: &'a dyn Fn(&str) -> bool,
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
            if !self.op(&mut at, &mut world, &op.kind, op.span) {
                return;
            }
        }
        self.end(&mut at, world, &block.end);
    }
}

impl Analysis<'_> {
    /// Sends a world on to a block.
    fn go(&mut self, at: &mut Here<'_, '_>, to: BlockId, mut world: World) {
        let depth = at.graph.blocks.get(to.0 as usize).map_or(0, |block| block.depth);
        world.resume.truncate(depth as usize);
        world.forget_dead(|place| self.live.live(to, place));
        (at.emit)(to, world);
    }

    /// An exception of these kinds leaves the block.
    pub(super) fn raise(&mut self, at: &mut Here<'_, '_>, mut world: World, kinds: ExcSet) {
        if let Some(to) = at.unwind
            && !kinds.is_empty()
        {
            world.raised = kinds;
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

    pub(super) fn ask(&mut self, world: &World, at: Span, task: Option<ObjectId>, is_result: bool, guard: Guard) {
        let task = task.and_then(|id| world.object(id).map(|object| (id, object.clone())));
        let ask = Ask { task, is_result, doubt: world.doubt, guard, trail: world.trail };
        let known = self.account.asks.entry(at).or_default();
        if !known.iter().any(|other| other.task == ask.task && other.doubt == ask.doubt) {
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
            OpKind::Function(dst, name) => world.set(graph, *dst, Value::Function(name.as_str().into())),
            OpKind::Opaque(dst) | OpKind::Forget(dst) => world.set(graph, *dst, Value::Unknown),
            OpKind::Mention(place) => self.mention(world, *place, span),
            OpKind::Copy(dst, src) => {
                let value = world.get(*src).clone();
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
            OpKind::Attribute { dst, src, name, like_loop } => {
                let value = world.get(*src).clone();
                let asks = matches!(name.as_str(), "result" | "exception");
                if asks && !matches!(value, Value::Object(_)) {
                    self.ask(world, span, None, name == "result", Guard::None);
                }
                let value = match value {
                    Value::Unknown | Value::Returned | Value::NotNone | Value::Truthy
                        if *like_loop && super::calls::of_loop(name) =>
                    {
                        Value::Attribute(Arc::new(Value::Loop), name.as_str().into(), span)
                    }
                    Value::Object(_) | Value::Loop | Value::Group(_) | Value::WaitSet(_) | Value::Items(_) => {
                        Value::Attribute(Arc::new(value), name.as_str().into(), span)
                    }
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
            self.raise(at, raised, ExcSet::CANCELLED.union(ExcSet::EXCEPTION));
        }
    }

    /// A plain call raises: every one can, few readers think of it.
    pub(super) fn raise_in_doubt(&mut self, at: &mut Here<'_, '_>, world: &World) {
        if at.unwind.is_some() {
            let mut raised = world.clone();
            raised.doubt = true;
            self.raise(at, raised, ExcSet::EXCEPTION);
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
        let test = |about| Value::Test(Test { about, negated, fresh: true, span });
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

    /// The end of a `with` block, by whichever way control came there.
    fn exit(
        &mut self,
        at: &mut Here<'_, '_>,
        world: &mut World,
        cm: Place,
        is_async: bool,
        after: BlockId,
        span: Span,
    ) -> bool {
        let failing = world.resume.last() == Some(&Resume::Unwind);
        let swallow = |world: &World, kinds: ExcSet| {
            let mut swallowed = world.clone();
            swallowed.raised = ExcSet::NONE;
            (world.raised.meets(kinds)).then_some(swallowed)
        };
        match world.get(cm).clone() {
            Value::Context(Context::Timeout) => {
                if failing && world.raised.meets(ExcSet::CANCELLED) {
                    world.raised = world.raised.union(ExcSet::TIMEOUT);
                }
            }
            Value::Context(Context::Suppress(kinds)) if failing => {
                if let Some(swallowed) = swallow(world, kinds) {
                    self.go(at, after, swallowed);
                }
                world.raised = world.raised.minus(kinds);
                return !world.raised.is_empty();
            }
            Value::Context(Context::Suppress(_)) => {}
            Value::Context(Context::Raises(kinds)) => {
                if failing && let Some(swallowed) = swallow(world, kinds) {
                    self.go(at, after, swallowed);
                }
                return false;
            }
            Value::Group(group) => {
                let tasks = world.in_group(group);
                world.suspend(Suspension::Anything, &tasks);
                for &id in &tasks {
                    self.waited(at, id, span);
                }
                let mut failed = world.clone();
                for &id in &tasks {
                    failed.settle(id, States::DONE);
                    world.settle(id, if failing { States::DONE } else { States::R });
                }
                if !failing {
                    self.raise(at, failed, ExcSet::ERROR.union(ExcSet::CANCELLED));
                }
            }
            _ => {
                if is_async {
                    self.raise_anything(at, world);
                    world.suspend(Suspension::Anything, &[]);
                }
                if failing {
                    let mut swallowed = world.clone();
                    swallowed.raised = ExcSet::NONE;
                    swallowed.doubt = true;
                    self.go(at, after, swallowed);
                }
            }
        }
        true
    }

    fn end(&mut self, at: &mut Here<'_, '_>, mut world: World, end: &Terminator) {
        match end {
            Terminator::Dead | Terminator::Return => {}
            Terminator::Goto(to) => self.go(at, *to, world),
            Terminator::Choice(of) => {
                for to in of {
                    self.go(at, *to, world.clone());
                }
            }
            Terminator::Branch { test, condition, then, otherwise, span, enters_loop } => {
                let tracked = !matches!(world.get(*test), Value::Unknown | Value::Returned);
                let mut ways = Vec::new();
                for truth in [true, false] {
                    let mut way = world.clone();
                    if let Some(id) = condition {
                        if !tracked && way.outcome(*id).is_some_and(|known| known != truth) {
                            continue;
                        }
                        way.note_outcome(*id, truth);
                    }
                    if super::refine::assume(&mut way, at.graph, *test, truth) {
                        way.doubt |= *enters_loop && !truth && !tracked;
                        ways.push((truth, way));
                    }
                }
                let both = ways.len() == 2;
                for (truth, mut way) in ways {
                    let (to, other) = if truth { (*then, *otherwise) } else { (*otherwise, *then) };
                    if both {
                        self.account
                            .steps
                            .push((way.trail.0, Step { test: *span, taken: truth, from: at.block, other }));
                        way.trail = Trail(self.account.steps.len() as u32 - 1);
                    }
                    self.go(at, to, way);
                }
            }
            Terminator::Iterate { iter, element, body, end, first, nonempty, is_async, span } => {
                let value = world.get(*iter).clone();
                world.new_round(at.graph);
                if *is_async && !matches!(value, Value::AsCompleted(_)) {
                    self.raise_anything(at, &world);
                    world.suspend(Suspension::Anything, &[]);
                }
                let mut ended = world.clone();
                let mut ends = !nonempty;
                let mut starts = true;
                let item = match &value {
                    Value::WaitSet(set) => {
                        if *first {
                            ends = super::refine::assume_set(&mut ended, set, false, true);
                            starts = super::refine::assume_set(&mut world, set, true, true);
                        }
                        world.silence(&set.members);
                        Some(self::element(&mut world, set, *span))
                    }
                    Value::AsCompleted(members) => {
                        world.suspend(Suspension::Anything, &[]);
                        for &id in members.iter() {
                            self.waited(at, id, *span);
                            ended.settle(id, States::DONE);
                        }
                        world.silence(members);
                        None
                    }
                    Value::Items(items) => {
                        if *first {
                            ends &= items.is_empty();
                            starts = !items.is_empty();
                        }
                        world.escape(&value);
                        let mut ids = Vec::new();
                        value.objects(&mut ids);
                        world.silence(&ids);
                        ended.silence(&ids);
                        None
                    }
                    other => {
                        world.escape(other);
                        ended.doubt |= *first;
                        None
                    }
                };
                if starts {
                    world.set(at.graph, *element, item.unwrap_or(Value::Unknown));
                    self.go(at, *body, world);
                }
                if ends {
                    self.go(at, *end, ended);
                }
            }
            Terminator::Raise(kinds) => {
                let kinds = kinds.unwrap_or(world.caught);
                let kinds = if kinds.is_empty() { ExcSet::EXCEPTION } else { kinds };
                self.raise(at, world, kinds);
            }
            Terminator::Dispatch(arms) => {
                for (taken, to) in arms {
                    if world.raised.meets(*taken) {
                        let mut arrived = world.clone();
                        arrived.raised = world.raised.intersection(*taken);
                        self.go(at, *to, arrived);
                        world.raised = world.raised.minus(*taken);
                    }
                }
                let rest = world.raised;
                self.raise(at, world, rest);
            }
            Terminator::Enter { body, resume } => {
                // What is left on the stack above the `finally`'s own depth belongs to one that is left for good.
                let depth = at.graph.blocks.get(body.0 as usize).map_or(0, |block| block.depth as usize);
                world.resume.truncate(depth.saturating_sub(1));
                world.resume.push(resume.clone());
                self.go(at, *body, world);
            }
            Terminator::EndFinally => match world.resume.pop() {
                Some(Resume::At(mut blocks)) => {
                    let Some(to) = blocks.pop() else { return };
                    if !blocks.is_empty() {
                        world.resume.push(Resume::At(blocks));
                    }
                    self.go(at, to, world);
                }
                Some(Resume::Unwind) => {
                    let kinds = world.raised;
                    self.raise(at, world, kinds);
                }
                None => {}
            },
        }
    }
}

/// An element of a set that `wait` returned: a task made elsewhere, done or pending for certain.
pub(super) fn element(world: &mut World, set: &WaitSet, span: Span) -> Value {
    let (states, kind) = if set.done { (States::DONE, None) } else { (States::P, Some(WhyKind::PendingSet)) };
    world.make(
        span,
        Object {
            kind: Kind::Element,
            states,
            passed: Passed::Nothing,
            silent: false,
            escaped: true,
            cancelled_at: None,
            why: kind.map(|kind| Why { kind, span: set.span }),
            group: None,
            reach: Arc::new(["*".to_owned()]),
        },
    );
    Value::Object(span)
}
