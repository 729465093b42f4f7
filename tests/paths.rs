//! What the analysis says about a path, held against what CPython does on it.
//!
//! `fixtures/paths/*.txt` hold small programs, each the body of an `async def main()`, with the expected findings marked. All of them run
//! under CPython: one with a certain finding must raise the error, one without findings must run to its end. A warning says
//! "on some path", and no single run can answer that.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code)]
mod oracle;
#[allow(dead_code)]
mod repair;

use aiolint::report::Level;
use oracle::Program;

const HEAD: &str = "\
import asyncio
import sys
from asyncio import create_task

async def work(delay=0.0):
    await asyncio.sleep(delay)
    return delay

async def boom(delay=0.0):
    await asyncio.sleep(delay)
    raise ValueError(delay)

async def main():
";

const TAIL: &str = "
asyncio.run(main())
";

struct Case {
    title: String,
    source: String,
    /// Line from 1, level, rule.
    expected: Vec<(usize, Level, &'static str)>,
}

fn cases() -> Vec<Case> {
    let files = [
        ("waits", include_str!("fixtures/paths/waits.txt")),
        ("paths", include_str!("fixtures/paths/paths.txt")),
        ("escapes", include_str!("fixtures/paths/escapes.txt")),
        ("collections", include_str!("fixtures/paths/collections.txt")),
    ];
    files.iter().flat_map(|(file, text)| text.split("\n=== ").skip(1).map(move |case| read(file, case))).collect()
}

fn read(file: &str, case: &str) -> Case {
    let (title, body) = case.split_once('\n').expect("a body under the title");
    let mut source = HEAD.to_owned();
    let mut expected = Vec::new();
    for line in body.trim_end().lines() {
        let mut parts = line.split("  # ").flat_map(|part| part.split(" # "));
        let code = parts.next().unwrap_or_default();
        source.push_str(&format!("    {code}\n"));
        let number = source.lines().count();
        expected.extend(parts.map(|mark| match mark {
            "error r" => (number, Level::Error, "result-before-done"),
            "error e" => (number, Level::Error, "exception-before-done"),
            "warning r" => (number, Level::Warning, "result-before-done"),
            "warning e" => (number, Level::Warning, "exception-before-done"),
            "hint r" => (number, Level::Hint, "result-before-done"),
            "warning n" => (number, Level::Warning, "coroutine-never-awaited"),
            "error u" => (number, Level::Error, "coroutine-reused"),
            "hint e" => (number, Level::Hint, "exception-before-done"),
            other => panic!("{file}, {title}: what does `{other}` mark?"),
        }));
    }
    source.push_str(TAIL);
    Case { title: format!("{file}: {title}"), source, expected }
}

#[test]
fn every_path_is_judged_as_marked() {
    let mut problems = Vec::new();
    for case in cases() {
        let found: Vec<_> = repair::findings(&case.source)
            .iter()
            .map(|finding| (repair::line(&case.source, finding.span.start), finding.level, finding.rule))
            .collect();
        if found != case.expected {
            problems
                .push(format!("{}\n  expected {:?}\n  found    {found:?}\n{}", case.title, case.expected, case.source));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn cpython_agrees() {
    let cases = cases();
    let programs: Vec<Program> = cases.iter().map(|case| Program::new(&case.title, &case.source)).collect();
    let Some(outcomes) = oracle::run_all(&programs) else { return };
    let mut problems = Vec::new();
    for (case, outcome) in cases.iter().zip(outcomes) {
        let raised = outcome.printed.contains("InvalidStateError: ");
        let certain =
            case.expected.iter().any(|(_, level, rule)| *level == Level::Error && rule.ends_with("-before-done"));
        let silent = case.expected.is_empty();
        if certain && !raised || silent && outcome.code != Some(0) {
            problems.push(format!("{}: {:?}\n{}\n{}", case.title, outcome.code, outcome.printed, case.source));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
