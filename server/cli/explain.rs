//! `aiolint explain` and `aiolint rules`: from a rule's name, or from what Python printed, to the rule's page.

use std::io::{self, Write};

use serde::Serialize;

use super::args::OutputFormat;
use super::style::{BOLD, CYAN, Style};
use super::{CLEAN, TROUBLE, json};
use crate::rules::{self, RULES, Rule};
use crate::text::nearest;

/// Prints the page of the rule that `what` means, or the rules that it can mean.
///
/// # Errors
/// If `out` can't be written.
pub fn explain(
    what: &str,
    is_terminal: bool,
    colored: bool,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<u8> {
    match matching(what).as_slice() {
        [] => {
            let _ = write!(err, "error: no rule is called so, and none is about this error: {}", what.trim());
            let names = RULES.iter().map(|rule| rule.name);
            let _ = match nearest(what.trim(), names) {
                Some(name) => writeln!(err, "\n\n  tip: did you mean `{name}`? `aiolint rules` lists them all"),
                None => writeln!(err, "\n\n  tip: `aiolint rules` lists the rules"),
            };
            return Ok(TROUBLE);
        }
        [rule] if is_terminal || colored => page(rule.page, colored, out)?,
        [rule] => write!(out, "{}", rule.page)?,
        several => {
            writeln!(out, "Several rules are about this; `aiolint explain NAME` prints the page of one:\n")?;
            list(several.iter().copied(), out)?;
        }
    }
    Ok(CLEAN)
}

/// The rules that `what` names or whose errors it is, or is a part of.
fn matching(what: &str) -> Vec<&'static Rule> {
    if let Some(rule) = rules::find(&what.trim().to_lowercase()) {
        return vec![rule];
    }
    let plain = normalize(what);
    let general = generalize(&plain);
    if plain.len() < 3 {
        return Vec::new();
    }
    let is_about = |error: &str| {
        let error = normalize(error);
        // The name of the exception may be missing, or be written in another way: `InvalidStateError('Result is not set.')`.
        let message = error.split_once(": ").map_or(error.as_str(), |(_, message)| message).trim_end_matches('.');
        let (error, message) = (generalize(&error), generalize(message));
        // A text in which all differs from program to program says nothing.
        let says = |asked: &&String| asked.chars().any(char::is_alphanumeric);
        [&plain, &general]
            .into_iter()
            .filter(says)
            .any(|asked| error.contains(asked.as_str()) || asked.contains(&message))
    };
    let by_error: Vec<_> = RULES.iter().filter(|rule| rule.errors.iter().any(|error| is_about(error))).collect();
    if by_error.is_empty() { RULES.iter().filter(|rule| rule.name.contains(&plain)).collect() } else { by_error }
}

/// Lower case, and one blank wherever there are some or a line break.
fn normalize(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// With `_` for what differs from one program to the next: names and texts in quotes, and `<Task pending name='…' coro=<…>>`.
fn generalize(text: &str) -> String {
    let mut general = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find(['<', '\'', '"']) {
        let inside = &rest[open..];
        let end = if inside.starts_with('<') {
            let mut depth = 0;
            inside.char_indices().find_map(|(at, c)| {
                depth += i32::from(c == '<') - i32::from(c == '>');
                (depth == 0).then_some(at)
            })
        } else {
            inside.char_indices().skip(1).find(|&(_, c)| inside.starts_with(c)).map(|(at, _)| at)
        };
        general.push_str(&rest[..open]);
        match end {
            Some(end) => {
                general.push('_');
                rest = &inside[end + 1..];
            }
            None => {
                general.push_str(&inside[..1]);
                rest = &inside[1..];
            }
        }
    }
    general.push_str(rest);
    general
}

/// Prints the Markdown of a page for a terminal: headings stand out, code is set in, links show where they lead.
fn page(markdown: &str, colored: bool, out: &mut dyn Write) -> io::Result<()> {
    let (bold, code) = (Style::new(BOLD, colored), Style::new(CYAN, colored));
    let mut fence = None;
    for line in markdown.lines() {
        let trimmed = line.trim_start();
        if let Some(open) = fence {
            if trimmed.starts_with(open) {
                fence = None;
            } else if line.is_empty() {
                writeln!(out)?;
            } else {
                writeln!(out, "    {code}{line}{code:#}")?;
            }
        } else if let Some(mark) = ['`', '~'].into_iter().find(|mark| trimmed.starts_with(&mark.to_string().repeat(3)))
        {
            let marks = trimmed.len() - trimmed.trim_start_matches(mark).len();
            fence = Some(&trimmed[..marks]);
            if let Some((_, title)) = trimmed.split_once("fix=\"") {
                writeln!(out, "  {bold}{}:{bold:#}", title.trim_end_matches('"'))?;
            }
        } else if trimmed.starts_with('#') {
            writeln!(out, "{bold}{}{bold:#}", trimmed.trim_start_matches('#').trim())?;
        } else {
            inline(line, colored, out)?;
            writeln!(out)?;
        }
    }
    Ok(())
}

/// A line of prose: `code` and **emphasis** in colour and without their marks if there is colour, else as they stand.
fn inline(line: &str, colored: bool, out: &mut dyn Write) -> io::Result<()> {
    if !colored {
        return write!(out, "{line}");
    }
    let (bold, code) = (Style::new(BOLD, colored), Style::new(CYAN, colored));
    for (index, part) in line.split('`').enumerate() {
        if index % 2 == 1 {
            write!(out, "{code}{part}{code:#}")?;
            continue;
        }
        for (index, part) in part.split("**").enumerate() {
            if index % 2 == 1 { write!(out, "{bold}{part}{bold:#}")? } else { write!(out, "{part}")? }
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct JsonRule {
    code: &'static str,
    level: &'static str,
    summary: &'static str,
    errors: &'static [&'static str],
    url: String,
}

/// Prints all rules.
///
/// # Errors
/// If `out` can't be written.
pub fn rules(format: OutputFormat, out: &mut dyn Write) -> io::Result<()> {
    match format {
        OutputFormat::Text => list(RULES, out),
        OutputFormat::Json => {
            let all = RULES.iter().map(|rule| JsonRule {
                code: rule.name,
                level: json::level(rule.level),
                summary: rule.summary,
                errors: rule.errors,
                url: rule.url(),
            });
            json::pretty(&all.collect::<Vec<_>>(), out)
        }
    }
}

fn list<'a>(rules: impl IntoIterator<Item = &'a Rule>, out: &mut dyn Write) -> io::Result<()> {
    let width = RULES.iter().map(|rule| rule.name.len()).max().unwrap_or_default();
    for rule in rules {
        writeln!(out, "{:<width$}  {:<7}  {}", rule.name, json::level(rule.level), rule.summary)?;
    }
    Ok(())
}
