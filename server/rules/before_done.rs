//! `result-before-done` and `exception-before-done`: a task or future is asked before it is done.
//!
//! In: the [`Account`] of a function. Out: [`Verdict`]s. A call is wrong where a path that a reader would believe in comes to it
//! with the task pending; it is certain where every path does and nothing ran since.

use super::Verdict;
use crate::fixes::{Asked, Method, Repair};
use crate::flow::Guard;
use crate::report::Level;
use crate::tasks::modules::name_of;
use crate::tasks::{Account, Ask, Elsewhere, Kind, Object, ObjectId, Passed, States, Step, Why, WhyKind};
use crate::text::Span;

/// What a rule says about one place, before it has words: spans are bytes of the item.
pub(super) fn judge(account: &Account, src: &str, is_async: bool) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> =
        account.asks.values().filter_map(|asks| verdict(account, asks, src, is_async)).collect();
    verdicts.sort_by_key(|verdict| verdict.span);
    verdicts
}

fn verdict(account: &Account, asks: &[Ask], src: &str, is_async: bool) -> Option<Verdict> {
    let is_given = |ask: &Ask| ask.task.as_ref().is_some_and(|(_, task)| matches!(task.kind, Kind::Parameter(_)));
    if asks.iter().any(is_given) {
        // What callers give is judged where they give it.
        return None;
    }
    // What is only reached past another question that can only fail is judged all the same, so that both are seen at once.
    let beyond = asks.iter().all(|ask| ask.beyond);
    let reached: Vec<&Ask> = asks.iter().filter(|ask| beyond || !ask.beyond).collect();
    let believed: Vec<&Ask> = reached.iter().copied().filter(|ask| !ask.doubt).collect();
    let pending = |ask: &&Ask| ask.task.as_ref().is_some_and(|(_, task)| task.states.has(States::P) && !task.silent);
    let wrong: Vec<&Ask> = believed.iter().copied().filter(pending).collect();
    let at_once = |ask: &Ask| ask.asked_by.as_ref().is_none_or(|(_, asks)| asks.always && !asks.after_suspension);
    let certain = |ask: &&Ask| at_once(ask) && ask.task.as_ref().is_some_and(|(_, task)| is_certain(task));
    // Certainty has to hold on the paths of which nobody thinks as well.
    let every = !account.presumed && reached.iter().all(certain);
    // What says most about the defect: a path on which it is certain, else the shortest.
    let worst = wrong.iter().find(|ask| certain(ask) && !every).or(wrong.first()).copied()?;
    let (id, task) = worst.task.as_ref()?;
    let level = match worst.guard {
        Guard::Explicit => return None,
        // Whoever catches everything may mean it; where it can only go wrong, or goes right by luck, it is worth a word.
        Guard::Broad if wrong.len() == believed.len() && task.why.is_none() && task.passed_no_more_than_time() => {
            Level::Hint
        }
        Guard::Broad => return None,
        Guard::None if every => Level::Error,
        Guard::None => Level::Warning,
    };
    let method = if worst.is_result { Method::Result } else { Method::Exception };
    let skipped = if every || task.why.is_some() { None } else { account.skipped(worst) };
    let name = receiver_text(worst.receiver, src);
    let reason = reason(&name, task, skipped, is_async);
    let state = if level == Level::Error { "is not done" } else { "may still be pending" };
    let error = match method {
        Method::Result => "InvalidStateError: Result is not set.",
        Method::Exception => "InvalidStateError: Exception is not set.",
    };
    let effect = if level == Level::Hint {
        format!("The handler around it would take Python's `{error}` for a failure of the task.")
    } else {
        format!("Python would raise `{error}`")
    };
    let mut related = Vec::new();
    related.extend(made(*id, task));
    if let Some(at) = task.cancelled_at {
        related.push((at, "asked to cancel here, which takes effect at its next step".to_owned()));
    }
    related.extend(reason.related);
    Some(Verdict {
        rule: match method {
            Method::Result => "result-before-done",
            Method::Exception => "exception-before-done",
        },
        level,
        span: worst.call,
        message: match &worst.asked_by {
            Some((function, _)) => {
                let function = name_of(function);
                format!("{name} {state} here: {}. `{function}` asks it: {}", reason.text, lowered(&effect))
            }
            None => format!("{name} {state} here: {}. {effect}", reason.text),
        },
        related,
        elsewhere: asked_there(worst),
        repair: Repair::BeforeDone(Asked {
            call: worst.call,
            receiver: worst.receiver,
            method,
            may_be_cancelled: task.cancelled_at.is_some(),
            can_wait: match task.kind {
                Kind::Current => false,
                Kind::Future => task.escaped,
                Kind::Coroutine(_) | Kind::Parameter(_) => false,
                Kind::Task | Kind::Gather { .. } | Kind::Element(_) => true,
            },
            asked_elsewhere: worst.asked_by.is_some(),
        }),
    })
}

fn is_certain(task: &Object) -> bool {
    task.states == States::P && task.passed == Passed::Nothing && !task.silent
}

/// Where a function that was given the task asks it.
fn asked_there(ask: &Ask) -> Vec<(Elsewhere, String)> {
    let there = ask.asked_by.iter().map(|(function, asks)| {
        let place = Elsewhere { function: function.clone(), span: asks.span };
        (place, "it is asked here".to_owned())
    });
    there.collect()
}

/// With a small first letter, but for names.
fn lowered(text: &str) -> String {
    text.replacen("The ", "the ", 1)
}

struct Reason {
    text: String,
    related: Option<(Span, String)>,
}

/// Why the task may be pending: what looked like waiting and was none.
fn reason(name: &str, task: &Object, skipped: Option<Step>, is_async: bool) -> Reason {
    let because = |text: &str| Reason { text: text.to_owned(), related: None };
    let at =
        |text: &str, span: Span, there: &str| Reason { text: text.to_owned(), related: Some((span, there.to_owned())) };
    // What was found before a sleep is of yesterday.
    let is_old = |why: &Why| matches!(why.kind, WhyKind::NotDone) && matches!(task.passed, Passed::Sleep(_));
    if let Some(why) = task.why.filter(|why| !is_old(why)) {
        return match why.kind {
            WhyKind::WaitTimeout => {
                at("`wait` may have returned at its timeout", why.span, "this returns at the timeout, done or not")
            }
            WhyKind::FirstCompleted => at(
                "`wait` returned as soon as one of its tasks was done",
                why.span,
                "with FIRST_COMPLETED this waits for one of them only",
            ),
            WhyKind::FirstException => at(
                "`wait` returned as soon as one of its tasks failed",
                why.span,
                "with FIRST_EXCEPTION this returns when one of them fails",
            ),
            WhyKind::Sibling => at(
                "when another member of the `gather` fails, this one goes on running",
                why.span,
                "this raises the first failure and leaves the others running",
            ),
            WhyKind::Shield => at(
                "a timeout or cancellation ends the shield, not the task behind it",
                why.span,
                "this may end before the task does",
            ),
            WhyKind::Interrupted => {
                at("the wait for it was cancelled", why.span, "this may be cancelled while it waits")
            }
            WhyKind::NotDone => {
                at("on this path it has just been found not to be done", why.span, "found not to be done here")
            }
            WhyKind::PendingSet => {
                at("it is one of those that are still pending", why.span, "the second set that this gives")
            }
        };
    }
    if let Some(step) = skipped {
        let way = if step.taken { "true" } else { "false" };
        return at(
            "on one path nothing waits for it",
            step.test,
            &format!("where this is {way}, nothing waits for {name}"),
        );
    }
    match (task.passed, &task.kind) {
        (Passed::Sleep(span), _) => {
            at("nothing waits for it, and a sleep is not a wait", span, "this only lets time pass")
        }
        (Passed::Other(span), _) => at("nothing waits for it", span, "this waits for something else"),
        (Passed::Nothing, Kind::Current) => because("it is the task that runs this code"),
        (Passed::Nothing, Kind::Future) => because("nothing has set its result since it was made"),
        (Passed::Nothing, _) if task.cancelled_at.is_some() => because("`cancel()` is only a request"),
        (Passed::Nothing, _) if task.group.is_some() => because("the task group waits for it at the end of its block"),
        (Passed::Nothing, _) if is_async => because("nothing has waited for it since it was made"),
        (Passed::Nothing, _) => because("the event loop has not run since it was made"),
    }
}

fn made(id: ObjectId, task: &Object) -> Option<(Span, String)> {
    let text = match task.kind {
        Kind::Task if task.group.is_some() => "the group starts the task here",
        Kind::Task => "the task is made here",
        Kind::Future => "the future is made here",
        Kind::Gather { .. } => "the future of all is made here",
        Kind::Current => "this is the task that runs",
        Kind::Element(Some(all)) => return Some((all, "the tasks are made here".to_owned())),
        Kind::Element(None) | Kind::Coroutine(_) | Kind::Parameter(_) => return None,
    };
    Some((id, text.to_owned()))
}

/// The task in the author's words, for a message.
fn receiver_text(receiver: Span, src: &str) -> String {
    let receiver = receiver.of(src);
    if receiver.len() <= 40 && !receiver.contains(['\n', '\r', '`']) {
        format!("`{receiver}`")
    } else {
        "The task".to_owned()
    }
}

impl Object {
    fn passed_no_more_than_time(&self) -> bool {
        !matches!(self.passed, Passed::Other(_))
    }
}
