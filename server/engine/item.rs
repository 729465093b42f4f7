//! What is kept of an item: its tree, its facts, and what the rules say about each of its functions.
//!
//! All places are bytes of the item. An edit in the item leaves the tree to be parsed on, and the findings to stand in for those
//! of functions that do not parse at the moment.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};

use super::Draft;
use super::given::Given;
use super::names::Module;
use super::usage::{self, Asked, Usage};
use super::words::{Words, not_word, word, words};
use crate::facts::{
    BindingKind, Facts, Meaning, Mentions, ModuleNames, Names, Resolved, Scope, ScopeId, ScopeKind, extract, hashed,
};
use crate::fixes::{self, Global, Home, Repair, Site};
use crate::flow::{self, Unit};
use crate::items::Item;
use crate::report::suppression;
use crate::rules::{self, Verdict};
use crate::tasks::modules::{Modules, fingerprint};
use crate::tasks::{self, Mention, Summary};
use crate::text::{Edit, Span};
use crate::tree::{self, Tree};

#[derive(Default)]
pub(super) struct ItemState {
    words: Option<Words>,
    tree: Option<Tree>,
    facts: Option<Facts>,
    mentions: Option<Mentions>,
    usage: Option<Usage>,
    comments: Option<Comments>,
    given: Option<Given>,
    pub analysis: Option<Analysis>,
}

/// What a comment that silences something may stand in, where the item may hold one.
#[derive(Default)]
pub(super) struct Comments {
    pub comments: Vec<Span>,
    /// The strings of several lines.
    pub strings: Vec<Span>,
    /// The item does not parse.
    pub broken: bool,
}

/// What was found out about the functions of an item.
#[derive(Default)]
pub(super) struct Analysis {
    /// The slots are those of the current text.
    current: bool,
    /// Of what the functions depend on in the item besides their own text.
    context: u64,
    /// What its functions import, in dotted form.
    imports: Vec<String>,
    /// What is found by syntax alone, by the scope of the function that it belongs to.
    syntax: Vec<(ScopeId, Verdict)>,
    slots: Vec<Slot>,
    /// Functions that what does not parse hides at the moment.
    hidden: Vec<Function>,
}

/// A function of the current text, and what is known of it.
pub(super) struct Slot {
    unit: Unit,
    /// What tells it from the others of the item while it is edited: its qualified name and its number among those of it.
    key: (String, u32),
    /// The name of its summary, where it can be called by name: `report`, `Pool.start`.
    pub callable: Option<Arc<str>>,
    /// The words in it, hashed; sorted.
    pub words: Box<[u64]>,
    /// Of its text.
    text: u64,
    /// It does not parse: what was said last stands.
    suspended: bool,
    function: Option<Function>,
}

struct Function {
    key: (String, u32),
    /// Of its text and all that it depends on.
    content: u64,
    span: Span,
    drafts: Vec<Draft>,
    mentions: Vec<(Span, Mention)>,
    /// The methods that it calls where it takes care of a `CancelledError`, by the word.
    tolerated: Box<[u64]>,
    summary: Option<Arc<Summary>>,
    /// Of the summary.
    effect: u64,
}

/// What the analysis of a function takes from outside of its item.
pub(super) struct Inputs<'a> {
    pub module: &'a Module,
    /// Of the meaning of the names in it.
    pub names: u64,
    /// Of the summaries of those it calls.
    pub calls: u64,
    pub summary: &'a dyn Fn(&str) -> Option<Arc<Summary>>,
    /// Where other modules are found.
    pub modules: &'a dyn Modules,
}

impl Analysis {
    pub fn drafts(&self) -> impl Iterator<Item = &Draft> {
        self.functions().flat_map(|function| &function.drafts)
    }

    pub fn mentions(&self) -> impl Iterator<Item = &(Span, Mention)> {
        self.functions().flat_map(|function| &function.mentions)
    }

    /// The methods that are called where a `CancelledError` is taken care of, by the word.
    pub fn tolerated(&self) -> impl Iterator<Item = u64> {
        self.functions().flat_map(|function| function.tolerated.iter().copied())
    }

    fn functions(&self) -> impl Iterator<Item = &Function> {
        self.slots.iter().filter_map(|slot| slot.function.as_ref()).chain(&self.hidden)
    }

    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }
}

impl Slot {
    /// What the function does for its callers, and a fingerprint of that.
    pub fn summary(&self) -> (Option<&Arc<Summary>>, u64) {
        let known = self.function.as_ref().filter(|_| !self.suspended);
        known.map_or((None, 0), |function| (function.summary.as_ref(), function.effect))
    }

    /// Its own name; empty for the statements of the module.
    pub fn name(&self) -> &str {
        self.key.0.rsplit('.').next().unwrap_or_default()
    }

    /// Whether it is the statements at the top of the module.
    pub fn is_module(&self) -> bool {
        self.unit.scope == ScopeId(0)
    }

    /// Where it starts: bytes of the item.
    pub fn start(&self) -> u32 {
        self.unit.span.start
    }

    /// The class around a method, by name: what its first parameter is.
    pub fn owner(&self) -> &str {
        self.key.0.split('.').next().unwrap_or_default()
    }
}

impl ItemState {
    /// The item's text was edited; `text` is the new one.
    pub fn edit(&mut self, text: &str, edit: Edit) {
        self.words = None;
        self.tree = self.tree.take().map(|tree| tree.reparse(text, edit));
        self.facts = None;
        self.mentions = None;
        self.usage = None;
        self.comments = None;
        self.given = None;
        if let Some(analysis) = &mut self.analysis {
            analysis.current = false;
            let known = analysis.slots.iter_mut().filter_map(|slot| slot.function.as_mut());
            known.chain(&mut analysis.hidden).for_each(|function| function.follow(edit));
        }
    }

    pub fn words(&mut self, text: &str) -> Words {
        *self.words.get_or_insert_with(|| Words::of(text))
    }

    pub fn tree(&mut self, text: &str) -> &Tree {
        self.tree.get_or_insert_with(|| Tree::parse(text))
    }

    pub fn comments(&mut self, text: &str) -> &Comments {
        if self.comments.is_none() && suppression::mentions(text) {
            let root = self.tree(text).root();
            let mut found = Comments::default();
            suppression::collect(root, text, 0, &mut found.comments, &mut found.strings);
            found.broken = tree::quirks::is_broken(root, text) || tree::too_deep(root);
            self.comments = Some(found);
        }
        self.comments.get_or_insert_default()
    }

    /// The tree and the facts, where the item is parsed.
    pub fn parsed(&self) -> Option<(&Tree, &Facts)> {
        Some((self.tree.as_ref()?, self.facts.as_ref()?))
    }

    pub fn facts(&mut self, text: &str) -> &Facts {
        if self.facts.is_none() {
            let root = self.tree(text).root();
            let deep = tree::deeper_than(root, tree::MAX_QUERY_DEPTH);
            self.facts = Some(if deep { Facts::default() } else { extract(root, text) });
        }
        self.facts.get_or_insert_with(Facts::default)
    }

    pub fn mentions(&mut self, text: &str, own: &str, module: &ModuleNames) -> &Mentions {
        self.mentions.get_or_insert_with(|| Mentions::of(text, own, module))
    }

    /// Whether the first thing that a method of this name does is to await `self.attribute`: each call awaits it.
    pub fn method_awaits(&mut self, text: &str, method: &str, attribute: &str) -> bool {
        self.facts(text);
        let (Some(tree), Some(facts)) = (&self.tree, &self.facts) else { return false };
        let named = |scope: &&Scope| scope.name.is_some_and(|name| name.of(text) == method);
        let Some(scope) = facts.scopes.iter().find(named) else { return false };
        let node = tree.root().descendant_for_byte_range(scope.span.start as usize, scope.span.end as usize);
        let Some(body) = node.and_then(|node| node.child_by_field_name("body")) else { return false };
        let is_docstring = |node: &tree_sitter::Node<'_>| {
            node.kind() == "expression_statement" && node.named_child(0).is_some_and(|child| child.kind() == "string")
        };
        let Some(first) = tree::named_children(body).find(|statement| !is_docstring(statement)) else { return false };
        let simple = matches!(first.kind(), "return_statement" | "expression_statement");
        let awaited = format!("await self.{attribute}");
        simple && tree::text_of(first, text).trim_end().ends_with(&awaited)
    }

    pub fn known_mentions(&self) -> Option<&Mentions> {
        self.mentions.as_ref()
    }

    /// What the item does with the names that are asked about, see `usage`.
    pub fn usage(&mut self, item: &Item, text: &str, asked: &Asked, names: &ModuleNames) -> &Usage {
        if self.usage.is_none() {
            let awaiting = usage::awaiting(item, text, names, self);
            self.usage = Some(Usage { awaiting, ..Usage::of(text, asked) });
        }
        self.usage.get_or_insert_default()
    }

    pub fn known_usage(&self) -> Option<&Usage> {
        self.usage.as_ref()
    }

    /// What it gives to functions of the module, and what its function takes; `own` is the name of that, or empty.
    pub fn given(&mut self, text: &str, module: &ModuleNames, own: &str) -> &Given {
        if self.given.is_none() {
            self.facts(text);
            let mentioned = self.mentions.as_ref().map(Mentions::names).unwrap_or_default();
            if let (Some(tree), Some(facts)) = (&self.tree, &self.facts) {
                self.given = Some(Given::of(tree, &Names { facts, module, src: text }, mentioned, own));
            }
        }
        self.given.get_or_insert_default()
    }

    pub fn known_given(&self) -> Option<&Given> {
        self.given.as_ref()
    }

    /// The names of the module mean something else now.
    pub fn forget_mentions(&mut self) {
        self.mentions = None;
        self.usage = None;
        self.given = None;
    }

    /// Finds the functions of the current text, and what is known of each from before.
    pub fn prepare(&mut self, text: &str) {
        if self.analysis.as_ref().is_some_and(|analysis| analysis.current) {
            return;
        }
        self.facts(text);
        let (Some(tree), Some(facts)) = (&self.tree, &self.facts) else { return };
        let mut before: FxHashMap<(String, u32), Function> = FxHashMap::default();
        if let Some(analysis) = self.analysis.take() {
            let known = analysis.slots.into_iter().filter_map(|slot| slot.function).chain(analysis.hidden);
            before.extend(known.map(|function| (function.key.clone(), function)));
        }
        let deep = tree::too_deep(tree.root());
        let syntax = if deep { Vec::new() } else { rules::judge_syntax(facts, tree.root(), text) };
        let mut numbers: FxHashMap<String, u32> = FxHashMap::default();
        let mut slots = Vec::new();
        for unit in flow::units(facts) {
            let name = qualified_name(facts, unit.scope, text);
            let number = numbers.entry(name.clone()).or_default();
            *number += 1;
            let key = (name, *number);
            let suspended = deep || facts.scope(unit.scope).is_some_and(|scope| scope.broken);
            let mut function = before.remove(&key);
            if suspended {
                // What was said last stands until it parses again.
                let own = |span: Span| facts.function_at(span.start) == unit.scope;
                function = function.map(|function| function.suspended(own));
            }
            // What is not analysed needs no words; and nested deeply, each would be read as often as there are functions around it.
            let own = if suspended { "" } else { unit.span.of(text) };
            // The name behind `def` calls nobody.
            let name = facts
                .scope(unit.scope)
                .and_then(|scope| scope.name)
                .unwrap_or(Span::new(unit.span.start, unit.span.start));
            let head = (name.start - unit.span.start) as usize;
            let before = own.get(..head).unwrap_or_default();
            let behind = own.get(head + name.len() as usize..).unwrap_or_default();
            slots.push(Slot {
                callable: callable(facts, unit.scope, text),
                words: words(before.split(not_word).chain(behind.split(not_word))),
                text: hashed(own),
                unit,
                key,
                suspended,
                function,
            });
        }
        // What does not parse may hide the `def` of a function beside it: what was said of that one stands as well.
        let broken = |span: Span| facts.scope(facts.function_at(span.start)).is_some_and(|scope| scope.broken);
        let hidden = before.into_values().map(|function| function.suspended(broken));
        let hidden = hidden.filter(|function| !function.drafts.is_empty()).collect();
        let (context, imports) = (context(facts, text), local_imports(facts));
        self.analysis = Some(Analysis { current: true, context, imports, syntax, slots, hidden });
    }

    /// Brings one function up to date; gives whether that took an analysis.
    pub fn analyse(&mut self, index: usize, text: &str, inputs: &Inputs<'_>) -> bool {
        let (Some(tree), Some(facts), Some(analysis)) = (&self.tree, &self.facts, &mut self.analysis) else {
            return false;
        };
        let imported = |sum: u64, path: &String| sum.wrapping_add(fingerprint(inputs.modules, path));
        let context = analysis.imports.iter().fold(analysis.context, imported);
        let Some(slot) = analysis.slots.get_mut(index).filter(|slot| !slot.suspended) else { return false };
        // Zero means "to be analysed".
        let content = hashed(&(slot.text, context, inputs.names, inputs.calls)).max(1);
        if let Some(function) = slot.function.as_mut().filter(|function| function.content == content) {
            function.span = slot.unit.span;
            return false;
        }
        let names = Names { facts, module: &inputs.module.names, src: text };
        let mut function = Function::new(slot, content);
        let own = analysis.syntax.iter().filter(|(scope, _)| *scope == slot.unit.scope);
        let python = inputs.module.python;
        function.drafts = own.map(|(_, verdict)| draft(verdict.clone(), tree, &names, false, python)).collect();
        function.analyse(slot, tree, &names, inputs);
        slot.function = Some(function);
        true
    }
}

impl Function {
    /// One of which nothing is known yet.
    fn new(slot: &Slot, content: u64) -> Self {
        Self {
            key: slot.key.clone(),
            content,
            span: slot.unit.span,
            drafts: Vec::new(),
            mentions: Vec::new(),
            tolerated: Box::default(),
            summary: None,
            effect: 0,
        }
    }

    /// Follows its tasks and coroutines, and adds what the rules say of them.
    fn analyse(&mut self, slot: &Slot, tree: &Tree, names: &Names<'_>, inputs: &Inputs<'_>) {
        let Some(graph) = flow::lower(slot.unit, tree.root(), names) else { return };
        let context = tasks::Context {
            module: &inputs.module.names,
            modules: inputs.modules,
            isolated: &|function| inputs.module.isolated.contains(function),
            summary: inputs.summary,
            trust: &inputs.module.trust,
            only_collects: &|name| inputs.module.collects_only(name),
            is_unread_list: &|name| inputs.module.is_unread_list(name),
            is_private: &|name| inputs.module.is_private(name),
            given: &|parameter| inputs.module.given(slot.callable.as_deref()?, parameter),
            is_set_elsewhere: &|name| inputs.module.is_set_elsewhere(name),
            awaits_again: &|class, attribute| inputs.module.awaits_again(class, attribute),
            function: &slot.callable.clone().unwrap_or_else(|| slot.key.0.as_str().into()),
        };
        if inputs.module.keeps_tasks() {
            self.tolerated = words(graph.tolerated().into_iter());
        }
        let Some(account) = tasks::analyse(&graph, context) else { return };
        let subject = rules::Subject {
            src: names.src,
            is_async: graph.is_async,
            span: slot.unit.span,
            callback: inputs.module.callback(slot.name()),
        };
        for verdict in rules::judge(&account, &subject) {
            let is_kept = matches!(&verdict.repair, Repair::Cancelled(cancelled) if cancelled.is_kept);
            let mut draft = draft(verdict, tree, names, graph.is_async, inputs.module.python);
            draft.unless_tolerated = is_kept.then(|| word(slot.name()));
            self.drafts.push(draft);
        }
        if slot.callable.is_some() {
            let summary = Summary::of(&graph, &account);
            self.effect = hashed(&summary).max(1);
            self.summary = Some(Arc::new(summary));
        }
        self.mentions = account.mentions.into_iter().collect();
        self.mentions.sort_by_key(|(span, _)| *span);
    }

    /// The item was edited: what lies behind the edit moves, and a finding on the edited place itself is gone.
    fn follow(&mut self, edit: Edit) {
        let (old, new) = (edit.old_end, edit.new_end);
        let follow = move |span: &mut Span| {
            if span.start >= old && span.start > edit.start {
                *span = Span::new(span.start - old + new, span.end - old + new);
                true
            } else {
                span.end <= edit.start
            }
        };
        if !follow(&mut self.span) {
            // The edit is in this function: whatever comes, it is analysed again.
            self.content = 0;
            let end = if self.span.end >= old { self.span.end - old + new } else { new };
            self.span = Span::new(self.span.start.min(edit.start), end.max(edit.start));
        }
        self.drafts.retain_mut(|draft| {
            let kept = follow(&mut draft.span);
            draft.related.retain_mut(|(span, _)| follow(span));
            draft.fixes.retain_mut(|fix| {
                fix.beyond.as_mut().is_none_or(|beyond| follow(beyond.place_mut()))
                    && fix.edits.iter_mut().all(|edit| follow(&mut edit.span))
            });
            kept
        });
        self.mentions.clear();
    }

    /// Keeps the findings that are still its `own`: an edit that breaks the module may make a function of some of its statements.
    fn suspended(mut self, own: impl Fn(Span) -> bool) -> Self {
        self.content = 0;
        self.drafts.retain(|draft| own(draft.span));
        for draft in &mut self.drafts {
            draft.fixes.clear();
        }
        self
    }
}

/// The finding of a verdict, with its fixes.
fn draft(verdict: Verdict, tree: &Tree, names: &Names<'_>, in_async: bool, python: (u8, u8)) -> Draft {
    let root = tree.root();
    let spelling = Spelling { names, offset: verdict.span.start };
    let site = Site { src: names.src, root, in_async, names: &spelling, newline: newline(names.src), python };
    Draft {
        at_top_level: matches!(&verdict.repair, Repair::OutsideAsync(outside) if outside.home == Home::Module),
        unless_tolerated: None,
        rule: verdict.rule,
        level: verdict.level,
        span: verdict.span,
        message: verdict.message,
        related: verdict.related,
        elsewhere: verdict.elsewhere,
        fixes: fixes::draw_up(&site, &verdict.repair),
    }
}

struct Spelling<'a> {
    names: &'a Names<'a>,
    offset: u32,
}

impl fixes::Names for Spelling<'_> {
    fn spelling(&self, dotted: &str) -> Option<String> {
        self.names.spelling(self.offset, dotted)
    }

    fn global(&self, name: &str) -> Option<Global> {
        let Names { facts, module, .. } = *self.names;
        let meaning = module.meaning(name)?;
        let scope = facts.scope_at(self.offset);
        if facts.resolve(scope, name) != Resolved::Module {
            return Some(Global::Other);
        }
        Some(match meaning {
            Meaning::Import(path) => Global::Import(path.clone()),
            Meaning::Function { is_async: false, is_generator: false, decorated: false } => Global::Function,
            Meaning::CallResult(_) => self.names.call_result(scope, name).map_or(Global::Other, Global::Call),
            _ => Global::Other,
        })
    }
}

pub(super) fn newline(text: &str) -> &'static str {
    match memchr::memchr2(b'\n', b'\r', text.as_bytes()).map(|at| &text.as_bytes()[at..]) {
        Some([b'\r', b'\n', ..]) => "\r\n",
        Some([b'\r', ..]) => "\r",
        _ => "\n",
    }
}

/// What the functions of an item depend on in it besides their own text: the names that its scopes bind, and how.
fn context(facts: &Facts, text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    for scope in &facts.scopes {
        scope.name.map(|name| name.of(text)).hash(&mut hasher);
        let mut symbols: Vec<_> = scope.symbols.iter().collect();
        symbols.sort_by_key(|(name, _)| name.as_str());
        for (name, symbol) in symbols {
            (name, symbol.is_global, symbol.is_nonlocal, symbol.captured, symbol.rebound_inside).hash(&mut hasher);
            for binding in &symbol.bindings {
                format!("{:?}", binding.kind).hash(&mut hasher);
            }
        }
    }
    hasher.finish()
}

/// What functions and classes of an item import.
fn local_imports(facts: &Facts) -> Vec<String> {
    let bindings = facts.scopes.iter().skip(1).flat_map(|scope| scope.symbols.values()).flat_map(|of| &of.bindings);
    let mut imports: Vec<String> = bindings
        .filter_map(|binding| match &binding.kind {
            BindingKind::Import(path) => Some(path.clone()),
            _ => None,
        })
        .collect();
    imports.sort_unstable();
    imports.dedup();
    imports
}

/// The name by which a function of the module or a method of a class of it is called.
fn callable(facts: &Facts, scope: ScopeId, text: &str) -> Option<Arc<str>> {
    let of = facts.scope(scope).filter(|of| matches!(of.kind, ScopeKind::Function { .. }))?;
    let name = of.name?.of(text);
    let parent = of.parent?;
    if parent == ScopeId(0) {
        return Some(name.into());
    }
    let class =
        facts.scope(parent).filter(|class| class.kind == ScopeKind::Class && class.parent == Some(ScopeId(0)))?;
    Some(format!("{}.{name}", class.name?.of(text)).into())
}

fn qualified_name(facts: &Facts, scope: ScopeId, text: &str) -> String {
    let mut names: Vec<&str> =
        facts.outwards(scope).filter_map(|id| facts.scope(id)?.name).map(|name| name.of(text)).collect();
    names.reverse();
    names.join(".")
}
