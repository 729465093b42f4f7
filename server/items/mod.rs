//! The file cut into its items: top-level statements, compound ones each for itself, simple ones in runs.
//!
//! In: the text, or the items before an edit and the text after it. Out: [`Item`]s that follow each other without a gap and cover
//! the file. An item starts at column 0 with code and reaches up to the next one: the comments and blank lines after a
//! statement are its own, those at the top of the file belong to the first item.
//!
//! Where an item ends depends on nothing before its start. That is what makes [`recut`] exact: it scans again from the first item
//! whose scan had looked at the edited place, until an item ends behind the edit where one ended before.
//!
//! A scanner and not the parser does this, because the parser's cost after an edit that opens or closes a string grows with the
//! file, while each item's tree costs only the item.

mod scan;

use std::ops::Range;

use crate::text::{Edit, Span};
use scan::Scanner;

/// One item of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Item {
    /// Bytes of the file.
    pub span: Span,
    /// What it is, judged by its first words.
    pub kind: ItemKind,
    /// How many bytes after its end the scanner looked at to know where it ends. The end of the file counts as one byte.
    lookahead: u32,
}

/// What an item is. Names are bytes of the item; an empty one stands where none has been typed yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ItemKind {
    /// A `def` with its decorators.
    Function {
        /// The name after `def`.
        name: Span,
        /// `async def`.
        is_async: bool,
        /// It has decorators.
        decorated: bool,
    },
    /// A class with its decorators.
    Class {
        /// The name after `class`.
        name: Span,
        /// It has decorators.
        decorated: bool,
    },
    /// `if`, `for`, `while`, `try`, `with` or `match`, with all its clauses.
    Compound,
    /// A run of simple statements, or something broken, or nothing but comments.
    Simple,
}

impl ItemKind {
    /// The name that the item binds in the module, where it is a function or class. Bytes of the item.
    pub fn name(self) -> Option<Span> {
        match self {
            Self::Function { name, .. } | Self::Class { name, .. } => Some(name),
            Self::Compound | Self::Simple => None,
        }
    }
}

impl Item {
    fn shifted(self, edit: Edit) -> Self {
        let span = Span::new(edit.shift(self.span.start), edit.shift(self.span.end));
        Self { span, ..self }
    }
}

/// What an edit did to the items of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recut {
    /// Indices of the items that are gone. Those before them stand as they were, those after them have only moved.
    pub old: Range<usize>,
    /// The items that came in their place, each with what it was made of.
    pub new: Vec<(Item, Origin)>,
    edit: Edit,
}

/// Which of the old items a new item was made of. No two are made of the same one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Its text is that of the old item of this index.
    Same(usize),
    /// This edit, in bytes of the item, makes its text out of that of the old item of this index.
    Edited(usize, Edit),
    /// None.
    New,
}

impl Recut {
    /// Makes the items of the text after the edit out of those before it.
    pub fn apply(&self, items: &mut Vec<Item>) {
        for item in &mut items[self.old.end..] {
            *item = item.shifted(self.edit);
        }
        items.splice(self.old.clone(), self.new.iter().map(|&(item, _)| item));
    }
}

/// Cuts a text into items. An empty text has none.
pub fn cut(text: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut scanner = Scanner::new(text.as_bytes(), 0);
    while scanner.pos < text.len() {
        items.push(next_item(&mut scanner));
    }
    items
}

/// Cuts anew what `edit`, which left `text`, may have touched. `items` are those of the text before it. Applying the result
/// gives what [`cut`] gives for `text`.
pub fn recut(items: &[Item], text: &str, edit: Edit) -> Recut {
    let saw_the_edit = |item: &Item| item.span.end + item.lookahead > edit.start;
    let mut first = items.iter().position(saw_the_edit).unwrap_or(items.len());
    let mut last = first;
    let mut new = Vec::new();
    let mut scanner = Scanner::new(text.as_bytes(), items.get(first).map_or(0, |item| item.span.start as usize));
    while scanner.pos < text.len() {
        let item = next_item(&mut scanner);
        if new.is_empty() && item.span.end <= edit.start && items.get(first) == Some(&item) {
            first += 1;
            continue;
        }
        new.push(item);
        if item.span.end >= edit.new_end {
            let end = edit.unshift(item.span.end);
            last += items[last..].partition_point(|item| item.span.end < end);
            if items.get(last).is_some_and(|item| item.span.end == end) {
                last += 1;
                let old = first..last;
                return Recut { new: with_origins(new, items, old.clone(), edit), old, edit };
            }
        }
    }
    let old = first..items.len();
    Recut { new: with_origins(new, items, old.clone(), edit), old, edit }
}

fn with_origins(new: Vec<Item>, items: &[Item], old: Range<usize>, edit: Edit) -> Vec<(Item, Origin)> {
    let index_of = |start: u32| {
        let index = old.start + items[old.clone()].binary_search_by_key(&start, |item| item.span.start).ok()?;
        Some((index, items[index].span))
    };
    let origin = |span: Span| {
        if span.start >= edit.new_end
            && let Some((index, was)) = index_of(edit.unshift(span.start))
            && edit.shift(was.end) == span.end
        {
            return Origin::Same(index);
        }
        // An item that starts before the edit starts where it did, if it did.
        let Some((index, was)) = index_of(span.start).filter(|_| span.start <= edit.start) else {
            return Origin::New;
        };
        if was == span && span.end <= edit.start {
            return Origin::Same(index);
        }
        // What both have before the edit stays. What they have after it stays too if it reaches the same end.
        let start = edit.start.min(was.end).min(span.end);
        let same_end = was.end >= edit.old_end && edit.shift(was.end) == span.end;
        if start == span.start && !same_end {
            return Origin::New;
        }
        let (old_end, new_end) = if same_end { (edit.old_end, edit.new_end) } else { (was.end, span.end) };
        let at = |offset: u32| offset - span.start;
        Origin::Edited(index, Edit { start: at(start), old_end: at(old_end), new_end: at(new_end) })
    };
    new.into_iter().map(|item| (item, origin(item.span))).collect()
}

/// What the first words of a line at column 0 say about the item that it starts or goes on with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    /// `@`.
    Decorator,
    Function {
        is_async: bool,
        name: Span,
    },
    Class {
        name: Span,
    },
    /// `if`, `for`, `while`, `try`, `with`.
    Compound,
    /// `elif`, `else`, `except`, `finally`.
    Clause,
    /// `match`, if an indented line follows; else a name as any other.
    Match,
    Other,
}

/// The item that starts where the scanner stands, and moves behind it.
fn next_item(scanner: &mut Scanner<'_>) -> Item {
    let start = scanner.pos;
    scanner.looked = start;
    let kind = scan_item(scanner);
    let end = scanner.pos;
    let lookahead = scanner.looked.saturating_sub(end) as u32;
    Item { span: Span::new(start as u32, end as u32), kind, lookahead }
}

fn scan_item(scanner: &mut Scanner<'_>) -> ItemKind {
    let start = scanner.pos;
    let Some((code, _)) = scanner.next_code() else {
        return ItemKind::Simple;
    };
    let mut head = head(scanner, code);
    let decorated = head == Head::Decorator;
    while head == Head::Decorator {
        match statement(scanner) {
            Some(next) => head = next,
            None => return ItemKind::Simple,
        }
    }
    let in_item = |name: Span| Span::new(name.start - start as u32, name.end - start as u32);
    match head {
        Head::Function { is_async, name } => {
            statement(scanner);
            ItemKind::Function { name: in_item(name), is_async, decorated }
        }
        Head::Class { name } => {
            statement(scanner);
            ItemKind::Class { name: in_item(name), decorated }
        }
        // Decorators of nothing, while somebody types or after they deleted it.
        _ if decorated => ItemKind::Simple,
        Head::Compound => {
            while statement(scanner) == Some(Head::Clause) {}
            ItemKind::Compound
        }
        Head::Decorator | Head::Clause | Head::Match | Head::Other => run(scanner, head),
    }
}

/// A run of simple statements. A line with indented lines under it is no simple statement: it ends the run, or is an item itself.
fn run(scanner: &mut Scanner<'_>, mut head: Head) -> ItemKind {
    let start = scanner.pos;
    loop {
        let line = scanner.pos;
        scanner.logical_line();
        match scanner.next_code() {
            Some((_, true)) if line > start => {
                scanner.pos = line;
                return ItemKind::Simple;
            }
            Some((_, true)) => {
                statement(scanner);
                return if head == Head::Match { ItemKind::Compound } else { ItemKind::Simple };
            }
            Some((code, false)) => head = self::head(scanner, code),
            None => return ItemKind::Simple,
        }
        if !matches!(head, Head::Clause | Head::Match | Head::Other) {
            return ItemKind::Simple;
        }
    }
}

/// Moves over the logical line here and the indented lines that follow it. Returns what the next line says, unless the file ends.
fn statement(scanner: &mut Scanner<'_>) -> Option<Head> {
    loop {
        scanner.logical_line();
        if let (code, false) = scanner.next_code()? {
            return Some(head(scanner, code));
        }
    }
}

fn head(scanner: &mut Scanner<'_>, code: usize) -> Head {
    let word = scanner.word(code);
    let mut end = code + word.len();
    let name_after = |end: usize| {
        let start = scanner.skip_blanks(end);
        let name = scanner.word(start);
        (name, Span::new(start as u32, (start + name.len()) as u32))
    };
    let head = match word {
        b"" if scanner.byte(code) == Some(b'@') => Head::Decorator,
        b"def" => Head::Function { is_async: false, name: name_after(end).1 },
        b"class" => Head::Class { name: name_after(end).1 },
        b"async" => {
            let (word, span) = name_after(end);
            end = span.end as usize;
            match word {
                b"def" => Head::Function { is_async: true, name: name_after(end).1 },
                b"for" | b"with" => Head::Compound,
                _ => Head::Other,
            }
        }
        b"if" | b"for" | b"while" | b"try" | b"with" => Head::Compound,
        b"elif" | b"else" | b"except" | b"finally" => Head::Clause,
        b"match" => Head::Match,
        _ => Head::Other,
    };
    scanner.saw(end + 1);
    head
}
