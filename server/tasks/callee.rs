//! What is called: which calls make a coroutine, by the names of the module, its classes, other modules and the standard library.
//!
//! A class is known by a name: of the module at hand (`Client`), the path of one of the standard library (`asyncio.Queue`), or the key of
//! one of another module ([`super::modules`]).

use std::sync::Arc;

use super::analysis::Analysis;
use super::modules::{Exports, Foreign, Modules, follow};
use super::summary::Summary;
use super::value::*;
use crate::facts::{Attribute as Held, Class, Meaning, Member, ModuleNames, Returned, bare};
use crate::project::stdlib::{self, Gives, Kind, Member as Library};

/// What a call does, as far as the name of what is called tells.
#[derive(Clone, Debug)]
pub(super) enum Callee {
    /// It makes a coroutine. `name` is Python's name for it, `key` that of its summary, where it is a function of a module in view.
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

    /// The class of what a function gives, by its key: what awaiting it gives, for an `async def`.
    pub(super) fn instance_given(&self, key: &str) -> Option<Arc<str>> {
        let lookup = self.lookup();
        match key.rsplit_once(':') {
            Some((module, name)) => {
                let exports = self.context.modules.get(module)?;
                At { lookup, names: &exports.names, exports: Some(&exports) }.instance_given(name)
            }
            None => At { lookup, names: self.context.module, exports: None }.instance_given(key),
        }
    }

    /// What `y` is in `with x as y`, for an `x` of this class.
    pub(super) fn entered(&self, instance: &Instance, is_async: bool) -> Value {
        if let Some(class) = stdlib::class(&instance.class) {
            return class.entered(is_async).map_or(Value::Unknown, |class| declared(class.path));
        }
        let enter = if is_async { "__aenter__" } else { "__enter__" };
        let (Callee::Coroutine { key: Some(key), .. } | Callee::Plain(key)) = self.method(&instance.class, enter)
        else {
            return Value::Unknown;
        };
        let own = |names: &ModuleNames, name: &str| names.returned(name) == Some(&Returned::Itself);
        let is_itself = match key.rsplit_once(':') {
            Some((module, name)) => self.context.modules.get(module).is_some_and(|of| own(&of.names, name)),
            None => own(self.context.module, &key),
        };
        match self.instance_given(&key) {
            Some(_) if is_itself => Value::Instance(instance.clone()),
            Some(class) => declared(&class),
            None => Value::Unknown,
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
            Some(Foreign::Member(of, members)) => {
                let Some(mut class) = self.lookup().class_behind(&of) else { return Callee::Unknown };
                let (attributes, method) =
                    members.rsplit_once('.').map_or((None, &*members), |(of, name)| (Some(of), name));
                for name in attributes.into_iter().flat_map(|names| names.split('.')) {
                    let instance = Instance { class, is_own: false, is_certain: false, is_class: false };
                    let Value::Instance(held) = self.attribute_of(&instance, name) else { return Callee::Unknown };
                    class = held.class;
                }
                self.method(&class, method)
            }
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
                    Some(Held::List | Held::Task(_) | Held::Other) => return Err(Value::Unknown),
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
        match at.class_made_by(callee) {
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

/// An instance of this class, as somebody says.
pub(super) fn declared(class: &str) -> Value {
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
    /// The class that a name means at the top of the module at hand.
    pub(super) fn class_of(self, written: &str) -> Option<Arc<str>> {
        At { lookup: self, names: self.own, exports: None }.class_of(written)
    }

    /// The class that a parameter's annotation names, as [`crate::facts::Names::annotated`] has it.
    pub(super) fn annotated(self, class: &str) -> Option<Arc<str>> {
        if !class.contains('.') {
            return self.own.class(class).map(|_| class.into());
        }
        if stdlib::class(class).is_some() {
            return Some(class.into()).filter(|_| !matters_as_task(class));
        }
        match follow(self.modules, None, class)? {
            Foreign::Class(exports, name) => Some(exports.key_of(&name)),
            _ => None,
        }
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
                At { lookup: self, names: &exports.names, exports: Some(exports) }.class_made_by(callee)
            }
            _ => None,
        }
    }

    /// The method that a class or its bases give. `None`: it may come from anywhere.
    fn method(self, class: &str, name: &str) -> Option<Callee> {
        // The bases in order, each before what is behind it: Python's own order but for diamonds.
        let mut open: Vec<Arc<str>> = vec![class.into()];
        for _ in 0..MAX_BASES {
            let class = open.pop()?;
            if let Some(known) = stdlib::class(&class) {
                match known.member(name).map(|member| member.kind) {
                    Some(Kind::Coroutine(name)) => return Some(Callee::Coroutine { name: name.into(), key: None }),
                    Some(_) => return None,
                    None => continue,
                }
            }
            match self.with(&class, |at, of| at.own_method(of, name))? {
                Step::Found(callee) => return Some(callee),
                Step::Bases(bases) => open.extend(bases.into_iter().rev()),
                Step::Nothing => return None,
            }
        }
        None
    }
}

/// What a class says of one of its methods.
enum Step {
    Found(Callee),
    /// Ask these.
    Bases(Vec<Arc<str>>),
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

    /// The class of what a function or method of the module gives.
    fn instance_given(&self, qualified: &str) -> Option<Arc<str>> {
        match self.names.returned(qualified)? {
            Returned::Itself => self.class_of(qualified.rsplit_once('.')?.0),
            Returned::Instance(written) => self.class_of(written),
        }
    }

    /// The class of what a call of this dotted name gives.
    fn class_made_by(&self, callee: &str) -> Option<Arc<str>> {
        let class = self.class_of(callee).or_else(|| self.instance_given(callee));
        class.or_else(|| {
            let path = module_path(self.names, callee)?;
            match follow(self.lookup.modules, self.exports.map(|exports| &*exports.key), &path)? {
                Foreign::Function(exports, name) => {
                    At { lookup: self.lookup, names: &exports.names, exports: Some(&exports) }.instance_given(&name)
                }
                _ => None,
            }
        })
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
        let mut bases = Vec::new();
        for base in &of.bases {
            let Some(base) = base.as_deref() else { return Step::Nothing };
            let path = module_path(self.names, base);
            if path.as_deref().or(Some(base)).is_some_and(stdlib::is_neutral_base) {
                continue;
            }
            match self.class_of(base) {
                Some(base) => bases.push(base),
                // What it has is not known, but what stands before it is asked first.
                None => {
                    bases.push(UNKNOWN.into());
                    break;
                }
            }
        }
        Step::Bases(bases)
    }
}

/// No class is called so: looking into it ends in not knowing.
const UNKNOWN: &str = "?";

/// Tasks and futures are followed from where they are made, and loops have a value of their own.
fn matters_as_task(class: &str) -> bool {
    matches!(class, "asyncio.Task" | "asyncio.Future" | "asyncio.TaskGroup") || class.ends_with("EventLoop")
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
