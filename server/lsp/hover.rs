//! What to show where the cursor rests.

use tower_lsp::ls_types::{Hover, HoverContents, MarkupContent, MarkupKind, Position};

use super::documents::Document;
use super::positions;
use super::session::Session;

/// The hover text at a position.
pub fn hover(document: &mut Document, position: Position, session: &Session) -> Option<Hover> {
    let offset = positions::offset(document.file.text(), position, session.encoding);
    let found = document.file.hover(offset)?;
    let (kind, value) = if session.markdown {
        (MarkupKind::Markdown, found.markdown)
    } else {
        (MarkupKind::PlainText, plain(&found.markdown))
    };
    Some(Hover {
        contents: HoverContents::Markup(MarkupContent { kind, value }),
        range: Some(positions::range(document.file.text(), found.span, session.encoding)),
    })
}

/// Markdown as one reads it aloud: without fences, backticks, stars and the targets of links.
fn plain(markdown: &str) -> String {
    let lines = markdown.lines().filter(|line| !line.trim_start().starts_with("```")).map(|line| {
        let text = line.trim_start_matches('#').trim_start_matches(|c| c == ' ' && line.starts_with('#'));
        text.replace("**", "").replace('`', "")
    });
    without_targets(&lines.collect::<Vec<_>>().join("\n"))
}

/// Each `[text](target)` as its text.
fn without_targets(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(middle) = rest.find("](") {
        let (before, after) = rest.split_at(middle);
        match (before.rfind('['), after.find(')')) {
            (Some(open), Some(close)) => {
                plain.push_str(&before[..open]);
                plain.push_str(&before[open + 1..]);
                rest = &after[close + 1..];
            }
            _ => {
                plain.push_str(&rest[..middle + 2]);
                rest = &rest[middle + 2..];
            }
        }
    }
    plain.push_str(rest);
    plain
}
