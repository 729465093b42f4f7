//! The one window to files: whoever does the I/O stands behind it, the disk in the programs, a map in tests.

use std::path::Path;

/// Reads files and folders. What cannot be read is as if it were not there.
pub trait Files: Send + Sync {
    /// The text of a Python or configuration file.
    fn read(&self, path: &Path) -> Option<String>;

    /// Whether there is a file of this path.
    fn is_file(&self, path: &Path) -> bool;

    /// Whether there is a folder of this path.
    fn is_folder(&self, path: &Path) -> bool;

    /// The names in a folder, in no order.
    fn names(&self, folder: &Path) -> Vec<String>;
}

/// Nothing at all.
#[derive(Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &Path) -> Option<String> {
        None
    }

    fn is_file(&self, _: &Path) -> bool {
        false
    }

    fn is_folder(&self, _: &Path) -> bool {
        false
    }

    fn names(&self, _: &Path) -> Vec<String> {
        Vec::new()
    }
}
