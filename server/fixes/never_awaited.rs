//! A coroutine that is made and never awaited: await it, now or later, or say that it is not wanted.
//!
//! In: a [`Site`] and what the analysis knows of the coroutine. Out: the drafts that help there. Where it stands decides: in an `async def`
//! an `await` is enough, in a plain `def` the function has to become `async` first, the module has to run it.

use tree_sitter::Node;

use super::beyond::Beyond;
use super::edits::{Layout, around, fresh_name, insert};
use super::place::{Place, is_stable, span, text};
use super::{Draft, NeverAwaited, Site, labelled};
use crate::report::{Applicability, TextEdit};
use crate::tree::named_children;

/// What gives a future and no coroutine: `create_task` and `run` take none.
const FUTURES: [&str; 5] = ["gather", "shield", "wrap_future", "run_in_executor", "ensure_future"];

/// The fixes for a coroutine that nothing awaits, the best first.
pub(super) fn never_awaited(site: &Site, left: &NeverAwaited) -> Vec<Draft> {
    let Some(place) = Place::find(site.src, site.root, left.call) else { return Vec::new() };
    if left.leaves_at.is_some() {
        // Where other paths await it, an `await` where it is made would have them await its value.
        return closed(site, left).into_iter().collect();
    }
    let mut drafts = Vec::new();
    drafts.extend(gathered(site, left, &place));
    drafts.extend(awaited(site, left, &place));
    drafts.extend(kept(site, left, &place));
    let kinds: Vec<&str> = place.path.iter().map(|(node, _)| node.kind()).collect();
    if !site.in_async && kinds.contains(&"function_definition") {
        drafts.push(Draft::beyond(Beyond::AwaitInDef(left.call)));
    } else if !kinds.iter().any(|kind| matches!(*kind, "function_definition" | "lambda")) {
        drafts.extend(run(site, left, &place));
    }
    drafts
}

/// `await work()` where it is made.
fn awaited(site: &Site, left: &NeverAwaited, place: &Place) -> Option<Draft> {
    let (parent, ..) = place.steps().next_back()?;
    if !place.await_at_call() || parent.kind() == "decorator" {
        return None;
    }
    // What is made by an `await` has to be awaited once more.
    let again = left.call.of(site.src).starts_with("await");
    let (open, close) = if again { ("await (", ")") } else { ("await ", "") };
    let [open, close] = around(site.src, left.call, open, close, place.await_needs_parentheses());
    let edits = [open, close].into_iter().filter(|edit| !edit.content.is_empty()).collect();
    Some(Draft::new(labelled("Await", left.call.of(site.src), ""), Applicability::Unsafe, edits))
}

/// `await asyncio.gather(*jobs)` after what builds the list.
fn gathered(site: &Site, left: &NeverAwaited, place: &Place) -> Option<Draft> {
    let name = left.held_by.as_deref().filter(|_| left.in_collection)?;
    if !place.await_at_statement() {
        return None;
    }
    // A loop that fills the list goes on after the statement.
    let built = place.outside_loops(|statement| !binds(site.src, statement, name));
    // Nor is it complete where statements behind add to it.
    let added_to = last_filling(site.src, built.statement(), name)
        .and_then(|last| Place::find(site.src, site.root, span(last)).filter(|place| place.statement() == last));
    let layout = Layout::of(added_to.as_ref().unwrap_or(&built), site.newline);
    let mut imports = Vec::new();
    // A dictionary gives its keys.
    let is_dict = place.path.iter().any(|(node, _)| matches!(node.kind(), "dictionary" | "dictionary_comprehension"));
    let values = if is_dict { ".values()" } else { "" };
    let gather = format!("await {}(*{name}{values})", site.spelled("asyncio.gather", &mut imports));
    let edit = layout.after(&[gather])?;
    let title = format!("Await all of `{name}` with `asyncio.gather`");
    Some(Draft { imports, ..Draft::new(title, Applicability::Unsafe, vec![edit]) })
}

/// The last statement of the same block that adds to the collection, behind the one that makes it.
fn last_filling<'t>(src: &str, made: Node<'t>, name: &str) -> Option<Node<'t>> {
    let block = made.parent().filter(|block| matches!(block.kind(), "block" | "module"))?;
    let fills = |node: Node| match node.kind() {
        "augmented_assignment" => node.child_by_field_name("left").is_some_and(|left| text(src, left) == name),
        "call" => node.child_by_field_name("function").is_some_and(|callee| {
            let filled = text(src, callee).strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
            matches!(filled, Some("append" | "extend" | "add"))
        }),
        _ => false,
    };
    let behind = named_children(block).skip_while(|other| *other != made).skip(1);
    behind
        .take_while(|statement| !binds(src, *statement, name))
        .filter(|statement| super::place::any(*statement, fills))
        .last()
}

/// Whether a statement gives the name a value.
fn binds(src: &str, statement: Node, name: &str) -> bool {
    super::place::any(statement, |node| {
        matches!(node.kind(), "assignment" | "named_expression")
            && ["left", "name"]
                .iter()
                .any(|field| node.child_by_field_name(field).is_some_and(|left| text(src, left) == name))
    })
}

/// How often a name is given a value in a function.
fn bindings(src: &str, function: Node, name: &str) -> usize {
    let mut count = 0;
    super::place::walk(function, |node, _| {
        let target = match node.kind() {
            "assignment" | "augmented_assignment" | "for_statement" => node.child_by_field_name("left"),
            "named_expression" => node.child_by_field_name("name"),
            _ => None,
        };
        count += usize::from(target.is_some_and(|target| text(src, target) == name));
        true
    });
    count
}

/// `task = asyncio.create_task(work())`, awaited at the end of the block.
fn kept(site: &Site, left: &NeverAwaited, place: &Place) -> Option<Draft> {
    let statement = place.statement();
    let rebound = left.held_by.as_deref().is_some_and(|name| bindings(site.src, place.function(), name) > 1);
    if left.in_collection
        || rebound
        || !place.await_at_call()
        || statement.kind() != "expression_statement"
        || is_future(site, left)
    {
        return None;
    }
    let (parent, _, field) = place.steps().next_back()?;
    let name = match parent.kind() {
        "expression_statement" => None,
        "assignment" if field == Some("right") => {
            let target = parent.child_by_field_name("left").filter(|left| is_stable(site.src, *left))?;
            Some(text(site.src, target).to_owned())
        }
        _ => return None,
    };
    let block = statement.parent().filter(|block| block.kind() == "block")?;
    let behind: Vec<Node> = named_children(block).skip_while(|other| *other != statement).skip(1).collect();
    let (last, between) = behind.split_last()?;
    let leaves =
        matches!(last.kind(), "return_statement" | "raise_statement" | "break_statement" | "continue_statement");
    // Awaited at once it would be no more than an `await`.
    if leaves && between.is_empty() || !Layout::of(place, site.newline).has_own_lines() {
        return None;
    }
    let last_place = Place::find(site.src, site.root, span(*last)).filter(|place| place.statement() == *last)?;
    let layout = Layout::of(&last_place, site.newline);
    let mut imports = Vec::new();
    let create_task = site.spelled("asyncio.create_task", &mut imports);
    let task = name.clone().unwrap_or_else(|| fresh_name(text(site.src, place.function()), "task"));
    let wait = format!("await {task}");
    let wait = if leaves { layout.before(&[wait])? } else { layout.after(&[wait])? };
    let opener = if name.is_some() { format!("{create_task}(") } else { format!("{task} = {create_task}(") };
    let mut edits = wrapped(left, opener);
    edits.push(wait);
    let title = "Start it with `asyncio.create_task`, and await it at the end of the block".to_owned();
    Some(Draft { imports, ..Draft::new(title, Applicability::Suggestion, edits) })
}

/// `asyncio.run(work())` at module level, where the call is a statement or its value.
fn run(site: &Site, left: &NeverAwaited, place: &Place) -> Option<Draft> {
    let (parent, _, field) = place.steps().next_back()?;
    let whole = match parent.kind() {
        "expression_statement" => parent.named_child_count() == 1,
        "assignment" => field == Some("right"),
        _ => false,
    };
    let fine = whole && !left.in_collection && !is_future(site, left);
    fine.then(|| Draft::beyond(Beyond::RunInModule(left.call)))
}

/// `coro.close()` before a path leaves it behind.
fn closed(site: &Site, left: &NeverAwaited) -> Option<Draft> {
    let name = left.held_by.as_deref().filter(|_| !left.in_collection)?;
    let leaves = Place::find(site.src, site.root, left.leaves_at?)?;
    let edit = Layout::of(&leaves, site.newline).before(&[format!("{name}.close()")])?;
    Some(Draft::new(format!("Close `{name}` on the path that leaves it"), Applicability::Suggestion, vec![edit]))
}

/// `OPENER work())`
fn wrapped(left: &NeverAwaited, opener: String) -> Vec<TextEdit> {
    vec![insert(left.call.start as usize, opener), insert(left.call.end as usize, ")".to_owned())]
}

fn is_future(site: &Site, left: &NeverAwaited) -> bool {
    let call = site.root.descendant_for_byte_range(left.call.start as usize, left.call.end as usize);
    let callee = call.and_then(|call| call.child_by_field_name("function"));
    callee.is_none_or(|callee| FUTURES.contains(&text(site.src, callee).rsplit('.').next().unwrap_or_default()))
}
