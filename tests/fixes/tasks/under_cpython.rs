//! CPython as the judge: programs that lose an error, or raise a cancellation, and each of their fixes alone.

use super::{
    Defect, IN_SET, after, cancelled, collected, dangling, fixed_on, in_callback, kept, only_discarded, unhandled,
    waited,
};
use crate::in_def;
use crate::under_cpython::{HEAD, complaints};

const NEVER: &str = "Task exception was never retrieved";
const CANCELLED: &str = "CancelledError";
const OWN: &str = "ValueError: its own";

/// Bodies of `main`, what is wrong where they are marked, and what CPython complains of for that reason.
const WRONG: &[(Defect, &str, &str)] = &[
    (dangling, "⟦asyncio.create_task(fail())⟧\nawait asyncio.sleep(0.05)", NEVER),
    (dangling, "t = ⟦asyncio.create_task(fail())⟧\nawait asyncio.sleep(0.05)\nprint('done')\nreturn 1", NEVER),
    (dangling, "_ = ⟦asyncio.create_task(fail())⟧; await asyncio.sleep(0.05)", NEVER),
    (dangling, "for _ in range(3):\n    ⟦asyncio.create_task(fail())⟧\nawait asyncio.sleep(0.05)", NEVER),
    (dangling, "[⟦asyncio.create_task(fail())⟧ for _ in range(3)]\nawait asyncio.sleep(0.05)", NEVER),
    (
        dangling,
        "n = 0\nwhile n < 3:\n    n += 1\n    task = ⟦asyncio.ensure_future(fail())⟧\nawait asyncio.sleep(0.05)",
        NEVER,
    ),
    (
        dangling,
        "n = 0\nwhile n < 3:\n    n += 1\n    if n:\n        ⟦asyncio.create_task(fail())⟧\nawait asyncio.sleep(0.05)",
        NEVER,
    ),
    (
        dangling,
        "try:\n    ⟦asyncio.create_task(fail())⟧\n    await asyncio.sleep(0.05)\nfinally:\n    print('done')",
        NEVER,
    ),
    (dangling, "⟦asyncio.create_task(fail())⟧\nawait asyncio.sleep(0.05)\nif 1:\n    return 1\n", NEVER),
    (
        dangling,
        "async with asyncio.TaskGroup() as group:\n    ⟦asyncio.create_task(fail())⟧\n    await asyncio.sleep(0.05)",
        NEVER,
    ),
    (
        dangling,
        "def later():\n    ⟦asyncio.create_task(fail())⟧\nasyncio.get_running_loop().call_soon(later)\nawait asyncio.sleep(0.05)",
        NEVER,
    ),
    (kept, "task = ⟦asyncio.create_task(fail())⟧\nawait asyncio.sleep(0.05)\nprint(task.done())", NEVER),
    (
        kept,
        "for _ in range(2):\n    t = ⟦asyncio.create_task(fail())⟧\n    print(t.done())\nawait asyncio.sleep(0.05)",
        NEVER,
    ),
    (
        collected,
        "tasks = []\nwhile len(tasks) < 3:\n    tasks.append(⟦asyncio.create_task(fail())⟧)\nawait asyncio.sleep(0.05)\nprint(len(tasks))",
        NEVER,
    ),
    (
        collected,
        "tasks = {n: ⟦asyncio.create_task(fail())⟧ for n in range(3)}\nawait asyncio.sleep(0.05)\nprint(len(tasks))\nreturn",
        NEVER,
    ),
    (waited, "tasks = [asyncio.create_task(fail())]\n⟦await asyncio.wait(tasks)⟧", NEVER),
    (waited, "a, b = (asyncio.create_task(fail()) for _ in 'ab')\n⟦await asyncio.wait([a, b])⟧\nprint(a)", NEVER),
    (
        waited,
        "tasks = {asyncio.create_task(fail())}\n_, pending = ⟦await asyncio.wait(tasks, timeout=1)⟧  # all\nprint(pending)",
        NEVER,
    ),
    (
        waited,
        "tasks = [asyncio.create_task(fail()), asyncio.create_task(work())]\ntasks[1].cancel()\ndone, _ = ⟦await asyncio.wait(tasks)⟧\nprint(len(done))",
        NEVER,
    ),
    (
        only_discarded,
        "running = set()\ntask = asyncio.create_task(fail())\nrunning.add(task)\n⟦task.add_done_callback(running.discard)⟧\ndel task\nawait asyncio.sleep(0.05)",
        NEVER,
    ),
    (cancelled, "task = asyncio.create_task(work())\ntask.cancel()\n⟦await task⟧  # ends", CANCELLED),
    (cancelled, "task = asyncio.create_task(work())\ntask.cancel()\nx = ⟦await task⟧\nprint(x)", CANCELLED),
    (cancelled, "task = asyncio.create_task(work())\ntask.cancel()\nreturn ⟦await task⟧", CANCELLED),
    (
        cancelled,
        "task = asyncio.create_task(work())\ntask.cancel()\nawait asyncio.wait([task])\nprint(⟦task.result()⟧)",
        CANCELLED,
    ),
    (
        cancelled,
        "task = asyncio.create_task(work())\ntask.cancel()\nawait asyncio.wait([task])\nif ⟦task.exception()⟧:\n    print('failed')\nelse:\n    print('good')",
        CANCELLED,
    ),
    (
        cancelled,
        "task = asyncio.create_task(work())\ntask.cancel()\nawait asyncio.wait([task])\nexc = ⟦task.exception()⟧\nif exc:\n    print(exc)",
        CANCELLED,
    ),
    (in_callback, "def done(t):\n    'A doc.'\n    print(⟦t.result()⟧)", CANCELLED),
    (in_callback, "def done(t):\n    exc = ⟦t.exception()⟧\n    if exc:\n        print(exc)", CANCELLED),
    (in_callback, "def done(t):\n    if t:\n        x = ⟦t.exception()⟧\n        print(x)", CANCELLED),
    (in_callback, "done = lambda t: print(⟦t.result()⟧)", CANCELLED),
    (in_callback, "done = lambda t: ⟦t.exception()⟧ and print('failed')", CANCELLED),
    (unhandled, "⟦await asyncio.create_task(fail())⟧  # c", OWN),
    (unhandled, "task = asyncio.create_task(fail())\nx = ⟦await task⟧", OWN),
    (unhandled, "task = asyncio.create_task(fail())\nawait asyncio.wait([task])\nprint(⟦task.result()⟧)", OWN),
    (unhandled, "task = asyncio.create_task(fail())\nx = ⟦await task⟧\nprint(x + 1)", OWN),
];

/// What follows the body of a callback `done`: a task that is cancelled.
const CALLS_BACK: &str = "
task = asyncio.create_task(work())
task.add_done_callback(done)
task.cancel()
await asyncio.sleep(0.05)";

/// A coroutine that fails while it is cancelled.
const STUBBORN: &str = "\
async def stubborn():
    try:
        await asyncio.sleep(1)
    finally:
        await asyncio.sleep(0.01)
        raise ValueError('its own')

";

fn program(body: &str) -> String {
    let rest = if body.contains("done(t)") || body.contains("lambda t") { CALLS_BACK } else { "" };
    format!("{HEAD}{STUBBORN}{}\nasyncio.run(main())\n", in_def("async def main():", &format!("{body}{rest}")))
}

/// Whether an error may stay silent behind a fix: the author has asked for the cancellation.
fn may_hide(title: &str) -> bool {
    ["return_exceptions", "cancelled()", "Cancelled"].iter().any(|word| title.contains(word))
}

#[test]
fn cpython_sees_what_was_lost_come_to_light() {
    let mut programs = Vec::new();
    for &(defect, body, complaint) in WRONG {
        let source = program(body);
        let fixed = fixed_on((3, 11), &source, defect);
        assert!(!fixed.is_empty(), "{body}");
        programs.push((None, source.replace(['⟦', '⟧'], ""), complaint));
        programs.extend(fixed.into_iter().map(|(title, text, _)| (Some(title), text, complaint)));
    }
    let sources: Vec<&str> = programs.iter().map(|(_, source, _)| source.as_str()).collect();
    let mut problems = String::new();
    for ((title, source, complaint), complaints) in programs.iter().zip(complaints(&sources).unwrap_or_default()) {
        let own = |line: &String| line == OWN;
        let right = match title {
            None => complaints.iter().any(|line| line.starts_with(complaint)),
            Some(title) => {
                let group = |line: &String| source.contains("TaskGroup") && line.starts_with("ExceptionGroup: ");
                let seen = may_hide(title) || complaints.iter().any(own);
                seen && complaints.iter().all(|line| own(line) || group(line))
            }
        };
        if !right {
            problems.push_str(&format!("{title:?}\n{source}\n{complaints:#?}\n"));
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

#[test]
fn cpython_sees_the_callback_log_what_fails_and_nothing_else() {
    let first = program("⟦asyncio.create_task(fail())⟧\nawait asyncio.sleep(0.05)");
    let first = after(&first, dangling, IN_SET);
    // Beside it one that is cancelled and one that ends well.
    let more =
        "    ⟦asyncio.create_task(fail())⟧\n    [*background_tasks][-1].cancel()\n    asyncio.create_task(work())\n";
    let second = first.replace("    await asyncio.sleep(0.05)\n", &format!("{more}    await asyncio.sleep(0.05)\n"));
    let second = after(&second, dangling, IN_SET);
    let sources = [first.as_str(), second.as_str()];
    for (source, complaints) in sources.iter().zip(complaints(&sources).unwrap_or_default()) {
        assert_eq!(complaints, [OWN], "{source}");
    }
}
