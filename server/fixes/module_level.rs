//! An `await` at module level: `asyncio.run`, or the code around it in an `async def main()`.
//!
//! In: a [`View`] and the place. Out: the fixes, the best first. Code that goes into a function makes variables of the function out of
//! the module's: so it goes there only where nothing before it names what it binds.

use tree_sitter::Node;

use super::beyond::{Home, Need, Reached, View, fix, home};
use super::edits::{around, indented, insert, mentions, replace, strings};
use super::labelled;
use super::place::{Place, any, span, text};
use crate::facts::{Facts, Meaning, Resolved, ScopeId, ScopeKind};
use crate::report::{Applicability, Fix, TextEdit};
use crate::text::Span;
use crate::tree::{named_children, quirks};

/// Coroutine functions of asyncio that need no loop before they run.
const COROUTINES: [&str; 3] = ["asyncio.sleep", "asyncio.to_thread", "asyncio.open_connection"];

/// The fixes for what stands at `at`, evaluated by the module.
pub(super) fn reach(view: &View, item: usize, at: Span) -> Result<Reached, Need> {
    let run = run(view, item, at);
    let main = if run.is_some() && is_alone(view, item, at) { None } else { main(view, item, at)? };
    Ok(Reached { fixes: main.into_iter().chain(run).collect(), ..Reached::default() })
}

/// `asyncio.run(work())` for `await work()`, where that makes a coroutine.
pub(super) fn run(view: &View, item: usize, at: Span) -> Option<Fix> {
    let (src, root, facts) = view.parsed(item)?;
    let from = facts.scope_at(at.start);
    // A function around may run in a loop.
    let is_outermost =
        |id: ScopeId| facts.scope(id).is_some_and(|scope| matches!(scope.kind, ScopeKind::Module | ScopeKind::Class));
    if view.top_level_await || !facts.outwards(from).all(is_outermost) {
        return None;
    }
    let node = awaits(root, at)?;
    let call = quirks::awaited(node).filter(|call| call.kind() == "call")?;
    let between = src.get(node.start_byte() + "await".len()..call.start_byte())?;
    let makes_coroutine = makes_coroutine(view, item, facts, from, call.child_by_field_name("function")?);
    if !makes_coroutine || !between.trim().is_empty() || any(call, |node| node.kind() == "await") {
        return None;
    }
    let (run, import) = view.spelled(item, at.start, "asyncio.run");
    let edits =
        vec![replace(node.start_byte(), call.start_byte(), format!("{run}(")), insert(call.end_byte(), ")".to_owned())];
    let title = labelled("Run", text(src, call), &format!(" with `{run}`"));
    Some(fix(title, Applicability::Suggestion, import.into_iter().chain(view.in_file(item, edits)).collect()))
}

/// The coroutine that this call makes is run where it is made.
pub(super) fn run_call(view: &View, item: usize, at: Span) -> Option<Fix> {
    let (src, root, _) = view.parsed(item)?;
    if view.top_level_await {
        let place = Place::find(src, root, at)?;
        let [open, close] = around(src, at, "await ", "", place.await_needs_parentheses());
        let edits = [open, close].into_iter().filter(|edit| !edit.content.is_empty()).collect();
        let title = labelled("Await", at.of(src), "");
        return Some(fix(title, Applicability::Unsafe, view.in_file(item, edits).collect()));
    }
    let (run, import) = view.spelled(item, at.start, "asyncio.run");
    let edits = around(src, at, &format!("{run}("), ")", false).to_vec();
    let title = labelled("Run", at.of(src), &format!(" with `{run}`"));
    Some(fix(title, Applicability::Suggestion, import.into_iter().chain(view.in_file(item, edits)).collect()))
}

/// The `await` node of this span.
fn awaits(root: Node<'_>, at: Span) -> Option<Node<'_>> {
    let word = root.descendant_for_byte_range(at.start as usize, at.start as usize + "await".len())?;
    std::iter::successors(Some(word), Node::parent).take(2).find(|node| node.is_named() && node.kind() == "await")
}

fn makes_coroutine(view: &View, item: usize, facts: &Facts, from: ScopeId, callee: Node<'_>) -> bool {
    let Some(names) = view.names(item) else { return false };
    if names.dotted(from, callee).is_some_and(|dotted| COROUTINES.contains(&&*dotted)) {
        return true;
    }
    let name = text(names.src, callee);
    let coroutine = Meaning::Function { is_async: true, is_generator: false, decorated: false };
    facts.resolve(from, name) == Resolved::Module && view.module.meaning(name) == Some(&coroutine)
}

/// Whether the `await` is a statement of its own, and nothing else of its item waits at module level: then there is nothing to wrap.
fn is_alone(view: &View, item: usize, at: Span) -> bool {
    let Some((_, root, facts)) = view.parsed(item) else { return false };
    let parent = awaits(root, at).and_then(|node| node.parent());
    waits(facts).count() == 1 && parent.is_some_and(|parent| parent.kind() == "expression_statement")
}

/// What the module would wait for in the code of an item, not by place.
fn waits(facts: &Facts) -> impl Iterator<Item = Span> {
    let places = facts.awaits.iter().chain(&facts.asyncs).copied();
    places.filter(|place| home(facts, facts.scope_at(place.start)).0 == Home::Module)
}

/// `async def main():` around the code, and `asyncio.run(main())` after it.
fn main(view: &View, item: usize, at: Span) -> Result<Option<Fix>, Need> {
    let Some((src, root, _)) = view.parsed(item) else { return Ok(None) };
    let Some(statement) = named_children(root).find(|statement| span(*statement).covers(at)) else { return Ok(None) };
    let guard = guard(statement, src);
    let waits_in_body = |(_, body): &(Node, Node)| span(*body).covers(at);
    if let Some((condition, body)) = guard.filter(waits_in_body) {
        return Ok(main_guard(view, item, statement, condition, body));
    }
    main_at_end(view)
}

/// The condition and the body of `if __name__ == "__main__":`.
fn guard<'t>(statement: Node<'t>, src: &str) -> Option<(Node<'t>, Node<'t>)> {
    let condition = statement.child_by_field_name("condition").filter(|_| statement.kind() == "if_statement")?;
    let words: String = text(src, condition).chars().filter(|c| !c.is_whitespace()).collect();
    let is_guard = matches!(&*words, "__name__==\"__main__\"" | "__name__=='__main__'");
    let alone = statement.child_by_field_name("alternative").is_none();
    (is_guard && alone).then_some((condition, statement.child_by_field_name("consequence")?))
}

/// The body of `if __name__ == "__main__":` becomes that of `main`, and keeps its lines as they are.
fn main_guard(view: &View, item: usize, statement: Node, condition: Node, body: Node) -> Option<Fix> {
    let (src, _, facts) = view.parsed(item)?;
    let start = view.items[item].start;
    let last = quirks::last_statement(body)?;
    let rest_of_line = src[last.end_byte()..].find(['\r', '\n']).map_or(src.len(), |length| last.end_byte() + length);
    let shares_line = !matches!(src[last.end_byte()..rest_of_line].trim_start().chars().next(), None | Some('#'));
    let inside = Span::new(span(body).start + start, span(body).end + start);
    if shares_line || quirks::is_broken(statement, src) || !is_private(view, &[(item, facts)], inside) {
        return None;
    }
    let name = view.free_name(&["main", "amain", "async_main"]);
    let (run, import) = view.spelled(item, span(statement).start, "asyncio.run");
    let newline = view.newline;
    let head = text(src, condition);
    let edits = vec![
        replace(statement.start_byte(), condition.end_byte(), format!("async def {name}()")),
        insert(rest_of_line, format!("{newline}{newline}{newline}if {head}:{newline}    {run}({name}())")),
    ];
    let edits = import.into_iter().chain(view.in_file(item, edits)).collect();
    Some(fix(format!("Put this into `async def {name}()` and run it"), Applicability::Suggestion, edits))
}

/// All from the first statement that waits to the end of the file goes into `main`, and what stands just before it where that
/// shares a variable with it.
fn main_at_end(view: &View) -> Result<Option<Fix>, Need> {
    let mut statements = Vec::new();
    let mut first_wait = None;
    for (index, item) in view.items.iter().enumerate() {
        let Some((root, facts)) = item.parsed else { return Err(Need::From(0)) };
        if first_wait.is_none()
            && let Some(wait) = waits(facts).min()
        {
            first_wait = Some(wait.start + item.start);
        }
        for statement in named_children(root) {
            statements.push((index, statement.kind(), span(statement).shifted(item.start)));
        }
    }
    let waits = |(_, _, at): &(usize, &str, Span)| first_wait.is_some_and(|wait| at.contains(wait));
    let Some(first) = statements.iter().position(waits) else { return Ok(None) };
    let before = statements[..first]
        .iter()
        .rev()
        .take_while(|(_, kind, _)| !kind.contains("import") && !kind.ends_with("_definition"));
    let starts = std::iter::once(&statements[first]).chain(before);
    let end = view.text.trim_end().len() as u32;
    let mut codes = starts.map(|&(index, _, at)| (index, Span::new(at.start, end)));
    Ok(codes.find_map(|(index, code)| wrapped(view, index, code)))
}

/// The code from a statement of the item with the index `first` to the end of the file, in `main`.
fn wrapped(view: &View, first: usize, code: Span) -> Option<Fix> {
    let (from, end) = (code.start as usize, code.end as usize);
    let mut inside = Vec::new();
    for index in first..view.items.len() {
        let (src, root, facts) = view.parsed(index)?;
        // `import *` is legal in no function.
        if quirks::is_broken(root, src) || !facts.star_imports.is_empty() {
            return None;
        }
        inside.push((index, facts));
    }
    // The first ones mean the module's variables, the others would start a loop in the loop.
    let words = ["global", "__all__", "__future__", "run", "run_until_complete", "run_forever"];
    let begins_line = view.text[..from].ends_with(['\r', '\n']) || from == 0;
    if words.iter().any(|word| mentions(code.of(view.text), word)) || !begins_line || !is_private(view, &inside, code) {
        return None;
    }
    let name = view.free_name(&["main", "amain", "async_main"]);
    let (run, import) = view.spelled(first, code.start - view.items[first].start, "asyncio.run");
    let newline = view.newline;
    let mut edits: Vec<TextEdit> = import.into_iter().collect();
    edits.push(insert(from, format!("async def {name}():{newline}    ")));
    let roots = inside.iter().filter_map(|(index, _)| Some((view.items[*index].start, view.items[*index].parsed?.0)));
    let strings: Vec<Span> = roots
        .flat_map(|(start, root)| strings(root, root).into_iter().map(move |string| string.shifted(start)))
        .collect();
    edits.extend(indented(view.text, code, &strings, "", "    "));
    edits.push(insert(end, format!("{newline}{newline}{newline}{run}({name}())")));
    Some(fix(format!("Put this into `async def {name}()` and run it"), Applicability::Suggestion, edits))
}

/// Whether what these items bind at module level in `code` (bytes of the file) is named nowhere outside of it.
fn is_private(view: &View, items: &[(usize, &Facts)], code: Span) -> bool {
    let (before, after) = (&view.text[..code.start as usize], &view.text[code.end as usize..]);
    items.iter().all(|(item, facts)| {
        let start = view.items[*item].start;
        let symbols = facts.scopes.first().into_iter().flat_map(|module| &module.symbols);
        let mut bound = symbols
            .filter(|(_, symbol)| symbol.bindings.iter().any(|binding| code.covers(binding.span.shifted(start))));
        bound.all(|(name, _)| !mentions(before, name) && !mentions(after, name))
    })
}
