//! What is said after the findings: how many there are and how many can be fixed. In ruff's words, which its users know.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::check::Checked;
use super::json;
use crate::report::apply::preferred;
use crate::report::{Applicability, Finding, Level};
use crate::rules;

/// The lines after the findings. Fixes that are at least `least` are applied by `--fix` as it would run with the same flags.
///
/// # Errors
/// If `out` can't be written.
pub fn closing(files: &[Checked], least: Applicability, troubled: bool, out: &mut dyn Write) -> io::Result<()> {
    let left = || files.iter().flat_map(|file| file.findings.iter());
    let fixed: usize = files.iter().flat_map(|file| file.fixed.values()).sum();
    let remaining = left().count();
    if fixed > 0 {
        let total = fixed + remaining;
        writeln!(out, "Found {total} finding{} ({fixed} fixed, {remaining} remaining).", s(total))?;
    } else if remaining > 0 {
        let count = |level: Level, word: &str| match left().filter(|finding| finding.level == level).count() {
            0 => None,
            count => Some(format!("{count} {word}{}", s(count))),
        };
        let counts: Vec<String> =
            [count(Level::Error, "error"), count(Level::Warning, "warning"), count(Level::Hint, "hint")]
                .into_iter()
                .flatten()
                .collect();
        writeln!(out, "Found {}.", counts.join(", "))?;
    } else if !troubled {
        writeln!(out, "All checks passed!")?;
    }
    if remaining == 0 {
        return Ok(());
    }
    let fixable = left().filter(|finding| preferred(finding, least).is_some()).count();
    match (fixable, hidden(left(), least)) {
        (0, 0) => Ok(()),
        (0, hidden) => writeln!(
            out,
            "No safe fixes available ({hidden} hidden fix{} can be enabled with the `--unsafe-fixes` option).",
            es(hidden)
        ),
        (fixable, 0) => writeln!(out, "[*] {fixable} fixable with the `--fix` option."),
        (fixable, hidden) => writeln!(
            out,
            "[*] {fixable} fixable with the `--fix` option ({hidden} hidden fix{} can be enabled with the `--unsafe-fixes` \
             option).",
            es(hidden)
        ),
    }
}

/// The line after a diff.
///
/// # Errors
/// If `out` can't be written.
pub fn diff(files: &[Checked], least: Applicability, out: &mut dyn Write) -> io::Result<()> {
    let fixed: usize = files.iter().flat_map(|file| file.fixed.values()).sum();
    let note = match hidden(files.iter().flat_map(|file| file.findings.iter()), least) {
        0 => String::new(),
        hidden => format!(" ({hidden} additional fix{} available with `--unsafe-fixes`)", es(hidden)),
    };
    match fixed {
        0 if note.is_empty() => Ok(()),
        0 => writeln!(out, "Nothing would be fixed{note}."),
        _ => writeln!(out, "Would fix {fixed} finding{}{note}.", s(fixed)),
    }
}

/// How many findings only `--unsafe-fixes` would fix.
fn hidden<'a>(findings: impl Iterator<Item = &'a Finding>, least: Applicability) -> usize {
    let unsafe_only =
        |finding: &Finding| preferred(finding, least).is_none() && preferred(finding, Applicability::Unsafe).is_some();
    findings.filter(|finding| unsafe_only(finding)).count()
}

#[derive(Serialize)]
struct Statistic {
    code: &'static str,
    summary: &'static str,
    count: usize,
    fixable: bool,
}

/// How often each rule was broken, the most broken first.
fn count(files: &[Checked], least: Applicability) -> Vec<Statistic> {
    let mut counts: BTreeMap<&'static str, (usize, bool)> = BTreeMap::new();
    for finding in files.iter().flat_map(|file| file.findings.iter()) {
        let (count, fixable) = counts.entry(finding.rule).or_default();
        *count += 1;
        *fixable |= preferred(finding, least).is_some();
    }
    let mut counts: Vec<Statistic> = counts
        .into_iter()
        .map(|(code, (count, fixable))| Statistic {
            code,
            summary: rules::find(code).map_or("", |rule| rule.summary),
            count,
            fixable,
        })
        .collect();
    counts.sort_by_key(|statistic| std::cmp::Reverse(statistic.count));
    counts
}

/// Prints a line per rule.
///
/// # Errors
/// If `out` can't be written.
pub fn statistics(files: &[Checked], least: Applicability, out: &mut dyn Write) -> io::Result<()> {
    let counts = count(files, least);
    let digits = counts.first().map_or(0, |most| most.count.to_string().len());
    let width = counts.iter().map(|statistic| statistic.code.len()).max().unwrap_or_default();
    let any_fixable = counts.iter().any(|statistic| statistic.fixable);
    for Statistic { code, summary, count, fixable } in counts {
        let mark = match (any_fixable, fixable) {
            (false, _) => "",
            (_, true) => "[*] ",
            (_, false) => "[ ] ",
        };
        writeln!(out, "{count:>digits$}\t{code:<width$}\t{mark}{summary}")?;
    }
    Ok(())
}

/// The same for programs.
///
/// # Errors
/// If `out` can't be written.
pub fn statistics_json(files: &[Checked], least: Applicability, out: &mut dyn Write) -> io::Result<()> {
    json::pretty(&count(files, least), out)
}

fn s(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn es(count: usize) -> &'static str {
    if count == 1 { "" } else { "es" }
}
