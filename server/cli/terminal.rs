//! Findings as people read them, with the source around them, and diffs.

use std::io::{self, Write};
use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use similar::{ChangeTag, TextDiff};

use super::check::Checked;
use super::json;
use super::style::{BOLD, GREEN, RED, Style};
use crate::report::{self, Finding};
use crate::text::{Encoding, Span, Text};

/// More source than this, in bytes, is not printed for one finding.
const MAX_EXCERPT: u32 = 64 * 1024;

/// How a path is shown: relative where it lies below the current folder.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let relative = here.and_then(|here| path.strip_prefix(here).ok());
    relative.filter(|path| !path.as_os_str().is_empty()).unwrap_or(path).display().to_string()
}

/// Prints the findings of all files.
///
/// # Errors
/// If `out` can't be written.
pub fn findings(files: &[Checked], colored: bool, out: &mut dyn Write) -> io::Result<()> {
    let renderer = if colored { Renderer::styled() } else { Renderer::plain() };
    for file in files {
        let name = shown(&file.path);
        for finding in file.findings.iter() {
            writeln!(out, "{}\n", render(finding, &file.text, &name, &renderer))?;
        }
    }
    Ok(())
}

fn render(finding: &Finding, text: &Text, name: &str, renderer: &Renderer) -> String {
    let level = match finding.level {
        report::Level::Error => Level::ERROR,
        report::Level::Warning => Level::WARNING,
        report::Level::Hint => Level::NOTE.with_name("hint"),
    };
    let mut group = Group::with_title(level.primary_title(&finding.message).id(finding.rule));
    let lines_of = |span: Span| {
        let first = text.position(span.start, Encoding::Utf8).line;
        let last = text.position(span.end, Encoding::Utf8).line;
        (first, Span::new(text.line(first).start, text.line(last).end))
    };
    let (mut first, mut part) = lines_of(finding.span);
    for related in &finding.related {
        let (line, lines) = lines_of(related.span);
        first = first.min(line);
        part = Span::new(part.start.min(lines.start), part.end.max(lines.end));
    }
    let source = only_line_feeds(part.of(text.as_str()));
    if part.len() <= MAX_EXCERPT {
        let range = |span: Span| (span.start - part.start) as usize..(span.end - part.start) as usize;
        let annotations = finding
            .related
            .iter()
            .map(|related| AnnotationKind::Context.span(range(related.span)).label(&related.message));
        group = group.element(
            Snippet::source(&source)
                .path(name)
                .line_start(first as usize + 1)
                .annotation(AnnotationKind::Primary.span(range(finding.span)))
                .annotations(annotations),
        );
    } else {
        let origin = |span: Span| {
            let position = text.position(span.start, Encoding::Utf32);
            Origin::path(name).line(position.line as usize + 1).char_column(position.character as usize + 1)
        };
        group = group.element(origin(finding.span));
        for related in &finding.related {
            group = group.element(origin(related.span)).element(Level::NOTE.message(&related.message));
        }
    }
    if !finding.fixes.is_empty() {
        let fixes: Vec<String> = finding
            .fixes
            .iter()
            .map(|fix| format!("{} ({})", fix.title, json::applicability(fix.applicability)))
            .collect();
        group = group.element(Level::HELP.message(fixes.join("\n")));
    }
    renderer.render(&[group])
}

/// The same text, byte for byte as long, in which every line break is one that the renderer knows.
fn only_line_feeds(text: &str) -> String {
    let mut changed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\r', rest.as_bytes()) {
        changed.push_str(&rest[..at]);
        changed.push(if rest[at + 1..].starts_with('\n') { '\r' } else { '\n' });
        rest = &rest[at + 1..];
    }
    changed.push_str(rest);
    changed
}

/// Prints what the fixes change in a file; nothing if they change nothing.
///
/// # Errors
/// If `out` can't be written.
pub fn diff(file: &Checked, colored: bool, out: &mut dyn Write) -> io::Result<()> {
    let Some(before) = &file.before else { return Ok(()) };
    let name = shown(&file.path);
    let bold = Style::new(BOLD, colored);
    writeln!(out, "{bold}--- {name}{bold:#}\n{bold}+++ {name}{bold:#}")?;
    let diff = TextDiff::from_lines(before.as_str(), file.text.as_str());
    for hunk in diff.unified_diff().iter_hunks() {
        write!(out, "{}", hunk.header())?;
        writeln!(out)?;
        for change in hunk.iter_changes() {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ("-", Style::new(RED, colored)),
                ChangeTag::Insert => ("+", Style::new(GREEN, colored)),
                ChangeTag::Equal => (" ", Style::new("", colored)),
            };
            let line = change.value();
            let content = line.trim_end_matches(['\r', '\n']);
            write!(out, "{style}{sign}{content}{style:#}{}", &line[content.len()..])?;
            if change.missing_newline() {
                write!(out, "\n\\ No newline at end of file\n")?;
            }
        }
    }
    Ok(())
}
