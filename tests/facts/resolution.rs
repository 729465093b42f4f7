//! Which scope evaluates a place, and whose name a name is there.

use std::fmt::Write as _;

use aiolint::text::Span;

use crate::{check_owners, facts, title};

#[test]
fn heads_are_evaluated_outside() {
    check_owners(
        "
def f(probe):
    @probe
    def g(a: probe, *b: probe, probe=probe, c=lambda: probe) -> probe: probe
    class probe(probe, metaclass=probe): probe
    lambda a=probe: probe
    async def h(probe): probe
",
        "
2: the module's
3: def f
4: def f
4: def f
4: def f
4: def f
4: def f
4: def f
4: def g
5: def f
5: def f
5: def f
5: def f
6: def f
6: def f
7: def f
7: async def h
",
    );
}

#[test]
fn the_first_iterable_is_evaluated_outside() {
    check_owners(
        "
class A:
    probe = 1
    [probe for x in probe]
    [0 for x in y for z in probe if probe]
    {probe: 0 for x in [probe for y in probe]}
    (lambda: probe for probe in (probe, lambda: probe))
",
        "
3: class A
4: the module's
4: class A
5: the module's
5: the module's
6: the module's
6: the module's
6: class A
7: genexp
7: genexp
7: class A
7: the module's
",
    );
}

#[test]
fn class_names_are_not_seen_from_functions() {
    check_owners(
        "
def f(probe):
    class A:
        probe = 1
        probe
        def g(self):
            probe
            class B:
                probe
    class C:
        probe
",
        "
2: the module's
4: class A
5: class A
7: def f
9: def f
11: def f
",
    );
}

#[test]
fn declarations_lead_to_the_scope_meant() {
    check_owners(
        "
def f():
    probe = 1
    def g():
        nonlocal probe
        probe = 2
        def h():
            probe
    def i():
        global probe
        probe = 3
        def j():
            probe
",
        "
3: def f
5: def f
6: def f
8: def f
10: the module's
11: the module's
13: the module's
",
    );
}

#[test]
fn comprehensions_in_comprehensions() {
    check_owners(
        "
def f(probe):
    [[probe for probe in probe] for x in probe]
    [0 for probe in x for y in probe]
",
        "
2: the module's
3: comprehension
3: comprehension
3: def f
3: def f
4: comprehension
4: comprehension
",
    );
}

#[test]
fn scopes_are_found_by_what_opens_them() {
    let src = "@d\ndef f(a=lambda: 0): return [x for x in y]\n";
    let facts = facts(src);
    let opened = |text: &str| {
        let start = src.find(text).unwrap() as u32;
        facts
            .scope_opened_by(Span::new(start, start + text.len() as u32))
            .map(|id| title(facts.scope(id).unwrap(), src))
    };
    assert_eq!(opened("def f(a=lambda: 0): return [x for x in y]").as_deref(), Some("def f"));
    assert_eq!(opened("lambda: 0").as_deref(), Some("lambda"));
    assert_eq!(opened("[x for x in y]").as_deref(), Some("comprehension"));
    assert_eq!(opened("x for x in y"), None);
    assert_eq!(opened(src), None);
}

#[test]
fn calls_and_awaits_by_place() {
    let src = "def f(a=g()):\n    await h(i)(j.k()) ** 2\n    x = *l.m(), n()\n    [o() for p in q()]\n";
    let facts = facts(src);
    let mut out = String::new();
    for call in &facts.calls {
        let name = call.name.map_or("-", |name| name.of(src));
        let scope = title(facts.scope(call.scope).unwrap(), src);
        writeln!(out, "{} | {} | {name} | {scope}", call.span.of(src), call.callee.of(src)).unwrap();
    }
    let expected = "\
g() | g | g | module
h(i) | h | h | def f
h(i)(j.k()) | h(i) | - | def f
j.k() | j.k | k | def f
l.m() | l.m | m | def f
n() | n | n | def f
o() | o | o | comprehension
q() | q | q | def f
";
    assert_eq!(out, expected);
    assert_eq!(facts.awaits.iter().map(|span| span.of(src)).collect::<Vec<_>>(), ["await h(i)(j.k())"]);
}

#[test]
fn scopes_in_scopes_in_scopes_are_called_broken() {
    let nested = |depth: usize| facts(&format!("x = {}1", "lambda: ".repeat(depth))).scopes[0].broken;
    assert!(!nested(100));
    assert!(nested(1_000));
}

#[test]
fn deep_nesting_neither_overflows_nor_hangs() {
    let n = 100_000;
    for src in [
        "(".repeat(n),
        format!("x = {}1{}", "(".repeat(n), ")".repeat(n)),
        format!("x = {}1{}", "[".repeat(n), "]".repeat(n)),
        format!("x = {}1", "lambda: ".repeat(n)),
        format!("x = {}1", "lambda x=".repeat(n)),
        format!("{}1", "x = ".repeat(n)),
        format!("x = y{}", ".z".repeat(n)),
        format!("x = y{}", "()".repeat(n)),
        format!("x = {}1{}", "f(".repeat(n), ")".repeat(n)),
        format!("{}x{} = 1", "(".repeat(n), ")".repeat(n)),
        format!("x = {}1{}", "[x for x in ".repeat(1_000), "]".repeat(1_000)),
    ] {
        facts(&src);
    }
}
