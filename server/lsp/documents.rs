//! The open documents, each a file of the engine with the name and the version that the client gave it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use tower_lsp::ls_types::{TextDocumentItem, Uri, VersionedTextDocumentIdentifier};
use tracing::warn;

use super::configurations::{Configurations, Held};
use super::uris;
use crate::engine::{File, Modules};
use crate::project::Settings;
use crate::project::config::Configuration;
use crate::text::{Change, Encoding};

/// An open document.
pub struct Document {
    /// As the client spelled it last.
    pub uri: Uri,
    /// That of the last edit.
    pub version: i32,
    /// Its text and findings.
    pub file: File,
    /// The modules that it imports, and where it is itself; nothing for what is in no file.
    place: Option<(Arc<Modules>, PathBuf)>,
    /// What holds for it.
    held: Held,
    /// So many functions were analysed when the client was told.
    traced: u64,
    /// Its analysis panicked: it is not analysed again until its text or the settings change.
    suspended: bool,
}

/// Analysing a document panicked.
pub struct Crash;

/// What an edit means beyond its document.
#[derive(Clone, Copy, Default)]
pub struct Reach {
    /// As a module it exports something else now.
    pub exports: bool,
    /// The findings of another document are others.
    pub documents: bool,
}

impl Document {
    /// Runs `job`. If it panics the file is made anew from its text, as nothing else in it can be trusted. `None` where it did so
    /// before on this text.
    pub fn analyse<T>(&mut self, job: impl FnOnce(&mut Self) -> T) -> Result<Option<T>, Crash> {
        if self.suspended || self.held.excluded {
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

    /// The settings that hold for it.
    pub fn settings(&self) -> &Arc<Settings> {
        &self.held.settings
    }

    /// The path of its file.
    pub fn path(&self) -> Option<&Path> {
        self.place.as_ref().map(|(_, path)| path.as_path())
    }

    /// So many functions were analysed since this was asked last.
    pub fn newly_analysed(&mut self) -> u64 {
        let all = self.file.functions_analysed();
        all - std::mem::replace(&mut self.traced, all)
    }

    fn restart(&mut self) {
        self.file = file(self.file.text().as_str().to_owned(), &self.held, self.place.clone());
        self.traced = 0;
        self.suspended = false;
    }

    /// What it imports may be something else now; whether that changes its findings.
    fn look_again(&mut self) -> bool {
        let changed = self.analyse(|document| {
            let before = document.file.findings();
            document.file.modules_changed();
            before != document.file.findings()
        });
        changed.map_or(true, Option::unwrap_or_default)
    }
}

fn file(text: String, held: &Held, place: Option<(Arc<Modules>, PathBuf)>) -> File {
    let file = File::new(text, held.settings.clone());
    match place {
        Some((modules, path)) => file.among(modules, path),
        None => file,
    }
}

/// The open documents, and which of them the client has yet to hear about.
#[derive(Default)]
pub struct Documents {
    modules: Arc<Modules>,
    open: FxHashMap<Vec<u8>, Document>,
    /// Keys of documents with unpublished changes, the longest waiting first.
    stale: Vec<Vec<u8>>,
}

impl Documents {
    /// None yet; they will import from these modules.
    pub fn new(modules: Arc<Modules>) -> Self {
        Self { modules, ..Self::default() }
    }

    /// The document of this name.
    pub fn get(&mut self, uri: &Uri) -> Option<&mut Document> {
        self.open.get_mut(&uris::key(uri))
    }

    /// A document has come, or come anew.
    pub fn open(&mut self, item: TextDocumentItem, configurations: &mut Configurations) -> Reach {
        let key = uris::key(&item.uri);
        let held = configurations.of_document(&item.uri);
        let place = uris::path(&item.uri).map(|path| (self.modules.clone(), path));
        let exports = place.as_ref().is_some_and(|(modules, path)| modules.open(path, Some(&item.text)));
        let file = file(item.text, &held, place.clone());
        let document =
            Document { uri: item.uri, version: item.version, file, place, held, traced: 0, suspended: false };
        self.open.insert(key.clone(), document);
        let documents = exports && self.look_again(Some(&key));
        self.mark(key);
        Reach { exports, documents }
    }

    /// What modules export may have changed: the documents that this matters to have to be told of; whether there are some besides `but`.
    fn look_again(&mut self, but: Option<&[u8]>) -> bool {
        let others = self.open.iter_mut().filter(|(key, _)| Some(key.as_slice()) != but);
        let mut changed: Vec<Vec<u8>> =
            others.filter_map(|(key, document)| document.look_again().then(|| key.clone())).collect();
        changed.sort_unstable();
        let any = !changed.is_empty();
        changed.into_iter().for_each(|key| self.mark(key));
        any
    }

    /// These files have changed on disk, come or gone, or any, where nobody knows; whether that matters to some document.
    pub fn touched(&mut self, files: Option<&[PathBuf]>) -> bool {
        self.modules.touched(files);
        self.look_again(None)
    }

    /// Applies the changes of one notification. After a panic in here nobody knows the text any
    /// more, and the document is closed.
    pub fn edit(
        &mut self,
        name: VersionedTextDocumentIdentifier,
        changes: Vec<Change>,
        encoding: Encoding,
    ) -> Result<Reach, Crash> {
        let key = uris::key(&name.uri);
        let Some(document) = self.open.get_mut(&key) else {
            warn!("changes to {}, which is not open: ignored", name.uri.as_str());
            return Ok(Reach::default());
        };
        if name.version < document.version {
            warn!("version {} of {} follows {}", name.version, name.uri.as_str(), document.version);
        }
        document.version = name.version;
        document.suspended = false;
        let file = &mut document.file;
        let place = &document.place;
        let edit = || {
            let as_module = place.as_ref().map(|_| changes.clone()).unwrap_or_default();
            file.edit(changes, encoding);
            let text = file.text().as_str();
            place.as_ref().is_some_and(|(modules, path)| modules.edit(path, &as_module, encoding, text))
        };
        let Ok(exports) = catch_unwind(AssertUnwindSafe(edit)) else {
            self.close(&name.uri);
            return Err(Crash);
        };
        let documents = exports && self.look_again(Some(&key));
        self.mark(key);
        Ok(Reach { exports, documents })
    }

    /// A document is gone; what held for it, if it was there.
    pub fn close(&mut self, uri: &Uri) -> Option<(Arc<Settings>, Reach)> {
        let key = uris::key(uri);
        self.stale.retain(|stale| *stale != key);
        let document = self.open.remove(&key)?;
        let exports = document.place.is_some_and(|(modules, path)| modules.open(&path, None));
        let documents = exports && self.look_again(None);
        Some((document.held.settings, Reach { exports, documents }))
    }

    /// Whether the file at `path` is open.
    pub fn holds(&self, path: &Path) -> bool {
        Uri::from_file_path(path).is_some_and(|uri| self.open.contains_key(&uris::key(&uri)))
    }

    /// Those that are open, in no order.
    pub fn all(&mut self) -> impl Iterator<Item = &mut Document> {
        self.open.values_mut()
    }

    /// Every document whose settings are others now is analysed anew; whether there is one.
    pub fn configure(&mut self, configurations: &mut Configurations) -> bool {
        let Self { open, stale, .. } = self;
        let mut any = false;
        for (key, document) in open {
            let before = std::mem::replace(&mut document.held, configurations.of_document(&document.uri));
            let now = &document.held;
            if (&before.settings, before.excluded) == (&now.settings, now.excluded) {
                continue;
            }
            any = true;
            document.restart();
            if !stale.contains(key) {
                stale.push(key.clone());
            }
        }
        any
    }

    /// The configuration files that hold for some document.
    pub fn configurations(&self) -> impl Iterator<Item = &Arc<Configuration>> {
        self.open.values().filter_map(|document| document.held.configuration.as_ref())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_costs_the_findings_until_the_next_edit() {
        let name = || "file:///a.py".parse::<Uri>().unwrap();
        let mut documents = Documents::default();
        documents.open(
            TextDocumentItem::new(name(), "python".to_owned(), 1, "x".to_owned()),
            &mut Configurations::default(),
        );
        let document = documents.get(&name()).unwrap();
        assert!(document.analyse(|_| panic!("in an analysis")).is_err_and(|Crash| true));
        assert!(matches!(document.analyse(|_| ()), Ok(None)));
        let change = Change { range: None, text: "y".to_owned() };
        let version = VersionedTextDocumentIdentifier { uri: name(), version: 2 };
        assert!(documents.edit(version, vec![change], Encoding::Utf8).is_ok());
        let text = documents.get(&name()).unwrap().analyse(|document| document.file.text().as_str().to_owned());
        assert!(text.is_ok_and(|text| text.as_deref() == Some("y")));
    }
}
