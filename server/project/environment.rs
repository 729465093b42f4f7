//! Where the packages of a project are installed: no interpreter is started, only the layouts are known.
//!
//! In: the project's folder, what the user and the shell say, and [`Files`]. Out: the folders that hold packages. A virtual environment of
//! `venv`, `virtualenv`, uv and conda has `lib/python3.X/site-packages` (`Lib/site-packages` on Windows); Poetry and Hatch make one of
//! these, in the project or named by `VIRTUAL_ENV`. A `.pth` file adds folders, which is how a package is installed "editable".

use std::path::{Path, PathBuf};

use super::Files;

/// What the shell says; the names of the variables are those of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shell {
    /// The active virtual environment.
    pub virtual_env: Option<PathBuf>,
    /// The active conda environment.
    pub conda_prefix: Option<PathBuf>,
}

/// The folders that hold the installed packages of the project in `root`, the first one first.
///
/// `configured` is an environment's folder or the interpreter in it; it wins. Then the environment in the project (`.venv`, `venv`), and
/// last the active ones: an editor is often started from the environment of something else.
pub fn package_folders(
    files: &dyn Files,
    root: Option<&Path>,
    configured: Option<&Path>,
    shell: &Shell,
) -> Vec<PathBuf> {
    let own = root.into_iter().flat_map(|root| [root.join(".venv"), root.join("venv"), root.join("env")]);
    let mut candidates: Vec<PathBuf> = configured.map(environment_of).into_iter().collect();
    if candidates.is_empty() {
        candidates.extend(own);
        candidates.extend(shell.virtual_env.iter().chain(&shell.conda_prefix).cloned());
    }
    let found = candidates.iter().map(|environment| in_environment(files, environment)).find(|found| !found.is_empty());
    let mut folders = found.unwrap_or_default();
    for index in 0..folders.len() {
        let added = added(files, &folders[index]);
        folders.extend(added);
    }
    folders
}

/// The environment of an interpreter: `.venv/bin/python` is that of `.venv`.
fn environment_of(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| folder.ends_with("bin") || folder.ends_with("Scripts"));
    folder.and_then(Path::parent).unwrap_or(path).to_owned()
}

fn in_environment(files: &dyn Files, environment: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for library in ["lib", "lib64"] {
        let library = environment.join(library);
        let mut versions: Vec<String> = files.names(&library);
        versions.retain(|name| name.starts_with("python3") || name.starts_with("pypy3"));
        // Where there are several, the newest: `python3.9` comes before `python3.10`.
        versions.sort_by_key(|name| (name.len(), name.clone()));
        folders.extend(versions.iter().rev().take(1).map(|version| library.join(version).join("site-packages")));
    }
    folders.push(environment.join("Lib").join("site-packages"));
    folders.retain(|folder| files.is_folder(folder));
    // `lib64` is mostly a link to `lib`.
    folders.truncate(1);
    folders
}

/// The folders that the `.pth` files in here add. Lines that are code are not run.
fn added(files: &dyn Files, folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<String> = files.names(folder);
    names.retain(|name| name.ends_with(".pth"));
    names.sort_unstable();
    let texts = names.iter().filter_map(|name| files.read(&folder.join(name)));
    let lines: Vec<String> = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let is_path = |line: &&String| !line.is_empty() && !line.starts_with(['#', ' ']) && !line.starts_with("import");
    let paths = lines.iter().filter(is_path).map(|line| folder.join(line.trim_end()));
    paths.filter(|path| files.is_folder(path)).collect()
}
