//! The open documents, each a file of the engine with the name and the version that the client gave it.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use tower_lsp::ls_types::{TextDocumentItem, Uri, VersionedTextDocumentIdentifier};
use tracing::warn;

use super::uris;
use crate::engine::File;
use crate::project::{Pythons, Settings};
use crate::text::{Change, Encoding};

/// An open document.
pub struct Document {
    /// As the client spelled it last.
    pub uri: Uri,
    /// That of the last edit.
    pub version: i32,
    /// Its text and findings.
    pub file: File,
    /// Those that hold for it, its project considered.
    pub settings: Arc<Settings>,
    /// Its analysis panicked: it is not analysed again until its text or the settings change.
    suspended: bool,
}

/// Analysing a document panicked.
pub struct Crash;

impl Document {
    /// Runs `job`. If it panics the file is made anew from its text, as nothing else in it can be trusted. `None` where it did so
    /// before on this text.
    pub fn analyse<T>(&mut self, job: impl FnOnce(&mut Self) -> T) -> Result<Option<T>, Crash> {
        if self.suspended {
            return Ok(None);
        }
        match catch_unwind(AssertUnwindSafe(|| job(self))) {
            Ok(result) => Ok(Some(result)),
            Err(_) => {
                self.restart();
                self.suspended = true;
                Err(Crash)
            }
        }
    }

    fn restart(&mut self) {
        self.file = File::new(self.file.text().as_str().to_owned(), self.settings.clone());
        self.suspended = false;
    }
}

/// The open documents, and which of them the client has yet to hear about.
#[derive(Default)]
pub struct Documents {
    open: FxHashMap<Vec<u8>, Document>,
    /// Keys of documents with unpublished changes, the longest waiting first.
    stale: Vec<Vec<u8>>,
}

impl Documents {
    /// The document of this name.
    pub fn get(&mut self, uri: &Uri) -> Option<&mut Document> {
        self.open.get_mut(&uris::key(uri))
    }

    /// A document has come, or come anew.
    pub fn open(&mut self, item: TextDocumentItem, settings: &Settings) {
        let key = uris::key(&item.uri);
        let settings = settings_of(&item.uri, settings, &mut Pythons::default());
        let file = File::new(item.text, settings.clone());
        let document = Document { uri: item.uri, version: item.version, file, settings, suspended: false };
        self.open.insert(key.clone(), document);
        self.mark(key);
    }

    /// Applies the changes of one notification. After a panic in here nobody knows the text any more, and the document is
    /// closed.
    pub fn edit(
        &mut self,
        name: VersionedTextDocumentIdentifier,
        changes: Vec<Change>,
        encoding: Encoding,
    ) -> Result<(), Crash> {
        let key = uris::key(&name.uri);
        let Some(document) = self.open.get_mut(&key) else {
            warn!("changes to {}, which is not open: ignored", name.uri.as_str());
            return Ok(());
        };
        if name.version < document.version {
            warn!("version {} of {} follows {}", name.version, name.uri.as_str(), document.version);
        }
        document.version = name.version;
        document.suspended = false;
        let file = &mut document.file;
        if catch_unwind(AssertUnwindSafe(|| file.edit(changes, encoding))).is_err() {
            self.close(&name.uri);
            return Err(Crash);
        }
        self.mark(key);
        Ok(())
    }

    /// A document is gone; whether it was there.
    pub fn close(&mut self, uri: &Uri) -> bool {
        let key = uris::key(uri);
        self.stale.retain(|stale| *stale != key);
        self.open.remove(&key).is_some()
    }

    /// Every document is analysed anew under these settings.
    pub fn configure(&mut self, settings: &Settings) {
        let Self { open, stale } = self;
        let mut pythons = Pythons::default();
        for (key, document) in open {
            document.settings = settings_of(&document.uri, settings, &mut pythons);
            document.restart();
            if !stale.contains(key) {
                stale.push(key.clone());
            }
        }
    }

    /// A document that the client has yet to hear about; from now on it counts as told.
    pub fn next_stale(&mut self) -> Option<&mut Document> {
        if self.stale.is_empty() {
            return None;
        }
        let key = self.stale.remove(0);
        self.open.get_mut(&key)
    }

    fn mark(&mut self, key: Vec<u8>) {
        if !self.stale.contains(&key) {
            self.stale.push(key);
        }
    }
}

/// These settings, with what the project of the document says.
fn settings_of(uri: &Uri, settings: &Settings, pythons: &mut Pythons) -> Arc<Settings> {
    let python = uris::path(uri).map(|path| pythons.of(&path, |file| fs::read_to_string(file).ok()));
    Arc::new(Settings { python: python.unwrap_or(settings.python), ..settings.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::OLDEST;

    #[test]
    fn a_panic_costs_the_findings_until_the_next_edit() {
        let name = || "file:///a.py".parse::<Uri>().unwrap();
        let mut documents = Documents::default();
        documents.open(TextDocumentItem::new(name(), "python".to_owned(), 1, "x".to_owned()), &Settings::default());
        let document = documents.get(&name()).unwrap();
        assert!(document.analyse(|_| panic!("in an analysis")).is_err_and(|Crash| true));
        assert!(matches!(document.analyse(|_| ()), Ok(None)));
        let change = Change { range: None, text: "y".to_owned() };
        let version = VersionedTextDocumentIdentifier { uri: name(), version: 2 };
        assert!(documents.edit(version, vec![change], Encoding::Utf8).is_ok());
        let text = documents.get(&name()).unwrap().analyse(|document| document.file.text().as_str().to_owned());
        assert!(text.is_ok_and(|text| text.as_deref() == Some("y")));
    }

    #[test]
    fn the_project_of_a_document_tells_its_python() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("pyproject.toml"), "[project]\nrequires-python = '>=3.9'\n").unwrap();
        let mut documents = Documents::default();
        let mut python = |uri: String| {
            let uri: Uri = uri.parse().unwrap();
            let item = TextDocumentItem::new(uri.clone(), "python".to_owned(), 1, String::new());
            documents.open(item, &Settings::default());
            documents.configure(&Settings { ignore: vec!["a".to_owned()], ..Settings::default() });
            let settings = &documents.get(&uri).unwrap().settings;
            assert_eq!(settings.ignore, ["a"]);
            settings.python
        };
        let file = Uri::from_file_path(folder.path().join("a/b.py")).unwrap();
        assert_eq!(python(file.to_string()), (3, 9));
        assert_eq!(python("untitled:a.py".to_owned()), OLDEST);
    }
}
