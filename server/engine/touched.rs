//! Which items the edits since the last look may have changed: all but so many at the front of the file and so many at its end.
//!
//! Edits come one beside the other, so one range is enough, and what is kept over all items costs an edit that range.

use std::ops::Range;

/// Starts with all items touched.
pub(super) struct Touched(Option<Untouched>);

#[derive(Clone, Copy, Default)]
struct Untouched {
    front: usize,
    back: usize,
}

impl Default for Touched {
    fn default() -> Self {
        Self(Some(Untouched::default()))
    }
}

impl Touched {
    /// An edit replaces the items `old` of `len`.
    pub fn note(&mut self, old: &Range<usize>, len: usize) {
        let edit = Untouched { front: old.start, back: len.saturating_sub(old.end) };
        let before = self.0.unwrap_or(edit);
        self.0 = Some(Untouched { front: before.front.min(edit.front), back: before.back.min(edit.back) });
    }

    /// The range among the `len` items of now, and among the `known` of the last look; `None` if nothing was touched. From here on
    /// nothing is.
    pub fn take(&mut self, known: usize, len: usize) -> Option<(Range<usize>, Range<usize>)> {
        let Untouched { front, back } = self.0.take()?;
        let range = |len: usize| front.min(len)..len.saturating_sub(back).max(front.min(len));
        Some((range(known), range(len)))
    }
}
