//! The repairs of the rules about tasks: what is dropped, never asked, cancelled or not handled.

use aiolint::fixes::{
    Cancelled, Dangling, Draft, Global, Names, NeverRetrieved, Repair, Site, Unretrieved, definition_edit, draw_up,
    import_edit,
};
use aiolint::text::Span;

use crate::under_cpython::{HEAD, complaints};
use crate::{apply, in_async, in_def};

/// What the lines at module level say, as far as these tests need it.
struct Lines<'a>(&'a str);

impl Names for Lines<'_> {
    fn spelling(&self, dotted: &str) -> Option<String> {
        let (module, name) = dotted.rsplit_once('.')?;
        let imported = |line: &str| self.0.lines().any(|other| other == line);
        if imported(&format!("from {module} import {name}")) {
            return Some(name.to_owned());
        }
        imported(&format!("import {module}")).then(|| dotted.to_owned())
    }

    fn global(&self, name: &str) -> Option<Global> {
        self.0.lines().find_map(|line| {
            if line == format!("import {name}") {
                Some(Global::Import(name.to_owned()))
            } else if line.starts_with(&format!("def {name}(")) {
                Some(Global::Function)
            } else if line == format!("{name} = set()") {
                Some(Global::Call("builtins.set".to_owned()))
            } else if line == format!("{name} = logging.getLogger(__name__)") {
                Some(Global::Call("logging.getLogger".to_owned()))
            } else {
                line.starts_with(&format!("{name} = ")).then_some(Global::Other)
            }
        })
    }
}

/// A defect that the marked expression has: from its span, and the text of the item.
type Defect = fn(Span, &str) -> Repair;

fn dangling(call: Span, text: &str) -> Repair {
    Repair::Dangling(Dangling { call, held_by: target(call, text) })
}

fn kept(call: Span, text: &str) -> Repair {
    never_retrieved(call, target(call, text), false, Unretrieved::Kept)
}

/// The tasks are in `tasks`.
fn collected(call: Span, _: &str) -> Repair {
    never_retrieved(call, Some("tasks".to_owned()), true, Unretrieved::Kept)
}

fn waited(wait: Span, _: &str) -> Repair {
    never_retrieved(wait, None, true, Unretrieved::Waited(wait))
}

fn only_discarded(call: Span, _: &str) -> Repair {
    never_retrieved(call, None, false, Unretrieved::OnlyDiscarded(call))
}

fn lost_by_cancel(call: Span, _: &str) -> Repair {
    never_retrieved(call, None, false, Unretrieved::Cancelled(call))
}

fn never_retrieved(call: Span, held_by: Option<String>, in_collection: bool, how: Unretrieved) -> Repair {
    Repair::NeverRetrieved(NeverRetrieved { call, held_by, in_collection, how })
}

fn cancelled(at: Span, text: &str) -> Repair {
    cancelled_in(at, text, None)
}

/// The task is the parameter of the callback around: the last `def` or `lambda` before it.
fn in_callback(at: Span, text: &str) -> Repair {
    let before = &text[..at.start as usize];
    let start = before.rfind("def ").into_iter().chain(before.rfind("lambda")).max().unwrap();
    let tree = parse(text);
    let node = tree.root_node().descendant_for_byte_range(start, start + 3).unwrap().parent().unwrap();
    cancelled_in(at, text, Some(Span::new(node.start_byte() as u32, node.end_byte() as u32)))
}

fn cancelled_in(at: Span, text: &str, callback: Option<Span>) -> Repair {
    let is_await = at.of(text).starts_with("await ");
    let receiver = match is_await {
        true => Span::new(at.start + 6, at.end),
        false => Span::new(at.start, at.start + at.of(text).rfind('.').unwrap() as u32),
    };
    Repair::Cancelled(Cancelled { at, receiver, is_await, callback })
}

fn unhandled(at: Span, _: &str) -> Repair {
    Repair::Unhandled(at)
}

/// `task` of `task = …`.
fn target(call: Span, text: &str) -> Option<String> {
    let line = text[..call.start as usize].lines().last()?.trim();
    Some(line.strip_suffix(" =")?.split_whitespace().last()?.to_owned())
}

fn parse(text: &str) -> tree_sitter::Tree {
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).unwrap();
    parser.parse(text, None).unwrap()
}

/// The fixes of the marked expression in a file whose last item holds it: the item starts at the last line without indentation
/// that begins with `async def`, `def` or `class`, or at the file's start.
fn fixed_on(python: (u8, u8), source: &str, defect: Defect) -> Vec<(String, String, Draft)> {
    let file = source.replace(['⟦', '⟧'], "");
    let marked = source.find('⟦').expect("the expression is marked");
    let headers = ["async def ", "def ", "class "];
    let starts = file.match_indices('\n').map(|(at, _)| at + 1).chain([0]);
    let item = starts.filter(|&at| at < marked && headers.iter().any(|header| file[at..].starts_with(header))).max();
    let item = item.unwrap_or_default();
    // The next item's comments are not this one's.
    let end = file[marked..].find("\nasyncio.run").map_or(file.len(), |at| marked + at + 1);
    let text = &file[item..end];
    let start = marked - item;
    let length = source.find('⟧').expect("the expression is marked") - marked - '⟦'.len_utf8();
    let call = Span::new(start as u32, (start + length) as u32);
    let tree = parse(text);
    let newline = if file.contains("\r\n") { "\r\n" } else { "\n" };
    let in_async = text[..start].rfind("def ").is_some_and(|at| text[..at].ends_with("async "));
    let site = Site { src: text, root: tree.root_node(), in_async, names: &Lines(&file), newline, python };
    let drafts = draw_up(&site, &defect(call, text));
    let complete = |draft: Draft| {
        let edits = &draft.edits;
        assert!(edits.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start), "{}: {edits:?}", draft.title);
        let mut edits: Vec<_> = draft.imports.iter().map(|module| import_edit(&file, module)).collect();
        if !draft.definitions.is_empty() {
            edits.push(definition_edit(&file, item as u32, &draft.definitions));
        }
        edits.extend(draft.edits.iter().cloned().map(|mut edit| {
            edit.span = edit.span.shifted(item as u32);
            edit
        }));
        edits.sort_by_key(|edit| edit.span);
        let fixed = apply(&file, &edits);
        assert!(!parse(&fixed).root_node().has_error(), "{}:\n{fixed}", draft.title);
        (draft.title.clone(), fixed, draft)
    };
    drafts.into_iter().map(complete).collect()
}

/// Each title with the lines of `async def f` after its fix. Tests about imports and definitions look at the whole file.
fn fixed(lines: &str, defect: Defect) -> Vec<(String, String)> {
    let head = "import asyncio\nimport contextlib\nimport logging\n\nlogger = logging.getLogger(__name__)\n";
    let source = format!("{head}{}", in_async(lines));
    let lines_of = |text: &str| text.strip_prefix(head).map(str::to_owned);
    let fixed = fixed_on((3, 11), &source, defect).into_iter();
    fixed.map(|(title, text, _)| (title, lines_of(&text).unwrap_or(text))).collect()
}

fn titles(lines: &str, defect: Defect) -> Vec<String> {
    fixed(lines, defect).into_iter().map(|(title, _)| title).collect()
}

fn check(lines: &str, defect: Defect, title: &str, expected: &str) {
    let fixed = fixed(lines, defect);
    let Some((_, text)) = fixed.iter().find(|(found, _)| found == title) else {
        panic!("no fix `{title}` of\n{lines}\nbut {:?}", titles(lines, defect))
    };
    assert_eq!(*text, in_async(expected), "`{title}` of\n{lines}");
}

const KEEP: &str = "Keep it as `task` and await it at the end";
const KEEP_ALL: &str = "Keep them in `tasks` and wait for all at the end";
const IN_SET: &str = "Keep it in `background_tasks` and log its error";
const GROUP: &str = "Start it in a task group";

// ----------------------------------------------------------------------------------------------------------------- dangling

#[test]
fn a_dropped_task_is_kept_and_awaited_at_the_end_of_its_block() {
    assert_eq!(titles("⟦asyncio.create_task(x())⟧", dangling), [KEEP, IN_SET, GROUP]);
    for (before, after) in [
        ("⟦asyncio.create_task(x())⟧", "task = asyncio.create_task(x())\nawait task"),
        (
            "⟦asyncio.create_task(x())⟧  # why\nawait y()\n# end",
            "task = asyncio.create_task(x())  # why\nawait y()\nawait task\n# end",
        ),
        ("⟦asyncio.create_task(x())⟧\nreturn a", "task = asyncio.create_task(x())\nawait task\nreturn a"),
        ("⟦asyncio.create_task(x())⟧; y()", "task = asyncio.create_task(x()); y(); await task"),
        ("if a: ⟦asyncio.create_task(x())⟧", "if a: task = asyncio.create_task(x()); await task"),
        (
            "if a:\n    ⟦asyncio.create_task(x())⟧\n    y()\nz()",
            "if a:\n    task = asyncio.create_task(x())\n    y()\n    await task\nz()",
        ),
        (
            "async with session:\n    ⟦asyncio.create_task(x())⟧\n    if a:\n        y()\n",
            "async with session:\n    task = asyncio.create_task(x())\n    if a:\n        y()\n    await task",
        ),
        (
            "(⟦asyncio.create_task(\n    x(),  # task\n)⟧)",
            "task2 = (asyncio.create_task(\n    x(),  # task\n))\nawait task2",
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

fn after(source: &str, defect: Defect, title: &str) -> String {
    let fixed = fixed_on((3, 11), source, defect);
    let titles: Vec<&String> = fixed.iter().map(|(title, ..)| title).collect();
    match fixed.iter().find(|(found, ..)| found == title) {
        Some((_, text, _)) => text.clone(),
        None => panic!("no fix `{title}` of\n{source}\nbut {titles:?}"),
    }
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
    let source = "import asyncio\r\n\r\n\r\nasync def f():\r\n\t⟦asyncio.create_task(g())⟧\r\n";
    for (title, text, _) in fixed_on((3, 11), source, dangling) {
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{title}:\n{text:?}");
    }
    assert_eq!(
        after(source, dangling, KEEP),
        "import asyncio\r\n\r\n\r\nasync def f():\r\n\ttask = asyncio.create_task(g())\r\n\tawait task\r\n"
    );
}

// ---------------------------------------------------------------------------------------------------------- never retrieved

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

#[test]
fn a_cancelled_task_is_waited_for() {
    let one = "Wait with `asyncio.gather(task, return_exceptions=True)`";
    check(
        "⟦task.cancel()⟧\ny()",
        lost_by_cancel,
        one,
        "task.cancel()\nawait asyncio.gather(task, return_exceptions=True)\ny()",
    );
    check(
        "if a: ⟦task.cancel()⟧",
        lost_by_cancel,
        one,
        "if a: task.cancel(); await asyncio.gather(task, return_exceptions=True)",
    );
    let all = "Wait with `asyncio.gather(*tasks, return_exceptions=True)`";
    check(
        "for t in tasks:\n    if t:\n        ⟦t.cancel()⟧\ny()",
        lost_by_cancel,
        all,
        "for t in tasks:\n    if t:\n        t.cancel()\nawait asyncio.gather(*tasks, return_exceptions=True)\ny()",
    );
    assert_eq!(titles("for t in make():\n    ⟦t.cancel()⟧", lost_by_cancel), [""; 0]);
    assert_eq!(titles("def g():\n    ⟦task.cancel()⟧", lost_by_cancel), [""; 0]);
}

// ---------------------------------------------------------------------------------------------------------------- cancelled

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

// ---------------------------------------------------------------------------------------------------------------- unhandled

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

// ------------------------------------------------------------------------------------------------------- CPython as the judge

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
    (
        lost_by_cancel,
        "task = asyncio.create_task(stubborn())\nawait asyncio.sleep(0)\n⟦task.cancel()⟧\nawait asyncio.sleep(0.05)",
        NEVER,
    ),
    (
        lost_by_cancel,
        "tasks = [asyncio.create_task(stubborn()) for _ in range(2)]\nawait asyncio.sleep(0)\nfor t in tasks:\n    ⟦t.cancel()⟧\nawait asyncio.sleep(0.05)",
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
