//! A judge of our own: random programs, what we say about them, and what happens when CPython runs them.
//!
//! Each program is run many times, each time with other outcomes of what it leaves open (`cpython.py`), and what went wrong is
//! put down by rule and line (`watching.py`). Then, for each rule that there is (`verdict::HELD`),
//!
//! - a line with an **error** must fail whenever it is run: "false certainty" if not;
//! - a line with a **warning** or a **hint** must fail in some run, if need be after what failed before it on the way was
//!   repaired: a "false alarm" if not. One thing is let pass and counted: a program that finds by `done()` that a task is not
//!   done and asks all the same is warned though something out of our view has always waited for it;
//! - a line that fails whenever it is run, and about which we say nothing, is a "miss". They are counted, and may be few: those
//!   that are by design stand at `verdict::HELD`.
//!
//! To fail means another thing for each rule. `InvalidStateError` is raised. A coroutine that was made on the line dies without
//! having been awaited. The error of a second use comes up, be it in another task. `CancelledError` comes out of a task that was
//! cancelled itself, and no handler around it expects that. A task that was made there is dropped, or bound to a name that is
//! not read. "Never retrieved" is logged, or `cancel()` prevents that.
//!
//! What the author has plainly thought of is not counted as a miss: a question whose `InvalidStateError` a handler around it
//! takes, and a task that is dropped or fails unseen although the program asks for it in another run, gives it to code that is out of
//! view (a public attribute of `self` is in its reach), or reads its name in code that no run came to.
//!
//! A program that shows one of the first two is cut down to what shows it, and printed. `JUDGE_PROGRAMS=10000` judges more
//! programs than the few hundred of every day, `JUDGE_FIRST=…` others, `JUDGE_MISSES=10` prints some misses (of the rule that
//! `JUDGE_RULE=…` names, if it does). `JUDGE_SHOW=123` only prints that program (of both families), and so
//! many more as `JUDGE_PROGRAMS` says, with what we say and what happens beside each line.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cpython;
mod generate;
#[path = "../oracle/mod.rs"]
#[allow(dead_code)]
mod oracle;
mod program;
mod truth;
mod verdict;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use cpython::Python;
use generate::{Family, Program};
use program::{Node, shrink, text};
use verdict::{Effort, HELD, Held, Seen, Verdict, Wrong};

/// How often each program is run, and how often at most, while nothing failed yet where we say that it can.
const EFFORT: Effort = Effort { runs: 96, most: 3000 };

/// One false alarm in so many findings is what luck leaves: failures that need two rare events in one run. None, in a run of
/// every day.
const FINDINGS_PER_ALARM: usize = 300;

/// The sums of one rule.
#[derive(Default)]
struct Sums {
    /// Sites where it happened in some run.
    happened: usize,
    certain: usize,
    findings: usize,
    /// Findings on a line that no run came to.
    not_reached: usize,
    wrong: BTreeMap<Wrong, usize>,
    missed: BTreeMap<String, usize>,
}

impl Sums {
    fn count(&self, wrong: Wrong) -> usize {
        self.wrong.get(&wrong).copied().unwrap_or_default()
    }
}

/// So many programs are cut down for each way in which a rule is wrong.
const SHOWN: usize = 5;

#[derive(Default)]
struct Tally {
    programs: usize,
    /// Programs that CPython does not take, or that do not end.
    left_out: usize,
    rules: BTreeMap<&'static str, Sums>,
    shown: Vec<(Verdict, u64, String)>,
}

impl Tally {
    fn count_shown(&self, wrong: Wrong, rule: &str) -> usize {
        self.shown.iter().filter(|(verdict, ..)| (verdict.wrong, verdict.rule) == (wrong, rule)).count()
    }
}

#[test]
fn says_what_happens_to_tasks() {
    hold(Family::Tasks, 250);
}

#[test]
fn says_what_becomes_of_coroutines() {
    hold(Family::Lives, 250);
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|number| number.parse().ok())
}

fn hold(family: Family, programs: u64) {
    let Some(python) = oracle::python() else { return };
    if let Some(first) = number("JUDGE_SHOW") {
        let mut python = Python::start(python);
        for seed in first..first + number("JUDGE_PROGRAMS").unwrap_or(1) {
            let program = generate::program(family, seed);
            println!("--- {family:?}, program {seed}\n{}", show(&mut python, &program, &program.nodes, seed));
        }
        return;
    }
    let (programs, first) = (number("JUDGE_PROGRAMS").unwrap_or(programs), number("JUDGE_FIRST").unwrap_or(0));
    let next = AtomicU64::new(first);
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, std::num::NonZero::get).min(8) {
            scope.spawn(|| {
                let mut python = Python::start(python);
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + programs {
                        break;
                    }
                    judge(&mut python, family, seed, &tally);
                }
            });
        }
    });
    let mut tally = tally.into_inner().unwrap();
    tally.shown.sort();
    for (Verdict { wrong, rule, line }, seed, program) in &tally.shown {
        println!("--- {wrong:?} of {rule} at line {line} of {family:?} {seed}; the least that shows one:\n{program}");
    }
    println!("{family:?}: {} programs, {} left out", tally.programs, tally.left_out);
    for (rule, sums) in &tally.rules {
        println!(
            "{rule}{}: {} sites happen, {} of them certain; {} findings, {} not reached; {:?}; missed: {:?}",
            if Held::find(rule).is_some_and(Held::exists) { "" } else { " (no such rule yet)" },
            sums.happened,
            sums.certain,
            sums.findings,
            sums.not_reached,
            sums.wrong,
            sums.missed,
        );
    }
    for held in HELD {
        let Some(sums) = tally.rules.get(held.name) else { continue };
        let (name, count) = (held.name, |wrong| sums.count(wrong));
        assert_eq!(count(Wrong::FalseCertainty), 0, "{name}: errors that are none");
        assert!(
            count(Wrong::FalseAlarm) * FINDINGS_PER_ALARM <= sums.findings,
            "{name}: warnings of what cannot happen"
        );
        assert!(
            count(Wrong::OwnQuestion) * 100 <= sums.findings,
            "{name}: too many warnings of what the program itself asks"
        );
        if held.family == family {
            assert!(count(Wrong::Miss) * 100 <= sums.certain * held.missed_percent, "{name}: too many misses");
        }
    }
    assert!(tally.left_out * 100 <= tally.programs, "too many programs that cannot be run");
}

fn judge(python: &mut Python, family: Family, seed: u64, tally: &Mutex<Tally>) {
    let program = generate::program(family, seed);
    let source = whole(&program, &program.nodes);
    let Some(seen) = Seen::look(python, &source, seed, EFFORT) else {
        tally.lock().unwrap().left_out += 1;
        return;
    };
    let verdicts = seen.verdicts();
    let only = std::env::var("JUDGE_RULE").ok();
    let mut shown: Vec<(Verdict, u64, String)> = Vec::new();
    for &verdict in &verdicts {
        let Verdict { wrong, rule, .. } = verdict;
        let most = match wrong {
            Wrong::FalseCertainty | Wrong::FalseAlarm => SHOWN,
            Wrong::Miss if only.as_ref().is_none_or(|only| only == rule) => {
                number("JUDGE_MISSES").unwrap_or(0) as usize
            }
            Wrong::OwnQuestion | Wrong::Miss => 0,
        };
        let to_show = tally.lock().unwrap().count_shown(wrong, rule) < most;
        if to_show && !shown.iter().any(|(other, ..)| (other.wrong, other.rule) == (wrong, rule)) {
            shown.push((verdict, seed, smallest(python, &program, seed, verdict)));
        }
    }
    let mut tally = tally.lock().unwrap();
    tally.programs += 1;
    tally.shown.extend(shown);
    for held in HELD {
        let sums = tally.rules.entry(held.name).or_default();
        let sites = seen.sites.iter().filter(|site| site.rule == held.name);
        sums.happened += sites.clone().filter(|site| site.happens()).count();
        sums.certain += sites.filter(|site| site.certain()).count();
        sums.findings += seen.said.keys().filter(|(rule, _)| *rule == held.name).count();
        sums.not_reached += seen.not_reached(held.name);
        for verdict in verdicts.iter().filter(|verdict| verdict.rule == held.name) {
            *sums.wrong.entry(verdict.wrong).or_default() += 1;
            if verdict.wrong == Wrong::Miss {
                *sums.missed.entry(why_missed(&source, verdict)).or_default() += 1;
            }
        }
    }
}

fn whole(program: &Program, nodes: &[Node]) -> String {
    program.prelude.to_owned() + &text(nodes)
}

/// These nodes of the program, with what was seen at each line.
fn show(python: &mut Python, program: &Program, nodes: &[Node], seed: u64) -> String {
    let source = whole(program, nodes);
    match Seen::look(python, &source, seed, Effort { runs: 400, most: 400 }) {
        Some(seen) => seen.annotate(&source, program.prelude.lines().count()),
        None => source,
    }
}

/// The least of the program that is wrong in the same way.
fn smallest(python: &mut Python, program: &Program, seed: u64, verdict: Verdict) -> String {
    let Verdict { wrong, rule, .. } = verdict;
    // Not as many as at first: a program is looked at a hundred times.
    let effort =
        if wrong == Wrong::FalseAlarm { Effort { runs: 96, most: 1000 } } else { Effort { runs: 300, most: 300 } };
    let nodes = shrink(&program.nodes, |nodes| {
        let seen = Seen::look(python, &whole(program, nodes), seed, effort);
        let same = |other: &Verdict| (other.wrong, other.rule) == (wrong, rule);
        !python.unbound && seen.is_some_and(|seen| seen.verdicts().iter().any(same))
    });
    show(python, program, &nodes, seed)
}

/// A guess from the text of the program.
fn why_missed(source: &str, &Verdict { rule, line, .. }: &Verdict) -> String {
    let lines: Vec<&str> = source.lines().collect();
    let ask = lines[line - 1];
    if !rule.ends_with("-before-done") {
        // Those of one shape together.
        return ask.trim().chars().filter(|c| !c.is_ascii_digit()).take(50).collect();
    }
    let indent = |line: &str| line.len() - line.trim_start().len();
    let Some(dot) = ask.find(".result()").or_else(|| ask.find(".exception()")) else { return "other".to_owned() };
    let name = ask[..dot].rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let has_name = |text: &str| text.split(|c: char| !c.is_alphanumeric()).any(|word| word == name);
    let mut around = indent(ask);
    for line in lines[..line - 1].iter().rev() {
        if indent(line) < around {
            around = indent(line);
            if line.contains("try:") || line.contains("suppress") {
                return "caught".to_owned();
            }
        }
    }
    let before: Vec<&&str> = lines[..line - 1].iter().filter(|line| has_name(line)).collect();
    let any = |what: &[&str]| before.iter().any(|line| what.iter().any(|what| line.contains(what)));
    let why = if any(&["for "]) {
        "in a loop over tasks"
    } else if any(&["keep(", "(keep)", "_it(", "call_later"]) {
        "in other hands"
    } else if any(&["= [", "append"]) {
        "in a list"
    } else {
        "other"
    };
    why.to_owned()
}
