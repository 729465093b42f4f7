//! The check of `task.exception()` turned into what it stands for: `try: await task`, `except Exception as exc`, `else`.
//!
//! Only the lines that ask are rewritten. The branches stay where they are, comments included, except that the good branch
//! must stand second: where it stood first and there is another one, the two trade places.

use tree_sitter::Node;

use super::Draft;
use super::before_done::Context;
use super::edits::{fresh_name, replace, replace_expression};
use super::place::{any, identifiers, span, text, unparenthesized, walk};
use crate::report::{Applicability, TextEdit};
use crate::text::Span;

/// A check of `task.exception()` in a form that becomes a `try`.
struct Check<'a> {
    /// The `if`.
    statement: Node<'a>,
    /// The name that holds the exception, if the author gave it one.
    name: Option<&'a str>,
    /// The task failed where the condition is true.
    failed_first: bool,
}

/// The fix, where the check is the whole condition of an `if` without `elif`, or stands in an assignment just before such an `if`.
pub(super) fn draft(context: &Context) -> Option<Draft> {
    let place = &context.place;
    // CancelledError is no Exception: it would pass the `except`, and swallowing it would be worse.
    if context.asked.may_be_cancelled || !context.stable || !place.await_at_statement() {
        return None;
    }
    let asking = place.statement();
    let check = if asking.kind() == "if_statement" {
        tested(asking, &|node| span(node) == context.asked.call, context.site.src)?
    } else {
        let name = assigned_name(context)?;
        let check = tested(next_statement(asking)?, &|node| text(context.site.src, node) == name, context.site.src)?;
        Check { name: Some(name), ..check }
    };
    if !context.layout.has_own_lines() {
        return None;
    }
    let (first, second) = branches(&check)?;
    let (handler, other) = if check.failed_first { (Some(first), second) } else { (second, Some(first)) };
    if !stays_right(context, &check, asking, handler, other) {
        return None;
    }

    let src = context.site.src;
    let asked_again = handler.map(|body| questions(context, body)).unwrap_or_default();
    let used = check.name.filter(|name| handler.is_some_and(|body| identifiers(src, body).contains(name)));
    let name = match used {
        None if asked_again.is_empty() => None,
        None => Some(check.name.map_or_else(|| fresh_name(text(src, place.function()), "exc"), str::to_owned)),
        Some(name) => Some(name.to_owned()),
    };
    let answers = asked_again.iter().map(|question| {
        replace_expression(src, question.start as usize, question.end as usize, name.clone().unwrap_or_default())
    });

    let (indent, unit, newline) = (context.layout.indent, context.layout.unit, context.layout.newline);
    let attempt = format!("try:{newline}{indent}{unit}await {}", context.task);
    let mut except = match &name {
        Some(name) => format!("except Exception as {name}:"),
        None => "except Exception:".to_owned(),
    };
    if handler.is_none() {
        except.push_str(&format!("{newline}{indent}{unit}pass{newline}{indent}else:"));
    }
    let mut edits = if asking == check.statement {
        vec![header(&check, format!("{attempt}{newline}{indent}{except}"))?]
    } else {
        vec![replace(asking.start_byte(), asking.end_byte(), attempt), header(&check, except)?]
    };
    match second {
        Some(second) if !check.failed_first => {
            let content = applied(src, span(second), answers);
            edits.push(TextEdit { span: span(first), content });
            edits.push(TextEdit { span: span(second), content: text(src, first).to_owned() });
        }
        _ => edits.extend(answers),
    }
    let title = format!("Replace with `try` and `await {}`", context.task);
    Some(Draft::new(title, Applicability::Suggestion, edits))
}

/// The text of `body` after these edits, which lie in it.
fn applied(src: &str, body: Span, edits: impl Iterator<Item = TextEdit>) -> String {
    let mut out = String::new();
    let mut at = body.start;
    for edit in edits {
        out.push_str(Span::new(at, edit.span.start).of(src));
        out.push_str(&edit.content);
        at = edit.span.end;
    }
    out.push_str(Span::new(at, body.end).of(src));
    out
}

/// The bodies of an `if` and its `else`. `None` for an `elif`, and for bodies that cannot trade places although they must.
fn branches<'a>(check: &Check<'a>) -> Option<(Node<'a>, Option<Node<'a>>)> {
    let first = check.statement.child_by_field_name("consequence")?;
    let mut cursor = check.statement.walk();
    let Some(clause) = check.statement.children_by_field_name("alternative", &mut cursor).next() else {
        return Some((first, None));
    };
    // An `elif` has a consequence instead.
    let second = clause.child_by_field_name("body")?;
    let commented = |node: Node<'a>| {
        let mut cursor = node.walk();
        node.children(&mut cursor).any(|child| child.kind() == "comment")
    };
    let aligned = first.start_position().column == second.start_position().column
        && own_line(check.statement, first) == own_line(clause, second);
    let can_trade = aligned && !commented(check.statement) && !commented(clause);
    (check.failed_first || can_trade).then_some((first, Some(second)))
}

/// Whether a body begins below the line of its header.
fn own_line(header: Node, body: Node) -> bool {
    header.start_position().row != body.start_position().row
}

/// The check of an `if`, where its whole condition asks `subject`: for itself, its negation, or `is None`.
fn tested<'a>(statement: Node<'a>, subject: &dyn Fn(Node<'a>) -> bool, src: &'a str) -> Option<Check<'a>> {
    if statement.kind() != "if_statement" {
        return None;
    }
    let mut node = unparenthesized(statement.child_by_field_name("condition")?);
    let mut failed_first = true;
    match node.kind() {
        "not_operator" => {
            failed_first = false;
            node = unparenthesized(node.child_by_field_name("argument")?);
        }
        "comparison_operator" if node.named_child_count() == 2 => {
            let operator = node.child(1)?.kind();
            if node.named_child(1)?.kind() != "none" {
                return None;
            }
            failed_first = match operator {
                "is not" | "!=" => true,
                "is" | "==" => false,
                _ => return None,
            };
            node = unparenthesized(node.named_child(0)?);
        }
        _ => {}
    }
    let mut name = None;
    if node.kind() == "named_expression" {
        name = Some(text(src, node.child_by_field_name("name")?));
        node = unparenthesized(node.child_by_field_name("value")?);
    }
    subject(node).then_some(Check { statement, name, failed_first })
}

/// `exc` of the statement `exc = task.exception()`.
fn assigned_name<'a>(context: &Context<'a>) -> Option<&'a str> {
    let assignment = context.place.statement().named_child(0).filter(|node| node.kind() == "assignment")?;
    let (left, right) = (assignment.child_by_field_name("left")?, assignment.child_by_field_name("right")?);
    let plain = left.kind() == "identifier"
        && assignment.child_by_field_name("type").is_none()
        && span(right) == context.asked.call;
    plain.then(|| text(context.site.src, left))
}

/// The statement after this one.
fn next_statement(statement: Node) -> Option<Node> {
    let mut next = statement.next_named_sibling()?;
    while next.kind() == "comment" {
        next = next.next_named_sibling()?;
    }
    Some(next)
}

/// Whether the branches mean the same in a handler and an `else`: nobody needs the exception's name after the handler, which
/// unbinds it, and no name and no bare `raise` changes its meaning.
fn stays_right(context: &Context, check: &Check, asking: Node, handler: Option<Node>, other: Option<Node>) -> bool {
    let src = context.site.src;
    if let Some(name) = check.name {
        let whole = Span::new(asking.start_byte() as u32, check.statement.end_byte() as u32);
        let outside = any(context.place.function(), |node| {
            node.kind() == "identifier" && text(src, node) == name && !whole.covers(span(node))
        });
        if outside || other.is_some_and(|body| identifiers(src, body).contains(&name)) {
            return false;
        }
    }
    let Some(handler) = handler else { return true };
    let kept =
        check.name.is_some_and(|name| any(handler, |node| is_deferred(node) && identifiers(src, node).contains(&name)));
    let bare_raise = any(handler, |node| node.kind() == "raise_statement" && node.named_child_count() == 0);
    let rebinds = any(handler, |node| {
        let target = match node.kind() {
            "assignment" | "for_statement" => node.child_by_field_name("left"),
            "named_expression" => node.child_by_field_name("name"),
            "as_pattern_target" => Some(node),
            _ => None,
        };
        target.is_some_and(|target| {
            identifiers(src, target).iter().any(|name| context.names.contains(name) || check.name == Some(name))
        })
    });
    !kept && !bare_raise && !rebinds
}

/// Whether a node may run after the handler, when the exception's name is unbound again.
fn is_deferred(node: Node) -> bool {
    matches!(node.kind(), "lambda" | "function_definition" | "class_definition" | "generator_expression")
}

/// The places in a body that ask the same question again, where the handler's name can answer it.
fn questions(context: &Context, body: Node) -> Vec<Span> {
    let mut places = Vec::new();
    let question = context.asked.call.of(context.site.src);
    walk(body, |node, _| {
        let same = node.kind() == "call" && text(context.site.src, node) == question;
        if same {
            places.push(span(node));
        }
        !is_deferred(node) && !same
    });
    places
}

/// The edit that puts `content` in place of `if …:`.
fn header(check: &Check, content: String) -> Option<TextEdit> {
    let mut cursor = check.statement.walk();
    let colon = check.statement.children(&mut cursor).find(|child| child.kind() == ":")?;
    let (start, end) = (check.statement.start_byte(), colon.end_byte());
    let commented = any(check.statement, |node| node.kind() == "comment" && node.end_byte() <= end);
    (!commented).then(|| replace(start, end, content))
}
