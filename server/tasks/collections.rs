//! Lists, sets and dicts of tasks and coroutines, and what is taken out of them.

use std::sync::Arc;

use super::analysis::{Analysis, Here};
use super::calls::Call;
use super::value::*;
use super::world::World;
use crate::facts::Attribute as Held;
use crate::flow::{Graph, Place};
use crate::text::Span;

impl Analysis<'_> {
    /// Adds a value to the list, set or dict that a place holds.
    pub(super) fn collect(&mut self, world: &mut World, graph: &Graph, place: Place, value: &Value) {
        let known: Option<Vec<ObjectId>> = match world.get(place) {
            Value::Items(items) if items.is_empty() => Some(Vec::new()),
            Value::Many(ids) | Value::Dict(ids) => Some(ids.to_vec()),
            list => match (coroutines_in(world, list), value) {
                (Some(ids), Value::Object(id)) if is_coroutine(world, *id) => {
                    mark_many(world, &ids);
                    Some(ids)
                }
                _ => None,
            },
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
                if is_dict {
                    self.account.read.insert(*id);
                }
                if let Some(local) = graph.locals.get(place.0 as usize) {
                    self.account.note_name(&Value::Many(ids.clone().into()), &local.name);
                }
                let value = if is_dict { Value::Dict(ids.into()) } else { Value::Many(ids.into()) };
                note_holder(world, graph, place, &value);
                world.set(graph, place, value);
            }
            _ => {
                let list = world.get(place).clone();
                world.escape(&list);
                world.escape(value);
                world.set(graph, place, Value::Unknown);
            }
        }
    }

    /// Adds all that one list holds to the list in a place: `jobs += [work()]`, `jobs.extend(others)`.
    pub(super) fn extend(&mut self, world: &mut World, graph: &Graph, place: Place, value: &Value) {
        let all = |value: &Value| match value {
            Value::Items(items) if items.is_empty() => Some(Vec::new()),
            value => coroutines_in(world, value),
        };
        let is_own = graph.locals.get(place.0 as usize).is_some_and(|local| !local.shared && !local.volatile);
        match (all(world.get(place)), all(value)) {
            (Some(mut ids), Some(more)) if is_own && !more.is_empty() => {
                ids.extend(more);
                ids.sort();
                ids.dedup();
                mark_many(world, &ids);
                let value = Value::Many(ids.into());
                if let Some(local) = graph.locals.get(place.0 as usize) {
                    self.account.note_name(&value, &local.name);
                }
                note_holder(world, graph, place, &value);
                world.set(graph, place, value);
            }
            (Some(_), Some(_)) if is_own => {}
            _ => {
                let list = world.get(place).clone();
                world.escape(value);
                world.escape(&list);
                world.set(graph, place, Value::Unknown);
            }
        }
    }

    /// A method of a list, set or dict; `None` where it is none that is followed.
    pub(super) fn collection_method(
        &mut self,
        graph: &Graph,
        world: &mut World,
        call: &Call<'_>,
        attribute: &Attribute,
    ) -> Option<Value> {
        let Attribute { of, place, name, .. } = attribute;
        Some(match (&**of, &**name, *place) {
            (Value::Dict(ids), "values", _) => Value::Many(ids.clone()),
            (Value::Dict(ids), "items", _) => Value::Pairs(ids.clone()),
            (Value::Dict(_), "keys", _) => Value::Unknown,
            (Value::Dict(_), "clear", Some(place)) => {
                world.set(graph, place, Value::Dict(Arc::new([])));
                Value::None
            }
            (Value::Items(_) | Value::Many(_), "clear", Some(place)) => {
                world.set(graph, place, Value::Items(Arc::new([])));
                Value::None
            }
            (Value::Items(_) | Value::Many(_), "append" | "add", Some(place)) => {
                if let Some(added) = call.argument(world, 0, "") {
                    self.collect(world, graph, place, &added);
                }
                Value::None
            }
            (Value::Items(_) | Value::Many(_), "extend", Some(place)) if call.args.len() == 1 => {
                let added = call.argument(world, 0, "").unwrap_or(Value::Unknown);
                self.extend(world, graph, place, &added);
                Value::None
            }
            (list, "pop", Some(place)) => {
                let ids = coroutines_in(world, list)?;
                let one = self.taken(world, &ids, call.span);
                world.escape(&list.clone());
                world.set(graph, place, Value::Unknown);
                one
            }
            _ => return None,
        })
    }

    /// A collection takes something into which nobody looks: it stays alive, but nobody sees it there.
    pub(super) fn keep(&mut self, at: &mut Here<'_, '_>, world: &mut World, call: &Call<'_>) -> Value {
        match call.argument(world, 0, "") {
            Some(Value::Object(id)) => {
                if let Some(object) = world.object_mut(id) {
                    object.kept = true;
                }
                Value::None
            }
            _ => self.unknown(at, world, call, None),
        }
    }

    /// Whether an attribute is a list that nobody can look into: no code of the file does, and no other has the instance, which is of a
    /// class without bases and stays in its variable.
    pub(super) fn is_unread_list(&self, attribute: &Attribute) -> bool {
        let Value::Instance(Instance { class, is_own: false, is_certain: true, is_class: false }) = &*attribute.of
        else {
            return false;
        };
        self.context.module.class(class).is_some_and(|class| {
            class.is_plain
                && class.is_closed
                && class.bases.is_empty()
                && class.member(&attribute.name).is_none()
                && class.attribute(&attribute.name) == Some(&Held::List)
        }) && (self.context.is_unread_list)(&attribute.name)
    }

    /// One of those that were made at these places: `jobs[0]`.
    pub(super) fn taken(&mut self, world: &mut World, ids: &[ObjectId], span: Span) -> Value {
        let one = one_of(world, ids, span);
        world.silence(ids);
        self.follow_no_more(world, ids);
        one
    }

    /// What is done to each of these is not followed from here on.
    pub(super) fn follow_no_more(&mut self, world: &mut World, ids: &[ObjectId]) {
        world.forget_cancelling(ids);
        for id in ids {
            world.escape(&Value::Object(*id));
        }
    }
}

/// An element of a set that `wait` returned: a task made elsewhere, done or pending for certain. The one that was waited for alone is
/// that one.
pub(super) fn element(world: &mut World, set: &WaitSet, span: Span) -> Value {
    if let ([only], Some(1), true) = (&*set.members, set.count, set.done)
        && super::refine::assume_set(world, set, true)
    {
        return Value::Object(*only);
    }
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
    } else {
        let used = |id: &ObjectId| world.object(*id).and_then(Object::used_up);
        object.spent = match ids.first().and_then(used) {
            Some(at) if ids.iter().all(|id| used(id).is_some()) => Spent::All(at),
            _ => Spent::Nothing,
        };
        object.among = Some(ids.into());
        (object.used, object.round, object.loose) = (None, Round::Outside, false);
    }
    (object.many, object.joined) = (false, false);
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

/// The coroutines that a list or tuple is made of; `None` where it holds anything else, or nothing.
pub(super) fn coroutines_in(world: &World, value: &Value) -> Option<Vec<ObjectId>> {
    let ids: Vec<ObjectId> = match value {
        Value::Items(items) => items
            .iter()
            .map(|item| if let Value::Object(id) = item { Some(*id) } else { None })
            .collect::<Option<_>>()?,
        Value::Many(ids) => ids.to_vec(),
        _ => return None,
    };
    (!ids.is_empty() && ids.iter().all(|id| is_coroutine(world, *id))).then_some(ids)
}

fn is_coroutine(world: &World, id: ObjectId) -> bool {
    world.object(id).is_some_and(|object| object.coroutine().is_some())
}

fn mark_many(world: &mut World, ids: &[ObjectId]) {
    for id in ids {
        if let Some(object) = world.object_mut(*id) {
            object.many = true;
        }
    }
}

/// The variable in `place` takes a collection. Where another one holds some of the same, what is used up of one is not of the other.
pub(super) fn note_holder(world: &mut World, graph: &Graph, place: Place, value: &Value) {
    let mut ids = Vec::new();
    if value.is_collection() {
        value.objects(&mut ids);
    }
    for id in ids {
        if world.is_held_beside(id, place, graph.locals.len())
            && let Some(object) = world.object_mut(id)
        {
            object.loose = true;
        }
    }
}
