//! `cancelled-task-unguarded`: a task that was asked to cancel is awaited, or asked for its result or exception, and nothing expects the
//! `CancelledError` that comes out.
//!
//! In: the questions and waits of a function, with what each path knew of the task. Out: a verdict at the question. Only tasks count whose
//! coroutine is in view and has no handler that could refuse to be cancelled.

use std::sync::Arc;

use super::{Subject, Verdict, quoted};
use crate::fixes::{Cancelled, Repair};
use crate::report::Level;
use crate::tasks::{Account, Elsewhere, Kind, Object, States};
use crate::text::Span;

pub(super) fn judge(account: &Account, subject: &Subject<'_>) -> Vec<Verdict> {
    let src = subject.src;
    let mut verdicts = Vec::new();
    if let Some(cancels) = subject.callback {
        verdicts.extend(in_callback(account, subject, cancels));
    }
    for asks in account.asks.values() {
        let believed = |doubt: bool| !doubt;
        let beyond = asks.iter().all(|ask| ask.beyond);
        let mut reached = asks.iter().filter(|ask| (beyond || !ask.beyond) && ask.asked_by.is_none());
        let task = |ask: &crate::tasks::Ask| ask.task.as_ref().map(|(_, task)| task.clone());
        // Where it may be pending, that is what is to be said.
        if asks.iter().any(|ask| task(ask).is_some_and(|task| task.states.has(States::P) || task.silent)) {
            continue;
        }
        let certain =
            asks.iter().all(|ask| task(ask).is_some_and(|task| task.states == States::C && task.runs.is_none()));
        let wrong = reached.find(|ask| {
            believed(ask.doubt) && !ask.catches_cancelled && task(ask).is_some_and(|task| is_cancelled(&task))
        });
        if let Some(ask) = wrong
            && let Some((made, object)) = &ask.task
        {
            let method = if ask.is_result { "result()" } else { "exception()" };
            let place = Place { at: ask.call, receiver: ask.receiver, is_await: false, made: *made };
            verdicts.push(verdict(&place, object, &format!("`{method}`"), certain && !account.presumed, src));
        }
    }
    for (&at, awaits) in &account.awaits {
        let beyond = awaits.iter().all(|of| of.beyond);
        let mut reached = awaits.iter().filter(|of| beyond || !of.beyond);
        let wrong = reached
            .find(|of| !of.doubt && !of.is_cancelled_itself && !of.guards.cancelled && will_be_cancelled(&of.task.1));
        let certain =
            awaits.iter().all(|of| will_be_cancelled(&of.task.1) && of.task.1.states.without(States::P).is_empty());
        if let Some(of) = wrong {
            let place = Place { at, receiver: of.operand, is_await: true, made: of.task.0 };
            verdicts.push(verdict(&place, &of.task.1, "`await`", certain && !account.presumed, src));
        }
    }
    verdicts
}

/// In a done callback, whose parameter is done in one of the three ways.
fn in_callback(account: &Account, subject: &Subject<'_>, cancels: bool) -> Option<Verdict> {
    let unguarded = account.asks.values().flatten().filter(|ask| {
        let is_given = |task: &Object| matches!(task.kind, Kind::Parameter(_)) && task.states.has(States::C);
        let of = ask.task.as_ref().is_some_and(|(_, task)| is_given(task));
        of && !ask.is_result && !ask.doubt && !ask.catches_cancelled && ask.asked_by.is_none()
    });
    let ask = unguarded.min_by_key(|ask| ask.call)?;
    // Its author has thought of it, be it by another name for the task.
    if subject.span.of(subject.src).contains(".cancelled()") {
        return None;
    }
    let task = quoted(ask.receiver, subject.src);
    Some(Verdict {
        rule: "cancelled-task-unguarded",
        level: if cancels { Level::Warning } else { Level::Hint },
        span: ask.call,
        message: format!(
            "this done callback also runs when `{task}` was cancelled: then `exception()` would raise its `CancelledError` here"
        )
        .replacen("this", "This", 1),
        related: Vec::new(),
        elsewhere: Vec::new(),
        repair: Repair::Cancelled(Cancelled {
            at: ask.call,
            receiver: ask.receiver,
            is_await: false,
            callback: Some(subject.span),
            is_kept: false,
        }),
    })
}

struct Place {
    at: Span,
    receiver: Span,
    is_await: bool,
    made: Span,
}

fn is_cancelled(task: &Object) -> bool {
    obeys(task) && task.cancelled_at.is_some() && task.states.has(States::C)
}

/// It ends when it is cancelled: a future at once, a task whose coroutine does not refuse.
fn obeys(task: &Object) -> bool {
    match task.kind {
        Kind::Future => true,
        Kind::Task | Kind::Element(Some(_)) => !task.may_refuse,
        _ => false,
    }
}

/// A wait ends with the task cancelled: it was asked to, and cannot refuse.
fn will_be_cancelled(task: &Object) -> bool {
    let asked = task.states.has(States::P) || task.states.has(States::C);
    obeys(task) && task.cancelled_at.is_some() && (!task.silent || task.runs.is_some()) && asked
}

/// Where the function starts that a task of another method runs.
fn runs(function: &Arc<str>) -> (Elsewhere, String) {
    let name = function.rsplit('.').next().unwrap_or(function);
    let span = Span::new(0, ("async def ".len() + name.len()) as u32);
    (Elsewhere { function: function.clone(), span }, "the task runs this, which ends when it is cancelled".to_owned())
}

fn verdict(place: &Place, task: &Object, what: &str, certain: bool, src: &str) -> Verdict {
    let name = quoted(place.receiver, src);
    let name =
        if name.len() <= 40 && !name.contains(['\n', '\r', '`']) { format!("`{name}`") } else { "the task".to_owned() };
    let state = if certain { "has been cancelled" } else { "may have been cancelled" };
    let mut related = Vec::new();
    if task.runs.is_none() {
        let what = if task.kind == Kind::Future { "future" } else { "task" };
        related.push((place.made, format!("the {what} is made here")));
    }
    related.extend(task.cancelled_at.map(|at| (at, "asked to cancel here".to_owned())));
    Verdict {
        rule: "cancelled-task-unguarded",
        level: if certain { Level::Error } else { Level::Warning },
        span: place.at,
        message: format!(
            "{name} {state}: {what} would raise its `CancelledError` here, which `except Exception` does not catch"
        ),
        related,
        elsewhere: task.runs.iter().map(runs).collect(),
        repair: Repair::Cancelled(Cancelled {
            at: place.at,
            receiver: place.receiver,
            is_await: place.is_await,
            callback: None,
            is_kept: task.runs.is_some(),
        }),
    }
}
