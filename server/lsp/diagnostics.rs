//! Findings of a document in, the protocol's diagnostics out.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::json;
use tower_lsp::ls_types::{
    CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag,
    DocumentDiagnosticReport, FullDocumentDiagnosticReport, Location, NumberOrString,
    RelatedFullDocumentDiagnosticReport, RelatedUnchangedDocumentDiagnosticReport, UnchangedDocumentDiagnosticReport,
    Uri,
};

use super::documents::Document;
use super::positions;
use super::session::Session;
use crate::report::suppression::UNUSED_IGNORE_COMMENT;
use crate::report::{Applicability, Finding, Level};
use crate::rules;
use crate::text::Text;

/// What stands before the code in an editor.
pub const SOURCE: &str = "aiolint";

/// The diagnostics of the document's current text.
pub fn diagnostics(document: &mut Document, session: &Session) -> Vec<Diagnostic> {
    let findings = document.file.findings();
    let shown = findings.iter().map(|finding| diagnostic(finding, document.file.text(), &document.uri, session));
    shown.collect()
}

/// A finding in a text as the client shows it.
pub fn diagnostic(finding: &Finding, text: &Text, uri: &Uri, session: &Session) -> Diagnostic {
    let range = |span| positions::range(text, span, session.encoding);
    let related = finding.related.iter().map(|related| DiagnosticRelatedInformation {
        location: Location { uri: uri.clone(), range: range(related.span) },
        message: related.message.clone(),
    });
    let url = rules::find(finding.rule).and_then(|rule| rule.url().parse().ok());
    Diagnostic {
        range: range(finding.span),
        severity: Some(match finding.level {
            Level::Error => DiagnosticSeverity::ERROR,
            Level::Warning => DiagnosticSeverity::WARNING,
            Level::Hint => DiagnosticSeverity::HINT,
        }),
        code: Some(NumberOrString::String(finding.rule.to_owned())),
        code_description: url.map(|href| CodeDescription { href }),
        source: Some(SOURCE.to_owned()),
        message: finding.message.clone(),
        related_information: (session.related_information && !finding.related.is_empty()).then(|| related.collect()),
        tags: (session.tags && finding.rule == UNUSED_IGNORE_COMMENT).then(|| vec![DiagnosticTag::UNNECESSARY]),
        data: Some(json!({
            "rule": finding.rule,
            "fixes": finding.fixes.iter().map(|fix| json!({
                "title": fix.title,
                "applicability": applicability(fix.applicability),
            })).collect::<Vec<_>>(),
        })),
    }
}

fn applicability(applicability: Applicability) -> &'static str {
    match applicability {
        Applicability::Safe => "safe",
        Applicability::Unsafe => "unsafe",
        Applicability::Suggestion => "suggestion",
    }
}

/// The id of a result: a hash of its content, so equal contents have equal ids, over edits, closing and restarts.
pub fn result_id(items: &[Diagnostic]) -> String {
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(items).unwrap_or_default().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The answer to a client that pulls and has seen `previous` before.
pub fn report(items: Vec<Diagnostic>, previous: Option<&str>) -> DocumentDiagnosticReport {
    let result_id = result_id(&items);
    if previous == Some(&result_id) {
        return DocumentDiagnosticReport::Unchanged(RelatedUnchangedDocumentDiagnosticReport {
            related_documents: None,
            unchanged_document_diagnostic_report: UnchangedDocumentDiagnosticReport { result_id },
        });
    }
    DocumentDiagnosticReport::Full(RelatedFullDocumentDiagnosticReport {
        related_documents: None,
        full_document_diagnostic_report: FullDocumentDiagnosticReport { result_id: Some(result_id), items },
    })
}
