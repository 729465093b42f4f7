//! `await-outside-async`: `await`, `async for`, `async with` or an asynchronous comprehension where Python takes none.
//!
//! In: the facts of an item and its tree. Out: [`Verdict`]s, each with the scope of the function (or module) that evaluates the place.
//! The rules are those of CPython's compiler from 3.11 on; `tests/await_outside_async.rs` asks it. Annotations are left alone: which of
//! them are evaluated changes with the version and with `from __future__ import annotations`.

use rustc_hash::FxHashSet;
use tree_sitter::Node;

use super::Verdict;
use crate::facts::{Facts, Scope, ScopeId};
use crate::fixes::{Home, Outside, Repair, home};
use crate::report::Level;
use crate::text::Span;

/// What is found in the item whose tree has this root, by place.
pub(super) fn judge(facts: &Facts, root: Node<'_>, src: &str) -> Vec<(ScopeId, Verdict)> {
    let mut places: Vec<Span> = facts.awaits.iter().chain(&facts.asyncs).copied().collect();
    places.sort_unstable();
    let mut verdicts = Vec::new();
    let mut seen = FxHashSet::default();
    for place in places {
        let (home, scope, comprehension) = home(facts, facts.scope_at(place.start));
        let Some(scope) = facts.scope(scope) else { continue };
        let what = match (home, comprehension.and_then(|id| facts.scope(id))) {
            (Home::Coroutine | Home::Generator, _) => continue,
            (_, Some(comprehension)) => What::Comprehension { whole: comprehension.span, by: place },
            _ if place.of(src).starts_with("await") => What::Await(place),
            _ => What::Statement(place),
        };
        // All that is asynchronous in a comprehension is one error to Python.
        if seen.insert(what.span()) && !in_annotation(root, place) {
            verdicts.push((facts.function_at(place.start), verdict(what, home, scope, src)));
        }
    }
    verdicts
}

/// What stands where it may not.
#[derive(Clone, Copy)]
enum What {
    /// The expression.
    Await(Span),
    /// The words `async for` or `async with`.
    Statement(Span),
    /// The outermost comprehension, and what makes it asynchronous.
    Comprehension { whole: Span, by: Span },
}

impl What {
    fn span(self) -> Span {
        match self {
            Self::Await(span) | Self::Statement(span) | Self::Comprehension { whole: span, .. } => span,
        }
    }
}

fn verdict(what: What, home: Home, scope: &Scope, src: &str) -> Verdict {
    let in_function = matches!(home, Home::Function | Home::Lambda);
    let (subject, error) = match what {
        What::Await(_) if in_function => ("`await`".to_owned(), "'await' outside async function".to_owned()),
        What::Await(_) => ("`await`".to_owned(), "'await' outside function".to_owned()),
        What::Statement(words) => {
            let words = if words.of(src).ends_with("with") { "async with" } else { "async for" };
            (format!("`{words}`"), format!("'{words}' outside async function"))
        }
        What::Comprehension { .. } => (
            "An asynchronous comprehension".to_owned(),
            "asynchronous comprehension outside of an asynchronous function".to_owned(),
        ),
    };
    let name = scope.name.map(|name| name.of(src)).unwrap_or_default();
    let place = match home {
        Home::Function => format!("in `{name}`, which is no `async def`"),
        Home::Lambda => "in a `lambda`, which cannot be asynchronous".to_owned(),
        Home::Class => format!("in the body of class `{name}`, which is no function"),
        _ => "at module level, outside of every function".to_owned(),
    };
    let mut related = Vec::new();
    if let What::Comprehension { by, .. } = what {
        related.push((by, "this makes the comprehension asynchronous".to_owned()));
    }
    match (home, scope.name) {
        (Home::Function, Some(name_span)) => related.push((name_span, format!("`{name}` is a plain `def`"))),
        (Home::Class, Some(name_span)) => related.push((name_span, "its body runs where the class is made".to_owned())),
        (Home::Lambda, _) => {
            let word = Span::new(scope.span.start, scope.span.start + "lambda".len() as u32);
            related.push((word, "the `lambda` begins here".to_owned()));
        }
        _ => {}
    }
    Verdict {
        rule: "await-outside-async",
        level: Level::Error,
        span: what.span(),
        message: format!("{subject} {place}. Python does not compile this file: `SyntaxError: {error}`"),
        related,
        elsewhere: Vec::new(),
        repair: Repair::OutsideAsync(Outside { at: what.span(), home }),
    }
}

fn in_annotation(root: Node<'_>, place: Span) -> bool {
    let node = root.descendant_for_byte_range(place.start as usize, place.end as usize);
    let around = std::iter::successors(node, Node::parent);
    // Blocks in an annotation there are none.
    around.take_while(|node| !matches!(node.kind(), "block" | "module")).any(|node| node.kind() == "type")
}
