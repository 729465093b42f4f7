//! Code actions: the fixes of the findings under the cursor, and one action that applies every safe fix of the file.
//!
//! The fixes are the findings' own and are looked up by place. What a client sends back in a diagnostic's `data` is never asked:
//! several send none.

use std::collections::HashMap;

use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};
use tower_lsp::ls_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Diagnostic, DocumentChanges, NumberOrString,
    OneOf, OptionalVersionedTextDocumentIdentifier, TextDocumentEdit, Uri, WorkspaceEdit,
};
use tracing::error;

use super::diagnostics::{SOURCE, diagnostic};
use super::documents::Document;
use super::positions;
use super::session::{FIX_ALL, Session};
use crate::engine::File;
use crate::report::suppression::UNUSED_IGNORE_COMMENT;
use crate::report::{Applicability, Finding, Fix, TextEdit, apply};
use crate::text::Span;

/// The field of an unresolved action's data that names its document.
const DOCUMENT: &str = "document";

/// What can be done at the place that is asked about.
pub fn actions(document: &mut Document, params: &CodeActionParams, session: &Session) -> Vec<CodeActionOrCommand> {
    let wanted = |kind: &CodeActionKind| {
        let only = params.context.only.as_deref();
        only.is_none_or(|only| only.iter().any(|asked| is_within(kind.as_str(), asked.as_str())))
    };
    let mut actions = Vec::new();
    if wanted(&CodeActionKind::QUICKFIX) {
        quick_fixes(document, params, session, &mut actions);
    }
    if wanted(&FIX_ALL) && document.file.findings().iter().any(|finding| safe_fix(finding).is_some()) {
        let (edit, data) = match session.resolves_edits {
            true => (None, Some(json!({ DOCUMENT: document.uri }))),
            false => (fix_all(document, session), None),
        };
        actions.push(CodeAction {
            title: "Apply all safe fixes of aiolint".to_owned(),
            kind: Some(FIX_ALL),
            edit,
            data,
            ..CodeAction::default()
        });
    }
    actions.into_iter().map(CodeActionOrCommand::CodeAction).collect()
}

/// The document of an action whose edit is still to be computed; `None` for one that is complete, or not ours.
pub fn to_resolve(action: &CodeAction) -> Option<Uri> {
    if action.edit.is_some() {
        return None;
    }
    action.data.as_ref()?.get(DOCUMENT).and_then(Value::as_str)?.parse().ok()
}

/// The edit that applies every safe fix of the document, and those of what is found then. `None` if there are none, or if they
/// do harm together.
pub fn fix_all(document: &mut Document, session: &Session) -> Option<WorkspaceEdit> {
    let text = document.file.text().as_str();
    let settings = document.settings();
    let analyse = |text: &str| File::new(text.to_owned(), settings.clone()).findings();
    match apply::fix_all(text, Applicability::Safe, analyse) {
        Ok(fixed) => {
            let edits = differences(text, &fixed.text);
            (!edits.is_empty()).then(|| workspace_edit(document, &edits, session))
        }
        Err(refusal) => {
            error!("the safe fixes of {} do harm together: {refusal:?}", document.uri.as_str());
            None
        }
    }
}

/// The edits of whole lines that make one text of another.
fn differences(old: &str, new: &str) -> Vec<TextEdit> {
    let mut edits: Vec<TextEdit> = Vec::new();
    let mut at = 0;
    let mut unchanged = true;
    for change in TextDiff::from_lines(old, new).iter_all_changes() {
        let line = change.value();
        if change.tag() == ChangeTag::Equal {
            at += line.len() as u32;
            unchanged = true;
            continue;
        }
        if unchanged {
            edits.push(TextEdit { span: Span::new(at, at), content: String::new() });
            unchanged = false;
        }
        let Some(edit) = edits.last_mut() else { continue };
        if change.tag() == ChangeTag::Insert {
            edit.content.push_str(line);
        } else {
            at += line.len() as u32;
            edit.span.end = at;
        }
    }
    edits
}

fn quick_fixes(document: &mut Document, params: &CodeActionParams, session: &Session, actions: &mut Vec<CodeAction>) {
    let place = positions::span(document.file.text(), params.range, session.encoding);
    let mut silenced: Vec<TextEdit> = Vec::new();
    for finding in document.file.findings().iter() {
        let under_cursor = finding.span.start <= place.end && place.start <= finding.span.end;
        if !under_cursor && params.context.diagnostics.is_empty() {
            continue;
        }
        let shown = diagnostic(finding, document.file.text(), &document.uri, session);
        if !under_cursor && !params.context.diagnostics.iter().any(|other| is_same(&shown, other)) {
            continue;
        }
        let silencing = document.file.silencing_edit(finding.rule, finding.span);
        let action = |title, edits: &[TextEdit]| CodeAction {
            title,
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(vec![shown.clone()]),
            edit: Some(workspace_edit(document, edits, session)),
            ..CodeAction::default()
        };
        let preferred = safe_fix(finding);
        actions.extend(finding.fixes.iter().map(|fix| CodeAction {
            is_preferred: preferred.is_some_and(|safe| std::ptr::eq(safe, fix)).then_some(true),
            ..action(title(fix), &fix.edits)
        }));
        // A finding about a suppression has the fixes it needs, and one comment silences all that a rule finds on a line.
        if finding.rule != UNUSED_IGNORE_COMMENT && !silenced.contains(&silencing) {
            let title = format!("Silence `{}` on this line", finding.rule);
            actions.push(action(title, std::slice::from_ref(&silencing)));
            silenced.push(silencing);
        }
    }
}

/// Whether the client means this diagnostic: some send those of the cursor's line, wherever in it the cursor is.
fn is_same(ours: &Diagnostic, theirs: &Diagnostic) -> bool {
    theirs.range == ours.range
        && theirs.code == ours.code
        && matches!(theirs.code, Some(NumberOrString::String(_)))
        && theirs.source.as_deref().is_none_or(|source| source == SOURCE)
}

fn title(fix: &Fix) -> String {
    match fix.applicability {
        Applicability::Safe => fix.title.clone(),
        Applicability::Unsafe => format!("{} (unsafe)", fix.title),
        Applicability::Suggestion => format!("{} (suggestion)", fix.title),
    }
}

/// The fix of this finding that may be applied unseen.
fn safe_fix(finding: &Finding) -> Option<&Fix> {
    apply::preferred(finding, Applicability::Safe)
}

/// Whether a kind is the one asked for or one of its sub-kinds.
fn is_within(kind: &str, asked: &str) -> bool {
    asked.is_empty() || kind.strip_prefix(asked).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn workspace_edit(document: &Document, edits: &[TextEdit], session: &Session) -> WorkspaceEdit {
    let edits = edits.iter().map(|edit| tower_lsp::ls_types::TextEdit {
        range: positions::range(document.file.text(), edit.span, session.encoding),
        new_text: edit.content.clone(),
    });
    if !session.document_changes {
        let changes = HashMap::from([(document.uri.clone(), edits.collect())]);
        return WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() };
    }
    let edit = TextDocumentEdit {
        text_document: OptionalVersionedTextDocumentIdentifier {
            uri: document.uri.clone(),
            version: Some(document.version),
        },
        edits: edits.map(OneOf::Left).collect(),
    };
    WorkspaceEdit { document_changes: Some(DocumentChanges::Edits(vec![edit])), ..WorkspaceEdit::default() }
}
