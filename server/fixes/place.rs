//! Where a call stands: its statement, whether that always evaluates it, and where an `await` is legal around it.
//!
//! In: a tree and the span of the call. Out: a [`Place`], computed in one descent from the root, because `Node::parent` walks
//! down from the root each time. All spans are bytes of the item.

use tree_sitter::Node;

use crate::text::Span;

/// The nodes above a call and what follows from them.
pub(super) struct Place<'t> {
    pub src: &'t str,
    /// From the root down to the call. Each node with the name of the field that it fills in the one before it.
    pub path: Vec<(Node<'t>, Option<&'t str>)>,
    /// Index in `path` of the innermost statement.
    statement: usize,
}

/// Whether running a statement evaluates an expression in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reach {
    /// Once, or as often as a comprehension in it turns.
    Always,
    /// Behind a condition, or again and again: the right side of `and`, an `elif`, the test of a `while`.
    Sometimes,
    /// Perhaps after the statement: the body of a `lambda`.
    Later,
}

impl<'t> Place<'t> {
    /// The place of the smallest expression that covers `call`. `None` where no statement holds it, where the statement does
    /// not parse, and in annotations, which Python may never evaluate.
    pub fn find(src: &'t str, root: Node<'t>, call: Span) -> Option<Self> {
        let mut path = vec![(root, None)];
        let mut cursor = root.walk();
        // A statement's first bytes may belong to a sibling of width zero, hence the loop over siblings.
        while cursor.goto_first_child_for_byte(call.start as usize).is_some() {
            while !span(cursor.node()).covers(call) && cursor.goto_next_sibling() {}
            if !span(cursor.node()).covers(call) {
                break;
            }
            path.push((cursor.node(), cursor.field_name()));
        }
        let statement = 1 + path.windows(2).rposition(|pair| is_statement(&(pair[0].0, pair[1].0)))?;
        let fine = !path[statement].0.has_error() && path[statement..].iter().all(|(node, _)| node.kind() != "type");
        fine.then_some(Self { src, path, statement })
    }

    /// The innermost statement; with its decorators.
    pub fn statement(&self) -> Node<'t> {
        self.path[self.statement].0
    }

    /// The innermost function, or the whole item.
    pub fn function(&self) -> Node<'t> {
        let mut functions = self.path[..self.statement].iter().filter(|(node, _)| node.kind() == "function_definition");
        functions.next_back().unwrap_or(&self.path[0]).0
    }

    /// The blocks that hold the call, each with its statement that does, from the innermost to the body of the function (or the
    /// item).
    pub fn blocks(&self) -> impl Iterator<Item = (Node<'t>, Node<'t>)> {
        let function = self.path[..self.statement].iter().rposition(|(node, _)| node.kind() == "function_definition");
        let statements = (function.unwrap_or_default() + 1..=self.statement).rev();
        statements.map(|at| (self.path[at - 1].0, self.path[at].0)).filter(is_statement)
    }

    /// Parent, child and the child's field, from the statement down to the call.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = (Node<'t>, Node<'t>, Option<&'t str>)> + ExactSizeIterator {
        self.path[self.statement..].windows(2).map(|pair| (pair[0].0, pair[1].0, pair[1].1))
    }

    /// The place of the outermost loop around the statement, of those in the same function for which `test` holds, each and all
    /// inside of it; that of the statement itself where there is none.
    pub fn outside_loops(&self, test: impl Fn(Node<'t>) -> bool) -> Self {
        let mut statement = self.statement;
        for index in (0..self.statement).rev() {
            let node = self.path[index].0;
            match node.kind() {
                "for_statement" | "while_statement" if test(node) => statement = index,
                "for_statement" | "while_statement" | "function_definition" | "class_definition" => break,
                _ => {}
            }
        }
        Self { src: self.src, path: self.path[..=self.statement].to_vec(), statement }
    }

    /// Whether running the statement evaluates the call.
    pub fn reach(&self) -> Reach {
        let mut reach = Reach::Always;
        for (parent, child, field) in self.steps() {
            let sometimes = match parent.kind() {
                "lambda" if field == Some("body") => return Reach::Later,
                "boolean_operator" => field == Some("right"),
                "conditional_expression" => parent.named_child(1) != Some(child),
                // `a < b < c` evaluates `c` only when `a < b`.
                "comparison_operator" | "with_clause" => nth_operand(parent, child) >= limit(parent),
                "assert_statement" => parent.named_child(0) != Some(child),
                "if_statement" => field != Some("condition"),
                "for_statement" => field != Some("right"),
                "match_statement" => field != Some("subject"),
                "function_definition" => field != Some("parameters"),
                "while_statement" | "elif_clause" | "case_clause" | "try_statement" => true,
                _ => false,
            };
            if sometimes {
                reach = Reach::Sometimes;
            }
        }
        reach
    }

    /// Whether `await` is legal in place of the call.
    pub fn await_at_call(&self) -> bool {
        self.await_legal(self.path.len() - 1)
    }

    /// Whether `await` is legal beside the statement.
    pub fn await_at_statement(&self) -> bool {
        self.await_legal(self.statement)
    }

    /// Whether `await task` in place of the call has to stand in parentheses: `(await task).x`.
    pub fn await_needs_parentheses(&self) -> bool {
        let [.., (parent, _), (_, field)] = self.path[..] else { return false };
        match parent.kind() {
            "attribute" | "subscript" => matches!(field, Some("object" | "value")),
            "call" => field == Some("function"),
            "await" => true,
            // `await task ** 2` is `(await task) ** 2`, which few readers know.
            "binary_operator" => parent.child_by_field_name("operator").is_some_and(|operator| operator.kind() == "**"),
            _ => false,
        }
    }

    fn await_legal(&self, index: usize) -> bool {
        let mut comprehensions = 0;
        for at in (1..=index).rev() {
            let ((scope, _), (_, field)) = (self.path[at - 1], self.path[at]);
            match scope.kind() {
                "function_definition" if field == Some("body") => {
                    return scope.child(0).is_some_and(|first| first.kind() == "async");
                }
                "lambda" | "class_definition" if field == Some("body") => return false,
                // An `await` would turn it into an asynchronous generator.
                "generator_expression" if self.inside_comprehension(at) => return false,
                "list_comprehension" | "set_comprehension" | "dictionary_comprehension"
                    if self.inside_comprehension(at) =>
                {
                    // Before 3.11 an asynchronous comprehension in another one is a syntax error.
                    comprehensions += 1;
                    if comprehensions > 1 {
                        return false;
                    }
                }
                _ => {}
            }
        }
        false
    }

    /// Whether `path[at]`, a child of a comprehension, leads to its inner scope: all but its first iterable does.
    fn inside_comprehension(&self, at: usize) -> bool {
        let (comprehension, child) = (self.path[at - 1].0, self.path[at].0);
        let mut cursor = comprehension.walk();
        let first = comprehension.named_children(&mut cursor).find(|node| node.kind() == "for_in_clause");
        first != Some(child) || self.path.get(at + 1).is_none_or(|(_, field)| *field != Some("right"))
    }

    /// The last `for` clause of the comprehensions between the statement and the call that binds one of these names.
    pub fn binding_clause(&self, names: &[&str]) -> Option<Node<'t>> {
        let binds = |clause: &Node<'t>| {
            let targets = clause.child_by_field_name("left");
            targets.is_some_and(|targets| identifiers(self.src, targets).iter().any(|name| names.contains(name)))
        };
        let mut found = None;
        for at in self.statement + 1..self.path.len() {
            let comprehension = self.path[at - 1].0;
            if is_comprehension(comprehension) && self.inside_comprehension(at) {
                let mut cursor = comprehension.walk();
                let clauses = comprehension.named_children(&mut cursor).filter(|node| node.kind() == "for_in_clause");
                found = clauses.filter(binds).last().or(found);
            }
        }
        found
    }

    /// Whether a walrus in the statement binds one of these names.
    pub fn walrus_binds(&self, names: &[&str]) -> bool {
        any(self.statement(), |node| {
            node.kind() == "named_expression"
                && node.child_by_field_name("name").is_some_and(|name| names.contains(&text(self.src, name)))
        })
    }
}

/// Whether the second node is a statement in the block that the first is.
fn is_statement((block, child): &(Node, Node)) -> bool {
    matches!(block.kind(), "block" | "module") && child.kind() != "case_clause"
}

/// The position of `child` among the named children of `parent`.
fn nth_operand(parent: Node, child: Node) -> usize {
    let mut cursor = parent.walk();
    parent.named_children(&mut cursor).position(|node| node == child).unwrap_or_default()
}

/// How many operands of a chain are evaluated whatever the others say.
fn limit(chain: Node) -> usize {
    if chain.kind() == "comparison_operator" { 2 } else { 1 }
}

/// List, set and dict comprehensions and generator expressions.
pub(super) fn is_comprehension(node: Node) -> bool {
    matches!(
        node.kind(),
        "list_comprehension" | "set_comprehension" | "dictionary_comprehension" | "generator_expression"
    )
}

/// The bytes of a node.
pub(super) fn span(node: Node) -> Span {
    Span::new(node.start_byte() as u32, node.end_byte() as u32)
}

/// The text of a node.
pub(super) fn text<'s>(src: &'s str, node: Node) -> &'s str {
    span(node).of(src)
}

/// The node without the parentheses around it.
pub(super) fn unparenthesized(mut node: Node) -> Node {
    while node.kind() == "parenthesized_expression" {
        match node.named_child(0) {
            Some(inner) if node.named_child_count() == 1 => node = inner,
            _ => break,
        }
    }
    node
}

/// Calls `visit` with `top` and every node below it, in the order of the text, each with the field that it fills. `visit` says
/// whether to look below the node. Not recursive: a tree may be as deep as its author likes.
pub(super) fn walk<'t>(top: Node<'t>, mut visit: impl FnMut(Node<'t>, Option<&'t str>) -> bool) {
    let mut cursor = top.walk();
    let mut below = visit(top, None);
    loop {
        if !(below && cursor.goto_first_child()) {
            // A cursor cannot leave the node that it started from.
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
            }
        }
        below = visit(cursor.node(), cursor.field_name());
    }
}

/// Whether a node of the tree below `top`, itself included, satisfies `test`.
pub(super) fn any<'t>(top: Node<'t>, mut test: impl FnMut(Node<'t>) -> bool) -> bool {
    let mut found = false;
    walk(top, |node, _| {
        found = found || test(node);
        !found
    });
    found
}

/// The variables that an expression names; attributes are none.
pub(super) fn identifiers<'s>(src: &'s str, top: Node) -> Vec<&'s str> {
    let mut names = Vec::new();
    walk(top, |node, field| {
        if node.kind() == "identifier" && field != Some("attribute") {
            names.push(text(src, node));
        }
        true
    });
    names
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
