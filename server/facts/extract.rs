//! From the tree of an item to its [`Facts`]: what the queries found is put into scopes by place.

use std::cmp::Reverse;

use rustc_hash::{FxHashMap, FxHashSet};
use tree_sitter::Node;

use super::classes::{classes, returned};
use super::query::{Decorators, Found, Opened, names, parameters, type_parameters};
use super::{Binding, BindingKind, Call, Facts, Resolved, Scope, ScopeId, ScopeKind};
use crate::text::Span;
use crate::tree::{quirks, span};

/// Scopes nested deeper than this are nobody's code: CPython takes 100 levels of indentation. An item with such scopes is
/// called broken, because looking up a name takes as many steps as there are scopes around it.
const MAX_DEPTH: u32 = 200;

/// The facts of the item whose own tree has this root. `src` is the item's text.
pub fn extract(root: Node<'_>, src: &str) -> Facts {
    let mut found = Found::new(root, src);
    found.scopes.sort_unstable_by_key(|scope| (scope.span.start, Reverse(scope.span.end)));

    let mut facts = Facts { star_imports: std::mem::take(&mut found.star_imports), ..Facts::default() };
    let too_deep = nest(&mut facts, &found.scopes, src.len() as u32) > MAX_DEPTH;
    for at in std::mem::take(&mut found.yields) {
        let id = facts.scope_at(at);
        if let ScopeKind::Function { is_generator, .. } = &mut scope_mut(&mut facts, id).kind {
            *is_generator = true;
        }
    }

    for (index, opened) in found.scopes.iter().enumerate() {
        bind_head(&mut facts, ScopeId(index as u32 + 1), opened, &found.decorated, src);
    }
    for bound in std::mem::take(&mut found.bindings) {
        let mut id = facts.scope_at(bound.name.start);
        if bound.is_walrus {
            id = facts.outwards(id).find(|&id| !facts.is_comprehension(id)).unwrap_or(ScopeId(0));
        }
        bind(&mut facts, id, bound.name, bound.kind, src);
    }
    let declarations: FxHashSet<Span> = found.globals.iter().chain(&found.nonlocals).copied().collect();
    for name in std::mem::take(&mut found.globals) {
        let id = facts.scope_at(name.start);
        scope_mut(&mut facts, id).symbols.entry(name.of(src).to_owned()).or_default().is_global = true;
    }
    for name in std::mem::take(&mut found.nonlocals) {
        let id = facts.scope_at(name.start);
        scope_mut(&mut facts, id).symbols.entry(name.of(src).to_owned()).or_default().is_nonlocal = true;
    }
    for symbol in facts.scopes.iter_mut().flat_map(|scope| scope.symbols.values_mut()) {
        symbol.bindings.sort_unstable_by_key(|binding| binding.span);
        for binding in &mut symbol.bindings {
            binding.typing_only = found.typing_only.iter().any(|block| block.covers(binding.span));
        }
    }

    let call = |call: super::query::CallSite| Call {
        span: call.span,
        callee: call.callee,
        name: call.name,
        scope: facts.scope_at(call.span.start),
    };
    facts.calls = std::mem::take(&mut found.calls).into_iter().map(call).collect();
    facts.calls.sort_unstable_by_key(|call| call.span);
    facts.awaits = found.awaits.iter().copied().map(quirks::await_span).collect();
    facts.awaits.sort_unstable();
    facts.asyncs = std::mem::take(&mut found.asyncs);
    facts.asyncs.sort_unstable();

    for scope in &mut facts.scopes {
        let first = found.errors.partition_point(|error| error.end < scope.span.start);
        scope.broken = too_deep || found.errors.get(first).is_some_and(|error| error.start <= scope.span.end);
    }
    if !too_deep {
        mark_rebound(&mut facts);
        mark_captured(&mut facts, root, declarations, src);
        facts.classes = classes(&facts, &found, src);
        facts.returned = returned(&facts, &found, src);
        facts.decorated = decorated(&facts, &found, src);
    }
    facts
}

fn scope_mut(facts: &mut Facts, id: ScopeId) -> &mut Scope {
    &mut facts.scopes[id.0 as usize]
}

/// Adds the module's scope, the `opened` ones (sorted by place) with their parents, and the zones. Returns how deep they nest.
fn nest(facts: &mut Facts, opened: &[Opened<'_>], end: u32) -> u32 {
    let scope = |kind, name, span, outside, parent| Scope {
        kind,
        name,
        span,
        outside,
        parent,
        symbols: Default::default(),
        broken: false,
    };
    facts.scopes.push(scope(ScopeKind::Module, None, Span::new(0, end), Span::new(0, 0), None));

    // The span of each scope, and in it the part that its parent evaluates: intervals that lie in each other or apart.
    let mut intervals: Vec<(Span, usize, bool)> = Vec::with_capacity(2 * opened.len());
    for (index, scope) in opened.iter().enumerate() {
        intervals.push((scope.span, index, false));
        intervals.push((scope.outside, index, true));
    }
    intervals.sort_unstable_by_key(|&(span, index, is_outside)| (span.start, Reverse(span.end), index, is_outside));

    let mut depths = vec![0; opened.len() + 1];
    let mut zones = Zones { all: vec![(0, ScopeId(0))], open: Vec::new() };
    for (span, index, is_outside) in intervals {
        let around = zones.close(span.start);
        let evaluates = if is_outside {
            facts.scopes[index + 1].parent.unwrap_or(ScopeId(0))
        } else {
            let Opened { node, kind, span, outside } = opened[index];
            let name = node.child_by_field_name("name").map(self::span);
            depths[index + 1] = depths[around.0 as usize] + 1;
            facts.scopes.push(scope(kind, name, span, outside, Some(around)));
            ScopeId(index as u32 + 1)
        };
        zones.open(span, evaluates);
    }
    zones.close(end);
    facts.zones = zones.all;
    depths.into_iter().max().unwrap_or(0)
}

/// Makes [`Facts::zones`] out of nested intervals.
struct Zones {
    all: Vec<(u32, ScopeId)>,
    /// Where the intervals around the current place end, and who evaluates them; the innermost last.
    open: Vec<(u32, ScopeId)>,
}

impl Zones {
    fn open(&mut self, span: Span, scope: ScopeId) {
        self.all.push((span.start, scope));
        self.open.push((span.end, scope));
    }

    /// Closes what ends at `offset` or before. Returns the scope that evaluates `offset`.
    fn close(&mut self, offset: u32) -> ScopeId {
        let current = |open: &[(u32, ScopeId)]| open.last().map_or(ScopeId(0), |&(_, scope)| scope);
        while let Some(&(end, _)) = self.open.last()
            && end <= offset
        {
            self.open.pop();
            self.all.push((end, current(&self.open)));
        }
        current(&self.open)
    }
}

/// Binds the name of a `def` or `class`, its type parameters and its parameters.
fn bind_head(facts: &mut Facts, id: ScopeId, opened: &Opened<'_>, decorated: &FxHashMap<u32, Decorators>, src: &str) {
    let scope = &facts.scopes[id.0 as usize];
    if let (Some(name), Some(parent)) = (scope.name, scope.parent) {
        let kind = match scope.kind {
            ScopeKind::Function { is_async, is_generator } => {
                let decorators = decorated.get(&scope.span.start).cloned().unwrap_or_default();
                BindingKind::Function { is_async, is_generator, decorated: decorators.unknown, role: decorators.role }
            }
            _ => BindingKind::Class,
        };
        bind(facts, parent, name, kind, src);
    }
    for name in type_parameters(opened.node, src) {
        bind(facts, id, name, BindingKind::TypeParameter, src);
    }
    for (name, annotation) in parameters(opened.node, src) {
        bind(facts, id, span(name), BindingKind::Parameter(annotation), src);
    }
}

/// The functions of the module and the methods of its classes that have decorators and are coroutine functions all the same: by
/// qualified name, each with the names of its decorators.
fn decorated(facts: &Facts, found: &Found<'_>, src: &str) -> Vec<(String, Vec<String>)> {
    let known = |scope: &Scope| {
        let decorators = found.decorated.get(&scope.span.start).filter(|of| !of.unknown && !of.written.is_empty())?;
        let is_async = matches!(scope.kind, ScopeKind::Function { is_async: true, .. });
        let name = scope.name.filter(|_| is_async)?.of(src);
        let around = facts.scope(scope.parent?)?;
        let name = match (around.kind, around.name, around.parent) {
            (ScopeKind::Module, ..) => name.to_owned(),
            (ScopeKind::Class, Some(class), Some(ScopeId(0))) => format!("{}.{name}", class.of(src)),
            _ => return None,
        };
        Some((name, decorators.written.clone()))
    };
    facts.scopes.iter().filter_map(known).collect()
}

fn bind(facts: &mut Facts, id: ScopeId, name: Span, kind: BindingKind, src: &str) {
    let symbol = scope_mut(facts, id).symbols.entry(name.of(src).to_owned()).or_default();
    symbol.bindings.push(Binding { span: name, kind, typing_only: false });
}

/// Marks what inner scopes bind through `nonlocal` and `global`.
fn mark_rebound(facts: &mut Facts) {
    let mut nonlocals = Vec::new();
    for (index, scope) in facts.scopes.iter().enumerate().skip(1) {
        for (name, symbol) in scope.symbols.iter().filter(|(_, symbol)| !symbol.bindings.is_empty()) {
            if symbol.is_global {
                facts.rebound_globals.push(name.clone());
            } else if symbol.is_nonlocal {
                nonlocals.push((ScopeId(index as u32), name.clone()));
            }
        }
    }
    facts.rebound_globals.sort_unstable();
    facts.rebound_globals.dedup();
    for name in &facts.rebound_globals {
        if let Some(symbol) = facts.scopes[0].symbols.get_mut(name) {
            symbol.rebound_inside = true;
        }
    }
    for (id, name) in nonlocals {
        if let Resolved::Local(owner) = facts.resolve(id, &name)
            && let Some(symbol) = scope_mut(facts, owner).symbols.get_mut(&name)
        {
            symbol.rebound_inside = true;
        }
    }
}

/// Marks what inner scopes read. Neither bindings nor the names in `declarations` (`global x`) do.
fn mark_captured(facts: &mut Facts, root: Node<'_>, declarations: FxHashSet<Span>, src: &str) {
    let inner = capturing(facts);
    if inner.is_empty() {
        return;
    }
    let symbols = facts.scopes.iter().flat_map(|scope| scope.symbols.values());
    let mut unread = declarations;
    unread.extend(symbols.flat_map(|symbol| &symbol.bindings).map(|binding| binding.span));
    for read in names(root, &inner, src).into_iter().filter(|name| !unread.contains(name)) {
        let from = facts.scope_at(read.start);
        let name = read.of(src);
        let owner = match facts.resolve(from, name) {
            Resolved::Local(owner) => owner,
            Resolved::Module => ScopeId(0),
        };
        let leaves_a_scope = facts
            .outwards(from)
            .take_while(|&id| id != owner)
            .any(|id| facts.scopes[id.0 as usize].kind != ScopeKind::Comprehension);
        if leaves_a_scope && let Some(symbol) = scope_mut(facts, owner).symbols.get_mut(name) {
            symbol.captured = true;
        }
    }
}

/// The outermost scopes that may read names of a scope around them: those in functions, and all where the module's scope
/// holds more than imports, functions and classes. Most items have none.
fn capturing(facts: &Facts) -> Vec<Span> {
    let is_plain = |binding: &Binding| {
        matches!(binding.kind, BindingKind::Import(_) | BindingKind::Function { .. } | BindingKind::Class)
    };
    let module_too = !facts.scopes[0].symbols.values().flat_map(|symbol| &symbol.bindings).all(is_plain);
    let mut spans: Vec<Span> = Vec::new();
    for scope in &facts.scopes[1..] {
        let has_names = |id: ScopeId| !matches!(facts.scopes[id.0 as usize].kind, ScopeKind::Module | ScopeKind::Class);
        let in_function = scope.parent.is_some_and(|parent| facts.outwards(parent).any(has_names));
        let covered = spans.last().is_some_and(|last| last.covers(scope.span));
        if !covered && (module_too || in_function) {
            spans.push(scope.span);
        }
    }
    spans
}
