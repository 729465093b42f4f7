//! What a file as a whole does with a name: questions that no function answers by itself.
//!
//! In: the text and what its names mean. Out: names. All of it goes by words, without a tree, since it is asked after every edit; a
//! name that is used in any other way than expected is not among those given.

use memchr::memmem;

use super::item::ItemState;
use crate::facts::{Attribute, Meaning, Member, ModuleNames};
use crate::items::Item;

/// What one item does with the names that are asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// The functions that are given to `add_done_callback`, by their own names, and whether the task is seen to be cancelled.
    pub callbacks: Vec<(String, bool)>,
    /// The collections that more is done with than to put something in or take something out.
    pub looks_into: Vec<String>,
}

impl Usage {
    /// Of an item's text; `collectors` are the names that may be collections.
    pub fn of(text: &str, collectors: &[String]) -> Self {
        let looked = |name: &&String| words(text, name).any(|at| !only_keeps(text, at, name));
        Self { callbacks: callbacks(text), looks_into: collectors.iter().filter(looked).cloned().collect() }
    }
}

/// The functions given as done callbacks, and whether the code around cancels what they are given to.
fn callbacks(text: &str) -> Vec<(String, bool)> {
    let mut found: Vec<(String, bool)> = Vec::new();
    for at in memmem::find_iter(text.as_bytes(), ".add_done_callback(") {
        let given = text.get(at + ".add_done_callback(".len()..).unwrap_or_default().trim_start();
        let path: &str = given.split(|c: char| !is_word(c) && c != '.').next().unwrap_or_default();
        let behind = given.get(path.len()..).unwrap_or_default().trim_start();
        if behind.starts_with([')', ',']) && !path.is_empty() {
            let name = path.rsplit('.').next().unwrap_or(path).to_owned();
            found.push((name, cancels(text, at)));
        }
    }
    found
}

/// Whether the task before `.add_done_callback` at `at` is cancelled in the same function; an attribute anywhere in the item.
fn cancels(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind(|c| !is_word(c) && c != '.').map_or(0, |space| space + 1);
    let task = &before[start..];
    let from = before.rfind("def ").unwrap_or(0);
    let until = text.get(at..).and_then(|behind| behind.find("def ")).map_or(text.len(), |end| at + end);
    let around = if task.contains('.') { text } else { text.get(from..until).unwrap_or_default() };
    let cancel = format!("{task}.cancel(");
    !task.is_empty() && memmem::find(around.as_bytes(), cancel.as_bytes()).is_some()
}

/// Files with more collections than these are not asked about each of them.
const MAX_COLLECTORS: usize = 16;

/// The variables and attributes that are made as a set or list; sorted.
pub(super) fn collections(names: &ModuleNames) -> Vec<String> {
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

/// Whether the word at `at` is bound to a new collection there, or something is put into it or taken out.
fn only_keeps(text: &str, at: usize, name: &str) -> bool {
    let behind = text.get(at + name.len()..).unwrap_or_default().trim_start();
    let methods = [".add(", ".append(", ".discard", ".remove"];
    let bound = behind.starts_with('=') && !behind.starts_with("==") || behind.starts_with(':');
    bound || methods.iter().any(|method| behind.starts_with(method))
}

/// The attributes, with their classes, whose coroutine, set once, a method awaits that the file calls again on one thing.
pub(super) fn reawaited(
    text: &str,
    names: &ModuleNames,
    items: &[Item],
    states: &mut [ItemState],
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (item, state) in items.iter().zip(states) {
        let own_text = item.span.of(text);
        let Some(class) = item.kind.name().and_then(|name| names.class(name.of(own_text))) else { continue };
        for (attribute, held) in &class.attributes {
            let is_coroutine = matches!(held, Attribute::CallResult(callee)
                if matches!(names.meaning(callee), Some(Meaning::Function { is_async: true, is_generator: false, .. })));
            let is_set = |at: &usize| {
                let behind = own_text.get(at + attribute.len()..).unwrap_or_default().trim_start();
                let own = own_text.get(..*at).is_some_and(|before| before.ends_with('.'));
                own && behind.starts_with('=') && !behind.starts_with("==")
            };
            if !is_coroutine || words(own_text, attribute).filter(is_set).count() != 1 {
                continue;
            }
            let again = class.members.iter().any(|(method, member)| {
                let plain = matches!(member, Member::Method { is_async: true, .. });
                plain && is_called_again(text, method) && state.method_awaits(own_text, method, attribute)
            });
            if again {
                found.push((class.name.clone(), attribute.clone()));
            }
        }
    }
    found.sort_unstable();
    found
}

/// Whether a method of this name is called and awaited twice on one thing: `await thing.method(…)`.
fn is_called_again(text: &str, method: &str) -> bool {
    let receiver = |at: usize| {
        let before = text.get(..at)?.strip_suffix('.')?;
        let rest = before.trim_end_matches(|c| is_word(c) || c == '.');
        let awaited = rest.trim_end_matches(' ').ends_with("await");
        let called = text.get(at + method.len()..)?.starts_with('(');
        (awaited && called && rest.len() < before.len()).then(|| &before[rest.len()..])
    };
    let mut seen: Vec<&str> = words(text, method).filter_map(receiver).collect();
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    seen.len() < all
}

/// Where a word stands in a text.
fn words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    memmem::find_iter(text.as_bytes(), word).filter(move |&at| {
        let before = text.get(..at).is_none_or(|before| !before.ends_with(is_word));
        before && text.get(at + word.len()..).is_none_or(|behind| !behind.starts_with(is_word))
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
