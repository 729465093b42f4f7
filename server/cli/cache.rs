//! What was found in earlier runs: a file's text, path and settings in, its findings out, if everything that they depend on is the same.
//!
//! Nothing is believed for its date. A file is known by a digest of its text; what its findings depend on elsewhere is kept as questions
//! with their answers ([`Asked`]), and each is asked again, once in a run. A module that exports the same as then is not even parsed: its
//! text tells what its fingerprint was.
//!
//! All of it is one file, read at the start and replaced at the end, so that a run sees a whole cache or none; of two runs at once
//! the last to end wins, with what the other has written. What cannot be read is as if it were not there.

use std::collections::hash_map::Entry as MapEntry;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use crate::engine::{Asked, Modules};
use crate::project::{Files, Settings};
use crate::report::{Finding, Fix, Level, Related};
use crate::rules;
use crate::text::Span;

/// The folder's name, where nobody chose another.
pub const FOLDER: &str = ".aiolint_cache";

/// What nobody asked for in so many days is forgotten.
const MAX_AGE: u32 = 14;

/// What begins the file.
const MAGIC: &[u8; 16] = b"aiolint cache 1\n";

/// What tells one content from all others.
type Digest = [u8; 16];

/// The findings of earlier runs, and those of this one.
pub struct Cache {
    /// The file.
    path: PathBuf,
    pack: Pack,
    /// For each of the questions whether its answer holds.
    holds: Vec<OnceLock<bool>>,
    contents: Contents,
    today: u32,
    run: Mutex<Run>,
}

/// What the file holds.
#[derive(Default, Serialize, Deserialize)]
struct Pack {
    asked: Vec<Asked>,
    /// By a digest of settings, path and text.
    files: FxHashMap<Digest, Entry>,
    /// What modules exported, by a digest of path and text.
    fingerprints: FxHashMap<Digest, Fingerprint>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    findings: Vec<Kept>,
    /// Indices of questions.
    asked: Vec<u32>,
    /// The day when it was of use, from 1970.
    day: u32,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Fingerprint {
    value: u64,
    day: u32,
}

/// A finding, with a rule that may not be there any more.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    rule: String,
    level: Level,
    span: Span,
    message: String,
    related: Vec<Related>,
    fixes: Vec<Fix>,
}

/// What this run has learnt.
#[derive(Default)]
struct Run {
    files: FxHashMap<Digest, (Vec<Kept>, Vec<Asked>)>,
    fingerprints: FxHashMap<Digest, u64>,
    /// What was of use, and had not been today.
    used: FxHashSet<Digest>,
}

impl Cache {
    /// The cache in this folder, which need not be there. `contents` are the files that the run sees.
    pub fn open(folder: &Path, contents: Contents) -> Self {
        let path = folder.join(format!("{}.pack", version()));
        let pack = Pack::read(&path).unwrap_or_default();
        let holds = pack.asked.iter().map(|_| OnceLock::new()).collect();
        Self { path, pack, holds, contents, today: today(), run: Mutex::default() }
    }

    /// The key of a file with this text under these settings.
    pub fn key(path: &Path, text: &str, settings: &Settings) -> Digest {
        let mut digest = Digester(blake3::Hasher::new());
        (settings, path).hash(&mut digest);
        digest.write(text.as_bytes());
        digest.end()
    }

    /// What was found in the file of this key, if that still holds.
    pub fn findings(&self, key: &Digest, modules: &Modules) -> Option<Arc<[Finding]>> {
        let entry = self.pack.files.get(key)?;
        if !entry.asked.iter().all(|&index| self.holds(index, modules)) {
            return None;
        }
        let findings = entry.findings.iter().map(Kept::finding).collect::<Option<Vec<_>>>()?;
        if entry.day != self.today {
            self.run().used.insert(*key);
        }
        Some(findings.into())
    }

    fn holds(&self, index: u32, modules: &Modules) -> bool {
        let (Some(asked), Some(holds)) = (self.pack.asked.get(index as usize), self.holds.get(index as usize)) else {
            return false;
        };
        *holds.get_or_init(|| match asked {
            Asked::Exports(path, answer) => self.fingerprint(path, modules) == *answer,
            other => modules.agrees(other),
        })
    }

    /// What the module in this file exports; it is parsed only where its text is new.
    fn fingerprint(&self, path: &Path, modules: &Modules) -> Option<u64> {
        let digest = self.contents.digest(path)?;
        if let Some(known) = self.pack.fingerprints.get(&digest) {
            if known.day != self.today {
                self.run().used.insert(digest);
            }
            return Some(known.value);
        }
        modules.fingerprint(path)
    }

    /// Keeps what was found in the file of this key, and what was asked for it.
    pub fn keep(&self, key: Digest, findings: &[Finding], asked: Vec<Asked>) {
        let exports = asked.iter().filter_map(|asked| match asked {
            Asked::Exports(path, Some(value)) => Some((self.contents.digest(path)?, *value)),
            _ => None,
        });
        let exports: Vec<_> = exports.filter(|(digest, _)| !self.pack.fingerprints.contains_key(digest)).collect();
        let findings = findings.iter().map(Kept::from).collect();
        let mut run = self.run();
        run.fingerprints.extend(exports);
        run.files.insert(key, (findings, asked));
    }

    /// Writes down what this run has learnt, if anything.
    ///
    /// # Errors
    /// If it cannot be written. The file is then as it was.
    pub fn save(self) -> io::Result<()> {
        let Self { path, today, run, .. } = self;
        let run = run.into_inner().unwrap_or_else(PoisonError::into_inner);
        if run.files.is_empty() && run.fingerprints.is_empty() && run.used.is_empty() {
            return Ok(());
        }
        // Another run may have ended since.
        let old = Pack::read(&path).unwrap_or_default();
        let bytes = Pack::merged(old, run, today).bytes()?;
        let folder = path.parent().unwrap_or(Path::new("."));
        make_folder(folder)?;
        let mut file = tempfile::Builder::new().prefix(".aiolint-").tempfile_in(folder)?;
        file.write_all(&bytes)?;
        file.persist(&path).map_err(|error| error.error)?;
        remove_old(folder, &path);
        Ok(())
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pack {
    fn read(path: &Path) -> Option<Self> {
        // Not a pipe, which may never end.
        let bytes = path.is_file().then(|| fs::read(path).ok()).flatten()?;
        let (sum, content) = bytes.strip_prefix(MAGIC)?.split_at_checked(size_of::<Digest>())?;
        if digest_of(content) != *sum {
            return None;
        }
        postcard::from_bytes(content).ok()
    }

    fn bytes(&self) -> io::Result<Vec<u8>> {
        let content = postcard::to_stdvec(self).map_err(io::Error::other)?;
        Ok([MAGIC.as_slice(), &digest_of(&content), &content].concat())
    }

    /// What is in the file, with what a run has learnt, without what nobody has asked for lately.
    fn merged(old: Self, run: Run, today: u32) -> Self {
        let mut new = Self::default();
        let mut indices: FxHashMap<Asked, u32> = FxHashMap::default();
        let mut index = |asked: Asked, all: &mut Vec<Asked>| match indices.entry(asked) {
            MapEntry::Occupied(known) => *known.get(),
            MapEntry::Vacant(unknown) => {
                let next = u32::try_from(all.len()).unwrap_or(u32::MAX);
                all.push(unknown.key().clone());
                *unknown.insert(next)
            }
        };
        for (key, (findings, asked)) in run.files {
            let asked = asked.into_iter().map(|asked| index(asked, &mut new.asked)).collect();
            new.files.insert(key, Entry { findings, asked, day: today });
        }
        for (key, mut entry) in old.files {
            entry.day = if run.used.contains(&key) { today } else { entry.day };
            if new.files.contains_key(&key) || today.abs_diff(entry.day) > MAX_AGE {
                continue;
            }
            let asked = entry.asked.iter().map(|&at| Some(index(old.asked.get(at as usize)?.clone(), &mut new.asked)));
            if let Some(asked) = asked.collect() {
                new.files.insert(key, Entry { asked, ..entry });
            }
        }
        let learnt = run.fingerprints.into_iter().map(|(key, value)| (key, Fingerprint { value, day: today }));
        new.fingerprints.extend(learnt);
        for (key, mut known) in old.fingerprints {
            known.day = if run.used.contains(&key) { today } else { known.day };
            if today.abs_diff(known.day) <= MAX_AGE {
                new.fingerprints.entry(key).or_insert(known);
            }
        }
        new
    }
}

impl Kept {
    fn finding(&self) -> Option<Finding> {
        let Self { level, span, message, related, fixes, .. } = self.clone();
        let rule = rules::find(&self.rule)?.name;
        Some(Finding { rule, level, span, message, related, fixes })
    }
}

impl From<&Finding> for Kept {
    fn from(finding: &Finding) -> Self {
        let Finding { rule, level, span, message, related, fixes } = finding.clone();
        Self { rule: rule.to_owned(), level, span, message, related, fixes }
    }
}

/// The files that a run sees, and what tells their contents apart. A clone sees the same.
#[derive(Clone)]
pub struct Contents {
    files: Arc<dyn Files>,
    /// `None`: it cannot be read.
    digests: Arc<Mutex<FxHashMap<PathBuf, Option<Digest>>>>,
}

impl Contents {
    /// None was read yet.
    pub fn new(files: impl Files + 'static) -> Self {
        Self { files: Arc::new(files), digests: Arc::default() }
    }

    /// Of path and text: of the text that was read first, if it was.
    fn digest(&self, path: &Path) -> Option<Digest> {
        let known = self.digests().get(path).copied();
        known.unwrap_or_else(|| {
            self.read(path);
            self.digests().get(path).copied().flatten()
        })
    }

    fn digests(&self) -> MutexGuard<'_, FxHashMap<PathBuf, Option<Digest>>> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files for Contents {
    fn read(&self, path: &Path) -> Option<String> {
        let text = self.files.read(path);
        let digest = text.as_ref().map(|text| {
            let mut digest = Digester(blake3::Hasher::new());
            path.hash(&mut digest);
            digest.write(text.as_bytes());
            digest.end()
        });
        self.digests().insert(path.to_owned(), digest);
        text
    }

    fn is_file(&self, path: &Path) -> bool {
        self.files.is_file(path)
    }

    fn is_folder(&self, path: &Path) -> bool {
        self.files.is_folder(path)
    }

    fn names(&self, folder: &Path) -> Vec<String> {
        self.files.names(folder)
    }
}

struct Digester(blake3::Hasher);

impl Digester {
    fn end(&self) -> Digest {
        let mut digest = Digest::default();
        self.0.finalize_xof().fill(&mut digest);
        digest
    }
}

impl Hasher for Digester {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let mut first = [0; 8];
        self.0.finalize_xof().fill(&mut first);
        u64::from_le_bytes(first)
    }
}

fn digest_of(bytes: &[u8]) -> Digest {
    let mut digest = Digester(blake3::Hasher::new());
    digest.write(bytes);
    digest.end()
}

/// Makes the folder, which git is not to see.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.join("CACHEDIR.TAG").is_file() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    fs::write(folder.join(".gitignore"), "# Made by aiolint.\n*\n")?;
    // https://bford.info/cachedir/
    fs::write(folder.join("CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55\n# Made by aiolint.\n")
}

/// Removes the caches of other versions that nobody uses any more.
fn remove_old(folder: &Path, own: &Path) {
    let oldest = SystemTime::now() - Duration::from_secs(u64::from(MAX_AGE) * DAY);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_old = || entry.metadata().and_then(|data| data.modified()).is_ok_and(|time| time < oldest);
        if path != own && path.extension().is_some_and(|extension| extension == "pack") && is_old() {
            // Whoever is not allowed to leaves it to others.
            let _ = fs::remove_file(path);
        }
    }
}

/// In seconds.
const DAY: u64 = 24 * 60 * 60;

/// The days since 1970.
fn today() -> u32 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_secs() / DAY).unwrap_or(u32::MAX)
}

/// What tells programs apart that may find different things. Those that we build for ourselves have no version: their date tells.
fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    if !cfg!(debug_assertions) {
        return version.to_owned();
    }
    let built = std::env::current_exe().and_then(|program| program.metadata()).and_then(|data| data.modified());
    let built = built.ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or_default();
    format!("{version}-{}", built.as_nanos())
}
