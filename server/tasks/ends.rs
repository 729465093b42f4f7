//! Where paths part and meet: the ends of blocks and of `with` statements, and what raises without being looked into.

use super::account::Step;
use super::analysis::{Analysis, Here};
use super::collections::{self, one_of};
use super::value::*;
use super::world::{Suspension, Trail, World};
use crate::flow::{Arm, BlockId, ExcSet, Place, Resume, Terminator};
use crate::text::Span;

impl Analysis<'_> {
    /// Somebody else's code is awaited and raises.
    pub(super) fn raise_anything(&mut self, at: &mut Here<'_, '_>, world: &World) {
        if at.unwind.is_some() {
            let mut raised = world.clone();
            raised.suspend(Suspension::Anything, &[]);
            self.raise(at, raised, ExcSet::CANCELLED.union(ExcSet::EXCEPTION));
        } else {
            self.account.note_raise(true, Raises::Perhaps);
        }
    }

    /// A plain call raises: every one can, few readers think of it.
    pub(super) fn raise_in_doubt(&mut self, at: &mut Here<'_, '_>, world: &World) {
        if at.unwind.is_some() {
            let mut raised = world.clone();
            raised.doubt = true;
            self.raise(at, raised, ExcSet::EXCEPTION);
        } else {
            self.account.note_raise(true, Raises::Perhaps);
        }
    }

    /// The end of a `with` block, by whichever way control came there. False where no path goes on.
    pub(super) fn exit(
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

    /// Sends a world on from the end of a block, each way that it can go.
    pub(super) fn end(&mut self, at: &mut Here<'_, '_>, mut world: World, end: &Terminator) {
        match end {
            Terminator::Dead => {}
            Terminator::Return => {
                if at.block != at.graph.exit {
                    self.account.note_return(&world, &Value::None, (self.context.function, at.graph.start));
                }
                self.account.leave(&world, false);
            }
            Terminator::Goto(to) => self.go(at, *to, world),
            Terminator::Choice(of) => {
                world.asked_elsewhere();
                for to in of {
                    self.go(at, *to, world.clone());
                }
            }
            Terminator::Branch { test, condition, then, otherwise, span, unexpected, telling } => {
                let tracked = !super::refine::is_open(world.get(*test));
                if *telling && !tracked {
                    world.asked_elsewhere();
                }
                let mut ways = Vec::new();
                for truth in [true, false] {
                    let mut way = world.clone();
                    if let Some(id) = condition {
                        let known = way.outcome(*id).filter(|_| !tracked);
                        if known.is_some_and(|known| known != truth) {
                            if !at.graph.is_pure(*id) && super::refine::assume(&mut way, at.graph, *test, truth) {
                                way.overrule(*id, truth);
                                self.presume(if truth { *then } else { *otherwise }, way);
                            }
                            continue;
                        }
                        way.note_outcome(*id, truth);
                    }
                    if super::refine::assume(&mut way, at.graph, *test, truth) {
                        let to = if truth { then } else { otherwise };
                        way.doubt |= *unexpected == Some(*to) && !tracked;
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
            Terminator::Iterate { iter, element, body, end, first, nonempty, spelled_out, is_async, span } => {
                let value = world.get(*iter).clone();
                let one_by_one = *spelled_out && matches!(&value, Value::Items(items) if collections::is_short(items));
                let coroutines = if one_by_one { None } else { collections::coroutines_in(&world, &value) };
                let value = match &coroutines {
                    Some(ids) => Value::Many(ids.as_slice().into()),
                    None => value,
                };
                world.new_round(at.graph);
                self.account.suspends |= *is_async;
                if *is_async && !matches!(value, Value::AsCompleted(_)) {
                    self.raise_anything(at, &world);
                    world.suspend(Suspension::Anything, &[]);
                }
                let mut ended = world.clone();
                if let Some(ids) = &coroutines {
                    ended.end_rounds(ids);
                    world.next_round(ids, *first);
                }
                let mut ends = !nonempty;
                let mut starts = true;
                let item = match &value {
                    Value::WaitSet(set) => {
                        let looks_at = set.done;
                        if *first {
                            ends = super::refine::assume_set(&mut ended, set, false);
                            starts = super::refine::assume_set(&mut world, set, true);
                        }
                        if looks_at {
                            ended.looked_at(set, *span);
                        }
                        world.looked_at(set, *span);
                        Some(collections::element(&mut world, set, *span))
                    }
                    Value::AsCompleted(members) => {
                        ends &= !*first || members.is_empty();
                        world.suspend(Suspension::Anything, &[]);
                        for &id in members.iter() {
                            self.waited(at, id, *span);
                            ended.settle(id, States::DONE);
                            ended.note_use(id, *span);
                            world.note_use(id, *span);
                        }
                        world.silence(members);
                        None
                    }
                    Value::Many(ids) | Value::Dict(ids) | Value::Pairs(ids) => {
                        ends &= !*first || ids.is_empty();
                        starts = !ids.is_empty();
                        let one = match &value {
                            // The keys of a dict are no tasks.
                            Value::Dict(_) => Value::Unknown,
                            Value::Pairs(_) => {
                                let one = one_of(&mut world, ids, *span);
                                Value::Items([Value::Unknown, one].into())
                            }
                            _ => one_of(&mut world, ids, *span),
                        };
                        if !matches!(value, Value::Dict(_)) {
                            // What the loop does to each of them is not followed beyond it.
                            world.silence(ids);
                            ended.silence(ids);
                            self.follow_no_more(&mut world, ids);
                            self.follow_no_more(&mut ended, ids);
                        }
                        Some(one)
                    }
                    Value::Items(items) if one_by_one => {
                        // One after the other: what each round does to its own is followed.
                        (starts, ends) = (!items.is_empty(), items.is_empty());
                        world.set(at.graph, *iter, Value::Items(items.iter().skip(1).cloned().collect()));
                        items.first().cloned()
                    }
                    Value::Items(items) => {
                        if *first {
                            ends &= items.is_empty();
                            starts = !items.is_empty();
                        }
                        let one = collections::one_of_items(&mut world, items, *span);
                        world.escape(&value);
                        let mut ids = Vec::new();
                        value.objects(&mut ids);
                        world.silence(&ids);
                        ended.silence(&ids);
                        self.follow_no_more(&mut ended, &ids);
                        one
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
            Terminator::Raise(kinds, class) => {
                let kinds = kinds.unwrap_or(world.caught);
                let kinds = if kinds.is_empty() { ExcSet::EXCEPTION } else { kinds };
                if kinds.meets(ExcSet::ASSERTION) {
                    world.excuse();
                }
                if at.unwind.is_none() && kinds.meets(ExcSet::EXCEPTION) && !world.doubt {
                    let raises = if kinds.meets(ExcSet::ASSERTION) { Raises::Perhaps } else { Raises::Seen };
                    self.account.raises = self.account.raises.max(raises);
                }
                self.raise_on(at, world, kinds, class.as_deref());
            }
            Terminator::Dispatch(arms) => {
                for Arm { taken, classes, to } in arms {
                    if !world.raised.meets(*taken) {
                        continue;
                    }
                    let named = world.raised_class.as_deref().is_some_and(|class| classes.iter().any(|of| of == class));
                    let mut arrived = world.clone();
                    arrived.raised = world.raised.intersection(*taken);
                    // Another builtin class takes it only if it is a base, which is not followed.
                    let all_builtin = !classes.is_empty() && classes.iter().all(|class| class.starts_with("builtins."));
                    let bases = ["builtins.Exception", "builtins.BaseException"];
                    let is_base = classes.iter().any(|class| bases.contains(&class.as_str()));
                    arrived.doubt |= world.raised_class.is_some() && all_builtin && !named && !is_base;
                    arrived.raised_class = None;
                    self.go(at, *to, arrived);
                    world.raised = if named { ExcSet::NONE } else { world.raised.minus(*taken) };
                }
                let (rest, class) = (world.raised, world.raised_class.clone());
                self.raise_on(at, world, rest, class.as_deref());
            }
            Terminator::Enter { body, resume } => {
                // What is left on the stack above the `finally`'s own depth belongs to one that is left for good.
                let depth = at.graph.blocks.get(body.0 as usize).map_or(0, |block| block.depth as usize);
                world.resume.truncate(depth.saturating_sub(1));
                world.resume.push(resume.clone());
                self.go(at, *body, world);
            }
            Terminator::EndFinally(_) => match world.resume.pop() {
                Some(Resume::At(mut blocks)) => {
                    let Some(to) = blocks.pop() else { return };
                    if !blocks.is_empty() {
                        world.resume.push(Resume::At(blocks));
                    }
                    self.go(at, to, world);
                }
                Some(Resume::Unwind) => {
                    let (kinds, class) = (world.raised, world.raised_class.clone());
                    self.raise_on(at, world, kinds, class.as_deref());
                }
                None => {}
            },
        }
    }
}
