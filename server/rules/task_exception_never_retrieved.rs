//! `task-exception-never-retrieved`: a task that can fail is kept, perhaps waited for, but nobody asks how it ended.
//!
//! In: how the tasks of a function ended. Out: a verdict where the task is made, or at the `wait` whose results are dropped. A task
//! whose coroutine cannot raise is none; of one that is not in view it is only a hint.

use super::{Verdict, dangling_task};
use crate::fixes::{NeverRetrieved, Repair, Unretrieved};
use crate::report::Level;
use crate::tasks::{Account, End, ObjectId, Raises};

pub(super) fn judge(account: &Account) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> =
        account.ends.iter().filter_map(|(&made, ends)| verdict(account, made, ends)).collect();
    // One `wait` for several tasks is one defect.
    verdicts.sort_by_key(|verdict| (verdict.span, verdict.level == Level::Hint));
    verdicts.dedup_by_key(|verdict| verdict.span);
    verdicts
}

fn verdict(account: &Account, made: ObjectId, ends: &[End]) -> Option<Verdict> {
    if !dangling_task::is_forgotten(account, made, ends) || dangling_task::is_dangling(account, made, ends) {
        return None;
    }
    let raises = ends.iter().map(|end| end.object.raises).max()?;
    let level = match raises {
        Raises::Never => return None,
        Raises::Perhaps => Level::Hint,
        Raises::Seen => Level::Warning,
    };
    let (name, in_collection) = account.names.get(&made).cloned().map_or((None, false), |(name, of)| (Some(name), of));
    let waited = ends.iter().find_map(|end| end.object.waited);
    let discarded = ends.iter().find_map(|end| end.object.discarded);
    let subject = match (&name, in_collection) {
        (Some(name), true) => format!("one of the tasks in `{name}`"),
        (Some(name), false) => format!("`{name}`"),
        (None, _) => "the task".to_owned(),
    };
    let (how, reason) = match (waited, discarded) {
        (Some(at), _) => {
            (Unretrieved::Waited(at), "`wait` waits for it, but neither raises nor asks for its exception")
        }
        // The function that made it gave it the callback.
        (None, Some(at)) if at == made => (Unretrieved::Kept, "its done callback only forgets it"),
        (None, Some(at)) => (Unretrieved::OnlyDiscarded(at), "its done callback only forgets it"),
        (None, None) => (Unretrieved::Kept, "nothing awaits it or asks for its exception"),
    };
    let span = waited.filter(|at| account.dropped.contains(at)).unwrap_or(made);
    let mut related = Vec::new();
    if span != made {
        related.push((made, "the task is made here".to_owned()));
    } else if let Some(at) = waited.or(discarded).filter(|at| *at != made) {
        related.push((at, "nobody asks for its exception here either".to_owned()));
    }
    let fails = if level == Level::Hint { "If" } else { "When" };
    Some(Verdict {
        rule: "task-exception-never-retrieved",
        level,
        span,
        message: format!(
            "{fails} {subject} fails, nobody learns of it: {reason}. Python would log `Task exception was never retrieved`"
        ),
        related,
        elsewhere: Vec::new(),
        repair: Repair::NeverRetrieved(NeverRetrieved { call: made, held_by: name, in_collection, how }),
    })
}
