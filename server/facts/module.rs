//! What the names of a module mean, over all its items.
//!
//! In: the facts of every item, or what its header says where nobody parsed it. Out: one [`Meaning`] per name, and a
//! fingerprint: while an edit leaves it as it is, the other items keep what was found out about them.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

use super::{BindingKind, Class, Facts, Member, Returned};

/// What is known of the names of one item.
#[derive(Clone, Debug)]
pub enum ItemNames<'a> {
    /// All of it.
    Parsed(&'a Facts),
    /// A `def` or `class` that nobody parsed, since nothing in it matters; not even the word `global`. With the class that a function's
    /// annotation says it gives.
    Header(&'a str, Meaning, Option<&'a str>),
}

impl ItemNames<'_> {
    /// Equal where the item gives the same to [`ModuleNames::from_items`].
    pub fn stamp(&self) -> u64 {
        let facts = match self {
            Self::Header(name, meaning, returned) => return hashed(&(name, meaning, returned, false)),
            Self::Parsed(facts) => facts,
        };
        let mut sum =
            hashed(&(&facts.rebound_globals, &facts.star_imports, &facts.classes, &facts.decorated, &facts.returned));
        // In whatever order the map has them.
        for (name, meaning, typing_only) in bindings(facts) {
            sum = sum.wrapping_add(hashed(&(name, meaning, typing_only)));
        }
        sum
    }
}

/// What a name of a module means.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Meaning {
    /// What this dotted path means in another module.
    Import(String),
    /// A function.
    Function {
        /// `async def`.
        is_async: bool,
        /// It has a `yield` of its own.
        is_generator: bool,
        /// It has decorators.
        decorated: bool,
    },
    /// A class.
    Class,
    /// What a call gave; the callee as written, to be looked up in the module's scope.
    CallResult(String),
    /// `True` or `False`, for good.
    Bool(bool),
    /// Something else, or now this and now that.
    Other,
}

/// What the names of a module mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleNames {
    names: FxHashMap<String, Entry>,
    /// `None` for a name that two classes share.
    classes: FxHashMap<String, Option<Class>>,
    /// What functions and methods give, by qualified name; `None` where several have it.
    returned: FxHashMap<String, Option<Returned>>,
    stars: Vec<String>,
    /// See [`Facts::decorated`].
    decorated: Vec<(String, Vec<String>)>,
    fingerprint: u64,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Entry {
    meaning: Meaning,
    /// All its bindings stand below `if TYPE_CHECKING:`.
    typing_only: bool,
}

impl ModuleNames {
    /// Merges the names of a module's items, in any order.
    pub fn from_items<'a>(items: impl IntoIterator<Item = ItemNames<'a>>) -> Self {
        let mut module = Self::default();
        for item in items {
            match item {
                ItemNames::Header(name, meaning, returned) => {
                    module.add(name, meaning, false);
                    if let Some(class) = returned {
                        module.add_returned(name, &Returned::Instance(class.to_owned()));
                    }
                }
                ItemNames::Parsed(facts) => module.add_facts(facts),
            }
        }
        module.stars.sort_unstable();
        module.stars.dedup();
        module.fingerprint = fingerprint(&module);
        module
    }

    fn add_facts(&mut self, facts: &Facts) {
        for (name, meaning, typing_only) in bindings(facts) {
            self.add(name, meaning, typing_only);
        }
        for name in &facts.rebound_globals {
            self.add(name, Meaning::Other, false);
        }
        self.stars.extend_from_slice(&facts.star_imports);
        self.decorated.extend_from_slice(&facts.decorated);
        for (name, returned) in &facts.returned {
            self.add_returned(name, returned);
        }
        for class in &facts.classes {
            let known = self.classes.entry(class.name.clone());
            known.and_modify(|known| *known = None).or_insert_with(|| Some(class.clone()));
        }
    }

    /// Takes the functions under certain decorators for functions of which nothing is known. `is_safe` is asked for each decorator: by
    /// the path of an import, or, with `true`, by a name of the module.
    pub fn give_away(&mut self, is_safe: impl Fn(&str, bool) -> bool) {
        for (function, decorators) in std::mem::take(&mut self.decorated) {
            let safe = decorators.iter().any(|written| {
                let (root, rest) = written.split_at(written.find('.').unwrap_or(written.len()));
                match self.meaning(root) {
                    Some(Meaning::Import(path)) => is_safe(&format!("{path}{rest}"), false),
                    Some(_) => is_safe(written, true),
                    None => false,
                }
            });
            if !safe {
                continue;
            }
            match function.split_once('.') {
                Some((class, method)) => {
                    let class = self.classes.get_mut(class).and_then(Option::as_mut);
                    let mut members = class.into_iter().flat_map(|class| &mut class.members);
                    if let Some((_, Member::Method { decorated, .. })) = members.find(|(name, _)| name == method) {
                        *decorated = true;
                    }
                }
                None => {
                    if let Some(Entry { meaning: Meaning::Function { decorated, .. }, .. }) =
                        self.names.get_mut(&function)
                    {
                        *decorated = true;
                    }
                }
            }
        }
        self.fingerprint = fingerprint(self);
    }

    fn add_returned(&mut self, name: &str, returned: &Returned) {
        let known = self.returned.entry(name.to_owned());
        known.and_modify(|known| *known = None).or_insert_with(|| Some(returned.clone()));
    }

    fn add(&mut self, name: &str, meaning: Meaning, typing_only: bool) {
        match self.names.get_mut(name) {
            None => drop(self.names.insert(name.to_owned(), Entry { meaning, typing_only })),
            Some(entry) => {
                if entry.meaning != meaning {
                    entry.meaning = Meaning::Other;
                }
                entry.typing_only &= typing_only;
            }
        }
    }

    /// What `name` means; `None` if the module does not bind it (then it is a builtin, or comes by a star import).
    pub fn meaning(&self, name: &str) -> Option<&Meaning> {
        Some(&self.names.get(name)?.meaning)
    }

    /// The class of this name; `None` where that is none, is bound in another way as well, or was not parsed.
    pub fn class(&self, name: &str) -> Option<&Class> {
        if self.meaning(name) != Some(&Meaning::Class) {
            return None;
        }
        self.classes.get(name)?.as_ref()
    }

    /// What a call of a function of the module, or of a method (`Client.open`), gives, as its author says.
    pub fn returned(&self, qualified: &str) -> Option<&Returned> {
        self.returned.get(qualified)?.as_ref()
    }

    /// Whether `name` exists for type checkers only.
    pub fn is_typing_only(&self, name: &str) -> bool {
        self.names.get(name).is_some_and(|entry| entry.typing_only)
    }

    /// The names that mean something else in `other`, or nothing, or whose class does; `None` where a star may have changed any.
    pub fn changes<'a>(&'a self, other: &'a Self) -> Option<Vec<&'a str>> {
        if self.stars != other.stars {
            return None;
        }
        let of = |names: &'a Self, name: &str| (names.names.get(name), names.classes.get(name));
        let own = self.names.keys().chain(other.names.keys().filter(|name| !self.names.contains_key(*name)));
        Some(own.filter(|name| of(self, name) != of(other, name)).map(String::as_str).collect())
    }

    /// Every name that the module binds, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Meaning)> {
        self.names.iter().map(|(name, entry)| (name.as_str(), &entry.meaning))
    }

    /// The modules of `from MODULE import *`, sorted.
    pub fn star_imports(&self) -> &[String] {
        &self.stars
    }

    /// Equal if the names and what they mean are.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

/// What the scope of the module binds in an item: the names, how, and whether for type checkers only.
fn bindings(facts: &Facts) -> impl Iterator<Item = (&str, Meaning, bool)> {
    let symbols = facts.scopes.first().into_iter().flat_map(|scope| &scope.symbols);
    symbols.flat_map(|(name, symbol)| symbol.bindings.iter().map(move |binding| (name, binding))).filter_map(
        |(name, binding)| {
            let meaning = match &binding.kind {
                BindingKind::Import(path) => Meaning::Import(path.clone()),
                &BindingKind::Function { is_async, is_generator, decorated, .. } => {
                    Meaning::Function { is_async, is_generator, decorated }
                }
                BindingKind::Class => Meaning::Class,
                BindingKind::CallResult(callee) => Meaning::CallResult(callee.clone()),
                BindingKind::Bool(truth) => Meaning::Bool(*truth),
                BindingKind::Declaration => return None,
                BindingKind::Parameter(_) | BindingKind::TypeParameter | BindingKind::Other => Meaning::Other,
            };
            Some((name.as_str(), meaning, binding.typing_only))
        },
    )
}

/// A fingerprint of a value, for this process.
pub fn hashed(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Does not depend on the order of the names.
fn fingerprint(module: &ModuleNames) -> u64 {
    let classes = module.classes.iter().fold(0u64, |sum, entry| sum.wrapping_add(hashed(&entry)));
    let names = module.names.iter().fold(0u64, |sum, entry| sum.wrapping_add(hashed(&entry)));
    let returned = module.returned.iter().fold(0u64, |sum, entry| sum.wrapping_add(hashed(&entry)));
    hashed(&(names, classes, returned, &module.stars))
}
