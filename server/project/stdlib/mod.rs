//! The standard library as an asyncio programmer meets it: which calls make a coroutine, what they and other calls give, who
//! consumes a coroutine, what decorators and base classes leave alone.
//!
//! Canonical dotted paths go in, as [`crate::facts::Names::dotted`] makes them (`asyncio.Queue` and not `asyncio.queues.Queue`,
//! `builtins.print`); rows of constant tables come out. No interpreter is asked at run time, since the one that will run the
//! program may not be there. [`table`] is typeshed's knowledge, the rest was written by hand, and `tests/stdlib/` has CPython
//! judge all of it.
//!
//! What is not in here is unknown, not absent: nothing is to be said about it.

mod consumers;
mod decorators;
#[rustfmt::skip]
mod table;

use std::borrow::Cow;

pub use consumers::{CONSUMERS, Consumer, ONLY_LOOK, Takes, When, consumer, only_looks};
pub use decorators::{DECORATORS, Decorated, decorator};

/// The versions of Python in which something holds, by the minor number: 11 is Python 3.11. 3.8 is the oldest that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The first; 8 also for what is older.
    pub since: u8,
    /// The last, if it is over.
    pub until: Option<u8>,
}

impl Versions {
    const ALL: Self = Self { since: 8, until: None };

    /// Whether it holds in Python 3.`minor`.
    pub fn contain(self, minor: u8) -> bool {
        self.since <= minor && self.until.is_none_or(|until| minor <= until)
    }
}

/// A function, or a member of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Of a function the canonical path, of a member its name in the class.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What a call of the function gives, what `await` makes of the coroutine, what the attribute holds.
    pub gives: Gives,
    /// Where it is so.
    pub versions: Versions,
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A coroutine function, with the name in `coroutine 'NAME' was never awaited`. For a method of the event loop it is the name
    /// on Linux and macOS; Windows and uvloop have other classes.
    Coroutine(&'static str),
    /// A plain function.
    Function,
    /// A property or attribute.
    Value,
    /// A plain function or an attribute; nothing is known but that it is no coroutine function.
    Other,
}

/// What an expression gives. That it may be `None` instead is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// Nothing that is in the tables.
    Unknown,
    /// The object whose method it is.
    Itself,
    /// An instance of the [`class`] of this path.
    Instance(&'static str),
    /// A tuple of so many elements.
    Tuple(&'static [Gives]),
}

/// A class.
#[derive(Debug)]
pub struct Class {
    /// Its canonical path.
    pub path: &'static str,
    /// Those of its bases that are in the table, by path, the first asked first.
    pub bases: &'static [&'static str],
    /// The members that make or give something, by name.
    pub members: &'static [Member],
    /// The names of its other public members, in any version of Python.
    pub others: &'static [&'static str],
}

impl Class {
    /// The member of this name, inherited ones included. `None`: the class has no public attribute of this name. About names
    /// that start with `_` the table says nothing, apart from what `with` and `for` call.
    pub fn member(&self, name: &str) -> Option<Member> {
        if let Ok(index) = self.members.binary_search_by(|member| member.name.cmp(name)) {
            return self.members.get(index).copied();
        }
        if let Ok(index) = self.others.binary_search(&name) {
            let name = self.others.get(index)?;
            return Some(Member { name, kind: Kind::Other, gives: Gives::Unknown, versions: Versions::ALL });
        }
        // Three levels at most, and none of the bases twice.
        self.bases.iter().find_map(|base| class(base)?.member(name))
    }

    /// What `y` is in `async with x as y`, or in `with x as y`, for an `x` of this class.
    pub fn entered(&'static self, is_async: bool) -> Option<&'static Class> {
        match self.member(if is_async { "__aenter__" } else { "__enter__" })?.gives {
            Gives::Itself => Some(self),
            Gives::Instance(path) => class(path),
            Gives::Unknown | Gives::Tuple(_) => None,
        }
    }
}

/// The function of this path, if it is a coroutine function or gives something known.
pub fn function(path: &str) -> Option<&'static Member> {
    let index = table::FUNCTIONS.binary_search_by(|function| function.name.cmp(path)).ok()?;
    table::FUNCTIONS.get(index)
}

/// The class of this path.
pub fn class(path: &str) -> Option<&'static Class> {
    let index = table::CLASSES.binary_search_by(|class| class.path.cmp(path)).ok()?;
    table::CLASSES.get(index)
}

/// All functions, sorted by path.
pub fn functions() -> &'static [Member] {
    table::FUNCTIONS
}

/// All classes, sorted by path.
pub fn classes() -> &'static [Class] {
    table::CLASSES
}

/// The coroutine function of this path: a function, or a method as `asyncio.Queue.put`.
pub fn coroutine_function(path: &str) -> Option<Member> {
    let member = match function(path) {
        Some(function) => *function,
        None => {
            let (owner, name) = path.rsplit_once('.')?;
            class(owner)?.member(name)?
        }
    };
    matches!(member.kind, Kind::Coroutine(_)).then_some(member)
}

/// What a call of this path gives before any `await`: an instance, if it is a class.
pub fn called(path: &str) -> Gives {
    match (class(path), function(path)) {
        (Some(class), _) => Gives::Instance(class.path),
        (None, Some(Member { kind: Kind::Function, gives, .. })) => *gives,
        _ => Gives::Unknown,
    }
}

/// What `await` makes of a call of this path.
pub fn awaited(path: &str) -> Gives {
    coroutine_function(path).map_or(Gives::Unknown, |function| function.gives)
}

/// Whether a base class leaves the methods of its heirs alone and brings no public method of its own: it can be passed over when
/// a method is looked up. A path without its type arguments: `typing.Generic`.
pub fn is_neutral_base(path: &str) -> bool {
    let path = as_typing(path);
    NEUTRAL_BASES.contains(&&*path)
}

/// The path in `typing` for one in its twin for older versions of Python.
fn as_typing(path: &str) -> Cow<'_, str> {
    match path.strip_prefix("typing_extensions.") {
        Some(name) => Cow::Owned(format!("typing.{name}")),
        None => Cow::Borrowed(path),
    }
}

/// See [`is_neutral_base`]. An exception has `args`, `with_traceback` and `add_note`, a member of an enumeration `name` and `value`:
/// nobody calls a coroutine so.
#[rustfmt::skip]
pub const NEUTRAL_BASES: &[&str] = &[
    "abc.ABC", "builtins.ArithmeticError", "builtins.AssertionError", "builtins.BaseException", "builtins.Exception",
    "builtins.IndexError", "builtins.KeyError", "builtins.LookupError", "builtins.NotImplementedError",
    "builtins.RuntimeError", "builtins.TypeError", "builtins.ValueError", "builtins.object",
    "collections.abc.AsyncIterable", "collections.abc.AsyncIterator", "collections.abc.Awaitable",
    "collections.abc.Callable", "collections.abc.Collection", "collections.abc.Container", "collections.abc.Hashable",
    "collections.abc.Iterable", "collections.abc.Iterator", "collections.abc.Reversible", "collections.abc.Sized",
    "enum.Enum", "enum.Flag", "typing.AsyncIterable", "typing.AsyncIterator", "typing.Awaitable", "typing.Callable",
    "typing.Collection", "typing.Container", "typing.Generic", "typing.Hashable", "typing.Iterable", "typing.Iterator",
    "typing.Protocol", "typing.Reversible", "typing.Sized",
];

/// A row of the table: a coroutine function and its `__qualname__`.
const fn coroutine(name: &'static str, qualname: &'static str) -> Member {
    Member { name, kind: Kind::Coroutine(qualname), gives: Gives::Unknown, versions: Versions::ALL }
}

/// A row of the table: a plain function.
const fn plain(name: &'static str) -> Member {
    Member { name, kind: Kind::Function, gives: Gives::Unknown, versions: Versions::ALL }
}

/// A row of the table: a property or attribute.
const fn value(name: &'static str) -> Member {
    Member { name, kind: Kind::Value, gives: Gives::Unknown, versions: Versions::ALL }
}

impl Member {
    const fn gives(self, gives: Gives) -> Self {
        Self { gives, ..self }
    }

    const fn since(self, since: u8) -> Self {
        Self { versions: Versions { since, ..self.versions }, ..self }
    }

    const fn until(self, until: u8) -> Self {
        Self { versions: Versions { until: Some(until), ..self.versions }, ..self }
    }
}
