//! Changes as editors send them, and what they did to the bytes.

use super::{Position, Span};

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

impl Edit {
    /// The bytes of the old text that it replaced.
    pub const fn removed(self) -> Span {
        Span::new(self.start, self.old_end)
    }

    /// The bytes of the new text that replaced them.
    pub const fn inserted(self) -> Span {
        Span::new(self.start, self.new_end)
    }

    /// Where the old text's `offset`, which does not lie before [`Edit::old_end`], stands in the new text.
    pub const fn shift(self, offset: u32) -> u32 {
        offset - self.old_end + self.new_end
    }

    /// Where the new text's `offset`, which does not lie before [`Edit::new_end`], stood in the old text.
    pub const fn unshift(self, offset: u32) -> u32 {
        offset - self.new_end + self.old_end
    }

    /// The smallest edit that turns `old` into `new`: what lies between what they share at both ends, whole characters.
    pub(super) fn between(old: &str, new: &str) -> Self {
        let shared = |(a, b): &(u8, u8)| a == b;
        let mut start = old.bytes().zip(new.bytes()).take_while(shared).count();
        while !old.is_char_boundary(start) || !new.is_char_boundary(start) {
            start -= 1;
        }
        let mut tail = old.bytes().rev().zip(new.bytes().rev()).take_while(shared).count();
        tail = tail.min(old.len() - start).min(new.len() - start);
        while !old.is_char_boundary(old.len() - tail) || !new.is_char_boundary(new.len() - tail) {
            tail -= 1;
        }
        Self { start: start as u32, old_end: (old.len() - tail) as u32, new_end: (new.len() - tail) as u32 }
    }
}
