//! `coroutine-reused`: a coroutine is awaited, or given to a task, that was consumed before.
//!
//! In: every expression that consumes a coroutine, with what each path knew of it. Out: a verdict at the later one.

use super::Verdict;
use crate::fixes::{Repair, Reused};
use crate::report::Level;
use crate::tasks::{Account, Consumption};
use crate::text::Span;

pub(super) fn judge(account: &Account) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> =
        account.consumptions.iter().filter_map(|(&at, all)| verdict(account, at, all)).collect();
    verdicts.extend(account.stored.iter().filter_map(|(&made, attribute)| stored(account, made, attribute)));
    verdicts
}

/// A coroutine in an attribute that a method awaits each time it is called.
fn stored(account: &Account, made: Span, attribute: &str) -> Option<Verdict> {
    let coroutine = account.ends.get(&made)?.first()?.object.coroutine()?;
    Some(Verdict {
        rule: "coroutine-reused",
        level: Level::Warning,
        span: made,
        message: format!(
            "`{attribute}` keeps one coroutine of `{}`, and a method that is called more than once awaits it: a coroutine runs once. \
             Python would raise `RuntimeError: cannot reuse already awaited coroutine`",
            coroutine.name
        ),
        related: Vec::new(),
        elsewhere: Vec::new(),
        repair: Repair::Reused(Reused { made, first: made, again: made, name: None, always: false }),
    })
}

fn verdict(account: &Account, at: Span, all: &[Consumption]) -> Option<Verdict> {
    let beyond = all.iter().all(|of| of.beyond);
    let reached = all.iter().filter(|of| beyond || !of.beyond);
    let is_used = |of: &Consumption| of.coroutine.1.used.is_some() && !of.coroutine.1.many;
    let worst = reached.clone().find(|of| is_used(of) && !of.doubt && !of.guards.runtime)?;
    let (made, object) = &worst.coroutine;
    let first = object.used?;
    let certain = reached.clone().all(is_used) && !account.presumed;
    let name = account.names.get(made).map(|(name, _)| name.clone());
    let what = match (&name, object.coroutine()) {
        (Some(name), _) => format!("`{name}`"),
        (None, Some(coroutine)) => format!("The coroutine of `{}`", coroutine.name),
        (None, None) => return None,
    };
    let (state, how) = match (certain, first == at) {
        (_, true) => ("has been used up", "in an earlier round of the loop"),
        (true, false) => ("has been used up", "before"),
        (false, false) => ("may have been used up", "before"),
    };
    let related = vec![
        (*made, "the coroutine is made here, once".to_owned()),
        (first, if first == at { "each round uses it".to_owned() } else { "used up here".to_owned() }),
    ];
    Some(Verdict {
        rule: "coroutine-reused",
        level: if certain { Level::Error } else { Level::Warning },
        span: at,
        message: format!(
            "{what} {state} {how}: a coroutine runs once. Python would raise \
             `RuntimeError: cannot reuse already awaited coroutine`"
        ),
        related,
        elsewhere: Vec::new(),
        repair: Repair::Reused(Reused { made: *made, first, again: at, name, always: certain }),
    })
}
