//! Files and folders of the disk, and the variables of the shell, for those who look up modules.

use std::path::{Path, PathBuf};
use std::{env, fs};

use super::source::Source;
use crate::project::Files;
use crate::project::environment::Shell;

/// The disk.
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> Option<String> {
        // As `check` reads what it checks: encodings and all.
        Source::read(path).ok().map(|source| source.text)
    }

    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn is_folder(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn names(&self, folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }
}

/// What the shell says of environments.
pub fn shell() -> Shell {
    let folder = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    Shell { virtual_env: folder("VIRTUAL_ENV"), conda_prefix: folder("CONDA_PREFIX") }
}
