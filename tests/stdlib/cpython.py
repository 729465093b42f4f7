"""Judges the tables of the standard library, which `main.rs` puts in front as TABLES, and prints what is wrong with them."""

import asyncio
import asyncio.proactor_events
import atexit
import builtins
import contextlib
import functools
import importlib
import inspect
import io
import os
import sys
import tempfile
import types
import warnings

MINOR = sys.version_info[1]
# The newest version that the table was made for; later ones may have more.
NEWEST = 14
ENTERED = {"__aenter__", "__aexit__", "__aiter__", "__anext__", "__enter__", "__exit__"}
# What the stubs name, and what of it is there to be asked on this system.
STANDS_FOR = {
    "asyncio.AbstractEventLoop": asyncio.SelectorEventLoop,
    "asyncio.BaseEventLoop": asyncio.SelectorEventLoop,
    "asyncio.Server": asyncio.base_events.Server,
    "asyncio.ProactorEventLoop": asyncio.proactor_events.BaseProactorEventLoop,
}
# They are left out of the table, see generate.py.
LEFT_OUT = ("ChildWatcher", "Policy", "Error", "Exception")


def check(fact, *words):
    if not fact:
        print("WRONG:", *words)


def there(path):
    """The object of a path, or None."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for part in parts[length:]:
            found = getattr(found, part, None)
        return found
    return None


def valid(row):
    since, until = row["versions"]
    return since <= MINOR and (until is None or MINOR <= until)


def judge_function(path, row, found):
    if not valid(row):
        check(found is None, path, "is there in 3.%d" % MINOR)
    elif row["qualname"]:
        check(inspect.iscoroutinefunction(found), path, "is no coroutine function")
        check(getattr(found, "__qualname__", "") == row["qualname"], path, "is", getattr(found, "__qualname__", ""))
    else:
        check(not inspect.iscoroutinefunction(found), path, "is a coroutine function")
        check(found is not None or row["kind"] != "Function", path, "is not there")


def judge_class(path, members):
    owner = STANDS_FOR.get(path) or there(path)
    if owner is None:
        # Its members tell from when on it is there.
        check(path == "asyncio.EventLoop" or not any(valid(row) and row["qualname"] for row in members.values()), path)
        return
    asked = asyncio.run(instance(owner)) if path == "asyncio.Condition" else owner
    for name, row in members.items():
        only_on_windows = path == "asyncio.ProactorEventLoop" and row["qualname"].startswith("ProactorEventLoop")
        is_own = row["kind"] != "Value" and (hasattr(owner, name) or row["kind"] != "Other")
        if is_own and not only_on_windows:
            judge_function(path + "." + name, row, getattr(asked, name, None))
    for name in dir(asked) if MINOR <= NEWEST else []:
        # In 3.8 a lock has an `__enter__`, which raises.
        if not name.startswith("_") or (name in ENTERED and MINOR > 8):
            check(name in members, path, "has", name)


async def instance(owner):
    return owner()


def judge_completeness():
    """Whether what `asyncio` and `contextlib` export is in the table as far as it makes coroutines."""
    modules = {"asyncio": asyncio, "asyncio.subprocess": asyncio.subprocess, "contextlib": contextlib}
    functions, classes = TABLES["functions"], TABLES["classes"]
    for prefix, module in modules.items():
        names = module.__all__ if prefix != "asyncio.subprocess" else [n for n in dir(module) if n[0] != "_"]
        for name in names:
            path, found = prefix + "." + name, getattr(module, name)
            if getattr(found, "__module__", prefix) != prefix and prefix == "asyncio.subprocess":
                continue
            if inspect.iscoroutinefunction(found):
                is_known = path in functions or "asyncio." + name in functions
                check(is_known, path, "is a coroutine function, and unknown")
            elif inspect.isclass(found) and not name.endswith(LEFT_OUT) and name[:5] != "Queue":
                makes = [m for m in dir(found) if m[0] != "_" or m in ENTERED]
                makes = [m for m in makes if inspect.iscoroutinefunction(getattr(found, m))]
                check(path in classes or not makes, path, "is unknown, and has", makes)
    for name in dir(builtins):
        check(not inspect.iscoroutinefunction(getattr(builtins, name)), name, "is a coroutine function")


async def judge_names():
    """Whether the name is the one in the warning, for one of each kind."""
    classes = TABLES["classes"]
    made = {
        TABLES["functions"]["asyncio.sleep"]["qualname"]: lambda: asyncio.sleep(0),
        classes["asyncio.Queue"]["put"]["qualname"]: lambda: asyncio.Queue().put(0),
        classes["asyncio.Condition"]["acquire"]["qualname"]: lambda: asyncio.Condition().acquire(),
        classes["asyncio.BoundedSemaphore"]["acquire"]["qualname"]: lambda: asyncio.BoundedSemaphore().acquire(),
    }
    for name, make in made.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            make()
        said = [str(warning.message).splitlines()[0] for warning in caught]
        check(said == ["coroutine '%s' was never awaited" % name], said, "is not about", name)


def fits(value, gives):
    """Whether a value is what the table says. Of None it says nothing."""
    if isinstance(gives, list):
        return len(value) == len(gives) and all(map(fits, value, gives))
    return gives is None or isinstance(value, there(gives) or STANDS_FOR[gives])


async def nothing():
    """A coroutine function without side effects."""


async def awaitables():
    """For each path that gives something known: how to make it. What is awaited here is what `await` gives."""
    ends = []
    loop = asyncio.get_running_loop()

    def serve(reader, writer):
        ends.append(writer)

    server = await asyncio.start_server(serve, "127.0.0.1")
    streams = await asyncio.open_connection(*server.sockets[0].getsockname())
    ends.append(streams[1])
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "socket")
        unix_server = await asyncio.start_unix_server(serve, path)
        unix_streams = await asyncio.open_unix_connection(path)
        ends.append(unix_streams[1])
    pipes = dict(stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "", **pipes)
    await process.communicate()
    shell = await asyncio.create_subprocess_shell("exit 0")
    await shell.communicate()
    new_loop = asyncio.new_event_loop()
    new_loop.close()
    future = loop.create_future()
    future.set_result(None)
    made = {
        "asyncio.create_subprocess_exec": process,
        "asyncio.create_subprocess_shell": shell,
        "asyncio.create_task": asyncio.create_task(nothing()),
        "asyncio.current_task": asyncio.current_task(),
        "asyncio.gather": asyncio.gather(nothing()),
        "asyncio.get_event_loop": asyncio.get_event_loop(),
        "asyncio.get_running_loop": loop,
        "asyncio.new_event_loop": new_loop,
        "asyncio.open_connection": streams,
        "asyncio.open_unix_connection": unix_streams,
        "asyncio.shield": asyncio.shield(future),
        "asyncio.start_server": server,
        "asyncio.start_unix_server": unix_server,
        "asyncio.wrap_future": asyncio.wrap_future(future),
    }
    if MINOR >= 11:
        made["asyncio.timeout"] = asyncio.timeout(9)
        made["asyncio.timeout_at"] = asyncio.timeout_at(9)
    if MINOR >= 12:
        made["asyncio.eager_task_factory"] = asyncio.eager_task_factory(loop, nothing())
    for path, row in TABLES["functions"].items():
        if row["gives"] is not None and valid(row):
            check(path in made, path, "is not tried")
            check(fits(made.get(path), row["gives"]), path, "gives", made.get(path))
    instances = {
        "asyncio.Server": server,
        "asyncio.StreamWriter": streams[1],
        "asyncio.subprocess.Process": process,
        "asyncio.AbstractEventLoop": loop,
        "asyncio.Future": future,
        "contextlib.AsyncExitStack": contextlib.AsyncExitStack(),
        "contextlib.ExitStack": contextlib.ExitStack(),
    }
    for name in "Lock Condition Semaphore BoundedSemaphore Barrier TaskGroup Timeout Runner".split():
        if owner := getattr(asyncio, name, None):
            arguments = {"Barrier": [1], "Timeout": [None]}.get(name, [])
            instances["asyncio." + name] = owner(*arguments)
    for path, held in instances.items():
        for name, row in TABLES["classes"][path].items():
            if row["kind"] == "Value":
                check(fits(getattr(held, name), row["gives"]), path, name)
            elif name in ("get_loop", "pop_all", "create_future") and path != "asyncio.Runner":
                check(fits(getattr(held, name)(), row["gives"]), path, name)
    # To leave the server is to wait until its connections are closed.
    for writer in ends:
        writer.close()
    for path, is_async, entered in TABLES["entered"]:
        if path in instances and path != "asyncio.Runner":
            held = instances[path]
            manager = type(held)
            result = manager.__aenter__(held) if is_async else manager.__enter__(held)
            result = await result if is_async else result
            check(fits(result, entered), path, "enters", result)
            leave = (manager.__aexit__ if is_async else manager.__exit__)(held, None, None, None)
            is_async and await leave
    unix_server.close()


async def judge_consumer(row, call, awaited):
    """`call` takes the coroutine the way the row tells."""
    state = lambda: inspect.getcoroutinestate(coroutine)
    coroutine = nothing()
    result = call(coroutine)
    if row["when"] == "Called" or (row["when"] == "Iterated" and MINOR >= 13):
        for _ in range(3):
            await asyncio.sleep(0)
        check(state() == inspect.CORO_CLOSED, row["path"], "does not run it at the call")
    else:
        await asyncio.sleep(0)
        check(state() == inspect.CORO_CREATED, row["path"], "runs it at the call")
        await awaited(result)
        check(state() == inspect.CORO_CLOSED, row["path"], "does not run it at all")


async def first(results):
    for result in results:
        await result


async def wait(result):
    await result


async def consumers():
    loop = asyncio.get_running_loop()
    objects = {"asyncio.AbstractEventLoop": loop}
    if MINOR >= 11:
        objects["asyncio.TaskGroup"] = await asyncio.TaskGroup().__aenter__()
    for row in TABLES["consumers"]:
        path, (takes, keyword) = row["path"], row["takes"]
        owner, name = path.rsplit(".", 1)
        function = getattr(objects.get(owner, there(owner)), name, None)
        if function is None or name in ("run", "run_until_complete"):
            # Too young for this version, or it runs a loop of its own: `judge_runners`.
            continue
        more = {"run_coroutine_threadsafe": {"loop": loop}, "wait_for": {"timeout": 9}}.get(name, {})
        shape = (lambda coroutine: [coroutine]) if takes == "Elements" else (lambda coroutine: coroutine)
        calls = [lambda coroutine: function(shape(coroutine), **more)]
        if takes != "Each":
            calls.append(lambda coroutine: function(**{keyword: shape(coroutine)}, **more))
        for call in calls:
            if valid(row):
                await judge_consumer(row, call, first if row["when"] == "Iterated" else wait)
            else:
                check(await raises(call), path, "raises nothing")


async def raises(call):
    coroutine = nothing()
    try:
        await call(coroutine)
    except TypeError:
        return True
    finally:
        coroutine.close()
    return False


def judge_runners():
    loop = asyncio.new_event_loop()
    runners = {"asyncio.AbstractEventLoop.run_until_complete": loop.run_until_complete, "asyncio.run": asyncio.run}
    if MINOR >= 11:
        runner = asyncio.Runner()
        runners["asyncio.Runner.run"] = runner.run
    for row in TABLES["consumers"]:
        if run := runners.get(row["path"]):
            for call in (run, lambda coroutine: run(**{row["takes"][1]: coroutine})):
                coroutine = nothing()
                call(coroutine)
                is_closed = inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
                check(is_closed and row["when"] == "Called", row["path"])
    loop.close()
    if MINOR >= 11:
        with runner as entered:
            check(["asyncio.Runner", False, "asyncio.Runner"] in TABLES["entered"] and entered is runner, "Runner")


def judge_looks():
    for path in TABLES["only_look"]:
        function, coroutine = there(path), nothing()
        arguments = {"hasattr": ["send"], "isinstance": [types.CoroutineType]}.get(path.split(".")[1], [])
        before = sys.getrefcount(coroutine)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(TypeError):
            result = function(coroutine, *arguments)
            check(result is not coroutine, path, "hands it on")
        check(inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED, path, "runs it")
        check(sys.getrefcount(coroutine) == before, path, "keeps it")
        coroutine.close()


def judge_decorators():
    async def other():
        pass

    arguments = {
        "functools.wraps": [other],
        "unittest.mock.patch": ["os.getcwd"],
        "unittest.mock.patch.dict": ["os.environ"],
        "unittest.mock.patch.multiple": ["os"],
        "unittest.mock.patch.object": [os, "getcwd"],
        "unittest.skip": ["why"],
        "unittest.skipIf": [False, "why"],
        "unittest.skipUnless": [True, "why"],
        "warnings.deprecated": ["why"],
        "typing.dataclass_transform": [],
    }
    more = {"unittest.mock.patch.multiple": {"getcwd": None}}
    for_classes = {"dataclasses.dataclass", "enum.unique", "functools.total_ordering", "typing.runtime_checkable"}
    for path, decorated in TABLES["decorators"]:
        decorate = there(path)
        if decorate is None:
            continue
        if path in arguments:
            decorate = decorate(*arguments[path], **more.get(path, {}))

        async def method(*_):
            pass

        if path in for_classes:
            bases = {"enum.unique": (there("enum.Enum"),), "typing.runtime_checkable": (there("typing.Protocol"),)}
            order = {"method": method, "__lt__": lambda *_: True}
            body = lambda names: names.update(order if path == "functools.total_ordering" else {"method": method})
            owner = decorate(types.new_class("Owner", bases.get(path, ()), exec_body=body))
            check(decorated == "Same" and owner.method is method, path)
            continue
        judge_decorator(path, decorated, decorate, method, other)


def judge_decorator(path, decorated, decorate, method, other):
    # `wraps` gives the function another one.
    name = (other if decorated == "Renamed" else method).__qualname__
    if decorated in ("Property", "CachedProperty"):

        def read():
            owner = type("Owner", (), {"name": "x"})
            owner.method = decorate(method)
            getattr(owner.method, "__set_name__", lambda *_: None)(owner, "method")
            held = owner()
            return held.method, held.method

        results = read()
    elif decorated == "NeverRuns":
        try:
            decorate(method)()
        except TypeError as error:
            check(False, path, error)
        except Exception:
            return
        check(False, path, "can be called")
    else:
        owner = type("Owner", (), {"method": decorate(method)})
        call = functools.partial(owner.method, owner) if path.endswith("method") else owner.method
        results = call(), call()
    first, second = results
    if "ContextManager" in decorated:
        is_async = hasattr(first, "__aenter__")
        check(is_async == (decorated == "AsyncContextManager") and is_async != hasattr(first, "__enter__"), path)
        first, second = first.gen, second.gen
    else:
        check(inspect.iscoroutine(first), path, "gives", first)
        check(first.__qualname__ == name, path, "names it", first.__qualname__)
        check((first is second) == (decorated in ("Cached", "CachedProperty")), path, "gives it again, or does not")
    first.close()
    second.close()
    # Registered above.
    atexit.unregister(method)


def judge_bases():
    allowed = {"args", "with_traceback", "add_note", "name", "value"}
    for path in TABLES["neutral_bases"]:
        base = there(path)
        base = getattr(base, "__origin__", base)
        names = {name for owner in base.__mro__ for name in vars(owner) if not name.startswith("_")}
        check(names <= allowed, path, "has", names - allowed)


warnings.simplefilter("ignore", DeprecationWarning)
for PATH, ROW in TABLES["functions"].items():
    judge_function(PATH, ROW, there(PATH))
for PATH, MEMBERS in TABLES["classes"].items():
    judge_class(PATH, MEMBERS)
if MINOR <= NEWEST:
    judge_completeness()
asyncio.run(judge_names())
asyncio.run(awaitables())
asyncio.run(consumers())
judge_runners()
judge_looks()
judge_decorators()
judge_bases()
print("judged by 3.%d" % MINOR)
