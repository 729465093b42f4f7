//! The oldest Python that a project must run on: the lower bound of `requires-python` in its `pyproject.toml`.
//!
//! In: the path of a file, and a way to read another; this module does no I/O. Out: a release, `(3, 11)`. What does not parse says
//! nothing. Only a lower bound is read, so a few lines do what a crate for all of PEP 440 would be needed for otherwise.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use toml::{Table, Value};

/// Where nothing says otherwise: the oldest release that is still supported.
pub const OLDEST: (u8, u8) = (3, 11);

/// What is known of the folders that were asked about: every folder is read once.
#[derive(Default)]
pub struct Pythons(FxHashMap<PathBuf, Option<(u8, u8)>>);

impl Pythons {
    /// The oldest Python for the file at `path`, which must be absolute: by the nearest `pyproject.toml` at or above it that
    /// tells. `read` gives the text of a file, or nothing where there is none.
    pub fn of(&mut self, path: &Path, read: impl Fn(&Path) -> Option<String>) -> (u8, u8) {
        let mut asked = Vec::new();
        let mut found = None;
        for folder in path.ancestors().skip(1) {
            if let Some(known) = self.0.get(folder) {
                found = *known;
                break;
            }
            asked.push(folder.to_owned());
            found = read(&folder.join("pyproject.toml")).as_deref().and_then(oldest_python);
            if found.is_some() {
                break;
            }
        }
        self.0.extend(asked.into_iter().map(|folder| (folder, found)));
        found.unwrap_or(OLDEST)
    }
}

/// The oldest Python that a `pyproject.toml` with this text allows: `project.requires-python`, else Poetry's
/// `tool.poetry.dependencies.python`. `None` where it tells nothing.
pub fn oldest_python(pyproject: &str) -> Option<(u8, u8)> {
    let table: Table = pyproject.parse().ok()?;
    let standard = table.get("project").and_then(|project| project.get("requires-python"));
    let poetry = || ["poetry", "dependencies", "python"].iter().try_fold(table.get("tool")?, |at, name| at.get(name));
    let value = standard.or_else(poetry)?;
    // Poetry takes a table with the version in it as well.
    let specifier = value.as_str().or_else(|| value.get("version").and_then(Value::as_str))?;
    // Of alternatives the oldest counts; one without a bound leaves none.
    specifier.split("||").map(lower_bound).min()?
}

/// The lower bound of specifiers that must all hold: `>=3.9, <4`.
fn lower_bound(specifiers: &str) -> Option<(u8, u8)> {
    let bounds = specifiers.split(',').filter_map(|specifier| {
        let start = specifier.find(|c: char| c.is_ascii_digit())?;
        let (operator, version) = specifier.split_at(start);
        // `^3.9`, `~3.9` and `3.9` are Poetry's. `>3.9` lets 3.9.1 in.
        matches!(operator.trim(), ">=" | ">" | "~=" | "==" | "===" | "^" | "~" | "").then(|| release(version))?
    });
    bounds.max()
}

/// `(3, 9)` of `3.9.2`, `(3, 0)` of `3`.
fn release(version: &str) -> Option<(u8, u8)> {
    let mut parts = version.trim_end().split('.');
    let major = parts.next()?.parse().ok()?;
    let minor: String = parts.next().unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
    Some((major, minor.parse().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_bounds() {
        for (specifier, expected) in [
            (">=3.9", Some((3, 9))),
            (">= 3.12, <4", Some((3, 12))),
            ("<4,>=3.8,!=3.9.1", Some((3, 8))),
            (">=3.8,>=3.10.2", Some((3, 10))),
            ("~=3.11", Some((3, 11))),
            ("==3.10.*", Some((3, 10))),
            (">3.9", Some((3, 9))),
            (">=3", Some((3, 0))),
            (">=3.13rc1", Some((3, 13))),
            ("^3.9", Some((3, 9))),
            ("~3.10.1", Some((3, 10))),
            ("3.11.*", Some((3, 11))),
            ("^3.8 || ^3.12", Some((3, 8))),
            ("^3.12 || <3", None),
            (">=3.9 , <4", Some((3, 9))),
            ("<4", None),
            ("*", None),
            ("", None),
            (">=", None),
            ("nonsense", None),
            (">=999.1", None),
        ] {
            let text = format!("[project]\nrequires-python = \"{specifier}\"\n");
            assert_eq!(oldest_python(&text), expected, "{specifier}");
        }
    }

    #[test]
    fn where_it_stands() {
        let poetry = "[tool.poetry.dependencies]\npython = \"^3.10\"\n";
        assert_eq!(oldest_python(poetry), Some((3, 10)));
        assert_eq!(oldest_python("[tool.poetry.dependencies]\npython = {version = \">=3.9\"}\n"), Some((3, 9)));
        assert_eq!(oldest_python(&format!("[project]\nrequires-python = '>=3.12'\n{poetry}")), Some((3, 12)));
        for silent in ["", "[project]\n", "project = 1\n", "[project\n", "[project]\nrequires-python = 3\n"] {
            assert_eq!(oldest_python(silent), None, "{silent}");
        }
    }

    #[test]
    fn the_nearest_that_tells_counts_and_each_is_read_once() {
        let reads = std::cell::RefCell::new(Vec::new());
        let read = |path: &Path| {
            let path = path.to_str()?.to_owned();
            reads.borrow_mut().push(path.clone());
            match path.as_str() {
                "/a/pyproject.toml" => Some("[project]\nrequires-python = '>=3.9'".to_owned()),
                "/a/b/pyproject.toml" => Some("[tool.ruff]".to_owned()),
                _ => None,
            }
        };
        let mut pythons = Pythons::default();
        assert_eq!(pythons.of(Path::new("/a/b/c/x.py"), read), (3, 9));
        assert_eq!(pythons.of(Path::new("/a/b/c/y.py"), read), (3, 9));
        assert_eq!(pythons.of(Path::new("/a/z.py"), read), (3, 9));
        assert_eq!(pythons.of(Path::new("/x.py"), read), OLDEST);
        assert_eq!(
            *reads.borrow(),
            ["/a/b/c/pyproject.toml", "/a/b/pyproject.toml", "/a/pyproject.toml", "/pyproject.toml"]
        );
    }
}
