//! The disk and the variables of the shell, for those who look up modules; the terminal uses them as well.

use std::fs;
use std::path::{Path, PathBuf};

use crate::project::Files;
use crate::project::environment::Shell;

/// Nobody writes a larger module by hand, and what a machine wrote has no coroutines.
const MAX_BYTES: u64 = 16 << 20;

/// The disk.
pub struct Disk;

impl Files for Disk {
    /// A text that is not UTF-8 is passed over: of its names nothing is known.
    fn read(&self, path: &Path) -> Option<String> {
        // Not of a pipe or device, which may never end.
        let metadata = fs::metadata(path).ok()?;
        let bytes = (metadata.is_file() && metadata.len() <= MAX_BYTES).then(|| fs::read(path).ok()).flatten()?;
        let text = String::from_utf8(bytes).ok()?;
        Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
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
    let folder = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    Shell { virtual_env: folder("VIRTUAL_ENV"), conda_prefix: folder("CONDA_PREFIX") }
}
