//! Calls of functions of which the user has said what they do with a task or coroutine: what is said goes before what is seen.

use super::analysis::{Analysis, Here};
use super::callee::Callee;
use super::calls::Call;
use super::value::*;
use super::world::World;
use crate::project::config::Trusted;

impl Analysis<'_> {
    /// A call, of whatever it is. False where no path goes on.
    pub(super) fn trusting_call(&mut self, at: &mut Here<'_, '_>, world: &mut World, call: Call<'_>) -> bool {
        let trust = self.context.trust;
        if trust.task_keepers.is_empty() && trust.coroutine_consumers.is_empty() {
            return self.call(at, world, call);
        }
        let (name, is_own) = self.name_of(world.get(call.callee));
        let is_in = |list: &Trusted| list.holds_either(&name, is_own);
        if is_in(&trust.coroutine_consumers) {
            for arg in call.args {
                let value = world.get(arg.place).clone();
                self.consume_value(at, world, &value, call.span, call.guards);
            }
            let result = self.unknown(at, world, &call, None);
            world.set(at.graph, call.dst, result);
            return true;
        }
        let (is_keeper, dst) = (is_in(&trust.task_keepers), call.dst);
        if is_keeper {
            for arg in call.args {
                let value = world.get(arg.place).clone();
                if !holds_coroutine(world, &value) {
                    self.hand_over_one(world, &value, call.span);
                }
            }
        }
        let goes_on = self.call(at, world, call);
        if is_keeper {
            let result = world.get(dst).clone();
            if !holds_coroutine(world, &result) {
                world.escape(&result);
            }
        }
        goes_on
    }

    /// The name of what is called, and whether it is one of the file: else it is a path of imports. Empty where it has none.
    fn name_of(&self, callee: &Value) -> (String, bool) {
        match callee {
            Value::Path(path) => (path.to_string(), false),
            Value::Definition(name) => (name.to_string(), true),
            Value::Attribute(Attribute { of, name, .. }) => match &**of {
                Value::Instance(Instance { class, .. }) => match self.method(class, name) {
                    // Of the class itself, or of one above it.
                    Callee::Plain(key) | Callee::Coroutine { key: Some(key), .. } => (key.to_string(), true),
                    _ => (format!("{class}.{name}"), self.context.module.class(class).is_some()),
                },
                _ => Default::default(),
            },
            _ => Default::default(),
        }
    }
}

/// Whether a value is, or holds, a coroutine: keeping it awaits nothing.
fn holds_coroutine(world: &World, value: &Value) -> bool {
    let mut ids = Vec::new();
    value.objects(&mut ids);
    ids.into_iter().any(|id| world.object(id).is_some_and(|object| object.coroutine().is_some()))
}
