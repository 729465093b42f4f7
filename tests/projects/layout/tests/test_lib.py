import helper
import lib
import space.inner.deep
from space.inner import deep


async def test():
    lib.load()  # error: [coroutine-never-awaited]
    helper.prepare()  # error: [coroutine-never-awaited]
    deep.dig()  # error: [coroutine-never-awaited]
    space.inner.deep.dig()  # error: [coroutine-never-awaited]
    lib.nothing()
