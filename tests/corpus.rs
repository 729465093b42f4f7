//! Holds the analysis against programs that were run under CPython before there was an analysis: `fixtures/corpus`.
//!
//! Mistakes must be found on their lines, correct code must stay silent, and every repair that is offered for any of them must
//! work under CPython.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod oracle;
mod repair;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aiolint::engine::{File, Modules};
use aiolint::lsp::Disk;
use aiolint::project::Settings;
use aiolint::project::environment::Shell;
use serde::Deserialize;

use oracle::{Outcome, Program};

/// The rules that exist, with what CPython prints of their errors. A mistake of another rule need not be found, but nothing
/// else may be said about it either.
const RULES: [(&str, &[&str]); 8] = [
    ("result-before-done", &["is not set."]),
    ("exception-before-done", &["is not set."]),
    ("coroutine-never-awaited", &["was never awaited"]),
    ("coroutine-reused", &["cannot reuse already awaited coroutine", "coroutine is being awaited already"]),
    ("await-outside-async", &["SyntaxError"]),
    ("cancelled-task-unguarded", &["CancelledError"]),
    ("task-exception-never-retrieved", &["exception was never retrieved"]),
    ("dangling-task", &[]),
];

fn is_rule(name: &str) -> bool {
    RULES.iter().any(|(rule, _)| *rule == name)
}

/// Mistakes for which there is no repair that a tool could know, and why.
const NO_FIX: &[(&str, &str)] = &[
    ("programs/others/out_nested_callback.py", "a callback of the event loop, which awaits nothing"),
    ("bad/b15_map_never_consumed_by_await.py", "coroutines that `list` makes of a `map`"),
    ("bad/b50_cached_coro_attr.py", "what the attribute is to keep, its author knows"),
    ("bad/h17_waiting_closed_unstarted.py", "what is to become of the work whose waiting is closed"),
];

/// Repaired programs that wait for something nobody does, as their authors wrote them.
const DOES_NOT_END: &[(&str, &str)] = &[("bad/b09_event_wait_not_awaited.py", "an event that nobody sets")];

/// One defect, one finding: what the first rule says of a line stands for what the second would say of it.
const STANDS_FOR: [(&str, &str); 2] =
    [("dangling-task", "task-exception-never-retrieved"), ("coroutine-reused", "task-exception-never-retrieved")];

/// Mistakes of which a part stays when the first repair of each finding is taken, with what the analysis knows of it.
const NOT_REPAIRED_AT_ONCE: &[(&str, &str)] = &[(
    "bad/b59_first_completed_other.py",
    "a wait that fell short, and then another wait: its author may know what is left",
)];

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/corpus")
}

/// The Python files of a folder of the corpus: their paths in it, as the lists and `truth.json` name them, and their texts.
fn files(folder: &str) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(corpus().join(folder)).expect("a folder of the corpus");
    let paths = entries.map(|entry| entry.expect("an entry of the folder").path());
    let files: BTreeMap<_, _> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .map(|path| {
            let name = format!("{folder}/{}", path.file_name().expect("a name").to_string_lossy());
            (name, std::fs::read_to_string(&path).expect("a text"))
        })
        .collect();
    assert!(!files.is_empty(), "{folder} holds no program");
    files
}

/// What is said of a file: of each finding its line, its rule, and the lines of its related places.
struct Said {
    findings: Vec<(usize, &'static str, Vec<usize>)>,
    words: Vec<String>,
}

/// What is said of a program where it stands: those beside it are modules that it can import.
fn found(name: &str, source: &str) -> Said {
    let modules = Arc::new(Modules::new(Box::new(Disk), Shell::default()));
    let file = File::new(source.to_owned(), Arc::new(Settings::default())).among(modules, corpus().join(name));
    let findings = { file }.findings();
    let line = |span: aiolint::text::Span| repair::line(source, span.start);
    let words = findings.iter().map(|finding| {
        format!("line {}: {:?}: [{}] {}", line(finding.span), finding.level, finding.rule, finding.message)
    });
    let related = |finding: &aiolint::report::Finding| finding.related.iter().map(|of| line(of.span)).collect();
    Said {
        words: words.collect(),
        findings: findings.iter().map(|finding| (line(finding.span), finding.rule, related(finding))).collect(),
    }
}

impl Said {
    /// Whether a finding tells of the site: it is there, or where its caller leads to it, and of its rule or one that stands for it.
    fn tells_of(&self, (line, rule): &(usize, String)) -> bool {
        self.findings.iter().any(|of| Self::is_about(of, *line, rule))
    }

    fn is_about((line, rule, related): &(usize, &'static str, Vec<usize>), at: usize, of: &str) -> bool {
        let stands = *rule == of || STANDS_FOR.contains(&(*rule, of));
        stands && (*line == at || related.contains(&at))
    }
}

/// What must be and may be found in a file.
#[derive(Debug, Default)]
struct Truth {
    must: BTreeSet<(usize, String)>,
    may: BTreeSet<(usize, String)>,
}

fn judge(name: &str, source: &str, truth: &Truth) -> Vec<String> {
    let said = found(name, source);
    let words = &said.words;
    let missing: Vec<_> = truth.must.iter().filter(|site| !said.tells_of(site)).collect();
    let mut problems = Vec::new();
    if !missing.is_empty() {
        problems.push(format!("{name}: not found: {missing:?}; found: {words:#?}"));
    }
    let sites = || truth.must.iter().chain(&truth.may);
    if !said.findings.iter().all(|of| sites().any(|(line, rule)| Said::is_about(of, *line, rule))) {
        problems.push(format!("{name}: only {truth:?} is there to be found, but it says {words:#?}"));
    }
    problems
}

fn none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n\n"));
}

/// What the head of a file of `bad` and the mark `# !` in it say.
fn truth_of_bad(source: &str) -> Truth {
    let rule = source.lines().find_map(|line| line.strip_prefix("# rule: ")).expect("the head names the rule");
    let marked = source.lines().enumerate().filter(|(_, line)| line.ends_with("# !"));
    let marked: BTreeSet<_> = marked.map(|(index, _)| index + 1).collect();
    let of = |rule: &str| marked.iter().map(|line| (*line, rule.to_owned())).collect();
    if is_rule(rule) {
        return Truth { must: of(rule), ..Truth::default() };
    }
    // A rule to come will say it better; but a coroutine that CPython says was never awaited was never awaited.
    let is_left = source.contains("# expect: never awaited") || rule == "nested-event-loop";
    Truth { may: if is_left { of("coroutine-never-awaited") } else { BTreeSet::new() }, ..Truth::default() }
}

#[test]
fn mistakes_are_found_on_their_lines() {
    let bad = files("bad");
    none(&bad.iter().flat_map(|(name, source)| judge(name, source, &truth_of_bad(source))).collect::<Vec<_>>());
}

#[test]
fn correct_files_are_silent() {
    let mut loud = Vec::new();
    for (name, source) in files("ok").into_iter().chain(files("fixed")) {
        let Said { words, .. } = found(&name, &source);
        if !words.is_empty() {
            loud.push(format!("{name}: {words:#?}"));
        }
    }
    none(&loud);
}

#[derive(Deserialize)]
struct Sites {
    sites: Vec<Site>,
}

#[derive(Deserialize)]
struct Site {
    kind: String,
    /// `bug`: the error happened here. `fragile`: by luck it did not.
    label: String,
    line: usize,
}

fn programs() -> BTreeMap<String, (String, Truth)> {
    let truth = std::fs::read_to_string(corpus().join("programs/truth.json")).expect("the truth");
    let truth: BTreeMap<String, Sites> = serde_json::from_str(&truth).expect("the truth, as documented");
    let mut files: BTreeMap<_, _> = files("programs/seeds");
    files.extend(self::files("programs/others"));
    let programs = truth.into_iter().map(|(name, sites)| {
        let name = format!("programs/{name}");
        let mut truth = Truth::default();
        for site in sites.sites.into_iter().filter(|site| is_rule(&site.kind)) {
            let place = (site.line, site.kind);
            if site.label == "bug" {
                truth.must.insert(place)
            } else {
                truth.may.insert(place)
            };
        }
        let source = files.remove(&name).unwrap_or_else(|| panic!("{name} is not there"));
        (name, (source, truth))
    });
    programs.collect()
}

#[test]
fn programs_are_judged_as_cpython_did() {
    let programs = programs();
    none(&programs.iter().flat_map(|(name, (source, truth))| judge(name, source, truth)).collect::<Vec<_>>());
}

/// The names of the errors and warnings that a program printed.
fn kinds(outcome: &Outcome) -> BTreeSet<String> {
    outcome
        .complaints()
        .iter()
        .map(|line| line.split([':', '(']).next().unwrap_or_default().trim().to_owned())
        .collect()
}

/// Every file with a mistake in it: the name and the text.
fn with_mistakes() -> impl Iterator<Item = (String, String)> {
    files("bad").into_iter().chain(programs().into_iter().map(|(name, (source, _))| (name, source)))
}

fn program(name: &str, source: String) -> Program {
    let beside = corpus().join(name).parent().map(Path::to_path_buf);
    Program { beside, ..Program::new(name, source) }
}

/// What CPython prints of a rule's error.
fn errors_of(rule: &str) -> &'static [&'static str] {
    RULES.iter().find(|(name, _)| *name == rule).map_or(&[], |(_, errors)| *errors)
}

#[test]
fn every_fix_works_under_cpython() {
    let mut runs = Vec::new();
    let mut fixes = Vec::new();
    let mut problems = Vec::new();
    for (name, source) in with_mistakes() {
        let findings = repair::findings(&source);
        if findings.is_empty() {
            continue;
        }
        let before = runs.len();
        runs.push(program(&name, source.clone()));
        for finding in &findings {
            let line = repair::line(&source, finding.span.start);
            if finding.fixes.is_empty() != NO_FIX.iter().any(|(other, _)| *other == name) {
                problems.push(format!("{name}: no fix for line {line}, or one that the list of those without denies"));
            }
            for fix in &finding.fixes {
                let text = repair::apply(&source, fix);
                if repair::findings(&text).len() >= findings.len() {
                    problems.push(format!("{name}: {:?} leaves as many findings as there were:\n{text}", fix.title));
                }
                fixes.push((
                    before,
                    runs.len(),
                    format!("{name}, line {line}, {:?}", fix.title),
                    (findings.len() == 1).then_some(finding.rule),
                ));
                runs.push(program(&name, text));
            }
        }
    }
    let Some(outcomes) = oracle::run_all(&runs) else { return };
    for (before, after, title, only) in fixes {
        let (source, text) = (&runs[before].source, &runs[after].source);
        let mut new = kinds(&outcomes[after]);
        for kind in kinds(&outcomes[before]) {
            new.remove(&kind);
        }
        // A repair may bring to light what the task itself raises: that is the program's own error.
        new.retain(|kind| !source.contains(&format!("raise {kind}")));
        let Outcome { code, printed } = &outcomes[after];
        let waits = DOES_NOT_END.iter().any(|(name, _)| *name == runs[before].name);
        if code.is_none() && !waits {
            problems.push(format!("{title} does not end:\n{text}\n{printed}"));
        }
        if !new.is_empty() {
            problems.push(format!("{title} brings {new:?}:\n{text}\n{printed}"));
        }
        if only.is_some_and(|rule| errors_of(rule).iter().any(|error| printed.contains(error))) {
            problems.push(format!("{title} does not remove the error:\n{text}\n{printed}"));
        }
    }
    none(&problems);
}

/// Somebody takes the first repair of the first finding until there is none left.
#[test]
fn fixing_everything_leaves_nothing() {
    let mut problems = Vec::new();
    let mut fixed = Vec::new();
    for (name, source) in with_mistakes() {
        let mut text = source.clone();
        let mut titles = Vec::new();
        while let Some(fix) = repair::findings(&text).iter().find_map(|finding| finding.fixes.first()) {
            text = repair::apply(&text, fix);
            titles.push(fix.title.clone());
            if titles.len() > 20 {
                break;
            }
        }
        if !repair::findings(&text).is_empty() && !NO_FIX.iter().any(|(other, _)| *other == name) {
            problems.push(format!("{name}: after {titles:#?} there are findings left in\n{text}"));
        }
        if text != source {
            fixed.push(program(&name, text));
        }
    }
    for (program, Outcome { printed, .. }) in fixed.iter().zip(oracle::run_all(&fixed).unwrap_or_default()) {
        let fails = RULES.iter().flat_map(|(_, errors)| *errors).any(|error| printed.contains(error));
        if fails != NOT_REPAIRED_AT_ONCE.iter().any(|(name, _)| *name == program.name) {
            let fails = if fails { "still fails" } else { "fails no longer; take it off the list" };
            problems.push(format!("{}: {fails}:\n{}\n{printed}", program.name, program.source));
        }
    }
    none(&problems);
}
