//! Paths of decorators in, what becomes of the function under them out. Written by hand.

use super::as_typing;

/// What a decorator makes of a coroutine function, or of a class with coroutine functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decorated {
    /// A call gives the coroutine that it would give without.
    Same,
    /// The same, and its heirs are there to replace it.
    Abstract,
    /// A call gives the coroutine, which has the name of the function that the decorator was given: `functools.wraps(f)`.
    Renamed,
    /// A call with arguments seen before gives the coroutine of the first call, which can be awaited only once.
    Cached,
    /// Reading the attribute is the call.
    Property,
    /// Reading the attribute the first time is the call; later the same coroutine comes out.
    CachedProperty,
    /// A call gives a context manager for `with`.
    ContextManager,
    /// A call gives a context manager for `async with`.
    AsyncContextManager,
    /// A call raises: what is declared here is somewhere else, or a test that is skipped.
    NeverRuns,
}

/// What the decorator of this path does, without its arguments: `functools.lru_cache` for both `@lru_cache` and
/// `@lru_cache(maxsize=9)`. `None`: unknown.
pub fn decorator(path: &str) -> Option<Decorated> {
    let path = as_typing(path);
    let index = DECORATORS.binary_search_by(|(known, _)| (*known).cmp(&path)).ok()?;
    DECORATORS.get(index).map(|(_, decorated)| *decorated)
}

/// By their paths, sorted.
pub const DECORATORS: &[(&str, Decorated)] = &[
    ("abc.abstractclassmethod", Decorated::Abstract),
    ("abc.abstractmethod", Decorated::Abstract),
    ("abc.abstractproperty", Decorated::Property),
    ("abc.abstractstaticmethod", Decorated::Abstract),
    ("atexit.register", Decorated::Same),
    ("builtins.classmethod", Decorated::Same),
    ("builtins.property", Decorated::Property),
    ("builtins.staticmethod", Decorated::Same),
    ("contextlib.asynccontextmanager", Decorated::AsyncContextManager),
    ("contextlib.contextmanager", Decorated::ContextManager),
    ("dataclasses.dataclass", Decorated::Same),
    ("enum.unique", Decorated::Same),
    ("functools.cache", Decorated::Cached),
    ("functools.cached_property", Decorated::CachedProperty),
    ("functools.lru_cache", Decorated::Cached),
    ("functools.total_ordering", Decorated::Same),
    ("functools.wraps", Decorated::Renamed),
    ("inspect.markcoroutinefunction", Decorated::Same),
    ("types.coroutine", Decorated::Same),
    ("typing.dataclass_transform", Decorated::Same),
    // Beside `warnings.deprecated`: `typing_extensions` has it too.
    ("typing.deprecated", Decorated::Same),
    ("typing.final", Decorated::Same),
    ("typing.no_type_check", Decorated::Same),
    ("typing.overload", Decorated::NeverRuns),
    ("typing.override", Decorated::Same),
    ("typing.runtime_checkable", Decorated::Same),
    ("unittest.expectedFailure", Decorated::Same),
    ("unittest.mock.patch", Decorated::Same),
    ("unittest.mock.patch.dict", Decorated::Same),
    ("unittest.mock.patch.multiple", Decorated::Same),
    ("unittest.mock.patch.object", Decorated::Same),
    ("unittest.skip", Decorated::NeverRuns),
    ("unittest.skipIf", Decorated::Same),
    ("unittest.skipUnless", Decorated::Same),
    ("warnings.deprecated", Decorated::Same),
];
