//! What a function does with what it is given, for those who call it.
//!
//! In: the [`Account`] of a function that was analysed with each parameter standing for a task in any state, or a coroutine. Out: a
//! [`Summary`]. It holds no places, so that an edit which changes none of this leaves the callers alone.

use std::sync::Arc;

use super::account::{Account, End};
use super::value::*;
use crate::flow::{Graph, Guard, Parameter};
use crate::text::Span;

/// See the module.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Summary {
    /// The parameters, in order.
    pub parameters: Vec<Given>,
    /// What a call gives; for an `async def`, what awaiting it gives.
    pub returns: Returns,
    /// It has a way to return.
    pub can_return: bool,
    /// Whether it can raise.
    pub raises: Raises,
    /// It catches `CancelledError`, or may.
    pub may_refuse: bool,
    /// Something in it can suspend.
    pub suspends: bool,
    /// It returns on no path.
    pub endless: bool,
    /// It is a method, whose first parameter the call does not show.
    pub is_method: bool,
}

/// A parameter.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Given {
    /// The name.
    pub name: String,
    /// It can be given by position.
    pub positional: bool,
    /// What is done with it; `None` where that is not followed.
    pub effect: Option<Effect>,
    /// Nothing is.
    pub is_ignored: bool,
}

/// What a function returns on every path.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Returns {
    /// Anything.
    Unknown,
    /// A coroutine that nothing has consumed.
    Coroutine(Arc<Coroutine>),
    /// A task that has not run yet.
    Task(Started),
    /// What it was given for the parameter of this number; not of an `async def`.
    Given(u32),
}

/// A task that a function starts for its caller.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Started {
    /// Whether its coroutine can raise.
    pub raises: Raises,
    /// Its coroutine may end by itself when it is cancelled.
    pub may_refuse: bool,
    /// Its coroutine can suspend.
    pub suspends: bool,
    /// The parameter whose coroutine it runs: what that can do the caller knows.
    pub of_parameter: Option<u32>,
    /// A collection keeps it alive into which nobody looks.
    pub kept: bool,
    /// A done callback drops it from there.
    pub discarded: bool,
}

impl Summary {
    /// The summary of the function with this graph.
    pub fn of(graph: &Graph, account: &Account) -> Self {
        let returns = account.returns.clone().unwrap_or(Returns::Unknown);
        Self {
            parameters: graph
                .parameters
                .iter()
                .enumerate()
                .map(|(index, parameter)| Given {
                    name: parameter.name.clone(),
                    positional: parameter.positional,
                    effect: parameter.is_awaited.then(|| effect(graph, account, parameter)).flatten().map(|effect| {
                        // Only what comes back for certain is known to be in the caller's hands again.
                        let comes_back = returns == Returns::Given(index as u32);
                        let escapes = effect.escapes || account.given_back.contains(&parameter.span) && !comes_back;
                        Effect { escapes, ..effect }
                    }),
                    // What overrides a method may do more.
                    is_ignored: parameter.is_ignored && graph.receiver.is_none(),
                })
                .collect(),
            returns,
            can_return: account.returns.is_some(),
            raises: account.raises,
            may_refuse: account.may_refuse,
            suspends: account.suspends,
            endless: account.returns.is_none(),
            is_method: graph.receiver.is_some(),
        }
    }
}

fn effect(graph: &Graph, account: &Account, parameter: &Parameter) -> Option<Effect> {
    let ends: Vec<&End> =
        account.ends.get(&parameter.span)?.iter().filter(|end| !end.object.excused && !end.doubt).collect();
    if ends.is_empty() {
        return None;
    }
    // Where none returns all are looked at.
    let returning: Vec<&End> = ends.iter().copied().filter(|end| !end.raises).collect();
    let returning = if returning.is_empty() { &ends } else { &returning };
    let extent =
        |ends: &[&End], holds: &dyn Fn(&Object) -> bool| match ends.iter().filter(|end| holds(&end.object)).count() {
            0 => Extent::Never,
            count if count == ends.len() => Extent::Always,
            _ => Extent::Sometimes,
        };
    let pending = |object: &Object| object.states.has(States::P) || object.silent;
    // The ends that are left out here may be those where it was found in another state.
    let all = account.ends.get(&parameter.span)?.iter().filter(|end| !end.raises);
    let leaves =
        all.fold(States(0), |states, end| states.or(if end.object.silent { States::ANY } else { end.object.states }));
    let leaves = if leaves.without(States::P).is_empty() { States::ANY } else { leaves };
    let asks = account.asks.values().flatten().filter(|ask| {
        let of = ask.task.as_ref().is_some_and(|(id, task)| *id == parameter.span && task.states.has(States::P));
        of && !ask.doubt && ask.guard == Guard::None && !ask.task.as_ref().is_some_and(|(_, task)| task.silent)
    });
    let asks: Vec<_> = asks.collect();
    let own = |span: Span| Span::new(span.start.saturating_sub(graph.start), span.end.saturating_sub(graph.start));
    let again = |end: &End| match end.object.spent {
        Spent::All(at) if !end.object.loose => Some(at),
        _ => None,
    };
    let again =
        returning.first().and_then(|end| again(end)).filter(|_| returning.iter().all(|end| again(end).is_some()));
    Some(Effect {
        again: again.map(own),
        escapes: ends.iter().any(|end| end.object.escaped),
        settles: extent(returning, &|object| !pending(object)),
        leaves,
        takes_task: !account.needs_coroutine.contains(&parameter.span) && !ends.iter().any(|end| end.object.escaped),
        consumes: ends.iter().any(|end| end.object.spent != Spent::Nothing),
        uses: extent(&ends, &|object| object.used.is_some() || object.waited.is_some()),
        only_waits: ends.iter().all(|end| end.object.used.is_none()),
        cancels: extent(returning, &|object| object.cancelled_at.is_some()),
        awaits: account.awaits.values().flatten().any(|of| {
            let is_open = of.task.1.states.has(States::C) && !of.guards.cancelled && !of.is_cancelled_itself;
            of.task.0 == parameter.span && is_open && !of.doubt && !of.beyond
        }),
        asks: asks.iter().min_by_key(|ask| ask.call).map(|ask| Asks {
            is_result: ask.is_result,
            always: ends.iter().all(|end| !pending(&end.object)),
            after_suspension: asks
                .iter()
                .any(|ask| ask.task.as_ref().is_some_and(|(_, task)| task.passed != Passed::Nothing)),
            span: own(ask.call),
        }),
    })
}
