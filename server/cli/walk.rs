//! Which files to check: in go the paths of the command line, out come files, by path.
//!
//! As ruff does: a folder is searched for `.py` and `.pyw` files, without those that git ignores and those below folders of
//! tools or that a configuration excludes; what is named on the command line itself is checked in any case, whatever it is called. Links to files are followed,
//! links to folders are not.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use ignore::{DirEntry, WalkBuilder};

use super::configurations::Configurations;

/// Folders that no author of the project wrote: ruff's list, and `__pycache__`.
const EXCLUDED: [&str; 26] = [
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".git-rewrite",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pants.d",
    ".pyenv",
    ".pytest_cache",
    ".pytype",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    ".vscode",
    "__pycache__",
    "__pypackages__",
    "_build",
    "buck-out",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
];

/// The absolute paths of the files to check, in order, and messages about what could not be looked at.
pub fn python_files(roots: &[PathBuf], configurations: &Arc<Configurations>) -> (Vec<PathBuf>, Vec<String>) {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for root in roots {
        let root = absolute(root);
        if !root.is_dir() {
            files.push(root);
            continue;
        }
        let mut walk = WalkBuilder::new(&root);
        // Also where there is no git repository (an unpacked archive, another tool's repository); files with a dot like others.
        let configurations = configurations.clone();
        walk.hidden(false).require_git(false).filter_entry(move |entry| {
            entry.depth() == 0 || !is_excluded(entry) && !configurations.exclude(entry.path())
        });
        for entry in walk.build() {
            match entry {
                Ok(entry) => files.extend(is_python(&entry).then(|| entry.into_path())),
                Err(error) => problems.push(error.to_string()),
            }
        }
    }
    files.sort_unstable();
    files.dedup();
    (files, problems)
}

/// The path from the root, without `.` and `..`.
pub fn absolute(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if !absolute.components().any(|component| component == Component::ParentDir) {
        return absolute;
    }
    // After a link, `..` is not the folder before it: only the system knows. The file itself stays the link that it may be.
    match (absolute.parent().map(Path::canonicalize), absolute.file_name()) {
        (Some(Ok(parent)), Some(name)) => parent.join(name),
        _ => absolute.canonicalize().unwrap_or(absolute),
    }
}

fn is_excluded(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_dir())
        && entry.file_name().to_str().is_some_and(|name| EXCLUDED.binary_search(&name).is_ok())
}

fn is_python(entry: &DirEntry) -> bool {
    let named_so = matches!(entry.path().extension().and_then(OsStr::to_str), Some("py" | "pyw"));
    named_so
        && entry.file_type().is_some_and(|kind| {
            // A link into nowhere is kept: reading it says what is wrong. Pipes and devices could be read for ever.
            kind.is_file() || kind.is_symlink() && entry.path().metadata().map_or(true, |target| target.is_file())
        })
}
