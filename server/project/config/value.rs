//! One small tree for what people write in TOML and what editors send as JSON: strings, lists and tables, with their places.
//!
//! In: text of TOML. Out: [`Value`]s as deep as a configuration goes and no deeper, so that nothing here recurses far. A text that is not
//! quite TOML gives what can be made of it, and the first error.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Problem;
use crate::text::Span;

/// A value and where it stands. What an editor sends stands nowhere: its spans are empty.
#[derive(Clone, Debug)]
pub struct Value {
    /// Bytes of the file.
    pub span: Span,
    /// What it is.
    pub shape: Shape,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A string.
    String(String),
    /// A list.
    List(Vec<Value>),
    /// A table.
    Table(Vec<Entry>),
    /// What no setting takes: what it is, with its article.
    Other(&'static str),
}

/// A key and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub at: Span,
    /// The value.
    pub value: Value,
}

impl Shape {
    /// Whether it is a list of nothing.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::List(items) if items.is_empty())
    }

    /// What it is, with its article, for a message.
    pub fn described(&self) -> &'static str {
        match self {
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(what) => what,
        }
    }
}

/// How deep settings nest: the table, the table of a key, a list, a string.
const DEPTH: u32 = 4;
/// A line with more dots than this may be a key so deep that the parser overflows its stack: such a file is not read.
const MAX_DOTS: usize = 2_000;

/// A parsed text.
pub struct Document<'t> {
    /// What could be read of it.
    pub table: DeTable<'t>,
    /// The first error in its syntax.
    pub error: Option<Problem>,
    text: &'t str,
    /// Where the errors are, rising.
    errors: Vec<u32>,
}

impl<'t> Document<'t> {
    /// Parses TOML.
    pub fn parse(text: &'t str) -> Self {
        if text.lines().any(|line| memchr::memchr_iter(b'.', line.as_bytes()).count() > MAX_DOTS) {
            let problem = Problem { span: Span::new(0, 0), message: "a line has too many dots".to_owned() };
            return Self { table: DeTable::new(), error: Some(problem), text, errors: Vec::new() };
        }
        let (table, found) = DeTable::parse_recoverable(text);
        let at = |error: &toml::de::Error| error.span().map(place).unwrap_or_default();
        let error = found.iter().min_by_key(|error| at(error)).map(|error| Problem {
            span: at(error),
            message: format!("no valid TOML: {}", error.message().lines().collect::<Vec<_>>().join(", ")),
        });
        let mut errors: Vec<u32> = found.iter().map(|error| at(error).start).collect();
        errors.sort_unstable();
        Self { table: table.into_inner(), error, text, errors }
    }

    /// The table below these keys.
    pub fn below(&self, keys: &[&str]) -> Option<&DeTable<'t>> {
        keys.iter().try_fold(&self.table, |table, key| match table.get(*key)?.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => None,
        })
    }

    /// The entries of a table, by place. What an error touches is left out: half a list of rules would say something else.
    pub fn entries(&self, table: &DeTable<'t>) -> Vec<Entry> {
        self.entries_to(table, DEPTH)
    }

    fn entries_to(&self, table: &DeTable<'t>, depth: u32) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (key, value) in table {
            let (at, end) = (place(key.span()), self.line_end(value.span().end));
            let first = self.errors.get(self.errors.partition_point(|error| *error < at.start));
            let is_whole = first.is_none_or(|error| *error > end);
            // Of a table, what is whole in it counts.
            if is_whole || matches!(value.get_ref(), DeValue::Table(_)) {
                entries.push(Entry { key: key.get_ref().to_string(), at, value: self.convert(value, depth - 1) });
            }
        }
        entries.sort_by_key(|entry| entry.at);
        entries
    }

    fn line_end(&self, at: usize) -> u32 {
        let rest = self.text.get(at..).unwrap_or_default();
        let end = at + memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        u32::try_from(end).unwrap_or(u32::MAX)
    }

    fn convert(&self, value: &Spanned<DeValue<'t>>, depth: u32) -> Value {
        let shape = match value.get_ref() {
            DeValue::String(text) => Shape::String(text.to_string()),
            DeValue::Array(_) | DeValue::Table(_) if depth == 0 => Shape::Other("a list or table"),
            DeValue::Array(items) => Shape::List(items.iter().map(|item| self.convert(item, depth - 1)).collect()),
            DeValue::Table(table) => Shape::Table(self.entries_to(table, depth)),
            DeValue::Integer(_) | DeValue::Float(_) => Shape::Other("a number"),
            DeValue::Boolean(_) => Shape::Other("`true` or `false`"),
            DeValue::Datetime(_) => Shape::Other("a date"),
        };
        Value { span: place(value.span()), shape }
    }
}

/// A range of the parser as a span.
pub fn place(range: std::ops::Range<usize>) -> Span {
    Span::new(u32::try_from(range.start).unwrap_or(u32::MAX), u32::try_from(range.end).unwrap_or(u32::MAX))
}
