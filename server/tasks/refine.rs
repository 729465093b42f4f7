//! What a test tells: `if t.done()`, `if t in done`, `while pending`, `if t is None`.

use super::analysis::Analysis;
use super::value::*;
use super::world::World;
use crate::flow::{CmpOp, Graph, Place};
use crate::text::Span;

/// Whether the truth of a value is not known, and a test of it says nothing of a task.
pub(super) fn is_open(value: &Value) -> bool {
    match value {
        Value::Unknown | Value::Returned | Value::Path(_) | Value::Kept(_) => true,
        // An attribute may hold anything, and what is only declared to be of a class may be `None`.
        Value::Attribute(Attribute { of, .. }) => matches!(**of, Value::Instance(_)),
        Value::Instance(instance) => !instance.is_certain,
        _ => false,
    }
}

/// Assumes that the value in `place` is true, or false. False where that cannot be.
pub(super) fn assume(world: &mut World, graph: &Graph, place: Place, truth: bool) -> bool {
    let local = (place.0 as usize) < graph.locals.len();
    match world.get(place).clone() {
        // An imported name may stand for anything.
        Value::Unknown | Value::Returned | Value::NotNone | Value::Path(_) => {
            if local {
                world.learn(place, if truth { Value::Truthy } else { Value::Falsy });
            }
            true
        }
        Value::None | Value::Falsy => !truth,
        Value::Bool(known) => known == truth,
        // An attribute that holds one may be `None` still.
        Value::Kept(_) | Value::Loop => true,
        Value::Instance(instance) if !instance.is_certain => true,
        Value::Items(items) => items.is_empty() != truth || items.contains(&Value::Unknown),
        Value::WaitSet(set) => assume_set(world, &set, truth),
        Value::Length(set) => assume_set(world, &set, truth),
        value if is_open(&value) => true,
        Value::Test(test) => assume_test(world, &test, truth ^ test.negated),
        _ => truth,
    }
}

/// Assumes that a set that `wait` returned holds something, or nothing.
pub(super) fn assume_set(world: &mut World, set: &WaitSet, truth: bool) -> bool {
    match (set.done, truth) {
        // Nothing is done: a timeout.
        (true, false) => {
            if set.some_done {
                return false;
            }
            set.members.iter().all(|&id| pending(world, id, set.fresh, in_set(set)))
        }
        // Nothing is pending.
        (false, false) => set.members.iter().all(|&id| done(world, id)),
        (false, true) => {
            let known = set.count == Some(set.members.len());
            let all_done = |id: &ObjectId| world.object(*id).is_some_and(|o| !o.silent && !o.states.has(States::P));
            !(known && set.members.iter().all(all_done))
        }
        // Of one, that one.
        (true, true) if set.count == Some(1) => set.members.iter().all(|&id| done(world, id)),
        (true, true) => true,
    }
}

fn in_set(set: &WaitSet) -> Why {
    Why { kind: WhyKind::PendingSet, span: set.span }
}

fn assume_test(world: &mut World, test: &Test, truth: bool) -> bool {
    match (&test.about, truth) {
        (About::Done(id), true) => done(world, *id),
        (About::Done(id), false) => pending(world, *id, test.fresh, Why { kind: WhyKind::NotDone, span: test.span }),
        (About::Cancelled(id), true) => narrow(world, *id, States::C),
        (About::Cancelled(id), false) => match world.object_mut(*id) {
            Some(object) if object.silent => {
                object.states = object.states.without(States::C);
                true
            }
            _ => narrow(world, *id, States::ANY.without(States::C)),
        },
        (About::In(id, set), truth) if set.done == truth => done(world, *id),
        (About::In(id, set), _) => {
            if !set.members.contains(id) {
                return true;
            }
            pending(world, *id, test.fresh, in_set(set))
        }
        (About::IsNone(place), truth) => {
            let value = world.get(*place).clone();
            match (value, truth) {
                (Value::None, truth) => truth,
                (Value::Unknown | Value::Returned | Value::Kept(_), true) => {
                    world.learn(*place, Value::None);
                    true
                }
                (Value::Falsy | Value::Kept(_), _) => true,
                (Value::Unknown, false) => {
                    world.learn(*place, Value::NotNone);
                    true
                }
                (Value::Returned, false) => true,
                (_, truth) => !truth,
            }
        }
    }
}

fn done(world: &mut World, id: ObjectId) -> bool {
    narrow(world, id, States::DONE)
}

/// The object is in one of `to`.
fn narrow(world: &mut World, id: ObjectId, to: States) -> bool {
    let Some(object) = world.object_mut(id) else { return true };
    if object.states.has(States::P) && !to.has(States::P) {
        // Nothing ran since it was asked to cancel: the request came too late.
        object.cancelled_at = None;
    }
    let met = object.states.and(to);
    if met.is_empty() && !object.silent {
        return false;
    }
    object.states = if object.silent && met.is_empty() { to } else { met };
    if !to.has(States::P) {
        object.silent = false;
        object.why = None;
        world.settle_members(id, 0);
    }
    true
}

/// The object was pending when asked; it still is if nothing could run since.
fn pending(world: &mut World, id: ObjectId, fresh: bool, why: Why) -> bool {
    let Some(object) = world.object_mut(id) else { return true };
    if !object.states.has(States::P) && !object.silent {
        return false;
    }
    if fresh {
        if !object.states.has(States::P) {
            // It had time to obey, and has not.
            object.cancelled_at = None;
        }
        object.states = States::P;
        object.silent = false;
        object.passed = Passed::Nothing;
        object.why = Some(why);
        return world.found_pending(id);
    }
    true
}

impl Analysis<'_> {
    /// A comparison: a question about a task, where it is one.
    pub(super) fn compare(
        &mut self,
        world: &mut World,
        graph: &Graph,
        op: CmpOp,
        left: Place,
        right: Place,
        span: Span,
    ) -> Value {
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
                Value::Unknown | Value::Returned | Value::Kept(_) if (left.0 as usize) < graph.locals.len() => {
                    test(About::IsNone(left))
                }
                Value::Unknown | Value::Returned | Value::Kept(_) | Value::Loop => Value::Unknown,
                Value::Instance(instance) if !instance.is_certain => Value::Unknown,
                Value::Attribute(Attribute { of, .. }) if matches!(**of, Value::Instance(_)) => Value::Unknown,
                Value::Object(id) if world.is_parameter(*id) => Value::Unknown,
                _ => Value::Bool(negated),
            },
            _ => {
                for value in [&a, &b] {
                    if let Value::WaitSet(set) | Value::Length(set) = value {
                        world.looked_at(set, span);
                    }
                }
                Value::Unknown
            }
        }
    }
}
