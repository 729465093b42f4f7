//! The fixes on their own: a marked call in, each title and the text after it out; and CPython as the judge of whether they help.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod coroutines;
mod guards;
mod make_async;
mod tasks;
mod under_cpython;

use aiolint::fixes::{Asked, Draft, Global, Method, Names, Repair, Site, draw_up, import_edit};
use aiolint::report::{Applicability, TextEdit};
use aiolint::text::Span;

/// How a test's file spells `asyncio.NAME`: with this prefix, or not at all.
struct Spelling(Option<&'static str>);

impl Names for Spelling {
    fn spelling(&self, dotted: &str) -> Option<String> {
        let name = dotted.strip_prefix("asyncio.").expect("only names of asyncio are needed");
        self.0.map(|prefix| format!("{prefix}{name}"))
    }

    fn global(&self, _: &str) -> Option<Global> {
        None
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
            in_async: true,
            names: &Spelling(self.prefix),
            newline: if text.contains("\r\n") { "\r\n" } else { "\n" },
            python: (3, 11),
        };
        let asked = Asked {
            call,
            receiver: Span::new(call.start, call.start + receiver.len() as u32),
            method: if call.of(&text).ends_with("exception()") { Method::Exception } else { Method::Result },
            may_be_cancelled: self.may_be_cancelled,
            can_wait: self.can_wait,
            asked_elsewhere: false,
        };
        draw_up(&site, &Repair::BeforeDone(asked))
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
fn depth_costs_no_stack() {
    let (open, close) = ("(".repeat(20_000), ")".repeat(20_000));
    check(&format!("x = {open}⟦task.result()⟧{close}"), REPLACE, &format!("x = {open}await task{close}"));
    let (open, close) = ("[".repeat(500), " for _ in a]".repeat(500));
    check(&format!("x = {open}⟦task.result()⟧{close}"), AWAIT, &format!("await task\nx = {open}task.result(){close}"));
    let operands = "a or ".repeat(5_000);
    check(&format!("if {operands}⟦task.result()⟧: pass"), REPLACE, &format!("if {operands}await task: pass"));
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
