//! Lists, sets and dicts of tasks and coroutines, and what is taken out of them.

use super::analysis::Analysis;
use super::value::*;
use super::world::World;
use crate::flow::{Graph, Place};
use crate::text::Span;

impl Analysis<'_> {
    /// Adds a value to the list, set or dict that a place holds.
    pub(super) fn collect(&mut self, world: &mut World, graph: &Graph, place: Place, value: &Value) {
        let known: Option<Vec<ObjectId>> = match world.get(place) {
            Value::Items(items) if items.is_empty() => Some(Vec::new()),
            Value::Many(ids) | Value::Dict(ids) => Some(ids.to_vec()),
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
                let is_dict = matches!(world.get(place), Value::Dict(_));
                if let Some(local) = graph.locals.get(place.0 as usize) {
                    self.account.note_name(&Value::Many(ids.clone().into()), &local.name);
                }
                world.set(graph, place, if is_dict { Value::Dict(ids.into()) } else { Value::Many(ids.into()) });
            }
            _ => {
                let list = world.get(place).clone();
                world.escape(&list);
                world.escape(value);
                world.set(graph, place, Value::Unknown);
            }
        }
    }

    /// What is done to each of these is not followed from here on.
    pub(super) fn follow_no_more(&mut self, world: &mut World, ids: &[ObjectId]) {
        world.forget_cancelling(ids);
        for id in ids {
            world.escape(&Value::Object(*id));
        }
    }
}

/// An element of a set that `wait` returned: a task made elsewhere, done or pending for certain.
pub(super) fn element(world: &mut World, set: &WaitSet, span: Span) -> Value {
    let (states, kind) = if set.done { (States::DONE, None) } else { (States::P, Some(WhyKind::PendingSet)) };
    world.make(
        span,
        Object {
            silent: !set.done && !set.fresh,
            escaped: true,
            why: kind.map(|kind| Why { kind, span: set.span }),
            ..Object::new(Kind::Element(None), states)
        },
    );
    Value::Object(span)
}

/// An element of a collection of all that were made at these places.
pub(super) fn one_of(world: &mut World, ids: &[ObjectId], span: Span) -> Value {
    let mut made = ids.iter().filter_map(|id| world.object(*id));
    let Some(mut object) = made.next().cloned() else { return Value::Unknown };
    made.for_each(|other| object.join(other));
    if object.coroutine().is_none() {
        object.kind = Kind::Element(ids.first().copied());
    }
    object.many = false;
    world.make(span, object);
    Value::Object(span)
}

/// An element of a list that may be any of these tasks; `None` where some are none.
pub(super) fn one_of_items(world: &mut World, items: &[Value], span: Span) -> Option<Value> {
    let task = |item: &Value| match item {
        Value::Object(id) => Some(*id).filter(|id| world.object(*id).is_some_and(|of| of.coroutine().is_none())),
        _ => None,
    };
    let ids: Vec<ObjectId> = items.iter().map(task).collect::<Option<_>>()?;
    (!ids.is_empty()).then(|| one_of(world, &ids, span))
}

/// Displays with more elements than these are not gone through one by one.
const MAX_ROUNDS: usize = 4;

/// Whether a loop over these is followed round by round: they hold tasks or coroutines, and are few. Of the rest of one that was, none may
/// be left.
pub(super) fn is_short(items: &[Value]) -> bool {
    let holds = |item: &Value| matches!(item, Value::Object(_));
    items.is_empty() || items.len() <= MAX_ROUNDS && items.iter().all(holds)
}
