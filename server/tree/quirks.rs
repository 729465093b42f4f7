//! Repairs of what tree-sitter-python 0.25.0 says wrongly, each a small pure function over nodes and the item's text.
//!
//! Every stage that looks at one of these shapes goes through here, and nowhere else is a slip of the grammar known. All but
//! the parse errors are silent: the tree looks sound and means something else than Python does.

use tree_sitter::Node;

use super::{any, children, named_children, text_of};
use crate::text::Span;

/// `type(self).task = create_task(c())`, which the grammar takes for a type alias (`type X = int`).
#[derive(Clone, Copy, Debug)]
pub struct TypeCallAssignment<'t> {
    /// `type(self).task`: no node has this span.
    pub target: Span,
    /// `self`, the argument of `type`, parenthesised.
    pub argument: Node<'t>,
    /// `create_task(c())`.
    pub value: Node<'t>,
}

/// What a `type_alias_statement` really assigns, where it is no type alias. A real alias starts with a name, never with `(`.
pub fn type_call_assignment(node: Node<'_>) -> Option<TypeCallAssignment<'_>> {
    if node.kind() != "type_alias_statement" {
        return None;
    }
    let left = node.child_by_field_name("left")?;
    let mut target = left;
    // `type(self).x: int = …` has the annotation in the left side too.
    if let Some(constrained) = left.named_child(0).filter(|child| child.kind() == "constrained_type") {
        target = constrained.named_child(0)?;
    }
    let mut first = target;
    while first.kind() != "parenthesized_expression" {
        first = first.named_child(0)?;
    }
    let right = node.child_by_field_name("right")?;
    Some(TypeCallAssignment {
        target: Span::new(node.start_byte() as u32, target.end_byte() as u32),
        argument: first,
        value: right.named_child(0).unwrap_or(right),
    })
}

/// The star that belongs before the whole of `node`, but stands somewhere inside it: `*b.c()` in `x = *a, *b.c()` is a `call` of the
/// `c` of a `list_splat`. Looks down what `node` starts with; nothing where `node` is itself a `list_splat`, as it should be.
pub fn swallowed_star(node: Node<'_>) -> Option<Node<'_>> {
    let mut first = node;
    while matches!(
        first.kind(),
        "call"
            | "attribute"
            | "subscript"
            | "binary_operator"
            | "boolean_operator"
            | "comparison_operator"
            | "conditional_expression"
    ) {
        first = first.child(0)?;
    }
    (first != node && first.kind() == "list_splat").then_some(first)
}

/// The operand of a `list_splat`, any other node as it is. What is called, looked up or calculated with is never starred, so use
/// this on the callee, the object and the left operand: it takes the star of [`swallowed_star`] away.
pub fn without_star(node: Node<'_>) -> Node<'_> {
    let operand = if node.kind() == "list_splat" { node.named_child(0) } else { None };
    operand.unwrap_or(node)
}

/// The span of an expression without a star that it swallowed: where to put an `await` or a parenthesis.
pub fn expression_span(node: Node<'_>) -> Span {
    let start = swallowed_star(node).map_or(node, without_star).start_byte();
    Span::new(start as u32, node.end_byte() as u32)
}

/// What an `interpolation` of an f-string shows. `f"{x:=5}"` shows `x`, padded to five columns; the grammar takes it for a walrus,
/// which must stand in parentheses there.
pub fn interpolated(interpolation: Node<'_>) -> Option<Node<'_>> {
    let shown = interpolation.child_by_field_name("expression")?;
    if shown.kind() == "named_expression" { shown.child_by_field_name("name") } else { Some(shown) }
}

/// What an `await` node awaits. `await a ** 2` awaits `a`; the grammar has it await `a ** 2`.
///
/// The await itself then ends where the operand ends, see [`await_span`].
pub fn awaited(node: Node<'_>) -> Option<Node<'_>> {
    let operand = children(node).find(|child| child.is_named() && child.kind() != "comment")?;
    let is_power = operand.kind() == "binary_operator"
        && operand.child_by_field_name("operator").is_some_and(|operator| operator.kind() == "**");
    if is_power { operand.child_by_field_name("left") } else { Some(operand) }
}

/// The span of an `await` and what it awaits.
pub fn await_span(node: Node<'_>) -> Span {
    let end = awaited(node).unwrap_or(node).end_byte();
    Span::new(node.start_byte() as u32, end as u32)
}

/// `await` or `async` with nothing after it, as it stands while somebody types: an `identifier` to the grammar.
pub fn is_bare_keyword(node: Node<'_>, text: &str) -> bool {
    node.kind() == "identifier" && matches!(text_of(node, text), "await" | "async")
}

/// Whether something below `node` does not parse: an `ERROR` or `MISSING` node, or a bare `await`. A default of a type parameter
/// (PEP 696), which the grammar does not know, is no error.
pub fn is_broken(node: Node<'_>, text: &str) -> bool {
    let mut end_of_type_parameters = 0;
    any(node, |node, _| {
        if node.kind() == "type_parameter" {
            end_of_type_parameters = node.end_byte();
        }
        is_bare_keyword(node, text)
            || node.is_missing()
            || (node.is_error() && node.start_byte() >= end_of_type_parameters)
    })
}

/// The last statement of a `block`. The block itself may reach over a comment after it, so text that comes after the statement goes
/// to this node's end.
pub fn last_statement(block: Node<'_>) -> Option<Node<'_>> {
    named_children(block).last()
}

#[cfg(test)]
mod tests {
    use super::super::{Tree, named_children};
    use super::*;

    /// The first node of a kind, in source order.
    fn first<'t>(tree: &'t Tree, kind: &str) -> Node<'t> {
        let mut found = None;
        any(tree.root(), |node, _| {
            found = (node.kind() == kind).then_some(node);
            found.is_some()
        });
        found.unwrap()
    }

    #[test]
    fn an_assignment_to_an_attribute_of_a_type_is_told_from_an_alias() {
        for text in ["type(self).task = create_task(c())", "type(self).task: int = create_task(c())"] {
            let tree = Tree::parse(text);
            let assignment = type_call_assignment(first(&tree, "type_alias_statement")).unwrap();
            assert_eq!(assignment.target.of(text), "type(self).task");
            assert_eq!(text_of(assignment.argument, text), "(self)");
            assert_eq!(text_of(assignment.value, text), "create_task(c())");
        }
        for text in ["type X = int", "type X[T] = list[T]"] {
            let tree = Tree::parse(text);
            assert!(type_call_assignment(first(&tree, "type_alias_statement")).is_none());
        }
    }

    #[test]
    fn a_star_in_a_call_is_found() {
        for (text, expression) in [
            ("{*map(f, xs)}", "map(f, xs)"),
            ("x = *a, *b.c()", "b.c()"),
            ("return *b.c(), a", "b.c()"),
            ("x[*b.c()]", "b.c()"),
        ] {
            let tree = Tree::parse(text);
            let call = first(&tree, "call");
            assert_eq!(swallowed_star(call).map(|star| text_of(star, text).starts_with('*')), Some(true), "{text}");
            assert_eq!(expression_span(call).of(text), expression);
            let mut callee = call.child_by_field_name("function").unwrap();
            if let Some(object) = callee.child_by_field_name("object") {
                callee = object;
            }
            assert!(matches!(text_of(without_star(callee), text), "map" | "b"), "{text}");
        }
        for text in ["gather(*xs.values())", "wait([*ts()])", "f(*a)", "-f()"] {
            let tree = Tree::parse(text);
            let call = first(&tree, "call");
            assert!(swallowed_star(call).is_none(), "{text}");
            assert_eq!(expression_span(call), super::super::span(call));
        }
    }

    #[test]
    fn a_format_specifier_is_no_walrus() {
        for (text, shown) in [("f'{x:=5}'", "x"), ("f'{(x:=5)}'", "(x:=5)"), ("f'{x.y()!r:>5}'", "x.y()")] {
            let tree = Tree::parse(text);
            assert_eq!(text_of(interpolated(first(&tree, "interpolation")).unwrap(), text), shown);
        }
    }

    #[test]
    fn await_binds_closer_than_a_power() {
        for (text, operand, await_) in [
            ("await a ** 2", "a", "await a"),
            ("await a.b() ** 2 ** c", "a.b()", "await a.b()"),
            ("await (a ** 2)", "(a ** 2)", "await (a ** 2)"),
            ("await a + 2", "a", "await a"),
        ] {
            let tree = Tree::parse(text);
            let node = first(&tree, "await");
            assert_eq!(text_of(awaited(node).unwrap(), text), operand);
            assert_eq!(await_span(node).of(text), await_);
        }
    }

    #[test]
    fn broken_is_what_does_not_parse_and_what_stops_at_await() {
        for (text, broken) in [
            ("def f():\n    await x\n", false),
            ("def f():\n    await\n    x = 1\n", true),
            ("def f():\n    x = await\n", true),
            ("def f():\n    async\n", true),
            ("def f():\n    x = (\n", true),
            ("def f():\n    x = 'a\n", true),
            ("def f[T = int](x: T): pass\n", false),
            ("class A[T: int = str, U = int]:\n    pass\n", false),
            ("def f[T = int]():\n    x = )\n", true),
            ("print >> f, x\n", false),
        ] {
            let tree = Tree::parse(text);
            assert_eq!(is_broken(tree.root(), text), broken, "{text}");
        }
    }

    #[test]
    fn a_block_ends_with_a_statement() {
        let text = "def f():\n    x = 1\n    y = 2  # why\n    # and so on\n";
        let tree = Tree::parse(text);
        let block = first(&tree, "block");
        assert_eq!(text_of(last_statement(block).unwrap(), text), "y = 2");
        assert!(text_of(block, text).ends_with("# and so on"));
        assert_eq!(named_children(block).count(), 2);
    }
}
