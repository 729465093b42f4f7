//! What a file does with one of its functions: who calls it, and who uses it in another way.
//!
//! In: a [`View`] and a [`Function`]. Out: every [`Use`] of it that can be seen. A word of that name that provably means something else
//! is left out; one that may mean the function and cannot be proved to call it is a use of the other kind. So "all uses are
//! calls" is a proof as far as the file goes.

use tree_sitter::Node;

use super::Need;
use super::beyond::View;
use super::edits::{mentions, words};
use super::place::{span, text};
use crate::facts::{BindingKind, Facts, Meaning, Resolved, ScopeId, ScopeKind};
use crate::text::Span;
use crate::tree::{children, named_children, quirks};

/// A function of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Function<'a> {
    /// The index of its item.
    pub item: usize,
    /// Its scope.
    pub scope: ScopeId,
    pub name: &'a str,
    owner: Owner<'a>,
}

/// Whose name a function's name is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Owner<'a> {
    Module,
    Function(ScopeId),
    Class { scope: ScopeId, name: &'a str },
}

/// A place that uses a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Use {
    /// The index of the item.
    pub item: usize,
    /// Bytes of the item: the whole call, or else the name.
    pub at: Span,
    pub is_call: bool,
}

/// How a function's decorators and class let it become `async`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fit {
    /// What calls it is in view.
    Yes,
    /// A decorator or a base class out of view may have to do with it.
    Perhaps,
    /// Python or the base class calls it, and awaits nothing.
    No,
}

/// Methods with names like `__init__` that Python awaits.
const AWAITED: [&str; 3] = ["__aenter__", "__aexit__", "__anext__"];

/// Decorators under which a coroutine function is one still.
const TRANSPARENT: [&str; 7] = [
    "staticmethod",
    "classmethod",
    "abstractmethod",
    "abc.abstractmethod",
    "final",
    "typing.final",
    "typing_extensions.final",
];

/// Decorators under which a coroutine function is of no use; also `NAME.setter` and its kind.
const OPAQUE: [&str; 12] = [
    "property",
    "cached_property",
    "functools.cached_property",
    "lru_cache",
    "functools.lru_cache",
    "cache",
    "functools.cache",
    "override",
    "typing.override",
    "overload",
    "typing.overload",
    "contextlib.contextmanager",
];

/// Base classes without methods that a class could override.
const BARE: [&str; 7] = ["object", "ABC", "abc.ABC", "Generic", "typing.Generic", "Protocol", "typing.Protocol"];

impl<'a> Function<'a> {
    /// The function of this scope.
    pub fn of(view: &View<'a>, item: usize, scope: ScopeId) -> Option<Self> {
        let (src, _, facts) = view.parsed(item)?;
        let this = facts.scope(scope)?;
        let name = this.name?.of(src);
        let parent = this.parent?;
        let owner = match facts.scope(parent)?.kind {
            ScopeKind::Module => Owner::Module,
            ScopeKind::Class => Owner::Class { scope: parent, name: facts.scope(parent)?.name?.of(src) },
            ScopeKind::Function { .. } => Owner::Function(parent),
            _ => return None,
        };
        Some(Self { item, scope, name, owner })
    }

    /// Whether it may become `async`, as far as it alone tells.
    pub fn fit(&self, view: &View<'a>) -> Fit {
        let Some((src, root, facts)) = view.parsed(self.item) else { return Fit::No };
        let Some(scope) = facts.scope(self.scope) else { return Fit::No };
        let is_generator = matches!(scope.kind, ScopeKind::Function { is_generator: true, .. });
        let is_dunder = self.name.starts_with("__") && self.name.ends_with("__") && !AWAITED.contains(&self.name);
        if is_generator || is_dunder || scope.broken {
            return Fit::No;
        }
        let mut fit = Fit::Yes;
        for decorator in decorators(root, scope.span, src) {
            let member = decorator.rsplit('.').next().unwrap_or_default();
            if OPAQUE.contains(&decorator) || ["setter", "getter", "deleter", "contextmanager"].contains(&member) {
                return Fit::No;
            }
            if !TRANSPARENT.contains(&decorator) {
                fit = Fit::Perhaps;
            }
        }
        match self.owner {
            Owner::Class { scope, .. } if !AWAITED.contains(&self.name) => fit.and(self.overrides(view, scope)),
            _ => fit,
        }
    }

    /// Whether a base class of the class has the method.
    fn overrides(&self, view: &View<'a>, class: ScopeId) -> Fit {
        let Some((src, root, facts)) = view.parsed(self.item) else { return Fit::No };
        let Some(class) = facts.scope(class) else { return Fit::No };
        let mut fit = Fit::Yes;
        for base in bases(root, class.span, src) {
            if BARE.contains(&base) {
                continue;
            }
            // Of the classes in view only the bases are looked at, not what those derive from.
            let in_view =
                view.items.iter().filter_map(|item| Some((item.src, item.parsed?.1))).find_map(|(src, facts)| {
                    facts
                        .scopes
                        .iter()
                        .position(|scope| {
                            scope.kind == ScopeKind::Class && scope.name.is_some_and(|name| name.of(src) == base)
                        })
                        .map(|index| (facts, ScopeId(index as u32)))
                });
            match in_view {
                Some((facts, id)) if facts.symbol(id, self.name).is_some() => return Fit::No,
                _ => fit = Fit::Perhaps,
            }
        }
        fit
    }

    /// Everything in the file that uses it.
    pub fn uses(&self, view: &View<'a>) -> Result<Vec<Use>, Need> {
        let mut uses = Vec::new();
        for (item, of) in view.items.iter().enumerate() {
            if !mentions(of.src, self.name) {
                continue;
            }
            let Some((root, facts)) = of.parsed else { return Err(Need::Word(self.name.to_owned())) };
            for at in words(of.src, self.name) {
                let node = root.descendant_for_byte_range(at, at + self.name.len());
                // In a string or a comment it is no name.
                let Some(node) = node.filter(|node| node.kind() == "identifier" && node.start_byte() == at) else {
                    continue;
                };
                uses.extend(self.use_at(view, item, facts, node));
            }
        }
        Ok(uses)
    }

    fn use_at(&self, view: &View<'a>, item: usize, facts: &Facts, node: Node<'a>) -> Option<Use> {
        let parent = node.parent()?;
        let fills = |field: &str| parent.child_by_field_name(field) == Some(node);
        let (callee, certain) = match parent.kind() {
            "attribute" if fills("attribute") => {
                (parent, self.is_method_of(view, item, facts, parent.child_by_field_name("object")?)?)
            }
            "keyword_argument" if fills("name") => return None,
            "dotted_name" | "global_statement" | "nonlocal_statement" => return None,
            _ => {
                if self.is_definition(item, facts, node) {
                    return None;
                }
                let binding = facts.scopes.iter().enumerate().find_map(|(index, scope)| {
                    let bindings = &scope.symbols.get(self.name)?.bindings;
                    bindings.iter().any(|binding| binding.span == span(node)).then_some(ScopeId(index as u32))
                });
                match binding {
                    // The same name given to something else: then nobody knows what a call calls.
                    Some(scope) if self.is_overridden(view, item, facts, scope) => (node, false),
                    Some(_) => return None,
                    None if self.owns(item, facts.resolve(facts.scope_at(node.start_byte() as u32), self.name)) => {
                        (node, true)
                    }
                    None => return None,
                }
            }
        };
        // `[*f().x]` has the star inside of the call.
        let callee = callee.parent().filter(|star| star.kind() == "list_splat").unwrap_or(callee);
        let call = callee.parent().filter(|call| call.child_by_field_name("function") == Some(callee));
        Some(match call.filter(|_| certain) {
            Some(call) => Use { item, at: quirks::expression_span(call), is_call: true },
            None => Use { item, at: span(node), is_call: false },
        })
    }

    /// Whether the identifier is the name after its own `def`.
    fn is_definition(&self, item: usize, facts: &Facts, node: Node<'_>) -> bool {
        item == self.item && facts.scope(self.scope).and_then(|scope| scope.name) == Some(span(node))
    }

    /// Whether a name that resolves like this is the function's own.
    fn owns(&self, item: usize, resolved: Resolved) -> bool {
        match (self.owner, resolved) {
            (Owner::Module, Resolved::Module) => true,
            (Owner::Function(owner) | Owner::Class { scope: owner, .. }, Resolved::Local(scope)) => {
                item == self.item && scope == owner
            }
            _ => false,
        }
    }

    /// Whether a binding of its name in this scope stands in its way: one more of the same scope, or that of a derived class.
    fn is_overridden(&self, view: &View<'a>, item: usize, facts: &Facts, scope: ScopeId) -> bool {
        let symbol = facts.symbol(scope, self.name);
        match self.owner {
            Owner::Module => scope == ScopeId(0) || symbol.is_some_and(|symbol| symbol.is_global),
            Owner::Function(owner) => {
                item == self.item && (scope == owner || symbol.is_some_and(|symbol| symbol.is_nonlocal))
            }
            Owner::Class { scope: owner, name } => {
                (item == self.item && scope == owner)
                    || facts.scope(scope).is_some_and(|other| {
                        other.kind == ScopeKind::Class
                            && view
                                .parsed(item)
                                .is_some_and(|(src, root, _)| bases(root, other.span, src).contains(&name))
                    })
            }
        }
    }

    /// Whether the `object` of an attribute of its name is of its class; `None` where it is something else.
    fn is_method_of(&self, view: &View<'a>, item: usize, facts: &Facts, object: Node<'a>) -> Option<bool> {
        let Owner::Class { name: class, .. } = self.owner else { return None };
        let object = quirks::without_star(object);
        let src = view.items[item].src;
        let from = facts.scope_at(object.start_byte() as u32);
        match object.kind() {
            "string" | "list" | "dictionary" | "set" | "tuple" | "integer" | "float" => None,
            "call" => {
                let callee = object.child_by_field_name("function")?;
                match text(src, callee) {
                    "super" => {
                        let method = facts.scope(facts.function_at(object.start_byte() as u32))?;
                        self.derives(view, item, facts, method.parent?, false)
                    }
                    name if name == class && self.is_class(view, item, facts, from) => Some(true),
                    _ => Some(false),
                }
            }
            "identifier" => {
                let name = text(src, object);
                if name == class && self.is_class(view, item, facts, from) {
                    return Some(true);
                }
                let Resolved::Local(owner) = facts.resolve(from, name) else {
                    return match view.module.meaning(name) {
                        Some(Meaning::Import(_) | Meaning::Class | Meaning::Function { .. }) => None,
                        Some(Meaning::CallResult(callee)) if callee == class => Some(true),
                        _ => Some(false),
                    };
                };
                match &facts.symbol(owner, name)?.bindings[..] {
                    [binding] => match &binding.kind {
                        BindingKind::Import(_) => None,
                        BindingKind::CallResult(callee)
                            if callee == class && self.is_class(view, item, facts, from) =>
                        {
                            Some(true)
                        }
                        BindingKind::Parameter(_) => self.is_self(view, item, facts, owner, binding.span),
                        _ => Some(false),
                    },
                    _ => Some(false),
                }
            }
            _ => Some(false),
        }
    }

    /// Whether a parameter of the function `method` is the `self` or `cls` of the class.
    fn is_self(&self, view: &View<'a>, item: usize, facts: &Facts, method: ScopeId, parameter: Span) -> Option<bool> {
        let scope = facts.scope(method)?;
        let (src, root, _) = view.parsed(item)?;
        let parameters = scope.symbols.values().flat_map(|symbol| &symbol.bindings);
        let first =
            parameters.filter(|other| matches!(other.kind, BindingKind::Parameter(_))).map(|other| other.span).min();
        let class = scope.parent?;
        let in_class = facts.scope(class)?.kind == ScopeKind::Class;
        if first != Some(parameter) || !in_class || decorators(root, scope.span, src).contains(&"staticmethod") {
            return Some(false);
        }
        self.derives(view, item, facts, class, true)
    }

    /// Whether an object of the class with this scope has the function for its method; `own`: one that it defines itself comes first.
    fn derives(&self, view: &View<'a>, item: usize, facts: &Facts, class: ScopeId, own: bool) -> Option<bool> {
        let Owner::Class { scope, name } = self.owner else { return None };
        if own && item == self.item && class == scope {
            return Some(true);
        }
        if own && facts.symbol(class, self.name).is_some() {
            return None;
        }
        let (src, root, _) = view.parsed(item)?;
        let bases = bases(root, facts.scope(class)?.span, src);
        if bases.contains(&name) {
            return Some(true);
        }
        // One of them may derive from the function's class in its turn.
        let known = |base: &&str| matches!(view.module.meaning(base), Some(Meaning::Class));
        if bases.iter().any(known) { Some(false) } else { None }
    }

    /// Whether the class's name means the class in this scope.
    fn is_class(&self, view: &View<'a>, item: usize, facts: &Facts, from: ScopeId) -> bool {
        let Owner::Class { scope, name } = self.owner else { return false };
        let parent = view.parsed(self.item).and_then(|(_, _, facts)| facts.scope(scope)?.parent);
        match (facts.resolve(from, name), parent) {
            (Resolved::Module, Some(ScopeId(0))) => matches!(view.module.meaning(name), Some(Meaning::Class)),
            (Resolved::Local(owner), Some(parent)) => item == self.item && owner == parent,
            _ => false,
        }
    }
}

impl Fit {
    /// The worse of both.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Perhaps,
        }
    }
}

/// What stands behind the `@` of each decorator of a `def`, without arguments.
fn decorators<'s>(root: Node<'_>, definition: Span, src: &'s str) -> Vec<&'s str> {
    let node = root.descendant_for_byte_range(definition.start as usize, definition.end as usize);
    let decorated = node.and_then(|node| node.parent()).filter(|parent| parent.kind() == "decorated_definition");
    let decorators = decorated.into_iter().flat_map(children).filter(|child| child.kind() == "decorator");
    decorators
        .filter_map(|decorator| decorator.named_child(0))
        .map(|expression| {
            if expression.kind() == "call" {
                expression.child_by_field_name("function").unwrap_or(expression)
            } else {
                expression
            }
        })
        .map(|expression| text(src, expression))
        .collect()
}

/// The base classes of a class as they are written, without what stands in brackets behind them.
fn bases<'s>(root: Node<'_>, class: Span, src: &'s str) -> Vec<&'s str> {
    let node = root.descendant_for_byte_range(class.start as usize, class.end as usize);
    let arguments = node.and_then(|node| node.child_by_field_name("superclasses"));
    let arguments = arguments.into_iter().flat_map(named_children).filter(|base| base.kind() != "keyword_argument");
    arguments.map(|base| text(src, base)).map(|base| base.split('[').next().unwrap_or(base)).collect()
}
