//! From syntax to graph.
//!
//! In: the tree of an item, the function in it (or its module-level statements), and [`Names`], which says what the names mean. Out: a [`Graph`], or `None` where the code is nested deeper than anybody writes: silence then.
//!
//! Expressions are taken apart in the order in which Python evaluates them; `and`, `or`, `not`, conditional expressions and
//! comprehensions become branches and loops, because guards stand in them. Code that does not run here (a function or class
//! made inside, a generator expression) becomes one `Capture` of the places that it mentions.

mod calls;
mod conditions;
mod expressions;
mod patterns;
mod statements;

use rustc_hash::{FxHashMap, FxHashSet};
use tree_sitter::Node;

use super::exceptions::ExcSet;
use super::graph::*;
use crate::facts::{self, BindingKind, Facts, Names, ScopeId, ScopeKind};
use crate::text::Span;

/// A piece of code that runs by itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Unit {
    /// The scope whose names are its locals.
    pub scope: ScopeId,
    /// Its node, bytes of the item.
    pub span: Span,
}

/// The units of an item: each function in it, inner ones too, and its module-level statements where they call or await anything.
pub fn units(facts: &Facts) -> Vec<Unit> {
    facts
        .scopes
        .iter()
        .enumerate()
        .filter(|(_, scope)| match scope.kind {
            ScopeKind::Function { .. } => true,
            ScopeKind::Module => {
                let mut waits = facts.awaits.iter().chain(&facts.asyncs);
                facts.calls.iter().any(|call| call.scope == ScopeId(0))
                    || waits.any(|place| facts.function_at(place.start) == ScopeId(0))
            }
            _ => false,
        })
        .map(|(index, scope)| Unit { scope: ScopeId(index as u32), span: scope.span })
        .collect()
}

/// The deepest nesting of syntax that is looked into. Real code stays below 60; the limit keeps recursion off the stack's end.
const MAX_NESTING: u32 = 160;

/// Builds the graph of `unit`; `root` is the root of the item's tree.
pub fn lower(unit: Unit, root: Node<'_>, names: &Names<'_>) -> Option<Graph> {
    let Names { facts, src, .. } = *names;
    let scope = facts.scopes.get(unit.scope.0 as usize)?;
    let (is_async, module) = match scope.kind {
        ScopeKind::Function { is_async, .. } => (is_async, false),
        ScopeKind::Module => (false, true),
        _ => return None,
    };
    let mut this = Lowering {
        src,
        facts,
        names,
        scope: unit.scope,
        graph: Graph {
            blocks: Vec::new(),
            start: unit.span.start,
            exit: BlockId(0),
            locals: Vec::new(),
            places: 0,
            conditions: Vec::new(),
            resumes: FxHashMap::default(),
            is_async,
            is_module: module,
            receiver: None,
            parameters: Vec::new(),
        },
        locals: FxHashMap::default(),
        overlays: Vec::new(),
        conditions: FxHashMap::default(),
        uses: Vec::new(),
        current: BlockId(0),
        exit: BlockId(0),
        unwind: None,
        depth: 0,
        finallies: Vec::new(),
        loops: Vec::new(),
        guards: Vec::new(),
        nesting: 0,
        gave_up: false,
    };
    this.declare_locals(module);
    let entry = this.block();
    this.exit = this.block();
    this.graph.exit = this.exit;
    this.graph.blocks[this.exit.0 as usize].end = Terminator::Return;
    this.current = entry;
    if module {
        this.statements(root);
    } else {
        let node = root.descendant_for_byte_range(unit.span.start as usize, unit.span.end as usize)?;
        if this.is_ruled_out(node) {
            return None;
        }
        this.declare_parameters(node);
        this.statements(node.child_by_field_name("body")?);
    }
    this.end(Terminator::Return);
    if this.gave_up {
        return None;
    }
    Some(this.finish())
}

struct Loop {
    again: BlockId,
    after: BlockId,
    finallies: usize,
}

/// The names in the body of a function.
#[derive(Default)]
struct Mentioned<'a> {
    all: FxHashSet<&'a str>,
    /// Those with which it does what is done with tasks and coroutines, or that it gives back.
    awaited: FxHashSet<&'a str>,
    /// Those that stand anywhere but before a dot and as the target of an assignment.
    bare: FxHashSet<&'a str>,
}

/// What tells the names of variables.
const REFLECTION: [&str; 4] = ["locals", "vars", "eval", "exec"];

struct Lowering<'a> {
    src: &'a str,
    facts: &'a Facts,
    names: &'a Names<'a>,
    scope: ScopeId,
    graph: Graph,
    locals: FxHashMap<String, Place>,
    /// The targets of the comprehensions around the expression, with the scope of each.
    overlays: Vec<(ScopeId, FxHashMap<String, Place>)>,
    conditions: FxHashMap<String, ConditionId>,
    /// How often each condition stands in the text.
    uses: Vec<u32>,
    current: BlockId,
    exit: BlockId,
    unwind: Option<BlockId>,
    depth: u32,
    /// The `finally` bodies around the statement, the innermost last.
    finallies: Vec<BlockId>,
    loops: Vec<Loop>,
    guards: Vec<Guards>,
    nesting: u32,
    gave_up: bool,
}

impl<'a> Lowering<'a> {
    fn declare_locals(&mut self, module: bool) {
        let facts = self.facts;
        let Some(scope) = facts.scopes.get(self.scope.0 as usize) else { return };
        let mut symbols: Vec<_> = scope.symbols.iter().collect();
        symbols
            .sort_by_key(|(name, symbol)| (symbol.bindings.first().map_or(u32::MAX, |b| b.span.start), name.as_str()));
        for (name, symbol) in symbols {
            let imported = |b: &crate::facts::Binding| matches!(b.kind, BindingKind::Import(_));
            if symbol.is_global
                || symbol.is_nonlocal
                || symbol.bindings.is_empty()
                || symbol.bindings.iter().all(imported)
            {
                continue;
            }
            let parameter = symbol.bindings.iter().find_map(|b| match &b.kind {
                BindingKind::Parameter(annotation) => Some(annotation.clone()),
                _ => None,
            });
            let place = self.place();
            self.locals.insert(name.clone(), place);
            self.graph.locals.push(Local {
                name: name.clone(),
                shared: module || symbol.captured,
                volatile: symbol.rebound_inside,
                stays: false,
                // Evaluated around the function, not in it.
                annotation: parameter.flatten().and_then(|text| self.names.annotated(scope.parent?, &text)),
            });
        }
    }

    /// Whether a function is only made in a branch that a constant of the module rules out: `if SYNC:` after `SYNC = False`.
    fn is_ruled_out(&self, function: Node<'_>) -> bool {
        let mut child = function;
        while let Some(parent) = child.parent() {
            if matches!(parent.kind(), "if_statement" | "elif_clause")
                && let Some(truth) = parent.child_by_field_name("condition").and_then(|test| self.constant_test(test))
            {
                let is_body = parent.child_by_field_name("consequence") == Some(child);
                let is_else = matches!(child.kind(), "else_clause" | "elif_clause");
                if is_body && !truth || is_else && truth {
                    return true;
                }
            }
            child = parent;
        }
        false
    }

    /// What a test gives that is a constant of the module, or its negation.
    fn constant_test(&self, test: Node<'_>) -> Option<bool> {
        match test.kind() {
            "not_operator" => Some(!self.constant_test(test.child_by_field_name("argument")?)?),
            "identifier" => match self.names.module.meaning(self.text(test))? {
                facts::Meaning::Bool(truth) if self.resolves_to_module(self.text(test)) => Some(*truth),
                _ => None,
            },
            _ => None,
        }
    }

    /// Notes the parameters, and which of them is the instance or class of a method.
    fn declare_parameters(&mut self, function: Node<'_>) {
        let mut positional = true;
        let body = function.child_by_field_name("body");
        let named = body.map(|body| self.names_in(body)).unwrap_or_default();
        let says_something = body.is_some_and(|body| self.says_something(body, &named.all));
        let looks_around = REFLECTION.iter().any(|name| named.all.contains(name));
        for local in &mut self.graph.locals {
            local.stays = !looks_around && !local.volatile && !named.bare.contains(&*local.name);
        }
        for parameter in function.child_by_field_name("parameters").map(children).unwrap_or_default() {
            let name = match parameter.kind() {
                "keyword_separator" => {
                    positional = false;
                    continue;
                }
                "default_parameter" | "typed_default_parameter" => parameter.child_by_field_name("name"),
                "typed_parameter" => parameter.named_child(0),
                _ => Some(parameter),
            };
            let Some(name) = name else { continue };
            let starred = matches!(name.kind(), "list_splat_pattern" | "dictionary_splat_pattern");
            let name = if starred { name.named_child(0) } else { Some(name) };
            let Some(name) = name.filter(|name| name.kind() == "identifier") else { continue };
            let text = self.text(name);
            let Some(place) = self.locals.get(text).copied() else { continue };
            if self.graph.parameters.is_empty() && !starred {
                self.graph.receiver = self.receiver(text).map(|receiver| (place, receiver));
            }
            self.graph.parameters.push(Parameter {
                name: text.to_owned(),
                place,
                positional: positional && !starred,
                is_single: !starred,
                is_awaited: !starred && named.awaited.contains(text),
                is_ignored: !starred && says_something && !named.all.contains(text),
                span: span(name),
            });
            positional &= !starred;
        }
    }

    /// The names in a function's body.
    fn names_in(&self, body: Node<'_>) -> Mentioned<'a> {
        let (mut all, mut found, mut bare) = (FxHashSet::default(), FxHashSet::default(), FxHashSet::default());
        // The place of the next name that is not bare.
        let mut held = None;
        // What is awaited, or given to something that waits.
        let mut awaited: Vec<std::ops::Range<usize>> = Vec::new();
        let waits = ["create_task", "ensure_future", "gather", "run_until_complete", "run", "wait", "wait_for"];
        let asks = ["result", "exception", "cancel", "cancelled", "done", "close", "send"];
        walk(body, |node| {
            match node.kind() {
                "await" => awaited.push(node.byte_range()),
                "return_statement" => {
                    // What is given back as it is.
                    found.extend(node.named_child(0).filter(|of| of.kind() == "identifier").map(|of| self.text(of)));
                }
                "call" => {
                    let callee = node.child_by_field_name("function");
                    let method = callee.map(|callee| callee.child_by_field_name("attribute").unwrap_or(callee));
                    if method.is_some_and(|method| waits.contains(&self.text(method))) {
                        awaited.extend(node.child_by_field_name("arguments").map(|given| given.byte_range()));
                    }
                }
                "attribute" => {
                    let asked = node.child_by_field_name("attribute").map(|of| self.text(of));
                    let object = node.child_by_field_name("object").filter(|object| object.kind() == "identifier");
                    held = object.map(|object| object.start_byte());
                    if asked.is_some_and(|asked| asks.contains(&asked)) {
                        found.extend(node.child_by_field_name("object").map(|object| self.text(object)));
                    }
                }
                "assignment" => {
                    held = node.child_by_field_name("left").map(|left| left.start_byte());
                    // `a = b = …`: each has what the other has.
                    if let Some(other) = node.child_by_field_name("right").filter(|right| right.kind() == "assignment")
                    {
                        let left = [node, other].into_iter().filter_map(|of| of.child_by_field_name("left"));
                        bare.extend(left.map(|left| self.text(left)));
                    }
                }
                "identifier" => {
                    all.insert(self.text(node));
                    if held != Some(node.start_byte()) {
                        bare.insert(self.text(node));
                    }
                    // The walk goes on in the order of the text: what ends before here will not come again.
                    awaited.retain(|range| range.end > node.start_byte());
                    if awaited.iter().any(|range| range.start <= node.start_byte()) {
                        found.insert(self.text(node));
                    }
                }
                _ => {}
            }
            true
        });
        Mentioned { all, awaited: found, bare }
    }

    /// Whether a function does something, and names all that it uses: it is not there for another to take its place.
    fn says_something(&self, body: Node<'_>, names: &FxHashSet<&str>) -> bool {
        let is_filler = |statement: &Node<'_>| match statement.kind() {
            "pass_statement" | "raise_statement" => true,
            "expression_statement" => {
                statement.named_child(0).is_some_and(|only| matches!(only.kind(), "string" | "ellipsis"))
            }
            _ => false,
        };
        !children(body).iter().all(is_filler) && !REFLECTION.iter().any(|name| names.contains(name))
    }

    /// The name that Python gives the function whose node has this span: `main.<locals>.inner`, `Client.fetch`.
    fn qualname(&self, function: Span) -> String {
        let Some(scope) = self.facts.scope_opened_by(function) else { return String::new() };
        let mut name = String::new();
        for scope in self.facts.outwards(scope).filter_map(|id| self.facts.scope(id)) {
            let Some(own) = scope.name.map(|own| own.of(self.src)) else { continue };
            let between = match scope.kind {
                _ if name.is_empty() => "",
                ScopeKind::Class => ".",
                _ => ".<locals>.",
            };
            name = format!("{own}{between}{name}");
        }
        name
    }

    /// What `name` is, where it is the first parameter of a method: of this function or of one around it.
    fn receiver(&self, name: &str) -> Option<Receiver> {
        let (class, is_class) = facts::receiver_of(self.facts, self.evaluating(), name, self.src)?;
        let class = self.facts.scope(class).filter(|class| class.parent == Some(ScopeId(0)))?;
        Some(Receiver { class: class.name?.of(self.src).to_owned(), is_class })
    }

    fn place(&mut self) -> Place {
        self.graph.places += 1;
        Place(self.graph.places - 1)
    }

    fn block(&mut self) -> BlockId {
        let id = BlockId(self.graph.blocks.len() as u32);
        self.graph.blocks.push(Block {
            ops: Vec::new(),
            end: Terminator::Dead,
            unwind: self.unwind,
            depth: self.depth,
        });
        id
    }

    fn op(&mut self, kind: OpKind, span: Span) {
        self.graph.blocks[self.current.0 as usize].ops.push(Op { kind, span });
    }

    /// Ends the current block; what follows in the text is unreachable until a block is started.
    fn end(&mut self, end: Terminator) {
        self.graph.blocks[self.current.0 as usize].end = end;
        self.current = self.block();
    }

    /// Ends the current block by going to `next`, and goes on there.
    fn goto(&mut self, next: BlockId) {
        self.graph.blocks[self.current.0 as usize].end = Terminator::Goto(next);
        self.current = next;
    }

    fn text(&self, node: Node<'_>) -> &'a str {
        self.src.get(node.byte_range()).unwrap_or_default()
    }

    /// Leaves for `target`, through the `finally`s above `keep`.
    fn leave(&mut self, target: BlockId, keep: usize) {
        let crossed = self.finallies.get(keep..).unwrap_or_default();
        let end = match crossed.split_last() {
            None => Terminator::Goto(target),
            Some((innermost, outer)) => {
                let resume = std::iter::once(target).chain(outer.iter().copied()).collect();
                Terminator::Enter { body: *innermost, resume: Resume::At(resume) }
            }
        };
        self.end(end);
    }

    fn around(&self) -> Guards {
        self.guards.iter().copied().fold(Guards::NONE, Guards::with)
    }

    /// The scope that evaluates the current expression.
    fn evaluating(&self) -> ScopeId {
        self.overlays.last().map_or(self.scope, |(scope, _)| *scope)
    }

    /// The place of a name that this function or a comprehension in it binds.
    fn named(&self, name: &str) -> Option<Place> {
        self.overlays.iter().rev().find_map(|(_, names)| names.get(name)).or_else(|| self.locals.get(name)).copied()
    }

    /// The places of the names that stand in `node`: what code in there can reach.
    fn mentioned(&self, node: Node<'_>) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        walk(node, |node| {
            if node.kind() == "identifier" {
                places.extend(self.named(self.text(node)));
            }
            true
        });
        places.sort();
        places.dedup();
        places
    }

    /// Which exceptions the class expression of a handler takes; the flag says that it could not be read.
    fn taken(&self, class: Node<'_>) -> (ExcSet, bool) {
        match class.kind() {
            "tuple" | "parenthesized_expression" | "expression_list" => {
                let mut cursor = class.walk();
                class
                    .named_children(&mut cursor)
                    .filter(|child| !child.is_extra())
                    .map(|child| self.taken(child))
                    .fold((ExcSet::NONE, false), |(all, unknown), (one, this)| (all.union(one), unknown || this))
            }
            "identifier" | "attribute" => {
                let path = self.names.dotted(self.evaluating(), class).unwrap_or_else(|| self.text(class).to_owned());
                let local = class.kind() == "identifier" && self.named(self.text(class)).is_some();
                match ExcSet::of_class(&path) {
                    Some(set) if !local => (set, false),
                    _ => (ExcSet::ALL, true),
                }
            }
            _ => (ExcSet::ALL, true),
        }
    }

    /// What a handler for these exceptions means to what may raise in it.
    fn guards_against(taken: ExcSet, unknown: bool) -> Guards {
        Guards {
            invalid: Self::guard_against_invalid(taken, unknown),
            cancelled: unknown || taken.meets(ExcSet::CANCELLED),
            error: unknown || taken.meets(ExcSet::ERROR),
            runtime: unknown,
            swallows: false,
            expected: false,
        }
    }

    fn guard_against_invalid(taken: ExcSet, unknown: bool) -> Guard {
        if unknown {
            Guard::Explicit
        } else if taken.0 & ExcSet::EXCEPTION.0 == ExcSet::EXCEPTION.0 {
            Guard::Broad
        } else if taken.meets(ExcSet::INVALID) {
            Guard::Explicit
        } else {
            Guard::None
        }
    }

    fn finish(mut self) -> Graph {
        for block in &self.graph.blocks {
            if let Terminator::Enter { body, resume: Resume::At(blocks) } = &block.end {
                // From this `finally` to the last block, from that one, if it is a `finally`, to the one before, and so on.
                let mut from = *body;
                for &to in blocks.iter().rev() {
                    let known = self.graph.resumes.entry(from).or_default();
                    if !known.contains(&to) {
                        known.push(to);
                    }
                    from = to;
                }
            }
        }
        // A test that stands once agrees with nothing.
        for block in &mut self.graph.blocks {
            if let Terminator::Branch { condition, .. } = &mut block.end
                && condition.is_some_and(|id| self.uses[id.0 as usize] < 2)
            {
                *condition = None;
            }
        }
        self.graph
    }
}

/// Visits `node` and what is in it, in the order of the text, without recursion; `enter` says whether to look into a node.
fn walk<'t>(node: Node<'t>, mut enter: impl FnMut(Node<'t>) -> bool) {
    let mut cursor = node.walk();
    loop {
        if enter(cursor.node()) && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

fn span(node: Node<'_>) -> Span {
    Span::new(node.start_byte() as u32, node.end_byte() as u32)
}

/// The named children but for comments.
fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| !child.is_extra()).collect()
}
