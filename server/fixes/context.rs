//! What the repairs of a task share: the place, the task in the author's words, and how the file spells what a fix needs.
//!
//! In: a [`Site`], the expression in question and the task in it. Out: a [`Context`], which each repair asks for its parts.

use tree_sitter::Node;

use super::edits::Layout;
use super::place::{Place, any, identifiers, text};
use super::{Draft, Site};
use crate::report::{Applicability, TextEdit};
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

/// How the file spells a name of the standard library; its module is noted where it must be imported for that.
pub(super) fn spelled(site: &Site, dotted: &'static str, imports: &mut Vec<&'static str>) -> String {
    site.names.spelling(dotted).unwrap_or_else(|| {
        let module = dotted.split('.').next().unwrap_or(dotted);
        if !imports.contains(&module) {
            imports.push(module);
        }
        dotted.to_owned()
    })
}

/// A fix that needs no more than its edits.
pub(super) fn draft(title: String, applicability: Applicability, edits: Vec<TextEdit>) -> Draft {
    Draft { title, applicability, edits, imports: Vec::new(), definitions: Vec::new() }
}

/// Whether an expression has the same value when it is evaluated again, and fits on the line of another statement.
pub(super) fn is_stable(src: &str, mut node: Node) -> bool {
    if text(src, node).contains(['\n', '\r']) {
        return false;
    }
    loop {
        node = match node.kind() {
            "identifier" => return true,
            "attribute" => match node.child_by_field_name("object") {
                Some(object) => object,
                None => return false,
            },
            "parenthesized_expression" if node.named_child_count() == 1 => match node.named_child(0) {
                Some(inner) => inner,
                None => return false,
            },
            "subscript" => {
                let mut cursor = node.walk();
                let plain = node.children_by_field_name("subscript", &mut cursor).all(is_plain_key);
                match node.child_by_field_name("value") {
                    Some(value) if plain => value,
                    _ => return false,
                }
            }
            _ => return false,
        };
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

/// A literal, a variable or an attribute of one: a key that costs nothing to evaluate again.
fn is_plain_key(key: Node) -> bool {
    !any(key, |node| {
        node.is_named()
            && !matches!(
                node.kind(),
                "identifier"
                    | "integer"
                    | "string"
                    | "string_start"
                    | "string_content"
                    | "string_end"
                    | "attribute"
                    | "unary_operator"
            )
    })
}
