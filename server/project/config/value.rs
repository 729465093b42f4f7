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
}

impl<'t> Document<'t> {
    /// Parses TOML.
    pub fn parse(text: &'t str) -> Self {
        if text.lines().any(|line| memchr::memchr_iter(b'.', line.as_bytes()).count() > MAX_DOTS) {
            let problem = Problem { span: Span::new(0, 0), message: "a line has too many dots".to_owned() };
            return Self { table: DeTable::new(), error: Some(problem) };
        }
        let (table, errors) = DeTable::parse_recoverable(text);
        let first = errors.into_iter().min_by_key(|error| error.span().map_or(usize::MAX, |span| span.start));
        let error = first.map(|error| Problem {
            span: error.span().map(place).unwrap_or_default(),
            message: format!("no valid TOML: {}", error.message().lines().collect::<Vec<_>>().join(", ")),
        });
        Self { table: table.into_inner(), error }
    }

    /// The table below these keys.
    pub fn below(&self, keys: &[&str]) -> Option<&DeTable<'t>> {
        keys.iter().try_fold(&self.table, |table, key| match table.get(*key)?.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => None,
        })
    }
}

/// A range of the parser as a span.
pub fn place(range: std::ops::Range<usize>) -> Span {
    Span::new(u32::try_from(range.start).unwrap_or(u32::MAX), u32::try_from(range.end).unwrap_or(u32::MAX))
}

/// The entries of a table, by place.
pub fn entries(table: &DeTable<'_>) -> Vec<Entry> {
    entries_to(table, DEPTH)
}

fn entries_to(table: &DeTable<'_>, depth: u32) -> Vec<Entry> {
    let entry = |(key, value): (&Spanned<_>, _)| {
        let key: &Spanned<std::borrow::Cow<'_, str>> = key;
        Entry { key: key.get_ref().to_string(), at: place(key.span()), value: convert(value, depth - 1) }
    };
    let mut entries: Vec<Entry> = table.iter().map(entry).collect();
    entries.sort_by_key(|entry| entry.at);
    entries
}

fn convert(value: &Spanned<DeValue<'_>>, depth: u32) -> Value {
    let shape = match value.get_ref() {
        DeValue::String(text) => Shape::String(text.to_string()),
        DeValue::Array(_) | DeValue::Table(_) if depth == 0 => Shape::Other("a list or table"),
        DeValue::Array(items) => Shape::List(items.iter().map(|item| convert(item, depth - 1)).collect()),
        DeValue::Table(table) => Shape::Table(entries_to(table, depth)),
        DeValue::Integer(_) | DeValue::Float(_) => Shape::Other("a number"),
        DeValue::Boolean(_) => Shape::Other("`true` or `false`"),
        DeValue::Datetime(_) => Shape::Other("a date"),
    };
    Value { span: place(value.span()), shape }
}
