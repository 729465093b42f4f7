//! The control-flow graph of each kind of statement, as its dump shows it.
//!
//! A dump is a list of blocks: `b2 !b4:` is block 2, whose exceptions go to block 4; `-> …` says how it ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use aiolint::facts::{ItemNames, ModuleNames, Names, extract};
use aiolint::flow;
use aiolint::tree::Tree;

/// The graph of `async def f(a, b, c, xs)` with this body.
fn graph(body: &str) -> String {
    let indented: String = body.trim().lines().map(|line| format!("    {line}\n")).collect();
    let src = format!("async def f(a, b, c, xs):\n{indented}");
    let tree = Tree::parse(&src);
    let facts = extract(tree.root(), &src);
    let module = ModuleNames::from_items([ItemNames::Parsed(&facts)]);
    let names = Names { facts: &facts, module: &module, src: &src };
    let unit = flow::units(&facts)[0];
    flow::dump(&flow::lower(unit, tree.root(), &names).unwrap(), &src)
}

macro_rules! shows {
    ($($name:ident: $body:literal)*) => {
        $(#[test]
        fn $name() {
            insta::assert_snapshot!(stringify!($name), graph($body), $body);
        })*
    };
}

shows! {
    if_elif_else: "
if a:
    x = 1
elif b:
    x = 2
else:
    x = 3
return x"
    while_with_else_break_and_continue: "
while a:
    if b:
        break
    if c:
        continue
    await a
else:
    b()
return"
    for_with_else: "
for x in xs:
    x()
else:
    a()"
    async_for: "
async for x in a:
    pass"
    try_except_else_finally: "
try:
    await a
except ValueError as error:
    b(error)
except (OSError, TimeoutError):
    raise
else:
    c()
finally:
    a()"
    except_star: "
try:
    a()
except* ValueError:
    b()"
    return_through_two_finallies: "
try:
    try:
        return a
    finally:
        b()
finally:
    c()"
    break_through_finally: "
for x in xs:
    try:
        break
    finally:
        a()"
    with_two_managers: "
with a as x, b:
    c()"
    async_with: "
async with a:
    await b"
    match_with_guard: "
match a:
    case [x, *_] if b:
        x()
    case _:
        c()"
    assert_and_raise: "
assert a, b
raise ValueError(c)"
    boolean_and_conditional_expressions: "
x = a and b or not c
y = a if b else c"
    chained_comparison_is_one_test: "
if a < b < c:
    pass"
    comprehension_runs_in_place: "
x = [await y for y in xs if y if a]"
    generator_expression_and_functions_are_captured: "
x = (a for y in xs)
def g(p=b):
    return c
h = lambda: a"
    same_test_twice: "
if a:
    b()
if a:
    c()"
    guards_around_a_call: "
try:
    a.result()
except Exception:
    pass
try:
    a.result()
except (ValueError, asyncio.InvalidStateError):
    pass"
    walrus_del_and_starred: "
(x := a)
x, *y = xs
del x"
}
