//! Patterns of paths in, whether they name a path out.
//!
//! As ruff's users know them: a pattern without `/` names a file or folder of that name anywhere, one with `/` a path from the
//! configuration's folder on. `*` stays within a name, `**` does not. A pattern that names a folder names all that is in it.

use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Some patterns. Equal if the patterns are.
#[derive(Clone, Debug, Default)]
pub struct Globs {
    patterns: Vec<String>,
    /// Those of a name anywhere.
    names: GlobSet,
    /// Those of a path.
    paths: GlobSet,
}

impl PartialEq for Globs {
    fn eq(&self, other: &Self) -> bool {
        self.patterns == other.patterns
    }
}

impl Eq for Globs {}

impl Globs {
    /// These patterns, those left out that are none; `refuse` is told which, and why.
    pub fn new(patterns: impl IntoIterator<Item = String>, mut refuse: impl FnMut(usize, String)) -> Self {
        let (mut names, mut paths) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        let mut taken = Vec::new();
        for (index, pattern) in patterns.into_iter().enumerate() {
            let trimmed = pattern.trim_start_matches("./").trim_end_matches('/');
            match GlobBuilder::new(trimmed).literal_separator(true).build() {
                Ok(_) if trimmed.is_empty() => refuse(index, "it is empty".to_owned()),
                Ok(glob) => {
                    let set = if trimmed.contains('/') { &mut paths } else { &mut names };
                    set.add(glob);
                    taken.push(pattern);
                }
                Err(error) => refuse(index, error.kind().to_string()),
            }
        }
        // What builds alone builds together, unless it is too large.
        match (names.build(), paths.build()) {
            (Ok(names), Ok(paths)) => Self { patterns: taken, names, paths },
            (Err(error), _) | (_, Err(error)) => {
                refuse(0, error.kind().to_string());
                Self::default()
            }
        }
    }

    /// The patterns as they were written.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Whether one names this path itself, which is relative to the configuration's folder.
    pub fn name(&self, path: &Path) -> bool {
        path.file_name().is_some_and(|name| self.names.is_match(name)) || self.paths.is_match(path)
    }

    /// Whether one names this path or a folder around it, below the configuration's folder.
    pub fn cover(&self, path: &Path) -> bool {
        !self.patterns.is_empty() && path.ancestors().any(|part| !part.as_os_str().is_empty() && self.name(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_patterns_name() {
        for (pattern, covered, not) in [
            ("tests/**", &["tests/a.py", "tests/a/b.py"][..], &["a/tests/b.py", "tests.py"][..]),
            ("tests", &["tests/a.py", "a/tests/b.py"], &["tests.py", "mytests/a.py"]),
            ("tests/", &["tests/a.py"], &["tests.py"]),
            ("./gen/*.py", &["gen/a.py"], &["gen/a/b.py", "a/gen/b.py"]),
            ("*_pb2.py", &["a_pb2.py", "x/y/a_pb2.py"], &["a_pb2.pyi"]),
            ("**/conftest.py", &["conftest.py", "a/b/conftest.py"], &["conftest.pyi"]),
            ("a/{b,c}", &["a/b/x.py", "a/c/x.py"], &["a/d/x.py"]),
        ] {
            let globs = Globs::new([pattern.to_owned()], |_, why| panic!("{why}"));
            for path in covered {
                assert!(globs.cover(Path::new(path)), "{pattern} {path}");
            }
            for path in not {
                assert!(!globs.cover(Path::new(path)), "{pattern} {path}");
            }
        }
    }
}
