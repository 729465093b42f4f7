//! What the methods of tasks, futures, event loops and the sets of `wait` do: more of the table of `calls`.

use std::sync::Arc;

use super::analysis::{Analysis, Here};
use super::callee::Callee;
use super::calls::Call;
use super::collections::element;
use super::members::make;
use super::value::*;
use super::world::{Suspension, World};
use crate::flow::ExcSet;

impl Analysis<'_> {
    /// A method of a task. `None` where no path goes on.
    pub(super) fn task_method(
        &mut self,
        at: &mut Here<'_, '_>,
        world: &mut World,
        call: &Call<'_>,
        id: ObjectId,
        attribute: &Attribute,
    ) -> Option<Value> {
        let name = &*attribute.name;
        let Some(object) = world.object(id).cloned() else {
            return Some(self.unknown(at, world, call, None));
        };
        if object.coroutine().is_some() {
            return Some(self.coroutine_method(at, world, call, id, name));
        }
        let test = |about| Value::Test(Test { about, negated: false, fresh: true, span: call.span });
        Some(match name {
            "result" | "exception" => {
                let is_result = name == "result";
                world.note_use(id, call.span);
                self.ask(world, call, attribute, id);
                let mut raises = |kinds, states: States| {
                    if object.states.and(states).is_empty() {
                        return;
                    }
                    let mut raised = world.clone();
                    if let Some(object) = raised.object_mut(id) {
                        object.states = object.states.and(states);
                        object.silent &= states.has(States::P);
                    }
                    self.raise(at, raised, kinds);
                };
                raises(ExcSet::INVALID, States::P);
                raises(ExcSet::CANCELLED, States::C);
                if is_result {
                    raises(ExcSet::EXCEPTION, States::E);
                }
                let states = if is_result { States::R } else { States::R.or(States::E) };
                let met = object.states.and(states);
                if met.is_empty() && !object.silent && !object.states.has(States::P) {
                    return None;
                }
                let was_silent = object.silent;
                if let Some(object) = world.object_mut(id) {
                    object.states = if met.is_empty() { states } else { met };
                    object.silent = false;
                    world.beyond |= met.is_empty() && !was_silent;
                }
                Value::Returned
            }
            "done" => test(About::Done(id)),
            "cancelled" => test(About::Cancelled(id)),
            "cancel" => {
                world.note_use(id, call.span);
                if (object.takes_cancel() || object.kind == Kind::Future && object.states.has(States::P))
                    && let Some(object) = world.object_mut(id)
                {
                    // Who may have completed a future before has made this do nothing.
                    let takes_effect = object.kind != Kind::Future || !object.silent;
                    if object.kind == Kind::Future {
                        let cancelled = if takes_effect { States::C } else { States::DONE };
                        object.states = object.states.without(States::P).or(cancelled);
                        object.silent = false;
                    }
                    object.cancelled_at = takes_effect.then_some(call.span);
                }
                if let Kind::Gather { members, .. } = &object.kind {
                    for member in members.iter() {
                        if let Some(member) = world.object_mut(*member)
                            && member.states.has(States::P)
                        {
                            member.cancelled_at = Some(call.span);
                        }
                    }
                }
                Value::Unknown
            }
            "set_result" | "set_exception" => {
                for arg in call.args {
                    let value = world.get(arg.place).clone();
                    world.escape(&value);
                }
                let mut invalid = world.clone();
                invalid.doubt = true;
                self.raise(at, invalid, ExcSet::INVALID);
                if let Some(object) = world.object_mut(id) {
                    object.states = if name == "set_result" { States::R } else { States::E };
                    object.silent = false;
                    object.why = None;
                }
                Value::None
            }
            // No task has it.
            "close" if world.is_parameter(id) => {
                self.account.needs_coroutine.insert(id);
                world.note_use(id, call.span);
                Value::None
            }
            "get_name"
            | "get_coro"
            | "get_context"
            | "get_loop"
            | "get_stack"
            | "print_stack"
            | "cancelling"
            | "uncancel"
            | "set_name"
            | "remove_done_callback" => Value::Unknown,
            "add_done_callback" if self.only_forgets(world, call) => {
                if let Some(object) = world.object_mut(id) {
                    object.discarded = Some(call.span);
                }
                self.account.read.insert(id);
                Value::None
            }
            "add_done_callback" => {
                self.hand_over(world, call);
                if let Some(object) = world.object_mut(id) {
                    object.escaped = true;
                }
                Value::None
            }
            _ => {
                world.escape(&Value::Object(id));
                self.unknown(at, world, call, None)
            }
        })
    }

    /// Whether a done callback does no more than take the task out of a collection that nobody looks into.
    fn only_forgets(&self, world: &World, call: &Call<'_>) -> bool {
        match call.argument(world, 0, "fn") {
            Some(Value::Shared(Shared { name, method })) => {
                matches!(&*method, "discard" | "remove") && (self.context.only_collects)(&name)
            }
            _ => false,
        }
    }

    pub(super) fn loop_method(
        &mut self,
        at: &mut Here<'_, '_>,
        world: &mut World,
        call: &Call<'_>,
        name: &str,
    ) -> Value {
        match name {
            "create_task" => {
                self.make_task(at, world, call, None);
                Value::Object(call.span)
            }
            "create_future" => {
                make(world, call.span, Kind::Future, None, Vec::new());
                Value::Object(call.span)
            }
            "run_in_executor" => {
                self.hand_over(world, call);
                make(world, call.span, Kind::Task, None, vec!["*".to_owned()]);
                world.note_use(call.span, call.span);
                Value::Object(call.span)
            }
            "run_until_complete" => {
                let value = call.argument(world, 0, "future").unwrap_or(Value::Unknown);
                self.consume_value(at, world, &value, call.span, call.guards);
                self.wait_on(at, world, &value, call.span)
            }
            // They only schedule: nothing runs before the next suspension.
            "call_soon" | "call_soon_threadsafe" | "call_later" | "call_at" => {
                self.hand_over(world, call);
                self.raise_in_doubt(at, world);
                Value::Unknown
            }
            "time" | "is_running" | "is_closed" | "get_debug" | "set_debug" => Value::Unknown,
            _ => {
                self.hand_over(world, call);
                if let Callee::Coroutine { name, .. } = self.method("asyncio.AbstractEventLoop", name) {
                    return self.library_coroutine(world, call, name);
                }
                world.suspend(Suspension::Anything, &[]);
                self.raise_in_doubt(at, world);
                Value::Returned
            }
        }
    }

    pub(super) fn set_method(&mut self, world: &mut World, call: &Call<'_>, set: &Arc<WaitSet>, name: &str) -> Value {
        for arg in call.args {
            let value = world.get(arg.place).clone();
            world.escape(&value);
        }
        match name {
            "pop" => {
                world.looked_at(set, call.span);
                element(world, set, call.span)
            }
            "copy" => Value::WaitSet(set.clone()),
            _ => {
                world.looked_at(set, call.span);
                Value::Unknown
            }
        }
    }
}
