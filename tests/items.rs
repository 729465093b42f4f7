//! The cutter and the trees of its items, against the parser's view of whole files and against themselves after edits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use aiolint::items::{Item, cut};
use aiolint::text::Span;
use aiolint::tree::{Tree, any};
use rustc_hash::FxHasher;

// --- the standard library ---------------------------------------------------------------------------------------------

/// Files whose items do not add up to the file's tree, because the grammar itself cannot parse the file.
const UNPARSABLE: &[&str] = &["test/test_compile.py"];

#[test]
fn items_put_together_equal_the_tree_of_the_whole_file() {
    let Some(library) = standard_library() else { return };
    let mut files = Vec::new();
    python_files(&library, &mut files);
    files.sort();
    assert!(files.len() > 200, "{} holds too few files", library.display());
    // All of them take a minute in a debug build.
    let step = if cfg!(debug_assertions) { 10 } else { 1 };
    let mut wrong = Vec::new();
    for path in files.iter().step_by(step) {
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        let items = cut(&text);
        assert_covers(&items, &text);
        let of_items: Vec<_> = items.iter().flat_map(|item| top_level(item.span.of(&text), item.span.start)).collect();
        if of_items != top_level(&text, 0) && !UNPARSABLE.iter().any(|name| path.ends_with(name)) {
            wrong.push(path);
        }
    }
    assert!(wrong.is_empty(), "{} of {} files: {wrong:#?}", wrong.len(), files.len());
}

/// The folder of the standard library, or nothing, loudly, where there is no Python. CI has one.
fn standard_library() -> Option<PathBuf> {
    let output = Command::new("python3").args(["-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"]).output();
    match output {
        Ok(output) if output.status.success() => Some(String::from_utf8(output.stdout).unwrap().trim().into()),
        _ => {
            assert!(std::env::var_os("CI").is_none(), "no python3 in CI");
            eprintln!("SKIPPED: no python3, so no standard library to cut");
            None
        }
    }
}

fn python_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            python_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "py") {
            files.push(path);
        }
    }
}

fn assert_covers(items: &[Item], text: &str) {
    let mut end = 0;
    for item in items {
        assert_eq!(item.span.start, end, "a gap or an overlap");
        assert!(!item.span.is_empty(), "an empty item");
        assert!(text.is_char_boundary(item.span.end as usize), "a cut character");
        end = item.span.end;
    }
    assert_eq!(end as usize, text.len(), "text without an item");
}

/// Kind, place and a hash of all that is below, for each top-level node of a text that stands at `offset` in its file.
fn top_level(text: &str, offset: u32) -> Vec<(String, Span, u64)> {
    let tree = Tree::parse(text);
    let mut nodes = Vec::new();
    for node in aiolint::tree::children(tree.root()) {
        let span = aiolint::tree::span(node);
        let mut hasher = FxHasher::default();
        any(node, |below, depth| {
            let span = (below.start_byte() - node.start_byte(), below.end_byte() - node.start_byte());
            (below.kind_id(), span, depth, below.is_missing()).hash(&mut hasher);
            false
        });
        nodes.push((node.kind().to_owned(), span.shifted(offset), hasher.finish()));
    }
    nodes
}
