//! Where an `await` is legal: CPython's compiler is asked about every form in every place, and the rule has to say the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code)]
mod oracle;

use std::sync::Arc;

use aiolint::engine::File;
use aiolint::project::Settings;
use oracle::Program;

/// What may suspend, one place of it in each.
const FORMS: &[&str] = &[
    "await x",
    "y = f(1, *await x)",
    "print(f\"{await x!r:>9}\")",
    "del x[await y]",
    "async with x: pass",
    "async with x as y, z: pass",
    "async for y in x: pass",
    "try: pass\nexcept (await x): pass",
    "match x:\n    case 1 if await y: pass",
    // Comprehensions, and what they evaluate outside of themselves.
    "[y async for y in x]",
    "{y async for y in x}",
    "{y: y async for y in x}",
    "[await y for y in x]",
    "[y for y in x if await y]",
    "[y for z in x for y in await z]",
    "[y for y in await x]",
    "[z for z in [y async for y in x]]",
    "[[y async for y in x] for z in x]",
    "[[await y for y in x] for z in x]",
    "[[y async for y in x] async for z in x]",
    "[[y for y in await z] for z in x]",
    "{k: [y async for y in x] for k in x}",
    // Generator expressions are asynchronous generators then, wherever they stand.
    "(y async for y in x)",
    "(await y for y in x)",
    "(y for y in x if await y)",
    "(y for z in x for y in await z)",
    "(y for y in await x)",
    "([await y for y in x] for z in x)",
    "[(y async for y in x) for z in x]",
    "[(await y for y in x) for z in x]",
    "f(await y for y in x)",
    // Lambdas.
    "lambda: await x",
    "lambda a=await x: a",
    "lambda: [y async for y in x]",
    "lambda: (y async for y in x)",
    "[lambda: await x for y in x]",
    // What a `def` or `class` evaluates in the code around it.
    "def g(a=await x): pass",
    "async def g(a=await x): pass",
    "@(await x)\ndef g(): pass",
    "class C(await x): pass",
    "class C(metaclass=await x): pass",
    // And what it does not.
    "def g():\n    return await x",
    "async def g():\n    await x",
    "class C:\n    z = await x",
    "class C:\n    z = [y async for y in x]",
    "class C:\n    z = (y async for y in x)",
    "class C:\n    def g(self, a=await x): pass",
    "class C:\n    async def g(self):\n        await x",
];

/// Where they stand: `BODY` for the lines.
const PLACES: &[(&str, &str)] = &[
    ("", ""),
    ("def f():", "    "),
    ("async def f():", "    "),
    ("class K:", "    "),
    ("async def f():\n    class K:", "        "),
    ("async def o():\n    def f():", "        "),
    ("def o():\n    async def f():", "        "),
    ("class K:\n    async def f(self):\n        if self:", "            "),
    ("if f:\n    for i in x:", "        "),
    ("if f:\n    while x:\n        def g():\n            with x:", "                "),
];

/// Compiles each text and prints Python's error, or an empty line.
const DRIVER: &str = r#"
import ast, json
for source, flags in json.loads(PROGRAMS):
    try:
        compile(source, 'program.py', 'exec', ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if flags else 0)
        print()
    except SyntaxError as error:
        print(error.msg)
"#;

fn programs() -> Vec<(String, bool)> {
    let mut programs = Vec::new();
    for (head, indent) in PLACES {
        for form in FORMS {
            let lines: String = form.lines().map(|line| format!("{indent}{line}\n")).collect();
            let source = if head.is_empty() { lines } else { format!("{head}\n{lines}") };
            programs.extend([(source.clone(), false), (source, true)]);
        }
    }
    programs
}

/// What the rule quotes.
fn quoted(source: &str, top_level_await: bool) -> Vec<String> {
    let settings = Settings { top_level_await, ..Settings::default() };
    let findings = File::new(source.to_owned(), Arc::new(settings)).findings();
    let errors = findings.iter().filter(|finding| finding.rule == "await-outside-async").map(|finding| {
        let (_, error) = finding.message.split_once("`SyntaxError: ").expect("the message quotes an error");
        error.trim_end_matches('`').to_owned()
    });
    errors.collect()
}

#[test]
fn the_compiler_of_cpython_says_the_same() {
    let programs = programs();
    let json = serde_json::to_string(&programs).unwrap();
    // JSON of a JSON text is a Python string, too.
    let driver = format!("PROGRAMS = {}\n{DRIVER}", serde_json::to_string(&json).unwrap());
    let Some(outcomes) = oracle::run_all(&[Program::new("driver", driver)]) else { return };
    let printed: Vec<&str> = outcomes[0].printed.lines().collect();
    assert_eq!(printed.len(), programs.len(), "{printed:#?}");
    let mut wrong = String::new();
    for ((source, top_level_await), error) in programs.iter().zip(printed) {
        let ours = quoted(source, *top_level_await);
        let same = if error.is_empty() { ours.is_empty() } else { ours == [error] };
        if !same {
            wrong.push_str(&format!("{source}(top level: {top_level_await})\nCPython: {error:?}, here: {ours:?}\n\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn annotations_are_left_to_python() {
    for form in ["v: (await x) = 1", "def g(a: (await x)): pass", "def g() -> (await x): pass", "type A = await x"] {
        assert_eq!(quoted(&format!("{form}\n"), false), [""; 0], "{form}");
        assert_eq!(quoted(&format!("def f():\n    {form}\n"), false), [""; 0], "{form}");
    }
}

#[test]
fn cells_of_a_notebook_may_wait() {
    for mark in ["# %%", "#%% [markdown]", "# In[3]:"] {
        assert_eq!(quoted(&format!("import asyncio\n\n{mark}\nawait x\n"), false), [""; 0], "{mark}");
        let in_def = format!("import asyncio\n\n{mark}\ndef f():\n    await x\n");
        assert_eq!(quoted(&in_def, false), ["'await' outside async function"], "{mark}");
    }
}

#[test]
fn what_does_not_parse_is_left_alone() {
    assert_eq!(quoted("def f():\n    await x\n    y = (\n", false), [""; 0]);
    assert_eq!(quoted("await = 1\n", false), [""; 0]);
    assert_eq!(quoted("asyncio.async(x)\n", false), [""; 0]);
}

#[test]
fn a_file_without_a_word_of_asyncio_is_looked_at() {
    assert_eq!(
        quoted("def f(x):\n    async \\\n        for y in x: pass\n", false),
        ["'async for' outside async function"]
    );
}
