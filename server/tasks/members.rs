//! What makes tasks out of coroutines, and what waits for several: `create_task`, `gather`, `wait`.

use std::sync::Arc;

use super::analysis::{Analysis, Here};
use super::calls::Call;
use super::coroutines::given_away;
use super::value::*;
use super::world::World;
use crate::flow::ArgKind;
use crate::text::Span;

impl Analysis<'_> {
    pub(super) fn make_task(
        &mut self,
        at: &mut Here<'_, '_>,
        world: &mut World,
        call: &Call<'_>,
        group: Option<ObjectId>,
    ) {
        let given = call.argument(world, 0, "coro").unwrap_or(Value::Unknown);
        let coroutine = match &given {
            Value::Object(id) => world.object(*id).and_then(Object::coroutine).cloned(),
            _ => None,
        };
        let reach = match coroutine.as_deref().map(|coroutine| &coroutine.waits) {
            Some(Awaitable::Code(reach)) => reach.to_vec(),
            Some(Awaitable::Sleep) => Vec::new(),
            _ => vec!["*".to_owned()],
        };
        if let Value::Object(id) = given {
            self.account.needs_coroutine.insert(id);
        }
        if call.guards.swallows && call.guards.runtime {
            // A group that has not begun, or a loop that is closed, does not take it.
            world.escape(&given);
        } else {
            self.consume_value(at, world, &given, call.span, call.guards);
        }
        self.hand_over(world, call);
        make(world, call.span, Kind::Task, group, reach);
        let of_parameter = match &given {
            Value::Object(id) => world.object(*id).and_then(|given| match given.kind {
                Kind::Parameter(index) => Some(index),
                _ => None,
            }),
            _ => None,
        };
        if let Some(task) = world.object_mut(call.span) {
            task.of_parameter = of_parameter;
            if let Some(coroutine) = coroutine {
                task.raises = coroutine.raises;
                task.may_refuse = coroutine.may_refuse;
                task.suspends = coroutine.suspends;
            }
        }
        if call.guards.expected {
            // It is there to raise: no task comes of it.
            world.escape(&Value::Object(call.span));
        }
        // Started at once, it may be done at once.
        let eager = call.keyword("eager_start").map(|place| world.get(place).clone());
        if call.spreads() || !matches!(eager, None | Some(Value::Bool(false) | Value::None)) {
            world.silence(&[call.span]);
        }
    }

    /// The tasks among these values; the number of values where all are seen. What is in a list or set counts with `deep`.
    pub(super) fn members(&self, world: &World, values: &[Value], deep: bool) -> (Arc<[ObjectId]>, Option<usize>) {
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
                            // `asyncio.wait({shield(…)})` counts, unseen.
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
        // A coroutine counts, but is no task that anybody could ask.
        ids.retain(|id| world.object(*id).is_some_and(|object| object.coroutine().is_none()));
        (ids.into(), count)
    }

    pub(super) fn gather(&mut self, at: &mut Here<'_, '_>, world: &mut World, call: &Call<'_>) -> Value {
        let (mut values, mut open, mut given) = (Vec::new(), call.spreads(), Vec::new());
        for arg in call.args {
            let value = world.get(arg.place).clone();
            given_away(&value, false, &mut given);
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
        // One that is given twice runs once.
        self.consume_all(at, world, given, call.span, call.guards);
        for value in &values {
            match value {
                Value::Object(id) => world.note_use(*id, call.span),
                other => world.escape(other),
            }
        }
        let seen = values.iter().filter(
            |value| matches!(value, Value::Object(id) if world.object(*id).is_some_and(|of| of.coroutine().is_some())),
        );
        let coroutines = seen.count();
        let (members, count) = self.members(world, &values, false);
        let collects = match call.keyword("return_exceptions").map(|place| world.get(place).clone()) {
            None if call.spreads() => None,
            None | Some(Value::Bool(false) | Value::None | Value::Falsy) => Some(false),
            Some(Value::Bool(true) | Value::Truthy) => Some(true),
            Some(_) => None,
        };
        let mut reach: Vec<String> = vec!["*".to_owned()];
        if !open && count == Some(members.len()) && coroutines == 0 {
            reach = members.iter().filter_map(|id| world.object(*id)).flat_map(|o| o.reach.iter().cloned()).collect();
        }
        let count = if open { None } else { count };
        make(world, call.span, Kind::Gather { members, count, collects }, None, reach);
        Value::Object(call.span)
    }

    pub(super) fn wait(&mut self, at: &mut Here<'_, '_>, world: &mut World, call: &Call<'_>) -> Value {
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
        let parameters: Vec<ObjectId> = members.iter().copied().filter(|id| world.is_parameter(*id)).collect();
        let used: Vec<Option<Span>> = parameters.iter().map(|id| world.object(*id).and_then(|of| of.used)).collect();
        self.consume_value(at, world, &given, call.span, call.guards);
        for (id, used) in parameters.into_iter().zip(used) {
            // Who waits for a task so does not ask what became of it.
            if let Some(object) = world.object_mut(id) {
                (object.used, object.waited) = (used, Some(call.span));
            }
        }
        self.library(world, call, "wait", Awaitable::Wait { members, count, timeout, until })
    }
}

/// A new task or future, made here.
pub(super) fn make(world: &mut World, id: ObjectId, kind: Kind, group: Option<ObjectId>, reach: Vec<String>) {
    world.make(id, Object { group, reach: reach.into(), ..Object::new(kind, States::P) });
}
