//! What names mean through imports, in one item and over all items of a module, and how to spell them.

use aiolint::facts::{Facts, ItemNames, Meaning, Mentions, ModuleNames, Names, ScopeId};

use crate::{check_meanings, facts, spellings};

#[test]
fn aliases_lead_to_canonical_paths() {
    check_meanings(
        "
import asyncio, asyncio as aio, asyncio.tasks as t, concurrent.futures
from asyncio import create_task as spawn, tasks
from asyncio.futures import Future
from . import sibling
from .sibling import helper as h
probe(asyncio.create_task, aio.create_task, spawn, t.wait, tasks.wait, Future, Future.result)
probe(asyncio.tasks.create_task, asyncio.exceptions.InvalidStateError, asyncio.tasks, asyncio.tasks.__all__, asyncio.subprocess.PIPE)
probe(concurrent.futures.Future, sibling.x, h, h.y)
probe(print, CancelledError)
probe(f(), f().x, x[0].y, 1, (asyncio).wait)
",
        "
asyncio.create_task
asyncio.create_task
asyncio.create_task
asyncio.wait
asyncio.wait
asyncio.Future
asyncio.Future.result
asyncio.create_task
asyncio.InvalidStateError
asyncio.tasks
asyncio.tasks.__all__
asyncio.subprocess.PIPE
concurrent.futures.Future
.sibling.x
.sibling.helper
.sibling.helper.y
builtins.print
builtins.CancelledError
?
?
?
?
?
",
    );
}

#[test]
fn names_mean_what_the_scope_sees() {
    check_meanings(
        "
import asyncio
def f(wait):
    import asyncio as aio
    probe(asyncio.wait, aio.wait, wait)
    def g():
        from asyncio import wait
        probe(aio.wait, wait)
        def h(asyncio): probe(asyncio.wait, wait)
    class A:
        import asyncio as inner
        probe(inner.wait)
        def m(self): probe(inner.wait)
    [probe(asyncio) for asyncio in x]
",
        "
asyncio.wait
asyncio.wait
?
asyncio.wait
asyncio.wait
?
asyncio.wait
asyncio.wait
builtins.inner.wait
?
",
    );
}

#[test]
fn names_of_several_meanings_have_none() {
    check_meanings(
        "
import a, b, c, d, e, f, g
if x: import a
try: import uvloop as b
except ImportError: import b
try: import c
except ImportError: c = None
def h():
    global d
    d = 1
class e: pass
def f(): pass
for g in x: pass
k: int
def i():
    import j
    def rebind():
        nonlocal j
        j = 1
    probe(j)
probe(a, b, c, d, e, f, g, h, i, k)
",
        "
?
a
?
?
?
?
?
?
?
?
builtins.k
",
    );
}

#[test]
fn star_imports_hide_what_is_not_bound() {
    check_meanings("from asyncio import *\nimport b\nprobe(create_task, b.x, print)\n", "asyncio.create_task\nb.x\n?");
    check_meanings("from asyncio import *\nfrom x import *\nprobe(create_task)\n", "?");
}

#[test]
fn the_call_that_gave_a_name_its_value() {
    let src = "
import asyncio as aio
loop = aio.new_event_loop()
other = aio.new_event_loop()
other = None
def f(aio):
    mine = aio.x()
def g():
    mine = aio.get_running_loop()
";
    let facts = facts(src);
    let module = ModuleNames::from_items([ItemNames::Parsed(&facts)]);
    let names = Names { facts: &facts, module: &module, src };
    let given = |scope, name| names.call_result(ScopeId(scope), name);
    assert_eq!(given(0, "loop").as_deref(), Some("asyncio.new_event_loop"));
    assert_eq!(given(2, "loop").as_deref(), Some("asyncio.new_event_loop"));
    assert_eq!(given(0, "other"), None);
    assert_eq!(given(1, "mine"), None);
    assert_eq!(given(2, "mine").as_deref(), Some("asyncio.get_running_loop"));
}

#[test]
fn spelling_uses_what_is_imported() {
    let wait = |src: &str| spellings(src, "asyncio.wait");
    assert_eq!(wait("import asyncio\nhere"), "asyncio.wait");
    assert_eq!(wait("import asyncio.tasks\nhere"), "asyncio.wait");
    assert_eq!(wait("import asyncio as aio\nhere"), "aio.wait");
    assert_eq!(wait("from asyncio import gather\nhere"), "?");
    assert_eq!(wait("from asyncio import wait\nhere"), "wait");
    assert_eq!(wait("from asyncio import wait as w\nimport asyncio\nhere"), "w");
    assert_eq!(wait("from asyncio.tasks import wait\nhere"), "wait");
    assert_eq!(wait("import asyncio as z, asyncio as a, asyncio as m\nhere"), "a.wait");
    assert_eq!(wait("from asyncio import *\nhere"), "?");
    assert_eq!(wait("here"), "?");
    assert_eq!(wait("if TYPE_CHECKING:\n    import asyncio\nhere"), "?");
    assert_eq!(wait("try: import uvloop as asyncio\nexcept X: import asyncio\nhere"), "?");
    assert_eq!(wait("import asyncio\ndef f(asyncio): here"), "?");
    assert_eq!(wait("import asyncio\ndef f(wait): here"), "asyncio.wait");
    assert_eq!(wait("from asyncio import wait\ndef f(wait): here\nhere"), "? wait");
    assert_eq!(
        wait("def f():\n    here\n    import asyncio\n    here\n    def g(): here\nhere"),
        "? asyncio.wait asyncio.wait ?"
    );
    assert_eq!(wait("class A:\n    import asyncio\n    here\n    def f(self): here"), "asyncio.wait ?");
}

#[test]
fn names_of_a_module_are_those_of_all_its_items() {
    let merged = |items: &[&str]| {
        let facts: Vec<Facts> = items.iter().map(|src| facts(src)).collect();
        ModuleNames::from_items(facts.iter().map(ItemNames::Parsed))
    };
    let function = |is_async, is_generator, decorated| Meaning::Function { is_async, is_generator, decorated };
    let module = merged(&[
        "import a",
        "async def f(): pass",
        "x = a.b()",
        "class C: pass",
        "def g():\n    global x\n    x = 1\n",
    ]);
    assert_eq!(module.meaning("a"), Some(&Meaning::Import("a".to_owned())));
    assert_eq!(module.meaning("f"), Some(&function(true, false, false)));
    assert_eq!(module.meaning("g"), Some(&function(false, false, false)));
    assert_eq!(module.meaning("x"), Some(&Meaning::Other));
    assert_eq!(module.meaning("C"), Some(&Meaning::Class));
    assert_eq!(module.meaning("y"), None);

    let header = ModuleNames::from_items([ItemNames::Header("f", function(true, false, false), None)]);
    assert_eq!(header.fingerprint(), merged(&["async def f(): pass"]).fingerprint());
}

#[test]
fn the_fingerprint_changes_with_the_meanings_only() {
    let of = |items: &[&str]| {
        let facts: Vec<Facts> = items.iter().map(|src| facts(src)).collect();
        ModuleNames::from_items(facts.iter().map(ItemNames::Parsed)).fingerprint()
    };
    let before = of(&["import a", "async def f(): pass", "x = a.b()"]);
    assert_eq!(before, of(&["x = a.b( )", "async def f(y): return 1", "import a"]));
    assert_ne!(before, of(&["import a", "def f(): pass", "x = a.b()"]));
    assert_ne!(before, of(&["import a", "async def f(): pass", "x = a.c()"]));
    assert_ne!(before, of(&["import a as b", "async def f(): pass", "x = a.b()"]));
    assert_ne!(before, of(&["import a", "async def f(): pass", "x = a.b()", "from c import *"]));
    assert_ne!(before, of(&["import a", "async def f(): global a; a = 1", "x = a.b()"]));
    assert_ne!(of(&["import a"]), of(&["if TYPE_CHECKING: import a"]));
}

#[test]
fn a_star_import_may_bring_anything_that_functions_share() {
    let isolated = |head: &str| {
        let text = "async def f(): return work()";
        let facts = [facts(head), facts(text)];
        let module = ModuleNames::from_items(facts.iter().map(ItemNames::Parsed));
        let mentions = Mentions::of(text, "f", &module);
        aiolint::facts::isolated(&[("f", &mentions)].into_iter().collect()).contains("f")
    };
    assert!(isolated("import asyncio"));
    assert!(isolated("from asyncio import *"));
    assert!(!isolated("from mine import *"));
}
