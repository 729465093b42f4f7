//! Coroutines in a list or dict that is gone through again, and one that a function uses up twice: tasks may be awaited as often as
//! anybody likes.
//!
//! In: a [`Site`] and where the coroutines were made, used and used again. Out: the drafts that help there. What the collection holds is
//! made tasks of just before its first use, and the variable holds those from then on; so all that the code does with it from there on
//! must be to wait. Where tasks were made of it already, they are awaited instead.

use tree_sitter::Node;

use super::edits::{Layout, around, replace};
use super::place::{Place, span, text, walk};
use super::reused::{is_wait, uses};
use super::{Draft, GivenTwice, Reused, Site};
use crate::report::Applicability;
use crate::tree::named_children;

/// The fixes for coroutines in a collection that is used again, the best first.
pub(super) fn collected(site: &Site, reused: &Reused) -> Vec<Draft> {
    let Some(context) = Context::new(site, reused).filter(|_| site.in_async) else { return Vec::new() };
    context.tasks_awaited().or_else(|| context.made_tasks()).into_iter().collect()
}

/// The fixes for a coroutine that is given to a function which uses it up twice.
pub(super) fn given_twice(site: &Site, given: &GivenTwice) -> Vec<Draft> {
    let argument = match &given.name {
        Some(name) => {
            let Some(place) = Place::find(site.src, site.root, given.call) else { return Vec::new() };
            let mut named = uses(site.src, place.function(), name);
            named.retain(|(node, _)| given.call.covers(span(*node)));
            let [(only, _)] = named[..] else { return Vec::new() };
            span(only)
        }
        None => given.made,
    };
    let place = Place::find(site.src, site.root, argument).filter(|place| site.in_async && place.await_at_call());
    if place.is_none() || !given.call.covers(argument) {
        return Vec::new();
    }
    let mut imports = Vec::new();
    let create_task = site.spelled("asyncio.create_task", &mut imports);
    let edits = around(site.src, argument, &format!("{create_task}("), ")", false);
    let title = format!("Give it a task with `{create_task}`");
    vec![Draft { imports, ..Draft::new(title, Applicability::Suggestion, edits.into()) }]
}

struct Context<'a> {
    site: &'a Site<'a>,
    name: &'a str,
    /// The statement before which no use stands but those that build the collection.
    first: Place<'a>,
    reused: &'a Reused,
    /// The uses from there on.
    uses: Vec<(Node<'a>, Node<'a>)>,
    is_dict: bool,
}

impl<'a> Context<'a> {
    fn new(site: &'a Site<'a>, reused: &'a Reused) -> Option<Self> {
        let made = Place::find(site.src, site.root, reused.made)?;
        let name = collection(site.src, made.statement())?;
        let first = Place::find(site.src, site.root, reused.first)?;
        let function = made.function();
        if first.function() != function {
            return None;
        }
        // A loop that uses up what was made before it is the place, not its body.
        let first = first.outside_loops(|around| !span(around).covers(reused.made));
        let statement = first.statement();
        let (mut building, uses): (Vec<_>, Vec<_>) = uses(site.src, function, name)
            .into_iter()
            .partition(|(node, _)| node.start_byte() < statement.start_byte());
        building.retain(|(node, above)| !builds(site.src, *node, *above));
        // Whatever comes later comes behind the statement on each path.
        let block = statement.parent().map(span)?;
        let behind = |(node, _): &(Node, Node)| block.covers(span(*node));
        if !building.is_empty() || !uses.iter().all(behind) || !block.covers(reused.again) {
            return None;
        }
        let is_dict =
            made.path.iter().any(|(node, _)| matches!(node.kind(), "dictionary" | "dictionary_comprehension"))
                || uses.iter().any(|(node, above)| method(site.src, *node, *above).is_some());
        Some(Self { site, name, first, reused, uses, is_dict })
    }

    /// `jobs = [asyncio.create_task(job) for job in jobs]`, before they are used.
    fn made_tasks(&self) -> Option<Draft> {
        if !self.uses.iter().all(|(node, above)| waits(self.site.src, *node, *above)) {
            return None;
        }
        let mut imports = Vec::new();
        let create_task = self.site.spelled("asyncio.create_task", &mut imports);
        let name = self.name;
        let one = if name == "job" { "coro" } else { "job" };
        let tasks = match self.is_dict {
            true => format!("{name} = {{key: {create_task}({one}) for key, {one} in {name}.items()}}"),
            false => format!("{name} = [{create_task}({one}) for {one} in {name}]"),
        };
        let edit = Layout::of(&self.first, self.site.newline).before(&[tasks])?;
        let title = format!("Make tasks of those in `{name}` with `{create_task}`");
        Some(Draft { imports, ..Draft::new(title, Applicability::Suggestion, vec![edit]) })
    }

    /// `await tasks[0]` instead of `await jobs[0]`, after `tasks = [asyncio.create_task(job) for job in jobs]`.
    fn tasks_awaited(&self) -> Option<Draft> {
        let src = self.site.src;
        let assignment = self.first.statement().named_child(0).filter(|of| of.kind() == "assignment")?;
        let tasks = assignment.child_by_field_name("left").filter(|left| left.kind() == "identifier")?;
        let made = assignment.child_by_field_name("right").filter(|right| right.kind() == "list_comprehension")?;
        let call = made.child_by_field_name("body").filter(|body| body.kind() == "call")?;
        let callee = text(src, call.child_by_field_name("function")?);
        let [clause] = named_children(made).skip(1).collect::<Vec<_>>()[..] else { return None };
        let goes_through = clause.kind() == "for_in_clause"
            && clause.child_by_field_name("right").is_some_and(|right| text(src, right) == self.name);
        if !goes_through || !["create_task", "ensure_future"].iter().any(|name| callee.ends_with(name)) || self.is_dict
        {
            return None;
        }
        let mut again = self.uses.iter().filter(|(node, _)| self.reused.again.covers(span(*node)));
        // In a loop, what it goes through stands before what uses it.
        let (node, above) = again.next().copied().or_else(|| self.gone_through())?;
        if !waits(src, node, above) || span(made).covers(span(node)) {
            return None;
        }
        let tasks = text(src, tasks);
        let edit = replace(node.start_byte(), node.end_byte(), tasks.to_owned());
        Some(Draft::new(format!("Await those in `{tasks}` instead"), Applicability::Unsafe, vec![edit]))
    }

    /// The collection that the loop around the second use goes through.
    fn gone_through(&self) -> Option<(Node<'a>, Node<'a>)> {
        let through = |(_, above): &&(Node<'a>, Node<'a>)| {
            above.kind() == "for_statement" && span(*above).covers(self.reused.again)
        };
        self.uses.iter().rfind(through).copied()
    }
}

/// The variable whose collection a statement makes or adds to.
fn collection<'a>(src: &'a str, statement: Node<'a>) -> Option<&'a str> {
    let expression = statement.named_child(0)?;
    let name = match expression.kind() {
        "assignment" | "augmented_assignment" => {
            let holds = ["list", "set", "tuple", "dictionary", "comprehension"];
            let value = expression.child_by_field_name("right")?;
            expression.child_by_field_name("left").filter(|_| holds.iter().any(|of| value.kind().ends_with(of)))
        }
        "call" => expression.child_by_field_name("function")?.child_by_field_name("object"),
        _ => None,
    };
    name.filter(|name| name.kind() == "identifier").map(|name| text(src, name))
}

/// The method of a dict that is called there: `values`, `items`.
fn method<'a>(src: &'a str, node: Node<'a>, above: Node<'a>) -> Option<Node<'a>> {
    let is_method = above.kind() == "attribute"
        && above.child_by_field_name("object") == Some(node)
        && above.child_by_field_name("attribute").is_some_and(|name| matches!(text(src, name), "values" | "items"));
    above.parent().filter(|call| is_method && call.kind() == "call")
}

/// Whether the variable is bound there, or its collection gets one more.
fn builds(src: &str, node: Node, above: Node) -> bool {
    let is_target = |of: Node, target: Node| of.child_by_field_name("left") == Some(target);
    match above.kind() {
        "assignment" | "augmented_assignment" => is_target(above, node),
        "subscript" => above.parent().is_some_and(|of| of.kind() == "assignment" && is_target(of, above)),
        "attribute" => {
            let name = above.child_by_field_name("attribute").map(|name| text(src, name));
            matches!(name, Some("append" | "add" | "extend"))
        }
        _ => false,
    }
}

/// Whether the code waits there for one of the collection, or for each, and would for tasks.
fn waits<'a>(src: &'a str, mut node: Node<'a>, mut above: Node<'a>) -> bool {
    if let Some(call) = method(src, node, above)
        && let Some(around) = call.parent()
    {
        (node, above) = (call, around);
    }
    match above.kind() {
        "subscript" => above.parent().is_some_and(|around| is_wait(src, around)),
        "list_splat" => {
            above.parent().is_some_and(|arguments| arguments.kind() == "argument_list" && is_wait(src, arguments))
        }
        "argument_list" => {
            let callee = above.parent().and_then(|call| call.child_by_field_name("function"));
            callee.is_some_and(|callee| matches!(text(src, callee).rsplit('.').next(), Some("wait" | "as_completed")))
        }
        "for_statement" | "for_in_clause" => {
            let around = if above.kind() == "for_statement" { Some(above) } else { above.parent() };
            let target = above.child_by_field_name("left").map(|left| named_children(left).last().unwrap_or(left));
            match (around, target.filter(|target| target.kind() == "identifier")) {
                (Some(around), Some(target)) if above.child_by_field_name("right") == Some(node) => {
                    waits_for_each(src, around, target)
                }
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether all that a loop does with its variable is to wait for it.
fn waits_for_each(src: &str, around: Node, target: Node) -> bool {
    let mut named = Vec::new();
    walk(around, |node, field| {
        if node.kind() == "identifier"
            && field != Some("attribute")
            && node != target
            && text(src, node) == text(src, target)
        {
            named.push(node);
        }
        true
    });
    named.iter().all(|node| node.parent().is_some_and(|above| is_wait(src, above)))
}
