//! From the tree of an item to its [`Facts`]: one run of the queries over it, then scopes put into each other by their spans.

use std::cmp::Reverse;
use std::sync::LazyLock;

use rustc_hash::FxHashSet;
use streaming_iterator::StreamingIterator;
use tree_sitter::{Node, Query, QueryCursor};

use super::{Binding, BindingKind, Call, Facts, Resolved, Scope, ScopeId, ScopeKind};
use crate::text::Span;

/// All but the names, in one query, so that one walk over the tree answers them all.
static QUERY: LazyLock<Query> = LazyLock::new(|| {
    compile(concat!(
        include_str!("../../queries/scopes.scm"),
        include_str!("../../queries/bindings.scm"),
        include_str!("../../queries/imports.scm"),
        include_str!("../../queries/calls.scm"),
    ))
});
static NAMES: LazyLock<Query> = LazyLock::new(|| compile(include_str!("../../queries/names.scm")));

#[allow(clippy::expect_used, reason = "the queries and the grammar are part of the program; every test compiles them")]
fn compile(source: &str) -> Query {
    Query::new(&tree_sitter_python::LANGUAGE.into(), source).expect("a query that fits the grammar")
}

/// Scopes nested deeper than this are nobody's code (CPython takes 100 levels of indentation). An item with such scopes is
/// called broken, because looking up a name costs as many steps as there are scopes around it.
const DEEPEST: u32 = 200;

/// The facts of the item that `root`, the root of its own tree, is parsed from. `src` is the item's text.
pub fn extract(root: Node<'_>, src: &str) -> Facts {
    let mut found = Found::default();
    found.collect(root, src);
    let mut facts = Facts { star_imports: found.stars, ..Facts::default() };
    let whole = Span::new(0, src.len() as u32);
    facts.scopes.push(Scope {
        kind: ScopeKind::Module,
        name: None,
        span: whole,
        outside: Span::new(0, 0),
        parent: None,
        symbols: Default::default(),
        broken: false,
    });
    found.scopes.sort_unstable_by_key(|scope| (scope.span.start, Reverse(scope.span.end)));
    let too_deep = nest(&mut facts, &found.scopes, whole);

    for &at in &found.yields {
        let id = facts.scope_at(at);
        if let ScopeKind::Function { is_generator, .. } = &mut facts.scopes[id.0 as usize].kind {
            *is_generator = true;
        }
    }
    for (index, opened) in found.scopes.iter().enumerate() {
        declare_own_names(&mut facts, ScopeId(index as u32 + 1), opened, &found.decorated, src);
    }
    for (span, kind, walrus) in found.bindings {
        let mut id = facts.scope_at(span.start);
        while walrus
            && matches!(facts.scopes[id.0 as usize].kind, ScopeKind::Comprehension | ScopeKind::GeneratorExpression)
        {
            id = facts.scopes[id.0 as usize].parent.unwrap_or(ScopeId(0));
        }
        bind(&mut facts, id, span, kind, src);
    }
    for (span, is_global) in found.declarations {
        let id = facts.scope_at(span.start);
        let symbol = facts.scopes[id.0 as usize].symbols.entry(span.of(src).to_owned()).or_default();
        if is_global {
            symbol.is_global = true;
        } else {
            symbol.is_nonlocal = true;
        }
    }
    for symbol in facts.scopes.iter_mut().flat_map(|scope| scope.symbols.values_mut()) {
        symbol.bindings.sort_unstable_by_key(|binding| binding.span);
        for binding in &mut symbol.bindings {
            binding.typing_only = found.typing_only.iter().any(|block| block.covers(binding.span));
        }
    }

    found.calls.sort_unstable_by_key(|&(span, ..)| span);
    facts.calls = found
        .calls
        .into_iter()
        .map(|(span, callee, name)| Call { span, callee, name, scope: facts.scope_at(span.start) })
        .collect();
    found.awaits.sort_unstable();
    facts.awaits = found.awaits;

    mark_broken(&mut facts, root, too_deep);
    if !too_deep {
        mark_rebound(&mut facts);
        mark_captured(&mut facts, root, src);
    }
    facts
}

/// A node that opens a scope.
struct Opened<'t> {
    node: Node<'t>,
    kind: ScopeKind,
    span: Span,
    outside: Span,
}

/// What the query found, not yet put into scopes.
#[derive(Default)]
struct Found<'t> {
    scopes: Vec<Opened<'t>>,
    /// Where the `def` or `class` below decorators starts.
    decorated: FxHashSet<u32>,
    yields: Vec<u32>,
    /// The name, how it is bound, and whether by a walrus.
    bindings: Vec<(Span, BindingKind, bool)>,
    /// The name, and whether it is `global` or else `nonlocal`.
    declarations: Vec<(Span, bool)>,
    stars: Vec<String>,
    typing_only: Vec<Span>,
    /// The call, its callee and the last name of that.
    calls: Vec<(Span, Span, Option<Span>)>,
    awaits: Vec<Span>,
}

impl<'t> Found<'t> {
    fn collect(&mut self, root: Node<'t>, src: &str) {
        let mut cursor = QueryCursor::new();
        let mut matches = cursor.matches(&QUERY, root, src.as_bytes());
        let captures = QUERY.capture_names();
        while let Some(found) = matches.next() {
            for capture in found.captures() {
                let node = capture.node;
                match captures[capture.index as usize] {
                    "scope.function" => {
                        let is_async = node.child(0).is_some_and(|child| child.kind() == "async");
                        self.open(node, ScopeKind::Function { is_async, is_generator: false }, head(node));
                    }
                    "scope.class" => self.open(node, ScopeKind::Class, head(node)),
                    "scope.lambda" => self.open(node, ScopeKind::Lambda, head(node)),
                    "scope.comprehension" => self.open(node, ScopeKind::Comprehension, first_iterable(node)),
                    "scope.generator" => self.open(node, ScopeKind::GeneratorExpression, first_iterable(node)),
                    "decorated" => {
                        self.decorated.insert(span(node).start);
                    }
                    "yield" => self.yields.push(span(node).start),
                    "typing.condition" if !is_type_checking(span(node).of(src)) => break,
                    "typing.body" => self.typing_only.push(span(node)),
                    "assignment" => self.assignment(node, src),
                    "target" => self.target(node, BindingKind::Other),
                    "walrus" => {
                        let kind = node
                            .child_by_field_name("value")
                            .map_or(BindingKind::Other, |value| call_result(value, src));
                        let name = node.child_by_field_name("name").map(span);
                        self.bindings.extend(name.map(|name| (name, kind, true)));
                    }
                    "capture" => {
                        let alone = node.kind() == "identifier" || node.child_count() == 1;
                        if alone && span(node).of(src) != "_" {
                            self.bindings.push((span(node), BindingKind::Other, false));
                        }
                    }
                    "alias" => {
                        let name = match node.kind() {
                            "generic_type" | "subscript" => node.named_child(0),
                            _ => Some(node),
                        };
                        let name = name.filter(|name| name.kind() == "identifier");
                        self.bindings.extend(name.map(|name| (span(name), BindingKind::Other, false)));
                    }
                    "global" => self.declare(node, true),
                    "nonlocal" => self.declare(node, false),
                    "import" => self.import(node, src),
                    "from" => self.import_from(node, src),
                    "call" => {
                        let Some(callee) = node.child_by_field_name("function") else { continue };
                        let name = match callee.kind() {
                            "identifier" => Some(span(callee)),
                            "attribute" => callee.child_by_field_name("attribute").map(span),
                            _ => None,
                        };
                        self.calls.push((span(node), span(callee), name));
                    }
                    "await" => self.awaits.push(span(node)),
                    _ => {}
                }
            }
        }
    }

    fn open(&mut self, node: Node<'t>, kind: ScopeKind, outside: Span) {
        self.scopes.push(Opened { node, kind, span: span(node), outside });
    }

    fn assignment(&mut self, node: Node<'t>, src: &str) {
        let Some(left) = node.child_by_field_name("left") else { return };
        let mut value = node.child_by_field_name("right");
        if left.kind() != "identifier" || value.is_none() {
            let kind = if value.is_none() { BindingKind::Declaration } else { BindingKind::Other };
            return self.target(left, kind);
        }
        // `a = b = f()`: each assignment is the right side of the one before.
        while let Some(right) = value.filter(|right| right.kind() == "assignment") {
            value = right.child_by_field_name("right");
        }
        let kind = value.map_or(BindingKind::Other, |value| call_result(value, src));
        self.bindings.push((span(left), kind, false));
    }

    /// The names in a target, however deep.
    fn target(&mut self, node: Node<'t>, kind: BindingKind) {
        let mut walk = node.walk();
        loop {
            let enter = match walk.node().kind() {
                "identifier" => {
                    self.bindings.push((span(walk.node()), kind.clone(), false));
                    false
                }
                "pattern_list"
                | "tuple_pattern"
                | "list_pattern"
                | "list_splat_pattern"
                | "expression_list"
                | "tuple"
                | "list"
                | "list_splat"
                | "parenthesized_expression"
                | "as_pattern_target"
                | "delete_statement" => true,
                _ => false,
            };
            if enter && walk.goto_first_child() {
                continue;
            }
            while !walk.goto_next_sibling() {
                if !walk.goto_parent() {
                    return;
                }
            }
        }
    }

    fn declare(&mut self, node: Node<'t>, is_global: bool) {
        let mut walk = node.walk();
        self.declarations
            .extend(node.named_children(&mut walk).filter(|n| n.kind() == "identifier").map(|n| (span(n), is_global)));
    }

    fn import(&mut self, node: Node<'t>, src: &str) {
        let mut walk = node.walk();
        for name in node.children_by_field_name("name", &mut walk) {
            let (bound, path) = match alias(name) {
                Some((path, alias)) => (Some(alias), Some(path)),
                None => (name.named_child(0), name.named_child(0)),
            };
            if let (Some(bound), Some(path)) = (bound, path) {
                self.bindings.push((span(bound), BindingKind::Import(dotted(path, src)), false));
            }
        }
    }

    fn import_from(&mut self, node: Node<'t>, src: &str) {
        let module =
            node.child_by_field_name("module_name").map_or("__future__".to_owned(), |module| dotted(module, src));
        let mut walk = node.walk();
        if node.named_children(&mut walk).any(|child| child.kind() == "wildcard_import") {
            self.stars.push(module);
            return;
        }
        for name in node.children_by_field_name("name", &mut walk) {
            let (path, bound) = alias(name).unwrap_or((name, name));
            let dot = if module.ends_with('.') { "" } else { "." };
            let path = format!("{module}{dot}{}", dotted(path, src));
            self.bindings.push((span(bound), BindingKind::Import(path), false));
        }
    }
}

/// The path and the alias of `path as alias`.
fn alias(name: Node<'_>) -> Option<(Node<'_>, Node<'_>)> {
    if name.kind() != "aliased_import" {
        return None;
    }
    Some((name.child_by_field_name("name")?, name.child_by_field_name("alias")?))
}

/// The text of a dotted name without the blanks and line breaks that Python allows in it.
fn dotted(node: Node<'_>, src: &str) -> String {
    span(node).of(src).chars().filter(|c| c.is_alphanumeric() || matches!(c, '_' | '.')).collect()
}

fn span(node: Node<'_>) -> Span {
    Span::new(node.start_byte() as u32, node.end_byte() as u32)
}

/// The part of a `def`, `class` or `lambda` before its body.
fn head(node: Node<'_>) -> Span {
    let Span { start, end } = span(node);
    Span::new(start, node.child_by_field_name("body").map_or(end, |body| span(body).start))
}

/// The first iterable of a comprehension: of `[… for x in HERE …]`.
fn first_iterable(node: Node<'_>) -> Span {
    let mut walk = node.walk();
    let clause = node.named_children(&mut walk).find(|child| child.kind() == "for_in_clause");
    let first =
        clause.and_then(|clause| Some(Span::new(span(clause.child_by_field_name("right")?).start, span(clause).end)));
    first.unwrap_or(Span::new(span(node).end, span(node).end))
}

fn is_type_checking(condition: &str) -> bool {
    condition == "TYPE_CHECKING" || condition.ends_with(".TYPE_CHECKING")
}

/// How `name = VALUE` binds the name.
fn call_result(value: Node<'_>, src: &str) -> BindingKind {
    let callee = if value.kind() == "call" { value.child_by_field_name("function") } else { None };
    match callee {
        Some(callee) if is_dotted(callee) => BindingKind::CallResult(dotted(callee, src)),
        _ => BindingKind::Other,
    }
}

/// Whether it is a name or attributes of a name.
fn is_dotted(mut node: Node<'_>) -> bool {
    while node.kind() == "attribute" {
        let Some(object) = node.child_by_field_name("object") else { return false };
        node = object;
    }
    node.kind() == "identifier"
}

/// Adds the scopes with their parents, and the zones; `opened` is sorted by place. Returns whether they nest too deep.
fn nest(facts: &mut Facts, opened: &[Opened<'_>], whole: Span) -> bool {
    // A scope's span, and in it the part that its parent evaluates: nested intervals, each evaluated by one scope.
    let mut intervals: Vec<(Span, u32, bool)> = Vec::with_capacity(2 * opened.len());
    for (index, scope) in opened.iter().enumerate() {
        let id = index as u32 + 1;
        intervals.push((scope.span, id, false));
        intervals.push((scope.outside, id, true));
    }
    intervals.sort_unstable_by_key(|&(span, id, is_outside)| (span.start, Reverse(span.end), id, is_outside));

    let mut depths = vec![0; opened.len() + 1];
    let mut around = vec![(whole.end, ScopeId(0))];
    facts.zones.push((0, ScopeId(0)));
    let close = |facts: &mut Facts, around: &mut Vec<(u32, ScopeId)>, upto: u32| {
        while let [.., (_, outer), (end, _)] = around[..]
            && end <= upto
        {
            facts.zones.push((end, outer));
            around.pop();
        }
    };
    for (span, id, is_outside) in intervals {
        close(facts, &mut around, span.start);
        let current = around.last().map_or(ScopeId(0), |&(_, scope)| scope);
        let evaluates = if is_outside {
            facts.scopes[id as usize].parent.unwrap_or(ScopeId(0))
        } else {
            let Opened { node, kind, span, outside } = opened[id as usize - 1];
            let name = node.child_by_field_name("name").map(self::span);
            depths[id as usize] = depths[current.0 as usize] + 1;
            facts.scopes.push(Scope {
                kind,
                name,
                span,
                outside,
                parent: Some(current),
                symbols: Default::default(),
                broken: false,
            });
            ScopeId(id)
        };
        facts.zones.push((span.start, evaluates));
        around.push((span.end, evaluates));
    }
    close(facts, &mut around, whole.end);
    depths.into_iter().any(|depth| depth > DEEPEST)
}

/// Binds the name of a `def` or `class`, its type parameters and its parameters.
fn declare_own_names(facts: &mut Facts, id: ScopeId, opened: &Opened<'_>, decorated: &FxHashSet<u32>, src: &str) {
    let scope = &facts.scopes[id.0 as usize];
    let kind = match scope.kind {
        ScopeKind::Function { is_async, is_generator } => {
            BindingKind::Function { is_async, is_generator, decorated: decorated.contains(&scope.span.start) }
        }
        _ => BindingKind::Class,
    };
    if let (Some(name), Some(parent)) = (scope.name, scope.parent) {
        bind(facts, parent, name, kind, src);
    }
    if let Some(parameters) = opened.node.child_by_field_name("type_parameters") {
        let mut walk = parameters.walk();
        for parameter in parameters.named_children(&mut walk) {
            if let Some(name) = first_identifier(parameter) {
                bind(facts, id, span(name), BindingKind::TypeParameter, src);
            }
        }
    }
    if let Some(parameters) = opened.node.child_by_field_name("parameters") {
        let mut walk = parameters.walk();
        for parameter in parameters.named_children(&mut walk) {
            let annotation =
                parameter.child_by_field_name("type").map(|annotation| span(annotation).of(src).to_owned());
            let name = match parameter.kind() {
                "default_parameter" | "typed_default_parameter" => parameter.child_by_field_name("name"),
                "typed_parameter" => parameter.named_child(0),
                _ => Some(parameter),
            };
            let Some(name) = name else { continue };
            let is_splat = matches!(name.kind(), "list_splat_pattern" | "dictionary_splat_pattern");
            if let Some(name) =
                if is_splat { name.named_child(0) } else { Some(name) }.filter(|name| name.kind() == "identifier")
            {
                bind(facts, id, span(name), BindingKind::Parameter(annotation.filter(|_| !is_splat)), src);
            }
        }
    }
}

/// The name of a type parameter: of `T`, `T: bound`, `*T`, `**T`, each wrapped in `type` nodes.
fn first_identifier(node: Node<'_>) -> Option<Node<'_>> {
    let mut node = node;
    while node.kind() != "identifier" {
        node = node.named_child(0)?;
    }
    Some(node)
}

fn bind(facts: &mut Facts, id: ScopeId, span: Span, kind: BindingKind, src: &str) {
    let symbol = facts.scopes[id.0 as usize].symbols.entry(span.of(src).to_owned()).or_default();
    symbol.bindings.push(Binding { span, kind, typing_only: false });
}

/// Marks the scopes that hold a parse error or lie in one.
fn mark_broken(facts: &mut Facts, root: Node<'_>, everything: bool) {
    let errors = if root.has_error() { errors(root) } else { Vec::new() };
    for scope in &mut facts.scopes {
        let after = errors.partition_point(|error| error.end < scope.span.start);
        scope.broken = everything || errors.get(after).is_some_and(|error| error.start <= scope.span.end);
    }
}

/// The outermost parse errors, by place. A default of a type parameter (`class A[T = int]`) is not one: the grammar is older.
fn errors(root: Node<'_>) -> Vec<Span> {
    let mut errors = Vec::new();
    let mut walk = root.walk();
    loop {
        let node = walk.node();
        let is_error = node.is_error() || node.is_missing();
        if is_error {
            errors.push(span(node));
        }
        let enter = !is_error && node.has_error() && node.kind() != "type_parameter";
        if enter && walk.goto_first_child() {
            continue;
        }
        while !walk.goto_next_sibling() {
            if !walk.goto_parent() {
                return errors;
            }
        }
    }
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
            && let Some(symbol) = facts.scopes[owner.0 as usize].symbols.get_mut(&name)
        {
            symbol.rebound_inside = true;
        }
    }
}

/// Marks what inner scopes read.
fn mark_captured(facts: &mut Facts, root: Node<'_>, src: &str) {
    let mut not_names: FxHashSet<u32> = facts
        .scopes
        .iter()
        .flat_map(|scope| scope.symbols.values())
        .flat_map(|symbol| &symbol.bindings)
        .map(|b| b.span.start)
        .collect();
    let mut reads = Vec::new();
    let mut cursor = QueryCursor::new();
    let captures = NAMES.capture_names();
    for inner in capturing(facts) {
        let Some(node) = root.descendant_for_byte_range(inner.start as usize, inner.end as usize) else { continue };
        let mut matches = cursor.matches(&NAMES, node, src.as_bytes());
        while let Some(found) = matches.next() {
            for capture in found.captures() {
                match captures[capture.index as usize] {
                    "member" => drop(not_names.insert(span(capture.node).start)),
                    _ => reads.push(span(capture.node)),
                }
            }
        }
    }
    for read in reads.into_iter().filter(|read| !not_names.contains(&read.start)) {
        let from = facts.scope_at(read.start);
        let name = read.of(src);
        let owner = match facts.resolve(from, name) {
            Resolved::Local(owner) => owner,
            Resolved::Module => ScopeId(0),
        };
        let crosses = facts
            .outwards(from)
            .take_while(|&id| id != owner)
            .any(|id| facts.scopes[id.0 as usize].kind != ScopeKind::Comprehension);
        if crosses && let Some(symbol) = facts.scopes[owner.0 as usize].symbols.get_mut(name) {
            symbol.captured = true;
        }
    }
}

/// The outermost scopes that may read names of a scope around them: those in a function, and all if the module's scope
/// holds more than imports, functions and classes.
fn capturing(facts: &Facts) -> Vec<Span> {
    let is_plain = |binding: &Binding| {
        matches!(binding.kind, BindingKind::Import(_) | BindingKind::Function { .. } | BindingKind::Class)
    };
    let module_too = !facts.scopes[0].symbols.values().flat_map(|symbol| &symbol.bindings).all(is_plain);
    let mut spans: Vec<Span> = Vec::new();
    for scope in &facts.scopes[1..] {
        let in_function = facts
            .outwards(scope.parent.unwrap_or(ScopeId(0)))
            .any(|id| !matches!(facts.scopes[id.0 as usize].kind, ScopeKind::Module | ScopeKind::Class));
        let seen = spans.last().is_some_and(|last| last.covers(scope.span));
        if !seen && (module_too || in_function) {
            spans.push(scope.span);
        }
    }
    spans
}
