//! A task that is left to `asyncio.TaskGroup`, which holds it, waits for it and raises its error.
//!
//! In: the call that makes the task. Out: a draft, from Python 3.11 on. Where a group is open around the call the task joins it;
//! otherwise one is opened around the statement (of a loop: around the loop) and those behind it in its block.

use tree_sitter::Node;

use super::edits::{Layout, fresh_name, replace};
use super::ending::{Loops, anchor, any_inside, returns_what_is_there, statements_after};
use super::place::{Place, span, text};
use super::{Draft, Site};
use crate::report::{Applicability, TextEdit};
use crate::text::Span;

/// The first release that has it.
const SINCE: (u8, u8) = (3, 11);

/// A call of `create_task` that a group can take over.
pub(super) struct Started<'a> {
    site: &'a Site<'a>,
    place: &'a Place<'a>,
    /// `asyncio.create_task`
    function: Node<'a>,
}

impl<'a> Started<'a> {
    /// The call at `place`. `None` where there are no groups, or where the call means something else.
    pub fn of(site: &'a Site<'a>, place: &'a Place<'a>, call: Span) -> Option<Self> {
        if site.python < SINCE || !site.in_async || !place.await_at_statement() {
            return None;
        }
        let (node, _) = place.path.last().filter(|(node, _)| node.kind() == "call" && span(*node) == call)?;
        let function = node.child_by_field_name("function")?;
        let last = function.child_by_field_name("attribute").unwrap_or(function);
        // `ensure_future` takes futures as well, which no group does.
        let fine = text(site.src, last) == "create_task" && !text(site.src, function).contains(['\n', '\r']);
        fine.then_some(Self { site, place, function })
    }

    fn by(&self, group: &str) -> TextEdit {
        replace(self.function.start_byte(), self.function.end_byte(), format!("{group}.create_task"))
    }

    /// The task joins the group that is open around it.
    pub fn in_open_group(&self) -> Option<Draft> {
        let group = open_group(self.site, self.place)?;
        let title = format!("Start it in the task group `{group}`");
        Some(Draft::new(title, Applicability::Suggestion, vec![self.by(group)]))
    }

    /// A group is opened for it and for what stands behind it.
    pub fn in_new_group(&self) -> Option<Draft> {
        let (site, place) = (self.site, self.place);
        if expects_errors(place) {
            return None;
        }
        let (block, first, _) = anchor(place, Loops::Any)?;
        let mut wrapped = statements_after(block, first);
        wrapped.insert(0, first);
        // A value that is only looked up can as well be returned when the group is done.
        if wrapped.len() > 1 && wrapped.last().is_some_and(|last| returns_what_is_there(*last)) {
            wrapped.pop();
        }
        if wrapped.iter().any(|statement| changes_in_group(*statement)) {
            return None;
        }
        let last = wrapped.last().copied().unwrap_or(first);
        let mut imports = Vec::new();
        let class = site.spelled("asyncio.TaskGroup", &mut imports);
        let group = fresh_name(text(site.src, place.function()), "group");
        let layout = Layout::around(place, first, last, site.newline);
        let mut edits = layout.wrapped(&format!("async with {class}() as {group}:"))?;
        edits.push(self.by(&group));
        edits.sort_by_key(|edit| edit.span);
        Some(Draft { imports, ..Draft::new("Start it in a task group".to_owned(), Applicability::Suggestion, edits) })
    }
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
    let mut around = place.path.windows(2).rev().take_while(|pair| pair[0].0.kind() != "function_definition");
    around.any(|pair| {
        let (parent, field) = (pair[0].0, pair[1].1);
        let mut cursor = parent.walk();
        parent.kind() == "try_statement"
            && field == Some("body")
            && parent.named_children(&mut cursor).any(|clause| clause.kind().starts_with("except"))
    })
}

/// Whether a statement means something else in a group: what it raises would come out in an `ExceptionGroup`, and a group that is
/// left by a `yield` breaks structured concurrency.
fn changes_in_group(statement: Node) -> bool {
    any_inside(statement, |node| matches!(node.kind(), "yield" | "raise_statement"))
}
