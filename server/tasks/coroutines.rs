//! The life of a coroutine: made by a call, consumed once, or left behind.
//!
//! Only [`Object::used`] tells a fresh coroutine from a consumed one. What was handed to code that is not in view counts as in
//! other hands, so nothing is said about its never being awaited; but what was consumed in view stays so for good.

use std::sync::Arc;

use super::account::{AwaitOf, Consumption};
use super::analysis::{Analysis, Here};
use super::calls::Call;
use super::summary::{Given, Returns, Summary};
use super::value::*;
use super::world::World;
use crate::flow::{Arg, ArgKind, ExcSet, Graph, Guards};
use crate::text::Span;

impl Analysis<'_> {
    /// A coroutine made by this call.
    pub(super) fn make_coroutine(&mut self, world: &mut World, call: &Call<'_>, coroutine: Coroutine) -> Value {
        self.make_coroutine_at(world, call.span, call.guards, coroutine)
    }

    /// A coroutine made by the expression at this place.
    pub(super) fn make_coroutine_at(
        &mut self,
        world: &mut World,
        made: Span,
        guards: Guards,
        coroutine: Coroutine,
    ) -> Value {
        let mut object = Object::new(Kind::Coroutine(Arc::new(coroutine)), States::P);
        // Whoever expects an error or a warning may expect this one.
        object.escaped = guards.expected;
        world.make(made, object);
        Value::Object(made)
    }

    /// The expression at `by` consumes `id`, if that is a coroutine.
    pub(super) fn consume(&mut self, at: &mut Here<'_, '_>, world: &mut World, id: ObjectId, by: Span, guards: Guards) {
        let Some(object) = world.object(id) else { return };
        if matches!(object.kind, Kind::Parameter(_)) {
            return world.note_use(id, by);
        }
        if object.coroutine().is_none() {
            return;
        }
        if guards.swallows {
            // What raises before it consumes leaves the coroutine as it is.
            return world.escape(&Value::Object(id));
        }
        let is_used = object.used.is_some() && !object.many;
        let (coroutine, doubt, beyond) = ((id, object.clone()), world.doubt, world.beyond);
        let known = self.account.consumptions.entry(by).or_default();
        let key = |of: &Consumption| (of.coroutine.0, of.coroutine.1.used, of.doubt, of.beyond);
        let new = Consumption { coroutine, doubt, beyond, guards };
        if !known.iter().any(|of| key(of) == key(&new)) {
            known.push(new);
        }
        if is_used {
            self.raise(at, world.clone(), ExcSet::ERROR);
            // Judged like what comes behind any other line that can only fail.
            world.beyond = true;
        }
        world.note_use(id, by);
    }

    /// What an argument gives away is consumed, whatever it is: a coroutine, or a collection of them.
    pub(super) fn consume_value(
        &mut self,
        at: &mut Here<'_, '_>,
        world: &mut World,
        value: &Value,
        by: Span,
        guards: Guards,
    ) {
        let mut ids = Vec::new();
        given_away(value, &mut ids);
        ids.sort();
        ids.dedup();
        for id in ids {
            self.consume(at, world, id, by, guards);
            // It runs beside this code: when it does what it does with what it was lent is open.
            if let Some(coroutine) = world.object(id).and_then(Object::coroutine).cloned() {
                for Lent { id, .. } in coroutine.lent.iter() {
                    world.escape(&Value::Object(*id));
                    world.silence(&[*id]);
                }
            }
        }
    }

    /// A method of a coroutine.
    pub(super) fn coroutine_method(
        &mut self,
        at: &mut Here<'_, '_>,
        world: &mut World,
        call: &Call<'_>,
        id: ObjectId,
        name: &str,
    ) -> Value {
        match name {
            // It may be closed, and closed again, at any time.
            "close" => {
                world.note_use(id, call.span);
                Value::None
            }
            "send" | "throw" => {
                world.note_use(id, call.span);
                world.escape(&Value::Object(id));
                self.unknown(at, world, call, None)
            }
            _ => {
                world.escape(&Value::Object(id));
                self.unknown(at, world, call, None)
            }
        }
    }

    /// An `await` of a task: what is known of it then.
    pub(super) fn note_wait(&mut self, world: &World, value: &Value, by: Span, operand: Span, guards: Guards) {
        let Value::Object(id) = value else { return };
        let Some(object) = world.object(*id) else { return };
        if object.coroutine().is_some() {
            return;
        }
        let known = self.account.awaits.entry(by).or_default();
        let new = AwaitOf {
            task: (*id, object.clone()),
            operand,
            is_cancelled_itself: world.caught.meets(ExcSet::CANCELLED) || world.is_unwinding(),
            doubt: world.doubt,
            beyond: world.beyond,
            guards,
        };
        if !known
            .iter()
            .any(|of| of.task == new.task && (of.doubt, of.is_cancelled_itself) == (new.doubt, new.is_cancelled_itself))
        {
            known.push(new);
        }
    }

    /// A function of this file is called: what it does with each argument, and what it gives.
    pub(super) fn lend(&mut self, world: &mut World, call: &Call<'_>, summary: Option<&Summary>) -> Vec<Lent> {
        let mut lent = Vec::new();
        for (index, arg) in call.args.iter().enumerate() {
            let value = world.get(arg.place).clone();
            let effect =
                summary.and_then(|summary| given(summary, call.args, index, arg)).and_then(|given| given.effect);
            match (&value, effect) {
                (Value::Object(id), Some(effect)) => lent.push(Lent { id: *id, effect, arg: arg.span }),
                _ => self.hand_over_one(world, &value, call.span),
            }
        }
        lent
    }

    /// A function has run that did this with what it was given.
    pub(super) fn take_back(
        &mut self,
        at: &mut Here<'_, '_>,
        world: &mut World,
        Lent { id, effect, arg }: Lent,
        by: Span,
        guards: Guards,
        callee: &Arc<str>,
    ) {
        let Some(object) = world.object(id) else { return };
        if let Some(coroutine) = object.coroutine().cloned() {
            // Somebody else runs it: what it does with what it was lent is done out of view.
            if effect.uses != Extent::Never || effect.escapes {
                coroutine.lent.iter().for_each(|lent| world.escape(&Value::Object(lent.id)));
            }
            match effect.uses {
                Extent::Always => {
                    self.consume(at, world, id, by, guards);
                }
                Extent::Sometimes => world.escape(&Value::Object(id)),
                Extent::Never => {}
            }
        } else {
            if let Some(asks) = effect.asks {
                self.ask_through(world, by, (id, arg), asks, guards, callee);
            }
            if effect.cancels
                && let Some(object) = world.object_mut(id)
                && object.takes_cancel()
            {
                object.cancelled_at = Some(by);
                object.used.get_or_insert(by);
            }
            match effect.settles {
                Extent::Always => world.settle(id, effect.leaves.and(States::DONE)),
                Extent::Sometimes => world.silence(&[id]),
                Extent::Never => {}
            }
            if effect.uses != Extent::Never {
                world.note_use(id, by);
            }
        }
        if effect.escapes {
            world.escape(&Value::Object(id));
            world.silence(&[id]);
        }
    }

    /// What a call of a function of this file gives, by its summary.
    pub(super) fn returned(&mut self, world: &mut World, call: &Call<'_>, returns: Option<&Returns>) -> Value {
        match returns {
            Some(Returns::Coroutine(coroutine)) => self.make_coroutine(world, call, (**coroutine).clone()),
            Some(Returns::Task(raises, may_refuse)) => {
                let object = Object { raises: *raises, may_refuse: *may_refuse, ..Object::new(Kind::Task, States::P) };
                world.make(call.span, object);
                Value::Object(call.span)
            }
            _ => Value::Returned,
        }
    }

    /// One value is in other hands now.
    pub(super) fn hand_over_one(&mut self, world: &mut World, value: &Value, by: Span) {
        match value {
            Value::WaitSet(set) | Value::Length(set) => world.looked_at(set, by),
            Value::Test(_) => {
                let mut asked = Vec::new();
                value.objects(&mut asked);
                world.silence(&asked);
            }
            _ => {}
        }
        world.escape(value);
    }
}

/// The coroutines and tasks that a value is or holds; what it waits for is none of them.
fn given_away(value: &Value, into: &mut Vec<ObjectId>) {
    match value {
        Value::Object(id) => into.push(*id),
        Value::Many(ids) | Value::Dict(ids) => into.extend(ids.iter()),
        Value::Items(items) => items.iter().for_each(|item| given_away(item, into)),
        _ => {}
    }
}

/// The parameter that takes an argument.
fn given<'s>(summary: &'s Summary, args: &[Arg], index: usize, arg: &Arg) -> Option<&'s Given> {
    match &arg.kind {
        ArgKind::Keyword(name) => summary.parameters.iter().find(|given| given.name == *name),
        ArgKind::Positional => {
            let before = args.get(..index)?;
            let plain = before.iter().all(|arg| arg.kind == ArgKind::Positional);
            // `self` is given by the dot.
            let first = usize::from(summary.is_method);
            summary.parameters.get(first + index).filter(|given| plain && given.positional)
        }
        ArgKind::Star | ArgKind::DoubleStar => None,
    }
}

/// The parameters of a function stand for what its callers may give.
pub(super) fn parameters(graph: &Graph, world: &mut World) {
    for (index, parameter) in graph.parameters.iter().enumerate() {
        let local = graph.locals.get(parameter.place.0 as usize);
        let plain = local.is_some_and(|local| !local.volatile);
        if parameter.is_awaited && plain && *world.get(parameter.place) == Value::Unknown {
            let shared = local.is_some_and(|local| local.shared);
            let object = Object { escaped: shared, ..Object::new(Kind::Parameter(index as u32), States::ANY) };
            world.make(parameter.span, object);
            world.learn(parameter.place, Value::Object(parameter.span));
        }
    }
}
