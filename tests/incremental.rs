//! Invariant 1, at the engine's door: whatever was edited, a file says what a fresh one with the same text says.
//!
//! Random edits, as people, editors and macros make them, over programs with findings in them. In the end two things hold:
//! the file agrees with a fresh one, and when every edit has been taken back, it says what it said at first.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use aiolint::engine::File;
use aiolint::facts::{self, ScopeKind};
use aiolint::items;
use aiolint::project::Settings;
use aiolint::report::Finding;
use aiolint::text::{Change, Encoding, Position, Span};
use aiolint::tree::Tree;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What people type, paste and leave half done.
const TYPED: &[&str] = &[
    "",
    "x",
    "_",
    "0",
    " ",
    "    ",
    "\t",
    "\n",
    "\r\n",
    "\r",
    "\n    ",
    "\n\n\n",
    ":",
    ",",
    ";",
    ".",
    "=",
    "#",
    "# é\n",
    "@",
    "@d\n",
    "\\\n",
    "'",
    "\"",
    "\"\"\"",
    "'''",
    "f\"",
    "rb'",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "é",
    "🛒",
    "\u{feff}",
    "\0",
    "def f():\n",
    "async def g(a, *, b=1):\n    ",
    "class C:\n    ",
    "if x:\n    ",
    "    else:\n",
    "try:\n    ",
    "except Exception:\n    pass\n",
    "finally:\n    ",
    "with a as b:\n",
    "for t in ts:\n    ",
    "while True:\n    ",
    "match t:\n",
    "return",
    "return\n",
    "pass\n",
    "lambda: ",
    "await",
    "await ",
    "async ",
    "yield\n",
    "import asyncio\n",
    "    import time\n",
    "task",
    "task.result()",
    "    print(task.exception())\n",
    "    task = asyncio.create_task(work())\n",
    "    await task\n",
    "    await asyncio.sleep(1)\n",
    "    task.cancel()\n",
    "    if task.done():\n        ",
    "async def late():\n    t = asyncio.create_task(work())\n    return t.result()\n\n",
    "    await work()\n",
    "    async with a as b:\n        ",
    "(await x for x in y)",
    "def plain():\n    await work()\n\n\nplain()\n",
    "# %%\n",
    "# aiolint: ignore[result-before-done]\n",
    "  # noqa",
];

const OWN: &str = "\
\"\"\"Prices 🛒 of “shops”.\"\"\"
import asyncio as aio
from asyncio import (
    create_task as spawn,  # an alias
    gather,
)

NAMES = {'é': [1, 2], \"b\": (3,)}

async def price(name: str = \"(\") -> int:
    '''A docstring with a \"quote\" and a #.'''
    await aio.sleep(0.1); return len(name)

@decorated(NAMES)
async def main(n, *names):
    task = spawn(price('é🛒'))
    other = aio.create_task(price(f\"{n!r:>{n}} {{\"))
    if n:
        await task
    print(task.result(), \\
          other.exception())

class Shop:
    async def open(self):
        t = aio.ensure_future(price())
        try:
            await aio.wait([t], timeout=1)
        finally:
            self.closed = t.result()  # €

def report(shop):
    late = [await price(name) for name in NAMES]
    return late, shop.close()

def close_all():
    return [report(shop) for shop in (Shop(),)]

if __name__ == '__main__':
    aio.run(main(1))
    await close_all()
";

/// The texts that edits start from: our own, also with other line breaks and as one that never parses, and the corpus.
static TEXTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/corpus");
    let mut texts = vec![
        OWN.to_owned(),
        OWN.replace('\n', "\r\n"),
        OWN.replace('\n', "\r"),
        OWN.replacen("class Shop:", "class Shop", 1),
        String::new(),
    ];
    for folder in ["bad", "ok", "programs/seeds", "programs/others"] {
        let entries = std::fs::read_dir(corpus.join(folder)).expect("a folder of the corpus");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "py"));
        paths.sort();
        texts.extend(paths.iter().map(|path| std::fs::read_to_string(path).expect("a text")));
    }
    texts
});

/// One step of somebody at an editor.
#[derive(Clone, Debug)]
enum Step {
    /// Replaces some characters from a place on.
    Type { at: Index, remove: usize, text: String },
    /// Moves or copies a piece to another place.
    Paste { from: Index, len: usize, to: Index },
    /// Replaces the whole text by itself without a piece: what some editors do for every key.
    Whole { at: Index, remove: usize },
    /// Takes the last edit back.
    Undo,
    /// Asks for the findings, as every pause in the typing does.
    Look,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let text = prop_oneof![8 => select(TYPED).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    let removed = || prop_oneof![4 => Just(0_usize), 3 => 1..4_usize, 1 => 4..200_usize];
    let step = prop_oneof![
        12 => (any::<Index>(), removed(), text).prop_map(|(at, remove, text)| Step::Type { at, remove, text }),
        2 => (any::<Index>(), 1..300_usize, any::<Index>()).prop_map(|(from, len, to)| Step::Paste { from, len, to }),
        1 => (any::<Index>(), removed()).prop_map(|(at, remove)| Step::Whole { at, remove }),
        3 => Just(Step::Undo),
        6 => Just(Step::Look),
    ];
    prop::collection::vec(step, 1..24)
}

/// A file, and beside it what its text must be, kept by other means.
struct Session {
    file: File,
    text: String,
    encoding: Encoding,
    /// How to take each edit back: where, how many bytes, what stood there.
    done: Vec<(usize, usize, String)>,
}

fn open(text: &str) -> File {
    File::new(text.to_owned(), Arc::new(Settings::default()))
}

impl Session {
    fn take(&mut self, step: &Step) {
        match step {
            Step::Type { at, remove, text } => {
                let (start, end) = self.piece(*at, *remove);
                self.replace(start, end, text, false);
            }
            Step::Paste { from, len, to } => {
                let (start, end) = self.piece(*from, *len);
                let piece = self.text[start..end].to_owned();
                let (to, _) = self.piece(*to, 0);
                self.replace(to, to, &piece, false);
            }
            Step::Whole { at, remove } => {
                let (start, end) = self.piece(*at, *remove);
                self.replace(start, end, "", true);
            }
            Step::Undo => self.undo(),
            Step::Look => drop(self.file.findings()),
        }
    }

    fn undo(&mut self) {
        if let Some((start, len, text)) = self.done.pop() {
            self.replace(start, start + len, &text, false);
            self.done.pop();
        }
    }

    /// Replaces bytes, by a change of the `whole` text or of a range. An editor cannot name a place inside `\r\n`: for that it
    /// sends the whole text.
    fn replace(&mut self, start: usize, end: usize, text: &str, whole: bool) {
        let place = |at| is_place(&self.text, at).then(|| position(&self.text, at, self.encoding));
        let range = place(start).zip(place(end)).filter(|_| !whole);
        self.done.push((start, text.len(), self.text[start..end].to_owned()));
        self.text.replace_range(start..end, text);
        let text = if range.is_some() { text } else { &self.text };
        self.file.edit(vec![Change { range, text: text.to_owned() }], self.encoding);
        assert_eq!(self.file.text().as_str(), self.text, "the text itself");
    }

    /// `count` characters from a place on: where they start and end.
    fn piece(&self, at: Index, count: usize) -> (usize, usize) {
        let places: Vec<usize> = places(&self.text).collect();
        let start = at.index(places.len());
        (places[start], places[(start + count).min(places.len() - 1)])
    }
}

/// The places where a cursor can stand, the end included.
fn places(text: &str) -> impl Iterator<Item = usize> {
    text.char_indices().map(|(at, _)| at).chain([text.len()]).filter(|at| is_place(text, *at))
}

fn is_place(text: &str, at: usize) -> bool {
    !(text[..at].ends_with('\r') && text[at..].starts_with('\n'))
}

/// The position of a byte, counted from the start of the text: slow and plain.
fn position(text: &str, at: usize, encoding: Encoding) -> Position {
    let before = text[..at].replace("\r\n", "\n").replace('\r', "\n");
    let line = before.rsplit('\n').next().unwrap_or_default();
    let character = match encoding {
        Encoding::Utf8 => line.len(),
        Encoding::Utf16 => line.encode_utf16().count(),
        Encoding::Utf32 => line.chars().count(),
    };
    Position { line: before.matches('\n').count() as u32, character: character as u32 }
}

/// What a file says after edits against what a fresh one says. A function that does not parse is suspended: its last findings
/// stay, so in it, and only there, the edited file may say more.
fn agree(edited: &[Finding], text: &str) {
    let fresh = open(text).findings();
    let lost: Vec<_> = fresh.iter().filter(|finding| !edited.contains(finding)).collect();
    assert!(lost.is_empty(), "lost: {lost:#?}\nin {text:?}");
    let mut more: Vec<_> = edited.iter().filter(|finding| !fresh.contains(finding)).collect();
    if !more.is_empty() {
        more.retain(|finding| !is_suspended(text, finding.span));
        assert!(more.is_empty(), "only after edits: {more:#?}\nin {text:?}");
    }
    assert!(edited.is_sorted_by_key(|finding| finding.span.start), "not by place: {edited:#?}");
}

/// Whether the innermost function around a place, or else its item, does not parse.
fn is_suspended(text: &str, place: Span) -> bool {
    let items = items::cut(text);
    let Some(item) = items.iter().find(|item| item.span.covers(place)) else { return false };
    let source = item.span.of(text);
    let facts = facts::extract(Tree::parse(source).root(), source);
    // A scope stands before those in it.
    let mut around = facts.scopes.iter().filter(|scope| {
        matches!(scope.kind, ScopeKind::Module | ScopeKind::Function { .. })
            && scope.span.shifted(item.span.start).covers(place)
    });
    around.next_back().is_some_and(|scope| scope.broken)
}

/// Each case takes a dozen edits and takes them back. `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { default } else { ProptestConfig { cases: 600, ..default } }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_edited_file_says_what_a_fresh_one_says(
        text in any::<Index>(),
        steps in steps(),
        encoding in select(&[Encoding::Utf8, Encoding::Utf16, Encoding::Utf32][..]),
    ) {
        let text = text.get(&TEXTS);
        let mut session = Session { file: open(text), text: text.clone(), encoding, done: Vec::new() };
        for step in &steps {
            session.take(step);
        }
        agree(&session.file.findings(), &session.text);
        while !session.done.is_empty() {
            session.undo();
        }
        prop_assert_eq!(&session.text, text);
        agree(&session.file.findings(), text);
    }
}
