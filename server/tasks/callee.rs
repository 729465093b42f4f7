//! What is called: which calls make a coroutine, by the names of the module, its classes, other modules and the standard library.
//!
//! A class is known by a name: of the module at hand (`Client`), the path of one of the standard library (`asyncio.Queue`), or the key of
//! one of another module ([`super::modules`]).

use std::sync::Arc;

use super::analysis::Analysis;
use super::modules::{Exports, Foreign, Modules, follow};
use super::summary::Summary;
use super::value::*;
use crate::facts::{Attribute as Held, Class, Meaning, Member, ModuleNames};
use crate::project::stdlib::{self, Gives, Kind, Member as Library};

/// What a call does, as far as the name of what is called tells.
#[derive(Clone, Debug)]
pub(super) enum Callee {
    /// It makes a coroutine. `name` is Python's name for it, `key` that of its summary, where it is a function of a module in view.
    Coroutine { name: Arc<str>, key: Option<Arc<str>> },
    /// It runs a function of a module in view, the key of its summary.
    Plain(Arc<str>),
    /// It makes an instance.
    Class(Arc<str>),
    /// Anything.
    Unknown,
}

/// How many bases above a class are looked at.
const MAX_BASES: usize = 16;

impl Analysis<'_> {
    fn lookup(&self) -> Lookup<'_> {
        Lookup { own: self.context.module, modules: self.context.modules }
    }

    /// What calling a function or class of the module does.
    pub(super) fn definition(&self, name: &str) -> Callee {
        match name.rsplit_once(':') {
            Some((module, name)) => match self.context.modules.get(module) {
                Some(exports) => in_module(&exports.names, Some(&exports), name),
                None => Callee::Unknown,
            },
            None => in_module(self.context.module, None, name),
        }
    }

    /// What a function does for its callers, by its key.
    pub(super) fn summary_of(&self, key: &str) -> Option<Arc<Summary>> {
        match key.rsplit_once(':') {
            Some((module, name)) => self.context.modules.get(module)?.summaries.get(name).cloned(),
            None => (self.context.summary)(key),
        }
    }

    /// What calling this method of a class does.
    pub(super) fn method(&self, class: &str, name: &str) -> Callee {
        self.lookup().method(class, name).unwrap_or(Callee::Unknown)
    }

    /// What calling what an import brings does, where another module makes it.
    pub(super) fn imported(&self, path: &str) -> Callee {
        match follow(self.context.modules, None, path) {
            Some(Foreign::Function(exports, name) | Foreign::Class(exports, name)) => {
                in_module(&exports.names, Some(&exports), &name)
            }
            Some(Foreign::Member(of, name)) => match self.lookup().class_behind(&of) {
                Some(class) => self.method(&class, &name),
                None => Callee::Unknown,
            },
            _ => Callee::Unknown,
        }
    }

    /// What an attribute of an instance holds, where the methods of its class set it in one way.
    pub(super) fn attribute_of(&self, instance: &Instance, name: &str) -> Value {
        let lookup = self.lookup();
        let mut class = instance.class.clone();
        for _ in 0..MAX_BASES {
            if let Some(known) = stdlib::class(&class) {
                return match known.member(name) {
                    Some(Library { kind: Kind::Value, gives: Gives::Instance(class), .. }) => declared(class),
                    _ => Value::Unknown,
                };
            }
            let found = lookup.with(&class, |at, of| {
                if of.member(name).is_some() {
                    return Err(Value::Unknown);
                }
                match of.attribute(name) {
                    Some(Held::CallResult(callee)) => return Err(self.result_of_written(at, callee)),
                    Some(Held::Other) => return Err(Value::Unknown),
                    None => {}
                }
                match of.bases.as_slice() {
                    [Some(base)] => at.class_of(base).ok_or(Value::Unknown),
                    _ => Err(Value::Unknown),
                }
            });
            match found {
                Some(Ok(base)) => class = base,
                Some(Err(value)) => return value,
                None => return Value::Unknown,
            }
        }
        Value::Unknown
    }

    /// What a call of this dotted path gave elsewhere in the file.
    pub(super) fn result_of(&self, path: &str) -> Value {
        if super::calls::gives_loop(path) {
            return Value::Loop;
        }
        match self.given(stdlib::called(path)) {
            Value::Unknown => match follow(self.context.modules, None, path) {
                Some(Foreign::Class(exports, name)) => match in_module(&exports.names, Some(&exports), &name) {
                    Callee::Class(class) => declared(&class),
                    _ => Value::Unknown,
                },
                _ => Value::Unknown,
            },
            known => known,
        }
    }

    /// What the table of the standard library says that an expression gives.
    pub(super) fn given(&self, gives: Gives) -> Value {
        match gives {
            Gives::Instance(class) if !matters_as_task(class) => declared(class),
            Gives::Tuple(items) => Value::Items(items.iter().map(|item| self.given(*item)).collect()),
            _ => Value::Unknown,
        }
    }

    /// The same for a callee as a module writes it at its top.
    fn result_of_written(&self, at: &At<'_>, callee: &str) -> Value {
        match at.class_of(callee) {
            Some(class) => declared(&class),
            None => match module_path(at.names, callee) {
                Some(path) if at.exports.is_none() => self.result_of(&path),
                Some(path) if super::calls::gives_loop(&path) => Value::Loop,
                Some(path) => self.given(stdlib::called(&path)),
                None => Value::Unknown,
            },
        }
    }

    /// The class above the one whose method runs: what `super()` starts at.
    pub(super) fn base_of(&self, class: &str) -> Option<Arc<str>> {
        let base = self.lookup().with(class, |at, of| match of.bases.as_slice() {
            [Some(base)] => at.class_of(base),
            _ => None,
        });
        base.flatten()
    }
}

fn declared(class: &str) -> Value {
    let class = class.into();
    Value::Instance(Instance { class, is_own: false, is_certain: false, is_class: false })
}

/// What calling a function or class does by its name in the module that makes it.
fn in_module(names: &ModuleNames, exports: Option<&Exports>, name: &str) -> Callee {
    let key = || exports.map_or_else(|| name.into(), |exports| exports.key_of(name));
    match names.meaning(name) {
        // Lowering has looked at the decorators of those at hand.
        Some(Meaning::Function { decorated: true, .. }) if exports.is_some() => Callee::Unknown,
        Some(Meaning::Function { is_async: true, is_generator: false, .. }) => {
            Callee::Coroutine { name: name.into(), key: Some(key()) }
        }
        Some(Meaning::Function { is_async: false, is_generator: false, .. }) => Callee::Plain(key()),
        Some(Meaning::Class) => match names.class(name) {
            Some(class) if class.is_plain && class.member("__new__").is_none() => Callee::Class(key()),
            _ => Callee::Unknown,
        },
        _ => Callee::Unknown,
    }
}

/// Where names of classes are looked up.
#[derive(Clone, Copy)]
pub(super) struct Lookup<'a> {
    /// The names of the module at hand.
    pub own: &'a ModuleNames,
    pub modules: &'a dyn Modules,
}

/// A module, from within.
struct At<'a> {
    lookup: Lookup<'a>,
    names: &'a ModuleNames,
    /// `None` for the module at hand.
    exports: Option<&'a Exports>,
}

impl<'a> Lookup<'a> {
    /// The class that an annotation or a base names at the top of the module at hand.
    pub(super) fn class_of(self, written: &str) -> Option<Arc<str>> {
        At { lookup: self, names: self.own, exports: None }.class_of(written)
    }

    /// Looks at a class that some module in view makes.
    fn with<R>(self, class: &str, look: impl FnOnce(&At<'_>, &Class) -> R) -> Option<R> {
        match class.rsplit_once(':') {
            Some((module, name)) => {
                let exports = self.modules.get(module)?;
                let at = At { lookup: self, names: &exports.names, exports: Some(&exports) };
                exports.names.class(name).map(|class| look(&at, class))
            }
            None => {
                let at = At { lookup: self, names: self.own, exports: None };
                self.own.class(class).map(|class| look(&at, class))
            }
        }
    }

    /// The class of which this is, or holds an instance.
    fn class_behind(self, of: &Foreign) -> Option<Arc<str>> {
        match of {
            Foreign::Class(exports, name) => Some(exports.key_of(name)),
            Foreign::CallResult(exports, callee) => {
                At { lookup: self, names: &exports.names, exports: Some(exports) }.class_of(callee)
            }
            _ => None,
        }
    }

    /// The method that a class or its bases give. `None`: it may come from anywhere.
    fn method(self, class: &str, name: &str) -> Option<Callee> {
        let mut class: Arc<str> = class.into();
        for _ in 0..MAX_BASES {
            if let Some(known) = stdlib::class(&class) {
                return match known.member(name)?.kind {
                    Kind::Coroutine(name) => Some(Callee::Coroutine { name: name.into(), key: None }),
                    _ => None,
                };
            }
            match self.with(&class, |at, of| at.own_method(of, name))? {
                Step::Found(callee) => return Some(callee),
                Step::Base(base) => class = base,
                Step::Nothing => return None,
            }
        }
        None
    }
}

/// What a class says of one of its methods.
enum Step {
    Found(Callee),
    /// Ask this one.
    Base(Arc<str>),
    Nothing,
}

impl At<'_> {
    /// The class that an annotation or a base names.
    fn class_of(&self, written: &str) -> Option<Arc<str>> {
        let name = bare(written);
        if self.names.class(name).is_some() {
            return Some(self.exports.map_or_else(|| name.into(), |exports| exports.key_of(name)));
        }
        let is_known = |path: &str| stdlib::class(path).is_some() && !matters_as_task(path);
        if is_known(name) {
            return Some(name.into());
        }
        let path = module_path(self.names, name)?;
        if is_known(&path) {
            return Some(path.as_str().into());
        }
        match follow(self.lookup.modules, self.exports.map(|exports| &*exports.key), &path)? {
            Foreign::Class(exports, name) => Some(exports.key_of(&name)),
            _ => None,
        }
    }

    fn own_method(&self, of: &Class, name: &str) -> Step {
        // An attribute of the instance hides a method.
        if of.attribute(name).is_some() {
            return Step::Nothing;
        }
        if let Some(member) = of.member(name) {
            let qualified: Arc<str> = format!("{}.{name}", of.name).into();
            let key = self.exports.map_or_else(|| qualified.clone(), |exports| exports.key_of(&qualified));
            return match member {
                Member::Method { is_async: true, is_generator: false, decorated: false, .. } => {
                    Step::Found(Callee::Coroutine { name: qualified, key: Some(key) })
                }
                Member::Method { is_async: false, is_generator: false, decorated: false, .. } => {
                    Step::Found(Callee::Plain(key))
                }
                _ => Step::Nothing,
            };
        }
        for base in &of.bases {
            let Some(base) = base.as_deref() else { return Step::Nothing };
            let path = module_path(self.names, base);
            if path.as_deref().or(Some(base)).is_some_and(stdlib::is_neutral_base) {
                continue;
            }
            return self.class_of(base).map_or(Step::Nothing, Step::Base);
        }
        Step::Nothing
    }
}

/// Tasks and futures are followed from where they are made, and loops have a value of their own.
fn matters_as_task(class: &str) -> bool {
    matches!(class, "asyncio.Task" | "asyncio.Future" | "asyncio.TaskGroup") || class.ends_with("EventLoop")
}

/// An annotation without `Optional[…]`, `| None`, quotes and type arguments.
fn bare(annotation: &str) -> &str {
    let mut text = annotation.trim().trim_matches(['"', '\'']);
    for optional in ["Optional[", "typing.Optional[", "t.Optional["] {
        if let Some(inner) = text.strip_prefix(optional).and_then(|rest| rest.strip_suffix(']')) {
            text = inner.trim();
        }
    }
    if let Some((left, right)) = text.split_once('|') {
        text = match (left.trim(), right.trim()) {
            (of, "None") | ("None", of) => of,
            _ => text,
        };
    }
    text.split_once('[').map_or(text, |(of, _)| of.trim())
}

/// The dotted path of a name of the module that an import brings.
fn module_path(module: &ModuleNames, written: &str) -> Option<String> {
    let (root, rest) = written.split_once('.').map_or((written, None), |(root, rest)| (root, Some(rest)));
    match module.meaning(root)? {
        Meaning::Import(path) => Some(match rest {
            Some(rest) => format!("{path}.{rest}"),
            None => path.clone(),
        }),
        _ => None,
    }
}
