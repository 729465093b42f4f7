//! Scopes, bindings, calls, awaits and imports of a file, asked of its trees by `queries/*.scm`.
//!
//! In: the tree and the text of one item. Out: its [`Facts`], plain data without a reference to the tree, and over those of all
//! items the [`ModuleNames`]; [`Names`] puts both together and says what a name means at a place. The rules are those of
//! CPython's `symtable`, against which the tests compare them.
//!
//! - `query` what the queries find in a tree
//! - `extract` what was found, put into scopes
//! - `resolve` which scope evaluates a place, which scope a name belongs to
//! - `classes` what the classes hold
//! - `module` what the names of the module mean, over all items
//! - `isolation` which functions share nothing with each other
//! - `names` dotted names through imports, and back

mod classes;
mod extract;
mod isolation;
mod module;
mod names;
mod query;
mod resolve;

pub use classes::{Attribute, Class, Member, Returned, Started, bare, is_class_like, receiver_of};
pub use extract::extract;
pub use isolation::{Mentions, isolated};
pub use module::{ItemNames, Meaning, ModuleNames, hashed};
pub use names::Names;
pub use resolve::Resolved;

use rustc_hash::FxHashMap;

use crate::text::Span;

/// Index of a scope in [`Facts::scopes`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct ScopeId(pub u32);

/// What the tree of one item says. Spans are bytes of the item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// `scopes[0]` is the module's scope, as far as this item shows it; a parent stands before its children.
    pub scopes: Vec<Scope>,
    /// Every call, by place.
    pub calls: Vec<Call>,
    /// Every `await` expression, by place.
    pub awaits: Vec<Span>,
    /// The classes at the top of the module.
    pub classes: Vec<Class>,
    /// What the functions at the top of the module and the methods of its classes give, by qualified name, sorted.
    pub returned: Vec<(String, Returned)>,
    /// The coroutine functions of the module and of its classes that keep what they are under decorators: by qualified name,
    /// with the names of the decorators as written.
    pub decorated: Vec<(String, Vec<String>)>,
    /// Every `async for` and `async with`, of statements and comprehensions: these two words, by place.
    pub asyncs: Vec<Span>,
    /// The modules of `from MODULE import *`, relative ones with their dots.
    pub star_imports: Vec<String>,
    /// The names of the module that a scope of this item binds through `global`.
    pub rebound_globals: Vec<String>,
    /// Which scope evaluates what: from each offset on, up to the next one, that scope. Sorted by offset.
    zones: Vec<(u32, ScopeId)>,
}

/// One of Python's scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// What opens it.
    pub kind: ScopeKind,
    /// The name after `def` or `class`.
    pub name: Option<Span>,
    /// The whole node that opens it (a `def` without its decorators). Decorators, defaults, annotations, bases and the first
    /// iterable of a comprehension lie in the parent's scope although they may lie in this span.
    pub span: Span,
    /// The part of `span` that the parent evaluates: from `def`, `class` or `lambda` to the body; the first iterable of a
    /// comprehension. A type parameter in it belongs to the scope, although nothing else does.
    pub outside: Span,
    /// The scope around it, which evaluates it; `None` for the module's.
    pub parent: Option<ScopeId>,
    /// The names that it binds or declares.
    pub symbols: FxHashMap<String, Symbol>,
    /// The tree holds a parse error in this scope's own code or in that of a scope in it.
    pub broken: bool,
}

/// What opens a scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScopeKind {
    /// The module.
    Module,
    /// A class body: its names are not seen from the functions in it.
    Class,
    /// A `def` or `async def`.
    Function {
        /// `async def`.
        is_async: bool,
        /// It has a `yield` of its own.
        is_generator: bool,
    },
    /// A `lambda`.
    Lambda,
    /// A list, set or dict comprehension: runs at once.
    Comprehension,
    /// A generator expression: runs when somebody asks for its values.
    GeneratorExpression,
}

/// A name in a scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symbol {
    /// Every place that binds it in this scope, by place.
    pub bindings: Vec<Binding>,
    /// `global NAME` stands in this scope: it means the module's name.
    pub is_global: bool,
    /// `nonlocal NAME` stands in this scope: it means that of a function around it.
    pub is_nonlocal: bool,
    /// A scope in this one reads it (comprehensions, which run in place, do not count). For a name of the module: a scope in
    /// the same item.
    pub captured: bool,
    /// A scope in this one binds it, by `nonlocal` (or `global`, for the module's scope).
    pub rebound_inside: bool,
}

/// A place that binds a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The name itself.
    pub span: Span,
    /// How.
    pub kind: BindingKind,
    /// It stands below `if TYPE_CHECKING:` and does not exist at run time.
    pub typing_only: bool,
}

/// How a name is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindingKind {
    /// A parameter, with its annotation's text. `*args` and `**kwargs` have none: theirs is that of their elements.
    Parameter(Option<String>),
    /// `import a.b as c`, `from a import b as c`: the dotted path of what it means. `import a.b` binds `a` to `a`. A relative
    /// import keeps its dots: `from .a import b` is `.a.b`.
    Import(String),
    /// `def`.
    Function {
        /// `async def`.
        is_async: bool,
        /// It has a `yield` of its own.
        is_generator: bool,
        /// A decorator may make something else of it.
        decorated: bool,
        /// In a class: what it takes.
        role: Role,
    },
    /// `class`.
    Class,
    /// `name = CALLEE(...)` or `name := CALLEE(...)` with a plain dotted callee, as written: `asyncio.get_running_loop`.
    CallResult(String),
    /// `name = True` or `name = False`.
    Bool(bool),
    /// A type parameter. Unlike the other names of a class, functions in the class see it.
    TypeParameter,
    /// An annotation without a value: makes the name one of this scope and binds nothing.
    Declaration,
    /// Any other way: assignment, `for`, `with`, `except`, walrus, pattern, `del`.
    Other,
}

/// What a method takes as its first argument.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Role {
    /// The instance.
    #[default]
    Instance,
    /// The class: `@classmethod`.
    Class,
    /// Neither: `@staticmethod`.
    Static,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The whole expression.
    pub span: Span,
    /// What is called.
    pub callee: Span,
    /// The last name of what is called: `result` in `task.result()`, `f` in `f()`.
    pub name: Option<Span>,
    /// The innermost scope that evaluates it.
    pub scope: ScopeId,
}
