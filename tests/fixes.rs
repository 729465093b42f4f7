//! The fixes on their own: a marked call in, each title and the text after it out; and CPython as the judge of whether they help.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code)]
mod oracle;

use aiolint::fixes::{Draft, Method, Names, Site, before_done, import_edit};
use aiolint::report::{Applicability, TextEdit};
use aiolint::text::Span;

use oracle::{Program, complaint};

/// How a test's file spells `asyncio.NAME`: with this prefix, or not at all.
struct Spelling(Option<&'static str>);

impl Names for Spelling {
    fn spelling(&self, dotted: &str) -> Option<String> {
        let name = dotted.strip_prefix("asyncio.").expect("only names of asyncio are needed");
        self.0.map(|prefix| format!("{prefix}{name}"))
    }
}

/// A file whose call in question stands between `⟦` and `⟧`, and what the analysis would say about it.
#[derive(Clone, Copy)]
struct Case<'a> {
    source: &'a str,
    may_be_cancelled: bool,
    can_wait: bool,
    prefix: Option<&'static str>,
}

impl<'a> Case<'a> {
    fn new(source: &'a str) -> Self {
        Self { source, may_be_cancelled: false, can_wait: true, prefix: Some("asyncio.") }
    }

    fn text(&self) -> String {
        self.source.replace(['⟦', '⟧'], "")
    }

    fn drafts(&self) -> Vec<Draft> {
        let text = self.text();
        let start = self.source.find('⟦').expect("the call is marked");
        let end = self.source.find('⟧').expect("the call is marked") - '⟦'.len_utf8();
        let call = Span::new(start as u32, end as u32);
        let (receiver, _) = call.of(&text).rsplit_once('.').expect("it is a method");
        let receiver = receiver.split('#').next().unwrap_or(receiver).trim_end();
        let mut parser = tree_sitter::Parser::new();
        parser.set_language(&tree_sitter_python::LANGUAGE.into()).unwrap();
        let tree = parser.parse(&text, None).unwrap();
        let site = Site {
            src: &text,
            root: tree.root_node(),
            call,
            receiver: Span::new(call.start, call.start + receiver.len() as u32),
            method: if call.of(&text).ends_with("exception()") { Method::Exception } else { Method::Result },
            in_async: true,
            may_be_cancelled: self.may_be_cancelled,
            can_wait: self.can_wait,
            names: &Spelling(self.prefix),
            newline: if text.contains("\r\n") { "\r\n" } else { "\n" },
        };
        before_done(&site)
    }

    /// Each title with the file after its fix.
    fn fixed(&self) -> Vec<(String, String)> {
        let text = self.text();
        let apply_draft = |draft: Draft| {
            let mut edits = draft.edits;
            assert!(edits.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start), "{}: {edits:?}", draft.title);
            edits.splice(0..0, draft.imports.iter().map(|module| import_edit(&text, module)));
            (draft.title, apply(&text, &edits))
        };
        self.drafts().into_iter().map(apply_draft).collect()
    }

    fn titles(&self) -> Vec<String> {
        self.drafts().into_iter().map(|draft| draft.title).collect()
    }

    fn after(&self, title: &str) -> String {
        let fixed = self.fixed();
        match fixed.iter().find(|(found, _)| found == title) {
            Some((_, text)) => text.clone(),
            None => panic!("no fix `{title}` for {}, only {:?}", self.source, self.titles()),
        }
    }
}

fn apply(text: &str, edits: &[TextEdit]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for edit in edits {
        out.push_str(&text[at..edit.span.start as usize]);
        out.push_str(&edit.content);
        at = edit.span.end as usize;
    }
    out + &text[at..]
}

/// The lines in an `async def`.
fn in_async(lines: &str) -> String {
    in_def("async def f():", lines)
}

fn in_def(header: &str, lines: &str) -> String {
    let mut out = format!("{header}\n");
    for line in lines.lines() {
        out.push_str(&if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") });
    }
    out
}

fn check(lines: &str, title: &str, expected: &str) {
    let source = in_async(lines);
    assert_eq!(Case::new(&source).after(title), in_async(expected), "`{title}` of\n{lines}");
}

fn titles(lines: &str) -> Vec<String> {
    Case::new(&in_async(lines)).titles()
}

const AWAIT: &str = "Await `task` before asking";
const REPLACE: &str = "Replace with `await task`";
const GATHER: &str = "Wait with `asyncio.gather(task)`";
const GATHER_ALL: &str = "Wait with `asyncio.gather(task, return_exceptions=True)`";
const WAIT: &str = "Wait with `asyncio.wait([task])`";
const TRY: &str = "Replace with `try` and `await task`";
const DONE: &str = "Ask only if `task.done()`";
const CATCH: &str = "Catch `asyncio.InvalidStateError`";

// ------------------------------------------------------------------------------------------------------ what is offered where

#[test]
fn a_plain_question_gets_every_fix_the_best_first() {
    assert_eq!(titles("x = ⟦task.result()⟧"), [AWAIT, REPLACE, GATHER, GATHER_ALL, WAIT, DONE, CATCH]);
    assert_eq!(titles("print(⟦task.exception()⟧)"), [GATHER_ALL, WAIT, DONE]);
    assert_eq!(titles("if ⟦task.exception()⟧:\n    print(1)"), [GATHER_ALL, WAIT, TRY, DONE]);
}

#[test]
fn what_is_unsafe_and_what_needs_the_authors_eye() {
    let source = in_async("if ⟦task.exception()⟧:\n    print(1)");
    let levels: Vec<_> = Case::new(&source).drafts().into_iter().map(|draft| draft.applicability).collect();
    use Applicability::{Suggestion, Unsafe};
    assert_eq!(levels, [Unsafe, Unsafe, Suggestion, Suggestion]);
}

#[test]
fn no_await_where_it_is_a_syntax_error() {
    let cases: [(&str, &[&str]); 6] = [
        ("def f():\n    print(⟦task.result()⟧)\n", &[DONE, CATCH]),
        ("print(⟦task.result()⟧)\n", &[DONE, CATCH]),
        ("async def f():\n    class A:\n        print(⟦task.result()⟧)\n", &[DONE, CATCH]),
        ("async def f():\n    def g():\n        return ⟦task.exception()⟧\n", &[DONE]),
        ("async def f():\n    return lambda: ⟦task.result()⟧\n", &[DONE]),
        ("async def f():\n    return lambda: 1 + ⟦task.result()⟧\n", &[]),
    ];
    for (source, expected) in cases {
        assert_eq!(Case::new(source).titles(), expected, "{source}");
    }
}

#[test]
fn defaults_decorators_and_bases_run_in_the_function_around_them() {
    check("def g(x=⟦task.result()⟧): pass", REPLACE, "def g(x=await task): pass");
    check("@register(⟦task.result()⟧)\ndef g(): pass", AWAIT, "await task\n@register(task.result())\ndef g(): pass");
    check("class A(base(⟦task.result()⟧)): pass", REPLACE, "class A(base(await task)): pass");
    check("g = lambda x=⟦task.result()⟧: x", REPLACE, "g = lambda x=await task: x");
}

#[test]
fn annotations_are_left_alone() {
    assert_eq!(titles("x: ⟦task.result()⟧ = 1"), [""; 0]);
    assert_eq!(titles("def g() -> ⟦task.result()⟧: pass"), [""; 0]);
}

#[test]
fn no_wait_where_it_would_never_end() {
    let source = in_async("print(⟦task.result()⟧)");
    assert_eq!(Case { can_wait: false, ..Case::new(&source) }.titles(), [DONE, CATCH]);
}

#[test]
fn broken_statements_get_nothing() {
    assert_eq!(titles("print(⟦task.result()⟧"), [""; 0]);
}

// ---------------------------------------------------------------------------------------------------------- a line before it

#[test]
fn waits_stand_before_the_statement_not_before_the_line() {
    check("print(\n    1,\n    ⟦task.result()⟧,\n)", AWAIT, "await task\nprint(\n    1,\n    task.result(),\n)");
    check("x = 1 + \\\n    ⟦task.result()⟧", AWAIT, "await task\nx = 1 + \\\n    task.result()");
    check("for x in ⟦task.result()⟧:\n    pass", AWAIT, "await task\nfor x in task.result():\n    pass");
    check(
        "if a:\n    pass\nelse:\n    # why\n    x = ⟦task.result()⟧  # what",
        AWAIT,
        "if a:\n    pass\nelse:\n    # why\n    await task\n    x = task.result()  # what",
    );
    check(
        "match ⟦task.result()⟧:\n    case 1: pass",
        WAIT,
        "await asyncio.wait([task])\nmatch task.result():\n    case 1: pass",
    );
    check("print(f\"{⟦task.result()⟧!r:>9}\")", AWAIT, "await task\nprint(f\"{task.result()!r:>9}\")");
    check(
        "print(a[⟦tasks[\"b\"][0].x.result()⟧])",
        "Await `tasks[\"b\"][0].x` before asking",
        "await tasks[\"b\"][0].x\nprint(a[tasks[\"b\"][0].x.result()])",
    );
}

#[test]
fn statements_that_share_a_line_are_joined_by_semicolons() {
    check("a = 1; x = ⟦task.result()⟧", AWAIT, "a = 1; await task; x = task.result()");
    check("x = ⟦task.result()⟧; a = 1", AWAIT, "await task\nx = task.result(); a = 1");
    check("if a: x = ⟦task.result()⟧", AWAIT, "if a: await task; x = task.result()");
    check("if a: \\\n    x = ⟦task.result()⟧", AWAIT, "if a: \\\n    await task; x = task.result()");
    check("# a comment \\\nx = ⟦task.result()⟧", AWAIT, "# a comment \\\nawait task\nx = task.result()");
    let one_line = Case::new("async def f(): return ⟦task.result()⟧\n");
    assert_eq!(one_line.after(AWAIT), "async def f(): await task; return task.result()\n");
}

#[test]
fn line_endings_and_tabs_are_kept() {
    let windows = Case::new("async def f():\r\n\tif a:\r\n\t\tprint(⟦task.result()⟧)  # ü\r\n");
    assert_eq!(
        windows.after(AWAIT),
        "async def f():\r\n\tif a:\r\n\t\tawait task\r\n\t\tprint(task.result())  # ü\r\n"
    );
    assert_eq!(
        windows.after(CATCH),
        "async def f():\r\n\tif a:\r\n\t\ttry:\r\n\t\t\tprint(task.result())  # ü\r\n\t\texcept asyncio.InvalidStateError:\r\n\t\t\tpass\r\n"
    );
}

#[test]
fn the_end_of_the_file_needs_no_line_break() {
    let source = Case::new("async def f():\n  print(⟦task.result()⟧)");
    assert_eq!(
        source.after(CATCH),
        "async def f():\n  try:\n    print(task.result())\n  except asyncio.InvalidStateError:\n    pass"
    );
}

#[test]
fn what_is_asked_behind_a_condition_is_not_waited_for_unasked() {
    for lines in [
        "x = a and ⟦task.result()⟧",
        "x = ⟦task.result()⟧ if a else 0",
        "x = 0 < a < ⟦task.result()⟧",
        "if a:\n    pass\nelif ⟦task.result()⟧:\n    pass",
        "while ⟦task.result()⟧:\n    pass",
        "assert a, ⟦task.result()⟧",
        "match a:\n    case 1 if ⟦task.result()⟧: pass",
        "with a as b, c(⟦task.result()⟧) as d:\n    pass",
        "print((task := make()), ⟦task.result()⟧)",
        "try:\n    pass\nexcept ⟦task.result()⟧:\n    pass",
    ] {
        let titles = titles(lines);
        assert_eq!(titles[0], REPLACE, "{lines}");
        let rest = titles[1..].iter().all(|title| title.starts_with("Ask") || title.starts_with("Catch"));
        assert!(rest, "{lines}: {titles:?}");
    }
    // What is evaluated in any case is waited for.
    assert_eq!(titles("x = ⟦task.result()⟧ and a")[0], AWAIT);
    assert_eq!(titles("x = 1 if ⟦task.result()⟧ else 0")[0], AWAIT);
    assert_eq!(titles("with c(⟦task.result()⟧) as d, a as b:\n    pass")[0], AWAIT);
}

#[test]
fn a_question_alone_is_replaced_and_not_repeated() {
    assert_eq!(titles("⟦task.result()⟧")[0], REPLACE);
    check("⟦task.result()⟧  # raises", REPLACE, "await task  # raises");
}

// -------------------------------------------------------------------------------------------------------------- in its place

#[test]
fn await_takes_the_calls_place() {
    for (before, after) in [
        ("x = ⟦task.result()⟧", "x = await task"),
        ("x = ⟦task.result()⟧.y", "x = (await task).y"),
        ("x = ⟦task.result()⟧[0]", "x = (await task)[0]"),
        ("x = ⟦task.result()⟧(0)", "x = (await task)(0)"),
        ("x = -⟦task.result()⟧ ** 2", "x = -(await task) ** 2"),
        ("x = 2 ** ⟦task.result()⟧", "x = 2 ** (await task)"),
        ("x = ⟦task.result()⟧ + 1", "x = await task + 1"),
        ("x = await ⟦task.result()⟧", "x = await (await task)"),
        ("x = not ⟦task.result()⟧", "x = not await task"),
        ("x = [*⟦task.result()⟧]", "x = [*await task]"),
        ("x = [*⟦task.result()⟧.items()]", "x = [*(await task).items()]"),
        ("f(*⟦task.result()⟧, **a)", "f(*await task, **a)"),
        ("f(k=⟦task.result()⟧)", "f(k=await task)"),
        ("x = 1 if⟦(task).result()⟧else 2", "x = 1 if(await (task))else 2"),
        ("x = (a,⟦task.result()⟧if b else c)", "x = (a,(await task)if b else c)"),
        ("x = f'{⟦task.result()⟧!r}'", "x = f'{await task!r}'"),
        ("x = [⟦task.result()⟧ for _ in a]", "x = [await task for _ in a]"),
        ("yield ⟦task.result()⟧", "yield await task"),
        ("raise ⟦task.result()⟧ from a", "raise await task from a"),
        ("x = (⟦task\n    .result()⟧)", "x = (await task)"),
    ] {
        let source = in_async(before);
        let fixed = Case::new(&source).fixed();
        let (_, text) = fixed.iter().find(|(title, _)| title.starts_with("Replace")).expect(before);
        assert_eq!(*text, in_async(after));
    }
}

#[test]
fn a_comment_inside_the_call_survives() {
    assert!(!titles("x = (⟦task  # the first\n    .result()⟧)").contains(&REPLACE.to_owned()));
}

#[test]
fn a_call_is_never_made_twice() {
    let replace = "Replace with `await asyncio.create_task(work())`";
    assert_eq!(titles("print(⟦asyncio.create_task(work()).result()⟧)"), [replace]);
    check("print(⟦asyncio.create_task(work()).result()⟧)", replace, "print(await asyncio.create_task(work()))");
    assert_eq!(titles("print(⟦tasks.pop().result()⟧)"), ["Replace with `await tasks.pop()`"]);
    assert_eq!(titles("print(⟦tasks[next(i)].result()⟧)"), ["Replace with `await tasks[next(i)]`"]);
    check(
        "print(⟦asyncio.create_task(work()).exception()⟧)",
        WAIT,
        "task = asyncio.create_task(work())\nawait asyncio.wait([task])\nprint(task.exception())",
    );
    check(
        "task = 1\nprint(⟦asyncio.create_task(work()).exception()⟧)",
        "Wait with `asyncio.gather(task2, return_exceptions=True)`",
        "task = 1\ntask2 = asyncio.create_task(work())\nawait asyncio.gather(task2, return_exceptions=True)\nprint(task2.exception())",
    );
    check(
        "print(⟦make(\n    1).exception()⟧)",
        WAIT,
        "task = (make(\n    1))\nawait asyncio.wait([task])\nprint(task.exception())",
    );
}

// ------------------------------------------------------------------------------------------------------------ comprehensions

#[test]
fn comprehensions_wait_for_all_their_tasks() {
    let gather = "Wait with `asyncio.gather(*ts)`";
    let all = "Wait with `asyncio.gather(*ts, return_exceptions=True)`";
    let done = "Ask only if `t.done()`";
    assert_eq!(titles("x = [⟦t.result()⟧ for t in ts]"), ["Replace with `await t`", gather, all, done, CATCH]);
    check("x = [⟦t.result()⟧ for t in ts]", gather, "await asyncio.gather(*ts)\nx = [t.result() for t in ts]");
    check("x = [⟦t.result()⟧ for t in ts]", "Replace with `await t`", "x = [await t for t in ts]");
    check("x = [t for t in ts if ⟦t.exception()⟧]", done, "x = [t for t in ts if t.done() if t.exception()]");
    check(
        "x = {k: ⟦t.result()⟧ for k, t in ts.items() if k}",
        done,
        "x = {k: t.result() for k, t in ts.items() if t.done() if k}",
    );
    check(
        "x = sum(⟦t.result()⟧ for t in ts.values())",
        "Wait with `asyncio.gather(*ts.values())`",
        "await asyncio.gather(*ts.values())\nx = sum(t.result() for t in ts.values())",
    );
}

#[test]
fn comprehensions_stay_what_they_are() {
    let offers = |lines: &str, start: &str| titles(lines).iter().any(|title| title.starts_with(start));
    // An await would make an asynchronous generator of it.
    assert!(!offers("x = sum(⟦t.result()⟧ for t in ts)", "Replace"));
    // Before 3.11, a syntax error.
    assert!(!offers("x = [[⟦t.result()⟧ for t in ts] for ts in tss]", "Replace"));
    // The first iterable is evaluated outside.
    check("x = sum(i for i in ⟦task.result()⟧)", REPLACE, "x = sum(i for i in await task)");
    check("x = [t for t in ⟦t.result()⟧]", "Await `t` before asking", "await t\nx = [t for t in t.result()]");
    // Iterating twice would run `make()` twice or exhaust it.
    assert!(!offers("x = [⟦t.result()⟧ for t in make()]", "Wait"));
    // Bound by another comprehension: nothing to wait for outside.
    assert!(!offers("x = [⟦t.result()⟧ for ts in tss for t in ts]", "Wait"));
}

// -------------------------------------------------------------------------------------------------------------------- guards

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

// -------------------------------------------------------------------------------------------------------- names and imports

#[test]
fn names_are_spelled_as_in_the_file() {
    let source = in_async("print(⟦task.result()⟧)");
    let short = Case { prefix: Some(""), ..Case::new(&source) };
    assert_eq!(short.after("Wait with `wait([task])`"), in_async("await wait([task])\nprint(task.result())"));
    let alias = Case { prefix: Some("aio."), ..Case::new(&source) };
    assert_eq!(alias.after("Wait with `aio.gather(task)`"), in_async("await aio.gather(task)\nprint(task.result())"));
    let absent = Case { prefix: None, ..Case::new(&source) };
    let waited = in_async("await asyncio.wait([task])\nprint(task.result())");
    assert_eq!(absent.after(WAIT), format!("import asyncio\n\n{waited}"));
    assert_eq!(absent.after(AWAIT), in_async("await task\nprint(task.result())"));
}

#[test]
fn imports_go_to_the_imports() {
    for (before, after) in [
        ("", "import asyncio\n\n"),
        ("x = 1\n", "import asyncio\n\nx = 1\n"),
        ("import os\nimport sys\n", "import asyncio\nimport os\nimport sys\n"),
        ("import abc\nimport sys\n", "import abc\nimport asyncio\nimport sys\n"),
        ("import abc\n", "import abc\nimport asyncio\n"),
        ("import abc", "import abc\nimport asyncio\n"),
        (
            "from asyncio import (\n    run,  # )\n)\n\nx\n",
            "import asyncio\nfrom asyncio import (\n    run,  # )\n)\n\nx\n",
        ),
        ("import abc; import sys\nfrom a import b\n", "import abc; import sys\nimport asyncio\nfrom a import b\n"),
        ("# why\nimport sys\n", "# why\nimport asyncio\nimport sys\n"),
        ("import abc\n\nimport zope\n", "import abc\nimport asyncio\n\nimport zope\n"),
        ("'''A doc.\n\nimport x\n'''\nx = 1\n", "'''A doc.\n\nimport x\n'''\n\nimport asyncio\nx = 1\n"),
        ("r\"A \\\" doc.\"\n\nimport sys\n", "r\"A \\\" doc.\"\n\nimport asyncio\nimport sys\n"),
        ("from __future__ import a\n\nx = 1\n", "from __future__ import a\n\nimport asyncio\n\nx = 1\n"),
        (
            "'''doc'''\nfrom __future__ import (\n  a)\nimport sys\n",
            "'''doc'''\nfrom __future__ import (\n  a)\nimport asyncio\nimport sys\n",
        ),
        ("'''doc'''", "'''doc'''\n\nimport asyncio\n"),
        (
            "#!/usr/bin/python\n# coding: utf-8\nx = 1\n",
            "#!/usr/bin/python\n# coding: utf-8\nimport asyncio\n\nx = 1\n",
        ),
        ("# Licence\n\n# About x.\nx = 1\n", "# Licence\n\nimport asyncio\n\n# About x.\nx = 1\n"),
        ("\u{feff}x = 1\n", "\u{feff}import asyncio\n\nx = 1\n"),
        ("import abc\r\nx = 1\r\n", "import abc\r\nimport asyncio\r\nx = 1\r\n"),
        ("import abc \\\n    , sys\nx\n", "import abc \\\n    , sys\nimport asyncio\nx\n"),
        ("if x:\n    import sys\n", "import asyncio\n\nif x:\n    import sys\n"),
        ("importlib = 1\n", "import asyncio\n\nimportlib = 1\n"),
        ("'''never closed\nimport sys\n", "'''never closed\nimport sys\n\nimport asyncio\n"),
    ] {
        assert_eq!(apply(before, &[import_edit(before, "asyncio")]), after, "{before}");
    }
}

// ------------------------------------------------------------------------------------------------------- CPython as the judge

/// The head of every program below.
const HEAD: &str = "\
import asyncio

async def work(value=1, delay=0.01):
    await asyncio.sleep(delay)
    return value

async def fail():
    await asyncio.sleep(0.01)
    raise ValueError('its own')

";

/// Bodies of `main`: each asks too early where it is marked. `true`: the task may be cancelled.
const EARLY: [(bool, &str); 30] = [
    (false, "task = asyncio.create_task(work())\nprint(⟦task.result()⟧)"),
    (false, "task = asyncio.create_task(work())\nawait asyncio.sleep(0)\nx = ⟦task.result()⟧\nprint(x)"),
    (false, "task = asyncio.create_task(work([1]))\nfor x in ⟦task.result()⟧:\n    print(x)"),
    (false, "task = asyncio.create_task(work(2))\nprint(-⟦task.result()⟧ ** 2, f'{task.result()!r:>4}')"),
    (false, "task = asyncio.create_task(work({'a': 1}))\nprint([*⟦task.result()⟧.items()])"),
    (false, "task = asyncio.create_task(work()); print(⟦task.result()⟧)"),
    (false, "task = asyncio.create_task(work())\nif task: print(⟦task.result()⟧); print(1)"),
    (false, "task = asyncio.create_task(work())\nwhile ⟦task.result()⟧ == 2:\n    pass"),
    (false, "task = asyncio.create_task(work())\nif not task:\n    pass\nelif ⟦task.result()⟧ == 1:\n    print('one')"),
    (false, "task = asyncio.create_task(work())\nprint(task and ⟦task.result()⟧)"),
    (false, "task = None\ntask = asyncio.create_task(work())\nif task is not None and ⟦task.result()⟧:\n    print(1)"),
    (false, "task = asyncio.create_task(work())\nprint(\n    '''a\n  b''',\n    ⟦task.result()⟧,  # asked\n)"),
    (false, "tasks = [asyncio.create_task(work(n)) for n in range(3)]\nprint([⟦t.result()⟧ for t in tasks])"),
    (
        false,
        "tasks = {n: asyncio.create_task(work(n)) for n in range(3)}\nprint(sum(⟦t.result()⟧ for t in tasks.values()))",
    ),
    (
        false,
        "tasks = {n: asyncio.create_task(work(n)) for n in range(3)}\nfor n, t in tasks.items():\n    tasks[n] = ⟦t.result()⟧",
    ),
    (false, "tasks = [asyncio.create_task(fail())]\nprint([t for t in tasks if ⟦t.exception()⟧])"),
    (false, "print(⟦asyncio.create_task(work()).result()⟧)"),
    (false, "print(⟦asyncio.create_task(fail()).exception()⟧)"),
    (
        false,
        "async with asyncio.TaskGroup() as group:\n    task = group.create_task(work())\n    print(⟦task.result()⟧)",
    ),
    (
        false,
        "a, b = (asyncio.create_task(work(n, n / 50)) for n in (0, 1))\nawait asyncio.wait([a, b], return_when='FIRST_COMPLETED')\nprint(a.result(), ⟦b.result()⟧)",
    ),
    (
        false,
        "task = asyncio.create_task(work(1, 0.05))\ntry:\n    await asyncio.wait_for(asyncio.shield(task), 0.01)\nexcept TimeoutError:\n    pass\nprint(⟦task.result()⟧)",
    ),
    (
        false,
        "future = asyncio.get_running_loop().create_future()\nasyncio.get_running_loop().call_later(0.01, future.set_result, 1)\nprint(⟦future.result()⟧)",
    ),
    (
        false,
        "task = asyncio.create_task(fail())\nif ⟦task.exception()⟧:\n    print(f'bad: {task.exception()}')\nelse:\n    print('good')",
    ),
    (
        false,
        "task = asyncio.create_task(fail())\nif not ⟦task.exception()⟧:\n    print('good')\nelse:\n    print(f'bad: {task.exception()}')",
    ),
    (
        false,
        "task = asyncio.create_task(work())\nexc = ⟦task.exception()⟧\nif exc is None:\n    print('good')\nelse:\n    print(exc)",
    ),
    (false, "task = asyncio.create_task(fail())\nif (exc := ⟦task.exception()⟧) is not None: print(exc)"),
    (true, "task = asyncio.create_task(work())\ntask.cancel()\nprint(⟦task.result()⟧)"),
    (true, "task = asyncio.create_task(work())\ntask.cancel()\nexc = ⟦task.exception()⟧\nif exc:\n    print(exc)"),
    (
        true,
        "task = asyncio.create_task(work())\ntask.cancel()\nif ⟦task.exception()⟧:\n    print('bad')\nelse:\n    print('good')",
    ),
    (
        true,
        "tasks = [asyncio.create_task(work(n)) for n in range(3)]\ntasks[0].cancel()\nprint([⟦t.result()⟧ for t in tasks])",
    ),
];

/// Runs every program of a list in one interpreter and prints a line `=== done` after each: starting one costs more than they do.
const DRIVER: &str = r#"
import gc, json, signal, sys, traceback

def stop(*_):
    raise TimeoutError('it hangs')

signal.signal(signal.SIGALRM, stop)
sys.stderr = sys.stdout
for source in json.loads(PROGRAMS):
    signal.alarm(10)
    try:
        exec(compile(source, 'program.py', 'exec'), {'__name__': '__main__'})
    except BaseException:
        traceback.print_exc()
    signal.alarm(0)
    gc.collect()
    print('=== done')
"#;

/// The complaints of each program, or nothing where no CPython is there to ask.
fn complaints(sources: &[&str]) -> Option<Vec<Vec<String>>> {
    let programs = serde_json::to_string(sources).unwrap();
    // JSON of a JSON text is a Python string, too.
    let driver = format!("PROGRAMS = {}\n{DRIVER}", serde_json::to_string(&programs).unwrap());
    let printed = oracle::run_all(&[Program::new("driver", driver)])?.remove(0).printed;
    let outputs: Vec<&str> = printed.split("=== done\n").collect();
    assert_eq!(outputs.len(), sources.len() + 1, "{printed}");
    // An exception group draws a line before the errors in it.
    let of = |output: &&str| output.lines().filter_map(|line| complaint(line.trim_start_matches([' ', '|']))).collect();
    Some(outputs[..sources.len()].iter().map(of).collect())
}

#[test]
fn cpython_sees_the_error_go_and_no_other_come() {
    let mut programs = Vec::new();
    for (may_be_cancelled, body) in EARLY {
        let source = format!("{HEAD}{}\nasyncio.run(main())\n", in_def("async def main():", body));
        let case = Case { may_be_cancelled, ..Case::new(&source) };
        let fixed = case.fixed();
        assert!(fixed.len() > 1 || body.contains(").result()"), "{body}");
        programs.push((None, case.text()));
        programs.extend(fixed.into_iter().map(|(title, text)| (Some(title), text)));
    }
    let sources: Vec<&str> = programs.iter().map(|(_, source)| source.as_str()).collect();
    let mut problems = String::new();
    for ((title, source), complaints) in programs.iter().zip(complaints(&sources).unwrap_or_default()) {
        let right = match title {
            None => complaints.iter().any(|complaint| complaint.starts_with("InvalidStateError: ")),
            // `await` raises what the task raises: that is what it is for.
            Some(_) => complaints.iter().all(|complaint| complaint == "ValueError: its own"),
        };
        if !right {
            problems.push_str(&format!("{title:?}\n{source}\n{complaints:#?}\n"));
        }
    }
    assert!(problems.is_empty(), "{problems}");
}
