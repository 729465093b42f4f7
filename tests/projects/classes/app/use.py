from typing import Optional

from . import base
from .base import Client, Plain, connect, opened, shared


async def constructed():
    client = Client()
    client.fetch()  # error: [coroutine-never-awaited]
    client.mixed()  # error: [coroutine-never-awaited]
    client.read()  # error: [coroutine-never-awaited]
    client.close()
    client.address()
    client.missing()
    Client().later()  # error: [coroutine-never-awaited]
    Client.make()  # error: [coroutine-never-awaited]
    Plain().fetch()
    client.queue.put(1)  # error: [coroutine-never-awaited]


async def given(client: Client, quoted: "Client", perhaps: Optional[Client], union: Client | None):
    client.fetch()  # error: [coroutine-never-awaited]
    quoted.fetch()  # error: [coroutine-never-awaited]
    perhaps.fetch()  # error: [coroutine-never-awaited]
    union.fetch()  # error: [coroutine-never-awaited]
    base.shared.fetch()  # error: [coroutine-never-awaited]


async def entered():
    async with Client() as client:
        client.fetch()  # error: [coroutine-never-awaited]
    connect().fetch()  # error: [coroutine-never-awaited]
    other = await opened()
    other.fetch()  # error: [coroutine-never-awaited]
    shared.fetch()  # error: [coroutine-never-awaited]


class Own(Client):
    def start(self):
        self.fetch()  # error: [coroutine-never-awaited]
        if self.flag:
            return self.fetch()
        return None

    async def stop(self):
        super().fetch()  # error: [coroutine-never-awaited]

    async def perhaps(self):
        self.start()
