//! Code actions: the fixes of the findings under the cursor, and one action that applies every safe fix of the file.
//!
//! The fixes are the findings' own and are looked up by place. What a client sends back in a diagnostic's `data` is never asked:
//! several send none.

use std::collections::HashMap;

use serde_json::{Value, json};
use tower_lsp::ls_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Diagnostic, DocumentChanges, NumberOrString,
    OneOf, OptionalVersionedTextDocumentIdentifier, TextDocumentEdit, Uri, WorkspaceEdit,
};

use super::diagnostics::{SOURCE, diagnostic};
use super::documents::Document;
use super::positions;
use super::session::{FIX_ALL, Session};
use crate::report::{Applicability, Finding, Fix, TextEdit};

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
        let edit = if session.resolves_edits { None } else { fix_all(document, session) };
        actions.push(CodeAction {
            title: "Apply all safe fixes of aiolint".to_owned(),
            kind: Some(FIX_ALL),
            data: edit.is_none().then(|| json!({ "fixAll": document.uri })),
            edit,
            ..CodeAction::default()
        });
    }
    actions.into_iter().map(CodeActionOrCommand::CodeAction).collect()
}

/// The document of an action whose edit is still to be computed; `None` for one that is complete.
pub fn to_resolve(action: &CodeAction) -> Option<Uri> {
    if action.edit.is_some() {
        return None;
    }
    action.data.as_ref()?.get("fixAll").and_then(Value::as_str)?.parse().ok()
}

/// The edit that applies every safe fix of the document.
pub fn fix_all(document: &mut Document, session: &Session) -> Option<WorkspaceEdit> {
    let findings = document.file.findings();
    let mut edits: Vec<TextEdit> = Vec::new();
    for fix in findings.iter().filter_map(safe_fix) {
        let new: Vec<&TextEdit> = fix.edits.iter().filter(|edit| !edits.contains(edit)).collect();
        if !new.iter().any(|edit| edits.iter().any(|other| collide(edit, other))) {
            edits.extend(new.into_iter().cloned());
        }
    }
    edits.sort_by_key(|edit| edit.span);
    (!edits.is_empty()).then(|| workspace_edit(document, &edits, session))
}

fn quick_fixes(document: &mut Document, params: &CodeActionParams, session: &Session, actions: &mut Vec<CodeAction>) {
    let place = positions::span(document.file.text(), params.range, session.encoding);
    for finding in document.file.findings().iter() {
        let shown = diagnostic(finding, document, session);
        let under_cursor = finding.span.start <= place.end && place.start <= finding.span.end;
        if !under_cursor && !params.context.diagnostics.iter().any(|other| is_same(&shown, other)) {
            continue;
        }
        let preferred = safe_fix(finding);
        for fix in &finding.fixes {
            actions.push(CodeAction {
                title: title(fix),
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: Some(vec![shown.clone()]),
                is_preferred: preferred.is_some_and(|safe| std::ptr::eq(safe, fix)).then_some(true),
                edit: Some(workspace_edit(document, &fix.edits, session)),
                ..CodeAction::default()
            });
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
    finding.fixes.iter().find(|fix| fix.applicability == Applicability::Safe)
}

fn collide(one: &TextEdit, other: &TextEdit) -> bool {
    one.span.start < other.span.end && other.span.start < one.span.end
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
