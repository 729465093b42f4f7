//! What to say where the cursor rests: about a finding, or about a task and the states it can be in.

use super::item::Analysis;
use crate::report::Finding;
use crate::rules;
use crate::tasks::{Kind, Mention, Object, Passed, States, WhyKind};
use crate::text::{Encoding, Span, Text};

/// What to show where the cursor rests.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hover {
    /// What it is about, bytes of the file.
    pub span: Span,
    /// Markdown.
    pub markdown: String,
}

pub(super) fn of_findings(findings: &[Finding], offset: u32, text: &Text) -> Option<Hover> {
    let found: Vec<&Finding> = findings.iter().filter(|finding| finding.span.touches(offset)).collect();
    let span = found.iter().map(|finding| finding.span).min_by_key(|span| span.len())?;
    let mut markdown = String::new();
    for finding in found {
        if !markdown.is_empty() {
            markdown.push_str("\n\n---\n\n");
        }
        markdown.push_str(&format!("**{}**: {}\n", finding.rule, finding.message));
        for related in &finding.related {
            let line = text.position(related.span.start, Encoding::Utf32).line + 1;
            markdown.push_str(&format!("\n- line {line}: {}", related.message));
        }
        if let Some(rule) = rules::find(finding.rule) {
            markdown.push_str(&format!("\n\n[{}]({})", rule.summary, rule.url()));
        }
    }
    Some(Hover { span, markdown })
}

/// `offset` is a byte of the item at `item`.
pub(super) fn of_mentions(analysis: &Analysis, offset: u32, item: Span, text: &Text) -> Option<Hover> {
    let (span, mention) = analysis.mentions().find(|(span, _)| span.touches(offset))?;
    let name = span.shifted(item.start).of(text.as_str());
    if let Some(coroutine) = mention.states.first().and_then(Object::coroutine) {
        return Some(of_coroutine(name, &coroutine.name, mention, span.shifted(item.start), &|at| {
            text.position(at.start + item.start, Encoding::Utf32).line + 1
        }));
    }
    let states =
        mention.states.iter().filter(|object| !object.silent).fold(States(0), |all, object| all.or(object.states));
    let mut lines = Vec::new();
    if mention.states.iter().any(|object| object.silent) {
        lines.push("other code may have waited for it".to_owned());
    }
    for (state, means) in [
        (States::P, "pending: `result()` and `exception()` would raise `InvalidStateError`"),
        (States::R, "finished with a result"),
        (States::E, "finished with an exception: `result()` raises it"),
        (States::C, "cancelled: `result()` and `exception()` raise `CancelledError`"),
    ] {
        if states.has(state) {
            lines.push(means.to_owned());
        }
    }
    let what = match mention.states.first()?.kind {
        Kind::Task | Kind::Parameter(_) | Kind::Coroutine(_) => "task",
        Kind::Future => "future",
        Kind::Gather { .. } => "future of `gather`",
        Kind::Current => "task that runs this code",
        Kind::Element(Some(_)) => "one of the tasks of a collection",
        Kind::Element(None) => "task out of a set that `wait` returned",
    };
    let line_of = |span: Span| text.position(span.start + item.start, Encoding::Utf32).line + 1;
    let mut markdown = format!("`{name}`: {what}");
    if let Some(id) = mention.task {
        markdown.push_str(&format!(" made on line {}", line_of(id)));
    }
    markdown.push_str("\n\nHere it may be");
    for line in lines {
        markdown.push_str(&format!("\n- {line}"));
    }
    let mut history: Vec<String> = Vec::new();
    for object in &mention.states {
        for event in events(object, &line_of) {
            if !history.contains(&event) {
                history.push(event);
            }
        }
    }
    if !history.is_empty() {
        markdown.push_str("\n\nHow it came to this:");
        for event in history {
            markdown.push_str(&format!("\n- {event}"));
        }
    }
    Some(Hover { span: span.shifted(item.start), markdown })
}

/// A coroutine: whether somebody has awaited it.
fn of_coroutine(name: &str, of: &str, mention: &Mention, span: Span, line_of: &dyn Fn(Span) -> u32) -> Hover {
    let mut markdown = format!("`{name}`: coroutine `{of}`");
    if let Some(id) = mention.task {
        markdown.push_str(&format!(" made on line {}", line_of(id)));
    }
    markdown.push_str("\n\nHere it may be");
    let mut lines: Vec<String> = Vec::new();
    for object in &mention.states {
        let line = match object.used {
            Some(at) => format!("used up, on line {}: it cannot be awaited again", line_of(at)),
            None if object.escaped => "in other hands".to_owned(),
            None => "fresh: nothing has awaited it".to_owned(),
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    for line in lines {
        markdown.push_str(&format!("\n- {line}"));
    }
    Hover { span, markdown }
}

fn events(object: &Object, line_of: &impl Fn(Span) -> u32) -> Vec<String> {
    let mut events = Vec::new();
    match object.passed {
        Passed::Nothing => {}
        Passed::Sleep(span) => events.push(format!("line {}: a sleep, which waits for nothing", line_of(span))),
        Passed::Other(span) => events.push(format!("line {}: a wait for something else", line_of(span))),
    }
    if let Some(span) = object.cancelled_at {
        events.push(format!("line {}: asked to cancel", line_of(span)));
    }
    if let Some(why) = object.why {
        let what = match why.kind {
            WhyKind::WaitTimeout => "`wait` with a timeout",
            WhyKind::FirstCompleted => "`wait` for the first to complete",
            WhyKind::FirstException => "`wait` for the first exception",
            WhyKind::Sibling => "a `gather` that may fail while this one runs",
            WhyKind::Shield => "a shield, which keeps a timeout from it",
            WhyKind::Interrupted => "a wait that may be cancelled",
            WhyKind::NotDone => "found not to be done",
            WhyKind::PendingSet => "the set of those still pending",
        };
        events.push(format!("line {}: {what}", line_of(why.span)));
    }
    events
}
