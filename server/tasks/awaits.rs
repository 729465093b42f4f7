//! What waiting does: the table of SEMANTICS, row by row.

use std::sync::Arc;

use super::analysis::{Analysis, Here};
use super::value::*;
use super::world::{Suspension, World};
use crate::flow::ExcSet;
use crate::text::Span;

/// One way in which a wait ends.
struct End {
    /// The exception it raises; `None` where it returns.
    raises: Option<ExcSet>,
    world: World,
    value: Value,
}

impl End {
    fn returns(world: World, value: Value) -> Self {
        Self { raises: None, world, value }
    }
    fn raises(kinds: ExcSet, world: World) -> Self {
        Self { raises: Some(kinds), world, value: Value::Unknown }
    }
}

impl Analysis<'_> {
    /// Waits for `value`: `await value`, or `run_until_complete(value)`. Exceptions go their way; what is left is the world in
    /// which it returned, and what it returned.
    pub(super) fn wait_on(&mut self, at: &mut Here<'_, '_>, world: &mut World, value: &Value, span: Span) -> Value {
        let ends = self.ends(at, world, value, span);
        let mut result = Value::Unknown;
        for end in ends {
            match end.raises {
                Some(kinds) => self.raise(at, end.world, kinds),
                None => {
                    *world = end.world;
                    result = end.value;
                }
            }
        }
        result
    }

    /// The ways in which a wait for `value` ends; exactly one of them returns.
    fn ends(&mut self, at: &Here<'_, '_>, world: &World, value: &Value, span: Span) -> Vec<End> {
        match value {
            Value::Object(id) => match world.object(*id).and_then(Object::coroutine).cloned() {
                Some(coroutine) => self.coroutine_ends(at, world, &coroutine, span),
                None => self.task_ends(at, world, *id, span),
            },
            Value::Awaitable(awaitable) => self.awaitable_ends(at, world, awaitable, span),
            Value::Returned | Value::Unknown => {
                let mut world = world.clone();
                world.suspend(Suspension::Anything, &[]);
                vec![
                    End::raises(ExcSet::CANCELLED.union(ExcSet::EXCEPTION), world.clone()),
                    End::returns(world, Value::Returned),
                ]
            }
            other => {
                let mut world = world.clone();
                world.escape(other);
                self.ends(at, &world, &Value::Unknown, span)
            }
        }
    }

    /// A coroutine runs to its end, and gives back what it was lent.
    fn coroutine_ends(&mut self, at: &Here<'_, '_>, world: &World, coroutine: &Arc<Coroutine>, span: Span) -> Vec<End> {
        let mut ends = self.awaitable_ends(at, world, &coroutine.waits, span);
        // Where it raises, nobody knows how far it came.
        let lent: Vec<ObjectId> = coroutine.lent.iter().map(|lent| lent.id).collect();
        for end in ends.iter_mut().filter(|end| end.raises.is_some()) {
            end.world.silence(&lent);
        }
        if coroutine.raises == Raises::Never {
            for end in &mut ends {
                if let (Awaitable::Code(_), Some(kinds)) = (&coroutine.waits, &mut end.raises) {
                    *kinds = kinds.intersection(ExcSet::CANCELLED);
                }
            }
        }
        ends
    }

    fn awaitable_ends(&mut self, at: &Here<'_, '_>, world: &World, awaitable: &Awaitable, span: Span) -> Vec<End> {
        match awaitable {
            Awaitable::Sleep => {
                let mut world = world.clone();
                world.suspend(Suspension::Sleep(span), &[]);
                vec![End::raises(ExcSet::CANCELLED, world.clone()), End::returns(world, Value::Unknown)]
            }
            Awaitable::Code(reach) => {
                let mut world = world.clone();
                world.suspend(Suspension::Apart(span, reach), &[]);
                let raised = End::raises(ExcSet::CANCELLED.union(ExcSet::EXCEPTION), world.clone());
                vec![raised, End::returns(world, Value::Returned)]
            }
            Awaitable::Wait { members, count, timeout, until } => {
                self.wait_ends(at, world, (members, *count, *timeout, *until), span)
            }
            Awaitable::Plain(inner) => self.ends(at, world, inner, span),
            Awaitable::WaitFor(inner) => {
                // What a cancellation does to the inner wait, the limit does too: it cancels it and waits for its end.
                let mut ends = self.ends(at, world, inner, span);
                for end in &mut ends {
                    if let Some(kinds) = &mut end.raises
                        && kinds.meets(ExcSet::CANCELLED)
                    {
                        *kinds = kinds.union(ExcSet::TIMEOUT);
                        // A shield keeps the limit from the task.
                        if let Value::Object(id) = inner {
                            end.world.note_limit(*id, span);
                        }
                    }
                }
                ends
            }
            Awaitable::Shield(inner) => {
                let mut ends = self.ends(at, world, inner, span);
                // Who cancels the shield does not reach what is behind it.
                ends.retain(|end| end.raises != Some(ExcSet::CANCELLED));
                let mut kept = world.clone();
                kept.suspend(Suspension::Anything, &ids(inner));
                for id in ids(inner) {
                    kept.leave_pending(id, Why { kind: WhyKind::Shield, span });
                }
                ends.push(End::raises(ExcSet::CANCELLED, kept));
                ends
            }
        }
    }

    fn task_ends(&mut self, at: &Here<'_, '_>, world: &World, id: ObjectId, span: Span) -> Vec<End> {
        let Some(object) = world.object(id).cloned() else { return self.ends(at, world, &Value::Unknown, span) };
        if object.kind == Kind::Current {
            return self.ends(at, world, &Value::Unknown, span);
        }
        self.waited(at, id, span);
        // What is done ends the wait at once, as it ended itself.
        let possible = |kinds: ExcSet| {
            let open = object.silent || object.states.has(States::P);
            let cancelled = kinds.meets(ExcSet::CANCELLED);
            open || object.states.has(if cancelled { States::C } else { States::E })
        };
        let with = |members: &[ObjectId], member_states: States, own: States| {
            let mut world = world.clone();
            let mut spared = members.to_vec();
            spared.push(id);
            world.suspend(Suspension::Apart(span, &object.reach), &spared);
            world.note_use(id, span);
            for &member in members {
                world.settle(member, member_states);
            }
            world.settle_one(id, own);
            world
        };
        match &object.kind {
            Kind::Gather { members, count, collects } => {
                for &member in members.iter() {
                    self.waited(at, member, span);
                }
                let all = if *collects == Some(false) { States::R } else { States::DONE };
                let mut ends = vec![
                    End::returns(with(members, all, States::R), Value::Returned),
                    End::raises(ExcSet::CANCELLED, with(members, States::DONE, States::DONE)),
                ];
                let may_fail = |id: &ObjectId| {
                    let known = world.object(*id).filter(|member| !member.silent);
                    known.is_none_or(|member| member.states.has(States::P) || member.states.has(States::E))
                };
                let is_known = *count == Some(members.len()) && !members.is_empty();
                if *collects != Some(true) && (!is_known || members.iter().any(may_fail)) {
                    let mut failed = with(&[], States::DONE, States::E);
                    match members.as_ref() {
                        // Alone it is the one that failed.
                        [only] if *count == Some(1) => failed.settle(*only, States::E.or(States::C)),
                        _ => {
                            for &member in members.iter() {
                                failed.leave_pending(member, Why { kind: WhyKind::Sibling, span });
                            }
                        }
                    }
                    ends.push(End::raises(ExcSet::EXCEPTION, failed));
                }
                ends
            }
            _ => {
                let mut ends = vec![
                    End::returns(with(&[], States::R, States::R), Value::Returned),
                    End::raises(ExcSet::EXCEPTION, with(&[], States::E, States::E)),
                    // The awaiting task was cancelled, and this one with it; or this one was.
                    End::raises(ExcSet::CANCELLED, with(&[], States::DONE, States::DONE)),
                ];
                ends.retain(|end| end.raises.is_none_or(possible));
                ends
            }
        }
    }

    fn wait_ends(
        &mut self,
        at: &Here<'_, '_>,
        world: &World,
        (members, count, timeout, until): (&Arc<[ObjectId]>, Option<usize>, bool, Until),
        span: Span,
    ) -> Vec<End> {
        let mut after = world.clone();
        let reach: Vec<String> =
            members.iter().filter_map(|id| world.object(*id)).flat_map(|member| member.reach.iter().cloned()).collect();
        if count == Some(members.len()) {
            after.suspend(Suspension::Apart(span, &reach), members);
        } else {
            after.suspend(Suspension::Anything, members);
        }
        let mut interrupted = after.clone();
        for &id in members.iter() {
            interrupted.leave_pending(id, Why { kind: WhyKind::Interrupted, span });
        }
        let complete = !timeout && (until == Until::All || count == Some(1));
        for &id in members.iter() {
            self.waited(at, id, span);
            if let Some(object) = after.object_mut(id) {
                object.waited = Some(span);
            }
            if complete {
                after.settle(id, States::DONE);
            } else if until == Until::Unknown {
                after.silence(&[id]);
            } else {
                let kind = match until {
                    _ if timeout => WhyKind::WaitTimeout,
                    Until::First => WhyKind::FirstCompleted,
                    _ => WhyKind::FirstException,
                };
                after.leave_pending(id, Why { kind, span });
            }
        }
        if !timeout
            && until != Until::Unknown
            && count == Some(members.len())
            && members.iter().all(|id| after.object(*id).is_some())
        {
            after.note_some_done(members.clone());
        }
        let set = |done| {
            Value::WaitSet(Arc::new(WaitSet {
                done,
                members: members.clone(),
                count,
                some_done: !timeout,
                fresh: true,
                span,
            }))
        };
        let value = Value::Items([set(true), set(false)].into());
        vec![End::raises(ExcSet::CANCELLED, interrupted), End::returns(after, value)]
    }
}

fn ids(value: &Value) -> Vec<ObjectId> {
    let mut ids = Vec::new();
    value.objects(&mut ids);
    ids
}
