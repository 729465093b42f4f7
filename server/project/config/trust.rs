//! What the user knows of functions better than the analysis: three lists of dotted names in, questions about one name answered.

use std::path::{Component, Path};

/// Dotted names; the last part may be `*`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct DottedNames(Vec<String>);

impl DottedNames {
    /// These names, those left out that are none; `refuse` is told which.
    pub fn new(names: impl IntoIterator<Item = String>, mut refuse: impl FnMut(usize)) -> Self {
        let taken = names.into_iter().enumerate().filter_map(|(index, name)| {
            let known = is_dotted(&name);
            if !known {
                refuse(index);
            }
            known.then_some(name)
        });
        Self(taken.collect())
    }

    /// As they were written.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    fn hold(&self, name: &str) -> bool {
        self.0.iter().any(|known| match known.strip_suffix('*') {
            Some(start) => name.len() > start.len() && name.starts_with(start),
            None => known == name,
        })
    }
}

fn is_dotted(name: &str) -> bool {
    let part = |part: &str| {
        part.chars().all(|c| c.is_alphanumeric() || c == '_') && part.starts_with(|c: char| !c.is_ascii_digit())
    };
    let (parts, last) = name.rsplit_once('.').map_or((None, name), |(parts, last)| (Some(parts), last));
    (part(last) || last == "*" && parts.is_some()) && parts.is_none_or(|parts| parts.split('.').all(part))
}

/// One of the lists, for one file.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Trusted {
    /// By the paths under which they are imported.
    imported: DottedNames,
    /// The functions of the file itself, by qualified name.
    own: DottedNames,
}

impl Trusted {
    /// What these names come to in the file at `path`, which is to be absolute; `folder` is the configuration's.
    ///
    /// `app.jobs.spawn` is `spawn` in `…/app/jobs.py`, and `Pool.start` is a method of any file that has it.
    pub fn new(names: &DottedNames, path: &Path, folder: &Path) -> Self {
        let own = names.0.iter().flat_map(|name| {
            let parts: Vec<&str> = name.split('.').collect();
            let heads = (1..parts.len()).map(|at| parts.split_at(at));
            let inside: Vec<String> =
                heads.filter(|(module, _)| is_module(path, module)).map(|(_, rest)| rest.join(".")).collect();
            // `app.*` goes for every module of the package.
            let package = parts.split_last().filter(|(last, _)| **last == "*").map(|(_, package)| package);
            let all = package.is_some_and(|package| is_in_package(path, folder, package));
            inside.into_iter().chain([name.clone()]).chain(all.then(|| "*".to_owned()))
        });
        Self { own: DottedNames(own.collect()), imported: names.clone() }
    }

    /// Whether the function that is imported under this path is one.
    pub fn holds(&self, path: &str) -> bool {
        self.imported.hold(path)
    }

    /// Whether the function of the file with this qualified name is one.
    pub fn holds_own(&self, name: &str) -> bool {
        self.own.hold(name)
    }

    /// Whether the function of this name is one; `is_own` tells which sort of name it is.
    pub fn holds_either(&self, name: &str, is_own: bool) -> bool {
        if is_own { self.holds_own(name) } else { self.holds(name) }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.imported.0.is_empty()
    }
}

/// Whether the file at `path` is the module of this name, wherever imports start.
fn is_module(path: &Path, module: &[&str]) -> bool {
    let mut parts = parts(path);
    if parts.last() == Some(&"__init__") {
        parts.pop();
    }
    parts.ends_with(module)
}

fn is_in_package(path: &Path, folder: &Path, package: &[&str]) -> bool {
    let below = path.strip_prefix(folder).unwrap_or(path);
    parts(below).windows(package.len().max(1)).any(|parts| parts == package)
}

/// The names on the way to a file, the last without its ending.
fn parts(path: &Path) -> Vec<&str> {
    let folders = path.parent().into_iter().flat_map(Path::components).filter_map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    folders.chain(path.file_stem().and_then(|name| name.to_str())).collect()
}

/// What the user says of functions that the analysis cannot see, or sees in another way.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Trust {
    /// A coroutine function under one of these decorators may be called bare.
    pub safe_decorators: Trusted,
    /// These keep a task that they are given, and one that they return is kept.
    pub task_keepers: Trusted,
    /// These consume a coroutine that they are given.
    pub coroutine_consumers: Trusted,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> DottedNames {
        DottedNames::new(names.iter().map(|name| (*name).to_owned()), |_| panic!("{names:?}"))
    }

    #[test]
    fn only_dotted_names_are_taken() {
        for bad in ["", ".", "a.", ".a", "*", "a*", "a.*.b", "a b", "a-b", "1a", "a..b"] {
            let mut refused = 0;
            DottedNames::new([bad.to_owned()], |_| refused += 1);
            assert_eq!(refused, 1, "{bad}");
        }
    }

    #[test]
    fn a_name_means_an_import_and_a_function_of_its_module() {
        let all = names(&["app.jobs.spawn", "lib.tasks.*", "Pool.start", "app.jobs.Pool.keep"]);
        let of = |path: &str| Trusted::new(&all, Path::new(path), Path::new("/p"));
        let elsewhere = of("/p/main.py");
        for (path, holds) in [
            ("app.jobs.spawn", true),
            ("lib.tasks.keep", true),
            ("lib.tasks.Pool.keep", true),
            ("lib.tasks", false),
            ("jobs.spawn", false),
            ("app.jobs.spawn_all", false),
        ] {
            assert_eq!(elsewhere.holds(path), holds, "{path}");
        }
        assert!(!elsewhere.holds_own("spawn") && elsewhere.holds_own("Pool.start"));
        for module in ["/p/app/jobs.py", "/p/src/app/jobs/__init__.py"] {
            assert!(of(module).holds_own("spawn") && of(module).holds_own("Pool.keep"), "{module}");
        }
        assert!(of("/p/lib/tasks.py").holds_own("anything") && of("/p/lib/tasks/more.py").holds_own("any.thing"));
        assert!(!of("/p/lib/other.py").holds_own("anything"));
    }
}
