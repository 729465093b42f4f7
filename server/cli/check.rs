//! `aiolint check`: files in, findings, fixed files or a diff out.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rayon::prelude::*;

use super::args::{CheckArgs, OutputFormat};
use super::cache::{self, Cache, Contents};
use super::configurations::Configurations;
use super::source::{self, Source};
use super::{CLEAN, FOUND, TROUBLE, json, summary, terminal, walk};
use crate::engine::{File, Modules};
use crate::lsp::{Disk, shell};
use crate::report::apply::{self, Refusal};
use crate::report::{Applicability, Finding};
use crate::text::Text;

/// What there is to say about one file.
pub struct Checked {
    /// Absolute, or `-`.
    pub path: PathBuf,
    /// The text that the findings are in.
    pub text: Text,
    /// What is left in it, by place.
    pub findings: Arc<[Finding]>,
    /// How many findings of each rule were fixed, or would be.
    pub fixed: BTreeMap<&'static str, usize>,
    /// The text before the fixes, if there were any.
    pub before: Option<String>,
    /// What went wrong.
    pub problems: Vec<String>,
}

/// What is done with fixes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Check,
    Fix,
    Diff,
}

/// Runs `aiolint check` and returns the exit code. `out` takes what was asked for, `err` the rest.
///
/// # Errors
/// If `out` can't be written.
pub fn check(args: &CheckArgs, colored: bool, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let is_stdin = args.paths == [Path::new("-")];
    if !is_stdin && args.paths.iter().any(|path| path == Path::new("-")) {
        let _ = writeln!(err, "error: `-` cannot stand beside other paths");
        return Ok(TROUBLE);
    }
    let configurations = match Configurations::new(&args.settings) {
        Ok(configurations) => configurations,
        Err(problem) => {
            let _ = writeln!(err, "error: {problem}");
            return Ok(TROUBLE);
        }
    };
    let started = Instant::now();
    let contents = Contents::new(Disk);
    // One file is sooner looked at than many are looked up, and where it stands is not said.
    let cache =
        (!args.no_cache && !is_stdin).then(|| Cache::open(&cache_folder(args, &configurations), contents.clone()));
    let mut run = Run {
        configurations: Arc::new(configurations),
        modules: Arc::new(Modules::new(Box::new(contents), shell())),
        cache,
        analysed: AtomicU64::new(0),
        least: if args.unsafe_fixes { Applicability::Unsafe } else { Applicability::Safe },
        mode: match (args.diff, args.fix) {
            (true, _) => Mode::Diff,
            (_, true) => Mode::Fix,
            _ => Mode::Check,
        },
    };

    let mut problems = Vec::new();
    let mut files = Vec::new();
    // Of standard input the fixed text is what was asked for; what is left in it goes beside.
    let mut stdout_taken = false;
    if is_stdin {
        match source::read_stdin() {
            Ok(bytes) => {
                let (file, fixed) = run.stdin(bytes, args.stdin_filename.as_deref());
                if run.mode == Mode::Fix {
                    out.write_all(&fixed)?;
                    stdout_taken = true;
                }
                files.push(file);
            }
            Err(error) => problems.push(format!("cannot read standard input: {error}")),
        }
    } else {
        let here = [PathBuf::from(".")];
        let (paths, unseen) =
            walk::python_files(if args.paths.is_empty() { &here } else { &args.paths }, &run.configurations);
        problems = unseen;
        if paths.is_empty() && problems.is_empty() && !args.quiet {
            let _ = writeln!(err, "warning: no Python files found under the given paths");
        }
        files = paths.into_par_iter().map(|path| run.file(path)).collect();
    }

    if !args.quiet {
        run.configurations.complain(err);
    }
    if let Some(Err(error)) = run.cache.take().map(Cache::save)
        && !args.quiet
    {
        let _ = writeln!(err, "warning: cannot keep what was found for the next time: {error}");
    }
    if args.verbose {
        let (all, analysed) = (files.len(), run.analysed.load(Ordering::Relaxed));
        let _ = writeln!(err, "{all} files in {:.0?}, {analysed} texts analysed", started.elapsed());
    }
    for problem in files.iter().flat_map(|file| &file.problems).chain(&problems) {
        let _ = writeln!(err, "error: {problem}");
    }
    let troubled = !problems.is_empty() || files.iter().any(|file| !file.problems.is_empty());
    if run.mode == Mode::Diff {
        for file in &files {
            terminal::diff(file, colored, out)?;
        }
        if !args.quiet {
            let _ = summary::diff(&files, run.least, err);
        }
    } else if stdout_taken {
        print(args, &run, &files, colored, troubled, err)?;
    } else {
        print(args, &run, &files, colored, troubled, out)?;
    }
    let found = match run.mode {
        Mode::Diff => files.iter().any(|file| file.before.is_some()),
        _ => files.iter().any(|file| !file.findings.is_empty()),
    };
    Ok(match (troubled, found && !args.exit_zero) {
        (true, _) => TROUBLE,
        (_, true) => FOUND,
        _ => CLEAN,
    })
}

fn print(
    args: &CheckArgs,
    run: &Run,
    files: &[Checked],
    colored: bool,
    troubled: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    match (args.output_format, args.statistics) {
        (OutputFormat::Json, false) => json::findings(files, out),
        (OutputFormat::Json, true) => summary::statistics_json(files, run.least, out),
        (OutputFormat::Text, statistics) => {
            if statistics {
                summary::statistics(files, run.least, out)?;
            } else {
                terminal::findings(files, colored, out)?;
            }
            if args.quiet { Ok(()) } else { summary::closing(files, run.least, troubled, out) }
        }
    }
}

struct Run {
    configurations: Arc<Configurations>,
    /// The modules that the files import.
    modules: Arc<Modules>,
    cache: Option<Cache>,
    /// How many texts were analysed.
    analysed: AtomicU64,
    least: Applicability,
    mode: Mode,
}

/// Where what was found is kept: beside the configuration that holds where the program was started.
fn cache_folder(args: &CheckArgs, configurations: &Configurations) -> PathBuf {
    if let Some(folder) = &args.cache_dir {
        return folder.clone();
    }
    let here = walk::absolute(Path::new("."));
    let project = configurations.project(&here.join("-")).configuration;
    let beside =
        project.and_then(|found| found.path.parent().filter(|folder| here.starts_with(folder)).map(Path::to_owned));
    beside.unwrap_or(here).join(cache::FOLDER)
}

impl Run {
    fn file(&self, path: PathBuf) -> Checked {
        let name = terminal::shown(&path);
        let source = match Source::read(&path) {
            Ok(source) => source,
            Err(problem) => return Checked::failed(path, format!("cannot read {name}: {problem}")),
        };
        let mut checked = self.source(&source, path);
        if checked.before.is_some()
            && self.mode == Mode::Fix
            && let Err(problem) = source.replace(&checked.path, checked.text.as_str())
        {
            let problem = format!("cannot write {name}: {problem}");
            checked = self.unfixed(&source, checked.path);
            checked.problems.push(problem);
        }
        checked
    }

    /// Also returns what is to be printed in place of standard input: its own bytes where it cannot be fixed, because an editor
    /// puts what comes in place of its text.
    fn stdin(&self, bytes: Vec<u8>, name: Option<&Path>) -> (Checked, Vec<u8>) {
        let path = name.map_or_else(|| PathBuf::from("-"), walk::absolute);
        let shown = terminal::shown(&path);
        let source = match Source::decode(bytes.clone()) {
            Ok(source) => source,
            Err(problem) => return (Checked::failed(path, format!("cannot read {shown}: {problem}")), bytes),
        };
        let mut checked = self.source(&source, path);
        if checked.before.is_none() {
            return (checked, bytes);
        }
        match source.encode(checked.text.as_str()) {
            Ok(fixed) => (checked, fixed),
            Err(problem) => {
                checked = self.unfixed(&source, checked.path);
                checked.problems.push(format!("cannot fix {shown}: {problem}"));
                (checked, bytes)
            }
        }
    }

    /// Analyses a text and, in the other modes than [`Mode::Check`], fixes it.
    fn source(&self, source: &Source, path: PathBuf) -> Checked {
        // Of earlier runs only silence is believed here: what changes a file is made anew.
        if self.mode == Mode::Check || self.recall(&source.text, &path).is_some_and(|found| found.is_empty()) {
            return self.unfixed(source, path);
        }
        match guarded(|| apply::fix_all(&source.text, self.least, |text| self.analyse(text, &path))) {
            Ok(Ok(fixed)) => Checked {
                path,
                before: (fixed.text != source.text).then(|| source.text.clone()),
                text: Text::new(fixed.text),
                findings: fixed.findings,
                fixed: fixed.applied,
                problems: Vec::new(),
            },
            Ok(Err(refusal)) => {
                let why = match refusal {
                    Refusal::Breaks => "they would leave text that does not parse",
                    Refusal::NeverEnds => "they do not come to an end",
                };
                let problem = format!(
                    "the fixes for {} were not applied: {why}. Please report this at {ISSUES}",
                    terminal::shown(&path)
                );
                let mut checked = self.unfixed(source, path);
                checked.problems.push(problem);
                checked
            }
            Err(panic) => Checked::crashed(path, &panic),
        }
    }

    fn unfixed(&self, source: &Source, path: PathBuf) -> Checked {
        let findings = || self.recall(&source.text, &path).unwrap_or_else(|| self.analyse(&source.text, &path));
        match guarded(findings) {
            Ok(findings) => Checked { findings, text: Text::new(source.text.clone()), ..Checked::nothing(path) },
            Err(panic) => Checked::crashed(path, &panic),
        }
    }

    /// What an earlier run has found in the text, if that is known and still true.
    fn recall(&self, text: &str, path: &Path) -> Option<Arc<[Finding]>> {
        let cache = self.cache.as_ref()?;
        cache.findings(&Cache::key(path, text, &self.configurations.settings(path)), &self.modules)
    }

    fn analyse(&self, text: &str, path: &Path) -> Arc<[Finding]> {
        self.analysed.fetch_add(1, Ordering::Relaxed);
        let settings = Arc::new(self.configurations.settings(path));
        let file = File::new(text.to_owned(), settings.clone()).among(self.modules.clone(), walk::absolute(path));
        let Some(cache) = &self.cache else { return { file }.findings() };
        let mut file = file.traced();
        let findings = file.findings();
        cache.keep(Cache::key(path, text, &settings), &findings, file.asked());
        findings
    }
}

const ISSUES: &str = "https://github.com/aiolint/aiolint/issues";

impl Checked {
    fn nothing(path: PathBuf) -> Self {
        Self {
            path,
            text: Text::new(String::new()),
            findings: Arc::new([]),
            fixed: BTreeMap::new(),
            before: None,
            problems: Vec::new(),
        }
    }

    fn failed(path: PathBuf, problem: String) -> Self {
        Self { problems: vec![problem], ..Self::nothing(path) }
    }

    fn crashed(path: PathBuf, panic: &str) -> Self {
        let problem = format!("internal error in {}: {panic}. Please report this at {ISSUES}", terminal::shown(&path));
        Self::failed(path, problem)
    }
}

/// Runs `work`; a panic in it becomes its message. The panic hook has already printed the place.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // What `work` has half changed is dropped with it.
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let message = payload.downcast_ref::<&str>().copied();
        message.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown").to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_message() {
        assert_eq!(guarded(|| 1), Ok(1));
        assert_eq!(guarded(|| panic!("no {}", 1)), Err::<(), _>("no 1".to_owned()));
    }
}
