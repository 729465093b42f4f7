//! What the programs of `lives` do with tasks: who keeps them, who asks for their errors, who cancels them and waits for that.

use super::helpers::{AWAIT_TASK, CALLBACKS, STOP_TASK, TAKE_TASK};
use super::lives::{Scope, Writer};
use crate::program::Node;

impl Writer {
    pub fn make_task(&mut self, scope: &mut Scope, out: &mut Vec<Node>) {
        let (call, other) = (self.call(scope), self.call(scope));
        let name = match self.pick(&scope.tasks) {
            Some(old) if self.random.percent(10) => old,
            _ => self.name("t"),
        };
        let number = self.number();
        let function = self.random.of(&["work", "boom", "calm"]);
        match self.random.weighted(&[50, 6, 4, 8, 3, 5, 6, 2, 8, 3, 3, 4, 3, 2]) {
            0 => self.line(format!("{name} = asyncio.create_task({call})"), out),
            1 => self.line(format!("{name} = asyncio.ensure_future({call})"), out),
            2 => self.line(format!("{name} = asyncio.get_running_loop().create_task({call})"), out),
            3 => return self.line(format!("asyncio.create_task({call})"), out),
            4 => return self.line(format!("_ = asyncio.create_task({call})"), out),
            5 => {
                let helper = self.helper(&["start", "launch", "start", "drop_it"]);
                return self.line(format!("{helper}({call})"), out);
            }
            6 => {
                let helper = self.helper(&["start", "launch"]);
                self.line(format!("{name} = {helper}({call})"), out);
            }
            7 => {
                let helper = self.helper(&["begin"]);
                self.line(format!("{name} = await {helper}({number})"), out);
            }
            8 => {
                let batch = self.name("ts");
                let text = match self.random.below(4) {
                    0 => format!("{batch} = [asyncio.create_task({function}(n)) for n in range(1, 4)]"),
                    1 => format!("{batch} = []\nfor n in range(1, 4):\n    {batch}.append(asyncio.create_task({function}(n)))"),
                    2 => format!("{batch} = {{asyncio.create_task({call}), asyncio.create_task({other})}}"),
                    _ => format!("{batch} = [asyncio.create_task({call}), asyncio.create_task({other})]"),
                };
                self.lines(&text, out);
                return scope.batches.push(batch);
            }
            9 => return self.line(format!("BACKGROUND.add(asyncio.create_task({call}))"), out),
            10 => self.lines(
                &format!("{name} = asyncio.create_task({call})\nBACKGROUND.add({name})\n{name}.add_done_callback(BACKGROUND.discard)"),
                out,
            ),
            11 => {
                let second = self.name("t");
                self.line(
                    format!("{name}, {second} = asyncio.create_task({call}), asyncio.create_task({other})"),
                    out,
                );
                scope.tasks.push(second);
            }
            12 => {
                let (call, other) = (format!("asyncio.create_task({call})"), format!("asyncio.create_task({other})"));
                self.line(format!("{name} = {call} if flag() else {other}"), out);
            }
            _ => {
                let group = self.name("group");
                let text = format!("async with asyncio.TaskGroup() as {group}:\n    {group}.create_task({call})\n    {name} = {group}.create_task({other})");
                self.lines(&text, out);
            }
        }
        if !scope.tasks.contains(&name) {
            scope.tasks.push(name);
        }
    }

    /// What mostly stands at the end of a task's life.
    pub fn end_of_task(&mut self, task: &str, out: &mut Vec<Node>) {
        let text = match self.random.weighted(&[30, 8, 8, 6, 8, 8]) {
            0 => format!("await {task}"),
            1 => format!("try:\n    await {task}\nexcept Exception:\n    pass"),
            2 => format!("await asyncio.gather({task}, return_exceptions=True)"),
            3 => format!("await asyncio.wait([{task}])"),
            4 => format!("await {}({task})", self.helper(AWAIT_TASK)),
            _ => format!("await asyncio.wait([{task}])\nif not {task}.cancelled():\n    print({task}.exception())"),
        };
        self.lines(&text, out);
    }

    pub fn use_task(&mut self, scope: &mut Scope, out: &mut Vec<Node>) {
        let batch = self.pick(&scope.batches).filter(|_| scope.tasks.is_empty() || self.random.percent(30));
        if let Some(batch) = batch {
            return self.use_batch(&batch, out);
        }
        let Some(task) = self.pick(&scope.tasks) else { return };
        let other = self.pick(&scope.tasks).filter(|other| *other != task);
        let both = other.map_or_else(|| task.clone(), |other| format!("{task}, {other}"));
        let text = match self.random.weighted(&[34, 8, 8, 6, 6, 10, 14, 8, 4, 4, 8, 3]) {
            0 => return self.end_of_task(&task, out),
            1 => format!("value = await {task}"),
            2 => format!("await asyncio.gather({both})"),
            3 => format!("done, pending = await asyncio.wait([{both}])\nfor it in done:\n    print(it.result())"),
            4 => format!("await asyncio.wait([{both}], timeout=5)"),
            5 if self.random.percent(25) => match self.random.below(2) {
                0 => format!("{task}.add_done_callback(lambda it: print(it.exception()))"),
                _ => format!("{task}.add_done_callback(lambda it: it.cancelled() or print(it.exception()))"),
            },
            5 => format!("{task}.add_done_callback({})", self.helper(CALLBACKS)),
            6 => match self.helper(TAKE_TASK) {
                "same" => {
                    let name = self.name("t");
                    let text = format!("{name} = same({task})");
                    scope.tasks.push(name);
                    text
                }
                helper => format!("{helper}({task})"),
            },
            7 => format!("await {}({task})", self.helper(AWAIT_TASK)),
            8 => format!("if {task}.done():\n    print({task}.result())"),
            9 => format!("await asyncio.wait_for({task}, 5)"),
            10 => format!("await asyncio.wait([{task}])\nprint({task}.{}())", self.random.of(&["result", "exception"])),
            _ => format!("keep({task})"),
        };
        self.lines(&text, out);
    }

    pub fn use_batch(&mut self, batch: &str, out: &mut Vec<Node>) {
        let text = match self.random.weighted(&[10, 10, 8, 6, 5, 5, 4]) {
            0 => format!("await asyncio.gather(*{batch})"),
            1 => format!("await asyncio.gather(*{batch}, return_exceptions=True)"),
            2 => format!("await asyncio.wait({batch})"),
            3 => format!("for it in {batch}:\n    await it"),
            4 => format!("for it in {batch}:\n    it.cancel()"),
            5 => format!("for it in {batch}:\n    it.cancel()\nawait asyncio.gather(*{batch}, return_exceptions=True)"),
            _ => format!("done, pending = await asyncio.wait({batch})\nfor it in done:\n    print(it.exception())"),
        };
        self.lines(&text, out);
    }

    pub fn cancel(&mut self, scope: &mut Scope, out: &mut Vec<Node>) {
        let Some(task) = self.pick(&scope.tasks) else { return };
        if self.random.percent(50) {
            let time = self.random.below(2);
            self.line(format!("await asyncio.sleep({time})"), out);
        }
        if self.random.percent(20) {
            let helper = self.helper(STOP_TASK);
            self.line(format!("await {helper}({task})"), out);
        } else {
            let cancel = if self.random.percent(12) {
                format!("{}({task})", self.helper(&["cancel_it"]))
            } else {
                format!("{task}.cancel()")
            };
            match self.random.below(6) {
                0 => self.lines(&format!("if flag():\n    {cancel}"), out),
                1 => self.lines(&format!("if not {task}.done():\n    {cancel}"), out),
                _ => self.line(cancel, out),
            }
            let text = match self.random.weighted(&[8, 14, 10, 4, 5, 10, 10, 6, 4]) {
                0 => return,
                1 => format!("await {task}"),
                2 => format!("try:\n    await {task}\nexcept asyncio.CancelledError:\n    pass"),
                3 => format!("try:\n    await {task}\nexcept (ValueError, asyncio.CancelledError):\n    print({task})"),
                4 => format!("try:\n    await {task}\nexcept Exception:\n    pass"),
                5 => format!("with contextlib.suppress(asyncio.CancelledError):\n    await {task}"),
                6 => format!("await asyncio.gather({task}, return_exceptions=True)"),
                7 => format!("await asyncio.wait([{task}])"),
                _ => "await asyncio.sleep(1)".to_owned(),
            };
            self.lines(&text, out);
        }
        let ask = self.random.of(&["result", "exception"]);
        let text = match self.random.weighted(&[30, 8, 6, 4, 4, 3, 4]) {
            0 => return,
            1 => format!("print({task}.{ask}())"),
            2 => format!("if not {task}.cancelled():\n    print({task}.{ask}())"),
            3 => format!("if {task}.cancelled():\n    print({task})\nelse:\n    print({task}.{ask}())"),
            4 => format!("try:\n    print({task}.{ask}())\nexcept asyncio.CancelledError:\n    pass"),
            5 => format!("if {task}.done() and not {task}.cancelled():\n    print({task}.{ask}())"),
            _ => format!("if {task}.done():\n    print({task}.{ask}())"),
        };
        self.lines(&text, out);
    }
}
