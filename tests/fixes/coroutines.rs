//! The fixes for a coroutine that nothing awaits, and for one that is awaited again: marked places in, titles and texts out.

use aiolint::facts::{ItemNames, ModuleNames, ScopeKind, extract};
use aiolint::fixes::{ItemView, NeverAwaited, Repair, Reused, Site, View, draw_up, import_edit, reach_out};
use aiolint::text::Span;
use aiolint::tree::Tree;

use crate::under_cpython::complaints;
use crate::{Spelling, apply};

/// The text without its marks, and what stands between each `⟦` and `⟧`.
fn unmark(source: &str) -> (String, Vec<Span>) {
    let (mut text, mut open, mut spans) = (String::new(), 0, Vec::new());
    for c in source.chars() {
        match c {
            '⟦' => open = text.len() as u32,
            '⟧' => spans.push(Span::new(open, text.len() as u32)),
            _ => text.push(c),
        }
    }
    (text, spans)
}

/// Each title with the text after its fix.
fn fixed(source: &str, repair: impl Fn(&str, &[Span]) -> Repair) -> Vec<(String, String)> {
    let (text, spans) = unmark(source);
    let tree = Tree::parse(&text);
    let facts = extract(tree.root(), &text);
    let function = facts.scope(facts.function_at(spans[0].start)).map(|scope| scope.kind);
    let site = Site {
        src: &text,
        root: tree.root(),
        in_async: matches!(function, Some(ScopeKind::Function { is_async: true, .. })),
        names: &Spelling(Some("asyncio.")),
        newline: "\n",
        python: (3, 11),
    };
    let module = ModuleNames::from_items([ItemNames::Parsed(&facts)]);
    let item = ItemView { start: 0, src: &text, parsed: Some((tree.root(), &facts)) };
    let view = View {
        text: &text,
        items: vec![item],
        module: &module,
        newline: "\n",
        top_level_await: text.starts_with("# %%"),
    };
    let mut fixed = Vec::new();
    for draft in draw_up(&site, &repair(&text, &spans)) {
        if let Some(beyond) = draft.beyond {
            let fixes = reach_out(&view, 0, &beyond).expect("all is parsed").fixes;
            fixed.extend(fixes.into_iter().map(|fix| (fix.title, apply(&text, &fix.edits))));
            continue;
        }
        let mut edits = draft.edits;
        assert!(edits.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start), "{}: {edits:?}", draft.title);
        edits.splice(0..0, draft.imports.iter().map(|module| import_edit(&text, module)));
        fixed.push((draft.title, apply(&text, &edits)));
    }
    fixed
}

/// The first mark is the call; a second one is where a path leaves it.
fn never_awaited(held_by: Option<&str>) -> impl Fn(&str, &[Span]) -> Repair {
    move |text: &str, spans: &[Span]| {
        let before = text[..spans[0].start as usize].trim_end();
        Repair::NeverAwaited(NeverAwaited {
            call: spans[0],
            held_by: held_by.map(str::to_owned),
            in_collection: before.ends_with(['[', '(', '{']) || before.ends_with("{_:"),
            leaves_at: spans.get(1).copied(),
        })
    }
}

/// Three marks: where it is made, used and used again. Two: where it is made, and used in a loop.
fn reused(text: &str, spans: &[Span]) -> Repair {
    let line = text[..spans[0].start as usize].rsplit('\n').next().expect("a line");
    Repair::Reused(Reused {
        made: spans[0],
        first: spans[1],
        again: spans[spans.len() - 1],
        always: true,
        name: line.split_once(" = ").map(|(name, _)| name.trim().to_owned()),
    })
}

fn titles(fixed: &[(String, String)]) -> Vec<&str> {
    fixed.iter().map(|(title, _)| title.as_str()).collect()
}

fn after<'f>(fixed: &'f [(String, String)], title: &str) -> &'f str {
    let found = fixed.iter().find(|(found, _)| found == title);
    found.map_or_else(|| panic!("no fix `{title}`, only {:?}", titles(fixed)), |(_, text)| text)
}

const AWAIT: &str = "Await `work()`";
const KEEP: &str = "Start it with `asyncio.create_task`, and await it at the end of the block";
const GATHER: &str = "Await all of `jobs` with `asyncio.gather`";
const RUN: &str = "Run `work()` with `asyncio.run`";

#[test]
fn a_coroutine_is_awaited_where_it_is_made() {
    for (before, expected) in [
        ("⟦work()⟧", "await work()"),
        ("x = ⟦work()⟧", "x = await work()"),
        ("print(⟦work()⟧.x)", "print((await work()).x)"),
        ("if not ⟦work()⟧: pass", "if not await work(): pass"),
        ("x = 1 if ⟦work()⟧else 2", "x = 1 if (await work())else 2"),
        ("with ⟦work()⟧ as x: pass", "with await work() as x: pass"),
        ("f(*⟦work()⟧)", "f(*await work())"),
    ] {
        let fixed = fixed(&format!("async def main():\n    {before}\n"), never_awaited(None));
        assert_eq!(after(&fixed, AWAIT), format!("async def main():\n    {expected}\n"));
    }
}

#[test]
fn no_await_where_it_is_a_syntax_error() {
    for source in [
        "async def main():\n    f(lambda: ⟦work()⟧)\n",
        "async def main():\n    class A:\n        x = [⟦work()⟧]\n",
        "async def main():\n    f(⟦work()⟧ for _ in x)\n",
        "async def main():\n    @⟦work()⟧\n    def f(): pass\n",
        "def main():\n    yield ⟦work()⟧\n",
        "def main():\n    f(lambda: ⟦work()⟧)\n",
        "f(lambda: ⟦work()⟧)\n",
        "print(⟦work()⟧)\n",
    ] {
        assert_eq!(fixed(source, never_awaited(None)), [], "{source}");
    }
}

#[test]
fn a_coroutine_may_run_beside_the_rest_of_its_block() {
    let source = "async def main(task):\n    ⟦work()⟧\n    while task:\n        print()\n    # end\n    return 1\n";
    assert_eq!(
        after(&fixed(source, never_awaited(None)), KEEP),
        "async def main(task):\n    task2 = asyncio.create_task(work())\n    while task:\n        print()\n    # end\n    await task2\n    return 1\n"
    );
    let source = "async def main():\n    for _ in y:\n        x = ⟦work()⟧\n        if y:\n            print()  # so\n    print()\n";
    assert_eq!(
        after(&fixed(source, never_awaited(Some("x"))), KEEP),
        "async def main():\n    for _ in y:\n        x = asyncio.create_task(work())\n        if y:\n            print()  # so\n        await x\n    print()\n"
    );
    for source in [
        "async def main():\n    ⟦work()⟧\n",
        "async def main():\n    ⟦work()⟧\n    return 1\n",
        "async def main():\n    print(⟦work()⟧)\n    f()\n",
        "async def main():\n    if x: ⟦work()⟧\n    f()\n",
    ] {
        assert_eq!(titles(&fixed(source, never_awaited(None))), [AWAIT], "{source}");
    }
}

#[test]
fn those_of_a_list_are_gathered_after_it_is_built() {
    for (before, expected) in [
        (
            "jobs = [⟦work()⟧ for _ in x]  # all\nprint()",
            "jobs = [work() for _ in x]  # all\nawait asyncio.gather(*jobs)\nprint()",
        ),
        (
            "jobs = []\nfor _ in x:\n    while _:\n        jobs.append(⟦work()⟧)\nprint()",
            "jobs = []\nfor _ in x:\n    while _:\n        jobs.append(work())\nawait asyncio.gather(*jobs)\nprint()",
        ),
        (
            "jobs = {_: ⟦work()⟧ for _ in x}\nprint()",
            "jobs = {_: work() for _ in x}\nawait asyncio.gather(*jobs.values())\nprint()",
        ),
        (
            "for _ in x:\n    jobs = set()\n    for _ in x:\n        jobs.add(⟦work()⟧)",
            "for _ in x:\n    jobs = set()\n    for _ in x:\n        jobs.add(work())\n    await asyncio.gather(*jobs)",
        ),
    ] {
        let source = crate::in_async(before);
        let fixed = fixed(&source, never_awaited(Some("jobs")));
        assert_eq!(fixed[0].0, GATHER);
        assert_eq!(fixed[0].1, crate::in_async(expected));
    }
}

#[test]
fn a_plain_function_becomes_async() {
    let source = "def start():\n    print(⟦work()⟧.x)\n\nasync def main():\n    start()\n";
    assert_eq!(
        fixed(source, never_awaited(None)),
        [(
            "Await `work()`: make `start` async, and await it in its caller".to_owned(),
            "async def start():\n    print((await work()).x)\n\nasync def main():\n    await start()\n".to_owned()
        )]
    );
    let source = "class A:\n    def f(self):\n        ⟦work()⟧\n    def __init__(self):\n        self.f()\n";
    assert_eq!(
        titles(&fixed(source, never_awaited(None))),
        ["Await `work()`: make only `f` async, not what uses it: `__init__`"]
    );
}

#[test]
fn the_module_runs_it() {
    let source = "if __name__ == '__main__':\n    x = ⟦work()⟧\n";
    assert_eq!(
        after(&fixed(source, never_awaited(Some("x"))), RUN),
        "import asyncio\n\nif __name__ == '__main__':\n    x = asyncio.run(work())\n"
    );
    assert_eq!(titles(&fixed("⟦asyncio.gather(x)⟧\n", never_awaited(None))), [""; 0]);
}

#[test]
fn a_notebook_awaits_it() {
    let fixed = fixed("# %%\nx = ⟦work()⟧\n", never_awaited(Some("x")));
    assert_eq!(fixed, [(AWAIT.to_owned(), "# %%\nx = await work()\n".to_owned())]);
}

#[test]
fn a_path_that_leaves_it_closes_it() {
    let source = "async def main():\n    coro = ⟦work()⟧\n    if x:\n        ⟦return 1⟧\n    await coro\n";
    assert_eq!(
        fixed(source, never_awaited(Some("coro"))),
        [(
            "Close `coro` on the path that leaves it".to_owned(),
            "async def main():\n    coro = work()\n    if x:\n        coro.close()\n        return 1\n    await coro\n"
                .to_owned()
        )]
    );
}

// ------------------------------------------------------------------------------------------------------------------- used again

const AGAIN: &str = "Call `work(1)` again here";
const LOOP: &str = "Call `work(1)` in the loop";
const TASK: &str = "Make `coro` a task with `asyncio.create_task`";

#[test]
fn a_later_use_calls_again() {
    let source = crate::in_async("coro = ⟦work(1)⟧\n⟦await coro⟧\nprint(⟦await coro⟧)");
    let fixes = fixed(&source, reused);
    assert_eq!(titles(&fixes), [AGAIN, TASK]);
    assert_eq!(after(&fixes, AGAIN), crate::in_async("coro = work(1)\nawait coro\nprint(await work(1))"));
    assert_eq!(
        after(&fixes, TASK),
        crate::in_async("coro = asyncio.create_task(work(1))\nawait coro\nprint(await coro)")
    );
    let source = "coro = ⟦work(1)⟧; ⟦loop.run_until_complete(coro)⟧; ⟦loop.run_until_complete(coro)⟧\n";
    let fixes = fixed(source, reused);
    assert_eq!(titles(&fixes), [AGAIN]);
    assert_eq!(fixes[0].1, "coro = work(1); loop.run_until_complete(coro); loop.run_until_complete(work(1))\n");
}

#[test]
fn nothing_is_called_again_with_other_arguments() {
    for lines in [
        "coro = ⟦work(n)⟧\n⟦await coro⟧\nn += 1\n⟦await coro⟧",
        "coro = ⟦work(f())⟧\n⟦await coro⟧\n⟦await coro⟧",
        "coro = ⟦work(f'{n}')⟧\n⟦await coro⟧\n⟦await coro⟧",
        "coro = ⟦self.work(self.n)⟧\n⟦await coro⟧\nself.n = 2\n⟦await coro⟧",
        "coro = ⟦work(n)⟧\n⟦await coro⟧\nfor n in x:\n    ⟦await coro⟧",
        "coro = ⟦work(\n    n)⟧\n⟦await coro⟧\n⟦await coro⟧",
    ] {
        assert_eq!(titles(&fixed(&crate::in_async(lines), reused)), [TASK], "{lines}");
    }
}

#[test]
fn the_task_that_was_made_of_it_is_awaited_instead() {
    let source = crate::in_async("coro = ⟦work(1)⟧\nt = ⟦asyncio.create_task(coro)⟧\nx = ⟦await coro⟧");
    let fixes = fixed(&source, reused);
    assert_eq!(titles(&fixes), ["Await `t` instead", AGAIN]);
    assert_eq!(fixes[0].1, crate::in_async("coro = work(1)\nt = asyncio.create_task(coro)\nx = await t"));
}

#[test]
fn a_task_is_no_help_where_one_is_made_of_it_or_no_loop_runs() {
    for source in [
        crate::in_async("self.coro = ⟦work(1)⟧\n⟦await self.coro⟧\n⟦await self.coro⟧"),
        crate::in_async("coro = ⟦work(1)⟧\n⟦await asyncio.wait_for(coro, 1)⟧\n⟦await coro⟧"),
        crate::in_def("def f():", "coro = ⟦work(1)⟧\n⟦asyncio.run(coro)⟧\n⟦asyncio.run(coro)⟧"),
    ] {
        let fixes = fixed(&source, reused);
        assert!(titles(&fixes).contains(&AGAIN) && !titles(&fixes).contains(&TASK), "{source}");
    }
}

#[test]
fn a_task_is_no_help_where_a_loop_tries_again_what_failed() {
    let lines = "coro = ⟦work(1)⟧\nwhile x:\n    try:\n        ⟦await coro⟧\n    except E:\n        pass";
    assert_eq!(titles(&fixed(&crate::in_async(lines), reused)), [LOOP]);
}

#[test]
fn a_task_that_has_it_is_awaited_before_it_is_called_again() {
    let source = crate::in_async("coro = ⟦work(1)⟧\ntask = ⟦asyncio.create_task(coro)⟧\nprint(⟦await coro⟧)");
    let fixes = fixed(&source, reused);
    assert_eq!(titles(&fixes), ["Await `task` instead", AGAIN]);
    assert_eq!(fixes[0].1, crate::in_async("coro = work(1)\ntask = asyncio.create_task(coro)\nprint(await task)"));
}

#[test]
fn a_loop_calls_in_each_turn() {
    for (before, expected) in [
        ("coro = ⟦work(1)⟧\n\nfor _ in x:\n    print(⟦await coro⟧)", "\nfor _ in x:\n    print(await work(1))"),
        (
            "coro = ⟦work(1)⟧\nwhile x:\n    try:\n        return ⟦await coro⟧\n    except E:\n        pass",
            "while x:\n    try:\n        return await work(1)\n    except E:\n        pass",
        ),
        ("coro = ⟦work(1)⟧\nwhile ⟦await coro⟧:\n    pass", "while await work(1):\n    pass"),
        (
            "x()\ncoro = ⟦work(1)⟧\nfor _ in x:\n    # one\n    print(coro)\n    ⟦await coro⟧",
            "x()\nfor _ in x:\n    # one\n    coro = work(1)\n    print(coro)\n    await coro",
        ),
    ] {
        let fixes = fixed(&crate::in_async(before), reused);
        assert_eq!(after(&fixes, LOOP), crate::in_async(expected));
        assert_ne!(fixes[0].0, AGAIN);
    }
    for lines in [
        "coro = ⟦work(1)⟧\nfor _ in x:\n    ⟦await coro⟧\nprint(coro)",
        "coro = None\ncoro = ⟦work(1)⟧\nfor _ in x:\n    ⟦await coro⟧",
        "coro = ⟦work(1)⟧  # why\nfor _ in x:\n    ⟦await coro⟧",
        "self.coro = ⟦work(1)⟧\nfor _ in x:\n    ⟦await self.coro⟧",
    ] {
        assert!(!titles(&fixed(&crate::in_async(lines), reused)).contains(&LOOP), "{lines}");
    }
}

// --------------------------------------------------------------------------------------------------------------- under CPython

const HEAD: &str = "\
import asyncio

async def work(n=1):
    await asyncio.sleep(0.01)
    return n

";

const RUN_MAIN: &str = "\nasyncio.run(main())\n";

/// The programs, each with what its repair needs to know.
fn wrong() -> Vec<(String, Vec<(String, String)>)> {
    let mut programs = Vec::new();
    for (held_by, program) in [
        (None, "async def main():\n    ⟦work()⟧\n    print(1)\n"),
        (None, "async def main():\n    ⟦work()⟧\n    print(1)\n    return 2\n"),
        (Some("x"), "async def main():\n    x = ⟦work()⟧\n    for n in (1, 2):\n        print(n)\n"),
        (
            Some("x"),
            "async def main():\n    for n in (1, 2):\n        x = ⟦work(n)⟧\n        if n > 1:\n            continue\n        print(n)\n",
        ),
        (None, "async def main():\n    return [⟦work()⟧ for _ in range(2)]\n"),
        (Some("jobs"), "async def main():\n    jobs = [⟦work(n)⟧ for n in range(2)]\n    print(len(jobs))\n"),
        (Some("jobs"), "async def main():\n    jobs = []\n    for n in range(2):\n        jobs.append(⟦work(n)⟧)\n"),
        (None, "async def main():\n    if ⟦work(0)⟧:\n        print('never')\n"),
        (None, "def start():\n    ⟦work()⟧\n\nasync def main():\n    start()\n"),
        (
            None,
            "class A:\n    def start(self):\n        return [⟦work()⟧ for _ in (1, 2)]\n\nasync def main():\n    A().start()\n",
        ),
        (None, "async def main(): pass\n\n⟦work()⟧\n"),
        (Some("x"), "async def main(): pass\n\nif __name__ == '__main__':\n    x = ⟦work()⟧\n"),
        (Some("x"), "async def main(n=1):\n    x = ⟦work()⟧\n    if n:\n        ⟦return n⟧\n    await x\n"),
    ] {
        let source = format!("{HEAD}{program}{RUN_MAIN}");
        programs.push((unmark(&source).0, fixed(&source, never_awaited(held_by))));
    }
    for program in [
        "    coro = ⟦work(2)⟧\n    ⟦await coro⟧\n    print(⟦await coro⟧)\n",
        "    coro = ⟦work(2)⟧\n    for _ in (1, 2):\n        print(⟦await coro⟧)\n",
        "    coro = ⟦work(2)⟧\n    for n in (1, 2):\n        if n:\n            assert coro\n            print(⟦await coro⟧)\n",
        "    coro = ⟦work(2)⟧\n    task = ⟦asyncio.create_task(coro)⟧\n    await task\n    print(⟦await coro⟧)\n",
        "    coro = ⟦work(n=2)⟧\n    ⟦await asyncio.gather(coro)⟧\n    print(⟦await asyncio.gather(work(), coro)⟧)\n",
        "    count = 0\n    coro = ⟦work(2)⟧\n    while ⟦await coro⟧ and count < 3:\n        count += 1\n",
    ] {
        let source = format!("{HEAD}async def main():\n{program}{RUN_MAIN}");
        programs.push((unmark(&source).0, fixed(&source, reused)));
    }
    programs
}

#[test]
fn cpython_sees_the_error_go_and_no_other_come() {
    let programs = wrong();
    let mut runs: Vec<(&str, &str)> = Vec::new();
    for (source, fixes) in &programs {
        assert!(!fixes.is_empty(), "no fix for\n{source}");
        runs.push(("", source));
        runs.extend(fixes.iter().map(|(title, text)| (title.as_str(), text.as_str())));
    }
    let sources: Vec<&str> = runs.iter().map(|(_, source)| *source).collect();
    let mut problems = String::new();
    for ((title, source), complaints) in runs.iter().zip(complaints(&sources).unwrap_or_default()) {
        let is_it = |line: &String| line.contains("was never awaited") || line.contains("cannot reuse already awaited");
        let right = if title.is_empty() { complaints.iter().any(is_it) } else { complaints.is_empty() };
        if !right {
            problems.push_str(&format!("{title:?}\n{source}\n{complaints:#?}\n"));
        }
    }
    assert!(problems.is_empty(), "{problems}");
}
