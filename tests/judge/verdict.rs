//! What we say about a program, held against what CPython says of it: findings and sites go in, what is wrong comes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use aiolint::engine::File;
use aiolint::project::Settings;
use aiolint::report::Level;
use aiolint::rules::RULES;

use crate::cpython::{Python, Request, Site};
use crate::generate::Family;

/// A rule, and how it is held to the truth.
pub struct Held {
    pub name: &'static str,
    /// The programs that are about it. In the others misses are only counted.
    pub family: Family,
    /// Of a hundred sites where the error is certain, so many may go unseen.
    pub missed_percent: usize,
    /// Another rule that speaks for it where both hold.
    pub covered_by: Option<&'static str>,
    /// Whether a hint, too, must be about something that happens.
    pub hints: bool,
}

/// One that is not among `RULES` is left out. What is missed by design:
///
/// - `result-before-done`, `exception-before-done`: tasks in other hands, what stands behind a second test of the same text (it is
///   taken to go the way that it went before), ways that no reader would believe in;
/// - `coroutine-never-awaited`: those that are left behind because another coroutine always fails, one of a dict of which another
///   is taken, what stands behind a `with` that does nothing but return. What code out of view may find (in an attribute that
///   others may read, returned by `main`, given to `keep`) is not certain: the program marks it, or `watching.py` sees it;
/// - `coroutine-reused`: the elements of a list after a loop that some path leaves early, one that a helper uses now and then, or a
///   task that may never begin, and a helper that uses its parameter twice when it is not known whether the coroutine ever returns;
/// - `cancelled-task-unguarded`: a task that a helper gives back or asks, one that had time to run before it was cancelled, one that is
///   kept in an attribute which other code sets, a callback that is a lambda;
/// - `dangling-task`: tasks of a list or set that a loop fills;
/// - `task-exception-never-retrieved`: tasks in other hands (an attribute, which code out of view may read; a helper that ignores
///   them), and those of which it is unknown whether they can raise.
pub const HELD: &[Held] = &[
    Held { name: "result-before-done", family: Family::Tasks, missed_percent: 22, covered_by: None, hints: true },
    Held { name: "exception-before-done", family: Family::Tasks, missed_percent: 22, covered_by: None, hints: true },
    Held { name: "coroutine-never-awaited", family: Family::Lives, missed_percent: 9, covered_by: None, hints: true },
    Held { name: "coroutine-reused", family: Family::Lives, missed_percent: 20, covered_by: None, hints: true },
    Held { name: "cancelled-task-unguarded", family: Family::Lives, missed_percent: 27, covered_by: None, hints: true },
    Held { name: "dangling-task", family: Family::Lives, missed_percent: 6, covered_by: None, hints: true },
    // Its hints are about coroutines of which nobody knows whether they can raise.
    Held {
        name: "task-exception-never-retrieved",
        family: Family::Lives,
        missed_percent: 12,
        covered_by: Some("dangling-task"),
        hints: false,
    },
];

impl Held {
    /// Whether there is such a rule.
    pub fn exists(&self) -> bool {
        RULES.iter().any(|rule| rule.name == self.name)
    }

    pub fn find(name: &str) -> Option<&'static Self> {
        HELD.iter().find(|held| held.name == name)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Wrong {
    FalseCertainty,
    FalseAlarm,
    /// A false alarm that is let pass.
    OwnQuestion,
    Miss,
}

/// What we say about a line.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    pub level: Level,
    /// That the program itself has found the task not to be done.
    own_question: bool,
}

/// What we say, and what happened.
pub struct Seen {
    /// By rule and line.
    pub said: BTreeMap<(&'static str, usize), Said>,
    pub sites: Vec<Site>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Verdict {
    pub wrong: Wrong,
    pub rule: &'static str,
    pub line: usize,
}

/// How often a program is run: see `Request`.
#[derive(Clone, Copy)]
pub struct Effort {
    pub runs: usize,
    pub most: usize,
}

/// Whether it must be about something that happens.
fn judged(rule: &str, said: &Said) -> bool {
    said.level != Level::Hint || Held::find(rule).is_some_and(|held| held.hints)
}

impl Seen {
    /// Looks at a program from both sides; `None` where CPython does not take it, or it does not end.
    pub fn look(python: &mut Python, source: &str, seed: u64, effort: Effort) -> Option<Self> {
        let mut said: BTreeMap<(&'static str, usize), Said> = BTreeMap::new();
        for finding in File::new(source.to_owned(), Arc::new(Settings::default())).findings().iter() {
            let Some(held) = Held::find(finding.rule) else { continue };
            let line = source[..finding.span.start as usize].matches('\n').count() + 1;
            let own_question = finding.message.contains("has just been found not to be done");
            // Of two on a line the stronger one is not known to be meant.
            let said = said.entry((held.name, line)).or_insert(Said { level: finding.level, own_question });
            said.level = said.level.min(finding.level);
            said.own_question |= own_question;
        }
        let doubtful: Vec<_> =
            said.iter().filter(|((rule, _), said)| judged(rule, said)).map(|(&key, _)| key).collect();
        let Effort { runs, most } = effort;
        let sites = python.run(&Request { source, seed, runs, most, doubtful: &doubtful }).ok()?;
        Some(Self { said, sites })
    }

    /// The sites of a rule that some run reached, those at a line only.
    fn reached(&self, rule: &str, line: usize) -> Vec<&Site> {
        let sites = self.sites.iter();
        sites.filter(|site| site.rule == rule && site.reached > 0 && site.lines.contains(&line)).collect()
    }

    pub fn not_reached(&self, rule: &str) -> usize {
        self.said.keys().filter(|(name, line)| *name == rule && self.reached(name, *line).is_empty()).count()
    }

    fn found(&self, site: &Site) -> bool {
        let covered_by = Held::find(&site.rule).and_then(|held| held.covered_by);
        let about = |rule: &str| rule == site.rule || Some(rule) == covered_by;
        self.said.keys().any(|(rule, line)| about(rule) && site.lines.contains(line))
    }

    pub fn verdicts(&self) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for (&(rule, line), said) in &self.said {
            let sites = self.reached(rule, line);
            let never = judged(rule, said) && !sites.is_empty() && sites.iter().all(|site| !site.happens());
            // Which of several sites on the line is meant is not known: none may be one that always fails, be it that no run
            // comes there in the plain way.
            let uncertain =
                sites.iter().any(|site| site.plainly_reached > 0) && !sites.iter().any(|site| site.always());
            let wrong = match said {
                Said { level: Level::Error, .. } if never || uncertain => Wrong::FalseCertainty,
                Said { own_question: true, .. } if never => Wrong::OwnQuestion,
                _ if never => Wrong::FalseAlarm,
                _ => continue,
            };
            verdicts.push(Verdict { wrong, rule, line });
        }
        for site in self.sites.iter().filter(|site| site.certain() && !self.found(site)) {
            if let Some(held) = Held::find(&site.rule).filter(|held| held.exists()) {
                verdicts.push(Verdict { wrong: Wrong::Miss, rule: held.name, line: site.lines[0] });
            }
        }
        verdicts
    }

    /// The program, from this line on, with what we say and what happened beside each line.
    pub fn annotate(&self, source: &str, from: usize) -> String {
        let lines = source.lines().enumerate().map(|(index, line)| (index + 1, line)).skip(from);
        let annotated = lines.map(|(number, line)| {
            let mut text = line.to_owned();
            for ((rule, _), said) in self.said.iter().filter(|((_, line), _)| *line == number) {
                text += &format!("  # {:?}: [{rule}]", said.level);
            }
            for site in self.sites.iter().filter(|site| site.lines[0] == number) {
                if site.happens() || self.found(site) {
                    text += &format!("  # {site}");
                    if site.lines.len() > 1 {
                        text += &format!(", also at {:?}", &site.lines[1..]);
                    }
                }
            }
            format!("{number:4}  {text}\n")
        });
        annotated.collect()
    }
}
