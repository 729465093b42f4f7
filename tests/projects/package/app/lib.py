import asyncio

from . import main


async def load(key):
    await asyncio.sleep(0)
    return key


def make(key):
    return load(key)


def plain(key):
    return key


async def stream():
    yield 1


async def settle(task):
    await asyncio.wait([task])


def report(task):
    print(task.result())


def unknown(function):
    return function


@unknown
async def changed():
    pass
