//! The oldest Python that a project must run on: the lower bound of `requires-python` in its `pyproject.toml`.
//!
//! In: the parsed file. Out: a release, `(3, 11)`. Only a lower bound is read, so a few lines do what a crate
//! for all of PEP 440 would be needed for otherwise.

use toml::de::{DeTable, DeValue};

use super::config::place;
use crate::text::Span;

/// Where nothing says otherwise: the oldest release that is still supported.
pub const OLDEST: (u8, u8) = (3, 11);

/// The oldest Python that a `pyproject.toml` allows, and where it says so: `project.requires-python`, else Poetry's
/// `tool.poetry.dependencies.python`. `None` where it tells nothing.
pub fn oldest_python(pyproject: &DeTable<'_>) -> Option<((u8, u8), Span)> {
    let below = |keys: &[&str]| {
        let (first, rest) = keys.split_first()?;
        rest.iter().try_fold(pyproject.get(*first)?, |at, key| match at.get_ref() {
            DeValue::Table(table) => table.get(*key),
            _ => None,
        })
    };
    let standard = below(&["project", "requires-python"]);
    // Poetry takes a table with the version in it as well.
    let poetry = || {
        below(&["tool", "poetry", "dependencies", "python", "version"])
            .or_else(|| below(&["tool", "poetry", "dependencies", "python"]))
    };
    let value = standard.or_else(poetry)?;
    let DeValue::String(specifier) = value.get_ref() else { return None };
    // Of alternatives the oldest counts; one without a bound leaves none.
    let oldest = specifier.split("||").map(lower_bound).min()??;
    Some((oldest, place(value.span())))
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

    fn oldest(text: &str) -> Option<(u8, u8)> {
        oldest_python(&DeTable::parse(text).ok()?.into_inner()).map(|(version, _)| version)
    }

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
            assert_eq!(oldest(&text), expected, "{specifier}");
        }
    }

    #[test]
    fn where_it_stands() {
        let poetry = "[tool.poetry.dependencies]\npython = \"^3.10\"\n";
        assert_eq!(oldest(poetry), Some((3, 10)));
        assert_eq!(oldest("[tool.poetry.dependencies]\npython = {version = \">=3.9\"}\n"), Some((3, 9)));
        assert_eq!(oldest(&format!("[project]\nrequires-python = '>=3.12'\n{poetry}")), Some((3, 12)));
        for silent in ["", "[project]\n", "project = 1\n", "[project\n", "[project]\nrequires-python = 3\n"] {
            assert_eq!(oldest(silent), None, "{silent}");
        }
    }
}
