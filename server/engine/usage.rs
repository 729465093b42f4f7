//! What a file as a whole does with a name: questions that no function answers by itself.
//!
//! In: the texts of items and what their names mean. Out: what each item does, and what that comes to over all of them. It goes by
//! words, since it is asked after every edit; a name that is used in any other way than expected is not among those given.

use memchr::memmem;
use rustc_hash::{FxHashMap, FxHashSet};

use super::item::ItemState;
use crate::facts::{Attribute, Class, Meaning, Member, ModuleNames};
use crate::items::Item;

/// The names that are asked about.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// The variables and attributes that are made as sets or lists; sorted.
    pub collections: Vec<String>,
    /// The attributes that are made as empty lists; sorted.
    pub lists: Vec<String>,
    /// The methods of the classes that keep a coroutine; sorted.
    pub methods: Vec<String>,
    /// The attributes in which methods keep a task that they make; sorted.
    pub keepers: Vec<String>,
}

impl Asked {
    pub fn of(names: &ModuleNames) -> Self {
        let classes = names.iter().filter_map(|(name, _)| names.class(name));
        let keepers = classes.filter(|class| coroutines(class, names).next().is_some());
        let mut methods: Vec<String> = keepers.flat_map(async_methods).map(str::to_owned).collect();
        methods.sort_unstable();
        methods.dedup();
        Self { collections: collections(names), lists: lists(names), methods, keepers: task_keepers(names) }
    }
}

/// What one item does with the names that are asked about.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Usage {
    /// The functions that are given to `add_done_callback`, by their own names, and whether the task is seen to be cancelled.
    pub callbacks: Vec<(String, bool)>,
    /// The collections that more is done with than to put something in or take something out.
    pub looks_into: Vec<String>,
    /// The attributes that keep tasks and that it sets of something else than `self`.
    pub sets: Vec<String>,
    /// The calls `await thing.method(…)` of the methods that are asked about: the method and the thing.
    pub awaited: Vec<(String, String)>,
    /// The methods of a class that await the coroutine of an attribute, which is set once: the class, the attribute, the method.
    pub awaiting: Vec<(String, String, String)>,
}

impl Usage {
    /// Of an item's text. What its methods await is found by their trees, see [`awaiting`].
    pub fn of(text: &str, asked: &Asked) -> Self {
        let looked = |name: &&String| words(text, name).any(|at| !only_keeps(text, at, name));
        let set = |name: &&String| words(text, name).any(|at| sets_of_another(text, at, name));
        let calls = |method: &String| -> Vec<_> {
            awaited_calls(text, method).map(|receiver| (method.clone(), receiver.to_owned())).collect()
        };
        Self {
            callbacks: callbacks(text),
            looks_into: asked.collections.iter().chain(&asked.lists).filter(looked).cloned().collect(),
            sets: asked.keepers.iter().filter(set).cloned().collect(),
            awaited: asked.methods.iter().flat_map(calls).collect(),
            awaiting: Vec::new(),
        }
    }
}

/// The functions given as done callbacks, and whether the code around cancels what they are given to. One that is given to a task
/// which has been waited for is left out: its author knows how the task ended.
fn callbacks(text: &str) -> Vec<(String, bool)> {
    let mut found: Vec<(String, bool)> = Vec::new();
    for at in memmem::find_iter(text.as_bytes(), ".add_done_callback(") {
        let given = text.get(at + ".add_done_callback(".len()..).unwrap_or_default().trim_start();
        let path: &str = given.split(|c: char| !is_word(c) && c != '.').next().unwrap_or_default();
        let behind = given.get(path.len()..).unwrap_or_default().trim_start();
        if behind.starts_with([')', ',']) && !path.is_empty() && !is_awaited_before(text, at) {
            let name = path.rsplit('.').next().unwrap_or(path).to_owned();
            found.push((name, cancels(text, at)));
        }
    }
    found
}

/// Whether the task before `.add_done_callback` at `at` is cancelled in the same function; an attribute anywhere in the item.
fn cancels(text: &str, at: usize) -> bool {
    let (task, from) = task_before(text, at);
    let until = text.get(at..).and_then(|behind| behind.find("def ")).map_or(text.len(), |end| at + end);
    let around = if task.contains('.') { text } else { text.get(from..until).unwrap_or_default() };
    let cancel = format!("{task}.cancel(");
    !task.is_empty() && memmem::find(around.as_bytes(), cancel.as_bytes()).is_some()
}

/// Whether an `await` that mentions the task stands before `.add_done_callback` at `at`, in the same function, or a task group has it.
fn is_awaited_before(text: &str, at: usize) -> bool {
    let (task, from) = task_before(text, at);
    let between = text.get(from..at).unwrap_or_default();
    let waits = |line: &str| line.contains("await ") && words(line, task).next().is_some();
    // The end of a group's block waits for its tasks.
    let of_group = |line: &str| {
        let made = line.trim_start().strip_prefix(task).and_then(|rest| rest.trim_start().strip_prefix('='));
        let group = made.and_then(|made| made.trim_start().split_once(".create_task(")).map(|(group, _)| group);
        group.is_some_and(|group| between.contains(&format!("TaskGroup() as {group}:")))
    };
    !task.is_empty() && between.lines().any(|line| waits(line) || of_group(line))
}

/// The task that stands before `at`, and where the function around it starts.
fn task_before(text: &str, at: usize) -> (&str, usize) {
    let before = text.get(..at).unwrap_or_default();
    let start = before.trim_end_matches(|c| is_word(c) || c == '.').len();
    (&before[start..], before.rfind("def ").unwrap_or(0))
}

/// Files with more collections than these are not asked about each of them.
const MAX_COLLECTORS: usize = 16;

/// The variables and attributes that are made as a set or list; sorted.
fn collections(names: &ModuleNames) -> Vec<String> {
    let is_collection = |callee: &str| matches!(callee, "set" | "list" | "weakref.WeakSet" | "WeakSet");
    let mut found: Vec<String> = Vec::new();
    for (name, meaning) in names.iter() {
        match meaning {
            Meaning::CallResult(callee) if is_collection(callee) => found.push(name.to_owned()),
            Meaning::Class => {
                for (attribute, held) in names.class(name).iter().flat_map(|class| &class.attributes) {
                    if matches!(held, Attribute::CallResult(callee) if is_collection(callee)) {
                        found.push(attribute.clone());
                    }
                }
            }
            _ => {}
        }
    }
    found.sort_unstable();
    found.dedup();
    found.truncate(MAX_COLLECTORS);
    found
}

/// See [`Asked::lists`].
fn lists(names: &ModuleNames) -> Vec<String> {
    let classes = names.iter().filter_map(|(name, _)| names.class(name)).filter(|class| class.is_closed);
    let made = |(name, held): &(String, Attribute)| matches!(held, Attribute::List).then(|| name.clone());
    let mut found: Vec<String> = classes.flat_map(|class| class.attributes.iter().filter_map(made)).collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(MAX_COLLECTORS);
    found
}

/// See [`Asked::keepers`].
fn task_keepers(names: &ModuleNames) -> Vec<String> {
    let classes = names.iter().filter_map(|(name, _)| names.class(name));
    let keeps = |(name, held): &(String, Attribute)| matches!(held, Attribute::Task(_)).then(|| name.clone());
    let mut found: Vec<String> = classes.flat_map(|class| class.attributes.iter().filter_map(keeps)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether the attribute at `at` is set there, of something else than `self`, or by its name in a string.
fn sets_of_another(text: &str, at: usize, name: &str) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let behind = text.get(at + name.len()..).unwrap_or_default();
    if before.ends_with(['"', '\'']) && behind.starts_with(['"', '\'']) {
        return true;
    }
    let behind = behind.trim_start();
    let set = behind.starts_with('=') && !behind.starts_with("==");
    set && before.ends_with('.') && !before.ends_with("self.")
}

/// Whether the word at `at` is bound to a new collection there, or something is put into it or taken out.
fn only_keeps(text: &str, at: usize, name: &str) -> bool {
    let behind = text.get(at + name.len()..).unwrap_or_default().trim_start();
    let methods = [".add(", ".append(", ".discard", ".remove"];
    // `for task in self.tasks:` is no annotation.
    let line = text.get(..at).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
    let annotated = behind.starts_with(':') && matches!(line.trim_start(), "" | "self.");
    let bound = behind.starts_with('=') && !behind.starts_with("==") || annotated;
    bound || methods.iter().any(|method| behind.starts_with(method))
}

/// The methods of the item's class that await a coroutine which is set once, as [`Usage::awaiting`].
pub(super) fn awaiting(
    item: &Item,
    text: &str,
    names: &ModuleNames,
    state: &mut ItemState,
) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let Some(class) = item.kind.name().and_then(|name| names.class(name.of(text))) else { return found };
    for attribute in coroutines(class, names) {
        let is_set = |at: &usize| {
            let behind = text.get(at + attribute.len()..).unwrap_or_default().trim_start();
            let own = text.get(..*at).is_some_and(|before| before.ends_with('.'));
            own && behind.starts_with('=') && !behind.starts_with("==")
        };
        if words(text, attribute).filter(is_set).count() == 1 {
            let methods = async_methods(class).filter(|method| state.method_awaits(text, method, attribute));
            found.extend(methods.map(|method| (class.name.clone(), attribute.to_owned(), method.to_owned())));
        }
    }
    found
}

/// The attributes of a class that keep a coroutine of the file.
fn coroutines<'a>(class: &'a Class, names: &'a ModuleNames) -> impl Iterator<Item = &'a str> {
    let is_coroutine = |held: &Attribute| {
        matches!(held, Attribute::CallResult(callee)
            if matches!(names.meaning(callee), Some(Meaning::Function { is_async: true, is_generator: false, .. })))
    };
    class.attributes.iter().filter(move |(_, held)| is_coroutine(held)).map(|(name, _)| name.as_str())
}

fn async_methods(class: &Class) -> impl Iterator<Item = &str> {
    let is_async = |member: &Member| matches!(member, Member::Method { is_async: true, .. });
    class.members.iter().filter(move |(_, member)| is_async(member)).map(|(name, _)| name.as_str())
}

/// The attributes, with their classes, whose coroutine a method awaits that the file calls again on one thing; sorted.
pub(super) fn reawaited(all: &[&Usage]) -> Vec<(String, String)> {
    let awaiting = || all.iter().flat_map(|usage| &usage.awaiting);
    if awaiting().next().is_none() {
        return Vec::new();
    }
    let mut calls: FxHashMap<(&str, &str), u32> = FxHashMap::default();
    for (method, receiver) in all.iter().flat_map(|usage| &usage.awaited) {
        *calls.entry((method, receiver)).or_default() += 1;
    }
    let again: FxHashSet<&str> = calls.iter().filter(|(_, count)| **count > 1).map(|(of, _)| of.0).collect();
    let found = awaiting().filter(|(_, _, method)| again.contains(method.as_str()));
    let mut found: Vec<_> = found.map(|(class, attribute, _)| (class.clone(), attribute.clone())).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// What a method of this name is called on, each time the call is awaited: `await thing.method(…)`.
fn awaited_calls<'t>(text: &'t str, method: &'t str) -> impl Iterator<Item = &'t str> {
    words(text, method).filter_map(move |at| {
        let before = text.get(..at)?.strip_suffix('.')?;
        let rest = before.trim_end_matches(|c| is_word(c) || c == '.');
        let awaited = rest.trim_end_matches(' ').ends_with("await");
        let called = text.get(at + method.len()..)?.starts_with('(');
        (awaited && called && rest.len() < before.len()).then(|| &before[rest.len()..])
    })
}

/// Where a word stands in a text.
pub(super) fn words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    memmem::find_iter(text.as_bytes(), word).filter(move |&at| {
        let before = text.get(..at).is_none_or(|before| !before.ends_with(is_word));
        before && text.get(at + word.len()..).is_none_or(|behind| !behind.starts_with(is_word))
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
