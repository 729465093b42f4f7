//! Where a set or a function that a fix needs at module level goes in a file: before the item that uses it.
//!
//! In: the file's text and where the item starts in it. Out: one insertion, above the comments that belong to the item, with two
//! empty lines on each side. Before the item, because what runs while the module is loaded may call it.

use super::imports::{is_directive, newline_of};
use crate::report::TextEdit;
use crate::text::Span;

/// The edit that puts `definitions` before the item that starts at `item`, a byte of the file `text`.
pub fn definition_edit(text: &str, item: u32, definitions: &[String]) -> TextEdit {
    let newline = newline_of(text);
    let mut at = item as usize;
    while let Some(line) = line_before(text, at) {
        let comment = &text[line..at];
        if !comment.starts_with('#') || is_directive(comment) {
            break;
        }
        at = line;
    }
    let mut missing = 2;
    let mut above = at;
    while let Some(line) = line_before(text, above).filter(|line| missing > 0 && text[*line..above].trim().is_empty()) {
        missing -= 1;
        above = line;
    }
    // At the head of a file nothing stands above.
    let mut content = if above == 0 { String::new() } else { newline.repeat(missing) };
    for definition in definitions {
        content.push_str(definition);
        content.push_str(&newline.repeat(3));
    }
    TextEdit { span: Span::new(at as u32, at as u32), content }
}

/// Start of the line that ends just before `at`, which starts a line.
fn line_before(text: &str, at: usize) -> Option<usize> {
    let before = text.get(..at)?;
    let end = before.strip_suffix("\r\n").or(before.strip_suffix(['\n', '\r']))?;
    Some(end.rfind(['\r', '\n']).map_or(0, |line| line + 1))
}
