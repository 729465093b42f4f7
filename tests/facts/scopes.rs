//! What opens a scope, what binds a name in it and how.

use crate::{check, facts};

#[test]
fn every_kind_of_parameter() {
    check(
        "def f(a, /, b: int, c=1, d: str = '', *args: T, e, f=2, **kwargs: U): pass",
        "
module
  .f: def
  def f
    .a: parameter
    .args: parameter
    .b: parameter: int
    .c: parameter
    .d: parameter: str
    .e: parameter
    .f: parameter
    .kwargs: parameter
",
    );
    check(
        "lambda a, *b, c=1, **d: a",
        "
module
  lambda
    .a: parameter
    .b: parameter
    .c: parameter
    .d: parameter
",
    );
}

#[test]
fn assignments() {
    check(
        "
def f():
    a = 1
    b += 1
    c: int = 1
    d: int
    (e): int
    (g): int = 1
    h = i = asyncio.create_task(x())
    j, (k, *l), [m] = n.o, p[q] = r
    s, = t.u = 0
",
        "
module
  .f: def
  def f
    .a: other
    .b: other
    .c: other
    .d: declared
    .g: other
    .h: asyncio.create_task()
    .i: asyncio.create_task()
    .j: other
    .k: other
    .l: other
    .m: other
    .s: other
",
    );
}

#[test]
fn results_of_calls() {
    check(
        "
def f():
    a = g()
    b = g.h . i(1)
    c: T = g()
    if (d := g()): pass
    e = await g()
    k = g()()
    l = g().h()
    m = g(), 1
    n, = g()
    o = (g())
    for p in g(): pass
    with g() as q: pass
",
        "
module
  .f: def
  def f
    .a: g()
    .b: g.h.i()
    .c: g()
    .d: g()
    .e: other
    .k: other
    .l: other
    .m: other
    .n: other
    .o: other
    .p: other
    .q: other
",
    );
}

#[test]
fn statements_that_bind() {
    check(
        "
def f():
    for a, b.c in x: pass
    with x as d, y as (e, f), z as g.h: pass
    with (x as i, y as j): pass
    try: pass
    except X as k: pass
    try: pass
    except* X as l: pass
    del m, n.o, (p, [q]), r[s]
    import t
    def u(): pass
    class v: pass
",
        "
module
  .f: def
  def f
    .a: other
    .d: other
    .e: other
    .f: other
    .i: other
    .j: other
    .k: other
    .l: other
    .m: other
    .p: other
    .q: other
    .t: import t
    .u: def
    .v: class
    def u
    class v
",
    );
}

#[test]
fn patterns_of_match() {
    check(
        "
def f():
    match x:
        case a: pass
        case [b, *c, *_]: pass
        case {'k': d, **e}: pass
        case C(f, n=g) | C.D(n=g): pass
        case (1 | 2) as h: pass
        case C.E | None | 'x' | -1: pass
        case (i,) if j: pass
        case k | [k]: pass
        case _: pass
        case [_, (_, l)]: pass
",
        "
module
  .f: def
  def f
    .a: other
    .b: other
    .c: other
    .d: other
    .e: other
    .f: other
    .g: other, other
    .h: other
    .i: other
    .k: other, other
    .l: other
",
    );
}

#[test]
fn imports() {
    check(
        "
import a.b, c.d as e
from . import x
from .. p . q import (r as s,  # why
    t)
from z import *
from .y import *
from __future__ import annotations
",
        "
module
  .a: import a
  .annotations: import __future__.annotations
  .e: import c.d
  .s: import ..p.q.r
  .t: import ..p.q.t
  .x: import .x
",
    );
    assert_eq!(facts("from z import *\nfrom .y import *\n").star_imports, ["z", ".y"]);
}

#[test]
fn imports_for_type_checkers() {
    check(
        "
if TYPE_CHECKING:
    import a
if typing.TYPE_CHECKING:
    import b
else:
    import c
if not TYPE_CHECKING:
    import d
",
        "
module
  .a: import a, typing-only
  .b: import b, typing-only
  .c: import c
  .d: import d
",
    );
}

#[test]
fn functions_and_classes() {
    check(
        "
async def a(): await x
def b(): yield
async def c(): x = yield 1
@d
async def e(): pass
class F(G): pass
@g
class H: pass
",
        "
module
  .F: class
  .H: class
  .a: async def
  .b: generator def
  .c: async generator def
  .e: @async def
  async def a
  def b generator
  async def c generator
    .x: other
  async def e
  class F
  class H
",
    );
}

#[test]
fn only_an_own_yield_makes_a_generator() {
    check(
        "
def f():
    def g(): yield
    lambda: (yield)
    [x for x in y]
def h(a=(lambda: (yield))): pass
def i():
    def j(a=(yield)): pass
def k():
    return (yield from x)
",
        "
module
  .f: def
  .h: def
  .i: generator def
  .k: generator def
  def f
    .g: generator def
    def g generator
    lambda
    comprehension
      .x: other
  def h
    .a: parameter
  lambda
  def i generator
    .j: def
    def j
      .a: parameter
  def k generator
",
    );
}

#[test]
fn a_walrus_binds_around_the_comprehensions() {
    check(
        "
def f():
    (a := 1)
    [(b := x) for x in y if any((c := z) for z in x)]
    lambda: (d := 1)
    f'{e:=5} {(g := 1)} {x:{h:=5}}'
",
        "
module
  .f: def
  def f
    .a: other
    .b: other
    .c: other
    .g: other
    comprehension
      .x: other
      genexp
        .z: other
    lambda
      .d: other
",
    );
}

#[test]
fn type_parameters_and_aliases() {
    check(
        "
def f[T: int, *Ts, **P](a: T): pass
class A[U = int, V: int = str, *W = X, **Y = Z, S](B):
    def g(self): return U
type X = int
type Y[V] = list[V]
type(self).z = 1
",
        "
module
  .A: class
  .X: other
  .Y: other
  .f: def
  def f
    .P: type parameter
    .T: type parameter
    .Ts: type parameter
    .a: parameter: T
  class A
    .S: type parameter
    .U: type parameter, captured
    .V: type parameter
    .W: type parameter
    .Y: type parameter
    .g: def
    def g
      .self: parameter
",
    );
}

#[test]
fn global_and_nonlocal() {
    check(
        "
x = y = 0
def f():
    global x
    x = 1
    a = b = c = 0
    def g():
        nonlocal a, b
        a = 1
        del b
        print(c)
    class C:
        nonlocal c
        c = 1
        global y
        print(y)
",
        "
module
  .f: def
  .x: other, rebound
  .y: other, captured
  def f
    .C: class
    .a: other, rebound
    .b: other, rebound
    .c: other, captured, rebound
    .g: def
    .x: other, GLOBAL
    def g
      .a: other, NONLOCAL
      .b: other, NONLOCAL
    class C
      .c: other, NONLOCAL
      .y: GLOBAL
",
    );
    assert_eq!(
        facts("def f():\n    global x, y, z\n    x = y = 1\n    def z(): pass\n").rebound_globals,
        ["x", "y", "z"]
    );
}

#[test]
fn what_counts_as_captured() {
    check(
        "
def f(a, b, c, d, e, g, h, i):
    [a for x in y if a]
    (b for x in y)
    lambda: c
    def inner(d, e=e): return g.a, k(b=1)
    [lambda: h for x in y]
    class C:
        i
",
        "
module
  .f: def
  def f
    .C: class
    .a: parameter
    .b: parameter, captured
    .c: parameter, captured
    .d: parameter
    .e: parameter
    .g: parameter, captured
    .h: parameter, captured
    .i: parameter, captured
    .inner: def
    comprehension
      .x: other
    genexp
      .x: other
    lambda
    def inner
      .d: parameter
      .e: parameter
    comprehension
      .x: other
      lambda
    class C
",
    );
}

#[test]
fn broken_code_breaks_the_scopes_around_it_only() {
    check(
        "
class A:
    def f(self):
        x = )
        y = 1
    def g(self): pass
    def h(self):
        await
    def i(self): await x
    def j[T = int](self): pass
",
        "
module broken
  .A: class
  class A broken
    .f: def
    .g: def
    .h: def
    .i: def
    .j: def
    def f broken
      .self: parameter
      .x: other
      .y: other
    def g
      .self: parameter
    def h broken
      .self: parameter
    def i
      .self: parameter
    def j
      .T: type parameter
      .self: parameter
",
    );
}
