//! What other modules offer: names that an import brings, followed to the function or class that they mean.
//!
//! A dotted path goes in, as [`crate::facts::Names::dotted`] makes it (`lib.load`, `.sibling.load`); out comes what it means, as a
//! [`Foreign`]. Which file a module is, and what is in it, is asked of the [`Modules`]; here only names are followed: through
//! re-exports, star imports, variables that hold an instance, and from a class to its bases. A function or class of another module
//! is known by a key, `MODULE:NAME`, where MODULE is what [`Exports::key`] says; names of the file at hand have no colon.
//!
//! What is not found is unknown, and nothing is said about it.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};

use super::summary::{Returns, Summary};
use crate::facts::{Attribute, Meaning, ModuleNames, Returned, hashed};

/// A module as those who import it see it.
#[derive(Debug, Default)]
pub struct Exports {
    /// What tells it from all others; no name of a function or class is one.
    pub key: Arc<str>,
    /// What its names mean.
    pub names: ModuleNames,
    /// What its functions do for those who call them, by qualified name; none where nobody looked.
    pub summaries: FxHashMap<Arc<str>, Arc<Summary>>,
}

impl Exports {
    /// The key of one of its functions or classes.
    pub fn key_of(&self, name: &str) -> Arc<str> {
        format!("{}:{name}", self.key).into()
    }

    /// Equal if all that importers may depend on is.
    pub fn fingerprint(&self) -> u64 {
        let sum = |sum: u64, (name, summary): (&Arc<str>, &Arc<Summary>)| sum.wrapping_add(hashed(&(name, summary)));
        hashed(&(self.names.fingerprint(), self.summaries.iter().fold(0, sum)))
    }
}

/// Where other modules are found.
pub trait Modules {
    /// The module that a dotted path starts with, as the module of this key sees it (`None`: the file at hand), and what of the
    /// path is left: `fetch.get` of `.lib.fetch.get`.
    fn find<'p>(&self, from: Option<&str>, path: &'p str) -> Option<(Arc<Exports>, &'p str)>;

    /// The module of this key.
    fn get(&self, key: &str) -> Option<Arc<Exports>>;
}

/// No other modules.
#[derive(Debug)]
pub struct NoModules;

impl Modules for NoModules {
    fn find<'p>(&self, _: Option<&str>, _: &'p str) -> Option<(Arc<Exports>, &'p str)> {
        None
    }

    fn get(&self, _: &str) -> Option<Arc<Exports>> {
        None
    }
}

/// What a dotted path means.
#[derive(Clone, Debug)]
pub enum Foreign {
    /// A module.
    Module(Arc<Exports>),
    /// A function of a module, by name.
    Function(Arc<Exports>, Arc<str>),
    /// A class.
    Class(Arc<Exports>, Arc<str>),
    /// A variable that holds what a call of this dotted path, as the module writes it, gave.
    CallResult(Arc<Exports>, Arc<str>),
    /// Attributes of a class or variable: `queue.put`.
    Member(Box<Foreign>, Arc<str>),
}

impl Foreign {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Module(a), Self::Module(b)) => a.key == b.key,
            (Self::Function(a, f), Self::Function(b, g))
            | (Self::Class(a, f), Self::Class(b, g))
            | (Self::CallResult(a, f), Self::CallResult(b, g)) => a.key == b.key && f == g,
            (Self::Member(a, f), Self::Member(b, g)) => a.is(b) && f == g,
            _ => false,
        }
    }
}

/// How far from a class to the classes that it names a fingerprint goes.
const MAX_DEPTH: u32 = 3;

/// So many re-exports and star imports are followed: more is a circle.
const MAX_STEPS: u32 = 24;

/// What a dotted path means; `from` is the key of the module that says it, `None` the file at hand.
pub fn follow(modules: &dyn Modules, from: Option<&str>, path: &str) -> Option<Foreign> {
    follow_on(modules, from, path, &mut 0)
}

fn follow_on(modules: &dyn Modules, from: Option<&str>, path: &str, steps: &mut u32) -> Option<Foreign> {
    *steps += 1;
    if *steps > MAX_STEPS {
        return None;
    }
    let (exports, rest) = modules.find(from, path)?;
    if rest.is_empty() {
        return Some(Foreign::Module(exports));
    }
    let (name, members) = rest.split_once('.').map_or((rest, None), |(name, members)| (name, Some(members)));
    let found = match exports.names.meaning(name) {
        Some(Meaning::Import(path)) => {
            let path = members.map_or_else(|| path.clone(), |members| format!("{path}.{members}"));
            return follow_on(modules, Some(&exports.key), &path, steps);
        }
        Some(Meaning::Function { .. }) => Foreign::Function(exports, name.into()),
        Some(Meaning::Class) => Foreign::Class(exports, name.into()),
        Some(Meaning::CallResult(callee)) => Foreign::CallResult(exports.clone(), callee.as_str().into()),
        Some(Meaning::Bool(_) | Meaning::Other) => return None,
        None if name.starts_with('_') => return None,
        None => {
            let stars = exports.names.star_imports().iter();
            let mut found = stars.filter_map(|star| {
                follow_on(modules, Some(&exports.key), &format!("{star}.{rest}"), &mut steps.clone())
            });
            // Of several the last would win, but which of them has the name at run time is not known.
            let first = found.next()?;
            return found.all(|other| other.is(&first)).then_some(first);
        }
    };
    match members {
        None => Some(found),
        Some(members) => match found {
            Foreign::Class(..) | Foreign::CallResult(..) => Some(Foreign::Member(Box::new(found), members.into())),
            _ => None,
        },
    }
}

/// What a function or class is called in its module, by its key.
pub fn name_of(key: &str) -> &str {
    key.rsplit_once(':').map_or(key, |(_, name)| name)
}

/// Whether using what a dotted path means may make a task or coroutine.
pub fn may_make(modules: &dyn Modules, path: &str) -> bool {
    let makes = |exports: &Exports| {
        let is_async = |meaning: &Meaning| matches!(meaning, Meaning::Function { is_async: true, .. } | Meaning::Class);
        exports.names.iter().any(|(_, meaning)| is_async(meaning))
            || exports.summaries.values().any(|summary| matters(summary))
    };
    match follow(modules, None, path) {
        Some(Foreign::Function(exports, name)) => {
            matches!(exports.names.meaning(&name), Some(Meaning::Function { is_async: true, .. }))
                || exports.summaries.get(&name).is_some_and(|summary| matters(summary))
        }
        Some(Foreign::Module(exports) | Foreign::Class(exports, _) | Foreign::CallResult(exports, _)) => {
            makes(&exports)
        }
        Some(Foreign::Member(..)) => true,
        None => false,
    }
}

/// Whether it gives, or asks, a task or coroutine.
fn matters(summary: &Summary) -> bool {
    summary.returns != Returns::Unknown || summary.parameters.iter().any(|given| given.effect.is_some())
}

/// What the meaning of a dotted path depends on, in one number.
pub fn fingerprint(modules: &dyn Modules, path: &str) -> u64 {
    match follow(modules, None, path) {
        None => 0,
        Some(found) => {
            let mut hasher = FxHasher::default();
            depend(modules, &found, &mut hasher, 0);
            hasher.finish()
        }
    }
}

fn depend(modules: &dyn Modules, found: &Foreign, hasher: &mut FxHasher, depth: u32) {
    match found {
        Foreign::Module(exports) => (&exports.key, exports.fingerprint()).hash(hasher),
        Foreign::Function(exports, name) => {
            let returned = exports.names.returned(name);
            (&exports.key, name, exports.names.meaning(name), exports.summaries.get(name), returned).hash(hasher);
            if let Some(Returned::Instance(class)) = returned.filter(|_| depth < MAX_DEPTH) {
                written(modules, exports, class, hasher, depth);
            }
        }
        Foreign::Class(exports, name) => {
            // What its methods do for their callers goes with the class.
            let own = |of: &str| of.strip_prefix(&**name).is_some_and(|rest| rest.starts_with('.'));
            let mut methods: Vec<_> = exports.summaries.iter().filter(|(of, _)| own(of)).collect();
            methods.sort_unstable_by(|a, b| a.0.cmp(b.0));
            let class = exports.names.class(name);
            let members = class.into_iter().flat_map(|class| &class.members);
            let returned = members.filter_map(|(member, _)| exports.names.returned(&format!("{name}.{member}")));
            let returned: Vec<&Returned> = returned.collect();
            (&exports.key, name, class, methods, &returned).hash(hasher);
            let others = class.into_iter().flat_map(|class| {
                let made = class.attributes.iter().filter_map(|(_, attribute)| match attribute {
                    Attribute::CallResult(callee) => Some(callee),
                    Attribute::Task(_) | Attribute::List | Attribute::Other => None,
                });
                class.bases.iter().flatten().chain(made)
            });
            let given = returned.into_iter().filter_map(|returned| match returned {
                Returned::Instance(class) => Some(class),
                Returned::Itself => None,
            });
            for other in others.chain(given).filter(|_| depth < MAX_DEPTH) {
                written(modules, exports, other, hasher, depth);
            }
        }
        Foreign::CallResult(exports, callee) => {
            (&exports.key, callee).hash(hasher);
            written(modules, exports, callee, hasher, depth);
        }
        Foreign::Member(of, name) => {
            name.hash(hasher);
            depend(modules, of, hasher, depth);
        }
    }
}

/// A name as a module writes it.
fn written(modules: &dyn Modules, exports: &Arc<Exports>, name: &str, hasher: &mut FxHasher, depth: u32) {
    let root = name.split('.').next().unwrap_or(name);
    match exports.names.meaning(root) {
        Some(Meaning::Import(path)) => {
            let path = format!("{path}{}", &name[root.len()..]);
            if let Some(found) = follow(modules, Some(&exports.key), &path) {
                depend(modules, &found, hasher, depth + 1);
            }
        }
        Some(Meaning::Class) if root == name => {
            depend(modules, &Foreign::Class(exports.clone(), name.into()), hasher, depth + 1);
        }
        _ => {}
    }
}
