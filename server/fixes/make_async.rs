//! A plain `def` that becomes `async def`, with the `await` that each of its callers needs then.
//!
//! In: a [`View`] and a place in the function. Out: one fix. Where every use of the function is a call that can be seen through, the
//! callers are part of it: a coroutine awaits the call, a plain function becomes `async` in its turn, the module runs it. Where
//! one is not (a callback, a `lambda`, a caller such as `__init__`), half of that would be worse than none: then the fix
//! changes the function alone, and names who uses it.

use std::cmp::Reverse;

use rustc_hash::FxHashSet;
use tree_sitter::Node;

use super::beyond::{Home, Need, Reached, View, fix, home};
use super::callers::{Fit, Function, Use};
use super::edits::{around, insert};
use super::labelled;
use super::place::{Place, text};
use crate::facts::ScopeId;
use crate::report::{Applicability, Related, TextEdit};
use crate::text::Span;

/// Functions that run a coroutine that they are given, or wait for it.
const RUNNERS: [&str; 7] = [
    "asyncio.run",
    "asyncio.gather",
    "asyncio.wait_for",
    "asyncio.shield",
    "asyncio.create_task",
    "asyncio.ensure_future",
    "asyncio.run_coroutine_threadsafe",
];

/// Methods that do, of event loops and task groups.
const RUNNING_METHODS: [&str; 2] = ["run_until_complete", "create_task"];

/// What calls a function and does not await what it returns.
const PLAIN_CALLERS: [&str; 14] = [
    "call_soon",
    "call_soon_threadsafe",
    "call_later",
    "call_at",
    "add_done_callback",
    "add_signal_handler",
    "add_reader",
    "add_writer",
    "run_in_executor",
    "to_thread",
    "submit",
    "Thread",
    "Timer",
    "map",
];

/// A function that is used more often is not changed by one keystroke.
const MAX_USES: usize = 200;

/// All items of the module as one caller.
const MODULE: (usize, ScopeId) = (0, ScopeId(0));

/// No fix changes more functions than that: it would be a rewrite.
const MAX_FUNCTIONS: usize = 50;

/// The fix that makes the function around `at` `async`; with `awaits`, the expression there gets an `await`.
pub(super) fn reach(view: &View, item: usize, at: Span, awaits: bool) -> Result<Reached, Need> {
    let Some((src, root, facts)) = view.parsed(item) else { return Ok(Reached::default()) };
    let (Home::Function, scope, comprehension) = home(facts, facts.scope_at(at.start)) else {
        return Ok(Reached::default());
    };
    let Some(function) = Function::of(view, item, scope) else { return Ok(Reached::default()) };
    let fit = function.fit(view);
    let uses = function.uses(view)?;
    if fit == Fit::No || uses.len() > MAX_USES || uses.iter().any(|of| is_plain_callback(view, of)) {
        return Ok(Reached::default());
    }
    let mut plan = Plan::default();
    let mut awaited = None;
    if awaits {
        let place = Place::find(src, root, at);
        let Some(place) = place.filter(|place| comprehension.is_none() || is_single_comprehension(place)) else {
            return Ok(Reached::default());
        };
        let opener = if place.await_needs_parentheses() { "(await " } else { "await " };
        awaited = Some((item, at, opener.to_owned()));
    }
    plan.awaits.extend(awaited.clone());
    plan.add(function);
    let mut related = Vec::new();
    for of in &uses {
        let message = match of.is_call {
            true if is_run(view, of) => continue,
            true => format!("this call of `{}` then needs an `await`", function.name),
            false => format!("`{}` is used here, too", function.name),
        };
        related.push(Related { span: of.at.shifted(view.items[of.item].start), message });
    }
    while let Some(function) = plan.open.pop() {
        for of in function.uses(view)? {
            plan.follow(view, function, of);
        }
    }
    let name = function.name;
    let what = match &awaited {
        Some((_, at, _)) => labelled("Await", at.of(src), &format!(": make `{name}` async")),
        None => format!("Make `{name}` async"),
    };
    let fix = if plan.left.is_empty() {
        let title = match plan.callers.len() {
            0 => what,
            1 => match &plan.runs {
                Some(run) => format!("{what}, and run it with `{run}`"),
                None => format!("{what}, and await it in its caller"),
            },
            callers => format!("{what}, and await it in {callers} callers"),
        };
        // To await something else than before needs the author's eye.
        let sure = fit == Fit::Yes && awaited.is_none();
        fix(title, if sure { Applicability::Unsafe } else { Applicability::Suggestion }, plan.edits(view))
    } else {
        let users: Vec<&str> = plan.left.iter().map(|(user, _)| user.as_str()).collect();
        let what = what.replacen("ake `", "ake only `", 1);
        let awaits = awaited.iter().cloned().chain(plan.own).collect();
        let alone = Plan { functions: vec![function], awaits, ..Plan::default() };
        fix(format!("{what}, not what uses it: {}", listed(&users)), Applicability::Suggestion, alone.edits(view))
    };
    // Where it is one fix among others, the finding is not about who calls the function.
    let related = if awaited.is_none() { related } else { Vec::new() };
    Ok(Reached { fixes: vec![fix], related })
}

/// Everything that changes.
#[derive(Default)]
struct Plan<'a> {
    functions: Vec<Function<'a>>,
    /// Those whose uses have not been looked at.
    open: Vec<Function<'a>>,
    /// The calls that get an `await`, or are given to `asyncio.run`: what is written before each.
    awaits: Vec<(usize, Span, String)>,
    /// Those of them in which the first function calls itself.
    own: Vec<(usize, Span, String)>,
    /// How `asyncio.run` is spelled, where the module calls.
    runs: Option<String>,
    /// Who calls: functions, and [`MODULE`].
    callers: FxHashSet<(usize, ScopeId)>,
    /// The uses that cannot be changed: in which function, and where.
    left: Vec<(String, Span)>,
    imports: Vec<TextEdit>,
}

impl<'a> Plan<'a> {
    fn add(&mut self, function: Function<'a>) {
        if !self.functions.contains(&function) {
            self.functions.push(function);
            self.open.push(function);
        }
    }

    /// What a use of `function`, which becomes `async`, makes necessary.
    fn follow(&mut self, view: &View<'a>, function: Function<'a>, of: Use) {
        let Some((src, root, facts)) = view.parsed(of.item) else { return };
        let (home, scope, comprehension) = home(facts, facts.scope_at(of.at.start));
        let user = match facts.scope(scope).and_then(|scope| scope.name) {
            Some(name) => format!("`{}`", name.of(src)),
            None if home == Home::Lambda => "a `lambda`".to_owned(),
            None if home == Home::Generator => "a generator expression".to_owned(),
            None => "the module".to_owned(),
        };
        let leave = |plan: &mut Self| {
            if !plan.left.iter().any(|(other, _)| *other == user) {
                plan.left.push((user.clone(), of.at));
            }
        };
        let broken = facts.scope(scope).is_none_or(|scope| scope.broken);
        let place = Place::find(src, root, of.at).filter(|_| of.is_call && !broken);
        let Some(place) = place else { return leave(self) };
        let parent = place.steps().next_back().map(|(parent, ..)| parent);
        let awaited = parent.is_some_and(|parent| parent.kind() == "await");
        let parenthesized = place.await_needs_parentheses();
        if parent.is_some_and(|parent| parent.kind() == "decorator") {
            return leave(self);
        }
        if !awaited && is_run(view, &of) {
            return;
        }
        match home {
            Home::Coroutine | Home::Function => {
                let caller = Function::of(view, of.item, scope);
                if home == Home::Function && !caller.is_some_and(|caller| self.functions.contains(&caller)) {
                    match caller.filter(|caller| self.functions.len() < MAX_FUNCTIONS && caller.fit(view) == Fit::Yes) {
                        Some(caller) => self.add(caller),
                        None => return leave(self),
                    }
                }
                if awaited {
                    return;
                }
                if comprehension.is_some() && !is_single_comprehension(&place) {
                    return leave(self);
                }
                let edit = (of.item, of.at, if parenthesized { "(await " } else { "await " }.to_owned());
                if caller == Some(function) && self.functions.first() == Some(&function) {
                    self.own.push(edit.clone());
                } else {
                    self.callers.insert((of.item, scope));
                }
                self.awaits.push(edit);
            }
            Home::Module if view.top_level_await && comprehension.is_none() => {
                if !awaited {
                    let opener = if parenthesized { "(await " } else { "await " };
                    self.awaits.push((of.item, of.at, opener.to_owned()));
                    self.callers.insert(MODULE);
                }
            }
            Home::Module if comprehension.is_none() && !awaited => {
                let (run, import) = view.spelled(of.item, of.at.start, "asyncio.run");
                self.imports.extend(import);
                self.awaits.push((of.item, of.at, format!("{run}(")));
                self.callers.insert(MODULE);
                self.runs = Some(run);
            }
            _ => leave(self),
        }
    }

    fn edits(mut self, view: &View) -> Vec<TextEdit> {
        let mut edits = self.imports;
        edits.dedup();
        for function in &self.functions {
            let Some((_, _, facts)) = view.parsed(function.item) else { continue };
            let Some(scope) = facts.scope(function.scope) else { continue };
            edits.extend(view.in_file(function.item, vec![insert(scope.span.start as usize, "async ".to_owned())]));
        }
        // Where calls begin at the same place the outer one comes first, where they end there the inner one.
        self.awaits.sort_by_key(|(item, at, _)| (*item, at.start, Reverse(at.end)));
        self.awaits.dedup();
        let mut closers = Vec::new();
        for (item, at, opener) in self.awaits {
            let src = view.items[item].src;
            let (opener, parenthesized) = match opener.strip_prefix('(') {
                Some(opener) => (opener, true),
                None => (opener.as_str(), false),
            };
            let closer = if opener.ends_with('(') { ")" } else { "" };
            let [open, close] = around(src, at, opener, closer, parenthesized && closer.is_empty());
            edits.extend(view.in_file(item, vec![open]));
            if !close.content.is_empty() {
                closers.extend(view.in_file(item, vec![close]));
            }
        }
        closers.reverse();
        edits.extend(closers);
        edits
    }
}

/// Whether the call is in one comprehension only: before 3.11 one in another may not be asynchronous.
fn is_single_comprehension(place: &Place) -> bool {
    place.await_at_call() || place.steps().filter(|(parent, ..)| super::place::is_comprehension(*parent)).count() == 1
}

/// What is called with `of` as an argument.
fn receiver<'s>(view: &View<'s>, of: &Use) -> Option<Node<'s>> {
    let (src, root, _) = view.parsed(of.item)?;
    let place = Place::find(src, root, of.at)?;
    let is_inside = |kind: &str| matches!(kind, "keyword_argument" | "list" | "list_splat");
    let (arguments, ..) = place.steps().rev().find(|(parent, ..)| !is_inside(parent.kind()))?;
    let call = arguments.parent().filter(|call| arguments.kind() == "argument_list" && call.kind() == "call")?;
    call.child_by_field_name("function")
}

/// The last name of what is called.
fn last_name<'s>(src: &'s str, callee: Node<'_>) -> &'s str {
    text(src, callee.child_by_field_name("attribute").unwrap_or(callee))
}

/// Whether a call stands where a coroutine belongs: `asyncio.run(f())`.
fn is_run(view: &View, of: &Use) -> bool {
    let Some((callee, names)) = receiver(view, of).zip(view.names(of.item)).filter(|_| of.is_call) else {
        return false;
    };
    let is_method = callee.kind() == "attribute" && RUNNING_METHODS.contains(&last_name(names.src, callee));
    let dotted = names.dotted(names.facts.scope_at(callee.start_byte() as u32), callee);
    is_method || dotted.is_some_and(|dotted| RUNNERS.contains(&&*dotted))
}

/// Whether the function is handed to something that calls it and does not await it: `loop.call_soon(f)`.
fn is_plain_callback(view: &View, of: &Use) -> bool {
    let Some((callee, names)) = receiver(view, of).zip(view.names(of.item)).filter(|_| !of.is_call) else {
        return false;
    };
    PLAIN_CALLERS.contains(&last_name(names.src, callee))
}

/// `a`, `a and b`, `a, b and c`, `a, b and 2 more`.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, two, three] => format!("{one}, {two} and {three}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}
