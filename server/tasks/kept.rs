//! Tasks from one method to another: what `start` keeps in `self._task` and `stop` cancels.
//!
//! In: the attributes of the method's own instance. Out: a [`Kept`] where every method of the class that sets one sets it to a task of
//! coroutines in view, or to `None`. Nothing is known of when it was made, so it becomes an object only where the method at hand does
//! something to it: asks it to cancel.

use super::analysis::{Analysis, Here};
use super::callee::{Callee, module_path};
use super::calls::Call;
use super::value::*;
use super::world::World;
use crate::facts::{Attribute as Held, Member, Started};
use crate::text::Span;

impl Analysis<'_> {
    /// The task that the class of the method at hand keeps in this attribute of its instances.
    pub(super) fn kept(&self, class: &str, name: &str) -> Option<Kept> {
        let module = self.context.module;
        let of = module.class(class)?;
        let Some(Held::Task(started)) = of.attribute(name) else { return None };
        // A property is what its function makes of it; and what other code sets may be anything.
        if matches!(of.member(name), Some(Member::Method { .. })) || (self.context.is_set_elsewhere)(name) {
            return None;
        }
        let mut kept: Option<Kept> = None;
        for Started { by, runs } in started {
            let of_loop = ["loop.create_task", "loop().create_task"].iter().any(|end| by.ends_with(end));
            let by = module_path(module, by);
            if !of_loop && !matches!(by.as_deref(), Some("asyncio.create_task" | "asyncio.ensure_future")) {
                return None;
            }
            let callee = match runs.strip_prefix('.') {
                Some(method) => self.method(class, method),
                None => self.definition(runs),
            };
            let Callee::Coroutine { key: Some(runs), .. } = callee else { return None };
            let summary = (self.context.summary)(&runs).filter(|summary| summary.suspends && !summary.may_refuse)?;
            let raises = kept.as_ref().map_or(summary.raises, |kept| kept.raises.max(summary.raises));
            let endless = summary.endless && kept.as_ref().is_none_or(|kept| kept.endless);
            kept = Some(Kept { name: name.into(), runs, raises, endless });
        }
        kept
    }

    /// A method of a task that another method has made: only a request to cancel makes something of it that is followed.
    pub(super) fn kept_method(
        &mut self,
        at: &mut Here<'_, '_>,
        world: &mut World,
        call: &Call<'_>,
        kept: &Kept,
        attribute: &Attribute,
    ) -> Value {
        match &*attribute.name {
            // What had time to end may have, and then a request comes too late to do anything.
            "cancel" if kept.endless || !at.graph.suspends_before(call.span) => {
                cancelled(world, call.span, kept);
                let task = Value::Object(call.span);
                match attribute.place {
                    Some(place) => world.learn(place, task),
                    None => world.set_cell(&kept.name, task),
                }
                Value::Unknown
            }
            "cancel" | "done" | "cancelled" | "get_name" | "get_coro" => Value::Unknown,
            _ => self.unknown(at, world, call, None),
        }
    }
}

/// A task that another method has made, and that is asked to cancel here; of its being done nothing is known.
fn cancelled(world: &mut World, at: Span, kept: &Kept) {
    let task = Object {
        silent: true,
        escaped: true,
        cancelled_at: Some(at),
        used: Some(at),
        raises: kept.raises,
        may_refuse: false,
        runs: Some(kept.runs.clone()),
        ..Object::new(Kind::Task, States::ANY)
    };
    world.make(at, task);
}
