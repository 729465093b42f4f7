//! What the module-level names of a file mean, which of its functions share nothing, and which items matter.
//!
//! In: all items. Out: [`ModuleNames`] and the isolated functions, with a fingerprint of what each word means: what a function's findings
//! depend on outside of its item. A function's or class's header tells its name; the other items are parsed.

use std::ops::Range;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::given;
use super::item::{ItemState, Slot};
use super::touched::Touched;
use super::usage::{self, Asked, Usage};
use super::words::{Words, word};
use crate::facts::{
    Attribute, Class, ItemNames, Meaning, Member, Mentions, ModuleNames, Returned, bare, hashed, is_class_like,
    isolated,
};
use crate::items::{Item, ItemKind};
use crate::project::config::Trust;
use crate::tasks::modules::{Modules, fingerprint, may_make};

#[derive(Default)]
pub(super) struct Module {
    pub names: ModuleNames,
    pub isolated: FxHashSet<String>,
    /// What each name means and all that this depends on, by the word.
    meanings: FxHashMap<u64, u64>,
    /// What every function depends on: the imports, which fixes spell names by.
    shared: u64,
    /// The names whose call or use may make a task or coroutine.
    matter: FxHashSet<String>,
    /// The oldest Python that must run the file.
    pub python: (u8, u8),
    /// What the user knows of functions.
    pub trust: Arc<Trust>,
    /// The names of which is asked what the file does with them.
    asked: Asked,
    /// The functions that are done callbacks, by their own names, and whether the task is seen to be cancelled; sorted.
    callbacks: Vec<(String, bool)>,
    /// The variables and attributes that are sets or lists, and into which nobody looks; sorted.
    collectors: Vec<String>,
    /// The attributes that are made as lists, and that nobody reads; sorted.
    unread_lists: Vec<String>,
    /// The variables of the module that one item alone mentions; sorted.
    private: Vec<String>,
    /// The attributes, with their classes, whose coroutine a method awaits that is called more than once; sorted.
    reawaited: Vec<(String, String)>,
    /// What the functions are given.
    given: given::Classes,
    /// The attributes that keep tasks and that other code than methods sets; sorted.
    set_elsewhere: Vec<String>,
    /// The items in which something is to be found, and those whose functions they call, in order.
    pub wanted: Vec<usize>,
    /// Changes with that.
    pub wanted_generation: u64,
    /// Changes with all that a function may depend on.
    pub generation: u64,
    /// What each item gave to all this.
    known: Vec<Given>,
    touched: Touched,
    /// What other modules export may be something else now.
    others_changed: bool,
    /// Classes are read even where nothing in them matters to the file itself.
    all_classes: bool,
}

/// What an item gives to what all items share, as fingerprints: while these stay, nothing else is looked at.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Given {
    /// The names that it binds.
    names: u64,
    usage: u64,
    /// The names that it mentions, its own, and whether it matters by itself.
    mentions: u64,
    /// What it gives to functions, where it matters.
    calls: u64,
}

/// How many classes above a class count for what it means.
const MAX_BASES: u32 = 16;

impl Module {
    pub fn new(python: (u8, u8), trust: Arc<Trust>) -> Self {
        Self { python, trust, ..Self::default() }
    }

    /// An edit replaces the items `old` of `len`.
    pub fn touch(&mut self, old: &Range<usize>, len: usize) {
        self.touched.note(old, len);
    }

    /// What other modules export may have changed.
    pub fn others_changed(&mut self) {
        self.others_changed = true;
    }

    /// Every class is read from now on.
    pub fn knows_all_classes(&mut self) {
        self.all_classes = true;
    }

    /// Brings it up to date.
    pub fn update(&mut self, text: &str, items: &[Item], states: &mut [ItemState], modules: &dyn Modules) {
        let others_changed = std::mem::take(&mut self.others_changed);
        let Some((old, new)) = self.touched.take(self.known.len(), items.len()) else {
            if others_changed {
                self.note_mentions(true, text, items, states, modules);
            }
            return;
        };
        let all = self.all_classes;
        let mut given: Vec<Given> = new
            .clone()
            .map(|index| Given {
                names: names_of(&items[index], text, &mut states[index], all).stamp(),
                ..Given::default()
            })
            .collect();
        let before: Vec<Given> = self.known.splice(old, given.iter().copied()).collect();
        let differs = |given: &[Given], part: fn(&Given) -> u64| !given.iter().map(part).eq(before.iter().map(part));
        let mut changed = false;
        let mut looked: Vec<usize> = new.clone().collect();
        if differs(&given, |given| given.names) {
            let named = items.iter().zip(states.iter_mut()).map(|(item, state)| names_of(item, text, state, all));
            let safe = &self.trust.safe_decorators;
            let mut names = ModuleNames::from_items(named);
            if !safe.is_empty() {
                names.give_away(|decorator, is_own| safe.holds_either(decorator, is_own));
            }
            changed = names.fingerprint() != self.names.fingerprint();
            let before = std::mem::replace(&mut self.names, names);
            if changed {
                let asked = Asked::of(&self.names);
                let names = before.changes(&self.names).filter(|_| asked == self.asked);
                self.asked = asked;
                looked.extend(mentioning(names.as_deref(), text, items));
                looked.sort_unstable();
                looked.dedup();
                looked.iter().for_each(|&index| states[index].forget_mentions());
            }
        }
        for index in looked {
            self.look(index, text, items, states);
        }
        given.copy_from_slice(&self.known[new.clone()]);
        if changed || differs(&given, |given| given.usage) {
            self.note_usage(states);
        }
        if changed || others_changed || differs(&given, |given| given.mentions) {
            self.note_mentions(changed || others_changed, text, items, states, modules);
            for index in self.wanted.clone() {
                self.look_at_calls(index, text, items, states);
            }
            self.note_given(text, items, states);
        } else {
            for (index, given) in new.zip(&mut given) {
                if self.wanted.binary_search(&index).is_ok() {
                    self.look_at_calls(index, text, items, states);
                }
                given.calls = self.known[index].calls;
            }
            if differs(&given, |given| given.calls) {
                self.note_given(text, items, states);
            }
        }
    }

    /// Looks at what an item gives to functions of the module.
    fn look_at_calls(&mut self, index: usize, text: &str, items: &[Item], states: &mut [ItemState]) {
        let item = &items[index];
        let given = states[index].given(item.span.of(text), &self.names, given::function(item, text));
        self.known[index].calls = hashed(given);
    }

    /// Brings up to date what the functions of the items that matter are given.
    fn note_given(&mut self, text: &str, items: &[Item], states: &[ItemState]) {
        let of = |&index: &usize| Some((given::function(&items[index], text), states[index].known_given()?));
        let classes = given::classes(self.wanted.iter().filter_map(of));
        if classes != self.given {
            self.given = classes;
            self.generation += 1;
        }
    }

    /// The class of what all callers in the file give for this parameter of a function.
    pub fn given(&self, function: &str, parameter: &str) -> Option<&str> {
        self.given.get(function)?.iter().find(|(name, _)| name == parameter).map(|(_, class)| class.as_str())
    }

    /// Looks at what an item does with names and which it mentions.
    fn look(&mut self, index: usize, text: &str, items: &[Item], states: &mut [ItemState]) {
        let (item, state) = (&items[index], &mut states[index]);
        let text = item.span.of(text);
        let own = own_name(item, text);
        let words = state.words(text);
        let mentions = state.mentions(text, own, &self.names).stamp();
        let is_helper = is_helper(item, text);
        let given = &mut self.known[index];
        given.mentions = hashed(&(own, mentions, words.trigger || words.suspends, is_helper));
        given.usage = hashed(state.usage(item, text, &self.asked, &self.names));
    }

    /// Brings up to date what the file as a whole does with some names.
    fn note_usage(&mut self, states: &[ItemState]) {
        let all: Vec<&Usage> = states.iter().filter_map(ItemState::known_usage).collect();
        let mut callbacks: Vec<_> = all.iter().flat_map(|usage| &usage.callbacks).cloned().collect();
        callbacks.sort_unstable();
        callbacks.dedup();
        let looks_into: FxHashSet<&String> = all.iter().flat_map(|usage| &usage.looks_into).collect();
        let kept = |of: &[String]| of.iter().filter(|name| !looks_into.contains(name)).cloned().collect();
        let (collectors, lists): (_, Vec<String>) = (kept(&self.asked.collections), kept(&self.asked.lists));
        let reawaited = usage::reawaited(&all);
        let mut sets: Vec<String> = all.iter().flat_map(|usage| &usage.sets).cloned().collect();
        sets.sort_unstable();
        sets.dedup();
        if sets != self.set_elsewhere {
            self.set_elsewhere = sets;
            self.generation += 1;
        }
        if lists != self.unread_lists {
            self.unread_lists = lists;
            self.generation += 1;
        }
        if callbacks != self.callbacks || collectors != self.collectors || reawaited != self.reawaited {
            (self.callbacks, self.collectors, self.reawaited) = (callbacks, collectors, reawaited);
            self.generation += 1;
        }
    }

    /// Brings up to date what goes by the names that each item mentions; `changed` where those mean something else now.
    fn note_mentions(
        &mut self,
        changed: bool,
        text: &str,
        items: &[Item],
        states: &mut [ItemState],
        modules: &dyn Modules,
    ) {
        let mut mentions: FxHashMap<&str, &Mentions> = FxHashMap::default();
        for (item, state) in items.iter().zip(states.iter()) {
            let own = own_name(item, item.span.of(text));
            if let Some(of) = state.known_mentions().filter(|_| !own.is_empty()) {
                mentions.insert(own, of);
            }
        }
        let isolated: FxHashSet<String> = isolated(&mentions).into_iter().map(str::to_owned).collect();
        if changed || isolated != self.isolated {
            self.isolated = isolated;
            self.weigh(modules);
        }
        let private = private(&self.names, states);
        if private != self.private {
            self.private = private;
            self.generation += 1;
        }
        self.wanted = self.wanted(text, items, states);
        self.wanted_generation += 1;
    }

    /// Works out what each name means, in one number, and which names matter.
    fn weigh(&mut self, modules: &dyn Modules) {
        let own = |name: &str, meaning: &Meaning| {
            hashed(&(meaning, self.names.is_typing_only(name), self.isolated.contains(name)))
        };
        let mut shared = hashed(self.names.star_imports());
        self.meanings.clear();
        self.matter.clear();
        for (name, meaning) in self.names.iter() {
            let mut sum = own(name, meaning);
            let class = match meaning {
                Meaning::Import(path) => {
                    shared = shared.wrapping_add(hashed(&(name, meaning)));
                    sum = sum.wrapping_add(fingerprint(modules, path));
                    None
                }
                Meaning::Class => Some(name),
                Meaning::CallResult(callee) => Some(root(callee)),
                Meaning::Function { .. } => {
                    let returned = self.names.returned(name);
                    sum = sum.wrapping_add(hashed(&returned));
                    match returned {
                        Some(Returned::Instance(class)) => Some(root(class)),
                        _ => None,
                    }
                }
                _ => None,
            };
            if let Some(class) = class {
                sum = sum.wrapping_add(class_hash(&self.names, class, 0));
            }
            self.meanings.insert(word(name), sum);
            if self.may_make(meaning, name, modules) {
                self.matter.insert(name.to_owned());
            }
        }
        self.shared = shared;
        self.generation += 1;
    }

    /// Whether the function is a done callback; the flag says that its task is seen to be cancelled.
    pub fn callback(&self, function: &str) -> Option<bool> {
        let mut of = self.callbacks.iter().filter(|(name, _)| name == function).map(|(_, cancels)| *cancels);
        let first = of.next()?;
        // Where several have the name, it may be another's.
        Some(of.fold(first, |all, cancels| all && cancels))
    }

    pub fn collects_only(&self, name: &str) -> bool {
        self.collectors.binary_search_by(|of| of.as_str().cmp(name)).is_ok()
    }

    pub fn is_unread_list(&self, name: &str) -> bool {
        self.unread_lists.binary_search_by(|of| of.as_str().cmp(name)).is_ok()
    }

    pub fn is_private(&self, name: &str) -> bool {
        self.private.binary_search_by(|of| of.as_str().cmp(name)).is_ok()
    }

    /// Whether other code than the methods of a class sets an attribute of this name.
    pub fn is_set_elsewhere(&self, name: &str) -> bool {
        self.set_elsewhere.binary_search_by(|of| of.as_str().cmp(name)).is_ok()
    }

    /// Whether some class keeps a task in an attribute.
    pub fn keeps_tasks(&self) -> bool {
        !self.asked.keepers.is_empty()
    }

    pub fn awaits_again(&self, class: &str, attribute: &str) -> bool {
        self.reawaited.iter().any(|(of, name)| of == class && name == attribute)
    }

    fn may_make(&self, meaning: &Meaning, name: &str, modules: &dyn Modules) -> bool {
        let class = |name: &str| {
            let is_async = |(_, member): &(String, Member)| matches!(member, Member::Method { is_async: true, .. });
            let makes = |class: &Class| class.members.iter().any(is_async) || class.bases.iter().any(Option::is_some);
            self.names.class(name).is_some_and(makes)
        };
        match meaning {
            Meaning::Function { is_async, .. } => *is_async,
            Meaning::Class => class(name),
            Meaning::Import(path) => path.starts_with("asyncio") || may_make(modules, path),
            Meaning::CallResult(callee) => {
                class(callee)
                    || matches!(self.names.meaning(root(callee)), Some(Meaning::Import(path)) if path.starts_with("asyncio"))
            }
            Meaning::Bool(_) | Meaning::Other => false,
        }
    }

    /// What the words of a function mean, the class of its first parameter, and what the file does with it, in one number.
    pub fn meaning_of(&self, slot: &Slot) -> u64 {
        let callback = self.callback(slot.name());
        let private: &[String] = if slot.is_module() { &self.private } else { &[] };
        let used =
            hashed(&(callback, private, &self.collectors, &self.reawaited, &self.set_elsewhere, self.keeps_tasks()));
        let given = slot.callable.as_deref().and_then(|function| self.given.get(function));
        let given = given.into_iter().flatten().map(|(parameter, class)| {
            let meaning = self.meanings.get(&word(class)).copied().unwrap_or_default();
            hashed(&(parameter, class)).wrapping_add(meaning)
        });
        let used = given.fold(used, u64::wrapping_add);
        let own = self.meanings.get(&word(slot.owner())).copied().unwrap_or_default();
        let words = slot.words.iter();
        let known = words.filter_map(|word| self.meanings.get(word).map(|meaning| meaning ^ word.rotate_left(9)));
        known.fold(self.shared.wrapping_add(own).wrapping_add(used), u64::wrapping_add)
    }

    /// The items in which something is to be found, and those whose functions they call, in order.
    fn wanted(&self, text: &str, items: &[Item], states: &mut [ItemState]) -> Vec<usize> {
        let mut wanted: Vec<bool> = Vec::with_capacity(items.len());
        // Who may make something for its callers: the functions and classes in items that matter.
        let mut makers: FxHashSet<&str> = self.matter.iter().map(String::as_str).collect();
        let mut open: Vec<&str> = Vec::new();
        let mut callers: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        for (item, state) in items.iter().zip(states.iter_mut()) {
            let own_text = item.span.of(text);
            let words = state.words(own_text);
            wanted.push(words.trigger || words.suspends);
        }
        let states: &[ItemState] = states;
        let name_of = |index: usize| {
            let item = &items[index];
            item.kind.name().map(|name| name.of(item.span.of(text)))
        };
        for (index, state) in states.iter().enumerate() {
            let mentioned = state.known_mentions().map(Mentions::names).unwrap_or_default();
            wanted[index] |= mentioned.iter().any(|name| makers.contains(name.as_str()));
            for name in mentioned {
                callers.entry(name).or_default().push(index);
            }
        }
        for index in (0..items.len()).filter(|index| wanted[*index]) {
            open.extend(name_of(index).filter(|name| makers.insert(name)));
        }
        while let Some(name) = open.pop() {
            for &index in callers.get(name).into_iter().flatten() {
                if !std::mem::replace(&mut wanted[index], true) {
                    open.extend(name_of(index).filter(|name| makers.insert(name)));
                }
            }
        }
        // What they hand on, a helper without a word of the sort may hand back, drop or close.
        let called = (0..items.len()).filter(|index| wanted[*index]);
        let called: FxHashSet<&str> = called
            .filter_map(|index| states[index].known_mentions())
            .flat_map(Mentions::names)
            .map(String::as_str)
            .collect();
        for index in 0..items.len() {
            wanted[index] |= is_helper(&items[index], items[index].span.of(text))
                && name_of(index).is_some_and(|name| called.contains(name));
        }
        (0..items.len()).filter(|index| wanted[*index]).collect()
    }
}

/// Functions up to this length are looked at where one that matters calls them: it costs nothing.
const SMALL: usize = 200;

/// Whether the item is a small function; `text` is its text.
fn is_helper(item: &Item, text: &str) -> bool {
    text.len() <= SMALL && matches!(item.kind, ItemKind::Function { decorated: false, .. })
}

/// So many names are looked for in the text.
const MAX_SOUGHT: usize = 16;

/// The items in which one of the names stands, as a word or in one; all where it is not known which names.
fn mentioning(names: Option<&[&str]>, text: &str, items: &[Item]) -> Vec<usize> {
    let Some(names) = names.filter(|names| names.len() <= MAX_SOUGHT) else { return (0..items.len()).collect() };
    let mut found = Vec::new();
    for name in names.iter().filter(|name| !name.is_empty()) {
        let finder = memchr::memmem::Finder::new(name.as_bytes());
        let mut from = 0;
        while let Some(at) = text.as_bytes().get(from..).and_then(|rest| finder.find(rest)) {
            let index = items.partition_point(|item| item.span.end as usize <= from + at);
            let Some(item) = items.get(index) else { break };
            found.push(index);
            from = item.span.end as usize;
        }
    }
    found
}

/// The name that the item binds as a function or class, or nothing.
fn own_name<'t>(item: &Item, text: &'t str) -> &'t str {
    item.kind.name().map(|name| name.of(text)).unwrap_or_default()
}

/// `all`: classes that do not matter to the file are read as well.
fn names_of<'a>(item: &Item, text: &'a str, state: &'a mut ItemState, all: bool) -> ItemNames<'a> {
    let text = item.span.of(text);
    let known = header(item, text, state.words(text));
    match known.filter(|(_, meaning)| !(all && *meaning == Meaning::Class)) {
        Some((name, meaning)) => {
            let is_function = matches!(meaning, Meaning::Function { .. });
            ItemNames::Header(name, meaning, is_function.then(|| returned(text)).flatten())
        }
        None => ItemNames::Parsed(state.facts(text)),
    }
}

/// The variables of the module that one item alone mentions.
fn private(names: &ModuleNames, states: &[ItemState]) -> Vec<String> {
    let is_variable = |meaning: &Meaning| matches!(meaning, Meaning::CallResult(_));
    let mut once: Vec<&str> = names.iter().filter(|(_, meaning)| is_variable(meaning)).map(|(name, _)| name).collect();
    if once.is_empty() {
        return Vec::new();
    }
    let mut count: FxHashMap<&str, u32> = FxHashMap::default();
    for name in states.iter().filter_map(ItemState::known_mentions).flat_map(Mentions::names) {
        *count.entry(name).or_default() += 1;
    }
    once.retain(|name| count.get(name).copied() == Some(1));
    once.sort_unstable();
    once.into_iter().map(str::to_owned).collect()
}

fn root(callee: &str) -> &str {
    callee.split('.').next().unwrap_or(callee)
}

/// A class and the classes that its meaning depends on: its bases, and what its attributes are made of.
fn class_hash(names: &ModuleNames, name: &str, depth: u32) -> u64 {
    let mut sum = names.meaning(name).map(hashed).unwrap_or_default();
    let Some(class) = names.class(name).filter(|_| depth < MAX_BASES) else { return sum };
    sum = sum.wrapping_add(hashed(class));
    for (member, _) in &class.members {
        let returned = names.returned(&format!("{name}.{member}"));
        sum = sum.wrapping_mul(31).wrapping_add(returned.map(hashed).unwrap_or_default());
    }
    for base in class.bases.iter().flatten() {
        sum = sum.wrapping_mul(31).wrapping_add(class_hash(names, root(base), depth + 1));
    }
    for (_, attribute) in &class.attributes {
        if let Attribute::CallResult(callee) = attribute {
            let callee = root(callee);
            sum = sum.wrapping_mul(31).wrapping_add(names.meaning(callee).map(hashed).unwrap_or_default());
            sum = sum.wrapping_add(names.class(callee).map(hashed).unwrap_or_default());
        }
    }
    sum
}

/// The class that a `def` says it gives, by its annotation (`-> Client:`) or else by its only `return` (`return Client(…)`).
fn returned(text: &str) -> Option<&str> {
    let is_dotted =
        |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    let head = &text[..memchr::memmem::find(text.as_bytes(), b":\n")?];
    if let Some((_, annotation)) = head.rsplit_once("->") {
        return Some(bare(annotation)).filter(|name| is_dotted(name) && is_class_like(name));
    }
    let (_, last) = text.trim_end().rsplit_once('\n')?;
    let value = last.trim_start().strip_prefix("return ")?;
    let (callee, _) = value.split_once('(')?;
    let mut depth = 0;
    let end = value.bytes().position(|byte| {
        depth += i32::from(byte == b'(') - i32::from(byte == b')');
        byte == b')' && depth == 0
    });
    let is_call = end == Some(value.len() - 1);
    let is_only = memchr::memmem::find_iter(text.as_bytes(), "return").count() == 1;
    Some(callee).filter(|callee| is_call && is_only && is_dotted(callee) && is_class_like(callee))
}

/// What a function's or class's first words say of its name; `None` where the whole has to be read.
fn header<'t>(item: &Item, text: &'t str, words: Words) -> Option<(&'t str, Meaning)> {
    if words.global {
        return None;
    }
    match item.kind {
        // Its decorators have to be read.
        ItemKind::Function { is_async: true, decorated: true, .. } => None,
        // Whether a `yield` is the function's own does not matter here: in doubt it is a generator.
        ItemKind::Function { name, is_async, decorated } => {
            Some((name.of(text), Meaning::Function { is_async, is_generator: words.is_yield, decorated }))
        }
        // What has no coroutine and keeps nothing of asyncio need not be known.
        ItemKind::Class { .. } if words.is_async => None,
        ItemKind::Class { name, .. } => Some((name.of(text), Meaning::Class)),
        ItemKind::Compound | ItemKind::Simple => None,
    }
}
