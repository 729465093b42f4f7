//! A task whose exception nobody asks for.

use super::{after, check, collected, kept, only_discarded, titles, waited};

#[test]
fn a_kept_task_is_awaited_at_the_end() {
    let (logs, plain) = ("Await `task` at the end and log its error", "Await `task` at the end");
    let lines = "task = ⟦asyncio.create_task(x())⟧\nprint(task.done())\nreturn 1";
    assert_eq!(titles(lines, kept), [logs, plain]);
    check(lines, kept, plain, "task = asyncio.create_task(x())\nprint(task.done())\nawait task\nreturn 1");
    check(
        lines,
        kept,
        logs,
        "task = asyncio.create_task(x())\nprint(task.done())\ntry:\n    await task\nexcept Exception:\n    logger.exception(\"task failed\")\nreturn 1",
    );
    // On one line there is no room for a `try`.
    assert_eq!(titles("if a: task = ⟦asyncio.create_task(x())⟧; print(task)", kept), [plain]);
    // There may be none.
    assert_eq!(titles("task = ⟦asyncio.create_task(x())⟧ if a else None\nprint(task)", kept), [""; 0]);
    // Another task has the name in the end.
    assert_eq!(titles("task = ⟦asyncio.create_task(x())⟧\nprint(task)\ntask = y()", kept), [""; 0]);
    assert_eq!(titles("task = ⟦asyncio.create_task(x())⟧\nprint(task)\ndel task", kept), [""; 0]);
}

#[test]
fn tasks_that_are_kept_together_are_waited_for_together() {
    let (logs, plain) =
        ("Wait for all of `tasks` at the end and log their errors", "Wait for all of `tasks` at the end");
    let lines = "tasks = []\nwhile a:\n    tasks.append(⟦asyncio.create_task(x())⟧)\nprint(tasks)";
    assert_eq!(titles(lines, collected), [logs, plain]);
    let before = "tasks = []\nwhile a:\n    tasks.append(asyncio.create_task(x()))\nprint(tasks)\n";
    check(lines, collected, plain, &format!("{before}await asyncio.gather(*tasks)"));
    check(
        lines,
        collected,
        logs,
        &format!(
            "{before}for result in await asyncio.gather(*tasks, return_exceptions=True):\n    if isinstance(result, Exception):\n        logger.error(\"task failed\", exc_info=result)"
        ),
    );
    check(
        "tasks = {i: ⟦asyncio.create_task(x(i))⟧ for i in a}",
        collected,
        "Wait for all of `tasks.values()` at the end",
        "tasks = {i: asyncio.create_task(x(i)) for i in a}\nawait asyncio.gather(*tasks.values())",
    );
    check(
        "for i in a:\n    t = ⟦asyncio.create_task(x(i))⟧\n    print(t)",
        kept,
        plain,
        "tasks = []\nfor i in a:\n    t = asyncio.create_task(x(i))\n    tasks.append(t)\n    print(t)\nawait asyncio.gather(*tasks)",
    );
    // A cancellation would come out of a plain wait.
    let cancels = format!("{lines}\nfor t in tasks:\n    t.cancel()");
    assert_eq!(titles(&cancels, collected), [logs]);
    assert_eq!(titles("task = ⟦asyncio.create_task(x())⟧\nif task.done():\n    task.cancel()", kept), [""; 0]);
    // It may be a dict as well.
    assert_eq!(titles("tasks = make()\ntasks.append(⟦asyncio.create_task(x())⟧)", collected), [""; 0]);
}

#[test]
fn what_wait_has_found_is_asked() {
    let (log, gather) = ("Log the errors of the tasks in `done`", "Wait with `asyncio.gather(*ts)`");
    let errors = "for task in done:\n    if not task.cancelled() and task.exception() is not None:\n        logger.error(\"task failed\", exc_info=task.exception())";
    assert_eq!(titles("⟦await asyncio.wait(ts)⟧", waited), [log, gather]);
    check("⟦await asyncio.wait(ts)⟧  # c", waited, log, &format!("done, _ = await asyncio.wait(ts)  # c\n{errors}"));
    check("⟦await asyncio.wait(ts)⟧  # c", waited, gather, "await asyncio.gather(*ts)  # c");
    let plain = "Wait with `asyncio.gather`";
    check("⟦await asyncio.wait([a, b])⟧", waited, plain, "await asyncio.gather(a, b)");
    check(
        "⟦await asyncio.wait({\n    a,  # a\n    b,\n})⟧",
        waited,
        plain,
        "await asyncio.gather(*{\n    a,  # a\n    b,\n})",
    );
    for target in ["done, pending", "_, pending", "(done, pending)"] {
        let lines = format!("{target} = ⟦await asyncio.wait(ts)⟧");
        let target = target.replace("_,", "done,");
        check(&lines, waited, log, &format!("{target} = await asyncio.wait(ts)\n{errors}"));
        assert_eq!(titles(&lines, waited), [log]);
    }
    for lines in [
        "⟦await asyncio.wait(ts, timeout=1)⟧",
        "⟦await asyncio.wait(ts, return_when=asyncio.FIRST_COMPLETED)⟧",
        "⟦await asyncio.wait(t for t in ts)⟧",
        "⟦await asyncio.wait(*ts)⟧",
        "⟦await asyncio.wait(fs=ts)⟧",
    ] {
        assert_eq!(titles(lines, waited), [log], "{lines}");
    }
    assert_eq!(titles("both = ⟦await asyncio.wait(ts)⟧", waited), [""; 0]);
    assert_eq!(titles("y(⟦await asyncio.wait(ts)⟧)", waited), [""; 0]);
    // `_` is the function that translates.
    check(
        "⟦await asyncio.wait(ts)⟧\nprint(_('done'))",
        waited,
        "Log the errors of the tasks in `done2`",
        &format!("done2, pending = await asyncio.wait(ts)\n{}\nprint(_('done'))", errors.replace("done:", "done2:")),
    );
}

#[test]
fn a_second_callback_logs() {
    let source = "import asyncio\nimport logging\nrunning = set()\n\n\ndef f(loop):\n    task = loop.create_task(g())\n    running.add(task)\n    ⟦task.add_done_callback(running.discard)⟧  # c\n";
    let fixed = after(source, only_discarded, "Log its error in a second callback");
    let helper = "def _log_task_error(task):\n    if not task.cancelled() and task.exception() is not None:\n        logging.getLogger(__name__).error(\"task failed\", exc_info=task.exception())\n\n\ndef f(loop):";
    assert!(fixed.contains(helper), "{fixed}");
    assert!(fixed.ends_with("running.discard)  # c\n    task.add_done_callback(_log_task_error)\n"), "{fixed}");
    let again = format!("{fixed}def h(task):\n    ⟦task.add_done_callback(running.discard)⟧\n");
    let twice = after(&again, only_discarded, "Log its error in a second callback");
    assert_eq!(twice.matches("def _log_task_error").count(), 1);
}
