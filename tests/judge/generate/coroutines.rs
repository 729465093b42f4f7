//! What the programs of `lives` do with coroutines: make them in all the ways that give one, and consume them, or not.

use super::helpers::{AWAIT_COROUTINE, GIVE_COROUTINE, TAKE_COROUTINE};
use super::lives::{Scope, Writer};
use crate::program::Node;

impl Writer {
    /// An expression that makes a coroutine.
    pub fn call(&mut self, scope: &Scope) -> String {
        let number = self.number();
        match self.random.weighted(&[44, 14, 12, 3, 6, 3, 14, 2, 10]) {
            1 => format!("calm({number})"),
            2 => format!("boom({number})"),
            3 => format!("snap({number})"),
            4 => format!("{}({number})", self.helper(GIVE_COROUTINE)),
            5 => "asyncio.sleep(1)".to_owned(),
            6 if !scope.makers.is_empty() => format!("{}()", self.pick(&scope.makers).unwrap_or_default()),
            7 => format!("asyncio.wait_for(work({number}), 5)"),
            8 if self.service => format!("service.{}({number})", self.random.of(&["fetch", "fetch", "twice", "later"])),
            _ => format!("work({number})"),
        }
    }

    /// The same, for `main` to await: it does not fail for certain, or somebody handles it.
    fn gentle(&mut self, scope: &Scope) -> String {
        let call = self.call(scope);
        let fails = call.starts_with("boom") || call.starts_with("snap");
        if fails && !scope.in_try { format!("work({})", self.number()) } else { call }
    }

    pub fn make_coroutine(&mut self, scope: &mut Scope, out: &mut Vec<Node>) {
        let (call, other) = (self.call(scope), self.call(scope));
        let name = match self.pick(&scope.fresh) {
            Some(old) if self.random.percent(10) => old,
            _ => self.name("c"),
        };
        let number = self.number();
        match self.random.weighted(&[44, 8, 8, 5, 5, 4, 12, 3, 2]) {
            0 => self.line(format!("{name} = {call}"), out),
            1 => self.line(format!("{name} = {call} if flag() else {other}"), out),
            2 => {
                let second = self.name("c");
                self.line(format!("{name}, {second} = {call}, {other}"), out);
                scope.fresh.push(second);
            }
            3 => {
                let mut inner = Scope { fresh: vec![name.clone()], ..scope.clone() };
                let mut body = Vec::new();
                self.use_coroutine(&mut inner, 3, &mut body);
                out.push(Node::block(format!("if ({name} := {call}) is not None:"), body));
                // It is bound from here on, and its block has mostly used it.
                if self.random.percent(80) {
                    return;
                }
            }
            4 => {
                self.line(format!("{name} = {call}"), out);
                self.lines(&format!("if flag():\n    {name} = {other}"), out);
            }
            5 => {
                self.helpers.extend(["fresh_one"]);
                self.line(format!("{name} = await fresh_one({number})"), out);
            }
            6 => return self.line(call, out),
            7 => {
                let line = match self.random.below(2) {
                    0 => format!("flag() and {call}"),
                    _ => format!("{call} if flag() else None"),
                };
                return self.line(line, out);
            }
            _ => return self.line(format!("_ = {call}"), out),
        }
        scope.used.retain(|used| *used != name);
        if !scope.fresh.contains(&name) {
            scope.fresh.push(name);
        }
    }

    pub fn use_coroutine(&mut self, scope: &mut Scope, depth: usize, out: &mut Vec<Node>) {
        let fresh = self.pick(&scope.fresh);
        let Some(name) =
            (if self.random.percent(8) { self.pick(&scope.used).or(fresh) } else { fresh.or(self.pick(&scope.used)) })
        else {
            return;
        };
        let task = self.name("t");
        let call = self.gentle(scope);
        let time = self.random.of(&["5", "None"]);
        match self.random.weighted(&[40, 8, 14, 4, 8, 8, 4, 5, 10, 10, 3, 5, 5, 8, 4, 5, 3, 3, 4, 5]) {
            0 => self.line(format!("await {name}"), out),
            1 => self.line(format!("value = await {name}"), out),
            2 | 3 => {
                let make = self.random.of(&["asyncio.create_task", "asyncio.create_task", "asyncio.ensure_future"]);
                self.line(format!("{task} = {make}({name})"), out);
                scope.tasks.push(task);
            }
            4 => self.line(format!("await asyncio.gather({name}, {call})"), out),
            5 => self.line(format!("await asyncio.wait_for({name}, {time})"), out),
            6 => self.line(format!("await asyncio.shield({name})"), out),
            7 => self.line(format!("{name}.close()"), out),
            8 => {
                let helper = self.helper(TAKE_COROUTINE);
                match (helper, self.random.below(4)) {
                    ("start" | "launch", 1..) => {
                        self.line(format!("{task} = {helper}({name})"), out);
                        scope.tasks.push(task);
                    }
                    ("same", _) => {
                        let other = self.name("c");
                        self.line(format!("{other} = same({name})"), out);
                        scope.fresh.push(other);
                    }
                    _ => self.line(format!("{helper}({name})"), out),
                }
            }
            9 => {
                let helper = self.helper(AWAIT_COROUTINE);
                match self.random.below(5) {
                    0 => {
                        self.line(format!("{task} = asyncio.create_task({helper}({name}))"), out);
                        scope.tasks.push(task);
                    }
                    _ => self.line(format!("await {helper}({name})"), out),
                }
            }
            10 => self.line(format!("asyncio.create_task({name})"), out),
            11 => self.lines(&format!("try:\n    await {name}\nexcept ValueError:\n    pass"), out),
            12 => {
                let text = match self.random.below(3) {
                    0 => format!("if flag():\n    await {name}"),
                    1 => format!("if flag():\n    await {name}\nelse:\n    {name}.close()"),
                    _ => format!("if flag():\n    await {name}\nelse:\n    await asyncio.wait_for({name}, 5)"),
                };
                self.lines(&text, out);
            }
            13 => {
                let leave = match self.random.below(3) {
                    0 if scope.in_loop => "continue",
                    1 => "raise ValueError(2)",
                    _ => "return",
                };
                let close = if self.random.percent(30) { format!("    {name}.close()\n") } else { String::new() };
                self.lines(&format!("if flag():\n{close}    {leave}\nawait {name}"), out);
            }
            14 => {
                let group = self.name("group");
                self.lines(
                    &format!("async with asyncio.TaskGroup() as {group}:\n    {task} = {group}.create_task({name})"),
                    out,
                );
            }
            15 if depth < 3 => {
                let text = match self.random.below(4) {
                    0 => format!("for _ in range(2):\n    await {name}"),
                    1 => format!("while flag():\n    await asyncio.sleep(1)\n    await {name}"),
                    2 => format!(
                        "for _ in range(3):\n    try:\n        await {name}\n        break\n    except ValueError:\n        await asyncio.sleep(1)"
                    ),
                    _ => format!("for _ in range(3):\n    await {name}\n    break"),
                };
                self.lines(&text, out);
            }
            16 => self.line(format!("keep({name})"), out),
            17 => self.lines(&format!("async with asyncio.timeout({time}):\n    await {name}"), out),
            18 => {
                let inner = self.name("inner");
                self.lines(
                    &format!("async def {inner}():\n    return await {name}\n\nawait {inner}()").replace("\n\n", "\n"),
                    out,
                );
                if self.random.percent(25) {
                    self.line(format!("await {inner}()"), out);
                }
            }
            19 => {
                let jobs = self.name("jobs");
                self.line(format!("{jobs} = [{name}, {call}]"), out);
                scope.jobs.push(jobs);
            }
            _ => self.line(format!("await {name}"), out),
        }
        scope.fresh.retain(|fresh| *fresh != name);
        scope.used.retain(|used| *used != name);
        scope.used.push(name);
    }

    pub fn use_at_once(&mut self, scope: &mut Scope, out: &mut Vec<Node>) {
        let (call, other) = (self.gentle(scope), self.gentle(scope));
        let line = match self.random.weighted(&[30, 10, 14, 8, 6, 6, 4, 3]) {
            0 => format!("await {call}"),
            1 => format!("value = await {call}"),
            2 => {
                let quietly = if self.random.percent(40) { ", return_exceptions=True" } else { "" };
                format!("await asyncio.gather({call}, {other}{quietly})")
            }
            3 => format!("await asyncio.wait_for({call}, 5)"),
            4 => format!("await {}({call})", self.helper(AWAIT_COROUTINE)),
            5 => {
                let number = self.number();
                self.helpers.extend(["again"]);
                format!("await again(lambda: work({number}))")
            }
            6 => format!("await asyncio.shield({call})"),
            _ => format!("await (work({}) if flag() else {call})", self.number()),
        };
        self.line(line, out);
    }

    pub fn make_maker(&mut self, scope: &mut Scope, out: &mut Vec<Node>) {
        let call = self.gentle(scope);
        let name = self.name("get");
        match self.random.below(3) {
            0 => self.line(format!("{name} = lambda: {call}"), out),
            1 => self.lines(&format!("async def {name}():\n    return await {call}"), out),
            _ => self.lines(&format!("def {name}():\n    return {call}"), out),
        }
        scope.makers.push(name);
    }

    pub fn make_jobs(&mut self, scope: &mut Scope, out: &mut Vec<Node>) {
        let function = self.random.of(&["work", "work", "calm", "boom"]);
        let (call, other) = (self.call(scope), self.call(scope));
        if self.random.percent(25) {
            let name = self.name("by_name");
            if self.random.percent(30) {
                let name = format!("tasks_{name}");
                let text = match self.random.below(2) {
                    0 => format!("{name} = {{n: asyncio.create_task({function}(n)) for n in range(1, 4)}}"),
                    _ => format!("{name} = {{}}\n{name}[1] = asyncio.create_task({call})"),
                };
                self.lines(&text, out);
                return scope.by_name.push(name);
            }
            let text = match self.random.below(3) {
                0 => format!("{name} = {{n: {function}(n) for n in range(1, 4)}}"),
                1 => format!("{name} = {{}}\n{name}[1] = {call}"),
                _ => format!("{name} = {{1: {call}, 2: {other}}}"),
            };
            self.lines(&text, out);
            scope.by_name.push(name);
            return;
        }
        let name = self.name("jobs");
        let text = match self.random.below(5) {
            0 => format!("{name} = [{function}(n) for n in range(1, 4)]"),
            1 => format!("{name} = []\nfor n in range(1, 4):\n    {name}.append({function}(n))"),
            2 => format!("{name} = []\nif flag():\n    {name}.append({call})\n{name}.append({other})"),
            3 => format!("{name} = [{call}]\n{name} += [{other}]"),
            _ => format!("{name} = [{call}, {other}]"),
        };
        self.lines(&text, out);
        scope.jobs.push(name);
    }

    pub fn use_jobs(&mut self, scope: &mut Scope, out: &mut Vec<Node>) {
        if let Some(name) = self.pick(&scope.by_name)
            && self.random.percent(if scope.jobs.is_empty() { 100 } else { 30 })
        {
            let text = match self.random.below(5) {
                0 => format!("for job in {name}.values():\n    await job"),
                1 => format!("await {name}[1]"),
                2 => format!("for key, job in {name}.items():\n    await job"),
                3 if name.starts_with("tasks") => format!("{name}[1].cancel()"),
                3 => format!("{name}[1].close()"),
                _ => format!("await asyncio.gather(*{name}.values(), return_exceptions=True)"),
            };
            if self.random.percent(85) {
                scope.by_name.retain(|used| *used != name);
            }
            return self.lines(&text, out);
        }
        let Some(name) = self.pick(&scope.jobs) else { return };
        // Mostly once.
        if self.random.percent(85) {
            scope.jobs.retain(|used| *used != name);
        }
        let call = self.call(scope);
        let batch = self.name("ts");
        let text = match self.random.weighted(&[20, 10, 14, 14, 6, 5, 4, 5, 4, 5, 3]) {
            0 => format!("await asyncio.gather(*{name})"),
            1 => format!("results = await asyncio.gather(*{name}, return_exceptions=True)"),
            2 => format!("for job in {name}:\n    await job"),
            3 => {
                scope.batches.push(batch.clone());
                format!("{batch} = [asyncio.create_task(job) for job in {name}]")
            }
            4 => format!("results = [await job for job in {name}]"),
            5 => format!("for job in asyncio.as_completed({name}):\n    await job"),
            6 => format!("await {name}[0]"),
            7 => {
                scope.jobs.push(name.clone());
                format!("{name}.append({call})")
            }
            8 => format!("while {name}:\n    await {name}.pop()"),
            9 => format!("for job in {name}:\n    job.close()"),
            _ => format!("first, *rest = {name}\nawait first\nawait asyncio.gather(*rest)"),
        };
        self.lines(&text, out);
    }
}
