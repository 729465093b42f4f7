//! Fixes that need the whole file: what calls a function that becomes `async`, which names are free in the module.
//!
//! In: a [`Beyond`] that a draft carries, and the [`View`] of the file. Out: what it comes to there, [`Reached`], in bytes of the
//! **file**. This is done anew for each text, because any edit of the file may change it, and only where such a finding stands. Not every
//! item is parsed when it starts: what is missing comes back as a [`Need`], and the caller parses that and asks again.

use tree_sitter::Node;

use super::edits::{fresh_name, mentions};
use super::{import_edit, lambda, make_async, module_level};
use crate::facts::{Facts, ModuleNames, Names, ScopeId, ScopeKind};
use crate::report::{Applicability, Fix, Related, TextEdit};
use crate::text::Span;

/// What a draft does beyond its item. Spans are bytes of the item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Beyond {
    /// Whatever makes this place one where Python takes an `await`.
    OutsideAsync(Outside),
    /// This expression gets an `await`, and the plain function that evaluates it becomes `async`.
    AwaitInDef(Span),
    /// The module runs this call, which makes a coroutine: `asyncio.run`, or `await` in a notebook.
    RunInModule(Span),
}

impl Beyond {
    /// The place that it is about: gone with it.
    pub fn place_mut(&mut self) -> &mut Span {
        match self {
            Self::OutsideAsync(outside) => &mut outside.at,
            Self::AwaitInDef(at) | Self::RunInModule(at) => at,
        }
    }
}

/// An `await`, `async for`, `async with` or asynchronous comprehension where Python takes none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outside {
    /// The `await` expression, the words `async for` or `async with`, or the comprehension.
    pub at: Span,
    /// What evaluates it.
    pub home: Home,
}

/// What evaluates a place and decides whether an `await` is legal there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Home {
    /// An `async def`.
    Coroutine,
    /// A `def`.
    Function,
    /// A `lambda`.
    Lambda,
    /// A class body.
    Class,
    /// The module.
    Module,
    /// A generator expression: with an `await` it is an asynchronous generator, wherever it stands.
    Generator,
}

/// What decides whether an `await` is legal in code of this scope, the scope of that, and the outermost comprehension in between: it
/// takes part in all that is asynchronous in it, since 3.11 through any number of comprehensions.
pub fn home(facts: &Facts, from: ScopeId) -> (Home, ScopeId, Option<ScopeId>) {
    let mut comprehension = None;
    for id in facts.outwards(from) {
        let Some(scope) = facts.scope(id) else { break };
        let home = match scope.kind {
            ScopeKind::Comprehension => {
                comprehension = Some(id);
                continue;
            }
            ScopeKind::GeneratorExpression => Home::Generator,
            ScopeKind::Function { is_async: true, .. } => Home::Coroutine,
            ScopeKind::Function { .. } => Home::Function,
            ScopeKind::Lambda => Home::Lambda,
            ScopeKind::Class => Home::Class,
            ScopeKind::Module => Home::Module,
        };
        return (home, id, comprehension);
    }
    (Home::Module, ScopeId(0), comprehension)
}

/// A file, as far as it is parsed.
pub struct View<'a> {
    /// Its text.
    pub text: &'a str,
    /// Its top-level items, in their order.
    pub items: Vec<ItemView<'a>>,
    /// What its module-level names mean.
    pub module: &'a ModuleNames,
    /// Its line ending.
    pub newline: &'a str,
    /// The code runs where `await` is legal at module level, and a loop is running already: `asyncio.run` would raise.
    pub top_level_await: bool,
}

/// A top-level item.
#[derive(Clone, Copy)]
pub struct ItemView<'a> {
    /// Where it starts in the file.
    pub start: u32,
    /// Its text.
    pub src: &'a str,
    /// The root of its tree, and its facts.
    pub parsed: Option<(Node<'a>, &'a Facts)>,
}

/// What has to be parsed first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Need {
    /// Every item in which this word stands.
    Word(String),
    /// Every item that ends behind this byte of the file.
    From(u32),
}

/// What a [`Beyond`] comes to, in bytes of the file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reached {
    /// The fixes, the best first.
    pub fixes: Vec<Fix>,
    /// Other places that they have to do with.
    pub related: Vec<Related>,
}

/// What `beyond`, of the item with the index `item`, comes to.
///
/// # Errors
/// If more of the file has to be parsed.
pub fn reach_out(view: &View, item: usize, beyond: &Beyond) -> Result<Reached, Need> {
    match beyond {
        Beyond::OutsideAsync(Outside { at, home }) => match home {
            Home::Function => make_async::reach(view, item, *at, false),
            Home::Module => Ok(module_level::reach(view, item, *at)?),
            Home::Class => {
                Ok(Reached { fixes: module_level::run(view, item, *at).into_iter().collect(), ..Reached::default() })
            }
            Home::Lambda => {
                Ok(Reached { fixes: lambda::named(view, item, *at).into_iter().collect(), ..Reached::default() })
            }
            Home::Coroutine | Home::Generator => Ok(Reached::default()),
        },
        Beyond::RunInModule(at) => {
            let fix = module_level::run_call(view, item, *at);
            Ok(Reached { fixes: fix.into_iter().collect(), ..Reached::default() })
        }
        Beyond::AwaitInDef(at) => make_async::reach(view, item, *at, true),
    }
}

impl<'a> View<'a> {
    /// The tree and the facts of an item.
    pub(super) fn parsed(&self, item: usize) -> Option<(&'a str, Node<'a>, &'a Facts)> {
        let ItemView { src, parsed, .. } = self.items.get(item)?;
        let (root, facts) = (*parsed)?;
        Some((*src, root, facts))
    }

    /// What the names of an item mean.
    pub(super) fn names(&self, item: usize) -> Option<Names<'a>> {
        let (src, _, facts) = self.parsed(item)?;
        Some(Names { facts, module: self.module, src })
    }

    /// How `dotted`, a name of asyncio, is spelled at a place of an item, and the edit that imports it where that is needed.
    pub(super) fn spelled(&self, item: usize, offset: u32, dotted: &str) -> (String, Option<TextEdit>) {
        match self.names(item).and_then(|names| names.spelling(offset, dotted)) {
            Some(spelling) => (spelling, None),
            None => (dotted.to_owned(), Some(import_edit(self.text, "asyncio"))),
        }
    }

    /// The first of these names that stands nowhere in the file.
    pub(super) fn free_name(&self, names: &[&str]) -> String {
        let free = names.iter().find(|name| !mentions(self.text, name));
        free.map_or_else(|| fresh_name(self.text, names[0]), |name| (*name).to_owned())
    }

    /// Edits of an item, as edits of the file.
    pub(super) fn in_file(&self, item: usize, edits: Vec<TextEdit>) -> impl Iterator<Item = TextEdit> {
        let start = self.items.get(item).map_or(0, |item| item.start);
        edits.into_iter().map(move |edit| TextEdit { span: edit.span.shifted(start), content: edit.content })
    }
}

/// A fix of edits of the file: sorted, and each only once.
pub(super) fn fix(title: String, applicability: Applicability, mut edits: Vec<TextEdit>) -> Fix {
    // Stable: insertions at one place stay in their order.
    edits.sort_by_key(|edit| edit.span);
    edits.dedup();
    Fix { title, applicability, edits }
}
