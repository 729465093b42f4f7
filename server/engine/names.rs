//! What the module-level names of a file mean, which of its functions share nothing, and which items matter.
//!
//! In: all items. Out: [`ModuleNames`] and the isolated functions, with a fingerprint of what each word means: what a function's findings
//! depend on outside of its item. A function's or class's header tells its name; the other items are parsed.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use super::item::{ItemState, Slot, Words, word};
use super::usage::{self, Usage};
use crate::facts::{
    Attribute, Class, ItemNames, Meaning, Member, Mentions, ModuleNames, Returned, bare, is_class_like, isolated,
};
use crate::items::{Item, ItemKind};
use crate::tasks::modules::{Modules, fingerprint, may_make};
use crate::text::Text;

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
    /// What the file does with the names that are asked about; sorted.
    usage: Usage,
    /// The variables and attributes that are made as sets or lists; sorted.
    candidates: Vec<String>,
    /// The variables and attributes that are sets or lists, and into which nobody looks; sorted.
    collectors: Vec<String>,
    /// The variables of the module that one item alone mentions; sorted.
    private: Vec<String>,
    /// The attributes, with their classes, whose coroutine a method awaits that is called more than once; sorted.
    reawaited: Vec<(String, String)>,
    /// The items in which something is to be found, and those whose functions they call, in order.
    pub wanted: Vec<usize>,
    /// Of the names that each item mentions, when `wanted` was worked out.
    mentioned: Option<u64>,
    /// Changes with all that a function may depend on.
    pub generation: u64,
    current: bool,
    /// What other modules export may be something else now.
    others_changed: bool,
    /// Classes are read even where nothing in them matters to the file itself.
    all_classes: bool,
}

/// How many classes above a class count for what it means.
const MAX_BASES: u32 = 16;

impl Module {
    pub fn new(python: (u8, u8)) -> Self {
        Self { python, ..Self::default() }
    }

    /// The text has changed.
    pub fn outdated(&mut self) {
        self.current = false;
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
    pub fn update(&mut self, text: &Text, items: &[Item], states: &mut [ItemState], modules: &dyn Modules) {
        if std::mem::replace(&mut self.current, true) {
            return;
        }
        let named = items.iter().zip(states.iter_mut()).map(|(item, state)| {
            let text = item.span.of(text.as_str());
            let known = header(item, text, state.words(text));
            match known.filter(|(_, meaning)| !(self.all_classes && *meaning == Meaning::Class)) {
                Some((name, meaning)) => {
                    let is_function = matches!(meaning, Meaning::Function { .. });
                    ItemNames::Header(name, meaning, is_function.then(|| given(text)).flatten())
                }
                None => ItemNames::Parsed(state.facts(text)),
            }
        });
        let names = ModuleNames::from_items(named);
        let changed = names.fingerprint() != self.names.fingerprint();
        if changed {
            states.iter_mut().for_each(ItemState::forget_mentions);
        }
        self.names = names;
        if changed {
            self.candidates = usage::collections(&self.names);
        }
        self.note_usage(text, items, states);

        let mut sum = FxHasher::default();
        for (item, state) in items.iter().zip(states.iter_mut()) {
            let text = item.span.of(text.as_str());
            let own = item.kind.name().map(|name| name.of(text)).unwrap_or_default();
            let words = state.words(text);
            let mentions = state.mentions(text, own, &self.names);
            (own, mentions.stamp(), words.trigger || words.suspends).hash(&mut sum);
        }
        let sum = sum.finish();
        let others_changed = std::mem::take(&mut self.others_changed);
        if !changed && !others_changed && self.mentioned == Some(sum) {
            return;
        }
        self.mentioned = Some(sum);
        let mut mentions: FxHashMap<&str, &Mentions> = FxHashMap::default();
        for (item, state) in items.iter().zip(states.iter_mut()) {
            let text = item.span.of(text.as_str());
            let own = item.kind.name().map(|name| name.of(text)).unwrap_or_default();
            let of = state.mentions(text, own, &self.names);
            if !own.is_empty() {
                mentions.insert(own, of);
            }
        }
        let isolated: FxHashSet<String> = isolated(&mentions).into_iter().map(str::to_owned).collect();
        if changed || isolated != self.isolated || others_changed {
            self.isolated = isolated;
            self.weigh(modules);
        }
        let private = private(&self.names, states);
        if private != self.private {
            self.private = private;
            self.generation += 1;
        }
        self.wanted = self.wanted(text, items, states);
    }

    /// Brings up to date what the file as a whole does with some names.
    fn note_usage(&mut self, text: &Text, items: &[Item], states: &mut [ItemState]) {
        let mut all = Usage::default();
        for (item, state) in items.iter().zip(states.iter_mut()) {
            let own = state.usage(item.span.of(text.as_str()), &self.candidates);
            all.callbacks.extend_from_slice(&own.callbacks);
            all.looks_into.extend_from_slice(&own.looks_into);
        }
        all.callbacks.sort_unstable();
        all.callbacks.dedup();
        all.looks_into.sort_unstable();
        all.looks_into.dedup();
        let reawaited = usage::reawaited(text.as_str(), &self.names, items, states);
        if all != self.usage || reawaited != self.reawaited {
            (self.usage, self.reawaited) = (all, reawaited);
            self.generation += 1;
        }
        let is_kept = |name: &&String| self.usage.looks_into.binary_search(name).is_err();
        self.collectors = self.candidates.iter().filter(is_kept).cloned().collect();
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
        let mut of = self.usage.callbacks.iter().filter(|(name, _)| name == function).map(|(_, cancels)| *cancels);
        let first = of.next()?;
        // Where several have the name, it may be another's.
        Some(of.fold(first, |all, cancels| all && cancels))
    }

    pub fn collects_only(&self, name: &str) -> bool {
        self.collectors.binary_search_by(|of| of.as_str().cmp(name)).is_ok()
    }

    pub fn is_private(&self, name: &str) -> bool {
        self.private.binary_search_by(|of| of.as_str().cmp(name)).is_ok()
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
        let used = hashed(&(callback, private, &self.collectors, &self.reawaited));
        let own = self.meanings.get(&word(slot.owner())).copied().unwrap_or_default();
        let words = slot.words.iter();
        let known = words.filter_map(|word| self.meanings.get(word).map(|meaning| meaning ^ word.rotate_left(9)));
        known.fold(self.shared.wrapping_add(own).wrapping_add(used), u64::wrapping_add)
    }

    /// The items in which something is to be found, and those whose functions they call, in order.
    fn wanted(&self, text: &Text, items: &[Item], states: &mut [ItemState]) -> Vec<usize> {
        let mut wanted: Vec<bool> = Vec::with_capacity(items.len());
        // Who may make something for its callers: the functions and classes in items that matter.
        let mut makers: FxHashSet<&str> = self.matter.iter().map(String::as_str).collect();
        let mut open: Vec<&str> = Vec::new();
        let mut callers: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        for (item, state) in items.iter().zip(states.iter_mut()) {
            let own_text = item.span.of(text.as_str());
            let words = state.words(own_text);
            wanted.push(words.trigger || words.suspends);
        }
        let states: &[ItemState] = states;
        let name_of = |index: usize| {
            let item = &items[index];
            item.kind.name().map(|name| name.of(item.span.of(text.as_str())))
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
        (0..items.len()).filter(|index| wanted[*index]).collect()
    }
}

fn hashed(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
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
fn given(text: &str) -> Option<&str> {
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
