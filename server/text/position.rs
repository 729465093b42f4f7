//! Positions as editors name them, in the three encodings of the protocol.

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

impl Encoding {
    /// How many units `text`, a part of one line, is long.
    pub fn width(self, text: &str) -> u32 {
        let units = match self {
            Self::Utf8 => text.len(),
            _ if text.is_ascii() => text.len(),
            Self::Utf16 => text.chars().map(char::len_utf16).sum(),
            Self::Utf32 => text.chars().count(),
        };
        units as u32
    }

    /// The bytes that the first `units` units of `line` take: at most all of it, and no part of a character.
    pub fn bytes(self, line: &str, units: u32) -> u32 {
        let units = units as usize;
        let prefix = line.as_bytes().get(..units).unwrap_or(line.as_bytes());
        if self == Self::Utf8 || prefix.is_ascii() {
            return char_start(line, units) as u32;
        }
        let mut left = units;
        let mut bytes = 0;
        for char in line.chars() {
            let width = if self == Self::Utf16 { char.len_utf16() } else { 1 };
            if width > left {
                break;
            }
            left -= width;
            bytes += char.len_utf8();
        }
        bytes as u32
    }
}

/// A place in a text as editors name it: zero-based line, zero-based offset in it in units of an [`Encoding`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Position {
    /// Zero-based line. `\n`, `\r\n` and a lone `\r` each end a line.
    pub line: u32,
    /// Zero-based offset in the line, in the encoding's units.
    pub character: u32,
}

/// Where the character that holds the byte `offset` starts; the end of the text for an offset past it.
pub(super) fn char_start(text: &str, offset: usize) -> usize {
    let mut start = offset.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    start
}
