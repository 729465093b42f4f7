"""Runs programs many times over, and tells at which lines a task or future was asked too early.

A request is a line of JSON: `source`, `seed`, `runs`, and `doubtful`, lines on which something should go wrong, for which it
goes on to `most` runs. The answer is a line of JSON: each line that asked, with how often it did, how often it was too early,
and how often it was so in a run that is lenient, where asking too early gives None and the program goes on.

Each run has an event loop of its own whose clock jumps to the next timer, and draws anew what the program leaves open: what
`flag()` and the parameters of `main` are, how long each sleep and each limit is, which coroutines fail and how, whether `main`
is cancelled on its way. Durations span two orders of magnitude, so that each race goes both ways.
"""

import asyncio
import gc
import inspect
import json
import logging
import random
import signal
import sys
import types
import warnings

PROGRAM = "<program>"
# Of the event loop, in one run: enough for all but a program that polls for something that never comes.
MOST_ROUNDS = 150
# For all runs of one program.
SECONDS = 10
FAILURES = (ValueError, ValueError, KeyError, OSError, RuntimeError, TimeoutError)

asked = None
# What would happen next if a question that comes too early were repaired?
lenient = False


class Stuck(BaseException):
    """Nothing more can happen in the program, or too much."""


def recorded(ask):
    def recording(self):
        caller = sys._getframe(1)
        if asked is None or caller.f_code.co_filename != PROGRAM:
            return ask(self)
        counts = asked.setdefault(caller.f_lineno, [0, 0, 0])
        # A task may have ended with the `InvalidStateError` of another one: the error alone says nothing.
        too_early = not self.done()
        if lenient:
            counts[2] += too_early
            return None if too_early else ask(self)
        counts[0] += 1
        counts[1] += too_early
        return ask(self)

    return recording


def observe(of):
    return {"result": recorded(of.result), "exception": recorded(of.exception)}


Task = type("Task", (asyncio.Task,), observe(asyncio.Task))
Future = type("Future", (asyncio.Future,), observe(asyncio.Future))
for name, method in observe(asyncio.Future).items():
    setattr(asyncio.tasks._GatheringFuture, name, method)
asyncio.Future = Future


class Loop(asyncio.BaseEventLoop):
    """An event loop without a selector: where it would wait, its clock jumps."""

    def __init__(self, draw, lengths, interrupt):
        super().__init__()
        self.now = 0.0
        self.rounds = 0
        self.draw = draw
        self.lengths = lengths
        self.interrupt = interrupt
        self._selector = self
        self.set_task_factory(lambda loop, coro, **kwargs: Task(coro, loop=loop, **kwargs))
        self.set_exception_handler(lambda loop, context: None)

    def select(self, timeout):
        self.rounds += 1
        if timeout is None or self.rounds > MOST_ROUNDS:
            raise Stuck
        if self.rounds == self.interrupt:
            self.main.cancel()
            timeout = 0
        self.now += timeout
        return ()

    def time(self):
        return self.now

    def call_later(self, delay, callback, *args, context=None):
        # Only what the program asks for is a whole number: see `generate.rs`.
        if type(delay) is int and delay > 0:
            # A hair more or less: what comes at the same time comes in any order.
            delay = self.draw.choice(self.lengths) + self.draw.choice((0, 1e-10, -1e-10))
        return self.call_at(self.now + delay, callback, *args, context=context)

    def create_future(self):
        return Future(loop=self)

    def _process_events(self, events):
        pass

    def _write_to_self(self):
        pass


def run(namespace, index, draw):
    """One run. Whatever the program raises is its own business."""
    # The first bits in all their combinations, then at random.
    bits = [index // 2 >> n & 1 == 1 for n in range(5)]

    def flag():
        return bits.pop(0) if bits else draw.random() < 0.5

    def settle(future):
        if not future.done():
            draw.choice((future.cancel, lambda: future.set_result(1), lambda: future.set_exception(ValueError(1))))()

    namespace["flag"] = flag
    namespace["settle"] = settle
    namespace["FAILS"][:] = [draw.choice(FAILURES) if draw.random() < 0.25 else None for _ in range(40)]
    namespace["HOPS"][:] = [draw.choice([0, 0, 0, 1, 2, 5]) for _ in range(40)]
    namespace["SLOW"][:] = [draw.random() < 0.3 for _ in range(40)]
    lengths = draw.choice([(1, 3, 14, 60), (1, 2), (30, 60), (1, 60)])
    namespace["TIMES"][:] = [draw.choice([0, 1, 1, 2, 3]) for _ in range(3)]
    # Who looks for something rare looks where `main` is cancelled.
    often = 0.25 if index < 300 else 0.6
    interrupt = draw.choice([1, 2, 2, 3, 3, 4, 5, 6, 8, 12, 20]) if draw.random() < often else None
    loop = Loop(draw, lengths, interrupt)
    asyncio._set_running_loop(None)
    main = namespace["main"]
    arguments = [flag() for _ in inspect.signature(main).parameters]
    global asked, lenient
    lenient = index % 4 == 3
    loop.main = loop.create_task(main(*arguments))
    try:
        loop.run_until_complete(loop.main)
    except BaseException as error:
        if isinstance(error, TimedOut):
            raise
        return None if isinstance(error, Stuck) else error
    finally:
        held, asked = asked, None
        loop._ready.clear()
        loop._scheduled.clear()
        loop.close()
        loop.main = None
        asked = held


class TimedOut(BaseException):
    """The program takes too long."""


def alarm(*_):
    raise TimedOut


def judge(request):
    global asked
    asked = {}
    elsewhere = types.ModuleType("elsewhere")
    elsewhere.kept = []
    elsewhere.flag = elsewhere.settle = None  # `run` puts its own in their places.
    elsewhere.keep = lambda *values: elsewhere.kept.extend(values)
    sys.modules["elsewhere"] = elsewhere
    namespace = {"__name__": "program", "print": lambda *values: None}
    draw = random.Random(request["seed"])
    unbound = False
    # Again and again: the program may catch it.
    signal.setitimer(signal.ITIMER_REAL, SECONDS, 0.2)
    try:
        exec(compile(request["source"], PROGRAM, "exec"), namespace)
        if "main" not in namespace:
            raise SyntaxError("no main")
        for index in range(request["most"]):
            if index >= request["runs"]:
                # A line that is not reached by now is not waited for any longer.
                unseen = (0, index > 200, 0)
                if all(any(asked.get(line, unseen)[1:]) for line in request["doubtful"]):
                    break
            error = run(namespace, index, draw)
            elsewhere.kept.clear()
            unbound |= isinstance(error, NameError)
        answer = {"asked": [[line, *counts] for line, counts in sorted(asked.items())], "unbound": unbound}
    except SyntaxError as error:
        answer = {"asked": [], "unbound": unbound, "broken": f"{error}"}
    except TimedOut:
        answer = {"asked": [], "unbound": unbound, "broken": "timed out"}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        asked = None
    gc.collect()
    return answer


def main():
    logging.disable()
    gc.disable()
    sys.unraisablehook = lambda unraisable: None
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, alarm)
    # What programs print, dying coroutines among them, is nobody's answer.
    answers, sys.stdout = sys.stdout, None
    for line in sys.stdin:
        print(json.dumps(judge(json.loads(line))), file=answers, flush=True)


main()
