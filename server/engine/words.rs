//! The words of an item or function, seen without parsing: what tells what to do with it, and whom it may call.

use crate::facts::hashed;

/// Which words stand in an item, be it in a string: what tells what to do with it before it is parsed.
#[derive(Clone, Copy)]
pub(super) struct Words {
    /// `result`, `exception` or `async`: one stands in most items with a finding.
    pub trigger: bool,
    /// `await`, or `async` that begins no `def`, where it may not be legal.
    pub suspends: bool,
    pub global: bool,
    pub is_yield: bool,
    /// `async`, be it in `asyncio`.
    pub is_async: bool,
}

impl Words {
    pub fn of(text: &str) -> Self {
        let holds = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
        Self {
            trigger: holds("result") || holds("exception") || holds("cancel") || holds("async"),
            suspends: (holds("await") || has_async_block(text)) && !is_one_coroutine(text),
            global: holds("global"),
            is_yield: holds("yield"),
            is_async: holds("async"),
        }
    }
}

/// Whether `async` stands before something else than a `def`, which names no `asyncio`.
fn has_async_block(text: &str) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), "async").any(|at| {
        let behind = &text[at + "async".len()..];
        let word = behind.trim_start_matches(|c: char| c.is_whitespace() || c == '\\');
        word.len() < behind.len() && !word.starts_with("def")
    })
}

/// Whether the item is an `async def` with no function, `lambda` or class in it: all that suspends is legal in its body.
fn is_one_coroutine(text: &str) -> bool {
    let finder = |word: &'static str| memchr::memmem::find_iter(text.as_bytes(), word);
    let head = [":\n", ":\r"].into_iter().filter_map(|end| finder(end).next()).min();
    text.starts_with("async def")
        && head.is_some_and(|end| memchr::memmem::find(&text.as_bytes()[..end], b"await").is_none())
        && finder("def").count() == 1
        && finder("lambda").next().is_none()
        && finder("class").next().is_none()
}

/// The identity of a word, as a function's words are kept.
pub(super) fn word(text: &str) -> u64 {
    hashed(text)
}

pub(super) fn not_word(c: char) -> bool {
    !c.is_alphanumeric() && c != '_'
}

/// The words, sorted.
pub(super) fn words<'t>(words: impl Iterator<Item = &'t str>) -> Box<[u64]> {
    let mut words: Vec<u64> = words.filter(|text| !text.is_empty()).map(word).collect();
    words.sort_unstable();
    words.dedup();
    words.into()
}
