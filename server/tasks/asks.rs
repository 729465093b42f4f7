//! What is asked of a task, and where it is named: noted for the rules and for hover.

use std::sync::Arc;

use super::account::{Ask, Mention};
use super::analysis::Analysis;
use super::calls::Call;
use super::value::*;
use super::world::World;
use crate::flow::{Guards, Place};
use crate::text::Span;

impl Analysis<'_> {
    /// `task.result` is called on this task.
    pub(super) fn ask(&mut self, world: &World, call: &Call<'_>, attribute: &Attribute, id: ObjectId) {
        let task = world.object(id).map(|object| (id, object.clone()));
        let is_result = &*attribute.name == "result";
        let receiver = attribute.object;
        let ask = Ask { task, call: call.span, receiver, is_result, ..Ask::guarded(world, call.guards) };
        self.note_ask(attribute.span, ask);
    }

    /// A function of this file is given a task, and asks it.
    pub(super) fn ask_through(
        &mut self,
        world: &mut World,
        at: Span,
        (id, arg): (ObjectId, Span),
        asks: Asks,
        guards: Guards,
        callee: &Arc<str>,
    ) {
        let task = world.object(id).map(|object| (id, object.clone()));
        let ask = Ask {
            task,
            call: at,
            receiver: arg,
            is_result: asks.is_result,
            asked_by: Some((callee.clone(), asks)),
            ..Ask::guarded(world, guards)
        };
        self.note_ask(at, ask);
    }

    /// `other.result` is taken of something that is no task made in view.
    pub(super) fn ask_of_another(&mut self, world: &World, at: Span, is_result: bool) {
        self.note_ask(at, Ask { is_result, ..Ask::at(world) });
    }

    fn note_ask(&mut self, at: Span, ask: Ask) {
        let known = self.account.asks.entry(at).or_default();
        if !known.iter().any(|other| other.same_as(&ask)) {
            known.push(ask);
        }
    }

    pub(super) fn mention(&mut self, world: &World, place: Place, span: Span) {
        let Value::Object(id) = world.get(place) else { return };
        let Some(object) = world.object(*id).filter(|_| !world.is_parameter(*id)) else { return };
        let known =
            self.account.mentions.entry(span).or_insert_with(|| Mention { task: Some(*id), states: Vec::new() });
        if known.task != Some(*id) {
            known.task = None;
        }
        if !known.states.contains(object) {
            known.states.push(object.clone());
        }
    }
}
