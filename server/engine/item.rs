//! What is kept of an item: its tree, its facts, and what the rules say about each of its functions.
//!
//! All places are bytes of the item. An edit in the item leaves the tree to be parsed on, and the findings to stand in for those
//! of functions that do not parse at the moment.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

use super::Draft;
use super::names::Module;
use crate::facts::{Facts, Mentions, ModuleNames, Names, ScopeId, extract};
use crate::fixes::{self, Home, Repair, Site};
use crate::flow::{self, Unit};
use crate::rules::{self, Verdict};
use crate::tasks::{self, Mention};
use crate::text::{Edit, Span};
use crate::tree::{self, Tree};

#[derive(Default)]
pub(super) struct ItemState {
    words: Option<Words>,
    tree: Option<Tree>,
    facts: Option<Facts>,
    mentions: Option<Mentions>,
    pub analysis: Option<Analysis>,
}

/// Which words stand in an item, be it in a string: what tells what to do with it before it is parsed.
#[derive(Clone, Copy)]
pub(super) struct Words {
    /// `result` or `exception`: one stands in every item with a finding about tasks.
    pub trigger: bool,
    /// `await`, or `async` that begins no `def`, where it may not be legal.
    pub suspends: bool,
    pub global: bool,
    pub is_yield: bool,
}

impl Words {
    fn of(text: &str) -> Self {
        let holds = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
        Self {
            trigger: holds("result") || holds("exception"),
            suspends: (holds("await") || has_async_block(text)) && !is_one_coroutine(text),
            global: holds("global"),
            is_yield: holds("yield"),
        }
    }
}

/// Whether `async` stands before something else than a `def`, which names no `asyncio`.
fn has_async_block(text: &str) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), "async").any(|at| {
        let behind = &text[at + "async".len()..];
        let word = behind.trim_start_matches(|c: char| c.is_whitespace() || c == '\\');
        word.len() < behind.len() && !word.starts_with("def")
    })
}

/// Whether the item is an `async def` with no function, `lambda` or class in it: all that suspends is legal in its body.
fn is_one_coroutine(text: &str) -> bool {
    let finder = |word: &'static str| memchr::memmem::find_iter(text.as_bytes(), word);
    let head = [":\n", ":\r"].into_iter().filter_map(|end| finder(end).next()).min();
    text.starts_with("async def")
        && head.is_some_and(|end| memchr::memmem::find(&text.as_bytes()[..end], b"await").is_none())
        && finder("def").count() == 1
        && finder("lambda").next().is_none()
        && finder("class").next().is_none()
}

/// What was found out about the functions of an item.
pub(super) struct Analysis {
    /// The fingerprint of the module that it holds for; `None` after an edit.
    module: Option<u64>,
    functions: Vec<Function>,
}

struct Function {
    /// What tells it from the others of the item while it is edited: its qualified name and its number among those of it.
    key: (String, u32),
    /// Of its text and all that it depends on.
    content: u64,
    span: Span,
    drafts: Vec<Draft>,
    mentions: Vec<(Span, Mention)>,
}

impl Analysis {
    pub fn drafts(&self) -> impl Iterator<Item = &Draft> {
        self.functions.iter().flat_map(|function| &function.drafts)
    }

    pub fn mentions(&self) -> impl Iterator<Item = &(Span, Mention)> {
        self.functions.iter().flat_map(|function| &function.mentions)
    }
}

impl ItemState {
    /// The item's text was edited; `text` is the new one.
    pub fn edit(&mut self, text: &str, edit: Edit) {
        self.words = None;
        self.tree = self.tree.take().map(|tree| tree.reparse(text, edit));
        self.facts = None;
        self.mentions = None;
        if let Some(analysis) = &mut self.analysis {
            analysis.module = None;
            for function in &mut analysis.functions {
                function.follow(edit);
            }
        }
    }

    pub fn words(&mut self, text: &str) -> Words {
        *self.words.get_or_insert_with(|| Words::of(text))
    }

    pub fn tree(&mut self, text: &str) -> &Tree {
        self.tree.get_or_insert_with(|| Tree::parse(text))
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

    pub fn forget_mentions(&mut self) {
        self.mentions = None;
    }

    /// Brings the analysis up to date; gives the number of functions that this took.
    pub fn analyse(&mut self, text: &str, module: &Module) -> u64 {
        if self.analysis.as_ref().is_some_and(|analysis| analysis.module == Some(module.fingerprint)) {
            return 0;
        }
        self.facts(text);
        let (Some(tree), Some(facts)) = (&self.tree, &self.facts) else { return 0 };
        let mut before: FxHashMap<(String, u32), Function> = FxHashMap::default();
        if let Some(analysis) = self.analysis.take() {
            before.extend(analysis.functions.into_iter().map(|function| (function.key.clone(), function)));
        }
        let names = Names { facts, module: &module.names, src: text };
        let context = context(facts, text);
        let deep = tree::too_deep(tree.root());
        let syntax = if deep { Vec::new() } else { rules::judge_syntax(facts, tree.root(), text) };
        let mut numbers: FxHashMap<String, u32> = FxHashMap::default();
        let mut functions = Vec::new();
        let mut analysed = 0;
        for unit in flow::units(facts) {
            let name = qualified_name(facts, unit.scope, text);
            let number = numbers.entry(name.clone()).or_default();
            *number += 1;
            let key = (name, *number);
            let content = content(unit, text, context, module.fingerprint);
            let known = before.remove(&key);
            if deep || facts.scope(unit.scope).is_some_and(|scope| scope.broken) {
                // Suspended: what was said last stands until it parses again.
                let own = |span: Span| facts.function_at(span.start) == unit.scope;
                functions.extend(known.map(|function| function.suspended(own)));
                continue;
            }
            match known {
                Some(mut function) if function.content == content => {
                    function.span = unit.span;
                    functions.push(function);
                }
                _ => {
                    analysed += 1;
                    let own =
                        syntax.iter().filter(|(scope, _)| *scope == unit.scope).map(|(_, verdict)| verdict.clone());
                    let drafts = own.map(|verdict| draft(verdict, tree, &names, false)).collect();
                    functions.push(Function::analyse(key, content, unit, tree, &names, module, drafts));
                }
            }
        }
        // What does not parse may hide the `def` of a function beside it: what was said of that one stands as well.
        let broken = |span: Span| facts.scope(facts.function_at(span.start)).is_some_and(|scope| scope.broken);
        let hidden = before.into_values().map(|function| function.suspended(broken));
        functions.extend(hidden.filter(|function| !function.drafts.is_empty()));
        self.analysis = Some(Analysis { module: Some(module.fingerprint), functions });
        analysed
    }
}

impl Function {
    /// `drafts`: what is found in it by its syntax alone.
    fn analyse(
        key: (String, u32),
        content: u64,
        unit: Unit,
        tree: &Tree,
        names: &Names<'_>,
        module: &Module,
        drafts: Vec<Draft>,
    ) -> Self {
        let mut this = Self { key, content, span: unit.span, drafts, mentions: Vec::new() };
        let Some(graph) = flow::lower(unit, tree.root(), names) else { return this };
        let Some(account) = tasks::analyse(&graph, &|function| module.isolated.contains(function)) else { return this };
        for verdict in rules::judge(&account, names.src, graph.is_async) {
            this.drafts.push(draft(verdict, tree, names, graph.is_async));
        }
        this.mentions = account.mentions.into_iter().collect();
        this.mentions.sort_by_key(|(span, _)| *span);
        this
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
fn draft(verdict: Verdict, tree: &Tree, names: &Names<'_>, in_async: bool) -> Draft {
    let root = tree.root();
    let spelling = Spelling { names, offset: verdict.span.start };
    let site = Site { src: names.src, root, in_async, names: &spelling, newline: newline(names.src), python: (3, 11) };
    Draft {
        at_top_level: matches!(&verdict.repair, Repair::OutsideAsync(outside) if outside.home == Home::Module),
        rule: verdict.rule,
        level: verdict.level,
        span: verdict.span,
        message: verdict.message,
        related: verdict.related,
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

fn content(unit: Unit, text: &str, context: u64, module: u64) -> u64 {
    let mut hasher = FxHasher::default();
    (unit.span.of(text), context, module).hash(&mut hasher);
    // Zero means "to be analysed".
    hasher.finish().max(1)
}

fn qualified_name(facts: &Facts, scope: ScopeId, text: &str) -> String {
    let mut names: Vec<&str> =
        facts.outwards(scope).filter_map(|id| facts.scope(id)?.name).map(|name| name.of(text)).collect();
    names.reverse();
    names.join(".")
}
