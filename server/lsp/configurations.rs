//! The configuration files around the open documents: names of documents in, their settings out, and what is wrong in those files
//! as diagnostics.
//!
//! A file is read when the first document below it is opened, and again when the client says that one has changed. What the client
//! has open counts before what is on disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use tower_lsp::ls_types::{
    CodeDescription, Diagnostic, DiagnosticSeverity, DidChangeTextDocumentParams, NumberOrString,
    PublishDiagnosticsParams, TextDocumentItem, Uri,
};

use super::diagnostics::SOURCE;
use super::session::Session;
use super::{positions, uris};
use crate::project::Settings;
use crate::project::config::{self, Configuration, Layer, OWN_FILE, Options, Projects, SHARED_FILE};
use crate::rules::RULES;
use crate::text::Text;

/// What holds for a document.
pub struct Held {
    /// Its settings.
    pub settings: Arc<Settings>,
    /// It is left out: nothing is said about it.
    pub excluded: bool,
    /// The file that says so.
    pub configuration: Option<Arc<Configuration>>,
}

/// The configurations of a session.
pub struct Configurations {
    projects: Projects,
    /// What the editor says.
    editor: Options,
    /// The folders that the editor has open.
    folders: Vec<PathBuf>,
    /// The configuration files that the client has open.
    open: FxHashMap<PathBuf, Opened>,
    /// What was published, by file.
    published: BTreeMap<PathBuf, Vec<Diagnostic>>,
}

#[derive(Clone)]
struct Opened {
    uri: Uri,
    version: i32,
    text: Text,
}

impl Default for Configurations {
    fn default() -> Self {
        Self {
            projects: fresh(),
            editor: Options::default(),
            folders: Vec::new(),
            open: FxHashMap::default(),
            published: BTreeMap::new(),
        }
    }
}

fn fresh() -> Projects {
    Projects::new(RULES.iter().map(|rule| rule.name).collect())
}

/// Whether a document of this name is a configuration file.
pub fn is_configuration(uri: &Uri) -> bool {
    uris::path(uri).and_then(|path| Some(path.file_name()? == OWN_FILE || path.file_name()? == SHARED_FILE))
        == Some(true)
}

impl Configurations {
    /// The session starts in these folders.
    pub fn start(&mut self, folders: Vec<PathBuf>) {
        self.folders = folders;
    }

    /// What the editor says is this from now on; whether it said something else before.
    pub fn choose(&mut self, editor: Options) -> bool {
        let changed = self.editor != editor;
        self.editor = editor;
        changed
    }

    /// Reads every file again when it is asked for.
    pub fn forget(&mut self) {
        self.projects = fresh();
    }

    /// The folders that the editor has open.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// The editor has opened and closed folders; whether it had not before.
    pub fn change_folders(&mut self, added: Vec<PathBuf>, removed: &[PathBuf]) -> bool {
        let before = self.folders.clone();
        self.folders.retain(|folder| !removed.contains(folder));
        let new: Vec<PathBuf> = added.into_iter().filter(|folder| !self.folders.contains(folder)).collect();
        self.folders.extend(new);
        self.folders != before
    }

    /// The same for another thread, which reads the files for itself.
    pub fn snapshot(&self) -> Self {
        Self {
            projects: fresh(),
            editor: self.editor.clone(),
            folders: self.folders.clone(),
            open: self.open.clone(),
            published: BTreeMap::new(),
        }
    }

    /// What holds for a document.
    pub fn of_document(&mut self, uri: &Uri) -> Held {
        // What has no path belongs to the folder that is open.
        let path = uris::path(uri);
        let path = path.unwrap_or_else(|| self.folders.first().cloned().unwrap_or_default().join("untitled.py"));
        let excluded = self.excludes_below(&path);
        Held { excluded, ..self.of(&path) }
    }

    /// What holds for a file that is not excluded.
    pub fn of(&mut self, path: &Path) -> Held {
        let folder = folder_of(path, &self.folders);
        let Self { projects, editor, open, .. } = self;
        let project = projects.of(path, |path: &Path| text_of(path, open));
        let here = Layer { options: editor, folder: folder.unwrap_or(Path::new("")) };
        let file = project.configuration.as_deref();
        let file = file.map(|file| Layer { options: &file.options, folder: file.folder() });
        let layers: Vec<Layer<'_>> = file.into_iter().chain([here]).collect();
        let mut settings = config::settings(path, &layers, project.python.as_ref().map(|(version, _)| *version));
        if settings.src.is_empty() {
            // Where nobody says, a folder that is open is one that modules are imported from, behind those of the project.
            settings.src.extend(folder.map(Path::to_owned));
        }
        Held { settings: Arc::new(settings), excluded: false, configuration: project.configuration }
    }

    /// Whether this file or folder is left out; those around it are not asked about.
    pub fn excludes(&mut self, path: &Path) -> bool {
        self.excludes_from(path, path.parent().unwrap_or(path))
    }

    /// Whether it is left out, or a folder around it.
    fn excludes_below(&mut self, path: &Path) -> bool {
        self.excludes_from(path, Path::new(""))
    }

    fn excludes_from(&mut self, path: &Path, root: &Path) -> bool {
        let Self { projects, editor, folders, open, .. } = self;
        match &editor.exclude {
            Some(exclude) => {
                let folder = folder_of(path, folders).unwrap_or(Path::new(""));
                exclude.value.cover(path.strip_prefix(folder).unwrap_or(path))
            }
            None => projects.exclude(path, root, |path| text_of(path, open)),
        }
    }

    /// The client has opened a configuration file.
    pub fn open(&mut self, item: TextDocumentItem) {
        if let Some(path) = uris::path(&item.uri) {
            self.open.insert(path, Opened { uri: item.uri, version: item.version, text: Text::new(item.text) });
        }
    }

    /// The client has changed one.
    pub fn edit(&mut self, params: DidChangeTextDocumentParams, session: &Session) {
        let path = uris::path(&params.text_document.uri);
        let Some(opened) = path.and_then(|path| self.open.get_mut(&path)) else { return };
        opened.version = params.text_document.version;
        for change in params.content_changes {
            opened.text.apply(&positions::change(change), session.encoding);
        }
    }

    /// The client has closed one.
    pub fn close(&mut self, uri: &Uri) {
        if let Some(path) = uris::path(uri) {
            self.open.remove(&path);
        }
    }

    /// What has to be published now, if these are in use besides those that are open.
    pub fn news<'a>(
        &mut self,
        used: impl Iterator<Item = &'a Arc<Configuration>>,
        session: &Session,
    ) -> Vec<PublishDiagnosticsParams> {
        let mut all: BTreeMap<PathBuf, Arc<Configuration>> =
            used.map(|configuration| (configuration.path.clone(), configuration.clone())).collect();
        for path in self.open.keys() {
            let project = self.projects.of(path, |path| text_of(path, &self.open));
            all.extend(project.configuration.filter(|of| of.path == *path).map(|of| (path.clone(), of)));
        }
        let mut now: BTreeMap<PathBuf, Vec<Diagnostic>> = BTreeMap::new();
        for (path, configuration) in all {
            let diagnostics = diagnostics(&configuration, session);
            if !diagnostics.is_empty() {
                now.insert(path, diagnostics);
            }
        }
        let before = std::mem::replace(&mut self.published, now);
        let gone = before.keys().filter(|path| !self.published.contains_key(*path)).map(|path| (path, Vec::new()));
        let new = self.published.iter().filter(|(path, of)| before.get(*path) != Some(*of));
        gone.chain(new.map(|(path, of)| (path, of.clone())))
            .filter_map(|(path, diagnostics)| {
                let opened = self.open.get(path);
                let uri = opened.map(|opened| opened.uri.clone()).or_else(|| Uri::from_file_path(path))?;
                Some(PublishDiagnosticsParams { uri, diagnostics, version: opened.map(|opened| opened.version) })
            })
            .collect()
    }
}

/// The innermost of these folders around a file.
fn folder_of<'f>(path: &Path, folders: &'f [PathBuf]) -> Option<&'f Path> {
    let around = folders.iter().filter(|folder| path.starts_with(folder));
    around.max_by_key(|folder| folder.as_os_str().len()).map(PathBuf::as_path)
}

fn text_of(path: &Path, open: &FxHashMap<PathBuf, Opened>) -> Option<String> {
    if let Some(opened) = open.get(path) {
        return Some(opened.text.as_str().to_owned());
    }
    // A pipe could be read for ever.
    let bytes = path.is_file().then(|| fs::read(path).ok())??;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn diagnostics(configuration: &Configuration, session: &Session) -> Vec<Diagnostic> {
    let problems = configuration.problems.iter();
    let diagnostic = problems.map(|problem| Diagnostic {
        range: positions::range(&configuration.text, problem.span, session.encoding),
        severity: Some(DiagnosticSeverity::WARNING),
        code: Some(NumberOrString::String("configuration".to_owned())),
        code_description: PAGE.parse().ok().map(|href| CodeDescription { href }),
        source: Some(SOURCE.to_owned()),
        message: problem.message.clone(),
        ..Diagnostic::default()
    });
    diagnostic.collect()
}

/// What the keys mean.
const PAGE: &str = "https://github.com/aiolint/aiolint/blob/main/docs/configuration.md";
