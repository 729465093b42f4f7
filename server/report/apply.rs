//! Fixes put onto the text.
//!
//! In: a text and a way to analyse it. Out: the text with every finding fixed that has a fix good enough. Fixes of one round
//! keep to parts of the text of their own; what gets in another's way is looked at again in the text that the round leaves.
//! So two fixes never bring the same import, or make the same function `async`, twice: in the second round it is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Applicability, Finding, Fix, TextEdit};
use crate::text::Span;
use crate::tree::{self, Tree};

/// After so many rounds something is wrong: a fix that leaves its finding in place.
const MAX_ROUNDS: usize = 100;

/// What [`fix_all`] did.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// The text now.
    pub text: String,
    /// The findings in it.
    pub findings: Arc<[Finding]>,
    /// How many findings of each rule a fix was applied for.
    pub applied: BTreeMap<&'static str, usize>,
}

/// Why [`fix_all`] leaves a text alone. Either is a mistake in one of our fixes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The fixed text has a syntax error that was not there before.
    Breaks,
    /// New findings keep coming.
    NeverEnds,
}

/// Fixes all that has a fix of this applicability or better, until nothing of the kind is left. `analyse` gives the findings of
/// a text, by place.
///
/// # Errors
/// If the fixes together do harm; then none of them should be used.
pub fn fix_all(
    text: &str,
    least: Applicability,
    mut analyse: impl FnMut(&str) -> Arc<[Finding]>,
) -> Result<Fixed, Refusal> {
    let mut fixed = Fixed { text: text.to_owned(), findings: analyse(text), applied: BTreeMap::new() };
    for _ in 0..MAX_ROUNDS {
        let chosen = choose(&fixed.findings, least);
        if chosen.is_empty() {
            return if breaks(text, &fixed.text) { Err(Refusal::Breaks) } else { Ok(fixed) };
        }
        for (finding, _) in &chosen {
            *fixed.applied.entry(finding.rule).or_default() += 1;
        }
        fixed.text = apply(&fixed.text, chosen.iter().flat_map(|(_, fix)| &fix.edits));
        fixed.findings = analyse(&fixed.text);
    }
    Err(Refusal::NeverEnds)
}

/// The fix to apply for a finding if it need be no better than `least`.
pub fn preferred(finding: &Finding, least: Applicability) -> Option<&Fix> {
    finding.fixes.iter().find(|fix| fix.applicability >= least && !fix.edits.is_empty())
}

/// The fixes that can be applied together, with their findings, by place: of two that touch the same part of the text the
/// one that starts first; both, where they only insert at the same place and not the same.
pub fn choose(findings: &[Finding], least: Applicability) -> Vec<(&Finding, &Fix)> {
    let mut fixes: Vec<(Span, &Finding, &Fix)> = findings
        .iter()
        .filter_map(|finding| {
            let fix = preferred(finding, least)?;
            let (first, last) = (fix.edits.first()?, fix.edits.last()?);
            Some((Span::new(first.span.start, last.span.end), finding, fix))
        })
        .collect();
    fixes.sort_by_key(|(part, finding, _)| (*part, finding.span));
    let mut taken: Option<Span> = None;
    let mut inserted: Vec<&str> = Vec::new();
    fixes.retain(|(part, _, fix)| {
        let free = taken.is_none_or(|last| last.end < part.start);
        // Two statements may come before the same one, each for its own finding; but not the same one twice.
        let beside =
            part.is_empty() && taken == Some(*part) && fix.edits.iter().all(|edit| !inserted.contains(&&*edit.content));
        if free {
            inserted.clear();
        }
        if free || beside {
            taken = Some(*part);
            inserted.extend(fix.edits.iter().map(|edit| &*edit.content));
        }
        free || beside
    });
    fixes.into_iter().map(|(_, finding, fix)| (finding, fix)).collect()
}

/// The text with these edits, which must be by place and not overlap; one that does not fit is left out.
pub fn apply<'a>(text: &str, edits: impl IntoIterator<Item = &'a TextEdit>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for TextEdit { span, content } in edits {
        let Some(kept) = text.get(done..span.start as usize).filter(|_| text.is_char_boundary(span.end as usize))
        else {
            continue;
        };
        result.push_str(kept);
        result.push_str(content);
        done = span.end as usize;
    }
    result.push_str(&text[done..]);
    result
}

/// Whether `after` has syntax errors that `before` has not.
fn breaks(before: &str, after: &str) -> bool {
    if before == after {
        return false;
    }
    let after = Tree::parse(after);
    after.root().has_error() && errors(&after) > errors(&Tree::parse(before))
}

fn errors(tree: &Tree) -> usize {
    let mut errors = 0;
    tree::any(tree.root(), |node, _| {
        errors += usize::from(node.is_error() || node.is_missing());
        false
    });
    errors
}
