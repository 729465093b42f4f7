//! Random statements: the blocks, loops, handlers and helpers of the programs in `tasks`.

use super::EXCEPTIONS;
use super::tasks::{Generator, Scope};
use crate::program::Node;

impl Generator {
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

    pub fn statement(&mut self, scope: &mut Scope, depth: usize, out: &mut Vec<Node>) {
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
