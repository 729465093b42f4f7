//! What the module-level names of a file mean, and which of its functions share nothing.
//!
//! In: all items. Out: [`ModuleNames`] and the isolated functions, with a fingerprint of both: what an item's findings depend on
//! outside of its text. A function's or class's header tells its name; the other items are parsed.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use super::item::{ItemState, Words};
use crate::facts::{ItemNames, Meaning, Mentions, ModuleNames, isolated};
use crate::items::{Item, ItemKind};
use crate::text::Text;

#[derive(Default)]
pub(super) struct Module {
    pub names: ModuleNames,
    pub isolated: FxHashSet<String>,
    /// Of both: equal means that no item has to be looked at again.
    pub fingerprint: u64,
    /// The oldest Python that must run it.
    pub python: (u8, u8),
    current: bool,
}

impl Module {
    pub fn new(python: (u8, u8)) -> Self {
        Self { python, ..Self::default() }
    }

    /// The text has changed.
    pub fn outdated(&mut self) {
        self.current = false;
    }

    /// Brings it up to date.
    pub fn update(&mut self, text: &Text, items: &[Item], states: &mut [ItemState]) {
        if std::mem::replace(&mut self.current, true) {
            return;
        }
        let named = items.iter().zip(states.iter_mut()).map(|(item, state)| {
            let text = item.span.of(text.as_str());
            match header(item, text, state.words(text)) {
                Some((name, meaning)) => ItemNames::Header(name, meaning),
                None => ItemNames::Parsed(state.facts(text)),
            }
        });
        let names = ModuleNames::from_items(named);
        if names.fingerprint() != self.names.fingerprint() {
            states.iter_mut().for_each(ItemState::forget_mentions);
        }
        self.names = names;

        let mut mentions: FxHashMap<&str, &Mentions> = FxHashMap::default();
        for (item, state) in items.iter().zip(states.iter_mut()) {
            let text = item.span.of(text.as_str());
            if let Some(name) = item.kind.name() {
                mentions.insert(name.of(text), state.mentions(text, name.of(text), &self.names));
            }
        }
        let mut isolated: Vec<&str> = isolated(&mentions).into_iter().collect();
        isolated.sort_unstable();
        let mut hasher = FxHasher::default();
        (self.names.fingerprint(), &isolated).hash(&mut hasher);
        self.fingerprint = hasher.finish();
        self.isolated = isolated.into_iter().map(str::to_owned).collect();
    }
}

/// What a function's or class's first words say of its name; `None` where the whole has to be read.
fn header<'t>(item: &Item, text: &'t str, words: Words) -> Option<(&'t str, Meaning)> {
    if words.global {
        return None;
    }
    match item.kind {
        // Whether a `yield` is the function's own does not matter here: in doubt it is a generator.
        ItemKind::Function { name, is_async, decorated } => {
            Some((name.of(text), Meaning::Function { is_async, is_generator: words.is_yield, decorated }))
        }
        ItemKind::Class { name, .. } => Some((name.of(text), Meaning::Class)),
        ItemKind::Compound | ItemKind::Simple => None,
    }
}
