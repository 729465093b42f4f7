//! `asyncio.run(f())` where an event loop is running already: awaiting the coroutine is what it means.

use super::edits::replace_expression;
use super::place::Place;
use super::{Draft, Site};
use crate::report::Applicability;
use crate::text::Span;

/// `await f()` in place of the call `run`, whose argument is `coroutine`.
pub(super) fn nested_run(site: &Site, run: Span, coroutine: Span) -> Vec<Draft> {
    let Some(place) = Place::find(site.src, site.root, run) else { return Vec::new() };
    let around =
        Span::new(run.start, coroutine.start).of(site.src).len() + Span::new(coroutine.end, run.end).of(site.src).len();
    let commented = Span::new(run.start, coroutine.start).of(site.src).contains('#')
        || Span::new(coroutine.end, run.end).of(site.src).contains('#');
    if !place.await_at_call() || commented || around == 0 {
        return Vec::new();
    }
    let call = coroutine.of(site.src);
    let content = if place.await_needs_parentheses() { format!("(await {call})") } else { format!("await {call}") };
    let edit = replace_expression(site.src, run.start as usize, run.end as usize, content);
    vec![Draft::new("Await it instead".to_owned(), Applicability::Unsafe, vec![edit])]
}
