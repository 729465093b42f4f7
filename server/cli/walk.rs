//! Which files to check: in go the paths of the command line, out come files, by path.
//!
//! A folder is searched as [`crate::lsp::python_files_below`] says, without what a configuration excludes; what is named on the command
//! line itself is checked in any case, whatever it is called.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::configurations::Configurations;
use crate::lsp::python_files_below;

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
        let configurations = configurations.clone();
        for found in python_files_below(&root, move |path| !configurations.exclude(path)) {
            match found {
                Ok(path) => files.push(path),
                Err(problem) => problems.push(problem),
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
