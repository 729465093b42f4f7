//! Asking only behind a condition: `if task.done():` and its kind.
//!
//! The condition goes where it changes least: into the test that holds the call, into the `for` clause of a comprehension,
//! around the statement, or into a conditional expression. A name that later code may read stays bound in each of them.

use tree_sitter::Node;

use super::context::Context;
use super::edits::{binds_names, insert, is_compound, replace};
use super::place::{Reach, text};
use crate::report::TextEdit;

/// The edits that evaluate the call only where `condition` holds. `None` where no form of it is right.
pub(super) fn guard(context: &Context, condition: &str) -> Option<Vec<TextEdit>> {
    let place = &context.place;
    if let Some(clause) = place.binding_clause(&context.names) {
        let nested = place.reach() == Reach::Later;
        return (!nested).then(|| vec![insert(clause.end_byte(), format!(" if {condition}"))]);
    }
    let statement = place.statement();
    // Into the test of an `if` that has an `else`, the condition would send a pending task to the `else`: better around it.
    if statement.kind() == "if_statement"
        && statement.child_by_field_name("alternative").is_some()
        && place.reach() == Reach::Always
        && !binds_names(statement)
    {
        return context.layout.wrapped(&format!("if {condition}:"));
    }
    if let Some(operand) = tested_operand(context) {
        return Some(in_test(context, operand, condition));
    }
    if let Some(edits) = in_expression(context, condition) {
        return Some(edits);
    }
    let whole = place.reach() == Reach::Always && can_be_skipped(statement);
    if whole { context.layout.wrapped(&format!("if {condition}:")) } else { None }
}

/// What a statement does instead where its `result()` is not there: for the body of an `except`. `None` where names that it
/// binds would be missing.
pub(super) fn fallback(statement: Node, src: &str) -> Option<String> {
    if is_compound(statement) {
        return None;
    }
    if let Some(assignment) = statement.named_child(0).filter(|node| node.kind() == "assignment") {
        let (left, right) = (assignment.child_by_field_name("left")?, assignment.child_by_field_name("right")?);
        if left.kind() == "identifier" && !binds_names(right) {
            return Some(format!("{} = None", text(src, left)));
        }
    }
    if binds_names(statement) {
        return None;
    }
    Some(if statement.kind() == "return_statement" { "return None" } else { "pass" }.to_owned())
}

/// The operand of the innermost test that holds the call: all of an `if`'s condition, or its side of `and` and `or`.
fn tested_operand<'a>(context: &Context<'a>) -> Option<Operand<'a>> {
    let mut found: Option<Operand> = None;
    for (parent, child, field) in context.place.steps() {
        let test = match parent.kind() {
            "if_statement" | "elif_clause" | "while_statement" => field == Some("condition"),
            "conditional_expression" => parent.named_child(1) == Some(child),
            // In a comprehension, or behind a `case`.
            "if_clause" => true,
            _ => false,
        };
        let last = found.as_ref().map(|operand| operand.node);
        found = match parent.kind() {
            _ if test => Some(Operand { node: child, in_or: false }),
            // The rest of the path is inside of the operand. It stays that, except where a function is only made there.
            "boolean_operator" if last == Some(parent) => {
                let is_or = parent.child_by_field_name("operator").is_some_and(|operator| operator.kind() == "or");
                Some(Operand { node: child, in_or: is_or })
            }
            "parenthesized_expression" if last == Some(parent) && child.kind() == "boolean_operator" => {
                Some(Operand { node: child, in_or: false })
            }
            "lambda" => None,
            _ => found,
        };
    }
    // `if error := task.exception():` must bind the name in any case.
    found.filter(|operand| !binds_names(operand.node))
}

struct Operand<'a> {
    node: Node<'a>,
    /// It stands beside an `or`, where `and` binds tighter and readers like to see it.
    in_or: bool,
}

fn in_test(context: &Context, Operand { node, in_or }: Operand, condition: &str) -> Vec<TextEdit> {
    let spaced = context.site.src[..node.start_byte()].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let space = if spaced { " " } else { "" };
    let loose = matches!(node.kind(), "conditional_expression" | "lambda" | "named_expression");
    let (open, close) = if in_or { ("(", ")") } else { ("", "") };
    let (inner_open, inner_close) = if loose { ("(", ")") } else { ("", "") };
    let mut edits = vec![insert(node.start_byte(), format!("{space}{open}{condition} and {inner_open}"))];
    if in_or || loose {
        edits.push(insert(node.end_byte(), format!("{inner_close}{close}")));
    }
    edits
}

/// `task.result() if task.done() else None`, where the call is the whole value of something that may be `None`.
fn in_expression(context: &Context, condition: &str) -> Option<Vec<TextEdit>> {
    let (parent, child, field) = context.place.steps().next_back()?;
    let parenthesized = match parent.kind() {
        "assignment" => {
            let left = parent.child_by_field_name("left")?;
            let may_be_none = matches!(left.kind(), "identifier" | "attribute");
            if field != Some("right") || !may_be_none {
                return None;
            }
            false
        }
        "return_statement" => false,
        "lambda" if field == Some("body") => false,
        "named_expression" | "boolean_operator" => true,
        "conditional_expression" if parent.named_child(1) != Some(child) => true,
        _ => return None,
    };
    let call = context.call;
    let value = format!("{} if {condition} else None", call.of(context.site.src));
    let content = if parenthesized { format!("({value})") } else { value };
    Some(vec![replace(call.start as usize, call.end as usize, content)])
}

/// Whether the code after a statement still has the names it needs when the statement does not run.
fn can_be_skipped(statement: Node) -> bool {
    match statement.kind() {
        "for_statement" => statement.child_by_field_name("body").is_some_and(|body| !binds_names(body)),
        "while_statement" | "decorated_definition" | "function_definition" | "class_definition" => false,
        _ => !binds_names(statement),
    }
}
