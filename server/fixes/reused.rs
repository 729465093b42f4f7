//! A coroutine that is awaited, or given to a task, once more: make another one, or make one task of it.
//!
//! In: a [`Site`] and where the coroutine was made, used and used again. Out: the drafts that help there. All of them need the
//! statement that makes it, `coro = work()`, in the same function. To call again is right only where the arguments still mean the same.

use tree_sitter::Node;

use super::collected::collected;
use super::edits::{Layout, insert, replace};
use super::place::{Place, identifiers, is_stable, span, text, walk};
use super::{Draft, Reused, Site, labelled};
use crate::report::{Applicability, TextEdit};
use crate::text::Span;
use crate::tree::{named_children, quirks};

/// The fixes for a coroutine that is used again, the best first.
pub(super) fn reused(site: &Site, reused: &Reused) -> Vec<Draft> {
    let Some(context) = Context::new(site, reused) else { return collected(site, reused) };
    let in_loop = context.in_loop();
    let task = context.task_awaited();
    // Where a task runs it, its value is there to be had; to call again would do the work twice.
    task.into_iter().chain(context.called_again()).chain(in_loop).chain(context.wrapped()).collect()
}

struct Context<'a> {
    site: &'a Site<'a>,
    reused: &'a Reused,
    name: &'a str,
    made: Place<'a>,
    again: Place<'a>,
    /// The call that makes the coroutine gives the same once more where it is used again.
    repeatable: bool,
    /// The uses of the variable in the function after it is made: each, and the node above it.
    uses: Vec<(Node<'a>, Node<'a>)>,
    /// There are no others.
    in_view: bool,
}

impl<'a> Context<'a> {
    fn new(site: &'a Site<'a>, reused: &'a Reused) -> Option<Self> {
        let name = reused.name.as_deref()?;
        let made = Place::find(site.src, site.root, reused.made)?;
        let again = Place::find(site.src, site.root, reused.again)?;
        // `coro = work()`, and nothing around the call.
        let (assignment, call, field) = made.steps().next_back()?;
        let is_it = assignment.kind() == "assignment"
            && field == Some("right")
            && assignment.child_by_field_name("left").is_some_and(|left| text(site.src, left) == name);
        if !is_it || made.function() != again.function() {
            return None;
        }
        let function = made.function();
        let repeatable = call.kind() == "call" && is_repeatable(site.src, function, call);
        let mut uses = uses(site.src, function, name);
        let all = uses.len();
        uses.retain(|(node, _)| span(*node).start > reused.made.start);
        // An attribute may be used anywhere; of a variable the assignment must be the only other place.
        let in_view = !name.contains('.') && all == uses.len() + 1;
        Some(Self { site, reused, name, uses, in_view, made, again, repeatable })
    }

    fn call(&self) -> &'a str {
        self.reused.made.of(self.site.src)
    }

    /// The edit that puts the call where `again` names the coroutine.
    fn replaced(&self) -> Option<TextEdit> {
        let mut named = self.uses.iter().filter(|(node, _)| self.reused.again.covers(span(*node)));
        let (Some((node, _)), None) = (named.next(), named.next()) else { return None };
        Some(replace(node.start_byte(), node.end_byte(), self.call().to_owned()))
    }

    /// `await work()` instead of the second `await coro`.
    fn called_again(&self) -> Option<Draft> {
        // In a loop the first use is this one as well: then nothing would await the coroutine that was made before.
        // Nor on a path that has not used it yet.
        if !self.repeatable
            || !self.reused.always
            || self.reused.first == self.reused.again
            || self.again_in_loop_with_first()
        {
            return None;
        }
        let title = labelled("Call", self.call(), " again here");
        Some(Draft::new(title, Applicability::Unsafe, vec![self.replaced()?]))
    }

    /// `await task` instead of `await coro`, after `task = asyncio.create_task(coro)`.
    fn task_awaited(&self) -> Option<Draft> {
        let first = Place::find(self.site.src, self.site.root, self.reused.first)?;
        let (assignment, call, field) = first.steps().next_back()?;
        let callee = call.child_by_field_name("function").map(|callee| text(self.site.src, callee))?;
        let makes_task = ["create_task", "ensure_future"].iter().any(|name| callee.ends_with(name));
        let task = assignment.child_by_field_name("left").filter(|left| left.kind() == "identifier")?;
        let awaits = self.reused.again.of(self.site.src).starts_with("await");
        if assignment.kind() != "assignment" || field != Some("right") || !makes_task || !awaits {
            return None;
        }
        let task = text(self.site.src, task);
        let edit = TextEdit { content: task.to_owned(), ..self.replaced()? };
        Some(Draft::new(format!("Await `{task}` instead"), Applicability::Unsafe, vec![edit]))
    }

    /// Both uses stand in a loop that does not make the coroutine.
    fn again_in_loop_with_first(&self) -> bool {
        self.loop_around().is_some_and(|around| span(around).covers(self.reused.first))
    }

    /// The innermost loop around `again` that does not hold `made`.
    fn loop_around(&self) -> Option<Node<'a>> {
        let is_loop = |node: &Node| {
            matches!(node.kind(), "for_statement" | "while_statement") && !span(*node).covers(self.reused.made)
        };
        self.again.path.iter().map(|(node, _)| *node).rfind(is_loop)
    }

    /// The call in the loop, and none before it.
    fn in_loop(&self) -> Option<Draft> {
        let around = self.loop_around()?;
        let body = around.child_by_field_name("body")?;
        let in_body = |node: &Node| span(body).covers(span(*node));
        let iterable = around.child_by_field_name("right").map(span);
        if !self.repeatable || !self.in_view || iterable.is_some_and(|iterable| iterable.covers(self.reused.again)) {
            return None;
        }
        let mut edits = vec![self.deleted()?];
        if self.uses.len() == 1 {
            edits.push(self.replaced()?);
        } else if self.uses.iter().all(|(node, _)| in_body(node)) {
            let first = named_children(body).next()?;
            let place =
                Place::find(self.site.src, self.site.root, span(first)).filter(|place| place.statement() == first)?;
            let layout = Layout::of(&place, self.site.newline);
            edits.push(layout.before(&[text(self.site.src, self.made.statement()).to_owned()])?);
        } else {
            return None;
        }
        Some(Draft::new(labelled("Call", self.call(), " in the loop"), Applicability::Unsafe, edits))
    }

    /// The edit that takes the statement away which makes the coroutine, with its line.
    fn deleted(&self) -> Option<TextEdit> {
        let (src, statement) = (self.site.src, self.made.statement());
        let layout = Layout::of(&self.made, self.site.newline);
        let siblings = statement.parent().into_iter().flat_map(named_children).count();
        if !layout.has_own_lines() || siblings < 2 {
            return None;
        }
        let start = statement.start_byte() - layout.indent.len();
        let rest = &src[statement.end_byte()..];
        let line = rest.find(['\r', '\n'])?;
        // A comment behind it may matter to somebody.
        if !rest[..line].trim().is_empty() {
            return None;
        }
        let line_break = if rest[line..].starts_with("\r\n") { 2 } else { 1 };
        Some(replace(start, statement.end_byte() + line + line_break, String::new()))
    }

    /// The loop tries again what has failed. A task that failed fails for everybody who awaits it.
    fn is_retry(&self) -> bool {
        let in_loop = |node: &Node| self.loop_around().is_some_and(|around| span(around).covers(span(*node)));
        self.again.path.iter().any(|(node, _)| node.kind() == "try_statement" && in_loop(node))
    }

    /// `coro = asyncio.create_task(work())`: a task may be awaited again and again.
    fn wrapped(&self) -> Option<Draft> {
        let waits = self.uses.iter().all(|(_, above)| is_wait(self.site.src, *above));
        if !self.site.in_async || !self.in_view || !self.made.await_at_call() || !waits || self.is_retry() {
            return None;
        }
        let mut imports = Vec::new();
        let create_task = self.site.spelled("asyncio.create_task", &mut imports);
        let Span { start, end } = self.reused.made;
        let edits = vec![insert(start as usize, format!("{create_task}(")), insert(end as usize, ")".to_owned())];
        let title = format!("Make `{}` a task with `{create_task}`", self.name);
        Some(Draft { imports, ..Draft::new(title, Applicability::Suggestion, edits) })
    }
}

/// The places that name a variable or an attribute, with the node above each.
pub(super) fn uses<'t>(src: &str, function: Node<'t>, name: &str) -> Vec<(Node<'t>, Node<'t>)> {
    let mut found = Vec::new();
    walk(function, |node, field| {
        let is_name = matches!(node.kind(), "identifier" | "attribute") && field != Some("attribute");
        if is_name && text(src, node) == name {
            found.push(node);
        }
        true
    });
    let is_keyword =
        |node: Node, above: Node| above.kind() == "keyword_argument" && above.child_by_field_name("name") == Some(node);
    let above = found.into_iter().filter_map(|node| Some((node, node.parent()?)));
    above.filter(|(node, above)| !is_keyword(*node, *above)).collect()
}

/// Whether what holds a name waits for it, and would for a task.
pub(super) fn is_wait(src: &str, above: Node) -> bool {
    let arguments = match above.kind() {
        "await" => return true,
        "list" | "set" | "tuple" => above.parent().unwrap_or(above),
        _ => above,
    };
    let call = arguments.parent().filter(|_| arguments.kind() == "argument_list");
    let callee = call.and_then(|call| call.child_by_field_name("function"));
    callee.is_some_and(|callee| matches!(text(src, callee).rsplit('.').next(), Some("gather" | "wait" | "shield")))
}

/// Whether the call gives the same again wherever the function is: its function and arguments are names and literals, and nothing
/// gives those names another value after it.
fn is_repeatable(src: &str, function: Node, call: Node) -> bool {
    let Some((callee, arguments)) = call.child_by_field_name("function").zip(call.child_by_field_name("arguments"))
    else {
        return false;
    };
    let is_fine = |argument: Node| {
        let value =
            if argument.kind() == "keyword_argument" { argument.child_by_field_name("value") } else { Some(argument) };
        value.is_some_and(|value| match value.kind() {
            "string" => !text(src, value).contains(['\n', '{']),
            "integer" | "float" | "true" | "false" | "none" => true,
            _ => is_stable(src, value),
        })
    };
    let one_line = !text(src, call).contains(['\n', '\r']);
    if !one_line || !is_stable(src, quirks::without_star(callee)) || !named_children(arguments).all(is_fine) {
        return false;
    }
    let names = identifiers(src, call);
    let mut rebound = false;
    walk(function, |node, _| {
        let target = match node.kind() {
            "assignment" | "augmented_assignment" | "for_statement" => node.child_by_field_name("left"),
            "named_expression" => node.child_by_field_name("name"),
            "as_pattern_target" | "delete_statement" => Some(node),
            _ => None,
        };
        rebound |=
            target.filter(|target| target.start_byte() > call.end_byte()).is_some_and(|target| match target.kind() {
                "attribute" | "subscript" => text(src, call).contains(text(src, target)),
                _ => identifiers(src, target).iter().any(|name| names.contains(name)),
            });
        !rebound
    });
    !rebound
}
