//! From an edit to the findings of the text after it, through the engine's door, in files of several sizes.
//!
//! `cargo bench` runs all, `cargo bench -- typing` some. Each measurement is one edit and one question for findings; putting the
//! text back is not measured. `opening` is the first look at a file, from nothing.

#![allow(clippy::unwrap_used, missing_docs)]

mod python;

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::Arc;

use aiolint::engine::File;
use aiolint::text::{Change, Encoding, Position};
use divan::Bencher;

const LINES: [usize; 4] = [500, 2_000, 10_000, 50_000];

fn main() {
    divan::main();
}

/// A file with a place in the middle of a function, in the middle of the file, where something is typed and deleted.
struct Editor {
    file: File,
    at: Position,
}

impl Editor {
    /// `lines` of Python, which were looked at once. The place is the end of the line in which `marker` stands.
    fn new(lines: usize, marker: &str) -> Self {
        let text = python::module(lines);
        let line = text.lines().position(|line| line.contains(marker)).unwrap();
        let at = Position { line: line as u32, character: text.lines().nth(line).unwrap().len() as u32 };
        let mut file = File::new(text, Arc::default());
        file.findings();
        Self { file, at }
    }

    fn replace(&mut self, old: &str, new: &str) {
        let end = match old.rsplit_once('\n') {
            None => Position { character: self.at.character + old.len() as u32, ..self.at },
            Some((above, last)) => {
                Position { line: self.at.line + above.split('\n').count() as u32, character: last.len() as u32 }
            }
        };
        self.file.edit(vec![Change { range: Some((self.at, end)), text: new.to_owned() }], Encoding::Utf16);
        black_box(self.file.findings());
    }
}

/// Measures replacing `old`, which is first put in at the end of the line of `marker`, by `new`.
fn edit(bencher: Bencher<'_, '_>, lines: usize, marker: &str, old: &str, new: &str) {
    let editor = RefCell::new(Editor::new(lines, marker));
    let before = RefCell::new("");
    bencher
        .with_inputs(|| editor.borrow_mut().replace(before.replace(new), old))
        .bench_local_values(|()| editor.borrow_mut().replace(old, new));
}

#[divan::bench(args = LINES, sample_size = 1, sample_count = 25)]
fn opening(bencher: Bencher<'_, '_>, lines: usize) {
    let text = python::module(lines);
    bencher.with_inputs(|| text.clone()).bench_values(|text| black_box(File::new(text, Arc::default()).findings()));
}

#[divan::bench(args = LINES, sample_size = 1, sample_count = 200)]
fn typing_a_character(bencher: Bencher<'_, '_>, lines: usize) {
    edit(bencher, lines, "total = 1", "; x", "; xy");
}

#[divan::bench(args = LINES, sample_size = 1, sample_count = 200)]
fn typing_in_a_function_with_tasks(bencher: Bencher<'_, '_>, lines: usize) {
    edit(bencher, lines, "await asyncio.sleep(delay)", "", ";x");
}

#[divan::bench(args = LINES, sample_size = 1, sample_count = 200)]
fn deleting_a_wait(bencher: Bencher<'_, '_>, lines: usize) {
    edit(bencher, lines, "await asyncio.sleep(delay)", "; await task", "");
}

#[divan::bench(args = LINES, sample_size = 1, sample_count = 200)]
fn opening_a_quote(bencher: Bencher<'_, '_>, lines: usize) {
    edit(bencher, lines, "total += 1", "; s = ", "; s = \"");
}

#[divan::bench(args = LINES, sample_size = 1, sample_count = 200)]
fn closing_a_quote(bencher: Bencher<'_, '_>, lines: usize) {
    edit(bencher, lines, "total += 1", "; s = \"", "; s = \"\"");
}

#[divan::bench(args = LINES, sample_size = 1, sample_count = 200)]
fn opening_a_docstring(bencher: Bencher<'_, '_>, lines: usize) {
    edit(bencher, lines, "total += 1", "\n    ", "\n    \"\"\"");
}

#[divan::bench(args = LINES, sample_size = 1, sample_count = 200)]
fn closing_a_docstring(bencher: Bencher<'_, '_>, lines: usize) {
    edit(bencher, lines, "total += 1", "\n    \"\"\"", "\n    \"\"\" \"\"\"");
}

#[divan::bench(args = LINES, sample_size = 1, sample_count = 200)]
fn opening_a_bracket(bencher: Bencher<'_, '_>, lines: usize) {
    edit(bencher, lines, "total += 1", "; f", "; f(");
}

#[divan::bench(args = LINES, sample_size = 1, sample_count = 200)]
fn closing_a_bracket(bencher: Bencher<'_, '_>, lines: usize) {
    edit(bencher, lines, "total += 1", "; f(", "; f()");
}

#[divan::bench(args = LINES, sample_size = 1, sample_count = 200)]
fn breaking_a_line(bencher: Bencher<'_, '_>, lines: usize) {
    edit(bencher, lines, "total += 1", "", "\n    ");
}

/// Pastes four functions and a class between two functions: names of the module.
#[divan::bench(args = LINES, sample_size = 1, sample_count = 50)]
fn pasting(bencher: Bencher<'_, '_>, lines: usize) {
    edit(bencher, lines, "# between", "", &format!("\n{}", python::PASTE));
}

/// The whole text again with one more character, as editors without incremental changes send it.
#[divan::bench(args = LINES, sample_size = 1, sample_count = 50)]
fn sending_everything(bencher: Bencher<'_, '_>, lines: usize) {
    let editor = RefCell::new(Editor::new(lines, "total = 1"));
    let plain = editor.borrow().file.text().as_str().to_owned();
    let other = plain.replacen("total = 1", "total = 10", 1);
    let send = |text: &str| {
        let mut editor = editor.borrow_mut();
        editor.file.edit(vec![Change { range: None, text: text.to_owned() }], Encoding::Utf16);
        black_box(editor.file.findings());
    };
    bencher.with_inputs(|| send(&plain)).bench_local_values(|()| send(&other));
}
