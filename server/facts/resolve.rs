//! Which scope evaluates a place of an item, and which scope a name belongs to.

use super::{BindingKind, Facts, Scope, ScopeId, ScopeKind, Symbol};
use crate::text::Span;

/// Whose name a name is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resolved {
    /// That of this scope: the one that asked, or a function around it. It has the name among its symbols.
    Local(ScopeId),
    /// The module's, or a builtin.
    Module,
}

impl Facts {
    /// The scope of this id; `None` if it is one of another item.
    pub fn scope(&self, id: ScopeId) -> Option<&Scope> {
        self.scopes.get(id.0 as usize)
    }

    /// The symbol `name` of the scope `id`.
    pub fn symbol(&self, id: ScopeId, name: &str) -> Option<&Symbol> {
        self.scope(id)?.symbols.get(name)
    }

    /// The innermost scope that evaluates what stands at `offset`: for decorators, defaults, annotations, bases and the first
    /// iterable of a comprehension the scope around.
    pub fn scope_at(&self, offset: u32) -> ScopeId {
        let behind = self.zones.partition_point(|&(start, _)| start <= offset);
        behind.checked_sub(1).map_or(ScopeId(0), |zone| self.zones[zone].1)
    }

    /// The scope that the node of this span opens: a `def` or `class` without its decorators, a lambda, a comprehension with
    /// its brackets. Never the module's.
    pub fn scope_opened_by(&self, span: Span) -> Option<ScopeId> {
        let opened = self.scopes.get(1..)?;
        let place = |scope: &Scope| (scope.span.start, std::cmp::Reverse(scope.span.end));
        let found = opened.binary_search_by_key(&(span.start, std::cmp::Reverse(span.end)), place).ok()?;
        Some(ScopeId(found as u32 + 1))
    }

    /// Whose name `name` is where the scope `from` evaluates it.
    pub fn resolve(&self, from: ScopeId, name: &str) -> Resolved {
        let mut id = from;
        while let Some(scope) = self.scope(id) {
            let Some(parent) = scope.parent else { break };
            match scope.symbols.get(name) {
                Some(symbol) if symbol.is_global => break,
                Some(symbol) if !symbol.is_nonlocal && (id == from || scope.shows_to_inner(symbol)) => {
                    return Resolved::Local(id);
                }
                _ => id = parent,
            }
        }
        Resolved::Module
    }

    /// The function that runs what stands at `offset`, or the module's scope: what comprehensions, lambdas and class bodies around
    /// it are part of.
    pub fn function_at(&self, offset: u32) -> ScopeId {
        let is_function = |scope: &Scope| matches!(scope.kind, ScopeKind::Function { .. } | ScopeKind::Module);
        let mut around = self.outwards(self.scope_at(offset));
        around.find(|&id| self.scope(id).is_some_and(is_function)).unwrap_or(ScopeId(0))
    }

    /// Whether the scope is that of a comprehension or generator expression.
    pub fn is_comprehension(&self, id: ScopeId) -> bool {
        self.scope(id)
            .is_some_and(|scope| matches!(scope.kind, ScopeKind::Comprehension | ScopeKind::GeneratorExpression))
    }

    /// The scopes from `from` outwards, the module's last.
    pub fn outwards(&self, from: ScopeId) -> impl Iterator<Item = ScopeId> {
        std::iter::successors(Some(from), |&id| self.scope(id)?.parent)
    }
}

impl Scope {
    /// Whether the scopes in this one see this symbol of it.
    fn shows_to_inner(&self, symbol: &Symbol) -> bool {
        self.kind != ScopeKind::Class || symbol.bindings.iter().any(|b| b.kind == BindingKind::TypeParameter)
    }
}
