//! `task.result()` and `task.exception()` asked before the task is done: wait first, or ask only when it is done.
//!
//! In: a [`Site`]. Out: the drafts that help there. Each of them is withheld where it would not parse, would evaluate a
//! call twice, or would trade `InvalidStateError` for another error that is certain to come.

use super::context::{Context, is_stable_collection, values_owner};
use super::edits::{fresh_name, replace, replace_expression};
use super::place::{Reach, identifiers, span, text};
use super::{Asked, Draft, Method, Site, guard, try_await};
use crate::report::Applicability;

/// The fixes for a `result()` or `exception()` that is asked too early, the best first.
pub(super) fn before_done(site: &Site, asked: &Asked) -> Vec<Draft> {
    let Some(context) = Context::of(site, asked.call, asked.receiver) else { return Vec::new() };
    let question = Question { at: context, asked };
    let mut drafts = Vec::new();
    if site.in_async && asked.can_wait {
        question.waits(&mut drafts);
    }
    drafts.extend(question.guarded());
    drafts.extend(question.caught());
    drafts
}

struct Question<'a> {
    at: Context<'a>,
    asked: &'a Asked,
}

impl Question<'_> {
    fn waits(&self, drafts: &mut Vec<Draft>) {
        let cancels = self.asked.may_be_cancelled;
        let target = self.target();
        match self.asked.method {
            // Awaiting a cancelled task raises CancelledError: there only the waits that do not raise help.
            Method::Result if !cancels => {
                drafts.extend(self.awaited(target.as_ref()));
                drafts.extend(self.replaced());
                drafts.extend(self.gathered(target.as_ref(), false));
                drafts.extend(self.gathered(target.as_ref(), true));
                drafts.extend(self.waited(target.as_ref()));
            }
            Method::Result => {
                drafts.extend(self.gathered(target.as_ref(), true));
                drafts.extend(self.waited(target.as_ref()));
            }
            Method::Exception => {
                drafts.extend(self.gathered(target.as_ref(), true));
                drafts.extend(self.waited(target.as_ref()));
                drafts.extend(self.tried());
            }
        }
    }

    /// What to wait for before the statement, and how that is written. `None` where waiting there is wrong or no `await` is legal.
    fn target(&self) -> Option<Target> {
        let place = &self.at.place;
        if place.reach() != Reach::Always || !place.await_at_statement() || place.walrus_binds(&self.at.names) {
            return None;
        }
        if let Some(clause) = place.binding_clause(&self.at.names) {
            return self.collection(clause).map(Target::Each);
        }
        if self.at.stable {
            return Some(Target::One { name: self.at.task.to_owned(), made: false });
        }
        // Only worth it where nothing can take the call's place: `await make()` is shorter than a name for it.
        let name = fresh_name(text(self.at.site.src, place.function()), "task");
        (self.asked.method == Method::Exception && !self.asked.may_be_cancelled)
            .then_some(Target::One { name, made: true })
    }

    /// `tasks` of `[task.result() for task in tasks]`, if it can be iterated twice.
    fn collection(&self, clause: tree_sitter::Node) -> Option<String> {
        let left = clause.child_by_field_name("left")?;
        let right = clause.child_by_field_name("right")?;
        let is_async = clause.child(0).is_some_and(|first| first.kind() == "async");
        if is_async || text(self.at.site.src, left) != self.at.task {
            return None;
        }
        let owner = values_owner(self.at.site.src, right).unwrap_or(right);
        let names = identifiers(self.at.site.src, owner);
        let fine = is_stable_collection(self.at.site.src, right) && self.at.place.binding_clause(&names).is_none();
        fine.then(|| text(self.at.site.src, right).to_owned())
    }

    /// `await task` in a statement of its own.
    fn awaited(&self, target: Option<&Target>) -> Option<Draft> {
        let Some(Target::One { name, .. }) = target else { return None };
        // `await task` and then a bare `task.result()`: the replacement says it once.
        if span(self.at.place.statement()) == self.asked.call {
            return None;
        }
        let edit = self.at.layout.before(&[format!("await {name}")])?;
        Some(Draft::new(format!("Await `{name}` before asking"), Applicability::Unsafe, vec![edit]))
    }

    /// `await task` in the call's place.
    fn replaced(&self) -> Option<Draft> {
        if self.asked.asked_elsewhere {
            return None;
        }
        let (site, asked) = (self.at.site, self.asked);
        let (start, end) = (asked.call.start as usize, asked.call.end as usize);
        let after = &site.src[asked.receiver.end as usize..end];
        let [.., (parent, _), _] = self.at.place.path[..] else { return None };
        // `.result()` may stand on a line of its own, behind a comment: that must not get lost.
        if !self.at.place.await_at_call() || after.contains('#') || parent.kind() == "decorator" {
            return None;
        }
        let parenthesized = self.at.place.await_needs_parentheses();
        let content =
            if parenthesized { format!("(await {})", self.at.task) } else { format!("await {}", self.at.task) };
        let title = match self.at.label() {
            Some(task) => format!("Replace with `await {task}`"),
            None => "Replace with `await`".to_owned(),
        };
        let edit = replace_expression(site.src, start, end, content);
        Some(Draft::new(title, Applicability::Unsafe, vec![edit]))
    }

    fn gathered(&self, target: Option<&Target>, return_exceptions: bool) -> Option<Draft> {
        let arguments = match target? {
            Target::One { name, .. } => name.clone(),
            Target::Each(tasks) => format!("*{tasks}"),
        };
        let flag = if return_exceptions { ", return_exceptions=True" } else { "" };
        self.wait_with(target?, "asyncio.gather", &format!("{arguments}{flag}"))
    }

    fn waited(&self, target: Option<&Target>) -> Option<Draft> {
        match target? {
            Target::One { name, .. } => self.wait_with(target?, "asyncio.wait", &format!("[{name}]")),
            // `asyncio.wait` raises ValueError where the collection is empty; `gather` does not.
            Target::Each(_) => None,
        }
    }

    /// `await FUNCTION(ARGUMENTS)` before the statement, and the question only if the task was not cancelled where it may be.
    fn wait_with(&self, target: &Target, function: &'static str, arguments: &str) -> Option<Draft> {
        let mut imports = Vec::new();
        let wait = format!("{}({arguments})", self.at.site.spelled(function, &mut imports));
        let mut lines = vec![format!("await {wait}")];
        let mut edits = Vec::new();
        if let Target::One { name, made: true } = target {
            let receiver = self.asked.receiver;
            let newline = self.at.task.contains(['\n', '\r']);
            let value = if newline { format!("({})", self.at.task) } else { self.at.task.to_owned() };
            lines.insert(0, format!("{name} = {value}"));
            edits.push(replace(receiver.start as usize, receiver.end as usize, name.clone()));
        }
        let mut title = format!("Wait with `{wait}`");
        if self.asked.may_be_cancelled {
            edits.extend(guard::guard(&self.at, &format!("not {}.cancelled()", self.at.task))?);
            title.push_str(", ask unless cancelled");
        }
        edits.insert(0, self.at.layout.before(&lines)?);
        Some(Draft { imports, ..Draft::new(title, Applicability::Unsafe, edits) })
    }

    /// `try: await task`, unless the task may be cancelled: CancelledError is no Exception, it would pass the `except`, and
    /// swallowing it would be worse.
    fn tried(&self) -> Option<Draft> {
        if self.asked.may_be_cancelled || self.asked.asked_elsewhere { None } else { try_await::draft(&self.at) }
    }

    /// `if task.done():`
    fn guarded(&self) -> Option<Draft> {
        let task = self.at.task;
        if !self.at.stable {
            return None;
        }
        let (condition, title) = if self.asked.may_be_cancelled {
            (
                format!("{task}.done() and not {task}.cancelled()"),
                format!("Ask only if `{task}.done()` and not cancelled"),
            )
        } else {
            (format!("{task}.done()"), format!("Ask only if `{task}.done()`"))
        };
        Some(Draft::new(title, Applicability::Suggestion, guard::guard(&self.at, &condition)?))
    }

    /// `try … except asyncio.InvalidStateError`
    fn caught(&self) -> Option<Draft> {
        if self.asked.method != Method::Result || !self.at.stable || self.at.place.reach() == Reach::Later {
            return None;
        }
        let fallback = guard::fallback(self.at.place.statement(), self.at.site.src)?;
        let mut imports = Vec::new();
        let mut error = self.at.site.spelled("asyncio.InvalidStateError", &mut imports);
        let title = format!("Catch `{error}`");
        if self.asked.may_be_cancelled {
            error = format!("({error}, {})", self.at.site.spelled("asyncio.CancelledError", &mut imports));
        }
        let mut edits = self.at.layout.wrapped("try:")?;
        edits.push(self.at.layout.after(&[format!("except {error}:"), format!("{}{fallback}", self.at.layout.unit)])?);
        Some(Draft { imports, ..Draft::new(title, Applicability::Suggestion, edits) })
    }
}

/// What can be waited for before a statement.
enum Target {
    /// One task. `made`: the receiver is a call whose value needs this name first.
    One { name: String, made: bool },
    /// The collection that a comprehension goes through.
    Each(String),
}
