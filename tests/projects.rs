//! Projects of several files: what their imports, classes and installed packages mean.
//!
//! Each folder of `projects` is one. A comment such as `# error: [coroutine-never-awaited]` marks a finding on its line; exactly these
//! are found. What stands below a folder whose name starts with a dot belongs to the environment and is not checked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aiolint::engine::{File, Modules};
use aiolint::lsp::Disk;
use aiolint::project::Settings;
use aiolint::project::environment::Shell;

fn python_files(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !name.starts_with('.') {
            python_files(&path, into);
        } else if name.ends_with(".py") {
            into.push(path);
        }
    }
}

/// The marks in a text: the line from 1, and what is to be found there.
fn marks(text: &str) -> Vec<(usize, String)> {
    let marked = text.lines().enumerate().filter_map(|(index, line)| {
        let (_, mark) = line.split_once("  # ")?;
        mark.ends_with(']').then(|| (index + 1, mark.to_owned()))
    });
    marked.collect()
}

#[test]
fn exactly_the_marked_findings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects");
    let mut projects: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    projects.sort();
    assert!(projects.len() >= 4);
    for project in projects {
        let modules = Arc::new(Modules::new(Box::new(Disk), Shell::default()));
        let mut files = Vec::new();
        python_files(&project, &mut files);
        for path in files {
            let text = fs::read_to_string(&path).unwrap();
            let expected = marks(&text);
            let mut file = File::new(text.clone(), Arc::new(Settings::default())).among(modules.clone(), path.clone());
            let line = |at: u32| text[..at as usize].matches('\n').count() + 1;
            let found: Vec<(usize, String)> = file
                .findings()
                .iter()
                .map(|finding| {
                    let level = format!("{:?}", finding.level).to_lowercase();
                    (line(finding.span.start), format!("{level}: [{}]", finding.rule))
                })
                .collect();
            assert_eq!(found, expected, "{}", path.display());
            for finding in file.findings().iter() {
                assert!(!finding.message.contains(".py"), "a name, not a path: {}", finding.message);
            }
        }
    }
}
