//! `coroutine-never-awaited`: a coroutine is made, and on some path nothing consumes it.
//!
//! In: how the objects of a function ended. Out: a verdict at the call that makes the coroutine. It is certain where no path consumes
//! it; paths on which an exception came in between are nobody's intention, so none is judged by them alone.

use super::{Verdict, quoted};
use crate::fixes::{NeverAwaited, Repair};
use crate::report::Level;
use crate::tasks::{Account, End, ObjectId};
use crate::text::Span;

pub(super) fn judge(account: &Account, src: &str) -> Vec<Verdict> {
    account.ends.iter().filter_map(|(&made, ends)| verdict(account, made, ends, src)).collect()
}

fn verdict(account: &Account, made: ObjectId, ends: &[End], src: &str) -> Option<Verdict> {
    let object = &ends.first()?.object;
    // What was taken out of a collection is in it still, for others to await.
    let coroutine = object.coroutine().filter(|_| object.among.is_none())?;
    let beyond = ends.iter().all(|end| end.beyond || end.object.excused);
    let reached = ends.iter().filter(|end| beyond || !end.beyond);
    let is_left = |end: &End| end.object.used.is_none() && !end.object.escaped && !end.object.silent;
    let left = reached.clone().any(|end| is_left(end) && !end.doubt && !end.object.excused);
    if !left {
        return None;
    }
    if account.is_unseen(made) {
        return None;
    }
    let other_paths_use_it = ends.iter().any(|end| end.object.used.is_some() || end.object.escaped);
    let leaves_at =
        ends.iter().find(|end| is_left(end) && !end.doubt && !end.object.excused).and_then(|end| end.leaves);
    // What uses it behind a line that can only fail will do so when that line is repaired: it is not forgotten.
    let all = ends.iter().all(is_left);
    // Where a test was presumed to give the same twice, the paths that are left may not be all.
    if account.presumed && !all {
        return None;
    }
    let certain = all && !account.presumed;
    let held = account.names.get(&made);
    let name = &coroutine.name;
    let many = ends.iter().any(|end| end.object.many);
    let what = match held {
        Some((variable, true)) => format!("the coroutines of `{name}` in `{variable}` are"),
        Some((variable, false)) => format!("the coroutine of `{name}` in `{variable}` is"),
        None if many => format!("these coroutines of `{name}` are"),
        None => format!("this coroutine of `{name}` is"),
    };
    let whose = if many || held.is_some_and(|(_, is_collection)| *is_collection) { "their" } else { "its" };
    let (path, when, then) = if certain { ("", "never", "") } else { ("on one path ", "not", " then") };
    if let Some(&run) = account.nested_runs.get(&made) {
        return Some(nested_run(made, run, name));
    }
    let message = format!(
        "{path}{what} {when} awaited: none of {whose} code runs{then}. Python would warn `RuntimeWarning: coroutine '{name}' was never awaited`"
    );
    Some(Verdict {
        rule: "coroutine-never-awaited",
        level: if certain { Level::Error } else { Level::Warning },
        span: made,
        message: capitalized(&message),
        related: Vec::new(),
        elsewhere: coroutine
            .made_in
            .iter()
            .map(|place| (place.clone(), format!("`{}` makes it here and returns it", place.function)))
            .collect(),
        repair: match other_paths_use_it {
            _ if is_spread(quoted(made, src)) => Repair::None,
            // What would have awaited it was closed: to await it in its place is no repair.
            _ if src.get(..made.start as usize).is_some_and(|before| before.trim_end().ends_with("wait_for(")) => {
                Repair::None
            }
            true if leaves_at.is_none() => Repair::None,
            _ => Repair::NeverAwaited(NeverAwaited {
                call: made,
                held_by: held.map(|(variable, _)| variable.clone()),
                in_collection: held.is_some_and(|(_, is_collection)| *is_collection),
                leaves_at: leaves_at.filter(|_| other_paths_use_it),
            }),
        },
    })
}

/// `asyncio.run(f())` in a coroutine.
fn nested_run(made: ObjectId, run: Span, name: &str) -> Verdict {
    Verdict {
        rule: "coroutine-never-awaited",
        level: Level::Error,
        span: made,
        message: format!(
            "this coroutine of `{name}` is never awaited: an event loop is running here, so `asyncio.run` raises before it \
             starts. Python would warn `RuntimeWarning: coroutine '{name}' was never awaited`"
        )
        .replacen("this", "This", 1),
        related: Vec::new(),
        elsewhere: Vec::new(),
        repair: Repair::NestedRun { run, coroutine: made },
    }
}

/// `list(map(f, xs))`: many are made by a call that is not theirs.
fn is_spread(call: &str) -> bool {
    ["list(", "tuple(", "set(", "frozenset(", "sorted("].iter().any(|start| call.starts_with(start))
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
