//! What is known where a function starts: of its parameters, by their annotations and by what all callers give, and of what it is a
//! method of.

use super::analysis::Context;
use super::callee::Lookup;
use super::value::*;
use super::world::World;
use crate::flow::{Graph, Place, Receiver};

/// The world at the first block.
pub(super) fn entry(graph: &Graph, context: &Context<'_>) -> World {
    let mut entry = World::new();
    let lookup = Lookup { own: context.module, modules: context.modules };
    for (index, local) in graph.locals.iter().enumerate() {
        let is_parameter = graph.parameters.iter().any(|parameter| parameter.place.0 as usize == index);
        let given = if is_parameter && local.annotation.is_none() { (context.given)(&local.name) } else { None };
        let loops = ["asyncio.AbstractEventLoop", "asyncio.BaseEventLoop", "uvloop.Loop"];
        if local.annotation.as_deref().is_some_and(|annotation| loops.contains(&annotation)) {
            entry.learn(Place(index as u32), Value::Loop);
        } else if let Some(class) = match (&local.annotation, given) {
            (Some(annotation), _) => lookup.annotated(annotation),
            (None, given) => given.and_then(|class| lookup.class_of(class)),
        } {
            let instance = Instance { class, is_own: false, is_certain: false, is_class: false };
            entry.learn(Place(index as u32), Value::Instance(instance));
        }
    }
    if let Some((place, Receiver { class, is_class })) = &graph.receiver {
        let class = class.as_str().into();
        entry.learn(*place, Value::Instance(Instance { class, is_own: true, is_certain: true, is_class: *is_class }));
    }
    parameters(graph, &mut entry);
    entry
}

/// The parameters of a function stand for what its callers may give.
fn parameters(graph: &Graph, world: &mut World) {
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
