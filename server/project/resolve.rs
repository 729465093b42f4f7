//! Which file a module is: dotted names through folders, as the import system of Python has it, without running any of it.
//!
//! In: a folder to start from and the next name of a dotted path. Out: the file of the module, or a folder to go on from. A stub (`.pyi`) wins
//! over the source beside it, `NAME-stubs` over an installed package; a folder without `__init__` is a namespace package.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Files;

/// What a name in a package's folder is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Found {
    /// A module.
    Module(PathBuf),
    /// A package: its folder, and its `__init__` where it has one.
    Package(PathBuf, Option<PathBuf>),
}

/// The module or package `name` in a folder.
pub fn step(files: &dyn Files, folder: &Path, name: &str) -> Option<Found> {
    let package = folder.join(name);
    if files.is_folder(&package)
        && let Some(init) = init_of(files, &package)
    {
        return Some(Found::Package(package, Some(init)));
    }
    let module = |extension: &str| Some(folder.join(format!("{name}.{extension}"))).filter(|path| files.is_file(path));
    if let Some(path) = module("pyi").or_else(|| module("py")) {
        return Some(Found::Module(path));
    }
    files.is_folder(&package).then_some(Found::Package(package, None))
}

/// The stubs of an installed package: `NAME-stubs`.
pub fn stubs(files: &dyn Files, folder: &Path, name: &str) -> Option<Found> {
    let package = folder.join(format!("{name}-stubs"));
    let init = files.is_folder(&package).then(|| init_of(files, &package)).flatten()?;
    Some(Found::Package(package, Some(init)))
}

/// The `__init__` of a package.
pub fn init_of(files: &dyn Files, folder: &Path) -> Option<PathBuf> {
    ["__init__.pyi", "__init__.py"].iter().map(|name| folder.join(name)).find(|path| files.is_file(path))
}

/// The folders in which the file's own project has its modules, the nearest first: that of the outermost package around the file, `src`
/// in the project, and the project.
pub fn own_roots(files: &dyn Files, file: &Path) -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> = Vec::new();
    let outside = file.ancestors().skip(1).find(|folder| init_of(files, folder).is_none());
    roots.extend(outside.map(Path::to_owned));
    if let Some(project) = project_of(files, file) {
        roots.push(project.join("src"));
        roots.push(project);
    }
    roots.dedup();
    roots
}

/// The folder of the project that a file belongs to.
pub fn project_of(files: &dyn Files, file: &Path) -> Option<PathBuf> {
    let is_project = |folder: &&Path| {
        ["pyproject.toml", "setup.py", "setup.cfg", "aiolint.toml"].iter().any(|name| files.is_file(&folder.join(name)))
            || files.is_folder(&folder.join(".git"))
    };
    file.ancestors().skip(1).find(is_project).map(Path::to_owned)
}
