import asyncio
from abc import ABC, abstractmethod
from typing import overload


class Base(ABC):
    async def fetch(self):
        pass

    def close(self):
        pass

    @abstractmethod
    async def later(self): ...

    @overload
    async def read(self, size: int) -> bytes: ...
    @overload
    async def read(self) -> str: ...
    async def read(self, size=None):
        return "text"


class Mixin:
    async def mixed(self):
        pass


class Client(Mixin, Base):
    def __init__(self):
        self.queue = asyncio.Queue()
        self.flag = False

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        pass

    async def later(self):
        pass

    @classmethod
    async def make(cls):
        pass

    @property
    def address(self):
        return ""


class Plain(Client):
    def fetch(self):
        return 1


def connect() -> Client:
    return Client()


async def opened():
    return Client()


shared = Client()
