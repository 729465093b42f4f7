//! `task-error-unhandled`: an `await` or `result()` raises what the task raised, and nothing around it handles that.
//!
//! Off by default: to let an error pass is often right, and then there is nothing to say. Its worth is the repair. Where the code asks
//! a task for its `exception()`, its author has the error in mind.

use super::{Verdict, quoted};
use crate::fixes::Repair;
use crate::report::Level;
use crate::tasks::{Account, Kind, ObjectId, Raises, States};

pub(super) fn judge(account: &Account, src: &str) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for (&at, awaits) in &account.awaits {
        let wrong = awaits.iter().find(|of| {
            let (_, task) = &of.task;
            !of.doubt && !of.guards.error && task.kind == Kind::Task && task.raises == Raises::Seen
        });
        if let Some(of) = wrong {
            verdicts.push(verdict(at, of.task.0, quoted(of.operand, src)));
        }
    }
    let asks_of = account.asks.values().flatten();
    let told: Vec<ObjectId> =
        asks_of.filter(|ask| !ask.is_result).filter_map(|ask| Some(ask.task.as_ref()?.0)).collect();
    for asks in account.asks.values() {
        let wrong = asks.iter().find(|ask| {
            let task = ask.task.as_ref().filter(|(made, _)| !told.contains(made)).map(|(_, task)| task);
            let may_fail = task.is_some_and(|task| {
                task.kind == Kind::Task
                    && task.raises == Raises::Seen
                    && !task.states.has(States::P)
                    && task.states.has(States::E)
            });
            ask.is_result && !ask.doubt && !ask.catches_error && ask.asked_by.is_none() && may_fail
        });
        if let Some(ask) = wrong
            && let Some((made, _)) = ask.task
        {
            verdicts.push(verdict(ask.call, made, quoted(ask.receiver, src)));
        }
    }
    verdicts
}

fn verdict(at: crate::text::Span, made: crate::text::Span, task: &str) -> Verdict {
    Verdict {
        rule: "task-error-unhandled",
        level: Level::Warning,
        span: at,
        message: format!("`{task}` can fail, and nothing here handles what it raises"),
        related: vec![(made, "the task is made here, of a coroutine that can raise".to_owned())],
        elsewhere: Vec::new(),
        repair: Repair::Unhandled(at),
    }
}
