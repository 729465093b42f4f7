"""What is observed of a program while it runs.

A source goes in; out comes a code object that does the same and tells, run by run, at which places which error could have
come up (`reached`), and where it did (`happened`). A place is a tuple of lines: the one where a reader would look first, then
those of the calls around it, for what goes wrong in a helper may be reported at the call.

CPython itself says what happened. The source is rewritten only where nothing else tells the line: a coroutine that is made,
passed or used goes through a function of ours that gives it back, `await x` becomes `await _watch(x)`. Tasks are of a subclass
that remembers where it was made and who cancelled it. Nothing in here keeps a task or a coroutine alive, for what becomes of
them is seen when they die.
"""

import ast
import asyncio
import sys
import types
import warnings
import weakref

PROGRAM = "<program>"
RESULT, EXCEPTION = "result-before-done", "exception-before-done"
NEVER_AWAITED, REUSED = "coroutine-never-awaited", "coroutine-reused"
CANCELLED, DANGLING = "cancelled-task-unguarded", "dangling-task"
NEVER_RETRIEVED = "task-exception-never-retrieved"
# What they say is only true where `main` came to its end by itself.
AT_THE_END = {NEVER_AWAITED, DANGLING, NEVER_RETRIEVED}

# Whoever writes a program marks the lines with this that put something where code out of view may find it.
OPEN = "  # for others"

# Functions that start what they are given.
STARTERS = {"create_task", "ensure_future", "gather", "wait_for", "shield", "run_until_complete", "as_completed"}

# Tasks and what `gather` gives among them; `asyncio.Future` will be ours.
AnyFuture = asyncio.Future


class Watch:
    """The observations of one run."""

    def __init__(self, index=0):
        self.index = index
        self.made = 0
        # Place and rule -> did it happen, was it seen in the plain way, did it happen in the plain way.
        self.sites = {}
        # By the id of a coroutine that may have died since.
        self.coroutines = {}
        self.dead = []
        # The places that read a name of a task, and where the tasks were made that somebody asked, or that are out of view.
        self.reads = set()
        self.asked = set()
        # Asking too early gives None, and nothing fails for certain: what would happen next if that were repaired?
        self.lenient = False
        # Until `main` ends.
        self.asking = True
        # The task whose `cancel()` now cancels what it waits for.
        self.root = None
        self.logged = 0

    def number(self):
        """Other ones in each run."""
        self.made += 1
        return (self.index * 31 + self.made * 0x9E3779B1) & 0xFFFFFFFF

    def note(self, rule, lines, happened, plain=True, at=0):
        """`at` tells the expressions of a line apart."""
        if lines:
            site = self.sites.setdefault((rule, lines, at), [False, False, False])
            site[0] |= happened
            site[1] |= plain
            site[2] |= happened and plain

    def close(self):
        """To be called when all that the run made is dead."""
        for made in [*self.dead, *self.coroutines.values()]:
            self.note(NEVER_AWAITED, tuple(reversed(made.lines)), made.unawaited, not made.out_of_view, made.at)
            errors = made.errors
            for number, (lines, can_fail) in enumerate(made.uses):
                plain = not any(line in rewritten.expects_runtime_error for line in lines)
                happened = number > 0 and can_fail and errors > 0
                errors -= happened
                self.note(REUSED, lines, happened, plain)


watch = Watch()
rewritten = None


class Made:
    """A coroutine that the program made."""

    def __init__(self, coroutine, line, function, at):
        self.at = at
        # Code that nobody sees has it, and whatever it would await.
        self.out_of_view = False
        self.coroutine = weakref.ref(coroutine)
        self.lines = [line]
        self.function = function
        self.passed = None
        self.uses = []
        self.errors = 0
        self.unawaited = False

    def used(self, frame, can_fail=True):
        lines = [line for line, _ in program_frames(frame)]
        # In the hands of a helper the use is that of the one who handed it over.
        if self.passed and self.passed[1] != function_of(frame):
            lines.insert(0, self.passed[0])
        self.uses.append((tuple(dict.fromkeys(lines + self.lines)), can_fail))


def made(coroutine):
    """What is known about a coroutine, if it is one that the program made."""
    if type(coroutine) is types.CoroutineType:
        known = watch.coroutines.get(id(coroutine))
        if known and known.coroutine() is coroutine:
            return known
    return None


def give_away(value):
    """It is out of view what becomes of a coroutine, and of the one that it waits for."""
    if type(value) is types.CoroutineType:
        waits_for = value.cr_frame and value.cr_frame.f_locals.get("fut")
        for known in filter(None, (made(value), made(waits_for))):
            known.out_of_view = True


def program_frames(frame):
    """The lines of the program that are being run, the innermost first, each with its function."""
    frames = []
    while frame is not None:
        if frame.f_code.co_filename == PROGRAM:
            frames.append((frame.f_lineno, function_of(frame)))
        frame = frame.f_back
    return frames


def lines_of(frame):
    return tuple(dict.fromkeys(line for line, _ in program_frames(frame)))


def function_of(frame):
    # A comprehension is a function of its own before 3.12.
    while frame.f_code.co_name.endswith(("comp>", "expr>")) and frame.f_back:
        frame = frame.f_back
    return frame.f_code.co_name


def unawaited(coroutine):
    """In the place of the function of `warnings` that CPython calls when a coroutine dies that was never awaited."""
    known = watch.coroutines.get(id(coroutine))
    origin = coroutine.cr_origin
    if known and origin and origin[0][:2] == (PROGRAM, known.lines[0]):
        known.unawaited = True


warnings._warn_unawaited_coroutine = unawaited
sys.set_coroutine_origin_tracking_depth(1)


def is_reuse(error):
    return isinstance(error, RuntimeError) and ("already awaited" in str(error) or "awaited already" in str(error))


# What the program calls in its rewritten form.


def _seen(fate, value):
    """What a call or an `await` gave."""
    if type(value) is types.CoroutineType:
        frame = sys._getframe(1)
        known = made(value)
        if known is None:
            origin = value.cr_origin
            if origin and origin[0][0] == PROGRAM:
                if id(value) in watch.coroutines:
                    watch.dead.append(watch.coroutines[id(value)])
                # Its line is that of the call that made it, wherever we first see it.
                function = origin[0][2] if not origin[0][2].endswith(("comp>", "expr>")) else function_of(frame)
                known = Made(value, origin[0][1], function, frame.f_lasti)
                watch.coroutines[id(value)] = known
        if known and known.function != function_of(frame):
            known.lines.append(frame.f_lineno)
            known.function = function_of(frame)
    elif isinstance(value, Task):
        if fate and value.fate != "read":
            value.fate = fate
    elif isinstance(value, AnyFuture) and not hasattr(value, "lines"):
        value.lines = lines_of(sys._getframe(1))
    return value


def _read(value, number):
    """What a name gave: a task, or the tasks in a collection."""
    watch.reads.add(number)
    inside = value if isinstance(value, (list, tuple, set)) else value.values() if isinstance(value, dict) else ()
    for task in (value, *inside):
        if isinstance(task, Task):
            task.fate = "read"
    return value


def _public(value):
    """What a method puts into a public attribute: code out of view may read it there."""
    if isinstance(value, Task):
        value.handed_on = True
    return value


def _lenient():
    return watch.lenient


def _pass(value):
    if known := made(value):
        frame = sys._getframe(1)
        known.passed = (frame.f_lineno, function_of(frame))
    return value


def _use(value):
    if known := made(value):
        known.used(sys._getframe(1))
    return value


def _close(value):
    """Whoever closes it uses it up, at any time and as often as it likes."""
    if known := made(value):
        known.used(sys._getframe(1), can_fail=False)
    return value


def _use_all(values):
    values = list(values)
    for value in values:
        if known := made(value):
            known.used(sys._getframe(1))
    return values


def _wait(values):
    """What `asyncio.wait` is given: an error of theirs that nobody asks for may be reported there."""
    if isinstance(values, (list, tuple, set)):
        for value in values:
            if isinstance(value, Task):
                value.also.append(sys._getframe(1).f_lineno)
    return values


async def _watch(value):
    frame = sys._getframe(1)
    lines = lines_of(frame)
    line = frame.f_lineno
    if known := made(value):
        known.used(frame)
    # Nothing of the caller's is to be kept while it waits.
    del frame
    happened, plain = False, isinstance(value, Task)
    try:
        return await value
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if isinstance(value, Task):
            # Or is it cancelled because the one that waits for it is?
            happened = value.cancelled() and (value.asked is not None or value.root != id(current))
            plain = happened and value.asked == "program"
        else:
            happened = current is not None and current.cancelling() == 0
        raise
    except RuntimeError as error:
        if is_reuse(error) and not hasattr(error, "counted"):
            innermost = error.__traceback__
            while innermost.tb_next:
                innermost = innermost.tb_next
            if innermost is not error.__traceback__:
                # `wait_for` without a limit awaits in its own frame.
                known = made(innermost.tb_frame.f_locals.get("fut"))
            if known:
                known.errors += 1
                error.counted = True
            del innermost
        raise
    except GeneratorExit:
        lines = ()
        raise
    finally:
        if isinstance(value, Task):
            value.retrieved = True
        if isinstance(value, AnyFuture):
            note_cancelled(line, lines, happened, plain)


def note_cancelled(line, lines, happened, plain):
    # By those that called the function, too, but whether they mean this is not known.
    expected = any(line in rewritten.expects_cancelled for line in lines)
    handled = rewritten.expects_cancelled.get(line) == "handled"
    watch.note(CANCELLED, lines, happened and not handled, plain and not expected)


def recorded(rule, ask):
    def recording(self):
        caller = sys._getframe(1)
        self.retrieved = True
        if caller.f_code.co_filename != PROGRAM:
            return ask(self)
        # A task may have ended with the `InvalidStateError` of another one: the error alone says nothing.
        too_early = not self.done()
        if watch.asking:
            lines = lines_of(caller)
            watch.note(rule, lines, too_early, not any(line in rewritten.expects_invalid for line in lines))
        cancelled = self.cancelled()
        asked = getattr(self, "asked", None)
        note_cancelled(caller.f_lineno, lines_of(caller), cancelled, not cancelled or asked == "program")
        return None if too_early and watch.lenient else ask(self)

    return recording


def asking(of):
    return {"result": recorded(RESULT, of.result), "exception": recorded(EXCEPTION, of.exception)}


class Cancelling:
    """Remembers who asked for the end: the program, somebody else, or only the one that waits for it."""

    asked = None
    root = None
    retrieved = False
    number = None

    def __hash__(self):
        # By its address its place in a set would be another one each time that the judge is started.
        if self.number is None:
            self.number = watch.number()
        return self.number

    def cancel(self, msg=None):
        outer, caller = watch.root, sys._getframe(1)
        by_program = caller.f_code.co_filename == PROGRAM
        if outer is None and caller.f_code.co_name == "_run" and asyncio.current_task():
            # A task that was cancelled before it came to wait for this one.
            outer = id(asyncio.current_task())
        if outer is not None:
            self.root = outer
        elif self.asked != "program":
            self.asked = "program" if by_program else "other"
        if by_program and isinstance(self, Task) and self._log_traceback:
            # It has failed, and now nobody is told.
            self.lost = True
            self.also.append(caller.f_lineno)
        before, watch.root = watch.root, id(self) if outer is None else outer
        try:
            return super().cancel(msg=msg)
        finally:
            watch.root = before


class Task(Cancelling, asyncio.Task):
    locals().update(asking(asyncio.Task))

    def __init__(self, coroutine, **options):
        super().__init__(coroutine, **options)
        self.coroutine = made(coroutine)
        frame = sys._getframe(1)
        self.lines = lines_of(frame)
        # What became of the value: dropped, bound to a name that is not read so far, or read.
        self.fate = None
        while frame and frame.f_code.co_filename != PROGRAM:
            if frame.f_code.co_filename.endswith("taskgroups.py"):
                self.fate = "read"
            frame = frame.f_back
        self.also = []
        self.lost = False
        self.handed_on = False

    def __del__(self):
        error = None if not self.done() or self.cancelled() else self._exception
        if is_reuse(error) and not hasattr(error, "counted") and self.coroutine:
            self.coroutine.errors += 1
            error.counted = True
        before = watch.logged
        super().__del__()
        if self.lines:
            lines = tuple(dict.fromkeys([*self.lines, *self.also]))
            logged = watch.logged > before
            lost = self.lost and not self.retrieved
            if self.retrieved or self.handed_on:
                watch.asked.add(lines)
            watch.note(NEVER_RETRIEVED, lines, logged or lost, error is not None and not lost)
            if self.fate:
                watch.note(DANGLING, self.lines, self.fate != "read")


class Future(Cancelling, asyncio.Future):
    locals().update(asking(asyncio.Future))


for name, method in asking(asyncio.Future).items():
    setattr(asyncio.tasks._GatheringFuture, name, method)
asyncio.Future = Future


def report(loop, context):
    """The event loop's exception handler."""
    if "never retrieved" in context["message"]:
        watch.logged += 1
        future = context.get("future")
        if not isinstance(future, Task):
            watch.note(NEVER_RETRIEVED, getattr(future, "lines", ()), True, False)


class Rewrite(ast.NodeTransformer):
    """Puts our functions around what the program makes, passes, reads and awaits, and notes which lines expect an error."""

    def __init__(self, source):
        self.expects_cancelled = {}
        self.expects_runtime_error = set()
        self.expects_invalid = set()
        self.raises = {number for number, line in enumerate(source.splitlines(), 1) if line.strip().startswith("raise ")}
        self.open = {number for number, line in enumerate(source.splitlines(), 1) if line.endswith(OPEN)}
        self.draws = {number for number, line in enumerate(source.splitlines(), 1) if "raise FAILS[n](n)" in line}
        self.handlers = []
        # Inside of one that is not `main`.
        self.coroutines = False
        tree = ast.parse(source)
        # The names that are bound to a task, the lines that bind them, and what is read.
        self.bound = set()
        self.binds = {}
        self.reads = []
        for node in ast.walk(tree):
            self.fate_of_value(node)
        self.code = compile(ast.fix_missing_locations(self.visit(tree)), PROGRAM, "exec")

    # What becomes of the value of an expression.

    def fate_of_value(self, node):
        match node:
            case ast.Expr():
                self.fate(node.value, "dropped")
            case ast.Return() | ast.Lambda():
                self.fate(node.value if isinstance(node, ast.Return) else node.body, "returned")
            case ast.Assign(targets=[ast.Name() as target]) | ast.AnnAssign(target=ast.Name() as target):
                self.bind(target, node.value)
            case ast.NamedExpr():
                self.bind(node.target, node.value)
            case ast.Assign(targets=[ast.Tuple() as targets], value=ast.Tuple() as values):
                for target, value in zip(targets.elts, values.elts):
                    if isinstance(target, ast.Name):
                        self.bind(target, value)

    def bind(self, target, value):
        if self.fate(value, "bound"):
            self.bound.add(target.id)
            self.binds.setdefault(value.lineno, set()).add(target.id)

    def fate(self, node, fate):
        match node:
            case ast.Call() | ast.Await() | ast.Name():
                node.fate = fate
                return True
            case ast.IfExp():
                return self.fate(node.body, fate) | self.fate(node.orelse, fate)
            case ast.BoolOp() | ast.Dict():
                return any([self.fate(value, fate) for value in node.values])
            case ast.List() | ast.Set() | ast.Tuple() if fate == "bound":
                return any([self.fate(element, fate) for element in node.elts])
            case ast.ListComp() | ast.SetComp() if fate == "bound":
                return self.fate(node.elt, fate)
        return False

    def call(self, function, *arguments, at):
        return ast.copy_location(ast.Call(ast.Name(function, ast.Load()), [*arguments], []), at)

    def seen(self, node):
        fate = getattr(node, "fate", "read")
        return self.call("_seen", ast.Constant(None if fate == "returned" else fate), node, at=node)

    def visit_Call(self, node):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        self.generic_visit(node)
        if name in ("result", "exception"):
            self.expected(node)
        if name in ("close", "send") and isinstance(node.func, ast.Attribute):
            node.func.value = self.call("_close" if name == "close" else "_use", node.func.value, at=node)
        for index, argument in enumerate(node.args):
            if isinstance(argument, ast.Starred):
                if name in STARTERS:
                    argument.value = self.call("_use_all", argument.value, at=node)
            elif name == "as_completed":
                node.args[index] = self.call("_use_all", argument, at=node)
            elif name in STARTERS:
                node.args[index] = self.call("_use", argument, at=node)
            elif name == "wait":
                node.args[index] = self.call("_wait", argument, at=node)
            elif not isinstance(argument, ast.Constant):
                node.args[index] = self.call("_pass", argument, at=node)
        return self.seen(node)

    def visit_Await(self, node):
        self.generic_visit(node)
        self.expected(node)
        node.value = self.call("_watch", node.value, at=node)
        return self.seen(node)

    def visit_Assign(self, node):
        self.generic_visit(node)
        match node.targets:
            case [ast.Attribute(value=ast.Name(id="self"), attr=name)] if not name.startswith("_"):
                node.value = self.call("_public", node.value, at=node)
        return node

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load) and node.id in self.bound and getattr(node, "fate", "") != "returned":
            self.reads.append(node.id)
            return self.call("_read", node, ast.Constant(len(self.reads) - 1), at=node)
        return node

    def unread(self, lines, executed):
        """Whether a name that these lines bind is read where no run came to."""
        names = set().union(*(self.binds.get(line, ()) for line in lines))
        return any(name in names and number not in executed for number, name in enumerate(self.reads))

    # Who handles what.

    def expected(self, node):
        for kinds in self.handlers:
            for kind in kinds:
                if kind == "runtime error":
                    self.expects_runtime_error.add(node.lineno)
                elif kind == "invalid state":
                    self.expects_invalid.add(node.lineno)
                elif self.expects_cancelled.get(node.lineno) != "handled":
                    self.expects_cancelled[node.lineno] = kind

    def kinds(self, classes, handled):
        names = [ast.unparse(name).rpartition(".")[2] for name in classes]
        kinds = []
        if not names or "CancelledError" in names or "BaseException" in names:
            kinds.append(handled)
        if not names or {"RuntimeError", "Exception", "BaseException"} & set(names):
            kinds.append("runtime error")
        if not names or {"InvalidStateError", "Exception", "BaseException"} & set(names):
            kinds.append("invalid state")
        return kinds

    def visit_body(self, body, kinds):
        self.handlers.append(kinds)
        body = [self.visit(statement) for statement in body]
        self.handlers.pop()
        return body

    def visit_Try(self, node):
        kinds = []
        for handler in node.handlers:
            raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(handler))
            caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type] if handler.type else []
            kinds += self.kinds(caught, "raised again" if raises else "handled")
        node.body = self.visit_body(node.body, kinds)
        for clause in (node.handlers, node.orelse, node.finalbody):
            clause[:] = [self.visit(statement) for statement in clause]
        return node

    def visit_With(self, node):
        call = node.items[0].context_expr
        kinds = []
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("suppress"):
            kinds = self.kinds(call.args, "handled")
        node.items = [self.visit(item) for item in node.items]
        node.body = self.visit_body(node.body, kinds)
        return node

    def visit_Raise(self, node):
        self.generic_visit(node)
        if not self.coroutines or node.lineno in self.draws:
            return node
        # A coroutine that always fails hides what is behind it: it does not where errors are repaired.
        test = ast.UnaryOp(ast.Not(), self.call("_lenient", at=node))
        return ast.copy_location(ast.If(test, [node], []), node)

    def in_function(self, node):
        outer = self.handlers, self.coroutines
        self.handlers, self.coroutines = [], isinstance(node, ast.AsyncFunctionDef) and node.name != "main"
        self.generic_visit(node)
        self.handlers, self.coroutines = outer
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = in_function
