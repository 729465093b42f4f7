//! A task that is left to `asyncio.TaskGroup`, which holds it, waits for it and raises its error.
//!
//! In: the call that makes the task. Out: a draft, from Python 3.11 on. Where a group is open around the call the task joins it;
//! otherwise one is opened around the statement (of a loop: around the loop) and those behind it in its block.

use tree_sitter::Node;

use super::context::{draft, spelled};
use super::edits::{Layout, fresh_name, replace};
use super::ending::{Loops, anchor, any_inside, statements_after};
use super::place::{Place, any, span, text};
use super::{Draft, Site};
use crate::report::Applicability;
use crate::text::Span;

/// The first release that has it.
const SINCE: (u8, u8) = (3, 11);

/// The fix for the task that `call` makes.
pub(super) fn start_in_group(site: &Site, place: &Place, call: Span) -> Option<Draft> {
    if site.python < SINCE || !site.in_async || !place.await_at_statement() {
        return None;
    }
    let (node, _) = place.path.last().filter(|(node, _)| node.kind() == "call" && span(*node) == call)?;
    let function = node.child_by_field_name("function")?;
    let last = function.child_by_field_name("attribute").unwrap_or(function);
    // `ensure_future` takes futures as well, which no group does.
    if text(site.src, last) != "create_task" || text(site.src, function).contains(['\n', '\r']) {
        return None;
    }
    let start = |group: &str| replace(function.start_byte(), function.end_byte(), format!("{group}.create_task"));
    if let Some(group) = open_group(site, place) {
        let title = format!("Start it in the task group `{group}`");
        return Some(draft(title, Applicability::Suggestion, vec![start(group)]));
    }
    if expects_errors(place) {
        return None;
    }
    let (block, first, _) = anchor(place, Loops::Any)?;
    let mut last = statements_after(block, first).last().copied().unwrap_or(first);
    // A value that is only looked up can as well be returned when the group is done.
    let looked_up = last.kind() == "return_statement"
        && !any(last, |node| matches!(node.kind(), "call" | "await"))
        && last != first;
    if looked_up {
        last = statements_after(block, first).into_iter().nth_back(1).unwrap_or(first);
    }
    let between = std::iter::once(first).chain(statements_after(block, first));
    let mut wrapped = between.take_while(|statement| statement.start_byte() <= last.start_byte());
    if wrapped.any(changes_in_group) {
        return None;
    }
    let mut imports = Vec::new();
    let class = spelled(site, "asyncio.TaskGroup", &mut imports);
    let group = fresh_name(text(site.src, place.function()), "group");
    let layout = Layout::around(place, first, last, site.newline);
    let mut edits = layout.wrapped(&format!("async with {class}() as {group}:"))?;
    edits.push(start(&group));
    edits.sort_by_key(|edit| edit.span);
    Some(Draft { imports, ..draft("Start it in a task group".to_owned(), Applicability::Suggestion, edits) })
}

/// The name of the innermost task group that is open around the call, in its function.
fn open_group<'s>(site: &'s Site, place: &Place) -> Option<&'s str> {
    place.blocks().find_map(|(_, statement)| {
        let clause = statement.named_child(0).filter(|_| statement.kind() == "with_statement")?;
        let mut cursor = clause.walk();
        let items: Vec<Node> = clause.named_children(&mut cursor).collect();
        items.into_iter().find_map(|item| {
            let pattern = item.child_by_field_name("value").filter(|value| value.kind() == "as_pattern")?;
            let (class, target) = (pattern.named_child(0)?, pattern.child_by_field_name("alias")?);
            let class = class.child_by_field_name("function").filter(|_| class.kind() == "call")?;
            let spelled = site.names.spelling("asyncio.TaskGroup")?;
            let name = target.named_child(0).filter(|name| name.kind() == "identifier")?;
            (text(site.src, class) == spelled).then(|| text(site.src, name))
        })
    })
}

/// Whether a handler around the statement waits for errors that a group would hand on in an `ExceptionGroup`.
fn expects_errors(place: &Place) -> bool {
    place.blocks().any(|(block, _)| {
        place.path.windows(2).any(|pair| {
            let (parent, (child, field)) = (pair[0].0, pair[1]);
            let mut cursor = parent.walk();
            child == block
                && parent.kind() == "try_statement"
                && field == Some("body")
                && parent.named_children(&mut cursor).any(|clause| clause.kind().starts_with("except"))
        })
    })
}

/// Whether a statement means something else in a group: what it raises would come out in an `ExceptionGroup`, and a group that is
/// left by a `yield` breaks structured concurrency.
fn changes_in_group(statement: Node) -> bool {
    any_inside(statement, |node| matches!(node.kind(), "yield" | "raise_statement"))
}
