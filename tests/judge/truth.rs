//! Is it the truth that `cpython.py` tells? Programs of which we know it.
//!
//! A comment says what happens on its line: `# RULE always`, `# RULE sometimes` or `# RULE never` (the line is reached, and it
//! does not), several with `;` between them. Where nothing is said nothing happens. The coroutines are those of the prelude of
//! `generate/lives.rs`.

use crate::cpython::{Python, Request, Site};
use crate::generate::{self, Family};
use crate::oracle;

const PROGRAMS: &[&str] = &[
    // Made and never used, in all the ways that there are.
    "async def main():
    work(1)  # coroutine-never-awaited always
    c = work(2)  # coroutine-never-awaited always
    asyncio.sleep(1)  # coroutine-never-awaited always
    d = work(3)  # coroutine-never-awaited sometimes
    if flag():
        await d
    e = calm(4)  # coroutine-never-awaited always
    e = calm(5)  # coroutine-never-awaited never
    await e
    jobs = [calm(n) for n in range(3)]  # coroutine-never-awaited always
    f = calm(6)
    f.close()
",
    // One that only an error leaves behind is not, but one that the program leaves behind is.
    "async def main():
    c = calm(1)  # coroutine-never-awaited never
    await work(2)
    await c
    d = calm(3)  # coroutine-never-awaited sometimes
    if flag():
        raise ValueError(1)
    await d
",
    "async def main():
    c = calm(1)  # coroutine-never-awaited sometimes
    if flag():
        return
    await c
",
    // By functions that give one, or take one.
    "def make(n):
    return work(n)
async def use(it):
    return await it
def drop(it):
    pass
class Service:
    def later(self, n):
        return self.fetch(n)
    async def fetch(self, n):
        return n
async def main():
    make(1)  # coroutine-never-awaited always
    c = make(2)  # coroutine-never-awaited never
    await asyncio.gather(c, return_exceptions=True)
    d = calm(3)  # coroutine-never-awaited never
    await use(d)
    e = calm(4)  # coroutine-never-awaited always
    drop(e)
    Service().later(5)  # coroutine-never-awaited always
    service = Service()
    service.fetch(6)  # coroutine-never-awaited always
    get = lambda: calm(7)
    get()  # coroutine-never-awaited always
",
    // Twice.
    "async def main():
    c = calm(1)
    await c  # coroutine-reused never
    await c  # coroutine-reused always
",
    "async def main():
    c = calm(1)
    for _ in range(2):
        await c  # coroutine-reused always
",
    "async def main():
    c = calm(1)
    if flag():
        await c  # coroutine-reused never
    await c  # coroutine-reused sometimes
",
    "async def main():
    c = work(1)
    for _ in range(3):
        try:
            await c  # coroutine-reused sometimes
            break
        except ValueError:
            pass
",
    // The error comes up in the second task, or in the first.
    "async def main():
    c = calm(1)
    t = asyncio.create_task(c)  # coroutine-reused never
    u = asyncio.create_task(c)  # coroutine-reused always
    await t
    await asyncio.wait([u])  # task-exception-never-retrieved always
",
    "async def main():
    c = calm(1)
    t = asyncio.create_task(c)  # coroutine-reused never
    await c  # coroutine-reused always
    await asyncio.wait([t])  # task-exception-never-retrieved always
",
    "async def use(it):
    return await it
async def main():
    c = calm(1)
    await use(c)  # coroutine-reused never
    await use(c)  # coroutine-reused always
",
    "async def main():
    c = calm(1)
    c.close()  # coroutine-reused never
    await asyncio.gather(c, return_exceptions=True)  # coroutine-reused always
",
    "async def main():
    c = calm(1)
    await asyncio.gather(c, c)  # coroutine-reused never
",
    "async def main():
    c = calm(1)
    await asyncio.wait_for(c, None)  # coroutine-reused never
    await asyncio.wait_for(c, None)  # coroutine-reused always
",
    // Cancelled, and asked.
    "async def main():
    t = asyncio.create_task(calm(1))
    t.cancel()
    await t  # cancelled-task-unguarded always
",
    "async def main():
    t = asyncio.create_task(calm(1))
    await asyncio.sleep(1)
    t.cancel()
    await t  # cancelled-task-unguarded sometimes
",
    "async def main():
    t = asyncio.create_task(calm(1))
    t.cancel()
    await asyncio.wait([t])
    t.result()  # cancelled-task-unguarded always
",
    "async def main():
    t = asyncio.create_task(calm(1))
    t.cancel()
    await asyncio.gather(t, return_exceptions=True)
    if not t.cancelled():
        t.exception()
    try:
        t.exception()  # cancelled-task-unguarded never
    except asyncio.CancelledError:
        pass
    with contextlib.suppress(asyncio.CancelledError):
        await t  # cancelled-task-unguarded never
    try:
        await t  # cancelled-task-unguarded sometimes
    except asyncio.CancelledError:
        raise
",
    // That the one that waits is cancelled, and the task with it, is not the task's.
    "async def main():
    t = asyncio.create_task(calm(1))
    await t  # cancelled-task-unguarded never
",
    "async def main():
    t = asyncio.create_task(calm(1))
    asyncio.current_task().cancel()
    await t  # cancelled-task-unguarded never
",
    // Whoever cancels: here it is the end of the program.
    "def asks(it):
    it.exception()  # cancelled-task-unguarded sometimes
def looks(it):
    if not it.cancelled():
        it.exception()  # cancelled-task-unguarded never
async def main():
    t = asyncio.create_task(calm(1))
    t.add_done_callback(asks)
    t.add_done_callback(looks)
",
    // Dropped, and failed without a word.
    "async def main():
    asyncio.create_task(calm(1))  # dangling-task always; task-exception-never-retrieved never
    t = asyncio.create_task(boom(2))  # dangling-task always; task-exception-never-retrieved always
    BACKGROUND.add(asyncio.create_task(boom(3)))  # dangling-task never; task-exception-never-retrieved always
    u = asyncio.create_task(work(4))  # dangling-task never; task-exception-never-retrieved never
    await asyncio.gather(u, return_exceptions=True)
",
    "def start(it):
    return asyncio.create_task(it)
async def main():
    start(boom(1))  # dangling-task always; task-exception-never-retrieved always
    t = start(boom(2))  # dangling-task never; task-exception-never-retrieved never
    with contextlib.suppress(ValueError):
        await t
",
    "async def main():
    t = asyncio.create_task(boom(1))  # task-exception-never-retrieved always; dangling-task never
    u = asyncio.create_task(boom(2))  # task-exception-never-retrieved never
    await asyncio.wait([t, u])
    print(u.exception())
",
    "async def main():
    t = asyncio.create_task(work(1))  # task-exception-never-retrieved always; dangling-task never
    while not t.done():
        await asyncio.sleep(1)
",
    "async def main():
    g = asyncio.gather(boom(1))  # task-exception-never-retrieved sometimes
",
    // `cancel()` on one that has failed silences the log.
    "async def main():
    t = asyncio.create_task(snap(1))
    await asyncio.sleep(0)
    t.cancel()  # task-exception-never-retrieved sometimes
",
    // Whoever asks in some run, gives it away or reads it where no run came to has not forgotten it.
    "async def main():
    t = asyncio.create_task(work(1))  # task-exception-never-retrieved sometimes; dangling-task sometimes
    if flag():
        await t
",
    "async def main():
    t = asyncio.create_task(boom(1))  # task-exception-never-retrieved sometimes; dangling-task never
    t.add_done_callback(keep)
    u = asyncio.create_task(boom(2))  # task-exception-never-retrieved sometimes; dangling-task sometimes
    return
    await u
",
    // So has whoever puts it where code out of view may read it.
    "class Service:
    def start(self):
        self.task = asyncio.create_task(boom(1))  # task-exception-never-retrieved sometimes; dangling-task never
        self._own = asyncio.create_task(boom(2))  # task-exception-never-retrieved always; dangling-task never
async def main():
    Service().start()
",
    // Whoever takes the error may mean it.
    "async def main():
    t = asyncio.create_task(calm(1))
    try:
        t.result()  # result-before-done sometimes
    except Exception:
        t.exception()  # exception-before-done always
",
    "async def main():
    with contextlib.suppress(ExceptionGroup):
        async with asyncio.TaskGroup() as group:
            group.create_task(boom(1))  # dangling-task never; task-exception-never-retrieved never
",
];

/// What a line says: a rule, and how often it happens.
fn marks(line: &str) -> Vec<(&str, &str)> {
    let comment = line.split_once("  # ").map_or("", |(_, comment)| comment);
    comment.split("; ").filter_map(|mark| mark.split_once(' ')).collect()
}

fn how_often(sites: &[&Site]) -> &'static str {
    if sites.iter().any(|site| site.certain()) {
        "always"
    } else if sites.iter().any(|site| site.happens()) {
        "sometimes"
    } else if sites.iter().any(|site| site.reached > 0) {
        "never"
    } else {
        "not reached"
    }
}

#[test]
fn the_truth_is_what_is_known() {
    let Some(python) = oracle::python() else { return };
    let mut python = Python::start(python);
    let mut wrong = String::new();
    for program in PROGRAMS {
        let prelude = generate::program(Family::Lives, 0).prelude;
        let source = prelude.to_owned() + program;
        let sites = python.run(&Request { source: &source, seed: 1, runs: 300, most: 300, doubtful: &[] });
        let sites = sites.unwrap_or_else(|why| panic!("{why} in\n{program}"));
        let lines: Vec<&str> = source.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            for (rule, expected) in marks(line) {
                let here = sites.iter().filter(|site| site.rule == rule && site.lines.contains(&(index + 1)));
                let found = how_often(&Vec::from_iter(here));
                if found != expected {
                    wrong += &format!("{found}, not {expected}: {rule} at `{}` of\n{program}\n", line.trim());
                }
            }
        }
        let marked = |site: &Site| {
            site.lines.iter().any(|line| marks(lines[line - 1]).iter().any(|(rule, _)| *rule == site.rule))
        };
        for site in sites.iter().filter(|site| site.happens() && !marked(site)) {
            wrong += &format!("nothing is said of {site} at `{}` of\n{program}\n", lines[site.lines[0] - 1].trim());
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
