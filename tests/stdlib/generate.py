#!/usr/bin/env python3
"""Writes server/project/stdlib/table.rs from typeshed, the types that Python's authors keep of their standard library.

    python3 tests/stdlib/generate.py OLD NEW > server/project/stdlib/table.rs

OLD is a typeshed that still knows Python 3.8, NEW one that knows 3.14: each is the folder mypy/typeshed/stdlib of a release
of mypy, 1.14.1 for OLD and 2.4.1 or newer for NEW.

    pip download --no-deps --dest OLD mypy==1.14.1 && unzip -q OLD/*.whl -d OLD

Nothing needs this to build. What it writes is judged by CPython: tests/stdlib/main.rs.
"""

import ast
import sys
from pathlib import Path

MINORS = range(8, 15)
# The first minor version that NEW speaks for.
NEW_SINCE = 10
PLATFORMS = ("linux", "win32")

# Where the public names are that matter here: the prefix of their canonical paths, and the modules that define them.
ASYNCIO = (
    "base_events coroutines events futures locks protocols queues runners streams subprocess taskgroups tasks threads timeouts "
    "transports unix_events windows_events"
).split()
PLACES = [("asyncio", f"asyncio.{name}") for name in ASYNCIO]
PLACES += [("contextlib", "contextlib")]
# What else has a name for programs, and where it is defined.
ALSO = {
    # `asyncio` does not export it in 3.8, and `start_server` gives it there, too.
    "asyncio.Server": ("asyncio.base_events", "Server"),
    "asyncio.subprocess.Process": ("asyncio.subprocess", "Process"),
    "pdb.set_trace_async": ("pdb", "set_trace_async"),
    "unittest.IsolatedAsyncioTestCase": ("unittest.async_case", "IsolatedAsyncioTestCase"),
    "unittest.TestCase": ("unittest.case", "TestCase"),
}
# Nothing that they have to do with coroutines is ever written down in a program.
LEFT_OUT = ("ChildWatcher", "Policy", "Proactor")
DUNDERS = {f"__{name}__" for name in "aenter aexit aiter anext enter exit".split()}
# Where the stubs are wrong about a coroutine function: who defines it. None of them gives anything known.
CORRECTED = {
    # The place in the row, not the barrier.
    ("asyncio.Barrier", "__aenter__"): "Barrier",
    # It takes the method of its lock.
    ("asyncio.Condition", "acquire"): "Lock",
    ("contextlib.aclosing", "__aenter__"): "aclosing",
}

# A loop is taken for `AbstractEventLoop`, and what runs is one of its heirs, so that their names are what CPython prints.
LOOP = "asyncio.AbstractEventLoop"
LOOPS = {
    "asyncio.BaseEventLoop": LOOP,
    "asyncio.SelectorEventLoop": "asyncio.BaseEventLoop",
    "asyncio.EventLoop": "asyncio.SelectorEventLoop",
    "asyncio.ProactorEventLoop": "asyncio.BaseEventLoop",
}


# Who defines there what these classes define elsewhere.
ON_WINDOWS = {"BaseSelectorEventLoop": "BaseProactorEventLoop", "_UnixSelectorEventLoop": "AbstractEventLoop"}


def heir(method):
    """The class that defines a method of the loop on Linux and macOS."""
    if method in ("create_unix_connection", "create_unix_server"):
        return "_UnixSelectorEventLoop"
    if method.startswith("sock_") and method != "sock_sendfile":
        return "BaseSelectorEventLoop"
    return "BaseEventLoop"


class Stubs:
    """The stubs as one version of Python on one platform sees them."""

    def __init__(self, root, minor, platform):
        self.root, self.minor, self.platform = root, minor, platform
        self.modules = {}

    def module(self, name):
        """Its definitions by name: lists of nodes, since functions are overloaded."""
        if name not in self.modules:
            self.modules[name] = None
            if not self.has(name):
                return {}
            path = self.root.joinpath(*name.split("."))
            path = path / "__init__.pyi" if path.is_dir() else path.with_suffix(".pyi")
            if path.exists():
                self.modules[name] = self.names(ast.parse(path.read_text()).body)
        return self.modules[name] or {}

    def has(self, module):
        """Whether this version has the module, by the list that is beside the stubs."""
        lines = (self.root / "VERSIONS").read_text().splitlines()
        ranges = dict(line.split("#")[0].split(":") for line in lines if ":" in line.split("#")[0])
        while module not in ranges:
            if "." not in module:
                return False
            module = module.rpartition(".")[0]
        first, _, last = ranges[module].strip().partition("-")
        as_pair = lambda text: tuple(map(int, text.split(".")))
        return as_pair(first) <= (3, self.minor) and (not last or (3, self.minor) <= as_pair(last))

    def names(self, body):
        found = {}
        for node in self.flat(body):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                found.setdefault(node.name, []).append(node)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found[node.target.id] = [node]
            elif isinstance(node, (ast.Assign, ast.AugAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    if isinstance(target, ast.Name):
                        found.setdefault(target.id, []).append(node)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    found[alias.asname or alias.name] = [(node.level, node.module, alias.name)]
        return found

    def flat(self, body):
        for node in body:
            if isinstance(node, ast.If):
                yield from self.flat(node.body if self.holds(node.test) else node.orelse)
            else:
                yield node

    def holds(self, test):
        if isinstance(test, ast.BoolOp):
            every = isinstance(test.op, ast.And)
            return (all if every else any)(self.holds(value) for value in test.values)
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return not self.holds(test.operand)
        if isinstance(test, ast.Name) and test.id == "TYPE_CHECKING":
            return True
        values = {"sys.version_info": (3, self.minor), "sys.platform": self.platform}
        expression = compile(ast.Expression(test), "stub", "eval")
        return eval(expression, {"sys": type("sys", (), {name[4:]: value for name, value in values.items()})})

    def public(self, module):
        names = self.module(module)
        return [name for node in names.get("__all__", []) for name in ast.literal_eval(node.value)]

    def definition(self, module, name):
        """Where a name of a module is really defined, and its nodes."""
        for _ in range(10):
            nodes = self.module(module).get(name)
            if not nodes:
                return None
            if not isinstance(nodes[0], tuple):
                alias = nodes[0].value if isinstance(nodes[0], ast.Assign) else None
                if isinstance(alias, ast.Name):
                    name = alias.id
                    continue
                return module, name, nodes
            level, source, name = nodes[0]
            package = module.split(".")
            if not (self.root.joinpath(*package) / "__init__.pyi").exists():
                package = package[:-1]
            package = package[: len(package) - level + 1] if level else []
            module = ".".join(package + ([source] if source else []))
            if not source and not self.module(module).get(name):
                module, name = f"{module}.{name}", ""
        return None

    def look_up(self, module, node):
        """The definition that an annotation or a base class names."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node = ast.parse(node.value, mode="eval").body
        if isinstance(node, ast.Subscript):
            node = node.value
        if isinstance(node, ast.Name):
            return self.definition(module, node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            for source in (f"asyncio.{node.value.id}", node.value.id):
                if node.attr in self.module(source):
                    return self.definition(source, node.attr)
        return None


class Reading:
    """What the stubs say of one version on one platform: functions and classes by their canonical paths."""

    def __init__(self, stubs):
        self.stubs = stubs
        # Definitions to canonical paths.
        self.paths = {}
        self.found = {}
        wanted = dict(ALSO)
        for prefix, module in PLACES:
            for name in stubs.public(module):
                if not name.startswith("_") and not name.endswith(LEFT_OUT):
                    wanted.setdefault(f"{prefix}.{name}", (module, name))
        for path, (module, name) in wanted.items():
            if definition := stubs.definition(module, name):
                self.found[path] = definition
                self.paths.setdefault(definition[:2], path)
        self.functions, self.classes = {}, {}
        for path, (module, name, nodes) in self.found.items():
            if isinstance(nodes[0], (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.functions[path] = self.callable(module, nodes, name)
            elif isinstance(nodes[0], ast.ClassDef) and not self.is_exception(module, nodes[0]):
                bases, members = [], {}
                self.read_class(module, nodes[0], bases, members)
                self.classes[path] = (bases, members)

    def is_exception(self, module, node):
        names = [base.id for base in node.bases if isinstance(base, ast.Name)]
        return any(name.endswith(("Error", "Exception")) or name == "Protocol" for name in names)

    def read_class(self, module, node, bases, members):
        inherited = []
        for base in node.bases:
            definition = self.stubs.look_up(module, base)
            if not definition or not isinstance(definition[2][0], ast.ClassDef):
                continue
            path = self.paths.get(definition[:2])
            if path:
                bases.append(path)
            elif definition[0].startswith(("asyncio", "_asyncio", "contextlib", "unittest")):
                inherited.append(definition)
        for name, nodes in self.stubs.names(node.body).items():
            if (name.startswith("_") and name not in DUNDERS) or name in members:
                continue
            first = nodes[0]
            if isinstance(first, (ast.FunctionDef, ast.AsyncFunctionDef)):
                members[name] = self.callable(module, nodes, f"{node.name}.{name}")
            elif isinstance(first, ast.AnnAssign):
                members[name] = ("value", "", self.gives(module, first.annotation))
            elif isinstance(first, ast.Assign):
                other = members.get(getattr(first.value, "id", None))
                members[name] = other or ("value", "", None)
        # A base that nobody names is part of the class.
        for base_module, _, nodes in inherited:
            self.read_class(base_module, nodes[0], bases, members)

    def callable(self, module, nodes, qualname):
        gives = {self.gives(module, node.returns) for node in nodes}
        gives = gives.pop() if len(gives) == 1 else None
        if any(ast.unparse(mark) in ("property", "functools.cached_property") for mark in nodes[0].decorator_list):
            return ("value", "", gives)
        kind = "coroutine" if any(isinstance(node, ast.AsyncFunctionDef) for node in nodes) else "function"
        return (kind, qualname, gives)

    def gives(self, module, node):
        """What an annotation says, in Rust, if it is about classes of ours."""
        if node is None:
            return None
        if isinstance(node, ast.BinOp):
            sides = [node.left, node.right]
            known = [side for side in sides if not (isinstance(side, ast.Constant) and side.value is None)]
            return self.gives(module, known[0]) if len(known) == 1 else None
        if ast.unparse(node) == "Self":
            return "Itself"
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "tuple":
            if "..." in ast.unparse(node):
                return None
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            parts = [self.gives(module, part) for part in parts]
            return f"Tuple(&[{', '.join(part or 'Unknown' for part in parts)}])" if any(parts) else None
        definition = self.stubs.look_up(module, node)
        if not definition or not isinstance(definition[2][0], ast.ClassDef):
            return None
        path = self.paths.get(definition[:2])
        return f'Instance("{path}")' if path and not self.is_exception(definition[0], definition[2][0]) else None


def renamed(facts, qualname):
    return {minor: (kind, qualname, gives) for minor, (kind, _, gives) in facts.items()}


def merge(readings):
    """Functions, and classes with their bases: each fact with the minor versions in which it holds, as the newest puts it."""
    functions, classes = {}, {}
    for minor, reading in readings:
        for path, fact in reading.functions.items():
            functions.setdefault(path, {})[minor] = fact
        for path, (bases, members) in reading.classes.items():
            known_bases, known = classes.setdefault(path, ([], {}))
            for base in bases:
                if base not in known_bases:
                    known_bases.append(base)
            for name, fact in members.items():
                known.setdefault(name, {})[minor] = fact
    abstract = classes[LOOP][1]
    for name, facts in classes["asyncio.BaseEventLoop"][1].items():
        abstract[name] = facts | abstract.get(name, {})
    for name, facts in abstract.items():
        facts.update(renamed(facts, f"{heir(name)}.{name}"))
    for path, base in LOOPS.items():
        own = {}
        if path == "asyncio.ProactorEventLoop":
            own = {name: facts for name, facts in classes[path][1].items() if name not in abstract}
            for name, facts in abstract.items():
                definer = ON_WINDOWS.get(heir(name))
                if definer and facts[max(facts)][0] == "coroutine":
                    own[name] = renamed(facts, f"{definer}.{name}")
        classes[path] = ([base], own)
    for (path, name), definer in CORRECTED.items():
        minors = set().union(*classes[path][1].values())
        classes[path][1][name] = dict.fromkeys(minors, ("coroutine", f"{definer}.{name}", None))
    return functions, classes


def entry(name, facts):
    """A member as Rust."""
    kinds = {kind for kind, _, _ in facts.values()}
    assert len(kinds) == 1, (name, facts)
    minors = sorted(facts)
    assert minors == list(range(minors[0], minors[-1] + 1)), (name, minors)
    kind, qualname, gives = facts[minors[-1]]
    row = {"coroutine": f'coroutine("{name}", "{qualname}")', "function": f'plain("{name}")', "value": f'value("{name}")'}
    text = row[kind]
    if gives:
        text += f".gives({gives})"
    if minors[0] > MINORS[0]:
        text += f".since({minors[0]})"
    if minors[-1] < MINORS[-1]:
        text += f".until({minors[-1]})"
    return text + ","


def matters(facts):
    kind, _, gives = facts[max(facts)]
    return kind == "coroutine" or gives is not None


def listed(names):
    """Names as the items of a Rust slice, in lines."""
    lines = [""]
    for name in sorted(names):
        word = f'"{name}", '
        if len(lines[-1]) + len(word) > 116:
            lines.append("")
        lines[-1] += word
    if len(lines) == 1 and len(lines[0]) < 100:
        return [f"        others: &[{lines[0][:-2]}],"]
    return ["        others: &[", *(f"            {line.rstrip()}" for line in lines), "        ],"]


def rows(path, bases, members):
    """A class as Rust."""
    bases = ", ".join(f'"{base}"' for base in bases)
    if not members:
        return [f'    Class {{ path: "{path}", bases: &[{bases}], members: &[], others: &[] }},']
    known = sorted(name for name in members if matters(members[name]))
    rows = ["    Class {", f'        path: "{path}",', f"        bases: &[{bases}],"]
    if known:
        rows += ["        members: &[", *(f"            {entry(name, members[name])}" for name in known), "        ],"]
    else:
        rows += ["        members: &[],"]
    return [*rows, *listed(set(members) - set(known)), "    },"]


HEAD = """\
//! Typeshed in, the rows of the table out. Written by `tests/stdlib/generate.py`, not by hand.
//!
//! Constants, since they cost nothing to load and say in a review what has changed.

use super::Gives::{Instance, Itself, Tuple, Unknown};
use super::{Class, Member, coroutine, plain, value};
"""


def main():
    old, new = map(Path, sys.argv[1:])
    readings = [
        (minor, Reading(Stubs(new if minor >= NEW_SINCE else old, minor, platform)))
        for minor in MINORS
        for platform in PLATFORMS
    ]
    functions, classes = merge(readings)
    out = [HEAD, "/// By their paths, sorted.", "pub(super) const FUNCTIONS: &[Member] = &["]
    out += [f"    {entry(path, facts)}" for path, facts in sorted(functions.items()) if matters(facts)]
    out += ["];", "", "/// By their paths, sorted, and so are their members by their names.", "pub(super) const CLASSES: &[Class] = &["]
    for path, (bases, members) in sorted(classes.items()):
        out += rows(path, bases, members)
    print("\n".join([*out, "];"]))


main()
