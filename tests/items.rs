//! The cutter and the trees of its items, against the parser's view of whole files and against themselves after edits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::HashSet;
use std::fmt::Write;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use aiolint::items::{Item, ItemKind, Origin, cut, recut};
use aiolint::text::{Edit, Span};
use aiolint::tree::{self, Tree};
use proptest::prelude::*;
use rustc_hash::FxHasher;

// --- the standard library ---------------------------------------------------------------------------------------------

#[test]
fn items_put_together_equal_the_tree_of_the_whole_file() {
    let Some(library) = standard_library() else { return };
    let mut files = Vec::new();
    python_files(&library, &mut files);
    files.sort();
    assert!(files.len() > 200, "{} holds too few files", library.display());
    // All of them take a minute in a debug build.
    let step = if cfg!(debug_assertions) { 10 } else { 1 };
    let (mut wrong, mut unparsable) = (Vec::new(), Vec::new());
    for path in files.iter().step_by(step) {
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        let items = cut(&text);
        assert_covers(&items, &text);
        let of_items: Vec<_> = items.iter().flat_map(|item| top_level(item.span.of(&text), item.span.start)).collect();
        if of_items != top_level(&text, 0) {
            // Where the grammar itself fails, as in test/test_compile.py, it recovers in another way in a whole file.
            let list = if Tree::parse(&text).root().has_error() { &mut unparsable } else { &mut wrong };
            list.push(path);
        }
    }
    assert!(wrong.is_empty(), "{} of {} files: {wrong:#?}", wrong.len(), files.len());
    assert!(unparsable.len() <= 2, "of {} files: {unparsable:#?}", files.len());
}

/// The folder of the standard library, or nothing, loudly, where there is no Python. CI has one.
fn standard_library() -> Option<PathBuf> {
    let output = Command::new("python3").args(["-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"]).output();
    match output {
        Ok(output) if output.status.success() => Some(String::from_utf8(output.stdout).unwrap().trim().into()),
        _ => {
            assert!(std::env::var_os("CI").is_none(), "no python3 in CI");
            eprintln!("SKIPPED: no python3, so no standard library to cut");
            None
        }
    }
}

fn python_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        // Of the entry, not of the path: a link may lead back up.
        if entry.file_type().unwrap().is_dir() {
            python_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "py") {
            files.push(path);
        }
    }
}

fn assert_covers(items: &[Item], text: &str) {
    let mut end = 0;
    for item in items {
        assert_eq!(item.span.start, end, "a gap or an overlap");
        assert!(!item.span.is_empty(), "an empty item");
        assert!(text.is_char_boundary(item.span.end as usize), "a cut character");
        end = item.span.end;
    }
    assert_eq!(end as usize, text.len(), "text without an item");
}

/// Kind, place and a hash of all that is below, for each top-level node of a text that stands at `offset` in its file.
fn top_level(text: &str, offset: u32) -> Vec<(String, Span, u64)> {
    let parsed = Tree::parse(text);
    let mut nodes = Vec::new();
    for node in tree::children(parsed.root()) {
        let span = tree::span(node);
        let mut hasher = FxHasher::default();
        tree::any(node, |below, depth| {
            let span = (below.start_byte() - node.start_byte(), below.end_byte() - node.start_byte());
            (below.kind_id(), span, depth, below.is_missing()).hash(&mut hasher);
            false
        });
        nodes.push((node.kind().to_owned(), span.shifted(offset), hasher.finish()));
    }
    nodes
}

// --- what an item is --------------------------------------------------------------------------------------------------

/// The items of a text, one per line: what it is, its name, its first line.
fn outline(text: &str) -> String {
    let mut outline = String::new();
    for item in cut(text) {
        let item_text = item.span.of(text);
        let name = item.kind.name().map(|name| name.of(item_text)).unwrap_or_default();
        let kind = match item.kind {
            ItemKind::Function { is_async, decorated, .. } => {
                format!("{}{}def {name}", if decorated { "@" } else { "" }, if is_async { "async " } else { "" })
            }
            ItemKind::Class { decorated, .. } => format!("{}class {name}", if decorated { "@" } else { "" }),
            ItemKind::Compound => "compound".to_owned(),
            ItemKind::Simple => "simple".to_owned(),
        };
        writeln!(outline, "{kind} | {}", item_text.lines().next().unwrap_or_default()).unwrap();
    }
    outline
}

#[test]
fn an_item_is_a_compound_statement_or_a_run_of_simple_ones() {
    insta::assert_snapshot!(outline(SAMPLE), @r#"
    simple | """What the module does: def, class and import at the start of a line are only text here.
    compound | if os.name == 'nt': x = 1
    @async def fetch | @aio.coroutine
    class A | class A[T](Base, metaclass=Meta):
    compound | match NAMES:
    simple | match = 1
    compound | try:
    def last | def last(): return f'''
    simple | type(A).task = last()
    "#);
}

#[test]
fn an_item_keeps_what_follows_it() {
    let text = "# head\n\nx = 1\n# of x\n\ndef f(): pass\n\n# of f\n    # of f too\ny\n   ";
    let items: Vec<_> = cut(text).iter().map(|item| item.span.of(text)).collect();
    assert_eq!(items, ["# head\n\nx = 1\n# of x\n\n", "def f(): pass\n\n# of f\n    # of f too\n", "y\n   "]);
}

#[test]
fn odd_texts_have_items() {
    assert_eq!(outline(""), "");
    assert_eq!(outline("\n \n# only a comment"), "simple | \n");
    assert_eq!(outline("   "), "simple |    \n");
    assert_eq!(outline("\u{FEFF}def f(): pass\n"), "def f | \u{FEFF}def f(): pass\n");
    assert_eq!(
        outline("\x0Cdef f(): pass\n\x0Cclass A: pass"),
        "def f | \x0Cdef f(): pass\nclass A | \x0Cclass A: pass\n"
    );
    assert_eq!(outline("  x\n  y\nz\n"), "simple |   x\nsimple | z\n");
    assert_eq!(outline("else:\n  y\nfinally: z\n"), "simple | else:\nsimple | finally: z\n");
    assert_eq!(outline("@a\n@b\nx = 1\n"), "simple | @a\nsimple | x = 1\n");
    assert_eq!(outline("def \nasync def\nclass"), "def  | def \nasync def  | async def\nclass  | class\n");
    assert_eq!(
        outline("async with a: pass\nasync for x in y: pass\nasync = 1"),
        "compound | async with a: pass\ncompound | async for x in y: pass\nsimple | async = 1\n"
    );
    assert_eq!(outline("a\nmatch x:\n  case 1: pass\nb"), "simple | a\ncompound | match x:\nsimple | b\n");
}

/// Functions and a class with documentation strings and brackets.
const FENCED: &str = r#""""Module."""
import asyncio

async def one(a, b):
    """One line."""
    x = {"a": [1, (2)], 'b': f"{a!r}"}
    return await wait(x, "y")


async def two(a,
              b):
    """Summary.

    Details: more.
    """
    x = """
    text
    """
    return await wait([x], 'z')


class Three(Base):
    """
    Details.
    """

    async def method(self):
        """Does it."""
        return (await self.wait("x"))

    def other(self):
        r"""Other."""
        return {}


@decorated(1)
def four():
    """Four."""


def five():
    pass


def six():
    """
    Six.
    """
"#;

#[test]
fn what_is_opened_does_not_swallow_the_file() {
    let fences = ["async def one", "async def two", "class Three", "@decorated", "def five", "def six"];
    let starts: Vec<_> = fences.iter().map(|fence| FENCED.find(&format!("\n{fence}")).unwrap() + 1).collect();
    let openers = [
        "\"\"\"",
        "'''",
        "\"",
        "'",
        "(",
        "[",
        "{",
        "f\"{",
        "f'''{",
        "f\"\"\"",
        "x = foo(\"",
        "\"\"\"Doc.\n",
        "\n    \"\"\"\n",
        "# '",
    ];
    let mut swallowed = Vec::new();
    for opened in openers {
        for at in 0..starts[4] {
            let mut text = FENCED.to_owned();
            text.insert_str(at, opened);
            let items = cut(&text);
            let is_start = |start: usize| items.iter().any(|item| item.span.start as usize == start + opened.len());
            // The item after the next at the latest starts where it did.
            let mut due = starts.iter().filter(|&&start| start > at).skip(1);
            if !due.all(|&start| is_start(start)) {
                swallowed.push((opened, &FENCED[at.saturating_sub(40)..at]));
            }
        }
    }
    assert!(swallowed.is_empty(), "{} times: {swallowed:#?}", swallowed.len());
}

#[test]
fn a_lone_carriage_return_ends_a_line_for_the_parser_too() {
    let lines = ["async def f():", "    x = 'a'  # comment", "    await x", ""];
    let (lone, plain) = (lines.join("\r"), lines.join("\n"));
    let tree = Tree::parse(&lone);
    assert!(!tree.root().has_error());
    assert_eq!(nodes(&tree), nodes(&Tree::parse(&plain)));
    // A line feed after it makes one line break out of the two bytes: what the parser got for the first changes as well.
    let crlf = lone.replacen('\r', "\r\n", 1);
    let edited = tree.reparse(&crlf, Edit { start: 15, old_end: 15, new_end: 16 });
    assert_eq!(nodes(&edited), nodes(&Tree::parse(&crlf)));
}

#[test]
fn depth_costs_no_stack() {
    let deep = 100_000;
    let closed = format!("{}{}", "(".repeat(deep), ")".repeat(deep));
    let sum = format!("x{}", " + x".repeat(deep));
    let texts = ["(".repeat(deep), "f'{".repeat(deep), "not ".repeat(deep), closed, sum];
    for text in &texts {
        assert_covers(&cut(text), text);
        let tree = Tree::parse(text);
        let edit = Edit { start: 0, old_end: 0, new_end: 1 };
        tree.reparse(&format!("x{text}"), edit);
        tree::quirks::is_broken(tree.root(), text);
    }
    let [.., closed, sum] = &texts;
    assert!(tree::quirks::is_broken(Tree::parse(closed).root(), closed));
    assert!(tree::too_deep(Tree::parse(sum).root()));
    assert!(!tree::too_deep(Tree::parse(SAMPLE).root()));
}

// --- edits ------------------------------------------------------------------------------------------------------------

/// Real Python with all that a cutter may stumble over.
const SAMPLE: &str = r#""""What the module does: def, class and import at the start of a line are only text here.

def not_code():
    pass
"""
from __future__ import annotations

import asyncio as aio, os
from typing import (
    Any,
    Optional,  # of course
)
NAMES = {"é": 1, '𝕏"': [2, (3)]}; TABLE = """
class NotCode:
    ''' nor this '''
import not_code
""" % NAMES
if os.name == 'nt': x = 1
elif NAMES:
    x = \
        2
# a comment between the branches
else:
    x = 3

@aio.coroutine
@decorator(
    "a",
    b=[1,
2],
)
# a comment among decorators
async def fetch(session: "Session", *, url: str = f"{x!r:>{10}}{'}'}") -> None:
    """Fetches 𝕏.

    Example:
        def inner(): ...
    """
    async with session.get(url) as réponse:
        task = aio.create_task(réponse.json())
        print(f"{task.result():=5} {NAMES["é"]} {{literal}}" rf'\{x}')
        await aio.wait([*aio.all_tasks(), *await other()])

        # trailing
      # less indented
    return task.result()[x ** 2:]
class A[T](Base, metaclass=Meta):

    field: int = 5

    def method(self):
        '''Doc.'''
        return (self
            .field)

    @property
    def other(self): return lambda: (yield)
match NAMES:
    case {"a": [1, 2, *rest]} if rest:
        pass
    case _: print("none")
match = 1
try:
    pass
except* (OSError, ValueError) as error:
    raise RuntimeError from error
finally:
    del x
def last(): return f'''
{x}
'''
type(A).task = last()
"#;

/// What people and tools put into Python text, and what breaks it.
const SNIPPETS: &[&str] = &[
    "x",
    " ",
    "    ",
    "\t",
    "\x0C",
    "\u{FEFF}",
    "é",
    "𝕏",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\\",
    "\\\n",
    "\\\r\n",
    "#",
    "# c\n",
    ";",
    ":",
    ",",
    "=",
    "'",
    "\"",
    "'''",
    "\"\"\"",
    "\n    \"\"\"Doc.\n",
    "\"\"\"Doc.\"\"\"\n",
    "f\"",
    "f\"{",
    "rf'''",
    "{x:",
    "{{",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "def ",
    "def f(x):\n",
    "\ndef g():\n    pass\n",
    "\n    def m(self):\n",
    "async ",
    "async def h():\n    await t\n",
    "await ",
    "class ",
    "\nclass C:\n",
    "@",
    "@dec\n",
    "import os\n",
    "\nfrom a import b\n",
    "if x:\n",
    "else:\n",
    "\nelse:\n    y\n",
    "match x:\n",
    "with a as b: pass\n",
    "if __name__ == '__main__':\n",
    "t.result()\n",
    "\0",
];

/// An edit at a random place: where, how many characters go, what comes. All three are taken modulo what there is.
type RandomEdit = (prop::sample::Index, usize, prop::sample::Index);

fn random_edits() -> impl Strategy<Value = Vec<RandomEdit>> {
    let removed = prop_oneof![4 => Just(0_usize), 4 => 1..4_usize, 1 => 4..200_usize];
    prop::collection::vec((any::<prop::sample::Index>(), removed, any::<prop::sample::Index>()), 1..24)
}

/// Makes the edit; says what it did to the bytes.
fn make(text: &mut String, (at, removed, inserted): &RandomEdit) -> Edit {
    let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let first = at.index(boundaries.len());
    let start = boundaries[first];
    let old_end = boundaries[(first + removed).min(boundaries.len() - 1)];
    let snippet = SNIPPETS[inserted.index(SNIPPETS.len())];
    // Half of the removals put nothing in the place.
    let snippet = if *removed > 0 && removed % 2 == 0 { "" } else { snippet };
    text.replace_range(start..old_end, snippet);
    Edit { start: start as u32, old_end: old_end as u32, new_end: (start + snippet.len()) as u32 }
}

/// The sample, or a part of it, in one of the three styles of line breaks.
fn sample() -> impl Strategy<Value = String> {
    let line_break = prop_oneof![3 => Just("\n"), 2 => Just("\r\n"), 1 => Just("\r")];
    (line_break, any::<prop::sample::Index>()).prop_map(|(line_break, from)| {
        let lines: Vec<_> = SAMPLE.lines().collect();
        let from = from.index(lines.len());
        // Half of the cases start at its top.
        let from = if from % 2 == 0 { 0 } else { from };
        lines[from..].join(line_break)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn cutting_again_equals_cutting(mut text in sample(), edits in random_edits()) {
        let mut items = cut(&text);
        for edit in &edits {
            let (before, old_items) = (text.clone(), items.clone());
            let edit = make(&mut text, edit);
            let change = recut(&items, &text, edit);
            change.apply(&mut items);
            prop_assert_eq!(&items, &cut(&text), "after {:?} of {:?}", edit, &before);
            assert_covers(&items, &text);
            let mut origins = HashSet::new();
            for &(item, origin) in &change.new {
                if let Origin::Same(old) | Origin::Edited(old, _) = origin {
                    prop_assert!(change.old.contains(&old) && origins.insert(old), "{:?}", change);
                }
                let new = item.span.of(&text);
                match origin {
                    Origin::Same(old) => prop_assert_eq!(new, old_items[old].span.of(&before)),
                    Origin::Edited(old, edit) => {
                        let old = old_items[old].span.of(&before);
                        prop_assert_eq!(&new[..edit.start as usize], &old[..edit.start as usize]);
                        prop_assert_eq!(&new[edit.new_end as usize..], &old[edit.old_end as usize..]);
                    }
                    Origin::New => {}
                }
            }
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn parsing_again_equals_parsing(mut text in sample(), edits in random_edits()) {
        let mut items = cut(&text);
        let mut trees: Vec<_> = items.iter().map(|item| Tree::parse(item.span.of(&text))).collect();
        for edit in &edits {
            let before = text.clone();
            let edit = make(&mut text, edit);
            let change = recut(&items, &text, edit);
            let new: Vec<_> = change.new.iter().map(|&(item, origin)| {
                let text = item.span.of(&text);
                match origin {
                    Origin::Same(old) => trees[old].clone(),
                    Origin::Edited(old, edit) => trees[old].reparse(text, edit),
                    Origin::New => Tree::parse(text),
                }
            }).collect();
            trees.splice(change.old.clone(), new);
            change.apply(&mut items);
            for (item, tree) in items.iter().zip(&trees) {
                let text = item.span.of(&text);
                prop_assert_eq!(nodes(tree), nodes(&Tree::parse(text)), "{:?} after {:?} of {:?}", text, edit, before);
            }
        }
    }
}

/// All nodes of a tree: depth, kind, place, whether missing.
fn nodes(tree: &Tree) -> Vec<(u32, String, Span, tree_sitter::Point, bool)> {
    let mut nodes = Vec::new();
    tree::any(tree.root(), |node, depth| {
        nodes.push((depth, node.kind().to_owned(), tree::span(node), node.start_position(), node.is_missing()));
        false
    });
    nodes
}
