//! An `await` or a `task.result()` that raises what the task raised: catch it and log it.
//!
//! In: the expression. Out: one draft. The handler goes on where nothing later needs what the statement gives; where something
//! does it raises again, for no value would be right.

use tree_sitter::Node;

use super::edits::{Layout, is_compound};
use super::ending::times_named;
use super::logs::Logger;
use super::place::{Place, Reach, any, identifiers, walk};
use super::{Draft, Site};
use crate::report::Applicability;
use crate::text::Span;

/// The fix for an error that nothing around handles.
pub(super) fn unhandled(site: &Site, at: Span) -> Vec<Draft> {
    caught(site, at).into_iter().collect()
}

fn caught(site: &Site, at: Span) -> Option<Draft> {
    let place = Place::find(site.src, site.root, at)?;
    let statement = place.statement();
    // Around a compound statement it would catch what its body raises as well.
    if is_compound(statement) || statement.kind() == "raise_statement" || place.reach() == Reach::Later {
        return None;
    }
    let layout = Layout::of(&place, site.newline);
    let unit = layout.unit;
    let logger = Logger::at(site);
    let mut lines = vec!["except Exception:".to_owned(), format!("{unit}{}", logger.caught())];
    let needed = is_needed(site, &place);
    if needed {
        lines.push(format!("{unit}raise"));
    }
    let mut edits = layout.wrapped("try:")?;
    edits.push(layout.after(&lines)?);
    let title = if needed { "Log its error and raise it again" } else { "Catch its error and log it" };
    Some(Draft { imports: logger.imports, ..Draft::new(title.to_owned(), Applicability::Suggestion, edits) })
}

/// Whether other code may need what the statement does: a value that it returns, or keeps under a name that is used elsewhere.
fn is_needed(site: &Site, place: &Place) -> bool {
    let statement = place.statement();
    if statement.kind() != "expression_statement" {
        return true;
    }
    let in_function = place.function().kind() == "function_definition";
    let mut needed = false;
    walk(statement, |node, _| {
        let target = node.child_by_field_name("left").or(node.child_by_field_name("name"));
        let Some(target) = target.filter(|_| binds(node)) else { return true };
        let read = |name: &&str| times_named(site.src, place.function(), name) > times_named(site.src, statement, name);
        needed |= !in_function || !is_plain_target(target) || identifiers(site.src, target).iter().any(read);
        !needed
    });
    needed
}

fn binds(node: Node) -> bool {
    matches!(node.kind(), "assignment" | "augmented_assignment" | "named_expression")
}

/// A variable, or several: what a function keeps for itself.
fn is_plain_target(target: Node) -> bool {
    !any(target, |node| matches!(node.kind(), "attribute" | "subscript"))
}
