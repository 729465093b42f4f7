//! Fixes that reach beyond the function: through the engine, since only the whole file shows who calls it.

use std::sync::Arc;

use aiolint::engine::File;
use aiolint::project::Settings;
use aiolint::report::{Applicability, Finding};

use crate::apply;
use crate::under_cpython::oracle::{self, Program};

/// The only finding of a file.
fn finding(source: &str) -> Finding {
    let findings = File::new(source.to_owned(), Arc::new(Settings::default())).findings();
    let [finding] = &findings[..] else { panic!("one finding, not {findings:#?}") };
    finding.clone()
}

fn titles(source: &str) -> Vec<String> {
    finding(source).fixes.into_iter().map(|fix| fix.title).collect()
}

fn check(source: &str, title: &str, expected: &str) {
    let finding = finding(source);
    let Some(fix) = finding.fixes.iter().find(|fix| fix.title == title) else {
        panic!("no fix `{title}` for {source}, only {:?}", titles(source))
    };
    assert!(fix.edits.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start), "{:?}", fix.edits);
    assert_eq!(apply(source, &fix.edits), expected);
}

#[test]
fn callers_await_wherever_they_stand() {
    for (before, after) in [
        ("show()", "await show()"),
        ("x = show().y", "x = (await show()).y"),
        ("x = show()[0]", "x = (await show())[0]"),
        ("x = -show() ** 2", "x = -(await show()) ** 2"),
        ("x = 1 if show()else 2", "x = 1 if (await show())else 2"),
        ("x = f(*show(), k=show())", "x = f(*await show(), k=await show())"),
        ("x = [*show().items()]", "x = [*(await show()).items()]"),
        ("x = show(show())", "x = await show(await show())"),
        ("x = show()()", "x = (await show())()"),
        ("x = [show() for _ in y]", "x = [await show() for _ in y]"),
        ("with show() as x: pass", "with await show() as x: pass"),
        ("async for x in show(): pass", "async for x in await show(): pass"),
        ("return show(  # why\n        1)", "return await show(  # why\n        1)"),
        ("await show()", "await show()"),
        ("await asyncio.gather(show(), show())", "await asyncio.gather(show(), show())"),
        ("group.create_task(show())", "group.create_task(show())"),
        ("subprocess.run(show())", "subprocess.run(await show())"),
    ] {
        let source = format!("import asyncio\ndef show(x=0):\n    await x\nasync def main():\n    {before}\n");
        let changed = before != after;
        let title = if changed { "Make `show` async, and await it in its caller" } else { "Make `show` async" };
        check(
            &source,
            title,
            &format!("import asyncio\nasync def show(x=0):\n    await x\nasync def main():\n    {after}\n"),
        );
    }
}

#[test]
fn plain_callers_become_async_in_their_turn() {
    check(
        "def a():\n    await x\n\ndef b():\n    return a() + b()\n\nif x:\n    def c(): b()\n\nc()\n",
        "Make `a` async, and await it in 3 callers",
        "import asyncio\n\nasync def a():\n    await x\n\nasync def b():\n    return await a() + await b()\n\nif x:\n    async def c(): await b()\n\nasyncio.run(c())\n",
    );
}

#[test]
fn a_notebook_awaits_at_module_level() {
    check(
        "# %%\ndef a():\n    await x\n\n# %%\nprint(a().y)\n",
        "Make `a` async, and await it in its caller",
        "# %%\nasync def a():\n    await x\n\n# %%\nprint((await a()).y)\n",
    );
    assert_eq!(titles("# %%\nasync def a(): pass\nclass A:\n    x = await a()\n"), [""; 0]);
}

#[test]
fn methods_are_called_through_self_their_class_and_objects_of_it() {
    check(
        "class A:\n    def f(self):\n        await x\n    async def g(self):\n        self.f()\n        [self.f() for _ in y]\nclass B(A):\n    async def g(self):\n        super().f()\n        self.f()\nclass C:\n    def f(self): pass\n    def g(self): self.f()\nasync def main():\n    a = A()\n    a.f(), A().f(), A.f(a)\n",
        "Make `f` async, and await it in 3 callers",
        "class A:\n    async def f(self):\n        await x\n    async def g(self):\n        await self.f()\n        [await self.f() for _ in y]\nclass B(A):\n    async def g(self):\n        await super().f()\n        await self.f()\nclass C:\n    def f(self): pass\n    def g(self): self.f()\nasync def main():\n    a = A()\n    await a.f(), await A().f(), await A.f(a)\n",
    );
}

#[test]
fn what_cannot_be_seen_through_is_named() {
    let cases: [(&str, &str); 9] = [
        ("class A:\n    def __init__(self): show()", "`__init__`"),
        ("def gen():\n    yield show()", "`gen`"),
        ("y = lambda: show()", "a `lambda`"),
        ("y = (show() for _ in z)", "a generator expression"),
        ("register(show)", "the module"),
        ("class A:\n    y = show()", "`A`"),
        ("@app.route('/')\ndef view():\n    return show()", "`view`"),
        ("def show(): pass", "the module"),
        (
            "@property\ndef p(self): show()\ndef q(): show(); z = [show for _ in y]\ndef r(): show()\nregister(r)",
            "`p`, `q` and the module",
        ),
    ];
    for (use_, names) in cases {
        let source = format!("def show():\n    await x\n{use_}\n");
        let title = format!("Make only `show` async, not what uses it: {names}");
        check(&source, &title, &format!("async def show():\n    await x\n{use_}\n"));
        assert_eq!(finding(&source).fixes[0].applicability, Applicability::Suggestion);
    }
}

#[test]
fn what_python_calls_stays_plain() {
    for source in [
        "class A:\n    def __init__(self):\n        await x\n",
        "class A:\n    @property\n    def f(self):\n        await x\n",
        "class A:\n    @f.setter\n    def f(self, y):\n        await x\n",
        "def f():\n    yield await x\n",
        "@functools.lru_cache(None)\ndef f():\n    await x\n",
        "class A:\n    def f(self): pass\nclass B(A):\n    def f(self):\n        await x\n",
        "def f():\n    await x\nloop.call_soon(f)\n",
        "def f():\n    await x\nthreading.Thread(target=f).start()\n",
    ] {
        assert_eq!(titles(source), [""; 0], "{source}");
    }
    for (source, applicability) in [
        (
            "class A:\n    async def __aenter__(self):\n        pass\n    def __aexit__(self, *a):\n        await x\n",
            Applicability::Unsafe,
        ),
        ("class A(Base):\n    def f(self):\n        await x\n", Applicability::Suggestion),
        ("@app.get('/')\ndef f():\n    await x\n", Applicability::Suggestion),
        ("class A:\n    @staticmethod\n    def f():\n        await x\n", Applicability::Unsafe),
    ] {
        assert_eq!(finding(source).fixes[0].applicability, applicability, "{source}");
    }
}

#[test]
fn the_places_that_then_need_an_await_are_named() {
    let source = "def show():\n    await x\n\nasync def main():\n    show()\n    use(show)\n";
    let related: Vec<(&str, String)> =
        finding(source).related.into_iter().map(|related| (related.span.of(source), related.message)).collect();
    let expected = [
        ("show", "`show` is a plain `def`"),
        ("show()", "this call of `show` then needs an `await`"),
        ("show", "`show` is used here, too"),
    ];
    assert_eq!(related, expected.map(|(text, message)| (text, message.to_owned())));
}

#[test]
fn module_level_code_goes_into_a_function() {
    let title = "Put this into `async def main()` and run it";
    check(
        "import asyncio\nn = 0\nfor _ in x:\n    n += await f()\n\n    t = \"\"\"a\n b\"\"\"\n# why\nprint(n)  # done\n",
        title,
        "import asyncio\nasync def main():\n    n = 0\n    for _ in x:\n        n += await f()\n\n        t = \"\"\"a\n b\"\"\"\n    # why\n    print(n)  # done\n\n\nasyncio.run(main())\n",
    );
    check(
        "from asyncio import run\nif __name__ == '__main__':  # main\n\tasync with x: pass\n\t# end\n\ndef main(): pass\n",
        "Put this into `async def amain()` and run it",
        "from asyncio import run\nasync def amain():  # main\n\tasync with x: pass\n\n\nif __name__ == '__main__':\n    run(amain())\n\t# end\n\ndef main(): pass\n",
    );
    for source in [
        // A function reads the variable.
        "def f(): return n\nn = await g()\n",
        // It would run a loop in the loop.
        "import asyncio\nawait g()\nasyncio.run(h())\n",
        "await g()\nfrom os import *\n",
        "if x: pass\nelse: await g(); global y\n",
    ] {
        assert_eq!(titles(source), [""; 0], "{source}");
    }
}

/// A plain program and what it prints: when its leaf waits and is repaired, it prints the same, and nothing is left unawaited.
#[test]
fn the_repaired_program_does_what_the_plain_one_did() {
    let program = "\
import contextlib

def leaf(n):
    return LEAF(n) + 1

def twice(n):
    with contextlib.nullcontext(leaf(n)) as first:
        return first + -leaf(n) ** 2

class Shop:
    def __str__(self):
        return 'shop'

    def total(self, n):
        return sum([self.one(n) for _ in range(2)]) + leaf(self.one(1))

    @staticmethod
    def one(n=3):
        def inner(k):
            return twice(k) if leaf(0)else 0
        return inner(n)

SHOP = Shop()

def report(n):
    for _ in range(leaf(n)):
        n += len(f'{Shop.one()}') + Shop().total(2)
    return (lambda z: z + 1)(SHOP.total(n))

print(report(1), Shop())
if __name__ == '__main__':
    x = twice(5)
    print(x)
";
    let plain = format!("def work(n):\n    return n\n\n{}", program.replace("LEAF", "work"));
    let source = format!("async def work(n):\n    return n\n\n{}", program.replace("LEAF", "await work"));
    let finding = finding(&source);
    assert_eq!(finding.fixes[0].title, "Make `leaf` async, and await it in 6 callers");
    let repaired = apply(&source, &finding.fixes[0].edits);
    let programs = [Program::new("plain", plain), Program::new("repaired", repaired)];
    let Some(outcomes) = oracle::run_all(&programs) else { return };
    assert_eq!(outcomes[1].complaints(), [""; 0], "{}", outcomes[1].printed);
    assert_eq!(outcomes[0].printed, outcomes[1].printed);
}

#[test]
fn a_lambda_becomes_a_function() {
    check(
        "async def f():\n    for x in y:\n        g(lambda a, *b, c=1: await\\\n          a)\n",
        "Replace the `lambda` with `async def call`",
        "async def f():\n    for x in y:\n        async def call(a, *b, c=1):\n            return (await\\\n          a)\n\n        g(call)\n",
    );
    for source in
        ["[lambda: await x for x in y]\n", "class A:\n    f = lambda self: await x\n", "f = lambda: lambda: await x\n"]
    {
        assert_eq!(titles(source), [""; 0], "{source}");
    }
}
