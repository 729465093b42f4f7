//! Between the protocol's positions and the engine's bytes. The text itself does the counting; here only names change.

use tower_lsp::ls_types::{Position, Range, TextDocumentContentChangeEvent};

use crate::text::{self, Change, Encoding, Span, Text};

/// The byte at a position, clamped to the text.
pub fn offset(text: &Text, position: Position, encoding: Encoding) -> u32 {
    text.offset(from_protocol(position), encoding)
}

/// The bytes of a range, clamped to the text; one that runs backwards counts as the same range forwards.
pub fn span(text: &Text, range: Range, encoding: Encoding) -> Span {
    let (from, to) = (offset(text, range.start, encoding), offset(text, range.end, encoding));
    Span::new(from.min(to), from.max(to))
}

/// The range of these bytes.
pub fn range(text: &Text, span: Span, encoding: Encoding) -> Range {
    let position = |offset| {
        let text::Position { line, character } = text.position(offset, encoding);
        Position { line, character }
    };
    Range { start: position(span.start), end: position(span.end) }
}

/// A change as the engine takes it. `rangeLength` is deprecated and often wrong: nothing looks at it.
pub fn change(event: TextDocumentContentChangeEvent) -> Change {
    Change { range: event.range.map(|range| (from_protocol(range.start), from_protocol(range.end))), text: event.text }
}

fn from_protocol(position: Position) -> text::Position {
    text::Position { line: position.line, character: position.character }
}
