//! One syntax tree per item, parsed incrementally, and the repairs of the grammar's slips.
//!
//! In: the text of one item, or the tree of the item before an edit and that edit. Out: a [`Tree`] whose byte offsets are
//! those of the item's text. Rows and columns of its nodes are right too, but nothing uses them: positions are made from
//! offsets, at the last moment.
//!
//! Python takes a lone `\r` for a line break and tree-sitter does not, so the parser sees `\n` in its place.
//!
//! The parser's recovery from an error takes time that is quadratic in the brackets open there, 14 s for 100,000; and the grammar's
//! scanner reads a run of lines that backslashes join once for each of them, 50 s for 100,000. So a text with more than [`MAX_RUN`]
//! of either is not parsed: its tree is that of a lone bracket, which is broken as well.

pub mod quirks;

use std::borrow::Cow;
use std::cell::RefCell;

use memchr::memchr_iter;
use tree_sitter::{InputEdit, Language, Node, Parser, Point};

use crate::text::{Edit, LineIndex, Span};

/// The grammar of every tree: what a query is compiled for.
pub fn language() -> Language {
    tree_sitter_python::LANGUAGE.into()
}

thread_local! {
    static PARSER: RefCell<Parser> = RefCell::new(Parser::new());
}

/// How many brackets may be open at one place of an item, and how many blank lines in a row may end in a backslash, for it to be
/// parsed. Python takes 200 brackets, but here those in strings and comments count too.
pub const MAX_RUN: usize = 5000;

/// The syntax tree of one item.
#[derive(Clone, Debug)]
pub struct Tree {
    tree: tree_sitter::Tree,
    /// The text was not parsed, see [`MAX_RUN`]: the tree is not its own.
    refused: bool,
    /// Of the text that was parsed: an edit names rows and columns of the text before it.
    lines: LineIndex,
}

impl Tree {
    /// Parses the text of an item. Broken text gives a tree too, with `ERROR` and `MISSING` nodes; hostile text ([`MAX_RUN`]) one with
    /// nothing else.
    pub fn parse(text: &str) -> Self {
        let refused = is_hostile(text);
        let tree = parse(if refused { "(" } else { text }, None);
        Self { tree, refused, lines: LineIndex::new(text) }
    }

    /// The tree of `text`, which `edit` (bytes of the item) made out of the text of this tree. Equals `Tree::parse(text)`,
    /// for a fraction of the cost where the text has no parse error, and for the same where it has.
    pub fn reparse(&self, text: &str, edit: Edit) -> Self {
        if self.refused || is_hostile(text) {
            return Self::parse(text);
        }
        let edit = whole_line_breaks(text, edit);
        let mut lines = self.lines.clone();
        lines.apply(text, edit);
        let mut old = self.tree.clone();
        old.edit(&InputEdit {
            start_byte: edit.start as usize,
            old_end_byte: edit.old_end as usize,
            new_end_byte: edit.new_end as usize,
            start_position: point(&self.lines, edit.start),
            old_end_position: point(&self.lines, edit.old_end),
            new_end_position: point(&lines, edit.new_end),
        });
        let mut tree = parse(text, Some(&old));
        // How the parser recovers from an error depends on which parts of the old tree it happens to keep.
        if tree.root_node().has_error() {
            tree = parse(text, None);
        }
        Self { tree, refused: false, lines }
    }

    /// The root, a `module` node.
    pub fn root(&self) -> Node<'_> {
        self.tree.root_node()
    }
}

/// The bytes of the item that a node takes.
pub fn span(node: Node<'_>) -> Span {
    Span::new(node.start_byte() as u32, node.end_byte() as u32)
}

/// What a node reads, where `text` is what its tree was parsed from.
pub fn text_of<'s>(node: Node<'_>, text: &'s str) -> &'s str {
    span(node).of(text)
}

/// Whether a `def`, `for`, `with` or comprehension's `for` starts with `async`.
pub fn is_async(node: Node<'_>) -> bool {
    node.child(0).is_some_and(|first| first.kind() == "async")
}

/// All children of a node, punctuation and comments included.
pub fn children(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let mut walk = node.walk();
    let mut more = walk.goto_first_child();
    std::iter::from_fn(move || {
        let child = more.then(|| walk.node())?;
        more = walk.goto_next_sibling();
        Some(child)
    })
}

/// The named children of a node without comments: the statements of a block or module, the elements of a list.
pub fn named_children(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    children(node).filter(|child| child.is_named() && !matches!(child.kind(), "comment" | "line_continuation"))
}

/// How deep the nodes below a node may nest before [`too_deep`] refuses it.
///
/// Every level of the tree counts, so one Python level counts two or three times (`call` > `argument_list` > `call`). A stage that
/// recurses may spend 8 kB of a 2 MB stack per level. Of the 79,000 items of the standard library and its site-packages two nest deeper.
pub const MAX_DEPTH: u32 = 256;

/// Whether the nodes below `node` nest deeper than [`MAX_DEPTH`]. Stages that recurse over nodes ask this first and leave such
/// an item or function alone: it is made to break tools, or generated.
pub fn too_deep(node: Node<'_>) -> bool {
    deeper_than(node, MAX_DEPTH)
}

/// How deep the nodes of an item may nest before no query is run on it: its cost grows with nodes times depth.
pub const MAX_QUERY_DEPTH: u32 = 5000;

/// Whether the nodes below `node` nest deeper than `depth`.
pub fn deeper_than(node: Node<'_>, depth: u32) -> bool {
    // So few nodes cannot nest deeper: in most items all that this looks at is a statement or two.
    let may_be = |node: Node<'_>, at: u32| node.descendant_count() + at as usize > depth as usize + 1;
    walk(node, may_be, |_, at| at > depth)
}

/// Whether `test` holds for `node` or any node below it, in source order. `test` also gets the depth below `node`. Does not recurse.
pub fn any<'t>(node: Node<'t>, test: impl FnMut(Node<'t>, u32) -> bool) -> bool {
    walk(node, |_, _| true, test)
}

/// The same, where only nodes that pass `enter` are looked into.
fn walk<'t>(
    node: Node<'t>,
    enter: impl Fn(Node<'t>, u32) -> bool,
    mut test: impl FnMut(Node<'t>, u32) -> bool,
) -> bool {
    let mut walk = node.walk();
    // The walk knows its depth, but counts it anew at each question.
    let mut depth = 0;
    loop {
        if test(walk.node(), depth) {
            return true;
        }
        if enter(walk.node(), depth) && walk.goto_first_child() {
            depth += 1;
            continue;
        }
        while !walk.goto_next_sibling() {
            if !walk.goto_parent() {
                return false;
            }
            depth -= 1;
        }
    }
}

/// Whether a text is made to break parsers, see [`MAX_RUN`].
fn is_hostile(text: &str) -> bool {
    if text.len() <= MAX_RUN {
        return false;
    }
    let (mut open, mut backslashes) = (0_usize, 0_usize);
    text.bytes().any(|byte| {
        backslashes = match byte {
            b'\\' => backslashes + 1,
            b' ' | b'\t' | b'\n' | b'\r' => backslashes,
            _ => 0,
        };
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open.max(backslashes) > MAX_RUN
    })
}

fn parse(text: &str, old: Option<&tree_sitter::Tree>) -> tree_sitter::Tree {
    PARSER.with_borrow_mut(|parser| {
        let bytes = with_newlines(text);
        if parser.language().is_none() {
            // Fails only for a grammar of another ABI; both crates are pinned and every test would tell.
            let _ = parser.set_language(&language());
        }
        let Some(tree) = parser.parse(&bytes, old) else {
            unreachable!("a parser without a language, or with a cancelled parse; we have neither")
        };
        tree
    })
}

/// The text as the parser gets it: with `\n` for each lone `\r`.
fn with_newlines(text: &str) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    let is_lone = |&at: &usize| bytes.get(at + 1) != Some(&b'\n');
    let mut lone = memchr_iter(b'\r', bytes).filter(is_lone).peekable();
    if lone.peek().is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut changed = bytes.to_vec();
    lone.for_each(|at| changed[at] = b'\n');
    Cow::Owned(changed)
}

/// The edit with a `\r` before it: whether that is a lone one, and so what the parser gets for it, is decided by the byte after it.
fn whole_line_breaks(text: &str, edit: Edit) -> Edit {
    let before = text.as_bytes()[..edit.start as usize].last();
    Edit { start: edit.start - u32::from(before == Some(&b'\r')), ..edit }
}

fn point(lines: &LineIndex, offset: u32) -> Point {
    let row = lines.line(offset);
    Point::new(row as usize, (offset - lines.start(row).unwrap_or_default()) as usize)
}
