//! Worlds through the graph: the domain of the solver.

use std::sync::Arc;

use super::account::{Account, Step};
use super::callee::declared;
use super::calls::Call;
use super::collections;
use super::modules::Modules;
use super::summary::{Returns, Summary};
use super::value::*;
use super::world::{Suspension, World};
use crate::facts::ModuleNames;
use crate::flow::{
    BlockId, Constant, Domain, ExcSet, Graph, Liveness, OpKind, Outcome, Place, Receiver, Terminator, solve,
};
use crate::project::config::Trust;
use crate::text::Span;

/// Budgets: real functions need some dozens of worlds at a block. What needs more ends in silence.
const PER_BLOCK: usize = 400;
const STEPS: usize = 40_000;
/// Instructions times what is known while each is carried out: some 100,000 in a long function, 0.1 s at this limit.
const WORK: usize = 20_000_000;

/// What is known of the module around a function.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// What its names mean, its classes among them.
    pub module: &'a ModuleNames,
    /// Where other modules are found.
    pub modules: &'a dyn Modules,
    /// Whether a function reaches no variable that others share.
    pub isolated: &'a dyn Fn(&str) -> bool,
    /// Whether all that the file does with the variable of the module, or attribute, of this name is to put things in and take them out.
    pub only_collects: &'a dyn Fn(&str) -> bool,
    /// Whether no code of the file reads the attribute of this name, which is made as a list.
    pub is_unread_list: &'a dyn Fn(&str) -> bool,
    /// Whether nobody but one statement mentions the variable of the module.
    pub is_private: &'a dyn Fn(&str) -> bool,
    /// The class of what all callers give for a parameter of the function.
    pub given: &'a dyn Fn(&str) -> Option<&'a str>,
    /// Whether other code than the methods of a class sets an attribute of this name.
    pub is_set_elsewhere: &'a dyn Fn(&str) -> bool,
    /// Whether a method awaits what this attribute of the class holds, and is called more than once.
    pub awaits_again: &'a dyn Fn(&str, &str) -> bool,
    /// The function itself, by qualified name.
    pub function: &'a Arc<str>,
    /// What the functions of the file do with what they are given, by qualified name: `report`, `Pool.start`.
    pub summary: &'a dyn Fn(&str) -> Option<Arc<Summary>>,
    /// What the user knows of functions.
    pub trust: &'a Trust,
}

/// Analyses one function. `None` where it is too large or has too many paths: nothing is said about it then.
pub fn analyse(graph: &Graph, context: Context<'_>) -> Option<Account> {
    let live = Liveness::of(graph)?;
    let entry = super::entry::entry(graph, &context);
    let arms = graph.blocks.iter().filter_map(|block| match &block.end {
        Terminator::Dispatch(arms) => Some(arms),
        _ => None,
    });
    let account = Account {
        may_refuse: arms.flatten().any(|arm| arm.taken.meets(ExcSet::CANCELLED)),
        raises: Raises::Never,
        steps: vec![(0, Step { test: Span::default(), taken: false, from: BlockId(0), other: BlockId(0) })],
        ..Account::default()
    };
    let visited = vec![false; graph.blocks.len()];
    let mut analysis = Analysis { account, live, context, work: 0, visited, presumed: Vec::new() };
    match solve(graph, &mut analysis, entry, PER_BLOCK, STEPS) {
        Outcome::OverBudget => None,
        Outcome::Complete if analysis.work > WORK => None,
        Outcome::Complete => {
            let mut account = analysis.account;
            account.unseen = super::unseen::unseen(graph, &analysis.visited);
            account.reach = graph.blocks.iter().map(|block| graph.successors(block)).collect();
            Some(account)
        }
    }
}

pub(super) struct Analysis<'a> {
    pub(super) account: Account,
    live: Liveness,
    pub(super) context: Context<'a>,
    work: usize,
    /// The blocks that some path leads to.
    pub(super) visited: Vec<bool>,
    /// The ways that were left out because a test of the same text had given something else before.
    pub(super) presumed: Vec<(BlockId, World)>,
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
        self.visited[id.0 as usize] = true;
        let mut at = Here { graph, block: id, unwind: block.unwind, emit };
        for op in &block.ops {
            self.work += world.size();
            if self.work > WORK || !self.op(&mut at, &mut world, &op.kind, op.span) {
                return;
            }
        }
        self.end(&mut at, world, &block.end);
    }

    fn left_out(&mut self, graph: &Graph, emit: &mut dyn FnMut(BlockId, World)) {
        for (to, world) in self.overruled() {
            self.go(&mut Here { graph, block: to, unwind: None, emit }, to, world);
        }
    }
}

impl Analysis<'_> {
    /// Sends a world on to a block.
    pub(super) fn go(&mut self, at: &mut Here<'_, '_>, to: BlockId, mut world: World) {
        let depth = at.graph.blocks.get(to.0 as usize).map_or(0, |block| block.depth);
        world.resume.truncate(depth as usize);
        let dead = world.forget_dead(|place| self.live.live(to, place));
        if !dead.is_empty() {
            let leaves = returns(at.graph, to).or_else(|| returns(at.graph, at.block));
            for (id, object) in dead {
                self.account.note_end(&world, id, object, leaves);
            }
        }
        (at.emit)(to, world);
    }

    /// An exception of these kinds leaves the block: one that the code does not raise by itself.
    pub(super) fn raise(&mut self, at: &mut Here<'_, '_>, mut world: World, kinds: ExcSet) {
        world.excuse();
        self.raise_on(at, world, kinds, None);
    }

    /// An exception of these kinds goes on from the block; `class` where it is known to be of this builtin one.
    pub(super) fn raise_on(&mut self, at: &mut Here<'_, '_>, mut world: World, kinds: ExcSet, class: Option<&str>) {
        if kinds.is_empty() {
            return;
        }
        match at.unwind {
            Some(to) => {
                world.raised = kinds;
                world.raised_class = class.map(Arc::from);
                self.go(at, to, world);
            }
            None => {
                if kinds.meets(ExcSet::EXCEPTION) {
                    self.account.note_raise(true, Raises::Perhaps);
                }
                self.account.leave(&world, true);
            }
        }
    }

    /// The task was waited for here.
    pub(super) fn waited(&mut self, at: &Here<'_, '_>, id: ObjectId, span: Span) {
        self.account.waits.entry(id).or_default().insert((at.block, span));
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
                world.set(graph, *dst, self.result_of(path));
            }
            OpKind::Definition(dst, name) => world.set(graph, *dst, Value::Definition(name.as_str().into())),
            OpKind::Receiver(dst, Receiver { class, is_class }) => {
                let class = class.as_str().into();
                let own = Instance { class, is_own: false, is_certain: true, is_class: *is_class };
                world.set(graph, *dst, Value::Instance(own));
            }
            OpKind::Shared { dst, name, method } => {
                let shared = Shared { name: name.as_str().into(), method: method.as_str().into() };
                world.set(graph, *dst, Value::Shared(shared));
            }
            OpKind::LocalCoroutineFunction { dst, name, suspends, awaits } => {
                let awaits = awaits.as_slice().into();
                let local = Local { name: name.as_str().into(), suspends: *suspends, awaits };
                world.set(graph, *dst, Value::LocalCoroutineFunction(local));
            }
            OpKind::Lambda { dst, callee } => {
                let made = world.get(*callee).clone();
                world.set(graph, *dst, Value::Lambda(Arc::new(made)));
            }
            OpKind::Opaque(dst) | OpKind::Forget(dst) => world.set(graph, *dst, Value::Unknown),
            OpKind::Mention { place, is_read } => {
                let value = world.get(*place);
                if *is_read && (value.is_collection() || matches!(value, Value::Object(_))) {
                    let mut read = Vec::new();
                    value.objects(&mut read);
                    self.account.read.extend(read);
                }
                self.mention(world, *place, span);
            }
            OpKind::Drop(place) => match world.get(*place) {
                Value::Object(id) => drop(self.account.dropped.insert(*id)),
                Value::Items(items) => {
                    if let Some(Value::WaitSet(set)) = items.first() {
                        self.account.dropped.insert(set.span);
                    }
                }
                _ => {}
            },
            OpKind::Copy(dst, src) => {
                let mut value = world.get(*src).clone();
                let named = |place: &Place| (place.0 as usize) < graph.locals.len();
                if value.is_collection() && named(src) && named(dst) {
                    // Two names of one list: what is added by one is seen by the other, which is not followed.
                    world.escape(&value);
                    world.set(graph, *src, Value::Unknown);
                    value = Value::Unknown;
                }
                if let Some(local) = graph.locals.get(dst.0 as usize) {
                    self.account.note_name(&value, &local.name);
                }
                if named(dst) {
                    collections::note_holder(world, graph, *dst, &value);
                }
                match graph.locals.get(dst.0 as usize) {
                    Some(local) if local.volatile => {
                        world.escape(&value);
                        world.set(graph, *dst, Value::Unknown);
                    }
                    Some(local) if local.shared => {
                        if !(graph.is_module
                            && matches!(value, Value::Object(_))
                            && (self.context.is_private)(&local.name))
                        {
                            world.escape(&value);
                        }
                        world.set(graph, *dst, value);
                    }
                    _ => world.set(graph, *dst, value),
                }
            }
            OpKind::Attribute { dst, src, object, name, like_loop, stays } => {
                let value = world.get(*src).clone();
                if let Value::Instance(instance) = &value
                    && instance.is_own
                    && let Some(held) = world.cell(name).cloned()
                {
                    world.set(graph, *dst, held);
                    return true;
                }
                if let Value::Instance(Instance { class, is_own: true, is_class: false, .. }) = &value
                    && let Some(kept) = self.kept(class, name)
                {
                    world.set(graph, *dst, Value::Kept(kept));
                    return true;
                }
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
                    | Value::Kept(_)
                    | Value::Loop
                    | Value::Group(_)
                    | Value::WaitSet(_)
                    | Value::Items(_)
                    | Value::Dict(_)
                    | Value::Many(_) => attribute(value),
                    Value::Attribute(list) if *stays && self.is_unread_list(&list) => attribute(Value::Attribute(list)),
                    Value::Instance(instance) => match self.attribute_of(&instance, name) {
                        Value::Unknown => attribute(Value::Instance(instance)),
                        held => held,
                    },
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
                        world.looked_at(&set, span);
                        Value::Unknown
                    }
                    (Value::Many(ids) | Value::Dict(ids), _) if !ids.is_empty() => self.taken(world, &ids, span),
                    (other, _) => match collections::coroutines_in(world, &other) {
                        Some(ids) => self.taken(world, &ids, span),
                        None => {
                            world.escape(&other);
                            Value::Unknown
                        }
                    },
                };
                world.set(graph, *dst, value);
            }
            OpKind::Call { dst, callee, args, guards, names } => {
                return self.trusting_call(
                    at,
                    world,
                    Call { dst: *dst, callee: *callee, args, guards: *guards, names, span },
                );
            }
            OpKind::Await { dst, src, operand, guards } => {
                let value = world.get(*src).clone();
                self.note_wait(world, &value, span, *operand, *guards);
                if let Value::Object(id) = value {
                    self.consume(at, world, id, span, *guards);
                }
                let coroutine = match value {
                    Value::Object(id) => world.object(id).and_then(Object::coroutine).cloned(),
                    _ => None,
                };
                self.account.suspends |= coroutine.as_ref().is_none_or(|coroutine| coroutine.suspends);
                let lent = coroutine.iter().flat_map(|coroutine| coroutine.lent.iter());
                let pending: Vec<ObjectId> = lent.map(|lent| lent.id).filter(|id| world.is_pending(*id)).collect();
                let result = self.wait_on(at, world, &value, span);
                if let Some(coroutine) = &coroutine {
                    self.account.note_raise(at.unwind.is_none(), coroutine.raises);
                    self.account.may_refuse |= coroutine.may_refuse;
                    for of in coroutine.lent.iter() {
                        let was_pending = pending.contains(&of.id);
                        self.take_back(at, world, *of, was_pending, (span, *guards), &coroutine.name);
                    }
                }
                let result = match coroutine.as_deref() {
                    Some(Coroutine { gives: Returns::Unknown, instance: Some(class), .. }) => declared(class),
                    Some(Coroutine { gives, .. }) if *gives != Returns::Unknown => {
                        self.returned(world, span, *guards, gives)
                    }
                    _ => result,
                };
                world.set(graph, *dst, result);
            }
            OpKind::Dict { dst, values, open } => {
                let mut ids = Vec::new();
                for value in values {
                    match world.get(*value).clone() {
                        Value::Object(id) => {
                            if let Some(object) = world.object_mut(id) {
                                object.many = true;
                            }
                            ids.push(id);
                        }
                        other => world.escape(&other),
                    }
                }
                ids.sort();
                ids.dedup();
                // A dict is a way to find them again, and not only to keep them.
                self.account.read.extend(&ids);
                let dict = if *open || (ids.is_empty() && !values.is_empty()) {
                    world.escape(&Value::Dict(ids.into()));
                    Value::Unknown
                } else {
                    Value::Dict(ids.into())
                };
                world.set(graph, *dst, dict);
            }
            OpKind::Store { object, name, src } => {
                let value = world.get(*src).clone();
                if let Value::WaitSet(set) = &value {
                    world.looked_at(set, span);
                }
                world.escape(&value);
                if let (Value::Instance(Instance { class, is_own: true, .. }), Value::Object(id)) =
                    (world.get(*object), &value)
                    && (self.context.awaits_again)(class, name)
                {
                    self.account.stored.insert(*id, name.clone());
                }
                if matches!(world.get(*object), Value::Instance(instance) if instance.is_own) {
                    // Whoever sees the instance may change a collection in it.
                    world.set_cell(name, if value.is_collection() { Value::Unknown } else { value });
                }
            }
            OpKind::StoreItem { object, src } => {
                let value = world.get(*src).clone();
                match (world.get(*object), &value) {
                    (Value::Dict(ids), Value::Object(_)) if (object.0 as usize) < graph.locals.len() => {
                        let ids = ids.clone();
                        world.replace_used(&ids);
                        self.collect(world, graph, *object, &value);
                    }
                    (held, _) if held.is_collection() => {
                        let held = held.clone();
                        world.escape(&held);
                        world.escape(&value);
                        world.set(graph, *object, Value::Unknown);
                    }
                    _ => world.escape(&value),
                }
            }
            OpKind::Return(src) => {
                let value = world.get(*src).clone();
                // A `return` in a `finally` swallows whatever brought control there.
                self.account.may_refuse |= world.is_unwinding();
                let given_back = world.given_back(&value).filter(|_| !graph.is_async);
                self.account.given_back.extend(given_back);
                self.account.note_return(world, &value, (self.context.function, graph.start));
                if let Value::WaitSet(set) = &value {
                    world.looked_at(set, span);
                }
                if given_back.is_none() {
                    world.escape(&value);
                }
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
            OpKind::Extend { dst, value } => {
                let value = world.get(*value).clone();
                self.extend(world, graph, *dst, &value);
            }
            OpKind::Compare { dst, op, left, right } => {
                let value = self.compare(world, graph, *op, *left, *right, span);
                world.set(graph, *dst, value);
            }
            OpKind::Not(dst, src) => {
                let value = match world.get(*src).clone() {
                    Value::Bool(truth) => Value::Bool(!truth),
                    Value::None | Value::Falsy => Value::Bool(true),
                    Value::Truthy => Value::Bool(false),
                    Value::Object(id) if !world.is_parameter(id) => Value::Bool(false),
                    Value::Test(test) => Value::Test(Test { negated: !test.negated, ..test }),
                    _ => Value::Unknown,
                };
                world.set(graph, *dst, value);
            }
            OpKind::Compute(dst, parts) => {
                for part in parts {
                    match world.get(*part).clone() {
                        Value::Object(_) => {}
                        Value::WaitSet(set) | Value::Length(set) => world.looked_at(&set, span),
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
                    Value::Items(items) if starred.is_some_and(|_| items.len() + 1 >= targets.len()) => {
                        let star = starred.unwrap_or_default();
                        let behind = targets.len() - star - 1;
                        let middle = items.len() - behind;
                        for (index, target) in targets.iter().enumerate() {
                            let item = match index.cmp(&star) {
                                std::cmp::Ordering::Less => items[index].clone(),
                                std::cmp::Ordering::Equal => Value::Items(items[star..middle].into()),
                                std::cmp::Ordering::Greater => items[middle + index - star - 1].clone(),
                            };
                            world.set(graph, *target, item);
                        }
                    }
                    other => {
                        if let Value::WaitSet(set) = other {
                            world.looked_at(set, span);
                        }
                        // The first is one of them; which ones the others are is not known.
                        let mut one = match collections::coroutines_in(world, other) {
                            Some(ids) if *starred != Some(0) => self.taken(world, &ids, span),
                            _ => Value::Unknown,
                        };
                        world.escape(other);
                        for target in targets {
                            world.set(graph, *target, std::mem::replace(&mut one, Value::Unknown));
                        }
                    }
                }
            }
            OpKind::Escape(src) => {
                let value = world.get(*src).clone();
                if let Value::WaitSet(set) = &value {
                    world.looked_at(set, span);
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
                if let Value::Context(super::value::Context::Suppress(kinds)) = &value {
                    self.account.may_refuse |= kinds.meets(ExcSet::CANCELLED);
                }
                self.account.suspends |= *is_async;
                match &value {
                    Value::Group(_) | Value::Context(_) => {}
                    _ if *is_async => {
                        self.raise_anything(at, world);
                        world.suspend(Suspension::Anything, &[]);
                    }
                    _ => {}
                }
                world.escape(&value);
                let entered = match &value {
                    Value::Group(_) => value,
                    Value::Instance(instance) => self.entered(instance, *is_async),
                    _ => Value::Unknown,
                };
                world.set(graph, *dst, entered);
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
}

/// The `return` in a block.
fn returns(graph: &Graph, block: BlockId) -> Option<Span> {
    let ops = &graph.blocks.get(block.0 as usize)?.ops;
    ops.iter().rev().find(|op| matches!(op.kind, OpKind::Return(_))).map(|op| op.span)
}
