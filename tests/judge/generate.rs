//! Random asyncio programs: what people write about tasks in local names, in any order and nesting.
//!
//! A program is the coroutines below, each of which may take its time, fail or be cancelled as a run pleases, and a `main` that
//! makes tasks of them. What cannot go both ways is not written: a future that nobody completes is not waited for, a name that may
//! be unbound is not used, a set that `wait` returned is asked for its members only.
//!
//! Not written at all: code outside of a running loop (`run_until_complete`), classes and attributes, generators, `async for`
//! and `async with` over anything of the program's own, `except*`, `shield` in a name, limits of zero, guards of `case` about
//! tasks.

use crate::program::Node;

/// SplitMix64: small, and the same on every machine.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// True in so many cases of a hundred.
    fn percent(&mut self, n: usize) -> bool {
        self.below(100) < n
    }

    fn of<'a>(&mut self, among: &[&'a str]) -> &'a str {
        among[self.below(among.len())]
    }

    /// An index, each as often as its weight says.
    fn weighted(&mut self, weights: &[usize]) -> usize {
        let mut left = self.below(weights.iter().sum());
        weights
            .iter()
            .position(|&weight| {
                let here = left < weight;
                left = left.wrapping_sub(weight);
                here
            })
            .unwrap_or(0)
    }
}

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

const EXCEPTIONS: &[&str] = &[
    "ValueError",
    "ValueError",
    "Exception",
    "Exception",
    "asyncio.CancelledError",
    "asyncio.CancelledError",
    "asyncio.TimeoutError",
    "TimeoutError",
    "(ValueError, asyncio.CancelledError)",
    "(ValueError, TimeoutError)",
    "(asyncio.CancelledError, Exception)",
    "BaseException",
    "asyncio.InvalidStateError",
    "KeyError",
    "OSError",
    "RuntimeError",
];

/// What a statement may use.
#[derive(Clone, Default)]
struct Scope {
    tasks: Vec<String>,
    futures: Vec<String>,
    /// Futures that nothing but `main` completes: it does not wait for them, for it would wait forever.
    bare: Vec<String>,
    booleans: Vec<String>,
    lists: Vec<String>,
    /// `done` and `pending`, and what was waited for.
    sets: Vec<(String, String, Vec<String>)>,
    helpers: Vec<String>,
    in_loop: bool,
}

pub struct Generator {
    random: Random,
    names: usize,
    coroutines: usize,
    /// How many statements may still come.
    left: usize,
}

/// The program of this number.
pub fn program(seed: u64) -> Vec<Node> {
    let mut random = Random::new(seed);
    // The first numbers of neighbouring seeds are alike.
    random.next();
    let left = 5 + random.below(14);
    let mut generator = Generator { random, names: 0, coroutines: 0, left };
    let mut nodes: Vec<Node> = PRELUDE.lines().map(Node::line).collect();
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
    nodes.push(Node::block(format!("async def main({}):", parameters.join(", ")), body));
    nodes
}

impl Generator {
    fn name(&mut self, kind: &str) -> String {
        self.names += 1;
        format!("{kind}{}", self.names)
    }

    fn pick(&mut self, among: &[String]) -> Option<String> {
        (!among.is_empty()).then(|| among[self.random.below(among.len())].clone())
    }

    /// Whatever can be asked: tasks above all.
    fn target(&mut self, scope: &Scope) -> String {
        let future = self.pick(&scope.futures);
        match self.pick(&scope.tasks) {
            Some(task) if future.is_none() || self.random.percent(75) => task,
            _ => future.unwrap_or_else(|| "asyncio.current_task()".to_owned()),
        }
    }

    /// The same, where nothing waits for it.
    fn asked(&mut self, scope: &Scope) -> String {
        match self.pick(&scope.bare) {
            Some(future) if self.random.percent(30) => future,
            _ => self.target(scope),
        }
    }

    fn targets(&mut self, scope: &Scope, most: usize) -> Vec<String> {
        let mut targets: Vec<String> = (0..1 + self.random.below(most)).map(|_| self.target(scope)).collect();
        targets.sort();
        targets.dedup();
        if self.random.percent(50) {
            targets.reverse();
        }
        targets
    }

    fn coroutine(&mut self) -> String {
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
    fn time(&mut self) -> usize {
        1 + self.random.below(9)
    }

    fn make(&mut self, scope: &mut Scope, out: &mut Vec<Node>) {
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

    fn collect(&mut self, scope: &Scope) -> String {
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

    fn wait(&mut self, scope: &Scope) -> String {
        let collection = self.collect(scope);
        self.wait_for(&collection)
    }

    fn wait_for(&mut self, collection: &str) -> String {
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

    fn gather(&mut self, scope: &Scope) -> String {
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
    fn awaitable(&mut self, scope: &Scope, depth: usize) -> String {
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

    fn test(&mut self, scope: &Scope, depth: usize) -> String {
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

    fn operand(&mut self, scope: &Scope, depth: usize) -> String {
        let test = self.test(scope, depth + 1);
        if test.contains(' ') { format!("({test})") } else { test }
    }

    fn asking(&mut self, scope: &Scope) -> String {
        let method = if self.random.percent(70) { "result" } else { "exception" };
        format!("{}.{method}()", self.asked(scope))
    }

    fn ask(&mut self, scope: &mut Scope, out: &mut Vec<Node>) {
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

    /// A block. Names that it binds are not used behind it, where they may be unbound; those from before it may have got another value.
    fn body(&mut self, scope: &mut Scope, depth: usize) -> Vec<Node> {
        let mut body = Vec::new();
        let before = scope.clone();
        for _ in 0..1 + self.random.below(3) {
            self.statement(scope, depth + 1, &mut body);
        }
        *scope = before;
        body
    }

    fn statement(&mut self, scope: &mut Scope, depth: usize, out: &mut Vec<Node>) {
        self.left = self.left.saturating_sub(1);
        let compound = if depth < 3 && self.left > 0 { 1 } else { 0 };
        let weights = [
            8,                                               // 0 make
            28,                                              // 1 wait
            16,                                              // 2 ask
            5,                                               // 3 cancel
            4,                                               // 4 set
            4,                                               // 5 sets of wait
            3,                                               // 6 boolean
            2,                                               // 7 list
            2,                                               // 8 keep
            2,                                               // 9 assert
            if depth > 0 { 5 } else { 0 },                   // 10 leave
            20 * compound,                                   // 11 if
            5 * compound,                                    // 12 while
            6 * compound,                                    // 13 for
            14 * compound,                                   // 14 try
            7 * compound,                                    // 15 with
            3 * compound,                                    // 16 match
            if depth == 0 && self.left > 0 { 2 } else { 0 }, // 17 helper
            2,                                               // 18 other
            3,                                               // 19 gather in a name
        ];
        match self.random.weighted(&weights) {
            0 => self.make(scope, out),
            1 => {
                let awaitable = self.awaitable(scope, 0);
                let bound = if self.random.percent(15) { "value = " } else { "" };
                out.push(Node::line(format!("{bound}await {awaitable}")));
            }
            2 => self.ask(scope, out),
            3 => out.push(Node::line(format!("{}.cancel()", self.asked(scope)))),
            4 => match self.pick(&scope.bare).or(self.pick(&scope.futures)) {
                Some(future) => {
                    let set = self.random.of(&["set_result(1)", "set_exception(ValueError(1))"]);
                    let node = Node::line(format!("{future}.{set}"));
                    match self.random.below(4) {
                        0 => out.push(Node::block(format!("if not {future}.done():"), vec![node])),
                        1 => {
                            let time = self.time();
                            out.push(Node::line(format!("loop.call_later({time}, {future}.set_result, 1)")));
                        }
                        _ => out.push(node),
                    }
                }
                None => self.ask(scope, out),
            },
            5 => {
                let members = self.targets(scope, 3);
                let wait = self.wait_for(&format!("[{}]", members.join(", ")));
                let (done, pending) = (self.name("done"), self.name("pending"));
                let pending = if self.random.percent(15) { "_".to_owned() } else { pending };
                out.push(Node::line(format!("{done}, {pending} = await {wait}")));
                if pending != "_" {
                    scope.sets.push((done, pending, members));
                }
            }
            6 => {
                let name = match self.pick(&scope.booleans) {
                    Some(old) if self.random.percent(25) => old,
                    _ => self.name("x"),
                };
                let value = match self.random.below(4) {
                    0 => "flag()".to_owned(),
                    1 => self.random.of(&["True", "False", "None", "flag()"]).to_owned(),
                    _ => self.test(scope, 0),
                };
                out.push(Node::line(format!("{name} = {value}")));
                if !scope.booleans.contains(&name) {
                    scope.booleans.push(name);
                }
            }
            7 => match self.pick(&scope.lists) {
                Some(list) if self.random.percent(40) => {
                    out.push(Node::line(format!("{list}.append({})", self.target(scope))));
                }
                _ => {
                    let targets = self.targets(scope, 3).join(", ");
                    let name = self.name("ts");
                    out.push(Node::line(format!("{name} = [{targets}]")));
                    scope.lists.push(name);
                }
            },
            8 => {
                let target = self.target(scope);
                let line = match self.random.below(3) {
                    0 => format!("keep({target})"),
                    1 => format!("{target}.add_done_callback(keep)"),
                    _ => format!("print({target})"),
                };
                out.push(Node::line(line));
            }
            9 => out.push(Node::line(format!("assert {}", self.test(scope, 0)))),
            10 => {
                let line = match self.random.below(8) {
                    0..3 if scope.in_loop => "break",
                    3..5 if scope.in_loop => "continue",
                    0 | 7 => "raise ValueError(2)",
                    1 => "raise asyncio.CancelledError",
                    _ => "return",
                };
                out.push(Node::line(line));
            }
            11 => self.branch(scope, depth, out),
            12 => self.while_loop(scope, depth, out),
            13 => self.for_loop(scope, depth, out),
            14 => self.handler(scope, depth, out),
            15 => self.with(scope, depth, out),
            16 => self.cases(scope, depth, out),
            17 => self.helper(scope, out),
            18 => {
                let line = match self.random.below(4) {
                    0 => "pass".to_owned(),
                    1 => "asyncio.current_task().cancel()".to_owned(),
                    2 => match self.pick(&scope.tasks) {
                        Some(task) => format!("{task} = None"),
                        None => "pass".to_owned(),
                    },
                    _ => match (self.pick(&scope.tasks), self.pick(&scope.tasks)) {
                        (Some(to), Some(from)) => format!("{to} = {from}"),
                        _ => "pass".to_owned(),
                    },
                };
                out.push(Node::line(line));
            }
            _ => {
                let name = self.name("g");
                out.push(Node::line(format!("{name} = {}", self.gather(scope))));
                scope.tasks.push(name);
            }
        }
    }

    fn branch(&mut self, scope: &mut Scope, depth: usize, out: &mut Vec<Node>) {
        let test = self.test(scope, 0);
        let body = self.body(scope, depth);
        out.push(Node::block(format!("if {test}:"), body));
        if self.random.percent(20) {
            let test = self.test(scope, 0);
            let body = self.body(scope, depth);
            out.push(Node::block(format!("elif {test}:"), body));
        }
        if self.random.percent(35) {
            let body = self.body(scope, depth);
            out.push(Node::block("else:", body));
        }
    }

    /// A pause, so that the loop lets the tasks run and can be stopped. (Waiting for what is done is none.)
    fn pause(&mut self) -> Node {
        match self.random.below(5) {
            0 => Node::line("await asyncio.sleep(0)"),
            _ => Node::line(format!("await asyncio.sleep({})", self.time())),
        }
    }

    fn while_loop(&mut self, scope: &mut Scope, depth: usize, out: &mut Vec<Node>) {
        let test = match self.random.below(6) {
            0 | 1 => format!("not {}.done()", self.target(scope)),
            2 => "True".to_owned(),
            _ => self.test(scope, 0),
        };
        let before = std::mem::replace(&mut scope.in_loop, true);
        let mut body = vec![self.pause()];
        if self.random.percent(70) {
            body.extend(self.body(scope, depth));
        }
        scope.in_loop = before;
        out.push(Node::block(format!("while {test}:"), body));
        self.loop_else(scope, depth, out);
    }

    fn loop_else(&mut self, scope: &mut Scope, depth: usize, out: &mut Vec<Node>) {
        if self.random.percent(20) {
            let body = self.body(scope, depth);
            out.push(Node::block("else:", body));
        }
    }

    fn for_loop(&mut self, scope: &mut Scope, depth: usize, out: &mut Vec<Node>) {
        let (mut header, mut own) = (String::new(), None);
        match self.random.below(6) {
            0 => header = format!("for i in range(TIMES[{}]):", self.random.below(3)),
            1 | 2 if !scope.sets.is_empty() => {
                let (done, pending, _) = scope.sets[self.random.below(scope.sets.len())].clone();
                let set = if self.random.percent(60) { done } else { pending };
                let name = self.name("t");
                header = format!("for {name} in {set}:");
                own = Some(name);
            }
            3 => {
                let collection = self.collect(scope);
                let name = self.name("v");
                header = format!("for {name} in asyncio.as_completed({collection}):");
                if self.random.percent(80) {
                    own = Some(name);
                }
            }
            _ => {}
        }
        if header.is_empty() {
            let collection = self.collect(scope);
            let name = self.name("t");
            header = format!("for {name} in {collection}:");
            own = Some(name);
        }
        let before = std::mem::replace(&mut scope.in_loop, true);
        let mut body = Vec::new();
        let mut kept = None;
        if let Some(name) = own {
            if name.starts_with('v') {
                body.push(Node::line(format!("await {name}")));
            } else {
                kept = Some(name.clone());
                scope.tasks.push(name);
            }
        }
        body.extend(self.body(scope, depth));
        // What a loop leaves in its variable is seldom used.
        if let Some(name) = kept
            && self.random.percent(80)
        {
            scope.tasks.retain(|task| *task != name);
        }
        scope.in_loop = before;
        out.push(Node::block(header, body));
        self.loop_else(scope, depth, out);
    }

    fn handler(&mut self, scope: &mut Scope, depth: usize, out: &mut Vec<Node>) {
        let body = self.body(scope, depth);
        out.push(Node::block("try:", body));
        let handlers = self.random.weighted(&[20, 60, 20]);
        for _ in 0..handlers {
            let class = self.random.of(EXCEPTIONS);
            let body = match self.random.below(4) {
                0 => vec![Node::line("pass")],
                1 => {
                    let mut body = self.body(scope, depth);
                    body.push(Node::line("raise"));
                    body
                }
                _ => self.body(scope, depth),
            };
            out.push(Node::block(format!("except {class}:"), body));
        }
        if handlers > 0 && self.random.percent(20) {
            let body = self.body(scope, depth);
            out.push(Node::block("else:", body));
        }
        if handlers == 0 || self.random.percent(20) {
            let body = self.body(scope, depth);
            out.push(Node::block("finally:", body));
        }
    }

    fn with(&mut self, scope: &mut Scope, depth: usize, out: &mut Vec<Node>) {
        match self.random.below(3) {
            0 => {
                let classes =
                    self.random.of(&["ValueError", "Exception", "asyncio.CancelledError", "TimeoutError, ValueError"]);
                let body = self.body(scope, depth);
                out.push(Node::block(format!("with contextlib.suppress({classes}):"), body));
            }
            1 => {
                let time = self.random.of(&["5", "6", "7", "None"]);
                let body = self.body(scope, depth);
                out.push(Node::block(format!("async with asyncio.timeout({time}):"), body));
            }
            _ => {
                let group = self.name("group");
                let mut body = Vec::new();
                for _ in 0..1 + self.random.below(2) {
                    let name = self.name("t");
                    body.push(Node::line(format!("{name} = {group}.create_task({})", self.coroutine())));
                    scope.tasks.push(name);
                }
                if self.random.percent(70) {
                    body.extend(self.body(scope, depth));
                }
                out.push(Node::block(format!("async with asyncio.TaskGroup() as {group}:"), body));
            }
        }
    }

    fn cases(&mut self, scope: &mut Scope, depth: usize, out: &mut Vec<Node>) {
        let test = self.test(scope, 0);
        let mut cases = Vec::new();
        let pattern = self.random.of(&["True", "False", "True | None"]);
        let body = self.body(scope, depth);
        cases.push(Node::block(format!("case {pattern}:"), body));
        if self.random.percent(60) {
            let body = self.body(scope, depth);
            let guard = if self.random.percent(30) { " if flag()".to_owned() } else { String::new() };
            cases.push(Node::block(format!("case _{guard}:"), body));
        }
        out.push(Node::block(format!("match {test}:"), cases));
    }

    /// A nested function that waits, or does not.
    fn helper(&mut self, scope: &mut Scope, out: &mut Vec<Node>) {
        let name = self.name("helper");
        let mut inner = Scope { in_loop: false, sets: Vec::new(), ..scope.clone() };
        let mut body = Vec::new();
        match self.random.below(3) {
            0 => body.push(Node::line(format!("await {}", self.awaitable(scope, 0)))),
            1 => body.push(Node::line("await asyncio.sleep(0)")),
            _ => body = self.body(&mut inner, 1),
        }
        // Only reads what is outside: a name that it binds is its own.
        out.push(Node::block(format!("async def {name}():"), body));
        scope.helpers.push(name);
    }
}
