//! The classes of a module: their methods, their bases, and what their methods keep in `self`.
//!
//! In: the facts of an item and what its queries found. Out: one [`Class`] for each class at the top of the module, plain data. Names
//! in it are as written; [`super::Names`] says what they mean.

use rustc_hash::FxHashMap;
use tree_sitter::Node;

use super::query::{Found, Stored};
use super::{BindingKind, Facts, Role, ScopeId, ScopeKind};
use crate::text::Span;
use crate::tree::{named_children, text_of};

/// A class, as its body and its methods show it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// Its bases, in order, as dotted names; `None` for one that is something else.
    pub bases: Vec<Option<String>>,
    /// Neither a decorator nor a keyword (`metaclass=…`) makes something else of it.
    pub is_plain: bool,
    /// The names that its body binds, sorted.
    pub members: Vec<(String, Member)>,
    /// What its methods store in their first parameter, by attribute, sorted.
    pub attributes: Vec<(String, Attribute)>,
    /// Its methods do no more with `self` than to use its attributes: they give it to nobody.
    pub is_closed: bool,
}

/// A name that a class body binds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Member {
    /// By `def`.
    Method {
        /// `async def`.
        is_async: bool,
        /// It has a `yield` of its own.
        is_generator: bool,
        /// A decorator may make something else of it.
        decorated: bool,
        /// Whether it takes the instance, the class or neither.
        role: Role,
    },
    /// In another way, or in several.
    Other,
}

/// What an attribute of an instance holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Attribute {
    /// What a call of this dotted name gave, everywhere it is set.
    CallResult(String),
    /// A new list: `[]`.
    List,
    /// A task that runs one of these, whoever sets it; sorted. `None` counts as nothing, here and above.
    Task(Vec<Started>),
    /// Something else, or now this and now that.
    Other,
}

/// `create_task(worker())`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Started {
    /// What makes the task, as written: `asyncio.create_task`, `self.loop.create_task`.
    pub by: String,
    /// The coroutine function, as written: `worker`; `.run` for the method `run` of whoever keeps the task.
    pub runs: String,
}

impl Class {
    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.binary_search_by(|(of, _)| of.as_str().cmp(name)).ok().map(|index| &self.members[index].1)
    }

    /// What the methods keep in `self` under this name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.binary_search_by(|(of, _)| of.as_str().cmp(name)).ok().map(|index| &self.attributes[index].1)
    }
}

/// What a call of a function gives, as its author says; for an `async def`, what awaiting it gives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Returned {
    /// What the method was called on.
    Itself,
    /// An instance of the class of this name, as the annotation or the only `return` writes it.
    Instance(String),
}

/// What the functions at the top of the module and the methods of its classes give, by qualified name, where that is plain to see.
pub(super) fn returned(facts: &Facts, found: &Found<'_>, src: &str) -> Vec<(String, Returned)> {
    let mut all = Vec::new();
    for (index, opened) in found.scopes.iter().enumerate() {
        let Some(scope) = facts.scope(ScopeId(index as u32 + 1)) else { continue };
        let (Some(name), Some(parent)) = (scope.name, scope.parent) else { continue };
        if !matches!(scope.kind, ScopeKind::Function { is_generator: false, .. }) {
            continue;
        }
        let class = facts.scope(parent).filter(|of| of.kind == ScopeKind::Class && of.parent == Some(ScopeId(0)));
        let qualified = match class {
            Some(class) => format!("{}.{}", class.name.map(|name| name.of(src)).unwrap_or_default(), name.of(src)),
            None if parent == ScopeId(0) => name.of(src).to_owned(),
            None => continue,
        };
        all.extend(gives(opened.node, class.is_some(), src).map(|gives| (qualified, gives)));
    }
    all.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    // Of two with one name nobody knows which it is.
    let twice: Vec<String> = all.windows(2).filter(|two| two[0].0 == two[1].0).map(|two| two[0].0.clone()).collect();
    all.retain(|(name, _)| !twice.contains(name));
    all
}

fn gives(function: Node<'_>, is_method: bool, src: &str) -> Option<Returned> {
    let own = super::query::parameters(function, src).into_iter().next().filter(|_| is_method);
    if let Some(annotation) = function.child_by_field_name("return_type") {
        let written = bare(text_of(annotation, src));
        let of_self = own.as_ref().and_then(|(_, annotation)| annotation.as_deref());
        let is_self = matches!(written, "Self" | "typing.Self" | "t.Self") || of_self.map(bare) == Some(written);
        return match written {
            _ if is_method && is_self => Some(Returned::Itself),
            _ => is_class_like(written).then(|| Returned::Instance(written.to_owned())),
        };
    }
    let body = function.child_by_field_name("body")?;
    let last = named_children(body).last().filter(|last| last.kind() == "return_statement")?;
    if memchr::memmem::find_iter(text_of(body, src).as_bytes(), "return").count() > 1 {
        return None;
    }
    let value = last.named_child(0)?;
    match value.kind() {
        "identifier" if own.is_some_and(|(name, _)| text_of(name, src) == text_of(value, src)) => {
            Some(Returned::Itself)
        }
        "call" => {
            let callee = dotted(value.child_by_field_name("function")?, src)?;
            is_class_like(&callee).then_some(Returned::Instance(callee))
        }
        _ => None,
    }
}

/// Whether a dotted name looks like that of a class. Only these are noted as what a function gives: every other word would make its
/// callers depend on it for nothing.
pub fn is_class_like(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name).trim_start_matches('_');
    last.starts_with(char::is_uppercase) && !matches!(last, "None" | "Any")
}

/// An annotation without `Optional[…]`, `| None`, quotes and type arguments.
pub fn bare(annotation: &str) -> &str {
    let mut text = annotation.trim().trim_matches(['"', '\'']);
    for optional in ["Optional[", "typing.Optional[", "t.Optional["] {
        if let Some(inner) = text.strip_prefix(optional).and_then(|rest| rest.strip_suffix(']')) {
            text = inner.trim().trim_matches(['"', '\'']);
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

/// The classes at the top of the module, of one item.
pub(super) fn classes(facts: &Facts, found: &Found<'_>, src: &str) -> Vec<Class> {
    let mut classes = Vec::new();
    for (index, opened) in found.scopes.iter().enumerate() {
        let id = ScopeId(index as u32 + 1);
        let Some(scope) = facts.scope(id).filter(|scope| scope.kind == ScopeKind::Class) else { continue };
        let Some(name) = scope.name.filter(|_| scope.parent == Some(ScopeId(0))) else { continue };
        let (bases, keywords) = bases(opened.node, src);
        let mut members: Vec<(String, Member)> =
            scope.symbols.iter().filter_map(|(name, symbol)| Some((name.clone(), member(&symbol.bindings)?))).collect();
        members.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        classes.push(Class {
            name: name.of(src).to_owned(),
            bases,
            is_plain: !keywords && !found.decorated.contains_key(&scope.span.start),
            members,
            attributes: attributes(facts, id, &found.stored, src),
            is_closed: is_closed(scope.span.of(src)),
        });
    }
    classes
}

fn member(bindings: &[super::Binding]) -> Option<Member> {
    let mut kinds = bindings.iter().map(|binding| &binding.kind).filter(|kind| **kind != BindingKind::Declaration);
    let member = |kind: &BindingKind| match *kind {
        BindingKind::Function { is_async, is_generator, decorated, role } => {
            Member::Method { is_async, is_generator, decorated, role }
        }
        _ => Member::Other,
    };
    let first = member(kinds.next()?);
    Some(if kinds.all(|kind| member(kind) == first) { first } else { Member::Other })
}

/// The bases of a class, and whether it has keywords that matter.
fn bases(class: Node<'_>, src: &str) -> (Vec<Option<String>>, bool) {
    let (mut bases, mut keywords) = (Vec::new(), false);
    for base in class.child_by_field_name("superclasses").into_iter().flat_map(named_children) {
        match base.kind() {
            "keyword_argument" => {
                let value = base.child_by_field_name("value").map(|value| text_of(value, src));
                keywords |= !value.is_some_and(|value| value.ends_with("ABCMeta"));
            }
            // `Generic[T]` and its kind.
            "subscript" => bases.push(base.child_by_field_name("value").and_then(|value| dotted(value, src))),
            _ => bases.push(dotted(base, src)),
        }
    }
    (bases, keywords)
}

fn dotted(node: Node<'_>, src: &str) -> Option<String> {
    super::query::is_dotted(node).then(|| super::names::without_blanks(text_of(node, src)))
}

/// Whether `self` stands in a class only before a dot and as the first parameter of each method. By words: what is in a comment counts.
fn is_closed(text: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut methods = 0;
    for at in memchr::memmem::find_iter(text.as_bytes(), "self") {
        let (before, behind) = (&text[..at], &text[at + "self".len()..]);
        if before.ends_with(is_word) || behind.starts_with(is_word) || behind.starts_with('.') {
            continue;
        }
        let line = before.rsplit('\n').next().unwrap_or_default().trim_start();
        let is_parameter =
            line.strip_suffix('(').is_some_and(|line| line.starts_with("def ") || line.starts_with("async def "))
                && !line[..line.len() - 1].contains('(');
        if !is_parameter {
            return false;
        }
        methods += 1;
    }
    memchr::memmem::find_iter(text.as_bytes(), "def ").count() == methods
}

/// What the methods of the class store in their first parameter.
fn attributes(facts: &Facts, class: ScopeId, stored: &[Stored], src: &str) -> Vec<(String, Attribute)> {
    let mut known: FxHashMap<&str, Option<Attribute>> = FxHashMap::default();
    for Stored { object, name, value } in stored {
        let from = facts.scope_at(object.start);
        if receiver_of(facts, from, object.of(src), src).is_none_or(|(of, _)| of != class) {
            continue;
        }
        let known = known.entry(name.of(src)).or_default();
        *known = match (known.take(), value.clone()) {
            (Some(Attribute::Task(mut all)), Some(Attribute::Task(more))) => {
                all.extend(more);
                all.sort_unstable();
                all.dedup();
                Some(Attribute::Task(all))
            }
            (Some(known), Some(value)) if known != value => Some(Attribute::Other),
            (known, value) => known.or(value),
        };
    }
    let or_other = |(name, attribute): (&str, Option<Attribute>)| {
        // What is only ever `None` here is something else to somebody.
        (name.to_owned(), attribute.unwrap_or(Attribute::Other))
    };
    let mut attributes: Vec<_> = known.into_iter().map(or_other).collect();
    attributes.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    attributes
}

/// The class whose instance (or which itself, where the flag says so) `name` is where the scope `from` evaluates it: it is the
/// first parameter of a method, and nothing else binds it.
pub fn receiver_of(facts: &Facts, from: ScopeId, name: &str, src: &str) -> Option<(ScopeId, bool)> {
    let super::Resolved::Local(owner) = facts.resolve(from, name) else { return None };
    let method = facts.scope(owner)?;
    let class = method.parent.filter(|&parent| facts.scope(parent).is_some_and(|of| of.kind == ScopeKind::Class))?;
    if !matches!(method.kind, ScopeKind::Function { .. }) {
        return None;
    }
    let symbol = method.symbols.get(name)?;
    let [only] = symbol.bindings.as_slice() else { return None };
    if !matches!(only.kind, BindingKind::Parameter(_)) || symbol.rebound_inside {
        return None;
    }
    let is_first = !method
        .symbols
        .values()
        .flat_map(|symbol| &symbol.bindings)
        .any(|binding| matches!(binding.kind, BindingKind::Parameter(_)) && binding.span.start < only.span.start);
    let role = role_of(facts, class, method.name?, src)?;
    (is_first && role != Role::Static).then_some((class, role == Role::Class))
}

/// The role of the method whose name stands here.
fn role_of(facts: &Facts, class: ScopeId, name: Span, src: &str) -> Option<Role> {
    let symbol = facts.symbol(class, name.of(src))?;
    symbol.bindings.iter().find(|binding| binding.span == name).and_then(|binding| match binding.kind {
        BindingKind::Function { role, .. } => Some(role),
        _ => None,
    })
}
