//! Random programs about what becomes of coroutines and tasks: made, handed on, awaited once, twice or never, cancelled, and
//! their errors asked for or not.
//!
//! A program is a few of the prelude's coroutines, the helpers that it uses (`helpers`), and a `main` of a dozen lines: blocks
//! (here) of what is done to coroutines (`coroutines`) and to tasks (`fates`). Most coroutines are used once, as in most programs.
//!
//! Not written: code outside of a running loop, generators, `except*`, decorators, coroutines and tasks in global names, a
//! `finally` that returns.

use std::collections::BTreeSet;

use super::{EXCEPTIONS, Random, helpers};
use crate::program::{Node, parse, text};

const PRELUDE: &str = "\
import asyncio
import contextlib
from elsewhere import flag, keep

FAILS = [None] * 40
HOPS = [0] * 40
SLOW = [False] * 40
TIMES = [0] * 3
BACKGROUND = set()


async def work(n):
    await asyncio.sleep(n)
    if FAILS[n]:
        raise FAILS[n](n)
    return n


async def calm(n):
    await asyncio.sleep(n)
    return n


async def boom(n):
    await asyncio.sleep(n)
    raise ValueError(n)


async def snap(n):
    raise ValueError(n)

";

/// What a statement may use.
#[derive(Clone, Default)]
pub struct Scope {
    /// Coroutines in names: those that nothing was done with so far, and the others.
    pub fresh: Vec<String>,
    pub used: Vec<String>,
    /// Lists and dicts of coroutines.
    pub jobs: Vec<String>,
    pub by_name: Vec<String>,
    pub tasks: Vec<String>,
    /// Lists of tasks.
    pub batches: Vec<String>,
    /// Lambdas and nested functions that give a coroutine.
    pub makers: Vec<String>,
    pub in_loop: bool,
    /// What fails is handled.
    pub in_try: bool,
}

pub struct Writer {
    pub random: Random,
    pub names: usize,
    pub numbers: usize,
    /// How many statements may still come.
    pub left: usize,
    pub helpers: BTreeSet<&'static str>,
    /// There is a `service` with methods.
    pub service: bool,
}

/// The coroutines that all programs share, and what one of them is made of besides.
pub fn program(mut random: Random) -> (&'static str, Vec<Node>) {
    let left = 3 + random.below(8);
    let service = random.percent(35);
    let mut writer = Writer { random, names: 0, numbers: 0, left, helpers: BTreeSet::new(), service };
    let mut scope = Scope::default();
    let mut body = Vec::new();
    if service {
        writer.line("service = Service()", &mut body);
    }
    while writer.left > 0 {
        writer.statement(&mut scope, 0, &mut body);
    }
    writer.finish(&Scope::default(), &mut scope, &mut body);
    if writer.random.percent(40) {
        writer.line("await asyncio.sleep(1)", &mut body);
    }
    let mut nodes = vec![Node::block("async def main():", body)];
    if service {
        let class = writer.class(&text(&nodes));
        nodes.insert(0, class);
    }
    let uses = text(&nodes);
    let helpers = writer.helpers.iter().filter(|helper| mentions(&uses, helper));
    nodes.splice(0..0, helpers.flat_map(|helper| parse(helpers::source(helper))));
    (PRELUDE, nodes)
}

/// Whether this word is in the text.
pub fn mentions(text: &str, name: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
}

impl Writer {
    pub fn name(&mut self, kind: &str) -> String {
        self.names += 1;
        format!("{kind}{}", self.names)
    }

    /// A number of its own, so that how a coroutine goes is its own.
    pub fn number(&mut self) -> usize {
        self.numbers = self.numbers % 39 + 1;
        self.numbers
    }

    pub fn line(&mut self, line: impl Into<String>, out: &mut Vec<Node>) {
        out.push(Node::line(line));
    }

    /// Lines, blocks among them.
    pub fn lines(&mut self, text: &str, out: &mut Vec<Node>) {
        out.extend(parse(text));
    }

    pub fn pick(&mut self, among: &[String]) -> Option<String> {
        (!among.is_empty()).then(|| among[self.random.below(among.len())].clone())
    }

    /// The call of a helper, whose definition is then a part of the program.
    pub fn helper(&mut self, among: &[&'static str]) -> &'static str {
        let name = self.random.of(among);
        self.helpers.insert(name);
        name
    }

    /// A block. Names that it binds are not used behind it, where they may be unbound.
    pub fn body(&mut self, scope: &Scope, depth: usize) -> Vec<Node> {
        let mut inner = scope.clone();
        let mut body = Vec::new();
        for _ in 0..1 + self.random.below(2) {
            self.statement(&mut inner, depth + 1, &mut body);
        }
        // Not behind `return`.
        if body.last().is_none_or(|last| !last.line.starts_with(['r', 'b'])) {
            self.finish(scope, &mut inner, &mut body);
        }
        body
    }

    /// Most of what is left over at the end of a block is seen to.
    fn finish(&mut self, before: &Scope, scope: &mut Scope, out: &mut Vec<Node>) {
        let new = |names: &[String], before: &[String]| -> Vec<String> {
            names.iter().filter(|name| !before.contains(name)).cloned().collect()
        };
        for name in new(&scope.jobs, &before.jobs) {
            if self.random.percent(80) {
                scope.jobs = vec![name];
                scope.by_name.retain(|name| before.by_name.contains(name));
                self.use_jobs(scope, out);
            }
        }
        for name in new(&scope.fresh, &before.fresh) {
            if self.random.percent(80) {
                scope.fresh = vec![name];
                self.use_coroutine(scope, 3, out);
            }
        }
        for task in new(&scope.tasks, &before.tasks) {
            if self.random.percent(50) {
                self.end_of_task(&task, out);
            }
        }
        for batch in new(&scope.batches, &before.batches) {
            if self.random.percent(70) {
                self.use_batch(&batch, out);
            }
        }
    }

    pub fn statement(&mut self, scope: &mut Scope, depth: usize, out: &mut Vec<Node>) {
        self.left = self.left.saturating_sub(1);
        let nested = usize::from(depth < 2 && self.left > 0);
        let some = |names: &[String]| usize::from(!names.is_empty());
        let weights = [
            18,                                                  // 0 make a coroutine
            30 * some(&scope.fresh) + 4 * some(&scope.used),     // 1 use one
            12,                                                  // 2 make and use in one
            6,                                                   // 3 make a list or dict of them
            14 * some(&scope.jobs) + 14 * some(&scope.by_name),  // 4 use one
            16,                                                  // 5 make a task
            26 * some(&scope.tasks) + 10 * some(&scope.batches), // 6 use one
            18 * some(&scope.tasks),                             // 7 cancel one
            4,                                                   // 8 a function that makes coroutines
            4 * usize::from(depth > 0),                          // 9 leave
            5,                                                   // 10 pause
            8 * nested,                                          // 11 if
            5 * nested,                                          // 12 loop
            9 * nested,                                          // 13 try, with
            8 * usize::from(self.service),                       // 14 ask the service
        ];
        match self.random.weighted(&weights) {
            0 => self.make_coroutine(scope, out),
            1 => self.use_coroutine(scope, depth, out),
            2 => self.use_at_once(scope, out),
            3 => self.make_jobs(scope, out),
            4 => self.use_jobs(scope, out),
            5 => self.make_task(scope, out),
            6 => self.use_task(scope, out),
            7 => self.cancel(scope, out),
            8 => self.make_maker(scope, out),
            9 => {
                let line = match self.random.below(6) {
                    0 | 1 if scope.in_loop => "break",
                    2 if scope.in_loop => "continue",
                    3 => "raise ValueError(2)",
                    _ => "return",
                };
                self.line(line, out);
            }
            10 => {
                let time = self.random.below(3);
                self.line(format!("await asyncio.sleep({time})"), out);
            }
            11 => self.branch(scope, depth, out),
            12 => self.repeat(scope, depth, out),
            13 => self.guard(scope, depth, out),
            _ => self.ask_service(scope, out),
        }
    }

    fn branch(&mut self, scope: &mut Scope, depth: usize, out: &mut Vec<Node>) {
        let body = self.body(scope, depth);
        out.push(Node::block("if flag():", body));
        if self.random.percent(40) {
            let body = self.body(scope, depth);
            out.push(Node::block("else:", body));
        }
    }

    fn repeat(&mut self, scope: &mut Scope, depth: usize, out: &mut Vec<Node>) {
        let times = self.random.below(3);
        let header = match self.random.below(4) {
            0 => "for _ in range(2):".to_owned(),
            1 => "while flag():".to_owned(),
            _ => format!("for _ in range(TIMES[{times}]):"),
        };
        let mut inner = Scope { in_loop: true, ..scope.clone() };
        let mut body = Vec::new();
        if header.starts_with("while") {
            self.line("await asyncio.sleep(1)", &mut body);
        }
        // What is used in a loop was made outside, seldom: most loops have their own.
        if self.random.percent(70) {
            inner.fresh.clear();
            inner.jobs.clear();
            inner.by_name.clear();
        }
        body.extend(self.body(&inner, depth));
        out.push(Node::block(header, body));
    }

    fn guard(&mut self, scope: &mut Scope, depth: usize, out: &mut Vec<Node>) {
        let inner = Scope { in_try: true, ..scope.clone() };
        let body = self.body(&inner, depth);
        let class = if self.random.percent(60) {
            self.random.of(&["ValueError", "Exception"])
        } else {
            self.random.of(EXCEPTIONS)
        };
        match self.random.below(5) {
            0 => out.push(Node::block(format!("with contextlib.suppress({}):", class.trim_matches(['(', ')'])), body)),
            1 => {
                let time = self.random.of(&["5", "None"]);
                out.push(Node::block(format!("async with asyncio.timeout({time}):"), body));
            }
            2 => {
                out.push(Node::block("try:", body));
                let body = self.body(scope, depth);
                out.push(Node::block("finally:", body));
            }
            _ => {
                out.push(Node::block("try:", body));
                let body = match self.random.below(4) {
                    0 => parse("raise"),
                    1 => parse("return"),
                    2 => self.body(scope, depth),
                    _ => parse("pass"),
                };
                out.push(Node::block(format!("except {class}:"), body));
            }
        }
    }
}
