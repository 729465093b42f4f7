//! A task whose exception nobody asks for: await it, ask for it after the wait, or let a callback log it.
//!
//! In: the call that makes the task, what holds it and what was done with it instead. Out: the drafts that bring the error to light.

use tree_sitter::Node;

use super::context::Context;
use super::edits::{Layout, fresh_name, insert, replace};
use super::ending::{Ending, Loops, Made};
use super::logs::{Callback, Logger};
use super::place::{Place, Reach, any, span, text, unparenthesized, walk};
use super::{Draft, NeverRetrieved, Site, Unretrieved};
use crate::report::Applicability;
use crate::text::Span;

/// The fixes for a task whose exception would never be seen, the best first.
pub(super) fn never_retrieved(site: &Site, task: &NeverRetrieved) -> Vec<Draft> {
    match task.how {
        Unretrieved::Kept => awaited(site, task).unwrap_or_default(),
        Unretrieved::Waited(wait) => {
            [logged_after(site, wait), gathered_instead(site, wait)].into_iter().flatten().collect()
        }
        Unretrieved::OnlyDiscarded(call) => logged_in_callback(site, call).into_iter().collect(),
    }
}

/// A wait at the end of the block, with and without a log of what failed.
fn awaited(site: &Site, task: &NeverRetrieved) -> Option<Vec<Draft>> {
    let held = task.held_by.as_deref().filter(|_| site.in_async)?;
    let place = Place::find(site.src, site.root, task.call)?;
    let loops = if task.in_collection { Loops::Collected } else { Loops::Counted };
    let ending = Ending::of(&place, site.newline, loops)?;
    if ending.rebinds(site.src, held.split(['.', '[']).next().unwrap_or(held)) {
        return None;
    }
    let layout = Layout::of(&place, site.newline);
    let mut edits = Vec::new();
    let tasks = match ending.repeated {
        _ if task.in_collection => Some(collection(site, &place, held)?),
        Some(repeated) => {
            let Made::Named(_) = Made::of(&place, task.call)? else { return None };
            let tasks = fresh_name(text(site.src, place.function()), "tasks");
            let around = Layout::around(&place, repeated, repeated, site.newline);
            edits.push(around.before(&[format!("{tasks} = []")])?);
            edits.push(layout.following(&[format!("{tasks}.append({held})")])?);
            Some(tasks)
        }
        // `task = make() if a else None`: nothing may be there to wait for in the end.
        None if place.reach() != Reach::Always => return None,
        None => None,
    };
    let wait = match tasks {
        None => Wait::one(site, held, layout.unit),
        Some(tasks) => Wait::all(site, &tasks, text(site.src, place.function()), layout.unit),
    };
    let with = |lines: &[String], compound, title: &str, imports: &[&'static str]| {
        let mut edits = edits.clone();
        edits.push(ending.insert(lines, compound)?);
        Some(Draft { imports: imports.to_vec(), ..Draft::new(title.to_owned(), Applicability::Unsafe, edits) })
    };
    let logged = with(&wait.logged, true, &wait.logged_title, &wait.logged_imports);
    let plain = with(&[wait.plain], false, &wait.title, &wait.imports);
    // With `return_exceptions` a cancellation is a result like others; it would come out of any other wait.
    let cancels = ending.cancels(site.src);
    let logged = logged.filter(|_| !cancels || wait.takes_cancellation);
    Some(logged.into_iter().chain(plain.filter(|_| !cancels)).collect())
}

/// The lines that wait.
struct Wait {
    plain: String,
    title: String,
    imports: Vec<&'static str>,
    /// Those that log what failed, too.
    logged: Vec<String>,
    logged_title: String,
    logged_imports: Vec<&'static str>,
    /// What logs does not raise where a task was cancelled.
    takes_cancellation: bool,
}

impl Wait {
    fn one(site: &Site, task: &str, unit: &str) -> Self {
        let logger = Logger::at(site);
        Self {
            plain: format!("await {task}"),
            title: format!("Await `{task}` at the end"),
            imports: Vec::new(),
            logged: vec![
                "try:".to_owned(),
                format!("{unit}await {task}"),
                "except Exception:".to_owned(),
                format!("{unit}{}", logger.caught()),
            ],
            logged_title: format!("Await `{task}` at the end and log its error"),
            logged_imports: logger.imports,
            takes_cancellation: false,
        }
    }

    fn all(site: &Site, tasks: &str, function: &str, unit: &str) -> Self {
        let mut imports = Vec::new();
        let gather = site.spelled("asyncio.gather", &mut imports);
        let logger = Logger::at(site);
        let result = fresh_name(function, "result");
        Self {
            plain: format!("await {gather}(*{tasks})"),
            title: format!("Wait for all of `{tasks}` at the end"),
            logged: vec![
                format!("for {result} in await {gather}(*{tasks}, return_exceptions=True):"),
                format!("{unit}if isinstance({result}, Exception):"),
                format!("{unit}{unit}{}", logger.error(&result)),
            ],
            logged_title: format!("Wait for all of `{tasks}` at the end and log their errors"),
            logged_imports: [&imports[..], &logger.imports[..]].concat(),
            imports,
            takes_cancellation: true,
        }
    }
}

/// How to go through a collection of tasks: `tasks`, or `tasks.values()` where it is a dict. `None` where nothing tells.
fn collection(site: &Site, place: &Place, held: &str) -> Option<String> {
    let mut kinds = Vec::new();
    // An attribute is set in another method.
    let scope = if held.contains('.') { site.root } else { place.function() };
    walk(scope, |node, _| {
        if node.kind() == "assignment"
            && node.child_by_field_name("left").is_some_and(|left| text(site.src, left) == held)
        {
            kinds.extend(node.child_by_field_name("right").map(|right| collection_kind(site, right)));
        }
        true
    });
    let first = kinds.first().copied().flatten()?;
    let agreed = kinds.iter().all(|kind| *kind == Some(first));
    agreed.then(|| if first { format!("{held}.values()") } else { held.to_owned() })
}

/// Whether an expression is a dict; `None` where it is neither that nor a list, tuple or set.
fn collection_kind(site: &Site, node: Node) -> Option<bool> {
    match node.kind() {
        "dictionary" | "dictionary_comprehension" => Some(true),
        "list" | "list_comprehension" | "set" | "set_comprehension" | "tuple" => Some(false),
        "call" => match text(site.src, node.child_by_field_name("function")?) {
            "dict" => Some(true),
            "list" | "set" | "tuple" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A loop behind `await asyncio.wait(…)` that logs the errors of those that are done.
fn logged_after(site: &Site, wait: Span) -> Option<Draft> {
    let place = Place::find(site.src, site.root, wait)?;
    let layout = Layout::of(&place, site.newline);
    let function = text(site.src, place.function());
    let statement = place.statement();
    let expression = statement.named_child(0).filter(|_| statement.kind() == "expression_statement")?;
    let mut edits = Vec::new();
    let mut done = fresh_name(function, "done");
    if span(unparenthesized(expression)) == wait {
        let rest = if function.contains("_(") { fresh_name(function, "pending") } else { "_".to_owned() };
        edits.push(insert(statement.start_byte(), format!("{done}, {rest} = ")));
    } else {
        let (left, right) = (expression.child_by_field_name("left")?, expression.child_by_field_name("right")?);
        if expression.kind() != "assignment" || span(unparenthesized(right)) != wait {
            return None;
        }
        let first =
            left.named_child(0).filter(|first| left.named_child_count() == 2 && first.kind() == "identifier")?;
        match text(site.src, first) {
            "_" => edits.push(replace(first.start_byte(), first.end_byte(), done.clone())),
            name => done = name.to_owned(),
        }
    }
    let logger = Logger::at(site);
    let task = fresh_name(function, "task");
    let unit = layout.unit;
    let mut lines = vec![format!("for {task} in {done}:")];
    lines.extend(logger.error_of(&task, unit).map(|line| format!("{unit}{line}")));
    edits.push(layout.after(&lines)?);
    let title = format!("Log the errors of the tasks in `{done}`");
    Some(Draft { imports: logger.imports, ..Draft::new(title, Applicability::Suggestion, edits) })
}

/// `asyncio.gather` in place of a plain `asyncio.wait` whose value nobody takes.
fn gathered_instead(site: &Site, wait: Span) -> Option<Draft> {
    let place = Place::find(site.src, site.root, wait)?;
    let statement = place.statement();
    let expression = statement.named_child(0).filter(|_| statement.kind() == "expression_statement")?;
    let (node, _) = place.path.iter().rfind(|(node, _)| node.kind() == "await" && span(*node) == wait)?;
    let call = node.named_child(0).filter(|call| call.kind() == "call")?;
    let arguments = call.child_by_field_name("arguments").filter(|node| node.kind() == "argument_list")?;
    let argument = arguments.named_child(0).filter(|argument| is_collection(*argument))?;
    if span(unparenthesized(expression)) != wait || arguments.named_child_count() != 1 {
        return None;
    }
    let function = call.child_by_field_name("function")?;
    let mut imports = Vec::new();
    let gather = site.spelled("asyncio.gather", &mut imports);
    let mut edits = vec![replace(function.start_byte(), function.end_byte(), gather.clone())];
    let members = argument.named_child_count() > 0 && !any(argument, |node| node.kind() == "comment");
    let title = if members && matches!(argument.kind(), "list" | "set") {
        let (open, close) = (argument.start_byte(), argument.end_byte());
        edits.extend([replace(open, open + 1, String::new()), replace(close - 1, close, String::new())]);
        format!("Wait with `{gather}`")
    } else {
        edits.push(insert(argument.start_byte(), "*".to_owned()));
        let argument = Context::of(site, span(argument), span(argument))?.label().map(str::to_owned);
        argument.map_or(format!("Wait with `{gather}`"), |argument| format!("Wait with `{gather}(*{argument})`"))
    };
    Some(Draft { imports, ..Draft::new(title, Applicability::Unsafe, edits) })
}

/// What may stand behind a star as it is.
fn is_collection(argument: Node) -> bool {
    matches!(
        argument.kind(),
        "identifier"
            | "attribute"
            | "subscript"
            | "call"
            | "list"
            | "set"
            | "tuple"
            | "list_comprehension"
            | "set_comprehension"
    )
}

/// A second done callback, which logs, beside the one that forgets the task.
fn logged_in_callback(site: &Site, call: Span) -> Option<Draft> {
    let receiver = receiver(site, call)?;
    let context = Context::of(site, call, span(receiver))?;
    let statement = context.place.statement();
    let in_function = context.place.function().kind() == "function_definition";
    if !context.stable || !in_function || span(statement) != call {
        return None;
    }
    let callback = Callback::logs(site, context.layout.unit)?;
    let line = format!("{}.add_done_callback({})", context.task, callback.name);
    let edits = vec![context.layout.following(&[line])?];
    let Callback { definitions, imports, .. } = callback;
    let title = "Log its error in a second callback".to_owned();
    Some(Draft { definitions, imports, ..Draft::new(title, Applicability::Suggestion, edits) })
}

/// `task` of the call `task.method(…)`.
fn receiver<'t>(site: &Site<'t>, call: Span) -> Option<Node<'t>> {
    let place = Place::find(site.src, site.root, call)?;
    let (node, _) = place.path.iter().rfind(|(node, _)| node.kind() == "call" && span(*node) == call)?;
    node.child_by_field_name("function")?.child_by_field_name("object")
}
