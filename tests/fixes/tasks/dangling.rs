//! A task that nothing holds.

use super::{IN_SET, after, check, dangling, fixed_on, titles};
use crate::in_async;

const KEEP: &str = "Keep it as `task` and await it at the end";
const KEEP_ALL: &str = "Keep them in `tasks` and wait for all at the end";
const GROUP: &str = "Start it in a task group";

#[test]
fn a_dropped_task_is_kept_and_awaited_at_the_end_of_its_block() {
    assert_eq!(titles("⟦asyncio.create_task(x())⟧\ny()", dangling), [KEEP, IN_SET, GROUP]);
    // Started last, it is meant to run on; awaited at once it might wait for the code that starts it.
    for last in
        ["⟦asyncio.create_task(x())⟧", "⟦asyncio.create_task(x())⟧\nreturn a", "if a: ⟦asyncio.create_task(x())⟧"]
    {
        assert!(!titles(last, dangling).contains(&KEEP.to_owned()), "{last}");
    }
    for (before, after) in [
        ("⟦asyncio.create_task(x())⟧\ny()", "task = asyncio.create_task(x())\ny()\nawait task"),
        (
            "⟦asyncio.create_task(x())⟧  # why\nawait y()\n# end",
            "task = asyncio.create_task(x())  # why\nawait y()\nawait task\n# end",
        ),
        ("⟦asyncio.create_task(x())⟧\ny()\nreturn a", "task = asyncio.create_task(x())\ny()\nawait task\nreturn a"),
        ("⟦asyncio.create_task(x())⟧; y()", "task = asyncio.create_task(x()); y(); await task"),
        ("if a: ⟦asyncio.create_task(x())⟧; y()", "if a: task = asyncio.create_task(x()); y(); await task"),
        (
            "if a:\n    ⟦asyncio.create_task(x())⟧\n    y()\nz()",
            "if a:\n    task = asyncio.create_task(x())\n    y()\n    await task\nz()",
        ),
        (
            "async with session:\n    ⟦asyncio.create_task(x())⟧\n    if a:\n        y()\n",
            "async with session:\n    task = asyncio.create_task(x())\n    if a:\n        y()\n    await task",
        ),
        (
            "(⟦asyncio.create_task(\n    x(),  # task\n)⟧)\ny()",
            "task2 = (asyncio.create_task(\n    x(),  # task\n))\ny()\nawait task2",
        ),
    ] {
        let title = if after.starts_with("task2") { "Keep it as `task2` and await it at the end" } else { KEEP };
        check(before, dangling, title, after);
    }
}

#[test]
fn a_name_that_nobody_reads_is_used() {
    check(
        "t = ⟦asyncio.create_task(x())⟧\ny()",
        dangling,
        "Await `t` at the end",
        "t = asyncio.create_task(x())\ny()\nawait t",
    );
    check(
        "match a:\n    case 1:\n        t: asyncio.Task = ⟦asyncio.create_task(x())⟧\n        y()",
        dangling,
        "Await `t` at the end",
        "match a:\n    case 1:\n        t: asyncio.Task = asyncio.create_task(x())\n        y()\n        await t",
    );
    // `_` says that it is not used, and the second `t` is another task.
    for name in ["_", "t"] {
        check(
            &format!("{name} = ⟦asyncio.create_task(x())⟧\nt = y()"),
            dangling,
            "Await `task` at the end",
            "task = asyncio.create_task(x())\nt = y()\nawait task",
        );
    }
}

#[test]
fn the_tasks_of_a_loop_run_together() {
    check(
        "for i in a:\n    # why\n    if i:\n        ⟦asyncio.create_task(x(i))⟧  # i\nawait y()",
        dangling,
        KEEP_ALL,
        "tasks = []\nfor i in a:\n    # why\n    if i:\n        tasks.append(asyncio.create_task(x(i)))  # i\nawait y()\nawait asyncio.gather(*tasks)",
    );
    check(
        "for i in a:\n    for j in i:\n        t = ⟦asyncio.create_task(x(i))⟧",
        dangling,
        KEEP_ALL,
        "tasks = []\nfor i in a:\n    for j in i:\n        t = asyncio.create_task(x(i))\n        tasks.append(t)\nawait asyncio.gather(*tasks)",
    );
    check(
        "[⟦asyncio.create_task(x(i))⟧ for i in a]\nawait y()",
        dangling,
        KEEP_ALL,
        "tasks = [asyncio.create_task(x(i)) for i in a]\nawait y()\nawait asyncio.gather(*tasks)",
    );
    check(
        "for i in a:\n    ⟦asyncio.create_task(x(i))⟧\ny()",
        dangling,
        GROUP,
        "async with asyncio.TaskGroup() as group:\n    for i in a:\n        group.create_task(x(i))\n    y()",
    );
}

#[test]
fn nothing_waits_at_an_end_that_is_not_reached() {
    for lines in [
        "⟦asyncio.create_task(x())⟧\nreturn await y()",
        "⟦asyncio.create_task(x())⟧\nif a:\n    return\ny()",
        "⟦asyncio.create_task(x())⟧\nwhile True:\n    await y()",
        "⟦asyncio.create_task(x())⟧\nwhile True:\n    for i in a:\n        break",
        // It may never end, and a list of all its tasks would grow.
        "while a:\n    ⟦asyncio.create_task(x())⟧\n    await y()",
        "async for i in a:\n    ⟦asyncio.create_task(x(i))⟧",
        // The socket may be closed before the loop ends.
        "for i in a:\n    async with y(i) as z:\n        ⟦asyncio.create_task(x(z))⟧",
    ] {
        let titles = titles(lines, dangling);
        assert_eq!(titles[0], IN_SET, "{lines}");
    }
    // These end.
    for lines in [
        "⟦asyncio.create_task(x())⟧\nwhile True:\n    if a:\n        break",
        "⟦asyncio.create_task(x())⟧\ndef g():\n    return 1",
    ] {
        assert_eq!(titles(lines, dangling)[0], KEEP, "{lines}");
    }
    assert_eq!(titles("⟦asyncio.create_task(x())⟧\nraise y", dangling), [IN_SET]);
    assert_eq!(titles("⟦asyncio.create_task(x())⟧\nyield y", dangling), [IN_SET]);
    assert_eq!(titles("g = lambda: ⟦asyncio.create_task(x())⟧", dangling), [""; 0]);
    assert_eq!(titles("y(⟦asyncio.create_task(x())⟧)", dangling), [""; 0]);
}

#[test]
fn a_task_group_takes_the_task_and_what_follows() {
    check(
        "# why\n⟦asyncio.create_task(x(), name='a')⟧\n\nz = \"\"\"a\nb\"\"\"\nreturn z\n",
        dangling,
        GROUP,
        "# why\nasync with asyncio.TaskGroup() as group:\n    group.create_task(x(), name='a')\n\n    z = \"\"\"a\nb\"\"\"\nreturn z\n",
    );
    check(
        "loop = asyncio.get_running_loop()\nt = ⟦loop.create_task(x())⟧\nreturn await y()",
        dangling,
        GROUP,
        "loop = asyncio.get_running_loop()\nasync with asyncio.TaskGroup() as group:\n    t = group.create_task(x())\n    return await y()",
    );
    check(
        "async with asyncio.TaskGroup() as tg:\n    ⟦asyncio.create_task(x())⟧",
        dangling,
        "Start it in the task group `tg`",
        "async with asyncio.TaskGroup() as tg:\n    tg.create_task(x())",
    );
    for lines in [
        // A group would hand on an ExceptionGroup.
        "try:\n    ⟦asyncio.create_task(x())⟧\n    await y()\nexcept ValueError:\n    pass",
        "⟦asyncio.create_task(x())⟧\nif a:\n    raise ValueError",
        "⟦asyncio.ensure_future(x())⟧",
        "if a: ⟦asyncio.create_task(x())⟧",
    ] {
        assert!(!titles(lines, dangling).iter().any(|title| title.contains("group")), "{lines}");
    }
}

#[test]
fn task_groups_are_offered_from_3_11_on() {
    let source = in_async("⟦asyncio.create_task(x())⟧");
    for (python, expected) in [((3, 10), false), ((3, 11), true), ((3, 14), true), ((4, 0), true)] {
        let titles: Vec<String> = fixed_on(python, &source, dangling).into_iter().map(|(title, ..)| title).collect();
        assert_eq!(titles.contains(&GROUP.to_owned()), expected, "{python:?}: {titles:?}");
    }
}

#[test]
fn the_background_set_and_its_callback_stand_before_the_item() {
    let source = "\
#!/usr/bin/env python3
import asyncio
x = 1
# About f.
async def f():
    if x:
        ⟦asyncio.create_task(g())⟧  # c
";
    let expected = "\
#!/usr/bin/env python3
import asyncio
import logging
x = 1


background_tasks = set()


def _background_task_done(task):
    background_tasks.discard(task)
    if not task.cancelled() and task.exception() is not None:
        logging.getLogger(__name__).error(\"task failed\", exc_info=task.exception())


# About f.
async def f():
    if x:
        task = asyncio.create_task(g())  # c
        background_tasks.add(task)
        task.add_done_callback(_background_task_done)
";
    assert_eq!(after(source, dangling, IN_SET), expected);

    // The next one finds them there.
    let again = "\nasync def h():\n    t = ⟦asyncio.create_task(g())⟧\n";
    let added = "\nasync def h():\n    t = asyncio.create_task(g())\n    background_tasks.add(t)\n    t.add_done_callback(_background_task_done)\n";
    assert_eq!(after(&format!("{expected}{again}"), dangling, IN_SET), format!("{expected}{added}"));
}

#[test]
fn names_of_the_module_are_left_alone() {
    // Its `background_tasks` is no set.
    let source = "import logging\nLOG = logging.getLogger(__name__)\nbackground_tasks = 1\ndef f():\n\tloop.create_task(g()⟦⟧)\n";
    let source = source.replace("loop.create_task(g()⟦⟧)", "⟦loop.create_task(g())⟧");
    let expected = "\
import logging
LOG = logging.getLogger(__name__)
background_tasks = 1


background_tasks2 = set()


def _background_tasks2_done(task):
\tbackground_tasks2.discard(task)
\tif not task.cancelled() and task.exception() is not None:
\t\tLOG.error(\"task failed\", exc_info=task.exception())


def f():
\ttask = loop.create_task(g())
\tbackground_tasks2.add(task)
\ttask.add_done_callback(_background_tasks2_done)
";
    assert_eq!(after(&source, dangling, "Keep it in `background_tasks2` and log its error"), expected);
    // A set that the item keeps its tasks in already.
    let source = "\
running = set()


class A:
    def f(self, t):
        running.add(t)
        t.add_done_callback(running.discard)

    def g(self):
        ⟦self.loop.create_task(h())⟧
";
    let fixed = after(source, dangling, "Keep it in `running` and log its error");
    assert!(
        fixed.contains("running.add(task)") && fixed.contains("def _running_done(task):\n    running.discard(task)"),
        "{fixed}"
    );
    assert_eq!(fixed.matches("running = set()").count(), 1);
    // Nothing can stand before a module's own statements: they may be its imports.
    assert_eq!(fixed_on((3, 11), "⟦loop.create_task(h())⟧\n", dangling).len(), 0);
}

#[test]
fn line_endings_are_kept() {
    let source = "import asyncio\r\n\r\n\r\nasync def f():\r\n\t⟦asyncio.create_task(g())⟧\r\n\ty()\r\n";
    for (title, text, _) in fixed_on((3, 11), source, dangling) {
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{title}:\n{text:?}");
    }
    assert_eq!(
        after(source, dangling, KEEP),
        "import asyncio\r\n\r\n\r\nasync def f():\r\n\ttask = asyncio.create_task(g())\r\n\ty()\r\n\tawait task\r\n"
    );
}
