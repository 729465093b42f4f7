//! Right programs, cut from code that nobody here wrote, in which something wrong was once said of them.
//!
//! Each file of `fixtures/field` runs under CPython in development mode without a complaint, and nothing is said of it beyond a hint.
//! So do those of `fixtures/right`, which were written to tempt the rules: one file for each of the things that asyncio programs do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code)]
mod oracle;
#[allow(dead_code)]
mod repair;

use std::path::Path;

use aiolint::report::Level;
use oracle::Program;

/// The name and the text of each program.
fn programs() -> Vec<(String, String)> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let entries = ["field", "right"].map(|folder| std::fs::read_dir(fixtures.join(folder)).expect("the folder"));
    let mut programs: Vec<_> = entries
        .into_iter()
        .flatten()
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a text"))
        })
        .collect();
    programs.sort();
    assert!(programs.len() > 40, "{} programs", programs.len());
    programs
}

#[test]
fn right_programs_are_silent() {
    for (name, source) in programs() {
        let findings = repair::findings(&source);
        let loud: Vec<_> = findings.iter().filter(|finding| finding.level > Level::Hint).collect();
        assert!(loud.is_empty(), "{name}: {loud:#?}");
    }
}

#[test]
fn cpython_has_nothing_against_them() {
    let programs: Vec<Program> = programs().into_iter().map(|(name, source)| Program::new(name, source)).collect();
    let Some(outcomes) = oracle::run_all(&programs) else { return };
    for (program, outcome) in programs.iter().zip(outcomes) {
        // The test runner says "OK" on its standard error.
        let complaints = outcome.complaints();
        assert!(outcome.code == Some(0) && complaints.is_empty(), "{}: {}", program.name, outcome.printed);
    }
}
