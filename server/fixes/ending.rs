//! Where a task that is made at a place can be awaited in the end: behind the last statement of the block that makes it.
//!
//! In: the place of the call that makes it. Out: an [`Ending`], or nothing where control may leave the block by another way, where
//! no `await` is legal, or where waiting would make one after the other of what runs at once.

use tree_sitter::Node;

use super::edits::{Layout, bound_by};
use super::place::{Place, any, span, text, unparenthesized, walk};
use crate::report::TextEdit;
use crate::text::Span;

/// The end of the block in which a task is made; where a loop makes tasks, of the block that holds the loop.
pub(super) struct Ending<'t> {
    /// The `for` that makes them.
    pub repeated: Option<Node<'t>>,
    /// The last statement of the block.
    last: Layout<'t>,
    /// The last statement leaves the block: what is new goes before it.
    leaves: bool,
    /// What runs between the statement that makes the task, or the loop around it, and the end.
    rest: Vec<Node<'t>>,
}

impl<'t> Ending<'t> {
    /// The end for the task that the call at `place` makes.
    pub fn of(place: &Place<'t>, newline: &'t str, loops: Loops) -> Option<Self> {
        let body = place.function().child_by_field_name("body")?;
        if !place.await_at_statement() || any_inside(body, |node| node.kind() == "yield") {
            return None;
        }
        let (block, anchor, repeated) = anchor(place, loops)?;
        if repeated.is_some_and(leaves) {
            return None;
        }
        let rest = statements_after(block, anchor);
        let last = rest.last().copied().unwrap_or(anchor);
        let leaves_last = match last.kind() {
            "return_statement" if last != anchor && returns_what_is_there(last) => true,
            "return_statement" | "raise_statement" | "break_statement" | "continue_statement" => return None,
            _ => false,
        };
        let between = if leaves_last { &rest[..rest.len() - 1] } else { &rest[..] };
        if between.iter().any(|statement| leaves(*statement)) {
            return None;
        }
        Some(Self { repeated, last: Layout::around(place, last, last, newline), leaves: leaves_last, rest })
    }

    /// Nothing runs between the making of the task and the end: to await it there is to await it at once.
    pub fn is_at_once(&self) -> bool {
        self.repeated.is_none() && self.rest.len() == usize::from(self.leaves)
    }

    /// Simple statements, or with `compound` others, run at the end. Lines relative to the block's indentation.
    pub fn insert(&self, lines: &[String], compound: bool) -> Option<TextEdit> {
        match (self.leaves, compound) {
            (true, true) if !self.last.has_own_lines() => None,
            (true, _) => self.last.before(lines),
            (false, true) => self.last.after(lines),
            (false, false) => self.last.following(lines),
        }
    }

    /// Whether something is asked to cancel before the end: then a wait there may raise `CancelledError`.
    pub fn cancels(&self, src: &str) -> bool {
        let asks = |node: Node| {
            node.kind() == "attribute"
                && node.child_by_field_name("attribute").is_some_and(|name| text(src, name) == "cancel")
        };
        self.repeated.iter().chain(&self.rest).any(|statement| any(*statement, asks))
    }

    /// Whether a variable may be bound anew, or unbound, before the end.
    pub fn rebinds(&self, src: &str, name: &str) -> bool {
        self.rest.iter().any(|statement| any(*statement, |node| bound_by(src, node).contains(&name)))
    }
}

/// Which loops may make the tasks that are waited for behind them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Loops {
    /// `for` loops, which end by themselves.
    Counted,
    /// All, where nothing is closed before they end.
    Any,
    /// All: the author collects the tasks.
    Collected,
}

/// The block that makes a task, or holds the loop that does; its statement that makes it; and that loop.
pub(super) fn anchor<'t>(place: &Place<'t>, loops: Loops) -> Option<(Node<'t>, Node<'t>, Option<Node<'t>>)> {
    let mut blocks = place.blocks();
    let (block, statement) = blocks.next()?;
    let mut found = (block, statement, None);
    let mut inner = block;
    let mut bounded = false;
    for (block, statement) in blocks {
        bounded |= statement.kind() == "with_statement";
        let is_loop = matches!(statement.kind(), "for_statement" | "while_statement")
            && statement.child_by_field_name("body") == Some(inner);
        if is_loop {
            let counted = statement.kind() == "for_statement" && statement.child(0)?.kind() != "async";
            // What a `with` in a loop opens is closed before the loop ends.
            let fine = match loops {
                Loops::Counted => counted && !bounded,
                Loops::Any => !bounded,
                Loops::Collected => true,
            };
            if !fine {
                return None;
            }
            found = (block, statement, Some(statement));
        }
        inner = block;
    }
    Some(found)
}

/// The statements of a block behind one of them.
pub(super) fn statements_after<'t>(block: Node<'t>, statement: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = block.walk();
    let all = block.named_children(&mut cursor);
    all.filter(|node| node.start_byte() >= statement.end_byte() && node.kind() != "comment").collect()
}

/// Whether a statement returns a value that takes no time to compute: then it does not matter what waits before it.
pub(super) fn returns_what_is_there(statement: Node) -> bool {
    statement.kind() == "return_statement" && !any(statement, |node| matches!(node.kind(), "call" | "await"))
}

/// Whether control may leave a statement by another way than its end: by a `return`, or never.
fn leaves(statement: Node) -> bool {
    any_inside(statement, |node| match node.kind() {
        "return_statement" => true,
        "while_statement" => {
            let endless =
                node.child_by_field_name("condition").is_some_and(|test| matches!(test.kind(), "true" | "integer"));
            endless && !breaks(node)
        }
        _ => false,
    })
}

/// Whether a `break` ends this loop.
fn breaks(statement: Node) -> bool {
    let mut found = false;
    walk(statement, |node, _| {
        let other = node != statement
            && matches!(
                node.kind(),
                "for_statement" | "while_statement" | "function_definition" | "class_definition" | "lambda"
            );
        found = found || node.kind() == "break_statement";
        !found && !other
    });
    found
}

/// Like [`any`], without what runs at another time: the functions and classes in it.
pub(super) fn any_inside<'t>(top: Node<'t>, mut test: impl FnMut(Node<'t>) -> bool) -> bool {
    let mut found = false;
    walk(top, |node, _| {
        let other = matches!(node.kind(), "function_definition" | "class_definition" | "lambda");
        found = found || !other && test(node);
        !found && !other
    });
    found
}

/// The statement that makes a task, in a form that can be kept.
pub(super) enum Made<'t> {
    /// `asyncio.create_task(work())` and no more.
    Dropped,
    /// `task = asyncio.create_task(work())`: its target.
    Named(Node<'t>),
    /// `[asyncio.create_task(work(n)) for n in range(3)]`: its span.
    List(Span),
}

impl<'t> Made<'t> {
    /// The form of the statement at `place` around `call`.
    pub fn of(place: &Place<'t>, call: Span) -> Option<Self> {
        let statement = place.statement();
        let expression = statement.named_child(0).filter(|_| statement.kind() == "expression_statement")?;
        let inner = unparenthesized(expression);
        if span(inner) == call {
            return (statement.named_child_count() == 1).then_some(Self::Dropped);
        }
        match expression.kind() {
            "assignment" => {
                let (left, right) = (expression.child_by_field_name("left")?, expression.child_by_field_name("right")?);
                let plain = left.kind() == "identifier" && span(right) == call;
                plain.then_some(Self::Named(left))
            }
            "list_comprehension" => {
                let body = expression.child_by_field_name("body")?;
                (span(body) == call).then_some(Self::List(span(expression)))
            }
            _ => None,
        }
    }
}

/// How often an item names a variable.
pub(super) fn times_named(src: &str, top: Node, name: &str) -> usize {
    let mut times = 0;
    walk(top, |node, _| {
        times += usize::from(node.kind() == "identifier" && text(src, node) == name);
        true
    });
    times
}
