//! `coroutine-reused`: a coroutine is awaited, or given to a task, that was consumed before.
//!
//! In: every expression that consumes a coroutine, with what each path knew of it. Out: a verdict at the later one.

use super::Verdict;
use crate::fixes::{GivenTwice, Repair, Reused};
use crate::report::Level;
use crate::tasks::modules::name_of;
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
    let is_used = |of: &Consumption| of.used.is_some();
    // What is awaited together with the coroutines that it was given is none of them.
    let brings_used = |of: &Consumption| {
        let lent = of.coroutine.1.coroutine().map(|coroutine| &coroutine.lent);
        let is_lent = |id| lent.is_some_and(|lent| lent.iter().any(|lent| lent.id == id));
        reached.clone().any(|other| is_used(other) && is_lent(other.coroutine.0))
    };
    let always = reached.clone().all(|of| is_used(of) || brings_used(of)) && !account.presumed;
    let certain = always && !reached.clone().any(|of| of.later);
    let counts = |of: &&Consumption| is_used(of) && !of.doubt && !of.guards.runtime && (always || !of.by_others);
    let worst = reached.clone().find(counts)?;
    let (id, object) = &worst.coroutine;
    let first = worst.used?;
    // An element is made where its collection's are.
    let made = object.among.as_ref().and_then(|all| all.first()).unwrap_or(id);
    let name = account.names.get(id).map(|(name, _)| name.clone());
    let in_collection = object.many || account.names.get(id).is_some_and(|(_, is_collection)| *is_collection);
    let what = match (&name, object.coroutine()) {
        (Some(name), _) if in_collection => format!("The coroutines in `{name}`"),
        (Some(name), _) => format!("`{name}`"),
        (None, Some(coroutine)) => format!("The coroutine of `{}`", coroutine.name),
        (None, None) => return None,
    };
    let (has, it_is) = if in_collection { ("have", "they are") } else { ("has", "the coroutine is") };
    let (state, how) = match (certain, first == at) {
        (_, true) => (format!("{has} been used up"), "in an earlier round of the loop"),
        (true, false) => (format!("{has} been used up"), "before"),
        (false, false) => ("may have been used up".to_owned(), "before"),
    };
    let again = worst.by_callee.as_ref().and_then(|(callee, again)| Some((callee, again.as_ref()?)));
    if let Some((callee, place)) = again {
        let callee = name_of(callee);
        let given = match &name {
            Some(name) => format!("`{name}`"),
            None => "this coroutine".to_owned(),
        };
        return Some(Verdict {
            rule: "coroutine-reused",
            level: if certain { Level::Error } else { Level::Warning },
            span: at,
            message: format!(
                "`{callee}` uses {given} up twice: a coroutine runs once. Python would raise \
                 `RuntimeError: cannot reuse already awaited coroutine`. Give it a task, or a function that makes a coroutine for each use"
            ),
            related: vec![(*made, "the coroutine is made here, once".to_owned())],
            elsewhere: vec![(place.clone(), format!("`{callee}` uses it up again here"))],
            repair: match worst.takes_task {
                true => Repair::GivenTwice(GivenTwice { made: *made, call: at, name }),
                false => Repair::None,
            },
        });
    }
    let uses = if in_collection { "each round uses them" } else { "each round uses it" };
    let related = vec![
        (*made, format!("{it_is} made here, once")),
        (first, if first == at { uses.to_owned() } else { "used up here".to_owned() }),
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
        repair: Repair::Reused(Reused { made: *made, first, again: at, name, always }),
    })
}
