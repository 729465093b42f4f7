//! What the repairs of a task share: the place, the task in the author's words, and how the file spells what a fix needs.
//!
//! In: a [`Site`], the expression in question and the task in it. Out: a [`Context`], which each repair asks for its parts.

use tree_sitter::Node;

use super::Site;
use super::edits::Layout;
use super::place::{Place, identifiers, is_stable, text};
use crate::text::Span;

/// A site and what the tree says about it.
pub(super) struct Context<'a> {
    pub site: &'a Site<'a>,
    /// The expression that is repaired: `task.result()`, `await task`.
    pub call: Span,
    pub place: Place<'a>,
    pub layout: Layout<'a>,
    /// The task can be evaluated again and is the same: a variable, an attribute, an item.
    pub stable: bool,
    /// The variables that the task's expression names.
    pub names: Vec<&'a str>,
    /// The task's text.
    pub task: &'a str,
}

impl<'a> Context<'a> {
    /// The context of the expression `call` and of the task `receiver` in it. `None` where no statement holds it.
    pub fn of(site: &'a Site<'a>, call: Span, receiver: Span) -> Option<Self> {
        let place = Place::find(site.src, site.root, call)?;
        let node = site.root.descendant_for_byte_range(receiver.start as usize, receiver.end as usize)?;
        Some(Self {
            site,
            call,
            layout: Layout::of(&place, site.newline),
            stable: is_stable(site.src, node),
            names: identifiers(site.src, node),
            task: receiver.of(site.src),
            place,
        })
    }

    /// The task, where it is short enough for a menu.
    pub fn label(&self) -> Option<&'a str> {
        (self.task.len() <= 40 && !self.task.contains(['\n', '\r', '`'])).then_some(self.task)
    }
}

/// Whether a collection can be iterated again: a variable and its like, or the `.values()` of one, which is as good.
pub(super) fn is_stable_collection(src: &str, node: Node) -> bool {
    match values_owner(src, node) {
        Some(owner) => is_stable(src, owner),
        None => is_stable(src, node),
    }
}

/// `jobs` of `jobs.values()`.
pub(super) fn values_owner<'t>(src: &str, node: Node<'t>) -> Option<Node<'t>> {
    if node.kind() != "call" || !text(src, node).ends_with(".values()") {
        return None;
    }
    node.child_by_field_name("function")?.child_by_field_name("object")
}
