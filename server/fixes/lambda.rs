//! An `await` in a `lambda`: a named `async def` in its place.

use super::beyond::{View, fix};
use super::edits::{Layout, replace};
use super::place::{Place, is_comprehension, text};
use crate::facts::ScopeKind;
use crate::report::{Applicability, Fix};
use crate::text::Span;
use crate::tree::quirks;

/// The fix for an `await` at `at` whose innermost function is a `lambda`.
pub(super) fn named(view: &View, item: usize, at: Span) -> Option<Fix> {
    let (src, root, facts) = view.parsed(item)?;
    let place = Place::find(src, root, at)?;
    let (_, lambda, _) = place.steps().rfind(|(_, child, _)| child.kind() == "lambda")?;
    // In a class body the function would be one more of its methods; in a comprehension its variables are not there yet.
    let around = facts.scope(facts.scope_at(lambda.start_byte() as u32))?;
    let mut above = place.steps().map(|(parent, ..)| parent).take_while(|parent| *parent != lambda);
    let nested = above.any(|parent| is_comprehension(parent) || parent.kind() == "lambda");
    if nested || around.kind == ScopeKind::Class || quirks::is_broken(lambda, src) {
        return None;
    }
    let layout = Layout::of(&place, view.newline);
    if !layout.has_own_lines() {
        return None;
    }
    let parameters = lambda.child_by_field_name("parameters").map_or("", |parameters| text(src, parameters));
    let body = text(src, lambda.child_by_field_name("body")?);
    let body = if body.contains(['\n', '\r']) { format!("({body})") } else { body.to_owned() };
    let statement = place.statement();
    // `nap = lambda: …` alone is the function itself.
    let assigned = statement.named_child(0).filter(|assignment| {
        let is_plain =
            |node: &tree_sitter::Node| node.kind() == "assignment" && node.child_by_field_name("type").is_none();
        statement.kind() == "expression_statement"
            && is_plain(assignment)
            && assignment.child_by_field_name("right") == Some(lambda)
            && assignment.child_by_field_name("left").is_some_and(|left| left.kind() == "identifier")
    });
    let definition = |name: &str| {
        format!("async def {name}({parameters}):{}{}{}return {body}", view.newline, layout.indent, layout.unit)
    };
    let (name, edits) = match assigned.and_then(|assignment| assignment.child_by_field_name("left")) {
        Some(left) => {
            let name = text(src, left).to_owned();
            let edit = replace(statement.start_byte(), statement.end_byte(), definition(&name));
            (name, vec![edit])
        }
        None => {
            let name = view.free_name(&["call", "call_async"]);
            let blank_lines = if layout.indent.is_empty() { view.newline.repeat(2) } else { view.newline.to_owned() };
            let before = layout.before(&[definition(&name) + &blank_lines])?;
            let edit = replace(lambda.start_byte(), lambda.end_byte(), name.clone());
            (name, vec![before, edit])
        }
    };
    let title = format!("Replace the `lambda` with `async def {name}`");
    Some(fix(title, Applicability::Suggestion, view.in_file(item, edits).collect()))
}
