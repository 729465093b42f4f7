//! What is called: which calls make a coroutine, by the names of the module, its classes and the standard library.

use std::sync::Arc;

use super::analysis::Analysis;
use super::value::*;
use crate::facts::{Attribute as Held, Class, Meaning, Member, ModuleNames};
use crate::project::stdlib::{self, Gives, Kind, Member as Library};

/// What a call does, as far as the name of what is called tells.
#[derive(Clone, Debug)]
pub(super) enum Callee {
    /// It makes a coroutine. `name` is Python's name for it, `key` that of its summary, where it is a function of this file.
    Coroutine { name: Arc<str>, key: Option<Arc<str>> },
    /// It makes a coroutine of a function that is made in this one.
    Local(Local),
    /// It runs a function of this file, the key of its summary.
    Plain(Arc<str>),
    /// It makes an instance.
    Class(Arc<str>),
    /// Anything.
    Unknown,
}

/// How many bases above a class are looked at.
const MAX_BASES: usize = 16;

impl Analysis<'_> {
    /// What calling a function or class of the module does.
    pub(super) fn definition(&self, name: &Arc<str>) -> Callee {
        match self.context.module.meaning(name) {
            Some(Meaning::Function { is_async: true, is_generator: false, .. }) => {
                Callee::Coroutine { name: name.clone(), key: Some(name.clone()) }
            }
            Some(Meaning::Function { is_async: false, is_generator: false, .. }) => Callee::Plain(name.clone()),
            Some(Meaning::Class) => match self.context.module.class(name) {
                Some(class) if class.is_plain && class.member("__new__").is_none() => Callee::Class(name.clone()),
                _ => Callee::Unknown,
            },
            _ => Callee::Unknown,
        }
    }

    /// What calling this method of a class does.
    pub(super) fn method(&self, class: &str, name: &str) -> Callee {
        lookup(self.context.module, class, name, &mut 0).unwrap_or(Callee::Unknown)
    }

    /// What an attribute of an instance holds, where the methods of its class set it in one way.
    pub(super) fn attribute_of(&self, instance: &Instance, name: &str) -> Value {
        let module = self.context.module;
        if let Some(class) = stdlib::class(&instance.class) {
            return match class.member(name) {
                Some(Library { kind: Kind::Value, gives: Gives::Instance(class), .. }) => declared(class),
                _ => Value::Unknown,
            };
        }
        let mut class = module.class(&instance.class);
        for _ in 0..MAX_BASES {
            let Some(of) = class else { return Value::Unknown };
            if of.member(name).is_some() {
                return Value::Unknown;
            }
            match of.attribute(name) {
                Some(Held::CallResult(callee)) => return self.result_of_written(callee),
                Some(Held::Task(_) | Held::Other) => return Value::Unknown,
                None => {}
            }
            class = match of.bases.as_slice() {
                [Some(base)] => module.class(base),
                _ => None,
            };
        }
        Value::Unknown
    }

    /// What a call of this dotted path gave elsewhere in the file.
    pub(super) fn result_of(&self, path: &str) -> Value {
        if super::calls::gives_loop(path) { Value::Loop } else { self.given(stdlib::called(path)) }
    }

    /// What the table of the standard library says that an expression gives.
    pub(super) fn given(&self, gives: Gives) -> Value {
        match gives {
            Gives::Instance(class) if !matters_as_task(class) => declared(class),
            Gives::Tuple(items) => Value::Items(items.iter().map(|item| self.given(*item)).collect()),
            _ => Value::Unknown,
        }
    }

    /// The same for a callee as written at the top of the module.
    fn result_of_written(&self, callee: &str) -> Value {
        match class_of(self.context.module, callee) {
            Some(class) => declared(&class),
            None => match module_path(self.context.module, callee) {
                Some(path) => self.result_of(&path),
                None => Value::Unknown,
            },
        }
    }

    /// The class above the one whose method runs: what `super()` starts at.
    pub(super) fn base_of(&self, class: &str) -> Option<Arc<str>> {
        match self.context.module.class(class)?.bases.as_slice() {
            [Some(base)] => class_of(self.context.module, base),
            _ => None,
        }
    }
}

fn declared(class: &str) -> Value {
    let class = class.into();
    Value::Instance(Instance { class, is_own: false, is_certain: false, is_class: false })
}

/// The class that an annotation or a base names: one of the module by its name, one of the standard library by its path.
pub(super) fn class_of(module: &ModuleNames, written: &str) -> Option<Arc<str>> {
    let name = bare(written);
    if module.class(name).is_some() {
        return Some(name.into());
    }
    let is_known = |path: &str| stdlib::class(path).is_some() && !matters_as_task(path);
    if is_known(name) {
        return Some(name.into());
    }
    module_path(module, name).filter(|path| is_known(path)).map(|path| path.as_str().into())
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
pub(super) fn module_path(module: &ModuleNames, written: &str) -> Option<String> {
    let (root, rest) = written.split_once('.').map_or((written, None), |(root, rest)| (root, Some(rest)));
    match module.meaning(root)? {
        Meaning::Import(path) => Some(match rest {
            Some(rest) => format!("{path}.{rest}"),
            None => path.clone(),
        }),
        _ => None,
    }
}

/// The method that a class or its bases give. `None`: it may come from anywhere.
fn lookup(module: &ModuleNames, class: &str, name: &str, seen: &mut usize) -> Option<Callee> {
    *seen += 1;
    if *seen > MAX_BASES {
        return None;
    }
    if let Some(known) = stdlib::class(class) {
        return match known.member(name)?.kind {
            Kind::Coroutine(name) => Some(Callee::Coroutine { name: name.into(), key: None }),
            _ => None,
        };
    }
    let of: &Class = module.class(class)?;
    // An attribute of the instance hides a method.
    if of.attribute(name).is_some() {
        return None;
    }
    if let Some(member) = of.member(name) {
        let key: Arc<str> = format!("{class}.{name}").into();
        return match member {
            Member::Method { is_async: true, is_generator: false, decorated: false, .. } => {
                Some(Callee::Coroutine { name: key.clone(), key: Some(key) })
            }
            Member::Method { is_async: false, is_generator: false, decorated: false, .. } => Some(Callee::Plain(key)),
            _ => None,
        };
    }
    for base in &of.bases {
        let base = base.as_deref()?;
        let path = module_path(module, base);
        if path.as_deref().or(Some(base)).is_some_and(stdlib::is_neutral_base) {
            continue;
        }
        let base = class_of(module, base)?;
        return lookup(module, &base, name, seen);
    }
    None
}
