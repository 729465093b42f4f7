//! Texts that nobody would write, looked at, edited and looked at again through the engine: on the small stack of a thread, to an end,
//! without a panic. What a text may cost is not asserted; a cost that grows with its square would be noticed here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::sync::Arc;

use aiolint::engine::File;
use aiolint::text::{Change, Encoding, Position};

const STACK: usize = 2 << 20;
const DEEP: usize = 100_000;

/// A function with a task, and in it what comes after.
const FUNCTION: &str = "import asyncio\n\nasync def f(x):\n    t = asyncio.create_task(x())\n    ";

/// Looks at the text, asks about its middle, types a character there, and one at its end, and looks again each time. Returns how
/// many findings the text had.
fn survive(text: String) -> usize {
    let work = move || {
        let middle = text.len() as u32 / 2;
        let mut file = File::new(text, Arc::default());
        let found = file.findings().len();
        file.hover(middle);
        let end = Position { line: u32::MAX, character: 0 };
        for at in [file.text().position(middle, Encoding::Utf16), end] {
            file.edit(vec![Change { range: Some((at, at)), text: "x".to_owned() }], Encoding::Utf16);
            file.findings();
            file.hover(middle);
        }
        found
    };
    std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().expect("no panic")
}

#[test]
fn the_function_around_it_has_a_finding() {
    assert_eq!(survive(format!("{FUNCTION}t.result()\n")), 1);
}

#[test]
fn opened_brackets() {
    for open in ["(", "[", "{", "f(", "x[", "{1: ", "f'{", "(\n", "([{"] {
        let open = open.repeat(DEEP);
        survive(open.clone());
        survive(format!("{FUNCTION}t.result()\n    y = {open}"));
        survive(format!("{FUNCTION}y = {open}\n    t.result()\n\ndef g():\n    t.result()\n"));
    }
}

#[test]
fn closed_brackets() {
    for (open, close) in [("(", ")"), ("[", "]"), ("f(", ")"), ("x[", "]"), ("{1: ", "}"), ("(\n", "\n)")] {
        let (open, close) = (open.repeat(DEEP), close.repeat(DEEP));
        survive(format!("{FUNCTION}y = {open}t.result(){close}\n"));
        survive(format!("{open}t.result(){close}\n"));
        survive(format!("{FUNCTION}t.result(){close}\n"));
    }
}

/// Fewer brackets than what is not parsed at all.
#[test]
fn some_opened_brackets() {
    for open in ["(", "[", "{", "f(", "f'{"] {
        survive(format!("{FUNCTION}t.result()\n    y = {}", open.repeat(4_000)));
    }
}

#[test]
fn operators() {
    survive(format!("{FUNCTION}y = {}t.result()\n", "not ".repeat(DEEP)));
    for nested in ["-", "await ", "lambda: ", "x if y else ", "x = ", "*", "x and ", "x + ", "x < ", "x, ", "x: "] {
        survive(format!("{FUNCTION}y = {}t.result()\n", nested.repeat(20_000)));
    }
}

#[test]
fn chains() {
    for link in
        [".b", "()", "()()", "[0]", ".result()", "(x)", " + t.result()", " and t.result()", "; t.result()", " .b"]
    {
        survive(format!("{FUNCTION}t{}\n", link.repeat(50_000)));
    }
}

#[test]
fn clauses() {
    survive(format!("{FUNCTION}if x:\n        t.result()\n{}", "    elif x:\n        t.result()\n".repeat(20_000)));
    survive(format!("{FUNCTION}try: pass\n{}", "    except x:\n        t.result()\n".repeat(20_000)));
    survive(format!("{FUNCTION}match x:\n{}", "        case 1:\n            t.result()\n".repeat(20_000)));
    survive(format!("{FUNCTION}pass\n{}", "    if x: t = asyncio.create_task(x())\n    t.result()\n".repeat(4_000)));
}

#[test]
fn blocks() {
    let nested = |head: &str, depth: usize| -> String {
        (0..depth).map(|depth| format!("{}{head}\n", " ".repeat(depth + 4))).collect()
    };
    for head in ["def f():", "async def f(t):", "class A:", "if x:", "while x:", "try:", "async with x:", "for x in y:"]
    {
        for depth in [150, 1_000] {
            let blocks = nested(head, depth) + &" ".repeat(depth + 4) + "t.result()\n";
            survive(format!("{FUNCTION}pass\n{blocks}"));
        }
    }
}

#[test]
fn many_of_everything() {
    survive("async def f(t):\n    t.result()\n".repeat(20_000));
    survive("@a\n".repeat(DEEP) + "def f(): t.result()\n");
    survive("async\n".repeat(DEEP) + "t.result()");
    survive("t.result() # aiolint: ignore\n".repeat(5_000));
    survive("\"\"\"result\n".repeat(20_000));
    survive("'''\n\"\"\"\n".repeat(20_000));
    survive("def f(\n".repeat(20_000) + "result");
    for run in [4_000, DEEP] {
        survive("\\\n".repeat(run) + "result");
    }
}

#[test]
fn awaits_that_are_not_legal() {
    survive("def f():\n    await f()\n".repeat(1_000));
    survive((0..1_000).map(|n| format!("def f{}():\n    await f{n}()\n", n + 1)).collect());
    let method = |n| format!("    def f{}(self):\n        await self.f{n}()\n", n + 1);
    survive("class A:\n".to_owned() + &(0..1_000).map(method).collect::<String>());
    survive("x = await f()\n".repeat(1_000));
    survive(format!("x = {}await x{}\n", "[".repeat(1_000), " for _ in y]".repeat(1_000)));
    survive(format!("x = {}await x\n", "lambda: ".repeat(1_000)));
}

#[test]
fn long_strings() {
    let long = "a".repeat(1 << 20);
    for quote in ["'", "\"", "'''", "f'", "f'''", ""] {
        let close = quote.trim_start_matches('f');
        survive(format!("{FUNCTION}y = {quote}{long}{close}\n    t.result()\n"));
        survive(format!("{FUNCTION}y = {quote}{long}\n    t.result()\n"));
    }
    survive(format!("{FUNCTION}y = f'{}'\n    t.result()\n", "{t.result()}".repeat(10_000)));
    survive(format!("{FUNCTION}t.result() # {long}\n"));
}

#[test]
fn strange_bytes() {
    for text in ["\0", "\u{feff}", "\r", "\x0c", "\u{2028}", "\u{10ffff}", "\\", "\t", " ", "\n", "\x1a"] {
        survive(text.to_owned());
        survive(text.repeat(DEEP));
        survive(format!("{FUNCTION}t.result(){}\n", text.repeat(DEEP)));
    }
    survive(String::new());
}

#[test]
fn megabytes() {
    survive(format!("x = '{}'\n", "result ".repeat((50 << 20) / 7)));
    // As much of code takes an unoptimised build a quarter of a minute.
    let function = "async def f(x):\n    t = asyncio.create_task(x())\n    return t if t.done() else None\n\n";
    survive("import asyncio\n".to_owned() + &function.repeat((4 << 20) / function.len()));
}
