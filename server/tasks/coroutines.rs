//! The life of a coroutine: made by a call, consumed once, or left behind.
//!
//! Only [`Object::used`] tells a fresh coroutine from a consumed one. What was handed to code that is not in view counts as in
//! other hands, so nothing is said about its never being awaited; but what was consumed in view stays so for good.

use std::sync::Arc;

use super::account::{AwaitOf, Consumption};
use super::analysis::{Analysis, Here};
use super::callee::Callee;
use super::calls::Call;
use super::summary::{Given, Returns, Started, Summary};
use super::value::*;
use super::world::World;
use crate::flow::{Arg, ArgKind, ExcSet, Guards, Place};
use crate::project::stdlib;
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
        // Made while an exception is on its way, one that the code does not raise by itself: what would use it may never come.
        object.excused = world.is_unwinding() && world.raised_class.is_none();
        world.make(made, object);
        Value::Object(made)
    }

    /// The expression at `by` consumes `id`, if that is a coroutine.
    pub(super) fn consume(&mut self, at: &mut Here<'_, '_>, world: &mut World, id: ObjectId, by: Span, guards: Guards) {
        self.consume_from(at, world, id, by, guards, false);
    }

    /// The same; `whole`: together with all else in a collection.
    fn consume_from(
        &mut self,
        at: &mut Here<'_, '_>,
        world: &mut World,
        id: ObjectId,
        by: Span,
        guards: Guards,
        whole: bool,
    ) {
        let Some(object) = world.object(id) else { return };
        if matches!(object.kind, Kind::Parameter(_)) {
            if let Some(object) = world.object_mut(id) {
                // In a list it is meant to be a task, which may be waited for again.
                object.loose |= whole || guards.runtime || guards.expected;
            }
            world.spend_given(id, by);
            return world.note_use(id, by);
        }
        if object.coroutine().is_none() {
            return;
        }
        if guards.expected || guards.runtime && guards.swallows && !at.graph.is_async {
            // What raises before it consumes, as for want of a loop, leaves the coroutine as it is: whether the next use is the first is
            // open from here on.
            if let Some(object) = world.object_mut(id) {
                object.joined = true;
            }
            return world.escape(&Value::Object(id));
        }
        // Of several that were made here, the one that a variable holds may be any.
        let own = object.used.filter(|_| !(object.joined || whole && object.loose));
        let among = object.among.clone();
        let with_others = match object.spent {
            _ if whole => object.used_within(),
            Spent::All(at) if among.is_some() || !object.joined && !object.loose => Some(at),
            _ => None,
        };
        let (used, by_others) = (own.or(with_others), own.is_none());
        let of = Consumption { used, by_others, ..Consumption::of(world, (id, object.clone()), guards) };
        self.account.note_consumption(by, of);
        if let Some(ids) = among {
            world.spend_one(&ids, by);
        }
        if let Some(object) = world.object_mut(id).filter(|_| whole) {
            object.spent = Spent::All(object.spent.at().unwrap_or(by));
        }
        if used.is_some() {
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
        given_away(value, false, &mut ids);
        self.consume_all(at, world, ids, by, guards);
    }

    /// The same for each of these; the flag says that it is in a collection that is given away as a whole.
    pub(super) fn consume_all(
        &mut self,
        at: &mut Here<'_, '_>,
        world: &mut World,
        mut ids: Vec<(ObjectId, bool)>,
        by: Span,
        guards: Guards,
    ) {
        ids.sort();
        // One that is given by itself and in a collection is the one that is by itself.
        ids.dedup_by_key(|(id, _)| *id);
        for (id, whole) in ids {
            self.consume_from(at, world, id, by, guards, whole);
            // It runs beside this code: when it does what it does with what it was lent is open.
            if let Some(coroutine) = world.object(id).and_then(Object::coroutine).cloned() {
                for lent @ Lent { id, .. } in coroutine.lent.iter() {
                    self.note_uses_later(world, lent, by, guards, &coroutine.name);
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
                if let Some(among) = world.object(id).and_then(|object| object.among.clone()) {
                    world.spend_one(&among, call.span);
                }
                world.close(id, call.span);
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
            let given = summary.and_then(|summary| given(summary, call.args, index, arg));
            let is_coroutine =
                matches!(&value, Value::Object(id) if world.object(*id).is_some_and(|of| of.coroutine().is_some()));
            match (&value, given.and_then(|given| given.effect)) {
                // A task goes on by itself, and what it raises may depend on what the function is for.
                _ if is_coroutine && given.is_some_and(|given| given.is_ignored) => {}
                (Value::Object(id), Some(effect)) => lent.push(Lent { id: *id, effect, arg: arg.span }),
                _ => self.hand_over_one(world, &value, call.span),
            }
        }
        lent
    }

    /// A function has run that did this with what it was given; `was_pending`: a task that was pending for certain when it was given.
    pub(super) fn take_back(
        &mut self,
        at: &mut Here<'_, '_>,
        world: &mut World,
        Lent { id, effect, arg }: Lent,
        was_pending: bool,
        (by, guards): (Span, Guards),
        callee: &Arc<str>,
    ) {
        let Some(object) = world.object(id) else { return };
        if let Some(coroutine) = object.coroutine() {
            // What it was given itself is used in turn, or not: that is not followed.
            let within: Vec<ObjectId> = coroutine.lent.iter().map(|lent| lent.id).collect();
            match effect.uses {
                // One that always fails is not awaited again.
                Extent::Always if effect.again.is_some() && coroutine.returns => {
                    let of = Consumption::by_callee(world, (id, object.clone()), by, guards, (&effect, callee));
                    self.account.note_consumption(by, of);
                    self.raise(at, world.clone(), ExcSet::ERROR);
                    world.beyond = true;
                    world.note_use(id, by);
                }
                Extent::Always if effect.consumes => self.consume(at, world, id, by, guards),
                Extent::Always => world.close(id, by),
                Extent::Sometimes => world.escape(&Value::Object(id)),
                Extent::Never => {}
            }
            if effect.uses != Extent::Never || effect.escapes {
                self.follow_no_more(world, &within);
                world.silence(&within);
            }
        } else {
            if let Some(asks) = effect.asks {
                self.ask_through(world, by, (id, arg), asks, guards, callee);
            }
            if effect.cancels != Extent::Never
                && let Some(object) = world.object_mut(id)
                && (object.takes_cancel() || was_pending && effect.cancels == Extent::Always)
            {
                object.cancelled_at = Some(by);
                object.used.get_or_insert(by);
            }
            // One that had time to run may have ended before it was asked to cancel.
            let is_cancelled = |of: &Object| was_pending && of.cancelled_at.is_some();
            let is_given = |of: &Object| matches!(of.kind, Kind::Parameter(_));
            if effect.awaits && world.object(id).is_some_and(|of| is_cancelled(of) || is_given(of)) {
                self.note_wait(world, &Value::Object(id), by, arg, guards);
            }
            match effect.settles {
                Extent::Always => world.settle(id, effect.leaves.and(States::DONE)),
                Extent::Sometimes => world.silence(&[id]),
                Extent::Never => {}
            }
            if effect.uses != Extent::Never && !effect.only_waits {
                world.note_use(id, by);
            }
            if effect.consumes && world.is_parameter(id) {
                world.spend_given(id, by);
                // Whether that would fail a second time is not known here.
                if let Some(object) = world.object_mut(id) {
                    object.loose = true;
                }
            }
        }
        if effect.escapes {
            world.escape(&Value::Object(id));
            world.silence(&[id]);
        }
    }

    /// A function that will run beside this code uses up what it was lent: it was used up before, or is used up twice there.
    fn note_uses_later(&mut self, world: &World, lent: &Lent, by: Span, guards: Guards, callee: &Arc<str>) {
        let Some(object) = world.object(lent.id) else { return };
        let Some(coroutine) = object.coroutine() else { return };
        let used = object.used.filter(|used| *used != by && !object.joined);
        let effect = Effect { again: lent.effect.again.filter(|_| coroutine.returns), ..lent.effect };
        if effect.uses == Extent::Always && (used.is_some() || effect.again.is_some()) {
            let of = Consumption::by_callee(world, (lent.id, object.clone()), by, guards, (&effect, callee));
            self.account.note_consumption(by, Consumption { later: true, ..of });
        }
    }

    /// What the call, or the `await`, at this place gives, by the summary of what is called.
    pub(super) fn returned(&mut self, world: &mut World, at: Span, guards: Guards, returns: &Returns) -> Value {
        match returns {
            Returns::Coroutine(coroutine) => self.make_coroutine_at(world, at, guards, (**coroutine).clone()),
            Returns::Task(Started { raises, may_refuse, suspends, kept, discarded, .. }) => {
                let object = Object {
                    raises: *raises,
                    may_refuse: *may_refuse,
                    suspends: *suspends,
                    kept: *kept,
                    discarded: discarded.then_some(at),
                    ..Object::new(Kind::Task, States::P)
                };
                world.make(at, object);
                Value::Object(at)
            }
            Returns::Unknown | Returns::Given(_) => Value::Returned,
        }
    }

    /// A call of a function that does no more than to give what a call of `callee` gives, with arguments of its own.
    pub(super) fn maker(&mut self, at: &mut Here<'_, '_>, world: &mut World, call: &Call<'_>, callee: &Value) -> Value {
        let callee = match callee {
            Value::Definition(name) => self.definition(name),
            Value::LocalCoroutineFunction(local) => Callee::Local(local.clone()),
            Value::Attribute(Attribute { of, name, .. }) => match &**of {
                Value::Instance(Instance { class, is_certain: true, .. }) => self.method(class, name),
                _ => Callee::Unknown,
            },
            Value::Path(path) => match stdlib::coroutine_function(path).map(|member| member.kind) {
                Some(stdlib::Kind::Coroutine(name)) => Callee::Coroutine { name: name.into(), key: None },
                _ => Callee::Unknown,
            },
            _ => Callee::Unknown,
        };
        match callee {
            Callee::Coroutine { name, .. } => {
                self.hand_over(world, call);
                self.known(at, world, call, Callee::Coroutine { name, key: None })
            }
            Callee::Plain(key) => {
                let summary = self.summary_of(&key).filter(|of| matches!(of.returns, Returns::Coroutine(_)));
                match summary {
                    Some(summary) => {
                        self.hand_over(world, call);
                        self.raise_in_doubt(at, world);
                        world.unknown_call(at.graph.is_async);
                        self.returned(world, call.span, call.guards, &summary.returns)
                    }
                    None => self.unknown(at, world, call, None),
                }
            }
            Callee::Local(local) => self.known(at, world, call, Callee::Local(local)),
            Callee::Class(_) | Callee::Unknown => self.unknown(at, world, call, None),
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

/// The coroutines and tasks that a value is or holds, and whether a collection holds them; what it waits for is none of them.
pub(super) fn given_away(value: &Value, whole: bool, into: &mut Vec<(ObjectId, bool)>) {
    match value {
        Value::Object(id) => into.push((*id, whole)),
        Value::Many(ids) | Value::Dict(ids) => into.extend(ids.iter().map(|id| (*id, true))),
        Value::Items(items) => items.iter().for_each(|item| given_away(item, true, into)),
        _ => {}
    }
}

/// What a call of a function with this summary gives; of a coroutine function, what awaiting that gives. What a task can do that runs a
/// coroutine which the function was given, the caller knows.
pub(super) fn gives(world: &World, call: &Call<'_>, summary: Option<&Summary>) -> Returns {
    let Some(summary) = summary else { return Returns::Unknown };
    let mut returns = summary.returns.clone();
    let Returns::Task(started) = &mut returns else { return returns };
    let Some(index) = started.of_parameter.take() else { return returns };
    let name = summary.parameters.get(index as usize).map(|parameter| &parameter.name);
    let takes = |(at, arg): &(usize, &Arg)| given(summary, call.args, *at, arg).map(|given| &given.name) == name;
    let argument = call.args.iter().enumerate().find(takes).map(|(_, arg)| world.get(arg.place));
    if let Some(Value::Object(id)) = argument
        && let Some(coroutine) = world.object(*id).and_then(Object::coroutine)
    {
        started.raises = coroutine.raises;
        started.may_refuse = coroutine.may_refuse;
        started.suspends = coroutine.suspends;
    }
    returns
}

/// The argument that a function gives back as it is.
pub(super) fn given_back(world: &World, call: &Call<'_>, summary: &Summary) -> Option<Value> {
    let Returns::Given(index) = summary.returns else { return None };
    let parameter = summary.parameters.get(index as usize)?;
    let takes = |(index, arg): &(usize, &Arg)| {
        given(summary, call.args, *index, arg).is_some_and(|of| std::ptr::eq(of, parameter))
    };
    let (_, arg) = call.args.iter().enumerate().find(takes)?;
    Some(world.get(arg.place).clone()).filter(|value| matches!(value, Value::Object(_)))
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

impl World {
    /// A coroutine is closed. What one would have awaited that has not begun goes back to being as it was.
    pub(super) fn close(&mut self, id: ObjectId, by: Span) {
        let mut inner = Vec::new();
        if let Some(object) = self.object(id).filter(|object| object.used.is_none() && !object.many)
            && let Some(coroutine) = object.coroutine()
        {
            coroutine.waits.objects(&mut inner);
        }
        for inner in inner {
            if let Some(inner) =
                self.object_mut(inner).filter(|inner| inner.coroutine().is_some() && inner.used == Some(id))
            {
                inner.used = None;
            }
        }
        self.note_use(id, by);
    }

    /// A call has made a coroutine of a function that awaits these variables of this one.
    pub(super) fn lend_captured(&mut self, made: &Value, awaits: &[Place], arg: Span) {
        let held = awaits.iter().filter_map(|place| match self.get(*place) {
            Value::Object(id) => self.object(*id).filter(|object| object.coroutine().is_some()).map(|_| *id),
            _ => None,
        });
        let effect = Effect {
            escapes: true,
            settles: Extent::Never,
            leaves: States::ANY,
            uses: Extent::Always,
            consumes: true,
            takes_task: false,
            only_waits: false,
            again: None,
            cancels: Extent::Never,
            awaits: false,
            asks: None,
        };
        let held: Vec<Lent> = held.map(|id| Lent { id, effect, arg }).collect();
        if let Value::Object(id) = made
            && !held.is_empty()
            && let Some(Object { kind: Kind::Coroutine(coroutine), .. }) = self.object_mut(*id)
        {
            Arc::make_mut(coroutine).lent = held.into();
        }
    }
}
