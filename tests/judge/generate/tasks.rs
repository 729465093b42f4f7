//! Random asyncio programs: what people write about tasks in local names, in any order and nesting.
//!
//! A program is the coroutines below, each of which may take its time, fail or be cancelled as a run pleases, and a `main` that
//! makes tasks of them. What cannot go both ways is not written: a future that nobody completes is not waited for, a name that may
//! be unbound is not used, a set that `wait` returned is asked for its members only.
//!
//! Not written at all: code outside of a running loop (`run_until_complete`), classes and attributes, generators, `async for`
//! and `async with` over anything of the program's own, `except*`, `shield` in a name, limits of zero, guards of `case` about
//! tasks.

use super::Random;
use crate::program::Node;

const PRELUDE: &str = "\
import asyncio
import contextlib
from elsewhere import flag, keep, settle

FAILS = [None] * 40
HOPS = [0] * 40
SLOW = [False] * 40
TIMES = [0] * 3


async def work(n):
    await asyncio.sleep(n)
    for _ in range(HOPS[n]):
        await asyncio.sleep(0)
    if FAILS[n]:
        raise FAILS[n](n)
    return n


async def quick(n):
    if SLOW[n]:
        await asyncio.sleep(n)
    if FAILS[n]:
        raise FAILS[n](n)
    return n


async def broken(n):
    if SLOW[n]:
        await asyncio.sleep(n)
    raise (FAILS[n] or ValueError)(n)


async def fails(n):
    await asyncio.sleep(n)
    raise (FAILS[n] or ValueError)(n)


async def quits(n):
    await asyncio.sleep(n)
    raise FAILS[n](n) if FAILS[n] else asyncio.CancelledError


async def stubborn(n):
    try:
        await asyncio.sleep(n)
    except asyncio.CancelledError:
        await asyncio.sleep(n)
    if FAILS[n]:
        raise FAILS[n](n)
    return n


async def wait_for_it(task):
    await asyncio.wait([task])


async def look_at_it(task):
    await asyncio.sleep(0)
    return task.done()

";

/// What a statement may use.
#[derive(Clone, Default)]
pub struct Scope {
    pub tasks: Vec<String>,
    pub futures: Vec<String>,
    /// Futures that nothing but `main` completes: it does not wait for them, for it would wait forever.
    pub bare: Vec<String>,
    pub booleans: Vec<String>,
    pub lists: Vec<String>,
    /// `done` and `pending`, and what was waited for.
    pub sets: Vec<(String, String, Vec<String>)>,
    pub helpers: Vec<String>,
    pub in_loop: bool,
}

pub struct Generator {
    pub random: Random,
    pub names: usize,
    pub coroutines: usize,
    /// How many statements may still come.
    pub left: usize,
}

/// The coroutines that all programs share, and what one of them is made of besides.
pub fn program(mut random: Random) -> (&'static str, Vec<Node>) {
    let left = 5 + random.below(14);
    let mut generator = Generator { random, names: 0, coroutines: 0, left };
    let mut scope = Scope::default();
    let parameters: Vec<String> = ["a", "b", "c"][..generator.random.below(4)].iter().map(|&s| s.to_owned()).collect();
    scope.booleans.extend(parameters.iter().cloned());
    let mut body = Vec::new();
    if generator.random.percent(40) {
        body.push(Node::line("loop = asyncio.get_running_loop()"));
    } else {
        body.push(Node::line("loop = asyncio.get_event_loop()"));
    }
    for _ in 0..1 + generator.random.below(2) {
        generator.make(&mut scope, &mut body);
    }
    while generator.left > 0 {
        generator.statement(&mut scope, 0, &mut body);
    }
    if generator.random.percent(60) {
        generator.ask(&mut scope, &mut body);
    }
    (PRELUDE, vec![Node::block(format!("async def main({}):", parameters.join(", ")), body)])
}

impl Generator {
    pub fn name(&mut self, kind: &str) -> String {
        self.names += 1;
        format!("{kind}{}", self.names)
    }

    pub fn pick(&mut self, among: &[String]) -> Option<String> {
        (!among.is_empty()).then(|| among[self.random.below(among.len())].clone())
    }

    /// Whatever can be asked: tasks above all.
    pub fn target(&mut self, scope: &Scope) -> String {
        let future = self.pick(&scope.futures);
        match self.pick(&scope.tasks) {
            Some(task) if future.is_none() || self.random.percent(75) => task,
            _ => future.unwrap_or_else(|| "asyncio.current_task()".to_owned()),
        }
    }

    /// The same, where nothing waits for it.
    pub fn asked(&mut self, scope: &Scope) -> String {
        match self.pick(&scope.bare) {
            Some(future) if self.random.percent(30) => future,
            _ => self.target(scope),
        }
    }

    pub fn targets(&mut self, scope: &Scope, most: usize) -> Vec<String> {
        let mut targets: Vec<String> = (0..1 + self.random.below(most)).map(|_| self.target(scope)).collect();
        targets.sort();
        targets.dedup();
        if self.random.percent(50) {
            targets.reverse();
        }
        targets
    }

    pub fn coroutine(&mut self) -> String {
        let function = match self.random.weighted(&[70, 8, 4, 6, 4, 4]) {
            0 => "work",
            1 => "quick",
            2 => "broken",
            3 => "fails",
            4 => "quits",
            _ => "stubborn",
        };
        // A number of its own, so that how it goes is its own.
        self.coroutines = (self.coroutines + 1) % 40;
        format!("{function}({})", self.coroutines.max(1))
    }

    /// How long `main` waits. The numbers mean nothing: each run draws its own.
    pub fn time(&mut self) -> usize {
        1 + self.random.below(9)
    }

    pub fn make(&mut self, scope: &mut Scope, out: &mut Vec<Node>) {
        let name = match self.pick(&scope.tasks) {
            Some(old) if self.random.percent(12) => old,
            _ => self.name("t"),
        };
        let coroutine = self.coroutine();
        match self.random.weighted(&[50, 12, 8, 18, 6]) {
            0 => out.push(Node::line(format!("{name} = asyncio.create_task({coroutine})"))),
            1 => out.push(Node::line(format!("{name} = loop.create_task({coroutine})"))),
            2 => out.push(Node::line(format!("{name} = asyncio.ensure_future({coroutine})"))),
            3 => {
                let name = self.name("f");
                let make = self.random.of(&["loop.create_future()", "asyncio.Future()"]);
                out.push(Node::line(format!("{name} = {make}")));
                if self.random.percent(60) {
                    let time = self.time();
                    out.push(Node::line(format!("loop.call_later({time}, settle, {name})")));
                    scope.futures.push(name);
                } else {
                    scope.bare.push(name);
                }
                return;
            }
            _ => {
                let both = (self.coroutine(), self.coroutine());
                let other = self.name("t");
                out.push(Node::line(format!(
                    "{name}, {other} = asyncio.create_task({}), asyncio.create_task({})",
                    both.0, both.1
                )));
                scope.tasks.push(other);
            }
        }
        if !scope.tasks.contains(&name) {
            scope.tasks.push(name);
        }
    }

    pub fn collect(&mut self, scope: &Scope) -> String {
        match self.pick(&scope.lists) {
            Some(list) if self.random.percent(30) => list,
            _ => {
                let targets = self.targets(scope, 3).join(", ");
                match self.random.below(4) {
                    0 => format!("{{{targets}}}"),
                    1 => format!("({targets},)"),
                    _ => format!("[{targets}]"),
                }
            }
        }
    }

    pub fn wait(&mut self, scope: &Scope) -> String {
        let collection = self.collect(scope);
        self.wait_for(&collection)
    }

    pub fn wait_for(&mut self, collection: &str) -> String {
        let mut options = String::new();
        if self.random.percent(35) {
            options += &format!(", timeout={}", self.random.of(&["5", "6", "7", "None"]));
        }
        if self.random.percent(35) {
            options += &format!(
                ", return_when=asyncio.{}",
                self.random.of(&["FIRST_COMPLETED", "FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"])
            );
        }
        format!("asyncio.wait({collection}{options})")
    }

    pub fn gather(&mut self, scope: &Scope) -> String {
        let mut members = self.targets(scope, 3);
        if self.random.percent(15) {
            members.push(self.coroutine());
        }
        if let Some(list) = self.pick(&scope.lists)
            && self.random.percent(30)
        {
            members = vec![format!("*{list}")];
        }
        match self.random.below(8) {
            0..3 => members.push("return_exceptions=True".to_owned()),
            3 => members.push("return_exceptions=False".to_owned()),
            _ => {}
        }
        format!("asyncio.gather({})", members.join(", "))
    }

    /// What can be awaited for its tasks.
    pub fn awaitable(&mut self, scope: &Scope, depth: usize) -> String {
        match self.random.weighted(&[30, 14, 14, 12, 8, 14, 6, 5]) {
            0 => self.target(scope),
            1 => self.gather(scope),
            2 => self.wait(scope),
            3 if depth < 2 => {
                let time = self.random.of(&["5", "6", "None"]);
                format!("asyncio.wait_for({}, {time})", self.awaitable(scope, depth + 1))
            }
            4 if depth < 2 => format!("asyncio.shield({})", self.awaitable(scope, depth + 1)),
            5 => match self.random.below(2) {
                0 => "asyncio.sleep(0)".to_owned(),
                _ => format!("asyncio.sleep({})", self.time()),
            },
            6 => {
                let helper = self.random.of(&["wait_for_it", "look_at_it"]);
                format!("{helper}({})", self.target(scope))
            }
            7 if !scope.helpers.is_empty() => format!("{}()", self.pick(&scope.helpers).unwrap_or_default()),
            _ => self.coroutine(),
        }
    }

    pub fn test(&mut self, scope: &Scope, depth: usize) -> String {
        match self.random.weighted(&[30, 8, 12, 18, 10, 10, 8, 10, 10, 4]) {
            0 => format!("{}.done()", self.asked(scope)),
            1 => format!("{}.cancelled()", self.asked(scope)),
            2 => "flag()".to_owned(),
            3 => self.pick(&scope.booleans).unwrap_or_else(|| "flag()".to_owned()),
            4 if depth < 2 => format!("not {}", self.operand(scope, depth)),
            5 if depth < 2 => format!("{} and {}", self.operand(scope, depth), self.operand(scope, depth)),
            6 if depth < 2 => format!("{} or {}", self.operand(scope, depth), self.operand(scope, depth)),
            7 | 8 if !scope.sets.is_empty() => {
                let (done, pending, members) = scope.sets[self.random.below(scope.sets.len())].clone();
                let set = if self.random.percent(60) { done } else { pending };
                let target = self.pick(&members).unwrap_or_default();
                match self.random.below(8) {
                    0..3 => format!("{target} in {set}"),
                    3 => format!("{target} not in {set}"),
                    4 => format!("not {set}"),
                    5 => format!("len({set}) == {}", self.random.below(3)),
                    6 => format!("len({set})"),
                    _ => set,
                }
            }
            8 => format!("{} is not None", self.target(scope)),
            9 => format!("{}.done() is {}", self.target(scope), self.random.of(&["True", "False"])),
            _ => format!("{}.done()", self.target(scope)),
        }
    }

    pub fn operand(&mut self, scope: &Scope, depth: usize) -> String {
        let test = self.test(scope, depth + 1);
        if test.contains(' ') { format!("({test})") } else { test }
    }

    pub fn asking(&mut self, scope: &Scope) -> String {
        let method = if self.random.percent(70) { "result" } else { "exception" };
        format!("{}.{method}()", self.asked(scope))
    }

    pub fn ask(&mut self, scope: &mut Scope, out: &mut Vec<Node>) {
        let ask = self.asking(scope);
        let line = match self.random.weighted(&[40, 25, 12, 8, 4, 3, 4]) {
            0 => ask,
            1 => format!("print({ask})"),
            2 => format!("value = {ask} if {} else None", self.test(scope, 1)),
            3 => format!("value = {} and {ask}", self.operand(scope, 1)),
            4 => format!("value = {} or {ask}", self.operand(scope, 1)),
            5 => {
                let list = self.collect(scope);
                format!("values = [t.result() for t in {list} if t.done()]")
            }
            _ => format!("print(f\"{{{ask}}}\")"),
        };
        out.push(Node::line(line));
    }
}
