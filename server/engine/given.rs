//! What the callers in a file give for the parameters of a function: the class of `queue` in `async def produce(queue)`.
//!
//! In: the trees of the items that matter. Out: classes, by function and parameter. A parameter without an annotation has one where
//! all calls in the file give an instance of it. A function that is anything but called, or that stands in a string, has none: who
//! else calls it, and with what, is open. No call is looked at twice, only that of an item that was edited.

use rustc_hash::FxHashMap;

use super::usage::words;
use crate::facts::{BindingKind, Facts, Meaning, Names, Resolved, ScopeId, ScopeKind};
use crate::items::{Item, ItemKind};
use crate::text::Span;
use crate::tree::{Tree, named_children, text_of};

/// What one item has to do with the functions of the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Given {
    /// The parameters of the function that it defines, where each stands for one argument; the flag marks those without annotation.
    parameters: Vec<(String, bool)>,
    /// The calls, by function: a class for each argument, where that is known.
    calls: Vec<(String, Vec<Argument>)>,
    /// The functions that it mentions in another way.
    others: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Argument {
    keyword: Option<String>,
    class: Option<String>,
}

/// The classes of the parameters of each function, sorted by name.
pub(super) type Classes = FxHashMap<String, Vec<(String, String)>>;

impl Given {
    /// Of the item with this tree; `mentioned` are the names of the module in it, `own` is the one that it defines.
    pub fn of(tree: &Tree, names: &Names<'_>, mentioned: &[String], own: &str) -> Self {
        let mut this = Self::default();
        let Names { facts, module, src } = *names;
        let is_function = |name: &&str| {
            matches!(module.meaning(name), Some(Meaning::Function { decorated: false, is_generator: false, .. }))
        };
        let mut functions: Vec<&str> = mentioned.iter().map(String::as_str).filter(is_function).collect();
        functions.extend(Some(own).filter(is_function));
        functions.sort_unstable();
        functions.dedup();
        if !own.is_empty() {
            this.parameters = parameters(facts, src).unwrap_or_default();
        }
        let mut called: FxHashMap<&str, usize> = FxHashMap::default();
        for call in &facts.calls {
            let name = call.callee.of(src);
            if call.name != Some(call.callee) || !functions.contains(&name) {
                continue;
            }
            if facts.resolve(call.scope, name) == Resolved::Module
                && let Some(arguments) = arguments(tree, names, call.span, call.scope)
            {
                *called.entry(name).or_default() += 1;
                this.calls.push((name.to_owned(), arguments));
            }
        }
        for name in functions {
            // In a text that is being typed the `def` may hold no whole word of that name.
            let known = called.get(name).copied().unwrap_or_default() + usize::from(name == own);
            if words(src, name).count() != known {
                this.others.push(name.to_owned());
            }
        }
        this
    }
}

/// What all items together say.
pub(super) fn classes<'a>(items: impl Iterator<Item = (&'a str, &'a Given)> + Clone) -> Classes {
    let mut calls: FxHashMap<&str, Vec<&[Argument]>> = FxHashMap::default();
    for (name, arguments) in items.clone().flat_map(|(_, given)| &given.calls) {
        calls.entry(name).or_default().push(arguments);
    }
    for name in items.clone().flat_map(|(_, given)| &given.others) {
        calls.remove(name.as_str());
    }
    let mut classes = Classes::default();
    for (function, given) in items {
        let Some(calls) = calls.get(function) else { continue };
        let known: Vec<_> = given
            .parameters
            .iter()
            .enumerate()
            .filter(|(_, (_, is_open))| *is_open)
            .filter_map(|(index, (name, _))| {
                let mut given = calls.iter().map(|arguments| argument(arguments, index, name)?.class.as_deref());
                let first = given.next()??;
                given.all(|class| class == Some(first)).then(|| (name.clone(), first.to_owned()))
            })
            .collect();
        if !known.is_empty() {
            classes.insert(function.to_owned(), known);
        }
    }
    classes
}

fn argument<'a>(arguments: &'a [Argument], index: usize, name: &str) -> Option<&'a Argument> {
    let by_place = arguments.get(index).filter(|argument| argument.keyword.is_none());
    by_place.or_else(|| arguments.iter().find(|argument| argument.keyword.as_deref() == Some(name)))
}

/// The name of the function that the item defines and whose parameters are looked at; or nothing.
pub(super) fn function<'t>(item: &Item, text: &'t str) -> &'t str {
    match item.kind {
        ItemKind::Function { name, decorated: false, .. } => name.of(item.span.of(text)),
        _ => "",
    }
}

/// The parameters of the function that an item is; `None` where one takes several arguments, or none by position or name alone.
fn parameters(facts: &Facts, src: &str) -> Option<Vec<(String, bool)>> {
    let scope = facts.scopes.get(1).filter(|scope| matches!(scope.kind, ScopeKind::Function { .. }))?;
    if scope.outside.of(src).contains('*') {
        return None;
    }
    let mut found: Vec<(Span, String, bool)> = Vec::new();
    for (name, symbol) in &scope.symbols {
        for binding in &symbol.bindings {
            if let BindingKind::Parameter(annotation) = &binding.kind {
                found.push((binding.span, name.clone(), annotation.is_none() && !symbol.rebound_inside));
            }
        }
    }
    found.sort_unstable();
    Some(found.into_iter().map(|(_, name, is_open)| (name, is_open)).collect())
}

/// What a call gives; `None` where that cannot be counted.
fn arguments(tree: &Tree, names: &Names<'_>, call: Span, scope: ScopeId) -> Option<Vec<Argument>> {
    let mut node = tree.root().descendant_for_byte_range(call.start as usize, call.end as usize)?;
    while node.kind() != "call" {
        node = node.parent().filter(|parent| parent.end_byte() == call.end as usize)?;
    }
    let list = node.child_by_field_name("arguments").filter(|list| list.kind() == "argument_list")?;
    let mut found = Vec::new();
    for argument in named_children(list).filter(|argument| !argument.is_extra()) {
        let (keyword, value) = match argument.kind() {
            "list_splat" | "dictionary_splat" => return None,
            "keyword_argument" => {
                let name = argument.child_by_field_name("name")?;
                (Some(text_of(name, names.src).to_owned()), argument.child_by_field_name("value")?)
            }
            _ => (None, argument),
        };
        let class = match value.kind() {
            "identifier" => names.class_held(scope, text_of(value, names.src)),
            "call" => value.child_by_field_name("function").and_then(|callee| names.class_called(scope, callee)),
            _ => None,
        };
        found.push(Argument { keyword, class });
    }
    Some(found)
}
