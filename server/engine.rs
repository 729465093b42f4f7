//! The one door: text and edits in, findings with fixes and hover texts out. `lsp/`, `cli/` and the tests are its clients.
//!
//! Nothing in here or left of here does I/O, panics on input or names a protocol type.

use std::sync::Arc;

use crate::project::Settings;
use crate::report::suppression::{self, Source};
use crate::report::{Finding, TextEdit};
use crate::text::{Change, Encoding, Span, Text};
use crate::tree::Tree;
use crate::{items, rules};

/// One Python file and all that is known about it.
pub struct File {
    text: Text,
    settings: Arc<Settings>,
}

/// What to show where the cursor rests.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hover {
    /// What it is about, bytes of the file.
    pub span: Span,
    /// Markdown.
    pub markdown: String,
}

impl File {
    /// A file with this text. Nothing is analysed before it is asked for.
    pub fn new(text: String, settings: Arc<Settings>) -> Self {
        Self { text: Text::new(text), settings }
    }

    /// Applies the changes of one notification, in order: each is relative to the text that the one before it left.
    /// Positions past the end are clamped as the protocol says.
    pub fn edit(&mut self, changes: Vec<Change>, encoding: Encoding) {
        for change in &changes {
            self.text.apply(change, encoding);
        }
    }

    /// The current text.
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// The findings of the current text, by place. Only what an edit touched is analysed again.
    pub fn findings(&mut self) -> Arc<[Finding]> {
        Arc::new([])
    }

    /// What to say about the place `offset` (bytes).
    pub fn hover(&mut self, _offset: u32) -> Option<Hover> {
        None
    }

    /// The edit that silences `rule` where it finds `span` (bytes), by a comment. It may add to a comment that stands there.
    pub fn silencing_edit(&self, rule: &str, span: Span) -> TextEdit {
        let text = self.text.as_str();
        let (mut comments, mut strings) = (Vec::new(), Vec::new());
        // A line that runs on to the next does so within an item.
        for item in items::cut(text).iter().filter(|item| item.span.touches(span.end)) {
            let source = item.span.of(text);
            suppression::collect(Tree::parse(source).root(), source, item.span.start, &mut comments, &mut strings);
        }
        let rules: Vec<&str> = rules::RULES.iter().map(|rule| rule.name).collect();
        let source = Source {
            text,
            comments: &comments,
            strings: &strings,
            broken: &[],
            rules: &rules,
            settings: &self.settings,
        };
        suppression::silencing_edit(rule, span, &source)
    }
}
