//! Findings as JSON, for programs. Rows and columns count from 1, columns in Unicode code points.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

use super::check::Checked;
use crate::report::{Applicability, Finding, Fix, Level, Related, TextEdit};
use crate::rules;
use crate::text::{Encoding, Span, Text};

#[derive(Serialize)]
struct JsonFinding<'a> {
    code: &'static str,
    level: &'static str,
    message: &'a str,
    filename: &'a str,
    location: Location,
    end_location: Location,
    related: Vec<JsonRelated<'a>>,
    fixes: Vec<JsonFix<'a>>,
    url: Option<String>,
}

#[derive(Serialize)]
struct JsonRelated<'a> {
    message: &'a str,
    filename: &'a str,
    location: Location,
    end_location: Location,
}

#[derive(Serialize)]
struct JsonFix<'a> {
    title: &'a str,
    applicability: &'static str,
    edits: Vec<JsonEdit<'a>>,
}

#[derive(Serialize)]
struct JsonEdit<'a> {
    content: &'a str,
    location: Location,
    end_location: Location,
}

#[derive(Serialize)]
struct Location {
    row: u32,
    column: u32,
}

/// Prints the findings of all files as one array.
///
/// # Errors
/// If `out` can't be written.
pub fn findings(files: &[Checked], out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<Cow<'_, str>> = files.iter().map(|file| file.path.to_string_lossy()).collect();
    let all: Vec<JsonFinding<'_>> = files
        .iter()
        .zip(&names)
        .flat_map(|(file, name)| file.findings.iter().map(move |finding| convert(finding, &file.text, name)))
        .collect();
    pretty(&all, out)
}

/// Prints a value over several lines.
///
/// # Errors
/// If `out` can't be written.
pub fn pretty(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

/// The word for a level.
pub const fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Hint => "hint",
    }
}

/// The word for an applicability.
pub const fn applicability(applicability: Applicability) -> &'static str {
    match applicability {
        Applicability::Safe => "safe",
        Applicability::Unsafe => "unsafe",
        Applicability::Suggestion => "suggestion",
    }
}

fn convert<'a>(finding: &'a Finding, text: &Text, filename: &'a str) -> JsonFinding<'a> {
    let (location, end_location) = locations(finding.span, text);
    JsonFinding {
        code: finding.rule,
        level: level(finding.level),
        message: &finding.message,
        filename,
        location,
        end_location,
        related: finding.related.iter().map(|related| convert_related(related, text, filename)).collect(),
        fixes: finding.fixes.iter().map(|fix| convert_fix(fix, text)).collect(),
        url: rules::find(finding.rule).map(rules::Rule::url),
    }
}

fn convert_related<'a>(related: &'a Related, text: &Text, filename: &'a str) -> JsonRelated<'a> {
    let (location, end_location) = locations(related.span, text);
    JsonRelated { message: &related.message, filename, location, end_location }
}

fn convert_fix<'a>(fix: &'a Fix, text: &Text) -> JsonFix<'a> {
    let edits = fix
        .edits
        .iter()
        .map(|TextEdit { span, content }| {
            let (location, end_location) = locations(*span, text);
            JsonEdit { content, location, end_location }
        })
        .collect();
    JsonFix { title: &fix.title, applicability: applicability(fix.applicability), edits }
}

fn locations(span: Span, text: &Text) -> (Location, Location) {
    let location = |offset| {
        let position = text.position(offset, Encoding::Utf32);
        Location { row: position.line + 1, column: position.character + 1 }
    };
    (location(span.start), location(span.end))
}
