import asyncio
from typing import TYPE_CHECKING

import app.lib as library
from app import load as renamed
from app import starred

from . import lib
from .lib import changed, load, make, plain, report, settle, stream

if TYPE_CHECKING:
    from .nowhere import missing


def sync():
    load(1)  # error: [coroutine-never-awaited]


async def names():
    load(1)  # error: [coroutine-never-awaited]
    renamed(1)  # error: [coroutine-never-awaited]
    lib.load(1)  # error: [coroutine-never-awaited]
    library.load(1)  # error: [coroutine-never-awaited]
    make(1)  # error: [coroutine-never-awaited]
    starred()  # error: [coroutine-never-awaited]
    plain(1)
    stream()
    changed()
    await load(1)
    await make(1)


async def in_a_function():
    from .lib import load as late

    late(1)  # error: [coroutine-never-awaited]


async def helpers():
    task = asyncio.create_task(load(1))
    await settle(task)
    print(task.result())
    other = asyncio.create_task(load(1))
    report(other)  # warning: [result-before-done]


async def shadowed(load):
    load(1)


try:
    from .fast import quick
except ImportError:
    from .lib import plain as quick


async def either():
    quick(1)
