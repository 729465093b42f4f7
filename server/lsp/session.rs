//! What was agreed with the client at `initialize`: its capabilities in, the few answers in it that matter to us out, and our
//! own capabilities.

use tower_lsp::ls_types::{
    ClientCapabilities, CodeActionKind, CodeActionOptions, CodeActionProviderCapability, DiagnosticOptions,
    DiagnosticServerCapabilities, FileOperationFilter, FileOperationPattern, FileOperationPatternKind,
    FileOperationRegistrationOptions, HoverProviderCapability, InitializeResult, MarkupKind, OneOf,
    PositionEncodingKind, ServerCapabilities, ServerInfo, TextDocumentSyncCapability, TextDocumentSyncKind,
    TextDocumentSyncOptions, WorkspaceFileOperationsServerCapabilities, WorkspaceFoldersServerCapabilities,
    WorkspaceServerCapabilities,
};

use crate::text::Encoding;

/// The one source action: applies every safe fix of the file.
pub const FIX_ALL: CodeActionKind = CodeActionKind::new("source.fixAll.aiolint");

/// What the client can do.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// The unit of columns in every position.
    pub encoding: Encoding,
    /// It asks for diagnostics, so none are published.
    pub pulls: bool,
    /// It asks again when told that diagnostics have changed.
    pub refreshes: bool,
    /// It shows a diagnostic's related places.
    pub related_information: bool,
    /// It renders a diagnostic's tags.
    pub tags: bool,
    /// Hover texts may be Markdown.
    pub markdown: bool,
    /// It resolves a code action's edit when the action is chosen.
    pub resolves_edits: bool,
    /// Edits may name the version of the document.
    pub document_changes: bool,
    /// It can be asked for its settings.
    pub configuration: bool,
    /// It tells of changed settings when asked to.
    pub registers_configuration: bool,
    /// It tells of changed files when asked to.
    pub watches: bool,
    /// It shows how far a long work is.
    pub progress: bool,
    /// It wants to know what its messages cost.
    pub traces: bool,
}

impl Session {
    /// What these capabilities come to.
    pub fn new(client: &ClientCapabilities) -> Self {
        let workspace = client.workspace.clone().unwrap_or_default();
        let document = client.text_document.clone().unwrap_or_default();
        let published = document.publish_diagnostics.unwrap_or_default();
        let pulled = document.diagnostic;
        let pulled_related = pulled.as_ref().and_then(|pulled| pulled.related_information);
        let pulled_tags = pulled.as_ref().is_some_and(|pulled| pulled.tag_support.is_some());
        let hover_formats = document.hover.and_then(|hover| hover.content_format);
        let resolved = document.code_action.and_then(|action| action.resolve_support);
        Self {
            encoding: encoding(client),
            refreshes: workspace.diagnostics.and_then(|diagnostics| diagnostics.refresh_support) == Some(true),
            related_information: published.related_information == Some(true) || pulled_related == Some(true),
            tags: published.tag_support.is_some() || pulled_tags,
            pulls: pulled.is_some(),
            markdown: hover_formats.is_none_or(|formats| formats.contains(&MarkupKind::Markdown)),
            resolves_edits: resolved.is_some_and(|resolved| resolved.properties.iter().any(|name| name == "edit")),
            document_changes: workspace.workspace_edit.and_then(|edit| edit.document_changes) == Some(true),
            configuration: workspace.configuration == Some(true),
            registers_configuration: workspace
                .did_change_configuration
                .and_then(|configuration| configuration.dynamic_registration)
                == Some(true),
            watches: workspace.did_change_watched_files.and_then(|watched| watched.dynamic_registration) == Some(true),
            progress: client.window.as_ref().and_then(|window| window.work_done_progress) == Some(true),
            traces: false,
        }
    }

    /// The answer to `initialize`; `workspace`: the diagnostics of all files are wanted from the start.
    pub fn answer(&self, workspace: bool) -> InitializeResult {
        let capabilities = ServerCapabilities {
            position_encoding: Some(match self.encoding {
                Encoding::Utf8 => PositionEncodingKind::UTF8,
                Encoding::Utf16 => PositionEncodingKind::UTF16,
                Encoding::Utf32 => PositionEncodingKind::UTF32,
            }),
            text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(TextDocumentSyncKind::INCREMENTAL),
                ..TextDocumentSyncOptions::default()
            })),
            diagnostic_provider: self.pulls.then(|| {
                DiagnosticServerCapabilities::Options(DiagnosticOptions {
                    identifier: Some("aiolint".to_owned()),
                    inter_file_dependencies: true,
                    // Who may pull them does, and Neovim 0.12 then drops what it pulled of single files.
                    workspace_diagnostics: workspace,
                    ..DiagnosticOptions::default()
                })
            }),
            code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
                code_action_kinds: Some(vec![CodeActionKind::QUICKFIX, FIX_ALL]),
                resolve_provider: Some(self.resolves_edits),
                ..CodeActionOptions::default()
            })),
            workspace: Some(WorkspaceServerCapabilities {
                workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                    supported: Some(true),
                    change_notifications: Some(OneOf::Left(true)),
                }),
                file_operations: Some(file_operations()),
            }),
            hover_provider: Some(HoverProviderCapability::Simple(true)),
            ..ServerCapabilities::default()
        };
        InitializeResult {
            capabilities,
            server_info: Some(ServerInfo {
                name: "aiolint".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
            ..InitializeResult::default()
        }
    }
}

/// What is done to files in the editor itself: of a folder that is moved or deleted, who watches files need not be told.
fn file_operations() -> WorkspaceFileOperationsServerCapabilities {
    let filter = |glob: &str, matches| FileOperationFilter {
        scheme: Some("file".to_owned()),
        pattern: FileOperationPattern { glob: glob.to_owned(), matches: Some(matches), options: None },
    };
    let filters = vec![
        filter("**/*.{py,pyi,pyw}", FileOperationPatternKind::File),
        filter("**", FileOperationPatternKind::Folder),
    ];
    let options = Some(FileOperationRegistrationOptions { filters });
    WorkspaceFileOperationsServerCapabilities {
        did_rename: options.clone(),
        did_delete: options,
        ..WorkspaceFileOperationsServerCapabilities::default()
    }
}

/// Bytes where the client takes them, for they cost nothing to convert; what the protocol falls back to is UTF-16.
fn encoding(client: &ClientCapabilities) -> Encoding {
    let offered = client.general.as_ref().and_then(|general| general.position_encodings.as_deref()).unwrap_or_default();
    let offers = |kind| offered.contains(&kind);
    if offers(PositionEncodingKind::UTF8) {
        Encoding::Utf8
    } else if offers(PositionEncodingKind::UTF16) || !offers(PositionEncodingKind::UTF32) {
        Encoding::Utf16
    } else {
        Encoding::Utf32
    }
}
