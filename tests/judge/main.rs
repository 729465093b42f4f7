//! A judge of our own: random programs, what we say about them, and what happens when CPython runs them.
//!
//! Each program is run many times, each time with other outcomes of what it leaves open (`cpython.py`). Then
//!
//! - a line with an **error** must fail whenever it is run: "false certainty" if not;
//! - a line with a **warning** or a **hint** must fail in some run, if need be after what failed before it on the way was
//!   repaired: a "false alarm" if not. One thing is let pass and counted: a program that finds by `done()` that a task is not
//!   done and asks all the same is warned though something out of our view has always waited for it;
//! - a line that fails whenever it is run, and about which we say nothing, is a "miss". They are counted, and may be few.
//!
//! A program that shows one of the first two is cut down to what shows it, and printed. `JUDGE_PROGRAMS=10000` judges more
//! programs than the few hundred of every day, `JUDGE_FIRST=…` others, `JUDGE_MISSES=10` prints some misses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cpython;
mod generate;
#[path = "../oracle/mod.rs"]
#[allow(dead_code)]
mod oracle;
mod program;
mod statements;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use aiolint::engine::File;
use aiolint::project::Settings;
use aiolint::report::Level;
use cpython::{Asked, Python, Request};
use program::{Node, shrink, text};

/// How often each program is run.
const RUNS: usize = 96;
/// How often at most, while nothing failed yet where we say that it can.
const MOST: usize = 3000;
/// Of a hundred lines that always fail, so many may go unseen: tasks in loops over collections and in other hands, failures that
/// a handler takes, ways that no reader would believe in.
const MISSED_PERCENT: usize = 20;

/// One false alarm in so many findings is what luck leaves: failures that need two rare events in one run. None, in a run of
/// every day.
const FINDINGS_PER_ALARM: usize = 300;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Wrong {
    FalseCertainty,
    FalseAlarm,
    /// A false alarm that is let pass.
    OwnQuestion,
    Miss,
}

/// What we say about a line.
#[derive(Clone, Copy, Debug)]
struct Said {
    level: Level,
    /// That the program itself has found the task not to be done.
    own_question: bool,
}

/// What we say, and what happened, by line.
type Seen = (BTreeMap<usize, Said>, BTreeMap<usize, Asked>);

#[derive(Default)]
struct Tally {
    programs: usize,
    /// Programs that CPython does not take, or that do not end.
    left_out: usize,
    /// Lines that asked in some run.
    asked: usize,
    always: usize,
    sometimes: usize,
    found: usize,
    /// Lines with a finding that no run came to.
    not_reached: usize,
    wrong: BTreeMap<Wrong, usize>,
    missed: BTreeMap<&'static str, usize>,
    shown: Vec<(Wrong, u64, String)>,
}

#[test]
fn says_what_happens() {
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let (programs, first) = (number("JUDGE_PROGRAMS").unwrap_or(250), number("JUDGE_FIRST").unwrap_or(0));
    let show_misses = number("JUDGE_MISSES").unwrap_or(0) as usize;
    let Some(python) = oracle::python() else { return };
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
                    judge(&mut python, seed, &tally, show_misses);
                }
            });
        }
    });
    let mut tally = tally.into_inner().unwrap();
    tally.shown.sort();
    for (wrong, seed, program) in &tally.shown {
        println!("--- {wrong:?}, program {seed}\n{program}");
    }
    println!(
        "{} programs, {} left out; {} lines asked, {} always too early, {} sometimes; {} findings, {} not reached; {:?}; missed: {:?}",
        tally.programs,
        tally.left_out,
        tally.asked,
        tally.always,
        tally.sometimes,
        tally.found,
        tally.not_reached,
        tally.wrong,
        tally.missed,
    );
    let count = |wrong| tally.wrong.get(&wrong).copied().unwrap_or_default();
    assert_eq!(count(Wrong::FalseCertainty), 0, "errors that are none");
    assert!(count(Wrong::FalseAlarm) * FINDINGS_PER_ALARM <= tally.found, "warnings of what cannot happen");
    assert!(count(Wrong::OwnQuestion) * 100 <= tally.found, "too many warnings of what the program itself asks");
    assert!(count(Wrong::Miss) * 100 <= tally.always * MISSED_PERCENT, "too many misses");
    assert!(tally.left_out * 100 <= tally.programs, "too many programs that cannot be run");
}

fn judge(python: &mut Python, seed: u64, tally: &Mutex<Tally>, show_misses: usize) {
    let program = generate::program(seed);
    let source = text(&program);
    let Some(seen) = look(python, &source, seed, RUNS, MOST) else {
        tally.lock().unwrap().left_out += 1;
        return;
    };
    let wrong = wrong(&seen);
    let mut shown: Vec<(Wrong, u64, String)> = Vec::new();
    for &(kind, _) in &wrong {
        let to_show = match kind {
            Wrong::FalseCertainty | Wrong::FalseAlarm => true,
            Wrong::OwnQuestion => false,
            Wrong::Miss => {
                tally.lock().unwrap().shown.iter().filter(|(kind, ..)| *kind == Wrong::Miss).count() < show_misses
            }
        };
        if to_show && !shown.iter().any(|(other, ..)| *other == kind) {
            shown.push((kind, seed, smallest(python, &program, seed, kind)));
        }
    }
    let (said, asked) = seen;
    let mut tally = tally.lock().unwrap();
    tally.programs += 1;
    tally.asked += asked.len();
    tally.always += asked.values().filter(|asked| asked.always()).count();
    tally.sometimes += asked.values().filter(|asked| !asked.always() && asked.too_early > 0).count();
    tally.found += said.len();
    tally.not_reached += said.keys().filter(|line| !asked.contains_key(line)).count();
    for (kind, line) in wrong {
        *tally.wrong.entry(kind).or_default() += 1;
        if kind == Wrong::Miss {
            *tally.missed.entry(why_missed(&source, line)).or_default() += 1;
        }
    }
    tally.shown.extend(shown);
}

fn look(python: &mut Python, source: &str, seed: u64, runs: usize, most: usize) -> Option<Seen> {
    let mut said: BTreeMap<usize, Said> = BTreeMap::new();
    for finding in File::new(source.to_owned(), Arc::new(Settings::default())).findings().iter() {
        let line = source[..finding.span.start as usize].matches('\n').count() + 1;
        let own_question = finding.message.contains("has just been found not to be done");
        // Of two on a line the stronger one is not known to be meant.
        let said = said.entry(line).or_insert(Said { level: finding.level, own_question });
        said.level = said.level.min(finding.level);
        said.own_question |= own_question;
    }
    let doubtful: Vec<usize> = said.keys().copied().collect();
    let asked = python.run(&Request { source, seed, runs, most, doubtful: &doubtful }).ok()?;
    Some((said, asked))
}

fn wrong((said, asked): &Seen) -> Vec<(Wrong, usize)> {
    let reached = asked.iter().filter(|(_, asked)| asked.times > 0);
    reached
        .filter_map(|(line, asked)| {
            let never = asked.too_early == 0;
            let kind = match said.get(line) {
                Some(Said { level: Level::Error, .. }) if !asked.always() => Wrong::FalseCertainty,
                Some(Said { own_question: true, .. }) if never && asked.masked == 0 => Wrong::OwnQuestion,
                Some(_) if never && asked.masked == 0 => Wrong::FalseAlarm,
                None if asked.always() => Wrong::Miss,
                _ => return None,
            };
            Some((kind, *line))
        })
        .collect()
}

/// The least of the program that is wrong in the same way, with what was seen at each line.
fn smallest(python: &mut Python, program: &[Node], seed: u64, kind: Wrong) -> String {
    let (main, prelude) = program.split_last().unwrap();
    let whole = |body: &[Node]| {
        let mut nodes = prelude.to_vec();
        nodes.push(Node::block(main.line.clone(), body.to_vec()));
        text(&nodes)
    };
    let runs = if kind == Wrong::FalseAlarm { RUNS } else { 300 };
    let body = shrink(&main.body, |body| {
        let seen = look(python, &whole(body), seed, runs, MOST);
        !python.unbound && seen.is_some_and(|seen| wrong(&seen).iter().any(|(other, _)| *other == kind))
    });
    let source = whole(&body);
    let Some((said, asked)) = look(python, &source, seed, 400, 400) else { return source };
    let main = source.lines().enumerate().skip_while(|(_, line)| !line.contains("def main"));
    main.map(|(index, line)| {
        let said = said.get(&(index + 1)).map(|said| format!("  # {:?}", said.level)).unwrap_or_default();
        let asked = asked.get(&(index + 1)).map(|asked| format!("  # {asked}")).unwrap_or_default();
        format!("{line}{said}{asked}\n")
    })
    .collect()
}

/// A guess from the text of `main`.
fn why_missed(source: &str, line: usize) -> &'static str {
    let lines: Vec<&str> = source.lines().collect();
    let ask = lines[line - 1];
    let indent = |line: &str| line.len() - line.trim_start().len();
    let Some(dot) = ask.find(".result()").or_else(|| ask.find(".exception()")) else { return "other" };
    let name = ask[..dot].rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let has_name = |text: &str| text.split(|c: char| !c.is_alphanumeric()).any(|word| word == name);
    let mut around = indent(ask);
    for line in lines[..line - 1].iter().rev() {
        if indent(line) < around {
            around = indent(line);
            if line.contains("try:") || line.contains("suppress") {
                return "caught";
            }
        }
    }
    let before: Vec<&&str> = lines[..line - 1].iter().filter(|line| has_name(line)).collect();
    let any = |what: &[&str]| before.iter().any(|line| what.iter().any(|what| line.contains(what)));
    if any(&["for "]) {
        "in a loop over tasks"
    } else if any(&["keep(", "(keep)", "_it(", "call_later"]) {
        "in other hands"
    } else if any(&["= [", "append"]) {
        "in a list"
    } else {
        "other"
    }
}
