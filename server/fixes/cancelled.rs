//! A question or an `await` that raises `CancelledError`, because the task was asked to cancel: ask first, or catch it.
//!
//! In: the expression, the task in it, and the done callback whose parameter it is, if so. Out: the drafts.

use tree_sitter::Node;

use super::context::Context;
use super::edits::{Layout, binds_names, insert, is_compound};
use super::place::{Reach, any, span};
use super::{Cancelled, Draft, Site, guard};
use crate::report::Applicability;
use crate::text::Span;

/// The fixes for what raises the cancellation of another task, the best first.
pub(super) fn cancelled(site: &Site, cancelled: &Cancelled) -> Vec<Draft> {
    let Some(context) = Context::of(site, cancelled.at, cancelled.receiver) else { return Vec::new() };
    let mut drafts = Vec::new();
    if cancelled.is_await {
        drafts.extend(suppressed(&context));
    } else if context.stable {
        let returned = cancelled.callback.and_then(|callback| returned(&context, callback));
        let guarded = guarded(&context, cancelled.callback);
        // What stands behind the question in a callback may be there for cancelled tasks as well, but needs what `result()` gives.
        let asks_result = Span::new(cancelled.receiver.end, cancelled.at.end).of(site.src).contains("result");
        if asks_result || is_last(&context) {
            drafts.extend([returned, guarded].into_iter().flatten());
        } else {
            drafts.extend([guarded, returned].into_iter().flatten());
        }
    }
    drafts.extend(caught(&context));
    drafts
}

/// `if not task.cancelled():` around the question or in the test that holds it; in a lambda a conditional expression.
fn guarded(context: &Context, callback: Option<Span>) -> Option<Draft> {
    let task = context.task;
    let lambda = callback.and_then(|callback| function_of(context, callback, "lambda"));
    let edits = match lambda.and_then(|lambda| lambda.child_by_field_name("body")) {
        Some(body) => vec![insert(body.start_byte(), format!("None if {task}.cancelled() else "))],
        None => guard::guard(context, &format!("not {task}.cancelled()"))?,
    };
    Some(Draft::new(format!("Ask only if not `{task}.cancelled()`"), Applicability::Unsafe, edits))
}

/// `if task.cancelled(): return` in a callback: before the statement that asks, or at the beginning where that stands in a block.
fn returned(context: &Context, callback: Span) -> Option<Draft> {
    let function = function_of(context, callback, "function_definition")?;
    let body = function.child_by_field_name("body")?;
    let mut cursor = body.walk();
    let statements: Vec<Node> = body.named_children(&mut cursor).filter(|node| node.kind() != "comment").collect();
    let mut first = *statements.first()?;
    let is_docstring = first.named_child(0).is_some_and(|inner| {
        first.kind() == "expression_statement" && matches!(inner.kind(), "string" | "concatenated_string")
    });
    if is_docstring {
        first = *statements.get(1)?;
    }
    let asking = context.place.blocks().last()?.1;
    let before = if statements.contains(&asking) && asking == context.place.statement() { asking } else { first };
    let layout = Layout::around(&context.place, before, before, context.site.newline);
    if !layout.begins_line() {
        return None;
    }
    let lines = [format!("if {}.cancelled():", context.task), format!("{}return", layout.unit)];
    let edits = vec![layout.before(&lines)?];
    Some(Draft::new(format!("Return if `{}.cancelled()`", context.task), Applicability::Unsafe, edits))
}

/// `with contextlib.suppress(asyncio.CancelledError):` around the statement that awaits.
fn suppressed(context: &Context) -> Option<Draft> {
    let statement = context.place.statement();
    // Behind a `return` that is skipped, other code would run.
    let skippable = !is_compound(statement) && !binds_names(statement) && statement.kind() == "expression_statement";
    if !skippable || context.place.reach() == Reach::Later {
        return None;
    }
    let mut imports = Vec::new();
    let suppress = context.site.spelled("contextlib.suppress", &mut imports);
    let error = context.site.spelled("asyncio.CancelledError", &mut imports);
    let edits = context.layout.wrapped(&format!("with {suppress}({error}):"))?;
    Some(Draft { imports, ..Draft::new(format!("Suppress `{error}`"), Applicability::Unsafe, edits) })
}

/// `try … except asyncio.CancelledError`
fn caught(context: &Context) -> Option<Draft> {
    if context.place.reach() == Reach::Later {
        return None;
    }
    let fallback = guard::fallback(context.place.statement(), context.site.src)?;
    let mut imports = Vec::new();
    let error = context.site.spelled("asyncio.CancelledError", &mut imports);
    let mut edits = context.layout.wrapped("try:")?;
    edits.push(context.layout.after(&[format!("except {error}:"), format!("{}{fallback}", context.layout.unit)])?);
    Some(Draft { imports, ..Draft::new(format!("Catch `{error}`"), Applicability::Suggestion, edits) })
}

/// The function or lambda of this span around the place.
fn function_of<'t>(context: &Context<'t>, callback: Span, kind: &str) -> Option<Node<'t>> {
    let mut around = context.place.path.iter().map(|(node, _)| *node);
    around.find(|node| node.kind() == kind && callback.covers(span(*node)))
}

/// Whether nothing that matters stands behind the statement in its function.
fn is_last(context: &Context) -> bool {
    let function = context.place.function();
    let end = context.place.statement().end_byte();
    !any(function, |node| node.start_byte() >= end && node.kind() != "comment" && node.is_named())
}
