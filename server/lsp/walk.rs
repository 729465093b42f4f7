//! Which files of a folder are looked at, in the terminal and in an editor: a folder in, its Python files out, in no order.
//!
//! As ruff does: `.py` and `.pyw` files, without those that git ignores, those below folders of tools, and those that the caller leaves
//! out. Links to files are followed, links to folders are not, so a circle of links is no circle here.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

/// Says what is not looked at, in git's words.
pub const IGNORE_FILE: &str = ".gitignore";

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

/// The Python files below a folder, and messages about what could not be looked at. `keep` is asked of every file and folder on the way.
pub fn python_files_below(
    root: &Path,
    keep: impl Fn(&Path) -> bool + Send + Sync + 'static,
) -> impl Iterator<Item = Result<PathBuf, String>> {
    let mut walk = WalkBuilder::new(root);
    // Also where there is no git repository (an unpacked archive, another tool's repository); files with a dot like others.
    walk.hidden(false)
        .require_git(false)
        .filter_entry(move |entry| entry.depth() == 0 || !is_excluded(entry) && keep(entry.path()));
    walk.build().filter_map(|entry| match entry {
        Ok(entry) => is_python(&entry).then(|| Ok(entry.into_path())),
        Err(error) => Some(Err(error.to_string())),
    })
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
