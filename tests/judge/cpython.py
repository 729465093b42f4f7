"""Runs programs many times over, and tells at which places which error could have come up, and did (`watching.py`).

A request is a line of JSON: `source`, `seed`, `runs`, and `doubtful`, pairs of a rule and a line on which something should go
wrong, for which it goes on to `most` runs. The answer is a line of JSON: for each rule and place in how many runs it was
reached, in how many it happened, in how many it did only because an earlier error was repaired, and the first two numbers once
more for the runs and the ways that a reader would think of first: see `fold`.

Each run has an event loop of its own whose clock jumps to the next timer, and draws anew what the program leaves open: what
`flag()` and the parameters of `main` are, how long each sleep and each limit is, which coroutines fail and how, whether `main`
is cancelled on its way. Durations span two orders of magnitude, so that each race goes both ways. When `main` has ended, the
loop goes on for a while, as that of a service does, and then ends as `asyncio.run` does: by cancelling what is left. A hasty
run ends so at once.
"""

import gc
import inspect
import json
import logging
import random
import signal

# Of the event loop, in one run: enough for all but a program that polls for something that never comes.
MOST_ROUNDS = 150
# After the end of `main`, and once more after all has been cancelled.
ROUNDS_AFTER = 40
# For all runs of one program, of its own time: others may be busy.
SECONDS = 10
# A quarter fails.
FAILURES = (ValueError, ValueError, KeyError, OSError, RuntimeError, TimeoutError, *[None] * 18)


class Failures:
    """How each call of a coroutine fails, if it does: the second call of one need not end like the first."""

    def __init__(self, draw):
        self.draw = draw
        self.drawn = {}

    def __getitem__(self, number):
        # A program looks whether it fails, and then how.
        failure = self.drawn.pop(number, None)
        if failure is None:
            failure = self.draw.choice(FAILURES)
            if failure:
                self.drawn[number] = failure
        return failure


class Stuck(BaseException):
    """Nothing more can happen in the program, or too much."""


class TimedOut(BaseException):
    """The program takes too long."""


class Loop(asyncio.BaseEventLoop):
    """An event loop without a selector: where it would wait, its clock jumps."""

    def __init__(self, draw, lengths, interrupt):
        super().__init__()
        self.now = 0.0
        self.rounds = 0
        self.most_rounds = MOST_ROUNDS
        self.draw = draw
        self.lengths = lengths
        self.interrupt = interrupt
        self.interrupted = False
        self._selector = self
        self.set_task_factory(lambda loop, coroutine, **options: Task(coroutine, loop=loop, **options))
        self.set_exception_handler(report)

    def select(self, timeout):
        self.rounds += 1
        if timeout is None or self.rounds > self.most_rounds:
            raise Stuck
        if self.rounds == self.interrupt and self.main is not None:
            self.interrupted = True
            self.main.cancel()
            timeout = 0
        self.now += timeout
        return ()

    def time(self):
        return self.now

    def call_later(self, delay, callback, *args, context=None):
        # Only what the program asks for is a whole number: see `generate/mod.rs`.
        if type(delay) is int and delay > 0:
            # A hair more or less: what comes at the same time comes in any order.
            delay = self.draw.choice(self.lengths) + self.draw.choice((0, 1e-10, -1e-10))
        return self.call_at(self.now + delay, callback, *args, context=context)

    def create_future(self):
        return Future(loop=self)

    def go_on(self, hasty):
        """After the end of `main`, with draws of its own."""
        self.main = None
        self.draw = random.Random(self.rounds)
        for ends in [True] if hasty else [False, True]:
            if ends:
                for task in asyncio.all_tasks(self):
                    try:
                        task.cancel()
                    except RecursionError:
                        # It waits for itself.
                        pass
            self.most_rounds = self.rounds + ROUNDS_AFTER
            try:
                self.run_forever()
            except Stuck:
                pass

    def _process_events(self, events):
        pass

    def _write_to_self(self):
        pass


def is_lenient(index):
    return index % 4 == 3


def is_hasty(index):
    # Not in step with the first bits of `flag`.
    return index % 7 == 5


def how_it_ended(error, interrupted):
    """`normal`; `said`: the program raises in so many words, or asks for the error; `unsaid`: something that may always fail
    did, and no reader believes in all of these ways; `stuck`."""
    if error is None:
        return "normal"
    if isinstance(error, Stuck):
        return "stuck"
    if interrupted:
        return "unsaid"
    if isinstance(error, (asyncio.InvalidStateError, asyncio.CancelledError)) or is_reuse(error):
        return "said"
    innermost = error.__traceback__
    while innermost.tb_next:
        innermost = innermost.tb_next
    line = innermost.tb_lineno
    program = innermost.tb_frame.f_code.co_filename == PROGRAM
    return "said" if program and line in rewritten.raises and line not in rewritten.draws else "unsaid"


def run(namespace, index, draw):
    """One run. Whatever the program raises is its own business. Gives how it ended, and whether a name was not bound."""
    # The first bits in all their combinations, then at random.
    bits = [index // 2 >> n & 1 == 1 for n in range(5)]

    def flag():
        return bits.pop(0) if bits else draw.random() < 0.5

    def settle(future):
        if not future.done():
            draw.choice((future.cancel, lambda: future.set_result(1), lambda: future.set_exception(ValueError(1))))()

    def keep(*values):
        for value in values:
            # It is out of view what becomes of it.
            give_away(value)
            if isinstance(value, types.CoroutineType) and draw.random() < 0.5:
                value.close()
            if isinstance(value, Task):
                value.handed_on = True
        sys.modules["elsewhere"].kept.extend(values)

    namespace["flag"] = flag
    namespace["keep"] = keep
    namespace["settle"] = settle
    namespace["FAILS"] = Failures(random.Random(draw.random()))
    namespace["HOPS"][:] = draw.choices((0, 0, 0, 1, 2, 5), k=40)
    namespace["SLOW"][:] = draw.choices((True, True, True, *[False] * 7), k=40)
    lengths = draw.choice([(1, 3, 14, 60), (1, 2), (30, 60), (1, 60)])
    namespace["TIMES"][:] = [draw.choice([0, 1, 1, 2, 3]) for _ in range(3)]
    # Who looks for something rare looks where `main` is cancelled.
    often = 0.25 if index < 300 else 0.6
    interrupt = draw.choice([1, 2, 2, 3, 3, 4, 5, 6, 8, 12, 20]) if draw.random() < often else None
    loop = Loop(draw, lengths, interrupt)
    asyncio._set_running_loop(None)
    main = namespace["main"]
    arguments = [flag() for _ in inspect.signature(main).parameters]
    loop.main = loop.create_task(main(*arguments))
    ended = "normal"
    unbound = False
    try:
        # Whoever runs it has what it returns.
        give_away(loop.run_until_complete(loop.main))
    except BaseException as error:
        if isinstance(error, TimedOut):
            raise
        ended = how_it_ended(error, loop.interrupted)
        unbound = isinstance(error, NameError)
    finally:
        watch.asking = False
        try:
            loop.go_on(is_hasty(index))
        finally:
            loop._ready.clear()
            loop._scheduled.clear()
            loop.close()
    return ended, loop.interrupted, unbound


def fold(counts, index, ended, interrupted):
    """Puts a run into the sums.

    Reached and happened: in any run. What is only seen at the end of a program does not count where something that may always
    fail ended it. The second pair, from which it follows what is certain: runs that nobody interrupts, in which `main` comes to
    its end, as far as it is a matter of the end, and what happens by the hand of the program: a task that it cancels. A lenient
    run only tells what can happen.
    """
    for (rule, lines, at), (happened, plain, plainly_happened) in watch.sites.items():
        if rule in AT_THE_END and (ended in ("unsaid", "stuck") or is_hasty(index)):
            continue
        if rule not in (RESULT, EXCEPTION):
            # What did not happen is not certain, also where the program raised in the end: perhaps because of just that.
            plain = plain and not interrupted and (rule not in AT_THE_END or ended == "normal" or not happened)
        count = counts.setdefault((rule, lines, at), [0, 0, 0, 0, 0])
        if watch.lenient:
            count[2] += happened
            continue
        count[0] += 1
        count[1] += happened
        count[3] += plain
        count[4] += plain and plainly_happened


def leave_out(counts, reads, asked):
    """What the program does something about: it is not certain that nobody ever asks.

    A task that is asked in some run, or given away, is not one that is forgotten: that the runs in which it failed took another
    way is luck. And whoever reads its name where no run came to has not forgotten it either.
    """
    for (rule, lines, _), count in counts.items():
        is_asked = rule == NEVER_RETRIEVED and lines in asked
        is_open = rule == NEVER_AWAITED and not rewritten.open.isdisjoint(lines)
        if is_asked or is_open or rule in (DANGLING, NEVER_RETRIEVED) and rewritten.unread(lines, reads):
            count[3] = count[4] = 0


def all_seen(counts, doubtful, index):
    """Whether there is no more to wait for: everything happened, or was not reached by now."""
    times, happened = {}, {}
    for (rule, lines, _), count in counts.items():
        for line in lines:
            times[rule, line] = times.get((rule, line), 0) + count[0]
            happened[rule, line] = happened.get((rule, line), 0) + count[1] + count[2]
    return all(happened.get(site) or index > 200 and not times.get(site) for site in map(tuple, doubtful))


def judge(request):
    global watch, rewritten
    elsewhere = types.ModuleType("elsewhere")
    elsewhere.kept = []
    # `run` puts its own in their places.
    elsewhere.flag = elsewhere.settle = elsewhere.keep = None
    sys.modules["elsewhere"] = elsewhere
    draw = random.Random(request["seed"])
    counts, doubtful, unbound = {}, request["doubtful"], False
    reads, asked = set(), set()
    # Again and again: the program may catch it.
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS, 0.2)
    try:
        rewritten = Rewrite(request["source"])
        for index in range(request["most"]):
            if index >= request["runs"] and all_seen(counts, doubtful, index):
                break
            watch = Watch(index)
            watch.lenient = is_lenient(index)
            namespace = {"__name__": "program", "print": lambda *values: None}
            namespace |= {f.__name__: f for f in (_seen, _read, _public, _lenient, _pass, _use, _close, _use_all, _wait, _watch)}
            try:
                exec(rewritten.code, namespace)
                namespace["main"]
            except TimedOut:
                raise
            except BaseException as error:
                raise SyntaxError(f"{error!r}") from None
            ended, interrupted, not_bound = run(namespace, index, draw)
            unbound |= not_bound
            elsewhere.kept.clear()
            del namespace
            gc.collect()
            watch.close()
            fold(counts, index, ended, interrupted)
            if not watch.lenient and not interrupted:
                reads |= watch.reads
                asked |= watch.asked
        leave_out(counts, reads, asked)
        answer = {"sites": [[rule, lines, *count] for (rule, lines, _), count in sorted(counts.items())], "unbound": unbound}
    except SyntaxError as error:
        answer = {"sites": [], "unbound": unbound, "broken": f"{error}"}
    except TimedOut:
        answer = {"sites": [], "unbound": unbound, "broken": "timed out"}
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        watch.asking = False
    return answer


def alarm(*_):
    raise TimedOut


def main():
    logging.disable()
    gc.disable()
    sys.unraisablehook = lambda unraisable: None
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGVTALRM, alarm)
    # What programs print, dying coroutines among them, is nobody's answer.
    answers, sys.stdout = sys.stdout, None
    # What is there by now is not looked at again when a run is swept up.
    gc.freeze()
    for line in sys.stdin:
        print(json.dumps(judge(json.loads(line))), file=answers, flush=True)


main()
