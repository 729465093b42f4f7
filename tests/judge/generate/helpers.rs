//! Functions beside `main` in the programs of `lives`: what helpers do with a coroutine or a task that they are given, what they
//! give, and a class with methods.

use super::lives::{Scope, Writer, mentions};
use crate::program::{Node, parse, text};

/// Given a coroutine, plain functions.
pub const TAKE_COROUTINE: &[&str] = &["start", "launch", "drop_it", "ignore", "discard", "store", "same"];
/// Given a coroutine, to be awaited.
pub const AWAIT_COROUTINE: &[&str] =
    &["run", "run", "run_sometimes", "run_in_time", "run_twice", "run_beside", "leave"];
/// Given a task, plain functions; `cancel_it` is among the ways to cancel.
pub const TAKE_TASK: &[&str] = &["ask", "ask_error", "ask_if_done", "look", "ignore", "store", "same"];
/// Given a task, to be awaited.
pub const AWAIT_TASK: &[&str] = &["run", "finish_quietly", "settle_it", "wait_for_it", "leave"];
/// Given a task that is to end, to be awaited.
pub const STOP_TASK: &[&str] = &["stop_and_wait", "stop_and_settle", "stop_only"];
pub const CALLBACKS: &[&str] = &["on_done", "on_done_guarded", "on_done_handled", "on_done_quiet"];
/// Give a coroutine.
pub const GIVE_COROUTINE: &[&str] = &["make", "make", "make_either", "make_named"];

const HELPERS: &[(&str, &str)] = &[
    ("start", "def start(it):\n    return asyncio.create_task(it)"),
    (
        "launch",
        "def launch(it):\n    task = asyncio.create_task(it)\n    BACKGROUND.add(task)\n    task.add_done_callback(BACKGROUND.discard)\n    return task",
    ),
    ("drop_it", "def drop_it(it):\n    asyncio.create_task(it)"),
    ("ignore", "def ignore(it):\n    return None"),
    ("discard", "def discard(it):\n    it.close()"),
    ("store", "def store(it):\n    keep(it)"),
    ("same", "def same(it):\n    return it"),
    ("run", "async def run(it):\n    return await it"),
    ("run_sometimes", "async def run_sometimes(it):\n    if flag():\n        await it"),
    ("run_in_time", "async def run_in_time(it):\n    return await asyncio.wait_for(it, 5)"),
    ("run_twice", "async def run_twice(it):\n    await it\n    await it"),
    ("run_beside", "async def run_beside(it):\n    await asyncio.gather(it, calm(1))"),
    ("leave", "async def leave(it):\n    await asyncio.sleep(0)"),
    ("ask", "def ask(it):\n    return it.result()"),
    ("ask_error", "def ask_error(it):\n    return it.exception()"),
    ("ask_if_done", "def ask_if_done(it):\n    if it.done() and not it.cancelled():\n        return it.exception()"),
    ("look", "def look(it):\n    return it.done()"),
    (
        "finish_quietly",
        "async def finish_quietly(it):\n    try:\n        return await it\n    except Exception:\n        return None",
    ),
    ("settle_it", "async def settle_it(it):\n    await asyncio.gather(it, return_exceptions=True)"),
    ("wait_for_it", "async def wait_for_it(it):\n    await asyncio.wait([it])"),
    ("cancel_it", "def cancel_it(it):\n    it.cancel()"),
    (
        "stop_and_wait",
        "async def stop_and_wait(it):\n    it.cancel()\n    with contextlib.suppress(asyncio.CancelledError):\n        await it",
    ),
    (
        "stop_and_settle",
        "async def stop_and_settle(it):\n    it.cancel()\n    await asyncio.gather(it, return_exceptions=True)",
    ),
    ("stop_only", "async def stop_only(it):\n    it.cancel()\n    await asyncio.wait([it])"),
    ("on_done", "def on_done(it):\n    if it.exception():\n        print(it)"),
    (
        "on_done_guarded",
        "def on_done_guarded(it):\n    if it.cancelled():\n        return\n    if it.exception():\n        print(it)",
    ),
    (
        "on_done_handled",
        "def on_done_handled(it):\n    try:\n        print(it.result())\n    except (Exception, asyncio.CancelledError):\n        print(it)",
    ),
    ("on_done_quiet", "def on_done_quiet(it):\n    print(it)"),
    ("make", "def make(n):\n    return work(n)"),
    ("make_either", "def make_either(n):\n    if flag():\n        return work(n)\n    return calm(n)"),
    ("make_named", "def make_named(n):\n    it = calm(n)\n    return it"),
    ("fresh_one", "async def fresh_one(n):\n    return work(n)"),
    ("begin", "async def begin(n):\n    return asyncio.create_task(work(n))"),
    (
        "again",
        "async def again(function):\n    try:\n        return await function()\n    except ValueError:\n        return await function()",
    ),
];

/// The definition of a helper.
pub fn source(name: &str) -> &'static str {
    HELPERS.iter().find(|(helper, _)| *helper == name).map_or("", |(_, source)| source)
}

impl Writer {
    /// `Service`, whose methods use each other rightly or not: those that `main` comes to.
    pub fn class(&mut self, main: &str) -> Node {
        let number = self.number();
        let twice = self.random.of(&[
            "await self.fetch(n)",
            "return await self.fetch(n)",
            "self.fetch(n)",
            "it = self.fetch(n)\nawait it",
            "it = self.fetch(n)\nif flag():\n    await it",
            "await asyncio.gather(self.fetch(n), self.fetch(n))",
            "asyncio.create_task(self.fetch(n))",
            "it = asyncio.create_task(self.fetch(n))\nawait it",
        ]);
        let start = self.random.of(&[
            "self.task = asyncio.create_task(self.fetch(n))",
            "self.task = asyncio.create_task(self.fetch(n))\nself.task.add_done_callback(BACKGROUND.discard)",
            "self.task = asyncio.create_task(boom(n))",
            "self.task = asyncio.ensure_future(calm(n))",
            "asyncio.create_task(self.fetch(n))",
        ]);
        let stop = self.random.of(&[
            "if self.task:\n    self.task.cancel()",
            "if self.task:\n    await self.task",
            "if self.task:\n    self.task.cancel()\n    await self.task",
            "if self.task:\n    self.task.cancel()\n    with contextlib.suppress(asyncio.CancelledError):\n        await self.task",
            "if self.task:\n    await asyncio.wait([self.task])\n    print(self.task.result())",
            "if self.task is not None:\n    await asyncio.gather(self.task, return_exceptions=True)",
        ]);
        let hurry = self.random.of(&[
            "self.later(1)",
            "it = self.later(1)\nit.close()",
            "return asyncio.create_task(self.later(1))",
            "self.jobs.append(self.later(1))  # for others",
            "return self.later(1)",
        ]);
        let fails = self.random.of(&["if FAILS[n]:\n    raise FAILS[n](n)", "raise KeyError(n)", "print(n)"]);
        let block = |header: &str, body: &str| Node::block(header, parse(body));
        let mut body = vec![
            block("def __init__(self):", "self.task = None\nself.jobs = []"),
            block("async def fetch(self, n):", &format!("await asyncio.sleep(n)\n{fails}\nreturn n")),
            block("async def twice(self, n):", &format!("await self.fetch({number})\n{twice}")),
            block("def start(self, n):", start),
            block("async def stop(self):", stop),
            block("def later(self, n):", "return self.fetch(n)"),
            block("def hurry(self):", hurry),
            block("async def empty(self):", "for job in self.jobs:\n    await job\nself.jobs.clear()"),
        ];
        // From the last one to the first: none uses those behind it.
        let mut used = main.to_owned();
        for index in (1..body.len()).rev() {
            let name =
                body[index].line.split(['(', ' ']).find(|word| !["async", "def"].contains(word)).unwrap_or_default();
            if mentions(&used, name) {
                used += &text(&body[index..=index]);
            } else {
                body.remove(index);
            }
        }
        Node::block("class Service:", body)
    }

    pub fn ask_service(&mut self, scope: &mut Scope, out: &mut Vec<Node>) {
        let number = self.number();
        match self.random.weighted(&[4, 2, 4, 4, 2, 2, 2, 3, 2]) {
            0 => self.line(format!("await service.twice({number})"), out),
            1 => self.line(format!("service.twice({number})"), out),
            2 => self.line(format!("service.start({number})"), out),
            3 => self.line("await service.stop()", out),
            4 => self.line("service.hurry()", out),
            5 => self.line("await service.empty()", out),
            6 => {
                let call = self.call(scope);
                self.line(format!("service.jobs.append({call})"), out);
            }
            7 => {
                let call = self.call(scope);
                self.line(format!("service.task = asyncio.create_task({call})"), out);
            }
            _ => {
                let name = self.name("c");
                self.line(format!("{name} = service.later({number})"), out);
                scope.fresh.push(name);
            }
        }
    }
}
