//! The edits that fixes are made of: statements put before another, a statement put into a block.
//!
//! Everything else on the touched lines stays: comments, line endings, tabs, what shares a line by `;`.

use tree_sitter::Node;

use super::place::{Place, any, identifiers, span, walk};
use crate::report::TextEdit;
use crate::text::Span;

/// Where new lines go around a statement, or some in a row, and how they are indented.
pub(super) struct Layout<'a> {
    src: &'a str,
    first: Node<'a>,
    last: Node<'a>,
    /// Nothing but white space stands before the statement on its line.
    own_line: bool,
    /// Another statement follows on its last line.
    shared_end: bool,
    /// The first is a compound statement or a definition: it cannot stand behind a `;`.
    compound: bool,
    /// The white space before the statement.
    pub indent: &'a str,
    /// One more level of it.
    pub unit: &'a str,
    pub newline: &'a str,
}

impl<'a> Layout<'a> {
    pub fn of(place: &Place<'a>, newline: &'a str) -> Self {
        Self::around(place, place.statement(), place.statement(), newline)
    }

    /// Around the statements of one block from `first` to `last`, the place's own or others near it.
    pub fn around(place: &Place<'a>, first: Node<'a>, last: Node<'a>, newline: &'a str) -> Self {
        let src = place.src;
        let line = line_start(src, first.start_byte());
        let before = &src[line..first.start_byte()];
        let own_line = is_blank(before) && !continues(place, line);
        let shared_end = last.next_sibling().is_some_and(|next| next.kind() == ";");
        Self {
            src,
            first,
            last,
            own_line,
            shared_end,
            compound: is_compound(first),
            indent: if own_line { before } else { "" },
            unit: unit(place),
            newline,
        }
    }

    /// Whether the statement can be put into a block: it has its lines for itself.
    pub fn has_own_lines(&self) -> bool {
        self.own_line && !self.shared_end
    }

    /// Whether nothing stands before the statement on its line: then a compound one can come before it as well.
    pub fn begins_line(&self) -> bool {
        self.own_line
    }

    /// These simple statements, run just before this one: on lines of their own where it begins a line, else behind `;`.
    pub fn before(&self, statements: &[String]) -> Option<TextEdit> {
        if !self.own_line && self.compound {
            return None;
        }
        let separator = if self.own_line { format!("{}{}", self.newline, self.indent) } else { "; ".to_owned() };
        let content = statements.iter().flat_map(|statement| [statement.as_str(), &separator]).collect();
        Some(insert(self.first.start_byte(), content))
    }

    /// The statement as the body of a block that `opener` (`if task.done():`) opens.
    pub fn wrapped(&self, opener: &str) -> Option<Vec<TextEdit>> {
        if !self.has_own_lines() {
            return None;
        }
        let Self { indent, unit, newline, .. } = *self;
        let start = self.first.start_byte();
        let mut edits = vec![insert(start, format!("{opener}{newline}{indent}{unit}"))];
        let code = Span::new(start as u32, self.last.end_byte() as u32);
        edits.extend(indented(self.src, code, &strings(self.first, self.last), indent, unit));
        Some(edits)
    }

    /// These lines after the statement and the comment behind it, relative to its indentation.
    pub fn after(&self, lines: &[String]) -> Option<TextEdit> {
        if !self.has_own_lines() {
            return None;
        }
        let end = self.last.end_byte();
        let at = self.src[end..].find(['\r', '\n']).map_or(self.src.len(), |length| end + length);
        let content = lines.iter().flat_map(|line| [self.newline, self.indent, line.as_str()]).collect();
        Some(insert(at, content))
    }

    /// These simple statements, run just after this one: on lines of their own, else behind `;`.
    pub fn following(&self, statements: &[String]) -> Option<TextEdit> {
        if self.has_own_lines() {
            return self.after(statements);
        }
        let content = statements.iter().flat_map(|statement| ["; ", statement.as_str()]).collect();
        (!is_compound(self.last)).then(|| insert(self.last.end_byte(), content))
    }
}

/// One more level, `unit`, for the lines of some code but its first: where they begin with `indent`, behind that. The `strings` in
/// it, by place, stay as they are.
pub(super) fn indented(src: &str, code: Span, strings: &[Span], indent: &str, unit: &str) -> Vec<TextEdit> {
    let is_in_string = |line: u32| {
        let before = strings.partition_point(|string| string.start < line);
        before.checked_sub(1).is_some_and(|last| line < strings[last].end)
    };
    let mut edits = Vec::new();
    for line in line_starts(src, code.start as usize, code.end as usize) {
        let rest = &src[line..];
        let blank = rest.trim_start_matches([' ', '\t', '\x0c']).starts_with(['\r', '\n']);
        if blank || is_in_string(line as u32) {
            continue;
        }
        let at = if rest.starts_with(indent) { line + indent.len() } else { line };
        edits.push(insert(at, unit.to_owned()));
    }
    edits
}

/// An insertion.
pub(super) fn insert(at: usize, content: String) -> TextEdit {
    replace(at, at, content)
}

/// A replacement of the bytes `start..end`.
pub(super) fn replace(start: usize, end: usize, content: String) -> TextEdit {
    TextEdit { span: Span::new(start as u32, end as u32), content }
}

/// `content` for the bytes `start..end`, in parentheses where it would grow together with a neighbour: `1if task.result()else 2`.
pub(super) fn replace_expression(src: &str, start: usize, end: usize, content: String) -> TextEdit {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let grows = src[..start].ends_with(is_word) || src[end..].starts_with(is_word);
    replace(start, end, if grows { format!("({content})") } else { content })
}

/// A name like `base` that the item does not use.
pub(super) fn fresh_name(src: &str, base: &str) -> String {
    let numbered = (2..).map(|number| format!("{base}{number}"));
    std::iter::once(base.to_owned()).chain(numbered).find(|name| !mentions(src, name)).unwrap_or_default()
}

/// Whether a word stands in a text.
pub(super) fn mentions(text: &str, word: &str) -> bool {
    words(text, word).next().is_some()
}

/// Where a word stands in a text.
pub(super) fn words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    memchr::memmem::find_iter(text.as_bytes(), word.as_bytes())
        .filter(move |&at| !text[..at].ends_with(is_word) && !text[at + word.len()..].starts_with(is_word))
}

/// `opener` before an expression and `closer` behind it, in parentheses where that would grow together with its neighbours.
pub(super) fn around(src: &str, expression: Span, opener: &str, closer: &str, parenthesized: bool) -> [TextEdit; 2] {
    let (start, end) = (expression.start as usize, expression.end as usize);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let grows = src[..start].ends_with(is_word) || src[end..].starts_with(is_word);
    let (open, close) = if parenthesized || grows { ("(", ")") } else { ("", "") };
    [insert(start, format!("{open}{opener}")), insert(end, format!("{closer}{close}"))]
}

/// Whether the statement has a body of its own.
pub(super) fn is_compound(statement: Node) -> bool {
    statement.kind() == "decorated_definition"
        || ["body", "consequence"].iter().any(|field| statement.child_by_field_name(field).is_some())
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\x0c'))
}

/// Start of the line that holds `offset`.
fn line_start(src: &str, offset: usize) -> usize {
    src[..offset].rfind(['\r', '\n']).map_or(0, |at| at + 1)
}

/// Starts of the lines that begin in `start..end`.
fn line_starts(src: &str, start: usize, end: usize) -> impl Iterator<Item = usize> {
    let bytes = src.as_bytes();
    (start + 1..end).filter(move |&at| match bytes[at - 1] {
        b'\n' => true,
        b'\r' => bytes[at] != b'\n',
        _ => false,
    })
}

/// Whether the line before `line` ends in a backslash that joins them.
fn continues(place: &Place, line: usize) -> bool {
    let end = place.src[..line].trim_end_matches(['\r', '\n']).len();
    // A backslash that ends a comment joins nothing.
    place.src[..end].ends_with('\\') && {
        let node = place.path[0].0.descendant_for_byte_range(end - 1, end);
        node.is_none_or(|node| node.kind() != "comment")
    }
}

/// The white space that one level of indentation adds here.
fn unit<'a>(place: &Place<'a>) -> &'a str {
    let statements = place.path.windows(2).filter(|pair| matches!(pair[0].0.kind(), "block" | "module"));
    let indents = statements.map(|pair| {
        let start = pair[1].0.start_byte();
        &place.src[line_start(place.src, start)..start]
    });
    let mut unit = "    ";
    let mut outer = "";
    for indent in indents.filter(|indent| is_blank(indent)) {
        unit = indent.strip_prefix(outer).filter(|added| !added.is_empty()).unwrap_or(unit);
        outer = indent;
    }
    unit
}

/// The strings of some statements in a row: what begins a line in them is not indentation.
pub(super) fn strings(first: Node, last: Node) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut add = |top| {
        walk(top, |node, _| {
            let is_string = node.kind() == "string";
            if is_string {
                spans.push(span(node));
            }
            !is_string
        });
    };
    // Not from sibling to sibling: each step would begin at the root of the tree.
    match first.parent().filter(|_| first != last) {
        Some(block) => {
            let inside = |node: &Node| first.start_byte() <= node.start_byte() && node.end_byte() <= last.end_byte();
            block.named_children(&mut block.walk()).filter(inside).for_each(add);
        }
        None => add(first),
    }
    spans
}

/// The variables that a node itself binds or unbinds, those in it aside: `a` and `b` of `a, b = …`; of an attribute or item what
/// it belongs to.
pub(super) fn bound_by<'s>(src: &'s str, node: Node) -> Vec<&'s str> {
    let target = match node.kind() {
        "assignment" | "augmented_assignment" | "for_statement" => node.child_by_field_name("left"),
        "named_expression" => node.child_by_field_name("name"),
        "as_pattern_target" | "delete_statement" => Some(node),
        _ => None,
    };
    target.map(|target| identifiers(src, target)).unwrap_or_default()
}

/// Whether running a node binds a name that the code after it may read.
pub(super) fn binds_names(node: Node) -> bool {
    any(node, |node| match node.kind() {
        "assignment" => {
            !matches!(node.child_by_field_name("left").map(|left| left.kind()), Some("attribute" | "subscript"))
        }
        "named_expression" | "as_pattern_target" | "import_statement" | "import_from_statement" => true,
        "function_definition" | "class_definition" | "for_statement" | "case_clause" | "delete_statement" => true,
        _ => false,
    })
}
