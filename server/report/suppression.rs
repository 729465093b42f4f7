//! The comments that silence findings, and the hints about those that silence nothing.
//!
//! In: the findings of a file and its comments. Out: the findings that are left, with a hint for each comment without effect.
//! The comments come from the syntax trees, so that `"# noqa"` in a string silences nothing.
//!
//! | comment | silences |
//! | --- | --- |
//! | `# aiolint: ignore[rule, …]` | these rules, where the finding starts or ends on the comment's line |
//! | `# aiolint: ignore` | every rule, there |
//! | `# aiolint: ignore-file`, `# aiolint: ignore-file[rule, …]` | the same in the whole file |
//! | `# noqa`, `# noqa: rule, …` | as the first two; the codes of other tools mean nothing here |
//!
//! A line that cannot carry a comment of its own, because it ends in a backslash or inside a string, is silenced by the comment
//! at the end of the lines that belong to it.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use tree_sitter::Node;

use super::{Applicability, Finding, Fix, Level, TextEdit};
use crate::project::{OFF_BY_DEFAULT, Settings};
use crate::text::Span;
use crate::text::nearest;
use crate::tree;

/// The name of the rule whose findings are made here.
pub const UNUSED_IGNORE_COMMENT: &str = "unused-ignore-comment";

/// What must be known of a file.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The whole text.
    pub text: &'a str,
    /// Its comments, by place: bytes of the file, from the `#` to before the line break. Those of a part of the text that
    /// [`mentions`] no suppression may be left out.
    pub comments: &'a [Span],
    /// Its string literals that span several lines, by place; the same may be left out.
    pub strings: &'a [Span],
    /// What was not analysed, because it does not parse: comments in there may well be of use.
    pub broken: &'a [Span],
    /// Every rule there is.
    pub rules: &'a [&'static str],
    /// Which of them run.
    pub settings: &'a Settings,
}

/// Whether a comment in `text` can be a suppression: a cheap test before comments are looked for.
pub fn mentions(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memmem::find(bytes, b"aiolint:").is_some()
        || memchr::memchr2_iter(b'q', b'Q', bytes)
            .any(|at| at >= 2 && bytes.get(at - 2..at + 2).is_some_and(|word| word.eq_ignore_ascii_case(b"noqa")))
}

/// Adds the comments and the string literals of several lines of a tree. `text` is what the tree was parsed from, `shift` where
/// that starts in the file.
pub fn collect(root: Node<'_>, text: &str, shift: u32, comments: &mut Vec<Span>, strings: &mut Vec<Span>) {
    tree::any(root, |node, _| {
        let mut span = tree::span(node);
        match node.kind() {
            "comment" => {
                // The grammar's comment runs to the line feed.
                span.end -= u32::from(span.of(text).ends_with('\r'));
                comments.push(span.shifted(shift));
            }
            "string" if node.start_position().row != node.end_position().row => {
                let span = span.shifted(shift);
                // A string in the braces of an f-string belongs to that one.
                if !strings.last().is_some_and(|outer| outer.covers(span)) {
                    strings.push(span);
                }
            }
            _ => {}
        }
        false
    });
}

/// Takes out the findings that a comment silences and adds those about comments that silence nothing. The result is by place.
pub fn apply(findings: Vec<Finding>, source: &Source) -> Vec<Finding> {
    let mut directives = Directives::of(source);
    if directives.all.is_empty() {
        return findings;
    }
    let mut left: Vec<Finding> = findings.into_iter().filter(|finding| !directives.silence(finding, None)).collect();
    if source.settings.enabled(UNUSED_IGNORE_COMMENT) {
        // First those about other rules: `unused-ignore-comment` in a list is of use if it silences one of them.
        for about_itself in [false, true] {
            for index in 0..directives.all.len() {
                let bare = directives.all[index].names.is_none();
                for hint in hints(&directives.all[index], about_itself, source) {
                    // A comment silences what is said about it only by name.
                    if !directives.silence(&hint, (bare || about_itself).then_some(index)) {
                        left.push(hint);
                    }
                }
            }
        }
    }
    left.sort_by_key(|finding| finding.span);
    left
}

/// The edit that silences this rule at this place: the name goes into the list that stands there, or a comment is added where
/// the language allows one.
pub fn silencing_edit(rule: &str, span: Span, source: &Source) -> TextEdit {
    let text = source.text;
    let mut end = line_end(text, span.end);
    loop {
        end = match string_around(source, end) {
            Some(string) => line_end(text, string.end),
            None if text[..end as usize].ends_with('\\') && !in_comment(source, end) && (end as usize) < text.len() => {
                line_end(text, next_line(text, end))
            }
            None => break,
        };
    }
    let directives = parse_all(source);
    if let Some((list, names)) = directives
        .iter()
        .filter(|directive| directive.kind == Kind::Line && directive.comment.end == end)
        .find_map(|directive| Some((directive.list?, directive.names.as_ref()?)))
    {
        let names: Vec<&str> = names.iter().map(|name| name.span.of(text)).chain([rule]).collect();
        return TextEdit { span: list, content: names.join(", ") };
    }
    let start = text[..end as usize].trim_end_matches([' ', '\t']).len() as u32;
    TextEdit { span: Span::new(start, end), content: format!("  # aiolint: ignore[{rule}]") }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `# aiolint: ignore`
    Line,
    /// `# aiolint: ignore-file`
    File,
    /// `# noqa`
    Noqa,
}

/// One suppression. A comment can hold several.
struct Directive {
    kind: Kind,
    /// From its `#` to its last character.
    span: Span,
    /// The comment that it stands in.
    comment: Span,
    /// The lines that it speaks of.
    covers: Span,
    /// What stands between the brackets, or after `noqa:` to the last code.
    list: Option<Span>,
    /// The rules it names; `None` for every rule.
    names: Option<Vec<Name>>,
    /// The closing bracket is missing.
    unclosed: bool,
    /// It has silenced something.
    used: bool,
}

struct Name {
    span: Span,
    /// The rule of this name; `None` for a slip or, after `noqa`, another tool's code.
    rule: Option<&'static str>,
    used: bool,
}

/// The directives of a file, by place.
struct Directives {
    all: Vec<Directive>,
    /// Of the whole file: the first that names the rule; under `None` the first that names none.
    file: FxHashMap<Option<&'static str>, usize>,
}

impl Directives {
    fn of(source: &Source) -> Self {
        let all = parse_all(source);
        let mut file = FxHashMap::default();
        for (index, directive) in all.iter().enumerate().filter(|(_, directive)| directive.kind == Kind::File) {
            match &directive.names {
                None => _ = file.entry(None).or_insert(index),
                Some(names) => {
                    for rule in names.iter().filter_map(|name| name.rule) {
                        file.entry(Some(rule)).or_insert(index);
                    }
                }
            }
        }
        Self { all, file }
    }

    /// Whether a directive other than `except` silences `finding`: the first that does counts as used.
    fn silence(&mut self, finding: &Finding, except: Option<usize>) -> bool {
        let file = [None, Some(finding.rule)].into_iter().filter_map(|key| self.file.get(&key).copied());
        let lines = [finding.span.start, finding.span.end].into_iter().flat_map(|offset| {
            let first = self.all.partition_point(|directive| directive.covers.end < offset);
            let here = self.all[first..].iter().take_while(move |directive| directive.covers.start <= offset);
            here.enumerate().filter(|(_, directive)| directive.kind != Kind::File).map(move |(index, _)| first + index)
        });
        let candidates: SmallVec<[usize; 4]> = lines.chain(file).collect();
        candidates.into_iter().any(|index| except != Some(index) && self.all[index].silences(finding.rule))
    }
}

impl Directive {
    /// Whether it speaks of this rule; if so it is used from now on.
    fn silences(&mut self, rule: &str) -> bool {
        if self.unclosed {
            return false;
        }
        match &mut self.names {
            None => {
                self.used = true;
                true
            }
            Some(names) => match names.iter_mut().find(|name| name.rule == Some(rule)) {
                Some(name) => {
                    name.used = true;
                    true
                }
                None => false,
            },
        }
    }
}

/// What is to be said about a directive: of the entries for [`UNUSED_IGNORE_COMMENT`], or of all others.
fn hints(directive: &Directive, about_itself: bool, source: &Source) -> Vec<Finding> {
    let mut hints = Vec::new();
    let analysed = match directive.kind {
        Kind::File => source.broken.is_empty(),
        _ => {
            let next = source.broken.partition_point(|broken| broken.end <= directive.covers.start);
            source.broken.get(next).is_none_or(|broken| directive.covers.end <= broken.start)
        }
    };
    let place = if directive.kind == Kind::File { "in this file" } else { "on this line" };
    let Some(names) = &directive.names else {
        let all_run = source.rules.iter().all(|rule| OFF_BY_DEFAULT.contains(rule) || source.settings.enabled(rule));
        if !about_itself && !directive.used && directive.kind != Kind::Noqa && all_run && analysed {
            let message = format!("Unused suppression: there is nothing to silence {place}.");
            hints.push(hint(directive.span, message, vec![remove(directive, source.text)]));
        }
        return hints;
    };
    if directive.unclosed {
        if !about_itself {
            hints.push(hint(
                directive.span,
                "This suppression has no effect: its `]` is missing.".to_owned(),
                Vec::new(),
            ));
        }
        return hints;
    }
    let unused = |name: &Name| {
        !name.used
            && analysed
            && name
                .rule
                .is_some_and(|rule| (rule == UNUSED_IGNORE_COMMENT) == about_itself && source.settings.enabled(rule))
    };
    let gone: Vec<&Name> = names.iter().filter(|name| unused(name)).collect();
    if !gone.is_empty() || (names.is_empty() && !about_itself && directive.kind != Kind::Noqa) {
        let whole = gone.len() == names.len();
        let listed: Vec<String> = gone.iter().map(|name| format!("`{}`", name.span.of(source.text))).collect();
        let message = match listed.as_slice() {
            [] => "Unused suppression: it names no rule.".to_owned(),
            _ => format!("Unused suppression: there is no {} {place}.", listed.join(" or ")),
        };
        let fix = if whole { remove(directive, source.text) } else { without(directive, names, &gone, source.text) };
        let span = match gone.as_slice() {
            [name] if !whole => name.span,
            _ => directive.span,
        };
        hints.push(hint(span, message, vec![fix]));
    }
    if !about_itself && directive.kind != Kind::Noqa {
        for name in names.iter().filter(|name| name.rule.is_none()) {
            hints.push(unknown(name, directive, names, source));
        }
    }
    hints
}

/// A name that no rule has. Its fixes need the author's eye: what it was to silence is reported, so that deleting it loses the
/// author's intent, and a newer version may know it.
fn unknown(name: &Name, directive: &Directive, names: &[Name], source: &Source) -> Finding {
    let written = name.span.of(source.text);
    let mut message = format!("Unknown rule `{written}` in this suppression");
    let mut fixes = Vec::new();
    if let Some(meant) = nearest(written, source.rules.iter().copied()) {
        message.push_str(&format!(": did you mean `{meant}`?"));
        fixes.push(Fix {
            title: format!("Replace it by `{meant}`"),
            applicability: Applicability::Suggestion,
            edits: vec![TextEdit { span: name.span, content: meant.to_owned() }],
        });
    } else {
        message.push('.');
    }
    let delete = match names {
        [_] => remove(directive, source.text),
        _ => without(directive, names, &[name], source.text),
    };
    fixes.push(Fix { applicability: Applicability::Suggestion, ..delete });
    hint(name.span, message, fixes)
}

fn hint(span: Span, message: String, fixes: Vec<Fix>) -> Finding {
    Finding { rule: UNUSED_IGNORE_COMMENT, level: Level::Hint, span, message, related: Vec::new(), fixes }
}

/// Deletes the directive: with the blanks before it, or with its line if nothing else stands there. An explanation after it
/// stays as a comment.
fn remove(directive: &Directive, text: &str) -> Fix {
    let Directive { span, comment, .. } = *directive;
    let rest = Span::new(span.end, comment.end).of(text);
    let rest_start = comment.end - rest.trim_start().len() as u32;
    let edit = if !rest.trim().is_empty() {
        let content = if rest.trim_start().starts_with('#') { "" } else { "# " };
        TextEdit { span: Span::new(span.start, rest_start), content: content.to_owned() }
    } else {
        let start = text[..span.start as usize].trim_end_matches([' ', '\t', '\x0c']).len() as u32;
        let alone = start == line_start(text, start);
        let end = if alone { next_line(text, comment.end) } else { comment.end };
        TextEdit { span: Span::new(start, end), content: String::new() }
    };
    Fix { title: "Delete the suppression".to_owned(), applicability: Applicability::Safe, edits: vec![edit] }
}

/// Deletes some of the names in the directive's list.
fn without(directive: &Directive, names: &[Name], gone: &[&Name], text: &str) -> Fix {
    let kept: Vec<&str> = names
        .iter()
        .filter(|name| !gone.iter().any(|other| other.span == name.span))
        .map(|name| name.span.of(text))
        .collect();
    let title = match gone {
        [name] => format!("Delete `{}` from the suppression", name.span.of(text)),
        _ => "Delete the unused names from the suppression".to_owned(),
    };
    let span = directive.list.unwrap_or(directive.span);
    Fix { title, applicability: Applicability::Safe, edits: vec![TextEdit { span, content: kept.join(", ") }] }
}

/// The suppressions of a file, by place.
fn parse_all(source: &Source) -> Vec<Directive> {
    let mut found = Vec::new();
    for &comment in source.comments {
        let body = comment.of(source.text);
        if !mentions(body) {
            continue;
        }
        let covers = Span::new(covered_from(comment.start, source), comment.end);
        for hash in memchr::memchr_iter(b'#', body.as_bytes()) {
            found.extend(parse(comment, covers, hash, source));
        }
    }
    found
}

/// The directive that starts at the `#` at byte `hash` of the comment.
fn parse(comment: Span, covers: Span, hash: usize, source: &Source) -> Option<Directive> {
    let mut cursor = Cursor { text: comment.of(source.text), at: hash + 1 };
    let file = |start: usize, end: usize| Span::new(comment.start + start as u32, comment.start + end as u32);
    cursor.blanks();
    let mut directive = Directive {
        kind: Kind::Line,
        span: comment,
        comment,
        covers,
        list: None,
        names: None,
        unclosed: false,
        used: false,
    };
    let mut end;
    if cursor.takes("aiolint:") {
        cursor.blanks();
        if !cursor.takes("ignore") {
            return None;
        }
        if cursor.takes("-file") {
            directive.kind = Kind::File;
        }
        if cursor.rest().starts_with(is_word) {
            return None;
        }
        end = cursor.at;
        cursor.blanks();
        if cursor.takes("[") {
            let list = cursor.at;
            let close = cursor.rest().find(']');
            let inside = close.map_or(cursor.rest(), |close| &cursor.rest()[..close]);
            let names = words(inside);
            directive.names = Some(
                names
                    .map(|(at, word)| {
                        let rule = source.rules.iter().copied().find(|rule| *rule == word);
                        Name { span: file(list + at, list + at + word.len()), rule, used: false }
                    })
                    .collect(),
            );
            directive.unclosed = close.is_none();
            directive.list = Some(file(list, list + inside.len()));
            end = list + inside.len() + usize::from(close.is_some());
        }
    } else if cursor.takes_any_case("noqa") {
        if cursor.rest().starts_with(is_word) {
            return None;
        }
        directive.kind = Kind::Noqa;
        end = cursor.at;
        cursor.blanks();
        if cursor.takes(":") {
            let first = cursor.at;
            let mut names = Vec::new();
            for (at, word) in words(cursor.rest()) {
                let rule = source.rules.iter().copied().find(|rule| *rule == word);
                if rule.is_none() && !is_code(word) {
                    break;
                }
                names.push(Name { span: file(first + at, first + at + word.len()), rule, used: false });
                end = first + at + word.len();
            }
            if let (Some(first), Some(last)) = (names.first(), names.last()) {
                directive.list = Some(Span::new(first.span.start, last.span.end));
            }
            directive.names = Some(names);
        }
    } else {
        return None;
    }
    directive.span = file(hash, end);
    Some(directive)
}

/// The words of a list, with their places in it.
fn words(list: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut next = 0;
    list.split([',', ' ', '\t'])
        .map(move |word| {
            let at = next;
            next += word.len() + 1;
            (at, word)
        })
        .filter(|(_, word)| !word.is_empty())
}

/// Another tool's code, as `F401`, `ASYNC101`.
fn is_code(word: &str) -> bool {
    let digits = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    digits.len() < word.len() && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }
    fn blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }
    fn takes(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }
    fn takes_any_case(&mut self, word: &str) -> bool {
        let found = self.rest().get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        self.at += if found { word.len() } else { 0 };
        found
    }
}

/// Where the lines start that a comment at `offset` speaks of: its own, and those before it that cannot carry one.
fn covered_from(offset: u32, source: &Source) -> u32 {
    let mut start = line_start(source.text, offset);
    loop {
        let before = match string_around(source, start) {
            Some(string) => string.start,
            None => {
                let previous = source.text[..start as usize].trim_end_matches(['\r', '\n']).len() as u32;
                let continued = source.text[..previous as usize].ends_with('\\')
                    && next_line(source.text, previous) == start
                    && !in_comment(source, previous);
                if !continued {
                    return start;
                }
                previous
            }
        };
        start = line_start(source.text, before);
    }
}

/// The string literal of several lines that `offset` lies in.
fn string_around(source: &Source, offset: u32) -> Option<Span> {
    let next = source.strings.partition_point(|string| string.end <= offset);
    source.strings.get(next).copied().filter(|string| string.start < offset)
}

/// Whether a comment ends at `line_end`.
fn in_comment(source: &Source, line_end: u32) -> bool {
    source.comments.binary_search_by_key(&line_end, |comment| comment.end).is_ok()
}

/// The start of the line of `offset`.
fn line_start(text: &str, offset: u32) -> u32 {
    let before = text.as_bytes().get(..offset as usize).unwrap_or_default();
    memchr::memrchr2(b'\n', b'\r', before).map_or(0, |at| at as u32 + 1)
}

/// The end of the line of `offset`, before its line break.
fn line_end(text: &str, offset: u32) -> u32 {
    let after = text.as_bytes().get(offset as usize..).unwrap_or_default();
    memchr::memchr2(b'\n', b'\r', after).map_or(text.len() as u32, |at| offset + at as u32)
}

/// The start of the line after that of `offset`; the end of the text where there is none.
fn next_line(text: &str, offset: u32) -> u32 {
    let end = line_end(text, offset) as usize;
    let rest = &text[end..];
    let line_break = if rest.starts_with("\r\n") { 2 } else { usize::from(!rest.is_empty()) };
    (end + line_break) as u32
}
