//! A document's text: UTF-8 bytes, the index of its lines, positions in the three encodings of the protocol, and edits.
//!
//! In: the whole text once, then [`Change`]s as an editor sends them. Out: the current text, byte [`Edit`]s for the stages to
//! the right, and conversions between byte offsets and [`Position`]s. Offsets are bytes (`u32`), zero-based, everywhere in the
//! server; only `lsp/` and `cli/` convert them, at the last moment.
//!
//! The text is one `String`: an edit moves the bytes after it, which costs little beside what comes next, and spares every later
//! stage a rope's pieces.

mod edit;
mod line_index;
mod nearest;
mod position;
mod span;

pub use edit::{Change, Edit};
pub use line_index::LineIndex;
pub use nearest::nearest;
pub use position::{Encoding, Position};
pub use span::Span;

/// A text that knows where its lines start.
#[derive(Clone, Debug)]
pub struct Text {
    text: String,
    lines: LineIndex,
}

impl Text {
    /// The longest text, in bytes, that the server takes. Offsets are `u32`; whoever reads a file or a message keeps longer
    /// texts out.
    pub const MAX_LEN: usize = i32::MAX as usize;

    /// A text of at most [`Text::MAX_LEN`] bytes.
    pub fn new(text: String) -> Self {
        let lines = LineIndex::new(&text);
        Self { text, lines }
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its length in bytes.
    pub fn len(&self) -> u32 {
        self.text.len() as u32
    }

    /// Whether it holds no byte.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Number of lines; at least one. A text that ends with a line break has an empty last line.
    pub fn line_count(&self) -> u32 {
        self.lines.len()
    }

    /// The bytes of a zero-based line without its line break; an empty span at the end of the text where there is no such line.
    pub fn line(&self, line: u32) -> Span {
        let Some(start) = self.lines.start(line) else {
            return Span::new(self.len(), self.len());
        };
        let end = match self.lines.start(line.saturating_add(1)) {
            None => self.len(),
            Some(next) if Span::new(start, next).of(&self.text).ends_with("\r\n") => next - 2,
            Some(next) => next - 1,
        };
        Span::new(start, end)
    }

    /// The bytes of the line that holds a byte, without its line break; the last one where the text is shorter.
    pub fn line_at(&self, offset: u32) -> Span {
        self.line(self.lines.line(offset))
    }

    /// The position of a byte. An offset past the end counts as the end, one inside a character as its start, and one
    /// between `\r` and `\n` as the end of their line.
    pub fn position(&self, offset: u32, encoding: Encoding) -> Position {
        let offset = position::char_start(&self.text, offset as usize) as u32;
        let line = self.lines.line(offset);
        let span = self.line(line);
        let before = Span::new(span.start, offset.min(span.end));
        Position { line, character: encoding.width(before.of(&self.text)) }
    }

    /// The byte at a position. A character past the end of its line counts as the line's end, before the line break; a line
    /// past the last as the end of the text; a place inside a character as its start.
    pub fn offset(&self, position: Position, encoding: Encoding) -> u32 {
        let line = self.line(position.line);
        line.start + encoding.bytes(line.of(&self.text), position.character)
    }

    /// Applies a change whose positions are in `encoding`, clamped as [`Text::offset`] says; a range that runs backwards
    /// counts as the same range forwards. Returns what it did to the bytes. A change of the whole text comes back as what
    /// really differs, so that an editor that always sends everything costs the later stages no more than one that does not.
    pub fn apply(&mut self, change: &Change, encoding: Encoding) -> Edit {
        let Some((from, to)) = change.range else {
            let edit = Edit::between(&self.text, &change.text);
            self.text.clone_from(&change.text);
            self.lines.apply(&self.text, edit);
            return edit;
        };
        let (from, to) = (self.offset(from, encoding), self.offset(to, encoding));
        let (start, old_end) = (from.min(to), from.max(to));
        self.text.replace_range(start as usize..old_end as usize, &change.text);
        let edit = Edit { start, old_end, new_end: start + change.text.len() as u32 };
        self.lines.apply(&self.text, edit);
        edit
    }
}
