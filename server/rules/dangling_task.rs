//! `dangling-task`: a task is dropped where it is made, or kept in a variable that nobody reads.
//!
//! In: how the tasks of a function ended. Out: a verdict at the call that makes the task. Such a task has one defect: it is not also
//! one whose exception is never retrieved.

use super::Verdict;
use crate::fixes::{Dangling, NeverRetrieved, Repair, Unretrieved};
use crate::report::Level;
use crate::tasks::{Account, End, Kind, ObjectId};

pub(super) fn judge(account: &Account) -> Vec<Verdict> {
    account.ends.iter().filter_map(|(&made, ends)| verdict(account, made, ends)).collect()
}

/// Whether nobody ever asks what became of the task, on any path.
pub(super) fn is_forgotten(account: &Account, made: ObjectId, ends: &[End]) -> bool {
    let is_task = |end: &End| end.object.kind == Kind::Task && end.object.group.is_none();
    let is_left = |end: &End| end.object.used.is_none() && !end.object.escaped;
    !account.is_unseen(made)
        && ends.iter().all(|end| is_task(end) && is_left(end))
        && ends.iter().any(|end| !end.doubt && !end.object.excused)
}

/// Whether nobody ever looks at the task, nor into the collection that it is in.
pub(super) fn is_dangling(account: &Account, made: ObjectId, ends: &[End]) -> bool {
    let is_seen = |end: &End| end.object.waited.is_some() || end.object.kept || end.object.discarded.is_some();
    let is_left = match account.names.get(&made) {
        _ if account.dropped.contains(&made) => true,
        Some(_) => !account.read.contains(&made),
        None => ends.iter().all(|end| end.object.many),
    };
    is_left && is_forgotten(account, made, ends) && !ends.iter().any(is_seen)
}

fn verdict(account: &Account, made: ObjectId, ends: &[End]) -> Option<Verdict> {
    if !is_dangling(account, made, ends) {
        return None;
    }
    let held_by = account.names.get(&made).filter(|_| !account.dropped.contains(&made));
    let message = match held_by {
        Some((name, _)) => format!(
            "nothing reads `{name}`, so nobody waits for the task or sees how it ends. If it fails, Python logs `Task \
             exception was never retrieved`, too late for anybody to act"
        ),
        None => "nothing holds the task: the event loop keeps a weak reference only, so it may disappear before it is \
                 done, and if it fails nobody sees it but the log (`Task exception was never retrieved`)"
            .to_owned(),
    };
    let (first, rest) = message.split_at(1);
    Some(Verdict {
        rule: "dangling-task",
        level: Level::Warning,
        span: made,
        message: format!("{}{rest}", first.to_uppercase()),
        related: Vec::new(),
        elsewhere: Vec::new(),
        repair: match held_by {
            // All of them are waited for.
            Some((name, true)) => Repair::NeverRetrieved(NeverRetrieved {
                call: made,
                held_by: Some(name.clone()),
                in_collection: true,
                how: Unretrieved::Kept,
            }),
            _ => Repair::Dangling(Dangling { call: made }),
        },
    })
}
