//! A question that raises the cancellation of another task, and an error that nothing handles.

use super::{cancelled, check, in_callback, titles, unhandled};

const UNLESS: &str = "Ask only if not `task.cancelled()`";
const CATCH: &str = "Catch `asyncio.CancelledError`";
const SUPPRESS: &str = "Suppress `asyncio.CancelledError`";

#[test]
fn a_cancelled_task_is_not_asked() {
    assert_eq!(titles("print(⟦task.result()⟧)", cancelled), [UNLESS, CATCH]);
    check("print(⟦task.result()⟧)", cancelled, UNLESS, "if not task.cancelled():\n    print(task.result())");
    check(
        "if ⟦task.exception()⟧:\n    y()",
        cancelled,
        UNLESS,
        "if not task.cancelled() and task.exception():\n    y()",
    );
    check(
        "x = ⟦task.result()⟧",
        cancelled,
        CATCH,
        "try:\n    x = task.result()\nexcept asyncio.CancelledError:\n    x = None",
    );
}

#[test]
fn a_cancelled_task_is_awaited_with_care() {
    assert_eq!(titles("⟦await task⟧", cancelled), [SUPPRESS, CATCH]);
    check(
        "⟦await task⟧  # c",
        cancelled,
        SUPPRESS,
        "with contextlib.suppress(asyncio.CancelledError):\n    await task  # c",
    );
    check("⟦await task⟧  # c", cancelled, CATCH, "try:\n    await task  # c\nexcept asyncio.CancelledError:\n    pass");
    // Later code needs the name, or would run although it was to return.
    assert_eq!(titles("x = ⟦await task⟧", cancelled), [CATCH]);
    assert_eq!(titles("return ⟦await task⟧", cancelled), [CATCH]);
    assert_eq!(titles("for i in ⟦await task⟧:\n    pass", cancelled), [""; 0]);
}

#[test]
fn a_callback_returns_where_the_task_was_cancelled() {
    let (early, unless) = ("Return if `t.cancelled()`", "Ask only if not `t.cancelled()`");
    let lines = "def done(t):\n    'doc'\n    running.discard(t)\n    print(⟦t.result()⟧)";
    assert_eq!(titles(lines, in_callback), [early, unless, CATCH]);
    check(
        lines,
        in_callback,
        early,
        "def done(t):\n    'doc'\n    running.discard(t)\n    if t.cancelled():\n        return\n    print(t.result())",
    );
    check(
        "def done(t):\n    'doc'\n    # why\n    with y:\n        x = ⟦t.result()⟧\n        print(x)",
        in_callback,
        early,
        "def done(t):\n    'doc'\n    # why\n    if t.cancelled():\n        return\n    with y:\n        x = t.result()\n        print(x)",
    );
    // What follows may be there for all tasks.
    assert_eq!(titles("def done(t):\n    exc = ⟦t.exception()⟧\n    running.discard(t)", in_callback)[0], unless);
    assert_eq!(titles("def done(t): print(⟦t.result()⟧)", in_callback), [""; 0]);
    check(
        "task.add_done_callback(lambda t: print(⟦t.result()⟧))",
        in_callback,
        unless,
        "task.add_done_callback(lambda t: None if t.cancelled() else print(t.result()))",
    );
}

#[test]
fn an_error_is_caught_and_logged() {
    let (log, raise) = ("Catch its error and log it", "Log its error and raise it again");
    check(
        "⟦await task⟧  # c",
        unhandled,
        log,
        "try:\n    await task  # c\nexcept Exception:\n    logger.exception(\"task failed\")",
    );
    check(
        "x = ⟦await task⟧",
        unhandled,
        log,
        "try:\n    x = await task\nexcept Exception:\n    logger.exception(\"task failed\")",
    );
    check(
        "x = ⟦await task⟧\nprint(x)",
        unhandled,
        raise,
        "try:\n    x = await task\nexcept Exception:\n    logger.exception(\"task failed\")\n    raise\nprint(x)",
    );
    for lines in [
        "return ⟦await task⟧",
        "self.x = ⟦task.result()⟧",
        "x += ⟦await task⟧\ny(x)",
        "print(x := ⟦await task⟧, x)\ny(x)",
    ] {
        assert_eq!(titles(lines, unhandled), [raise], "{lines}");
    }
    for lines in
        ["if ⟦await task⟧:\n    pass", "if a: ⟦await task⟧", "g = lambda: ⟦task.result()⟧", "raise ⟦task.result()⟧"]
    {
        assert_eq!(titles(lines, unhandled), [""; 0], "{lines}");
    }
}
