//! What the tests do with findings: ask for them, name their lines, apply their fixes.

use std::sync::Arc;

use aiolint::engine::File;
use aiolint::project::Settings;
use aiolint::report::{Finding, Fix};

/// The findings of a text under the rules that are on by default.
pub fn findings(source: &str) -> Vec<Finding> {
    findings_under(source, Settings::default())
}

/// The findings of a text under other settings.
pub fn findings_under(source: &str, settings: Settings) -> Vec<Finding> {
    File::new(source.to_owned(), Arc::new(settings)).findings().to_vec()
}

/// The line of a byte offset, from 1.
pub fn line(source: &str, offset: u32) -> usize {
    source[..offset as usize].matches('\n').count() + 1
}

/// The text after a fix. Panics where its edits are not what [`Fix`] promises: sorted, disjoint, inside the text.
pub fn apply(source: &str, fix: &Fix) -> String {
    let mut text = String::new();
    let mut kept = 0;
    for edit in &fix.edits {
        let span = edit.span.start as usize..edit.span.end as usize;
        assert!(kept <= span.start && span.start <= span.end, "{:?}: edits overlap or are not sorted", fix.title);
        text.push_str(&source[kept..span.start]);
        text.push_str(&edit.content);
        kept = span.end;
    }
    text.push_str(&source[kept..]);
    text
}
