//! Python as asyncio programs have it, of any length, always the same.

/// A module of about `lines` lines with a function in its middle to type in.
pub fn module(lines: usize) -> String {
    let mut text = HEAD.to_owned();
    let mut random = Random(1);
    let (mut count, mut number, mut marked) = (HEAD.lines().count(), 0, false);
    while count < lines {
        let part = if !marked && count >= lines / 2 {
            marked = true;
            EDITED.to_owned()
        } else {
            number += 1;
            let part = PARTS[random.below(PARTS.len())];
            part.replace("NUMBER", &number.to_string())
                .replace("LIMIT", &(3 + random.below(90)).to_string())
                .replace("SECONDS", &(2 + random.below(28)).to_string())
        };
        count += part.lines().count();
        text.push_str(&part);
    }
    text
}

/// A linear congruential generator: `rand` for one use.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

const HEAD: &str = r#""""Background workers, queues and clients."""
from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

_LOGGER = logging.getLogger(__name__)
DEFAULT_TIMEOUT = 10.0
MAX_RETRIES = 5


@dataclass
class Item:
    """One unit of work."""

    key: str
    size: int = 0
    attempts: int = 0
    payload: dict[str, Any] = field(default_factory=dict)


class TransportError(Exception):
    """Raised when a peer went away."""


async def fetch(key: str, timeout: float = DEFAULT_TIMEOUT) -> Item:
    """Fetch one item."""
    await asyncio.sleep(timeout / 1000)
    return Item(key, size=len(key))


async def store(item: Item) -> bool:
    """Store one item."""
    await asyncio.sleep(0)
    return item.size > 0


@contextlib.asynccontextmanager
async def connection(name: str) -> AsyncIterator[asyncio.Queue[Item]]:
    """Open a connection."""
    queue: asyncio.Queue[Item] = asyncio.Queue(maxsize=100)
    try:
        yield queue
    finally:
        _LOGGER.debug("closed %s", name)


"#;

const EDITED: &str = r#"# between


async def edited(name: str, delay: float) -> int:
    """Somebody types in here."""
    total = 1
    task = asyncio.create_task(fetch(name))
    await asyncio.sleep(delay)
    total += 1
    if task.done():
        total += task.result().size
    else:
        item = await task
        total += item.size
    return total


"#;

/// What [`module`] may consist of.
const PARTS: [&str; 7] = [FETCH, STORE, FIRST, WORKER, STREAM, HELPER, GROUP];

/// What is pasted.
pub const PASTE: &str = r#"

async def pasted_one(name: str) -> Item:
    task = asyncio.create_task(fetch(name))
    await asyncio.wait([task], timeout=1)
    if not task.done():
        raise TransportError(name)
    return task.result()


async def pasted_two(names: list[str]) -> list[Item]:
    return await asyncio.gather(*(pasted_one(name) for name in names))


class Pasted:
    def __init__(self) -> None:
        self.items: list[Item] = []

    async def load(self, names: list[str]) -> None:
        self.items = await pasted_two(names)
"#;

const FETCH: &str = r#"async def fetch_NUMBER(keys: list[str], timeout: float = SECONDS.0) -> dict[str, Item]:
    """Fetch every key, SECONDS seconds each at most."""
    results: dict[str, Item] = {}
    for index, key in enumerate(keys):
        if not key or index > LIMIT:
            continue
        try:
            async with asyncio.timeout(timeout):
                results[key] = await fetch(key, timeout)
        except (TransportError, OSError) as err:
            _LOGGER.warning("fetch of %s failed: %s", key, err)
        except TimeoutError:
            _LOGGER.debug(f"gave up on {key!r} after {timeout:.1f} s")
            await asyncio.sleep(min(2 ** index, LIMIT))
    return results


"#;

const STORE: &str = r#"async def store_NUMBER(items: list[Item]) -> int:
    """Store the items concurrently and count those that were kept."""
    tasks = [asyncio.create_task(store(item)) for item in items if item.attempts < MAX_RETRIES]
    done, pending = await asyncio.wait(tasks, timeout=SECONDS)
    for task in pending:
        task.cancel()
    kept = 0
    for task in done:
        if task.exception() is None and task.result():
            kept += 1
    return kept


"#;

const FIRST: &str = r#"async def first_NUMBER(left: str, right: str) -> Item | None:
    """The item that comes first, within SECONDS seconds."""
    one = asyncio.create_task(fetch(left))
    other = asyncio.create_task(fetch(right))
    await asyncio.wait({one, other}, timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
    try:
        if one.done():
            return one.result()
        if other.done() and not other.cancelled():
            return other.result()
    finally:
        one.cancel()
        other.cancel()
    return None


"#;

const WORKER: &str = r#"class WorkerNUMBER:
    """Worker number NUMBER with a queue of its own."""

    def __init__(self, name: str, limit: int = LIMIT) -> None:
        self.name = name
        self.limit = limit
        self._queue: asyncio.Queue[Item] = asyncio.Queue(limit)
        self._task: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[Item], Awaitable[None]]] = []
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Start the loop."""
        if self._task is not None:
            return
        self._task = asyncio.create_task(self._run(), name=f"worker-{self.name}")

    async def stop(self) -> None:
        """Stop the loop and wait for it."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def put(self, item: Item) -> None:
        """Queue one item."""
        async with self._lock:
            if self._queue.qsize() >= self.limit:
                await self._queue.join()
            await self._queue.put(item)

    async def _run(self) -> None:
        while True:
            item = await self._queue.get()
            try:
                for listener in self._listeners:
                    await listener(item)
                if not await store(item):
                    item.attempts += 1
                    await self._queue.put(item)
            except TransportError:
                _LOGGER.exception("worker %s lost its peer", self.name)
                await asyncio.sleep(SECONDS)
            finally:
                self._queue.task_done()

    def subscribe(self, listener: Callable[[Item], Awaitable[None]]) -> Callable[[], None]:
        """Register a listener; the returned callable removes it."""
        self._listeners.append(listener)

        def remove() -> None:
            self._listeners.remove(listener)

        return remove


"#;

const STREAM: &str = r#"async def stream_NUMBER(name: str, count: int = LIMIT) -> AsyncIterator[Item]:
    """Yield items as they arrive."""
    async with connection(name) as queue:
        for index in range(count):
            queue.put_nowait(Item(f"{name}-{index}", size=index))
        while not queue.empty():
            item = await queue.get()
            if item.size % SECONDS == 0:
                continue
            yield item


"#;

const HELPER: &str = r#"def helper_NUMBER(values: list[float], factor: float = SECONDS.5) -> dict[str, float]:
    """Plain synchronous helper."""
    if not values:
        return {"min": 0.0, "max": 0.0, "mean": 0.0}
    scaled = [value * factor for value in values if value >= 0]
    total = sum(scaled, start=0.0)
    lowest, highest = min(scaled, default=0.0), max(scaled, default=0.0)
    lookup = {str(index): value for index, value in enumerate(scaled[:LIMIT])}
    lookup.update(min=lowest, max=highest, mean=total / max(len(scaled), 1))
    return lookup


"#;

const GROUP: &str = r#"async def group_NUMBER(names: list[str]) -> list[Item]:
    """Gather with a semaphore of SECONDS."""
    semaphore = asyncio.Semaphore(SECONDS)

    async def one(name: str) -> Item:
        async with semaphore:
            return await fetch(name)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(name)) for name in names[:LIMIT]]
    return sorted((task.result() for task in tasks), key=lambda item: item.size)


"#;
