//! Asking only behind a condition, and letting the error come out of the `await`.

use crate::{CATCH, Case, DONE, TRY, check, in_async, titles};

#[test]
fn guards_go_where_they_change_least() {
    for (before, after) in [
        ("print(⟦task.result()⟧)  # x", "if task.done():\n    print(task.result())  # x"),
        ("x += ⟦task.result()⟧", "if task.done():\n    x += task.result()"),
        ("x[0] = ⟦task.result()⟧", "if task.done():\n    x[0] = task.result()"),
        ("x = ⟦task.result()⟧", "x = task.result() if task.done() else None"),
        ("self.x = ⟦task.result()⟧", "self.x = task.result() if task.done() else None"),
        ("return ⟦task.result()⟧", "return task.result() if task.done() else None"),
        ("return len(⟦task.result()⟧)", "if task.done():\n    return len(task.result())"),
        ("x = a or ⟦task.result()⟧", "x = a or (task.result() if task.done() else None)"),
        ("x = ⟦task.result()⟧ if a else 0", "x = (task.result() if task.done() else None) if a else 0"),
        ("g = lambda: ⟦task.result()⟧", "g = lambda: task.result() if task.done() else None"),
        ("if ⟦task.exception()⟧:\n    a()", "if task.done() and task.exception():\n    a()"),
        ("if(⟦task.exception()⟧):\n    a()", "if task.done() and (task.exception()):\n    a()"),
        ("if not ⟦task.exception()⟧:\n    a()", "if task.done() and not task.exception():\n    a()"),
        ("if len(⟦task.result()⟧) > 3:\n    a()", "if task.done() and len(task.result()) > 3:\n    a()"),
        ("if a or ⟦task.exception()⟧:\n    b()", "if a or (task.done() and task.exception()):\n    b()"),
        ("if a and ⟦task.exception()⟧:\n    b()", "if a and task.done() and task.exception():\n    b()"),
        (
            "if a:\n    pass\nelif ⟦task.result()⟧:\n    pass",
            "if a:\n    pass\nelif task.done() and task.result():\n    pass",
        ),
        ("while ⟦task.result()⟧ > 1:\n    pass", "while task.done() and task.result() > 1:\n    pass"),
        ("x = 1 if ⟦task.result()⟧ else 2", "x = 1 if task.done() and task.result() else 2"),
        (
            "if ⟦task.exception()⟧:\n    a()\nelse:\n    b()",
            "if task.done():\n    if task.exception():\n        a()\n    else:\n        b()",
        ),
        (
            "if ⟦task.exception()⟧:\n    x = 1\nelse:\n    x = 2",
            "if task.done() and task.exception():\n    x = 1\nelse:\n    x = 2",
        ),
        (
            "if (exc := ⟦task.exception()⟧) is None:\n    a()",
            "if (exc := (task.exception() if task.done() else None)) is None:\n    a()",
        ),
        (
            "print(\"\"\"\n  x\n\"\"\",\n\n    # why\n    ⟦task.result()⟧)",
            "if task.done():\n    print(\"\"\"\n  x\n\"\"\",\n\n        # why\n        task.result())",
        ),
        ("for i in ⟦task.result()⟧:\n    a(i)", "if task.done():\n    for i in task.result():\n        a(i)"),
    ] {
        check(before, DONE, after);
    }
}

#[test]
fn no_guard_leaves_a_name_unbound() {
    for lines in [
        "x = a + ⟦task.result()⟧",
        "x, y = ⟦task.result()⟧",
        "a(y := ⟦task.result()⟧ + 1)",
        "with open(⟦task.result()⟧) as x:\n    pass",
        "for i in ⟦task.result()⟧:\n    x = i",
        "def g(x=⟦task.result()⟧): pass",
        "a = 1; print(⟦task.result()⟧)",
        "print(⟦task.result()⟧); a = 1",
        "if (y := ⟦task.result()⟧ + 1) > 2:\n    a(y)",
    ] {
        assert!(!titles(lines).contains(&DONE.to_owned()), "{lines}");
    }
}

#[test]
fn the_error_is_caught_around_a_simple_statement() {
    check(
        "x = a + ⟦task.result()⟧",
        CATCH,
        "try:\n    x = a + task.result()\nexcept asyncio.InvalidStateError:\n    x = None",
    );
    check(
        "return len(⟦task.result()⟧)",
        CATCH,
        "try:\n    return len(task.result())\nexcept asyncio.InvalidStateError:\n    return None",
    );
    for lines in ["x, y = ⟦task.result()⟧", "for x in ⟦task.result()⟧:\n    pass", "a = 1; print(⟦task.result()⟧)"]
    {
        assert!(!titles(lines).contains(&CATCH.to_owned()), "{lines}");
    }
}

// ------------------------------------------------------------------------------------------------------------- cancelled tasks

#[test]
fn a_task_that_may_be_cancelled_is_asked_whether_it_was() {
    let source = in_async("print(⟦task.exception()⟧)");
    let case = Case { may_be_cancelled: true, ..Case::new(&source) };
    assert_eq!(
        case.after("Wait with `asyncio.wait([task])`, ask unless cancelled"),
        in_async("await asyncio.wait([task])\nif not task.cancelled():\n    print(task.exception())")
    );
    assert_eq!(
        case.after("Ask only if `task.done()` and not cancelled"),
        in_async("if task.done() and not task.cancelled():\n    print(task.exception())")
    );
    let source = in_async("x = ⟦task.result()⟧");
    let case = Case { may_be_cancelled: true, ..Case::new(&source) };
    assert_eq!(
        case.titles(),
        [
            "Wait with `asyncio.gather(task, return_exceptions=True)`, ask unless cancelled",
            "Wait with `asyncio.wait([task])`, ask unless cancelled",
            "Ask only if `task.done()` and not cancelled",
            CATCH,
        ]
    );
    assert_eq!(
        case.after(CATCH),
        in_async(
            "try:\n    x = task.result()\nexcept (asyncio.InvalidStateError, asyncio.CancelledError):\n    x = None"
        )
    );
}

#[test]
fn where_no_guard_fits_a_cancelled_task_gets_no_fix() {
    let source = in_async("if a:\n    pass\nelse: x, y = 1, ⟦task.exception()⟧");
    assert_eq!(Case { may_be_cancelled: true, ..Case::new(&source) }.titles(), [""; 0]);
}

// ------------------------------------------------------------------------------------------------------ try, except and else

#[test]
fn a_check_becomes_a_try() {
    for (before, after) in [
        (
            "if ⟦task.exception()⟧:\n    # bad\n    print(f'{task.exception()}', task.exception()if a else b)\nelse:  # good\n    b()",
            "try:\n    await task\nexcept Exception as exc:\n    # bad\n    print(f'{exc}', (exc)if a else b)\nelse:  # good\n    b()",
        ),
        ("if (⟦task.exception()⟧): return 1  # x", "try:\n    await task\nexcept Exception: return 1  # x"),
        ("if ⟦task.exception()⟧ is not None:\n    a()", "try:\n    await task\nexcept Exception:\n    a()"),
        (
            "if ⟦task.exception()⟧ is None:\n    a()",
            "try:\n    await task\nexcept Exception:\n    pass\nelse:\n    a()",
        ),
        (
            "if not ⟦task.exception()⟧:\n    a()\nelse:\n    log(task.exception())  # x\n    c()",
            "try:\n    await task\nexcept Exception as exc:\n    log(exc)  # x\n    c()\nelse:\n    a()",
        ),
        (
            "error = ⟦task.exception()⟧  # ask\n# then\nif error:\n    log(error)\nelse:\n    b()",
            "try:\n    await task  # ask\n# then\nexcept Exception as error:\n    log(error)\nelse:\n    b()",
        ),
        (
            "error = ⟦task.exception()⟧\nif error is None:\n    a()\nelse:\n    log(error)",
            "try:\n    await task\nexcept Exception as error:\n    log(error)\nelse:\n    a()",
        ),
        (
            "if error := ⟦task.exception()⟧:\n    log(error)",
            "try:\n    await task\nexcept Exception as error:\n    log(error)",
        ),
        (
            "if (error := ⟦task.exception()⟧) is not None:\n    raise error",
            "try:\n    await task\nexcept Exception as error:\n    raise error",
        ),
        (
            "exc = 1\nif ⟦task.exception()⟧:\n    log(task.exception(), lambda: task.exception())",
            "exc = 1\ntry:\n    await task\nexcept Exception as exc2:\n    log(exc2, lambda: task.exception())",
        ),
    ] {
        check(before, TRY, after);
    }
}

#[test]
fn a_check_that_says_more_stays_a_check() {
    for lines in [
        "if ⟦task.exception()⟧ and a:\n    b()",
        "if ⟦task.exception()⟧:\n    a()\nelif b:\n    c()",
        "if isinstance(⟦task.exception()⟧, ValueError):\n    a()",
        "error = ⟦task.exception()⟧\nif error:\n    a()\nprint(error)",
        "error = ⟦task.exception()⟧\nif error:\n    a()\nelse:\n    print(error)",
        "error = ⟦task.exception()⟧\na()\nif error:\n    b()",
        "if ⟦task.exception()⟧:\n    raise",
        "error = ⟦task.exception()⟧\nif error:\n    a(lambda: error)",
        "if ⟦task.exception()⟧:\n    task = a()\n    print(task.exception())",
        "if not ⟦task.exception()⟧:\n    a()\n# then\nelse:\n    b()",
        "if not ⟦task.exception()⟧:\n    a()\nelse: b()",
        "if (  # why\n    ⟦task.exception()⟧\n):\n    a()",
        "if ⟦tasks.pop().exception()⟧:\n    a()",
    ] {
        assert!(!titles(lines).iter().any(|title| title.starts_with("Replace")), "{lines}");
    }
    let source = in_async("if ⟦task.exception()⟧:\n    a()");
    let cancelled = Case { may_be_cancelled: true, ..Case::new(&source) };
    assert!(!cancelled.titles().iter().any(|title| title.starts_with("Replace")));
}
