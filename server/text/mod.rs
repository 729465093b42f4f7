//! A document's text: UTF-8 bytes, the index of its lines, positions in the three encodings of the protocol, and edits.
//!
//! In: the whole text once, then [`Change`]s as an editor sends them. Out: the current text, byte [`Edit`]s for the stages to
//! the right, and conversions between byte offsets and [`Position`]s. Offsets are bytes (`u32`), zero-based, everywhere in the
//! server; only `lsp/` and `cli/` convert them, at the last moment.

/// A range of bytes, end excluded. What it is relative to (the file, or the item) is said where it is used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span of the bytes `start..end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }
    /// Number of bytes.
    pub const fn len(self) -> u32 {
        self.end - self.start
    }
    /// Whether it holds no byte.
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }
    /// Whether `offset` lies in it, its end excluded.
    pub const fn contains(self, offset: u32) -> bool {
        self.start <= offset && offset < self.end
    }
    /// Whether `offset` lies in it or at its end: where a cursor still belongs to a word.
    pub const fn touches(self, offset: u32) -> bool {
        self.start <= offset && offset <= self.end
    }
    /// Whether `inner` lies wholly in it.
    pub const fn covers(self, inner: Span) -> bool {
        self.start <= inner.start && inner.end <= self.end
    }
    /// The same span moved by `by` bytes towards the end.
    pub const fn shifted(self, by: u32) -> Self {
        Self { start: self.start + by, end: self.end + by }
    }
    /// The bytes of `text` that it names; empty where it lies outside of the text or cuts a character.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// How an editor counts the characters of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units: what the protocol takes where nothing was negotiated.
    #[default]
    Utf16,
    /// Unicode code points.
    Utf32,
}

/// A place in a text as editors name it: zero-based line, zero-based offset in it in units of an [`Encoding`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Position {
    /// Zero-based line. `\n`, `\r\n` and a lone `\r` each end a line.
    pub line: u32,
    /// Zero-based offset in the line, in the encoding's units.
    pub character: u32,
}

/// A change as an editor sends it.
#[derive(Clone, Debug)]
pub struct Change {
    /// What it replaces, or the whole text.
    pub range: Option<(Position, Position)>,
    /// What stands there now.
    pub text: String,
}

/// What a change did to the bytes of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Edit {
    /// Where the replaced bytes start.
    pub start: u32,
    /// Where they ended before.
    pub old_end: u32,
    /// Where what replaced them ends now.
    pub new_end: u32,
}
