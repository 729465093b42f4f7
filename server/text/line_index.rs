//! Where each line of a text starts, kept up to date under edits without looking at the untouched text again.

use memchr::memchr2_iter;

use super::Edit;

/// The starts of the lines of a text. `\n`, `\r\n` and a lone `\r` each end a line, as they do for Python and for the protocol.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineIndex {
    /// Offsets in bytes, rising. The first is 0; an empty text has one line.
    starts: Vec<u32>,
}

impl LineIndex {
    /// The index of `text`.
    pub fn new(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(starts_in(text.as_bytes(), 0, text.len()));
        Self { starts }
    }

    /// Follows `edit`; `text` is the text after it. Costs the size of the edit, and one addition per line after it.
    pub fn apply(&mut self, text: &str, edit: Edit) {
        // Whether a line starts at an offset is decided by the bytes on its two sides.
        let first = self.starts.partition_point(|&start| start < edit.start).max(1);
        let last = self.starts.partition_point(|&start| start <= edit.old_end).max(1);
        for start in &mut self.starts[last..] {
            *start = edit.shift(*start);
        }
        let from = (edit.start as usize).saturating_sub(1);
        self.starts.splice(
            first..last,
            starts_in(text.as_bytes(), from, edit.new_end as usize).filter(|&start| start >= edit.start),
        );
    }

    /// Number of lines; at least one. A text that ends with a line break has an empty last line.
    pub fn len(&self) -> u32 {
        self.starts.len() as u32
    }

    /// Never: there is always a line.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The line, zero-based, that holds `offset`. The bytes of a line break belong to the line they end.
    pub fn line(&self, offset: u32) -> u32 {
        self.starts.partition_point(|&start| start <= offset) as u32 - 1
    }

    /// Where a line starts, or nothing where the text has no such line.
    pub fn start(&self, line: u32) -> Option<u32> {
        self.starts.get(line as usize).copied()
    }
}

/// The starts of the lines whose line break ends in `from..to`.
fn starts_in(bytes: &[u8], from: usize, to: usize) -> impl Iterator<Item = u32> {
    memchr2_iter(b'\n', b'\r', &bytes[from..to])
        .map(move |at| from + at + 1)
        .filter(move |&start| bytes[start - 1] == b'\n' || bytes.get(start) != Some(&b'\n'))
        .map(|start| start as u32)
}
