//! Which functions of a module can reach no variable of it: two of them that share no argument cannot wait for each other.
//!
//! In: the words of each module-level function and class, and what the module's names mean. Out: the names of the `async def`s
//! that mention no module variable and no module of which nothing is known, nor does any function or class they mention. Words
//! are compared, not resolved: a word too many costs a finding, never adds one.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use super::{Meaning, ModuleNames};

/// Modules whose functions keep nothing between two calls that a task could wait for.
const HARMLESS: &[&str] = &[
    "asyncio",
    "collections",
    "contextlib",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "functools",
    "hashlib",
    "itertools",
    "json",
    "logging",
    "math",
    "operator",
    "os",
    "pathlib",
    "random",
    "re",
    "string",
    "sys",
    "textwrap",
    "time",
    "traceback",
    "types",
    "typing",
    "uuid",
];

/// What a module-level function or class mentions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// A variable of the module, or an import that may keep something.
    shared: bool,
    /// Other functions and classes of the module.
    definitions: Vec<String>,
    /// All names of the module that stand in it.
    names: Vec<String>,
    /// Of all that.
    stamp: u64,
}

impl Mentions {
    /// Reads them off the text of the item that defines `own`.
    pub fn of(text: &str, own: &str, module: &ModuleNames) -> Self {
        // A star may bring any name.
        let harmless = |module: &str| HARMLESS.contains(&module.split('.').next().unwrap_or_default());
        let shared = !module.star_imports().iter().all(|module| harmless(module));
        let mut this = Self { shared, definitions: Vec::new(), names: Vec::new(), stamp: 0 };
        let mut seen = FxHashSet::default();
        let mut rest = text;
        while let Some(start) = rest.find(is_word) {
            let from = &rest[start..];
            let (word, behind) = from.split_at(from.find(|c| !is_word(c)).unwrap_or(from.len()));
            rest = behind;
            // What is in it counts, too.
            let opened = behind.starts_with(['.', '[']);
            if word == own || !seen.insert((word, opened)) {
                continue;
            }
            let meaning = module.meaning(word);
            if meaning.is_some() {
                this.names.push(word.to_owned());
            }
            match meaning {
                // It gives every task there is.
                None => this.shared |= word == "all_tasks",
                Some(Meaning::Function { .. } | Meaning::Class) => {
                    this.shared |= opened;
                    this.definitions.push(word.to_owned());
                }
                Some(Meaning::Import(path)) => {
                    this.shared |= !harmless(path) || word == "all_tasks";
                }
                Some(Meaning::Bool(_)) => {}
                // A constant by its name: nobody waits for one.
                Some(Meaning::Other) if !opened && !word.contains(|c: char| c.is_lowercase()) => {}
                Some(Meaning::CallResult(_) | Meaning::Other) => this.shared = true,
            }
        }
        this.names.sort_unstable();
        this.names.dedup();
        let mut stamp = FxHasher::default();
        (this.shared, &this.definitions, &this.names).hash(&mut stamp);
        this.stamp = stamp.finish();
        this
    }

    /// Differs where they do.
    pub fn stamp(&self) -> u64 {
        self.stamp
    }

    /// The names of the module that it mentions.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The functions and classes among `mentions` from which nothing shared can be reached.
pub fn isolated<'a>(mentions: &FxHashMap<&'a str, &Mentions>) -> FxHashSet<&'a str> {
    let mut callers: FxHashMap<&str, Vec<&'a str>> = FxHashMap::default();
    let mut open = Vec::new();
    for (&name, of) in mentions {
        if of.shared || of.definitions.iter().any(|other| !mentions.contains_key(other.as_str())) {
            open.push(name);
        }
        for other in &of.definitions {
            callers.entry(other).or_default().push(name);
        }
    }
    let mut left: FxHashSet<&str> = mentions.keys().copied().collect();
    while let Some(name) = open.pop() {
        if left.remove(name) {
            open.extend(callers.get(name).into_iter().flatten());
        }
    }
    left
}
