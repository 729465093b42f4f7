//! Where an `import` goes in a file: beside the imports at its head, after the docstring and every `from __future__`.
//!
//! In: the file's text, which may be half-written. Out: one insertion. A scan of the head's logical lines is enough for that
//! and costs nothing in a long file; a tree of the whole file does not exist.

use crate::report::TextEdit;
use crate::text::Span;

/// The edit that imports `module` in the file `text`; its span is bytes of the file. The caller knows that it is not imported
/// yet. The same text and module always give the same edit, so that edits of several fixes can be merged.
pub fn import_edit(text: &str, module: &str) -> TextEdit {
    let newline = newline_of(text);
    let head = Head::of(text);
    let line = format!("import {module}{newline}");
    let (at, content) = match (head.imports.place(module), head.prologue_end) {
        (Some(at), _) => (at, line),
        (None, Some(at)) => (at, format!("{newline}{line}")),
        (None, None) => (head.comments_end, format!("{line}{newline}")),
    };
    // The last line of the file may lack its line break.
    let open_ended = at == text.len() && at > 0 && !text.ends_with(['\r', '\n']);
    let content = if open_ended { format!("{newline}{content}") } else { content };
    TextEdit { span: Span::new(at as u32, at as u32), content }
}

/// What stands before the first statement that is no import.
#[derive(Default)]
struct Head {
    /// End of the docstring and of the last `from __future__`.
    prologue_end: Option<usize>,
    /// Where the code starts in a file that has neither: after shebang, encoding and licence.
    comments_end: usize,
    imports: Imports,
}

/// The first group of imports: up to a blank line or a comment.
#[derive(Default)]
struct Imports {
    /// Start of the first.
    start: Option<usize>,
    /// `import NAME` lines: their start, their end and the name.
    plain: Vec<(usize, usize, String)>,
    closed: bool,
}

impl Imports {
    /// Notes the import `line` that starts at `at`.
    fn add(&mut self, line: &str, at: usize) {
        if self.closed {
            return;
        }
        self.start.get_or_insert(at);
        if let Some(names) = line.strip_prefix("import ") {
            let name = names.split([',', ' ', ';', '#', '\r', '\n']).next().unwrap_or_default();
            self.plain.push((at, at + line.len(), name.to_owned()));
        }
    }

    /// Where `import module` goes among them, kept in order of the alphabet; plain imports stand before `from` imports.
    fn place(&self, module: &str) -> Option<usize> {
        let later = self.plain.iter().find(|(_, _, name)| name.as_str() > module);
        later.map(|(start, _, _)| *start).or(self.plain.last().map(|(_, end, _)| *end)).or(self.start)
    }
}

impl Head {
    fn of(text: &str) -> Self {
        let mut head = Self::default();
        let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        head.comments_end = at;
        let mut statements = 0;
        while at < text.len() {
            let end = logical_line_end(text, at);
            let line = &text[at..end];
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                // A comment before a blank line belongs to the file; one before a statement belongs to that.
                if statements == 0 && (trimmed.is_empty() || is_directive(trimmed)) {
                    head.comments_end = end;
                }
                head.imports.closed |= head.imports.start.is_some();
                at = end;
                continue;
            }
            let docstring =
                statements == 0 && trimmed.trim_start_matches(['r', 'R', 'u', 'U']).starts_with(['"', '\'']);
            if docstring || line.starts_with("from __future__") {
                head.prologue_end = Some(end);
            } else if line.starts_with("import ") || line.starts_with("from ") {
                head.imports.add(line, at);
            } else {
                break;
            }
            statements += 1;
            at = end;
        }
        head
    }
}

/// Shebang and encoding: nothing may stand before them.
pub(super) fn is_directive(comment: &str) -> bool {
    comment.starts_with("#!") || comment.contains("coding:") || comment.contains("coding=")
}

/// The line ending that the text uses first.
pub(super) fn newline_of(text: &str) -> &'static str {
    match text.find(['\r', '\n']) {
        Some(at) if text[at..].starts_with("\r\n") => "\r\n",
        Some(at) if text[at..].starts_with('\r') => "\r",
        _ => "\n",
    }
}

/// End of the logical line that starts at `start`, its line break included: strings, brackets and backslashes go on.
fn logical_line_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'#' => {
                at = text[at..].find(['\r', '\n']).map_or(bytes.len(), |length| at + length);
                continue;
            }
            b'"' | b'\'' => {
                at = string_end(bytes, at);
                continue;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'\\' => at += line_break(bytes, at + 1),
            _ => match line_break(bytes, at) {
                0 => {}
                length if depth == 0 => return at + length,
                length => at += length - 1,
            },
        }
        at += 1;
    }
    bytes.len()
}

/// End of the string whose opening quote is at `start`. A string of one line ends with the line at the latest.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let triple = bytes[start..].starts_with(&[quote; 3]);
    let mut at = start + if triple { 3 } else { 1 };
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += line_break(bytes, at + 1).max(1),
            byte if byte == quote && !triple => return at + 1,
            _ if triple && bytes[at..].starts_with(&[quote; 3]) => return at + 3,
            b'\r' | b'\n' if !triple => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// Length of the line break at `at`, or 0.
fn line_break(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at..) {
        Some([b'\r', b'\n', ..]) => 2,
        Some([b'\r' | b'\n', ..]) => 1,
        _ => 0,
    }
}
