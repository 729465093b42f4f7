//! A task that nothing holds: keep it and wait for it in the end, keep it in a set at module level, or leave it to a task group.
//!
//! In: the call that makes it. Out: the drafts. Keeping alone would not do: the error of a task that nobody awaits is lost, so each
//! of them brings it to light as well.

use super::edits::{Layout, fresh_name, insert, replace};
use super::ending::{Ending, Loops, Made, times_named};
use super::logs::{Callback, module_name};
use super::place::{Place, any, span, text};
use super::task_group::Started;
use super::{Dangling, Draft, Global, Site};
use crate::report::{Applicability, TextEdit};

/// The fixes for a task that is dropped where it is made, or kept in a variable that nobody reads; the best first.
pub(super) fn dangling(site: &Site, dangling: &Dangling) -> Vec<Draft> {
    let Some(place) = Place::find(site.src, site.root, dangling.call) else { return Vec::new() };
    let Some(made) = Made::of(&place, dangling.call) else { return Vec::new() };
    let this = Kept { site, layout: Layout::of(&place, site.newline), place, made };
    let started = Started::of(site, &this.place, dangling.call);
    let mut drafts = Vec::new();
    drafts.extend(started.as_ref().and_then(Started::in_open_group));
    let joins = !drafts.is_empty();
    if site.in_async {
        drafts.extend(this.awaited());
    }
    drafts.extend(this.in_set());
    drafts.extend(started.filter(|_| !joins).and_then(|started| started.in_new_group()));
    drafts
}

struct Kept<'a> {
    site: &'a Site<'a>,
    place: Place<'a>,
    layout: Layout<'a>,
    made: Made<'a>,
}

impl Kept<'_> {
    fn fresh(&self, base: &str) -> String {
        fresh_name(text(self.site.src, self.place.function()), base)
    }

    /// The variable that is to hold the task, and the edit that makes it so: the author's own where nothing else uses that.
    fn name(&self) -> (String, Option<TextEdit>) {
        let target = match self.made {
            Made::Named(target) => target,
            Made::Dropped | Made::List(_) => {
                let name = self.fresh("task");
                let edit = insert(self.place.statement().start_byte(), format!("{name} = "));
                return (name, Some(edit));
            }
        };
        let name = text(self.site.src, target);
        if name.trim_matches('_').is_empty() || times_named(self.site.src, self.place.function(), name) > 1 {
            let name = self.fresh("task");
            let edit = replace(target.start_byte(), target.end_byte(), name.clone());
            return (name, Some(edit));
        }
        (name.to_owned(), None)
    }

    /// Kept, and awaited at the end of the block; those of a loop behind it.
    fn awaited(&self) -> Option<Draft> {
        // What is started last is meant to run on; awaited at once it might wait for the code that starts it.
        let ending =
            Ending::of(&self.place, self.site.newline, Loops::Counted).filter(|ending| !ending.is_at_once())?;
        let mut imports = Vec::new();
        let mut edits = Vec::new();
        let many = ending.repeated.is_some() || matches!(self.made, Made::List(_));
        if !many {
            let (name, edit) = self.name();
            edits.extend(edit);
            edits.push(ending.insert(&[format!("await {name}")], false)?);
            let title = match self.made {
                Made::Named(_) => format!("Await `{name}` at the end"),
                _ => format!("Keep it as `{name}` and await it at the end"),
            };
            return Some(Draft::new(title, Applicability::Unsafe, edits));
        }
        let tasks = self.fresh("tasks");
        let statement = self.place.statement();
        match (&self.made, ending.repeated) {
            (Made::List(_), Some(_)) => return None,
            (Made::List(list), None) => edits.push(insert(list.start as usize, format!("{tasks} = "))),
            (_, Some(repeated)) => {
                let around = Layout::around(&self.place, repeated, repeated, self.site.newline);
                edits.push(around.before(&[format!("{tasks} = []")])?);
                if let Made::Named(target) = self.made {
                    let name = text(self.site.src, target);
                    edits.push(self.layout.following(&[format!("{tasks}.append({name})")])?);
                } else {
                    edits.push(insert(statement.start_byte(), format!("{tasks}.append(")));
                    edits.push(insert(statement.end_byte(), ")".to_owned()));
                }
            }
            (_, None) => return None,
        }
        let gather = self.site.spelled("asyncio.gather", &mut imports);
        edits.push(ending.insert(&[format!("await {gather}(*{tasks})")], false)?);
        let title = format!("Keep them in `{tasks}` and wait for all at the end");
        Some(Draft { imports, ..Draft::new(title, Applicability::Unsafe, edits) })
    }

    /// The recipe of asyncio's documentation, with a callback that also logs: theirs loses the error.
    fn in_set(&self) -> Option<Draft> {
        let in_function = self.place.function().kind() == "function_definition";
        if !in_function || matches!(self.made, Made::List(_)) {
            return None;
        }
        let unit = self.layout.unit;
        let found = self.set_in_use();
        let default = "background_tasks";
        let known = found.or_else(|| is_set(self.site, default).then(|| default.to_owned()));
        let set = known.clone().unwrap_or_else(|| module_name(self.site, default));
        let callback = Callback::discards(self.site, &set, unit, known.is_some())?;
        let mut definitions = callback.definitions;
        if known.is_none() {
            definitions.insert(0, format!("{set} = set()"));
        }
        let (name, edit) = self.name();
        let mut edits: Vec<TextEdit> = edit.into_iter().collect();
        let lines = [format!("{set}.add({name})"), format!("{name}.add_done_callback({})", callback.name)];
        edits.push(self.layout.following(&lines)?);
        let title = format!("Keep it in `{set}` and log its error");
        let imports = callback.imports;
        Some(Draft { imports, definitions, ..Draft::new(title, Applicability::Suggestion, edits) })
    }

    /// A set at module level that this item already keeps tasks in: `running.add(task)`, with `running.discard` as a callback.
    fn set_in_use(&self) -> Option<String> {
        let src = self.site.src;
        let mut found = None;
        any(self.site.root, |node| {
            let object = node.child_by_field_name("object").filter(|object| {
                node.kind() == "attribute"
                    && object.kind() == "identifier"
                    && node.child_by_field_name("attribute").is_some_and(|name| text(src, name) == "discard")
            });
            let set = object.map(|object| text(src, object)).filter(|set| {
                src.contains(&format!("add_done_callback({})", span(node).of(src))) && is_set(self.site, set)
            });
            found = set.map(str::to_owned);
            found.is_some()
        });
        found
    }
}

/// Whether a name is a set of this module.
fn is_set(site: &Site, name: &str) -> bool {
    site.names.global(name) == Some(Global::Call("builtins.set".to_owned()))
}
